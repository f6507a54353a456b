"""What a person decides: each answer where it fits, and nowhere else."""

from datetime import timedelta

import pytest

from outreach.delivery import Delivery, State
from outreach.errors import NotAllowed, NotFound
from tests.conftest import CHANNELS_TOML, Office, state
from tests.drafts import AT, KEY, draft, put, row, run_to, trail

HOURS = timedelta(hours=2)
HAND = "c/news/en@hand"
URL = "https://net.example.org/posts/812"


@pytest.fixture
def desk(office: Office):
    office.write("config/channels.toml", CHANNELS_TOML + '\n[hand]\nplatform = "manual"\n')
    desk = office.open()
    desk.tick()
    return desk


def stands(desk, over: str, key: str = KEY, **more) -> None:
    """A post that was cleared and then came to stand there."""
    put(desk, draft(key, **more), clear=True)
    with desk.store.writing() as session:
        session.get_one(Delivery, key).move(State(over), "as it happened")


FITS = {
    "live": {"uncertain", "handed", "missed", "failed"},
    "absent": {"uncertain", "handed"},
    "retry": {"failed"},
    "send-now": {"missed"},
    "skip": {"missed", "failed", "handed"},
}


@pytest.mark.parametrize("answer", FITS)
def test_an_answer_is_taken_where_it_fits_and_nowhere_else(desk, ana, answer):
    states = [one for one in State if one is not State.SENDING]
    put(desk, *(draft(f"c/{over}/en@net") for over in states), clear=True)
    with desk.store.writing() as session:
        for over in states:
            session.get_one(Delivery, f"c/{over}/en@net").move(over, "as it happened")
    for number, over in enumerate(states):
        key = f"c/{over}/en@net"
        if over in FITS[answer]:
            desk.settle(key, answer, by=ana, url=f"https://net.example.org/posts/{number}")
            assert f"settled: {answer}" in trail(desk, key)
            continue
        before = trail(desk, key)
        with pytest.raises(NotAllowed, match=f"{key} is {over}") as refused:
            desk.settle(key, answer, by=ana, url=URL)
        assert refused.value.hint.startswith("this is possible while it is ")
        assert (state(desk, key), trail(desk, key)) == (over, before)


def test_a_post_that_never_was_is_not_found(desk, ana):
    with pytest.raises(NotFound, match="there is no post 'c/nothing/en@net'"):
        desk.settle("c/nothing/en@net", "skip", by=ana)


@pytest.mark.parametrize("url", ["", "812", "net.example.org/812", "https://a b", "javascript:1"])
def test_what_is_no_address_is_not_taken(desk, ana, url):
    stands(desk, "uncertain")
    with pytest.raises(NotAllowed, match="is not the address of a post"):
        desk.settle(KEY, "live", by=ana, url=url)
    assert state(desk, KEY) == "uncertain"


def test_one_address_is_one_post_however_it_is_written(desk, ana):
    put(desk, draft(), draft("c/two/en@net"), clear=True)
    with desk.store.writing() as session:
        for one in session.query(Delivery):
            one.move(State.UNCERTAIN)
    desk.settle(KEY, "live", by=ana, url=URL)
    for url in (URL, f"{URL}?s=20", "https://net.example.org/i/812/"):
        with pytest.raises(NotAllowed, match=f"is the address of {KEY}"):
            desk.settle("c/two/en@net", "live", by=ana, url=url)


@pytest.mark.parametrize("answer", ["retry", "send-now"])
def test_sending_again_needs_a_clearance_that_still_holds(desk, ana, office, answer):
    over = {"retry": "failed", "send-now": "missed"}[answer]
    stands(desk, over, late=timedelta(days=3))
    office.clock.at = AT + timedelta(days=1)  # it was cleared for the day before
    with pytest.raises(NotAllowed, match="was cleared up to 2025-07-21 00:00 UTC"):
        desk.settle(KEY, answer, by=ana)
    put(desk, draft(KEY, "Other words.", late=timedelta(days=3)))
    with desk.store.writing() as session:
        session.get_one(Delivery, KEY).move(State(over))
    with pytest.raises(NotAllowed, match="has no clearance") as refused:
        desk.settle(KEY, answer, by=ana)
    assert refused.value.hint == "move it in its campaign file and have it cleared"


def test_nothing_is_sent_after_its_not_after_though_a_person_says_so(desk, ana, office):
    stands(desk, "missed", not_after=AT + timedelta(hours=2))
    office.clock.at = AT + timedelta(hours=2)
    with pytest.raises(NotAllowed, match="may not be sent after 2025-07-20 04:00 UTC"):
        desk.settle(KEY, "send-now", by=ana)


def test_skipping_ends_the_clearance_for_good(desk, ana):
    stands(desk, "missed")
    desk.settle(KEY, "skip", by=ana)
    assert (state(desk, KEY), row(desk).clearance) == ("skipped", None)


class TestByHand:
    def test_an_address_that_is_refused_is_not_written_down_as_given(self, desk, ana, office):
        put(desk, draft(HAND, account="manual hand"), clear=True)
        run_to(office, desk, AT)
        assert state(desk, HAND) == "handed"
        with pytest.raises(NotAllowed, match="is not the address of a post"):
            desk.settle(HAND, "live", by=ana, url="posted it")
        assert "settled: live" not in trail(desk, HAND)
        desk.settle(HAND, "live", by=ana, url=URL)
        assert state(desk, HAND) == "published"
        assert trail(desk, HAND).count("settled: live") == 1

    def test_after_a_gap_it_is_missed_at_its_not_after_like_any_other(self, desk, office):
        put(
            desk,
            draft(HAND, account="manual hand", late=timedelta(hours=9), not_after=AT + HOURS),
            clear=True,
        )
        office.clock.at = AT + timedelta(minutes=10)  # nothing ticked when it fell due
        desk.tick()
        office.leases.seconds += 60
        desk.tick()
        assert (state(desk, HAND), row(desk, HAND).lateness_settled) == ("handed", True)
        run_to(office, desk, AT + HOURS)
        assert state(desk, HAND) == "missed"
        assert row(desk, HAND).reason == "nobody said that it was posted in time"

    def test_the_address_of_another_post_is_refused_and_nothing_is_written_down(
        self, desk, ana, office
    ):
        other = "c/two/en@hand"
        put(
            desk,
            draft(HAND, account="manual hand"),
            draft(other, account="manual hand"),
            clear=True,
        )
        run_to(office, desk, AT)
        desk.settle(HAND, "live", by=ana, url=URL)
        with pytest.raises(NotAllowed, match=f"{URL} is the address of {HAND}") as refused:
            desk.settle(other, "live", by=ana, url=URL)
        assert refused.value.hint == "paste this post's own address"
        assert state(desk, other) == "handed"
        assert "settled: live" not in trail(desk, other)
