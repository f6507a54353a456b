"""When messages are due: days off, working days, one for each, again and again."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.campaign.care import concerns, load_dates, quiet
from outreach.campaign.models import Every
from outreach.campaign.occasions import Occasion, occasions, slots, waits
from outreach.errors import Problem, WrongFiles
from outreach.post import Slot
from tests.conftest import REPOSITORY

HOLIDAYS = ("  to: main\n", "  to: main\n  holidays: [TH, KR, JP]\n")
DATES = load_dates(REPOSITORY / "config" / "dates.toml")


def due(found) -> dict[str, str]:
    """ "Fri 25 July 10:00" for each."""
    return {
        name: f"{datetime.fromisoformat(slot.wall):%a %-d %B %H:%M}"
        for name, slot in found.items()
        if isinstance(slot, Slot)
    }


def advice(campaign, dates=DATES) -> dict[str, list[tuple[str, str]]]:
    return {
        one.message: [
            (problem.what.partition("is due on ")[2], problem.hint)
            for problem in concerns(campaign, one, one.slot, dates)
        ]
        for one in occasions(campaign)
    }


class TestUS1:
    """T-30 is a Saturday, T-1 a Sunday, and T-14 a holiday in Thailand and Japan."""

    messages = (
        "  t30: {{at: forum - 30 days{rule}}}\n"
        "  t14: {{at: forum - 14 days{rule}}}\n"
        "  t1: {{at: forum - 1 day{rule}}}\n"
        "  t0: {{at: forum}}\n"
        "  t7: {{at: forum + 7 days}}\n"
    )

    def campaign(self, forum, rule=""):
        return forum(HOLIDAYS, messages=self.messages.format(rule=rule))

    def made(self, load, rule):
        from tests.campaign.conftest import FORUM

        text = FORUM[: FORUM.index("messages:")].replace(*HOLIDAYS)
        loaded = load(text + "messages:\n" + self.messages.format(rule=rule))
        return loaded.campaigns[0]

    def test_with_keep_each_is_named_with_a_better_day(self, load):
        found = advice(self.made(load, ""))
        moves = "; days-off: before, or after, moves it"
        assert found == {
            "t30": [
                (
                    "Saturday 26 July 2025: a Saturday",
                    "better Friday 25 July 2025, 10:00 Asia/Seoul" + moves,
                )
            ],
            "t14": [
                (
                    "Monday 11 August 2025: a holiday in Thailand (Bridge Public Holiday) and "
                    "a holiday in Japan (Mountain Day)",
                    "better Wednesday 13 August 2025, 10:00 Asia/Seoul" + moves,
                )
            ],
            "t1": [
                (
                    "Sunday 24 August 2025: a Sunday",
                    "better Friday 22 August 2025, 10:00 Asia/Seoul" + moves,
                )
            ],
            "t0": [],
            "t7": [],
        }

    def test_with_before_its_proposal_becomes_the_slot(self, load):
        found = due(slots(self.made(load, ", days-off: before")))
        assert found["t30"] == "Fri 25 July 10:00"
        assert found["t1"] == "Fri 22 August 10:00"
        assert found["t0"] == "Mon 25 August 10:00"

    def test_with_after_its_proposal_becomes_the_slot(self, load):
        found = due(slots(self.made(load, ", days-off: after")))
        assert found["t14"] == "Wed 13 August 10:00"

    def test_what_was_moved_is_not_advised_about(self, load):
        found = advice(self.made(load, ", days-off: before"))
        assert [told for told in found.values() if told] == []


class TestUS2:
    """1 October 2025, 10:00 in Seoul: holidays in China and Korea; better 14 October."""

    TEXT = """
campaign: booklet
programme: low-carbon-cities
title: The booklet
written-by: officer
audiences: {main: {en: [web]}}
defaults: {to: main, holidays: [CN, KP, JP, MN, KR, RU, TH]}
messages:
  launch: {at: "2025-10-01 10:00 Asia/Seoul", embargo: "2025-10-01 10:00 Asia/Seoul"}
