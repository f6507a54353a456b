"""Pace: never more than the limit, in any window, whoever calls; and never needlessly slow."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from outreach import pace
from outreach.cli import show
from outreach.cli.rows import Zones
from outreach.dispatch import Embedded
from outreach.errors import NotNow
from outreach.leases import lease_clock
from outreach.pace import AccountRow, Call, Full, Pace, Rule, Turn
from outreach.platforms import Costs
from outreach.platforms.memory import Memory
from outreach.post import Part
from outreach.store import Store
from tests.conftest import CHANNELS_TOML, state
from tests.drafts import put, put_cleared, row
from tests.drafts import soon as due

KEY = "c/news/en@net"
DUE = "2025-07-20T01:04Z"
PART = Part("Hello.")


def most(arrivals: list[float], per: float) -> int:
    """The most arrivals that any window of this length holds."""
    times, start, found = sorted(arrivals), 0, 0
    for end, at in enumerate(times):
        while at - times[start] >= per:
            start += 1
        found = max(found, end - start + 1)
    return found


def leases_of(desk, leases):
    """Put this clock in the place of the test's own, wherever the publisher has it."""
    for one in (desk.publisher, desk.publisher.claims, desk.publisher.doubt):
        one.leases = leases


def paced(desk, *rules: Rule, **more) -> None:
    """Give the channel net these limits, and its thread no patience."""
    desk.publisher.claims.paces = desk.__dict__["paces"] = {"net": Pace("net", rules, **more)}
    desk.publisher.patience = 0


def forward(office, seconds: float) -> None:
    """Both clocks go on."""
    office.clock.forward(seconds=seconds)
    office.leases.seconds += seconds


def sent(desk) -> list[str]:
    return [text.removeprefix("This is ").removesuffix(".") for text in desk.platforms["net"].texts]


@pytest.fixture
def desk(office):
    """A desk that has been ticking, whose posts fall due soon."""
    desk = office.open()
    desk.tick()
    return desk


# --- the count itself ---------------------------------------------------------------------


@pytest.fixture
def store(database, tmp_path):
    made = Store(database or f"sqlite:///{tmp_path}/data/outreach.db")
    made.prepare()
    yield made
    made.close()


class Told:
    """A lease clock that stands still until told."""

    life, seconds = "one life", 1000.0

    def __call__(self, session=None):
        return self.life, self.seconds


@st.composite
def worlds(draw):
    """Rules, and calls by several workers: when each is claimed, arrives, and is over.

    Of some nothing is heard again. Instants are quarters of a second, so that they often meet.
    """
    quarters = st.integers(0, 24).map(lambda n: n / 4)
    windows = st.integers(1, 24).map(lambda n: n / 4)
    rules = draw(st.lists(st.tuples(st.integers(1, 4), windows), min_size=1, max_size=3))
    calls = draw(
        st.lists(
            st.tuples(quarters, quarters, quarters, st.booleans(), st.integers(1, 3)),
            min_size=1,
            max_size=25,
        )
    )
    return rules, calls


