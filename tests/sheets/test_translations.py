"""The translator's sheet: out, filled in, and in again; and whatever goes wrong on the way."""

import io
import re

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outreach.sheets.names import differing
from tests.sheets.conftest import NET, PLAIN, Desk, cell, excel, hash_of, put

SAVE_FILE = "templates/posts/forum/save-the-date.md"
NEW_KO = (
    "다시 쓴 글: {{ events.forum.date }}에 열립니다.\n\n주제는 “{{ facts.theme }}”입니다.  두 칸."
)
REG_KO = "포럼에 등록해 주세요. 많은 참여를 바랍니다: {{ links.register }}"


@pytest.fixture
def korean(desk: Desk):
    return desk.export("translations", "--language", "ko")


def rows(file) -> list[dict[str, str]]:
    sheet = openpyxl.load_workbook(file)["Texts"]
    heads = [one.value for one in sheet[1]]
    return [
        {head: one.value or "" for head, one in zip(heads, line, strict=True)}
        for line in sheet.iter_rows(min_row=2)
    ]


def test_a_row_for_each_text_that_the_language_needs(desk: Desk, korean):
    """ko goes to net, which has a source text of its own; the plain ko text is there as well."""
    assert [(r["message"], r["where"], r["state"]) for r in rows(korean)] == [
        ("save-the-date", "all", "stale"),  # made from the text for net
        ("save-the-date", "@net", "missing"),
        ("registration", "all", "missing"),
    ]
    first, net, registration = rows(korean)
    assert first["source text"] == PLAIN
    assert net["source text"] == NET
    assert net["source's hash"] == hash_of(NET)
    assert net["as the public reads it"] == "25 August 2025: “Rethinking climate action”"
    assert registration["as the public reads it"] == "not yet: links.register is to be confirmed"
    assert first["translation"].startswith("날짜를 비워 두세요: {{ events.forum.date }}")
    assert (first["translator"], first["reviewer"]) == ("kim", "lee")


def test_the_first_sheet_says_what_to_do_and_what_never_to_change(korean):
    sheet = openpyxl.load_workbook(korean).worksheets[0]
    told = "\n".join(str(line[0].value or "") for line in sheet.iter_rows())
    assert sheet.title == "Read me"
    assert "Korean (한국어)" in told
    assert "{{ events.forum.date }}" in told
    assert sheet.protection.sheet


@pytest.mark.parametrize("language", ["ko", "ru"])
def test_unchanged_it_changes_nothing(desk: Desk, language):
    file = desk.export("translations", "--language", language)
    desk.unchanged(file)
    desk.unchanged(excel(file))  # saved by another program


def test_what_the_translator_wrote_is_shown_and_then_written(desk: Desk, korean):
    excel(korean, put("Texts", NET, translation="{{ events.forum.date }}: “{{ facts.theme }}”"))
    excel(korean, put("Texts", NET, translator="kim"))
    before = desk.text(SAVE_FILE)
    said = desk.import_(korean, types="n\n", terminal=True)
    assert said.code == 0
    assert "ko @net  Texts!G3  missing → " in said.out
    assert "+ {{ events.forum.date }}" in said.out
    assert "Nothing was written." in said.out
    assert desk.text(SAVE_FILE) == before

    said = desk.import_(korean, types="y\n", terminal=True)
    assert (said.code, f"Written: {SAVE_FILE}." in said.out) == (0, True), said
    made = f"## ko @net (from {hash_of(NET)}; translator: kim)\n\n{NET}\n"
    assert made in desk.text(SAVE_FILE)
    assert desk.text(SAVE_FILE).replace(made + "\n", "") == before  # every other byte
    desk.unchanged(korean)  # imported again


