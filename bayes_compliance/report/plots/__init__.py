"""Drawings of the page, each from plain numbers to an inline SVG with a description in words."""
