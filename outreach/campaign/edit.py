"""Changes to a campaign file that leave everything else of it as it was, byte for byte.

    document = Document.read(home / "campaigns" / "forum-2025.yaml")
    document.set("events", "forum", "date", value="2025-09-01")
    document.write()

Only the characters of a value are exchanged, so comments, order, quotes, line ends and layout
stay, and a colleague who compares two versions of the file sees the one change. After each change
the file is read again as the project reads it: it then holds what was meant and nothing else, or
the change is refused.

A path names keys and places in lists: ("messages", "reminder", "media", 0, "alt").
"""

import bisect
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Self

import yaml

from outreach.campaign.reader import MAX_BYTES, read_yaml
from outreach.campaign.when import short, spoken
from outreach.errors import Changed, NotAllowed, Problem, WrongFiles

Place = tuple[str | int, ...]
_Step = Callable[[str, Place, dict[str, Any]], str]  # text, where, the tree that is meant
Value = str | bool | Sequence["Value"] | Mapping[str, "Value"]

WIDTH: Final = 100  # a new list or mapping that fits on a line stands on one

_LOADER: Final = getattr(yaml, "CLoader", yaml.Loader)
_BREAK: Final = re.compile(r"\r\n|\r|\n")
_BOM: Final = b"\xef\xbb\xbf"
# Texts that need no quotes, in braces or out of them; `10:30` gets some, because other programs
# that read YAML make a number of it.
_PLAIN: Final = re.compile(r"\w[^\s:#,\[\]{}]*(?:(?:[ ]|:(?=//))[^\s:#,\[\]{}]+)*")
_INVISIBLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Document:
    """A campaign file being changed: values as typed, and the text they stand in."""

    def __init__(self, data: bytes, shown: str, path: Path | None = None) -> None:
        """The file `shown`, which has this content. Raises WrongFiles where it is not readable."""
        read = read_yaml(data, shown)
        if not read.problems and not isinstance(read.value, dict):
            wrong = Problem(f"{shown}:1", "a campaign file is made of keys", "campaign: forum-2025")
            raise WrongFiles([wrong])
        if read.problems:
            raise WrongFiles(read.problems)
        self.shown = shown
        self._path = path
        self._was = data
        self._bom = data.startswith(_BOM)
        self._tree: dict[str, Any] = read.value
        self._text = data.decode("utf-8-sig")

    @classmethod
    def read(cls, path: Path, *, shown: str = "") -> Self:
        """The file at `path`, which people know as `shown`.

        Raises WrongFiles, with every Problem, where it cannot be read as it should be.
        """
        shown = shown or path.as_posix()
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            what = f"the file cannot be read: {error.strerror}"
            raise WrongFiles([Problem(shown, what, "look at its name and its rights")]) from error
        return cls(data, shown, path)

    def text(self) -> str:
        """The whole file as it is now."""
        return self._text

    def get(self, *path: str | int) -> Any:
        """What stands there, as typed (a str, a list or a dict of its own); None for nothing."""
        node: Any = self._tree
        for part in path:
            known = range(len(node)) if isinstance(node, list) else node
            if isinstance(node, str) or part not in known:
                return None
            node = node[part]
        return deepcopy(node)

    def set(self, *path: str | int, value: Value) -> None:
        """Write a value, and what is missing on the way to it.

        A number one above a list's last adds to the list; yes and no are written for a bool.
        Inside a mapping or list that stands there already only what differs is changed.
        Raises NotAllowed where the path leads through a text, or the layout does not allow it.
        """
        self._change(path, _as_typed(value), remove=False)

    def remove(self, *path: str | int) -> None:
        """Take a key, or an item of a list, out; nothing happens where there is none."""
        if self.get(*path) is not None:
            self._change(path, None, remove=True)

    def note(self, *path: str | int, text: str) -> None:
        """Write `# text` at the end of the line where the value at `path` begins.

        A comment that stands there already is kept in front, and one that says it already is
        enough. Nothing happens where there is no such value.
        """
        if self.get(*path) is None:
            return
        before = self._text
        layout = _Layout(before)
        end = _line_end(before, layout.head(path))
        if layout.comment_before(end):
            if before[:end].endswith(text):
                return
            at = f"{before[:end].rstrip()}; {text}"
        else:
            at = f"{before[:end].rstrip()}   # {text}"
        self._accept(at + before[end:], self._tree)

    def head(self, text: str) -> None:
        """Write `# text` as the file's first line."""
        self._accept(f"# {text}{_break(self._text)}{self._text}", self._tree)

    def line(self, *path: str | int) -> str:
        """The line on which the value at `path` ends its first line, with its comment."""
        at = _Layout(self._text).head(path)
        return self._text[_line_start(self._text, at) : _line_end(self._text, at)]

    def lay_out(self, text: str) -> None:
        """Take another text that reads the same. Raises NotAllowed where it does not."""
        self._accept(text, self._tree)

    def write(self) -> None:
        """Put it on the disk, in one step and with the rights that the file had.

        Raises Changed where the file is no longer what was read.
        """
        if self._path is None:
            raise ValueError("this document has no file")
        data = self.data()
        if data == self._was and self._on_disk() == data:
            return
        file = self._path.resolve()  # a link stays a link
        new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        mode = file.stat().st_mode & 0o7777 if file.exists() else 0o644
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            new.chmod(mode)
            if self._on_disk() != self._was:
                raise Changed(
                    f"{self.shown} has changed since it was read; nothing was written",
                    "look at it, and do it again",
                )
            new.replace(file)
        finally:
            new.unlink(missing_ok=True)
        self._was = data

    def data(self) -> bytes:
        """The whole file as bytes, as `write` writes it."""
        return (_BOM if self._bom else b"") + self._text.encode("utf-8")

    def _on_disk(self) -> bytes:
        try:
            return self._path.read_bytes() if self._path else b""
        except FileNotFoundError:
            return b""

    def _change(self, path: Place, value: Any, *, remove: bool) -> None:
        if not path or (remove and len(path) == 1 and set(self._tree) == set(path)):
            raise NotAllowed(f"{self.shown} cannot be emptied", "delete the file")
        expected = deepcopy(self._tree)
        _apply(expected, path, value, remove=remove)
        text = self._text
        try:
            for at, step in list(_steps(self._tree, expected)):
                text = step(text, at, expected)
            self._accept(text, expected)
        except (_NoWay, yaml.YAMLError, RecursionError) as error:
            raise self._refused(path) from error

    def _accept(self, text: str, expected: dict[str, Any]) -> None:
        """Take the new text where it reads as what was meant. Raises NotAllowed otherwise."""
        read = read_yaml(text.encode("utf-8", "surrogatepass"), self.shown)
        if read.problems or read.value != expected:
            raise self._refused(())
        self._text, self._tree = text, read.value

    def _refused(self, path: Place) -> NotAllowed:
        return NotAllowed(
            f"{short(spoken(path)) or 'this'} cannot be changed in {self.shown} without changing "
            "more than that",
            "change it in the file itself",
        )


