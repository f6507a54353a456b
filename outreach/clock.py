"""The one clock of a running desk: APScheduler, with no job store.

Its jobs are declared anew at each start and only ever ask the database what is due, so a tick
that is lost or rung twice changes nothing. `misfire_grace_time=None` and `coalesce=True`: a late
tick is still a tick, and many late ones are one. With several processes on one database each has a
clock of its own: ticks and looks at figures run side by side, every other job in one process at a
time.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from outreach import supervisor
from outreach.app import Outreach
from outreach.errors import OutreachError

log = logging.getLogger(__name__)

TICK = 1.0  # seconds between two looks at what is due
JUST_AFTER = 2_000  # microseconds after a whole second, since a timer may be a little early
MAIL = 10.0  # seconds between two looks at which mails wait; a slow server delays no post
TASKS = 5.0  # seconds between two looks at what people have to be told of their tasks
LINKS = 300.0  # seconds between two looks at which addresses are due to be asked
RENEW = 60.0  # seconds between two looks at which tokens are to be renewed
COLLECT = 300.0  # seconds between two looks at which figures are due
BOUNCES = 600.0  # seconds between two looks at what came back of newsletters
ANNOUNCE = 10.0  # seconds between two looks at what a feed's hub has to be told
WATCH = 30.0  # seconds between two looks at what is an alarm
ALIVE = 15.0  # seconds between two words to the service manager
HUNG = 900.0  # seconds without an end of a tick, good or bad, after which we are not called alive
SAME = 60.0  # seconds for which a job's same trouble is not logged again


def scheduler_for(desk: Outreach) -> BackgroundScheduler:
    """A scheduler with this desk's jobs, not started yet."""
    zone = ZoneInfo(desk.configuration.report_zone)
    scheduler = BackgroundScheduler(
        timezone=zone,
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    alive = _Alive()
    # At its hour of its day; at the next one where the desk was down then.
    due = desk.configuration.settings.report.send_time.partition(":")[2]
    jobs: list[tuple[str, Callable[[], object], object]] = [
        ("tick", alive.after(lambda: desk.tick(wait=False)), _on_the_second(zone)),
        ("alive", alive.tell, IntervalTrigger(seconds=ALIVE)),
        ("tasks", desk.handover.round, IntervalTrigger(seconds=TASKS)),
        ("mail", desk.mail, IntervalTrigger(seconds=MAIL)),
        ("alarms", desk.watch.round, IntervalTrigger(seconds=WATCH)),
        ("accounts", desk.ask_accounts, CronTrigger(hour="*", minute=30, timezone=zone)),
        ("tokens", desk.renew_permits, IntervalTrigger(seconds=RENEW)),
        ("collect", desk.figures.collect, IntervalTrigger(seconds=COLLECT)),
        ("audience", lambda: _daily(desk), CronTrigger(hour="*", minute=10, timezone=zone)),
        ("links", desk.look_at_links, IntervalTrigger(seconds=LINKS)),
        ("hubs", desk.announce, IntervalTrigger(seconds=ANNOUNCE)),
        ("bounces", desk.newsletters.read_bounces, IntervalTrigger(seconds=BOUNCES)),
        ("report", desk.reporting.ask, CronTrigger(hour="*", minute=due, timezone=zone)),
        ("series", desk.carry_on, CronTrigger(hour="*", minute=20, timezone=zone)),
    ]
    for name, job, trigger in jobs:
        # A tick is made for company, and so are looks at figures: they claim the rows they move.
        alone = job if name in ("tick", "collect") else partial(_alone, desk, name, job)
        scheduler.add_job(_guarded(name, alone), trigger, id=name)
    return scheduler


def _on_the_second(zone: ZoneInfo) -> IntervalTrigger:
    """What is due at 09:00:00 is found then, and not up to a tick later."""
    return IntervalTrigger(
        seconds=TICK, start_date=datetime.now(zone).replace(microsecond=JUST_AFTER), timezone=zone
    )


def _daily(desk: Outreach) -> None:
    """Followers of every account that has not told them today; once a day what keeps it tidy."""
    desk.figures.collect_audience()
    day = desk.now().astimezone(ZoneInfo(desk.configuration.report_zone)).date().isoformat()
    if desk.presence.once("figures", day):
        desk.figures.tidy()


def _alone(desk: Outreach, name: str, job: Callable[[], object]) -> None:
    """Do it unless another process is at it."""
    with desk.store.alone(f"clock {name}") as mine:
        if mine:
            job()


class _Alive:
    """Tells the service manager that the clock goes on.

    A tick that fails is one all the same: to start anew would not give it a disk with room.
    """

    def __init__(self) -> None:
        self._last = time.monotonic()

    def after(self, tick: Callable[[], object]) -> Callable[[], None]:
        def ticked() -> None:
            try:
                tick()
            finally:
                self._last = time.monotonic()

        return ticked

    def tell(self) -> None:
        if time.monotonic() - self._last < HUNG:
            supervisor.tell("WATCHDOG=1")


def _guarded(name: str, job: Callable[[], object]) -> Callable[[], None]:
    """A job whose failure is logged and does not end the clock.

    In full where it is a bug; in a line, and not every second, where it is the machine's trouble.
    """
    said: tuple[str, float] = ("", 0.0)

    def run() -> None:
        nonlocal said
        try:
            job()
        except OutreachError as error:
            if str(error) != said[0] or time.monotonic() - said[1] > SAME:
                said = (str(error), time.monotonic())
                log.error(  # noqa: TRY400 - its words are for an operator, its stack is not
                    "the clock's job %r could not be done and is tried again: %s; %s",
                    name,
                    error,
                    error.hint,
                )
        except Exception:
            log.exception("the clock's job %r failed; it runs again at its next time", name)

    return run


def run(
    desk: Outreach, serve: Callable[[threading.Event], None] | None = None, *, name: str = "desk"
) -> bool:
    """Run the clock, and the pages if `serve` is given, until SIGTERM or SIGINT.

    From that moment nothing more is claimed, and what is being sent is finished. False where
    something had not ended within `desk.ending.patience`: its thread lives on, so whoever called
    ends the process without waiting for it. Raises Unusable where another process of this name
    runs on the same database.
    """
    stop = threading.Event()

    def end() -> None:
        if not desk.ending.asked:
            log.info("told to end: finishing what is being sent")
            supervisor.tell("STOPPING=1")
        desk.ending.ask()
        stop.set()

    with desk.on_duty(name):
        _at_signal(end)
        scheduler = scheduler_for(desk)
        scheduler.start()
        supervisor.tell("READY=1")
        try:
            if serve:
                serve(stop)
            else:
                stop.wait()
        finally:
            end()
            ended = _ended(desk, scheduler)
            _deaf()
    if ended:
        desk.close()
    return ended


def _ended(desk: Outreach, scheduler: BackgroundScheduler) -> bool:
    """Wait for what runs, within its time; whether all of it had ended."""
    jobs = threading.Thread(target=scheduler.shutdown, name="ending", daemon=True)
    jobs.start()
    busy = desk.dispatch.finish(desk.ending.left)
    jobs.join(desk.ending.left)
    if jobs.is_alive():
        busy.append("the clock")
    if busy:
        log.error("still at it, and given up: %s", ", ".join(busy))
    return not busy


def _deaf() -> None:
    """Whoever asks again while the last lines of this process run has been heard already.

    Python gives the default back on its way out, and a process that ended in order would seem
    killed.
    """
    with suppress(ValueError):  # not the main thread
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)


def _at_signal(do: Callable[[], None]) -> None:
    """Do it, in a thread of its own, whenever SIGTERM or SIGINT comes.

    Not in the handler: that interrupts the main thread anywhere, also while it holds the very
    lock that `do` needs.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def handler(*_: object) -> None:
        with suppress(OSError):
            os.write(writing, b"!")

    def wait() -> None:
        while os.read(reading, 1):
            do()

    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, handler)
    except ValueError:  # not the main thread: whoever runs us there stops us himself
        os.close(reading)
        os.close(writing)
        return
    threading.Thread(target=wait, name="signals", daemon=True).start()
