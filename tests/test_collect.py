"""Figures: when they are asked for, what is kept, and what is kept where there is none."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from outreach.compose.links import Link
from outreach.errors import NotAllowed, NotFound, NotNow, Refused, WrongFiles
from outreach.measure import latest
from outreach.measure.collect import LEASE, ladder, month_of
from outreach.platforms.memory import Memory
from outreach.report import gather
from outreach.store.tables import Click, Collection, ImportBatch, Snapshot
from tests.conftest import Office
from tests.drafts import KEY, SOON, put, soon, utc
from tests.platforms.servers import XNetwork, serving

LINK = Link("abcdefgh", "https://neaspec.org/forum?utm_source=net")
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@pytest.fixture
def desk(office: Office):
    """A desk that has published two posts, one with a link."""
    desk = office.open()
    desk.tick()
    put(desk, soon("news", links=[LINK]), soon("more"), clear=True)
    office.clock.to(SOON)
    desk.tick()
    return desk


def figures(desk, subject: str = KEY, metric: str = "likes") -> list[tuple[str, int | None, str]]:
    """(rung, value, reason) of each snapshot, in order."""
    with desk.store.reading() as session:
        rows = session.scalars(
            select(Snapshot)
            .where(Snapshot.subject == subject, Snapshot.metric == metric)
            .order_by(Snapshot.id)
        )
        return [(row.rung, row.value, row.reason) for row in rows]


class TestTheLadder:
    def test_a_post_is_looked_at_seven_times_the_last_at_its_month_s_end_in_the_report_s_zone(self):
        at = utc("2025-08-25T02:00Z")
        assert ladder(at, "Asia/Bangkok") == {
            "1 h": utc("2025-08-25T03:00Z"),
            "6 h": utc("2025-08-25T08:00Z"),
            "1 d": utc("2025-08-26T02:00Z"),
            "3 d": utc("2025-08-28T02:00Z"),
            "7 d": utc("2025-09-01T02:00Z"),
            "28 d": utc("2025-09-22T02:00Z"),
            "2025-08": utc("2025-08-31T17:00Z"),
        }
        assert ladder(at, "Asia/Seoul")["2025-08"] == utc("2025-08-31T15:00Z")

    @pytest.mark.parametrize(
        ("at", "zone", "month"),
        [
            ("2025-07-31T16:59:59Z", "Asia/Bangkok", "2025-07"),
            ("2025-07-31T17:00:00Z", "Asia/Bangkok", "2025-08"),
            ("2025-08-31T16:59:59Z", "Asia/Bangkok", "2025-08"),
            ("2025-08-31T17:00:00Z", "Asia/Bangkok", "2025-09"),
            ("2025-07-31T14:59:59Z", "Asia/Seoul", "2025-07"),
            ("2025-07-31T15:00:00Z", "Asia/Seoul", "2025-08"),
            ("2025-08-31T14:59:59Z", "Asia/Seoul", "2025-08"),
            ("2025-08-31T15:00:00Z", "Asia/Seoul", "2025-09"),
            ("2025-12-31T15:00:00Z", "Asia/Seoul", "2026-01"),
            ("2026-01-01T04:59:59Z", "America/New_York", "2025-12"),
            ("2026-01-01T05:00:00Z", "America/New_York", "2026-01"),
            ("2026-01-01T00:00:00Z", "UTC", "2026-01"),
        ],
    )
    def test_a_month_is_a_month_in_the_report_s_zone(self, at, zone, month):
        assert month_of(utc(at), zone) == month

    def test_each_rung_is_taken_once_at_its_time(self, desk, office):
        for hours, likes in ((0, 0), (1, 3), (2, 4), (6, 7), (24, 9)):
            for post in desk.platforms["net"].live:
                desk.platforms["net"].figures_of[post.receipt.id] = {"likes": likes}
            office.clock.at = utc(SOON) + timedelta(hours=hours)
            desk.figures.collect()
            desk.figures.collect()
        assert figures(desk) == [("1 h", 3, ""), ("6 h", 7, ""), ("1 d", 9, "")]


class TestWhatANetworkTells:
    def test_one_call_asks_for_every_post_of_a_channel(self, desk, office, monkeypatch):
        calls = []
        ask = desk.platforms["net"].figures
        desk.platforms["net"].figures = lambda r: calls.append(len(r)) or ask(r)
        office.clock.forward(hours=1)
        desk.figures.collect()
        assert calls == [2]

    def test_a_figure_it_does_not_tell_is_none_with_a_reason_and_never_nought(self, desk, office):
        news = next(p for p in desk.platforms["net"].live if p.part.text == "This is news.")
        desk.platforms["net"].figures_of[news.receipt.id] = {}
        office.clock.forward(hours=1)
        desk.figures.collect()
        assert figures(desk) == [("1 h", None, "collection_failed")]
        assert figures(desk, "c/more/en@net") == [("1 h", 0, "")]

    def test_not_now_is_asked_again_and_keeps_nothing(self, desk, office):
        fail(desk, NotNow("busy"))
        office.clock.forward(hours=1)
        assert desk.figures.collect() == 0
        mend(desk)
        office.clock.forward(minutes=5)
        desk.figures.collect()
        assert figures(desk) == [("1 h", 0, "")]

    @pytest.mark.parametrize(
        ("error", "reason"),
        [(Refused("expired"), "no_permission"), (RuntimeError("odd"), "collection_failed")],
    )
    def test_it_is_none_with_the_reason_once_patience_is_over(self, desk, office, error, reason):
        fail(desk, error)
        office.clock.forward(hours=6, minutes=59)
        desk.figures.collect()
        assert figures(desk) == []
        office.clock.forward(minutes=1)
        desk.figures.collect()
        assert figures(desk) == [("1 h", None, reason)]

    def test_it_recovers_within_patience_and_then_it_is_a_value(self, desk, office):
        fail(desk, Refused("expired"))
        office.clock.forward(hours=2)
        desk.figures.collect()
        mend(desk)
        office.clock.forward(hours=1)
        desk.figures.collect()
        assert figures(desk) == [("1 h", 0, "")]

    def test_a_figure_that_is_taken_late_says_so(self, desk, office):
        office.clock.forward(hours=4, minutes=30)
        desk.figures.collect()
        with desk.store.reading() as session:
            notes = session.scalars(select(Snapshot.note).where(Snapshot.subject == KEY)).all()
        assert set(notes) == {"collected 3 hours after it was due"}

    def test_followers_are_the_account_s(self, desk):
        desk.platforms["net"].audience = lambda: {"followers": 1204}
        desk.figures.collect_audience()
        assert figures(desk, "net", "followers") == [("", 1204, "")]

    def test_what_a_person_has_to_read_is_pending(self, office):
        desk = by_hand(office, "https://hand.example.org/1")
        office.clock.forward(hours=1)
        desk.figures.collect()
        assert figures(desk, "c/news/en@hand") == [("1 h", None, "manual_pending")]


class TestClaims:
    """A look is claimed before a network is asked, as a delivery is."""

    def test_two_processes_never_look_at_once(self, desk, office):
        other = office.open()
        met = []

        def meanwhile(receipts):
            met.append(other.figures.collect())
            return Memory.figures(desk.platforms["net"], receipts)

        desk.platforms["net"].figures = meanwhile
        other.platforms["net"].figures = lambda _receipts: met.append("asked")
        office.clock.forward(hours=1)
        desk.figures.collect()
        assert met == [0]
        assert figures(desk) == [("1 h", 0, "")]

    def test_what_a_process_that_died_had_claimed_is_looked_at_by_another(self, desk, office):
        fail(desk, SystemExit())
        office.clock.forward(hours=1)
        with pytest.raises(SystemExit):
            desk.figures.collect()
        other = office.open()
        other.platforms["net"].live = desk.platforms["net"].live
        assert other.figures.collect() == 0
        office.leases.seconds += LEASE + 1
        other.figures.collect()
        assert figures(desk) == [("1 h", 0, "")]

    def test_an_answer_after_the_lease_is_not_kept_a_second_time(self, desk, office):
        other = office.open()
        other.platforms["net"].live = desk.platforms["net"].live

        def slow(receipts):
            office.leases.seconds += LEASE + 1
            other.figures.collect()
            return {one.id: {"likes": 99} for one in receipts}

        desk.platforms["net"].figures = slow
        office.clock.forward(hours=1)
        desk.figures.collect()
        assert figures(desk) == [("1 h", 0, "")]

    def test_a_network_that_asks_to_wait_is_not_asked_before(self, desk, office):
        fail(desk, NotNow("busy", timedelta(hours=2)))
        office.clock.forward(hours=1)
        desk.figures.collect()
        mend(desk)
        office.clock.forward(hours=1, minutes=59)
        assert desk.figures.collect() == 0
        office.clock.forward(minutes=1)
        assert desk.figures.collect() > 0


class TestWindows:
    """A network that tells a figure for seven days only."""

    @pytest.fixture
    def desk(self, office):
        desk = office.open()
        desk.platforms["net"].windows = {"likes": timedelta(days=7)}
        desk.tick()
        put(desk, soon("news"), clear=True)
        office.clock.to(SOON)
        desk.tick()
        desk.figures.collect()
        return desk

    def test_it_is_asked_before_the_window_closes_and_that_is_what_stays(self, desk, office):
        posts = [one.receipt.id for one in desk.platforms["net"].live]
        for days, told in ((6.2, {"likes": 5}), (8, {}), (29, {})):
            desk.platforms["net"].figures_of = dict.fromkeys(posts, told)
            office.clock.at = utc(SOON) + timedelta(days=days)
            desk.figures.collect()
        found = figures(desk)
        assert ("before 7 days", 5, "") in found
        assert {value for _, value, _ in found} == {5}
        assert "figures" not in {one.kind for one in desk.watch.look()}

    def test_a_network_that_fails_then_is_asked_until_it_closes(self, desk, office):
        fail(desk, RuntimeError("down"))
        office.clock.at = utc(SOON) + timedelta(days=6, hours=4)
        desk.figures.collect()
        office.clock.at = utc(SOON) + timedelta(days=6, hours=23)
        desk.figures.collect()
        mend(desk)
        office.clock.forward(minutes=30)
        desk.figures.collect()
        assert ("before 7 days", 0, "") in figures(desk)

    def test_one_that_was_missed_is_never_missed_silently(self, desk, office):
        for post in desk.platforms["net"].live:
            desk.platforms["net"].figures_of[post.receipt.id] = {}
        office.clock.at = utc(SOON) + timedelta(days=8)
        desk.figures.collect()
        assert ("before 7 days", None, "expired_window") in figures(desk)
        [alarm] = [one for one in desk.watch.look() if one.kind == "figures"]
        assert alarm.what == (
            f"{KEY} has figures that its network tells no more, and they were never read"
        )


class TestClicks:
    def test_a_visit_is_counted_to_the_minute_and_nothing_is_kept_of_who_it_was(self, desk, office):
        office.clock.to("2025-07-20T02:03:41Z")
        assert desk.public.follow(LINK.code, method="GET", headers=BROWSER) == LINK.target
        with desk.store.reading() as session:
            [click] = session.scalars(select(Click))
        assert {c.name: getattr(click, c.name) for c in Click.__table__.columns} == {
            "id": 1,
            "code": LINK.code,
            "key": KEY,
            "at": utc("2025-07-20T02:03Z"),
        }

    @pytest.mark.parametrize(
        ("method", "headers"),
        [
            ("GET", {"User-Agent": "TelegramBot (like TwitterBot)"}),
            ("GET", {}),
            ("HEAD", BROWSER),
            ("GET", {**BROWSER, "Sec-Purpose": "prefetch"}),
        ],
        ids=["a bot", "nobody", "a look", "a prefetch"],
    )
    def test_what_is_no_reader_gets_there_and_is_not_counted(self, desk, method, headers):
        assert desk.public.follow(LINK.code, method=method, headers=headers) == LINK.target
        with desk.store.reading() as session:
            assert session.scalars(select(Click)).all() == []

    def test_a_link_opens_with_its_post_and_not_before(self, office):
        desk = office.open()
        put(desk, soon("news", links=[LINK]), clear=True)
        with pytest.raises(NotFound, match="there is no such link"):
            desk.public.follow(LINK.code, method="GET", headers=BROWSER)
        with pytest.raises(NotFound):
            desk.public.follow("nothing2", method="GET", headers=BROWSER)

    def test_they_are_figures_of_the_post(self, desk, office):
        for _ in range(3):
            desk.public.follow(LINK.code, method="GET", headers=BROWSER)
        office.clock.forward(hours=1)
        desk.figures.collect()
        assert figures(desk, KEY, "clicks") == [("1 h", 3, "")]
        assert figures(desk, "c/more/en@net", "clicks") == []  # it prints no link


def test_xs_own_count_of_clicks_is_kept_where_our_links_are_not_and_for_thirty_days(office):
    """The last rung but a month's end is before X stops telling; none after it takes it away."""
    network = XNetwork(generation="post")
    with serving(network) as base:
        office.write("config/channels.toml", f'[net]\nplatform = "x"\nbase = "{base}"\n')
        secrets = (f"OUTREACH_NET_{name.upper()}={v}\n" for name, v in network.SECRETS.items())
        office.write(".env", "".join(secrets))
        desk = office.open()
        desk.tick()
        direct = soon("more", "More at https://neaspec.org/forum", account="x net")
        put(desk, soon("news", links=[LINK], account="x net"), direct, clear=True)
        office.clock.to(SOON)
        desk.tick()
        days = timedelta(0)
        for after in (timedelta(hours=1), timedelta(days=28), timedelta(days=32)):
            office.clock.at += after - days
            for post in network.posts:  # the stand-in's clock is the real one
                post.at -= after - days
            days = after
            desk.figures.collect()
    assert [value for _, value, _ in figures(desk, "c/more/en@net", "clicks")][-1] == 9
    assert {value for _, value, _ in figures(desk, KEY, "clicks")} == {0}  # our own: nobody came
    assert {value for _, value, _ in figures(desk, KEY, "likes")} == {3}


