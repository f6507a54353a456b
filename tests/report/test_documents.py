"""Documents: valid, escaped, marked as samples where they are, and from templates of the office."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from zipfile import ZipFile

import pytest
from docx import Document
from openxml_audit import OpenXmlValidator

from outreach.errors import Unusable, WrongFiles
from outreach.report.compute import compute
from outreach.report.documents import FORMATS, word_template
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
from outreach.report.value import Report

from . import us6

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


def words(data: bytes) -> str:
    document = Document(io.BytesIO(data))
    cells = (cell for table in document.tables for row in table.rows for cell in row.cells)
    return "\n".join([p.text for p in document.paragraphs] + [cell.text for cell in cells])


@pytest.mark.parametrize("facts", [us6.facts(), full(), full(sample=True)], ids=["us6", "f", "s"])
def test_the_word_document_passes_a_check_against_the_standard(facts, tmp_path):
    file = tmp_path / "report.docx"
    file.write_bytes(written(facts, "docx"))
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


@pytest.mark.parametrize("kind", ["docx", "html", "json"])
def test_sample_figures_are_marked_at_the_top_and_at_each_table(kind):
    from html import unescape

    real, sample = (written(us6.facts(sample=one), kind) for one in (False, True))
    text = words(sample) if kind == "docx" else unescape(sample.decode())
    plain = words(real) if kind == "docx" else real.decode()
    assert "SAMPLE FIGURES" in text
    made = compute(us6.facts(sample=True)).sections
    marked = [one for section in made for one in section.tables if one.sample]
    marked += [one for section in made for one in section.charts if kind == "json"]
    assert {table.name for table in marked} >= {"month-before", "channels", "typed", "figures"}
    assert text.count("Sample figures: examples, not measured.") == len(marked)
    assert "sample figures" not in plain.lower()


@pytest.mark.parametrize("kind", ["docx", "html"])
def test_hostile_text_is_printed_as_it_is(kind):
    this = us6.month_facts("2025-08")
    named = tuple(
        replace(one, title=HOSTILE) if one.channel == "x" else one for one in this.channels
    )
    facts = full(
        this=MonthFacts(us6.period("2025-08"), named), notes=(HOSTILE, "bell\x07 nul\x00 page\x0c")
    )
    data = written(facts, kind)
    if kind == "docx":
        text = words(data)
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
        data = FORMATS[kind].write(report, template_folder=us6.TEMPLATES)
        text = words(data) if kind == "docx" else data.decode()
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


@pytest.mark.parametrize("kind", ["docx", "html"])
def test_a_template_that_is_missing_or_no_document_is_named(tmp_path, kind):
    with pytest.raises(WrongFiles, match=rf"monthly\.{kind}: the report's template is not there"):
        FORMATS[kind].write(compute(us6.facts()), template_folder=tmp_path)


def test_a_word_template_that_is_no_word_file_is_named(tmp_path):
    (tmp_path / "monthly.docx").write_bytes(b"not a zip")
    with pytest.raises(WrongFiles, match=r"monthly\.docx: is not a Word document"):
        FORMATS["docx"].write(compute(us6.facts()), template_folder=tmp_path)


def test_the_page_needs_nothing_from_outside():
    text = written(full(), "html").decode()
    assert text.lstrip().startswith("<!DOCTYPE html>")
    assert '<html lang="en-GB">' in text
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