NOW = datetime(2025, 7, 20, 1, tzinfo=UTC)
LEASE = 20.0


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(world=worlds())
def test_no_window_ever_holds_more_than_the_rule_whenever_calls_arrive(store, world):
    """Claims come in the order of the list, each a moment after the one before; arrivals and ends
    fall where they like, and so among the claims that follow."""
    given_rules, calls = world
    with store.writing() as session:
        session.query(Call).delete()
        session.query(AccountRow).delete()
    keeps = Pace(
        "a",
        tuple(Rule("a", calls, per, messages=True) for calls, per in given_rules),
        messages=lambda part: int(part.text),
    )
    clock = Told()
    clock.seconds = 1000.0
    arrivals: list[tuple[float, int]] = []
    ends: list[tuple[float, int]] = []  # (over, attempt) of calls that are under way
    for attempt, (pause, travel, answer, lost, messages) in enumerate(calls):
        clock.seconds += pause
        for over, one in [end for end in ends if end[0] <= clock.seconds]:
            with store.writing(shared=True) as session:
                pace.over(session, keeps, one, seconds=over, now=NOW, free=False)
            ends.remove((over, one))
        part = Part(str(messages))
        with store.writing(shared=True) as session:
            turn = Turn(session, keeps, clock, NOW)
            if turn.full(part):
                continue
            turn.begin(attempt, part, clock.seconds + LEASE)
        arrived = clock.seconds + travel
        arrivals.append((arrived, messages))
        if not lost:
            ends.append((arrived + answer, attempt))
    for limit, per in given_rules:
        # A call that is more than the rule ever allows has its window alone.
        took = [(at, min(messages, limit)) for at, messages in arrivals]
        assert most([at for at, messages in took for _ in range(messages)], per) <= limit
    # And once all is surely over, the next one goes.
    clock.seconds += 2 * LEASE + 100
    with store.writing(shared=True) as session:
        assert Turn(session, keeps, clock, NOW).full(Part("1")) is None


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 30).map(lambda n: n / 10), min_size=1, max_size=20))
def test_whoever_waits_as_long_as_told_need_not_wait_again(store, pauses):
    with store.writing() as session:
        session.query(Call).delete()
        session.query(AccountRow).delete()
    keeps = Pace("a", (Rule("a", 1, 1.0), Rule("a", 3, 7.0)))
    clock = Told()
    clock.seconds, taken = 1000.0, []
    for attempt, pause in enumerate(pauses):
        clock.seconds += pause
        with store.writing(shared=True) as session:
            if full := Turn(session, keeps, clock, NOW).full():
                clock.seconds += full.seconds
        with store.writing(shared=True) as session:
            turn = Turn(session, keeps, clock, NOW)
            assert turn.full() is None
            turn.begin(attempt, PART, clock.seconds + LEASE)
        with store.writing(shared=True) as session:
            pace.over(session, keeps, attempt, seconds=clock.seconds, now=NOW, free=False)
        taken.append(clock.seconds)
    assert most(taken, 1.0) <= 1
    assert most(taken, 7.0) <= 3


def test_workers_with_connections_of_their_own_keep_to_one_limit(store):
    """Six workers call as often as they may, on real clocks, with answers that take their time."""
    rules = Rule("a", 5, 0.4), Rule("b", 8, 1.2)
    keeps, wanted = Pace("a", rules), 60
    arrivals: list[float] = []
    numbers, lock = iter(range(10_000)), threading.Lock()

    def work(number: int) -> None:
        mine = Store(store.url.render_as_string(hide_password=False))
        chance = random.Random(number)  # noqa: S311 - it guards nothing
        clock = lease_clock(mine)
        while len(arrivals) < wanted:
            with mine.writing(shared=True) as session:
                turn = Turn(session, keeps, clock, datetime.now(UTC))
                full = turn.full()
                if not full:
                    with lock:
                        attempt = next(numbers)
                    turn.begin(attempt, PART, turn.seconds + LEASE)
            if full:
                time.sleep(full.seconds)
                continue
            time.sleep(chance.random() * 0.15)  # on its way
            arrivals.append(time.monotonic())
            time.sleep(chance.random() * 0.03)
            with mine.writing(shared=True) as session:
                over = clock(session)[1]
                pace.over(session, keeps, attempt, seconds=over, now=datetime.now(UTC), free=False)
        mine.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert most(arrivals, 0.4) <= 5
    assert most(arrivals, 1.2) <= 8


