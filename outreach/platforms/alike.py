"""Finding a text again among posts, and the comments below them, as a network shows them."""

import re
import unicodedata
from collections.abc import Callable, Iterable

from outreach.errors import CannotTell
from outreach.platforms import Receipt

Shown = Iterable[tuple[str, Receipt]]
"""Texts as people read them, newest first."""

PARENTS = 5  # posts whose comments are read, where it is not known which one is ours


def as_read(text: str) -> str:
    """Without what networks change: normal form, blanks and line ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def post_or_comment(
    text: str,
    parent: str,
    ours: Iterable[str],
    posts: Callable[[], Shown],
    comments: Callable[[str], Shown],
) -> Receipt | None:
    """The post, or the comment below `parent`; raises as `alike` does.

    Without a parent it is a post; or a comment below one of `ours`, if the database was restored
    from a time before it was sent.
    """
    if not parent and (found := alike(text, posts())):
        return found
    for post in [parent] if parent else sorted(ours, reverse=True)[:PARENTS]:
        if found := alike(text, comments(post)):
            return found
    return None


def alike(text: str, posts: Shown) -> Receipt | None:
    """The first post that reads the same, or None.

    Raises CannotTell where one reads the same but for its addresses, which a network may shorten.
    """
    near = None
    for shown, receipt in posts:
        if as_read(shown) == as_read(text):
            return receipt
        if _without_links(shown) == _without_links(text):
            near = near or receipt
    if near:
        raise CannotTell(f"{near.url} reads the same but for its addresses: is it this?")
    return None


def _without_links(text: str) -> str:
    return as_read(re.sub(r"https?://\S+", "", text))
