"""The newest of each figure: what a report costs, and what is kept for how long."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DatabaseError

from outreach.compose.links import Link
from outreach.delivery import Delivery
from outreach.measure import latest
from outreach.report import gather
from outreach.store.tables import Cited, Click, Latest, ShortLink, Snapshot
from tests.conftest import Office
from tests.drafts import live, utc

KEY = "c/one/en@net"
AT = utc("2025-08-04T02:00")


@pytest.fixture
def desk(office: Office):
    office.clock.to("2025-09-06T00:00Z")  # the cut-off is 5 September, 24:00 in Bangkok
    return office.open()


def read(desk, metric, value, at, *, subject=KEY, channel="net", **more):
    with desk.store.writing() as session:
        told = {"taken_at": utc(at), "source": "network", **more}
        latest.keep(session, [latest.row(subject, channel, metric, value, **told)])


def report_of(desk, month="2025-08"):
    with desk.store.reading() as session:
        return gather.gather(
            session,
            month,
            configuration=desk.configuration,
            channels=desk.channels,
            offers={"net": frozenset({"likes", "followers"}), "web": frozenset()},
            now=desk.now(),
        )


class TestTheNewest:
    def test_it_stands_beside_its_snapshot_and_an_older_one_changes_nothing(self, desk):
        read(desk, "likes", 3, "2025-08-05T02:00")
        read(desk, "likes", 9, "2025-08-12T02:00")
        read(desk, "likes", 5, "2025-08-06T02:00")
        with desk.store.reading() as session:
            [row] = session.scalars(select(Latest))
            assert (row.value, session.get_one(Snapshot, row.snapshot).value) == (9, 9)

    def test_of_several_that_are_kept_at_once_the_last_counts(self, desk):
        told = {"taken_at": AT, "source": "network"}
        rows = [latest.row(KEY, "net", "likes", value, **told) for value in (3, 7)]
        with desk.store.writing() as session:
            latest.keep(session, rows)
            found = latest.readings(session, [KEY], AT)
        assert found[KEY]["likes"].value == 7

    def test_a_cut_off_that_it_is_past_finds_the_one_before(self, desk):
        for at, value in (("05", 3), ("12", 9), ("19", None)):
            reason = "" if value else "collection_failed"
            read(desk, "likes", value, f"2025-08-{at}T02:00", reason=reason)

        def at(day, **how):
            with desk.store.reading() as session:
                found = latest.readings(session, [KEY], utc(f"2025-08-{day}T03:00"), **how)
            return found[KEY]["likes"].value if found else "none"

        assert [at(day) for day in ("04", "05", "12", "19")] == ["none", 3, 9, None]
        assert at("19", known=True) == 9

    def test_the_database_has_no_other_way_to_change_what_was_read(self, desk):
        read(desk, "likes", 3, "2025-08-05T02:00")
        with pytest.raises(DatabaseError, match="append-only"), desk.store.writing() as session:
            session.execute(text("DELETE FROM snapshot"))


class TestWhatAReportCosts:
    """Counted in steps of SQLite's own machine, so that no clock decides."""

    def steps(self, desk) -> int:
        count = 0

        def step() -> None:
            nonlocal count
            count += 1

        with desk.store.reading() as session:
            raw = session.connection().connection.dbapi_connection
            raw.set_progress_handler(step, 50)
            try:
                given = gather.gather(
                    session,
                    "2025-08",
                    configuration=desk.configuration,
                    channels=desk.channels,
                    offers={"net": frozenset({"likes"}), "web": frozenset()},
                    now=desk.now(),
                )
            finally:
                raw.set_progress_handler(None, 0)
        assert given.this.get("net").value("likes") == 30
        return count

    def test_it_follows_the_posts_of_its_months_and_no_history(self, desk):
        if not desk.store.embedded:
            pytest.skip("a server's steps are not counted here: benchmarks/bench_reach.py")
        for number in range(3):
            key = f"c/post{number}/en@net"
            live(desk, key, at=AT, links=[Link(f"aaaaaaa{number}", "https://neaspec.org/")])
            read(desk, "likes", 10, "2025-08-05T02:00", subject=key)
        before = self.steps(desk)
        history(desk, posts=1500, looks=6)
        # More than a year ago; and of the month's own posts, hundreds of looks after the cut-off.
        for number in range(3):
            rows = [
                latest.row(
                    f"c/post{number}/en@net",
                    "net",
                    "likes",
                    99,
                    taken_at=utc("2025-10-01T00:00") + timedelta(hours=hour),
                    source="network",
                )
                for hour in range(400)
            ]
            with desk.store.writing() as session:
                latest.keep(session, rows)
        after = self.steps(desk)
        assert after < 1.5 * before + 20, (before, after)


