"""The web addresses that stand in a plain text, as a reader sees where they end."""

import re
from collections.abc import Iterator

# Korean, Chinese and Japanese put the next word right after an address; they end it here, while
# Latin and Cyrillic letters, which real addresses hold, do not.
_ADDRESS = re.compile(
    "https?://[A-Za-z0-9\u00c0-\u024f\u0400-\u04ff._~:/?#\\[\\]@!$&'()*+,;=%-]+", re.IGNORECASE
)
_SENTENCE_END = ".,;:!?'*~_"
_PAIRS = {")": "(", "]": "["}


def addresses(text: str) -> Iterator[tuple[int, str]]:
    """Every http or https address in it, and where it begins."""
    for match in _ADDRESS.finditer(text):
        address = _without_sentence_end(match[0])
        if address.partition("://")[2]:
            yield match.start(), address


def _without_sentence_end(address: str) -> str:
    """The address without the full stop or bracket that belongs to the sentence around it."""
    while address:
        last = address[-1]
        unpaired = last in _PAIRS and address.count(last) > address.count(_PAIRS[last])
        if last not in _SENTENCE_END and not unpaired:
            break
        address = address[:-1]
    return address