class _NoWay(Exception):
    """The layout does not allow it; whoever asked is told to do it by hand."""


# --- what differs -------------------------------------------------------------------------


def _as_typed(value: Value) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return {str(key): _as_typed(one) for key, one in value.items()}
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return [_as_typed(one) for one in value]
    raise TypeError(f"{type(value).__name__} is nothing that a campaign file has")


def _apply(tree: Any, path: Place, value: Any, *, remove: bool) -> None:
    """Change the tree as the file should then read."""
    node = tree
    for part, after in pairwise(path):
        missing: Any = [] if isinstance(after, int) else {}
        if isinstance(node, dict) and isinstance(part, str):
            if node.get(part, "") == "":
                node[part] = missing
        elif isinstance(node, list) and part == len(node):
            node.append(missing)
        elif not isinstance(node, list) or not isinstance(part, int) or not 0 <= part < len(node):
            raise _wrong_path(path)
        node = node[part]
    last = path[-1]
    if isinstance(node, dict) and isinstance(last, str):
        if remove:
            del node[last]
        else:
            node[last] = value
    elif isinstance(node, list) and isinstance(last, int) and 0 <= last <= len(node):
        node[last : last + 1] = [] if remove else [value]
    else:
        raise _wrong_path(path)


def _wrong_path(path: Place) -> NotAllowed:
    return NotAllowed(f"{short(spoken(path))} leads through what has no keys or items of its own")


