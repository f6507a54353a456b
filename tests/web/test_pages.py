"""Texts as HTML: escaped first, then broken into paragraphs and linked."""

import html
import re
from html.parser import HTMLParser

import pytest

from outreach.web.pages import paragraphs, with_links


@pytest.mark.parametrize(
    ("line", "linked"),
    [
        ("see https://a.org/b.", ["https://a.org/b"]),
        ("(https://a.org/b)", ["https://a.org/b"]),
        ("https://a.org/wiki/Low_(carbon)", ["https://a.org/wiki/Low_(carbon)"]),
        (
            "“https://a.org/b”, and http://c.org?x=1&y=2!",
            ["https://a.org/b", "http://c.org?x=1&y=2"],
        ),
        ("报名：https://a.org/l/k3v9。欢迎", ["https://a.org/l/k3v9"]),
        ("https://a.org에서 등록하세요", ["https://a.org"]),
        ("https://ru.example/wiki/Форум, да", ["https://ru.example/wiki/Форум"]),
        ("HTTPS://A.ORG/X", ["HTTPS://A.ORG/X"]),
        ("javascript:alert(1) data:text/html,x ftp://a.org //a.org", []),
        ("https://", []),
        ("https://...", []),
        ("no address at all", []),
    ],
)
def test_addresses_become_links_without_the_sentence_around_them(line, linked):
    made = str(with_links(line))
    assert [html.unescape(href) for href in re.findall('href="([^"]*)"', made)] == linked
    assert html.unescape(re.sub("<[^>]*>", "", made)) == line  # nothing is lost or added
    assert made.count('rel="noopener"') == len(linked)


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        'https://a.org/"onmouseover="alert(1)',
        "https://a.org/'onmouseover='alert(1)",
        "https://a.org/<script>alert(1)</script>",
        "{{ 7*7 }} {% for x in y %}",
        "</p></div><svg/onload=alert(1)>",
    ],
)
def test_a_text_never_becomes_markup(attack):
    seen: list[tuple[str, list[str]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.append((tag, sorted(name for name, _ in attrs)))

    made = str(paragraphs(attack))
    Reader().feed(made)
    assert [tag for tag in seen if tag not in (("p", []), ("a", ["href", "rel"]))] == []
    assert "49" not in made
    assert not re.search(r"<(script|img|svg)", made)


def test_blank_lines_make_paragraphs_and_line_breaks_stay():
    assert str(paragraphs("One\r\ntwo\n \n\nThree\n")) == "<p>One<br>\ntwo</p>\n<p>Three</p>"
    assert str(paragraphs("")) == ""
