"""Changes to one section of a text file that leave every other byte of it as it was.

The comment above the first heading, the other sections, line ends and blank lines stay; whoever
compares two versions of the file sees the one text that changed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from outreach.compose.texts import Section, parse_texts
from outreach.errors import NotAllowed

NOTES: Final = ("from", "translator", "reviewer")

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_BOM: Final = "\ufeff"


@dataclass(frozen=True)
class _Block:
    """A heading with the lines below it: `lines[begin:end]`, without the break of the last."""

    begin: int
    end: int
    section: Section | None  # None for what is no heading


def set_section(
    text: str, language: str, target: str, number: int, *, source: str, notes: Mapping[str, str]
) -> str:
    """The file with this text in this section; a new one stands behind the last of its language.

    `notes` are what the heading says in parentheses: from, translator, reviewer; those without a
    value are left out. Raises NotAllowed for what such a file cannot hold.
    """
    lines = _LINE.findall(text)
    heading = _heading(language, target, number, notes)
    body = _body(source)
    blocks = _blocks(lines)
    name = (language, target, number)
    own = next((b for b in blocks if b.section and _name(b.section) == name), None)
    if own is None:
        made = _with_new(lines, blocks, language, [heading, "", *body])
    else:
        made = _with_changed(lines, own, heading, body, dict(notes))
    _must_read(made, name, source, notes)
    return made


def _name(section: Section) -> tuple[str, str, int]:
    return section.language, section.target, section.number


def _said(section: Section) -> dict[str, str]:
    said = zip(NOTES, (section.made_from, section.translator, section.reviewer), strict=True)
    return {name: value for name, value in said if value}


def _blocks(lines: list[str]) -> list[_Block]:
    begins = [n for n, line in enumerate(lines) if line.removeprefix(_BOM).startswith("##")]
    blocks = []
    for begin, end in pairwise([*begins, len(lines)]):
        whole = "".join(lines[begin:end]).removeprefix(_BOM)
        read = parse_texts(re.sub(r"\r\n?", "\n", whole), "")
        if not read.sections:  # a heading above nothing is a place for its text
            read = parse_texts(re.sub(r"\r\n?", "\n", whole).rstrip("\n") + "\nx", "")
        blocks.append(_Block(begin, end, read.sections[0] if read.sections else None))
    return blocks


def _with_changed(
    lines: list[str], own: _Block, heading: str, body: list[str], notes: dict[str, str]
) -> str:
    first, *rest = lines[own.begin : own.end]
    br = _break_of(first) or _own_break(lines)
    section = own.section
    if section is None or _said(section) != {k: v for k, v in notes.items() if v}:
        first = (_BOM if first.startswith(_BOM) else "") + heading + _break_of(first)
    blank = [n for n, line in enumerate(rest) if line.strip()]
    before, after = (rest[: blank[0]], rest[blank[-1] + 1 :]) if blank else (rest or [br], [])
    last = _break_of(rest[blank[-1]]) if blank else br
    same = section and section.source.strip() == "\n".join(_unescaped(body)).strip()
    if blank and same:
        kept = rest
    else:
        kept = [*before, *(line + br for line in body[:-1]), body[-1] + last, *after]
    first = first if _break_of(first) else first + br
    return "".join([*lines[: own.begin], first, *kept, *lines[own.end :]])


def _with_new(lines: list[str], blocks: list[_Block], language: str, new: list[str]) -> str:
    of_it = [b for b in blocks if b.section and b.section.language == language]
    at = of_it[-1].end if of_it else len(lines)
    br = _own_break(lines)
    head, tail = list(lines[:at]), lines[at:]
    if head and not _break_of(head[-1]) and head[-1] != _BOM:
        head[-1] += br
    if head and head[-1].strip() and head[-1] != _BOM:
        head.append(br)
    return "".join([*head, *(line + br for line in new), *([br] if tail else []), *tail])


def _break_of(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _own_break(lines: list[str]) -> str:
    return (_break_of(lines[0]) if lines else "") or "\n"


def _body(source: str) -> list[str]:
    """The lines of a text as the file has them."""
    text = re.sub(r"\r\n?", "\n", source).strip()
    if not text:
        raise NotAllowed("a section without a text cannot be written", "take the section out")
    lines = text.split("\n")
    if wrong := next((line for line in lines if line.startswith("\\##")), None):
        raise NotAllowed(f"a line of a text cannot begin with {wrong[:10]!r}", "begin it otherwise")
    return ["\\" + line if line.startswith("##") else line for line in lines]


def _unescaped(body: list[str]) -> list[str]:
    return [line[1:] if line.startswith("\\##") else line for line in body]


def _heading(language: str, target: str, number: int, notes: Mapping[str, str]) -> str:
    heading = f"## {language}"
    if target:
        heading += f" @{target}"
    if number:
        heading += f" {number}"
    said = [(name, notes[name]) for name in NOTES if notes.get(name)]
    written = (f"from {v}" if name == "from" else f"{name}: {v}" for name, v in said)
    return f"{heading} ({'; '.join(written)})" if said else heading


def _must_read(
    made: str, name: tuple[str, str, int], source: str, notes: Mapping[str, str]
) -> None:
    """Raises NotAllowed where the section would not be read as it was meant."""
    plain = re.sub(r"\r\n?", "\n", made.removeprefix(_BOM))
    found = next((s for s in parse_texts(plain, "").sections if _name(s) == name), None)
    meant = {key: value for key, value in notes.items() if value}
    if (
        found is None
        or _said(found) != meant
        or found.source.strip() != re.sub(r"\r\n?", "\n", source).strip()
    ):
        language, target, number = name
        raise NotAllowed(
            f"this cannot be the heading of a section: {_heading(language, target, number, notes)}",
            "notes are from (four characters of a hash), translator and reviewer, "
            "without parentheses or semicolons",
        )
