"""A yes is one person's, to exactly what they read, for a time; and what happened stays written."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from outreach.clearance import Clearance, Window
from outreach.delivery import Delivery
from outreach.errors import Changed, NotAllowed
from outreach.post import Part, Picture, Post
from outreach.store.tables import Mail
from tests.conftest import OUTREACH_TOML, Office, clear_all, state
from tests.drafts import AT, KEY, draft, put, row, slot, trail, utc

PICTURE = Picture("a.png", "aa11", "image/png", 800, 600, 1000, "Two people plant a tree.")


@pytest.fixture
def desk(office: Office):
    return office.open()


def clear(desk, by: str = "bo", **options):
    [reading] = desk.readings()
    return desk.clear(reading.name, reading.fingerprint, by=desk.person(by), **options)


class TestTheFingerprint:
    """What the public sees is what is bound; each of these changes it."""

    POST = Post("c", "m", "en", "net", (Part("One.", "en", (PICTURE,)), Part("Two.")), "net @a")
    FIRST, SECOND = POST.parts

    @pytest.mark.parametrize(
        ("what", "other"),
        [
            ("a comma", replace(POST, parts=(replace(FIRST, text="One,"), SECOND))),
            (
                "the alt text",
                replace(
                    POST, parts=(replace(FIRST, pictures=(replace(PICTURE, alt="A."),)), SECOND)
                ),
            ),
            (
                "the picture's bytes",
                replace(
                    POST, parts=(replace(FIRST, pictures=(replace(PICTURE, sha256="b"),)), SECOND)
                ),
            ),
            (
                "the credit",
                replace(
                    POST, parts=(replace(FIRST, pictures=(replace(PICTURE, credit="X"),)), SECOND)
                ),
            ),
            ("a picture less", replace(POST, parts=(replace(FIRST, pictures=()), SECOND))),
            ("the channel", replace(POST, channel="web")),
            ("the account", replace(POST, account="net @b")),
            ("the language", replace(POST, language="ko")),
            ("a part's language", replace(POST, parts=(replace(FIRST, language="ko"), SECOND))),
            ("the order of parts", replace(POST, parts=(SECOND, FIRST))),
            ("a part less", replace(POST, parts=(FIRST,))),
            ("two parts in one", replace(POST, parts=(replace(FIRST, text="One.Two."),))),
        ],
    )
    def test_it_changes_with(self, what, other):
        assert other.fingerprint != self.POST.fingerprint

    @pytest.mark.parametrize(
        "other",
        [
            replace(POST, parts=(replace(FIRST, token="f" * 32), SECOND)),
            replace(
                POST,
                parts=(
                    replace(FIRST, pictures=(replace(PICTURE, file="b.png", data=b"x"),)),
                    SECOND,
                ),
            ),
            Post.of(POST.as_data()),
        ],
    )
    def test_it_does_not_change_with_what_nobody_sees(self, other):
        assert other.fingerprint == self.POST.fingerprint

    def test_a_change_of_it_voids_the_clearance_and_the_clearer_is_told(self, desk):
        put(desk, draft(KEY, "Words.", pictures=[PICTURE]))
        clear(desk)
        put(desk, draft(KEY, "Words.", pictures=[replace(PICTURE, alt="One person.")]))
        assert state(desk, KEY) == "proposed"
        assert "clearance voided" in trail(desk)
        assert f"{KEY} your clearance no longer holds" in mails(desk, "bo")


def mails(desk, to: str) -> list[str]:
    with desk.store.reading() as session:
        return [mail.subject for mail in session.query(Mail).filter(Mail.to == to)]


class TestReading:
    def test_what_changed_since_it_was_read_is_refused(self, desk):
        put(desk, draft(KEY, "Words."))
        [read] = desk.readings()
        put(desk, draft(KEY, "Other words."))
        with pytest.raises(Changed, match="has changed since you read it") as refused:
            desk.clear(read.name, read.fingerprint, by=desk.person("bo"))
        assert refused.value.hint == "read it again: outreach review"
        assert state(desk, KEY) == "proposed"

    def test_a_time_that_moved_and_a_channel_that_came_make_it_stale_too(self, desk):
        first = draft()
        for then in (
            [draft(at=AT + timedelta(hours=1))],
            [first, draft("c/news/en@web")],
        ):
            put(desk, first)
            [read] = desk.readings()
            put(desk, *then)
            with pytest.raises(Changed):
                desk.clear(read.name, read.fingerprint, by=desk.person("bo"))

    def test_one_yes_is_to_one_message_in_one_language_on_all_its_channels(self, desk):
        keys = ["c/news/en@net", "c/news/en@web", "c/news/ko@net", "c/other/en@net"]
        put(desk, *(draft(key, key) for key in keys))
        names = {reading.name: reading for reading in desk.readings()}
        assert sorted(names) == ["c/news/en", "c/news/ko", "c/other/en"]
        desk.clear("c/news/en", names["c/news/en"].fingerprint, by=desk.person("bo"))
        assert [state(desk, key) for key in keys] == ["cleared", "cleared", "proposed", "proposed"]
        with desk.store.reading() as session:
            given = {one.key: one.fingerprint for one in session.query(Clearance)}
        assert given == {key: row(desk, key).fingerprint for key in keys[:2]}

    def test_renderings_that_differ_only_in_their_addresses_are_the_same(self, desk):
        utm = "https://forum.example.org/r?utm_source={}&utm_medium=social&utm_campaign=c"
        short = "https://go.example.org/l/{}"
        texts = {
            "a": "Come. " + utm.format("a"),
            "b": "Come. " + utm.format("b"),
            "c": "Come! " + utm.format("c"),
            "d": "Go. " + short.format("aaaabbbb"),
            "e": "Go. " + short.format("ccccdddd"),
        }
        put(desk, *(draft(f"c/news/en@{name}", text) for name, text in texts.items()))
        [reading] = desk.readings()
        same = {one.channel: one.same_as for one in reading.renderings}
        assert same == {"a": "", "b": "a", "c": "", "d": "", "e": "d"}

    def test_soonest_is_read_first_and_nobody_is_shown_their_own(self, desk):
        put(
            desk,
            draft("c/late/en@net", at=AT + timedelta(hours=2)),
            draft("c/soon/en@net"),
            draft("c/mine/en@net", authors=["bo"]),
        )
        assert [r.name for r in desk.readings(for_=desk.person("bo"))] == ["c/soon/en", "c/late/en"]
        assert len(desk.readings()) == 3


class TestWho:
    @pytest.mark.parametrize(
        ("by", "told"),
        [
            ("ana", "Ana Example is administrator and officer"),  # no clearer
            ("cy", "Cy Example is guest"),
        ],
    )
    def test_only_a_clearer_says_yes(self, desk, by, told):
        put(desk, draft(authors=["di"]), by="di")
        with pytest.raises(NotAllowed, match=told) as refused:
            clear(desk, by)
        assert "this needs the role clearer" in refused.value.hint

    def test_nobody_clears_what_they_wrote_or_applied(self, desk):
        for drafted, by in ((draft(authors=["bo"]), "ana"), (draft(KEY, "Other."), "bo")):
            put(desk, drafted, by=by)
            with pytest.raises(NotAllowed, match=f"Bo Example is an author of {KEY}"):
                clear(desk)
        assert state(desk, KEY) == "proposed"

    def test_an_emergency_lets_an_author_and_stands_in_the_trail(self, desk):
        put(desk, draft())
        clear(desk, "ana", emergency="the venue is closed")
        assert state(desk, KEY) == "cleared"
        [told] = [why for _, who, what, why in desk.trail(KEY) if "emergency" in what]
        assert told == "the venue is closed"
        assert f"{KEY} was cleared in an emergency by its author" in mails(desk, "bo")

    @pytest.mark.parametrize("by", ["ana", "cy"])
    def test_without_a_reason_or_a_say_there_is_no_emergency(self, desk, by):
        put(desk, draft())
        with pytest.raises(NotAllowed):
            clear(desk, by, emergency="" if by == "ana" else "a guest's reason")
        assert state(desk, KEY) == "proposed"


class TestHowLong:
    BERLIN = ("2025-10-26T09:00", "Europe/Berlin")  # a day of 25 hours

    @pytest.mark.parametrize(
        ("window", "starts", "ends"),
        [
            (Window("time"), "2025-10-26T09:00", "2025-10-26T09:00:00.000001"),
            (Window("day"), "2025-10-25T22:00", "2025-10-26T23:00"),
            (Window("until", utc("2025-10-30T23:00")), "2025-10-25T22:00", "2025-10-30T23:00"),
        ],
    )
    def test_a_window_is_this_time_that_day_or_until(self, window, starts, ends):
        at, zone = self.BERLIN
        assert window.around(slot(utc(at), zone)) == (utc(starts), utc(ends))

    def test_a_day_of_23_hours_ends_at_the_next_local_midnight(self):
        spring = slot(utc("2025-03-30T09:00"), "Europe/Berlin")
        assert Window().around(spring) == (utc("2025-03-29T23:00"), utc("2025-03-30T22:00"))

    def test_a_window_that_ends_before_the_slot_is_none(self, desk):
        put(desk, draft())
        with pytest.raises(NotAllowed, match="the window ends before the slot"):
            clear(desk, window=Window("until", AT))
        assert state(desk, KEY) == "proposed"

    @pytest.mark.parametrize(
        ("window", "minutes", "stands"),
        [
            (Window("time"), 0, "cleared"),
            (Window("time"), 1, "proposed"),
            (Window("until", AT + timedelta(days=3)), 60 * 72 - 1, "cleared"),
            (Window("until", AT + timedelta(days=3)), 60 * 72, "proposed"),
        ],
    )
    def test_a_move_is_held_against_the_window(self, desk, window, minutes, stands):
        put(desk, draft())
        clear(desk, window=window)
        put(desk, draft(at=AT + timedelta(minutes=minutes)))
        assert state(desk, KEY) == stands

    def test_a_yes_that_is_too_old_does_not_send_and_the_clearer_is_told(self, office):
        office.write("config/outreach.toml", OUTREACH_TOML + "[clearance]\nmax-age-days = 2\n")
        desk = office.open()
        in_time, too_old = "c/near/en@net", "c/far/en@net"
        put(
            desk,
            draft(in_time, "Near.", at=AT + timedelta(days=1)),
            draft(too_old, "Far.", at=AT + timedelta(days=2)),
        )
        clear_all(desk)
        for day in (1, 2):
            for minute in (-2, 0):
                office.clock.at = AT + timedelta(days=day, minutes=minute)
                desk.tick()
                desk.publisher.look(at_once=True)
        assert "Far." not in desk.platforms["net"].texts
        assert (state(desk, too_old), state(desk, in_time)) == ("proposed", "published")
        assert ("clearance voided", "the clearance has expired") in [
            (what, why) for _, _, what, why in desk.trail(too_old)
        ]
        assert f"{too_old} your clearance no longer holds" in mails(desk, "bo")

    def test_what_is_too_late_to_send_is_too_late_to_clear(self, desk, office):
        put(desk, draft())
        office.clock.at = AT + timedelta(minutes=15)
        with pytest.raises(NotAllowed, match=f"the time of {KEY} has passed"):
            clear(desk)


class TestReturned:
    def test_it_needs_a_reason_and_a_clearer(self, desk):
        put(desk, draft())
        with pytest.raises(NotAllowed, match="a reason is needed"):
            desk.return_("c/news/en", "  ", by=desk.person("bo"))
        with pytest.raises(NotAllowed, match="Ana Example is"):
            desk.return_("c/news/en", "Too long.", by=desk.person("ana"))

    def test_it_cannot_be_cleared_until_it_changes_and_its_authors_are_told(self, desk):
        put(desk, draft())
        desk.return_("c/news/en", "Name the venue.", by=desk.person("bo"))
        assert f"{KEY} returned to you" in mails(desk, "ana")
        with pytest.raises(NotAllowed, match="returned by Bo Example: Name the venue"):
            clear(desk)
        put(desk, draft(late=timedelta(hours=1)))  # a rule is no answer
        with pytest.raises(NotAllowed):
            clear(desk)
        put(desk, draft(KEY, "In Goyang."))
        clear(desk)
        assert state(desk, KEY) == "cleared"

    def test_one_channel_goes_back_and_the_others_stay(self, desk):
        other = "c/news/en@web"
        put(desk, draft(), draft(other, "Words for the feed."))
        clear(desk)
        desk.return_(KEY, "Shorter.", by=desk.person("bo"))
        assert (state(desk, KEY), state(desk, other)) == ("proposed", "cleared")
        [reading] = desk.readings()
        assert (reading.renderings, reading.blocked) == (
            (),
            ((KEY, "returned by Bo Example: Shorter."),),
        )


class TestTheTrail:
    def test_every_step_stands_in_it(self, desk):
        put(desk, draft())
        clear(desk)
        put(desk, draft(KEY, "Other."))
        put(desk)
        assert trail(desk) == ["applied", "cleared", "clearance voided", "applied", "dropped"]

    @pytest.mark.parametrize("statement", ["UPDATE trail SET who = 'eve'", "DELETE FROM trail"])
    def test_the_database_itself_refuses_to_change_it(self, desk, statement):
        put(desk, draft())
        before = list(desk.trail())
        with (
            pytest.raises(DatabaseError, match="trail is append-only"),
            desk.store.engine.begin() as connection,
        ):
            connection.execute(text(statement))
        assert list(desk.trail()) == before

    def test_a_delivery_that_is_gone_leaves_its_trail(self, desk):
        put(desk, draft())
        with desk.store.writing() as session:
            session.delete(session.get_one(Delivery, KEY))
        assert any(KEY in what for _, _, what, _ in desk.trail())
