"""From the database to a month's report: what is counted, in which month, and what is not known."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from outreach.compose.links import Link
from outreach.delivery import Delivery, State
from outreach.errors import Changed, NotAllowed, NotFound
from outreach.measure import latest
from outreach.platforms import load
from outreach.report import gather
from outreach.report.periods import NoSuchPeriod
from outreach.report.value import Report
from outreach.store.tables import ReportRow
from tests.conftest import Office
from tests.drafts import draft, live, put, utc

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0"}
CHANNELS = """
[web]
platform = "feed"
title = "Web feed"

[net]
platform = "memory"

[byhand]
platform = "manual"
title = "WeChat"
"""


@pytest.fixture
def desk(office: Office):
    office.write("config/channels.toml", CHANNELS)
    office.clock.to("2025-09-06T00:00Z")  # the cut-off is 5 September, 24:00 in Bangkok
    return office.open()


def facts(desk, month="2025-08"):
    """What the month's report is computed from."""
    with desk.store.reading() as session:
        return gather.gather(
            session,
            month,
            configuration=desk.configuration,
            channels=desk.channels,
            offers={name: load(c.platform).offers for name, c in desk.channels.items()},
            now=desk.now(),
        )


def read(desk, key, metric, value, *, at, reason="", **more):
    """A figure of a post, as it was read then."""
    with desk.store.writing() as session:
        channel = key.rpartition("@")[2]
        told = {"taken_at": utc(at), "source": "network", "reason": reason, **more}
        latest.keep(session, [latest.row(key, channel, metric, value, **told)])


def figure(desk, channel, metric, month="2025-08"):
    """(value, reason) of a channel's month."""
    found = facts(desk, month).this.get(channel).figures[metric]
    return found.value, found.reason


class TestPosts:
    def test_the_month_is_the_one_of_the_report_s_zone(self, desk):
        for name, at in (
            ("july", "2025-07-31T16:59"),  # 23:59 in Bangkok
            ("first", "2025-07-31T17:00"),
            ("last", "2025-08-31T16:59"),
            ("september", "2025-08-31T17:00"),
        ):
            live(desk, f"c/{name}/en@net", at=utc(at))
        assert [post.title for post in facts(desk).posts] == ["first", "last"]
        assert facts(desk).this.get("net").posts == 2

    def test_a_figure_is_the_last_one_read_before_the_cut_off(self, desk):
        live(desk, "c/one/en@net", at=utc("2025-08-04T02:00"))
        read(desk, "c/one/en@net", "likes", 3, at="2025-08-05T02:00")
        read(desk, "c/one/en@net", "likes", 9, at="2025-09-05T16:59")
        read(desk, "c/one/en@net", "likes", 12, at="2025-09-05T17:01")
        [post] = facts(desk).posts
        assert post.figures["likes"].value == 9
        assert facts(desk).cut_off == utc("2025-09-05T17:00")

    def test_before_the_cut_off_the_report_ends_now(self, desk, office):
        office.clock.to("2025-08-20T00:00Z")
        assert facts(desk).cut_off == office.clock.at

    def test_a_post_that_was_found_live_later_counts_when_it_went_live(self, desk, office):
        key, at = "c/one/en@net", utc("2025-08-31T16:50")
        office.clock.at = at - timedelta(minutes=1)
        desk.tick()
        put(desk, draft(key, at=at))
        [reading] = desk.readings()
        desk.clear(reading.name, reading.fingerprint, by=desk.person("bo"))
        office.clock.at = at
        desk.platforms["net"].next_fault = "lost after"
        desk.tick()
        office.clock.to("2025-08-31T17:05Z")  # 00:05 of September
        office.leases.seconds += 900
        desk.tick()
        assert [post.title for post in facts(desk).posts] == ["one"]


