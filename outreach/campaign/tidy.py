"""The one layout of a campaign file: what `outreach fmt` makes of it, word for word the same.

Two blanks for each level, and items of a list below their key; `{a: 1, b: [x, y]}` in braces that
stay braces; quotes around a time of day, which other programs would make a number of; never two
empty lines, none below a key, one between blocks and between messages of several lines. Comments
keep their words and, behind a value, their column. Lines are never broken or joined: that is the
author's.
"""

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from outreach.campaign.edit import Document
from outreach.campaign.fits import check
from outreach.campaign.reader import read_yaml
from outreach.campaign.typed import typed
from outreach.errors import NotAllowed, Problem

_LOADER: Final = getattr(yaml, "CLoader", yaml.Loader)
_COMMENT_GAP: Final = 2
_NUMBER_OF_60: Final = re.compile(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?")  # YAML 1.1: 10:30 is 630
_VISIBLE: Final = (
    yaml.BlockEntryToken,
    yaml.ValueToken,
    yaml.FlowEntryToken,
    yaml.FlowMappingStartToken,
    yaml.FlowMappingEndToken,
    yaml.FlowSequenceStartToken,
    yaml.FlowSequenceEndToken,
    yaml.ScalarToken,
)
_OPENS: Final = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)
_CLOSES: Final = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_UNUSUAL: Final = (yaml.DirectiveToken, yaml.DocumentStartToken, yaml.DocumentEndToken)


def mistakes(data: bytes, shown: str) -> list[Problem]:
    """What is wrong in a campaign file: such a file is left alone."""
    read = read_yaml(data, shown)
    campaign, wrong = typed(read, shown) if read.whole else (None, [])
    found = [*read.problems, *wrong, *(check(campaign) if campaign else ())]
    return [problem for problem in found if problem.mistake]


def tidy(document: Document) -> bool:
    """Lay the document out; whether anything changed.

    Raises NotAllowed where its layout cannot be changed without changing what it says.
    """
    before = document.text()
    breaks = re.findall(r"\r\n|\r|\n", before)
    plain = re.sub(r"\r\n|\r", "\n", before)
    try:
        made = tidied(plain)
        made_again = tidied(made)
    except (_Unusual, yaml.YAMLError, IndexError, KeyError) as error:
        raise _cannot(document) from error
    if made_again != made or _comments(made) != _comments(plain):
        raise _cannot(document)
    after = made.replace("\n", breaks[0] if breaks else "\n")
    document.lay_out(after)
    return after != before


def _cannot(document: Document) -> NotAllowed:
    return NotAllowed(
        f"{document.shown} is written in a way that cannot be tidied safely",
        "it is as it was; write `key: value` lines and {…} only, or leave it",
    )


class _Unusual(Exception):
    """YAML that a campaign file can do without: `? key`, `---`."""


@dataclass
class _Plan:
    """What the walk over the values found out, by places in the text."""

    begins: dict[int, int] = field(default_factory=dict)  # a key, dash or value -> its column
    flow: dict[int, int] = field(default_factory=dict)  # an outermost bracket -> its key's column
    inside: dict[int, int] = field(default_factory=dict)  # a scalar -> the column of its lines


@dataclass
class _Line:
    """A line as it will be: None for a column means that it stays as it is."""

    column: int | None
    text: str
    old: int = 0  # its column before
    comment: bool = False
    own: bool = False  # inside a text: an empty one is a part of it


def tidied(text: str) -> str:
    """The text in the one layout; line ends are plain."""
    tokens = [t for t in yaml.scan(text, Loader=_LOADER) if isinstance(t, _VISIBLE + _UNUSUAL)]
    if any(isinstance(token, _UNUSUAL) for token in tokens):
        raise _Unusual
    root: Any = yaml.compose(text, Loader=_LOADER)
    plan = _Plan()
    dashes = [t.start_mark.index for t in tokens if isinstance(t, yaml.BlockEntryToken)]
    _walk(root, 0, plan, dashes)
    lines = _laid_out(text, tokens, plan)
    apart = _apart(root, text)
    return _joined(lines, apart)


# --- where everything goes ----------------------------------------------------------------


