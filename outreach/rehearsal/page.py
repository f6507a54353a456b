"""What a rehearsal has shown, as one file of HTML: no script, nothing beside it, printable.

The functions here turn the values into what the template prints, in words; the template only
sets it. Everything that people have written is escaped.
"""

import calendar
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from outreach.campaign.calendar import Calendar
from outreach.campaign.models import Event, Tbc
from outreach.campaign.when import parse_day
from outreach.compose.languages import Translation, direction
from outreach.errors import Problem
from outreach.measure.months import moment
from outreach.platforms import load
from outreach.post import HEARD, Part, Slot, called
from outreach.rehearsal import manner
from outreach.rehearsal.networks import SEED
from outreach.rehearsal.simulated import STAMP
from outreach.rehearsal.value import Needed, Rehearsal, Shown
from outreach.report.documents.page import Drawn
from outreach.words import MONTHS, Zones, counted, day, place

BANNER = "REHEARSAL — nothing was published"

_HERE = Path(__file__).parent


def write(rehearsal: Rehearsal) -> bytes:
    """The page, in UTF-8."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_spelled,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(_view(rehearsal), heard=HEARD).encode()


def summary(rehearsal: Rehearsal) -> list[str]:
    """The rehearsal in a few sentences, for a terminal."""
    posts = [one for one in rehearsal.posts if one.slot]
    missed = sum(_is_missed(one) for one in posts)
    counts = ", ".join(
        counted(len(kind.rows), one, many)
        for kind, (one, many) in zip(
            _problems(rehearsal),
            (
                ("mistake", ""),
                ("point to be confirmed", "points to be confirmed"),
                ("question for a person", "questions for a person"),
                ("piece of advice", "pieces of advice"),
            ),
            strict=True,
        )
    )
    return [
        f"{BANNER}.",
        *_in_short(rehearsal, Zones(*rehearsal.zones)),
        f"{counted(len(posts), 'post')}: {len(posts) - missed} went out in the rehearsal, "
        f"{missed} {'was' if missed == 1 else 'were'} missed. {counts}. "
        f"{counted(len(rehearsal.needed), 'clearance')} needed.",
    ]


def _spelled(value: Any) -> Any:
    if isinstance(value, Markup):
        return Markup(manner.spelled(value))  # noqa: S704 - escaped before; letters are replaced
    return manner.spelled(value) if isinstance(value, str) else value


def _view(r: Rehearsal) -> dict[str, Any]:
    zones = Zones(*r.zones)
    posts = [one for one in r.posts if one.slot]
    problems, waiting = list(_problems(r)), list(_waiting(r, zones))
    return {
        "r": r,
        "banner": BANNER,
        "stamp": STAMP,
        "seed": SEED,
        "made": day(r.made),
        "tiles": list(_tiles(r, problems, waiting)),
        "sentences": list(_in_short(r, zones)),
        "months": list(_months(r, zones)),
        "countries": _countries(r),
        "times": " / ".join(place(zone) for zone in r.zones if zone),
        "timeline": [_line(group, r, zones) for group in _by_slot(posts)],
        "messages": [_message(group, r, zones) for group in _by_slot(r.posts)],
        "problems": problems,
        "needed": [_needed(one, r) for one in r.needed],
        "missed": [_missed(one, r, zones) for one in posts if _is_missed(one)],
        "waiting": waiting,
        "reports": [(one.period, one.about, one) for one in r.reports],
        "drawn": Drawn,
        "day": day,
    }


# --- in short -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tile:
    """A number with what it counts, and where on the page it is told in full."""

    number: int
    words: str
    href: str
    tone: str = ""


def _tiles(r: Rehearsal, problems: "list[_Kind]", waiting: list[dict[str, Any]]) -> Iterator[_Tile]:
    posts = [one for one in r.posts if one.slot]
    missed = sum(_is_missed(one) for one in posts)
    lost = sum(one["posts"] for one in waiting)
    counts = {kind.name: len(kind.rows) for kind in problems}
    yield _Tile(len(posts), "posts with a time", "timeline")
    yield _Tile(sum(one.published for one in posts), "published in the rehearsal", "timeline")
    yield _Tile(missed, "missed in the rehearsal", "missed", "bad" if missed else "good")
    words = "missed if the files stayed as they are"
    yield _Tile(lost, words, "missed", "open" if lost else "good")
    mistakes = counts["mistakes"]
    yield _Tile(mistakes, "mistakes", "mistakes", "bad" if mistakes else "good")
    yield _Tile(counts["open"], "points to be confirmed", "open", "open" if counts["open"] else "")
    yield _Tile(counts["questions"], "questions for a person", "questions")
    yield _Tile(len(r.needed), "clearances needed", "clearances")


def _in_short(r: Rehearsal, zones: Zones) -> Iterator[str]:
    posts = [one for one in r.posts if one.slot]
    if posts and (first := posts[0].slot) and (last := posts[-1].slot):
        languages = {one.language for one in posts}
        channels = {one.channel.name for one in posts}
        messages = {(one.campaign, one.message) for one in posts}
        yield (
            f"{counted(len(messages), 'message')} in {counted(len(languages), 'language')} on "
            f"{counted(len(channels), 'channel')}, {_from_to(zones, first, last)}."
        )
    elif r.campaigns:
        yield "No message has a time yet: there was nothing to publish."
    else:
        yield "The files have mistakes that leave nothing to show: see below."
    waits = [one for one in posts if one.waits and not one.mistakes]
    if waits and r.as_if_confirmed:
        yield (
            "What is to be confirmed was taken as if it were, so that the whole run can be seen: "
            f"{counted(len(waits), 'post')} went out with ⟦to be confirmed: …⟧ in the place of "
            "what is not known, or before anybody had reviewed them. On the desk they wait."
        )
    elif waits:
        yield (
            f"The files were taken as they stand: {counted(len(waits), 'post')} waited for what is "
            "to be confirmed or reviewed, as they would on the desk."
        )
    if r.holds:
        yield f"On hold at the desk, and therefore here: {'; '.join(r.holds)}."
    yield from r.remarks


def _from_to(zones: Zones, first: Slot, last: Slot) -> str:
    begins, ends = day(zones.date(first.at)), day(zones.date(last.at))
    return f"on {begins}" if begins == ends else f"from {begins} to {ends}"


# --- the calendar -------------------------------------------------------------------------


@dataclass
class _Day:
    """A day of the month's grid: why people are away, what is on, and what goes out."""

    on: date
    off: str = ""
    weekend: bool = False
    events: list[str] = field(default_factory=list)
    slots: list[tuple[str, str, int, str]] = field(default_factory=list)  # times, message, …

    @property
    def empty(self) -> bool:
        return not (self.events or self.slots or (self.off and not self.weekend))