def history(desk, *, posts: int, looks: int) -> None:
    """Posts of years ago, each with its looks, links and visits."""
    with desk.store.writing() as session:
        one = session.execute(select(Delivery.__table__)).mappings().first()
        long_ago = AT - timedelta(days=1500)
        keys = [f"c/old{number}/en@net" for number in range(posts)]
        session.execute(
            insert(Delivery.__table__),
            [{**one, "key": key, "published_at": long_ago, "at": long_ago} for key in keys],
        )
        links = [
            {"code": f"o{n:07}", "key": k, "target": "u", "at": AT} for n, k in enumerate(keys)
        ]
        session.execute(insert(ShortLink), links)
        session.execute(
            insert(Click), [{"code": "x", "key": key, "at": long_ago} for key in keys * 2]
        )
        latest.keep(
            session,
            [
                latest.row(
                    key,
                    "net",
                    metric,
                    look,
                    taken_at=long_ago + timedelta(days=look),
                    source="network",
                    rung=str(look),
                )
                for key in keys
                for look in range(looks)
                for metric in ("likes", "shares")
            ],
        )


class TestThinning:
    def followers(self, desk, months=("2022-05", "2022-06", "2025-08")):
        for month in months:
            for day in ("03", "17", "28"):
                at = f"{month}-{day}T03:00"
                read(desk, "followers", int(day), at, subject="net")

    def kept(self, desk) -> list[str]:
        with desk.store.reading() as session:
            rows = session.scalars(
                select(Snapshot.taken_at).where(Snapshot.subject == "net").order_by(Snapshot.id)
            )
            return [f"{at:%Y-%m-%d}" for at in rows]

    def test_old_readings_of_an_account_are_one_a_month_and_reports_are_as_before(self, desk):
        live(desk, KEY, at=utc("2022-05-04T02:00"))
        read(desk, "likes", 4, "2022-05-05T02:00", rung="1 d")
        self.followers(desk)
        before = report_of(desk, "2022-05")
        assert desk.figures.tidy() == 4
        assert self.kept(desk) == [
            *("2022-05-28", "2022-06-28"),
            *("2025-08-03", "2025-08-17", "2025-08-28"),
        ]
        assert report_of(desk, "2022-05").this == before.this
        assert desk.figures.tidy() == 0

    def test_what_a_frozen_report_cites_stays_though_a_later_reading_came(self, desk, office):
        live(desk, KEY, at=utc("2022-05-04T02:00"))
        read(desk, "followers", 3, "2022-05-03T03:00", subject="net")
        office.clock.to("2022-05-10T00:00Z")
        desk.reports.make("2022-05", by=desk.person("ana"))
        office.clock.to("2025-09-06T00:00Z")
        read(desk, "followers", 28, "2022-05-28T03:00", subject="net")
        read(desk, "followers", 30, "2025-08-28T03:00", subject="net")
        assert desk.figures.tidy() == 0
        with desk.store.reading() as session:
            [cited] = session.scalars(select(Cited.snapshot))
        for verb in (
            "DELETE FROM snapshot WHERE id = ",
            "UPDATE snapshot SET value = 1 WHERE id = ",
        ):
            with (
                pytest.raises(DatabaseError, match="append-only"),
                desk.store.writing() as session,
            ):
                session.execute(text(f"{verb}{cited}"))
