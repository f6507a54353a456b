"""The addresses in a text, as a reader finds them.

Korean, Chinese and Japanese write on after an address without a blank, and end it there.
"""

import re
from collections.abc import Iterator

# What stands in an address unescaped, as X and Mastodon see it: no Hangul, no Han, no Kana.
_ADDRESS = re.compile(
    r"(?<![a-z0-9/])https?://[a-z0-9\u00c0-\u024f\u0400-\u04ff._~:/?#\[\]@!$&'()*+,;=%-]+",
    re.IGNORECASE,
)
_HOST = re.compile(r"https?://\w", re.IGNORECASE)
_CLOSING = {")": "(", "]": "["}


def is_address(text: str) -> bool:
    """Whether it begins as an address with a scheme does."""
    return bool(_HOST.match(text))


def addresses(text: str) -> Iterator[tuple[int, str]]:
    """Where each begins, in characters, and the address without the sentence's own marks."""
    for match in _ADDRESS.finditer(text):
        whole = match[0]
        while whole[-1] in ".,;:!?'*~_" or _unopened(whole):
            whole = whole[:-1]
        if is_address(whole):
            yield match.start(), whole


def without_addresses(text: str) -> str:
    """The text, its addresses left out."""
    for at, address in reversed([*addresses(text)]):
        text = text[:at] + text[at + len(address) :]
    return text


def first_address(text: str) -> str:
    """The first address in a text, or ""."""
    return next((address for _, address in addresses(text)), "")


def _unopened(address: str) -> bool:
    """Whether it ends in a bracket that belongs to the sentence around it."""
    opening = _CLOSING.get(address[-1])
    return opening is not None and address.count(opening) < address.count(address[-1])
