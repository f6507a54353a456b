"""Reports that were kept: each version as it was made, for ever.

A later version supersedes an earlier one and never replaces it, so that August can be shown in
October as it was reported in September.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.errors import NotFound, Unusable
from outreach.hints import did_you_mean
from outreach.report.som import SOM
from outreach.report.value import VERSION, Report
from outreach.store.tables import ReportRow


@dataclass(frozen=True)
class Kept:
    """One version, without what it says. `period` is the name of what it is about; times UTC."""

    number: int
    period: str
    version: int
    made_at: datetime
    by: str
    cut_off: datetime
    superseded: bool


def kept(session: Session) -> list[Kept]:
    """Every version of every report, the newest first."""
    rows = session.execute(
        select(
            ReportRow.id,
            ReportRow.period,
            ReportRow.version,
            ReportRow.made_at,
            ReportRow.by,
            ReportRow.cut_off,
        ).order_by(ReportRow.id.desc())
    ).all()
    last: dict[str, int] = {}
    for row in rows:
        last[row.period] = max(row.version, last.get(row.period, 0))
    return [Kept(*row, superseded=row.version < last[row.period]) for row in rows]


def shown(session: Session, which: str) -> Report:
    """A report as it was made: by its number in the list, or the last one of a period's name.

    "2025-08 v1" names a version. Raises NotFound; Unusable for one that no program reads any more.
    """
    name, _, version = which.strip().partition(" v")
    wanted = select(ReportRow).order_by(ReportRow.version.desc()).limit(1)
    if name.isdecimal():
        wanted = wanted.where(ReportRow.id == int(name))
    else:
        wanted = wanted.where(ReportRow.period == name)
    if version.isdecimal():
        wanted = wanted.where(ReportRow.version == int(version))
    row = session.scalar(wanted)
    if row is None:
        periods = session.scalars(select(ReportRow.period).distinct()).all()
        near = did_you_mean(name, periods)
        raise NotFound(
            f"there is no kept report {which!r}", near or "those there are: outreach report list"
        )
    return _read(row)


def newest(session: Session, period: str = "") -> tuple[Kept, Report]:
    """The last version of a period's report; the newest of all, where no period is named, and of
    those to the meeting for "som".

    Raises NotFound where none was kept: its numbers could change; Unusable as `shown` does.
    """
    wanted = select(ReportRow).order_by(ReportRow.id.desc()).limit(1)
    if period == SOM:
        wanted = wanted.where(ReportRow.period.like(f"{SOM}:%"))
    elif period:
        wanted = wanted.where(ReportRow.period == period)
    row = session.scalar(wanted)
    if row is None:
        of = f"no report on {period} was kept" if period else "no report was kept yet"
        how = f"make it, and look at it, first: outreach report {period or '2025-08'}"
        raise NotFound(f"{of}: its numbers could change", how)
    about = (row.id, row.period, row.version, row.made_at, row.by, row.cut_off)
    return Kept(*about, superseded=False), _read(row)


def last(session: Session, period: str) -> tuple[int, Report | None]:
    """The last version that was kept of this period; 0 where there is none.

    Its report is None as well where an older program kept it in a form that is read no more.
    """
    row = session.scalar(
        select(ReportRow)
        .where(ReportRow.period == period)
        .order_by(ReportRow.version.desc())
        .limit(1)
    )
    if row is None:
        return 0, None
    try:
        return row.version, _read(row)
    except Unusable:
        return row.version, None


def _read(row: ReportRow) -> Report:
    if row.data.get("version") == VERSION:
        return Report.of(row.data)
    raise Unusable(
        f"version {row.version} of the report {row.period} was kept by an older program",
        "show it with the program that made it",
    )
