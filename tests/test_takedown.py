"""Taking down: gone everywhere, whatever fails, and nothing of it forgotten."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from outreach.delivery import Delivery, State
from outreach.errors import NotAllowed, NotFound, NotNow, Refused
from outreach.measure import latest
from outreach.platforms.memory import Memory
from outreach.post import Picture
from outreach.store.tables import Evidence, Mail, Snapshot
from tests.conftest import CHANNELS_TOML, Office, state
from tests.drafts import AT, draft, live, put, row, run_to, trail

KEY = "c/news/en@net"
WHY = "the map is wrong"
CHANNELS = (
    CHANNELS_TOML
    + """
[other]
platform = "memory"

[hand]
platform = "manual"
name = "WeChat"
"""
)


@pytest.fixture
def desk(office: Office):
    office.write("config/channels.toml", CHANNELS)
    desk = office.open()
    desk.publisher.pauses = ()
    desk.tick()
    office.clock.at = AT + timedelta(minutes=17)
    return desk


def down(desk, name: str = "c/news", why: str = WHY, **more):
    """Ordered, and one turn of the clock."""
    number = desk.incidents.take_down(name, why, by=desk.person("ana"), **more).number
    desk.tick()
    return desk.incidents.standing(number)


def states(desk) -> dict[str, str]:
    with desk.store.reading() as session:
        return {row.key: str(row.state) for row in session.scalars(select(Delivery))}


def evidence(desk, key: str = KEY) -> list[dict]:
    with desk.store.reading() as session:
        return list(session.scalars(select(Evidence.data).where(Evidence.key == key)))


class TestAWrongPost:
    def test_it_is_gone_from_every_channel_and_each_tells_its_result(self, desk):
        live(desk, "c/news/en@net")
        live(desk, "c/news/en@other")
        live(desk, "c/another/en@net")
        stands = down(desk)
        assert {one.key: one.state for one in stands.results} == {
            "c/news/en@net": "down",
            "c/news/en@other": "down",
        }
        assert stands.done
        assert desk.platforms["net"].texts == ["This is another."]
        assert desk.platforms["other"].texts == []
        assert state(desk, KEY) == "taken-down"
        assert trail(desk)[-4:] == [
            "take-down ordered",
            "incident",
            "part taken down",
            "taken down",
        ]

    def test_a_person_posted_it_by_hand_and_is_told_where_to_delete_it(self, desk, ana):
        url = "https://wechat.example.org/1"
        live(desk, "c/news/en@hand", url=url)
        stands = down(desk)
        [one] = stands.results
        assert (one.state, one.urls, stands.done) == ("by hand", (url,), False)
        with desk.store.reading() as session:
            mails = session.scalars(select(Mail).where(Mail.to == "ana")).all()
        [mail] = [one for one in mails if "by hand" in one.subject]
        assert url in mail.body and "outreach settle c/news/en@hand --gone" in mail.body
        desk.settle("c/news/en@hand", "gone", by=ana)
        assert desk.incidents.standing(stands.number).done
        assert state(desk, "c/news/en@hand") == "taken-down"

    def test_what_nobody_was_asked_to_delete_is_not_gone(self, desk, ana):
        live(desk)
        with pytest.raises(NotAllowed, match="waits for nobody"):
            desk.settle(KEY, "gone", by=ana)

    def test_a_thread_goes_from_its_end_and_a_dead_middle_leaves_the_rest_to_the_next(self, desk):
        live(desk, "news", "One.", "Two.", "Three.")
        network, seen = desk.platforms["net"], []
        original = network.withdraw

        def withdraw(receipt):
            seen.append(next(p.part.text for p in network.live if p.receipt.id == receipt.id))
            original(receipt)

        network.withdraw = withdraw
        down(desk)
        assert (seen, network.texts) == (["Three.", "Two.", "One."], [])

    def test_a_refusal_says_why_and_ordering_it_again_asks_again(self, desk, ana):
        live(desk)
        desk.platforms["net"].next_trouble = "refused"
        stands = down(desk)
        [one] = stands.results
        assert (one.state, one.reason, len(one.urls)) == ("refused", "no", 1)
        assert (state(desk, KEY), stands.settled, stands.done) == ("published", True, False)
        desk.tick()
        assert len(desk.platforms["net"].live) == 1
        again = down(desk, KEY)
        assert (again.number, again.done) == (stands.number, True)

    def test_one_refused_part_keeps_no_other_up(self, desk):
        live(desk, "news", "One.", "Two.")
        desk.platforms["net"].next_trouble = "refused"
        down(desk)
        assert desk.platforms["net"].texts == ["Two."]

    @pytest.mark.parametrize("fault", ["not now", "lost before", "lost after", "bug after"])
    def test_whatever_is_not_answered_is_done_again(self, desk, office, fault):
        live(desk)
        desk.platforms["net"].next_trouble = fault
        stands = down(desk)
        assert stands.results[0].state == "open"
        office.clock.forward(minutes=2)
        desk.tick()
        assert desk.incidents.standing(stands.number).done
        assert desk.platforms["net"].live == []

    def test_a_hold_does_not_stop_it(self, desk, ana):
        live(desk)
        desk.hold("all", "the venue is closed", by=ana)
        assert down(desk).done

    def test_the_address_of_one_names_them_all(self, desk):
        live(desk, "c/news/en@net")
        live(desk, "c/news/en@other")
        url = desk.platforms["other"].live[0].receipt.url
        desk.platforms["net"].account = "memory net"
        assert "://" not in url
        with desk.store.writing() as session:
            address = "https://net.example.org/posts/812345678"
            session.execute(
                text("UPDATE receipt SET url = :a WHERE channel = 'net'"), {"a": address}
            )
        found = desk.incidents.would_take_down(f"{address}?utm_source=x")
        assert set(found.live) == {"c/news/en@net", "c/news/en@other"}

    def test_one_language_or_one_channel_can_be_named(self, desk):
        live(desk, "c/news/en@net")
        live(desk, "c/news/ko@net")
        assert set(desk.incidents.would_take_down("c/news/ko").live) == {"c/news/ko@net"}
        assert set(desk.incidents.would_take_down("c/news/en@net").live) == {"c/news/en@net"}


class TestWhoMayAndWhy:
    def test_one_person_is_enough_and_the_trail_says_who(self, desk):
        live(desk)
        down(desk)
        lines = [(who, what, why) for _, who, what, why in desk.trail(KEY)]
        assert ("ana", "take-down ordered", f"incident 1: {WHY}") in lines

    def test_a_guest_may_not(self, desk):
        live(desk)
        with pytest.raises(NotAllowed, match="it needs the role"):
            desk.incidents.take_down("c/news", WHY, by=desk.person("cy"))

    def test_a_reason_is_needed(self, desk):
        live(desk)
        with pytest.raises(NotAllowed, match="a reason is needed"):
            down(desk, why=" ")
        assert (states(desk), desk.status().holds) == ({KEY: "published"}, ())

    def test_what_is_not_live_cannot_be_taken_down(self, desk):
        put(desk, draft(at=AT + timedelta(days=1)))
        with pytest.raises(NotAllowed, match="nothing of c/news is live") as error:
            down(desk)
        assert "outreach hold message:c/news" in error.value.hint

    @pytest.mark.parametrize("name", ["c/nows", "c/news/en@nut", "https://x.com/a/1", "?"])
    def test_a_name_that_names_nothing_says_so(self, desk, name):
        live(desk)
        with pytest.raises(NotFound) as error:
            down(desk, name)
        assert error.value.hint

    def test_what_was_taken_down_is_not_taken_down_again(self, desk):
        live(desk)
        down(desk)
        with pytest.raises(NotAllowed, match="was taken down already"):
            down(desk)

    def test_officers_and_clearers_are_told(self, desk):
        live(desk)
        down(desk)
        with desk.store.reading() as session:
            told = session.scalars(select(Mail.to).where(Mail.subject.contains("wrong"))).all()
        assert sorted(told) == ["ana", "bo"]


class TestTheEvidence:
    def test_it_is_kept_before_anything_is_deleted(self, desk):
        one = Picture("media/map.png", "a" * 64, "image/png", 8, 6, 9, "A map.")
        live(desk)
        with desk.store.writing() as session:
            held = session.get_one(Delivery, KEY)
            content = held.post.as_data()
            picture = {n: getattr(one, n) for n in ("file", "sha256", "type", "width", "height")}
            content["parts"][0]["pictures"] = [
                {**picture, "size": one.size, "alt": one.alt, "credit": ""}
            ]
            held.content = content
            seven = latest.row(KEY, "net", "likes", 7, taken_at=AT, source="network")
            latest.keep(session, [seven])
        network = desk.platforms["net"]
        [post] = network.live
        kept = []

        def withdraw(receipt):
            kept.extend(evidence(desk))

        network.withdraw = withdraw
        down(desk)
        [data] = kept
        assert data["post"]["parts"][0]["text"] == "This is news."
        assert data["post"]["parts"][0]["pictures"][0]["sha256"] == "a" * 64
        assert (data["live"][0]["id"], data["live"][0]["url"]) == (
            post.receipt.id,
            post.receipt.url,
        )
        assert data["figures"]["likes"]["value"] == 7

    def test_it_is_there_with_the_order_whoever_dies_after_it(self, desk):
        live(desk)
        desk.incidents.take_down("c/news", WHY, by=desk.person("ana"))
        assert [data["post"]["parts"][0]["text"] for data in evidence(desk)] == ["This is news."]
        down(desk)
        assert len(evidence(desk)) == 1  # kept once

    def test_its_figures_are_read_once_more_and_then_no_more(self, desk, office):
        live(desk)
        [post] = desk.platforms["net"].live
        desk.platforms["net"].figures_of[post.receipt.id] = {"likes": 12}
        down(desk)
        office.clock.forward(days=2)
        desk.figures.collect()
        with desk.store.reading() as session:
            taken = session.execute(
                select(Snapshot.metric, Snapshot.value, Snapshot.rung).where(
                    Snapshot.subject == KEY
                )
            ).all()
        assert taken == [("likes", 12, "taken down")]

    def test_figures_that_cannot_be_read_keep_nothing_up(self, desk):
        live(desk)

        def figures(receipts):
            raise NotNow("busy")

        desk.platforms["net"].figures = figures
        assert down(desk).done

    @pytest.mark.parametrize("verb", ["UPDATE evidence SET key = ''", "DELETE FROM evidence"])
    def test_nobody_changes_it(self, desk, verb):
        live(desk)
        down(desk)
        with (
            pytest.raises(DatabaseError, match="evidence is append-only"),
            desk.store.writing() as session,
        ):
            session.execute(text(verb))


class TestWhatHasNotGoneOutYet:
    def test_other_channels_languages_and_slots_are_held_and_read_anew(self, desk, office):
        later = AT + timedelta(minutes=60)
        live(desk, "c/news/en@net")
        put(desk, draft("c/news/ko@net", at=later), draft("c/else/en@net", at=later), clear=True)
        down(desk)
        assert desk.status().holds == (f"message:c/news by ana: incident 1: {WHY}",)
        assert state(desk, "c/news/ko@net") == "proposed"
        run_to(office, desk, later)
        assert desk.platforms["net"].texts == ["This is else."]

    def test_messages_with_the_same_picture_are_held_too(self, desk, office):
        later = AT + timedelta(minutes=60)
        one = Picture("media/map.png", "a" * 64, "image/png", 8, 6, 9, "A map.", data=b"x" * 9)
        put(desk, draft("c/map/en@net", at=later, pictures=[one]), clear=True)
        live(desk)
        with desk.store.writing() as session:
            session.get_one(Delivery, KEY).content = row(desk, "c/map/en@net").content
        found = desk.incidents.would_take_down("c/news")
        assert (found.held, found.pending) == (("c/news", "c/map"), ("c/map/en@net",))
        down(desk)
        run_to(office, desk, later)
        assert desk.platforms["net"].live == []
        assert state(desk, "c/map/en@net") == "cleared"

    def test_one_of_several_slots_has_to_be_named(self, desk):
        for day in (1, 2):
            live(desk, f"c/news{day}/en@net")
        with desk.store.writing() as session:
            for day in (1, 2):
                found = session.get_one(Delivery, f"c/news{day}/en@net")
                found.message, found.slot = "news", f"2025-07-0{day}T10:00"
        with pytest.raises(NotAllowed, match="went out 2 times") as error:
            desk.incidents.would_take_down("c/news")
        assert "c/news~2025-07-01T10:00" in str(error.value)
        assert set(desk.incidents.would_take_down("c/news~2025-07-01T10:00").live) == {
            "c/news1/en@net"
        }
        assert len(desk.incidents.would_take_down("c/news", every=True).live) == 2


class TestWhatMayBeLive:
    """A post that is uncertain, or being sent at the moment, must not slip through."""

    @pytest.fixture
    def desk(self, desk, office):
        office.clock.at = AT - timedelta(minutes=30)
        put(desk, draft(), clear=True)
        office.clock.at = AT
        return desk

    def test_what_is_uncertain_is_taken_down_once_it_is_found(self, desk, office):
        desk.platforms["net"].next_fault = "lost after"
        run_to(office, desk, AT)
        assert state(desk, KEY) == "uncertain"
        stands = down(desk)
        assert stands.results[0].state == "open" and "may be live" in stands.results[0].reason
        office.leases.seconds += 11
        desk.tick()
        desk.tick()
        assert (desk.platforms["net"].live, state(desk, KEY)) == ([], "taken-down")
        assert evidence(desk)[-1]["live"]

    def test_what_is_uncertain_and_not_there_is_never_live_and_never_sent(self, desk, office):
        desk.platforms["net"].next_fault = "lost before"
        run_to(office, desk, AT)
        stands = down(desk)
        office.leases.seconds += 15 * 60 + 1
        for _ in range(3):
            desk.publisher.doubt.look(at_once=True)
            desk.tick()
        assert desk.incidents.standing(stands.number).results[0].state == "never live"
        assert desk.platforms["net"].live == []

    def test_what_is_being_sent_is_taken_down_as_soon_as_it_is_out(self, desk, office):
        network = desk.platforms["net"]
        original, begun, go_on = network.publish, threading.Event(), threading.Event()

        def publish(part, after):
            begun.set()
            assert go_on.wait(20)
            return original(part, after)

        network.publish = publish
        desk.dispatch.ring(["net"])
        assert begun.wait(20)
        number = desk.incidents.take_down("c/news", WHY, by=desk.person("ana")).number
        assert "being sent at this moment" in desk.incidents.standing(number).results[0].reason
        go_on.set()
        desk.dispatch.wait()
        assert len(network.live) == 1
        desk.tick()
        assert (network.live, state(desk, KEY)) == ([], "taken-down")

    def test_a_task_that_a_person_has_is_open_until_they_say(self, desk, office, ana):
        key = "c/news/en@hand"
        office.clock.at = AT - timedelta(minutes=30)
        put(desk, draft(), draft(key), clear=True)
        run_to(office, desk, AT)
        assert state(desk, key) == "handed"
        stands = down(desk, key)
        assert "is told not to" in stands.results[0].reason
        desk.settle(key, "live", by=ana, url="https://wechat.example.org/9")
        desk.tick()
        [one] = desk.incidents.standing(stands.number).results
        assert (one.state, one.urls) == ("by hand", ("https://wechat.example.org/9",))


def test_the_rest_of_a_thread_is_not_sent_once_its_beginning_is_ordered_down(desk, office):
    office.clock.at = AT - timedelta(minutes=30)
    put(desk, draft("news", "One.", "Two."), clear=True)
    network = desk.platforms["net"]
    original = network.publish

    def publish(part, after):
        receipt = original(part, after)
        if part.text == "One.":
            desk.incidents.take_down("c/news", WHY, by=desk.person("ana"))
        return receipt

    network.publish = publish
    run_to(office, desk, AT)
    desk.tick()
    assert (network.made, network.live, state(desk, KEY)) == (1, [], "taken-down")


class TestWhoeverDies:
    @pytest.mark.parametrize("fault", ["killed before", "killed after"])
    def test_a_death_in_the_middle_leaves_a_trace_and_it_is_done_again(self, desk, office, fault):
        live(desk, "news", "One.", "Two.")
        number = desk.incidents.take_down("c/news", WHY, by=desk.person("ana")).number
        desk.platforms["net"].next_trouble = fault
        with pytest.raises(SystemExit):
            desk.incidents.take_downs.work("net")
        heir = office.open()
        heir.__dict__["platforms"] = desk.platforms
        heir.tick()
        assert heir.incidents.standing(number).results[0].state == "open"  # it may be at it still
        office.leases.seconds += Memory.limits.deadline
        heir.tick()
        assert heir.incidents.standing(number).done
        assert desk.platforms["net"].live == []

    def test_two_workers_do_not_both_do_it(self, desk, office):
        for n in range(6):
            live(desk, f"c/news{n}/en@net")
        with desk.store.writing() as session:
            for found in session.scalars(select(Delivery)):
                found.slot, found.message = found.message, "news"
        other = office.open()
        other.__dict__["platforms"] = desk.platforms
        network, calls = desk.platforms["net"], []
        original = network.withdraw

        def withdraw(receipt):
            calls.append(receipt.id)
            original(receipt)

        network.withdraw = withdraw
        number = desk.incidents.take_down("c/news", WHY, by=desk.person("ana"), every=True).number
        threads = [
            threading.Thread(target=one.incidents.take_downs.work, args=("net",))
            for one in (desk, other)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert desk.incidents.standing(number).done
        assert (len(calls), len(set(calls))) == (6, 6)

    def test_an_account_that_is_not_ready_here_is_left_to_who_has_it(self, desk, office):
        live(desk)
        network = desk.platforms["net"]
        others = {name: one for name, one in desk.platforms.items() if name != "net"}
        desk.incidents.take_downs.platforms = others
        desk.__dict__["unready"] = {"net": "it has no token"}
        stands = down(desk)
        assert (stands.results[0].state, stands.results[0].reason) == ("open", "it has no token")
        heir = office.open()
        heir.__dict__["platforms"] = {**others, "net": network}
        heir.tick()
        assert heir.incidents.standing(stands.number).done


def test_the_plan_says_of_what_was_taken_down_that_it_needs_a_new_message(desk):
    live(desk)
    down(desk)
    with desk.store.reading() as session:
        assert session.get_one(Delivery, KEY).state is State.TAKEN_DOWN


def test_refused_is_told_in_the_status(desk):
    live(desk)
    desk.platforms["net"].withdraw = lambda receipt: (_ for _ in ()).throw(Refused("48 hours"))
    down(desk)
    [one] = desk.status().incidents
    assert (one.number, one.results[0].reason) == (1, "48 hours")


class TestTheMonthsReport:
    def test_it_has_a_section_of_its_own_and_no_sum_has_their_figures(self, desk, office):
        live(desk, "c/news/en@net")
        live(desk, "c/else/en@net")
        for name, likes in (("c/news/en@net", 7), ("c/else/en@net", 5)):
            [post] = [p for p in desk.platforms["net"].live if name[2:6] in p.part.text]
            desk.platforms["net"].figures_of[post.receipt.id] = {"likes": likes}
        down(desk)
        run_to(office, desk, AT + timedelta(days=20))
        report = desk.reports.make("2025-07", by=desk.person("ana"))
        [told] = report.words("incidents")
        assert "Ana Example ordered one post to be taken down" in told
        assert "Reason given: The map is wrong. One post was withdrawn after 17 minutes." in told
        [one] = report.table("withdrawn").rows
        assert (one.head, one.cells[0].text, one.cells[1].text) == ("news", "1", "net, en")
        [net] = [row for row in report.table("channels").rows if row.head == "net"]
        assert net.cells[0].text == "1"
        assert any(
            "One further post was published and withdrawn" in line
            for line in report.words("publication")
        )

    def test_what_is_still_up_is_said_with_the_reason(self, desk):
        live(desk, "c/news/en@hand", url="https://wechat.example.org/1")
        down(desk)
        [told] = desk.reports.make("2025-07", by=desk.person("ana")).words("incidents")
        assert "Not withdrawn when this report was made is hand (to be deleted by hand)." in told

    def test_a_quiet_month_has_no_such_section(self, desk):
        live(desk)
        report = desk.reports.make("2025-07", by=desk.person("ana"))
        assert (report.words("incidents"), report.table("withdrawn")) == ((), None)
