"""Finding a text again among posts as a network shows them."""

import re
import unicodedata
from collections.abc import Iterable

from outreach.errors import CannotTell
from outreach.platforms import Receipt


def as_read(text: str) -> str:
    """Without what networks change: normal form, blanks and line ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def alike(text: str, posts: Iterable[tuple[str, Receipt]]) -> Receipt | None:
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