"""

    def test_the_better_day_is_after_the_embargo_and_all_holidays(self, load):
        [made] = load(self.TEXT).campaigns
        [[(what, hint)]] = advice(made).values()
        assert what == "Wednesday 1 October 2025: a holiday in China (National Day)"
        assert hint.startswith("better Tuesday 14 October 2025, 10:00 Asia/Seoul")

    def test_its_embargo_is_08_00_in_bangkok(self, load):
        [made] = load(self.TEXT).campaigns
        slot = slots(made)["launch"]
        assert f"{slot.at.astimezone(ZoneInfo('Asia/Bangkok')):%H:%M}" == "08:00"
        assert slot.at == datetime(2025, 10, 1, 1, tzinfo=UTC)

    def test_a_slot_before_its_embargo_is_a_mistake(self, load):
        loaded = load(self.TEXT.replace('{at: "2025-10-01', '{at: "2025-09-30'))
        assert [str(p).partition("\n")[0] for p in loaded.problems] == [
            "campaigns/a.yaml:9: launch is due at 2025-09-30 10:00 Asia/Seoul, before its embargo "
            "ends (2025-10-01 01:00 UTC)"
        ]


def test_a_date_that_calls_for_care_is_named(forum):
    made = forum(messages='  news: {at: "2025-08-06 10:00 Asia/Seoul"}\n')
    assert advice(made) == {
        "news": [
            (
                "Wednesday 6 August 2025: a day of remembrance in Japan (Hiroshima, 1945)",
                "read its text again with that in mind, or choose another day",
            )
        ]
    }


QUIET = (time(22), time(7))


@pytest.mark.parametrize(
    ("at", "better"),
    [
        ("2025-08-18T01:00Z", ""),  # 10:00 in Seoul
        ("2025-08-17T22:00Z", ""),  # 07:00: they are up
        ("2025-08-17T21:59Z", "better Monday 18 August 2025, 05:00 Asia/Bangkok"),  # 06:59
        ("2025-08-18T13:00Z", "better Tuesday 19 August 2025, 05:00 Asia/Bangkok"),  # 22:00
        ("2025-08-18T12:59Z", ""),
    ],
)
def test_a_slot_in_the_quiet_hours_of_a_channel_is_advised_against(at, better):
    """The slot is Bangkok's, and its audience sleeps in Seoul."""
    instant = datetime.fromisoformat(at)
    local = instant.astimezone(ZoneInfo("Asia/Bangkok")).replace(tzinfo=None)
    slot = Slot(instant, local.isoformat(timespec="minutes"), "Asia/Bangkok")
    found = list(quiet("a.yaml:3", "news", slot, "kakao", "Asia/Seoul", QUIET))
    assert [problem.hint for problem in found] == ([better] if better else [])
    assert all(problem.advice for problem in found)


def test_quiet_hours_within_a_day():
    slot = Slot(datetime(2025, 8, 18, 12, 30, tzinfo=UTC), "2025-08-18T12:30", "UTC")
    [problem] = quiet("a.yaml:3", "news", slot, "web", "UTC", (time(12), time(13)))
    assert problem.what == ("news is due at 12:30 UTC, in the quiet hours of web (12:00-13:00)")
    assert problem.hint == "better Monday 18 August 2025, 13:00 UTC"


def test_dates_that_are_none_are_told_with_their_lines(tmp_path):
    file = tmp_path / "dates.toml"
    file.write_text('"08-06" = "a day"\n"6 August" = "a day"\n"02-30" = "none"\n"09-03" = 3\n')
    with pytest.raises(WrongFiles) as refused:
        load_dates(file)
    assert [p.where.rpartition(":")[2] for p in refused.value.problems] == ["2", "3", "4"]


