"""The plan: what the files would change, and that applying it does just that."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach import planning
from outreach.campaign.plan import Kind, Standing, plan
from outreach.delivery import Delivery, ReceiptRow, State
from outreach.errors import Changed, NotAllowed, Problem, TooMuch
from outreach.store import Store
from outreach.store.plain import asking
from outreach.store.tables import Asset, ShortLink
from tests.conftest import Office, apply, clear_all, state
from tests.drafts import AT, KEY, draft, planned, put, row, run_to, utc

NOW = AT - timedelta(hours=1)
OPEN = Problem("campaigns/c.yaml:4", "starts is to be confirmed by organizers", open=True)


def standing(**changes) -> Standing:
    """What `draft()` becomes once it is applied."""
    made = draft()
    given = Standing(
        key=KEY,
        campaign="c",
        message="news",
        channel="net",
        state="proposed",
        fingerprint=made.post.fingerprint,
        slot=made.slot,
        late_seconds=900,
        not_after=None,
        together=False,
        blocked="",
        authors=frozenset({"ana"}),
    )
    return replace(given, **changes)


def told(*wanted, has=(), now=NOW, **options):
    """(kind, why) of each operation, and (kind, what) of each notice."""
    made = plan(wanted, has, now=now, **options)
    return (
        [(op.kind.value, op.why) for op in made.operations],
        [(notice.kind, notice.what) for notice in made.notices],
    )


class TestOneDelivery:
    def test_a_new_post_is_added(self):
        assert told(draft()) == ([("add", "new")], [])

    def test_nothing_changes_where_the_file_says_what_stands(self):
        assert told(draft(), has=[standing()]) == ([], [])

    def test_another_text_is_a_change(self):
        assert told(draft(KEY, "Other words."), has=[standing()]) == (
            [("change", "what the public would see changes")],
            [],
        )

    def test_another_slot_is_a_move_and_says_from_when(self):
        assert told(draft(at=utc("2025-07-21T02:00")), has=[standing()]) == (
            [("move", "it moves from 2025-07-20 02:00 UTC")],
            [],
        )

    def test_the_same_instant_in_another_zone_is_a_move_too(self):
        assert told(draft(zone="Asia/Seoul"), has=[standing()])[0] == [
            ("move", "it moves from 2025-07-20 02:00 UTC")
        ]

    @pytest.mark.parametrize(
        "changed",
        [{"late": timedelta(hours=1)}, {"not_after": AT + timedelta(hours=2)}],
    )
    def test_a_new_rule_is_no_change_of_the_text(self, changed):
        assert told(draft(**changed), has=[standing()]) == (
            [("rules", "how late it may be, or what it waits for")],
            [],
        )

    def test_a_writer_who_was_not_known_is_shown(self):
        assert told(draft(authors=["ana", "bo"]), has=[standing()])[0] == [
            ("rules", "bo wrote it too")
        ]

    def test_a_fact_that_is_open_blocks_and_says_which(self):
        assert told(draft(blocked=[OPEN]), has=[standing()]) == (
            [("block", OPEN.what)],
            [("blocked", str(OPEN))],
        )

    def test_what_was_blocked_and_is_known_now_can_be_made(self):
        was = standing(fingerprint="", blocked=OPEN.what)
        assert told(draft(), has=[was])[0] == [("change", "it can be made now")]

    def test_a_post_that_left_the_file_is_dropped(self):
        assert told(has=[standing()]) == ([("drop", "it is no longer in the campaign file")], [])

    def test_a_post_that_lost_its_time_is_dropped(self):
        assert told(draft(at=None), has=[standing()])[0] == [
            ("drop", "it has no time any more: an idea")
        ]

    def test_an_idea_is_listed_and_nothing_more(self):
        assert told(draft(at=None)) == ([], [("idea", "an idea: it has no time yet")])

    def test_a_slot_that_is_past_is_listed_and_never_proposed(self):
        assert told(draft(), now=AT) == (
            [("add", "its slot is past already: it is listed, and never sent")],
            [("past", "its slot was 2025-07-20 02:00 UTC")],
        )

    def test_a_dropped_post_comes_back_when_the_file_has_it_again(self):
        assert told(draft(), has=[standing(state="dropped")])[0] == [
            ("add", "it is in the file again")
        ]

    def test_a_published_post_with_another_text_needs_a_correction(self):
        operations, notices = told(draft(KEY, "Other."), has=[standing(state="published")])
        assert operations == []
        assert [kind for kind, _ in notices] == ["correction needed"]

    def test_a_published_post_that_left_the_file_needs_a_correction(self):
        assert told(has=[standing(state="published")]) == (
            [],
            [("correction needed", "it is published, and no longer in the file")],
        )

    def test_a_published_post_with_a_new_slot_is_a_question(self):
        later = draft(at=AT + timedelta(days=1))
        operations, notices = told(later, has=[standing(state="published")])
        assert operations == []
        assert [kind for kind, _ in notices] == ["moved after"]

    @pytest.mark.parametrize("in_flight", ["sending", "handed", "uncertain"])
    def test_what_may_be_live_is_left_as_it_was_sent(self, in_flight):
        assert told(draft(KEY, "Other."), has=[standing(state=in_flight)]) == (
            [],
            [("in flight", f"it is {in_flight}; it is left as it was sent")],
        )
        assert told(has=[standing(state=in_flight)]) == ([], [])

    def test_a_thread_of_which_a_part_is_live_keeps_its_text(self):
        begun = standing(state="cleared", begun=True)
        operations, notices = told(draft(KEY, "Other."), has=[begun])
        assert operations == []
        assert [kind for kind, _ in notices] == ["correction needed"]


class TestBrokenFiles:
    def test_a_broken_file_leaves_its_deliveries_and_says_so(self):
        assert told(has=[standing(state="cleared")], unreadable=["c"]) == (
            [],
            [("unreadable", "its file cannot be read: it is left as it is")],
        )

    def test_a_broken_file_does_not_keep_another_ones_posts(self):
        other = standing(key="d/news/en@net", campaign="d")
        assert told(has=[standing(), other], unreadable=["c"])[0] == [
            ("drop", "it is no longer in the campaign file")
        ]

    def test_a_file_too_broken_to_say_its_name_drops_nothing_either(self):
        # campaigns/forum.yaml held `campaign: c`, and cannot be read any more.
        other = draft("d/news/en@net")
        operations, notices = told(other, has=[standing(state="cleared")], unreadable=["forum"])
        assert operations == [("add", "new")]
        assert [kind for kind, _ in notices] == ["unreadable"]

    def test_an_emptied_folder_drops_nothing(self):
        assert told(has=[standing(state="cleared")], emptied=True) == (
            [],
            [("empty", "no campaign could be read: nothing is dropped because of that")],
        )


class TestTheHash:
    def test_it_never_depends_on_the_time(self):
        wanted = [draft(), draft("c/old/en@net", at=AT - timedelta(days=9))]
        has = [standing(key="c/gone/en@net"), standing(key="c/old/en@net", state="missed")]
        hashes = {
            plan(wanted, has, now=AT + timedelta(minutes=minutes)).hash
            for minutes in (-10_000, -1, 0, 1, 10_000)
        }
        assert len(hashes) == 1

    def test_it_does_not_depend_on_the_order_of_the_files(self):
        one, two = draft(), draft("c/two/en@net")
        assert plan([one, two], [], now=NOW).hash == plan([two, one], [], now=NOW).hash

    @pytest.mark.parametrize(
        "other",
        [
            draft(KEY, "Other words."),
            draft(at=AT + timedelta(minutes=1)),
            draft(zone="Asia/Seoul"),
            draft(late=timedelta(hours=3)),
            draft(not_after=AT + timedelta(hours=3)),
            draft(release="together"),
            draft(authors=["ana", "bo"]),
            draft(account="memory other"),
            draft(blocked=[OPEN]),
        ],
    )
    def test_everything_that_would_be_recorded_changes_it(self, other):
        assert plan([other], [], now=NOW).hash != plan([draft()], [], now=NOW).hash

    def test_two_reasons_to_wait_differ(self):
        one, two = draft(blocked=[OPEN]), draft(blocked=[replace(OPEN, what="ends is open")])
        assert plan([one], [], now=NOW).hash != plan([two], [], now=NOW).hash

    def test_the_state_it_starts_from_changes_it(self):
        changed = draft(KEY, "Other.")
        hashes = {
            plan([changed], [standing(state=s)], now=NOW).hash for s in ("proposed", "cleared")
        }
        assert len(hashes) == 2


class TestApplying:
    """Real files: what was shown is applied, or nothing."""

    FILE = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
events:
  forum: {date: 2025-08-25, starts: "09:00", ends: "17:00", zone: Asia/Bangkok}
audiences:
  main: {en: [net]}
defaults: {to: main}
messages:
  one: {at: "2025-07-21 09:00 Asia/Bangkok"}
  two: {at: "2025-07-22 09:00 Asia/Bangkok"}
  three: {at: "2025-07-23 09:00 Asia/Bangkok"}
"""

    @pytest.fixture
    def desk(self, office: Office):
        texts = {name: f"## en\nThis is {name}.\n" for name in ("one", "two", "three")}
        office.campaign(self.FILE, **texts)
        return office.open()

    def test_an_old_hash_is_refused_and_nothing_changes(self, desk, office):
        seen = desk.plan().hash
        office.write("templates/posts/c/two.md", "## en\nThis is two!\n")
        with pytest.raises(Changed) as refused:
            desk.apply(seen, by=desk.person("ana"))
        assert refused.value.hint == "look at it again: outreach plan"
        assert desk.status().counts == {}

    def test_another_rule_makes_the_hash_an_old_one(self, desk, office):
        seen = desk.plan().hash
        patient = 'defaults: {to: main, if-late: "send within 9 hours, then ask"}'
        office.campaign(self.FILE.replace("defaults: {to: main}", patient))
        with pytest.raises(Changed):
            desk.apply(seen, by=desk.person("ana"))

    def test_a_plan_shown_before_a_slot_may_be_applied_after_it(self, desk, office):
        seen = desk.plan().hash
        office.clock.to("2025-07-21T02:00Z")  # the slot of "one"
        desk.apply(seen, by=desk.person("ana"))
        assert desk.status().counts == {"past": 1, "proposed": 2}

    def test_a_guest_applies_nothing(self, desk):
        with pytest.raises(NotAllowed, match="Cy Example may not do this: it needs the role"):
            desk.apply(desk.plan().hash, by=desk.person("cy"))

    def test_dropping_more_than_a_third_of_what_is_cleared_is_asked_for_twice(self, desk, office):
        apply(desk)
        clear_all(desk)
        kept = "\n".join(line for line in self.FILE.splitlines() if "two" not in line)
        office.campaign(kept)
        apply(desk)  # one of three is a third, and no more
        assert desk.status().counts == {"cleared": 2, "dropped": 1}
        office.campaign("\n".join(line for line in kept.splitlines() if "three" not in line))
        with pytest.raises(TooMuch, match="drops 1 of 2 cleared posts") as refused:
            apply(desk)
        assert refused.value.hint == f"if that is meant: outreach apply {desk.plan().hash} --really"
        assert desk.status().counts == {"cleared": 2, "dropped": 1}
        apply(desk, really=True)
        assert desk.status().counts == {"cleared": 1, "dropped": 2}

    def test_a_folder_without_campaigns_drops_nothing(self, desk, office):
        apply(desk)
        (office.home / "campaigns" / "c.yaml").unlink()
        assert apply(desk).operations == ()
        (office.home / "campaigns").rmdir()
        assert apply(desk).operations == ()
        assert desk.status().counts == {"proposed": 3}

    def test_a_file_that_broke_leaves_what_was_cleared_and_it_still_goes_out(self, desk, office):
        apply(desk)
        clear_all(desk)
        desk.tick()
        office.write("campaigns/renamed.yaml", self.FILE[:80] + "\n: [")
        (office.home / "campaigns" / "c.yaml").unlink()
        office.campaign(self.FILE.replace("campaign: c", "campaign: d"), one="## en\nD.\n")
        assert {n.kind for n in desk.plan().notices if n.key.startswith("c/")} == {"unreadable"}
        apply(desk)
        run_to(office, desk, utc("2025-07-21T02:00"))
        assert state(desk, "c/one/en@net") == "published"

    def test_what_is_written_while_a_plan_is_applied_counts_as_not_applied(self, desk, office):
        apply(desk)
        clear_all(desk)
        read = desk.files

        def read_and_edit(*given):
            files = read(*given)
            office.write("templates/posts/c/one.md", "## en\nAn edit of this moment.\n")
            return files

        office.write("templates/posts/c/two.md", "## en\nThis is two, anew.\n")
        seen = desk.plan().hash
        desk.files = read_and_edit
        desk.apply(seen, by=desk.person("ana"))
        desk.files = read
        assert list(desk.held_back()) == ["c/one/en@net"]

    def test_what_was_held_back_is_free_once_another_process_has_applied_it(self, desk, office):
        apply(desk)
        clear_all(desk)
        office.write("templates/posts/c/one.md", "## en\nThis is one, anew.\n")
        assert list(desk.held_back()) == ["c/one/en@net"]
        other = office.open()
        apply(other)
        assert dict(desk.held_back()) == {}

    def test_pictures_and_short_links_are_kept_as_they_were_read(self, office):
        office.write(
            "config/outreach.toml",
            '[office]\nzone = "UTC"\n[web]\npublic-url = "https://go.example.org"\n',
        )
        office.campaign(
            self.FILE + "links: {register: https://forum.example.org/register}\n",
            one="## en\nRegister: {{ links.register }}\n",
            two="## en\nTwo.\n",
            three="## en\nThree.\n",
        )
        desk = office.open()
        apply(desk)
        text = row(desk, "c/one/en@net").post.parts[0].text
        with desk.store.reading() as session:
            [link] = session.query(ShortLink).all()
            assert session.query(Asset).count() == 0
        assert text == f"Register: https://go.example.org/l/{link.code}"
        assert link.target.startswith("https://forum.example.org/register?utm_source=net&")


