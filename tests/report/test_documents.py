"""Documents: valid, escaped, marked as samples where they are, and from templates of the office."""

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from zipfile import ZipFile

import pytest
from docx import Document
from jsonschema import Draft202012Validator
from openpyxl import load_workbook
from openxml_audit import OpenXmlValidator
from PIL import Image

from outreach.errors import Unusable, WrongFiles
from outreach.report.compute import compute
from outreach.report.documents import FORMATS, charts, data, word_template
from outreach.report.documents.widths import SMALL, TEXT_WIDTH, widths
from outreach.report.facts import (
    ChannelMonth,
    Figure,
    IncidentFacts,
    MonthFacts,
    Override,
    Planned,
    PostLine,
    ReportInput,
    Withdrawn,
)
from outreach.report.fonts import length
from outreach.report.value import Cell, Chart, Column, Report, Row, Section, Series, Table

from . import reading, us6

# Nobody's figures: only their shapes are looked at.
BARS = Chart(
    "channels",
    1,
    "Displays by channel",
    "bars",
    "Displays",
    ("X", "Facebook"),
    (Series("August 2025", (48210, None)), Series("July 2025", (31400, 0))),
    "X was displayed 48,210 times; {{ 7*7 }} <b>",
    3,
    "Sample figures: examples, not measured.",
)
LINES = Chart(
    "months",
    2,
    "Clicks by month",
    "lines",
    "Clicks",
    ("June", "July", "August", "September"),
    (Series("ВКонтакте", (12, None, 14, 15)), Series("LinkedIn", ("4.5", 9, 14, None))),
    "Clicks of two channels over four months.",
    3,
)
HOSTILE = '<w:p>&amp; {{ 7*7 }} {_{ 6*6 }_} {% raw %} </script>"'


def full(**more: object) -> ReportInput:
    """Facts that fill every part of a report."""
    published = datetime(2025, 8, 25, 3, tzinfo=UTC)
    post = PostLine(
        "forum-2025/day-of/en@x",
        "The forum opens",
        "X",
        "en",
        published,
        figures={"displays": Figure("displays", 1925), "clicks": Figure("clicks", 0)},
        withdrawn_at=datetime(2025, 8, 25, 4, tzinfo=UTC),
    )
    return us6.facts(
        **{
            "posts": (post,),
            "overrides": (Override(post.key, "M. Kim", "The venue moved", published),),
            "incidents": (
                IncidentFacts(
                    3,
                    datetime(2025, 8, 25, 3, 50, tzinfo=UTC),
                    "Ana Example",
                    "the map on the card is wrong",
                    (
                        Withdrawn(
                            post.key,
                            post.title,
                            "X",
                            "en",
                            "down",
                            published_at=published,
                            ended_at=post.withdrawn_at,
                            figures=post.figures,
                        ),
                        Withdrawn(
                            "forum-2025/day-of/en@telegram",
                            post.title,
                            "Telegram",
                            "en",
                            "refused",
                            "a bot deletes for 48 hours",
                            published_at=published,
                        ),
                    ),
                ),
            ),
            "missed": 1,
            "notes": ("Pictures helped.",),
            "plan_next": (
                Planned(datetime(2025, 9, 1, 1, tzinfo=UTC), "Recap", "X", "en", "cleared"),
            ),
            **more,
        }
    )


def written(facts: ReportInput, kind: str) -> bytes:
    return FORMATS[kind].write(compute(facts), template_folder=us6.TEMPLATES)


def illustrated(facts: ReportInput | None = None) -> Report:
    """A report with two charts among its channels."""
    report = compute(facts or full())
    return replace(
        report,
        sections=tuple(
            replace(one, charts=(BARS, LINES)) if one.name == "channels" else one
            for one in report.sections
        ),
    )


@cache
def made(report: Report, kind: str) -> bytes:
    return FORMATS[kind].write(report, template_folder=us6.TEMPLATES)


def words(data: bytes) -> str:
    return reading.text("docx", data)


