"""The real command line, with the drill's network added, and its wall clock in the drill's hands.

The environment says: DRILL_MARGIN, the margin of a lease; DRILL_CLOCK, a file with the seconds by
which the wall clock is off; DRILL_FULL, a file that means "the disk is full" while it is there;
DRILL_STOP, a file that stops the process before its next call; DRILL_BUG, a bug of BUGS, which a
drill has to find.
"""

import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import event

from outreach import platforms, publish
from outreach.app import open_desk
from outreach.cli import Door, app
from outreach.delivery import Delivery, State
from tests.drill.network import KINDS


class _RetriesTheUnknown(publish.Publisher):
    """What may be live goes back to be sent."""

    def _end(self, claim, attempt, state, outcome, error, wait=None):
        if state is State.UNCERTAIN:
            state, wait = State.CLEARED, timedelta(seconds=1)
        return super()._end(claim, attempt, state, outcome, error, wait)


class _SweepsToCleared(publish.Publisher):
    """What a dead process had claimed is sent again."""

    def sweep(self):
        swept = super().sweep()
        with self.store.writing() as session:
            for one in swept:
                session.get_one(Delivery, one.key).move(State.CLEARED)
        return swept


BUGS = {
    "retries the unknown": _RetriesTheUnknown,
    "sweeps to cleared": _SweepsToCleared,
}

for kind, adapter in KINDS.items():
    platforms.PLATFORMS[kind] = f"tests.drill.network:{adapter.__name__}"
for kind in ("mastodon", "bluesky", "email"):
    real = platforms.load(kind)
    # As patient as the drill's own network: a drill takes minutes.
    real.limits = replace(real.limits, visible=timedelta(seconds=3), deadline=12.0)
    real.timeout, real.connect = 3.0, 1.0
publish.MARGIN = float(os.environ.get("DRILL_MARGIN", publish.MARGIN))
CLOCK, FULL = os.environ.get("DRILL_CLOCK"), os.environ.get("DRILL_FULL")


def now() -> datetime:
    off = float(Path(CLOCK).read_text() or 0) if CLOCK else 0.0
    return datetime.fromtimestamp(time.time(), UTC) + timedelta(seconds=off)


def opened(home, *, prepare, make):
    if bug := os.environ.get("DRILL_BUG"):
        publish.Publisher = BUGS[bug]
    desk = open_desk(home, now=now, prepare=prepare, make=make)
    if FULL:

        @event.listens_for(desk.store.engine, "begin")
        def full(connection):
            if desk.store.embedded:
                most = 1 if Path(FULL).exists() else 2**30  # SQLite takes no fewer than it has
                connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")

    return desk


if __name__ == "__main__":
    app(args=sys.argv[1:], obj=Door(open=opened))
