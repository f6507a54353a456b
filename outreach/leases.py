"""The clock of leases and waiting times, which no correction of ours can move.

This machine's boot-time clock beside an SQLite file, the database's on PostgreSQL, where workers of
many machines meet.
"""

import time
from pathlib import Path
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.store import Store


class Leases(Protocol):
    """The clock of claims and doubts."""

    def __call__(self, session: Session) -> tuple[str, float]:
        """In which life of the clock, and how many seconds into it: alike for all who share the
        database."""

    def here(self) -> float:
        """Seconds on this process's own clock, whenever that began."""


class LeaseClock:
    """Seconds since this machine started, suspended or not, and which start that was."""

    def __init__(self) -> None:
        self.life = Path("/proc/sys/kernel/random/boot_id").read_text().strip()

    def __call__(self, session: Session) -> tuple[str, float]:
        return self.life, self.here()

    def here(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


class DatabaseClock(LeaseClock):
    """The time of a PostgreSQL server, for workers on many machines."""

    def __call__(self, session: Session) -> tuple[str, float]:
        told = session.scalar(select(func.extract("epoch", func.clock_timestamp())))
        return "the database's", float(told or 0)


def lease_clock(store: Store) -> Leases:
    """The clock that all who share this database share."""
    return LeaseClock() if store.embedded else DatabaseClock()
