"""The content calendar: a row a message, then a column for each language and variant.

One sheet for all campaigns, with a column that names the campaign: the office looks at one week
across all of them, and sorts and filters it; and a name of a campaign may be longer than Excel
lets a sheet's name be.

A cell that is emptied takes its key out, so that the campaign's defaults count; a text is never
taken out by emptying it, and a message only where `remove` says yes.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from outreach.compose.texts import Section, Texts
from outreach.errors import Changed, Problem
from outreach.platforms import Channel
from outreach.sheets.book import Book, Column, Got, Line, Row, mark, plain, same
from outreach.sheets.names import differing
from outreach.sheets.office import (
    Change,
    Import,
    KeyEdit,
    Planned,
    TextEdit,
    kept,
    name_of,
    one_text_each,
    put_right_first,
    said,
    unknown,
)
from outreach.sheets.xlsx import address

if TYPE_CHECKING:
    from outreach.campaign.models import Campaign
    from outreach.compose import Draft

KIND: Final = "calendar"
TABLE: Final = "Calendar"
SPARE: Final = 30

CAMPAIGN, MESSAGE, WHEN, STATUS, CHANNELS = "campaign", "message", "when", "status", "channels"
REMOVE: Final = "remove"
KEYS: Final = {
    WHEN: "at",
    "to": "to",
    "release": "release",
    "if-late": "if-late",
    "not-after": "not-after",
    "embargo": "embargo",
    "days-off": "days-off",
}
"""The columns that are keys of a message in its campaign file."""
HEADS: Final = frozenset({CAMPAIGN, MESSAGE, REMOVE, *KEYS})
"""What has to be there for a sheet to be read."""

_CHOICES: Final = {"release": ("together", "as-ready"), "days-off": ("before", "after", "keep")}
_IDENTIFIER: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HEAD: Final = re.compile(
    r"(?P<language>[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)"
    r"(?: @(?P<target>[A-Za-z0-9][A-Za-z0-9_-]*))?(?: (?P<number>[1-9][0-9]{0,2}))?"
)
_NOTES: Final = {
    WHEN: "As in the campaign file: forum - 7 days, or 2025-08-18 10:00 Asia/Seoul. "
    "Empty: an idea, which is never sent.",
    "to": "An audience of the campaign. Empty: the campaign's usual one.",
    "release": "together: all languages at once. as-ready: each when it is cleared.",
    "if-late": "send within 15 minutes, then ask. Empty: as the campaign says.",
    "not-after": "After this moment it is never sent. Empty: as the campaign says.",
    "embargo": "Nothing before this moment. Empty: as the campaign says.",
    "days-off": "On a weekend or holiday: before, after, or keep. Empty: as the campaign says.",
}

Place = tuple[str, str, int]  # language, target, number


def head_of(place: Place) -> str:
    """A text's column: "en", "en @x", "en 1"."""
    language, target, number = place
    return " ".join(filter(None, (language, target and f"@{target}", str(number or ""))))


def place_of(head: str) -> Place | None:
    """The text that a column is for; None where the head is none."""
    found = _HEAD.fullmatch(head)
    if not found:
        return None
    return found["language"], found["target"] or "", int(found["number"] or 0)


# --- out ----------------------------------------------------------------------------------


def status(told: Planned, ours: Sequence["Draft"], states: Mapping[str, str]) -> str:
    """Where a message stands, in a few words, as `ours`, its drafts, and its deliveries have it.

    `states` are those of deliveries, by their key.
    """
    if told.message.at is None and told.message.every is None:
        return "idea"
    counts: dict[str, int] = {}
    for draft in ours:
        state = states.get(draft.key, "not applied")
        counts[state] = counts.get(state, 0) + 1
    words = [f"{count} {state}" for state, count in counts.items()]
    blocked = dict.fromkeys(problem for draft in ours for problem in draft.blocked)
    mistakes = sum(problem.mistake for problem in blocked)
    waits = dict.fromkeys(problem.what for problem in blocked if problem.open)
    if mistakes:
        words.append(f"{mistakes} to put right")
    if waits:
        words.append(f"waits: {next(iter(waits))}" + (" …" if len(waits) > 1 else ""))
    if packages := sorted({(d.slot.at, d.slot.written) for d in ours if d.wanted and d.slot}):
        words.append(f"package to another office, to be cleared by {packages[0][1]}")
    return "; ".join(words) or "for nobody yet"


