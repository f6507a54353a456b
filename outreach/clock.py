"""The one clock of a running desk: APScheduler, with no job store.

Its jobs are declared anew at each start and only ever ask the database what is due, so a tick
that is lost or rung twice changes nothing. `misfire_grace_time=None` and `coalesce=True`: a late
tick is still a tick, and many late ones are one. With several processes on one database each has a
clock of its own: ticks run side by side, every other job in one process at a time.
"""

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from outreach.app import Outreach

log = logging.getLogger(__name__)

TICK = 1.0  # seconds between two looks at what is due
MAIL = 10.0  # seconds between two looks at which mails wait; a slow server delays no post
LINKS = 300.0  # seconds between two looks at which addresses are due to be asked
COLLECT = 300.0  # seconds between two looks at which figures are due


def scheduler_for(desk: Outreach) -> BackgroundScheduler:
    """A scheduler with this desk's jobs, not started yet."""
    zone = ZoneInfo(desk.configuration.report_zone)
    scheduler = BackgroundScheduler(
        timezone=zone,
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    jobs: list[tuple[str, Callable[[], object], object]] = [
        ("tick", lambda: desk.tick(wait=False), IntervalTrigger(seconds=TICK)),
        ("mail", desk.mail, IntervalTrigger(seconds=MAIL)),
        ("collect", desk.collect, IntervalTrigger(seconds=COLLECT)),
        ("audience", lambda: _daily(desk), CronTrigger(hour="*", minute=10, timezone=zone)),
        ("links", desk.look_at_links, IntervalTrigger(seconds=LINKS)),
        ("series", desk.carry_on, CronTrigger(hour="*", minute=20, timezone=zone)),
    ]
    for name, job, trigger in jobs:
        # A tick is made for company: it claims the rows that it moves.
        alone = job if name == "tick" else partial(_alone, desk, name, job)
        scheduler.add_job(_guarded(name, alone), trigger, id=name)
    return scheduler


def _daily(desk: Outreach) -> None:
    """Once a local day, by whichever hour comes first: followers of every account."""
    day = desk.now().astimezone(ZoneInfo(desk.configuration.report_zone)).date().isoformat()
    if desk.once("audience", day):
        desk.collect_audience()


def _alone(desk: Outreach, name: str, job: Callable[[], object]) -> None:
    """Do it unless another process is at it."""
    with desk.store.alone(f"clock {name}") as mine:
        if mine:
            job()


def _guarded(name: str, job: Callable[[], object]) -> Callable[[], None]:
    """A job whose failure is logged in full and does not end the clock."""

    def run() -> None:
        try:
            job()
        except Exception:
            log.exception("the clock's job %r failed; it runs again at its next time", name)

    return run


def run(
    desk: Outreach, serve: Callable[[threading.Event], None] | None = None, *, name: str = "desk"
) -> None:
    """Run the clock, and the public pages if `serve` is given, until SIGTERM or SIGINT.

    What is being sent is finished before this returns. Raises Unusable where another process of
    this name runs on the same database.
    """
    stop = threading.Event()
    with suppress(ValueError):  # not the main thread: whoever runs us there stops us himself
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    scheduler = scheduler_for(desk)
    try:
        with desk.on_duty(name):
            scheduler.start()
            try:
                if serve:
                    serve(stop)
                else:
                    stop.wait()
            finally:
                scheduler.shutdown(wait=True)
    finally:
        desk.close()
