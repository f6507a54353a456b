"""A yes is to exactly what was read: by whom, to which text and time, and for how long."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from outreach.clearance import Clearance, Window, clear
from outreach.delivery import Delivery, State
from outreach.errors import Changed, NotAllowed, NotFound, Problem
from outreach.post import Part, Picture, Post
from outreach.store.tables import Mail, Snapshot, TrailEntry
from tests.conftest import OUTREACH_TOML, PEOPLE_TOML, apply, clear_all, state
from tests.drafts import AT, KEY, draft, put, row, run_to, slot, trail, utc

PICTURE = Picture("card.png", "5e1f", "image/png", 800, 418, 9_000, "A forum in session.", "© UN")
POST = Post("c", "news", "en", "net", (Part("Words.", "en", (PICTURE,)), Part("More.")), "net @un")
TABLES = {"trail": TrailEntry, "snapshot": Snapshot}


def read(desk, name="c/news/en"):
    """The reading of this name."""
    return next(one for one in desk.readings() if one.name == name)


class TestTheFingerprint:
    def first(self, **changes):
        return replace(POST, parts=(replace(POST.parts[0], **changes), POST.parts[1]))

    def picture(self, **changes):
        return self.first(pictures=(replace(PICTURE, **changes),))

    @pytest.mark.parametrize(
        "other",
        [
            lambda s: s.first(text="Words!"),
            lambda s: s.first(text="Words. "),
            lambda s: s.first(language="ko"),
            lambda s: s.first(pictures=()),
            lambda s: s.picture(sha256="5e20"),
            lambda s: s.picture(alt="Another description."),
            lambda s: s.picture(credit=""),
            lambda s: replace(POST, channel="x"),
            lambda s: replace(POST, account="net @other"),
            lambda s: replace(POST, language="ko"),
            lambda s: replace(POST, parts=POST.parts[:1]),
            lambda s: replace(POST, parts=POST.parts[::-1]),
        ],
    )
    def test_everything_that_the_public_sees_changes_it(self, other):
        assert other(self).fingerprint != POST.fingerprint

    def test_what_the_public_does_not_see_leaves_it(self):
        assert self.picture(file="moved.png").fingerprint == POST.fingerprint
        assert self.first(token="1234").fingerprint == POST.fingerprint

    def test_it_is_the_same_after_the_database(self):
        assert Post.of(POST.as_data()).fingerprint == POST.fingerprint

    def test_a_new_public_address_changes_every_text_with_a_short_link(self, office):
        office.campaign(
            """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
