"""Figures: how fast snapshots are kept, and what a month's report reads of a long history.

    python benchmarks/bench_reach.py [SNAPSHOTS] [sqlite|postgresql]     1,000,000, and both

Every number stands beside a floor of the same run: the same rows by a bare `executemany`, and the
same question by bare SQL, through the database's own driver with nothing of ours in between. Each
post has six figures; the months that are compared have a thousand posts each on four channels, and
so have the two years before; the rest lies further back.
"""

import sqlite3
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from outreach.measure import latest
from outreach.measure.months import before, bounds, year_before
from outreach.report import gather
from tests import postgresql
from tests.conftest import Office
from tests.drafts import live, utc

FIGURES = ("displays", "likes", "shares", "replies", "quotes", "bookmarks")
CHANNELS = ("a", "b", "c", "d")
MONTH, ZONE, NOW = "2025-08", "Asia/Bangkok", "2025-09-06T00:00Z"
A_MONTH, MONTHS = 1000, 24
ROWS = 3000  # a transaction: five hundred posts that were asked for together
over = 0  # aims that were missed


def aim(met: bool, words: str) -> str:
    """The aim, and whether it was met."""
    global over  # noqa: PLW0603 - the exit code of this script
    over += not met
    return f"aim: {words}" if met else f"AIM MISSED: {words}"


@contextmanager
def desk_on(kind: str) -> Iterator[Any]:
    """A desk with one post, which is the pattern of all others."""
    address = postgresql.database() if kind == "postgresql" else ""
    with tempfile.TemporaryDirectory() as folder:
        office = Office(Path(folder) / "office", address)
        tables = (f'[{name}]\nplatform = "memory"\n' for name in CHANNELS)
        office.write("config/channels.toml", "\n".join(tables))
        office.clock.to(NOW)
        desk = office.open()
        live(desk, "c/pattern/en@a", at=utc("2010-01-01T00:00"))
        yield desk
        office.close()
    if address:
        postgresql.server().drop(address)


@contextmanager
def driver(desk: Any) -> Iterator[Callable[..., list[Any]]]:
    """The database's own driver: a statement, and all of its rows."""
    url = desk.store.url
    if url.get_backend_name() == "sqlite":
        connection: Any = sqlite3.connect(url.database, isolation_level=None)
    else:
        import psycopg

        text = url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(text, autocommit=True)

    def ask(statement: str, values: Any = (), *, many: bool = False) -> list[Any]:
        if not isinstance(connection, sqlite3.Connection):
            statement = statement.replace("?", "%s")
        cursor = connection.cursor()
        if many:
            cursor.execute("BEGIN")
            cursor.executemany(statement, values)
            cursor.execute("COMMIT")
            return []
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []

    yield ask
    connection.close()