@pytest.mark.parametrize("facts", [us6.facts(), full(), full(sample=True)], ids=["us6", "f", "s"])
def test_the_word_document_passes_a_check_against_the_standard(facts, tmp_path):
    file = tmp_path / "report.docx"
    file.write_bytes(made(illustrated(facts), "docx"))
    result = OpenXmlValidator().validate(file)
    assert [str(error) for error in result.errors] == []


def test_the_template_is_valid_and_the_one_that_the_program_makes():
    shipped = us6.TEMPLATES / "monthly.docx"
    assert OpenXmlValidator().validate(shipped).errors == []
    with ZipFile(shipped) as ours, ZipFile(io.BytesIO(word_template.build())) as made:
        assert {n: ours.read(n) for n in ours.namelist()} == {
            n: made.read(n) for n in made.namelist()
        }


def test_the_word_document_has_real_styles_heads_and_language():
    document = Document(io.BytesIO(written(full(), "docx")))
    used = {paragraph.style.name for paragraph in document.paragraphs}
    assert {"Title", "Heading 1", "Heading 2", "Numbered paragraph", "Caption"} <= used
    assert "Template tag" not in used
    assert all("w:tblHeader" in table.rows[0]._tr.xml for table in document.tables)
    assert document.core_properties.title == "Outreach on social media: August 2025"
    with ZipFile(io.BytesIO(written(full(), "docx"))) as package:
        assert b'w:lang w:val="en-GB"' in package.read("word/styles.xml")


@pytest.mark.parametrize("kind", ["docx", "pdf", "html", "json"])
def test_sample_figures_are_marked_at_the_top_and_at_each_table(kind):
    plain, text = (
        reading.text(kind, written(us6.facts(sample=one), kind)) for one in (False, True)
    )
    assert "SAMPLE FIGURES" in text
    made = compute(us6.facts(sample=True)).sections
    marked = [one for section in made for one in section.tables if one.sample]
    marked += [one for section in made for one in section.charts if one.sample]
    assert {table.name for table in marked} >= {"month-before", "channels", "typed", "figures"}
    assert text.count("Sample figures: examples, not measured.") == len(marked)
    assert "sample figures" not in plain.lower()


@pytest.mark.parametrize("kind", ["docx", "pdf", "html"])
def test_hostile_text_is_printed_as_it_is(kind):
    this = us6.month_facts("2025-08")
    named = tuple(
        replace(one, title=HOSTILE) if one.channel == "x" else one for one in this.channels
    )
    facts = full(
        this=MonthFacts(us6.period("2025-08"), named), notes=(HOSTILE, "bell\x07 nul\x00 page\x0c")
    )
    data = written(facts, kind)
    if kind != "html":
        text = reading.text(kind, data)
        assert "bell\ufffd nul\ufffd page\ufffd" in text
    else:
        from lxml import html

        assert b"<w:p>" not in data
        text = html.fromstring(data.decode()).text_content()
    assert text.count(HOSTILE) >= 3  # the channel's row, the sentences that name it, the remark
    assert "49 " not in text.replace("49,975", "")


def test_a_hostile_title_leaves_the_word_document_valid(tmp_path):
    file = tmp_path / "report.docx"
    file.write_bytes(written(full(notes=(HOSTILE,), office=HOSTILE), "docx"))
    assert OpenXmlValidator().validate(file).errors == []
    assert Document(file).core_properties.author == HOSTILE


def test_a_month_without_figures_says_so_and_prints_no_zero():
    empty = tuple(ChannelMonth(name, title, None) for name, title in us6.TITLES.items())
    facts = us6.facts(
        this=MonthFacts(us6.period("2025-08"), empty),
        before=MonthFacts(us6.period("2025-07")),
        year_ago=MonthFacts(us6.period("2024-08")),
    )
    report = compute(facts)
    assert report.summary == ("No figures were recorded for August 2025.",)
    assert report.completeness[0] == "Figures are complete for 0 of 5 channels."
    assert {cell.text for row in report.table("channels").rows for cell in row.cells} == {".."}
    assert [note.text for note in report.table("channels").notes] == ["No figure was recorded."]
    assert [report.table(name) for name in ("month-before", "year-before")] == [None, None]
    assert report.words("month-before") == (
        "No channel has complete figures for both August 2025 and July 2025, and the two months "
        "are therefore not compared.",
    )
    for kind in FORMATS:
        if kind != "csv":
            text = reading.text(kind, made(report, kind))
            assert "No figures were recorded for August 2025." in text


