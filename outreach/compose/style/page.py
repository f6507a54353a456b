"""A text ready to be looked at: without its markup, with what is to be passed over marked.

    original   25<sup>th</sup> August, “as **they** wrote”
    plain      25th August, “as they wrote”
    places     quotation: 13-29

Rules and checks look at `plain`; `Page.place` leads from there back to line and column of the
original. Nothing here takes more than a few passes over a text, whatever stands in it.
"""

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from outreach.post import Picture

# Kinds of places that rules pass over unless they ask to look there too.
SKIPPED: Final = frozenset(
    {"address", "handle", "hashtag", "quotation", "code", "title", "reproduced", "template"}
)
KINDS: Final = SKIPPED | {"table"}

Span = tuple[int, int]

_MARK: Final = re.compile(r"[<&\\*_]|\.{4}")
_INLINE: Final = re.compile(
    r"""<!--.{0,2000}?-->
      | <sup>\d{1,3}</sup>                                  # a footnote's mark
      | </?[A-Za-z][A-Za-z0-9]{0,15}(?:[\s/][^<>]{0,500})?>
      | &(?:[A-Za-z]{2,10}|\#\d{1,6});
      | \\(?=[_*\[\]()\#+.!`~-])
      | \.{4}(?:</?\w{1,10}>|[ \t.*_])*\d{0,4}(?:</?\w{1,10}>|[*_])*   # leads to a page number
      | \*{1,3} | _{1,3}""",
    re.VERBOSE | re.DOTALL,
)
_BLOCK: Final = re.compile(r"</?(?:br|p|div|li|ul|ol|tr|td|th|table|h[1-6])\b", re.IGNORECASE)
# "1. ", "(a) ", "III. ", "## ", with emphasis around it or not.
_START: Final = re.compile(
    r"""^[ \t]*(?:\#{1,6}[ \t]+)?
        (?:<\w{1,10}>|\*\*|__){0,3}
        (?P<label>\d{1,3}\.|\(?(?:[a-z]|[ivx]{2,5}|\d{1,3})\)|[IVX]{1,5}\.)
        (?:</\w{1,10}>|\*\*|__){0,3}[ \t]+
      | ^\#{1,6}[ \t]+""",
    re.VERBOSE | re.MULTILINE,
)
_MAYBE_START: Final = re.compile(r"^[ \t<*_]*(?:[\d(#]|[IVXa-z]{1,5}[.)])", re.MULTILINE)