class TestSums:
    def test_the_posts_of_the_month_are_added(self, desk):
        for name, likes in (("one", 3), ("two", 4)):
            live(desk, f"c/{name}/en@net", at=utc("2025-08-04T02:00"))
            read(desk, f"c/{name}/en@net", "likes", likes, at="2025-08-05T02:00")
        assert figure(desk, "net", "likes") == (7, "")

    def test_a_post_without_a_figure_makes_the_sum_none_and_never_smaller(self, desk):
        for name in ("one", "two"):
            live(desk, f"c/{name}/en@net", at=utc("2025-08-04T02:00"))
        read(desk, "c/one/en@net", "likes", 3, at="2025-08-05T02:00")
        assert figure(desk, "net", "likes") == (None, "not_yet_final")
        note = facts(desk).this.get("net").figures["likes"].note
        assert note == "missing for 1 of 2 posts"
        read(desk, "c/two/en@net", "likes", None, at="2025-08-05T02:00", reason="no_permission")
        assert figure(desk, "net", "likes") == (None, "no_permission")

    def test_a_figure_that_the_network_never_gives_is_not_offered_and_not_zero(self, desk):
        live(desk, "c/one/en@web", at=utc("2025-08-04T02:00"), url="https://post.example.org/1")
        month = facts(desk).this.get("web")
        assert (month.posts, month.shown) == (1, False)
        assert figure(desk, "web", "displays") == (None, "not_offered")
        assert figure(desk, "web", "clicks") == (None, "no_links")

    def test_a_channel_kept_by_hand_waits_for_its_figures(self, desk, office):
        live(desk, "c/one/en@byhand", at=utc("2025-08-04T02:00"), url="https://wx.example.org/1")
        office.clock.to("2025-09-01T00:00Z")
        desk.figures.collect()
        assert figure(desk, "byhand", "displays") == (None, "manual_pending")

    def test_followers_are_those_of_the_month_s_last_reading(self, desk, office):
        live(desk, "c/one/en@net", at=utc("2025-08-04T02:00"))
        for at, count in (
            ("2025-07-31T16:00", 90),
            ("2025-08-01T03:00", 100),
            ("2025-08-31T16:00", 120),
            ("2025-08-31T18:00", 130),
        ):
            read(desk, "net", "followers", count, at=at)
        assert figure(desk, "net", "followers") == (120, "")


class TestClicks:
    def test_only_visits_within_the_month_count(self, desk, office):
        link = Link("abcdefgh", "https://forum.example.org/")
        live(desk, "c/one/en@web", at=utc("2025-07-20T02:00"), url="u:1", links=[link])
        live(desk, "c/two/en@web", at=utc("2025-08-20T02:00"), url="u:2")
        for at in ("2025-07-31T16:59", "2025-07-31T17:00", "2025-08-31T16:59", "2025-08-31T17:00"):
            office.clock.at = utc(at)
            desk.public.follow("abcdefgh", method="GET", headers=BROWSER)
        office.clock.to("2025-09-06T00:00Z")
        assert figure(desk, "web", "clicks") == (2, "")
        assert figure(desk, "web", "clicks", "2025-07") == (1, "")

    def test_links_that_are_not_ours_are_not_counted_and_the_report_says_why(self, desk):
        text = "Read https://forum.example.org/"
        live(desk, "c/one/en@web", text, at=utc("2025-08-20T02:00"), url="u:1")
        assert figure(desk, "web", "clicks") == (None, "direct_links")
        assert facts(desk).posts[0].figures["clicks"].reason == "direct_links"
        report = desk.reports.make("2025-08", by=desk.person("ana"))
        notes = [note.text for note in report.table("channels").notes]
        assert notes == [
            "The posts printed direct links, not short ones of this desk, so that nobody counted "
            "who followed them."
        ]
        assert not any("Clicks are counted" in line for line in report.completeness)

    def test_no_visits_are_zero_where_there_was_a_link(self, desk):
        link = Link("abcdefgh", "https://forum.example.org/")
        live(desk, "c/one/en@web", at=utc("2025-08-20T02:00"), url="u:1", links=[link])
        assert figure(desk, "web", "clicks") == (0, "")


