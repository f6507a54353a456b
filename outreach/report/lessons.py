"""What an officer learnt of a period: written once, kept with who and when, printed in its reports.

Lessons are of a period and not of a version: a later version prints them again. One that is
replaced or taken away is ended, and stays in the database as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach import people
from outreach.clearance import record
from outreach.errors import NotAllowed
from outreach.measure.months import day
from outreach.report.words import sentence
from outreach.store.tables import Lesson

LONGEST = 4_000  # characters; more is a report of its own


@dataclass(frozen=True)
class Kept:
    """One lesson of a period. `by` is a person's id; `at` aware, UTC."""

    number: int
    text: str
    by: str
    at: datetime


def of(session: Session, period: str) -> list[Kept]:
    """The lessons in force, in the order in which they were written."""
    rows = session.scalars(
        select(Lesson).where(Lesson.period == period, Lesson.ended_at.is_(None)).order_by(Lesson.id)
    )
    return [Kept(place, row.text, row.by, row.at) for place, row in enumerate(rows, 1)]


def printed(session: Session, period: str, zone: str) -> list[str]:
    """As a report prints them: with who wrote them, and when."""
    known = people.in_force(session)
    return [
        f"{sentence(one.text)} ({known[one.by].name if one.by in known else one.by}, "
        f"{day(one.at, zone)})"
        for one in of(session, period)
    ]


def replace(session: Session, period: str, texts: Sequence[str], *, by: str, now: datetime) -> None:
    """Have exactly these; one that stays as it was keeps who wrote it and when.

    Raises NotAllowed for one that is too long.
    """
    wanted = [" ".join(text.split()) for text in texts if text.strip()]
    if any(len(text) > LONGEST for text in wanted):
        raise NotAllowed(
            f"a lesson is longer than {LONGEST:,} characters", "write it as several, or shorter"
        )
    rows = session.scalars(
        select(Lesson).where(Lesson.period == period, Lesson.ended_at.is_(None)).order_by(Lesson.id)
    ).all()
    left = list(wanted)
    for row in rows:
        if row.text in left:
            left.remove(row.text)
        else:
            row.ended_at = now
    session.add_all(Lesson(period=period, text=text, by=by, at=now) for text in left)
    if left or any(row.ended_at == now for row in rows):
        record(session, now, by, "lessons written", why=period)
