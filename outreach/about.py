"""What a line of the log is about: the delivery that is in hand, for whatever is logged meanwhile.

It follows a call into other threads and into the bridge's event loop, as context variables do, so
that a library's own lines carry the delivery's key as well.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

Facts = Mapping[str, str | int]

_facts: ContextVar[Facts] = ContextVar("_facts", default=MappingProxyType({}))

KNOWN = ("delivery", "channel", "attempt", "owner")
"""What is told: a post's key, its channel, the number of the call, and whose claim it is."""


@contextmanager
def about(**facts: str | int) -> Iterator[None]:
    """Whatever is logged within is about this."""
    before = _facts.set({**_facts.get(), **facts})
    try:
        yield
    finally:
        _facts.reset(before)


def note(**facts: str | int) -> None:
    """Put something right until the end of the `about` that we are in."""
    _facts.set({**_facts.get(), **facts})


def facts() -> Facts:
    """What the line that is being logged is about."""
    return _facts.get()