class TestTheCount:
    keeps = Pace("a", (Rule("a", 1, 60.0),))

    @pytest.fixture
    def clock(self):
        return Told()

    def claim(self, store, clock, attempt: int, *, now=NOW, keeps=None) -> Full | None:
        keeps = keeps or self.keeps
        with store.writing(shared=True) as session:
            turn = Turn(session, keeps, clock, now)
            if full := turn.full():
                return full
            turn.begin(attempt, PART, clock.seconds + LEASE)
        return None

    def end(self, store, clock, attempt: int, *, now=NOW) -> None:
        with store.writing(shared=True) as session:
            pace.over(session, self.keeps, attempt, seconds=clock.seconds, now=now, free=False)

    def test_a_call_counts_until_the_window_after_its_answer(self, store, clock):
        assert self.claim(store, clock, 1) is None
        clock.seconds += 10
        self.end(store, clock, 1)
        clock.seconds += 59
        assert self.claim(store, clock, 2).seconds == pytest.approx(1, abs=0.01)
        clock.seconds += 1
        assert self.claim(store, clock, 2) is None

    def test_of_a_call_that_nothing_is_heard_of_it_counts_until_its_lease_has_ended(
        self, store, clock
    ):
        self.claim(store, clock, 1)
        clock.seconds += LEASE + 59
        assert self.claim(store, clock, 2)
        clock.seconds += 1
        assert self.claim(store, clock, 2) is None

    def test_where_one_is_under_way_it_is_asked_again_as_soon_as_there_may_be_room(
        self, store, clock
    ):
        """It may end at any moment, and not only with its lease."""
        self.claim(store, clock, 1)
        clock.seconds += 1
        assert self.claim(store, clock, 2).seconds == pytest.approx(60, abs=0.01)

    def test_one_that_was_never_made_does_not_count(self, store, clock):
        self.claim(store, clock, 1)
        with store.writing(shared=True) as session:
            pace.never_made(session, self.keeps, 1)
        assert self.claim(store, clock, 2) is None

    @pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
    def test_a_jump_of_the_wall_clock_changes_nothing(self, store, clock, jump):
        self.claim(store, clock, 1)
        self.end(store, clock, 1)
        clock.seconds += 30
        assert self.claim(store, clock, 2, now=NOW + jump)
        clock.seconds += 30
        assert self.claim(store, clock, 2, now=NOW + jump) is None

    def test_after_the_machine_was_started_anew_the_wall_clock_tells_how_long_ago_it_was(
        self, store, clock
    ):
        self.claim(store, clock, 1)
        self.end(store, clock, 1)
        clock.life, clock.seconds = "another life", 12.0
        assert self.claim(store, clock, 2, now=NOW + timedelta(seconds=40))
        clock.seconds += 19
        assert self.claim(store, clock, 2, now=NOW + timedelta(seconds=59))
        clock.seconds += 1
        assert self.claim(store, clock, 2, now=NOW + timedelta(seconds=60)) is None

    def test_what_a_wrong_wall_clock_puts_into_the_future_was_just_now(self, store, clock):
        self.claim(store, clock, 1)
        self.end(store, clock, 1, now=NOW + timedelta(days=3000))
        clock.life, clock.seconds = "another life", 12.0
        assert self.claim(store, clock, 2).seconds == pytest.approx(60, abs=0.01)
        clock.seconds += 60
        assert self.claim(store, clock, 2) is None

    def test_what_the_network_said_outlives_a_restart_of_the_machine(self, store, clock):
        with store.writing(shared=True) as session:
            Turn(session, self.keeps, clock, NOW).told(timedelta(minutes=10), "X asks to wait")
        clock.life, clock.seconds = "another life", 12.0
        later = NOW + timedelta(minutes=4)
        full = self.claim(store, clock, 1, now=later)
        assert (full.why, round(full.seconds)) == ("X asks to wait", 360)

    def test_an_absurd_wait_is_taken_for_a_day_and_a_shorter_word_takes_nothing_back(
        self, store, clock
    ):
        for wait in (timedelta(days=4000), timedelta(seconds=1)):
            with store.writing(shared=True) as session:
                Turn(session, self.keeps, clock, NOW).told(wait, "wait")
        assert round(self.claim(store, clock, 1).seconds) == 86_400

    def test_a_limit_that_was_raised_lets_more_out_at_once(self, store, clock):
        self.claim(store, clock, 1)
        assert self.claim(store, clock, 2)
        raised = Pace("a", (Rule("a", 2, 60.0),))
        assert self.claim(store, clock, 2, keeps=raised) is None

    def test_old_calls_are_forgotten(self, store, clock):
        self.claim(store, clock, 1)
        self.end(store, clock, 1)
        clock.seconds += pace.KEEP.total_seconds() + 1
        self.claim(store, clock, pace.NOW_AND_THEN)
        with store.reading() as session:
            assert session.scalars(select(Call.attempt)).all() == [pace.NOW_AND_THEN]

    @pytest.mark.parametrize(
        ("calls", "per", "words"),
        [
            (1, 1, "the network's limit (1 in a second)"),
            (20, 60, "the network's limit (20 in a minute)"),
            (100, 900, "the network's limit (100 in 15 minutes)"),
            (10_000, 86_400, "the network's limit (10,000 in a day)"),
            (3, 3600, "the network's limit (3 in an hour)"),
            (3, 2678400, "the network's limit (3 in 31 days)"),
            (3, 0.5, "the network's limit (3 in 0.5 seconds)"),
        ],
    )
    def test_a_limit_is_told_in_words(self, calls, per, words):
        assert str(Rule("a", calls, per)) == words


# --- publishing ---------------------------------------------------------------------------