def _steps(old: Any, new: Any, at: Place = ()) -> Iterator[tuple[Place, _Step]]:
    """The changes that make the new tree of the old one, in an order in which they can be made."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict) and old and new and set(old) & set(new):
        for key in [key for key in old if key in new]:
            yield from _steps(old[key], new[key], (*at, key))
        for key in [key for key in old if key not in new]:
            yield (*at, key), _removed
        for key in [key for key in new if key not in old]:
            yield (*at, key), _added
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        yield from _items(old, new, at)
    else:
        yield at, _replaced


def _items(old: list[Any], new: list[Any], at: Place) -> Iterator[tuple[Place, _Step]]:
    both = min(len(old), len(new))
    if len(new) == len(old) - 1:  # one is gone: the others keep their comments
        gone = next((n for n in range(both) if old[n] != new[n]), both)
        if old[gone + 1 :] == new[gone:]:
            yield (*at, gone), _removed
            return
    for number in range(both):
        yield from _steps(old[number], new[number], (*at, number))
    for number in range(len(old) - 1, both - 1, -1):
        yield (*at, number), _removed
    for number in range(both, len(new)):
        yield (*at, number), _added


def _wanted(tree: Any, path: Place) -> Any:
    for part in path:
        tree = tree[part]
    return tree


# --- where it stands ----------------------------------------------------------------------


class _Layout:
    """Where each value of a text stands. Collections and their places come from YAML's parser."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root: Any = yaml.compose(text, Loader=_LOADER)
        self.colons: list[int] = []
        self.dashes: list[int] = []
        self.commas: list[int] = []
        self.tokens: list[tuple[int, int]] = []
        for token in yaml.scan(text, Loader=_LOADER):
            start, end = token.start_mark.index, token.end_mark.index
            self.tokens.append((start, end))
            if isinstance(token, yaml.ValueToken):
                self.colons.append(start)
            elif isinstance(token, yaml.BlockEntryToken):
                self.dashes.append(start)
            elif isinstance(token, yaml.FlowEntryToken):
                self.commas.append(start)

    def find(self, path: Place) -> tuple[yaml.Node | None, yaml.Node]:
        """The key (None for an item of a list) and the value at `path`."""
        key: yaml.Node | None = None
        node = self.root
        for part in path:
            if isinstance(node, yaml.MappingNode):
                key, node = next(pair for pair in node.value if pair[0].value == part)
            else:
                key, node = None, node.value[part]
        return key, node

    def in_flow(self, path: Place) -> bool:
        """Whether the value at `path` is inside brackets or braces (its own do not count)."""
        around = (self.find(path[:depth])[1] for depth in range(len(path)))
        return any(getattr(node, "flow_style", False) for node in around)

    def colon(self, key: yaml.Node) -> int:
        """The place just after a key's colon."""
        at = bisect.bisect_left(self.colons, key.end_mark.index)
        if at == len(self.colons):
            raise _NoWay
        return self.colons[at] + 1

    def dash(self, before: int) -> int:
        """The dash of the item that begins at `before`."""
        at = bisect.bisect_left(self.dashes, max(before, 1)) - 1
        if at < 0:
            raise _NoWay
        return self.dashes[at]

    def comma(self, after: int) -> int:
        """The first comma between values at or after that place."""
        at = bisect.bisect_left(self.commas, after)
        if at == len(self.commas):
            raise _NoWay
        return self.commas[at]

    def last(self, node: yaml.Node) -> yaml.Node:
        """The last value that is written out in full: where a block's end can be found."""
        while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            tail: Any = node.value[-1]
            node = tail[1] if isinstance(tail, tuple) else tail
        return node

    def end(self, node: yaml.Node) -> int:
        """Where its last character is behind us; the line's break is not included."""
        last = self.last(node)
        end: int = last.end_mark.index
        if isinstance(last, yaml.ScalarNode) and last.style in ("|", ">"):
            begin = last.start_mark.index
            header = _line_end(self.text, begin)
            if "+" in self.text[begin:header].partition("#")[0]:
                return end
            return max(begin + len(self.text[begin:end].rstrip()), header)
        return end

    def next_line(self, node: yaml.Node) -> int:
        """Where the line after a value begins: its own comment stays with it."""
        end = self.end(node)
        last = self.last(node)
        if getattr(last, "style", None) in ("|", ">") and _at_line_start(self.text, end):
            return end
        return _after_break(self.text, end)

    def head(self, path: Place) -> int:
        """A place on the line where the value at `path` begins."""
        key, node = self.find(path)
        if isinstance(node, yaml.ScalarNode) and node.style not in ("|", ">"):
            return int(node.end_mark.index)
        if isinstance(node, yaml.CollectionNode) and node.flow_style:
            return int(node.end_mark.index)
        return self.colon(key) if key else int(node.start_mark.index)

    def comment_before(self, end: int) -> bool:
        """Whether the line that ends there has a comment."""
        begin = _line_start(self.text, end)
        behind = max((e for s, e in self.tokens if s < end and e <= end), default=0)
        return "#" in self.text[max(begin, behind) : end]


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def _line_end(text: str, at: int) -> int:
    found = _BREAK.search(text, at)
    return found.start() if found else len(text)