audiences: {main: {en: [net]}}
defaults: {to: main}
links: {register: https://forum.example.org/register}
messages:
  news: {at: "2025-07-21 09:00 Asia/Bangkok"}
  plain: {at: "2025-07-21 09:00 Asia/Bangkok"}
""",
            news="## en\nRegister: {{ links.register }}\n",
            plain="## en\nNo address.\n",
        )
        found = []
        for host in ("one", "two"):
            url = f'\n[web]\npublic-url = "https://{host}.example.org"\n'
            office.write("config/outreach.toml", OUTREACH_TOML + url)
            desk = office.open()
            found.append({key: d.post.fingerprint for key, d in desk.files().drafts.items()})
            apply(desk)
            clear_all(desk)
        assert found[0][KEY] != found[1][KEY]
        assert found[0]["c/plain/en@net"] == found[1]["c/plain/en@net"]
        assert trail(desk).count("clearance voided") == 1


class TestReading:
    def test_a_stale_reading_is_refused(self, desk):
        put(desk, draft())
        seen = read(desk).fingerprint
        put(desk, draft(KEY, "Other words."))
        with pytest.raises(Changed, match="c/news/en has changed since you read it") as refused:
            desk.clear("c/news/en", seen, by=desk.person("bo"))
        assert refused.value.hint == "read it again: outreach review"
        assert state(desk, KEY) == "proposed"

    def test_a_reading_at_another_time_is_stale_too(self, desk):
        put(desk, draft())
        seen = read(desk).fingerprint
        put(desk, draft(at=AT + timedelta(days=3)))
        with pytest.raises(Changed):
            desk.clear("c/news/en", seen, by=desk.person("bo"))

    def test_a_reading_that_one_more_channel_joined_is_stale(self, desk):
        put(desk, draft())
        seen = read(desk).fingerprint
        put(desk, draft(), draft("c/news/en@web", account="feed web"))
        with pytest.raises(Changed):
            desk.clear("c/news/en", seen, by=desk.person("bo"))

    def test_one_message_and_language_is_read_at_once_and_each_post_gets_its_fingerprint(
        self, desk
    ):
        links = "Words.\nhttps://forum.example.org/?utm_source={}&utm_medium=social"
        put(
            desk,
            draft(KEY, links.format("net")),
            draft("c/news/en@web", links.format("web"), account="feed web"),
            draft("c/news/en@x", "Fewer words.", account="x @un"),
            draft("c/news/ko@net", "한국어."),
            draft("c/early/en@net", at=AT - timedelta(minutes=5)),
        )
        assert [one.name for one in desk.readings()] == ["c/early/en", "c/news/en", "c/news/ko"]
        reading = read(desk)
        assert [(r.channel, r.same_as) for r in reading.renderings] == [
            ("net", ""),
            ("web", KEY),  # only its addresses differ
            ("x", ""),
        ]
        desk.clear("c/news/en", reading.fingerprint, by=desk.person("bo"))
        with desk.store.reading() as session:
            cleared = dict(session.execute(select(Clearance.key, Clearance.fingerprint)).all())
        assert cleared == {r.key: r.fingerprint for r in reading.renderings}
        assert state(desk, "c/news/ko@net") == "proposed"

    def test_short_links_are_folded_too(self, desk):
        put(
            desk,
            draft(KEY, "See https://go.example.org/l/abcdefgh"),
            draft("c/news/en@web", "See https://go.example.org/l/hgfedcba"),
            draft("c/news/en@x", "See https://go.example.org/l/hgfedcba now"),
        )
        assert [r.same_as for r in read(desk).renderings] == ["", KEY, ""]

    def test_a_blocked_channel_is_named_and_not_signed(self, desk):
        waits = draft("c/news/en@web", blocked=[Problem("c.yaml:3", "the hours are open")])
        put(desk, draft(), waits)
        reading = read(desk)
        assert reading.blocked == (("c/news/en@web", "the hours are open"),)
        desk.clear("c/news/en", reading.fingerprint, by=desk.person("bo"))
        assert state(desk, "c/news/en@web") == "proposed"

    def test_a_message_of_which_nothing_can_be_cleared_says_why(self, desk):
        put(desk, draft(blocked=[Problem("c.yaml:3", "the hours are open")]))
        with pytest.raises(NotAllowed, match="can be cleared yet: the hours are open"):
            desk.clear("c/news/en", "whatever", by=desk.person("bo"))

    def test_nothing_of_that_name_waits(self, desk):
        with pytest.raises(NotFound, match="nothing of c/news/en waits for clearance") as refused:
            desk.clear("c/news/en", "whatever", by=desk.person("bo"))
        assert refused.value.hint == "what waits is listed by: outreach review"

    def test_a_clearers_list_leaves_out_what_they_wrote(self, desk):
        put(desk, draft(), draft("c/mine/en@net", authors=["bo"]))
        mine = desk.readings(for_=desk.person("bo"))
        assert [one.name for one in mine] == ["c/news/en"]

    def test_a_post_whose_time_is_over_cannot_be_cleared(self, desk, office):
        put(desk, draft())
        office.clock.at = AT + timedelta(minutes=15)
        with pytest.raises(NotAllowed, match="the time of c/news/en@net has passed"):
            clear_all(desk)


class TestWho:
    def test_nobody_clears_what_they_applied(self, desk):
        put(desk, draft(authors=["tr"]), by="bo")
        with pytest.raises(NotAllowed, match="Bo Example is an author of c/news/en@net"):
            clear_all(desk, by="bo")

    def test_nobody_clears_what_the_file_says_they_wrote(self, desk):
        put(desk, draft(authors=["bo"]))
        with pytest.raises(NotAllowed, match="a second person clears it"):
            clear_all(desk, by="bo")

    def test_a_writer_whom_the_file_names_later_cannot_clear_it_either(self, desk):
        put(desk, draft())
        put(desk, draft(authors=["ana", "bo"]))  # nothing else changed
        with pytest.raises(NotAllowed, match="a second person clears it"):
            clear_all(desk, by="bo")

    def test_a_clearance_ends_when_its_clearer_turns_out_to_have_written_it(self, desk):
        put(desk, draft(), clear=True)
        [op] = put(desk, draft(authors=["ana", "bo"])).operations
        assert op.voids
        assert state(desk, KEY) == "proposed"

    def test_a_guest_and_an_officer_clear_nothing(self, desk):
        put(desk, draft())
        for who, roles in (("cy", "guest"), ("ana", "administrator and officer")):
            words = f"it needs the role clearer, and theirs are {roles}"
            with pytest.raises(NotAllowed, match=words):
                clear_all(desk, by=who)

    def test_a_yes_to_another_fingerprint_is_none(self, desk):
        """Below the desk, too: whoever calls it, the fingerprint on their screen decides."""
        put(desk, draft())
        with desk.store.writing() as session:
            delivery = session.get_one(Delivery, KEY)
            seen = delivery.fingerprint
            with pytest.raises(Changed, match=f"it was 0000 and is now {seen}"):
                clear(
                    session, delivery, "0000", by=desk.person("bo"), now=desk.now(), window=Window()
                )
            assert (delivery.state, delivery.clearance) == ("proposed", None)
            clear(session, delivery, seen, by=desk.person("bo"), now=desk.now(), window=Window())
            assert delivery.state == "cleared"

    def test_an_emergency_needs_somebody_of_the_office(self, desk):
        put(desk, draft())
        seen = read(desk).fingerprint
        with pytest.raises(NotAllowed, match="Cy Example may not do this: it needs the role"):
            desk.clear("c/news/en", seen, by=desk.person("cy"), emergency="the venue is closed")
        desk.clear("c/news/en", seen, by=desk.person("ana"), emergency="the venue is closed")
        assert state(desk, KEY) == "cleared"
        with desk.store.reading() as session:
            told = session.scalars(select(Mail.to).where(Mail.subject.contains("emergency"))).all()
            assert session.scalar(select(Clearance.override)) == "the venue is closed"
        assert told == ["bo"]  # every clearer

    def test_an_emergency_clearance_by_an_author_survives_what_changes_nothing(self, desk):
        put(desk, draft())
        seen = read(desk).fingerprint
        desk.clear("c/news/en", seen, by=desk.person("ana"), emergency="the venue is closed")
        put(desk, draft(late=timedelta(hours=1)))
        assert state(desk, KEY) == "cleared"


class TestHowLong:
    def test_the_windows(self):
        at = slot(utc("2025-08-25T02:00"), "Asia/Bangkok")
        day = utc("2025-08-24T17:00"), utc("2025-08-25T17:00")
        assert Window().around(at) == day
        assert Window("time").around(at) == (at.at, at.at + timedelta(microseconds=1))
        until = utc("2025-08-31T00:00")
        assert Window("until", until).around(at) == (day[0], until)

    @pytest.mark.parametrize("until", [None, utc("2025-08-25T01:59"), utc("2025-08-25T02:00")])
    def test_a_window_that_would_not_hold_the_slot_is_refused(self, until):
        with pytest.raises(NotAllowed, match="the window ends before the slot"):
            Window("until", until).around(slot(utc("2025-08-25T02:00")))

    @pytest.mark.parametrize(
        ("window", "minutes", "kept"),
        [
            (Window("time"), 0, True),
            (Window("time"), 1, False),
            (Window("day"), 60 * 21, True),
            (Window("day"), 60 * 22, False),
            (Window("until", utc("2025-07-23T00:00")), 60 * 69, True),
            (Window("until", utc("2025-07-23T00:00")), 60 * 70, False),
        ],
    )
    def test_how_far_a_cleared_post_may_move(self, desk, window, minutes, kept):
        put(desk, draft())  # 02:00 UTC
        desk.clear("c/news/en", read(desk).fingerprint, by=desk.person("bo"), window=window)
        put(desk, draft(at=AT + timedelta(minutes=minutes)))
        assert state(desk, KEY) == ("cleared" if kept else "proposed")

    def test_after_its_maximum_age_it_is_not_sent_and_the_clearer_is_told(self, office):
        office.write("config/outreach.toml", OUTREACH_TOML + "\n[clearance]\nmax-age-days = 2\n")
        desk = office.open()
        at = AT + timedelta(days=3)
        put(desk, draft(at=at), clear=True)
        run_to(office, desk, at)
        assert desk.platforms["net"].live == []
        assert state(desk, KEY) == "proposed"
        with desk.store.reading() as session:
            [mail] = session.scalars(select(Mail).where(Mail.subject.contains("no longer holds")))
        assert mail.to == "bo"
        assert "why: the clearance has expired" in mail.body

    def test_within_its_maximum_age_it_is_sent(self, office):
        office.write("config/outreach.toml", OUTREACH_TOML + "\n[clearance]\nmax-age-days = 2\n")
        desk = office.open()
        at = AT + timedelta(days=1)
        put(desk, draft(at=at), clear=True)
        run_to(office, desk, at)
        assert state(desk, KEY) == "published"

    def test_a_clearance_of_another_text_sends_nothing_whatever_the_state_says(self, desk, office):
        put(desk, draft(), clear=True)
        with desk.store.writing() as session:
            session.get_one(Delivery, KEY).fingerprint = "0" * 16
        run_to(office, desk, AT)
        assert desk.platforms["net"].live == []
        assert state(desk, KEY) == "proposed"


class TestReturning:
    def test_it_goes_back_with_a_reason_and_its_authors_are_told(self, desk):
        put(desk, draft(), clear=True)
        assert desk.return_("c/news/en", "The year is wrong.", by=desk.person("bo")) == [KEY]
        assert state(desk, KEY) == "proposed"
        assert row(desk).returned == "returned by Bo Example: The year is wrong."
        with desk.store.reading() as session:
            [mail] = session.scalars(select(Mail).where(Mail.subject.contains("returned")))
        assert mail.to == "ana"
        assert "why: The year is wrong." in mail.body

    def test_it_cannot_be_cleared_until_it_has_changed(self, desk):
        put(desk, draft())
        desk.return_("c/news/en", "The year is wrong.", by=desk.person("bo"))
        assert read(desk).renderings == ()
        with pytest.raises(NotAllowed, match="returned by Bo Example: The year is wrong"):
            desk.clear("c/news/en", "whatever", by=desk.person("bo"))
        put(desk, draft(late=timedelta(hours=1)))  # how late it may be was not the reason
        assert read(desk).renderings == ()
        put(desk, draft(KEY, "The right year."), clear=True)
        assert state(desk, KEY) == "cleared"

    def test_one_post_may_be_returned_alone(self, desk):
        put(desk, draft(), draft("c/news/en@web"))
        desk.return_("c/news/en@web", "Too long.", by=desk.person("bo"))
        clear_all(desk)
        assert (state(desk, KEY), state(desk, "c/news/en@web")) == ("cleared", "proposed")

    def test_a_reason_is_needed(self, desk):
        put(desk, draft())
        with pytest.raises(NotAllowed, match="a reason is needed"):
            desk.return_("c/news/en", "  ", by=desk.person("bo"))

    def test_only_a_clearer_returns(self, desk):
        put(desk, draft())
        with pytest.raises(
            NotAllowed, match="Ana Example may not do this: it needs the role clearer"
        ):
            desk.return_("c/news/en", "No.", by=desk.person("ana"))

    def test_what_is_out_cannot_be_returned(self, desk, office):
        put(desk, draft(), clear=True)
        run_to(office, desk, AT)
        with pytest.raises(NotAllowed, match="is published"):
            desk.return_(KEY, "Too late.", by=desk.person("bo"))


class TestTheTrail:
    def test_every_step_stands_in_it_with_who_and_why(self, desk, office):
        put(desk, draft(), clear=True)
        put(desk, draft(KEY, "Other words."), clear=True)
        run_to(office, desk, AT)
        assert [(who, what) for _, who, what, _ in desk.trail(KEY)] == [
            ("ana", "applied"),
            ("bo", "cleared"),
            ("ana", "clearance voided"),
            ("ana", "applied"),
            ("bo", "cleared"),
            ("outreach", "published"),
            ("outreach", "call for part 1: live"),
        ]

    def test_a_key_that_never_was_is_not_found_with_the_nearest_one(self, desk):
        put(desk, draft())
        with pytest.raises(NotFound, match="there is no post 'c/news/en@met'") as refused:
            list(desk.trail("c/news/en@met"))
        assert refused.value.hint == f"did you mean {KEY}?"

    @pytest.mark.parametrize("table", ["trail", "snapshot"])
    @pytest.mark.parametrize("statement", ["UPDATE {} SET id = id + 1", "DELETE FROM {}"])
    def test_the_database_itself_refuses_to_change_it(self, desk, table, statement):
        put(desk, draft())
        with desk.store.writing() as session:
            session.add(
                Snapshot(subject=KEY, channel="net", metric="likes", taken_at=AT, source="network")
            )
        with (
            pytest.raises(DatabaseError, match=f"{table} is append-only"),
            desk.store.writing() as session,
        ):
            session.execute(text(statement.format(table)))
        with desk.store.reading() as session:
            assert session.execute(select(TABLES[table])).first()


def test_an_old_roster_does_not_change_what_was_cleared(desk, office):
    """Roles count when somebody says yes; the yes stays when they leave."""
    put(desk, draft(), clear=True)
    office.write("config/people.toml", PEOPLE_TOML.replace('"clearer", ', ""))
    again = office.open()
    assert again.status().roster.startswith("config/people.toml has changed")
    run_to(office, again, AT)
    assert state(again, KEY) == str(State.PUBLISHED)
