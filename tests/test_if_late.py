"""`if-late`: what is found in time goes out, whatever the rule; what is not waits for a person."""

from datetime import timedelta

import pytest

from outreach.campaign.when import parse_late
from tests.conftest import Office, apply, clear_all, state

CAMPAIGN = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
audiences: {{main: {{en: [net]}}}}
messages:
  news: {{at: "2025-07-20 09:00 Asia/Bangkok", to: main, if-late: "{rule}"}}
"""


@pytest.mark.parametrize("rule", ["ask", "send within 0 minutes, then ask"])
@pytest.mark.parametrize(
    ("seconds", "becomes"),
    [(0.2, "published"), (5, "published"), (59, "published"), (60, "missed")],
)
def test_ask_sends_at_its_time_and_asks_after_a_minute(office: Office, rule, seconds, becomes):
    """A tick comes after the slot, never at it: to ask then would be never to send."""
    office.campaign(CAMPAIGN.format(rule=rule), news="## en\nSome words.\n")
    desk = office.open()
    apply(desk)
    clear_all(desk)
    office.clock.to("2025-07-20T01:58:30Z")
    desk.tick()
    office.clock.to("2025-07-20T02:00Z")
    office.clock.forward(seconds=seconds)
    desk.tick()
    assert state(desk, "c/news/en@net") == becomes


def test_a_longer_rule_is_taken_as_written():
    assert parse_late("send within 2 hours, then ask").within == timedelta(hours=2)
    assert parse_late("ask").within == timedelta(minutes=1)