def _after_break(text: str, at: int) -> int:
    found = _BREAK.search(text, at)
    return found.end() if found else len(text)


def _at_line_start(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] in "\r\n"


def _break(text: str) -> str:
    """The file's own line end."""
    found = _BREAK.search(text)
    return found[0] if found else "\n"


# --- the three changes --------------------------------------------------------------------


def _replaced(text: str, path: Place, expected: dict[str, Any]) -> str:
    layout = _Layout(text)
    key, node = layout.find(path)
    value = _wanted(expected, path)
    start, end = int(node.start_mark.index), layout.end(node)
    if key is None and isinstance(node, yaml.ScalarNode) and start == end:
        start = end = max(start, 1)  # an item with nothing after its dash
    if getattr(node, "style", None) in ("|", ">"):  # its lines go, what stands beside its | stays
        header = _line_end(text, start)
        end = max(start + len(text[start:end].rstrip()), header)
        kept = text[start:header].partition("#")
        beside = f"   #{kept[2]}" if kept[1] else ""
        text = text[:start] + text[start : start + 1] + beside + text[end:]
        end = start + 1
    flow = layout.in_flow(path)
    indent = _indent(layout, path)
    inline = _inline(value, style=getattr(node, "style", None) or "")
    whole = isinstance(node, yaml.CollectionNode) and not node.flow_style
    if flow or not isinstance(value, dict | list) or _fits(inline, text, start, whole, indent):
        if whole and key is not None:
            return _after_key(layout, key, inline, cut=(start, end))
        return text[:start] + _spaced(text, start) + inline + text[end:]
    # It becomes a block of lines below its key, or beside its dash.
    if key is None:
        here = int(node.start_mark.column)
        block = _break(text).join(_block(value, here)).lstrip(" ")
        return text[:start] + _spaced(text, start) + block + text[end:]
    block = "".join(_break(text) + line for line in _block(value, indent + 2))
    colon = layout.colon(key)
    if whole:
        begin = _line_start(text, start)
        ended = begin - len(_break(text))
        return text[:ended] + block + text[end:]
    cut = text[:colon] + text[end:]
    at = _line_end(cut, colon)
    return cut[:at].rstrip(" ") + block + cut[at:]


def _after_key(layout: _Layout, key: yaml.Node, inline: str, cut: tuple[int, int]) -> str:
    """Put a value beside its key, in place of the block that stands in the lines below."""
    text, colon = layout.text, layout.colon(key)
    start, end = cut
    first = _line_start(text, start)
    if first <= colon:  # `- - a`, or what begins on the key's own line
        return text[:start] + inline + text[end:]
    line = _line_end(text, end)
    return f"{text[:colon]} {inline}{text[colon : first - len(_broken(text, first))]}{text[line:]}"


def _broken(text: str, line_start: int) -> str:
    return "\r\n" if text[line_start - 2 : line_start] == "\r\n" else text[line_start - 1]


