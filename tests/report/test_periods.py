"""What a report is about: read as officers write it, counted in the report's zone."""

from datetime import date

import pytest

from outreach.errors import NotAllowed, NotFound
from outreach.measure.months import NoSuchMonth
from outreach.report.periods import (
    Dated,
    NoSuchPeriod,
    compared_with,
    following,
    parse,
    touched,
    whole_months,
)
from tests.drafts import utc

ZONE = "Asia/Bangkok"
FORUM = date(2025, 8, 25)


def known(campaign: str, event: str | None) -> Dated:
    if campaign not in ("lcc5", "lcc3"):
        raise NotFound(f"there is no campaign {campaign!r}")
    first = FORUM if campaign == "lcc5" else date(2023, 8, 29)
    earlier = "lcc3" if campaign == "lcc5" else ""
    if event is None:
        return Dated(campaign, campaign.upper(), date(first.year, 7, 26), first, earlier=earlier)
    return Dated(campaign, campaign.upper(), first, first, event or "forum", earlier)


def of(text: str):
    return parse(text, ZONE, known)


@pytest.mark.parametrize(
    ("text", "name", "within", "starts", "ends"),
    [
        ("2025-08", "2025-08", "in August 2025", "2025-07-31T17:00", "2025-08-31T17:00"),
        (
            " 2025-07-26 .. 2025-09-01 ",
            "2025-07-26..2025-09-01",
            "from 26 July to 1 September 2025",
            "2025-07-25T17:00",
            "2025-09-01T17:00",
        ),
        (
            "2025-08-25..2025-08-25",
            "2025-08-25..2025-08-25",
            "on 25 August 2025",
            "2025-08-24T17:00",
            "2025-08-25T17:00",
        ),
        (
            "2025-12-20..2026-01-03",
            "2025-12-20..2026-01-03",
            "from 20 December 2025 to 3 January 2026",
            "2025-12-19T17:00",
            "2026-01-03T17:00",
        ),
        (
            "campaign:lcc5",
            "campaign:lcc5",
            "from 26 July to 25 August 2025",
            "2025-07-25T17:00",
            "2025-08-25T17:00",
        ),
        (  # the slots of the forum's own promotion: Saturday 26 July to Monday 1 September
            "event:lcc5",
            "event:lcc5/forum:T-30..T+7",
            "from 26 July to 1 September 2025",
            "2025-07-25T17:00",
            "2025-09-01T17:00",
        ),
        (
            "event:lcc5/forum:t-1..t+0",
            "event:lcc5/forum:T-1..T+0",
            "from 24 to 25 August 2025",
            "2025-08-23T17:00",
            "2025-08-25T17:00",
        ),
    ],
)
def test_a_period_is_read_as_it_is_written(text, name, within, starts, ends):
    read = of(text)
    assert (read.name, read.within) == (name, within)
    assert (read.starts, read.ends) == (utc(starts), utc(ends))
    assert of(name) == read  # what is kept under a name is found by it
    assert not set(read.file_name) & set(':/\\*?"<>|')


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("August", "'August' is no month", "write 2025-08, 2025-07-26..2025-09-01"),
        ("2025-09-01..2025-07-26", "ends before it begins", "2025-07-26..2025-09-01"),
        ("2025-02-30..2025-03-01", "'2025-02-30' is not a day", "write both days"),
        ("2025-08..2025-09", "'2025-08' is not a day", "write both days"),
        ("1025-01-01..2025-01-01", "the year 1025 cannot be meant", "look at the years"),
        ("2019-01-01..2025-01-01", "longer than three years", "look at the years"),
        ("event:lcc5:T+7..T-30", "is no window", "the earlier day stands first"),
        ("event:lcc5:30 days", "is no window", "like T-30..T+7"),
        ("week:31", "is no month, no days", "campaign:NAME or event:NAME"),
        ("", "'' is no month", "write 2025-08"),
    ],
)
def test_what_is_none_is_refused_with_a_way_out(text, what, hint):
    with pytest.raises(NoSuchPeriod, match=what) as refused:
        of(text)
    assert hint in refused.value.hint


def test_a_month_that_no_calendar_has_is_told_as_such():
    with pytest.raises(NoSuchMonth, match="there is no month 13"):
        of("2025-13")


def names(text: str, told: str = "") -> list[tuple[str, str]]:
    return [(one.name, one.period.name) for one in compared_with(of(text), ZONE, known, told=told)]


def test_each_kind_is_compared_with_what_is_like_it():
    assert names("2025-01") == [("month-before", "2024-12"), ("year-before", "2024-01")]
    assert names("2025-07-26..2025-09-01") == [
        ("period-before", "2025-06-18..2025-07-25"),
        ("year-before", "2024-07-26..2024-09-01"),
    ]
    assert names("2024-02-29..2024-02-29")[1] == ("year-before", "2023-02-28..2023-02-28")
    assert names("campaign:lcc5") == [("against", "campaign:lcc3")]
    assert names("event:lcc5:T-7..T+3") == [("against", "event:lcc3/forum:T-7..T+3")]
    assert names("event:lcc3") == []  # nothing is named, and so nothing is compared


def test_what_is_told_is_compared_instead():
    assert names("2025-08", "2023-08") == [("against", "2023-08")]
    assert names("event:lcc5:T-3..T+1", "event:lcc3") == [("against", "event:lcc3/forum:T-3..T+1")]
    with pytest.raises(NotAllowed, match="cannot be compared with itself"):
        names("2025-08", "2025-08")


def test_whole_months_are_told_from_other_days():
    assert whole_months(of("2025-06-01..2025-08-31"), ZONE) == ("2025-06", "2025-07", "2025-08")
    assert whole_months(of("2025-06-02..2025-08-31"), ZONE) == ()
    assert whole_months(of("campaign:lcc5"), ZONE) == ()
    assert touched(of("2025-07-26..2025-09-01"), ZONE) == ("2025-07", "2025-08", "2025-09")


def test_what_is_planned_comes_after_it():
    assert following(of("2025-12"), ZONE).name == "2026-01"
    assert following(of("event:lcc5"), ZONE).name == "2025-09-02..2025-10-01"
