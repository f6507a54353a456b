"""Text as Bluesky counts it, and the addresses, tags and names in it, by their UTF-8 bytes.

Bluesky finds nothing in a text itself: a post says which of its bytes are a link. The library finds
what Bluesky's own client would, which takes all up to the next blank for an address. Korean,
Chinese and Japanese write on without one, so that addresses with a scheme are found here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 3000  # bytes of a text, beside its 300 characters

# What stands in an address unescaped, as X and Mastodon see it: no Hangul, no Han, no Kana.
_ADDRESS = re.compile(
    r"(?<![a-z0-9/])https?://[a-z0-9\u00c0-\u024f\u0400-\u04ff._~:/?#\[\]@!$&'()*+,;=%-]+",
    re.IGNORECASE,
)
_HOST = re.compile(r"https?://\w", re.IGNORECASE)
_CLOSING = {")": "(", "]": "["}


@dataclass(frozen=True)
class Found:
    """Bytes of a text from `start` until before `end`, and what they are.

    `kind` is "link", "tag" or "mention"; `value` the address, the tag without #, the handle.
    """

    start: int
    end: int
    kind: str
    value: str


def counted(text: str) -> int:
    """Characters as people see them; or a tenth of the bytes where that is more.

    A post may have 300 such characters and 3,000 bytes: one count that is over 300 exactly where
    either is over.
    """
    import grapheme

    return max(int(grapheme.length(text)), -(-len(text.encode("utf-8", "surrogatepass")) // 10))


def found(text: str) -> list[Found]:
    """What a reader can follow in a text, in its order; nothing overlaps."""
    from atproto_client.utils import facet_detection as library

    ours = list(_addresses(text))
    theirs = [
        Found(m.byte_start, m.byte_end, "mention", m.handle) for m in library.detect_mentions(text)
    ]
    for facet in library.detect_facets(text):
        (feature,) = facet.features
        kind, value = ("tag", feature.tag) if hasattr(feature, "tag") else ("link", feature.uri)
        if kind == "tag" or _HOST.match(value):
            theirs.append(Found(facet.index.byte_start, facet.index.byte_end, kind, value))
    every = list(ours)
    for one in theirs:
        if all(one.end <= other.start or other.end <= one.start for other in every):
            every.append(one)
    return sorted(every, key=lambda one: one.start)


def _addresses(text: str) -> Iterator[Found]:
    for match in _ADDRESS.finditer(text):
        whole = match[0]
        while whole[-1] in ".,;:!?'*~_" or _unopened(whole):
            whole = whole[:-1]
        if _HOST.match(whole):
            start = len(text[: match.start()].encode())
            yield Found(start, start + len(whole.encode()), "link", whole)


def _unopened(address: str) -> bool:
    """Whether it ends in a bracket that belongs to the sentence around it."""
    opening = _CLOSING.get(address[-1])
    return opening is not None and address.count(opening) < address.count(address[-1])