def _added(text: str, path: Place, expected: dict[str, Any]) -> str:
    layout = _Layout(text)
    *above, name = path
    _, parent = layout.find(tuple(above))
    value = _wanted(expected, path)
    if not isinstance(parent, yaml.CollectionNode) or not parent.value:
        raise _NoWay
    if parent.flow_style:
        entry = _inline(value)
        if isinstance(name, str):
            entry = f"{_scalar(name)}: {entry}"
        tail = parent.value[-1]
        at = int((tail[1] if isinstance(tail, tuple) else tail).end_mark.index)
        return f"{text[:at]}, {entry}{text[at:]}"
    column = int(parent.start_mark.column)
    lines = _entry(name, value, column)
    at = layout.next_line(parent)
    br = _break(text)
    if at and not _at_line_start(text, at):
        return text[:at] + br + br.join(lines) + text[at:]
    return text[:at] + br.join(lines) + br + text[at:]


def _removed(text: str, path: Place, expected: dict[str, Any]) -> str:
    layout = _Layout(text)
    key, node = layout.find(path)
    _, parent = layout.find(path[:-1])
    if not isinstance(parent, yaml.CollectionNode):
        raise _NoWay
    if len(parent.value) == 1:
        return _replaced(text, path[:-1], expected)
    values = [pair[1] if isinstance(pair, tuple) else pair for pair in parent.value]
    keys = [pair[0] if isinstance(pair, tuple) else pair for pair in parent.value]
    place = next(n for n, one in enumerate(values) if one is node)
    start, end = int((key or node).start_mark.index), layout.end(node)
    if parent.flow_style:
        if place + 1 < len(values):
            behind = layout.comma(end) + 1
            rest = text[behind:].lstrip(" ") if text[behind : behind + 1] == " " else text[behind:]
            return text[:start] + rest
        before = layout.end(values[place - 1])
        if "#" not in text[before:start] or _BREAK.search(text, before, start) is None:
            return text[:before] + text[end:]
        return text[:start] + text[end:]
    if key is None:
        start = layout.dash(start)
    begin = _line_start(text, start)
    if text[begin:start].strip(" ") == "":
        return text[:begin] + text[layout.next_line(node) :]
    # `- key: value`: the next key moves up beside the dash.
    follow = keys[place + 1]
    there = int(follow.start_mark.index)
    if key is None:
        there = layout.dash(there)
    if place or text[end:there].strip():
        return text[:start].rstrip(" ") + text[_line_end(text, end) :]
    return text[:start] + text[there:]


def _indent(layout: _Layout, path: Place) -> int:
    return int(layout.find(path[:-1])[1].start_mark.column) if path else 0


def _spaced(text: str, at: int) -> str:
    """A blank, where a value would else touch its colon or dash."""
    return "" if at == 0 or text[at - 1] in " \n\r[{" else " "


def _fits(inline: str, text: str, start: int, whole: bool, indent: int) -> bool:
    column = indent + 20 if whole else start - _line_start(text, start)
    return column + len(inline) <= WIDTH


# --- how a value is written ---------------------------------------------------------------


def _entry(name: str | int, value: Any, column: int) -> list[str]:
    """The lines of a key, or of an item, with its value."""
    blanks = " " * column
    lead = f"{blanks}{_scalar(name)}: " if isinstance(name, str) else f"{blanks}- "
    inline = _inline(value)
    if not isinstance(value, dict | list) or len(lead) + len(inline) <= WIDTH:
        return [lead + inline]
    if isinstance(name, str):
        return [lead.rstrip(), *_block(value, column + 2)]
    first, *rest = _block(value, column + 2)
    return [lead + first.lstrip(" "), *rest]


def _block(value: Any, column: int) -> list[str]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return [line for name, one in pairs for line in _entry(name, one, column)]


def _inline(value: Any, *, style: str = "") -> str:
    """A value on one line; `style` is how the one before it was quoted."""
    if isinstance(value, dict):
        inner = (f"{_scalar(key)}: {_inline(one)}" for key, one in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(one) for one in value) + "]"
    return _scalar(value, style=style)


def _scalar(value: str, *, style: str = "") -> str:
    """A text so that the reader reads exactly it: plain where that is safe, else quoted."""
    visible = _INVISIBLE.search(value) is None
    if value == "tbc" or (style not in ("'", '"') and visible and _PLAIN.fullmatch(value)):
        return value
    if style == "'" and visible:
        return "'" + value.replace("'", "''") + "'"
    quoted = json.dumps(value, ensure_ascii=False)
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