class TestPosts:
    def test_no_more_goes_out_than_the_limit_and_the_rest_waits_cleared(self, desk, office):
        paced(desk, Rule("net", 2, 60.0))
        put_cleared(desk, *(due(f"m{n}") for n in range(5)))
        office.clock.to(DUE)
        desk.tick()
        assert sent(desk) == ["m0", "m1"]
        assert {state(desk, f"c/m{n}/en@net") for n in (2, 3, 4)} == {"cleared"}
        forward(office, 59)
        desk.tick()
        assert len(sent(desk)) == 2
        forward(office, 1)
        desk.tick()
        assert sent(desk) == ["m0", "m1", "m2", "m3"]

    def test_the_most_urgent_goes_first_when_not_all_can_go(self, desk, office):
        paced(desk, Rule("net", 1, 60.0))
        minutes = {"early": (1, 60), "late": (2, 3), "last": (2, 30), "stop": (2, 60)}
        put_cleared(
            desk,
            *(
                due(
                    name,
                    at=f"2025-07-20T01:0{after}Z",
                    late=timedelta(minutes=within),
                    not_after="2025-07-20T01:10Z" if name == "stop" else None,
                )
                for name, (after, within) in minutes.items()
            ),
        )
        office.clock.to("2025-07-20T01:02Z")
        for _ in range(4):
            desk.tick()
            forward(office, 60)
        # "late" is too late at 01:05, "stop" at 01:10, "last" at 01:32, "early" at 02:01
        assert sent(desk) == ["late", "stop", "last", "early"]

    def test_a_burst_is_spread_over_its_window_and_all_of_it_goes_out_in_time(self, desk, office):
        paced(desk, Rule("net", 1, 60.0))
        put_cleared(desk, *(due(f"m{n:02}", late=timedelta(minutes=15)) for n in range(15)))
        office.clock.to(DUE)
        for _ in range(15):
            desk.tick()
            forward(office, 60)
        assert len(sent(desk)) == 15

    def test_what_found_no_room_in_its_window_is_missed_and_the_reason_is_the_limit(
        self, desk, office
    ):
        paced(desk, Rule("net", 1, 600.0))
        put_cleared(desk, *(due(f"m{n}", late=timedelta(minutes=15)) for n in range(4)))
        office.clock.to(DUE)
        for _ in range(30):
            desk.tick()
            forward(office, 60)
        assert sent(desk) == ["m0", "m1"]
        for name in ("m2", "m3"):
            one = row(desk, f"c/{name}/en@net")
            assert (one.state, one.reason) == (
                "missed",
                "it had to wait too long: the network's limit (1 in 10 minutes)",
            )

    def test_the_status_says_who_waits_for_what_and_until_when(self, desk, office):
        paced(desk, Rule("net", 1, 600.0))
        put_cleared(desk, *(due(f"m{n}") for n in range(3)))
        office.clock.to(DUE)
        desk.tick()
        wait = desk.status().waits["net"]
        assert (wait.posts, wait.why) == (2, "the network's limit (1 in 10 minutes)")
        assert wait.until == office.clock() + timedelta(minutes=10)
        shown = show.status(desk.status(), desk.real(), Zones.of(desk))
        text = "\n".join("".join(s if isinstance(s, str) else s[0] for s in r.spans) for r in shown)
        assert "Waiting\nnet: 2 posts; the network's limit (1 in 10 minutes), until " in text
        forward(office, 601)
        assert desk.status().waits == {}

    def test_where_nothing_more_is_due_nobody_waits(self, desk, office):
        paced(desk, Rule("net", 1, 4.0))
        desk.publisher.patience = 60
        put_cleared(desk, due("a"), due("b", at="2025-07-20T01:09Z"))
        office.clock.to(DUE)
        began = time.monotonic()
        desk.tick()
        assert time.monotonic() - began < 10  # and not for as long as its patience
        assert sent(desk) == ["a"]
        assert desk.status().waits == {}
        office.clock.to("2025-07-20T01:09Z")
        office.leases.seconds += 4
        desk.tick()
        assert sent(desk) == ["a", "b"]

    def test_a_channel_that_waits_is_not_rung_every_second(self, desk, office):
        paced(desk, Rule("net", 1, 30.0))
        put_cleared(desk, due("a"), due("b"))
        office.clock.to(DUE)
        assert desk.publisher.channels() == ["net"]
        desk.tick()
        assert desk.publisher.channels() == []
        forward(office, 30)
        assert desk.publisher.channels() == ["net"]

    def test_a_long_count_is_made_anew_within_a_minute_since_limits_may_be_raised(
        self, desk, office
    ):
        paced(desk, Rule("net", 1, 86_400.0))
        put_cleared(desk, due("a"), due("b"))
        office.clock.to(DUE)
        desk.tick()
        forward(office, pace.GUESS)
        paced(desk, Rule("net", 5, 86_400.0))
        desk.tick()
        assert sent(desk) == ["a", "b"]

    def test_a_short_wait_is_waited_out_by_the_channel_s_own_thread(self, desk, office):
        """On real clocks: the tick comes once, and everything goes out at its pace."""
        leases_of(desk, lease_clock(desk.store))
        paced(desk, Rule("net", 1, 0.3))
        desk.publisher.patience = 5
        arrivals, publish = [], desk.platforms["net"].publish

        def timed(part, after):
            arrivals.append(time.monotonic())
            return publish(part, after)

        desk.platforms["net"].publish = timed
        put_cleared(desk, *(due(f"m{n}") for n in range(5)))
        office.clock.to(DUE)
        desk.tick()
        assert len(arrivals) == 5
        assert most(arrivals, 0.3) == 1

    def test_whoever_ends_the_desk_does_not_wait_for_what_waits(self, desk, office):
        leases_of(desk, lease_clock(desk.store))
        paced(desk, Rule("net", 1, 3.0))
        desk.publisher.patience = 60
        put_cleared(desk, *(due(f"m{n}") for n in range(10)))
        office.clock.to(DUE)
        desk.tick(wait=False)
        while not sent(desk):
            time.sleep(0.01)
        began = time.monotonic()
        desk.close()
        assert time.monotonic() - began < 2
        assert (len(sent(desk)), state(desk, "c/m1/en@net")) == (1, "cleared")

    def test_what_was_claimed_ahead_and_given_back_does_not_count(self, desk, office):
        paced(desk, Rule("net", 2, 600.0))
        put_cleared(desk, due("a"), due("b"))
        office.clock.to(DUE)
        sending = desk.publisher.send("net")
        next(sending)  # "a" is live, and "b" is claimed with its record
        sending.close()
        with desk.store.reading() as session:
            assert len(session.scalars(select(Call)).all()) == 1
        desk.tick()
        assert sent(desk) == ["a", "b"]

    def test_a_channel_without_limits_has_no_row_and_no_call(self, desk, office):
        put_cleared(desk, due("a"), due("b"))
        office.clock.to(DUE)
        desk.tick()
        assert sent(desk) == ["a", "b"]
        with desk.store.reading() as session:
            assert session.scalars(select(AccountRow)).all() == []
            assert session.scalars(select(Call)).all() == []


