"""What applying the files would change: a value, computed from the files and the database.

Nothing here reads a file or a table: `plan()` takes what the files ask for and what stands, and
says which operations lead from one to the other. The hash covers the operations and the states
they start from, never the time, so that `apply HASH` does exactly what was shown or nothing.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol

from outreach.campaign.values import Late
from outreach.errors import Problem
from outreach.post import Post, Slot


class Kind(StrEnum):
    """What happens to one delivery."""

    ADD = "add"
    CHANGE = "change"  #: what the public sees changes
    MOVE = "move"  #: its slot changes, its text does not
    RULES = "rules"  #: only how late it may be, what it waits for, or who wrote it
    BLOCK = "block"  #: it can no longer be made: something it prints is open or wrong
    DROP = "drop"


class Wanted(Protocol):
    """What a file asks for: a `Draft` of `outreach/compose`."""

    @property
    def key(self) -> str: ...
    @property
    def campaign(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def local(self) -> str: ...
    @property
    def post(self) -> Post | None: ...
    @property
    def slot(self) -> Slot | None: ...
    @property
    def not_after(self) -> datetime | None: ...
    @property
    def late(self) -> Late: ...
    @property
    def release(self) -> str: ...
    @property
    def authors(self) -> frozenset[str]: ...
    @property
    def blocked(self) -> tuple[Problem, ...]: ...
    @property
    def advice(self) -> tuple[Problem, ...]: ...
    @property
    def outdated(self) -> str: ...
    @property
    def wanted(self) -> Slot | None: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """One delivery as the database has it."""

    key: str
    campaign: str
    message: str
    channel: str
    state: str
    fingerprint: str
    slot: Slot
    late_seconds: int
    not_after: datetime | None
    together: bool
    blocked: str
    window: tuple[datetime, datetime] | None = None  # of the clearance in force
    cleared_by: str = ""  # whose yes that is; "" for an emergency's
    authors: frozenset[str] = frozenset()
    begun: bool = False  # a part of it is live
    asked: bool = False  # another office has its package, which can be replaced or recalled


@dataclass(frozen=True, slots=True)
class Operation:
    """One change to one delivery, with its reason in words."""

    kind: Kind
    key: str
    why: str  # for the reader; follows from the rest and the time, and is not part of the hash
    state: str = ""  # where it starts from; "" for a new one
    fingerprint: str = ""  # what it starts from
    becomes: str = ""  # the new fingerprint
    was_at: str = ""  # ISO 8601, UTC
    at: str = ""
    wall: str = ""
    zone: str = ""
    rules: str = ""  # how late it may be, what it waits for, who wrote it
    blocked: str = ""  # why it cannot be cleared, or ""
    voids: bool = False  # a clearance ends
    text: str = ""  # what would be public, for the reader; not part of the hash
    was_text: str = ""  # what it starts from, where somebody has looked it up


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the plan will not do, and why."""

    kind: str  # event, past, idea, blocked, unreadable, in flight, correction needed, moved after,
    # advice, empty
    key: str
    what: str


@dataclass(frozen=True)
class Plan:
    """What applying the files would change. Shown alike by every door."""

    operations: tuple[Operation, ...]
    notices: tuple[Notice, ...]
    cleared: int = 0  # deliveries that are cleared now

    @property
    def hash(self) -> str:
        """Twelve hexadecimal characters over the operations and what they start from."""
        told = hashlib.sha256()
        for op in sorted(self.operations, key=lambda op: op.key):
            one = {**asdict(op), "why": "", "text": "", "was_text": ""}
            told.update(json.dumps(one, sort_keys=True).encode() + b"\n")
        return told.hexdigest()[:12]

    @property
    def dropped_cleared(self) -> int:
        return sum(op.kind is Kind.DROP and op.state == "cleared" for op in self.operations)

    @property
    def too_much(self) -> bool:
        """Whether it drops more than a third of what is cleared."""
        return self.dropped_cleared * 3 > self.cleared > 0

    def count(self, kind: Kind) -> int:
        return sum(op.kind is kind for op in self.operations)

    def as_data(self) -> dict[str, Any]:
        """For `--json`: {hash, operations: [...], notices: [...]}."""
        return {
            "hash": self.hash,
            "operations": [asdict(op) for op in self.operations],
            "notices": [asdict(notice) for notice in self.notices],
        }


_SEEN = {Kind.ADD, Kind.CHANGE, Kind.MOVE}
_PENDING = {"proposed", "cleared", "failed", "missed", "skipped", "past", "dropped"}