def _walk(node: Any, column: int, plan: _Plan, dashes: list[int]) -> None:
    """Note the column of every key, dash and value of a block that begins at `column`."""
    start = node.start_mark.index
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        if isinstance(node, yaml.MappingNode):
            if node.start_mark.index != node.value[0][0].start_mark.index:
                raise _Unusual
            for key, value in node.value:
                plan.begins[key.start_mark.index] = column
                plan.inside[key.start_mark.index] = column + 2
                _value(value, column, plan, dashes)
            return
        for item in node.value:
            dash = dashes[bisect.bisect_left(dashes, item.start_mark.index) - 1]
            plan.begins[dash] = column
            _walk(item, column + 2, plan, dashes)
            if not isinstance(item, yaml.CollectionNode) or item.flow_style:
                plan.inside[item.start_mark.index] = column + 2
                plan.flow[item.start_mark.index] = column
        return
    plan.begins.setdefault(start, column)
    plan.inside.setdefault(start, column + 2)
    plan.flow.setdefault(start, column)


def _value(value: Any, column: int, plan: _Plan, dashes: list[int]) -> None:
    """The value of a key at `column`."""
    if isinstance(value, yaml.CollectionNode) and not value.flow_style:
        _walk(value, column + 2, plan, dashes)
        return
    plan.begins[value.start_mark.index] = column + 2
    plan.inside[value.start_mark.index] = column + 2
    plan.flow[value.start_mark.index] = column


def _apart(root: Any, text: str) -> set[int]:
    """The lines of keys with an empty line above them: blocks of the file, long messages."""
    found: set[int] = set()
    for node in (root, next((v for k, v in root.value if k.value == "messages"), None)):
        if not isinstance(node, yaml.MappingNode) or node.flow_style:
            continue
        longs = [_last_line(value, text) > key.start_mark.line for key, value in node.value]
        for number, (key, _) in enumerate(node.value[1:], start=1):
            if longs[number] or longs[number - 1]:
                found.add(key.start_mark.line)
    return found


