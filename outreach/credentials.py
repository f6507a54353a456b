"""Whether the accounts still let us in: asked once a day, and each hour while one does not.

A token that a network has withdrawn is found out a day ahead of the post that needs it, and not
by that post. A network that could not be asked has withdrawn nothing: what it said before holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.errors import CannotTell, NotNow, PlatformError, Refused, Uncertain
from outreach.platforms import Expires, Platform
from outreach.store.tables import AccountCheck, Permit

DAILY = timedelta(hours=23)  # an hourly job asks: a whole day would become a day and an hour
EXPIRES = timedelta(days=7)  # before a token's end: connecting again may need a colleague abroad
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


def keep(
    session: Session, channel: str, answer: Answer, now: datetime, *, anew: bool = False
) -> None:
    """Keep what an account said; one that could not be asked keeps what it said before.

    With `anew` it has new credentials: nothing of what it said before holds.
    """
    row = session.get(AccountCheck, channel)
    if row is not None and anew:
        session.delete(row)
        session.flush()
        row = None
    if row is None:
        row = AccountCheck(channel=channel, ok=answer.ok, since=now, what="", expires=None)
        session.add(row)
    row.at = now
    if answer.ok is None and row.ok is not None:
        return
    if row.ok is not answer.ok:
        row.since = now
    row.ok, row.what, row.expires = answer.ok, answer.what, answer.expires or row.expires


@dataclass(frozen=True)
class Standing:
    """How long an account still lets us in, as far as we know.

    `refused` is why it does not, or soon will not, since `since`: a person connects it anew. Posts
    fail from `ends` on, if nobody does anything; None where no end is known. `trouble` is why its
    token could not be renewed when that was last tried.
    """

    refused: str = ""
    since: datetime | None = None
    ends: datetime | None = None
    trouble: str = ""


def standings(session: Session) -> dict[str, Standing]:
    """By channel, for every account that was asked or connected."""
    found = {
        row.channel: Standing(
            row.what if row.ok is False else "",
            row.since if row.ok is False else None,
            row.since if row.ok is False else row.expires,
        )
        for row in session.scalars(select(AccountCheck))
    }
    for row in session.scalars(select(Permit)):
        asked = found.get(row.channel, Standing())
        if row.over:
            ends = asked.ends if asked.refused else row.expires
            found[row.channel] = Standing(row.trouble, asked.since, ends, row.trouble)
        elif not asked.refused:
            # What its network told of the token's end is of no account: there will be another one.
            ends = row.expires if row.trouble or not row.renews else row.ends
            found[row.channel] = Standing("", None, ends, row.trouble)
    return found


def to_connect(session: Session, channels: Iterable[str], now: datetime) -> dict[str, str]:
    """The channels that a person connects anew, and why: now, or by when."""
    found = standings(session)
    told = {}
    for name in channels:
        one = found.get(name, Standing())
        why = one.refused
        if not why and one.ends and not one.trouble and one.ends - now < EXPIRES:
            why = f"its token ends on {one.ends:%Y-%m-%d}"
        elif not why and one.trouble:
            why = f"its token could not be renewed yet: {one.trouble}"
        elif why and one.ends and one.ends > now:
            why += f"; posts go out until {one.ends:%Y-%m-%d %H:%M} UTC"
        if why:
            told[name] = why
    return told