def test_a_changed_text_ends_its_review(desk: Desk, korean):
    excel(korean, put("Texts", PLAIN, translation=NEW_KO))
    (change,) = desk.asked(korean)["changes"]
    assert change["told"] == [
        "stale → unreviewed",
        "the review by lee ends: the text has changed",
        "reviewer: lee → open",
    ]
    assert desk.import_(korean, "--yes").code == 0
    heading = f"## ko (from {hash_of(PLAIN)}; translator: kim; reviewer: open)"
    assert f"{heading}\n\n{NEW_KO}\n" in desk.text(SAVE_FILE)


def test_a_reviewer_signs_the_text_as_it_is(desk: Desk):
    file = desk.export("translations", "--language", "ru")
    excel(file, put("Texts", PLAIN, reviewer="petrova", still_right="yes"))
    assert desk.import_(file, "--yes").code == 0
    heading = f"## ru (from {hash_of(PLAIN)}; translator: ivanov; reviewer: petrova)"
    assert heading in desk.text(SAVE_FILE)
    assert desk.text(SAVE_FILE).count("Сохраните дату") == 1


def test_still_right_says_that_a_stale_text_needs_no_change(desk: Desk, korean):
    excel(korean, put("Texts", PLAIN, still_right="yes"))
    (change,) = desk.asked(korean)["changes"]
    assert change["told"] == ["stale → ready"]
    assert desk.import_(korean, "--yes").code == 0
    assert f"## ko (from {hash_of(PLAIN)}; translator: kim; reviewer: lee)" in desk.text(SAVE_FILE)


def test_a_source_that_changed_meanwhile_makes_it_stale(desk: Desk, korean):
    """The heading says which source the translator saw, not which there is now."""
    newer = desk.text(SAVE_FILE).replace("The theme is", "Its theme is")
    desk.office.write(SAVE_FILE, newer)
    excel(korean, put("Texts", PLAIN, translation=NEW_KO))
    (change,) = desk.asked(korean)["changes"]
    assert "its source text has changed since this sheet was made" in change["told"]
    assert desk.import_(korean, "--yes").code == 0
    assert f"## ko (from {hash_of(PLAIN)};" in desk.text(SAVE_FILE)
    state = rows(desk.export("translations", "--language", "ko", "--yes"))[0]["state"]
    assert state == "stale"


def test_a_translation_that_changed_meanwhile_is_not_written_over(desk: Desk, korean):
    newer = desk.text(SAVE_FILE).replace("날짜를 비워 두세요", "날짜를 적어 두세요")
    desk.office.write(SAVE_FILE, newer)
    desk.unchanged(korean)  # the cell was not touched: the file's text stays
    excel(korean, put("Texts", PLAIN, translation=NEW_KO))
    desk.refused(korean, "Texts!G2: the file has changed since this sheet was made")


@pytest.mark.parametrize("signs", [{"reviewer": "park"}, {"still_right": "yes"}])
def test_nobody_signs_for_a_translation_that_they_have_not_seen(desk: Desk, korean, signs):
    newer = desk.text(SAVE_FILE).replace("날짜를 비워 두세요", "날짜를 적어 두세요")
    desk.office.write(SAVE_FILE, newer)
    excel(korean, put("Texts", PLAIN, **signs))
    desk.refused(korean, "Texts!J2: the file has another translation by now")


def test_a_reviewer_does_not_become_the_translator(desk: Desk, korean):
    excel(korean, put("Texts", PLAIN, translator="lee"))
    desk.refused(korean, "Texts!J2: lee would review their own translation")


def test_mac_and_windows_letters_and_line_ends_are_no_change(desk: Desk, korean):
    """Hangul and й taken apart, as a Mac writes them; \\r\\n, as Windows does."""
    import unicodedata

    old = rows(korean)[0]["translation"]
    apart = unicodedata.normalize("NFD", old)
    assert apart != old
    excel(korean, put("Texts", PLAIN, translation=apart))
    desk.unchanged(korean)
    excel(korean, put("Texts", PLAIN, translation=old.replace("\n", "_x000D_\n")))
    desk.unchanged(korean)


