"""YAML exactly as an officer typed it: every value a text, every key with its line.

Plain YAML turns `10:30` into 630 and `no` into False, keeps the last of two equal keys, and
drops ` #LowCarbonCities` after a value as a comment, all without a word. Here texts stay texts
(pydantic does the typing), and whatever YAML would have changed in silence is a Problem.

The tree is built from the C parser's events, without recursion: PyYAML's own composer recurses,
and 100,000 open brackets end the interpreter there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from outreach.errors import Problem

MAX_BYTES: Final = 1_000_000  # ours has 4,000
MAX_DEPTH: Final = 20  # ours has 4
MAX_VALUES: Final = 20_000
MAX_PROBLEMS: Final = 100  # a file with more is not a campaign file
MAX_BRACKETS: Final = 200  # open at once; above it YAML is not even started

Path = tuple[str | int, ...]

_LOADER: Final = getattr(yaml, "CLoader", yaml.Loader)  # only its parser is used: it makes events
_LOST_TAG: Final = re.compile(r"[ \t]+(#\w[^\n]*)")
_HASH_WORD: Final = re.compile(r"[\s\[{,:](#\w+)")
# NUL and its like, and the line breaks that no editor shows (they come with pasted text).
_INVISIBLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")


@dataclass(frozen=True)
class Read:
    """What stands in a file. `value` is a dict, a list or a str; an empty value is "".

    `lines` has the line (from 1) of every key and list item, by its path; the path of the whole
    file is (). With `problems`, `value` is what could be understood all the same; it is `whole`
    unless reading had to stop before the end.
    """

    value: Any
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    whole: bool = True


@dataclass
class _Open:
    """A list or mapping whose end has not come yet."""

    value: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None  # a mapping's key that waits for its value
    skips: bool = False  # what stands under a repeated or impossible key is read and dropped


def read_yaml(data: bytes, where: str) -> Read:
    """The file's values as typed. Never raises, whatever the bytes: see `Read.problems`.

    `where` is the file as people know it; problems stand at `where:line`.
    """
    text, problem = _text(data, where)
    if problem:
        return Read({}, {(): 1}, [problem], whole=False)
    return _Tree(text, where).read()


def _text(data: bytes, where: str) -> tuple[str, Problem | None]:
    """The bytes as text with plain line ends, or why they cannot be read."""

    def wrong(what: str, hint: str, line: int = 1) -> tuple[str, Problem]:
        return "", Problem(f"{where}:{line}", what, hint)

    if len(data) > MAX_BYTES:
        return wrong(
            f"the file has {len(data):,} bytes; a campaign file may have {MAX_BYTES:,}",
            "texts belong into template files; or split it into several campaigns",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return wrong(
            "this line is not UTF-8 text",
            "save the file again with the encoding UTF-8",
            data[: error.start].count(b"\n") + 1,
        )
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if found := _INVISIBLE.search(text):
        return wrong(
            f"an invisible character (U+{ord(found[0]):04X}) stands in this line",
            "delete it, or type the line again; such characters come along with pasted text",
            text.count("\n", 0, found.start()) + 1,
        )
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth = depth + 1 if bracket[0] in "[{" else max(depth - 1, 0)
        if depth > MAX_BRACKETS:
            return wrong(
                f"more than {MAX_BRACKETS} brackets are open here",
                "close them, or quote a text that is made of brackets",
                text.count("\n", 0, bracket.start()) + 1,
            )
    return text, None


class _Tree:
    """One file being read: YAML's events in, values, lines and problems out."""

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.lines: dict[Path, int] = {(): 1}
        self.problems: list[Problem] = []
        self.open: list[_Open] = []
        self.root: Any = None
        self.values = 0

    def read(self) -> Read:
        whole = True
        try:
            for event in yaml.parse(self.text, Loader=_LOADER):
                if not self._take(event) or len(self.problems) >= MAX_PROBLEMS:
                    whole = False
                    break
        except yaml.YAMLError as error:
            self.problems.append(self._broken(error))
            whole = False
        if self.root is None and not self.problems:
            self._problem(1, "nothing stands in this file", "write a campaign, or delete the file")
            whole = False
        return Read({} if self.root is None else self.root, self.lines, self.problems, whole)

    def _problem(self, line: int, what: str, hint: str) -> None:
        self.problems.append(Problem(f"{self.where}:{line}", what, hint))

    def _take(self, event: Any) -> bool:
        """Work one event in; False where reading on makes no sense."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent) and (self.root is not None or event.tags):
            self._problem(
                line, "--- starts a second document here", "write one campaign into one file"
            )
            return False
        if isinstance(event, yaml.NodeEvent):
            self.values += 1
            if self.values > MAX_VALUES or len(self.open) >= MAX_DEPTH:
                few = (
                    f"{MAX_VALUES:,} values" if self.values > MAX_VALUES else f"{MAX_DEPTH} levels"
                )
                self._problem(
                    line, f"a campaign file may have {few}; here are more", "make it simpler"
                )
                return False
            self._plain(event, line)
            self._node(event, line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self.open.pop()
        return True

    def _plain(self, event: Any, line: int) -> None:
        """Report what YAML would read as an instruction, or drop, where a text was meant."""
        mark = ""
        if event.anchor:
            mark = "*" if isinstance(event, yaml.AliasEvent) else "&"
        elif getattr(event, "tag", None):
            mark = "!"
        if mark:
            self._problem(
                line,
                f"a value may not start with {mark} unless it is quoted",
                "quote the whole value",
            )
        if not isinstance(event, yaml.ScalarEvent) or event.style:
            return
        end: Any = event.end_mark
        lost = _LOST_TAG.match(self.text, end.index)
        if lost:
            whole = f"{event.value} {lost[1].rstrip()}".strip().replace("'", "''")
            self._problem(
                end.line + 1,
                f"{lost[1].split()[0]} would be lost: an unquoted # starts a comment",
                f"quote the whole value: '{whole}'; a real comment has a blank after its #",
            )

    def _node(self, event: Any, line: int) -> None:
        """Put a value, or the start of a list or mapping, where it belongs."""
        inside = self.open[-1] if self.open else None
        is_key = inside is not None and isinstance(inside.value, dict) and inside.key is None
        if inside and is_key and isinstance(event, yaml.ScalarEvent):
            self._key(inside, event.value, line)
            return
        value: Any = event.value if isinstance(event, yaml.ScalarEvent) else ""
        if isinstance(event, yaml.MappingStartEvent):
            value = {}
        elif isinstance(event, yaml.SequenceStartEvent):
            value = []
        path: Path = ()
        skips = False
        if inside and is_key:
            inside.key = ""  # its value comes next, and is dropped with it
            inside.skips = skips = True
            self._problem(
                line,
                "a list or {…} stands where a key should",
                'quote a text that starts with [ or {: "{{ … }}"',
            )
            if isinstance(value, str):
                return
        elif inside:
            path, skips = self._add(inside, value, line)
        else:
            self.root = value
        if not isinstance(value, str):
            self.open.append(_Open(value, path, skips=skips))

    def _key(self, inside: _Open, key: str, line: int) -> None:
        path = (*inside.path, key)
        inside.key = key
        if inside.skips:
            return
        if key not in inside.value:
            self.lines[path] = line
            return
        first = self.lines[path]
        self._problem(
            line,
            f"{key} stands here a second time; the first is in line {first}",
            "keep one of them",
        )

    def _add(self, inside: _Open, value: Any, line: int) -> tuple[Path, bool]:
        """Add under the waiting key, or at the list's end: the path, and whether it is dropped."""
        if isinstance(inside.value, list):
            path: Path = (*inside.path, len(inside.value))
            if not inside.skips:
                inside.value.append(value)
                self.lines[path] = line
            return path, inside.skips
        key, inside.key = inside.key or "", None
        path = (*inside.path, key)
        if inside.skips or key in inside.value:
            return path, True
        inside.value[key] = value
        return path, False

    def _broken(self, error: yaml.YAMLError) -> Problem:
        """YAML's own complaint, in words that help."""
        mark = getattr(error, "problem_mark", None)
        if mark is None:
            return Problem(
                f"{self.where}:1", "this is not YAML", "compare it with a file that works"
            )
        start = getattr(error, "context_mark", None) or mark
        said = f"{getattr(error, 'context', '')} {getattr(error, 'problem', '')}"
        lines = self.text.split("\n")
        here, began = (lines[min(m.line, len(lines) - 1)] for m in (mark, start))
        what, hint = next(_explained(said, here[mark.column :], here, began))
        # What was opened and never closed is put right where it was opened.
        line = start.line if "flow" in said or "quoted" in said else mark.line
        return Problem(f"{self.where}:{line + 1}", what, hint)