def test_a_month_without_channels_is_a_report_too():
    none = {"this": MonthFacts(us6.period("2025-08")), "before": MonthFacts(us6.period("2025-07"))}
    report = compute(us6.facts(**none, year_ago=MonthFacts(us6.period("2024-08"))))
    assert report.completeness[0] == "No channel was kept in August 2025."
    assert FORMATS["docx"].write(report, template_folder=us6.TEMPLATES)


def test_zero_is_nil_and_is_not_the_same_as_not_available():
    figures = {
        "displays": Figure("displays", 0),
        "engagements": Figure("engagements", 0),
        "clicks": Figure("clicks", None, "manual_pending"),
    }
    this = MonthFacts(us6.period("2025-08"), (ChannelMonth("x", "X", 0, figures),))
    row = compute(us6.facts(this=this)).table("channels").rows[0]
    assert [cell.text for cell in row.cells] == ["—", "—", "—", "..", "n/a (base zero)"]
    assert [cell.value for cell in row.cells] == [0, 0, 0, None, None]


def test_what_did_not_go_as_planned_is_said():
    assert compute(full()).words("publication") == (
        "In August 2025, 52 posts were published on five channels.",
        "One further post was published and withdrawn, and its figures are in no sum.",
        "Of the posts planned, one missed its time.",
        "Emergency override: forum-2025/day-of/en@x was cleared on 25 August 2025, 10:00, by "
        "decision of M. Kim and without clearance by a second person. Reason given: The venue "
        "moved.",
    )


def test_a_template_that_asks_too_much_is_a_problem_with_its_file(tmp_path):
    (tmp_path / "monthly.html").write_text("\n{{ report.nothing }}")
    with pytest.raises(WrongFiles, match=r"monthly\.html: prints what a report does not have"):
        FORMATS["html"].write(compute(us6.facts()), template_folder=tmp_path)
    (tmp_path / "monthly.html").write_text("{{ ''.__class__.__mro__ }}")
    with pytest.raises(WrongFiles, match=r"monthly\.html: asks for what a template may not have"):
        FORMATS["html"].write(compute(us6.facts()), template_folder=tmp_path)
    (tmp_path / "monthly.html").write_text("one\n{% for %}")
    with pytest.raises(WrongFiles, match=r"monthly\.html:2: not a template"):
        FORMATS["html"].write(compute(us6.facts()), template_folder=tmp_path)


@pytest.mark.parametrize(
    ("tag", "says"),
    [
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "asks for what a template may not have"),
        ("{{ report.nothing }}", "prints what a report does not have"),
        ("{% if %}", "not a template"),
    ],
)
def test_a_word_template_is_run_in_the_sandbox(tmp_path, tag, says):
    from docx import Document as New

    document = New(us6.TEMPLATES / "monthly.docx")
    document.add_paragraph(tag)
    document.save(tmp_path / "monthly.docx")
    with pytest.raises(WrongFiles, match=rf"monthly\.docx: {says}"):
        FORMATS["docx"].write(compute(us6.facts()), template_folder=tmp_path)


@pytest.mark.parametrize(("kind", "suffix"), [("docx", "docx"), ("html", "html"), ("pdf", "typ")])
def test_a_template_that_is_missing_or_no_document_is_named(tmp_path, kind, suffix):
    with pytest.raises(WrongFiles, match=rf"monthly\.{suffix}: the report's template is not there"):
        FORMATS[kind].write(compute(us6.facts()), template_folder=tmp_path)


def test_a_word_template_that_is_no_word_file_is_named(tmp_path):
    (tmp_path / "monthly.docx").write_bytes(b"not a zip")
    with pytest.raises(WrongFiles, match=r"monthly\.docx: is not a Word document"):
        FORMATS["docx"].write(compute(us6.facts()), template_folder=tmp_path)


