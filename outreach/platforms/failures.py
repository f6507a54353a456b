"""What a failure means for a post, where every network agrees."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from outreach.errors import CannotTell, NotNow, Refused, Uncertain


@contextmanager
def surely_not_live(why: str) -> Iterator[None]:
    """For requests that make nothing public: no doubt comes of them, only a later attempt."""
    try:
        yield
    except Uncertain as error:
        raise NotNow(f"{why}: {error}") from error


@contextmanager
def looking(network: str) -> Iterator[None]:
    """For looking: where it was not asked, nothing was learnt, least of all that all is well."""
    try:
        yield
    except Refused as error:
        raise CannotTell(f"{network} does not let us look: {error}") from error
    except NotNow as error:
        raise Uncertain(f"{network} cannot be asked now: {error}") from error


def bounded(seconds: float) -> timedelta:
    """A wait that a network asks for, within a second and a day."""
    return timedelta(seconds=max(1.0, min(seconds, 86_400.0)))


def lacking(needed: Sequence[str], granted: Collection[str]) -> str:
    """What a token lacks of its permissions, as the end of a line; "" where it lacks none.

    Raises Refused where it lacks the first, without which nothing can be posted.
    """
    without = [name for name in needed if name not in granted]
    if without and without[0] == needed[0]:
        raise Refused(
            f"this token may not post: make a new one, with {', '.join(needed)}; it lacks "
            f"{', '.join(without)}"
        )
    return f"; it lacks {', '.join(without)}" if without else ""