class TestEach:
    SPEAKERS = (
        "    zone: Asia/Bangkok\n",
        "    zone: Asia/Bangkok\n"
        "    speakers:\n"
        "      - {id: an-example, names: {en: An Example}, consent: yes}\n"
        "      - {id: bo-example, names: {en: Bo Example}, consent: yes}\n"
        "      - {id: cy-example, names: {en: Cy Example}, consent: no}\n"
        "    sessions:\n"
        '      - {id: opening, title: Opening, starts: "09:00", ends: "10:00"}\n'
        '      - {id: closing, title: Closing, starts: "16:00", ends: tbc}\n',
    )

    def made(self, load, messages):
        from tests.campaign.conftest import FORUM

        text = FORUM[: FORUM.index("messages:")].replace(*HOLIDAYS).replace(*self.SPEAKERS)
        return load(text + "messages:\n" + messages)

    def test_speakers_follow_one_another_on_working_days(self, load):
        """From T-12, Wednesday 13 August; Friday the 15th is a holiday in Korea."""
        loaded = self.made(
            load,
            "  speakers: {each: events.forum.speakers, at: working days from forum - 12 days}\n",
        )
        assert due(slots(loaded.campaigns[0])) == {
            "speakers-an-example": "Wed 13 August 10:00",
            "speakers-bo-example": "Thu 14 August 10:00",
            "speakers-cy-example": "Mon 18 August 10:00",
        }

    def test_sessions_count_from_their_own_hours(self, load):
        loaded = self.made(
            load, "  live: {each: events.forum.sessions, at: session.starts - 15 minutes}\n"
        )
        assert due(slots(loaded.campaigns[0])) == {
            "live-opening": "Mon 25 August 08:45",
            "live-closing": "Mon 25 August 15:45",
        }

    def test_what_is_to_be_confirmed_is_waited_for(self, forum):
        made = forum(
            (
                "    zone: Asia/Bangkok\n",
                "    zone: Asia/Bangkok\n    speakers: {tbc: secretariat}\n",
            ),
            messages="  speakers: {each: events.forum.speakers, at: forum - 1 day}\n",
        )
        [one] = occasions(made)
        assert one.slot == Problem(
            one.slot.where,
            "events.forum.speakers is to be confirmed by secretariat",
            "speakers waits for it",
            open=True,
        )

    @pytest.mark.parametrize(
        ("messages", "words"),
        [
            (
                "  a: {each: events.forum.speaker, at: forum}\n",
                "there is no list events.forum.speaker",
            ),
            (
                "  a: {each: events.forum.sessions, at: forum}\n  a-opening: {at: forum}\n",
                "a makes a message called a-opening, and there is one already",
            ),
            (
                "  a: {at: working days from forum - 3 days}\n",
                "a is one message, and “working days from” is for each",
            ),
            (
                "  a: {at: forum, every: {days: [mon], time: 10:00 UTC, "
                "from: forum, until: forum}}\n",
                "a has every and at: every says by itself when it is due",
            ),
        ],
    )
    def test_what_cannot_be_is_a_mistake(self, load, messages, words):
        assert words in " ".join(problem.what for problem in self.made(load, messages).problems)


def series(load, every, more=""):
    from tests.campaign.conftest import FORUM

    text = FORUM[: FORUM.index("messages:")]
    loaded = load(f"{text}messages:\n  news: {{every: {every}{more}}}\n")
    assert [str(p) for p in loaded.problems if p.mistake] == []
    return loaded.campaigns[0]


class TestADateToBeConfirmed:
    OPEN = ("    date: 2025-08-25\n", "    date: {tbc: secretariat, plan-with: 2025-08-25}\n")

    def test_it_is_planned_with_and_waited_for(self, forum):
        made = forum(self.OPEN, messages="  news: {at: forum - 7 days}\n")
        [one] = occasions(made)
        assert one.slot.wall == "2025-08-18T10:00"
        problem = waits(made, one)
        assert problem.open
        assert problem.what == "events.forum.date is to be confirmed by secretariat"

    def test_what_does_not_count_from_it_waits_for_nothing(self, forum):
        made = forum(self.OPEN, messages="  news: {at: 2025-08-18 10:00 Asia/Seoul}\n")
        assert waits(made, occasions(made)[0]) is None

    def test_with_nothing_to_plan_with_there_is_no_slot(self, load):
        from tests.campaign.conftest import FORUM

        loaded = load(FORUM.replace("date: 2025-08-25", "date: tbc"))
        assert "needs the date of forum, which is to be confirmed" in loaded.problems[0].what


