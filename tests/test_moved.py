"""US-3: the forum's start moves on the last working day before it, and what that does is shown."""

from datetime import date, time

import pytest

from outreach.campaign.models import Campaign, Event
from outreach.campaign.moved import held, outdated
from outreach.campaign.plan import Kind
from outreach.errors import NotAllowed
from tests.conftest import Office, apply, clear_all, state

# Three published before 22 August, six to come: four print the hour, one says it in free words,
# one says nothing of it.
FORUM = """
campaign: lcc5
programme: low-carbon-cities
title: The forum
written-by: ana
events:
  forum: {{date: {date}, starts: "{starts}", ends: "17:00", zone: Asia/Bangkok}}
audiences: {{main: {{en: [net]}}}}
defaults: {{to: main, time: "10:00 Asia/Seoul"}}
messages:
  announced: {{at: "2025-07-26 10:00 Asia/Seoul"}}
  opened: {{at: "2025-08-04 10:00 Asia/Seoul"}}
  printed: {{at: "2025-08-11 10:00 Asia/Seoul"}}
  three-days: {{at: "2025-08-22 20:00 Asia/Bangkok"}}
  two-days: {{at: "2025-08-23 10:00 Asia/Bangkok"}}
  tomorrow: {{at: forum - 1 day}}
  free-words: {{at: "forum - 1 day, 12:00 Asia/Bangkok"}}
  soon: {{at: forum.starts - 1 hour}}
  thanks: {{at: forum + 1 day}}
"""
PRINTS = "## en\nIt starts at {{{{ events.forum.starts }}}}. This is {name}.\n"
TEXTS = {
    "announced": "## en\nThe forum: {{ events.forum.starts }}, {{ events.forum.date }}.\n",
    "opened": PRINTS.format(name="opened"),
    "printed": "## en\nIt starts at 9.00 a.m. in Bangkok.\n",
    "three_days": PRINTS.format(name="three-days"),
    "two_days": PRINTS.format(name="two-days"),
    "tomorrow": PRINTS.format(name="tomorrow"),
    "free_words": "## en\nBe there at 9 a.m., on {{ events.forum.date }}.\n",
    "soon": PRINTS.format(name="soon"),
    "thanks": "## en\nThank you.\n",
}


@pytest.fixture
def desk(office: Office):
    office.campaign(FORUM.format(date="2025-08-25", starts="09:00"), **TEXTS)
    desk = office.open()
    apply(desk)
    clear_all(desk)
    desk.tick()
    for at in ("2025-07-26T01:00Z", "2025-08-04T01:00Z", "2025-08-11T01:00Z"):
        office.clock.to(at)
        desk.tick()
        office.leases.seconds += 20 * 60
        desk.tick()
    office.clock.to("2025-08-22T09:40Z")  # 16:40 in Bangkok
    desk.tick()
    assert {n: state(desk, f"lcc5/{n}/en@net") for n in ("announced", "opened", "printed")} == {
        "announced": "published",
        "opened": "published",
        "printed": "published",
    }
    return desk