class TestImports:
    csv = b"channel,month,posts,displays,engagements,clicks\nnet,2025-06,6,3842,121,44\n"

    def imported(self, desk, data: bytes | None = None) -> None:
        desk.figures.keep(data or self.csv, file="june.csv", by=desk.person("ana"))

    def test_the_same_file_twice_changes_nothing(self, desk):
        self.imported(desk)
        before = figures(desk, "net", "displays")
        self.imported(desk)
        assert figures(desk, "net", "displays") == before == [("", 3842, "")]
        with desk.store.reading() as session:
            assert len(session.scalars(select(ImportBatch)).all()) == 1

    def test_a_corrected_file_counts_and_so_does_the_first_one_again(self, desk, office):
        wrong = self.csv.replace(b"3842", b"38420")
        for data, displays in ((wrong, "38,420"), (self.csv, "3,842"), (wrong, "38,420")):
            office.clock.forward(minutes=1)
            self.imported(desk, data)
            assert displays in printed(desk.reports.make("2025-06", by=desk.person("bo")))

    def test_imported_totals_stand_before_computed_ones(self, desk, office):
        for _ in range(3):
            desk.public.follow(LINK.code, method="GET", headers=BROWSER)
        office.clock.to("2025-08-10T00:00Z")
        self.imported(desk, self.csv.replace(b"2025-06", b"2025-07"))
        words = printed(desk.reports.make("2025-07", by=desk.person("bo")))
        assert "3,842" in words
        assert "44" in words

    def test_a_post_s_figures_are_found_by_its_address(self, office):
        url = "https://hand.example.org/1"
        desk = by_hand(office, url)
        self.imported(desk, f"post,displays,likes\n{url},310,12\n".encode())
        assert figures(desk, "c/news/en@hand", "displays") == [("", 310, "")]
        assert figures(desk, "c/news/en@hand", "likes") == [("", 12, "")]

    def test_every_row_of_no_published_post_is_told_and_nothing_is_kept(self, desk):
        data = f"post,likes\n{KEY},1\nc/none/en@net,2\nhttps://no.example.org/1,3\n".encode()
        with pytest.raises(WrongFiles) as told:
            self.imported(desk, data)
        assert [problem.where for problem in told.value.problems] == ["june.csv:3", "june.csv:4"]
        assert "c/none/en@net is no published post" in str(told.value)
        assert figures(desk) == []

    def test_one_that_was_taken_back_counts_no_more_and_nothing_is_deleted(self, office):
        url = "https://hand.example.org/1"
        desk = by_hand(office, url)
        ana = desk.person("ana")
        for number, likes in ((1, 12), (2, 120)):
            office.clock.forward(minutes=1)
            data = f"post,displays,likes\n{url},310,{likes}\n".encode()
            assert desk.figures.keep(data, file="j.csv", by=ana).number == number
        self.imported(desk, self.csv.replace(b"net,", b"hand,"))
        assert [likes_of(desk), displays_in_june(desk)] == [120, 3842]
        desk.figures.undo(3, by=ana)
        desk.figures.undo(2, by=ana)
        assert [likes_of(desk), displays_in_june(desk)] == [12, None]
        assert len(figures(desk, "c/news/en@hand")) == 2
        with pytest.raises(NotAllowed, match="was taken back already, by ana"):
            desk.figures.undo(2, by=ana)
        with pytest.raises(NotFound, match="there is no import 9"):
            desk.figures.undo(9, by=ana)
        desk.figures.keep(data, file="j.csv", by=ana)
        assert likes_of(desk) == 120
        assert [one.undone_by for one in desk.figures.imports()] == [None, "ana", "ana", None]


