"""What adapters keep: rows of the database behind the `Shelf` that they are handed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from outreach.errors import NotFound
from outreach.store import Store
from outreach.store.tables import ShelfItem


class TableShelf:
    """One channel's shelf, in the database."""

    def __init__(self, store: Store, channel: str, now: Callable[[], datetime]) -> None:
        self._store, self._channel, self._now = store, channel, now

    def put(self, token: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep `value` under `token` unless something is there; returns what is there now."""
        with self._store.writing() as session:
            row = session.get(ShelfItem, (self._channel, token))
            if row is None:
                row = ShelfItem(
                    channel=self._channel, token=token, at=self._now(), value=dict(value)
                )
                session.add(row)
            return row.value

    def change(self, token: str, value: Mapping[str, Any]) -> None:
        """Replace what is kept under `token`. Raises NotFound where nothing is."""
        with self._store.writing() as session:
            row = session.get(ShelfItem, (self._channel, token))
            if row is None:
                raise NotFound(f"nothing is kept on {self._channel} under this token")
            row.value = dict(value)

    def get(self, token: str) -> Mapping[str, Any] | None:
        """What is kept under `token`, or None."""
        with self._store.reading() as session:
            row = session.get(ShelfItem, (self._channel, token))
            return row.value if row else None

    def list(self, newest: int | None = None) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Everything kept, or so many, newest first."""
        with self._store.reading() as session:
            rows = session.scalars(
                select(ShelfItem)
                .where(ShelfItem.channel == self._channel)
                .order_by(ShelfItem.at.desc(), ShelfItem.token)
                .limit(newest)
            )
            return [(row.token, row.value) for row in rows]
