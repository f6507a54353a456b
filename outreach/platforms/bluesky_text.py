"""Text as Bluesky counts it, and the addresses, tags and names in it, by their UTF-8 bytes.

Bluesky finds nothing in a text itself: a post says which of its bytes are a link. The library finds
what Bluesky's own client would, which takes all up to the next blank for an address. Korean,
Chinese and Japanese write on without one, so that addresses with a scheme are found here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from outreach.links import addresses, is_address

LONGEST = 3000  # bytes of a text, beside its 300 characters


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

    ours = list(_links(text))
    theirs = [
        Found(m.byte_start, m.byte_end, "mention", m.handle) for m in library.detect_mentions(text)
    ]
    for facet in library.detect_facets(text):
        (feature,) = facet.features
        kind, value = ("tag", feature.tag) if hasattr(feature, "tag") else ("link", feature.uri)
        if kind == "tag" or is_address(value):
            theirs.append(Found(facet.index.byte_start, facet.index.byte_end, kind, value))
    every = list(ours)
    for one in theirs:
        if all(one.end <= other.start or other.end <= one.start for other in every):
            every.append(one)
    return sorted(every, key=lambda one: one.start)


def _links(text: str) -> Iterator[Found]:
    for at, address in addresses(text):
        start = len(text[:at].encode())
        yield Found(start, start + len(address.encode()), "link", address)
