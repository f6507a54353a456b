"""What a report is about: a month, any days, a campaign, or the days around an event.

    2025-08                         a month
    2025-07-26..2025-09-01          from the first of these days to the last, both included
    campaign:forum-2025             the posts of a campaign, from its first to its last
    event:forum-2025:T-30..T+7      the posts of a campaign around its event, in days from it

Days begin and end at midnight in the report's own zone. Dates of forums move between August and
December, so that the same window around the last one is often the fairer comparison than a month.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from outreach.errors import NotAllowed, OutreachError
from outreach.measure import months
from outreach.words import MONTHS, in_full

LONGEST = 1_100  # days: three years; what is longer is a slip in a year
WINDOW = "T-30..T+7"
_FAR = 400  # days before or after an event; what is farther is a slip


class NoSuchPeriod(OutreachError):
    """It is no period that a report can be about."""


Kind = Literal["month", "days", "campaign", "event"]


@dataclass(frozen=True)
class Dated:
    """What is known of a campaign, or of one of its events: days in the report's zone.

    `event`: the event's own name, which need not have been said. `earlier`: the campaign that it
    is to be compared with, or "".
    """

    campaign: str
    title: str
    first: date
    last: date
    event: str = ""
    earlier: str = ""


Known = Callable[[str, str | None], Dated]
"""A campaign (None), an event of it, or its only event (""). Raises NotFound for none such."""


@dataclass(frozen=True)
class Period:
    """From `starts` to before `ends`, aware UTC; with a `campaign`, only what that published.

    `name` is what it is kept under. `title` names it ("August 2025"); `within` says it in a
    sentence ("in August 2025", "from 26 July to 1 September 2025"). `window`: "T-30..T+7".
    """

    name: str
    kind: Kind
    title: str
    within: str
    starts: datetime
    ends: datetime
    campaign: str = ""
    called: str = ""  # the campaign's title
    event: str = ""
    window: str = ""
    day: str = ""  # of the event: "25 August 2025"
    earlier: str = ""

    @property
    def heading(self) -> str:
        """As the title of a report."""
        if self.kind == "event":
            return f"{self.called}, {spoken(self.window)}"
        return self.called or self.title

    @property
    def subject(self) -> str:
        """As the subject of a sentence: "August 2025", "The period from …"."""
        return self.title if self.kind == "month" else f"The period {self.within}"

    @property
    def word(self) -> str:
        """What it is: a month or a period."""
        return "month" if self.kind == "month" else "period"

    @property
    def file_name(self) -> str:
        """Its name, as files can bear it everywhere."""
        return re.sub(r"[:/]", "-", self.name.replace("..", "_"))


@dataclass(frozen=True)
class Other:
    """A period to compare with. `name` is for programs: "month-before"."""

    name: str
    title: str
    period: Period


def parse(text: str, zone: str, known: Known | None = None, *, window: str = WINDOW) -> Period:
    """The period as it was written.

    `known` tells of campaigns and events; `window` is the one of an event where none is written.
    Raises NoSuchPeriod, NoSuchMonth, or what `known` raises.
    """
    text = text.strip()
    kind, colon, rest = text.partition(":")
    if colon and known is not None and kind == "campaign":
        return _campaign(known(rest.strip(), None), zone)
    if colon and known is not None and kind == "event":
        name, _, of = rest.partition(":")
        campaign, _, event = name.strip().partition("/")
        return _around(known(campaign, event), of.strip() or window, zone)
    if ".." in text:
        first, _, last = text.partition("..")
        return days(_day(first, text), _day(last, text), zone)
    if re.fullmatch(r"\d{4}-\d{2}", text):
        return month(text, zone)
    raise NoSuchPeriod(
        f"{text!r} is no month, no days, and no campaign or event",
        "write 2025-08, 2025-07-26..2025-09-01, campaign:NAME or event:NAME",
    )


def month(text: str, zone: str) -> Period:
    """A month, "2025-08". Raises NoSuchMonth."""
    name = months.parse_month(text)
    title = months.named(name)
    return Period(name, "month", title, f"in {title}", *months.bounds(name, zone))


def days(first: date, last: date, zone: str) -> Period:
    """From one day to another, both included. Raises NoSuchPeriod where they are the wrong way."""
    name = f"{first}..{last}"
    if last < first:
        raise NoSuchPeriod(
            f"{name} ends before it begins", f"the earlier day stands first: {last}..{first}"
        )
    if (last - first).days >= LONGEST:
        raise NoSuchPeriod(f"{name} is longer than three years", "look at the years")
    return Period(
        name, "days", _title(first, last), _within(first, last), *_bounds(first, last, zone)
    )


def following(period: Period, zone: str) -> Period:
    """What is planned next: the month after a month, the 30 days after anything else."""
    if period.kind == "month":
        return month(months.following(period.name), zone)
    _, last = _local(period, zone)
    return days(last + timedelta(1), last + timedelta(30), zone)


def compared_with(
    period: Period, zone: str, known: Known | None = None, *, told: str = ""
) -> tuple[Other, ...]:
    """What a period is compared with: what was `told`, or what is usual for its kind.

    A month: the month before, and the same one of the year before. Days: as many before, and the
    same days of the year before. A campaign or event: the one that its file names, or none.
    Raises as `parse` does, and NotAllowed for a period against itself.
    """
    if told:
        other = parse(told, zone, known, window=period.window or WINDOW)
        if other.name == period.name:
            raise NotAllowed(
                f"{period.title} cannot be compared with itself", "name another one: --against"
            )
        return (Other("against", f"Compared with {other.heading}", other),)
    if period.kind == "month":
        return (
            Other(
                "month-before",
                "Compared with the month before",
                month(months.before(period.name), zone),
            ),
            Other(
                "year-before",
                "Compared with the same month of the year before",
                month(months.year_before(period.name), zone),
            ),
        )
    if period.kind == "days":
        first, last = _local(period, zone)
        before = first - timedelta(1)
        return (
            Other(
                "period-before",
                "Compared with as many days before",
                days(before - (last - first), before, zone),
            ),
            Other(
                "year-before",
                "Compared with the same days of the year before",
                days(_year_before(first), _year_before(last), zone),
            ),
        )
    if not period.earlier:
        return ()
    told = f"{period.kind}:{period.earlier}"
    return compared_with(period, zone, known, told=told)


def whole_months(period: Period, zone: str) -> tuple[str, ...]:
    """The months that these days consist of, where they are whole ones; none otherwise."""
    if period.kind == "month":
        return (period.name,)
    first, last = _local(period, zone)
    if period.kind != "days" or first.day != 1 or (last + timedelta(1)).day != 1:
        return ()
    found = [f"{first:%Y-%m}"]
    while found[-1] != f"{last:%Y-%m}":
        found.append(months.following(found[-1]))
    return tuple(found)


def touched(period: Period, zone: str) -> tuple[str, ...]:
    """Every month of which a day lies in the period."""
    first, last = _local(period, zone)
    found = [f"{first:%Y-%m}"]
    while found[-1] < f"{last:%Y-%m}":
        found.append(months.following(found[-1]))
    return tuple(found)


def spoken(window: str) -> str:
    """ "T-30 to T+7", with a minus as it is printed."""
    return window.replace("..", " to ").replace("-", "−")


def _campaign(of: Dated, zone: str) -> Period:
    return Period(
        f"campaign:{of.campaign}",
        "campaign",
        of.title,
        _within(of.first, of.last),
        *_bounds(of.first, of.last, zone),
        campaign=of.campaign,
        called=of.title,
        earlier=of.earlier,
    )


def _around(of: Dated, window: str, zone: str) -> Period:
    written = window.replace(" ", "").upper()
    found = re.fullmatch(r"T([+-]\d{1,4})\.\.T([+-]\d{1,4})", written)
    if not found:
        raise NoSuchPeriod(
            f"{window!r} is no window around an event", "write it in days, like T-30..T+7"
        )
    before, after = int(found[1]), int(found[2])
    if after < before or max(abs(before), abs(after)) > _FAR:
        raise NoSuchPeriod(
            f"{window!r} is no window around an event",
            f"the earlier day stands first, and none is farther than {_FAR} days: T-30..T+7",
        )
    window = f"T{before:+}..T{after:+}"
    first, last = of.first + timedelta(before), of.last + timedelta(after)
    return Period(
        f"event:{of.campaign}/{of.event}:{window}",
        "event",
        f"{_title(first, last)} ({spoken(window)})",
        _within(first, last),
        *_bounds(first, last, zone),
        campaign=of.campaign,
        called=of.title,
        event=of.event,
        window=window,
        day=in_full(of.first),
        earlier=of.earlier,
    )


def _day(text: str, whole: str) -> date:
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()):
        raise NoSuchPeriod(
            f"{whole!r}: {text.strip()!r} is not a day", "write both days: 2025-07-26..2025-09-01"
        )
    if not 2000 <= found.year <= 2999:
        raise NoSuchPeriod(f"{whole!r}: the year {found.year} cannot be meant", "look at the years")
    return found


def _bounds(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    try:
        local = ZoneInfo(zone)
    except (ValueError, OSError, KeyError) as error:
        raise months.NoSuchMonth(
            f"there is no time zone {zone!r}", "write an IANA name, like Asia/Bangkok"
        ) from error
    after = last + timedelta(1)
    return (
        datetime(first.year, first.month, first.day, tzinfo=local).astimezone(UTC),
        datetime(after.year, after.month, after.day, tzinfo=local).astimezone(UTC),
    )


def _local(period: Period, zone: str) -> tuple[date, date]:
    """Its first and its last day."""
    local = ZoneInfo(zone)
    last = (period.ends - timedelta(microseconds=1)).astimezone(local).date()
    return period.starts.astimezone(local).date(), last


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)


def _title(first: date, last: date) -> str:
    """ "26 July to 1 September 2025" """
    if first == last:
        return in_full(first)
    begun = str(first.day)
    if first.month != last.month or first.year != last.year:
        begun += f" {MONTHS[first.month - 1]}"
    if first.year != last.year:
        begun += f" {first.year}"
    return f"{begun} to {in_full(last)}"


def _within(first: date, last: date) -> str:
    return f"{'on' if first == last else 'from'} {_title(first, last)}"