@dataclass(frozen=True)
class _Month:
    title: str
    weeks: tuple[tuple[_Day | None, ...], ...]
    advice: tuple[tuple[str, str], ...]  # what, and what is better


def _countries(r: Rehearsal) -> list[str]:
    from outreach.campaign.calendar import country_name

    return [country_name(code) for code in _codes(r)]


def _codes(r: Rehearsal) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for c in r.campaigns for code in c.defaults.holidays))


def _months(r: Rehearsal, zones: Zones) -> Iterator[_Month]:
    days: dict[date, _Day] = {}
    for group in _by_slot(one for one in r.posts if one.slot):
        if slot := group[0].slot:
            on = days.setdefault(zones.date(slot.at), _Day(zones.date(slot.at)))
            times = " / ".join(
                slot.at.astimezone(_zone(zone)).strftime("%H:%M") for zone in _two(r)
            )
            on.slots.append((times, group[0].message, len(group), _anchor(group[0])))
    for campaign in r.campaigns:
        for name, event in campaign.events.items():
            if held := _held_on(event):
                days.setdefault(held, _Day(held)).events.append(name)
    off = Calendar(_codes(r))
    advice: dict[tuple[int, int], dict[tuple[str, str], None]] = {}
    for one in r.posts:
        for problem in one.advice:
            # What is said of a slot stands in the campaign; of a text, in its own file.
            if one.slot and problem.where.startswith("campaigns/"):
                on_day = zones.date(one.slot.at)
                found = advice.setdefault((on_day.year, on_day.month), {})
                found[problem.what, problem.hint] = None
    for year, month in sorted({(on.year, on.month) for on in days}):
        weeks = []
        for week in calendar.Calendar().monthdatescalendar(year, month):
            weeks.append(tuple(_in_grid(on, month, days, off) for on in week))
        told = tuple(advice.get((year, month), {}))
        yield _Month(f"{MONTHS[month - 1]} {year}", tuple(weeks), told)