class TestWhatBecomesOfIt:
    """Draft values applied to a real database."""

    @pytest.mark.parametrize("over", ["missed", "skipped", "past"])
    def test_a_new_text_alone_brings_nothing_back_whose_time_is_over(self, desk, office, over):
        long = timedelta(hours=10)  # so that it would not even be late
        put(desk, draft(late=long))
        with desk.store.writing() as session:
            session.get_one(Delivery, KEY).move(State(over))
        office.clock.at = AT + timedelta(minutes=1)
        put(desk, draft(KEY, "Better words.", late=long))
        assert state(desk, KEY) == over
        put(desk, draft(KEY, "Better words.", at=AT + timedelta(days=1), late=long))
        assert state(desk, KEY) == "proposed"  # a new time does

    def test_a_refused_post_waits_for_clearance_again_with_its_new_text(self, desk):
        put(desk, draft())
        with desk.store.writing() as session:
            session.get_one(Delivery, KEY).move(State.FAILED, "refused")
        put(desk, draft(KEY, "Better words."))
        assert state(desk, KEY) == "proposed"

    def test_a_new_rule_decides_nothing_that_waits_for_a_person(self, desk):
        put(desk, draft(), clear=True)
        with desk.store.writing() as session:
            session.get_one(Delivery, KEY).move(State.FAILED, "refused")
        put(desk, draft(late=timedelta(hours=5)))
        assert (state(desk, KEY), row(desk).late_seconds) == ("failed", 5 * 3600)

    def test_a_new_rule_does_not_shorten_what_the_network_asked_for(self, desk):
        put(desk, draft(), clear=True)
        with desk.store.writing() as session:
            session.get_one(Delivery, KEY).retry_at = AT + timedelta(minutes=9)
        put(desk, draft(late=timedelta(hours=5)))
        assert row(desk).retry_at == AT + timedelta(minutes=9)

    def test_a_post_that_comes_back_after_its_slot_is_past(self, desk, office):
        put(desk, draft())
        put(desk)
        assert state(desk, KEY) == "dropped"
        office.clock.at = AT
        put(desk, draft())
        assert state(desk, KEY) == "past"

    def test_a_post_that_comes_back_in_time_is_read_again(self, desk):
        put(desk, draft(), clear=True)
        put(desk)
        put(desk, draft())
        assert state(desk, KEY) == "proposed"

    def test_a_thread_of_which_a_part_is_live_is_left_as_it_was_cleared(self, desk):
        put(desk, draft(KEY, "One.", "Two."), clear=True)
        with desk.store.writing() as session:
            session.add(ReceiptRow(key=KEY, part=0, channel="net", remote_id="1", url="u:1", at=AT))
        assert put(desk, draft(KEY, "One and two.")).operations == ()
        assert [part.text for part in row(desk).post.parts] == ["One.", "Two."]
        assert state(desk, KEY) == "cleared"

    def test_everybody_who_applied_or_wrote_it_is_an_author(self, desk):
        put(desk, draft(authors=["tr"]), by="ana")
        put(desk, draft(KEY, "Other.", authors=["ed"]), by="bo")
        assert row(desk).authors == ["ana", "bo", "ed", "tr"]


