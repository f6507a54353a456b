"""Whether the desk is there: its heartbeat, the gap where there was none, and who else is on duty.

A heartbeat is written with every turn of the clock. After a gap, or where the database is an older
copy of itself, what fell due meanwhile may be live, and is looked for before it is sent.
"""

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from outreach import alarms
from outreach.clearance import PROGRAM, record
from outreach.doubt import Doubt, unseen
from outreach.errors import Unusable
from outreach.store import Store
from outreach.store.tables import ClockJob, Heartbeat, Process

GAP = timedelta(minutes=5)
"""Without a tick for longer than this, what fell due meanwhile is looked for before it is sent."""

FORGOTTEN = timedelta(days=3)
"""A process that was not seen for so long is no alarm any more."""

BEAT = 3.0  # seconds between two heartbeats while there is nothing to send


class Presence:
    """This process among those that have run the clock of one database.

    `name` is this process's own while it runs the clock, and "" while it does not. `blind` tells
    the channels whose networks show no history.
    """

    def __init__(
        self,
        *,
        store: Store,
        now: Callable[[], datetime],
        real: Callable[[], datetime],
        doubt: Callable[[], Doubt],
        blind: Callable[[], Collection[str]],
    ) -> None:
        self.store, self.now, self.real = store, now, real
        self.doubt, self.blind = doubt, blind
        self.name, self.since = "", real()
        self._beaten = -BEAT  # when this process last wrote its heartbeat, on its own clock

    def begin(self, name: str) -> None:
        """Be the process of this name from now on."""
        self.name, self.since = name, self.real()

    def forget(self, name: str) -> None:
        """Leave no trace of a process that has ended in order: nobody is to miss it."""
        with suppress(Unusable), self.store.writing() as session:
            session.execute(delete(Process).where(Process.name == name))

    @property
    def silent(self) -> bool:
        """Whether it is time for a heartbeat."""
        return time.monotonic() >= self._beaten + BEAT

    def beat(self, copy: bool) -> None:
        """Write the heartbeat; and down, where this surely is an older copy of the database."""
        # Beside those who send, as a row's lock is enough; but for the first one, which makes it.
        with self.store.writing(shared=self._beaten > -BEAT) as session:
            pulse = self.store.pulse.beat(session)
            beat = Heartbeat(id=1, real=self.real(), now=self.now(), ticked=True, pulse=pulse)
            session.merge(beat)
            if copy:
                why = "it is older than what was last seen of it, or was moved"
                if later := len(unseen(session, self.now(), self.blind())):
                    why += f"; what is due later where nobody can look goes out ({later})"
                record(session, self.now(), PROGRAM, "database put back", why=why)
            if self.name:
                me = Process(name=self.name, started_at=self.since, seen_at=self.real())
                session.merge(me)
                long_gone = Process.seen_at < self.real() - FORGOTTEN
                session.execute(delete(Process).where(long_gone))
        self._beaten = time.monotonic()

    def mind_the_gap(self, *, looking: bool = False) -> bool:
        """Where nothing ticked for a while, mark what fell due meanwhile: it may be live.

        A restored copy of the database has an old heartbeat, whoever restored it; or none, if it
        was made before the first tick.
        Returns whether the database surely is an older copy that was put back. Then the gap may
        be of seconds; and who is `looking` looks for all of it at once.
        """
        with self.store.reading() as session:
            last = session.get(Heartbeat, 1)
            copy = last is not None and self.store.pulse.lost(session, last.pulse)
        if copy:  # or a desk was just about to write its heartbeat down
            with self.store.writing() as session:
                last = session.get_one(Heartbeat, 1)
                copy = self.store.pulse.lost(session, last.pulse)
        if last is None or copy or self.real() - last.real > GAP:
            since = last.now if last else None
            restored = copy and looking
            self.doubt().fell_due(since, self.now(), restored=restored, blind=self.blind())
        return copy

    def once(self, job: str, slot: str) -> bool:
        """Whether this process is the first to take this clock's job for this local slot."""
        with self.store.writing() as session:
            if session.get(ClockJob, (job, slot)):
                return False
            session.add(ClockJob(job=job, slot=slot, at=self.now()))
            return True

    def processes(self) -> list[alarms.Process]:
        """Who sends beside each other; of an SQLite's one process the heartbeat tells."""
        if self.store.embedded:
            return []
        with self.store.reading() as session:
            return [
                alarms.Process(row.name, row.seen_at) for row in session.scalars(select(Process))
            ]