class TestThreads:
    texts = ("One.", "Two.", "Three.")

    def test_each_of_its_parts_is_a_call_and_its_rest_is_given_back(self, desk, office):
        paced(desk, Rule("net", 2, 60.0))
        put_cleared(desk, due("news", *self.texts))
        office.clock.to(DUE)
        desk.tick()
        assert desk.platforms["net"].texts == ["One.", "Two."]
        one = row(desk)
        assert (one.state, one.owner) == ("cleared", "")
        assert one.reason == "the rest of its thread waits: the network's limit (2 in a minute)"
        forward(office, 60)
        desk.tick()
        live = desk.platforms["net"].live
        assert [post.part.text for post in live] == list(self.texts)
        assert live[2].after == live[1].receipt.id
        assert state(desk, KEY) == "published"

    def test_a_thread_that_has_begun_goes_before_what_is_more_urgent(self, desk, office):
        paced(desk, Rule("net", 2, 60.0))
        put_cleared(
            desk,
            due("news", *self.texts, late=timedelta(hours=2)),
            due("more", at="2025-07-20T01:05Z", late=timedelta(minutes=3)),
        )
        office.clock.to(DUE)
        desk.tick()
        forward(office, 60)
        desk.tick()
        assert desk.platforms["net"].texts == [*self.texts, "This is more."]

    def test_its_rest_is_never_missed_for_waiting_long(self, desk, office):
        paced(desk, Rule("net", 1, 1800.0))
        put_cleared(desk, due("news", *self.texts, late=timedelta(minutes=15)))
        office.clock.to(DUE)
        for _ in range(70):
            desk.tick()
            forward(office, 60)
        assert (state(desk, KEY), desk.platforms["net"].texts) == ("published", list(self.texts))


