"""Calls that change what is live, by order of a person: taking down, and correcting.

    due      ordered, its turn has come, and no process is at it
    claim    committed before the call; a process that dies from here on leaves it to be done again
    answer   written down by whoever holds the claim; what was not answered is tried again, later

Doing the same again does no harm, so nothing is ever in doubt here: it is done until it is told.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from outreach.delivery import Correction
from outreach.ending import Ending
from outreach.platforms import Platform
from outreach.store import Store
from outreach.store.tables import TakeDown

if TYPE_CHECKING:
    from outreach.leases import Leases

C = TypeVar("C")

FIRST, LONGEST = 5.0, 900.0  # seconds between two tries of what was not answered


class Changes(Generic[C]):
    """Does what was ordered of one kind, whoever ordered it; one process at a time for each."""

    table: ClassVar[type[TakeDown] | type[Correction]]

    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[str, Platform],
        now: Callable[[], datetime],
        leases: "Leases",
        ending: Ending,
    ) -> None:
        self.store, self.platforms, self.now, self.leases = store, platforms, now, leases
        self.ending = ending

    def channels(self) -> list[str]:
        """Where something is to be done now, by an account that is ready here."""
        with self.store.reading() as session:
            due = select(self.table.channel).where(*self._due(session)).distinct()
            return sorted(set(session.scalars(due)) & self.platforms.keys())

    def work(self, channel: str) -> None:
        """Do what is due on a channel, until nothing is."""
        while not self.ending.asked and (claim := self._claim(channel)):
            if claim is not True:
                self._carry_out(channel, claim)

    def _due(self, session: Session) -> tuple[ColumnElement[bool], ...]:
        """What is ordered, and may be claimed now."""
        return self.table.free(self.now(), *self.leases(session))

    def _claim(self, channel: str) -> C | bool:
        """The next one; True where one was ended without a call, False where none is due."""
        raise NotImplementedError

    def _carry_out(self, channel: str, claim: C) -> None:
        raise NotImplementedError


def again(now: datetime, tries: int, wait: timedelta | None) -> datetime:
    """When what was not answered is tried again: when the network says, or later each time."""
    pause = timedelta(seconds=min(FIRST * 2.0 ** min(tries - 1, 10), LONGEST))
    return now + max(wait or pause, timedelta(seconds=1))
