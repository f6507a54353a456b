"""A book of ours: every text in it comes back, and nothing in it is ever a formula."""

import io

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outreach.errors import WrongFiles
from outreach.sheets.book import Book, Column, Line, font, read, same, write
from outreach.sheets.xlsx import unfit

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=60
).filter(lambda text: not unfit(text.strip("\n")) and text.strip("\n") == text)


def book(*texts: str, language: str = "ko") -> Book:
    columns = (
        Column("name", key=True),
        Column("about"),
        Column("translation", write=True, language=language),
    )
    lines = tuple(Line((f"n{n}", "source", text)) for n, text in enumerate(texts))
    return Book("test", "Texts", columns, lines, ("# Read", "this"), language=language, spare=2)


@given(st.lists(TEXTS, max_size=4))
@example(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "'=1"])
@example(["  two blanks  inside,  and at the ends  ", "a\n\n\nb", "a\tb"])
@example(["مرحبا \u200fא\u202e", "👩‍👩‍👧‍👦🇰🇷", "e\u0301", "\u2028\u0085\ufeff"])
@example(["_x000D_", "_x005F_", "x005F_", "&lt;r&gt;", "<r>", "]]>"])
def test_every_text_comes_back_as_it_was(texts):
    got = read(write(book(*texts)), "a.xlsx")
    assert got.problems == ()
    assert [row["translation"] for row in got.rows] == texts
    assert [row.places["translation"] for row in got.rows] == [
        f"Texts!C{n}" for n in range(2, len(texts) + 2)
    ]


@given(st.lists(TEXTS, max_size=4))
@example(["=1+1", "+1", "-1", "@SUM(A1)", "https://example.org", "007", "1.5"])
def test_another_library_reads_the_same_and_no_formula(texts):
    sheet = openpyxl.load_workbook(io.BytesIO(write(book(*texts))))["Texts"]
    for number, text in enumerate(texts, start=2):
        cell = sheet.cell(number, 3)
        assert cell.data_type == "s"
        if "_x" not in text and "x005F_" not in text:  # openpyxl loses those
            assert cell.value == text
        assert cell.number_format == "@"
        assert cell.quotePrefix is text.startswith(("=", "+", "-", "@"))
        assert cell.hyperlink is None


def test_people_may_write_in_their_columns_and_in_no_others():
    file = openpyxl.load_workbook(io.BytesIO(write(book("a"))))
    sheet = file["Texts"]
    assert sheet.protection.sheet
    assert [cell.protection.locked for cell in sheet[2]] == [True, True, False]
    assert [cell.protection.locked for cell in sheet[3]] == [False, True, False]  # a spare row
    assert sheet.freeze_panes == "B2"
    assert all(cell.alignment.wrap_text for cell in sheet[2])
    assert sheet["C2"].font.name == "Malgun Gothic"
    assert file["outreach"].sheet_state == "hidden"
    assert [one.title for one in file] == ["Read me", "Texts", "outreach"]


def test_a_language_from_right_to_left_is_written_so():
    sheet = openpyxl.load_workbook(io.BytesIO(write(book("مرحبا", language="ar"))))["Texts"]
    assert sheet["C2"].alignment.readingOrder == 2


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("ko", "Malgun Gothic"),
        ("zh", "Microsoft YaHei"),
        ("zh-Hant", "Microsoft JhengHei"),
        ("ja", "Yu Gothic"),
        ("ru", "Calibri"),
        ("en-GB", "Calibri"),
    ],
)
def test_each_language_has_a_font_that_is_made_for_it(language, name):
    assert font(language) == name


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("é", "e\u0301", True),
        ("a\n", "\na", True),
        ("  a", "a ", True),
        ("a  b", "a b", False),
        ("a\n\nb", "a\nb", False),
    ],
)
def test_texts_are_compared_as_readers_see_them(one, other, alike):
    assert same(one, other) is alike


def test_a_workbook_of_somebody_else_is_told():
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    with pytest.raises(WrongFiles, match="was not made by outreach"):
        read(out.getvalue(), "a.xlsx")


def test_a_newer_workbook_is_told():
    file = openpyxl.load_workbook(io.BytesIO(write(book("a"))))
    file["outreach"]["B2"] = "9"
    out = io.BytesIO()
    file.save(out)
    with pytest.raises(WrongFiles, match="has version 9; 1 is understood here"):
        read(out.getvalue(), "a.xlsx")


def test_it_is_a_valid_workbook(tmp_path, assert_valid_xlsx):
    file = tmp_path / "a.xlsx"
    file.write_bytes(write(book("=1+1", "한국어", "a\nb")))
    assert_valid_xlsx(file)
