"""August 2025, when one platform of five stopped answering: every figure to the digit."""

import json
import re

import pytest

from outreach.report import arithmetic
from outreach.report.compute import compute
from outreach.report.documents import FORMATS
from outreach.report.value import Report, Table

from . import reading, us6


@pytest.fixture(scope="module")
def report() -> Report:
    return compute(us6.facts())


@pytest.fixture(scope="module")
def documents(report) -> dict[str, str]:
    """What a reader reads in each document."""
    made = {
        name: reading.text(name, kind.write(report, template_folder=us6.TEMPLATES))
        for name, kind in FORMATS.items()
    }
    return {**made, "html": re.sub(r"(?s)<style>.*</style>|<[^>]*>", "", made["html"])}


def row(table: Table, head: str) -> list[str]:
    found = next(row for row in table.rows if row.head == head)
    return [cell.text for cell in found.cells]


def test_july_is_compared_on_the_four_channels_that_are_complete_in_both(report):
    before = report.comparisons[0]
    assert before.channels == ("X", "LinkedIn", "Telegram", "VK")
    assert before.left_out == ("Facebook",)
    assert [(one.metric, one.this, one.before, one.change) for one in before.lines] == [
        ("posts", 41, 23, None),
        ("displays", 79_896, 49_975, "59.9"),
        ("engagements", 3_553, 2_002, "77.5"),
        ("clicks", 858, 394, "117.8"),
    ]
    assert before.line("posts").why == "base under 30"


def test_the_rate_is_pooled_and_not_the_mean_of_rates(report):
    assert report.comparisons[0].rate == "4.45"
    assert row(report.table("channels"), "Complete channels") == [
        "41",
        "79,896",
        "3,553",
        "858",
        "4.45",
    ]


def test_the_year_before_is_compared_on_x_and_linkedin_only(report):
    year = report.comparisons[1]
    assert year.with_period == "2024-08"
    assert year.channels == ("X", "LinkedIn")
    displays = year.line("displays")
    assert (displays.this, displays.before, displays.change) == (70_690, 36_070, "96.0")


def test_each_channel_has_its_own_line_and_its_own_rate(report):
    assert [
        (one.head, [cell.text for cell in one.cells]) for one in report.table("channels").rows[:5]
    ] == [
        ("X", ["14", "48,210", "1,446", "312", "3.00"]),
        ("LinkedIn", ["9", "22,480", "1,798", "405", "8.00"]),
        ("Telegram", ["12", "5,364", "188", "97", "3.50"]),
        ("VK", ["6", "3,842", "121", "44", "3.15"]),
        ("Facebook", ["11", "..", "..", "..", ".."]),
    ]
    assert report.table("channels").columns[-1].head == "ER-imp (per cent)"


def test_what_is_not_available_bears_a_letter_and_says_why(report):
    facebook = next(one for one in report.table("channels").rows if one.head == "Facebook")
    assert [cell.note for cell in facebook.cells] == ["", "a", "a", "a", "a"]
    assert report.table("channels").notes[0].letter == "a"
    assert report.table("channels").notes[0].text == (
        "The figure could not be collected. The channel’s access expired on 8 August 2025; only "
        "1 to 7 August could be read."
    )


def test_how_complete_the_month_is_stands_in_words(report):
    assert report.completeness[0] == (
        "Figures are complete for 4 of 5 channels: X, LinkedIn, Telegram and VK."
    )
    assert "6 September 2025, 00:00" in report.completeness[-1]
    assert "Asia/Bangkok" in report.completeness[-1]


def test_the_summary_has_three_numbers_at_most(report):
    text = " ".join(report.summary)
    assert text == (
        "In August 2025, posts on the four channels with complete figures in both months were "
        "displayed 79,896 times, 59.9 per cent more than on the same channels in July 2025. Their "
        "links were followed 858 times. Facebook is left out of every sum, since complete figures "
        "are not available."
    )
    assert re.findall(r"\d[\d,.]*\d", re.sub(r"\b20\d\d\b", "", text)) == ["79,896", "59.9", "858"]


@pytest.mark.parametrize("kind", FORMATS)
def test_no_document_has_the_naive_answer(documents, kind):
    text = documents[kind]
    for right in ("79,896", "+59.9", "+77.5", "+117.8", "4.45", "70,690", "+96.0", "4 of 5"):
        assert right in text
    # 79,896 against all of July, Facebook's 9,870 included, would be +33.5 per cent.
    for naive in ("33.5", "59,845", "59845", "4.41"):
        assert naive not in text
    assert not re.search(r"total reach|reach in total|total of reach", text, re.IGNORECASE)
    assert "Displays (definitions differ by channel), not persons" in text


def test_no_public_function_compares_other_channels_than_it_chose():
    """`like_for_like` is the only door to a change in per cent, and it takes whole months."""
    public = {name for name in vars(arithmetic) if not name.startswith("_")}
    assert public.isdisjoint({"change", "total", "add_up"})
    july, august = us6.month_facts("2025-07"), us6.month_facts("2025-08")
    lines = arithmetic.like_for_like(august, july, us6.METRICS)
    assert {line.change for line in lines} == {None, "59.9", "77.5", "117.8"}


def test_the_report_of_july_itself_covers_all_five_channels():
    assert (
        compute(us6.facts("2025-07"))
        .completeness[0]
        .startswith("Figures are complete for 5 of 5 channels")
    )


def test_json_is_the_report_again(report):
    data = FORMATS["json"].write(report, template_folder=us6.TEMPLATES)
    assert Report.of(json.loads(data)) == report
