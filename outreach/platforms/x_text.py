"""Text as X counts it and as X shows it again: shortened addresses, escapes, links to media."""

import html
import re
import sys
import threading
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from types import ModuleType
from typing import Any


def weighted(text: str) -> int:
    """X's own count: an address is 23; most characters beyond Latin, and every emoji, are 2.

    https://docs.x.com/fundamentals/counting-characters
    """
    return int(_parser()(text).weightedLength)


def linked(text: str) -> bool:
    """Whether X finds an address in it, with or without a scheme."""
    _parser()  # which the package needs to be loaded by
    from twitter_text.extract_urls import extract_urls

    return bool(extract_urls(text))


def expanded(post: Mapping[str, Any]) -> str:
    """A post's text with its t.co addresses as they were written, and links to its media gone."""
    long = post.get("note_tweet") or post
    text = html.unescape(long["text"])
    for link in (long.get("entities") or post.get("entities") or {}).get("urls", []):
        media = "media_key" in link or re.search(r"/(photo|video)/\d+$", link["expanded_url"])
        text = text.replace(link["url"], "" if media else link["expanded_url"])
    return text


def as_read(text: str) -> str:
    """Without what X changes: normal form, scheme, closing slash of an address, spaces."""
    plain = re.sub(r"https?://", "", unicodedata.normalize("NFC", text))
    return " ".join(word.rstrip("/") for word in plain.split())


def without_links(text: str) -> str:
    return as_read(re.sub(r"https?://\S+", "", text))


_parsing = threading.Lock()


def _parser() -> Callable[[str], Any]:
    with _parsing:
        return _loaded()


@cache
def _loaded() -> Callable[[str], Any]:
    # twitter-text-parser 3.0.0 reads one file of its own through `pkg_resources`, which it does
    # not require and setuptools has since dropped; it is given the one function it asks for.
    stand_in = ModuleType("pkg_resources")
    stand_in.resource_string = lambda module, name: (  # type: ignore[attr-defined] # made here
        files(module.rpartition(".")[0]).joinpath(name).read_bytes()
    )
    before = sys.modules.get("pkg_resources")
    sys.modules["pkg_resources"] = stand_in
    try:
        from twitter_text import parse_tweet
    finally:
        if before is None:
            del sys.modules["pkg_resources"]
        else:
            sys.modules["pkg_resources"] = before
    return parse_tweet  # type: ignore[no-any-return] # the package has no types