class TestReports:
    def test_a_month_with_no_data_gives_a_report_that_says_so(self, desk, office):
        office.clock.to("2025-07-20T09:00Z")
        report = desk.reports.make("2024-02", by=desk.person("bo"))
        assert report.summary == ("No figures were recorded for February 2024.",)
        assert report.completeness[0] == "No channel was kept in February 2024."
        assert report.table("channels").rows == ()

    def test_an_emergency_stands_in_it(self, office):
        desk = office.open()
        desk.tick()
        put(desk, soon())
        [reading] = desk.readings()
        desk.clear(
            reading.name, reading.fingerprint, by=desk.person("ana"), emergency="the venue is shut"
        )
        report = desk.reports.make("2025-07", by=desk.person("bo"))
        assert any(
            KEY in line and "The venue is shut" in line for line in report.words("publication")
        )

    def test_every_rung_of_a_month_is_on_the_ladder_once(self, desk, office):
        office.clock.to("2025-08-25T00:00Z")
        desk.figures.collect()
        desk.figures.collect()
        with desk.store.reading() as session:
            rungs = session.scalars(select(Collection.rung).where(Collection.key == KEY)).all()
            done = session.scalars(select(Collection.outcome).where(Collection.key == KEY)).all()
        assert sorted(rungs) == ["1 d", "1 h", "2025-07", "28 d", "3 d", "6 h", "7 d"]
        assert set(done) == {"collected"}


def likes_of(desk) -> int | None:
    with desk.store.reading() as session:
        read = latest.readings(session, ["c/news/en@hand"], desk.now())
    return read["c/news/en@hand"]["likes"].value


def displays_in_june(desk) -> int | None:
    with desk.store.reading() as session:
        given = gather.gather(
            session,
            "2025-06",
            configuration=desk.configuration,
            channels=desk.channels,
            offers={},
            now=desk.now(),
        )
    found = given.this.get("hand")
    return found.value("displays") if found else None


def by_hand(office: Office, url: str):
    """A desk with one post, which a person made at this address."""
    office.write("config/channels.toml", '[hand]\nplatform = "manual"\n')
    desk = office.open()
    desk.tick()
    put(desk, soon(channel="hand"), clear=True)
    office.clock.to(SOON)
    desk.tick()
    desk.settle("c/news/en@hand", "live", by=desk.person("ana"), url=url)
    return desk


def fail(desk, error: Exception) -> None:
    def figures(_receipts):
        raise error

    desk.platforms["net"].figures = figures


def mend(desk) -> None:
    network = desk.platforms["net"]
    network.figures = lambda receipts: Memory.figures(network, receipts)


def printed(report) -> str:
    return str(report.as_data())
