"""A post went wrong: what an officer types, reads and has to do next."""

import json

import pytest

from .conftest import KEY, Shell, declined

HAND = "forum/reminder/en@wechat"
URL = "https://wechat.example.org/p/1"


@pytest.fixture
def live(cleared: Shell) -> Shell:
    """The reminder is out, on the feed and by hand."""
    cleared.clock.to("2025-08-22T00:57Z")
    cleared("tick")
    cleared.clock.to("2025-08-22T01:00Z")
    cleared("tick")
    assert cleared("settle", HAND, "--live", URL, who="ana").code == 0
    cleared.clock.to("2025-08-22T01:17Z")
    return cleared


def test_it_shows_what_goes_asks_why_and_whether_and_tells_each_channel(live: Shell):
    said = live("take-down", "forum/reminder", who="ana", types="wrong map\ny\n", terminal=True)
    assert said.code == 1  # somebody has to delete one by hand
    before, _, after = said.out.partition("Incident 1")
    assert f"{KEY}  is deleted" in before
    assert f"{HAND}  by hand: a person has to delete it" in before
    assert "On hold until somebody releases it: forum/reminder" in before
    assert f"deleted   {KEY}" in after
    assert f"BY HAND   {HAND}" in after and URL in after
    assert f"→ outreach settle {HAND} --gone" in after
    assert "→ outreach release message:forum/reminder" in after

    status = live("status").out
    assert "Ordered to be taken down, and live still" in status and URL in status
    assert live("settle", HAND, "--gone", who="ana").code == 0
    assert live("take-down").code == 0
    assert "live still" not in live("status").out


def test_an_address_is_enough(live: Shell):
    said = live("take-down", f"{URL}?from=timeline", "--why", "wrong map", "--yes", who="bo")
    assert f"deleted   {KEY}" in said.out


def test_no_leaves_everything_as_it_is(live: Shell):
    said = live("take-down", KEY, "--why", "wrong map", who="ana", types="n\n", terminal=True)
    declined(said, 2, "nothing was taken down")
    assert live("take-down").out == "Nothing that was ordered to be taken down is live still.\n"


def test_without_a_terminal_it_has_to_be_said_whole(live: Shell):
    declined(live("take-down", KEY, who="ana"), 2, "a reason is needed", f"take-down {KEY} --why")
    declined(live("take-down", KEY, "--why", "x", who="ana"), 2, "has to be confirmed", "--yes")


def test_a_machine_gets_the_same(live: Shell):
    said = live("take-down", KEY, "--why", "wrong map", "--yes", "--json", who="ana")
    assert said.code == 0
    told = json.loads(said.out)
    assert (told["number"], told["results"][0]["state"]) == (1, "down")
    [again] = json.loads(live("take-down", "1", "--json").out)
    assert again == told
    declined(live("take-down", "7"), 2, "there is no incident 7", "the last one is 1")


def test_who_may_not_is_told_before_anything_happens(live: Shell):
    said = live("take-down", KEY, "--why", "wrong map", "--yes", who="cy")
    declined(said, 2, "needs the role officer or clearer or administrator")


class TestCorrecting:
    def test_it_shows_what_changes_and_what_a_person_does_and_a_colleague_clears_it(
        self, live: Shell
    ):
        text = "## en\n\nThe forum opens in Bangkok on 26 August.\n"
        live.write("templates/posts/forum/reminder.md", text)
        said = live("correct", "forum/reminder", who="ana", types="wrong day\ny\n", terminal=True)
        assert said.code == 0, said
        assert f"{KEY}  is edited in place" in said.out
        assert "+The forum opens in Bangkok on 26 August." in said.out
        assert "NOT HERE: it was posted by hand: a person edits it there" in said.out
        [reading] = json.loads(live("review", "--json").out)
        assert f"→ outreach review {reading['name']}" in said.out
        assert f"outreach clear {reading['name']}" in live("review", reading["name"]).out
        cleared = live("clear", reading["name"], reading["fingerprint"], who="bo")
        assert "outreach run edits what is live" in cleared.out
        live("tick")
        assert "corrected" in live("trail", KEY).out

    def test_without_a_change_it_says_so(self, live: Shell):
        said = live("correct", "forum/reminder", "--why", "x", "--yes", who="ana")
        declined(said, 2, "the file of forum/reminder says what is live")