def _held_on(event: Event) -> date | None:
    """The day of an event, or the one that it is planned with."""
    given: Any = event.date
    if isinstance(given, Tbc):
        return parse_day(given.plan_with) if isinstance(given.plan_with, str) else None
    return given if isinstance(given, date) else None


def _in_grid(on: date, month: int, days: Mapping[date, _Day], off: Calendar) -> _Day | None:
    if on.month != month:
        return None
    found = days.get(on) or _Day(on)
    found.off = off.why_off(on)
    found.weekend = found.off in ("a Saturday", "a Sunday")
    return found


def _two(r: Rehearsal) -> list[str]:
    return [zone for zone in r.zones if zone]


@cache
def _zone(name: str) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


# --- what the desk would do ---------------------------------------------------------------


def _by_slot(posts: Iterable[Shown]) -> list[list[Shown]]:
    """Posts of one message at one time together, in the order they come."""
    groups: dict[tuple[object, ...], list[Shown]] = {}
    for one in posts:
        groups.setdefault((one.campaign, one.message, one.slot), []).append(one)
    return list(groups.values())


def _is_missed(one: Shown) -> bool:
    """It had a time, and did not go out."""
    return bool(one.slot) and not one.published


@dataclass(frozen=True)
class _Outcome:
    words: str
    tone: str  # good, open, bad


def _outcome(one: Shown, r: Rehearsal, zones: Zones) -> _Outcome:
    if not one.slot:
        return _Outcome("no time yet", "open")
    if not one.published:
        return _Outcome(
            f"{one.state or 'not sent'}: {one.reason or 'it never left the desk'}", "bad"
        )
    hours = zones.hours(one.at).partition(" (")[0] if one.at else ""
    if one.by_hand:
        words = f"handed to a person on time, who posts it by {hours}, it is assumed"
    elif one.at == one.slot.at:
        words = "published on time"
    else:
        words = f"published at {hours}"
    if one.waits and r.as_if_confirmed:
        return _Outcome(f"{words}, as if confirmed", "open")
    return _Outcome(words, "good")


def _line(group: Sequence[Shown], r: Rehearsal, zones: Zones) -> dict[str, Any]:
    """One slot of one message: when, and what became of it where."""
    alike: dict[tuple[str, _Outcome], list[str]] = {}
    for one in group:
        alike.setdefault((one.language, _outcome(one, r, zones)), []).append(one.channel.title)
    first = group[0]
    return {
        "when": zones.show(first.slot.at) if first.slot else "",
        "written": first.slot.written if first.slot else "",
        "asked": first.wanted.written if first.wanted else "",
        "message": first.message,
        "campaign": first.campaign,
        "anchor": _anchor(first),
        "together": first.together,
        "outcomes": [
            (language, ", ".join(channels), outcome)
            for (language, outcome), channels in alike.items()
        ],
    }


def _anchor(one: Shown) -> str:
    local = f"-{one.slot.wall.replace(':', '')}" if one.series and one.slot else ""
    asked = "-asked" if one.wanted else ""
    return f"post-{one.campaign}-{one.message}{local}{asked}"


def _missed(one: Shown, r: Rehearsal, zones: Zones) -> dict[str, str]:
    """A post that did not go out, why, and what to do about it."""
    hint = "see what its text waits for, above"
    siblings = [
        other
        for other in r.posts
        if (other.campaign, other.message, other.slot) == (one.campaign, one.message, one.slot)
        and other.language != one.language
        and not other.published
    ]
    why = one.reason or "it never left the desk"
    waiting = sorted({s.language for s in siblings if s.blocked})
    if one.mistakes:
        why, hint = f"its files have a mistake: {one.mistakes[0].what}", one.mistakes[0].hint
    elif one.waits:
        why += f": {'; '.join(dict.fromkeys(problem.what for problem in one.waits))}"
        hint = one.waits[0].hint
    elif "on hold" in one.reason:
        hint = "outreach release, when its reason is over"
    elif one.together and waiting:
        why += f": its languages go out together, and {', '.join(waiting)} could not"
        hint = "get that ready too, or write release: as-ready"
    elif not _may_clear(one, r):
        why += ": nobody of the office may clear it, since nobody clears what they wrote"
        hint = "give a second person the role clearer in config/people.toml"
    when = zones.show(one.slot.at) if one.slot else ""
    where = f"{one.message} ({one.language}) on {one.channel.title}"
    return {"when": when, "what": where, "why": why, "hint": hint}


