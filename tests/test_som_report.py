"""The report to the Senior Officials Meeting, from an office's files and what people entered."""

from datetime import date

import pytest

from outreach.errors import NotFound
from tests.conftest import Office
from tests.drafts import draft, put

CAMPAIGN = """
campaign: c
programme: low-carbon-cities
title: Fifth International Forum on Low Carbon Cities
written-by: ana
languages: {source: en, also: [mn]}
goals:
  offers-to-host:
    target: 3
    baseline: 0
    source: "Note, para. 10"
    by: "2025-10-01 10:00 Asia/Seoul"
    from: hand
audiences: {all: {en: [net], mn: [facebook-mn]}}
messages:
  news: {}
"""
SOM = """
[som-28]
title = "Twenty-eighth Senior Officials Meeting (SOM-28)"
starts = "2025-09-22"
ends = "2025-09-23"
place = "Ulaanbaatar, Mongolia"

[[som-28.asked]]
what = "Express interest in hosting the Forum"
source = "Note by the secretariat, para. 10 (a)"
answer = "One member State did."
by = "ana"
"""


@pytest.fixture
def desk(office: Office):
    office.clock.to("2025-09-29T02:00Z")
    desk = office.open()
    desk.tick()
    put(desk, draft(at="2025-09-29T02:01"), clear=True)
    office.clock.to("2025-09-29T02:01Z")
    desk.tick()
    office.campaign(CAMPAIGN, news="## en\n\nCities meet.\n")
    office.write("config/som.toml", SOM)
    ana = desk.person("ana")
    desk.entries.type("c", "offers-to-host", "1", source="letter", by=ana, on=date(2025, 9, 28))
    office.clock.to("2025-10-20T02:00Z")
    return desk


def test_it_is_about_the_days_since_the_last_meeting(desk):
    report = desk.reports.make("", by=desk.person("ana"), som=True)
    assert report.period == "som:2025-09-24..2025-10-20"
    assert report.summary[0] == (
        "From 24 September to 20 October 2025, the secretariat published one post in one language "
        "for one campaign."
    )
    assert report.words("som-not-worked")[:2] == (
        "Fifth International Forum on Low Carbon Cities: offers to host reached one of three by "
        "1 October 2025.",
        "Nothing was published in Mongolian for Fifth International Forum on Low Carbon Cities: "
        "the office has no account on facebook-mn.",
    )
    [asked] = report.table("som-asked").rows
    assert [cell.text for cell in asked.cells][1:] == ["One member State did.", "ana"]
    assert report.table("goals-Low Carbon Cities").rows[0].head == "Offers to host"


def test_a_campaign_whose_file_cannot_be_read_is_not_left_out_in_silence(desk, office):
    office.write("campaigns/c.yaml", CAMPAIGN.replace("title:", "titel:"))
    report = desk.reports.make("", by=desk.person("ana"), som=True)
    assert (
        "The campaign file of c cannot be read, and what came of it is missing here."
        in report.words("som-not-worked")
    )


def test_it_is_about_other_days_where_they_are_named(desk):
    report = desk.reports.make("2025-09", by=desk.person("ana"), som=True)
    assert report.period == "som:2025-09"
    assert report.table("som-asked") is not None  # the last one before the end of these days


def test_without_a_meeting_whose_days_are_known_the_next_step_is_said(desk, office):
    office.write("config/som.toml", SOM.replace('"2025-09-23"', '"tbc"'))
    with pytest.raises(NotFound, match="the days of no past Senior Officials Meeting") as error:
        desk.reports.make("", by=desk.person("ana"), som=True)
    assert "config/som.toml" in error.value.hint


def test_other_reports_say_what_came_of_their_campaigns_and_tell_no_group_of_people(desk):
    ana = desk.person("ana")
    desk.entries.type("c", "registrations", "120", source="Indico", by=ana, on=date(2025, 9, 28))
    report = desk.reports.make("2025-09-24..2025-10-20", by=ana)
    rows = {row.head: [cell.text for cell in row.cells] for row in report.table("outcomes-c").rows}
    assert rows == {
        "Registrations": ["Outcome", "Indico", "120"],
        "Offers to host": ["Outcome", "letter", "1"],
    }
    assert [row.head for row in report.table("goals-c").rows] == ["Offers to host"]
    assert "online, downloads and cities joining. Nobody has entered" in " ".join(
        report.words("outcomes-c")
    )
    assert not [one for one in report.sections if one.name.startswith("som-")]