class TestMoves:
    """A clearance is for a day, which is a day of the slot's zone."""

    @pytest.fixture
    def desk(self, office: Office):
        office.clock.at = utc("2024-12-01T00:00")
        return office.open()

    @pytest.mark.parametrize(
        ("zone", "cleared_at", "moved_to", "kept"),
        [
            ("Asia/Bangkok", "2025-08-25T02:00", "2025-08-25T16:59", True),
            ("Asia/Bangkok", "2025-08-25T02:00", "2025-08-25T17:00", False),  # 00:00 of the 26th
            ("Asia/Bangkok", "2025-08-25T02:00", "2025-08-24T17:00", True),  # 00:00 of the 25th
            ("Asia/Bangkok", "2025-08-25T02:00", "2025-08-24T16:59", False),
            # Clocks go back: the day has 25 hours.
            ("Europe/Zurich", "2025-10-26T09:00", "2025-10-26T22:59", True),
            ("Europe/Zurich", "2025-10-26T09:00", "2025-10-26T23:00", False),
            # Clocks go forward: it has 23.
            ("Europe/Zurich", "2025-03-30T09:00", "2025-03-30T21:59", True),
            ("Europe/Zurich", "2025-03-30T09:00", "2025-03-30T22:00", False),
            # Midnight itself does not exist: the day begins at 01:00, which is 22:00 UTC.
            ("Africa/Cairo", "2025-04-25T09:00", "2025-04-24T22:00", True),
            ("Africa/Cairo", "2025-04-25T09:00", "2025-04-24T21:59", False),
            ("Africa/Cairo", "2025-04-25T09:00", "2025-04-25T20:59", True),
            ("Africa/Cairo", "2025-04-25T09:00", "2025-04-25T21:00", False),
        ],
    )
    def test_a_move_within_the_day_keeps_the_clearance_and_one_outside_voids_it(
        self, desk, zone, cleared_at, moved_to, kept
    ):
        put(desk, draft(at=utc(cleared_at), zone=zone), clear=True)
        [op] = put(desk, draft(at=utc(moved_to), zone=zone)).operations
        assert (op.kind, op.voids) == (Kind.MOVE, not kept)
        assert op.why.endswith("within what was cleared" if kept else "outside what was cleared")
        assert state(desk, KEY) == ("cleared" if kept else "proposed")

    def test_the_day_stays_the_one_of_the_zone_in_which_it_was_cleared(self, desk):
        # 23:00 in Bangkok of the 25th is 01:00 in Seoul of the 26th: the same instant.
        put(desk, draft(at=utc("2025-08-25T02:00"), zone="Asia/Bangkok"), clear=True)
        put(desk, draft(at=utc("2025-08-25T16:00"), zone="Asia/Seoul"))
        assert state(desk, KEY) == "cleared"

    def test_a_move_and_a_new_text_in_one_void_it(self, desk):
        put(desk, draft(at=utc("2025-08-25T02:00")), clear=True)
        put(desk, draft(KEY, "Other.", at=utc("2025-08-25T03:00")))
        assert state(desk, KEY) == "proposed"


