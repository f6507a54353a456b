"""The one clock of a running desk: APScheduler, with no job store.

Its jobs are declared anew at each start and only ever ask the database what is due, so a tick
that is lost or rung twice changes nothing. `misfire_grace_time=None` and `coalesce=True`: a late
tick is still a tick, and many late ones are one.
"""

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
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
        scheduler.add_job(_guarded(name, job), trigger, id=name)
    return scheduler


def _daily(desk: Outreach) -> None:
    """Once a local day, by whichever hour comes first: followers of every account."""
    day = desk.now().astimezone(ZoneInfo(desk.configuration.report_zone)).date().isoformat()
    if desk.once("audience", day):
        desk.collect_audience()


def _guarded(name: str, job: Callable[[], object]) -> Callable[[], None]:
    """A job whose failure is logged in full and does not end the clock."""

    def run() -> None:
        try:
            job()
        except Exception:
            log.exception("the clock's job %r failed; it runs again at its next time", name)

    return run


def run(desk: Outreach, serve: Callable[[threading.Event], None] | None = None) -> None:
    """Run the clock, and the public pages if `serve` is given, until SIGTERM or SIGINT.

    What is being sent is finished before this returns.
    """
    stop = threading.Event()
    with suppress(ValueError):  # not the main thread: whoever runs us there stops us himself
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
    scheduler = scheduler_for(desk)
    scheduler.start()
    try:
        if serve:
            serve(stop)
        else:
            stop.wait()
    finally:
        scheduler.shutdown(wait=True)
        desk.close()
