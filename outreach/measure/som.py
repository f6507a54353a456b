"""What the Senior Officials Meetings asked, and what was done: config/som.toml.

    [som-28]
    title = "Twenty-eighth Senior Officials Meeting (SOM-28)"
    starts = "2025-09-22"
    ends = "2025-09-23"
    place = "Ulaanbaatar"

    [[som-28.asked]]
    what = "Express interest in hosting the Forum in the coming years"
    source = "note by the secretariat, item 5 (d), para. 10 (a)"
    answer = "tbc"

What is not known is written tbc: such a date is not counted from, and such an answer is open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from outreach.errors import Problem, WrongFiles
from outreach.hints import did_you_mean
from outreach.measure.months import Period
from outreach.toml import line_of, read_toml


@dataclass(frozen=True)
class Asked:
    """One thing that was asked, and the officer's answer; "" while it is open."""

    what: str
    source: str
    answer: str = ""
    by: str = ""  # who wrote the answer


@dataclass(frozen=True)
class Meeting:
    """One meeting; days and place are None and "" while they are to be confirmed."""

    name: str
    title: str
    starts: date | None
    ends: date | None
    place: str
    asked: tuple[Asked, ...] = ()


def som(file: Path) -> tuple[Meeting, ...]:
    """The meetings of a file, in its order; none where there is no such file.

    Raises WrongFiles with every mistake and its line.
    """
    try:
        tables, text = read_toml(file, str(file))
    except FileNotFoundError:
        return ()
    problems = [
        Problem(f"{file}:{line}", f"{name}: {what}", hint)
        for name, table in tables.items()
        for line, what, hint in _mistakes(name, table, text)
    ]
    if problems:
        raise WrongFiles(problems)
    return tuple(_meeting(name, table) for name, table in tables.items())


def last_meeting(meetings: Sequence[Meeting], before: date) -> Meeting | None:
    """The last one that was over before this day, of those whose days are known."""
    over = [one for one in meetings if one.ends and one.ends < before]
    return max(over, key=lambda one: one.ends or date.min, default=None)


def since(meeting: Meeting, until: date, zone: str) -> Period:
    """From the day after a meeting to a day, both included. Its days have to be known."""
    if meeting.ends is None:
        raise ValueError(f"the days of {meeting.name} are not known")
    return Period.of_days(meeting.ends + timedelta(days=1), until, zone)


_KEYS: Final = ("title", "starts", "ends", "place", "asked")
_ASKED: Final = ("what", "source", "answer", "by")
_TBC: Final = "tbc"


def _open(value: object) -> bool:
    return isinstance(value, str) and value.strip().casefold() in ("", _TBC)


def _mistakes(name: str, table: object, text: str) -> Iterator[tuple[int, str, str]]:
    """Line, what is wrong, and what to do."""
    if not isinstance(table, dict):
        yield line_of(text, (name,)), "is no meeting", f'write [{name}], and title = "…" below it'
        return
    yield from _wrong_keys(table, _KEYS, lambda key: line_of(text, (name, key)))
    for key in ("title", "starts", "ends", "place"):
        if key not in table:
            yield line_of(text, (name,)), f"{key} is missing", f'write {key} = "…", or "tbc"'
    days = {}
    for key in ("starts", "ends"):
        if key in table and not _open(table[key]):
            days[key] = _day(table[key])
            if days[key] is None:
                line = line_of(text, (name, key))
                yield line, f"{key} is no day: {table[key]!r}", 'write "2025-09-22", or "tbc"'
    starts, ends = days.get("starts"), days.get("ends")
    if starts and ends and ends < starts:
        yield line_of(text, (name, "ends")), "it ends before it starts", "put one of them right"
    asked = table.get("asked", [])
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        what, hint = "asked is no list", f'write [[{name}.asked]], and what = "…" below it'
        yield line_of(text, (name, "asked")), what, hint
        return
    for number, one in enumerate(asked):
        line = _line_of_asked(text, name, number)
        yield from _wrong_keys(one, _ASKED, lambda _key, line=line: line)
        for key in ("what", "source"):
            if _open(one.get(key, "")):
                yield line, f"{key} is missing", f'write {key} = "…"'


def _wrong_keys(
    table: Mapping[str, Any], known: Sequence[str], line: Any
) -> Iterator[tuple[int, str, str]]:
    for key, value in table.items():
        if key not in known:
            hint = did_you_mean(key, known) or f"known are: {', '.join(known)}"
            yield line(key), f"there is no key {key!r}", hint
        elif key != "asked" and not isinstance(value, str | date):
            yield line(key), f"{key} must be a text", f'write {key} = "…"'


def _line_of_asked(text: str, name: str, number: int) -> int:
    """The line of the nth [[name.asked]]."""
    heads = [
        line
        for line, one in enumerate(text.splitlines(), 1)
        if one.replace(" ", "").replace('"', "").startswith(f"[[{name}.asked]]")
    ]
    return heads[number] if number < len(heads) else line_of(text, (name, "asked"))


def _day(value: object) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        return None


def _meeting(name: str, table: Mapping[str, Any]) -> Meeting:
    def said(key: str) -> str:
        return "" if _open(table[key]) else str(table[key]).strip()

    return Meeting(
        name=name,
        title=said("title") or name.upper(),
        starts=_day(said("starts")) if said("starts") else None,
        ends=_day(said("ends")) if said("ends") else None,
        place=said("place"),
        asked=tuple(
            Asked(
                what=one["what"].strip(),
                source=one["source"].strip(),
                answer="" if _open(one.get("answer", "")) else one["answer"].strip(),
                by=one.get("by", ""),
            )
            for one in table.get("asked", [])
        ),
    )