_ADDRESS: Final = re.compile(r"(?:https?|ftp)://[!-~]+|www\.[!-~]+")
_ENDINGS: Final = r"\.(?:org|int|net|com|edu|gov|info|cn|jp|kr|mn|ru|th|io|me|be)\b"
_ANY_ENDING: Final = re.compile(_ENDINGS)
_HOST: Final = re.compile(
    rf"(?<![\w@.-])[A-Za-z0-9][A-Za-z0-9-]{{0,62}}(?:\.[A-Za-z0-9-]{{1,63}}){{0,4}}{_ENDINGS}"
    r"(?::\d{1,5})?(?:/[!-~]*)?"
)
_HANDLE: Final = re.compile(r"(?<![\w.+-])@\w[\w.-]{0,60}")
HASHTAG: Final = re.compile(r"(?<![\w&/#])#\w+")
_QUOTED: Final = re.compile(
    r'“[^“”]*”|"[^"\n]*"|«[^«»]*»|「[^「」]*」|『[^『』]*』|《[^《》]*》|(?<!\w)‘[^‘’\n]*’(?!\w)'
)
_BLOCKQUOTE: Final = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_FENCED: Final = re.compile(r"^```[^\n]*\n(?:(?!```).*\n)*```|`[^`\n]+`", re.MULTILINE)
_TEMPLATE: Final = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}%]*%\}|\{#[^{}#]*#\}")
_TABLE: Final = re.compile(r"^[ \t]*\|.*$", re.MULTILINE)
_TRAILING: Final = ".,;:!?)]}'\"*_>"


class Spans:
    """Stretches of a text, to be asked whether one touches them."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.all: list[Span] = []
        for start, end in sorted(spans):
            if self.all and start < self.all[-1][1]:
                self.all[-1] = (self.all[-1][0], max(end, self.all[-1][1]))
            elif end > start:
                self.all.append((start, end))
        self._starts = [start for start, _ in self.all]

    def touch(self, start: int, end: int) -> bool:
        """Whether one of them shares a letter with this stretch."""
        before = bisect_right(self._starts, max(end - 1, start)) - 1
        return before >= 0 and self.all[before][1] > start

    def hold(self, start: int, end: int) -> bool:
        """Whether this stretch lies within one of them."""
        before = bisect_right(self._starts, start) - 1
        return before >= 0 and end <= self.all[before][1]


@dataclass(frozen=True)
class Page:
    """A text, what goes with it, and where it came from."""

    original: str
    language: str = "en"
    profile: str = "post"
    pictures: tuple[Picture, ...] = ()
    hashtags: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    reproduced: tuple[str, ...] = ()
    alt_limit: int = 0
    template: bool = False
    plain: str = field(init=False, default="")
    numbers: tuple[tuple[int, str], ...] = field(init=False, default=())
    """Where a paragraph began with a number, in `plain`, and the number: (0, "1.")."""
    _pieces: tuple[Sequence[int], Sequence[int]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        plain, numbers, pieces = _without_markup(self.original)
        object.__setattr__(self, "plain", plain)
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "_pieces", pieces)

    def place(self, at: int) -> tuple[int, int]:
        """Line and column in the original, both from 1, of a place in `plain`."""
        if self._pieces is not None:
            ours, theirs = self._pieces
            piece = bisect_right(ours, at) - 1
            end = theirs[piece + 1] if piece + 1 < len(theirs) else len(self.original)
            at = min(theirs[piece] + at - ours[piece], max(end - 1, theirs[piece]))
        return self.original_place(at)

    def original_place(self, at: int) -> tuple[int, int]:
        """Line and column of a place in the original."""
        line = bisect_right(self._lines, at) - 1
        return line + 1, at - self._lines[line] + 1

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.original))]

    @cached_property
    def paragraphs(self) -> list[Span]:
        """Stretches between empty lines."""
        found, start = [], 0
        for gap in re.finditer(r"\n[ \t\r]*\n[\s]*", self.plain):
            found.append((start, gap.start()))
            start = gap.end()
        return [*found, (start, len(self.plain))]

    @cached_property
    def lines(self) -> list[Span]:
        """Lines of `plain`, without their ends."""
        found, start = [], 0
        for line in self.plain.split("\n"):
            found.append((start, start + len(line)))
            start += len(line) + 1
        return found

    def passed(self, kinds: Iterable[str]) -> list[Spans]:
        """The places of these kinds, as far as there are any."""
        return [spans for kind in kinds if (spans := self.places.get(kind)) is not None]

    @cached_property
    def places(self) -> dict[str, Spans]:
        """Each kind of place that the text has."""
        found = {kind: list(spans) for kind, spans in self._found()}
        return {kind: Spans(spans) for kind, spans in found.items() if spans}

    def _found(self) -> Iterator[tuple[str, Iterator[Span]]]:
        text = self.plain
        if "://" in text or "www." in text or "@" in text or _ANY_ENDING.search(text):
            yield "address", _addresses(text)
        if "@" in text:
            yield "handle", _spans(_HANDLE, text)
        if "#" in text:
            yield "hashtag", _spans(HASHTAG, text)
        yield "quotation", _quotations(text)
        if "`" in text:
            yield "code", _spans(_FENCED, text)
        if self.template and "{" in text:
            yield "template", _spans(_TEMPLATE, text)
        if "|" in text:
            yield "table", _spans(_TABLE, text)
        if self.titles:
            yield "title", _phrases(self.titles, text)
        if self.reproduced:
            yield "reproduced", _phrases(self.reproduced, text)


# --- what is passed over ------------------------------------------------------------------


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    return (found.span() for found in pattern.finditer(text))


def _addresses(text: str) -> Iterator[Span]:
    for pattern in (_ADDRESS, *([_HOST] if _ANY_ENDING.search(text) else [])):
        for found in pattern.finditer(text):
            length = len(found[0].rstrip(_TRAILING))
            yield found.start(), found.start() + length
    at = text.find("@")
    while at >= 0:
        if mail := re.compile(r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}").match(text, at):
            name = re.search(r"[\w.+%-]{1,64}$", text[max(at - 64, 0) : at])
            if name:
                yield at - len(name[0]), mail.end()
        at = text.find("@", at + 1)


def _quotations(text: str) -> Iterator[Span]:
    for found in _QUOTED.finditer(text):
        if "\n\n" not in found[0]:  # a quote that was left open does not hide what follows
            yield found.span()
    if ">" in text:
        yield from _spans(_BLOCKQUOTE, text)


def _phrases(phrases: Iterable[str], text: str) -> Iterator[Span]:
    for phrase in phrases:
        words = unicodedata.normalize("NFC", phrase).split()
        if words:
            yield from _spans(re.compile(r"\s+".join(map(re.escape, words))), text)


# --- markup -------------------------------------------------------------------------------

_Pieces = tuple[list[int], list[int]]


def _without_markup(
    text: str,
) -> tuple[str, tuple[tuple[int, str], ...], _Pieces | None]:
    """The plain text, its paragraph numbers, and how its pieces lie in the original.

    No pieces where nothing was taken out: then places are the same in both.
    """
    cuts = list(_cuts(text))
    if not cuts and unicodedata.is_normalized("NFC", text):
        return text, (), None
    made = _Made()
    start = 0
    for begin, end, instead, label in cuts:
        if begin < start:
            continue
        made.take(text, start, begin)
        if label:
            made.numbers.append((made.length, label))
        if instead:
            made.put(instead, begin)
        start = end
    made.take(text, start, len(text))
    return "".join(made.parts), tuple(made.numbers), (made.ours or [0], made.theirs or [0])


class _Made:
    """Plain text being put together: pieces, where each begins, and where it was taken from."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.numbers: list[tuple[int, str]] = []
        self.ours: list[int] = []
        self.theirs: list[int] = []
        self.length = 0

    def put(self, part: str, at: int) -> None:
        if part:
            self.ours.append(self.length)
            self.theirs.append(at)
            self.parts.append(part)
            self.length += len(part)

    def take(self, text: str, start: int, end: int) -> None:
        """A stretch of the original, in NFC; letter by letter where that changes it."""
        part = text[start:end]
        if unicodedata.is_normalized("NFC", part):
            self.put(part, start)
            return
        begin = 0
        for at in range(1, len(part) + 1):
            if at == len(part) or not _joins(part[at]):
                self.put(unicodedata.normalize("NFC", part[begin:at]), start + begin)
                begin = at


def _joins(letter: str) -> bool:
    """Whether it may become one letter with the one before it: accents, and parts of Hangul."""
    return unicodedata.combining(letter) > 0 or "\u1160" <= letter <= "\u11ff"


def _cuts(text: str) -> list[tuple[int, int, str, str]]:
    """What is no text, in order: from, to, what stands for it, and a paragraph's number."""
    cuts = []
    if _MAYBE_START.search(text):
        for start in _START.finditer(text):
            if start.end() < len(text):  # "5." alone is all there is
                cuts.append((start.start(), start.end(), "", start["label"] or ""))
    mark = _MARK.search(text)
    while mark:
        found = _INLINE.match(text, mark.start())
        end = found.end() if found else mark.end()
        if found and (instead := _instead(text, found)) is not None:
            cuts.append((found.start(), end, instead, ""))
            end += found[0] == "\\"  # what is escaped is text
        mark = _MARK.search(text, end)
    return sorted(cuts)


def _instead(text: str, found: re.Match[str]) -> str | None:
    """What stands for a piece of markup; None where it is text after all."""
    piece = found[0]
    if piece[0] in "*_":
        before = text[found.start() - 1 : found.start()]
        after = text[found.end() : found.end() + 1]
        opens = not (before.isalnum() or before == "_") and bool(after.strip())
        closes = bool(before.strip()) and not (after.isalnum() or after == "_")
        return "" if opens or closes or piece[:2] == "**" else None
    if piece[0] == "&":
        plain = html.unescape(piece)
        return None if plain == piece else plain
    return " " if _BLOCK.match(piece) else ""