def book(
    messages: Sequence[Planned],
    *,
    office: str,
    zones: Sequence[tuple[str, Callable[[datetime], str]]],
    states: Mapping[tuple[str, str], str],
) -> Book:
    """The calendar. `zones` are the office's, each with how it shows an instant; `states` say
    where each message (campaign, name) stands."""
    places = _places(messages)
    columns = (
        Column(CAMPAIGN, 14, key=True),
        Column(MESSAGE, 18, key=True),
        Column(WHEN, 24, write=True, note=_NOTES[WHEN]),
        *(Column(f"slot in {zone}", 19) for zone, _ in zones),
        Column(STATUS, 22),
        Column("to", 10, write=True, note=_NOTES["to"]),
        Column(CHANNELS, 20),
        *(
            Column(key, 13, write=True, note=_NOTES[key], choices=_CHOICES.get(key, ()))
            for key in list(KEYS)[2:]
        ),
        Column(REMOVE, 9, write=True, choices=("yes",), note="yes: take this message out."),
        *(Column(head_of(place), 44, write=True, language=place[0]) for place in places),
    )
    heads = [column.head for column in columns]
    lines = tuple(_line(told, heads, zones, states) for told in messages)
    return Book(KIND, TABLE, columns, lines, _about(office), spare=SPARE)


def _places(messages: Sequence[Planned]) -> list[Place]:
    """Every text that there is or should be: languages in the campaigns' order, variants after."""
    order: dict[str, None] = {}
    found: set[Place] = set()
    for told in messages:
        order |= dict.fromkeys(told.campaign.languages.all)
        found |= {(language, "", 0) for language in told.audience()}
        found |= {name_of(section) for section in told.texts.sections}
    order |= dict.fromkeys(language for language, _, _ in sorted(found))
    # A language whose texts all take turns has no plain one.
    numbered = {(language, target) for language, target, number in found if number}
    sections = {name_of(section) for told in messages for section in told.texts.sections}
    found -= {(lg, t, 0) for lg, t in numbered if (lg, t, 0) not in sections}
    ranks = list(order)
    return sorted(found, key=lambda place: (ranks.index(place[0]), place[1], place[2]))


def _line(
    told: Planned,
    heads: Sequence[str],
    zones: Sequence[tuple[str, Callable[[datetime], str]]],
    states: Mapping[tuple[str, str], str],
) -> Line:
    every, slots, why = _every(told), *_slots(told)
    more = f"\nand {len(slots) - 1} more" if len(slots) > 1 else ""
    typed = {head: _text(told.typed.get(key, "")) for head, key in KEYS.items()}
    cells = {
        **{head_of(name_of(section)): section.source for section in told.texts.sections},
        CAMPAIGN: told.campaign.campaign,
        MESSAGE: told.name,
        **typed,
        WHEN: every or typed[WHEN],
        **{f"slot in {zone}": show(slots[0]) + more if slots else why for zone, show in zones},
        STATUS: states.get((told.campaign.campaign, told.name), ""),
        CHANNELS: "; ".join(
            f"{language}: {', '.join(named)}" for language, named in told.audience().items()
        ),
    }
    written = tuple(cells.get(head, "") for head in heads)
    return Line(written, frozenset({WHEN}) if every else frozenset())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _every(told: Planned) -> str:
    """A series in words, "every mon, thu at 10:00 Asia/Bangkok, from … until …"; "" for none."""
    every = told.message.every
    if every is None:
        return ""
    days = ", ".join(every.days)
    return f"every {days} at {every.time}, from {every.from_.written} until {every.until.written}"


def _slots(told: Planned) -> tuple[list[datetime], str]:
    """When it is due, in order; or none, and why."""
    from outreach.campaign.occasions import occasions
    from outreach.post import Slot

    alone = told.campaign.model_copy(update={"messages": {told.name: told.message}})
    found = [one.slot for one in occasions(alone)]
    why = next((one.what for one in found if isinstance(one, Problem)), "")
    return sorted(slot.at for slot in found if isinstance(slot, Slot)), why