def test_the_page_needs_nothing_from_outside():
    text = made(illustrated(), "html").decode()
    assert text.lstrip().startswith("<!DOCTYPE html>")
    assert '<html lang="en-GB">' in text
    text = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    for outside in ("<script", "<link", "src=", "@import", "url("):
        assert outside not in text
    assert text.count("<caption>") == text.count("<table>")


def test_a_report_of_another_version_is_declined():
    data = {**compute(us6.facts()).as_data(), "version": 99}
    with pytest.raises(Unusable, match="version 99"):
        Report.of(data)


def test_an_incident_has_a_section_with_what_was_withdrawn_and_what_was_not():
    made = compute(full())
    assert made.words("incidents") == (
        "Incident 3: on 25 August 2025, 10:50, Ana Example ordered two posts to be taken down. "
        "Reason given: The map on the card is wrong. One post was withdrawn after 60 minutes. Not "
        "withdrawn when this report was made is Telegram (refused: a bot deletes for 48 hours).",
    )
    assert [[cell.text for cell in row.cells] for row in made.table("withdrawn").rows] == [
        ["3", "Telegram, en", "25 August 2025, 10:00", "—", "..", "..", ".."],
        ["3", "X, en", "25 August 2025, 10:00", "25 August 2025, 11:00", "1,925", "..", "—"],
    ]


def test_every_document_has_the_cells_of_the_report_and_no_others():
    report = illustrated(full(sample=True))
    tables = [table for section in report.sections for table in section.tables]
    printed = [
        [
            [column.head for column in table.columns],
            *([row.head + row.note, *(c.text + c.note for c in row.cells)] for row in table.rows),
        ]
        for table in tables
    ]
    for kind in ("docx", "pdf", "html"):
        assert reading.tables(kind, made(report, kind)) == printed, kind
    noted = [{"": None, **{note.letter: note.text for note in one.notes}} for one in tables]
    expected = [
        [table.number, number, row.head, column.head, cell.text, cell.value, notes[cell.note]]
        for table, notes in zip(tables, noted, strict=True)
        for number, row in enumerate(table.rows, start=1)
        for column, cell in zip(table.columns[1:], row.cells, strict=True)
    ]
    chosen = [0, 3, 4, 6, 7, 8, 9]
    head, *rows = reading.sheets(made(report, "xlsx"))["Cells"]
    assert [head[one] for one in chosen] == [
        "Table", "Row", "Row head", "Column", "Printed", "Value", "Note",
    ]  # fmt: skip
    assert [[row[one] for one in chosen] for row in rows] == [
        [*row[:5], number_or_time(row[5]), row[6]] for row in expected
    ]
    _, *rows = reading.files(made(report, "csv"))["cells"]
    assert [[row[one] for one in chosen] for row in rows] == [
        ["" if one is None else re.sub(r"T(..:..)\+.*", r" \1", str(one)) for one in row]
        for row in expected
    ]
    assert Report.of(reading.report(made(report, "json"))) == report


def number_or_time(given: int | str | None) -> object:
    """What a spreadsheet has for the value of a cell."""
    if isinstance(given, str) and "T" in given:
        return datetime.fromisoformat(given).replace(tzinfo=None)
    if isinstance(given, str) and re.fullmatch(r"-?[\d.]+", given):
        return float(given)
    return given


def test_every_document_says_every_sentence_of_the_report():
    report = illustrated()
    sentences = [
        *report.summary,
        *report.completeness,
        *(text for section in report.sections for text in section.paragraphs),
    ]
    for kind in ("docx", "pdf", "html", "xlsx", "csv"):
        text = reading.text(kind, made(report, kind))
        assert [one for one in sentences if one not in text] == [], kind


