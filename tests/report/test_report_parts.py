"""Small parts of a page."""

import pytest

from bayes_compliance.report.parts import link


@pytest.mark.parametrize("url", ["http://[x", "http://e.org]", "javascript:alert(1)", "page 3"])
def test_what_is_no_address_of_the_web_is_text(url):
    assert link("Gazette", url) == f"Gazette {url}"


def test_an_address_of_the_web_is_a_link():
    assert (
        link("Gazette", "https://e.org/a?b=1&c") == '<a href="https://e.org/a?b=1&amp;c" rel="noreferrer">Gazette</a>'
    )