class TestWhatTheNetworkSays:
    @pytest.fixture
    def desk(self, office):
        office.write("config/channels.toml", CHANNELS_TOML + '[other]\nplatform = "memory"\n')
        desk = office.open()
        desk.publisher.patience = 0
        desk.tick()
        return desk

    def asks_to_wait(self, desk, wait: timedelta) -> list[str]:
        """The network asks to wait, once; returns a list that grows with each call."""
        network, calls = desk.platforms["net"], []

        def publish(part, after):
            calls.append(part.text)
            if len(calls) == 1:
                raise NotNow("it asks to wait", wait, everything=True)
            return Memory.publish(network, part, after)

        network.publish = publish
        return calls

    @pytest.mark.parametrize("limited", [True, False])
    def test_it_holds_for_every_post_of_the_account_and_for_no_other_account(
        self, desk, office, limited
    ):
        if limited:
            paced(desk, Rule("net", 100, 60.0))
        calls = self.asks_to_wait(desk, timedelta(minutes=2))
        put_cleared(
            desk,
            *(due(f"m{n}") for n in range(3)),
            *(due(f"m{n}", channel="other") for n in (0, 1)),
        )
        office.clock.to(DUE)
        desk.tick()
        assert (len(calls), len(desk.platforms["other"].live)) == (1, 2)
        forward(office, 119)
        desk.tick()
        assert len(calls) == 1
        forward(office, 1)
        desk.tick()
        assert len(sent(desk)) == 3

    def test_it_holds_for_other_workers_too(self, desk, office):
        calls = self.asks_to_wait(desk, timedelta(minutes=2))
        put_cleared(desk, *(due(f"m{n}") for n in range(3)))
        office.clock.to(DUE)
        desk.tick()
        other = office.open()
        other.platforms["net"].publish = desk.platforms["net"].publish
        other.tick()
        assert len(calls) == 1
        assert other.publisher.channels() == []

    def test_a_yes_may_say_that_it_was_the_last_for_now(self, desk, office):
        network = desk.platforms["net"]

        def last(part, after):
            return replace(Memory.publish(network, part, after), pause=timedelta(minutes=5))

        network.publish = last
        paced(desk, Rule("net", 100, 60.0))
        put_cleared(desk, due("a"), due("b"))
        office.clock.to(DUE)
        desk.tick()
        assert sent(desk) == ["a"]
        assert desk.publisher.channels() == []
        forward(office, 300)
        desk.tick()
        assert sent(desk) == ["a", "b"]

    def test_a_wait_of_one_post_alone_holds_up_no_other(self, desk, office):
        paced(desk, Rule("net", 100, 60.0))
        desk.platforms["net"].next_fault = "not now"
        put_cleared(desk, due("a"), due("b"))
        office.clock.to(DUE)
        desk.tick()
        assert sent(desk) == ["b"]

    def test_what_became_late_meanwhile_is_missed_and_says_what_the_network_said(
        self, desk, office
    ):
        self.asks_to_wait(desk, timedelta(hours=2))
        put_cleared(desk, due("a"), due("b"))
        office.clock.to(DUE)
        for _ in range(20):
            desk.tick()
            forward(office, 60)
        assert [(one.state, one.reason) for one in (row(desk, f"c/{n}/en@net") for n in "ab")] == [
            ("missed", "it had to wait too long: it asks to wait")
        ] * 2


class TestSharing:
    def test_two_channels_of_one_credential_share_its_limit(self, office):
        office.write("config/channels.toml", CHANNELS_TOML + '[other]\nplatform = "memory"\n')
        desk = office.open()
        desk.tick()
        shared = Rule("bot", 3, 60.0)
        desk.publisher.claims.paces = {name: Pace(name, (shared,)) for name in ("net", "other")}
        desk.publisher.patience = 0
        put_cleared(
            desk, *(due(f"m{n}", channel=name) for n in range(3) for name in ("net", "other"))
        )
        office.clock.to(DUE)
        desk.tick()
        live = [len(desk.platforms[name].live) for name in ("net", "other")]
        assert sum(live) == 3
        forward(office, 60)
        desk.tick()
        assert sum(len(desk.platforms[name].live) for name in ("net", "other")) == 6

    def test_bots_tokens_and_chats_of_channels_toml_make_the_accounts(self, office):
        office.write(
            "config/channels.toml",
            '[a]\nplatform = "telegram"\nchat = "@One"\nsecrets = "BOT"\n'
            '[b]\nplatform = "telegram"\nchat = "@two"\nsecrets = "BOT"\n'
            '[c]\nplatform = "telegram"\nchat = "@one"\nsecrets = "OTHER"\nposts-per-day = 9\n',
        )
        office.write(".env", "OUTREACH_BOT_TOKEN=1:secret-one\nOUTREACH_OTHER_TOKEN=2:secret-two\n")
        paces = office.open().paces
        bots = {name: paces[name].rules[0] for name in "abc"}
        assert all((rule.calls, rule.per) == (30, 1.0) for rule in bots.values())
        assert bots["a"].account == bots["b"].account != bots["c"].account
        assert "secret" not in repr(paces)
        assert (paces["a"].account, paces["b"].account) == ("telegram @one", "telegram @two")
        assert paces["c"].account == paces["a"].account  # the same chat, whichever bot posts there
        told = [(rule.account, rule.calls, rule.per) for rule in paces["c"].rules[1:]]
        assert told == [
            ("telegram @one", 1, 1.0),
            ("telegram @one", 20, 60.0),
            ("telegram @one", 9, 86_400.0),
        ]

    def test_an_album_is_as_many_messages_as_it_has_pictures(self, office):
        from outreach.testing import picture

        office.write("config/channels.toml", '[a]\nplatform = "telegram"\nchat = "@one"\n')
        keeps = office.open().paces["a"]
        album = Part("x", pictures=tuple(picture(n) for n in range(10)))
        assert [keeps.messages(part) for part in (PART, album)] == [1, 10]


