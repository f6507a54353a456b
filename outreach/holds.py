"""Holds: one switch that stops everything, a campaign, a channel or a message, at once.

Scopes are written "all", "campaign:ID", "channel:NAME" and "message:CAMPAIGN/MESSAGE".
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.clearance import record
from outreach.delivery import Delivery, State
from outreach.errors import NotAllowed, NotFound
from outreach.store.tables import Hold

Holds = Sequence[Hold]


def placed(session: Session) -> Holds:
    """All holds that are in force, the oldest first."""
    return session.scalars(_PLACED).all()


def held(row: Delivery, holds: Holds) -> str:
    """Why this delivery is on hold, or ""."""
    scopes = {
        "all",
        f"campaign:{row.campaign}",
        f"channel:{row.channel}",
        f"message:{row.campaign}/{row.message}",
    }
    hold = next((hold for hold in holds if hold.scope in scopes), None)
    return f"on hold ({hold.scope}) by {hold.by}: {hold.reason}" if hold else ""


def together(session: Session, row: Delivery, holds: Holds) -> bool:
    """`release: together` is a gate: every language of the message is cleared, and none of them
    on hold, or already out."""
    if not row.together:
        return True
    waits = State.PROPOSED, State.DROPPED, State.MISSED
    others = session.scalars(
        select(Delivery).where(
            Delivery.campaign == row.campaign,
            Delivery.message == row.message,
            Delivery.slot == row.slot,
            Delivery.language != row.language,
            Delivery.state.in_([*waits, State.CLEARED]),
        )
    )
    return not any(other.state in waits or held(other, holds) for other in others)


_PLACED = select(Hold).where(Hold.released_at.is_(None)).order_by(Hold.id)


def place(
    session: Session,
    scope: str,
    why: str,
    *,
    channels: Collection[str],
    by: str,
    now: datetime,
) -> None:
    """Stop everything within `scope`. Raises NotAllowed without a reason or where it is held
    already, NotFound for a scope with nothing in it."""
    if not why.strip():
        raise NotAllowed("a reason is needed", 'say why: --why "..."')
    if not _known(session, scope, channels):
        raise NotFound(
            f"there is nothing to hold called {scope!r}",
            "all, campaign:ID, channel:NAME or message:CAMPAIGN/MESSAGE",
        )
    if session.scalar(select(Hold).where(Hold.scope == scope, Hold.released_at.is_(None))):
        raise NotAllowed(f"{scope} is on hold already", "release it first")
    session.add(Hold(scope=scope, reason=why, by=by, at=now))
    record(session, now, by, f"hold {scope}", why=why)


def lift(session: Session, scope: str, *, by: str, now: datetime) -> Hold:
    """End the hold on `scope`. Raises NotFound where there is none."""
    hold = session.scalar(select(Hold).where(Hold.scope == scope, Hold.released_at.is_(None)))
    if hold is None:
        raise NotFound(f"{scope} is not on hold", "holds are listed by: outreach status")
    hold.released_at, hold.released_by = now, by
    record(session, now, by, f"released {scope}")
    return hold


def _known(session: Session, scope: str, channels: Collection[str]) -> bool:
    kind, _, name = scope.partition(":")
    if kind in {"all", "channel"}:
        return scope == "all" or (kind == "channel" and name in channels)
    named = {"campaign": Delivery.campaign, "message": Delivery.campaign + "/" + Delivery.message}
    if kind not in named:
        return False
    return bool(session.scalar(select(Delivery.key).where(named[kind] == name).limit(1)))
