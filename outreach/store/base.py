"""What every table is made from; see `outreach/store/tables.py`, `delivery.py`, `clearance.py`."""

import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, DateTime, Dialect, TypeDecorator, or_
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Instant(TypeDecorator[datetime]):
    """Aware datetimes in and out; UTC in the database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Every table."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: Instant,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }


class Claimable:
    """What a row has that one process at a time works at, until it is done.

    The claim is committed before the call, and its lease is on the clock of leases
    (`outreach/leases.py`): a process that dies leaves a claim that runs out.
    """

    tries: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
    owner: Mapped[str] = mapped_column(default="")
    lease_life: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[float] = mapped_column(default=0.0)

    @classmethod
    def free(cls, now: datetime, life: str, seconds: float) -> tuple[ColumnElement[bool], ...]:
        """Its turn has come, and nobody is at it; `life` and `seconds` are what the clock says."""
        return (
            or_(cls.retry_at.is_(None), cls.retry_at <= now),
            or_(cls.owner == "", cls.lease_life != life, cls.lease_until <= seconds),
        )

    def take(self, life: str, until: float) -> str:
        """Claim it, for one more try; the owner that the claim is known by."""
        self.owner, self.lease_life, self.lease_until = secrets.token_hex(12), life, until
        self.tries += 1
        return self.owner

    def let_go(self) -> None:
        """The claim is over."""
        self.owner, self.lease_life, self.lease_until = "", "", 0.0