# --- applying a plan leaves nothing to plan --------------------------------------------------

keys = st.sampled_from(["c/one/en@net", "c/one/ko@net", "c/two/en@net", "d/one/en@net"])
drafts = st.builds(
    draft,
    keys,
    st.sampled_from(["Words.", "Other words."]),
    at=st.sampled_from([None, *(AT + timedelta(hours=12 * n) for n in range(-2, 3))]),
    zone=st.sampled_from(["UTC", "Asia/Seoul"]),
    late=st.sampled_from([timedelta(minutes=15), timedelta(hours=30)]),
    not_after=st.sampled_from([None, AT + timedelta(days=9)]),
    release=st.sampled_from(["as-ready", "together"]),
    authors=st.sampled_from([("ana",), ("bo",), ("ana", "tr")]),
    blocked=st.sampled_from([(), (OPEN,), (replace(OPEN, what="ends is open"),)]),
)
folders = st.lists(drafts, unique_by=lambda one: one.key, max_size=4)
steps = st.lists(st.tuples(folders, st.lists(st.sampled_from(list(State)))), max_size=3)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    office = Office(tmp_path_factory.mktemp("shared") / "office")
    yield office.open(), office
    office.close()


@given(steps=steps, last=folders, cleared=st.booleans())
@settings(max_examples=40)
def test_applying_a_plan_and_planning_again_gives_no_operations(shared, steps, last, cleared):
    desk, office = shared
    with desk.store.writing() as session:
        session.query(Delivery).delete()
    office.clock.at = NOW
    for folder, states in steps:
        put(desk, *folder)
        with desk.store.writing() as session:  # meanwhile the world goes on
            for one, moved in zip(session.query(Delivery), states, strict=False):
                one.move(moved)
        for reading in desk.readings() if cleared else ():
            with suppress(NotAllowed):  # written by bo, or too late
                desk.clear(reading.name, reading.fingerprint, by=desk.person("bo"))
        office.clock.forward(hours=5)
    made = put(desk, *last)
    assert planned(desk, *last).operations == ()
    with desk.store.reading() as session:
        now = {one.key: one for one in planning.standing(asking(session))}
    with Store(desk.configuration.database).looking() as ask:  # as a fresh process asks
        assert {one.key: one for one in planning.standing(ask)} == now
    for op in made.operations:  # and what stands is what was shown
        if op.kind is not Kind.DROP:
            stands = now[op.key]
            assert (stands.fingerprint, stands.slot.at.isoformat()) == (op.becomes, op.at)
        if op.voids:
            assert now[op.key].window is None
        assert now[op.key].state != "cleared" or op.state == "cleared" or now[op.key].window
