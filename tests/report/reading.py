"""Reads documents back: their text, and their tables as rows of cells, notes' letters included."""

import csv
import io
import json
from collections import defaultdict
from html import unescape
from zipfile import ZipFile

from docx import Document
from lxml import html
from openpyxl import load_workbook
from pdfminer.pdfdevice import PDFTextDevice
from pdfminer.pdfdocument import PDFDocument
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser
from pdfminer.pdftypes import PDFObjRef, resolve1
from pdfminer.psparser import PSLiteral

Rows = list[list[str]]
_JOINTS = {0x200B: None, 0x2060: None}  # where a line may and may not be broken


def text(kind: str, data: bytes) -> str:
    """All that a document says."""
    if kind == "docx":
        document = Document(io.BytesIO(data))
        cells = (cell for table in document.tables for row in table.rows for cell in row.cells)
        return "\n".join([p.text for p in document.paragraphs] + [cell.text for cell in cells])
    if kind == "pdf":
        return Pdf(data).text
    if kind == "xlsx":
        return "\n".join(str(one) for rows in sheets(data).values() for row in rows for one in row)
    if kind == "csv":
        return "\n".join(one for rows in files(data).values() for row in rows for one in row)
    return unescape(data.decode())


def tables(kind: str, data: bytes) -> list[Rows]:
    """The tables of a document for people: "docx", "pdf" or "html"."""
    return {"docx": _of_word, "pdf": lambda data: Pdf(data).tables, "html": _of_page}[kind](data)


def sheets(data: bytes) -> dict[str, list[list[object]]]:
    """The sheets of a workbook; an empty cell is None."""
    book = load_workbook(io.BytesIO(data))
    return {one.title: [[cell.value for cell in row] for row in one] for one in book}


def files(data: bytes) -> dict[str, Rows]:
    """The CSV files of a .zip, by the last part of their names."""
    with ZipFile(io.BytesIO(data)) as package:
        return {
            name.rsplit("-", 1)[1].removesuffix(".csv"): list(
                csv.reader(io.StringIO(package.read(name).decode("utf-8-sig"), newline=""))
            )
            for name in package.namelist()
        }


def report(data: bytes) -> dict[str, object]:
    return json.loads(data)


def _of_word(data: bytes) -> list[Rows]:
    found = Document(io.BytesIO(data)).tables
    return [[[cell.text for cell in row.cells] for row in table.rows] for table in found]


def _of_page(data: bytes) -> list[Rows]:
    page = html.fromstring(data.decode())
    return [
        [[cell.text_content() for cell in row.xpath("th|td")] for row in table.xpath(".//tr")]
        for table in page.xpath("//table")
    ]


class Pdf:
    """A tagged PDF, read by its tags, as what reads aloud does it."""

    def __init__(self, data: bytes) -> None:
        document = PDFDocument(PDFParser(io.BytesIO(data)))
        self._marked = _Marked()
        interpreter = PDFPageInterpreter(self._marked.rsrcmgr, self._marked)
        for page in PDFPage.create_pages(document):
            self._marked.page = page.pageid
            interpreter.process_page(page)
        self.language = resolve1(document.catalog["Lang"])
        self.info = {name: value for one in document.info for name, value in one.items()}
        self._root = resolve1(document.catalog["StructTreeRoot"])
        self.tags: list[str] = []
        self.alts: list[str] = []
        self.tables: list[Rows] = []
        self.text = self._read(self._root, None)

    def _read(self, element: object, page: int | None) -> str:
        element = resolve1(element)
        if isinstance(element, int):
            return self._marked.texts[page, element]
        if isinstance(element, list):
            return "".join(self._read(one, page) for one in element)
        page = element["Pg"].objid if isinstance(element.get("Pg"), PDFObjRef) else page
        if "MCID" in element:
            return self._marked.texts[page, element["MCID"]]
        tag = element["S"].name if isinstance(element.get("S"), PSLiteral) else ""
        self.tags.append(tag)
        if tag == "Table":
            self.tables.append([])
        if tag == "TR":
            self.tables[-1].append([])
        if "Alt" in element:
            self.alts.append(_string(element["Alt"]))
        said = self._read(element.get("K", []), page)
        if tag in ("TH", "TD"):
            self.tables[-1][-1].append(said)
        return f"{said}\n" if tag in ("P", "Caption", "TD", "TH", "H1", "H2", "Title") else said


class _Marked(PDFTextDevice):
    """Gathers the text of each piece of marked content."""

    def __init__(self) -> None:
        super().__init__(PDFResourceManager())
        self.texts: dict[tuple[int | None, int | None], str] = defaultdict(str)
        self.page: int | None = None
        self._within: list[int | None] = []

    def begin_tag(self, tag, props=None):
        self._within.append(props.get("MCID") if isinstance(props, dict) else None)

    def end_tag(self):
        self._within.pop()

    def render_string(self, textstate, seq, ncs, graphicstate):
        marks = [one for one in self._within if one is not None]
        for piece in seq:
            for code in textstate.font.decode(piece) if isinstance(piece, bytes) else ():
                said = textstate.font.to_unichr(code).translate(_JOINTS)
                self.texts[self.page, marks[-1] if marks else None] += said


def _string(raw: bytes) -> str:
    return raw[2:].decode("utf-16-be") if raw.startswith(b"\xfe\xff") else raw.decode("latin-1")
