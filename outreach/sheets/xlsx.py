"""An Excel file in, texts by cell out; whatever the file is, Problems and never a trace.

Only what a sheet of texts has is read: names of sheets, texts of cells, formulas as such, merged
cells. Nothing is evaluated, and nothing is drawn up that the file merely claims: a cell at
XFD1048576 is one cell.

Why this is not openpyxl (3.1.5, measured; our tests hold us to it as a second opinion): the
carriage return of a pasted text stays `_x000D_` in it, and a text with `x005F_` in it loses that.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final
from xml.parsers import expat  # no DTD is let through, and what is unpacked is bounded

from outreach.errors import Problem, WrongFiles

MOST_BYTES: Final = 20_000_000  # a thousand messages in six languages have one million
MOST_UNPACKED: Final = 60_000_000  # of one member; the strings of that thousand have four million
MOST_CELLS: Final = 300_000
MOST_TEXT: Final = 32_767  # UTF-16 units, as Excel counts: what a cell holds

_SAVE: Final = "open it in Excel or LibreOffice, and save it as Excel workbook (.xlsx)"
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ADDRESS: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED: Final = "EncryptedPackage".encode("utf-16-le")
_UNFIT: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
# `_x0041_x0042_`: the escapes overlap, and programs differ about what that is.
_TWICE: Final = re.compile(r"_x[0-9A-Fa-f]{4}_x[0-9A-Fa-f]{4}_")

_FORMULA: Final = "formula"
_KINDS: Final = {"b": "yes or no", "e": "an error", "n": "a number", "d": "a date"}


@dataclass(frozen=True)
class Cell:
    """What stands in a cell. `kind` is "text", "formula", "a number", "yes or no", …"""

    text: str
    kind: str = "text"


@dataclass(frozen=True)
class Sheet:
    """One sheet: its cells by (row, column), both from 1; empty ones are left out."""

    name: str
    cells: Mapping[tuple[int, int], Cell]
    merged: tuple[str, ...] = ()  # "B2:C3"


def address(row: int, column: int) -> str:
    """ "C5" for (5, 3)."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def unfit(text: str) -> str:
    """Why a text cannot stand in a cell and come back as it was, in words; "" where it can."""
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    if units > MOST_TEXT:
        return f"it has {units:,} characters; a cell holds {MOST_TEXT:,}"
    if odd := _UNFIT.search(text):
        return f"it has an invisible control character, U+{ord(odd[0]):04X}"
    if found := _TWICE.search(text):
        return f"it has {found[0]}, which Excel takes for a code"
    if text.startswith("<r>") and text.endswith("</r>"):
        return "it begins with <r> and ends with </r>, which is Excel's own markup"
    return ""


def read_workbook(data: bytes, shown: str) -> dict[str, Sheet]:
    """The sheets of an Excel file by name. Raises WrongFiles, with all that is wrong with it."""
    if problem := _not_excel(data, shown):
        raise WrongFiles([problem])
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _Book(archive, shown).read()
    except _Odd as error:
        raise WrongFiles([Problem(shown, str(error), error.hint)]) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        what = "the file is damaged, or was not saved to its end"
        raise WrongFiles([Problem(shown, what, _SAVE)]) from error
    except (expat.ExpatError, KeyError, ValueError, IndexError, RuntimeError) as error:
        # A zip member asks for a password with RuntimeError.
        what = "the file is no workbook that can be read"
        raise WrongFiles([Problem(shown, what, _SAVE)]) from error


def _not_excel(data: bytes, shown: str) -> Problem | None:
    if len(data) > MOST_BYTES:
        size, most = len(data) // 1_000_000, MOST_BYTES // 1_000_000
        what = f"{size} MB; a sheet of texts has {most} at most"
        return Problem(shown, what, "take pictures and other sheets out of it")
    if data.startswith(_OLE):
        if _LOCKED in data:
            what = "the file is protected with a password"
            return Problem(shown, what, "save it without one (File, Info, Protect Workbook)")
        return Problem(shown, "this is the format of old Excel (.xls)", _SAVE)
    if not data.startswith(b"PK"):
        return Problem(shown, "this is no Excel file (.xlsx)", _SAVE)
    return None


class _Odd(Exception):
    """What is wrong with the file as a whole."""

    def __init__(self, words: str, hint: str = _SAVE) -> None:
        super().__init__(words)
        self.hint = hint


