"""Publishing once, whatever the network says, and whatever happens to us."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text

from outreach.delivery import Attempt, Delivery, ReceiptRow
from outreach.doubt import GONE
from outreach.errors import NotAllowed, NotFound, NotNow
from outreach.platforms.memory import Memory
from outreach.publish import Publisher
from tests.conftest import CHANNELS_TOML, Office, apply, clear_all, state
from tests.drafts import put_cleared as put
from tests.drafts import soon as draft

KEY = "c/news/en@net"
DUE = "2025-07-20T01:04Z"


@pytest.fixture
def desk(office: Office):
    """A desk that has been ticking: what falls due now fell due in time."""
    desk = office.open()
    desk.publisher.pauses = ()
    desk.tick()
    return desk


def row(desk, key: str = KEY) -> Delivery:
    with desk.store.reading() as session:
        return session.get_one(Delivery, key)


def receipts(desk, key: str = KEY) -> list[str]:
    with desk.store.reading() as session:
        return list(
            session.scalars(
                select(ReceiptRow.url).where(ReceiptRow.key == key).order_by(ReceiptRow.part)
            )
        )


def attempts(desk, key: str = KEY) -> list[str]:
    with desk.store.reading() as session:
        return list(
            session.scalars(select(Attempt.outcome).where(Attempt.key == key).order_by(Attempt.id))
        )


def trail(desk, key: str = KEY) -> list[str]:
    return [what for _, _, what, _ in desk.trail(key)]


class TestWhatTheNetworkSays:
    @pytest.fixture
    def desk(self, desk, office):
        put(desk, draft())
        office.clock.to(DUE)
        return desk

    def test_yes_makes_it_published_with_a_receipt(self, desk):
        desk.tick()
        [live] = desk.platforms["net"].live
        assert (state(desk, KEY), receipts(desk)) == ("published", [live.receipt.url])
        assert attempts(desk) == ["live"]

    def test_nothing_is_sent_a_second_before_its_time(self, desk, office):
        office.clock.forward(seconds=-1)
        desk.tick()
        assert desk.platforms["net"].live == []

    def test_refused_is_failed_is_told_and_is_not_tried_again(self, desk, office):
        desk.platforms["net"].next_fault = "refused"
        desk.tick()
        assert (state(desk, KEY), row(desk).reason) == ("failed", "no")
        assert "failed" in trail(desk)
        office.clock.forward(minutes=5)
        desk.tick()
        assert (attempts(desk), desk.platforms["net"].live) == (["refused"], [])

    def test_a_failed_post_is_tried_again_because_a_person_says_so(self, desk):
        desk.platforms["net"].next_fault = "refused"
        desk.tick()
        desk.settle(KEY, "retry", by=desk.person("ana"))
        desk.tick()
        assert (state(desk, KEY), attempts(desk)) == ("published", ["refused", "live"])

    def test_not_now_waits_as_long_as_the_network_asks_and_then_goes(self, desk, office):
        desk.platforms["net"].next_fault = "not now"
        desk.tick()
        assert (state(desk, KEY), row(desk).reason) == ("cleared", "busy")
        assert row(desk).retry_at == office.clock() + timedelta(minutes=1)
        office.clock.forward(seconds=59)
        desk.tick()
        assert desk.platforms["net"].live == []
        office.clock.forward(seconds=1)
        desk.tick()
        assert state(desk, KEY) == "published"

    @pytest.mark.parametrize("fault", ["lost after", "bug after"])
    def test_a_lost_answer_is_looked_for_and_found_and_there_is_one_copy(self, desk, office, fault):
        desk.platforms["net"].next_fault = fault
        desk.tick()
        assert state(desk, KEY) == "uncertain"
        office.leases.seconds += 11
        desk.tick()
        [live] = desk.platforms["net"].live
        assert (state(desk, KEY), receipts(desk)) == ("published", [live.receipt.url])
        assert [what for what in trail(desk) if what in ("found live", "published")] == [
            "found live",
            "published",
        ]

    def test_a_lost_call_is_sent_again_only_after_the_network_s_waiting_time(self, desk, office):
        desk.platforms["net"].next_fault = "lost before"
        desk.tick()
        office.leases.seconds += 15 * 60 - 1
        desk.publisher.doubt.look(at_once=True)
        assert state(desk, KEY) == "uncertain"
        office.leases.seconds += 1
        desk.publisher.doubt.look(at_once=True)
        assert "not live" in trail(desk)
        desk.tick()
        assert (state(desk, KEY), len(desk.platforms["net"].live)) == ("published", 1)


class TestANetworkThatShowsNoHistory:
    @pytest.fixture
    def desk(self, desk, office):
        desk.platforms["net"].blind = True
        desk.platforms["net"].next_fault = "lost after"
        put(desk, draft())
        office.clock.to(DUE)
        desk.tick()
        office.leases.seconds += 3600
        desk.tick()
        return desk

    def test_it_stays_uncertain_and_says_why_however_long_it_takes(self, desk, office):
        office.leases.seconds += 24 * 3600
        desk.tick()
        assert state(desk, KEY) == "uncertain"
        assert row(desk).reason == "this network shows no history"
        assert len(desk.platforms["net"].live) == 1

    def test_a_person_who_found_it_gives_its_address(self, desk):
        url = "https://net.example.org/posts/77"
        assert desk.settle(KEY, "live", by=desk.person("ana"), url=url).state == "published"
        assert receipts(desk) == [url]
        desk.tick()
        assert len(desk.platforms["net"].live) == 1

    def test_what_is_no_address_is_not_taken(self, desk):
        with pytest.raises(NotAllowed, match="'yes' is not the address of a post"):
            desk.settle(KEY, "live", by=desk.person("ana"), url="yes")
        assert state(desk, KEY) == "uncertain"

    def test_a_person_who_looked_and_found_nothing_has_it_sent(self, desk):
        desk.platforms["net"].live.clear()
        desk.settle(KEY, "absent", by=desk.person("ana"))
        desk.tick()
        assert (state(desk, KEY), len(desk.platforms["net"].live)) == ("published", 1)

    def test_a_guest_decides_nothing(self, desk):
        with pytest.raises(NotAllowed):
            desk.settle(KEY, "absent", by=desk.person("cy"))


class TestByHand:
    key = "c/news/en@hand"
    url = "https://hand.example.org/posts/5"

    @pytest.fixture
    def desk(self, office):
        office.write("config/channels.toml", '[hand]\nplatform = "manual"\nname = "Our page"\n')
        desk = office.open()
        desk.tick()
        put(
            desk, draft("news", "Come to the forum.", channel="hand", not_after="2025-07-20T02:00Z")
        )
        office.clock.to(DUE)
        desk.tick()
        assert state(desk, self.key) == "handed"
        return desk

    def test_its_address_completes_it(self, desk):
        line = desk.settle(self.key, "live", by=desk.person("ana"), url=self.url)
        assert (line.state, line.url) == ("published", self.url)
        assert receipts(desk, self.key) == [self.url]

    def test_a_person_who_did_not_post_it_has_it_handed_over_again_while_there_is_time(self, desk):
        desk.settle(self.key, "absent", by=desk.person("ana"))
        assert state(desk, self.key) == "cleared"
        desk.tick()
        assert state(desk, self.key) == "handed"
        assert receipts(desk, self.key) == []

    def test_nobody_s_word_until_its_time_is_over_makes_it_missed(self, desk, office):
        office.clock.to("2025-07-20T02:00Z")
        desk.tick()
        assert state(desk, self.key) == "missed"
        assert row(desk, self.key).reason == "nobody said that it was posted in time"

    def test_one_address_is_one_post(self, desk, office):
        desk.settle(self.key, "live", by=desk.person("ana"), url=self.url)
        put(
            desk,
            draft("news", "Come to the forum.", channel="hand", not_after="2025-07-20T02:00Z"),
            draft("more", channel="hand", at="2025-07-20T01:08Z"),
        )
        office.clock.to("2025-07-20T01:08Z")
        desk.tick()
        with pytest.raises(NotAllowed, match="is the address of c/news/en@hand"):
            desk.settle("c/more/en@hand", "live", by=desk.person("ana"), url=self.url)


class TestThreads:
    texts = ("One.", "Two.", "Three.")

    @pytest.fixture
    def desk(self, desk, office):
        put(desk, draft("news", *self.texts))
        office.clock.to(DUE)
        return desk

    def test_its_parts_follow_one_another(self, desk):
        desk.tick()
        live = desk.platforms["net"].live
        assert [post.part.text for post in live] == list(self.texts)
        assert [post.after for post in live] == ["", live[0].receipt.id, live[1].receipt.id]

    @pytest.mark.parametrize("fault", ["not now", "lost before", "lost after"])
    def test_it_goes_on_after_its_last_known_part(self, desk, office, fault):
        network = desk.platforms["net"]
        publish = network.publish

        def second_fails(part, after):
            if part.text == "Two." and second:
                network.next_fault = second.pop()
            return publish(part, after)

        second = [fault]
        network.publish = second_fails
        desk.tick()
        assert len(receipts(desk)) == 1
        for _ in range(5):  # also long after a whole post would be too late
            office.clock.forward(minutes=10)
            office.leases.seconds += 600
            desk.tick()
        assert network.texts == list(self.texts)
        assert state(desk, KEY) == "published"


class TestOurOwnFailures:
    @pytest.fixture
    def desk(self, desk, office):
        put(desk, draft())
        office.clock.to(DUE)
        return desk

    def test_a_receipt_that_cannot_be_written_down_leads_to_no_second_call(self, desk, office):
        embedded = desk.store.embedded
        with desk.store.writing() as session:
            session.execute(
                text(
                    "CREATE TRIGGER broken BEFORE INSERT ON receipt "
                    "BEGIN SELECT RAISE(ABORT, 'broken'); END"
                    if embedded
                    else "ALTER TABLE receipt ADD CONSTRAINT broken CHECK (part < 0) NOT VALID"
                )
            )
        desk.tick()
        desk.tick()
        assert (state(desk, KEY), len(desk.platforms["net"].live)) == ("sending", 1)
        with desk.store.writing() as session:
            session.execute(
                text(
                    "DROP TRIGGER broken"
                    if embedded
                    else "ALTER TABLE receipt DROP CONSTRAINT broken"
                )
            )
        office.leases.seconds += 3600
        desk.tick()  # its claim has run out
        office.leases.seconds += 11
        desk.tick()  # and it is found
        assert (state(desk, KEY), len(desk.platforms["net"].live)) == ("published", 1)
        assert attempts(desk) == [""]  # one call, whose answer was never written down

    def test_a_writer_whose_claim_was_taken_over_changes_nothing(self, desk):
        network = desk.platforms["net"]
        publish = network.publish

        def taken_over_meanwhile(part, after):
            receipt = publish(part, after)
            with desk.store.writing() as session:
                session.execute(text("UPDATE delivery SET owner = 'somebody else'"))
            return receipt

        network.publish = taken_over_meanwhile
        desk.tick()
        assert (state(desk, KEY), row(desk).owner) == ("sending", "somebody else")
        assert receipts(desk) == []

    def test_a_process_that_wakes_after_its_claim_sends_nothing(self, desk, office):
        network = desk.platforms["net"]
        publish = network.publish

        def sleep(part, after):
            office.leases.seconds += 3600
            return publish(part, after)

        network.publish = sleep
        desk.tick()
        assert network.live == []
        assert attempts(desk) == ["not now"]

    def test_after_a_gap_it_is_looked_for_before_it_is_sent(self, desk, office):
        """A restored copy of the database: what it takes for unsent was sent."""
        office.clock.to("2025-07-20T00:59Z")
        desk.tick()
        office.clock.to(DUE)
        desk.platforms["net"].publish(row(desk).post.parts[0], None)
        office.clock.forward(minutes=1)
        desk.tick()
        assert state(desk, KEY) == "uncertain"
        office.leases.seconds += 11
        desk.tick()
        assert (state(desk, KEY), len(desk.platforms["net"].live)) == ("published", 1)

    def test_after_a_gap_what_is_not_there_is_sent(self, desk, office):
        office.clock.to("2025-07-20T00:59Z")
        desk.tick()
        office.clock.to("2025-07-20T01:05Z")
        desk.tick()
        office.leases.seconds += 15 * 60
        desk.tick()
        assert (state(desk, KEY), len(desk.platforms["net"].live)) == ("published", 1)


class TestChannelsThatAreNotReady:
    @pytest.mark.parametrize(
        ("channels", "desk_says", "why"),
        [
            (
                '[x]\nplatform = "x"\nhandle = "neaspec"\n',
                "",
                "its secrets are missing: OUTREACH_X_",
            ),
            (
                '[x]\nplatform = "manual"\nname = "tbc"\n',
                "",
                "its name is still to be confirmed in config/channels.toml",
            ),
            (
                '[x]\nplatform = "manual"\n',
                '[web]\npublic-url = "http://127.0.0.1:8025"\n',
                "the public-url http://127.0.0.1:8025 leads to this machine only",
            ),
        ],
        ids=["without its secrets", "to be confirmed", "with addresses nobody can open"],
    )
    def test_it_never_publishes_and_its_posts_are_missed_with_the_reason(
        self, office, channels, desk_says, why
    ):
        office.write("config/channels.toml", channels)
        office.write("config/outreach.toml", desk_says)
        desk = office.open()
        desk.tick()
        put(desk, draft(channel="x"))
        office.clock.to(DUE)
        desk.tick()
        assert state(desk, "c/news/en@x") == "cleared"
        office.clock.forward(minutes=15)
        desk.tick()
        assert state(desk, "c/news/en@x") == "missed"
        assert row(desk, "c/news/en@x").reason.startswith(why)
        assert attempts(desk, "c/news/en@x") == []
        assert desk.status().unready["x"].startswith(why)


class TestTogether:
    def test_it_waits_for_its_other_language(self, desk, office):
        put(
            desk,
            draft("news", "Hello.", release="together"),
            draft("news", "Bonjour.", release="together", language="fr"),
            clear=False,
        )
        english, french = sorted(desk.readings(), key=lambda reading: reading.language)
        desk.clear(english.name, english.fingerprint, by=desk.person("bo"))
        office.clock.to(DUE)
        desk.tick()
        assert desk.platforms["net"].live == []
        desk.clear(french.name, french.fingerprint, by=desk.person("bo"))
        desk.tick()
        assert sorted(desk.platforms["net"].texts) == ["Bonjour.", "Hello."]


class TestHolds:
    @pytest.mark.parametrize("scope", ["all", "campaign:c", "channel:net", "message:c/news"])
    def test_what_is_on_hold_waits_and_goes_when_it_is_released(self, desk, office, scope):
        put(desk, draft())
        desk.hold(scope, "wait for the note", by=desk.person("ana"))
        office.clock.to(DUE)
        desk.tick()
        assert desk.platforms["net"].live == []
        assert desk.release(scope, by=desk.person("bo")) == []
        desk.tick()
        assert state(desk, KEY) == "published"

    @pytest.mark.parametrize("scope", ["channel:web", "message:c/more"])
    def test_a_hold_stops_nothing_else(self, desk, office, scope):
        put(desk, draft(), draft("more", at="2025-08-20T01:00Z"))
        desk.hold(scope, "wait", by=desk.person("ana"))
        office.clock.to(DUE)
        desk.tick()
        assert state(desk, KEY) == "published"

    def test_a_release_lists_what_became_late(self, desk, office):
        put(desk, draft(), draft("more", at="2025-07-20T03:00Z"))
        desk.hold("all", "wait for the note", by=desk.person("ana"))
        office.clock.to("2025-07-20T02:00Z")
        [late] = desk.release("all", by=desk.person("ana"))
        assert (late.key, late.state) == (KEY, "missed")
        assert late.reason == "it was on hold (all) by ana: wait for the note, when its time passed"
        desk.tick()
        assert desk.platforms["net"].live == []

    @pytest.mark.parametrize("scope", ["channel:nowhere", "campaign:none", "everything"])
    def test_there_is_no_hold_on_nothing(self, desk, scope):
        with pytest.raises(NotFound, match=f"nothing to hold called '{scope}'"):
            desk.hold(scope, "wait", by=desk.person("ana"))

    def test_a_hold_needs_a_reason(self, desk):
        with pytest.raises(NotAllowed, match="a reason is needed"):
            desk.hold("all", " ", by=desk.person("ana"))


class TestSeveralAtOnce:
    def test_two_publishers_on_one_database_send_each_post_once(self, desk, office):
        put(desk, *(draft(f"m{n:02}") for n in range(20)))
        office.clock.to(DUE)
        other = Publisher(
            store=office.open().store,
            platforms=desk.platforms,
            now=office.clock,
            leases=office.leases,
        )
        begin = threading.Barrier(2)

        def send(publisher):
            begin.wait()
            return list(publisher.send("net"))

        with ThreadPoolExecutor(2) as pool:
            outcomes = [o for sent in pool.map(send, [desk.publisher, other]) for o in sent]
        assert sorted(desk.platforms["net"].texts) == [f"This is m{n:02}." for n in range(20)]
        assert {outcome.state for outcome in outcomes} == {"published"}

    def test_a_slow_channel_delays_no_other(self, office):
        office.write("config/channels.toml", CHANNELS_TOML + '[slow]\nplatform = "memory"\n')
        desk = office.open()
        desk.tick()
        put(desk, draft(channel="net"), draft(channel="slow"))
        office.clock.to(DUE)
        asked, answer = threading.Event(), threading.Event()
        slow = desk.platforms["slow"]

        def stuck(part, after):
            asked.set()
            answer.wait(10)
            return Memory.publish(slow, part, after)

        slow.publish = stuck
        began = time.monotonic()
        desk.tick(wait=False)
        while state(desk, KEY) != "published" and time.monotonic() - began < 5:
            time.sleep(0.01)
        took = time.monotonic() - began
        assert asked.wait(5)
        assert state(desk, "c/news/en@slow") == "sending"
        assert took < 1
        answer.set()
        desk.dispatch.wait()
        assert state(desk, "c/news/en@slow") == "published"


class TestAnswersThatComeTogether:
    """They are written down in one transaction, and what follows is claimed in it."""

    CHANNELS = 12

    @pytest.fixture
    def desk(self, office):
        names = [f"c{n}" for n in range(self.CHANNELS)]
        office.write(
            "config/channels.toml",
            CHANNELS_TOML + "".join(f'[{name}]\nplatform = "memory"\n' for name in names),
        )
        desk = office.open()
        desk.publisher.pauses = ()
        desk.tick()
        put(desk, *(draft(one, channel=name) for one in ("first", "then") for name in names))
        answers = threading.Barrier(self.CHANNELS)

        def at_once(network):
            publish = network.publish

            def answering(part, after):
                if "first" in part.text:
                    answers.wait(10)
                return publish(part, after)

            network.publish = answering

        for name in names:
            at_once(desk.platforms[name])
        office.clock.to(DUE)
        return desk

    def test_all_go_out_once_in_few_transactions(self, desk):
        commits = []
        event.listen(desk.store.engine, "commit", commits.append)
        desk.dispatch.ring(desk.publisher.channels())
        desk.dispatch.wait()
        assert {state(desk, f"c/{m}/en@c{n}") for m in ("first", "then") for n in range(12)} == {
            "published"
        }
        assert [len(desk.platforms[f"c{n}"].live) for n in range(12)] == [2] * 12
        assert len(commits) < 2 * self.CHANNELS

    def test_a_post_that_cannot_be_made_keeps_back_neither_the_others_nor_the_one_before(
        self, desk
    ):
        with desk.store.writing() as session:
            broken = session.get_one(Delivery, "c/then/en@c5")
            broken.content = {"not": "a post"}
        desk.dispatch.ring(desk.publisher.channels())
        with pytest.raises((KeyError, TypeError)):
            desk.dispatch.wait()
        others = {f"c/{m}/en@c{n}" for m in ("first", "then") for n in range(12)} - {broken.key}
        assert {state(desk, key) for key in others} == {"published"}
        assert state(desk, broken.key) == "cleared"


class TestOrphans:
    """A process was killed in mid-call: whoever is on duty now need not wait for its lease."""

    @pytest.fixture
    def claimed(self, desk, office):
        """A post that somebody claimed a moment ago, for minutes to come."""
        put(desk, draft())
        office.clock.to(DUE)
        network = desk.platforms["net"]
        network.limits = replace(network.limits, visible=timedelta(seconds=5))
        network.publish = _dies
        with desk.store.duty.begin(), pytest.raises(Killed):
            desk.tick()
        assert state(desk, KEY) == "sending"
        del network.publish
        again = office.open()
        again.platforms["net"] = network
        return again

    def test_it_is_looked_for_as_soon_as_its_process_is_known_to_be_dead(self, claimed, office):
        desk = claimed
        with desk.store.duty.begin():
            desk.tick()
            office.leases.seconds += GONE  # on PostgreSQL, a moment to say that one lives
            desk.tick()
            assert state(desk, KEY) == "uncertain"
            desk.platforms["net"].publish(row(desk).post.parts[0], None)  # it had gone out
            office.leases.seconds += 5
            desk.tick()
        assert (state(desk, KEY), len(desk.platforms["net"].live)) == ("published", 1)

    def test_whoever_is_not_on_duty_waits_for_the_lease(self, claimed, office):
        desk = claimed
        office.leases.seconds += GONE
        desk.tick()
        desk.tick()
        assert state(desk, KEY) == "sending"

    def test_of_several_that_one_may_only_sleep(self, claimed, office):
        """Its connection was cut, and it may still call: nobody else does before its lease ends."""
        desk = claimed
        if desk.store.embedded:
            pytest.skip("beside an SQLite file whose lock we have nobody else lives")
        over = row(desk).lease_until
        with desk.store.duty.begin():
            desk.tick()
            office.leases.seconds += GONE
            desk.tick()
            assert state(desk, KEY) == "uncertain"
            while office.leases.seconds < over - 1:
                office.leases.seconds += 1
                desk.tick()
                assert desk.platforms["net"].live == []
            office.leases.seconds += 3600
            desk.tick()
        assert (state(desk, KEY), len(desk.platforms["net"].live)) == ("published", 1)


class Killed(BaseException):
    """The process ends here."""


def _dies(_part, _after):
    raise Killed


def test_not_now_at_the_second_try_still_waits(desk, office):
    """The fence and the network use the same word; neither is a failure."""
    put(desk, draft())
    office.clock.to(DUE)
    network = desk.platforms["net"]
    network.publish = lambda _part, _after: _busy()
    desk.tick()
    office.clock.forward(minutes=3)
    desk.tick()
    assert attempts(desk) == ["not now", "not now"]
    office.clock.forward(minutes=15)
    desk.tick()
    assert (state(desk, KEY), network.live) == ("missed", [])


def _busy():
    raise NotNow("busy", timedelta(minutes=2))


def test_a_clearance_that_was_voided_by_an_edit_is_not_sent(office):
    office.campaign(
        "campaign: c\nprogramme: p\ntitle: T\nwritten-by: ana\naudiences: {main: {en: [net]}}\n"
        'defaults: {to: main}\nmessages:\n  news: {at: "2025-07-20 08:04 Asia/Bangkok"}\n',
        news="## en\nHello.\n",
    )
    desk = office.open()
    apply(desk)
    clear_all(desk)
    office.campaign((office.home / "campaigns/c.yaml").read_text(), news="## en\nHello!\n")
    apply(desk)
    office.clock.to(DUE)
    desk.tick()
    assert (state(desk, KEY), desk.platforms["net"].live) == ("proposed", [])