class TestImports:
    def imported(self, desk, text, **options):
        desk.figures.keep(text.encode(), file="f.csv", by=desk.person("ana"), **options)

    def test_a_month_that_somebody_imported_wins_over_what_was_computed(self, desk):
        live(desk, "c/one/en@net", at=utc("2025-08-04T02:00"))
        read(desk, "c/one/en@net", "likes", 3, at="2025-08-05T02:00")
        self.imported(desk, "channel,month,posts,likes\nnet,2025-08,14,812\n")
        month = facts(desk).this.get("net")
        assert (month.posts, month.value("likes")) == (14, 812)
        assert month.figures["likes"].by == "ana"

    def test_a_channel_without_posts_here_is_there_with_what_was_imported(self, desk):
        self.imported(desk, "channel,month,posts,displays,reason\nbyhand,2025-08,6,..,\n")
        month = facts(desk).this.get("byhand")
        assert (month.posts, month.value("displays")) == (6, None)
        assert month.figures["displays"].reason == "collection_failed"
        assert [one.channel for one in facts(desk).this.channels] == ["byhand"]

    def test_each_month_has_its_own(self, desk):
        self.imported(desk, "channel,month,likes\nnet,2024-08,5\nnet,2025-07,6\nnet,2025-08,7\n")
        found = facts(desk)
        months = found.every[::-1]
        assert [month.get("net").value("likes") for month in months] == [5, 6, 7]

    def test_samples_are_marked_to_the_end(self, desk):
        self.imported(desk, "channel,month,likes\nnet,2025-08,7\n", sample=True)
        assert facts(desk).this.get("net").sample
        assert desk.reports.make("2025-08", by=desk.person("ana")).sample


class TestWhatHappened:
    def test_missed_failed_and_uncertain_posts_are_counted_in_their_slot_s_month(self, desk):
        drafts = [
            draft(f"c/{state}-{n}/en@net", at=utc(at))
            for state in ("missed", "failed", "uncertain")
            for n, at in enumerate(("2025-08-31T16:59", "2025-08-31T17:00"))
        ]
        put(desk, *drafts)
        with desk.store.writing() as session:
            for row in session.query(Delivery):
                row.move(State(row.message.partition("-")[0]))
        found = facts(desk)
        assert (found.missed, found.failed, found.uncertain) == (1, 1, 1)

    def test_an_emergency_stands_in_the_month_in_which_it_was(self, desk, office):
        office.clock.to("2025-08-25T01:50Z")
        put(desk, draft(at=utc("2025-08-25T02:00")))
        [reading] = desk.readings()
        desk.clear(
            reading.name,
            reading.fingerprint,
            by=desk.person("ana"),
            emergency="the venue was closed at 08:50",
        )
        office.clock.to("2025-09-06T00:00Z")
        [override] = facts(desk).overrides
        assert (override.by, override.reason) == ("ana", "the venue was closed at 08:50")
        report = desk.reports.make("2025-08", by=desk.person("bo"))
        assert any("venue was closed at 08:50" in line for line in report.words("publication"))
        assert facts(desk, "2025-09").overrides == ()

    def test_the_plan_is_next_month_s(self, desk, office):
        office.clock.to("2025-08-20T00:00Z")
        put(
            desk,
            draft("c/august/en@net", at=utc("2025-08-31T16:59")),
            draft("c/september/en@net", at=utc("2025-08-31T17:00")),
            draft("c/october/en@net", at=utc("2025-09-30T17:00")),
        )
        assert [one.title for one in facts(desk).plan_next] == ["september"]