def fill(desk: Any, snapshots: int) -> int:
    """A history of so many snapshots, made by the database itself; how many posts it has."""
    posts = max(snapshots // len(FIGURES), A_MONTH * MONTHS)
    recent = A_MONTH * MONTHS
    lite = desk.store.embedded
    with driver(desk) as ask:
        [columns] = [[row[0] for row in ask(_COLUMNS[lite])]]
        given = ", ".join(
            {
                "key": "'c/p' || i || '/en@' || ch",
                "channel": "m.ch",
                "published_at": "m.at",
                "at": "m.at",
            }.get(name, f'p."{name}"')
            for name in columns
        )
        names = ", ".join(f'"{name}"' for name in columns)
        # The newest `recent` posts lie evenly in the last two years, the others in ten before.
        minute = (
            f"(CASE WHEN i < {recent} THEN i * 1051200 / {recent} "
            f"ELSE 1051200 + (i - {recent}) * 5256000 / {max(posts - recent, 1)} END)"
        )
        at = (
            f"datetime('2025-08-31 16:00:00', '-' || {minute} || ' minutes') || '.000000'"
            if lite
            else f"timestamp '2025-08-31 16:00:00' - {minute} * interval '1 minute'"
        )
        series = (
            "WITH RECURSIVE n(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n "
            f"WHERE i < {posts - 1}), m AS (SELECT i, {at} AS at, "
            "substr('abcd', CAST(i - i / 4 * 4 AS INTEGER) + 1, 1) AS ch FROM n) "
        )
        ask(
            f"INSERT INTO delivery ({names}) {series}"
            f"SELECT {given} FROM m, delivery p WHERE p.key = 'c/pattern/en@a'"
        )
        ask(
            "INSERT INTO receipt (key, part, channel, remote_id, url, at, stays) "
            "SELECT key, 0, channel, key, 'https://example.org/' || key, at, '' FROM delivery "
            "WHERE message = 'pattern' AND key <> 'c/pattern/en@a'"
        )
        for number, figure in enumerate(FIGURES):
            ask(
                "INSERT INTO snapshot (subject, channel, metric, value, reason, note, taken_at, "
                'source, called, rung, period, "by", sample) '
                f"SELECT key, channel, '{figure}', {100 + number}, '', '', published_at, "
                f"'network', '', '28 d', '', '', {'0' if lite else 'false'} FROM delivery "
                "WHERE key <> 'c/pattern/en@a'"
            )
        ask(
            "INSERT INTO latest (subject, metric, snapshot, value, reason, note, taken_at, source, "
            'called, "by") SELECT subject, metric, id, value, reason, note, taken_at, source, '
            'called, "by" FROM snapshot'
        )
        ask("ANALYZE")
    return posts


_COLUMNS = {
    True: "SELECT name FROM pragma_table_info('delivery')",
    False: "SELECT column_name FROM information_schema.columns WHERE table_name = 'delivery'",
}


def storing(desk: Any) -> None:
    """Snapshots a second, each with its newest beside it; in a database that has a history."""

    def rows(round_: int) -> list[dict[str, Any]]:
        return [
            latest.row(
                f"c/new{round_}-{number // 6}/en@a",
                "a",
                FIGURES[number % 6],
                number,
                taken_at=datetime(2025, 9, 1, tzinfo=UTC),
                source="network",
                rung="1 h",
            )
            for number in range(ROWS)
        ]

    ours, floor = [], []
    with driver(desk) as ask:
        for round_ in range(10):
            made = rows(round_)
            began = time.perf_counter()
            with desk.store.writing() as session:
                latest.keep(session, made)
            ours.append(time.perf_counter() - began)
            bare = [{**one, "subject": "bare" + one["subject"]} for one in made]
            names = list(bare[0])
            lite = desk.store.embedded
            values = [
                tuple(str(v) if lite and isinstance(v, datetime) else v for v in one.values())
                for one in bare
            ]
            quoted = ", ".join(f'"{name}"' for name in names)
            marks = ", ".join("?" for _ in names)
            began = time.perf_counter()
            ask(f"INSERT INTO snapshot ({quoted}) VALUES ({marks})", values, many=True)
            floor.append(time.perf_counter() - began)
    mine, least = ROWS / sorted(ours)[5], ROWS / sorted(floor)[5]
    print(
        f"  kept: {mine:,.0f} snapshots a second, {mine / least:.2f} of a bare executemany "
        f"({least:,.0f}) {aim(mine >= 0.5 * least, '0.5')}",
        flush=True,
    )


def gathered(desk: Any) -> Any:
    """A month's facts, as a report is computed from."""
    offers = {name: frozenset(FIGURES) for name in CHANNELS}
    channels = {name: replace(one, platform="x") for name, one in desk.channels.items()}
    with desk.store.reading() as session:
        return gather.gather(
            session,
            MONTH,
            configuration=desk.configuration,
            channels=channels,
            offers=offers,
            now=desk.now(),
        )


def bare(ask: Callable[..., list[Any]], *, lite: bool) -> int:
    """The same rows: posts and figures of three months; texts, addresses and links of this one."""
    count = 0
    cut_off: Any = utc("2025-09-05T17:00").replace(tzinfo=None)
    for month in (MONTH, before(MONTH), year_before(MONTH)):
        span: Any = [one.replace(tzinfo=None) for one in bounds(month, ZONE)]
        if lite:
            span, cut_off = [str(one) for one in span], str(cut_off)
        count += len(
            ask(
                "SELECT key, message, channel, language, state, published_at FROM delivery "
                "WHERE published_at >= ? AND published_at < ? ORDER BY published_at, key",
                span,
            )
        )
        count += len(
            ask(
                "SELECT l.* FROM latest l WHERE l.subject IN (SELECT key FROM delivery "
                "WHERE published_at >= ? AND published_at < ?) AND l.taken_at <= ?",
                [*span, cut_off],
            )
        )
        if month == MONTH:
            for wanted in (
                "SELECT key, content FROM delivery WHERE key IN",
                "SELECT key, url FROM receipt WHERE key IN",
                "SELECT key FROM short_link WHERE key IN",
            ):
                of_month = "(SELECT key FROM delivery WHERE published_at >= ? AND published_at < ?)"
                count += len(ask(f"{wanted} {of_month}", span))
    return count


def reading(desk: Any) -> None:
    """A month's gather, against bare SQL; and how much memory it takes."""
    ours, floor = [], []
    with driver(desk) as ask:
        for _ in range(5):
            began = time.perf_counter()
            given = gathered(desk)
            ours.append(time.perf_counter() - began)
            began = time.perf_counter()
            bare(ask, lite=desk.store.embedded)
            floor.append(time.perf_counter() - began)
    assert all(one.value("displays") for one in given.this.channels)
    tracemalloc.start()
    gathered(desk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    mine, least = sorted(ours)[2], sorted(floor)[2]
    print(
        f"  a month of {len(given.posts):,} posts, compared with two others: {mine:.3f} s, "
        f"{mine / least:.1f} times the bare SQL ({least:.3f} s), {peak / 1e6:.0f} MB "
        + aim(mine < 0.5, "under 0.5 s")
        + ", "
        + aim(mine <= 1.5 * least, "1.5 times"),
        flush=True,
    )


def main() -> None:
    words = sys.argv[1:]
    snapshots = next((int(one.replace(",", "")) for one in words if one[:1].isdigit()), 1_000_000)
    for kind in [one for one in words if one.isalpha()] or ["sqlite", "postgresql"]:
        for size in (snapshots // 10, snapshots):
            with desk_on(kind) as desk:
                began = time.perf_counter()
                posts = fill(desk, size)
                took = time.perf_counter() - began
                print(
                    f"{kind}: {posts * len(FIGURES):,} snapshots of {posts:,} posts "
                    f"(made in {took:.0f} s)",
                    flush=True,
                )
                reading(desk)
                storing(desk)
    sys.exit(min(over, 1))


if __name__ == "__main__":
    main()
