"""The stories that the program was asked for, with the figures that were asked for."""

import pytest
from sqlalchemy import select

from outreach.delivery import ReceiptRow
from outreach.errors import NotAllowed
from outreach.store.tables import Mail
from tests.conftest import Office, apply, clear_all, state

FORUM = """
campaign: forum
programme: low-carbon-cities
title: The forum
written-by: ana
events:
  forum: {date: 2025-08-25, starts: "09:00", ends: "17:00", zone: Asia/Bangkok}
audiences:
  main: {en: [net]}
defaults: {to: main, not-after: forum.ends}
messages:
  day-of: {at: "forum, 09:00 Asia/Bangkok"}
"""


class TestFourEyes:
    """US-8: an author edits a comma after clearance, at 08:58 for a 09:00 slot."""

    key = "forum/day-of/en@net"

    @pytest.fixture
    def desk(self, office: Office):
        office.campaign(FORUM, day_of="## en\nThe forum opens, in Bangkok.\n")
        desk = office.open()
        apply(desk)
        clear_all(desk)
        office.clock.to("2025-08-25T01:58Z")  # 08:58 in Bangkok
        desk.tick()
        assert state(desk, self.key) == "cleared"
        return desk

    def test_the_edit_voids_the_clearance_tells_the_clearer_and_the_slot_is_missed(
        self, desk, office
    ):
        office.campaign(FORUM, day_of="## en\nThe forum opens in Bangkok.\n")
        apply(desk)
        assert state(desk, self.key) == "proposed"
        with desk.store.reading() as session:
            subjects = session.scalars(select(Mail.subject).where(Mail.to == "bo")).all()
        assert f"{self.key} your clearance no longer holds" in subjects

        office.clock.to("2025-08-25T02:00Z")
        desk.tick()
        assert desk.platforms["net"].live == []

        office.clock.to("2025-08-25T02:15Z")  # the grace time of 15 minutes is over
        desk.tick()
        assert state(desk, self.key) == "missed"
        assert desk.platforms["net"].live == []
        with desk.store.reading() as session:
            told = session.scalars(select(Mail.to).where(Mail.subject.contains("not sent"))).all()
        assert set(told) == {"ana", "bo"}  # both are officers

    def test_an_edit_that_nobody_applied_is_held_back_too(self, desk, office):
        office.campaign(FORUM, day_of="## en\nThe forum opens in Bangkok.\n")
        office.clock.to("2025-08-25T02:00Z")
        desk.tick()
        assert desk.platforms["net"].live == []
        assert "not applied" in desk.status().differs[self.key]

    def test_without_an_edit_it_goes_out(self, desk, office):
        office.clock.to("2025-08-25T02:00Z")
        desk.tick()
        assert desk.platforms["net"].texts == ["The forum opens, in Bangkok."]
        assert state(desk, self.key) == "published"

    def test_nobody_clears_their_own_text_even_as_administrator(self, desk, office):
        office.campaign(FORUM, day_of="## en\nAnother text.\n")
        apply(desk, by="bo")  # an officer, a clearer and an administrator
        [reading] = desk.readings()
        with pytest.raises(NotAllowed, match="author of forum/day-of/en@net"):
            desk.clear(reading.name, reading.fingerprint, by=desk.person("bo"))

    def test_an_emergency_needs_a_reason_and_stands_in_the_trail_and_the_report(self, desk, office):
        office.campaign(FORUM, day_of="## en\nThe venue is closed.\n")
        apply(desk, by="ana")
        [reading] = desk.readings()
        with pytest.raises(NotAllowed):
            desk.clear(reading.name, reading.fingerprint, by=desk.person("ana"))
        desk.clear(
            reading.name,
            reading.fingerprint,
            by=desk.person("ana"),
            emergency="the venue was closed at 08:50",
        )
        assert ("cleared in an emergency", "the venue was closed at 08:50") in [
            (what, why) for _, _, what, why in desk.trail(self.key)
        ]
        office.clock.to("2025-09-06T00:00Z")
        report = desk.reports.make("2025-08", by=desk.person("bo"))
        assert any("venue was closed at 08:50" in line for line in report.words("publication"))