class TestTheReport:
    def test_a_month_with_no_data_says_so_and_has_no_zero_for_unknown(self, desk):
        report = desk.reports.make("2025-03", by=desk.person("ana"))
        assert report.table("channels").rows == ()
        assert report.summary == ("No figures were recorded for March 2025.",)
        assert report.completeness[0] == "No channel was kept in March 2025."
        assert report.words("publication")[0] == "This desk published no post in March 2025."

    def test_what_is_no_month_is_refused(self, desk):
        with pytest.raises(NoSuchPeriod, match="'August' is no month") as refused:
            desk.reports.make("August", by=desk.person("ana"))
        assert refused.value.hint.startswith("write 2025-08, 2025-07-26..2025-09-01")

    def test_a_month_that_is_not_over_says_so(self, desk, office):
        said = "August 2025 was not over when this report was made: posts and figures up to "
        office.clock.to("2025-08-20T00:00Z")
        report = desk.reports.make("2025-08", by=desk.person("ana"))
        assert f"{said}20 August 2025, 07:00, in the time zone Asia/Bangkok." in report.completeness
        office.clock.to("2025-09-01T00:00Z")
        report = desk.reports.make("2025-08", by=desk.person("ana"))
        assert not any("was not over" in line for line in report.completeness)

    def test_a_month_that_has_not_begun_is_declined(self, desk, office):
        with pytest.raises(NotAllowed, match="October 2025 has not begun") as refused:
            desk.reports.make("2025-10", by=desk.person("ana"))
        assert refused.value.hint == "make its report when it is over: 1 November 2025 or later"

    def test_it_is_frozen_and_a_later_one_is_another_version(self, desk):
        live(desk, "c/one/en@net", at=utc("2025-08-04T02:00"))
        first = desk.reports.make("2025-08", by=desk.person("ana"))
        read(desk, "c/one/en@net", "likes", 9, at="2025-09-01T02:00")
        second = desk.reports.make("2025-08", by=desk.person("bo"))
        with desk.store.reading() as session:
            rows = session.scalars(select(ReportRow).order_by(ReportRow.version)).all()
        assert [(row.version, row.by) for row in rows] == [(1, "ana"), (2, "bo")]
        assert [Report.of(row.data) for row in rows] == [first, second]
        assert first != second


class TestPeriods:
    def imported(self, desk, text):
        desk.figures.keep(text.encode(), file="f.csv", by=desk.person("ana"))

    def value(self, desk, about, channel="net", metric="likes"):
        found = facts(desk, about).this.get(channel)
        return found and (found.value(metric), found.figures[metric].reason)

    def test_days_have_the_posts_of_these_days_and_parts_add_up_to_the_whole(self, desk):
        for day, likes in ((3, 5), (10, 7), (25, 11)):
            key = f"c/d{day}/en@net"
            live(desk, key, at=utc(f"2025-08-{day:02}T02:00"))
            read(desk, key, "likes", likes, at=f"2025-08-{day + 1:02}T02:00")
        assert self.value(desk, "2025-08-01..2025-08-31") == (23, "") == self.value(desk, "2025-08")
        halves = ("2025-08-01..2025-08-10", "2025-08-11..2025-08-31")
        assert [self.value(desk, one)[0] for one in halves] == [12, 11]
        assert [one.facts.period.name for one in facts(desk, halves[1]).against] == [
            "2025-07-21..2025-08-10",
            "2024-08-11..2024-08-31",
        ]

    def test_totals_of_months_are_added_and_never_cut(self, desk):
        head = "channel,month,posts,likes\n"
        self.imported(desk, f"{head}net,2025-06,3,10\nnet,2025-07,4,20\nbyhand,2025-07,1,5\n")
        assert self.value(desk, "2025-06-01..2025-07-31") == (30, "")
        assert facts(desk, "2025-06-01..2025-07-31").this.get("net").posts == 7
        # a month in which nobody entered anything makes no total that only looks whole
        assert self.value(desk, "2025-06-01..2025-07-31", "byhand") == (None, "manual_pending")
        assert self.value(desk, "2025-06-01..2025-08-31") == (None, "manual_pending")
        live(desk, "c/one/en@net", at=utc("2025-07-04T02:00"))
        read(desk, "c/one/en@net", "likes", 2, at="2025-07-05T02:00")
        cut = facts(desk, "2025-06-15..2025-07-31").this.get("net")
        assert (cut.posts, cut.figures["displays"].reason) == (None, "whole_months")
        assert "likes" not in cut.figures

    def test_a_campaign_has_its_own_posts_and_clicks_and_no_others(self, desk, office):
        link = Link("abcdefgh", "https://forum.example.org/")
        live(desk, "c/one/en@web", at=utc("2025-07-20T02:00"), url="u:1", links=[link])
        live(desk, "other/two/en@web", at=utc("2025-07-21T02:00"), url="u:2")
        live(desk, "c/three/en@net", at=utc("2025-08-04T02:00"))
        office.clock.at = utc("2025-07-25T00:00")
        desk.public.follow("abcdefgh", method="GET", headers=BROWSER)
        office.clock.to("2025-09-06T00:00Z")
        found = facts(desk, "campaign:c")
        assert [post.title for post in found.posts] == ["one", "three"]
        assert found.period.within == "from 20 July to 4 August 2025"
        assert self.value(desk, "campaign:c", "web", "clicks") == (1, "")
        assert found.against == ()
        made = desk.reports.draft("campaign:c", against="campaign:other")
        assert made.comparisons[0].with_period == "campaign:other"
        with pytest.raises(NotFound, match="no post of a campaign 'd'") as refused:
            facts(desk, "campaign:d")
        assert "known are: c, other" in refused.value.hint

    def test_an_event_without_a_file_says_what_to_do(self, desk):
        with pytest.raises(NotFound, match="no campaign file of 'c'") as refused:
            facts(desk, "event:c")
        assert "outreach report 2024-07-30..2024-09-05" in refused.value.hint

    def test_a_post_counts_as_it_was_after_seven_days_if_it_was_looked_at_then(self, desk):
        for name, at in (("one", "2025-08-11T03:00"), ("late", "2025-08-13T03:00")):
            live(desk, f"c/{name}/en@net", at=utc("2025-08-04T02:00"))
            read(desk, f"c/{name}/en@net", "displays", 50, at=at, rung="7 d")
            read(desk, f"c/{name}/en@net", "displays", 90, at="2025-09-01T02:00", rung="28 d")
        weeks = {post.title: dict(post.week) for post in facts(desk).posts}
        assert weeks == {"one": {"displays": 50}, "late": {}}