class TestUS3:
    def test_the_plan_shows_what_moves_changes_waits_and_needs_a_correction(self, desk, office):
        office.campaign(FORUM.format(date="2025-08-25", starts="13:30"), **TEXTS)
        made = desk.plan()
        kinds = {op.key.split("/")[1]: op.kind for op in made.operations}
        assert kinds == {
            "three-days": Kind.CHANGE,
            "two-days": Kind.CHANGE,
            "tomorrow": Kind.CHANGE,
            "soon": Kind.CHANGE,
            "free-words": Kind.BLOCK,
        }
        assert all(op.voids for op in made.operations)
        soon = next(op for op in made.operations if "soon" in op.key)
        assert (soon.was_at, soon.at) == ("2025-08-25T01:00:00+00:00", "2025-08-25T05:30:00+00:00")
        right = {n.key.split("/")[1]: n.what for n in made.notices if n.kind == "correction needed"}
        assert right == {
            "announced": "it is published, and its text in the file is another one now",
            "opened": "it is published, and its text in the file is another one now",
            "printed": "it is published, and it says “9.00 a.m.” in free words, and forum is "
            "13:30 now",
        }
        [event] = [notice.what for notice in made.notices if notice.kind == "event"]
        assert event == (
            "lcc5: forum moves from 2025-08-25, 09:00 to 17:00 Asia/Bangkok to 2025-08-25, 13:30 "
            "to 17:00 Asia/Bangkok: 0 move, 4 change their text, 1 are blocked, "
            "5 lose their clearance, 3 that are published need a correction"
        )

    def test_what_changed_needs_a_new_yes_and_what_says_it_in_free_words_cannot_get_one(
        self, desk, office
    ):
        office.campaign(FORUM.format(date="2025-08-25", starts="13:30"), **TEXTS)
        apply(desk)
        assert state(desk, "lcc5/tomorrow/en@net") == "proposed"
        assert state(desk, "lcc5/thanks/en@net") == "cleared"
        clear_all(desk)
        assert state(desk, "lcc5/tomorrow/en@net") == "cleared"
        assert state(desk, "lcc5/free-words/en@net") == "proposed"
        with pytest.raises(NotAllowed, match=r"says “9 a\.m\.” in free words, and forum is 13:30"):
            desk.clear("lcc5/free-words/en", "", by=desk.person("bo"))
        office.clock.to("2025-08-22T09:50Z")  # another plan does not forget it
        assert desk.plan().operations == ()
        texts = {**TEXTS, "free_words": "## en\nBe there at {{ events.forum.starts }}.\n"}
        office.campaign(FORUM.format(date="2025-08-25", starts="13:30"), **texts)
        apply(desk)
        clear_all(desk)
        assert state(desk, "lcc5/free-words/en@net") == "cleared"

    def test_another_day_moves_the_slots(self, desk, office):
        office.campaign(FORUM.format(date="2025-08-27", starts="09:00"), **TEXTS)
        kinds = {op.key.split("/")[1]: op.kind for op in desk.plan().operations}
        assert kinds == {
            "tomorrow": Kind.MOVE,
            "soon": Kind.MOVE,
            "thanks": Kind.MOVE,
            "free-words": Kind.CHANGE,  # it prints the date, and the hour is what it was
        }

    def test_moved_back_nothing_is_outdated(self, desk, office):
        office.campaign(FORUM.format(date="2025-08-25", starts="13:30"), **TEXTS)
        apply(desk)
        office.campaign(FORUM.format(date="2025-08-25", starts="09:00"), **TEXTS)
        apply(desk)
        clear_all(desk)
        assert state(desk, "lcc5/free-words/en@net") == "cleared"


def campaign(**event) -> Campaign:
    given = {"date": date(2025, 8, 26), "starts": time(13, 30), "ends": time(17), **event}
    return Campaign(
        campaign="c",
        programme="p",
        title="t",
        written_by="o",
        audiences={"main": {"en": ("web",)}},
        events={"forum": Event(zone="Asia/Bangkok", **given)},
        messages={},
    )


BEFORE = held(campaign(date=date(2025, 8, 25), starts=time(9)))


@pytest.mark.parametrize(
    "text",
    [
        "at 09:00", "at 9:00.", "at 9.00 a.m.", "at 9 a.m.", "at 9am", "at 9 AM", "9.00 am",
        "오전 9시", "9시에", "午前9時", "9時", "上午9点", "9 цаг", "в 9 час",
        "on 25 August", "August 25, 2025", "8월 25일", "8月25日", "25 августа", "8-р сарын 25",
        "25th August", "2025-08-25", "25 Aug",
    ],
)  # fmt: skip
def test_hours_and_dates_in_free_words_are_found(text):
    assert outdated(f"The forum: {text}", campaign(), BEFORE)


@pytest.mark.parametrize(
    "text",
    [
        "at 13:30", "at 19:00", "09:005", "at 9 o'clock", "900 people", "9시 30분", "at 9.30 a.m.",
        "on 26 August", "on 125 August", "25 September", "9 p.m.", "in 9 areas", "109:00", "9.5",
    ],
)  # fmt: skip
def test_what_is_another_hour_or_date_is_left_alone(text):
    assert outdated(f"The forum: {text}", campaign(), BEFORE) == ""
