"""An old copy of the database comes back, and nobody says so: nothing is sent a second time.

Whoever copies the file back does not announce it. All that the desk can tell by is its heartbeat;
so after any gap it looks for what may have gone out meanwhile before it calls a network again.
"""

import sqlite3
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.engine import make_url

from outreach.delivery import Delivery, State
from tests import postgresql
from tests.conftest import Office, apply, clear_all, state
from tests.drafts import AT, KEY, draft, put, row, run_to

HOUR = timedelta(hours=1)


class Copies:
    """Makes a copy of the office's database, and puts it back."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.database = office.home / "data" / "outreach.db"
        self.kept = office.home / "copy.db"
        self.address = ""

    def make(self) -> None:
        if self.office.database:
            self.office.rest()  # PostgreSQL copies no database that somebody is connected to
            self.address = postgresql.server().make(_name(self.office.database))
            return
        with sqlite3.connect(self.database) as source, sqlite3.connect(self.kept) as target:
            source.backup(target)
        source.close()
        target.close()

    def put_back(self, desk):
        """Another process begins on the old copy; the network is where it was."""
        network = desk.platforms["net"]
        desk.close()
        if self.office.database:
            self.office.rest()
            postgresql.server().drop(self.office.database)
            name, copy = _name(self.office.database), _name(self.address)
            postgresql.server().ask(f'CREATE DATABASE "{name}" TEMPLATE "{copy}"')
        else:
            self._file_back()
        again = self.office.open()
        again.platforms["net"] = network
        return again

    def _file_back(self) -> None:
        for suffix in ("-wal", "-shm"):
            self.database.with_name(self.database.name + suffix).unlink(missing_ok=True)
        self.database.write_bytes(self.kept.read_bytes())


def _name(address: str) -> str:
    return str(make_url(address).database)


@pytest.fixture
def copies(office: Office) -> Copies:
    return Copies(office)


@pytest.fixture
def desk(office: Office):
    desk = office.open()
    desk.tick()
    return desk


def run(office, desk, minutes=30):
    """The desk runs on, and the boot-time clock with it."""
    for _ in range(minutes // 3):
        office.clock.forward(minutes=3)
        office.leases.seconds += 180
        desk.tick()


def test_a_thread_is_found_part_by_part_and_no_part_goes_out_again(desk, office, copies):
    put(desk, draft(KEY, "One.", "Two.", "Three."))
    clear_all(desk)
    copies.make()
    run_to(office, desk, AT)
    network = desk.platforms["net"]
    assert network.texts == ["One.", "Two.", "Three."]
    office.clock.forward(minutes=6)
    desk = copies.put_back(desk)
    run(office, desk)
    assert network.texts == ["One.", "Two.", "Three."]
    assert state(desk, KEY) == "published"


def test_a_thread_that_was_being_sent_when_it_was_copied_is_found_too(desk, office, copies):
    put(desk, draft(KEY, "One.", "Two."))
    clear_all(desk)
    office.clock.at = AT - timedelta(minutes=1)
    desk.tick()
    office.clock.at = AT
    network, publish = desk.platforms["net"], desk.platforms["net"].publish

    def copy_during_the_first_call(part, after):
        if not after:
            copies.make()
        return publish(part, after)

    network.publish = copy_during_the_first_call
    desk.tick()
    network.publish = publish
    office.clock.forward(minutes=6)
    office.leases.seconds += 360
    desk = copies.put_back(desk)
    assert state(desk, KEY) == "sending"
    run(office, desk)
    assert network.texts == ["One.", "Two."]
    assert state(desk, KEY) == "published"


def test_what_was_not_cleared_yet_when_it_was_copied_is_looked_for_after_a_new_yes(
    desk, office, copies
):
    put(desk, draft(late=12 * HOUR))
    copies.make()
    clear_all(desk)
    run_to(office, desk, AT)
    network = desk.platforms["net"]
    office.clock.forward(minutes=6)
    desk = copies.put_back(desk)
    desk.tick()
    clear_all(desk)  # somebody reads it once more, in good faith
    run(office, desk)
    assert len(network.live) == 1
    assert state(desk, KEY) == "published"


def test_what_was_on_hold_when_it_was_copied_is_looked_for_when_it_is_released(
    desk, office, copies
):
    put(desk, draft(late=12 * HOUR))
    clear_all(desk)
    desk.hold("all", "wait", by=desk.person("ana"))
    run_to(office, desk, AT + timedelta(minutes=10))
    copies.make()  # its slot is before the last heartbeat of this copy
    desk.release("all", by=desk.person("ana"))
    desk.tick()
    network = desk.platforms["net"]
    assert len(network.live) == 1
    office.clock.forward(minutes=6)
    desk = copies.put_back(desk)
    desk.tick()
    desk.release("all", by=desk.person("ana"))
    run(office, desk)
    assert len(network.live) == 1
    assert state(desk, KEY) == "published"


@pytest.mark.parametrize(("over", "answer"), [("missed", "send-now"), ("failed", "retry")])
def test_a_person_who_says_send_it_does_not_send_it_twice(desk, office, copies, over, answer):
    put(desk, draft(late=12 * HOUR))
    clear_all(desk)
    with desk.store.writing() as session:
        session.get_one(Delivery, KEY).move(State(over), "as it was that morning")
    run_to(office, desk, AT + timedelta(minutes=1))
    copies.make()
    desk.settle(KEY, answer, by=desk.person("ana"))
    desk.tick()
    network = desk.platforms["net"]
    assert len(network.live) == 1
    office.clock.forward(minutes=6)
    desk = copies.put_back(desk)
    desk.tick()
    assert state(desk, KEY) == over
    line = desk.settle(KEY, answer, by=desk.person("ana"))
    assert (line.state, line.url) == ("published", network.live[0].receipt.url)
    run(office, desk)
    assert len(network.live) == 1


def test_where_nobody_can_look_a_person_is_asked_before_it_is_sent_late(desk, office, copies):
    put(desk, draft(late=12 * HOUR))
    clear_all(desk)
    desk.platforms["net"].blind = True
    with desk.store.writing() as session:
        session.get_one(Delivery, KEY).move(State.MISSED, "as it was that morning")
    run_to(office, desk, AT + timedelta(minutes=1))
    office.clock.forward(minutes=10)
    desk.tick()
    line = desk.settle(KEY, "send-now", by=desk.person("ana"))
    assert (line.state, line.reason) == ("uncertain", "this network shows no history")
    run(office, desk)
    assert desk.platforms["net"].live == []
    desk.settle(KEY, "absent", by=desk.person("ana"))
    desk.tick()
    assert state(desk, KEY) == "published"


def test_without_a_gap_what_a_person_sends_late_goes_at_once(desk, office):
    put(desk, draft())
    clear_all(desk)
    desk.hold("all", "wait", by=desk.person("ana"))
    for minutes in range(0, 81, 4):
        office.clock.at = AT - HOUR + timedelta(minutes=minutes)
        desk.tick()
    desk.release("all", by=desk.person("ana"))
    assert desk.settle(KEY, "send-now", by=desk.person("ana")).state == "cleared"
    desk.tick()
    assert (state(desk, KEY), row(desk).look_since) == ("published", None)


def test_a_copy_from_before_the_first_tick_has_no_heartbeat_and_is_not_trusted_either(
    office, copies
):
    desk = office.open()
    put(desk, draft())
    clear_all(desk)
    copies.make()
    run_to(office, desk, AT)
    network = desk.platforms["net"]
    desk = copies.put_back(desk)
    run(office, desk)
    assert (len(network.live), state(desk, KEY)) == (1, "published")


CAMPAIGN = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
audiences: {{main: {{en: [net]}}}}
messages:
  news: {{at: "2025-07-20 {time} Asia/Bangkok", to: main}}
"""


