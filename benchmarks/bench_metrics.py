"""What a scrape of /metrics and a look for alarms cost beside years of history.

The floor is the same questions to the same database with a hundredth of the history; the aim is
that history costs nothing: at most twice the floor. 50 posts wait in both.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from outreach.alarms import RULES, Sight
from outreach.clearance import Clearance  # noqa: F401 - its table is asked too
from outreach.delivery import Attempt, Delivery, State
from outreach.platforms.memory import Memory
from outreach.store import Store
from outreach.store.tables import Heartbeat, Mail, TrailEntry
from outreach.vitals import vitals

HISTORY, FLOOR, WAITING, RUNS, AIM = 100_000, 1_000, 50, 20, 2.0
NOW = datetime(2025, 8, 25, 2, tzinfo=UTC)


def fill(store: Store, history: int) -> None:
    """So many published posts, each with two calls, three lines of the trail and two mails."""

    def delivery(number: int, state: State, at: datetime) -> dict[str, object]:
        channel = f"c{number % 5}"
        return {
            "key": f"c/m{number}/en@{channel}",
            "campaign": "c",
            "message": f"m{number}",
            "slot": "",
            "language": "en",
            "channel": channel,
            "content": None,
            "authors": [],
            "questions": [],
            "at": at,
            "wall": f"{at:%Y-%m-%dT%H:%M}",
            "zone": "UTC",
            "late_seconds": 900,
            "state": state,
            "applied_at": at,
        }

    old = [
        delivery(n, State.PUBLISHED, NOW - timedelta(minutes=10 * (n + 1))) for n in range(history)
    ]
    open_ = [
        delivery(
            history + n,
            (State.CLEARED, State.PROPOSED, State.UNCERTAIN, State.SENDING, State.FAILED)[n % 5],
            NOW + timedelta(minutes=n - WAITING // 2),
        )
        for n in range(WAITING)
    ]
    rows = [*old, *open_]
    with store.writing() as session:
        session.execute(insert(Delivery), rows)
        for part in (0, 1):
            session.execute(
                insert(Attempt),
                [
                    {
                        "key": row["key"],
                        "part": part,
                        "token": "",
                        "fingerprint": "",
                        "owner": "",
                        "started_at": row["at"],
                    }
                    for row in rows
                ],
            )
        for what in ("applied", "cleared", "published"):
            session.execute(
                insert(TrailEntry),
                [{"at": row["at"], "who": "ana", "what": what, "key": row["key"]} for row in rows],
            )
        for about in ("waits", "is live"):
            session.execute(
                insert(Mail),
                [
                    {
                        "to": "ana",
                        "about": f"{row['key']} {about}",
                        "subject": about,
                        "body": "",
                        "at": row["at"],
                        "sent_at": row["at"] if row["state"] is State.PUBLISHED else None,
                    }
                    for row in rows
                ],
            )
        session.add(Heartbeat(id=1, real=NOW, now=NOW))


def scrape(store: Store) -> None:
    with store.reading() as session:
        vitals(session, now=NOW, real=NOW)


def look(store: Store) -> None:
    platforms = {f"c{n}": Memory() for n in range(5)}
    with store.reading() as session:
        sight = Sight(
            session=session,
            now=NOW,
            real=NOW,
            stuck=timedelta(minutes=5),
            platforms=platforms,
            unready={},
            differs=dict,
        )
        for rule in RULES:
            list(rule(sight))


def best(ask, *stores: Store) -> list[float]:
    """Seconds of the quickest of RUNS for each store, in turns."""
    quickest = [float("inf")] * len(stores)
    for _ in range(RUNS):
        for number, store in enumerate(stores):
            began = time.perf_counter()
            ask(store)
            quickest[number] = min(quickest[number], time.perf_counter() - began)
    return quickest


def main() -> int:
    over = 0
    with tempfile.TemporaryDirectory() as folder:
        stores = []
        for history in (FLOOR, HISTORY):
            store = Store(f"sqlite:///{Path(folder)}/{history}.db")
            store.prepare()
            fill(store, history)
            stores.append(store)
        for name, ask in (("a scrape", scrape), ("a look for alarms", look)):
            floor, ours = best(ask, *stores)
            over |= ours > AIM * floor
            print(
                f"{name} beside {HISTORY:,} posts: {ours * 1000:.1f} ms; beside {FLOOR:,}: "
                f"{floor * 1000:.1f} ms; {ours / floor:.2f} of the floor (at most {AIM:g})"
            )
        for store in stores:
            store.close()
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
