"""One workbook of ours: how it looks, and what stands in it when it comes back.

A book has a page to read, a table, and a hidden sheet that says what kind of book this is and
what each cell held when it was made. Every cell is written as text; nothing is ever a formula.
"""

import hashlib
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from outreach.errors import Problem, WrongFiles
from outreach.sheets.xlsx import MOST_TEXT, Sheet, address, read_workbook, unfit

VERSION: Final = "1"
ABOUT: Final = "Read me"
HIDDEN: Final = "outreach"

FONTS: Final = {
    "ar": "Arial",
    "ja": "Yu Gothic",
    "ko": "Malgun Gothic",
    "mn": "Calibri",
    "zh": "Microsoft YaHei",
    "zh-Hant": "Microsoft JhengHei",
}
"""What a language is read in on most machines; another one stands in where it is missing."""
FONT: Final = "Calibri"

_BLUE, _GREY, _LINE = "#1F4E79", "#F2F2F2", "#BFBFBF"
_TINTS: Final = {
    "missing": "#F8CBAD",
    "wrong": "#F8CBAD",
    "stale": "#FFE699",
    "unreviewed": "#FFF2CC",
    "ready": "#C6E0B4",
}
_A4: Final = 9
_LINE_HEIGHT: Final = 15  # points
_TALLEST: Final = 409  # points: Excel's highest row
_ONE_PAGE: Final = 300  # characters: a wider table is printed on several pages
_FORMULA_SIGNS: Final = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Column:
    """One column. `write`: people write in it; `key`: it says which row this is."""

    head: str
    width: float = 14
    write: bool = False
    key: bool = False
    language: str = ""  # of what stands in it
    note: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One row: a text for each column, and the heads of columns in which nobody may write."""

    cells: tuple[str, ...]
    closed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Book:
    """A workbook to be. `about` is read first: a line "# …" is a heading, "" a gap."""

    kind: str
    table: str  # the name of the table's sheet
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    about: tuple[str, ...]
    language: str = ""
    spare: int = 0  # empty rows at the end, for what is new


@dataclass(frozen=True)
class Row:
    """A row that came back: its texts by column, and the mark of what each held (None: new)."""

    number: int
    cells: Mapping[str, str]
    seen: Mapping[str, str] | None
    places: Mapping[str, str] = field(repr=False)  # "Texts!G5", by column

    def __getitem__(self, head: str) -> str:
        return self.cells.get(head, "")

    @property
    def untouched(self) -> bool:
        """Whether every cell in which people write is as it was when the sheet was made."""
        return self.seen is not None and all(
            mark(self[head]) == kept for head, kept in self.seen.items()
        )


@dataclass(frozen=True)
class Got:
    """What came back: `heads` in their order, rows that have anything in them, and mistakes."""

    kind: str
    language: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


def plain(text: str) -> str:
    """The text as files have it: composed letters, no empty lines around it."""
    return unicodedata.normalize("NFC", text).strip("\n")


def same(one: str, other: str) -> bool:
    """Whether two texts are the same to whoever reads them: blanks around them do not count."""
    return plain(one).strip() == plain(other).strip()


def mark(text: str) -> str:
    """What the hidden sheet keeps of a cell."""
    return hashlib.sha256(plain(text).strip().encode()).hexdigest()[:12]


def cannot_export(texts: Sequence[tuple[str, str]]) -> list[Problem]:
    """What cannot stand in a cell without loss, of (where, text): each with the reason."""
    return [
        Problem(where, f"this text cannot stand in a sheet: {why}", "put that right in the file")
        for where, text in texts
        if (why := unfit(text))
    ]


# --- out ----------------------------------------------------------------------------------


def write(book: Book) -> bytes:
    """The workbook as bytes."""
    import xlsxwriter  # type: ignore[import-untyped,unused-ignore] # it has no types

    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    workbook.set_properties({"title": f"outreach {book.kind}", "comments": "made by outreach"})
    look = _Look(workbook)
    _write_about(workbook.add_worksheet(ABOUT), book, look)
    _write_table(workbook.add_worksheet(book.table), book, look)
    _write_hidden(workbook.add_worksheet(HIDDEN), book)
    workbook.close()
    return out.getvalue()


class _Look:
    """The formats of one workbook, each made once."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def __call__(self, **properties: Any) -> Any:
        name = tuple(sorted(properties.items()))
        if name not in self._made:
            self._made[name] = self._workbook.add_format(properties)
        return self._made[name]

    def cell(self, column: Column, text: str, *, open_: bool) -> Any:
        properties: dict[str, Any] = {
            "text_wrap": True,
            "valign": "top",
            "num_format": "@",  # what is typed stays text: Excel would make a date of 2025-08-18
            "border": 1,
            "border_color": _LINE,
            "font_name": font(column.language),
            "font_size": 11 if column.language else 10,
            "locked": not open_,
        }
        if not open_:
            properties["bg_color"] = _TINTS.get(text, _GREY)
        if text.startswith(_FORMULA_SIGNS):
            properties["quote_prefix"] = True
        if column.key:
            properties["bold"] = True
        if _right_to_left(column.language):
            properties["reading_order"] = 2
            properties["align"] = "right"
        return self(**properties)


