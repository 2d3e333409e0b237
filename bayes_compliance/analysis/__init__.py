"""The questions that the article asks, each a function of a prepared model and its posterior."""