class TestMoney:
    costs = Costs(Decimal("0.015"), Decimal("0.20"), Decimal("0.005"))

    def money(self, desk, amount: str) -> None:
        paced(desk, money=Decimal(amount), costs=self.costs)

    def test_nothing_is_sent_that_would_cost_more_than_the_month_has_and_a_person_is_asked(
        self, desk, office
    ):
        self.money(desk, "0.43")
        put_cleared(
            desk, *(due(f"m{n}", f"See https://example.org/{n}") for n in range(3)), due("plain")
        )
        office.clock.to(DUE)
        desk.tick()
        assert desk.platforms["net"].texts == [
            "See https://example.org/0",
            "See https://example.org/1",
            "This is plain.",
        ]
        one = row(desk, "c/m2/en@net")
        assert (one.state, one.reason) == (
            "missed",
            "the month's money would not do: 0.40 of 0.43 US dollars are spent, and this post "
            "costs 0.20 (money-per-month in config/channels.toml)",
        )

    def test_a_thread_is_paid_for_as_a_whole_or_not_begun(self, desk, office):
        self.money(desk, "0.40")
        text = "https://example.org/"
        put_cleared(desk, due("three", text + "1", text + "2", text + "3"), due("two", text, "b"))
        office.clock.to(DUE)
        desk.tick()
        assert desk.platforms["net"].texts == [text, "b"]
        assert state(desk, "c/three/en@net") == "missed"

    def test_what_was_refused_costs_nothing_and_what_may_be_live_does(self, desk, office):
        self.money(desk, "0.030")
        desk.platforms["net"].next_fault = "refused"
        put_cleared(desk, due("a"), due("b"))
        office.clock.to(DUE)
        desk.tick()
        assert sent(desk) == ["b"]
        desk.platforms["net"].next_fault = "lost after"
        put(desk, due("a"), due("b"), due("c", at="2025-07-20T01:06Z"))
        put_cleared(
            desk,
            *(due(name) for name in "ab"),
            *(due(name, at="2025-07-20T01:06Z") for name in "cd"),
        )
        office.clock.to("2025-07-20T01:06Z")
        desk.tick()
        assert (state(desk, "c/c/en@net"), state(desk, "c/d/en@net")) == ("uncertain", "missed")

    def test_the_next_month_has_its_own_money_where_the_office_is(self, desk, office):
        office.clock.to("2025-07-31T16:50Z")
        desk.tick()
        paced(desk, money=Decimal("0.015"), costs=self.costs, zone="Asia/Bangkok")
        put_cleared(desk, due("a", at="2025-07-31T16:52Z"), due("b", at="2025-07-31T17:01Z"))
        for at in ("2025-07-31T16:52Z", "2025-07-31T16:56Z", "2025-07-31T17:01Z"):
            office.clock.to(at)  # 1 August begins at 17:00 UTC in Bangkok
            desk.tick()
        assert sent(desk) == ["a", "b"]

    def test_planning_more_than_the_month_has_is_advised_against(self, office):
        office.write(
            "config/channels.toml",
            '[net]\nplatform = "memory"\nmoney-per-month = 0.05\npost-costs = 0.02\n'
            "linked-post-costs = 0.04\n",
        )
        office.campaign(
            "campaign: c\nprogramme: p\ntitle: T\nwritten-by: ana\n"
            "audiences: {main: {en: [net]}}\ndefaults: {to: main}\nmessages:\n"
            '  one: {at: "2025-07-22 10:00 Asia/Bangkok"}\n'
            '  two: {at: "2025-07-23 10:00 Asia/Bangkok"}\n'
            '  three: {at: "2025-08-05 10:00 Asia/Bangkok"}\n',
            one="## en\nSee https://example.org\n",
            two="## en\nHello.\n",
            three="## en\nHello again.\n",
        )
        told = [one for one in office.open().files().problems if "money-per-month" in one.what]
        assert [(one.advice, one.what) for one in told] == [
            (
                True,
                "the posts of 2025-07 on net cost 0.06 US dollars, and its money-per-month is "
                "0.05: what comes last would not be sent",
            )
        ]