@pytest.mark.parametrize("kind", ["docx", "pdf", "html"])
def test_a_chart_has_a_caption_its_words_for_who_cannot_see_it_and_its_table(kind):
    report = illustrated()
    charts = [chart for section in report.sections for chart in section.charts]
    assert {BARS.alt, LINES.alt} < {chart.alt for chart in charts}
    data = made(report, kind)
    if kind == "docx":
        pictures = Document(io.BytesIO(data)).inline_shapes
        alts = [one._inline.docPr.get("descr") for one in pictures]
        assert all(0 < one.width <= 16 * 360_000 for one in pictures)
    elif kind == "pdf":
        alts = reading.Pdf(data).alts
    else:
        from lxml import html

        alts = html.fromstring(data.decode()).xpath("//*[@role='img']/@aria-label")
    assert alts == [chart.alt for chart in charts]
    text = reading.text(kind, data)
    for chart in charts:
        assert chart.title in text
        assert f"Figure {chart.number}" in text
        assert f"{chart.unit}. The figures are in table {chart.table}." in text
    assert text.count(BARS.sample) == 1


def test_a_missing_figure_is_no_mark_in_a_chart_and_zero_is_one():
    drawn = charts.svg(BARS)
    assert re.findall(r">([\d.,]+)</text>", drawn) == [
        "48,210", "31,400", "..", "0",
    ]  # fmt: skip
    bars = re.findall(r'aria-roledescription="bar"[^>]*d="M[\d.]+,[\d.]+h([\d.]+)', drawn)
    assert [float(one) > 0 for one in bars] == [True, True, False]
    lines = charts.svg(LINES)
    # Two pieces of one line and one of the other, whose last month is missing.
    assert [one.count("M") for one in re.findall(r'"line mark"[^>]*? d="([^"]+)"', lines)] == [2, 1]
    assert len(re.findall(r'aria-roledescription="point"', lines)) == 6


def test_a_chart_needs_no_colour():
    """In grey, each series is told by its name beside it, and lines by dash and shape too."""
    assert charts.svg(BARS).count(">July 2025</text>") == 2
    lines = charts.svg(LINES)
    assert {"ВКонтакте", "LinkedIn"} <= set(re.findall(r">([^<]+)</text>", lines))
    assert len(set(re.findall(r'stroke-dasharray="([^"]+)"', lines))) == 2


def test_a_chart_is_the_same_bytes_each_time_also_as_a_picture():
    drawn, picture = charts.svg(BARS), charts.png(BARS)
    charts.svg.cache_clear()
    charts.png.cache_clear()
    assert (charts.svg(BARS), charts.png(BARS)) == (drawn, picture)
    with Image.open(io.BytesIO(picture)) as opened:
        assert 1100 < opened.width < 1400  # 288 dots to the inch


@pytest.mark.parametrize("kind", ["pdf", "html", "xlsx", "csv", "json"])
def test_the_same_report_gives_the_same_bytes(kind):
    assert FORMATS[kind].write(illustrated(), template_folder=us6.TEMPLATES) == made(
        illustrated(), kind
    )


def test_the_pdf_is_tagged_for_who_cannot_see_it():
    document = reading.Pdf(made(illustrated(), "pdf"))
    assert document.language == b"en-GB"
    assert document.info["Title"] == b"Outreach on social media: August 2025"
    assert {"Title", "H1", "H2", "Table", "Caption", "TH", "Figure"} <= set(document.tags)


def test_a_letter_that_no_font_has_is_told_with_its_text():
    unseen = "Клуб \u0378\u0379"  # two that Unicode has not given to any letter
    report = replace(illustrated(), summary=(f"In August, {unseen} was opened.", "A second."))
    with pytest.raises(WrongFiles) as caught:
        made(report, "pdf")
    [problem] = caught.value.problems
    assert "U+0378" in problem.what
    assert "U+0379" in problem.what
    assert f"“In August, {unseen} was opened.”" in problem.what
    assert "fonts-noto-cjk" in problem.hint
    named = replace(BARS, labels=(unseen, "Facebook"))
    section = Section("one", "One", charts=(named,))
    with pytest.raises(WrongFiles, match=unseen):
        made(replace(report, summary=(), sections=(section,)), "pdf")


def test_cyrillic_and_mongolian_need_no_further_font():
    text = "Бага нүүрстөрөгчтэй хотууд; низкоуглеродные города; cités à faible émission"
    report = replace(illustrated(), summary=(text,))
    assert text in reading.text("pdf", made(report, "pdf"))


