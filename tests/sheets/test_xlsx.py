"""Excel files that people, programs and enemies make: texts by cell, or words about the file."""

import io
import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.errors import WrongFiles
from outreach.sheets.xlsx import MOST_BYTES, MOST_UNPACKED, address, read_workbook, unfit

RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(sheet: str = "", strings: str = "", **members: str) -> bytes:
    """A workbook with one sheet, "Texts", of this XML."""
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{RELS}"><Relationship Id="r1" '
        f'Type="{KIND}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{KIND}"><sheets>'
        '<sheet name="Texts" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELS}">'
        f'<Relationship Id="r1" Type="{KIND}/worksheet" Target="worksheets/s.xml"/>'
        f'<Relationship Id="r2" Type="{KIND}/sharedStrings" Target="/xl/strings.xml"/>'
        "</Relationships>",
        "xl/worksheets/s.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData>'
        "</worksheet>",
        "xl/strings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        **members,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def cells(sheet: str, strings: str = "") -> dict[str, tuple[str, str]]:
    read = read_workbook(workbook(sheet, strings), "a.xlsx")["Texts"]
    return {address(*place): (one.text, one.kind) for place, one in read.cells.items()}


def refused(data: bytes) -> str:
    with pytest.raises(WrongFiles) as told:
        read_workbook(data, "a.xlsx")
    assert all(problem.where == "a.xlsx" and problem.hint for problem in told.value.problems)
    return str(told.value)


@pytest.mark.parametrize(
    ("sheet", "strings", "found"),
    [
        (
            '<row r="2"><c r="B2" t="s"><v>0</v></c></row>',
            "<si><t xml:space='preserve'> a\nb </t></si>",
            {"B2": (" a\nb ", "text")},
        ),
        # Rich text is one text; how it is read aloud in Japanese is no part of it.
        (
            '<row r="1"><c r="A1" t="s"><v>0</v></c></row>',
            "<si><r><t>東</t></r><r><t>京</t></r><rPh sb='0' eb='2'><t>とう</t></rPh></si>",
            {"A1": ("東京", "text")},
        ),
        # Excel's own way to write the line end of a pasted text, and a text that looks like it.
        (
            '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>',
            "<si><t>a_x000D_\nb</t></si><si><t>_x005F_x000D_</t></si>",
            {"A1": ("a\nb", "text"), "B1": ("_x000D_", "text")},
        ),
        (
            '<row><c t="inlineStr"><is><t>a</t></is></c>'
            '<c t="inlineStr"><is><t>b</t></is></c></row>',
            "",
            {"A1": ("a", "text"), "B1": ("b", "text")},
        ),
        ('<row r="1"><c r="A1"><v>45901</v></c></row>', "", {"A1": ("45901", "a number")}),
        (
            '<row r="1"><c r="A1" t="str"><f>A2&amp;"x"</f><v>x</v></c></row>',
            "",
            {"A1": ("x", "formula")},
        ),
        ('<row r="1"><c r="A1"><f t="shared" si="0"/></c></row>', "", {"A1": ("", "formula")}),
        ('<row r="1"><c r="A1" t="b"><v>1</v></c></row>', "", {"A1": ("1", "yes or no")}),
        ('<row r="1"><c r="A1" t="e"><v>#N/A</v></c></row>', "", {"A1": ("#N/A", "an error")}),
        ('<row r="1"><c r="A1" s="3"/></row>', "", {}),
        # A cell at the far end is one cell.
        (
            '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>z</t></is></c></row>',
            "",
            {"XFD1048576": ("z", "text")},
        ),
    ],
)
def test_a_cell_is_its_text_and_its_kind(sheet, strings, found):
    assert cells(sheet, strings) == found