def _may_clear(one: Shown, r: Rehearsal) -> bool:
    return any(
        needed.who
        for needed in r.needed
        if (needed.campaign, needed.message, needed.language)
        == (one.campaign, one.message, one.language)
    )


def _waiting(r: Rehearsal, zones: Zones) -> Iterator[dict[str, Any]]:
    """What would be missed if the files stayed as they are: a line for each slot of a message."""
    for group in _by_slot(one for one in r.posts if one.slot):
        blocked = [one for one in group if one.blocked]
        if not blocked:
            continue
        # Together: one language that is not ready keeps the others.
        lost = group if group[0].together else blocked
        also = [one for one in lost if one not in blocked]
        latest = min((one.late_after for one in lost if one.late_after), default=None)
        yield {
            "message": group[0].message,
            "anchor": _anchor(group[0]),
            "latest": zones.show(latest) if latest else "",
            "posts": len(lost),
            "of": len(group),
            "also": sorted({one.language for one in also}),
            "why": list(dict.fromkeys(p.what for one in blocked for p in one.blocked)),
        }


# --- the posts ----------------------------------------------------------------------------

_NETWORKS = {
    "bluesky": "Bluesky",
    "facebook": "Facebook",
    "feed": "Web feed",
    "linkedin": "LinkedIn",
    "manual": "posted by hand",
    "mastodon": "Mastodon",
    "telegram": "Telegram",
    "x": "X",
}
_STANDS = {
    Translation.MISSING: "not translated yet",
    Translation.STALE: "made from an earlier source text",
    Translation.UNREVIEWED: "not reviewed yet",
    Translation.WRONG: "in another language",
    Translation.READY: "reviewed",
}


@cache
def language_name(code: str) -> str:
    """ "Chinese", in English; the code where that is not known."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(code, sep="-").get_display_name("en") or code
    except (UnknownLocaleError, ValueError):
        return code


def _message(group: Sequence[Shown], r: Rehearsal, zones: Zones) -> dict[str, Any]:
    first = group[0]
    return {
        "message": first.message,
        "campaign": first.campaign,
        "anchor": _anchor(first),
        "when": zones.show(first.slot.at) if first.slot else "no time yet: listed, never sent",
        "asked": first.wanted.written if first.wanted else "",
        "together": first.together,
        "stacks": _stacks([_card(one, r, zones) for one in group]),
    }


def _stacks(cards: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Cards as they stand side by side: one that reads the same as another is below it."""
    stacks: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for card in cards:
        one: Shown = card["one"]
        stacks.setdefault((one.language, one.same_as or one.channel.name), []).append(card)
    return list(stacks.values())


def _card(one: Shown, r: Rehearsal, zones: Zones) -> dict[str, Any]:
    stands = _STANDS.get(one.translation, "")
    who = f"translated by {one.translator}; " if one.translator not in ("", "open") else ""
    reviewer = one.reviewer if one.reviewer not in ("", "open") else "open"
    return {
        "one": one,
        "title": one.channel.title or one.channel.name,
        "network": _NETWORKS.get(one.network, one.network),
        "manner": one.network if one.network in _NETWORKS else "plain",
        "account": _account(one),
        "initial": manner.initial(one.channel.title or one.channel.name),
        "language": language_name(one.language),
        "dir": direction(one.language),
        "outcome": _outcome(one, r, zones),
        "time": _time_shown(one, zones),
        "same_as": r.titles.get(one.same_as, ""),
        "stands": f"{stands} ({who}reviewer: {reviewer})" if stands else "",
        "parts": [_part(n, one.post.parts, one) for n in range(len(one.post.parts))]
        if one.post
        else [],
        "waits": list(dict.fromkeys(problem.what for problem in one.waits)),
        "mistakes": list(dict.fromkeys(problem.what for problem in one.mistakes)),
        "questions": list(dict.fromkeys(problem.what for problem in one.questions)),
    }