def font(language: str) -> str:
    """The font that a language is written in."""
    return FONTS.get(language) or FONTS.get(language.partition("-")[0], FONT)


def _right_to_left(language: str) -> bool:
    from outreach.compose.languages import direction

    return bool(language) and direction(language) == "rtl"


def _write_about(sheet: Any, book: Book, look: _Look) -> None:
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 92)
    sheet.set_paper(_A4)
    sheet.set_portrait()
    sheet.fit_to_pages(1, 0)
    common = {"text_wrap": True, "font_name": FONT}
    for number, line in enumerate(book.about):
        heading = line.startswith("# ")
        style: dict[str, Any] = {"font_size": 11, "valign": "top"}
        if heading:
            style = {"font_size": 18 if number == 0 else 13, "bold": True, "font_color": _BLUE}
            style["valign"] = "bottom"
        sheet.set_row(number, _lines_in(line, 92) * _LINE_HEIGHT + (14 if heading else 3))
        sheet.write_string(number, 0, line.removeprefix("# "), look(**common, **style))
    sheet.protect("", {"select_locked_cells": True})


def _write_table(sheet: Any, book: Book, look: _Look) -> None:
    head = look(
        bold=True,
        font_color="#FFFFFF",
        bg_color=_BLUE,
        border=1,
        border_color=_LINE,
        text_wrap=True,
        valign="vcenter",
        font_name=FONT,
    )
    keys = sum(column.key for column in book.columns)
    sheet.set_row(0, 32)
    for place, column in enumerate(book.columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, column.head, head)
        if column.note:
            sheet.write_comment(0, place, column.note, {"x_scale": 1.6, "y_scale": 1.2})
        if column.choices:
            last = len(book.lines) + book.spare
            choices = {
                "validate": "list",
                "source": list(column.choices),
                "error_message": f"Choose one of: {', '.join(column.choices)}",
            }
            sheet.data_validation(1, place, max(last, 1), place, choices)
    new = Line(tuple("" for _ in book.columns))
    for number, line in enumerate([*book.lines, *[new] * book.spare], start=1):
        fresh = number > len(book.lines)
        for place, (column, text) in enumerate(zip(book.columns, line.cells, strict=True)):
            open_ = (column.write and column.head not in line.closed) or (fresh and column.key)
            style = look.cell(column, text, open_=open_)
            if text:
                sheet.write_string(number, place, text.strip("\n"), style)
            else:
                sheet.write_blank(number, place, None, style)
        # Only Excel finds the height of a row by itself; LibreOffice takes what is written here.
        sheet.set_row(number, _height(book, line))
    sheet.freeze_panes(1, keys)
    sheet.autofilter(0, 0, max(len(book.lines) + book.spare, 1), len(book.columns) - 1)
    may = ("format_cells", "format_columns", "format_rows", "sort", "autofilter")
    sheet.protect("", dict.fromkeys(may, True))
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.print_area(0, 0, max(len(book.lines), 1), len(book.columns) - 1)
    sheet.repeat_rows(0)
    if sum(column.width for column in book.columns) <= _ONE_PAGE:
        sheet.fit_to_pages(1, 0)
    else:
        sheet.set_print_scale(55)
        sheet.repeat_columns(0, keys - 1)
    sheet.set_footer("&L&A&R&P / &N")