def _explained(said: str, rest: str, here: str, began: str) -> Iterator[tuple[str, str]]:
    """What YAML meant by `said`, likeliest first. `rest` is the line from where it gave up."""
    tag = _HASH_WORD.search(began) or _HASH_WORD.search(here)
    if rest[:1] in ("@", "`", "%") and "cannot start" in said:
        value = rest.partition(" #")[0].strip().replace("'", "''")
        yield f"a value may not start with {rest[0]} unless it is quoted", f"write '{value}'"
    if "\t" in here and ("tab" in said or "cannot start" in said or "indent" in said):
        yield "a tab stands in this line", "indent with blanks"
    if tag:
        yield (
            f"{tag[1]} starts a comment here, and the rest of the line is lost",
            f"quote it: '{tag[1]}'",
        )
    if "alias" in said or "anchor" in said:
        yield "a value may not start with * or & unless it is quoted", "quote the whole value"
    if "tag" in said or "directive" in said:
        yield "a value may not start with ! or % unless it is quoted", "quote the whole value"
    if "mapping values are not allowed" in said:
        yield (
            "a colon followed by a blank stands inside a value, or the line is indented wrongly",
            "quote the whole value, or set the line under its neighbours",
        )
    if "flow" in said:
        yield (
            "what opens with [ or { in this line is not closed, or a value in it has a colon",
            'close it; quote a value that has , : [ ] { or } in it: {value: "Cities: a theme"}',
        )
    if "quoted" in said:
        yield "the quote that opens in this line is not closed", "close it"
    if "\u00a0" in here:
        yield "a no-break space stands in this line", "type the blanks of this line again"
    if "expected ':'" in said:
        yield "a key stands here without its colon", "write key: value"
    yield (
        "the structure breaks here: this line does not fit what stands above it",
        "look at its indentation, and at quotes and brackets left open above it",
    )
