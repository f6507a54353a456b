"""An old copy of the database comes back: nothing is sent a second time.

By `outreach restore`, or put back by somebody who announces nothing: then the desk tells by its
heartbeat, whose mark no copy brings along, and whose age says more. It looks for what may have
gone out meanwhile before it calls a network again.
"""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import make_url

from outreach.delivery import Delivery, State
from outreach.platforms import PLATFORMS, load
from outreach.platforms.memory import Memory
from outreach.store import pulse
from tests import postgresql
from tests.conftest import Office, apply, clear_all, state
from tests.drafts import AT, KEY, draft, put, row, run_to, trail

HOUR, SECONDS = timedelta(hours=1), timedelta(seconds=20)


class Silent(Memory):
    """A network that shows no history, as can be known without an account."""

    limits = replace(Memory.limits, shows=False)


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


def came_back(desk):
    """Whether the desk has noticed that its database is an older one."""
    return "database put back" in [what.strip() for what in trail(desk, "")]


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


class TestWithinAMinute:
    """The heartbeat is as fresh as that of a desk that never stopped."""

    def test_a_copy_that_is_put_back_is_noticed(self, desk, office, copies):
        put(desk, draft())
        clear_all(desk)
        run_to(office, desk, AT - timedelta(seconds=10))
        copies.make()
        run_to(office, desk, AT)
        network = desk.platforms["net"]
        office.clock.forward(seconds=20)
        desk = copies.put_back(desk)
        desk.tick()
        assert (state(desk, KEY), came_back(desk)) == ("uncertain", True)
        run(office, desk)
        assert (len(network.live), state(desk, KEY)) == (1, "published")
        assert trail(desk, "").count("database put back ") == 1

    def test_what_was_moved_forward_and_sent_meanwhile_is_found(self, desk, office, copies):
        put(desk, draft(at=AT + 24 * HOUR))
        clear_all(desk)
        copies.make()
        put(desk, draft())
        clear_all(desk)
        run_to(office, desk, AT)
        network = desk.platforms["net"]
        assert len(network.live) == 1
        office.clock.forward(seconds=20)
        desk = copies.put_back(desk)
        run(office, desk)
        assert (state(desk, KEY), came_back(desk)) == ("published", True)
        run(office, desk, minutes=25 * 60)
        assert len(network.live) == 1

    def test_what_nobody_can_look_for_goes_out_at_its_time_and_the_trail_says_so(
        self, desk, office, copies
    ):
        put(desk, draft())
        clear_all(desk)
        copies.make()
        desk.tick()
        office.clock.forward(seconds=20)
        desk.platforms["net"].blind = True
        desk = copies.put_back(desk)
        run(office, desk, minutes=60)
        assert (state(desk, KEY), row(desk).published_at - AT) == ("published", SECONDS)
        [why] = [why for _, _, what, why in desk.trail() if what.strip() == "database put back"]
        assert why.endswith("what is due later where nobody can look goes out (1)")

    def test_also_by_whoever_applies_a_plan_before_the_desk_runs_again(self, desk, office, copies):
        office.campaign(CAMPAIGN.format(time="09:00"), news="## en\nSome words.\n")
        apply(desk)
        clear_all(desk)
        run_to(office, desk, AT - timedelta(seconds=10))
        copies.make()
        run_to(office, desk, AT)
        network = desk.platforms["net"]
        office.clock.forward(seconds=20)
        desk = copies.put_back(desk)
        office.campaign(CAMPAIGN.format(time="10:00"), news="## en\nSome words.\n")
        apply(desk)
        run(office, desk, minutes=90)
        assert (network.texts, state(desk, KEY)) == (["Some words."], "published")

    def test_a_desk_that_stops_and_starts_is_not_taken_for_one(self, desk, office):
        """What falls due in a minute's pause goes out at once, without a look."""
        put(desk, draft())
        clear_all(desk)
        run_to(office, desk, AT - timedelta(seconds=30))
        network = desk.platforms["net"]
        network.blind = True
        for _ in range(3):
            desk.close()
            desk = office.open()
            desk.platforms["net"] = network
            office.clock.forward(seconds=20)
            desk.tick()
        assert (state(desk, KEY), came_back(desk)) == ("published", False)

    def test_whoever_asks_while_a_desk_writes_its_heartbeat_is_not_misled(self, desk, office):
        with ThreadPoolExecutor(1) as pool:
            ticking = pool.submit(lambda: [desk.tick() for _ in range(100)])
            while not ticking.done():
                other = office.open()
                assert not other.presence.mind_the_gap()
                other.close()
            ticking.result()

    @pytest.fixture
    def _sqlite(self, office):
        if office.database:
            pytest.skip("a folder is copied")

    @pytest.mark.usefixtures("_sqlite")
    def test_the_whole_folder_copied_back_is_noticed_too(self, desk, office):
        data, copy = office.home / "data", office.home / "copy"
        desk.close()
        shutil.copytree(data, copy)  # with times and all, as `cp -a` and rsync do
        desk = office.open()
        desk.tick()
        desk.close()
        shutil.copytree(copy, data, dirs_exist_ok=True)
        desk = office.open()
        desk.tick()
        assert came_back(desk)

    @pytest.mark.usefixtures("_sqlite")
    def test_a_database_that_came_without_the_file_beside_it_is_noticed(self, desk, office):
        desk.close()
        (office.home / "data" / "outreach.db.pulse").unlink()
        desk = office.open()
        desk.tick()
        assert came_back(desk)

    @pytest.mark.usefixtures("_sqlite")
    def test_the_file_has_the_rights_of_the_database(self, desk, office):
        database = office.home / "data" / "outreach.db"
        database.chmod(0o660)
        desk.tick()
        assert (office.home / "data" / "outreach.db.pulse").stat().st_mode & 0o777 == 0o660

    @pytest.mark.usefixtures("_sqlite")
    def test_where_it_cannot_be_written_the_age_of_the_heartbeat_is_all(self, office):
        (office.home / "data" / "outreach.db.pulse").mkdir(parents=True)
        for _ in range(3):
            desk = office.open()
            desk.tick()
            desk.close()
        assert not came_back(desk)


