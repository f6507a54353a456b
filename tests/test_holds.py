"""Holds beyond the switch itself: what they cover, what they say, what a release lists."""

from datetime import timedelta

import pytest

from outreach.delivery import Delivery
from outreach.errors import NotAllowed, NotFound
from outreach.store.tables import Meta
from tests.conftest import state
from tests.drafts import AT, KEY, draft, put, row, run_to


@pytest.mark.parametrize(
    "scope", ["all:", "all:net", "channel:", "campaign:", "message:c", "", "c"]
)
def test_a_hold_that_would_hold_nothing_is_refused(desk, ana, scope):
    put(desk, draft())
    with pytest.raises(NotFound, match="there is nothing to hold called"):
        desk.hold(scope, "wait", by=ana)
    assert desk.status().holds == ()


def test_a_guest_neither_holds_nor_releases(desk, ana):
    put(desk, draft())
    with pytest.raises(NotAllowed, match="Cy Example may not do this: it needs the role"):
        desk.hold("all", "wait", by=desk.person("cy"))
    desk.hold("all", "wait", by=ana)
    with pytest.raises(NotAllowed, match="Cy Example may not do this: it needs the role"):
        desk.release("all", by=desk.person("cy"))
    assert desk.status().holds == ("all by ana: wait",)


def test_one_scope_is_held_once_and_released_once(desk, ana):
    desk.hold("channel:net", "wait", by=ana)
    with pytest.raises(NotAllowed, match="channel:net is on hold already"):
        desk.hold("channel:net", "wait more", by=ana)
    desk.release("channel:net", by=ana)
    with pytest.raises(NotFound, match="channel:net is not on hold"):
        desk.release("channel:net", by=ana)


def test_both_stand_in_the_trail(desk, ana):
    desk.hold("all", "the venue is closed", by=ana)
    desk.release("all", by=desk.person("bo"))
    told = [(who, what.strip(), why) for _, who, what, why in desk.trail()]
    assert told[-2:] == [("ana", "hold all", "the venue is closed"), ("bo", "released all", "")]


def test_of_two_holds_releasing_one_sends_nothing(desk, ana, office):
    put(desk, draft(), clear=True)
    desk.hold("all", "wait", by=ana)
    desk.hold("channel:net", "the account is being looked at", by=ana)
    run_to(office, desk, AT)
    desk.release("all", by=ana)
    desk.tick()
    assert desk.platforms["net"].live == []
    assert desk.status().next[0].reason.startswith("on hold (channel:net) by ana")
    desk.release("channel:net", by=ana)
    desk.tick()
    assert state(desk, KEY) == "published"


def test_a_release_lists_what_became_late_though_nothing_ticked_meanwhile(desk, ana, office):
    put(desk, draft(), clear=True)
    desk.hold("all", "wait", by=ana)
    office.clock.at = AT + timedelta(hours=1)
    [late] = desk.release("all", by=ana)
    assert (late.key, late.reason) == (
        KEY,
        "it was on hold (all) by ana: wait, when its time passed",
    )


def test_it_lists_a_post_whose_slot_was_before_the_hold_too(desk, ana, office):
    put(desk, draft(), clear=True)
    with desk.store.writing() as session:  # the network had said: not now
        session.get_one(Delivery, KEY).retry_at = AT + timedelta(minutes=9)
    run_to(office, desk, AT)
    office.clock.forward(minutes=2)
    desk.hold("all", "wait", by=ana)
    run_to(office, desk, AT + timedelta(minutes=20))
    assert [line.key for line in desk.release("all", by=ana)] == [KEY]


def test_it_does_not_list_what_an_earlier_or_another_hold_made_late(desk, ana, office):
    put(
        desk,
        draft(),
        draft("c/two/en@net", at=AT + timedelta(days=1)),
        draft("d/one/en@net"),
        clear=True,
    )
    desk.hold("campaign:d", "another reason", by=ana)
    desk.hold("campaign:c", "wait", by=ana)
    run_to(office, desk, AT + timedelta(hours=1))
    assert [line.key for line in desk.release("campaign:c", by=ana)] == [KEY]
    desk.hold("campaign:c", "wait again", by=ana)
    run_to(office, desk, AT + timedelta(days=1, hours=1))
    assert [line.key for line in desk.release("campaign:c", by=ana)] == ["c/two/en@net"]


def test_what_waits_for_all_its_languages_waits_for_one_on_hold_as_well(desk, ana, office):
    put(
        desk,
        draft(KEY, release="together"),
        draft("c/news/ko@web", "한국어.", release="together", account="feed web"),
        clear=True,
    )
    desk.hold("channel:web", "the page is being moved", by=ana)
    run_to(office, desk, AT)
    assert (state(desk, KEY), state(desk, "c/news/ko@web")) == ("cleared", "cleared")
    desk.release("channel:web", by=ana)
    desk.tick()
    assert (state(desk, KEY), state(desk, "c/news/ko@web")) == ("published", "published")


def test_what_is_held_back_is_asked_for_while_no_transaction_is_open(desk, office):
    """To answer may mean to compose every post: meanwhile others have to be able to write."""
    put(desk, draft(), clear=True)
    answers = []

    def differing():
        with desk.store.writing() as session:  # waits for ever where a transaction is open
            session.merge(Meta(name="compared", value="yes"))
        answers.append({KEY: "its file has changed and was not applied yet"})
        return answers[-1]

    desk.publisher.differs = differing
    run_to(office, desk, AT)
    assert answers
    assert (state(desk, KEY), desk.platforms["net"].live) == ("cleared", [])
    run_to(office, desk, AT + timedelta(minutes=15))
    assert (state(desk, KEY), row(desk).reason) == ("missed", answers[0][KEY])


def test_a_hold_outlasts_the_grace_time_of_a_post_that_is_sent_late_on_purpose(desk, ana, office):
    put(desk, draft(not_after=AT + timedelta(hours=2)), clear=True)
    run_to(office, desk, AT - timedelta(minutes=1))
    desk.hold("all", "wait", by=ana)
    run_to(office, desk, AT + timedelta(minutes=30))
    desk.release("all", by=ana)
    desk.settle(KEY, "send-now", by=ana)
    assert row(desk).lateness_settled
    desk.hold("all", "wait once more", by=ana)
    run_to(office, desk, AT + timedelta(hours=1))
    assert state(desk, KEY) == "cleared"  # somebody said: late is all right
    run_to(office, desk, AT + timedelta(hours=2))
    assert state(desk, KEY) == "missed"  # and never after its not-after
    assert desk.platforms["net"].live == []