def _account(one: Shown) -> str:
    """The account as its public knows it: "@neaspec"."""
    name = one.channel.account.partition(" ")[2]
    return "to be confirmed" if name in ("tbc", "@tbc") else name


def _time_shown(one: Shown, zones: Zones) -> str:
    """The time as that network shows it: its readers' own clocks, but for the feed."""
    if not one.slot:
        return ""
    if one.network == "feed":
        return f"{moment(one.slot.at, 'UTC')} UTC"
    return zones.show(one.slot.at).partition(" (")[0]


def _part(number: int, parts: Sequence[Part], one: Shown) -> dict[str, Any]:
    part = parts[number]
    title, text = manner.title_and_text(part.text, one.network)
    name = called(parts, number)
    return {
        "name": name[:1].upper() + name[1:],
        "title": manner.marked_up(title, one.network) if title else "",
        "text": manner.marked_up(text, one.network),
        "room": manner.room_of(part, load(one.network).limits, number),
        "pictures": [(_thumbnail(p), p) for p in part.pictures],
        "in_text": any(map(load(one.network).limits.prints, part.pictures)),
    }


@cache
def _thumbnail(picture: Any) -> str:
    return manner.thumbnail(picture)


# --- problems and clearances --------------------------------------------------------------


@dataclass(frozen=True)
class _Kind:
    """One kind of problem: its rows are (places, what, what to do, whom it concerns)."""

    name: str
    heading: str
    told: str
    rows: tuple[tuple[tuple[str, ...], str, str, tuple[str, ...]], ...]


def _problems(r: Rehearsal) -> Iterator[_Kind]:
    questions = {problem for one in r.posts for problem in one.questions}
    kinds: dict[str, list[Problem]] = {"mistakes": [], "open": [], "questions": [], "advice": []}
    for problem in r.problems:
        if problem in questions:
            kinds["questions"].append(problem)
        elif problem.mistake:
            kinds["mistakes"].append(problem)
        else:
            kinds["open" if problem.open else "advice"].append(problem)
    words = {
        "mistakes": ("Mistakes", "To put right: what has one is not proposed for clearance."),
        "open": ("To be confirmed", "No mistakes: but a post that prints it, or needs it, waits."),
        "questions": ("For a person to decide", "Decided at clearance; the decision is recorded."),
        "advice": ("To think about", "Nothing waits for it."),
    }
    concerned: dict[Problem, dict[str, None]] = {}
    for one in r.posts:
        for problem in (*one.blocked, *one.questions, *one.advice):
            concerned.setdefault(problem, {})[f"{one.message} ({one.language})"] = None
    for name, found in kinds.items():
        same: dict[tuple[str, str], list[Problem]] = {}
        for problem in found:
            same.setdefault((problem.what, problem.hint), []).append(problem)
        rows = tuple(
            (
                tuple(dict.fromkeys(p.where for p in those)),
                what,
                hint,
                tuple(dict.fromkeys(c for p in those for c in concerned.get(p, ()))),
            )
            for (what, hint), those in same.items()
        )
        yield _Kind(name, *words[name], rows)


def _needed(one: Needed, r: Rehearsal) -> dict[str, Any]:
    zones = Zones(*r.zones)
    first = one.slots[0]
    usual = zones.date(first.at) - timedelta(days=1) == one.by
    return {
        "message": one.message,
        "campaign": one.campaign,
        "language": language_name(one.language),
        "code": one.language,
        "channels": ", ".join(r.titles.get(name, name) for name in one.channels),
        "who": " or ".join(one.who),
        "authors": ", ".join(one.authors),
        "by": day(one.by),
        "why_then": "the day before" if usual else "the last working day before",
        "slot": zones.show(first.at),
        "later": [zones.show(slot.at) for slot in one.slots[1:]],
        "waits": one.waits,
        "questions": one.questions,
    }
