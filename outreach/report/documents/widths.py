"""How broad a table's columns are: as its section asks, but no head and no figure is broken.

Measured in Times New Roman. A column too narrow for its longest word takes what it lacks from those
that have room; what is still to spare goes where it saves second lines. A word that is too long for
any column, such as an address, is broken.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from outreach.report.fonts import length
from outreach.report.value import Table

TEXT_WIDTH = 453.6  # points: A4 less 25 mm on either side
SIZE, SMALL = 10.5, 9.0  # points, of tables and of small ones
PADDING = 5.7 + 0.8  # points within a cell, left and right, and a little air
LONGEST = 0.3  # of the text's width that one word may ask for


@lru_cache(maxsize=64)
def widths(table: Table) -> tuple[float, ...]:
    """Each column's part of the whole; together 1."""
    asked = sum(column.width for column in table.columns)
    parts = [column.width / asked for column in table.columns]
    least, lines = _needs(table)
    if sum(least) >= 1:
        return tuple(one / sum(least) for one in least)
    parts = _given(parts, least, keep=least)
    # What a column does not need spares another its second lines, those that lack least first.
    for index in sorted(range(len(parts)), key=lambda one: lines[one] - parts[one]):
        wish = [*parts]
        wish[index] = max(lines[index], parts[index])
        keep = [max(*both) for both in zip(least, lines, strict=True)]
        if wish[index] - parts[index] <= _room(parts, keep):
            parts = _given(parts, wish, keep=keep)
    return tuple(parts)


def _given(parts: Sequence[float], wish: Sequence[float], *, keep: Sequence[float]) -> list[float]:
    """Each at least as broad as its wish; the others give of what they have beyond `keep`."""
    lacking = sum(max(want - part, 0) for want, part in zip(wish, parts, strict=True))
    room = _room(parts, keep)
    share = lacking / room if room else 0.0
    return [
        max(want, part) if want > part else part - max(part - kept, 0) * share
        for want, part, kept in zip(wish, parts, keep, strict=True)
    ]


def _room(parts: Sequence[float], keep: Sequence[float]) -> float:
    return sum(max(part - kept, 0) for part, kept in zip(parts, keep, strict=True))


def _needs(table: Table) -> tuple[list[float], list[float]]:
    """What each column needs so that no word of its head breaks and no figure; and no cell."""
    size = SMALL if table.small else SIZE
    bold = "Tinos-Bold" if any(row.total for row in table.rows) else "Tinos-Regular"
    least, lines = [], []
    for index, column in enumerate(table.columns):
        if index:
            cells = [row.cells[index - 1] for row in table.rows]
            texts = {f"{cell.text}{cell.note}" for cell in cells}
        else:
            texts = {f"{row.head}{row.note}" for row in table.rows}
        figures = index and not column.words
        words = texts if figures else {word for text in texts for word in _words(text)}
        head = max((length(word, "Tinos-Italic") for word in _words(column.head)), default=0.0)
        body = max((length(word, bold) for word in words), default=0.0)
        whole = max((length(text, bold) for text in texts), default=0.0)
        broadest = max(head * size, min(body * size, LONGEST * TEXT_WIDTH))
        least.append((broadest + PADDING) / TEXT_WIDTH)
        lines.append((whole * size + PADDING) / TEXT_WIDTH)
    return least, lines


def _words(text: str) -> Sequence[str]:
    """What is not broken: word processors break after spaces and hyphens."""
    return re.findall(r"[^\s-]+-?|-", text)