def plan(
    wanted: Iterable[Wanted],
    standing: Iterable[Standing],
    *,
    now: datetime,
    unreadable: Iterable[str] = (),
    emptied: bool = False,
) -> Plan:
    """The operations that lead from what stands to what the files want.

    `unreadable` names campaigns whose file is broken: theirs is left alone. A broken file may
    hide even its campaign's name: while one is named that nobody knows, nothing that stands is
    dropped for having no file. `emptied` says that no campaign could be read at all.
    """
    wanted = list(wanted)
    operations: list[Operation] = []
    notices: list[Notice] = []
    have = {row.key: row for row in standing}
    left = dict(have)
    for draft in wanted:
        row = left.pop(draft.key, None)
        found = _add(draft, now) if row is None else _revise(draft, row, now)
        if any(isinstance(item, Operation) and item.kind in _SEEN for item in found):
            found += [Notice("advice", draft.key, _said(problem)) for problem in draft.advice]
        operations += [item for item in found if isinstance(item, Operation)]
        notices += [item for item in found if isinstance(item, Notice)]
    broken = set(unreadable)
    if broken - {row.campaign for row in have.values()}:
        broken |= {row.campaign for row in left.values()} - {draft.campaign for draft in wanted}
    for row in left.values():
        left_over = _leave(row, broken, emptied)
        if isinstance(left_over, Operation):
            operations.append(left_over)
        elif left_over:
            notices.append(left_over)
    if emptied and have:
        notices.append(
            Notice("empty", "", "no campaign could be read: nothing is dropped because of that")
        )
    # By time, then by key. Twice, since a pair for each of ten thousand operations is memory.
    operations.sort(key=lambda op: op.key)
    operations.sort(key=lambda op: op.at or op.was_at)
    return Plan(
        tuple(operations), tuple(notices), sum(row.state == "cleared" for row in have.values())
    )


def _add(draft: Wanted, now: datetime) -> list[Operation | Notice]:
    if draft.slot is None:
        why = "; ".join(problem.what for problem in draft.blocked) or "an idea: it has no time yet"
        return [Notice("idea", draft.key, why)]
    found: list[Operation | Notice] = []
    why = "new"
    if draft.wanted:
        wanted = draft.wanted.written
        why = f"new, a package for another office: to be cleared by then, wanted for {wanted}"
    if draft.slot.at <= now:
        why = "its slot is past already: it is listed, and never sent"
        found.append(Notice("past", draft.key, f"its slot was {draft.slot.written}"))
    elif draft.blocked:
        why = f"{why}, and it waits: {reasons(draft)}"
    found.append(
        Operation(
            Kind.ADD,
            draft.key,
            why,
            becomes=draft.post.fingerprint if draft.post and not draft.blocked else "",
            text=_text(draft),
            at=_iso(draft.slot.at),
            wall=draft.slot.wall,
            zone=draft.slot.zone,
            rules=_rules(draft),
            blocked=reasons(draft),
        )
    )
    found += [Notice("blocked", draft.key, _said(problem)) for problem in draft.blocked]
    return found


def _revise(draft: Wanted, row: Standing, now: datetime) -> list[Operation | Notice]:
    new = draft.post.fingerprint if draft.post and not draft.blocked else ""
    same_text, same_slot = new == row.fingerprint, draft.slot == row.slot
    if row.asked and same_text:
        return []
    if (row.state not in _PENDING and not row.asked) or (row.begun and not same_text):
        return _after_the_fact(draft, row, now, same_text=same_text, same_slot=same_slot)
    if draft.slot is None:
        if row.state == "dropped":
            return []
        why = "it has no time any more: an idea" + _recalled(row)
        return [_operation(Kind.DROP, why, row, voids=row.state == "cleared")]
    notices = [Notice("blocked", draft.key, _said(problem)) for problem in draft.blocked]
    if row.state in {"past", "missed", "skipped"} and same_slot and same_text:
        return list(notices)
    blocked = reasons(draft)
    outside = row.window is not None and not (row.window[0] <= draft.slot.at < row.window[1])
    by_its_author = bool(row.cleared_by) and row.cleared_by in draft.authors
    voids = row.state == "cleared" and (not same_text or outside or by_its_author)
    change: tuple[Kind, str] | None = None
    if row.state == "dropped":
        change = Kind.ADD, "it is in the file again"
    elif blocked and blocked != row.blocked:
        change = Kind.BLOCK, blocked
    elif not same_text:
        why = "it can be made now" if row.blocked else "what the public would see changes"
        if not same_slot:
            why += f", and it moves from {row.slot.written}"
        if row.asked:
            why += "; once cleared, a new package replaces the one that they have"
        change = Kind.CHANGE, why
    elif not same_slot:
        why = f"it moves from {row.slot.written}"
        if row.state == "cleared":
            why += ", outside what was cleared" if outside else ", within what was cleared"
        change = Kind.MOVE, why
    elif why := _new_rules(draft, row):
        change = Kind.RULES, why
    if change is None:
        return list(notices)
    made = _operation(
        *change,
        row,
        voids=voids,
        at=_iso(draft.slot.at),
        wall=draft.slot.wall,
        zone=draft.slot.zone,
        becomes=new,
        rules=_rules(draft),
        blocked=blocked,
        text=_text(draft),
    )
    return [made, *notices]


