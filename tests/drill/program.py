"""The real command line, with the drill's network added, and its wall clock in the drill's hands.

The environment says: DRILL_MARGIN, the margin of a lease (without one, every wait is as long as in
an office); DRILL_CLOCK, a file with the seconds by
which the wall clock is off; DRILL_FAST, that it runs fast, as in a demonstration: the heartbeat has
the real time then; DRILL_FULL, a file that means "the disk is full" while it is there;
DRILL_STOP, a file that stops the process before its next call; DRILL_BUG, a bug of BUGS, which a
drill has to find.
"""

import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import event, select

from outreach import claims, doubt, engine, platforms, publish
from outreach.app import open_desk
from outreach.cli import Door, app
from outreach.config import real_now
from outreach.delivery import Delivery, State
from tests.drill.network import KINDS


class _RetriesTheUnknown(publish.Publisher):
    """What may be live goes back to be sent."""

    def _end(self, claim, attempt, state, outcome, error, wait=None):
        if state is State.UNCERTAIN:
            state, wait = State.CLEARED, timedelta(seconds=1)
        return super()._end(claim, attempt, state, outcome, error, wait)


class _SweepsToCleared(doubt.Doubt):
    """What a dead process had claimed is sent again."""

    def sweep(self):
        swept = super().sweep()
        with self.store.writing() as session:
            for one in swept:
                session.get_one(Delivery, one.key).move(State.CLEARED)
        return swept


class _HasNoFence(claims.Claims):
    """Who was stopped after its claim and wakes after its lease sends all the same."""

    def _fence(self, until, **_):
        return lambda _seconds: None


class _IgnoresHolds(claims.Claims):
    """A hold is not looked at when a delivery is claimed."""

    def _may_go(self, session, row, receipts, holds):
        return super()._may_go(session, row, receipts, ())


class _IgnoresTheOwner(claims.Claims):
    """What became of a call is written down, whoever has the post by now."""

    def ours(self, session, claims):
        mine = Delivery.key.in_([one.key for one in claims]), Delivery.state == State.SENDING
        rows = session.scalars(select(Delivery).where(*mine).with_for_update())
        owners = {one.key: one.owner for one in claims}
        return {owners[row.key]: row for row in rows}


class _GoesByTheWallClock(publish.Publisher):
    """It reads a clock in Berlin, and takes the offset of the day's midnight for the day's."""

    def __init__(self, *, now, **given):
        def wall():
            there = now().astimezone(BERLIN)
            midnight = there.replace(hour=0, minute=0, second=0, microsecond=0)
            return there.replace(tzinfo=UTC) - midnight.utcoffset()

        super().__init__(now=wall, **given)


BERLIN = ZoneInfo("Europe/Berlin")
BUGS = {
    "retries the unknown": _RetriesTheUnknown,
    "sweeps to cleared": _SweepsToCleared,
    "no fence": _HasNoFence,
    "ignores holds": _IgnoresHolds,
    "ignores the owner": _IgnoresTheOwner,
    "goes by the wall clock": _GoesByTheWallClock,
}

for kind, adapter in KINDS.items():
    platforms.PLATFORMS[kind] = f"tests.drill.network:{adapter.__name__}"
for kind in ("mastodon", "bluesky", "telegram", "x", "email"):
    real = platforms.load(kind)
    # As patient as the drill's own network: a drill takes minutes.
    real.limits = replace(real.limits, visible=timedelta(seconds=2), deadline=12.0)
    real.timeout, real.connect = 3.0, 1.0
# Waits that are minutes in an office are no other paths through the code where they are seconds.
if margin := os.environ.get("DRILL_MARGIN"):
    claims.MARGIN, doubt.FIRST_LOOK = float(margin), 0.5
    engine.BEAT, engine.STALLED = 1.0, 4.0
CLOCK, FULL = os.environ.get("DRILL_CLOCK"), os.environ.get("DRILL_FULL")


def now() -> datetime:
    off = float(Path(CLOCK).read_text() or 0) if CLOCK else 0.0
    return datetime.fromtimestamp(time.time(), UTC) + timedelta(seconds=off)


def opened(home, *, prepare, make):
    if bug := os.environ.get("DRILL_BUG"):
        setattr(publish, BUGS[bug].__base__.__name__, BUGS[bug])
    desk = open_desk(home, now=now, prepare=prepare, make=make)
    if os.environ.get("DRILL_FAST"):
        desk.real = real_now
    if FULL:

        @event.listens_for(desk.store.engine, "begin")
        def full(connection):
            if desk.store.embedded:
                most = 1 if Path(FULL).exists() else 2**30  # SQLite takes no fewer than it has
                connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")

    return desk


if __name__ == "__main__":
    app(args=sys.argv[1:], obj=Door(open=opened))
