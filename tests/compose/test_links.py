"""Addresses: tagged without losing what they had, short with a stable code, refused if unfit."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.compose.links import address, code_of, tagged, unfit

TAGS = "utm_source=x&utm_medium=social&utm_campaign=forum&utm_content=teaser"


def tag(url: str) -> str:
    return tagged(url, campaign="forum", message="teaser", channel_source="x")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.org", f"https://a.org?{TAGS}"),
        ("https://a.org/p?", f"https://a.org/p?{TAGS}"),
        ("https://a.org/p?q=a%20b&q=c", f"https://a.org/p?q=a%20b&q=c&{TAGS}"),
        ("https://a.org/p#top", f"https://a.org/p?{TAGS}#top"),
        ("https://a.org/p?q=1#/route?x=2", f"https://a.org/p?q=1&{TAGS}#/route?x=2"),
        (
            "https://a.org/?utm_source=note&UTM_Medium=mail",
            "https://a.org/?utm_source=note&UTM_Medium=mail&utm_campaign=forum&utm_content=teaser",
        ),
    ],
)
def test_an_address_is_tagged_and_keeps_its_query_and_fragment(url: str, expected: str) -> None:
    assert tag(url) == expected
    assert tag(expected) == expected  # tagging twice adds nothing


@given(
    st.lists(
        st.tuples(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text("ab%20+=", max_size=6))
    )
)
def test_whatever_the_query_every_pair_of_it_stays(pairs: list[tuple[str, str]]) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs)
    kept = urlsplit(tag(f"https://a.org/?{query}")).query
    assert kept == f"{query}&{TAGS}".strip("&")
    assert dict(parse_qsl(kept))["utm_campaign"] == "forum"


def test_a_name_with_signs_of_its_own_is_quoted() -> None:
    url = tagged("https://a.org", campaign="a&b", message="c d", channel_source="x")
    assert "utm_campaign=a%26b&utm_content=c%20d" in url


def test_a_code_is_the_same_for_ever_and_another_for_another_post_or_address() -> None:
    code = code_of("forum/teaser/en@x", "https://a.org")
    assert code == "6rkmlcfg"  # written down: printed codes must not change with a release
    assert code_of("forum/teaser/en@web", "https://a.org") != code
    assert code_of("forum/teaser/en@x", "https://b.org") != code


def test_the_text_shows_the_short_address_where_there_is_a_public_one() -> None:
    key, target = "forum/teaser/en@x", "https://a.org/?utm_source=x"
    code = code_of(key, target)
    assert address("https://go.example.org/", key, target) == f"https://go.example.org/l/{code}"
    assert address("", key, target) == target


@pytest.mark.parametrize(
    "url", ["https://a.org/x?y#z", "http://127.0.0.1:8000/", "http://[::1]/", "http://localhost/"]
)
def test_these_addresses_are_fit(url: str) -> None:
    assert unfit(url, "f:1") is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.org/", "http://a.org/ is not encrypted"),
        ("http://127.0.0.1.a.org/", "is not encrypted"),
        ("a.org/forum", "a.org/forum is not an address"),
        ("javascript:alert(1)", "is not an address"),
        ("https://", "is not an address"),
        ("https://a.org:99999/", "is not an address"),
        ("https://[::1/", "is not an address"),
        ("https://a.org/a b", "there is a blank or a sign"),
        ("https://a.org\\@b.org/", "there is a blank or a sign"),
        ("https://a.org/\n", "there is a blank or a sign"),
        ("https://me:secret@a.org/", "the address at a.org has a user name or a password"),
    ],
)
def test_these_addresses_are_a_problem(url: str, expected: str) -> None:
    problem = unfit(url, "campaigns/forum.yaml:20")
    assert problem is not None
    assert expected in problem.what
    assert problem.hint
    assert "secret" not in str(problem)