def _about(office: str) -> tuple[str, ...]:
    return (
        "# Content calendar",
        f"{office}. One row is one message; the columns at the right are its texts, a language "
        "each.",
        "",
        "# What you may do",
        f"•  Change whatever stands in a white cell of the sheet “{TABLE}”: times, rules, texts. "
        "For a new line inside a cell, press Alt and Enter (on a Mac: Control, Option and Enter).",
        "•  Add a message: write into one of the empty rows at the end. It needs the name of its "
        "campaign and a name of its own, with small letters, digits and hyphens: "
        "registration-open.",
        f"•  Take a message out: choose yes under “{REMOVE}”. Emptying a row, or deleting it, "
        "takes nothing out.",
        "•  Empty a cell that is no text: then what the campaign says for all its messages counts.",
        "•  Filter the rows. To sort them, take the protection of the sheet off first (Review, "
        "Unprotect Sheet): it has no password.",
        "",
        "# What never to change",
        "•  Whatever stands in braces, such as {{ events.forum.date }}: the program fills it in.",
        "•  A line of three dashes (---): there the next post of a thread begins.",
        "•  The order and the heads of the columns, and the grey cells: they are for information.",
        "•  The hidden sheet of this file. It tells what you have changed.",
        "",
        "# How times are written",
        "•  forum - 7 days: seven days before the forum, at the campaign's usual hour. Move the "
        "forum, and the message moves with it.",
        "•  forum - 7 days, 10:00 Asia/Seoul: at that hour.",
        "•  2025-08-18 10:00 Asia/Seoul: that moment.",
        "•  Empty: an idea. It is listed, and never sent.",
        "",
        "# Then",
        "Save the file as an Excel workbook (.xlsx) and import it: outreach sheet import FILE. It "
        "shows what would change before anything is written. Nothing is published by it: a second "
        "person reads every text.",
    )


# --- in -----------------------------------------------------------------------------------


def read(
    got: Got,
    messages: Sequence[Planned],
    campaigns: Sequence["Campaign"],
    channels: Mapping[str, Channel],
    texts_of: Callable[[str], Texts],
) -> Import:
    """What the sheet that came back asks for, and every mistake in it.

    `texts_of` reads a text file, by its path from the office's folder: that of a new message may
    be there already.
    """
    reader = _Reader(got, messages, campaigns, channels, texts_of)
    reader.problems += got.problems
    reader.heads()
    for row in got.rows:
        reader.row(row)
    reader.problems += one_text_each(reader.texts)
    return Import(
        KIND,
        tuple(reader.changes),
        tuple(reader.texts),
        tuple(reader.keys),
        tuple(reader.problems),
        tuple(reader.left(got)),
    )


