"""The clock of a running desk: what it asks for, and how it ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.jobstores.memory import MemoryJobStore

from outreach import clock
from tests.conftest import Office, state
from tests.drafts import KEY, SOON, put, soon

RUNS = """
import datetime, pathlib, sys
from outreach import clock
from outreach.app import open_desk
desk = open_desk(pathlib.Path(sys.argv[1]))
publish = desk.platforms["net"].publish
def slow(part, after):
    receipt = publish(part, after)
    print("calling", flush=True)
    import time
    time.sleep(1)
    return receipt
desk.platforms["net"].publish = slow
clock.run(desk)
print("ended", flush=True)
"""


@pytest.fixture
def jobs(office: Office):
    scheduler = clock.scheduler_for(office.open())
    scheduler.start(paused=True)
    yield {job.id: job for job in scheduler.get_jobs()}
    scheduler.shutdown()


def test_its_jobs_only_ask_what_is_due_and_a_late_one_is_still_run_once(jobs):
    assert set(jobs) == {
        *("tick", "alive", "tasks", "mail", "alarms", "accounts"),
        *("collect", "audience", "series", "links", "bounces", "tokens", "hubs", "report"),
    }
    for job in jobs.values():
        assert (job.coalesce, job.misfire_grace_time, job.max_instances) == (True, None, 1)


def test_what_is_due_on_the_minute_is_found_on_the_minute(jobs):
    at = datetime(2035, 8, 25, 1, 59, 59, 700_000, tzinfo=UTC)
    first = jobs["tick"].trigger.get_next_fire_time(None, at)
    then = jobs["tick"].trigger.get_next_fire_time(first, first)
    assert [first.second, then.second] == [0, 1]
    assert {first.microsecond, then.microsecond} == {clock.JUST_AFTER}


def test_it_keeps_no_jobs_anywhere(office: Office):
    scheduler = clock.scheduler_for(office.open())
    scheduler.start(paused=True)
    assert [type(store) for store in scheduler._jobstores.values()] == [MemoryJobStore]
    scheduler.shutdown()


def test_days_are_the_report_s(jobs):
    assert str(jobs["audience"].trigger.timezone) == "Asia/Bangkok"


def test_a_job_of_a_slot_is_taken_by_the_first_only(office: Office):
    one, other = office.open(), office.open()
    assert one.presence.once("audience", "2025-08-25")
    assert not other.presence.once("audience", "2025-08-25")
    assert not one.presence.once("audience", "2025-08-25")
    assert other.presence.once("audience", "2025-08-26")


def test_a_day_s_followers_are_asked_for_once_a_local_day(office: Office):
    desk = office.open()
    asked = []
    desk.platforms["net"].audience = lambda: asked.append(1) or {"followers": 7}
    for at in (
        "2025-08-24T16:59Z",  # 23:59 in Bangkok
        "2025-08-24T17:10Z",  # 00:10 of the next day
        "2025-08-25T03:10Z",
        "2025-08-25T16:59Z",
    ):
        office.clock.to(at)
        clock._daily(desk)
    assert len(asked) == 2


def test_a_job_that_fails_is_logged_and_does_not_end_the_clock(caplog):
    clock._guarded("tick", lambda: 1 / 0)()
    assert "the clock's job 'tick' failed; it runs again at its next time" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_it_publishes_what_is_due_and_ends_on_an_event(office: Office):
    desk = office.open()
    desk.tick()
    put(desk, soon(), clear=True)
    office.clock.to(SOON)

    def serve(stop: threading.Event) -> None:
        began = time.monotonic()
        while state(desk, KEY) != "published" and time.monotonic() - began < 10:
            stop.wait(0.05)
        stop.set()

    thread = threading.Thread(target=clock.run, args=(desk, serve))
    thread.start()
    thread.join(15)
    assert not thread.is_alive()
    assert desk.platforms["net"].texts == ["This is news."]


def test_sigterm_ends_it_and_what_is_being_sent_is_finished(office: Office):
    desk = office.open()
    due = datetime.now(UTC) + timedelta(seconds=1)
    office.clock.at = due - timedelta(minutes=1)
    desk.tick()
    put(desk, soon(at=due.isoformat()), clear=True)
    office.clock.at = due - timedelta(seconds=1)
    desk.tick()
    with subprocess.Popen(
        [sys.executable, "-c", RUNS, str(office.home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TZ": "Asia/Seoul"},
    ) as process:
        assert process.stdout.readline() == "calling\n"
        process.send_signal(signal.SIGTERM)
        told, errors = process.communicate(timeout=20)
    assert (process.returncode, told) == (0, "ended\n"), errors
    assert state(desk, KEY) == "published"
