"""A desk and workers beside it: real processes on one PostgreSQL."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from tests import postgresql
from tests.conftest import Office, apply, clear_all, until
from tests.drill.field import Field, held


@pytest.fixture
def field(tmp_path):
    address = postgresql.database()
    with held(tmp_path, database=address, workers=2, posts=12, channels=3, lead=4.0) as made:
        yield made
    postgresql.server().drop(address)


def seen(field: Field) -> set[str]:
    return set(field.desk.status().processes)


def test_status_says_who_is_on_duty_and_one_that_ends_in_order_is_gone(field):
    field.start_all()
    until(lambda: seen(field) == {"w0", "w1"})
    field.signal(signal.SIGTERM, "w1")
    assert field.running.pop("w1").wait(30) == 0
    assert seen(field) == {"w0"}
    until(lambda: len(field.live()) == field.posts)


def test_one_that_is_killed_is_an_alarm_until_it_is_started_again(field):
    field.start_all()
    until(lambda: seen(field) == {"w0", "w1"})
    field.kill("w1")
    later = field.desk.real() + timedelta(minutes=30)
    field.desk.watch.real = lambda: later
    assert any("w1" in one.where + one.what for one in field.desk.watch.look())
    field.start("w1")
    field.desk.watch.real = field.now
    until(lambda: not any("w1" in one.where + one.what for one in field.desk.watch.look()))


CAMPAIGN = """
campaign: c
programme: low-carbon-cities
title: A campaign
written-by: ana
audiences: {main: {en: [net]}}
defaults: {to: main}
messages:
  news: {at: "2025-07-20 02:00 UTC"}
"""


@pytest.fixture
def shared(tmp_path):
    """An office on PostgreSQL."""
    address = postgresql.database()
    made = Office(tmp_path / "office", address)
    yield made
    made.close()
    postgresql.server().drop(address)


def test_what_the_desk_holds_back_a_worker_without_the_folder_holds_back_too(shared):
    """The file says something else than what was applied: only the desk can see that."""
    office = shared
    office.campaign(CAMPAIGN, news="## en\nSome words.\n")
    desk, worker = office.open(), office.open()
    worker.has_folder = False
    desk.tick()
    apply(desk)
    clear_all(desk)
    with desk.on_duty("desk"):
        assert desk.held_back() == worker.held_back() == {}
        office.write("templates/posts/c/news.md", "## en\nOther words.\n")
        held = desk.held_back()
        assert held == {"c/news/en@net": "its file has changed and was not applied yet"}
        assert worker.held_back() == held
        apply(desk)
        assert desk.held_back() == worker.held_back() == {}


def test_sqlite_has_no_workers(tmp_path):
    office = Office(tmp_path / "office")
    office.open()
    office.close()
    done = subprocess.run(
        [sys.executable, "-m", "outreach", "worker"],
        env={**os.environ, "OUTREACH_HOME": str(office.home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert "an SQLite database has one process that sends" in done.stderr
    assert "Traceback" not in done.stderr