@pytest.mark.parametrize("ticked", [True, False])
def test_what_is_moved_after_the_copy_came_back_does_not_go_out_again(desk, office, copies, ticked):
    """ "It is late by now, so let us say ten": the old life sent it at nine."""
    office.campaign(CAMPAIGN.format(time="09:00"), news="## en\nSome words.\n")
    apply(desk)
    clear_all(desk)
    copies.make()
    run_to(office, desk, AT)
    network = desk.platforms["net"]
    assert network.texts == ["Some words."]
    office.clock.forward(minutes=6)
    desk = copies.put_back(desk)
    if ticked:  # the gap is noticed by a tick, and the move comes after it
        desk.hold("all", "wait", by=desk.person("ana"))
        desk.tick()
    office.campaign(CAMPAIGN.format(time="10:00"), news="## en\nSome words.\n")
    apply(desk)
    assert state(desk, KEY) == "cleared"
    if ticked:
        desk.release("all", by=desk.person("ana"))
    run(office, desk, minutes=90)
    assert (network.texts, state(desk, KEY)) == (["Some words."], "published")


def test_a_post_that_the_network_does_not_show_yet_is_waited_for_after_a_restore(
    desk, office, copies
):
    """A person says "send it" at once after the restore; the network lags by minutes."""
    put(desk, draft(late=12 * HOUR))
    clear_all(desk)
    with desk.store.writing() as session:
        session.get_one(Delivery, KEY).move(State.MISSED, "as it was that morning")
    run_to(office, desk, AT + timedelta(minutes=1))
    copies.make()
    desk.settle(KEY, "send-now", by=desk.person("ana"))
    desk.tick()
    network, find = desk.platforms["net"], desk.platforms["net"].find
    assert len(network.live) == 1
    network.find = lambda part, since, not_these: None  # not shown yet
    network.limits = replace(network.limits, visible=timedelta(minutes=2))
    office.clock.forward(minutes=6)
    desk = copies.put_back(desk)
    desk.tick()
    assert desk.settle(KEY, "send-now", by=desk.person("ana")).state == "uncertain"
    desk.tick()
    network.find = find
    run(office, desk)
    assert (len(network.live), state(desk, KEY)) == (1, "published")
