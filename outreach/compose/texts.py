"""The text file of a message: all its languages side by side, under headings.

    What stands before the first heading is for people, and is ignored.

    ## en
    The Forum opens on {{ events.forum.date }}. {{ links.event }}
    ---
    A line of three dashes begins the next part of a thread.
    --- comment
    Our own first comment under the post, where the network has those.

    ## en @x
    The variant for a platform or a channel; the section that fits most closely is taken.

    ## en 1
    One of several texts in rotation.

    ## zh (from 3f2a; translator: NAME; reviewer: open)
    A translation, made from the source text whose hash begins with 3f2a.

A line that begins with `## ` is always a heading; `\\##` at the start of a line prints `##`.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from outreach.errors import Problem
from outreach.hints import nearest

MOST_BYTES = 100_000  # the longest real file, six languages and variants, has some 15,000
DIVIDER = re.compile(r"^---(?:[ \t]*(comment))?[ \t]*$", re.MULTILINE)
"""A line that begins another part; its group is there where that is a comment under the post."""

_HEADING = re.compile(
    r"##\s+(?P<language>[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)"
    r"(?:\s+@(?P<target>[A-Za-z0-9][A-Za-z0-9_-]*))?"
    r"(?:\s+(?P<number>[0-9]{1,3}))?"
    r"(?:\s*\((?P<notes>[^()]*)\))?\s*"
)
_NOTE = re.compile(r"([a-z]+)(?:\s*:\s*|\s+)(.+)")
_HASH = re.compile(r"[0-9a-f]{4,64}")
_NOTES = ("from", "translator", "reviewer")
_ODD_DIVIDER = re.compile(r"---[ \t]*[A-Za-z]{1,20}[ \t]*")  # "--- coment" would be published
_EXAMPLES = "write `## en`, `## en @x`, `## en 1` or `## zh (from 3f2a)`; `\\##` prints ##"


@dataclass(frozen=True)
class Section:
    """One text: a template in one language, for every channel or for one platform or channel.

    `target` is "" for every channel; `number` is 0 outside a rotation. `line` is the line of the
    file on which `source` begins. `made_from` is the beginning of the hash of the source text
    that a translation was made from.
    """

    language: str
    target: str
    number: int
    line: int
    source: str
    made_from: str = ""
    translator: str = ""
    reviewer: str = ""

    @property
    def hash(self) -> str:
        """Eight hexadecimal characters of the text; the blanks around it do not count."""
        return hashlib.sha256(self.source.strip().encode()).hexdigest()[:8]

    def line_of(self, part: int, parts: int) -> int:
        """The line of the file on which a part begins; the section's, where that is unclear.

        Where a loop writes parts, the dividers of the source do not tell which is which.
        """
        begins = [self.line]
        for number, text in enumerate(self.source.split("\n"), start=self.line + 1):
            if DIVIDER.match(text):
                begins.append(number)
        return begins[part] if len(begins) == parts else self.line

    def line_with(self, letter: str, after: int) -> int:
        """The first line of the file, from `after` on, that has this letter; else `after` itself.

        A letter that comes from a fact stands in no line of the text.
        """
        lines = enumerate(self.source.split("\n"), start=self.line)
        return next((n for n, text in lines if n >= after and letter in text), after)


@dataclass(frozen=True)
class Texts:
    """The sections of one file, in its order, and what is wrong with it."""

    shown: str  # the file as people know it, "templates/posts/forum-2025/recap.md"
    sections: tuple[Section, ...] = ()
    problems: tuple[Problem, ...] = ()
    missing: bool = False

    def closest(
        self, language: str, platform: str, channel: str, number: int = 0
    ) -> Section | None:
        """The section for this channel, else for its platform, else the plain one, else None.

        Of texts in rotation, the one whose turn it is at the occasion `number`, from 0.
        """
        for target in (channel, platform, ""):
            fitting = [s for s in self.sections if (s.language, s.target) == (language, target)]
            if fitting:
                in_turn = sorted(fitting, key=lambda section: section.number)
                return in_turn[number % len(in_turn)]
        return None


def read_texts(path: Path, shown: str) -> Texts:
    """The sections of a text file; every mistake in it is in `problems`, with its line."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        hint = f"create {shown} and begin it with the line `## en`"
        return Texts(shown, problems=(Problem(shown, "there is no such file", hint),), missing=True)
    except OSError as error:
        reason = error.strerror or str(error)
        return Texts(shown, problems=(Problem(shown, f"cannot be read: {reason}"),))
    if len(data) > MOST_BYTES:
        what = f"larger than {MOST_BYTES // 1000} kB, which no text for social media is"
        return Texts(shown, problems=(Problem(shown, what, "keep only the texts in it"),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = Problem(f"{shown}:{line}", "not UTF-8", "save the file as UTF-8")
        return Texts(shown, problems=(problem,))
    return parse_texts(text.replace("\r\n", "\n").replace("\r", "\n"), shown)


def parse_texts(text: str, shown: str) -> Texts:
    """The same of a text with plain line ends."""
    sections: dict[tuple[str, str, int], Section] = {}
    problems: list[Problem] = []
    _comment, *blocks = _blocks(text)
    if not blocks:
        hint = "put the line `## en` above the text"
        problems.append(Problem(f"{shown}:1", "there is no section in it", hint))
    for line, (heading, *body) in blocks:
        where = f"{shown}:{line}"
        section = _section(heading, line, body)
        if isinstance(section, str):
            problems.append(Problem(where, f"{section}: {heading.strip()[:60]}", _EXAMPLES))
            continue
        for number, text_line in enumerate(body, start=section.line):
            if _ODD_DIVIDER.fullmatch(text_line) and not DIVIDER.match(text_line):
                what = f"{text_line.strip()} begins no part that is known"
                hint = "write `--- comment` for a comment under the post, `---` for a thread's part"
                problems.append(Problem(f"{shown}:{number}", what, hint))
        name = (section.language, section.target, section.number)
        if name in sections:
            hint = f"the first is in line {sections[name].line - 1}; keep one, or number them"
            problems.append(Problem(where, "this section stands here twice", hint))
        elif not section.source.strip():
            hint = "write its text below the heading, or take the heading out"
            problems.append(Problem(where, "this section is empty", hint))
        else:
            sections[name] = section
    return Texts(shown, tuple(sections.values()), tuple(problems))


def _blocks(text: str) -> list[tuple[int, list[str]]]:
    """The lines before the first heading, then each heading with its lines; and their numbers."""
    blocks: list[tuple[int, list[str]]] = [(1, [])]
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith("##"):
            blocks.append((number, []))
        blocks[-1][1].append(line)
    return blocks


def _section(heading: str, line: int, body: list[str]) -> Section | str:
    """The section, or what is wrong with its heading."""
    read = _HEADING.fullmatch(heading)
    if read is None:
        return "not a heading that is understood"
    notes: dict[str, str] = {}
    for note in filter(None, (note.strip() for note in (read["notes"] or "").split(";"))):
        written = _NOTE.fullmatch(note)
        name, value = written.groups() if written else (note, "")
        if name not in _NOTES:
            near = nearest(name, _NOTES)
            return f"{name} is not a note of a heading" + (
                f" (did you mean {near}?)" if near else ""
            )
        notes[name] = value
    if not _HASH.fullmatch(notes.get("from", "0000")):
        return "what follows `from` is the beginning of a hash, four characters or more"
    return Section(
        language=read["language"],
        target=read["target"] or "",
        number=int(read["number"] or 0),
        line=line + 1,
        source="\n".join(text[1:] if text.startswith("\\##") else text for text in body),
        made_from=notes.get("from", ""),
        translator=notes.get("translator", ""),
        reviewer=notes.get("reviewer", ""),
    )
