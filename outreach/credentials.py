"""Whether the accounts still let us in: asked once a day, and each hour while one does not.

A token that a network has withdrawn is found out a day ahead of the post that needs it, and not
by that post.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.errors import CannotTell, NotNow, PlatformError, Refused, Uncertain
from outreach.platforms import Expires, Platform
from outreach.store.tables import AccountCheck

DAILY = timedelta(hours=23)  # an hourly job asks: a whole day would become a day and an hour
AGAIN = timedelta(minutes=50)  # for one that refused us


@dataclass(frozen=True)
class Answer:
    """What an account said. `ok` is None where it could not be asked."""

    ok: bool | None
    what: str
    expires: datetime | None = None


def ask(platform: Platform) -> Answer:
    """Ask an account who we are. Never raises; takes as long as its network may."""
    try:
        told = platform.check()
        return Answer(True, told, platform.expires() if isinstance(platform, Expires) else None)
    except Refused as error:
        return Answer(False, str(error))
    except (NotNow, Uncertain, CannotTell) as error:
        return Answer(None, f"it could not be asked: {error}")
    except PlatformError as error:
        return Answer(None, str(error))
    except Exception as error:
        return Answer(False, f"its adapter failed: {type(error).__name__}")


def due(session: Session, channels: Iterable[str], now: datetime) -> list[str]:
    """Those of the channels that are to be asked now."""
    rows = {row.channel: row for row in session.scalars(select(AccountCheck))}
    return [
        name
        for name in channels
        if (row := rows.get(name)) is None or now - row.at >= (AGAIN if row.ok is False else DAILY)
    ]


def keep(session: Session, channel: str, answer: Answer, now: datetime) -> None:
    """Keep what an account said; one that could not be asked keeps what it said before."""
    row = session.get(AccountCheck, channel)
    if row is None:
        row = AccountCheck(channel=channel, ok=answer.ok, since=now, what="", expires=None)
        session.add(row)
    row.at = now
    if answer.ok is None and row.ok is not None:
        return
    if row.ok is not answer.ok:
        row.since = now
    row.ok, row.what, row.expires = answer.ok, answer.what, answer.expires or row.expires
