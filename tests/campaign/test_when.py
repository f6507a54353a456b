"""Times as officers write them, and the instants that they mean."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from outreach.campaign.models import Campaign, Event, Message, Tbc
from outreach.campaign.occasions import slots, stop
from outreach.campaign.values import Late
from outreach.campaign.when import parse_late, parse_when, resolve
from outreach.errors import Problem


def campaign(day=date(2025, 8, 25), zone="Asia/Bangkok", starts=time(9), ends=time(17), **messages):
    """A campaign around one event, `forum`; each message by its `at`."""
    return Campaign(
        campaign="c",
        programme="p",
        title="t",
        written_by="o",
        audiences={"main": {"en": ("web",)}},
        events={"forum": Event(date=day, starts=starts, ends=ends, zone=zone)},
        messages={name: Message(at=parse_when(at)) for name, at in messages.items()},
    )


def utc(written, default="10:00 Asia/Seoul", **event):
    slot = resolve(parse_when(written), campaign(**event), default_time=default)
    return f"{slot.at:%Y-%m-%d %H:%M}Z = {slot.wall} {slot.zone}"


US_1 = {
    30: "Sat 26 July", 21: "Mon 4 August", 14: "Mon 11 August", 7: "Mon 18 August",
    3: "Fri 22 August", 1: "Sun 24 August", 0: "Mon 25 August", -1: "Tue 26 August",
    -3: "Thu 28 August", -7: "Mon 1 September",
}  # fmt: skip


@pytest.mark.parametrize(("days", "day"), US_1.items())
def test_us_1_a_forum_at_nine_in_bangkok_has_these_slots(days, day):
    written = f"forum {'-' if days >= 0 else '+'} {abs(days)} days, 10:00 Asia/Seoul"
    slot = resolve(parse_when(written), campaign(), default_time=None)
    local = slot.at.astimezone(ZoneInfo("Asia/Bangkok"))
    assert f"{local:%a} {local.day} {local:%B}" == day
    assert f"{local:%H:%M}" == "08:00"  # ten o'clock in Seoul
    assert slot.at.hour == 1
    assert slot.at.tzinfo is UTC
    assert (slot.wall[-5:], slot.zone) == ("10:00", "Asia/Seoul")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2025-08-18 10:00 Asia/Seoul", "2025-08-18 01:00Z = 2025-08-18T10:00 Asia/Seoul"),
        ("forum - 7 days, 10:00 Asia/Seoul", "2025-08-18 01:00Z = 2025-08-18T10:00 Asia/Seoul"),
        ("forum - 7 days", "2025-08-18 01:00Z = 2025-08-18T10:00 Asia/Seoul"),
        ("forum - 1 week", "2025-08-18 01:00Z = 2025-08-18T10:00 Asia/Seoul"),
        ("forum - 5 working days", "2025-08-18 01:00Z = 2025-08-18T10:00 Asia/Seoul"),
        ("forum + 1 working day", "2025-08-26 01:00Z = 2025-08-26T10:00 Asia/Seoul"),
        ("working days from forum - 2 days", "2025-08-25 01:00Z = 2025-08-25T10:00 Asia/Seoul"),
        ("forum – 7 days", "2025-08-18 01:00Z = 2025-08-18T10:00 Asia/Seoul"),
        ("forum, 08:00 Asia/Bangkok", "2025-08-25 01:00Z = 2025-08-25T08:00 Asia/Bangkok"),
        ("forum", "2025-08-25 01:00Z = 2025-08-25T10:00 Asia/Seoul"),
        ("forum - 2 hours", "2025-08-25 00:00Z = 2025-08-25T07:00 Asia/Bangkok"),
        ("forum + 30 minutes", "2025-08-25 02:30Z = 2025-08-25T09:30 Asia/Bangkok"),
        ("forum.starts", "2025-08-25 02:00Z = 2025-08-25T09:00 Asia/Bangkok"),
        ("forum.ends + 1 hour", "2025-08-25 11:00Z = 2025-08-25T18:00 Asia/Bangkok"),
        ("forum.ends + 2 days", "2025-08-27 10:00Z = 2025-08-27T17:00 Asia/Bangkok"),
    ],
)
def test_what_is_written_means(written, meant):
    assert utc(written) == meant


def test_without_a_usual_time_days_have_the_events_own():
    assert (
        utc("forum - 7 days", default=None) == "2025-08-18 02:00Z = 2025-08-18T09:00 Asia/Bangkok"
    )


def test_an_hour_to_be_confirmed_is_planned_with_and_otherwise_told():
    planned = Tbc(who="organizers", plan_with="09:00")
    assert utc("forum.starts", starts=planned).startswith("2025-08-25 02:00Z")
    assert utc("forum - 7 days", starts=Tbc()).startswith("2025-08-18 01:00Z")
    with pytest.raises(ValueError, match=r"needs the hour at which forum starts, which is to be"):
        utc("forum - 2 hours", starts=Tbc())


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("soon-ish!", "“soon-ish!” is not a time; write it as 2025-08-18 10:00 Asia/Seoul"),
        ("2025-08-18", "“2025-08-18” lacks its time or zone"),
        ("2025-08-18 10:00", "“2025-08-18 10:00” lacks its time or zone"),
        ("2025-02-30 10:00 Asia/Seoul", "there is no 2025-02-30 in the calendar"),
        ("2025-08-18 25:00 Asia/Seoul", "“25:00” is not a time of day; write it as 09:00"),
        ("forum - 7 days, 10:00", "lacks a zone after 10:00"),
        ("forum - 2 hours, 10:00 Asia/Seoul", "count days before a time"),
        ("2025-08-18 10:00 Europe/Geneva",
         "Europe/Geneva is not a zone; did you mean Europe/Zurich?"),
        ("2025-08-18 10:00 Asia/Seol", "Asia/Seol is not a zone; did you mean Asia/Seoul?"),
        ("2025-08-18 10:00 KST", "KST is not a zone; did you mean Asia/Seoul?"),
        ("2025-08-18 10:00 ../../etc/passwd", "is not a zone; write a name such as Asia/Seoul"),
        ("form - 7 days", "there is no event form in this campaign; did you mean forum?"),
        ("forum + 99999 weeks + 1", "is not a time"),
        ("2025-03-30 02:30 Europe/Berlin",
         "02:30 on 30 March 2025 does not exist in Europe/Berlin, since the clocks change; "
         "write 01:59 or 03:00"),
        ("2025-10-26 02:30 Europe/Berlin",
         "02:30 on 26 October 2025 comes twice in Europe/Berlin, since the clocks change; "
         "write 01:59 or 03:00"),
        ("2011-12-30 12:00 Pacific/Apia",  # the day that Samoa skipped
         "12:00 on 30 December 2011 does not exist in Pacific/Apia, since the clocks change; "
         "write 23:59 or 00:00"),
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_refused_in_a_sentence(written, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        utc(written)


def test_what_lies_outside_the_calendar_is_refused():
    with pytest.raises(ValueError, match="lies outside the calendar"):
        utc("forum + 99999 weeks", day=date(9000, 1, 1))


@pytest.mark.parametrize(
    ("written", "late"),
    [
        ("send within 15 minutes, then ask", Late(timedelta(minutes=15))),
        (
            "send within 2 hours, then ask",
            Late(timedelta(hours=2), "send within 2 hours, then ask"),
        ),
        ("ask", Late(timedelta(minutes=1), "ask")),
    ],
)
def test_rules_for_late_posts(written, late):
    assert parse_late(written) == late


def test_another_rule_for_late_posts_is_refused():
    with pytest.raises(ValueError, match="“send anyway” is not a rule for late posts"):
        parse_late("send anyway")


def test_a_stop_counts_from_the_events_own_hour(forum):
    made = forum(
        ('"10:00 Asia/Seoul"\n', '"10:00 Asia/Seoul"\n  not-after: forum.starts\n'),
        messages="  before: {at: forum - 1 day}\n"
        "  after: {at: forum + 1 day, not-after: forum + 3 days}\n",
    )
    assert stop(made, "before") == datetime(2025, 8, 25, 2, tzinfo=UTC)
    assert stop(made, "after") == datetime(2025, 8, 28, 2, tzinfo=UTC)


def test_an_idea_has_no_slot(forum):
    assert slots(forum(messages="  idea: {}\n")) == {"idea": None}


zones = st.sampled_from(
    ["Asia/Bangkok", "Asia/Seoul", "Asia/Ulaanbaatar", "Europe/Berlin", "America/New_York",
     "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
)  # fmt: skip
days = st.dates(date(2000, 1, 1), date(2040, 12, 31))


@settings(deadline=None)
@given(
    day=days,
    moved=days,
    there=zones,
    here=zones,
    before=st.integers(0, 400),
    hour=st.integers(0, 23),
)
def test_moving_the_event_moves_every_message_by_as_many_days(
    day, moved, there, here, before, hour
):
    written = {"m": f"forum - {before} days, {hour:02}:00 {here}"}
    was = slots(campaign(day, there, **written))["m"]
    now = slots(campaign(moved, there, **written))["m"]
    assume(not isinstance(was, Problem) and not isinstance(now, Problem))  # a night of change
    walls = [datetime.fromisoformat(slot.wall) for slot in (was, now)]
    assert walls[1] - walls[0] == moved - day
    assert all(wall.hour == hour for wall in walls)


nights_of_change = st.sampled_from(
    [date(2025, 3, 30), date(2025, 10, 26), date(2025, 3, 9), date(2025, 11, 2), date(2025, 4, 6),
     date(2025, 10, 5), date(2011, 12, 30)]
)  # fmt: skip


@settings(deadline=None)
@given(days | nights_of_change, zones, st.integers(0, 23), st.integers(0, 59))
def test_a_wall_time_is_taken_exactly_when_the_clocks_show_it_once(day, there, hour, minute):
    written = f"{day} {hour:02}:{minute:02} {there}"
    wall = datetime.combine(day, time(hour, minute))
    begin = datetime.combine(day, time(0), UTC) - timedelta(days=1)
    around = (begin + timedelta(minutes=30 * n + minute % 30) for n in range(3 * 48))
    clocks = [at.astimezone(ZoneInfo(there)).replace(tzinfo=None, fold=0) for at in around]
    if clocks.count(wall) == 1:
        assert utc(written).endswith(f"Z = {wall.isoformat(timespec='minutes')} {there}")
    else:
        with pytest.raises(ValueError, match=r"does not exist|comes twice"):
            utc(written)