def _last_line(node: Any, text: str) -> int:
    """The line on which a value ends; empty lines behind it are not its own."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        tail: Any = node.value[-1]
        node = tail[1] if isinstance(tail, tuple) else tail
    whole = text[node.start_mark.index : node.end_mark.index]
    return int(node.start_mark.line) + whole.rstrip().count("\n")


# --- the lines ----------------------------------------------------------------------------


def _laid_out(text: str, tokens: list[Any], plan: _Plan) -> list[_Line]:
    old = text.split("\n")
    lines = [_Line(None, line.rstrip(), len(line) - len(line.lstrip())) for line in old]
    depth, base = 0, 0
    waiting = 0  # the next line that no token has been seen on
    written: Any = None  # the token before, on this line
    for token in tokens:
        begin, start = token.start_mark.line, token.start_mark.index
        closes = isinstance(token, _CLOSES)
        depth -= closes
        if begin >= waiting:
            for between in range(waiting, begin):  # comments and empty lines
                lines[between].comment = lines[between].text.lstrip().startswith("#")
                if depth + closes:
                    lines[between].column = base + 2 * (depth + closes)
                    lines[between].text = lines[between].text.strip()
            column = base + 2 * depth if depth or closes else plan.begins[start]
            lines[begin] = _Line(column, "", token.start_mark.column)
            written = None
        if not depth and isinstance(token, _OPENS):
            base = plan.flow[start]
        depth += isinstance(token, _OPENS)
        line = lines[begin]
        line.text += _gap(written, token) + _words(token, text)
        inside = base + 2 * depth + 2 if depth else plan.inside.get(start, 0)
        last = _continued(token, text, old, lines, inside)
        ended = token.end_mark.index
        if getattr(token, "style", None) not in ("|", ">"):
            behind = text[ended : _line_end(text, ended)]
            rest = behind.strip()
            if rest.startswith("#"):
                was = token.end_mark.column + len(behind) - len(behind.lstrip())
                line_at = lines[last]
                width = len(line_at.text) + (line_at.column or 0)
                line_at.text += " " * max(was - width, _COMMENT_GAP) + rest
        waiting, written = max(waiting, last + 1), token
    for between in range(waiting, len(lines)):
        lines[between].comment = lines[between].text.lstrip().startswith("#")
    return lines


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _gap(before: Any, token: Any) -> str:
    tight = (yaml.ValueToken, yaml.FlowEntryToken, *_CLOSES)
    if before is None or isinstance(token, tight) or isinstance(before, _OPENS):
        return ""
    return " "


def _words(token: Any, text: str) -> str:
    """A token as it is written, or its first line."""
    whole = text[token.start_mark.index : token.end_mark.index]
    if isinstance(token, yaml.ScalarToken):
        if token.plain and _NUMBER_OF_60.fullmatch(whole):
            return f'"{whole}"'
        return whole.partition("\n")[0].rstrip() if "\n" in whole else whole
    return whole


def _continued(token: Any, text: str, old: list[str], lines: list[_Line], inside: int) -> int:
    """Set the further lines of a token; returns its last line."""
    begin = int(token.start_mark.line)
    whole = text[token.start_mark.index : token.end_mark.index]
    if not isinstance(token, yaml.ScalarToken) or "\n" not in whole:
        return begin
    if token.style in ("|", ">"):
        return _block_scalar(token, text, old, lines, inside)
    last = token.end_mark.line
    pieces = whole.split("\n")
    for number in range(begin + 1, last + 1):
        piece = pieces[number - begin].lstrip(" \t")
        lines[number] = _Line(inside, piece.rstrip() if number < last else piece, own=True)
    return int(last)


def _block_scalar(token: Any, text: str, old: list[str], lines: list[_Line], inside: int) -> int:
    begin = int(token.start_mark.line)
    header = text[token.start_mark.index : _line_end(text, token.start_mark.index)]
    last = text.count("\n", 0, max(token.end_mark.index - 1, 0))
    if re.match(r"[|>][-+]?[1-9]", header):
        raise _Unusual  # an indentation that is counted out by hand
    content = range(begin + 1, last + 1)
    first = next((n for n in content if old[n].strip()), None)
    shift = inside - (len(old[first]) - len(old[first].lstrip(" "))) if first else 0
    keeps = "+" in header.partition("#")[0]
    end = max((n for n in content if old[n].strip()), default=begin)
    for number in content:
        line = old[number]
        if number > end and not keeps:
            return end  # empty lines behind it are layout
        blanks = len(line) - len(line.lstrip(" "))
        moved = " " * max(blanks + shift, 0) + line.lstrip(" ") if line else ""
        lines[number] = _Line(None, moved, own=True)
    return last


# --- the file -----------------------------------------------------------------------------


def _joined(lines: list[_Line], apart: set[int]) -> str:
    _place_comments(lines)
    out: list[str] = []
    layout: list[bool] = []  # which lines of `out` are empty, and not a part of a text
    for number, line in enumerate(lines):
        if number in apart:
            _set_apart(out, layout, line.column or 0)
        empty = not line.text and not line.own
        if empty and (not out or layout[-1] or _opens(lines, number)):
            continue
        out.append(" " * (line.column or 0) + line.text if line.text else "")
        layout.append(empty)
    while out and layout[-1]:
        out.pop()
        layout.pop()
    return "\n".join(out) + "\n"


def _opens(lines: list[_Line], number: int) -> bool:
    """Whether an empty line stands between a key and what belongs to it."""
    above = next((lines[n] for n in range(number - 1, -1, -1) if lines[n].text), None)
    below = next((lines[n] for n in range(number, len(lines)) if lines[n].text), None)
    if above is None or below is None or above.column is None or below.column is None:
        return False
    return not above.comment and above.column < below.column


def _set_apart(out: list[str], layout: list[bool], column: int) -> None:
    """Put an empty line above what comes next, and above the comment that belongs to it."""
    at = len(out)
    lead = " " * column + "#"
    while at and out[at - 1].startswith(lead):
        at -= 1
    if at and not layout[at - 1]:
        out.insert(at, "")
        layout.insert(at, True)


def _place_comments(lines: list[_Line]) -> None:
    """A comment goes with the line that it was lined up with: the next, else one above."""
    for number, line in enumerate(lines):
        if not line.comment or line.column is not None:
            continue
        line.text = line.text.strip()
        line.column = next(_columns(lines, number), 0)


def _columns(lines: list[_Line], number: int) -> Iterator[int]:
    old = lines[number].old
    below = next(
        (one for one in lines[number + 1 :] if one.column is not None and not one.comment), None
    )
    if below and below.column is not None and below.old == old:
        yield below.column
    for above in reversed(lines[:number]):
        if above.column is not None and above.old == old:
            yield above.column
    if below and below.column is not None:
        yield below.column


def _comments(text: str) -> list[str]:
    """Every comment, in order: what stands between tokens."""
    found, behind = [], 0
    for token in yaml.scan(text, Loader=_LOADER):
        start, end = token.start_mark.index, token.end_mark.index
        if start > behind:
            found += re.findall(r"#.*", text[behind:start])
        if getattr(token, "style", None) in ("|", ">"):
            header = text[start : _line_end(text, start)]
            found += re.findall(r"(?<=\s)#.*", header)
        behind = max(behind, end)
    return [one.rstrip() for one in found + re.findall(r"#.*", text[behind:])]