@dataclass
class _Reader:
    """One calendar being read against the files."""

    got: Got
    messages: Sequence[Planned]
    campaigns: Sequence["Campaign"]
    channels: Mapping[str, Channel]
    texts_of: Callable[[str], Texts]
    problems: list[Problem] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    texts: list[TextEdit] = field(default_factory=list)
    keys: list[KeyEdit] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)

    @cached_property
    def _known(self) -> Mapping[tuple[str, str], Planned]:
        return {(one.campaign.campaign, one.name): one for one in self.messages}

    def heads(self) -> None:
        """The columns that are texts; one that is added at the end is a language or a mistake."""
        ours = {CAMPAIGN, MESSAGE, STATUS, CHANNELS, REMOVE, *KEYS}
        for column, head in enumerate(self.got.heads, start=1):
            if head in ours or head.startswith("slot in ") or not head:
                continue
            place = place_of(head)
            if place is None or head in self.places:
                what = (
                    f"a second column has the head “{head}”"
                    if place
                    else f"“{head[:60]}” is the head of no column here"
                )
                hint = "a column of texts has a language: ko, or with a variant: ko @x"
                where = f"{TABLE}!{address(1, column)}"
                self.problems.append(Problem(where, what, hint))
            else:
                self.places[head] = place

    def row(self, row: Row) -> None:
        name, message = row[CAMPAIGN].strip(), row[MESSAGE].strip()
        campaign = next((one for one in self.campaigns if one.campaign == name), None)
        if campaign is None:
            known = [one.campaign for one in self.campaigns]
            where = row.places[CAMPAIGN]
            if name:
                self.problems.append(unknown(where, "campaign", name, known))
            else:
                what = "the row does not say of which campaign it is"
                self.problems.append(Problem(where, what, f"there are: {', '.join(known)}"))
            return
        told = self._known.get((name, message))
        if told is None and row.untouched:
            return  # taken out of the file meanwhile, and nobody has changed it here
        if told is None and (problem := self._cannot_be_new(row, campaign, message)):
            self.problems.append(problem)
        elif told is None:
            self._new(row, campaign, message)
        elif self._stays(row, told):
            self._keys(row, told)
            self._texts(row, told)

    def _cannot_be_new(self, row: Row, campaign: "Campaign", name: str) -> Problem | None:
        where = row.places[MESSAGE]
        if row.seen is not None:
            what = f"{campaign.campaign} has no message {name} any more"
            return Problem(where, what, "delete this row; or give it a new name")
        if not _IDENTIFIER.fullmatch(name) or len(name) > 60:
            what = f"“{name[:60]}” cannot be the name of a message" if name else "it has no name"
            return Problem(where, what, "small letters, digits and hyphens: registration-open")
        return None

    def _stays(self, row: Row, told: Planned) -> bool:
        """Whether the row is to be read on: its message is not taken out, nor its row emptied."""
        remove = row[REMOVE].strip().casefold()
        where = row.places[REMOVE]
        if remove == "yes":
            path = ("messages", told.name)
            self.keys.append(KeyEdit(where, told.campaign.file, path, None))
            kept_texts = f"its texts stay in {told.file}" if not told.texts.missing else ""
            self._change(row, REMOVE, told.campaign.campaign, told.name, "", "", kept_texts)
            return False
        if remove not in ("", "no"):
            what = f"“{row[REMOVE][:60]}” stands under “{REMOVE}”"
            self.problems.append(Problem(where, what, "write yes, or leave it empty"))
        held = [*self.places, *KEYS]
        stood = any(mark_ != mark("") for head, mark_ in (row.seen or {}).items() if head in held)
        if stood and not any(row[head].strip() for head in held):
            what = f"the row of {told.name} was emptied, and nothing says that it is to go"
            hint = f"write yes under “{REMOVE}”, or put back what stood here"
            self.problems.append(Problem(where, what, hint))
            return False
        return True

    # --- keys -----------------------------------------------------------------------------

    def _keys(self, row: Row, told: Planned) -> None:
        for head, key in KEYS.items():
            if head not in self.got.heads:
                continue
            if head == WHEN and (every := _every(told)):
                if not same(row[head], every):
                    what = f"{told.name} is a series; its times cannot be changed here"
                    hint = f"change `every` in {told.campaign.file}"
                    self.problems.append(Problem(row.places[head], what, hint))
                continue
            now = _text(told.typed.get(key, ""))
            cell = self._kept(row, head, now)
            if cell is None:
                continue
            value = " ".join(cell.split())
            if value and (problem := self._wrong(row.places[head], head, value, told.campaign)):
                self.problems.append(problem)
                continue
            path = ("messages", told.name, key)
            self.keys.append(KeyEdit(row.places[head], told.campaign.file, path, value or None))
            note = ""
            if head == WHEN and not value:
                note = "it becomes an idea: listed, and never sent"
            elif not value:
                note = "as the campaign says for all its messages"
            self._change(row, head, told.campaign.campaign, told.name, now, value, note)

    def _wrong(self, where: str, head: str, value: str, campaign: "Campaign") -> Problem | None:
        from outreach.campaign.when import parse_late, parse_when

        if head in _CHOICES:
            if value in _CHOICES[head]:
                return None
            what = f"“{value[:60]}” stands under “{head}”"
            return Problem(where, what, f"write {', '.join(_CHOICES[head])}, or nothing")
        if head == "to":
            known = campaign.audiences
            return None if value in known else unknown(where, "audience", value, known)
        return said(where, parse_late if head == "if-late" else parse_when, value)

    def _kept(self, row: Row, head: str, now: str) -> str | None:
        try:
            return kept(row[head], now, (row.seen or {}).get(head))
        except Changed as error:
            words = " ".join(now.split())
            hint = f"the file has “{words[:60]}”; export a new sheet, and carry this over"
            self.problems.append(Problem(row.places[head], str(error), hint))
            return None

    # --- texts ----------------------------------------------------------------------------

    def _texts(self, row: Row, told: Planned) -> None:
        if told.broken:
            seen = row.seen or {}
            changed = (h for h in self.places if mark(row[h]) != seen.get(h, mark("")))
            if head := next(changed, ""):
                self.problems.append(put_right_first(row.places[head], told.broken))
            return
        source = told.campaign.languages.source
        for head, place in self.places.items():
            now = told.text(*place)
            cell = self._kept(row, head, now.source if now else "")
            if cell is None:
                continue
            text = plain(cell).strip()
            where = row.places[head]
            if not text:
                what = f"the {head} text of {told.name} was emptied; a sheet takes no text out"
                self.problems.append(Problem(where, what, f"put it back, or edit {told.file}"))
                continue
            beside = self._beside(row, told, place) if place[0] != source else None
            before = now.source if now else ""
            if place[0] != source and not self._translated(where, text, beside, before):
                continue
            notes, words = _notes(now, beside)
            self.texts.append(TextEdit(where, told.file, *place, text, notes))
            old = plain(now.source).strip() if now else ""
            self._change(row, head, told.campaign.campaign, told.name, old, text, *words)

    def _beside(self, row: Row, told: Planned, place: Place) -> Section | None:
        """The source text beside a translation: as this row has it, else as the file does."""
        source, (_, target, number) = told.campaign.languages.source, place
        for one in dict.fromkeys(((source, target, number), (source, target, 0), (source, "", 0))):
            if text := row[head_of(one)].strip():
                return Section(*one, 0, plain(text))
        return told.source_of(target, number, self.channels)

    def _translated(self, where: str, text: str, source: Section | None, before: str) -> bool:
        wrong = differing(source.source, text, before) if source else []
        self.problems += [Problem(where, what, hint) for what, hint in wrong]
        return not wrong

    # --- new messages ---------------------------------------------------------------------

    def _new(self, row: Row, campaign: "Campaign", name: str) -> None:
        from outreach.campaign.models import Message

        value: dict[str, str] = {}
        for head, key in KEYS.items():
            text = " ".join(row[head].split())
            if not text:
                continue
            if problem := self._wrong(row.places[head], head, text, campaign):
                self.problems.append(problem)
            value[key] = text
        if row[REMOVE].strip():
            what = f"{name} is new, and cannot be taken out"
            self.problems.append(Problem(row.places[REMOVE], what, "empty this cell"))
        where, file = row.places[MESSAGE], f"templates/{campaign.text_file(name)}"
        self.keys.append(KeyEdit(where, campaign.file, ("messages", name), value))
        shown = ", ".join(f"{key}: {text}" for key, text in value.items())
        note = "new" if value.get("at") else "new, and an idea: without a time it is never sent"
        self._change(row, MESSAGE, campaign.campaign, name, "", shown or name, note)
        told = Planned(campaign, name, Message(), value, file, self.texts_of(file))
        self._texts(row, told)

    def _change(
        self, row: Row, head: str, campaign: str, message: str, old: str, new: str, *told: str
    ) -> None:
        words = tuple(word for word in told if word)
        self.changes.append(Change(row.places[head], campaign, message, head, old, new, words))

    def left(self, got: Got) -> Iterator[str]:
        """Messages of the files that stand in no row, in words."""
        here = {(row[CAMPAIGN].strip(), row[MESSAGE].strip()) for row in got.rows}
        campaigns = {campaign for campaign, _ in here}
        for told in self.messages:
            name = (told.campaign.campaign, told.name)
            if name not in here and name[0] in campaigns:
                yield f"{name[0]}/{name[1]} stands in no row, and stays as it is"


def _notes(now: Section | None, beside: Section | None) -> tuple[Mapping[str, str], list[str]]:
    """What the heading of a text says once it has changed, and what to tell about that."""
    if beside is None:  # a source text
        if now is None:
            return {}, []
        said_ = {"from": now.made_from, "translator": now.translator, "reviewer": now.reviewer}
        return said_, []
    if now is None:
        return {"from": beside.hash, "reviewer": "open"}, ["nobody has read it against the source"]
    words = []
    if now.reviewer not in ("", "open"):
        words.append(f"the review by {now.reviewer} ends: the text has changed")
    notes = {"from": now.made_from, "translator": now.translator, "reviewer": "open"}
    return notes, words