def test_texts_are_written_composed(desk: Desk, korean):
    import unicodedata

    excel(korean, put("Texts", PLAIN, translation=unicodedata.normalize("NFD", NEW_KO)))
    assert desk.import_(korean, "--yes").code == 0
    assert NEW_KO in desk.text(SAVE_FILE)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1 {{ links.register }}",
        "+82 2 {{ links.register }}",
        "-1 @here {{ links.register }}",
        "@neaspec {{ links.register }}",
        "  앞과 {{ links.register }}  두  칸  \n\n\n세 줄",
        "👩‍👩‍👧‍👦 {{ links.register }} \u200fעברית\u200e",
        "## 제목 {{ links.register }}",
        "첫째 {{ links.register }}\n---\n둘째",
    ],
)
def test_whatever_is_written_is_what_the_file_has(desk: Desk, korean, text):
    excel(korean, put("Texts", "registration", translation=text, translator="kim"))
    assert desk.import_(korean, "--yes").code == 0
    again = desk.export("translations", "--language", "ko", "--yes")
    assert rows(again)[2]["translation"] == text.strip()
    desk.unchanged(again)
    desk.unchanged(excel(again))


def test_all_mistakes_are_told_at_once_with_their_cells(desk: Desk, korean):
    def careless(book):
        sheet = book["Texts"]
        cell(sheet, PLAIN, "translation").value = "날짜: {{ events.forum.dat }}"
        cell(sheet, PLAIN, "reviewer").value = "kim"
        cell(sheet, NET, "translation").value = "=HYPERLINK(A1)"
        cell(sheet, "registration", "translation").value = REG_KO  # and no translator
        cell(sheet, "registration", "still right").value = "maybe"
        row = [one.value for one in sheet[2]]
        sheet.append(["forum", "save-the-dat", *row[2:]])
        sheet.append(["forun", *row[1:]])
        sheet.append([*row[:2], "@x", *row[3:]])
        sheet.append(row)
        sheet["Z3"] = "a note to self"
        sheet["I3"] = 2025
        sheet.merge_cells("A6:B6")

    told = desk.refused(excel(korean, careless))
    for words in (
        "Texts!G2: {{ events.forum.date }}, {{ facts.theme }} of the source text are missing",
        "Texts!G2: {{ events.forum.dat }} is not in the source text",
        "Texts!J2: kim would review their own translation",
        "Texts!G3: a formula stands under “translation”, and is not evaluated",
        "Texts!I3: a number stands under “translator”, where a text belongs",
        "Texts!Z3: this cell belongs to no column, and would be lost",
        "Texts!H4: “maybe” stands under “still right”",
        "Texts!I4: nobody is named as the translator",
        "Texts!B5: there is no message that needs ko called save-the-dat",
        "did you mean save-the-date?",
        "Texts!C7: there is no text called @x",
        "Texts!C8: forum save-the-date all stands here a second time",
        "Texts!A6:B6: these cells are merged",
        "nothing was written; put these",
    ):
        assert words in told, (words, told)
    assert len(re.findall(r"^Texts!", told, re.MULTILINE)) >= 12


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda b: b["Texts"].move_range("C1:C9", cols=20), "Texts!C1: nothing stands where"),
        (lambda b: b["Texts"].insert_cols(2), "Texts!B1: nothing stands where the head “message”"),
        (lambda b: b["Texts"].delete_cols(4), "Texts!D1: “source text” stands where the head"),
        (lambda b: setattr(b["Texts"], "title", "Korean"), "there is no sheet called Texts"),
        (lambda b: b.remove(b["outreach"]), "its hidden sheet was deleted"),
        (
            lambda b: (
                b["Texts"].__setitem__("E2", PLAIN + "!") or put("Texts", "all", reviewer="x")(b)
            ),
            "Texts!E2: the source text, or its hash, is not what was exported",
        ),
        (put("Texts", PLAIN, translation=""), "Texts!G2: the ko text was emptied"),
        (put("Texts", PLAIN, translator="kim; reviewer: kim"), "a name cannot have ';' in it"),
        (put("Texts", NET, translator="kim"), "Texts!G3: there is no ko text in this row"),
        (put("Texts", NET, translation="{{ a", translator="k"), "the braces cannot be read"),
    ],
)
def test_what_is_wrong_is_told_with_its_cell(desk: Desk, korean, change, words):
    desk.refused(excel(korean, change), words)


