"""The report to the Senior Officials Meeting: results beside goals, gaps beside results."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from openxml_audit import OpenXmlValidator

from outreach.compose.style import load_style
from outreach.report.compute import compute
from outreach.report.documents import FORMATS
from outreach.report.facts import ReportInput
from outreach.report.som import Aim, Promoted, Request, SomFacts, Spent, Spoken, Tally

from . import us6
from .test_documents import full

FORUM = "Fifth International Forum on Low Carbon Cities"
BOOKLET = "Booklet on Low Carbon City Networks"
STATES = (
    ("China", 61),
    ("Democratic People's Republic of Korea", 0),
    ("Japan", 12),
    ("Mongolia", None),
    ("Republic of Korea", 88),
    ("Russian Federation", None),
    ("Other countries", 40),
)


def tally(measure: str, value: int | None, reason: str = "", **by: object) -> Tally:
    return Tally(measure, measure.capitalize(), value, reason, by)  # type: ignore[arg-type] # a test's mapping


SOM = SomFacts(
    meeting="Twenty-eighth Senior Officials Meeting (SOM-28)",
    asked=(
        Request(
            "Express interest in hosting the Forum", "Note, para. 10 (a)", "Two did.", "M. Kim"
        ),
        Request("Encourage cities to attend", "Note, para. 10 (b)", ""),
    ),
    areas=("Air Pollution", "Biodiversity and Nature Conservation", "Low Carbon Cities"),
    campaigns=(
        Promoted(
            "forum-2025",
            FORUM,
            "Low Carbon Cities",
            52,
            (
                Spoken("English", 40, ("X", "LinkedIn")),
                Spoken("Korean", 12, ("KakaoTalk",), official=False),
                Spoken("Mongolian", 0, (), "the office has no account on facebook-mn", False),
            ),
            (
                tally(
                    "registrations",
                    207,
                    state=STATES,
                    sex=(("Women", 101), ("Men", 106)),
                ),
                replace(tally("attendance", 90), withheld=("state",)),
                tally("attendance-online", None, "Nobody has entered this figure"),
                tally("offers-to-host", 2),
                tally("cities-joining", 0),
            ),
            (
                Aim("Registrations", 300, 200, "Note, para. 7", 207, "", "25 August 2025", True),
                Aim("Offers to host", 1, None, "Note, para. 10", 2, "", "22 September 2025", True),
                Aim("Downloads", None, None, "", None, "Nobody has entered", "1 May 2026", False),
            ),
        ),
        Promoted("booklet", BOOKLET, "Low Carbon Cities", 0, (Spoken("English", 3, ("X",)),)),
    ),
    spent=(Spent("Fees of networks", "12.50 USD", ("invoice 7",)), Spent("Days of staff", None)),
)


def facts(**more: object) -> ReportInput:
    return full(som=SOM, **more)


def test_the_first_page_says_what_came_of_it_and_then_what_did_not_work():
    report = compute(facts())
    assert report.subtitle == "Report to the Senior Officials Meeting"
    assert (report.period, report.file_name) == ("som:2025-08", "outreach-som-2025-08")
    assert report.summary[:6] == (
        "In August 2025, the secretariat published 52 posts in two languages for two campaigns.",
        f"Offers to host: two ({FORUM}).",
        f"Cities joining: none ({FORUM}).",
        f"Registrations: 207 ({FORUM}).",
        f"Participation in the room: 90 ({FORUM}).",
        f"Participation online: not available ({FORUM}).",
    )
    assert report.summary[6] == (
        "Of two goals that were due and could be measured, one was reached; one goal could not be "
        "measured."
    )
    first = report.sections[0]
    assert first.title == "What did not work"
    assert first.paragraphs == (
        f"{FORUM}: registrations reached 207 of 300 by 25 August 2025.",
        f"Nothing was published in Mongolian for {FORUM}: the office has no account on "
        "facebook-mn.",
        "One post missed the time and was not sent.",
        "Two posts had to be withdrawn (the map on the card is wrong); one was.",
        "The post forum-2025/day-of/en@x was published without a second person: The venue moved.",
        "The figures of Facebook are not complete: The figure could not be collected. The "
        "channel’s access expired on 8 August 2025; only 1 to 7 August could be read.",
    )


def test_member_states_stand_in_the_official_order_and_few_people_are_not_counted_out():
    table = compute(facts()).table("som-states-forum-2025")
    rows = {row.head: [cell.text for cell in row.cells] for row in table.rows}
    assert list(rows) == [*(label for label, _ in STATES), "Total"]
    assert rows["China"] == ["61", "*", "..", ".."]
    assert rows["Democratic People's Republic of Korea"][0] == "—"
    assert rows["Mongolia"][0] == "*"
    assert rows["Total"] == ["207", "90", "..", ".."]
    assert any("Fewer than five people" in note.text for note in table.notes)


def test_what_was_not_collected_is_two_dots_and_says_so():
    report = compute(facts())
    table = report.table("som-groups-forum-2025")
    assert [row.head for row in table.rows] == ["Women", "Men", "Total"]
    assert [cell.text for cell in table.rows[0].cells] == ["101", "..", "..", ".."]
    assert "Not collected." in {note.text for note in table.notes}
    assert [[cell.text for cell in row.cells] for row in report.table("som-cost").rows] == [
        ["12.50 USD", "invoice 7"],
        ["..", "-"],
    ]


def test_goals_have_target_baseline_and_source_beside_what_was_reached():
    table = compute(facts()).table("goals-Low Carbon Cities")
    rows = [[row.head, *(cell.text for cell in row.cells)] for row in table.rows]
    assert rows == [
        [f"{FORUM}: Registrations", "200", "300", "207", "25 August 2025", "no", "Note, para. 7"],
        [f"{FORUM}: Offers to host", "..", "1", "2", "22 September 2025", "yes", "Note, para. 10"],
        [f"{FORUM}: Downloads", "..", "..", "..", "1 May 2026", "..", ".."],
    ]


def test_what_the_meeting_asked_stands_beside_what_was_done():
    report = compute(facts())
    assert report.words("som-asked") == (
        "Of two requests of the Twenty-eighth Senior Officials Meeting (SOM-28), one is not "
        "answered yet.",
    )
    assert [[cell.text for cell in row.cells] for row in report.table("som-asked").rows] == [
        ["Note, para. 10 (a)", "Two did.", "M. Kim"],
        ["Note, para. 10 (b)", ".. (not answered yet)", "-"],
    ]
    assert report.words("som-results") == (
        "No campaign was run for Air Pollution and Biodiversity and Nature Conservation.",
    )


@pytest.mark.parametrize(
    "som", [SOM, SomFacts("", (), ("Air Pollution",), (), ())], ids=["full", "empty"]
)
def test_its_documents_are_valid_and_in_the_house_style(som, tmp_path):
    report = compute(us6.facts(som=som))
    file = tmp_path / "report.docx"
    file.write_bytes(FORMATS["docx"].write(report, template_folder=us6.TEMPLATES))
    assert [str(error) for error in OpenXmlValidator().validate(file).errors] == []
    house = load_style(us6.ROOT / "config" / "house-style")
    ours = [one for one in report.sections if one.name.startswith("som")]
    for text in (
        *report.summary[: 7 if som is SOM else 1],
        *(text for one in ours for text in one.paragraphs),
    ):
        if "1 to 7 August" not in text:  # an officer's own words
            found = house.lint(text, profile="document", titles=[FORUM, BOOKLET])
            assert [str(one) for one in found] == [], text
    assert report.of(report.as_data()) == report


def test_a_month_that_nobody_reports_to_the_meeting_has_none_of_it():
    report = compute(full())
    assert not any(section.name.startswith("som") for section in report.sections)
    assert datetime(2025, 9, 6, 2, tzinfo=UTC) == report.made_at