class _Book:
    """One file being read."""

    def __init__(self, archive: zipfile.ZipFile, shown: str) -> None:
        self._archive, self._shown = archive, shown
        self._cells = 0

    def read(self) -> dict[str, Sheet]:
        main = self._main()
        names: list[tuple[str, str]] = []  # name, relation

        def sheet(name: str, given: Mapping[str, str]) -> None:
            if name == "sheet":
                names.append((given["name"], given["r:id"]))

        self._walk(main, start=sheet)
        relations = self._relations(main)
        strings = next((p for kind, p in relations.values() if kind == "sharedStrings"), None)
        texts = self._strings(strings) if strings else []
        return {
            name: self._sheet(name, relations[relation][1], texts)
            for name, relation in names
            if relations[relation][0] == "worksheet"
        }

    def _main(self) -> PurePosixPath:
        for kind, path in self._relations(PurePosixPath("")).values():
            if kind == "officeDocument":
                return path
        raise _Odd("the file is no workbook")

    def _relations(self, of: PurePosixPath) -> dict[str, tuple[str, PurePosixPath]]:
        """What a part refers to: (kind, path) by the relation's id."""
        found: dict[str, tuple[str, PurePosixPath]] = {}

        def relation(name: str, given: Mapping[str, str]) -> None:
            if name == "Relationship" and given.get("TargetMode") != "External":
                target = given["Target"]
                path = of.parent / target if not target.startswith("/") else target.lstrip("/")
                found[given["Id"]] = (given["Type"].rpartition("/")[2], _plain(path))

        self._walk(of.parent / "_rels" / f"{of.name}.rels", start=relation)
        return found

    def _strings(self, path: PurePosixPath) -> list[str]:
        """The texts that cells name by number; what says how to read one aloud is left out."""
        texts: list[str] = []
        pieces: list[str] = []
        aloud = 0

        def start(name: str, given: Mapping[str, str]) -> None:
            nonlocal aloud
            aloud += name == "rPh"
            if name == "si":
                pieces.clear()

        def end(name: str, text: str) -> None:
            nonlocal aloud
            if name == "t" and not aloud:
                pieces.append(text)
            aloud -= name == "rPh"
            if name == "si":
                texts.append(_unescaped("".join(pieces)))
                if len(texts) > MOST_CELLS:
                    raise _too_many()

        self._walk(path, start=start, end=end)
        return texts

    def _sheet(self, sheet: str, path: PurePosixPath, texts: list[str]) -> Sheet:
        cells: dict[tuple[int, int], Cell] = {}
        merged: list[str] = []
        here = _Here()

        def start(name: str, given: Mapping[str, str]) -> None:
            if name == "row":
                here.row = int(given.get("r") or here.row + 1)
                here.column = 0
            elif name == "c":
                here.cell(given)
                self._cells += 1
                if self._cells > MOST_CELLS:
                    raise _too_many()
            elif name == "rPh":
                here.aloud += 1
            elif name == "mergeCell":
                merged.append(given["ref"])

        def end(name: str, text: str) -> None:
            if name == "v":
                here.value = text
            elif name == "f":
                here.formula = True
            elif name == "t" and not here.aloud:
                here.inline.append(text)
            elif name == "rPh":
                here.aloud -= 1
            elif name == "c" and (cell := here.made(texts)):
                cells[here.row, here.column] = cell

        self._walk(path, start=start, end=end)
        return Sheet(sheet, cells, tuple(merged))

    def _walk(
        self,
        path: PurePosixPath,
        *,
        start: Callable[[str, Mapping[str, str]], None],
        end: Callable[[str, str], None] = lambda name, text: None,
    ) -> None:
        """Call `start` with each element's name and attributes, `end` with its name and text."""
        with self._archive.open(path.as_posix()) as file:
            data = file.read(MOST_UNPACKED + 1)
        if len(data) > MOST_UNPACKED:
            most = MOST_UNPACKED // 1_000_000
            raise _Odd(f"it unpacks to more than {most} MB", "export a new sheet, and begin again")
        said: list[str] = []

        def began(name: str, given: dict[str, str]) -> None:
            said.clear()
            start(name.rpartition(":")[2], given)

        def ended(name: str) -> None:
            end(name.rpartition(":")[2], "".join(said))
            said.clear()

        def declares(*_: object) -> None:
            raise _Odd("it declares entities, which no workbook does")

        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = began
        parser.EndElementHandler = ended
        parser.CharacterDataHandler = said.append
        parser.StartDoctypeDeclHandler = declares
        parser.Parse(data, True)


@dataclass
class _Here:
    """The cell that is being read."""

    row: int = 0
    column: int = 0
    type: str = "n"
    value: str = ""
    formula: bool = False
    aloud: int = 0
    inline: list[str] = field(default_factory=list)

    def cell(self, given: Mapping[str, str]) -> None:
        self.column += 1
        if found := _ADDRESS.fullmatch(given.get("r", "")):
            self.row, self.column = int(found[2]), 0
            for letter in found[1]:
                self.column = self.column * 26 + ord(letter) - ord("A") + 1
        self.type, self.value, self.formula = given.get("t", "n"), "", False
        self.inline.clear()

    def made(self, texts: list[str]) -> Cell | None:
        if self.formula:
            return Cell(self.value, _FORMULA)
        if self.type == "s":
            text = texts[int(self.value)] if self.value else ""
        elif self.type == "inlineStr":
            text = _unescaped("".join(self.inline))
        elif self.type == "str":
            text = _unescaped(self.value)
        else:
            return Cell(self.value, _KINDS[self.type]) if self.value else None
        return Cell(text) if text else None


def _too_many() -> _Odd:
    return _Odd(f"it has more than {MOST_CELLS:,} cells", "export a new sheet, and begin again")


def _plain(path: PurePosixPath | str) -> PurePosixPath:
    """The path without `..`: zip members have none."""
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return PurePosixPath(*parts)


def _unescaped(text: str) -> str:
    """The text with Excel's `_x000D_` as the character it stands for, and plain line ends."""

    def letter(found: re.Match[str]) -> str:
        code = int(found[1], 16)
        return found[0] if 0xD800 <= code <= 0xDFFF else chr(code)

    return _ESCAPE.sub(letter, text).replace("\r\n", "\n").replace("\r", "\n")