def test_rows_may_be_sorted_and_left_out(desk: Desk, korean):
    def sort(book):
        sheet = book["Texts"]
        lines = [[one.value for one in line] for line in sheet.iter_rows(min_row=2)]
        for number, line in enumerate(reversed(lines), start=2):
            for place, value in enumerate(line, start=1):
                sheet.cell(number, place).value = value
        sheet.delete_rows(3)

    desk.unchanged(excel(korean, sort))


def test_a_text_file_with_a_mistake_is_left_alone(desk: Desk, korean):
    """A translation whose heading cannot be read would be written a second time."""
    desk.office.write(SAVE_FILE, desk.text(SAVE_FILE).replace("translator: kim", "translater: kim"))
    excel(korean, put("Texts", PLAIN, translation=NEW_KO))
    told = desk.refused(korean, "Texts!G2: the file of this text has a mistake")
    assert f"{SAVE_FILE}:13: translater is not a note of a heading" in told
    said = desk.shell("sheet", "translations", str(korean), "--language", "ko", "--yes")
    assert f"{SAVE_FILE} has mistakes; texts of it may be left out" in said.err


def test_a_row_of_a_text_that_is_not_needed_any_more_is_no_mistake_until_it_is_changed(
    desk: Desk, korean
):
    smaller = desk.text("campaigns/forum.yaml").replace("21 days, to: all", "21 days")
    desk.office.write("campaigns/forum.yaml", smaller)
    desk.unchanged(korean)
    assert "row 4 is of no text any more" in desk.import_(korean).out
    excel(korean, put("Texts", "registration", translation=REG_KO, translator="kim"))
    desk.refused(korean, "Texts!B4: there is no message that needs ko called registration")


def test_a_campaign_with_a_mistake_is_left_alone(desk: Desk, korean):
    desk.office.write("campaigns/forum.yaml", "campaign: forum\n")
    excel(korean, put("Texts", PLAIN, translation=NEW_KO))
    told = desk.refused(korean, "Texts!A2: the file of forum has mistakes")
    assert "outreach check" in told


CELLS = st.tuples(
    st.sampled_from(["Texts", "outreach", "Calendar"]),
    st.integers(1, 12),
    st.integers(1, 14),
    st.sampled_from([None, "", "=1", "yes", "forum", "a\nb", 7, True, "{{ a", "9" * 40, "ko"])
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=9),
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(changed=st.lists(CELLS, min_size=1, max_size=3), kind=st.booleans())
def test_whatever_stands_in_its_cells_is_imported_or_told(desk: Desk, changed, kind):
    """The hidden sheet included: words and an exit code, never a trace (70)."""
    file = desk.folder / ("calendar.xlsx" if kind else "translations.xlsx")
    if not file.exists():
        desk.export(file.stem, *(() if kind else ("--language", "ko")))
    before, made = desk.files(), desk.folder / "changed.xlsx"
    book = openpyxl.load_workbook(file)
    for name, row, column, value in changed:
        if name in book:
            book[name].cell(row, column).value = value
    book.save(made)
    said = desk.import_(made, types="n\n", terminal=True)
    assert said.code in (0, 1, 2), (changed, said)
    assert desk.files() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("translations", "a.xlsx"), "it is not said into which language"),
        (("translations", "a.xlsx", "--language", "fr"), "no message needs a text in fr"),
        (("translations", "a.csv", "--language", "ko"), "name it a.xlsx"),
        (
            ("translations", "a.xlsx", "--language", "ko", "--campaign", "forun"),
            "did you mean forum?",
        ),
        (("send", "a.xlsx"), "send is nothing to do with sheets"),
        (("import", "a.xlsx"), "there is no file a.xlsx"),
        (("import", "a.xlsx", "--language", "ko"), "for writing a sheet, not for reading one"),
    ],
)
def test_what_cannot_be_is_declined(desk: Desk, arguments, words):
    said = desk.shell("sheet", *arguments)
    assert said.code == 2
    assert words in said.err