def _new_rules(draft: Wanted, row: Standing) -> str:
    rules = (late_seconds(draft), draft.not_after, draft.release == "together")
    if rules != (row.late_seconds, row.not_after, row.together):
        return "how late it may be, or what it waits for"
    new_authors = sorted(draft.authors - row.authors)
    return f"{', '.join(new_authors)} wrote it too" if new_authors else ""


def _after_the_fact(
    draft: Wanted, row: Standing, now: datetime, *, same_text: bool, same_slot: bool
) -> list[Operation | Notice]:
    """It may be live, or is: the plan says what a person has to decide and changes nothing."""
    if row.begun and row.state in _PENDING:
        what = "a part of it is out, and its text in the file is another one now"
        return [Notice("correction needed", row.key, what)]
    if row.state not in {"published", "taken-down"}:
        if same_text and same_slot:
            return []
        return [Notice("in flight", row.key, f"it is {row.state}; it is left as it was sent")]
    if draft.outdated:
        return [Notice("correction needed", row.key, f"it is published, and {draft.outdated}")]
    if not same_text and draft.post:
        return [
            Notice(
                "correction needed",
                row.key,
                "it is published, and its text in the file is another one now",
            )
        ]
    if not same_slot and draft.slot and draft.slot.at > now:
        return [
            Notice(
                "moved after",
                row.key,
                f"it is published, and its slot is now {draft.slot.written}: "
                "leave it, correct it, or publish it again as a new message",
            )
        ]
    return []


def _leave(row: Standing, broken: set[str], emptied: bool) -> Operation | Notice | None:
    """A delivery that no readable file asks for."""
    if row.campaign in broken or emptied:
        if row.state in _PENDING - {"dropped"} and row.campaign in broken:
            return Notice("unreadable", row.key, "its file cannot be read: it is left as it is")
        return None
    if row.state == "dropped":
        return None
    if row.state in _PENDING or row.asked:
        why = "it is no longer in the campaign file" + _recalled(row)
        return _operation(Kind.DROP, why, row, voids=row.state == "cleared")
    if row.state == "published":
        return Notice("correction needed", row.key, "it is published, and no longer in the file")
    return None


def _recalled(row: Standing) -> str:
    return "; the office that has its package is asked not to publish it" if row.asked else ""


def reasons(draft: Wanted) -> str:
    """Why this draft cannot be cleared, in one line; "" where it can."""
    return "; ".join(dict.fromkeys(problem.what for problem in draft.blocked))


def late_seconds(draft: Wanted) -> int:
    """How late it may be sent without asking."""
    return int(draft.late.within.total_seconds())


# A message has one time and one advice for all its channels, which stand together: few are enough
# to share them, and ten thousand would stay for ever.
_TOGETHER = 256


@lru_cache(maxsize=_TOGETHER)
def _iso(at: datetime) -> str:
    return at.isoformat()


@lru_cache(maxsize=_TOGETHER)
def _said(problem: Problem) -> str:
    return str(problem)


def _rules(draft: Wanted) -> str:
    return _told(late_seconds(draft), draft.not_after, draft.release, draft.authors)


@lru_cache(maxsize=1024)  # the same for nearly every post of a campaign
def _told(late: int, not_after: datetime | None, release: str, authors: frozenset[str]) -> str:
    stop = not_after.isoformat() if not_after else "never"
    return f"{late} s late, not after {stop}, {release}, by {', '.join(sorted(authors))}"


def _text(draft: Wanted) -> str:
    return "\n---\n".join(part.text for part in draft.post.parts) if draft.post else ""


def _operation(kind: Kind, why: str, row: Standing, **more: Any) -> Operation:
    return Operation(
        kind,
        row.key,
        why,
        state=row.state,
        fingerprint=row.fingerprint,
        was_at=_iso(row.slot.at),
        **more,
    )
