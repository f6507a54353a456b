"""A series: one reading with its dates, each occasion once, and the next ones by themselves."""

import pytest

from tests.conftest import Office, apply, clear_all, state
from tests.drafts import run_to

WEEKLY = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
audiences: {main: {en: [net, web]}}
defaults: {to: main}
messages:
  news:
    every: {days: [mon], time: "10:00 UTC", from: "2025-07-21 00:00 UTC",
            until: "2026-07-20 23:00 UTC"}
"""
TEXTS = "## en 1\nThe first.\n## en 2\nThe second.\n"


@pytest.fixture
def desk(office: Office):
    office.campaign(WEEKLY, news=TEXTS)
    desk = office.open()
    desk.tick()
    apply(desk)
    return desk


def test_posts_are_made_sixty_days_ahead(desk):
    assert desk.status().counts == {"proposed": 18}  # nine Mondays on two channels


def test_one_reading_covers_the_series_and_names_its_dates(desk):
    [reading] = desk.readings()
    assert reading.name == "c/news/en"
    assert len(reading.renderings) == 18
    firsts = [r.key for r in reading.renderings if not r.same_as]
    assert firsts == ["c/news~2025-07-21T10:00/en@net", "c/news~2025-07-28T10:00/en@net"]
    clear_all(desk)
    assert desk.status().counts == {"cleared": 18}


def test_each_occasion_goes_out_once_at_its_time(desk, office):
    clear_all(desk)
    for _ in range(15):
        office.clock.forward(days=1)
        office.clock.at = office.clock.at.replace(hour=10, minute=0)
        run_to(office, desk, office.clock.at)
        desk.tick()
    assert desk.platforms["net"].texts == ["The first.", "The second.", "The first."]
    assert state(desk, "c/news~2025-08-04T10:00/en@net") == "published"


def test_the_next_ones_come_by_themselves_and_wait_to_be_cleared(desk, office):
    clear_all(desk)
    assert desk.carry_on() == 0
    office.clock.forward(days=7)
    assert desk.carry_on() == 2
    assert desk.carry_on() == 0
    assert state(desk, "c/news~2025-09-22T10:00/en@net") == "proposed"
    assert desk.status().counts["cleared"] == 18


def test_they_do_not_come_from_files_that_were_not_applied(desk, office):
    office.clock.forward(days=7)
    office.campaign(WEEKLY, news=TEXTS + "## en 3\nThe third.\n")
    assert desk.carry_on() == 0
    apply(desk)
    assert desk.carry_on() == 0  # applied with them


def test_an_occasion_that_is_over_is_not_dropped_from_a_plan(desk, office):
    office.clock.forward(days=30)
    assert not any(op.kind == "drop" for op in desk.plan().operations)