class TestOnAServer:
    @pytest.fixture(autouse=True)
    def _server(self, office):
        if not office.database:
            pytest.skip("rows are written anew under a desk that runs on")

    def test_a_dump_that_is_read_in_under_a_running_desk_is_noticed(self, desk, office):
        """The same rows, in the same database, at the same second."""
        put(desk, draft(late=12 * HOUR))
        clear_all(desk)
        run_to(office, desk, AT)
        network = desk.platforms["net"]
        with desk.store.writing() as session:  # as it was before the post went out
            for statement in (
                "CREATE TEMPORARY TABLE read_in AS SELECT * FROM heartbeat",
                "DELETE FROM heartbeat",
                "INSERT INTO heartbeat SELECT * FROM read_in",
                "DELETE FROM receipt",
                "DELETE FROM attempt",
                "UPDATE delivery SET state = 'cleared', published_at = NULL",
            ):
                session.execute(text(statement))
        run(office, desk)
        assert came_back(desk)
        assert (len(network.live), state(desk, KEY)) == (1, "published")

    def test_vacuum_is_no_such_thing(self, desk, office):
        with desk.store.session_connection(idle="0") as connection:
            connection.exec_driver_sql("VACUUM (FULL, FREEZE) heartbeat")
        desk.tick()
        assert not came_back(desk)

    def test_a_server_that_does_not_tell_its_timeline_is_served_all_the_same(
        self, desk, office, monkeypatch
    ):
        monkeypatch.setattr(pulse, "TIMELINE", "it_has_no_such_function()")
        for _ in range(2):
            office.clock.forward(seconds=1)
            desk.tick()
        assert not came_back(desk)
        assert desk.status().last_tick == office.clock()