class TestEvery:
    def test_weekdays_between_two_days_both_included(self, load):
        made = series(
            load,
            "{days: [mon, Thursday], time: 10:00 Asia/Seoul, from: forum - 14 days, until: forum}",
        )
        assert list(slots(made)) == [
            "news~2025-08-11T10:00",
            "news~2025-08-14T10:00",
            "news~2025-08-18T10:00",
            "news~2025-08-21T10:00",
            "news~2025-08-25T10:00",
        ]
        assert [one.number for one in occasions(made)] == [0, 1, 2, 3, 4]

    def test_one_week_of_a_month_alone(self, load):
        made = series(
            load,
            "{week: first, days: [tue], time: 10:00 Asia/Seoul, from: 2025-09-01 00:00 Asia/Seoul,"
            " until: 2025-11-30 23:59 Asia/Seoul}",
        )
        assert list(slots(made)) == [
            "news~2025-09-02T10:00",
            "news~2025-10-07T10:00",
            "news~2025-11-04T10:00",
        ]

    def test_only_so_far_ahead(self, load):
        made = series(load, "{days: [mon], time: 10:00 UTC, from: forum, until: forum + 365 days}")
        until = datetime(2025, 9, 8, 10, tzinfo=UTC)
        assert [one.local for one in occasions(made, until=until)] == [
            "2025-08-25T10:00",
            "2025-09-01T10:00",
            "2025-09-08T10:00",
        ]
        assert len(occasions(made)) == 53

    def test_the_night_the_clocks_go_back_has_one(self, load):
        made = series(
            load,
            "{days: [sat, sun], time: 02:30 Europe/Berlin, from: 2025-10-25 00:00 Europe/Berlin,"
            " until: 2025-10-26 23:00 Europe/Berlin}",
        )
        found = slots(made)
        assert list(found) == ["news~2025-10-25T02:30", "news~2025-10-26T02:30"]
        assert [slot.at.hour for slot in found.values()] == [0, 0]  # the first of the two

    def test_the_night_the_clocks_go_on_has_one_once_they_have_moved(self, load):
        made = series(
            load,
            "{days: [sat, sun], time: 02:30 Europe/Berlin, from: 2025-03-29 00:00 Europe/Berlin,"
            " until: 2025-03-30 23:00 Europe/Berlin}",
        )
        found = slots(made)
        assert list(found) == ["news~2025-03-29T02:30", "news~2025-03-30T02:30"]
        assert found["news~2025-03-30T02:30"].wall == "2025-03-30T03:30"

    def test_an_occasion_that_a_day_off_moves_keeps_its_name(self, load):
        made = series(
            load,
            "{days: [sun], time: 10:00 Asia/Seoul, from: forum - 7 days, until: forum}",
            ", days-off: before",
        )
        assert {name: slot.wall for name, slot in slots(made).items()} == {
            "news~2025-08-24T10:00": "2025-08-22T10:00"
        }

    @pytest.mark.parametrize(
        ("every", "words"),
        [
            ("{days: [1], time: 10:00 UTC, from: forum, until: forum}", "“1” is not a weekday"),
            ("{days: [mo], time: 10:00 UTC, from: forum, until: forum}", "“mo” is not a weekday"),
            ("{days: [], time: 10:00 UTC, from: forum, until: forum}", "days"),
            (
                "{days: [mon], time: 10:00 UTC, from: forum, until: forum - 1 day}",
                "ends before it begins",
            ),
            (
                "{days: [mon,tue,wed,thu,fri,sat,sun], time: 10:00 UTC, from: forum,"
                " until: forum + 900 days}",
                "more than 500 times",
            ),
            ("{days: [mon], time: 10:00 UTC, from: form, until: forum}", "there is no event form"),
        ],
    )
    def test_what_cannot_be_is_a_mistake(self, load, every, words):
        from tests.campaign.conftest import FORUM

        text = FORUM[: FORUM.index("messages:")]
        loaded = load(f"{text}messages:\n  news: {{every: {every}}}\n")
        assert words in " ".join(f"{p.what} {p.hint}" for p in loaded.problems if p.mistake)
        assert not loaded.campaigns


@settings(deadline=None, max_examples=200)
@given(
    days=st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1),
    hour=st.integers(0, 23),
    minute=st.sampled_from([0, 15, 30, 45]),
    zone=st.sampled_from(
        ["Asia/Seoul", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]
    ),
    first=st.dates(datetime(2011, 12, 1).date(), datetime(2030, 1, 1).date()),
)
def test_every_wanted_local_day_has_exactly_one_occasion(days, hour, minute, zone, first):
    """Whatever the clocks of a zone do: each weekday asked for, once, on its own local day."""
    from datetime import timedelta

    from outreach.campaign.models import Campaign, Message
    from outreach.campaign.when import parse_when

    last = first + timedelta(days=40)
    every = Every(
        days=tuple(days),
        time=f"{hour:02}:{minute:02} {zone}",
        from_=parse_when(f"{first} 00:00 UTC"),
        until=parse_when(f"{last} 23:59 UTC"),
    )
    made = Campaign(
        campaign="c",
        programme="p",
        title="t",
        written_by="o",
        audiences={"main": {"en": ("web",)}},
        messages={"news": Message(every=every)},
    )
    found: list[Occasion] = occasions(made)
    names = [one.local for one in found]
    assert len(names) == len(set(names))
    wanted = [
        day
        for number in range(1, 40)
        if f"{(day := first + timedelta(days=number)):%a}".lower() in days
        and not (zone == "Pacific/Apia" and f"{day}" == "2011-12-30")  # a day that never was
    ]
    assert {f"{day}T{hour:02}:{minute:02}" for day in wanted} <= set(names)
    for one in found:
        there = one.slot.at.astimezone(ZoneInfo(zone))
        assert abs(there.replace(tzinfo=None) - datetime.fromisoformat(one.local)) <= timedelta(
            hours=1
        )
