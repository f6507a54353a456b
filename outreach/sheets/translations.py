"""The translator's sheet: a row for each text that a language needs.

    missing, stale, …   where the translation stands today; `outreach/compose/languages.py`

What comes back is held against the source text that the translator saw: the heading of the
section gets its hash, so that a source which changed meanwhile makes the translation stale.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from outreach.compose import languages
from outreach.compose.languages import Translation
from outreach.compose.texts import Section
from outreach.errors import Changed, Problem
from outreach.platforms import Channel
from outreach.sheets.book import Book, Column, Got, Line, Row, plain, same
from outreach.sheets.names import differing
from outreach.sheets.office import (
    Change,
    Import,
    Planned,
    TextEdit,
    kept,
    name_of,
    one_text_each,
    put_right_first,
    unknown,
)

if TYPE_CHECKING:
    from outreach.compose import Draft

KIND: Final = "translations"
TABLE: Final = "Texts"

CAMPAIGN, MESSAGE, WHERE, STATE = "campaign", "message", "where", "state"
SOURCE, SHOWN, HASH = "source text", "as the public reads it", "source's hash"
TRANSLATION, FITS, TRANSLATOR, REVIEWER = "translation", "still right", "translator", "reviewer"
HEADS: Final = frozenset(
    {CAMPAIGN, MESSAGE, WHERE, SOURCE, HASH, TRANSLATION, FITS, TRANSLATOR, REVIEWER}
)
"""What has to be there for a sheet to be read."""

OPEN: Final = ("", "open")


@dataclass(frozen=True)
class Text:
    """One text that a language needs: its source, and the translation if there is one."""

    told: Planned
    target: str
    number: int
    source: Section
    translation: Section | None
    state: Translation

    @property
    def key(self) -> tuple[str, str, str]:
        return self.told.campaign.campaign, self.told.name, place(self.target, self.number)


def place(target: str, number: int) -> str:
    """Where a text is used, as its heading says it: "all", "@x", "@x 2"."""
    words = [f"@{target}" if target else "", str(number) if number else ""]
    return " ".join(word for word in words if word) or "all"


def texts(
    messages: Sequence[Planned], language: str, channels: Mapping[str, Channel]
) -> list[Text]:
    """Every text that posts in this language are made from, and every one that there is."""
    return [
        text
        for told in messages
        if language != told.campaign.languages.source and language in told.audience()
        for text in _of(told, language, channels)
    ]


def _of(told: Planned, language: str, channels: Mapping[str, Channel]) -> Iterator[Text]:
    source = told.campaign.languages.source
    wanted: dict[tuple[str, int], None] = {}
    for name in told.audience()[language]:
        if name in channels:
            closest = told.texts.closest(source, channels[name].platform, name)
            target = closest.target if closest else None
            for one in told.texts.sections:
                if (one.language, one.target) == (source, target):
                    wanted[one.target, one.number] = None
    for one in told.texts.sections:
        if one.language == language:
            wanted[one.target, one.number] = None
    for target, number in sorted(wanted):
        beside = told.source_of(target, number, channels)
        if beside is not None:
            translation = told.text(language, target, number)
            state = _state(translation, beside, told.campaign.languages.all)
            yield Text(told, target, number, beside, translation, state)


def _state(translation: Section | None, source: Section, among: tuple[str, ...]) -> Translation:
    wrong = translation is not None and bool(
        languages.wrong_language(_words(translation.source), translation.language, among)
    )
    return languages.state(translation, source, wrong)


def _words(source: str) -> str:
    """A text without what stands in braces, which is English in every language."""
    out, depth = [], 0
    for n, letter in enumerate(source):
        if source[n : n + 2] in ("{{", "{%", "{#"):
            depth += 1
        if not depth:
            out.append(letter)
        if source[n - 1 : n + 1] in ("}}", "%}", "#}"):
            depth = 0
    return "".join(out)


def shown(text: Text, drafts: Sequence["Draft"], channels: Mapping[str, Channel]) -> str:
    """The source text as the public reads it, on the first channel that has it; or why not yet.

    `drafts` are those of its message.
    """
    told, source = text.told, text.told.campaign.languages.source
    why = ""
    turns: dict[str, int] = {}
    for draft in drafts:
        if draft.language != source or draft.channel not in channels:
            continue
        turn = turns[draft.channel] = turns.get(draft.channel, -1) + 1
        platform = channels[draft.channel].platform
        number = turn if draft.local else 0
        closest = told.texts.closest(source, platform, draft.channel, number)
        if closest is None or name_of(closest) != name_of(text.source):
            continue
        if draft.post:
            return "\n---\n".join(part.text for part in draft.post.parts)
        waits = [problem for problem in draft.blocked if problem.open] or draft.blocked
        why = why or next((problem.what for problem in waits), "")
    return f"not yet: {why}" if why else "not yet"


# --- out ----------------------------------------------------------------------------------


def book(rows: Sequence[tuple[Text, str]], language: str, office: str) -> Book:
    """The sheet of these texts, each with what the public reads of its source."""
    source = rows[0][0].told.campaign.languages.source if rows else "en"
    name = named(language)
    columns = (
        Column(CAMPAIGN, 13, key=True),
        Column(MESSAGE, 15, key=True),
        Column(WHERE, 9, key=True, note="Which channels it is for: all, or a network's own text."),
        Column(STATE, 11, note="; ".join(f"{k}: {v}" for k, v in STATES.items())),
        Column(SOURCE, 46, language=source, note="Do not change it. What is in braces stays."),
        Column(SHOWN, 40, language=source, note="The same with everything filled in."),
        Column(TRANSLATION, 50, write=True, language=language, note=f"The text in {name}."),
        Column(
            FITS,
            8,
            write=True,
            choices=("yes",),
            note="yes: the translation needs no change, though its source has changed.",
        ),
        Column(TRANSLATOR, 12, write=True, note="Your name, as in config/people.toml."),
        Column(REVIEWER, 12, write=True, note="Who has read it against the source."),
        Column(HASH, 10, note="Which source text this is. Do not change it."),
    )
    lines = tuple(
        Line(
            (
                *text.key,
                str(text.state),
                text.source.source,
                seen,
                text.translation.source if text.translation else "",
                "",
                text.translation.translator if text.translation else "",
                text.translation.reviewer if text.translation else "",
                text.source.hash,
            )
        )
        for text, seen in rows
    )
    return Book(KIND, TABLE, columns, lines, _about(language, office), language=language)


def named(language: str) -> str:
    """ "Korean (한국어)"."""
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return language
    return f"{locale.get_display_name('en')} ({locale.get_display_name()})"


STATES: Final = {
    "missing": "there is no translation yet",
    "stale": "the source text has changed since it was translated",
    "unreviewed": "nobody has read it against the source yet",
    "wrong": "it seems to be in another language",
    "ready": "nothing to do",
}


def _about(language: str, office: str) -> tuple[str, ...]:
    name = named(language)
    return (
        f"# Texts for translation into {name}",
        f"{office}. Thank you for translating these posts.",
        "",
        "# What to do",
        f"1. Go to the sheet “{TABLE}”. Each row is one text for social media.",
        f"2. Read the column “{SOURCE}”. Beside it, “{SHOWN}” shows the same text with everything "
        "filled in.",
        f"3. Write the {name} text into the white column “{TRANSLATION}”. For a new line inside a "
        "cell, press Alt and Enter (on a Mac: Control, Option and Enter).",
        f"4. Write your name into “{TRANSLATOR}”. Somebody else reads it against the source, and "
        f"writes their name into “{REVIEWER}”.",
        f"5. Where “{STATE}” says stale and the translation is still right as it is, choose yes "
        f"under “{FITS}”.",
        "6. Save the file as an Excel workbook (.xlsx), and send it back.",
        "",
        "# What never to change",
        "•  Whatever stands in braces: {{ events.forum.date }}, {% if … %}. Copy it exactly, and "
        "put it where it belongs in your sentence. The program fills it in, in your language: "
        "dates, hours, titles and addresses.",
        "•  A line of three dashes (---): there the next post of a thread begins.",
        "•  The order and the heads of the columns, and the grey cells. They are protected.",
        "•  The hidden sheet of this file. It tells what you have changed.",
        "",
        "# Good to know",
        "•  You need not do everything at once: rows that you leave as they are change nothing.",
        "•  Emptying a cell removes nothing.",
        "•  Rows may be filtered. To sort them, take the protection of the sheet off first "
        "(Review, Unprotect Sheet): it has no password.",
        "•  If you change a text that was reviewed, it has to be reviewed again.",
        "•  Nothing is published by sending this file back: a second person reads every text.",
        "",
        "# What the states mean",
        *(f"{state}: {words}" for state, words in STATES.items()),
    )


# --- in -----------------------------------------------------------------------------------


def read(got: Got, messages: Sequence[Planned], channels: Mapping[str, Channel]) -> Import:
    """What the sheet that came back asks for, and every mistake in it."""
    reader = _Reader(
        got.language, {text.key: text for text in texts(messages, got.language, channels)}, messages
    )
    gone: list[str] = []
    problems = list(got.problems)
    changes: list[Change] = []
    edits: list[TextEdit] = []
    for row in got.rows:
        if reader.gone(row):
            gone.append(f"row {row.number} is of no text any more, and was not changed")
            continue
        found = reader.row(row)
        problems += found.problems
        if found.change and found.edit:
            changes.append(found.change)
            edits.append(found.edit)
    problems += one_text_each(edits)
    return Import(KIND, tuple(changes), tuple(edits), (), tuple(problems), tuple(gone))


@dataclass(frozen=True)
class _Found:
    problems: tuple[Problem, ...] = ()
    change: Change | None = None
    edit: TextEdit | None = None


class _Reader:
    """One sheet being read against the texts there are."""

    def __init__(
        self,
        language: str,
        texts: Mapping[tuple[str, str, str], Text],
        messages: Sequence[Planned],
    ) -> None:
        self._language, self._texts = language, texts
        self._messages = {(one.campaign.campaign, one.name): one for one in messages}

    def gone(self, row: Row) -> bool:
        """Whether its text is not needed any more, and nobody has written anything."""
        return (row[CAMPAIGN], row[MESSAGE], row[WHERE]) not in self._texts and row.untouched

    def row(self, row: Row) -> _Found:
        text = self._texts.get((row[CAMPAIGN], row[MESSAGE], row[WHERE]))
        if text is None:
            return _Found((self._stranger(row),))
        before = text.translation
        old = {
            TRANSLATION: plain(before.source) if before else "",
            TRANSLATOR: before.translator if before else "",
            REVIEWER: before.reviewer if before else "",
        }
        problems: list[Problem] = []
        new: dict[str, str] = {}
        for head, now in old.items():
            try:
                cell = kept(row[head], now, (row.seen or {}).get(head))
            except Changed as error:
                hint = f"the file has “{_short(now)}”; export a new sheet, and carry this over"
                problems.append(Problem(row.places[head], str(error), hint))
                cell = None
            if cell is not None:
                new[head] = plain(cell).strip()
        fits = row[FITS].strip().casefold()
        if fits not in ("", "yes"):
            what = f"“{_short(row[FITS])}” stands under “{FITS}”"
            problems.append(Problem(row.places[FITS], what, "write yes, or leave it empty"))
        if not problems and not new and not fits:
            return _Found()
        if text.told.broken:
            return _Found((put_right_first(row.places[TRANSLATION], text.told.broken),))
        problems += self._source(row)
        if (fits or REVIEWER in new) and TRANSLATION not in new:
            problems += self._read_as_it_is(row, old[TRANSLATION])
        problems += self._notes(row, old, new)
        if TRANSLATION in new:
            problems += self._words(row, text, new[TRANSLATION])
        elif before is None:
            what = f"there is no {self._language} text in this row"
            problems.append(Problem(row.places[TRANSLATION], what, "write it, or empty the rest"))
        if problems:
            return _Found(tuple(problems))
        return self._made(row, text, old, new, fits == "yes")

    def _stranger(self, row: Row) -> Problem:
        message = self._messages.get((row[CAMPAIGN], row[MESSAGE]))
        if message and message.broken:
            return put_right_first(row.places[TRANSLATION], message.broken)
        campaigns = {campaign for campaign, _, _ in self._texts}
        if row[CAMPAIGN] not in campaigns:
            return unknown(row.places[CAMPAIGN], "campaign", row[CAMPAIGN], campaigns)
        known = {message for campaign, message, _ in self._texts if campaign == row[CAMPAIGN]}
        if row[MESSAGE] not in known:
            what = f"message that needs {self._language}"
            return unknown(row.places[MESSAGE], what, row[MESSAGE], known)
        places = {
            where
            for campaign, message, where in self._texts
            if (campaign, message) == (row[CAMPAIGN], row[MESSAGE])
        }
        return unknown(row.places[WHERE], "text", row[WHERE] or "(nothing)", places)

    def _source(self, row: Row) -> Iterator[Problem]:
        if Section("", "", 0, 1, row[SOURCE]).hash != row[HASH].strip():
            what = "the source text, or its hash, is not what was exported"
            yield Problem(row.places[SOURCE], what, "export a new sheet, and carry this row over")

    def _read_as_it_is(self, row: Row, now: str) -> Iterator[Problem]:
        """Nobody signs for a text that they have not seen."""
        if not same(row[TRANSLATION], now):
            what = "the file has another translation by now, which nobody has read here"
            yield Problem(row.places[REVIEWER], what, "export a new sheet, and read that one")

    def _notes(self, row: Row, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Problem]:
        for head in (TRANSLATOR, REVIEWER):
            if odd := next((c for c in new.get(head, "") if c in "();\n\t"), ""):
                what = f"a name cannot have {odd!r} in it"
                yield Problem(row.places[head], what, "write the name alone")
        now = {**old, **new}
        if TRANSLATION in new and now[TRANSLATOR] in OPEN:
            what = "nobody is named as the translator, who may not clear the text"
            yield Problem(row.places[TRANSLATOR], what, "write the translator's name")
        signs = REVIEWER in new or (TRANSLATOR in new and TRANSLATION not in new)
        if signs and now[REVIEWER] not in OPEN and now[REVIEWER] == now[TRANSLATOR]:
            what = f"{now[REVIEWER]} would review their own translation"
            yield Problem(row.places[REVIEWER], what, "a second person reads it")

    def _words(self, row: Row, text: Text, new: str) -> Iterator[Problem]:
        where = row.places[TRANSLATION]
        if not new:
            what = f"the {self._language} text was emptied; a sheet removes nothing"
            yield Problem(where, what, "put it back, or take the section out of its file")
            return
        before = text.translation.source if text.translation else ""
        for what, hint in differing(row[SOURCE], new, before):
            yield Problem(where, what, hint)

    def _made(
        self, row: Row, text: Text, old: Mapping[str, str], new: Mapping[str, str], fits: bool
    ) -> _Found:
        before, told = text.translation, []
        now = {**old, **new}
        if TRANSLATION in new and REVIEWER not in new and old[REVIEWER] not in OPEN:
            now[REVIEWER] = "open"
            told.append(f"the review by {old[REVIEWER]} ends: the text has changed")
        made_from = before.made_from if before else ""
        if TRANSLATION in new or (fits and not text.source.hash.startswith(made_from or "-")):
            made_from = row[HASH].strip()
        after = Section(
            self._language,
            text.target,
            text.number,
            0,
            now[TRANSLATION],
            made_from,
            now[TRANSLATOR],
            now[REVIEWER],
        )
        if before and after == replace(before, line=0, source=old[TRANSLATION]):
            return _Found()  # “still right” of what is not stale
        state = _state(after, text.source, text.told.campaign.languages.all)
        if state is not text.state:
            told.insert(0, f"{text.state} → {state}")
        if state is Translation.STALE and made_from == row[HASH].strip():
            told.append("its source text has changed since this sheet was made")
        for head, word in ((TRANSLATOR, "translator"), (REVIEWER, "reviewer")):
            if now[head] != old[head]:
                told.append(f"{word}: {old[head] or 'nobody'} → {now[head] or 'nobody'}")
        campaign, message, where = text.key
        what = self._language if where == "all" else f"{self._language} {where}"
        place = row.places[TRANSLATION]
        notes = {"from": made_from, "translator": now[TRANSLATOR], "reviewer": now[REVIEWER]}
        return _Found(
            change=Change(
                place, campaign, message, what, old[TRANSLATION], now[TRANSLATION], tuple(told)
            ),
            edit=TextEdit(
                place,
                text.told.file,
                self._language,
                text.target,
                text.number,
                now[TRANSLATION],
                notes,
            ),
        )


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 60 else f"{words[:59]}…"