def test_every_mistake_in_a_typst_template_has_its_line(tmp_path):
    file = tmp_path / "monthly.typ"
    file.write_text('= One\n=== Three\n#image(bytes("<svg/>"))\n')
    with pytest.raises(WrongFiles) as caught:
        FORMATS["pdf"].write(illustrated(), template_folder=tmp_path)
    assert caught.value.problems[0].where == f"{file}:3"
    file.write_text("#let one = (\n")
    with pytest.raises(WrongFiles, match=r"monthly\.typ:1: unclosed delimiter"):
        FORMATS["pdf"].write(illustrated(), template_folder=tmp_path)
    file.write_text('#read("../secret")\n')
    with pytest.raises(WrongFiles, match="would escape"):
        FORMATS["pdf"].write(illustrated(), template_folder=tmp_path)


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1"])
def test_no_text_becomes_a_formula(text):
    report = compute(full(office=text, notes=(text,)))
    table = Table("t", 9, text, (Column(text, 50), Column("n", 50)), (Row(text, (Cell(text),)),))
    report = replace(report, sections=(Section("t", text, tables=(table,), annex=True),))
    book = load_workbook(io.BytesIO(made(report, "xlsx")))
    cells = [cell for sheet in book for row in sheet for cell in row if cell.value is not None]
    assert text in [cell.value for cell in cells]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    read = reading.files(made(report, "csv"))
    assert [row[0] for row in read["t"]] == [f"'{text}"] * 2
    everything = [cell for rows in read.values() for row in rows for cell in row]
    assert not [one for one in everything if re.match(r"[=@\t]|[+-].*[^\d.,]", one)]


def test_a_sheet_has_real_numbers_and_dates_and_its_heads_stay_in_sight():
    book = load_workbook(io.BytesIO(made(illustrated(), "xlsx")))
    assert book.sheetnames == [
        "Summary", "Comparisons", "Cells", "Posts", "Gaps", "Figures entered by hand",
        "Figures and their sources", "Definitions",
    ]  # fmt: skip
    assert {sheet.freeze_panes for sheet in book} == {"B2"}
    heads, post = ([cell.value for cell in row] for row in book["Posts"])
    shown = dict(zip(heads, post, strict=True))
    assert shown["Displays"] == 1925
    assert shown["Published (Asia/Bangkok)"] == datetime(2025, 8, 25, 10)
    assert (shown["Engagements"], shown["Clicks"]) == (None, 0)
    assert "Engagements: No figure was recorded." in shown["Notes"]


def test_the_schema_of_json_is_that_of_the_classes_and_holds_for_every_report():
    """Renew it by `python -m outreach.report.documents.data docs/report.schema.json`."""
    schema = json.loads((us6.ROOT / "docs" / "report.schema.json").read_text())
    assert schema == data.schema()
    Draft202012Validator.check_schema(schema)
    valid = Draft202012Validator(schema)
    for report in (illustrated(), compute(us6.facts(sample=True))):
        valid.validate(json.loads(made(report, "json")))
    assert not valid.is_valid({**illustrated().as_data(), "more": 1})
    assert not valid.is_valid({**illustrated().as_data(), "version": 1})


def test_no_word_of_a_head_and_no_figure_is_broken():
    for table in (one for section in illustrated().sections for one in section.tables):
        size = SMALL if table.small else 10.5
        for column, part in zip(table.columns, widths(table), strict=True):
            inside = part * TEXT_WIDTH - 5.7
            assert all(length(w, "Tinos-Italic") * size <= inside for w in column.head.split())
        assert abs(sum(widths(table)) - 1) < 1e-9


def test_the_masthead_has_a_symbol_only_where_one_was_given():
    without = illustrated()
    given = replace(without, symbol="ESCAP/EXAMPLE/1")
    for kind in ("docx", "pdf", "html"):
        assert "ESCAP" not in reading.text(kind, made(without, kind)).replace("ESCAP ENEA", "")
        assert "ESCAP/EXAMPLE/1" in reading.text(kind, made(given, kind))
        assert "Distr.: For internal use" in reading.text(kind, made(given, kind))