def test_another_prefix_for_the_names_is_the_same_file():
    sheet = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1">'
        '<x:c r="A1" t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c></x:row></x:sheetData>'
        '<x:mergeCells><x:mergeCell ref="B2:C3"/></x:mergeCells></x:worksheet>'
    )
    read = read_workbook(workbook(**{"xl/worksheets/s.xml": sheet}), "a.xlsx")["Texts"]
    assert read.merged == ("B2:C3",)
    assert read.cells[1, 1].text == "a"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "this is no Excel file"),
        (b"campaign,message\n", "this is no Excel file"),
        (b"%PDF-1.7", "this is no Excel file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel (.xls)"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "protected with a password",
        ),
        (b"PK\x03\x04" + b"\0" * 100, "the file is damaged"),
        (workbook()[:-40], "the file is damaged"),
        (workbook()[:300], "the file is damaged"),
        (b"PK" + b"\0" * (MOST_BYTES + 1), "20 MB; a sheet of texts has"),
        (
            workbook(
                **{
                    "xl/strings.xml": '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]>'
                    "<sst><si><t>&c;</t></si></sst>"
                }
            ),
            "it declares entities",
        ),
        (workbook(**{"xl/strings.xml": "<sst><si>"}), "no workbook that can be read"),
        (workbook('<row r="1"><c r="A1" t="s"><v>7</v></c></row>'), "no workbook that can be read"),
        (workbook('<row r="x"/>'), "no workbook that can be read"),
        (workbook('<row><c t="odd"><v>7</v></c></row>'), "no workbook that can be read"),
        (workbook("<row><c/>" + "<c/>" * 300_000 + "</row>"), "more than 300,000 cells"),
        (workbook(**{"_rels/.rels": f'<Relationships xmlns="{RELS}"/>'}), "no workbook"),
    ],
)
def test_what_is_no_workbook_is_said_in_words(data, words):
    assert words in refused(data)


def test_a_file_that_unpacks_to_too_much_is_not_unpacked():
    """A zip bomb: 100 kB that would fill the memory."""
    blanks = " " * (MOST_UNPACKED + 10)
    data = workbook(**{"xl/strings.xml": f"<sst>{blanks}</sst>"})
    assert len(data) < 200_000
    assert "it unpacks to more than 60 MB" in refused(data)


def test_deep_nesting_ends_nothing():
    assert cells("<row>" + "<a>" * 100_000 + "</a>" * 100_000 + "</row>") == {}


def test_a_word_document_is_no_sheet():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    assert "no workbook" in refused(out.getvalue())


@given(st.binary(max_size=2000))
def test_any_bytes_are_refused_in_words(data):
    for start in (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        refused(start + data)


REAL = workbook(
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><f>1+1</f><v>2</v></c></row>',
    "<si><t>a text</t></si>",
)


@settings(max_examples=300)
@given(st.integers(0, len(REAL) - 1), st.binary(min_size=1, max_size=8), st.booleans())
def test_a_damaged_workbook_is_read_or_refused(at, bytes_, cut):
    data = REAL[:at] + bytes_ + (b"" if cut else REAL[at + len(bytes_) :])
    try:
        read_workbook(data, "a.xlsx")
    except WrongFiles as error:
        assert error.problems


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=80).filter(
        lambda text: not unfit(text) and "_x" not in text and "x005F_" not in text
    )
)
def test_what_another_library_writes_is_read_as_it_is(text):
    book = openpyxl.Workbook()
    book.active.title = "Texts"
    book.active["A1"].value = text or None
    if text:
        book.active["A1"].data_type = "s"
    out = io.BytesIO()
    book.save(out)
    read = read_workbook(out.getvalue(), "a.xlsx")["Texts"]
    assert [one.text for one in read.cells.values()] == ([text] if text else [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a" * 32_767, ""),
        ("a" * 32_768, "it has 32,768 characters; a cell holds 32,767"),
        ("😀" * 16_384, "it has 32,768 characters"),  # Excel counts each as two
        ("a\x07b", "U+0007"),
        ("_x0041_", ""),
        ("_x0041_x0042_", "Excel takes for a code"),
        ("<r><t>a</t></r>", "Excel's own markup"),
        ("=1+1\t\n\u200f\u00a0 ", ""),
    ],
)
def test_what_no_cell_keeps_is_told(text, words):
    assert words in unfit(text)
    assert bool(unfit(text)) == bool(words)