CRASH = """
campaign: crash
programme: low-carbon-cities
title: Five posts at nine
written-by: ana
events:
  forum: {date: 2025-08-25, starts: "09:00", ends: "17:00", zone: Asia/Bangkok}
audiences:
  main: {en: [net]}
defaults: {to: main}
messages:
  accepted: {at: "2025-08-24 09:00 Asia/Bangkok"}
  soon: {at: "2025-08-24 09:10 Asia/Bangkok"}
  late: {at: "2025-08-24 09:01 Asia/Bangkok"}
  patient: {at: "2025-08-24 09:02 Asia/Bangkok", if-late: "send within 60 minutes, then ask"}
  tomorrow: {at: "2025-08-24 20:00 Asia/Bangkok", not-after: "2025-08-25 00:00 Asia/Bangkok",
             if-late: "send within 12 hours, then ask"}
"""


class TestCrashAndClock:
    """US-9: the desk dies at 08:59:58 and is back at 09:20; one post was accepted unseen."""

    @pytest.fixture
    def texts(self):
        names = ("accepted", "soon", "late", "patient", "tomorrow")
        return {name: f"## en\nThis is the post called {name}.\n" for name in names}

    def test_nothing_doubles_late_ones_are_asked_about_and_each_has_an_entry(
        self, office: Office, texts
    ):
        office.campaign(CRASH, **texts)
        desk = office.open()
        apply(desk)
        clear_all(desk)
        network = desk.platforms["net"]
        office.clock.to("2025-08-24T01:59:58Z")
        desk.tick()
        assert network.live == []

        # 09:00: the network takes the first post, and the process dies before it can write it down.
        office.clock.to("2025-08-24T02:00:01Z")
        network.next_fault = "killed after"
        desk.publisher.doubt.sweep()
        with pytest.raises(SystemExit):
            list(desk.publisher.send("net"))
        assert network.texts == ["This is the post called accepted."]
        assert state(desk, "crash/accepted/en@net") == "sending"

        # 09:20: another process, on the same database and the same network.
        office.leases.seconds += 20 * 60
        office.clock.to("2025-08-24T02:20:00Z")
        again = office.open()
        again.platforms["net"] = network  # type: ignore[index] # the network outlives our process
        again.tick()
        for _ in range(4):  # "not there" is believed after the network's 15 minutes
            office.leases.seconds += 5 * 60
            again.tick()

        assert {name: state(again, f"crash/{name}/en@net") for name in texts} == {
            "accepted": "published",  # found, not sent again
            "soon": "published",  # ten minutes late
            "late": "missed",  # nineteen minutes late: a person is asked
            "patient": "published",  # its rule says an hour
            "tomorrow": "cleared",
        }
        assert sorted(network.texts) == [
            "This is the post called accepted.",
            "This is the post called patient.",
            "This is the post called soon.",
        ]
        for name in ("accepted", "soon", "late", "patient"):
            entries = [what for _, _, what, _ in again.trail(f"crash/{name}/en@net")]
            assert {"published", "missed"} & set(entries), name

    def test_a_post_that_says_tomorrow_is_never_sent_after_midnight(self, office, texts):
        office.campaign(CRASH, **texts)
        desk = office.open()
        apply(desk)
        clear_all(desk)
        office.clock.to("2025-08-24T17:00Z")  # 24:00 in Bangkok; four hours late, and it may be 12
        desk.tick()
        assert state(desk, "crash/tomorrow/en@net") == "missed"
        assert "This is the post called tomorrow." not in desk.platforms["net"].texts

    def test_a_missed_post_is_sent_late_only_because_a_person_says_so(self, office, texts):
        office.campaign(CRASH, **texts)
        desk = office.open()
        apply(desk)
        clear_all(desk)
        desk.tick()
        office.clock.to("2025-08-24T02:20Z")
        desk.tick()
        assert state(desk, "crash/late/en@net") == "missed"
        line = desk.settle("crash/late/en@net", "send-now", by=desk.person("ana"))
        assert (line.state, line.reason) == (
            "uncertain",
            "sent late on purpose, once it is sure that it is not live already",
        )
        for _ in range(3):  # nothing ran at its time: "not there" takes the network's 15 minutes
            assert "This is the post called late." not in desk.platforms["net"].texts
            office.leases.seconds += 5 * 60
            desk.tick()
        assert state(desk, "crash/late/en@net") == "published"
        with desk.store.reading() as session:
            assert session.scalar(
                select(ReceiptRow.key).where(ReceiptRow.key == "crash/late/en@net")
            )
