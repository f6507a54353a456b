"""Who is who: the roster of config/people.toml once it is confirmed, and personal tokens.

A changed people.toml takes effect when two people of the roster in force have confirmed it; the
first two people confirm each other when the office is made. A token is 43 random characters,
shown once; the database keeps its hash.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.clearance import MAY_ADMINISTER, MAY_CLEAR, MAY_WRITE, Person, record
from outreach.errors import NotAllowed, NotFound
from outreach.store.tables import Roster, Token


def fingerprint_of(people: Mapping[str, Any]) -> str:
    """Twelve hexadecimal characters over what people.toml says."""
    said = {name: [p["name"], p["email"], sorted(p["roles"])] for name, p in people.items()}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def in_force(session: Session) -> dict[str, Person]:
    """The confirmed people, by id; none before the office is made."""
    row = session.scalar(
        select(Roster).where(Roster.confirmed_at.is_not(None)).order_by(Roster.id.desc()).limit(1)
    )
    if row is None:
        return {}
    return {
        name: Person(name, p["name"], p["email"], frozenset(p["roles"]))
        for name, p in row.people.items()
    }


def person(session: Session, name: str) -> Person:
    """The person of this id. Raises NotFound with those who are known."""
    people = in_force(session)
    if name not in people:
        known = ", ".join(sorted(people)) or "nobody yet; run: outreach init"
        raise NotFound(f"there is no person {name!r} in force", f"known are: {known}")
    return people[name]


def confirm(
    session: Session, people: Mapping[str, Any], *, by: str, now: datetime, first: bool = False
) -> Roster:
    """Confirm what people.toml says now. It takes effect with the second person's yes.

    `first` is the making of the office: the first two people confirm each other, before anybody
    is in force. Raises NotFound for somebody who is not in force (or, at first, not in the
    file), NotAllowed for a guest, and for somebody who has confirmed it already.
    """
    sha256 = fingerprint_of(people)
    row = session.scalar(select(Roster).order_by(Roster.id.desc()).limit(1))
    if row is None or row.sha256 != sha256:
        row = Roster(at=now, sha256=sha256, people=dict(people), confirmed_by=[])
        session.add(row)
    if row.confirmed_at:
        raise NotAllowed("config/people.toml is in force as it is", "there is nothing to confirm")
    if first and in_force(session):
        raise NotAllowed("the office has its people", "confirm a change: outreach people confirm")
    if not first:
        person(session, by).must_be(MAY_WRITE, MAY_CLEAR, MAY_ADMINISTER)
    elif by not in people:
        raise NotFound(f"there is no person {by!r} in config/people.toml", "describe them there")
    if by in row.confirmed_by:
        raise NotAllowed(
            f"{by} has confirmed it already", "a second person confirms it: outreach people confirm"
        )
    row.confirmed_by = [*row.confirmed_by, by]
    record(session, now, by, "people confirmed", why=sha256)
    if len(row.confirmed_by) >= 2:
        row.confirmed_at = now
        record(
            session,
            now,
            by,
            "people in force",
            why=f"confirmed by {' and '.join(row.confirmed_by)}",
        )
    return row


def new_token(session: Session, name: str, *, now: datetime) -> str:
    """A fresh token for this person; the ones before it end. Shown once, never kept."""
    for row in session.scalars(select(Token).where(Token.person == name, Token.ended_at.is_(None))):
        row.ended_at = now
    token = secrets.token_urlsafe(32)
    session.add(Token(sha256=_hash(token), person=name, at=now))
    return token


def whose(session: Session, token: str) -> Person:
    """The person who holds this token. Raises NotAllowed for one that opens nothing."""
    row = session.get(Token, _hash(token))
    found = in_force(session).get(row.person) if row and not row.ended_at else None
    if found is None:
        raise NotAllowed(
            "this token is not known, or has been replaced",
            "ask an administrator for a new one, then: outreach login",
        )
    return found


def _hash(token: str) -> str:
    # The token is 256 random bits: a plain hash cannot be guessed back.
    return hashlib.sha256(token.encode()).hexdigest()