def test_a_sheet_that_somebody_worked_in_is_not_written_over(desk: Desk, korean):
    before = korean.read_bytes()
    said = desk.shell("sheet", "translations", str(korean), "--language", "ko")
    assert (said.code, korean.read_bytes()) == (2, before)
    assert "somebody may have worked in it" in said.err


def test_with_nobody_to_ask_nothing_is_written(desk: Desk, korean):
    excel(korean, put("Texts", PLAIN, translation=NEW_KO))
    before = desk.files()
    said = desk.import_(korean, terminal=False)
    assert said.code == 2
    assert "--yes" in said.err
    assert desk.files() == before


def test_a_text_that_no_cell_holds_is_told_at_export(desk: Desk):
    desk.office.write(SAVE_FILE, desk.text(SAVE_FILE).replace("Save the date", "a" * 33_000))
    file = desk.folder / "a.xlsx"
    said = desk.shell("sheet", "translations", str(file), "--language", "ko")
    assert (said.code, file.exists()) == (1, False)
    assert f"{SAVE_FILE}:4: this text cannot stand in a sheet: it has 33," in said.err


@pytest.mark.parametrize(
    ("source", "translation", "before", "wrong"),
    [
        ("{{ a }}", "{{a}}", "", 0),
        ("{{ a }} {{ a }}", "{{ a }}", "", 0),
        ("{{ a }}", "a", "", 1),
        ("a", "{{ a }}", "", 1),
        ("{{ a }}", "{{ b }}", "", 2),
        ("{{ a }}", "{{ a", "", 1),
        ("a", "a }}", "", 1),
        ("{{ a", "anything", "", 0),
        ("{% if a %}x{% endif %}", "{% if b %}x{% endif %}", "", 2),
        ("{{ a }}", "{{ a }} {{ unofficial }}", "", 0),
        ("{{ a | upper }}", "{{ a }}", "", 2),
        ("{# for colleagues #}", "", "", 0),
        # What the translation before had of its own, it may keep; and lack.
        ("{{ a }} {{ b }}", "{{ c }}", "{{ c }}", 0),
        ("{{ a }}", "{{ d }}", "{{ c }}", 1),
    ],
)
def test_what_stands_in_braces_stays(source, translation, before, wrong):
    assert len(differing(source, translation, before)) == wrong


def test_an_import_for_machines(desk: Desk, korean):
    excel(korean, put("Texts", PLAIN, translation=NEW_KO))
    asked = desk.asked(korean)
    assert asked["kind"] == "translations"
    assert asked["files"] == [SAVE_FILE]
    assert asked["changes"][0]["where"] == "Texts!G2"
    assert "hash" in asked["plan"]


def test_what_a_file_would_be_too_long_for_is_told(desk: Desk, korean):
    """It may be written: it is a text like any other, which the network does not take yet."""
    excel(korean, put("Texts", PLAIN, translation=NEW_KO + "아" * 6000))
    said = desk.import_(korean, types="n\n", terminal=True)
    assert said.code == 0
    assert "1 mistake to put right" in said.out


def test_a_workbook_from_memory_is_the_same_each_time(desk: Desk, korean):
    again = desk.export("translations", "--language", "ko", "--yes")
    texts = [io.BytesIO(one.read_bytes()) for one in (korean, again)]
    one, other = (openpyxl.load_workbook(text)["outreach"] for text in texts)
    assert [c.value for r in one for c in r] == [c.value for r in other for c in r]
