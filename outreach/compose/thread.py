"""A long text as the parts of a thread, cut at the ends of its sentences.

Nothing is added but the numbers that were asked for, and nothing is lost but blanks where a cut is:
the parts in a row are the text. A sentence that is too long by itself is cut after a comma, then at
a blank; never within an address, a tag, a name or a number. What cannot be cut stays too long, and
is told as any text that is.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from outreach.links import addresses

Fits = Callable[[str, int], bool]
"""Whether a text fits as the part of this number, from 0."""

_CLOSES: Final = "\"'”’»›)\\]）】」』》〉"
# Full stops of Chinese and Japanese end a sentence by themselves; the others before a blank.
_END: Final = re.compile(rf"[。！？｡]+[{_CLOSES}]*|[.!?…]+[{_CLOSES}]*(?=\s)|\n+")
_CLAUSE: Final = re.compile(rf"[，、；：､]+[{_CLOSES}]*|[,;:]+[{_CLOSES}]*(?=\s)")
_BLANK: Final = re.compile(r"(?<=\S)(?=\s)")
_WHOLE: Final = re.compile(r"[#＃@＠][^\s#＃@＠]+|\d+(?:[\s\u00a0\u202f.,:/–-]\d+)*", re.IGNORECASE)
_WORD_BEFORE: Final = re.compile(r"([^\W_]+(?:\.[^\W_]+)*)\.$")

# After these a full stop ends no sentence: "Ms. Park", "No. 5", "г. Москва", "проф. Бат".
_SHORT: Final = """
    mr mrs ms dr prof st h.e e.g i.e cf vs no nos para paras vol fig pp approx dept
    jan feb mar apr jun jul aug sep sept oct nov dec
    г гг ул им т.е т.д т.п др проф акад стр рис см напр руб млн млрд тыс обл р респ
    ж дугаар
"""
SHORT: Final = frozenset(_SHORT.split())


def split(text: str, fits: Fits, *, first: int = 0) -> list[str]:
    """The text in as few parts as its sentences allow; `first` is the number of the first of them.

    One part where it fits, or where nothing can be cut.
    """
    parts: list[str] = []
    rest = text.strip()
    while rest:
        number = first + len(parts)
        cut = len(rest) if fits(rest, number) else _cut(rest, fits, number)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return parts


def numbered(text: list[str], fits: Fits) -> list[str]:
    """These parts, cut further where they must be, each with "(2/7)" at its end where there are
    several; the numbers count."""
    of = 9
    while True:
        room = f" ({of}/{of})"

        def with_number(part: str, number: int, room: str = room) -> bool:
            return fits(part + room, number)

        parts: list[str] = []
        for one in text:
            parts += split(one, with_number, first=len(parts)) or [one]
        if len(parts) <= of:
            break
        of = of * 10 + 9
    if len(parts) == 1 or (len(text) == 1 and fits(text[0], 0)):
        return text
    return [f"{part} ({number}/{len(parts)})" for number, part in enumerate(parts, start=1)]


def _cut(text: str, fits: Fits, number: int) -> int:
    """Where to cut off the longest part that fits: all of it where no place is early enough."""
    for places in (_sentences, _clauses, _blanks):
        best = 0
        for place in places(text):
            if not fits(text[:place].rstrip(), number):
                break
            best = place
        if best:
            return best
    # Too long up to its first place: the rest of it may still be cut.
    return next((place for place in _sentences(text)), len(text))


def _sentences(text: str) -> Iterator[int]:
    whole = _spans(text)
    for match in _END.finditer(text):
        if not _within(match.end(), whole) and not _is_short(text[: match.end()], match[0]):
            yield match.end()


def _clauses(text: str) -> Iterator[int]:
    whole = _spans(text)
    return (m.end() for m in _CLAUSE.finditer(text) if not _within(m.end(), whole))


def _blanks(text: str) -> Iterator[int]:
    whole = _spans(text)
    return (m.end() for m in _BLANK.finditer(text) if not _within(m.end(), whole))


def _spans(text: str) -> list[tuple[int, int]]:
    """What is never cut. The mark that ends a sentence is none of an address before it."""
    found = [(at, at + len(address)) for at, address in addresses(text)]
    for match in _WHOLE.finditer(text):
        told = match[0].rstrip(".,;:!?。！？，、；：\"'”’»)）】」』")
        found.append((match.start(), match.start() + len(told)))
    return found


def _within(place: int, spans: list[tuple[int, int]]) -> bool:
    return any(start < place < end for start, end in spans)


def _is_short(before: str, mark: str) -> bool:
    """Whether the full stop is an abbreviation's, an initial's or a list number's."""
    if mark.strip(_CLOSES.replace("\\", "")) != ".":
        return False
    word = _WORD_BEFORE.search(before)
    if word is None:
        return False
    said = word[1].casefold()
    return said in SHORT or said.isdigit() or (len(said) == 1 and word[1].isupper())