class TestVersions:
    def test_a_draft_is_kept_nowhere_and_says_so(self, desk):
        made = desk.reports.draft("2025-08")
        assert made.draft.startswith("DRAFT") and made.subtitle.startswith("DRAFT")
        assert (made.edition, made.file_name) == (0, "outreach-2025-08-draft")
        assert desk.reports.kept() == []

    def test_each_is_shown_again_as_it_was(self, desk):
        live(desk, "c/one/en@net", at=utc("2025-08-04T02:00"))
        first = desk.reports.make("2025-08", by=desk.person("ana"))
        read(desk, "c/one/en@net", "likes", 9, at="2025-09-01T02:00")
        second = desk.reports.make("2025-08", by=desk.person("bo"))
        [newest, oldest] = desk.reports.kept()
        assert [(one.version, one.superseded) for one in (newest, oldest)] == [
            (2, False),
            (1, True),
        ]
        assert desk.reports.show("2025-08") == desk.reports.show(str(newest.number)) == second
        assert desk.reports.show("2025-08 v1") == desk.reports.show(str(oldest.number)) == first
        [row] = second.table("revised").rows
        assert [cell.text for cell in row.cells] == [
            *("Likes", "August 2025", "..", "9"),
            "Figures of one post were read later.",
        ]
        with pytest.raises(NotFound, match="no kept report '2025-07'"):
            desk.reports.show("2025-07")

    def test_two_at_once_do_not_become_one(self, desk):
        with desk.store.reading() as session:
            given = desk.reports._gathered(session, "2025-08", against="", by="Ana")
        desk.reports.make("2025-08", by=desk.person("bo"))
        told = pytest.raises(Changed, match="version 1 of this report")
        with told, desk.store.writing() as session:
            gather.freeze(session, given, by="ana", now=desk.now())

    def test_lessons_are_printed_with_who_and_when_in_every_later_version(self, desk, office):
        desk.reports.learn(
            "2025-08", ["Pictures helped", "", "Post earlier"], by=desk.person("ana")
        )
        office.clock.to("2025-09-08T00:00Z")
        kept = desk.reports.learn(
            "2025-08", ["Pictures helped", "Ask Incheon"], by=desk.person("ana")
        )
        assert [(one.text, one.at < office.clock.at) for one in kept] == [
            ("Pictures helped", True),
            ("Ask Incheon", False),
        ]
        made = desk.reports.make("2025-08", by=desk.person("ana"))
        assert made.words("remarks") == (
            "Pictures helped. (Ana Example, 6 September 2025)",
            "Ask Incheon. (Ana Example, 8 September 2025)",
        )
        assert desk.reports.lessons("2025-07") == []
