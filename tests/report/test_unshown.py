"""A web feed, whose displays nobody can know, is neither complete nor incomplete."""

from datetime import UTC, datetime

import pytest

from outreach.report.compute import compute
from outreach.report.facts import ChannelMonth, Figure, MonthFacts, PostLine
from tests.conftest import OUTREACH_TOML, Office, apply, clear_all

from . import us6

FEED = ChannelMonth(
    "web",
    "Web feed",
    5,
    {
        "displays": Figure("displays", None, "not_offered"),
        "engagements": Figure("engagements", None, "not_offered"),
        "clicks": Figure("clicks", 12, source="link"),
    },
    shown=False,
)


@pytest.fixture(scope="module")
def report():
    this = MonthFacts(us6.period("2025-08"), (*us6.month_facts("2025-08").channels, FEED))
    posts = [
        PostLine(
            f"forum/{name}/en@web",
            name,
            "web",
            "en",
            datetime(2025, 8, 4, tzinfo=UTC),
            linked=linked,
        )
        for name, linked in (("with-a-link", True), ("without", False))
    ]
    return compute(us6.facts(this=this, posts=tuple(posts)))


def test_it_is_not_counted_among_the_channels_that_could_be_complete(report):
    assert report.completeness[0].startswith("Figures are complete for 4 of 5 channels: ")
    assert report.incomplete == ("Facebook",)
    assert (
        "Web feed is not among these channels: how often posts are displayed there cannot be "
        "known. Clicks are counted."
    ) in report.completeness
    assert "Web feed" not in " ".join(report.summary)


def test_its_line_has_hyphens_where_there_is_nothing_to_know_and_stands_last(report):
    *_, last, total = report.table("channels").rows
    assert (last.head, [cell.text for cell in last.cells]) == (
        "Web feed",
        ["5", "-", "-", "12", "-"],
    )
    assert [cell.text for cell in total.cells] == ["41", "79,896", "3,553", "858", "4.45"]


def test_the_comparison_does_not_call_it_incomplete(report):
    before = report.comparisons[0]
    assert before.left_out == ("Facebook",)
    assert before.line("displays").change == "59.9"
    assert "Web feed" not in " ".join(report.words("month-before"))


def test_a_post_without_a_link_has_no_clicks_to_know(report):
    cells = {row.head: [cell.text for cell in row.cells[3:]] for row in report.table("posts").rows}
    assert cells == {"with-a-link": ["-", "-", ".."], "without": ["-", "-", "-"]}


CAMPAIGN = """
campaign: forum
programme: low-carbon-cities
title: The forum
written-by: ana
events:
  forum: {date: 2025-08-25, starts: "09:00", ends: "17:00", zone: Asia/Bangkok}
audiences:
  main: {en: [web, byhand]}
defaults: {to: main}
links: {live: "https://example.org/live"}
messages:
  day-of: {at: "forum, 09:00 Asia/Bangkok"}
"""


def test_of_a_channel_kept_by_hand_figures_are_still_to_come(office: Office):
    office.write(
        "config/channels.toml",
        '[web]\nplatform = "feed"\n[byhand]\nplatform = "manual"\n',
    )
    office.write(
        "config/outreach.toml", OUTREACH_TOML + '[web]\npublic-url = "https://post.example.org"\n'
    )
    office.campaign(CAMPAIGN, day_of="## en\nThe forum opens: {{ links.live }}\n")
    desk = office.open()
    apply(desk)
    clear_all(desk)
    office.clock.to("2025-08-25T02:00Z")
    desk.tick()
    desk.settle(
        "forum/day-of/en@byhand", "live", by=desk.person("ana"), url="https://example.org/1"
    )
    office.clock.to("2025-09-01T02:00Z")
    desk.figures.collect()
    office.clock.to("2025-09-06T02:00Z")
    report = desk.reports.make("2025-08", by=desk.person("ana"))

    assert report.completeness[:2] == (
        "Figures are complete for 0 of 1 channels.",
        "Not complete: byhand. The figure is read by hand and had not been entered at the "
        "cut-off. Missing for 1 of 1 posts.",
    )
    assert report.incomplete == ("byhand",)
