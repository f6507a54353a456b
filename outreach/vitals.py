"""Whether the desk is ready, and how much waits: what a machine asks of it, many times a day.

Every question is answered from an index, or from a table that does not grow with history: what is
over (published, skipped, past) is never counted here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from outreach.delivery import Delivery, State
from outreach.errors import OutreachError
from outreach.store import HEAD, Store
from outreach.store.tables import AlarmRow, Heartbeat, Hold, Mail

FRESH = 60.0  # seconds: a clock that ticks each second has failed many times by then

OPEN = (
    State.PROPOSED,
    State.CLEARED,
    State.SENDING,
    State.HANDED,
    State.UNCERTAIN,
    State.FAILED,
    State.MISSED,
)
"""States that somebody, or the clock, still has to do something about."""


@dataclass(frozen=True)
class Vitals:
    """How much waits now."""

    deliveries: Mapping[str, int]  # by state, of OPEN
    due: Mapping[str, int]  # cleared, due and not sent, by channel
    tick_age: float | None  # seconds; None where nothing has ticked yet
    mails: int  # that wait to be sent
    alarms: Mapping[str, int]  # told and not over, by kind
    holds: int


def vitals(session: Session, *, now: datetime, real: datetime) -> Vitals:
    """Count it. `now` is what the desk takes for now, `real` the heartbeat's clock."""
    states = session.execute(
        select(Delivery.state, func.count())
        .where(Delivery.state.in_(OPEN))
        .group_by(Delivery.state)
    )
    due = session.execute(
        select(Delivery.channel, func.count())
        .where(Delivery.state == State.CLEARED, Delivery.at <= now)
        .group_by(Delivery.channel)
    )
    kinds = session.execute(
        select(AlarmRow.kind, func.count())
        .where(AlarmRow.told_at.is_not(None), AlarmRow.over_at.is_(None))
        .group_by(AlarmRow.kind)
    )
    mails = select(func.count()).select_from(Mail).where(Mail.sent_at.is_(None))
    holds = select(func.count()).select_from(Hold).where(Hold.released_at.is_(None))
    beat = session.get(Heartbeat, 1)
    return Vitals(
        deliveries={**dict.fromkeys(map(str, OPEN), 0), **{str(s): n for s, n in states}},
        due=dict(due.all()),
        tick_age=(real - beat.real).total_seconds() if beat and beat.ticked else None,
        mails=session.scalar(mails) or 0,
        alarms=dict(kinds.all()),
        holds=session.scalar(holds) or 0,
    )


def unready(store: Store, real: Callable[[], datetime]) -> list[str]:
    """Why this desk is not ready to publish; empty where it is. Never raises."""
    try:
        revision = store.revision()
        if revision != HEAD:
            return [f"the database is of revision {revision or 'none'}, not {HEAD}"]
        with store.reading() as session:
            beat = session.get(Heartbeat, 1)
    except OutreachError as error:
        return [str(error).partition(" (")[0]]  # not where it is
    except SQLAlchemyError as error:  # whose words may name the server and its user
        return [f"the database does not answer ({type(error).__name__})"]
    if beat is None or not beat.ticked:
        return ["the clock has not ticked yet"]
    age = (real() - beat.real).total_seconds()
    return [f"the clock has not ticked for {age:,.0f} seconds"] if age > FRESH else []