class TestAnnounced:
    """`outreach restore`, however fresh the backup is."""

    def restored(self, office, desk, file):
        """The backup in place of the database, and the network where it was."""
        network = desk.platforms["net"]
        desk.close()
        again = office.open()
        again.platforms["net"] = network
        self.told = again.backups.restore(file, replace=True)
        return again

    def with_a_hand(self, office, desk):
        """The desk, with a channel that a person posts to."""
        hand = '[hand]\nplatform = "manual"\nname = "WeChat"\n'
        office.write("config/channels.toml", f'[net]\nplatform = "memory"\n\n{hand}')
        desk.close()
        return office.open()

    def kept(self, office, desk):
        return desk.backups.make(office.home / "kept.zip").file

    def test_what_went_out_since_is_found_and_not_sent_again(self, desk, office):
        put(desk, draft(KEY, "One.", "Two."))
        clear_all(desk)
        run_to(office, desk, AT - timedelta(seconds=10))
        file = self.kept(office, desk)
        run_to(office, desk, AT)
        network = desk.platforms["net"]
        office.clock.forward(seconds=20)
        desk = self.restored(office, desk, file)
        assert self.told.waiting == {"net": 1}
        run(office, desk)
        assert (network.texts, state(desk, KEY)) == (["One.", "Two."], "published")

    def test_long_after_it_is_found_too_and_is_not_called_missed(self, desk, office):
        put(desk, draft())
        clear_all(desk)
        file = self.kept(office, desk)
        run_to(office, desk, AT)
        network = desk.platforms["net"]
        office.clock.forward(hours=9)
        desk = self.restored(office, desk, file)
        run(office, desk)
        assert (len(network.live), state(desk, KEY)) == (1, "published")
        assert row(desk).published_at == network.live[0].at

    def test_what_was_cleared_after_the_backup_and_went_out_is_found(self, desk, office):
        put(desk, draft())
        file = self.kept(office, desk)
        clear_all(desk)
        run_to(office, desk, AT)
        network = desk.platforms["net"]
        office.clock.forward(hours=2)
        desk = self.restored(office, desk, file)
        run(office, desk)
        assert (len(network.live), state(desk, KEY)) == (1, "published")

    def test_what_nobody_had_cleared_still_waits_for_that(self, desk, office):
        put(desk, draft(late=12 * HOUR))
        file = self.kept(office, desk)
        run_to(office, desk, AT + timedelta(minutes=1))
        desk = self.restored(office, desk, file)
        run(office, desk)
        assert (state(desk, KEY), row(desk).look_since) == ("proposed", None)
        clear_all(desk)
        desk.tick()
        assert state(desk, KEY) == "published"

    @pytest.mark.parametrize(("hours", "becomes"), [(0, "published"), (2, "missed")])
    def test_what_surely_did_not_go_out_is_sent_in_time_and_missed_after(
        self, desk, office, hours, becomes
    ):
        put(desk, draft())
        clear_all(desk)
        file = self.kept(office, desk)
        office.clock.at = AT + timedelta(hours=hours)
        desk = self.restored(office, desk, file)
        run(office, desk)
        assert (state(desk, KEY), len(desk.platforms["net"].live)) == (becomes, not hours)

    def test_where_nobody_can_look_a_person_is_asked(self, desk, office):
        put(desk, draft(late=12 * HOUR))
        clear_all(desk)
        desk.platforms["net"].blind = True
        file = self.kept(office, desk)
        run_to(office, desk, AT)
        network = desk.platforms["net"]
        desk = self.restored(office, desk, file)
        run(office, desk)
        assert (len(network.live), state(desk, KEY)) == (1, "uncertain")
        assert [line.key for line in desk.status().attention] == [KEY]
        desk.settle(KEY, "live", by=desk.person("ana"), url="https://net.example.org/1")
        run(office, desk)
        assert (len(network.live), state(desk, KEY)) == (1, "published")

    def test_what_is_posted_by_hand_is_asked_about_and_not_handed_over_again(self, desk, office):
        hand = "c/news/en@hand"
        desk = self.with_a_hand(office, desk)
        put(desk, draft(hand, account="manual WeChat", late=12 * HOUR))
        clear_all(desk)
        file = self.kept(office, desk)
        run_to(office, desk, AT)
        assert state(desk, hand) == "handed"
        desk = self.restored(office, desk, file)
        run(office, desk)
        assert state(desk, hand) == "uncertain"
        assert "this older copy of the database not know it" in row(desk, hand).reason
        desk.settle(hand, "absent", by=desk.person("ana"))
        desk.tick()
        assert state(desk, hand) == "handed"

    def test_what_a_person_had_already_then_is_still_theirs_to_answer(self, desk, office):
        hand = "c/news/en@hand"
        desk = self.with_a_hand(office, desk)
        put(desk, draft(hand, account="manual WeChat", late=12 * HOUR))
        clear_all(desk)
        run_to(office, desk, AT)
        desk = self.restored(office, desk, self.kept(office, desk))
        run(office, desk)
        assert state(desk, hand) == "handed"
        desk.settle(hand, "absent", by=desk.person("ana"))
        assert state(desk, hand) == "cleared"

    def test_an_entry_of_the_feed_comes_back_under_the_address_that_it_had(self, desk, office):
        """The feed is part of the database; its readers know the entry by its id."""
        entry = "c/news/en@web"
        put(desk, draft(entry, account="feed web"))
        clear_all(desk)
        file = self.kept(office, desk)
        run_to(office, desk, AT)
        [before] = desk.public.feed("web")
        desk = self.restored(office, desk, file)
        assert desk.public.feed("web") == []
        run(office, desk)
        [after] = desk.public.feed("web")
        assert (after.id, after.text, state(desk, entry)) == (before.id, before.text, "published")

    def test_what_is_due_later_is_looked_for_ahead_and_goes_out_at_its_time(self, desk, office):
        put(desk, draft())
        clear_all(desk)
        desk = self.restored(office, desk, self.kept(office, desk))
        assert (self.told.waiting, self.told.unseen) == ({}, [])
        run(office, desk, minutes=21)
        assert (state(desk, KEY), row(desk).look_since) == ("cleared", None)
        run(office, desk, minutes=39)
        assert (state(desk, KEY), row(desk).published_at) == ("published", AT)

    @pytest.fixture
    def _silent(self, monkeypatch):
        monkeypatch.setitem(PLATFORMS, "memory", f"{__name__}:Silent")
        load.cache_clear()
        yield
        load.cache_clear()

    @pytest.mark.usefixtures("_silent")
    def test_where_nobody_can_look_what_is_due_later_is_named_and_goes_out(self, desk, office):
        put(desk, draft(), draft("other", at=AT + 30 * HOUR), draft("not-cleared", at=AT + HOUR))
        for name in ("news", "other"):
            [reading] = [one for one in desk.readings() if one.name == f"c/{name}/en"]
            desk.clear(reading.name, reading.fingerprint, by=desk.person("bo"))
        desk = self.restored(office, desk, self.kept(office, desk))
        wanted = [(KEY, AT), (KEY.replace("news", "other"), AT + 30 * HOUR)]
        assert (self.told.waiting, self.told.unseen) == ({}, wanted)
        desk.platforms["net"].blind = True
        run(office, desk, minutes=60)
        assert (state(desk, KEY), row(desk).published_at) == ("published", AT)

    @pytest.mark.parametrize("cleared_then", [True, False])
    def test_what_was_moved_forward_and_sent_is_found_where_the_files_too_are_those_of_then(
        self, desk, office, cleared_then
    ):
        put(desk, draft(at=AT + 24 * HOUR), draft("other", at=AT + 25 * HOUR))
        if cleared_then:
            clear_all(desk)
        file = self.kept(office, desk)
        put(desk, draft(), draft("other", at=AT + 25 * HOUR))
        clear_all(desk)
        run_to(office, desk, AT)
        network = desk.platforms["net"]
        assert network.texts == ["This is news."]
        office.clock.forward(minutes=2)
        desk = self.restored(office, desk, file)
        if not cleared_then:
            clear_all(desk)  # somebody reads it once more, in good faith
        assert state(desk, KEY) == "cleared"
        run(office, desk)
        assert (state(desk, KEY), row(desk).published_at) == ("published", AT)
        run(office, desk, minutes=26 * 60)
        assert network.texts == ["This is news.", "This is other."]

    def test_few_are_looked_for_at_a_time_and_the_soonest_first(self, desk, office):
        put(desk, *(draft(f"m{n}", at=AT + (n + 1) * HOUR) for n in range(50)))
        clear_all(desk)
        desk = self.restored(office, desk, self.kept(office, desk))
        desk.tick()
        keys = [f"c/m{n}/en@net" for n in range(50)]
        assert [state(desk, key) for key in keys] == ["uncertain"] * 20 + ["cleared"] * 30
        run(office, desk, minutes=90)
        assert [state(desk, key) for key in keys] == ["cleared"] * 50
        assert [row(desk, key).look_since for key in keys] == [None] * 50
        assert desk.platforms["net"].live == []

    def test_what_is_on_hold_stays_so_and_is_looked_for_when_it_is_released(self, desk, office):
        put(desk, draft(late=12 * HOUR))
        clear_all(desk)
        desk.hold("all", "wait", by=desk.person("ana"))
        run_to(office, desk, AT)
        file = self.kept(office, desk)
        desk.release("all", by=desk.person("ana"))
        desk.tick()
        network = desk.platforms["net"]
        assert len(network.live) == 1
        desk = self.restored(office, desk, file)
        run(office, desk)
        assert (state(desk, KEY), len(desk.status().holds)) == ("cleared", 1)
        desk.release("all", by=desk.person("ana"))
        run(office, desk)
        assert (len(network.live), state(desk, KEY)) == (1, "published")

    def test_tokens_are_those_of_then(self, desk, office):
        then = desk.token_for("ana", by=None)
        file = self.kept(office, desk)
        desk.token_for("ana", by=None)
        desk = self.restored(office, desk, file)
        assert desk.whose(then).id == "ana"

    def test_a_claim_of_then_is_in_doubt(self, desk, office):
        put(desk, draft(late=12 * HOUR))
        clear_all(desk)
        run_to(office, desk, AT - timedelta(seconds=1))
        network, publish = desk.platforms["net"], desk.platforms["net"].publish
        files = []

        def keep_during_the_call(part, after):
            files.append(self.kept(office, desk))
            return publish(part, after)

        network.publish = keep_during_the_call
        run_to(office, desk, AT)
        network.publish = publish
        desk = self.restored(office, desk, files[0])
        assert state(desk, KEY) == "sending"
        run(office, desk)
        assert (len(network.live), state(desk, KEY)) == (1, "published")


def test_what_is_marked_is_found_without_reading_what_is_scheduled(desk, office):
    """A tick asks for it each second, beside a year's posts."""
    put(desk, draft(at=AT + 24 * HOUR), clear=True)
    with desk.store.writing() as session:
        columns = [column.name for column in Delivery.__table__.columns if column.name != "key"]
        those = ", ".join(f'"{name}"' for name in columns)
        for n in range(11):  # twice as many each time
            anew = f"SELECT key || '-{n}', {those} FROM delivery"
            session.execute(text(f"INSERT INTO delivery (key, {those}) {anew}"))
    asked = []

    @event.listens_for(desk.store.engine, "before_cursor_execute")
    def keep(connection, cursor, statement, parameters, context, many):
        asked.append((statement, parameters))

    desk.publisher.turn()
    explain = "EXPLAIN" if office.database else "EXPLAIN QUERY PLAN"
    [(statement, parameters)] = [one for one in asked if "look_since IS NOT NULL" in one[0]]
    with desk.store.engine.begin() as connection:
        if office.database:
            connection.execute(text("ANALYZE delivery"))
        steps = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
    plan = "\n".join(str(step[-1]) for step in steps)
    assert "ix_delivery_marked" in plan, plan
