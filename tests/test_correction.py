"""Correcting: another text, read by a second person, in place of a live one."""

import pytest

from outreach.delivery import Delivery
from outreach.errors import Changed, NotAllowed, NotFound
from outreach.platforms.memory import Memory
from tests.conftest import CHANNELS_TOML, Office, apply, clear_all, state
from tests.drafts import row, trail

KEY = "c/news/en@net"
HAND = "c/news/en@hand"
NAME = "c/news~correction/en"
WHY = "it is another room"
CAMPAIGN = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
audiences:
  main: {en: [net, hand]}
defaults: {to: main}
messages:
  news: {at: "2025-07-20 01:04 UTC"}
"""


@pytest.fixture
def desk(office: Office):
    """The message is out on both channels, and its file has another room now."""
    office.write("config/channels.toml", CHANNELS_TOML + '\n[hand]\nplatform = "manual"\n')
    office.campaign(CAMPAIGN, news="## en\nWe meet in room 1.\n")
    desk = office.open()
    desk.tick()
    apply(desk)
    clear_all(desk)
    office.clock.to("2025-07-20T01:04Z")
    desk.tick()
    desk.settle(HAND, "live", by=desk.person("ana"), url="https://wechat.example.org/1")
    office.clock.forward(minutes=10)
    desk.tick()
    office.campaign(CAMPAIGN, news="## en\nWe meet in room 2.\n")
    return desk


def proposed(desk, name: str = "c/news"):
    [told] = desk.incidents.correct(name, WHY, by=desk.person("ana"))
    [reading] = desk.readings()
    assert reading.name == told == NAME
    return reading


def cleared(desk) -> None:
    reading = proposed(desk)
    desk.clear(NAME, reading.fingerprint, by=desk.person("bo"))


class TestWhatIsProposed:
    def test_each_channel_is_edited_or_says_what_to_do_instead(self, desk):
        hand, net = desk.incidents.would_correct("c/news")
        assert (net.key, net.instead) == (KEY, "")
        assert (net.was, net.becomes) == (("We meet in room 1.",), ("We meet in room 2.",))
        assert (hand.key, hand.instead) == (HAND, "it was posted by hand: a person edits it there")

    def test_it_is_read_like_any_other_text(self, desk):
        [rendering] = proposed(desk).renderings
        assert rendering.post.parts[0].text == "We meet in room 2."

    def test_nothing_changes_before_a_second_person_has_said_yes(self, desk):
        proposed(desk)
        desk.tick()
        assert desk.platforms["net"].texts == ["We meet in room 1."]

    def test_its_author_does_not_clear_it(self, desk):
        reading = proposed(desk)
        with pytest.raises(NotAllowed):
            desk.clear(NAME, reading.fingerprint, by=desk.person("ana"))
        with pytest.raises(Changed):
            desk.clear(NAME, "12345678", by=desk.person("bo"))

    def test_where_the_file_says_what_is_live_there_is_nothing_to_correct(self, desk, office):
        office.campaign(CAMPAIGN, news="## en\nWe meet in room 1.\n")
        with pytest.raises(NotAllowed, match="says what is live"):
            desk.incidents.would_correct("c/news")

    def test_a_reason_is_needed_and_a_message_that_exists(self, desk):
        with pytest.raises(NotAllowed, match="a reason is needed"):
            desk.incidents.correct("c/news", "", by=desk.person("ana"))
        with pytest.raises(NotFound):
            desk.incidents.correct("c/nothing", WHY, by=desk.person("ana"))
        with pytest.raises(NotAllowed, match="none of these can be edited"):
            desk.incidents.correct(HAND, WHY, by=desk.person("ana"))

    def test_another_number_of_parts_is_another_post(self, desk, office):
        office.campaign(CAMPAIGN, news="## en\nWe meet.\n\n---\n\nIn room 2.\n")
        found = {one.key: one.instead for one in desk.incidents.would_correct("c/news")}
        assert "another number of parts" in found[KEY]

    def test_sent_back_it_is_dropped_and_may_be_proposed_anew(self, desk, office):
        proposed(desk)
        assert desk.return_(NAME, "it is room 3", by=desk.person("bo")) == [KEY]
        assert desk.readings() == []
        office.campaign(CAMPAIGN, news="## en\nWe meet in room 3.\n")
        assert proposed(desk).renderings[0].post.parts[0].text == "We meet in room 3."

    def test_a_newer_one_takes_the_place_of_the_one_before(self, desk, office):
        proposed(desk)
        office.campaign(CAMPAIGN, news="## en\nWe meet in room 3.\n")
        assert len(proposed(desk).renderings) == 1


class TestWhatIsEdited:
    def test_it_is_edited_where_it_stands_and_the_plan_has_nothing_more_to_say(self, desk):
        [before] = desk.platforms["net"].live
        cleared(desk)
        desk.tick()
        [after] = desk.platforms["net"].live
        assert (after.part.text, after.receipt) == ("We meet in room 2.", before.receipt)
        assert trail(desk)[-3:] == ["correction proposed", "correction cleared", "corrected"]
        assert KEY not in [one.key for one in desk.plan().notices]
        report = desk.reports.make("2025-07", by=desk.person("ana"))
        assert [
            WHY in line and "Corrected: news on net" in line for line in report.words("incidents")
        ]

    @pytest.mark.parametrize("fault", ["not now", "lost before", "lost after", "bug after"])
    def test_whatever_is_not_answered_is_done_again(self, desk, office, fault):
        cleared(desk)
        desk.platforms["net"].next_trouble = fault
        desk.tick()
        assert "corrected" not in trail(desk)
        office.clock.forward(minutes=2)
        desk.tick()
        assert trail(desk)[-1] == "corrected"
        assert desk.platforms["net"].texts == ["We meet in room 2."]

    @pytest.mark.parametrize("fault", ["killed before", "killed after"])
    def test_a_death_in_the_middle_is_done_again(self, desk, office, fault):
        cleared(desk)
        desk.platforms["net"].next_trouble = fault
        with pytest.raises(SystemExit):
            desk.incidents.corrections.work("net")
        desk.tick()
        assert "corrected" not in trail(desk)  # whoever had it may be at it still
        office.leases.seconds += Memory.limits.deadline
        desk.tick()
        assert desk.platforms["net"].texts == ["We meet in room 2."]
        assert trail(desk).count("corrected") == 1

    def test_a_refusal_is_told_and_the_old_text_stays_what_is_live(self, desk):
        cleared(desk)
        desk.platforms["net"].next_trouble = "refused"
        desk.tick()
        desk.tick()
        assert trail(desk)[-1] == "not corrected"
        assert row(desk).post.parts[0].text == "We meet in room 1."

    def test_what_is_taken_down_meanwhile_is_not_corrected(self, desk):
        cleared(desk)
        desk.incidents.take_down(KEY, "it is all wrong", by=desk.person("ana"))
        desk.tick()
        assert desk.platforms["net"].live == []
        assert (state(desk, KEY), "corrected" in trail(desk)) == ("taken-down", False)

    def test_a_hold_stops_it_and_its_end_lets_it_go(self, desk, office, ana):
        cleared(desk)
        desk.hold("channel:net", "the account is looked at", by=ana)
        desk.tick()
        assert desk.platforms["net"].texts == ["We meet in room 1."]
        desk.release("channel:net", by=ana)
        office.clock.forward(seconds=11)
        desk.tick()
        assert desk.platforms["net"].texts == ["We meet in room 2."]


def test_only_the_part_that_changes_is_edited(office):
    office.campaign(
        CAMPAIGN.replace("[net, hand]", "[net]"), news="## en\nOne.\n\n---\n\nRoom 1.\n"
    )
    desk = office.open()
    desk.tick()
    apply(desk)
    clear_all(desk)
    office.clock.to("2025-07-20T01:04Z")
    desk.tick()
    network, edited = desk.platforms["net"], []
    original = network.correct

    def correct(receipt, part):
        edited.append(part.text)
        original(receipt, part)

    network.correct = correct
    office.campaign(
        CAMPAIGN.replace("[net, hand]", "[net]"), news="## en\nOne.\n\n---\n\nRoom 2.\n"
    )
    cleared(desk)
    desk.tick()
    assert (edited, network.texts) == (["Room 2."], ["One.", "Room 2."])
    with desk.store.reading() as session:
        assert session.get_one(Delivery, KEY).post.parts[1].text == "Room 2."