# --- one channel delays no other -----------------------------------------------------------


class TestOtherChannels:
    COUNT = 20

    @pytest.fixture
    def desk(self, office):
        names = [f"c{n:02}" for n in range(self.COUNT)]
        office.write(
            "config/channels.toml", "".join(f'[{name}]\nplatform = "memory"\n' for name in names)
        )
        desk = office.open()
        desk.publisher.patience = 0
        desk.tick()
        return desk

    def hang(self, desk, channel: str, method: str) -> threading.Event:
        """From now on this network answers nothing until the event is set."""
        network, release = desk.platforms[channel], threading.Event()
        original = getattr(network, method)

        def hung(*given):
            release.wait(30)
            return original(*given)

        setattr(network, method, hung)
        return release

    def until_the_others_are_out(self, desk, *, but: str) -> float:
        """How long the other channels take, ticking every tenth of a second."""
        others = [name for name in desk.platforms if name != but]
        began = time.monotonic()
        while not all(desk.platforms[name].live for name in others):
            assert time.monotonic() - began < 20, "the others are held up"
            desk.tick(wait=False)
            time.sleep(0.1)
        return time.monotonic() - began

    def test_one_that_hangs_while_sending_delays_none_of_the_nineteen(self, desk, office):
        put_cleared(desk, *(due("m", channel=name) for name in desk.platforms))
        release = self.hang(desk, "c07", "publish")
        office.clock.to(DUE)
        took = self.until_the_others_are_out(desk, but="c07")
        assert state(desk, "c/m/en@c07") == "sending"
        release.set()
        desk.dispatch.wait()
        assert state(desk, "c/m/en@c07") == "published"
        assert took < 10

    def test_one_that_hangs_while_it_is_looked_at_delays_none_of_the_nineteen(self, desk, office):
        desk.platforms["c07"].next_fault = "lost after"
        put_cleared(desk, due("m", channel="c07"))
        office.clock.to(DUE)
        desk.tick()
        assert state(desk, "c/m/en@c07") == "uncertain"
        others = [name for name in desk.platforms if name != "c07"]
        put_cleared(
            desk,
            due("m", channel="c07"),
            *(due("n", channel=name, at="2025-07-20T01:06Z") for name in others),
        )
        release = self.hang(desk, "c07", "find")
        office.leases.seconds += 11  # it is time to look
        office.clock.to("2025-07-20T01:06Z")
        self.until_the_others_are_out(desk, but="c07")
        assert state(desk, "c/m/en@c07") == "uncertain"
        release.set()
        desk.dispatch.wait()
        assert state(desk, "c/m/en@c07") == "published"

    def test_one_that_asks_to_wait_for_a_day_delays_none_of_the_nineteen(self, desk, office):
        def wait(_part, _after):
            raise NotNow("a day", timedelta(days=1), everything=True)

        desk.platforms["c07"].publish = wait
        put_cleared(desk, *(due("m", channel=name) for name in desk.platforms))
        office.clock.to(DUE)
        self.until_the_others_are_out(desk, but="c07")
        desk.dispatch.wait()
        assert state(desk, "c/m/en@c07") == "cleared"


def test_however_many_channels_hang_the_last_one_has_a_thread():
    release, sent = threading.Event(), threading.Event()
    names = [f"c{n}" for n in range(50)]

    def send(channel):
        if channel == "c49":
            sent.set()
        else:
            release.wait(30)

    dispatch = Embedded(send, len(names))
    dispatch.ring(names)
    try:
        assert sent.wait(5)
    finally:
        release.set()
        dispatch.close()