def _height(book: Book, line: Line) -> float:
    """The points that a row needs; what is still to be translated takes as much as its source."""
    pairs = zip(book.columns, line.cells, strict=True)
    tall = {"zh", "ko", "ja"}
    most = max(
        _lines_in(text.strip("\n"), column.width)
        * (_LINE_HEIGHT + 2 * (column.language.partition("-")[0] in tall))
        for column, text in pairs
    )
    return min(most + 6, _TALLEST)


def _lines_in(text: str, width: float) -> int:
    """How many lines a text takes in a column of this width, about."""
    return sum(1 + int(_wide(line) // (width * 1.12)) for line in text.split("\n"))


def _wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _write_hidden(sheet: Any, book: Book) -> None:
    written = [place for place, column in enumerate(book.columns) if column.write]
    lines: list[Sequence[str]] = [
        ("outreach", book.kind),
        ("version", VERSION),
        ("language", book.language),
        ("table", book.table),
        ("keys", str(sum(column.key for column in book.columns))),
        ("columns", *(column.head for column in book.columns)),
        ("written", *(book.columns[place].head for place in written)),
    ]
    lines += [
        (_key(book, line), *(mark(line.cells[place]) for place in written)) for line in book.lines
    ]
    for number, line in enumerate(lines):
        for place, text in enumerate(line):
            sheet.write_string(number, place, text)
    sheet.protect("")
    sheet.hide()


def _key(book: Book, line: Line) -> str:
    pairs = zip(book.columns, line.cells, strict=True)
    return "\n".join(text for column, text in pairs if column.key)


# --- in -----------------------------------------------------------------------------------


def read(data: bytes, shown: str) -> Got:
    """The book that came back. Raises WrongFiles where it is none of ours, with all the reasons."""
    sheets = read_workbook(data, shown)
    told = _told(sheets, shown)
    table = sheets.get(told.table)
    if table is None:
        what = f"there is no sheet called {told.table}"
        named = ", ".join(name for name in sheets if name not in (ABOUT, HIDDEN))
        hint = f"give it its name back; there are: {named}" if named else "export a new one"
        raise WrongFiles([Problem(shown, what, hint)])
    heads, problems = _heads(table, told)
    if problems:
        raise WrongFiles([*problems, *_merged(table)])
    rows: list[Row] = []
    problems += _merged(table)
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), cell in sorted(table.cells.items()):
        if row == 1:
            continue
        where = f"{table.name}!{address(row, column)}"
        if column > len(heads):
            what = "this cell belongs to no column, and would be lost"
            problems.append(Problem(where, what, "give the column its head, or empty the cell"))
        elif cell.kind == "formula":
            what = f"a formula stands under “{heads[column - 1]}”, and is not evaluated"
            problems.append(Problem(where, what, "write the text itself; format the cell as Text"))
        elif cell.kind != "text" and heads[column - 1] in told.matter:
            what = f"{cell.kind} stands under “{heads[column - 1]}”, where a text belongs"
            problems.append(Problem(where, what, "format the cell as Text, and type it again"))
        elif len(cell.text.encode("utf-16-le", "surrogatepass")) // 2 > MOST_TEXT:
            what = f"this text is longer than {MOST_TEXT:,} characters, which no cell keeps whole"
            problems.append(Problem(where, what, "shorten it"))
        else:
            by_row.setdefault(row, {})[column] = cell.text
    for row, texts in sorted(by_row.items()):
        if any(text.strip() for text in texts.values()):
            rows.append(_row(row, texts, heads, table.name, told))
    problems += _twice(rows, told)
    return Got(told.kind, told.language, heads, tuple(rows), tuple(problems))


@dataclass(frozen=True)
class _Told:
    """What the hidden sheet says."""

    kind: str
    language: str
    table: str
    keys: int
    columns: tuple[str, ...]
    written: tuple[str, ...]
    seen: Mapping[str, Mapping[str, str]]

    @property
    def matter(self) -> frozenset[str]:
        """The columns in which a number is a mistake; in the others nothing is read."""
        return frozenset((*self.columns[: self.keys], *self.written))


def _told(sheets: Mapping[str, Sheet], shown: str) -> _Told:
    hidden = sheets.get(HIDDEN)
    lines = list(_lines(hidden)) if hidden else []
    said = {line[0]: line[1:] for line in lines[:7] if line}
    kind = next(iter(said.get("outreach", ())), "")
    columns, written = tuple(said.get("columns", ())), tuple(said.get("written", ()))
    keys = next(iter(said.get("keys", ())), "")
    sound = keys in [str(n) for n in range(1, len(columns) + 1)] and set(written) <= set(columns)
    if hidden is None or not kind or not sound:
        what = "this workbook was not made by outreach, or its hidden sheet was deleted"
        hint = "export one, and write into that: outreach sheet translations, or calendar"
        raise WrongFiles([Problem(shown, what, hint)])
    if (version := next(iter(said.get("version", ())), "")) != VERSION:
        what = f"this workbook has version {version or 'none'}; {VERSION} is understood here"
        raise WrongFiles([Problem(shown, what, "export a new one with this program")])
    return _Told(
        kind=kind,
        language=next(iter(said.get("language", ())), ""),
        table=next(iter(said.get("table", ())), ""),
        keys=int(keys),
        columns=columns,
        written=written,
        seen={line[0]: dict(zip(written, line[1:], strict=False)) for line in lines[7:] if line},
    )


def _lines(sheet: Sheet) -> Iterator[list[str]]:
    lines: dict[int, dict[int, str]] = {}
    for (row, column), cell in sheet.cells.items():
        lines.setdefault(row, {})[column] = cell.text
    for row in sorted(lines):
        yield [lines[row].get(column, "") for column in range(1, max(lines[row]) + 1)]


def _heads(table: Sheet, told: _Told) -> tuple[tuple[str, ...], list[Problem]]:
    """The heads as they stand, and where they are not those that were written."""
    here = {column: cell.text.strip() for (row, column), cell in table.cells.items() if row == 1}
    problems = []
    for column, head in enumerate(told.columns, start=1):
        found = here.get(column, "")
        if found != head:
            stands = f"“{found}” stands" if found else "nothing stands"
            elsewhere = next((address(1, n) for n, text in here.items() if text == head), "")
            hint = (
                f"it stands in {elsewhere} now: move that column back"
                if elsewhere
                else "put the head back as it was, or export a new sheet"
            )
            where = f"{table.name}!{address(1, column)}"
            what = f"{stands} where the head “{head}” belongs"
            problems.append(Problem(where, what, hint))
    heads = list(told.columns)
    last = max(here, default=0)
    heads += [here.get(column, "") for column in range(len(heads) + 1, last + 1)]
    return tuple(heads), problems


def _merged(table: Sheet) -> list[Problem]:
    hint = "take the merging apart: a row is one text, and what is merged is one cell only"
    return [
        Problem(f"{table.name}!{place}", "these cells are merged", hint) for place in table.merged
    ]


def _row(
    number: int, texts: Mapping[int, str], heads: Sequence[str], sheet: str, told: _Told
) -> Row:
    cells = {head: texts.get(column, "") for column, head in enumerate(heads, start=1) if head}
    key = "\n".join(cells[head].strip() for head in told.columns[: told.keys])
    places = {head: f"{sheet}!{address(number, n)}" for n, head in enumerate(heads, start=1)}
    return Row(number, cells, told.seen.get(key), places)


def _twice(rows: Sequence[Row], told: _Told) -> Iterator[Problem]:
    keys = told.columns[: told.keys]
    first: dict[tuple[str, ...], Row] = {}
    for row in rows:
        name = tuple(row[head].strip() for head in keys)
        before = first.setdefault(name, row)
        if before is not row and all(name):
            what = f"{' '.join(name)} stands here a second time"
            yield Problem(
                row.places[keys[-1]], what, f"the first is in row {before.number}; keep one"
            )
