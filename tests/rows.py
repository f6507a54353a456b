"""Rows made up for any table: of every type, with what is hard to carry over; and all that is kept.

Works on the program's own tables, and on those that a database of an earlier revision has.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from outreach.delivery import State
from outreach.store import Store
from outreach.store.base import Base, Instant

MANY = 4  # rows a table: enough that each value that is hard stands in one

WORDS = (
    "Пресс-релиз «22%»",
    "多边\n第二行\t'quoted' \"twice\" \\ back",
    "",
    "한국어 🌏 e\u0301 \u202e",
)
NUMBERS = (0, -1, 2**31 - 1, -(2**31))
LARGE = (0, -1, 2**62 + 1, 2**63 - 1)
REAL = (0.0, 0.1, 1e300, -2.5e-300)
BYTES = (b"", bytes(range(256)), b"\0" * 5000, b"%s {} \\x00")
AT = datetime(2031, 8, 25, 2, 0, 0, 1, UTC)
JSON: tuple[Any, ...] = (
    {"ключ": ["值", None, True, 1.5, 2**53], "nested": {"a": "\u0001'\"\\"}},
    {},
    {"text": "22%\nsecond"},
    sa.JSON.NULL,
)


def made_up(table: sa.Table, number: int) -> dict[str, Any]:
    """The row of this number, from 0; no two have the same key."""
    return {column.name: _value(table, column, number) for column in table.columns}


def _value(table: sa.Table, column: sa.Column[Any], number: int) -> Any:
    kind, which = column.type, number % MANY
    if (table.name, column.name) == ("delivery", "state"):
        return list(State)[number % len(State)].value
    if column.nullable and which == 2:
        return sa.null()
    if isinstance(kind, sa.JSON):
        return JSON[which] if column.nullable else JSON[which % 3]
    if isinstance(kind, sa.Boolean):
        return bool(number % 2)
    if isinstance(kind, sa.LargeBinary):
        return BYTES[which]
    if isinstance(kind, sa.DateTime | Instant):
        at = AT + timedelta(days=number, microseconds=number)
        return at if isinstance(kind, Instant) else at.replace(tzinfo=None)
    if isinstance(kind, sa.Float):
        return REAL[which]
    if isinstance(kind, sa.Integer):
        if column.primary_key:
            return number + 1
        return LARGE[which] if isinstance(kind, sa.BigInteger) else NUMBERS[which]
    assert isinstance(kind, sa.String), f"{table.name}.{column.name} is of a new type: {kind!r}"
    return f"{number} {WORDS[which]}"


def fill(connection: sa.Connection, tables: Iterable[sa.Table], many: int = MANY) -> None:
    for table in tables:
        if table.name == "alembic_version":
            continue
        for number in range(many):
            connection.execute(sa.insert(table).values(made_up(table, number)))


def kept(store: Store, without: Iterable[str] = ()) -> Mapping[str, list[dict[str, Any]]]:
    """Every row of every table but some, in the order of its key, as it comes back; JSON as it is
    written, too: what is null there is not what is missing."""
    found = {}
    with store.reading() as session:
        for table in Base.metadata.sorted_tables:
            if table.name in without:
                continue
            written = [
                sa.cast(column, sa.Text).label(f"{column.name} as written")
                for column in table.columns
                if isinstance(column.type, sa.JSON)
            ]
            keys = list(table.primary_key.columns)
            rows = session.execute(sa.select(table, *written).order_by(*keys)).mappings()
            found[table.name] = [dict(row) for row in rows]
            found[table.name].sort(key=lambda row: [str(row[key.name]) for key in keys])
    return found
