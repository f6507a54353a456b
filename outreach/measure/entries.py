"""Entering what came of it: a file's counts, a number by hand, a cost; and taking one back.

    export ──read──> counts, shown to a person ──keep──> one entry, or none at all
    number ──type──> one entry of one day; typed again for the same day, it is another number

What is counted by files is not counted by hand as well, nor the same days twice, unless somebody
says so. Nothing is deleted: what is undone counts no more.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from outreach.clearance import MAY_WRITE, Person, record
from outreach.compose import links as addresses
from outreach.delivery import Delivery
from outreach.errors import Changed, NotAllowed, NotFound, WrongFiles
from outreach.hints import did_you_mean
from outreach.measure.amec import COSTS, ENTERED, MEASURES
from outreach.measure.countries import country
from outreach.measure.exports import Export
from outreach.measure.metrics import Reason
from outreach.store import Store
from outreach.store.tables import PRINTED, CostRow, OutcomeCount, OutcomeEntry, ShortLink

LARGEST: Final = 2**31 - 1
COST: Final = "cost-"  # how the number of a cost begins, for `undo`


@dataclass(frozen=True)
class Entry:
    """One entry as it is listed. `value` is its sum; None where one of its counts is missing."""

    number: str  # "12", or "cost-3"
    at: datetime
    by: str
    campaign: str
    what: str
    value: str
    days: str
    source: str
    undone: bool


class Entries:
    """What the office's people enter. `known` are the campaigns of its files."""

    def __init__(
        self, store: Store, now: Callable[[], datetime], zone: str, known: Callable[[], set[str]]
    ) -> None:
        self._store, self._now, self._zone, self._known = store, now, zone, known

    # --- files -----------------------------------------------------------------------------

    def look(self, export: Export, *, campaign: str, event: str = "") -> list[str]:
        """What stands in the way of keeping it, in sentences; nothing where nothing does.

        Raises NotFound for a campaign that never was.
        """
        with self._store.reading() as session:
            self._campaign(session, campaign)
            return [
                f"{export.kind} of {campaign} from {one.first} to {one.last} are counted already: "
                f"{one.source} (entry {one.id})"
                for one in self._overlapping(session, export, campaign, event)
            ]

    def keep(
        self,
        export: Export,
        *,
        campaign: str,
        event: str = "",
        by: Person,
        besides: bool = False,
        instead: bool = False,
    ) -> int:
        """Keep a file's counts: the number of the entry.

        Where some of its days are counted already, one says whether it counts `instead` of what is
        there (which is undone), or `besides` it: another form, or another session. Raises
        WrongFiles for mistakes in it, NotAllowed for a file that is kept already, and where nobody
        says which.
        """
        by.must_be(MAY_WRITE)
        if export.problems:
            raise WrongFiles(export.problems)
        if not export.counts:
            raise NotAllowed(
                f"{export.filename} counts nobody", "look at which rows were not counted"
            )
        first, last = export.days
        with self._store.writing() as session:
            self._campaign(session, campaign)
            self._one_way(session, campaign, export.kind, typed=False)
            same = session.scalar(
                self._alive().where(
                    OutcomeEntry.sha256 == export.sha256,
                    OutcomeEntry.campaign == campaign,
                    OutcomeEntry.measure == export.kind,
                )
            )
            if same:
                raise NotAllowed(
                    f"{export.filename} is kept already: entry {same.id}, by {same.by}",
                    f"to take it back: outreach figures undo {same.id}",
                )
            there = self._overlapping(session, export, campaign, event)
            if there and not besides and not instead:
                one = there[0]
                raise NotAllowed(
                    f"{export.kind} from {one.first} to {one.last} are counted already, "
                    f"by {one.source} (entry {one.id})",
                    "--instead: a newer export of the same; --besides: another form or session",
                )
            for one in there if instead else ():
                self._undo(session, one, by)
            row = self._add(
                session,
                campaign=campaign,
                measure=export.kind,
                event=event,
                source=export.filename,
                sha256=export.sha256,
                first=first,
                last=last,
                by=by,
            )
            session.add_all(
                OutcomeCount(
                    entry=row.id,
                    day=group.day,
                    session=group.session,
                    country=group.country,
                    sex=group.sex,
                    youth=group.youth,
                    organisation=group.organisation,
                    language=group.language,
                    document=group.document,
                    value=count,
                )
                for group, count in export.counts.items()
            )
            return row.id

    def _overlapping(
        self, session: Session, export: Export, campaign: str, event: str
    ) -> list[OutcomeEntry]:
        first, last = export.days
        mine = select(OutcomeCount.session).distinct()
        sessions = {group.session for group in export.counts}
        found = session.scalars(
            self._alive()
            .where(OutcomeEntry.campaign == campaign, OutcomeEntry.measure == export.kind)
            .where(OutcomeEntry.event == event, OutcomeEntry.sha256 != "")
            .where(OutcomeEntry.first <= last, OutcomeEntry.last >= first)
        )
        return [
            one
            for one in found
            if sessions & set(session.scalars(mine.where(OutcomeCount.entry == one.id)))
        ]

    # --- by hand ---------------------------------------------------------------------------

    def type(
        self,
        campaign: str,
        measure: str,
        value: str,
        *,
        source: str,
        by: Person,
        on: date | None = None,
        state: str = "",
        reason: str = "",
    ) -> int:
        """Keep how many more there were on a day: the number of the entry.

        `on` is today unless said; `state` the country, in any of its names. Typed again for the
        same day and country, it is another number, and the earlier one counts no more. ".." with a
        `reason` says that nobody can know. Raises NotFound and NotAllowed.
        """
        by.must_be(MAY_WRITE)
        day = self._day(on)
        if measure not in ENTERED:
            counted = f"the desk counts {measure} by itself" if measure in MEASURES else ""
            near = did_you_mean(measure, ENTERED) or f"known are: {', '.join(ENTERED)}"
            raise NotFound(counted or f"there is no outcome {measure!r}", near)
        code = country(state) if state else ""
        if state and not code:
            raise NotFound(
                f"{state!r} is no country that is known, or could be two",
                'write it as the United Nations does: "Republic of Korea", or KR',
            )
        number, why = _number(value), ""
        if number is None:
            near = did_you_mean(reason, list(Reason))
            if reason not in list(Reason):
                raise NotAllowed(
                    ".. says that there is no figure; say why, too",
                    near or f"--reason, one of: {', '.join(Reason)}",
                )
            why = Reason(reason).sentence
        if not source.strip():
            raise NotAllowed(
                "a number that is typed needs its source", '--source "letter of 3 September"'
            )
        with self._store.writing() as session:
            self._campaign(session, campaign)
            self._one_way(session, campaign, measure, typed=True)
            for row in session.scalars(
                self._alive().where(
                    OutcomeEntry.campaign == campaign,
                    OutcomeEntry.measure == measure,
                    OutcomeEntry.first == day,
                    OutcomeEntry.sha256 == "",
                )
            ):
                of = select(OutcomeCount.country).where(OutcomeCount.entry == row.id)
                if session.scalar(of) == code:
                    self._undo(session, row, by)
            row = self._add(
                session,
                campaign=campaign,
                measure=measure,
                event="",
                source=" ".join(source.split()),
                sha256="",
                first=day,
                last=day,
                by=by,
            )
            count = OutcomeCount(entry=row.id, day=day, country=code, value=number, reason=why)
            session.add(count)
            return row.id

    def cost(
        self,
        campaign: str,
        kind: str,
        amount: str,
        *,
        source: str,
        by: Person,
        on: date | None = None,
        currency: str = "USD",
    ) -> str:
        """Keep what was spent on a day: the number of the entry, "cost-3"."""
        by.must_be(MAY_WRITE)
        day = self._day(on)
        if kind not in COSTS:
            near = did_you_mean(kind, COSTS) or f"known are: {', '.join(COSTS)}"
            raise NotFound(f"there is no kind of cost {kind!r}", near)
        try:
            spent = Decimal(amount.replace(",", ""))
        except InvalidOperation:
            raise NotAllowed(f"{amount!r} is no amount", "write it like 120.50") from None
        if not spent.is_finite() or not 0 <= spent < 10**9 or -int(spent.as_tuple().exponent) > 2:
            raise NotAllowed(f"{amount!r} is no amount", "from 0, with two decimals at most")
        if not re.fullmatch("[A-Z]{3}", currency):
            raise NotAllowed(f"{currency!r} is no currency", "three letters, like USD or KRW")
        if not source.strip():
            raise NotAllowed("a cost needs its source", '--source "invoice 2025-118"')
        with self._store.writing() as session:
            self._campaign(session, campaign)
            row = CostRow(
                at=self._now(),
                by=by.id,
                campaign=campaign,
                kind=kind,
                amount=f"{spent:f}",
                unit="days" if kind == "staff-days" else currency,
                day=day,
                source=" ".join(source.split()),
            )
            session.add(row)
            session.flush()
            about = f"{COSTS[kind].lower()} of {campaign}: {row.amount} {row.unit}"
            record(session, self._now(), by.id, f"cost entered: {about}", why=row.source)
            return f"{COST}{row.id}"

    # --- both ------------------------------------------------------------------------------

    def undo(self, number: str, *, by: Person) -> str:
        """Take an entry back, and say what it was. NotFound for a number that is none."""
        by.must_be(MAY_WRITE)
        digits = number.removeprefix(COST)
        which = int(digits) if re.fullmatch(r"[0-9]{1,9}", digits) else 0
        with self._store.writing() as session:
            row: OutcomeEntry | CostRow | None
            if number.startswith(COST):
                row = session.get(CostRow, which)
            else:
                row = session.get(OutcomeEntry, which)
            if row is None:
                raise NotFound(f"there is no entry {number}", "they are listed: outreach figures")
            if row.undone_at:
                raise Changed(f"entry {number} is undone already, by {row.undone_by}")
            self._undo(session, row, by)
            what = row.measure if isinstance(row, OutcomeEntry) else row.kind
            return f"{what} of {row.campaign}, {row.source}"

    def entries(self, campaign: str = "") -> list[Entry]:
        """Everything that was entered, undone or not, oldest first."""
        with self._store.reading() as session:
            asked = select(OutcomeEntry).order_by(OutcomeEntry.id)
            rows = session.scalars(asked).all()
            counts: dict[int, int | None] = {}
            for entry, value in session.execute(select(OutcomeCount.entry, OutcomeCount.value)):
                before = counts.get(entry, 0)
                counts[entry] = None if before is None or value is None else before + value
            found = [
                Entry(
                    number=str(row.id),
                    at=row.at,
                    by=row.by,
                    campaign=row.campaign,
                    what=row.measure,
                    value=".." if (n := counts.get(row.id, 0)) is None else f"{n:,}",
                    days=row.first if row.first == row.last else f"{row.first} to {row.last}",
                    source=row.source,
                    undone=row.undone_at is not None,
                )
                for row in rows
            ]
            found += [
                Entry(
                    number=f"{COST}{row.id}",
                    at=row.at,
                    by=row.by,
                    campaign=row.campaign,
                    what=row.kind,
                    value=f"{row.amount} {row.unit}",
                    days=row.day,
                    source=row.source,
                    undone=row.undone_at is not None,
                )
                for row in session.scalars(select(CostRow).order_by(CostRow.id))
            ]
        return [one for one in found if campaign in ("", one.campaign)]

    # --- addresses on paper ----------------------------------------------------------------

    def on_paper(self, campaign: str, url: str, place: str, *, public_url: str, by: Person) -> str:
        """The address that a poster or a programme prints: short where the office has short links.

        `place` says where it is printed, and tells visits apart; they count as *printed*. Raises
        NotAllowed for what is no address, and for a place that cannot stand in one.
        """
        by.must_be(MAY_WRITE)
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", place) or len(place) > 60:
            raise NotAllowed(f"{place!r} cannot name a place", "write it like poster-lobby")
        if problem := addresses.unfit(url, campaign):
            raise NotAllowed(problem.what, problem.hint)
        target = addresses.tagged(
            url, campaign=campaign, message=place, channel_source="print", medium="print"
        )
        key = f"{PRINTED}{campaign}/{place}"
        code = addresses.code_of(key, target)
        with self._store.writing() as session:
            self._campaign(session, campaign)
            if public_url and session.get(ShortLink, code) is None:
                session.add(ShortLink(code=code, key=key, target=target, at=self._now()))
                record(session, self._now(), by.id, "address on paper", key, why=target)
        return addresses.address(public_url, key, target)

    # --- rules -----------------------------------------------------------------------------

    def _campaign(self, session: Session, campaign: str) -> None:
        known = {*self._known(), *session.scalars(select(Delivery.campaign).distinct())}
        if campaign not in known:
            near = did_you_mean(campaign, known)
            raise NotFound(
                f"there is no campaign {campaign!r}",
                near or f"known are: {', '.join(sorted(known)) or 'none yet'}",
            )

    def _one_way(self, session: Session, campaign: str, measure: str, *, typed: bool) -> None:
        """A figure is counted by files or by hand: both would be added, and say it twice."""
        other = session.scalar(
            self._alive().where(
                OutcomeEntry.campaign == campaign,
                OutcomeEntry.measure == measure,
                (OutcomeEntry.sha256 != "") if typed else (OutcomeEntry.sha256 == ""),
            )
        )
        if other:
            how = "a file" if typed else "hand"
            raise NotAllowed(
                f"{measure} of {campaign} is entered by {how} already (entry {other.id}, "
                f"{other.source}), and both would be added",
                f"keep one of them; to take that back: outreach figures undo {other.id}",
            )

    def _day(self, on: date | None) -> str:
        today = self._now().astimezone(ZoneInfo(self._zone)).date()
        if on and on > today:
            raise NotAllowed(f"{on} lies ahead", "see the date after --on")
        return (on or today).isoformat()

    @staticmethod
    def _alive() -> Select[OutcomeEntry]:
        return (
            select(OutcomeEntry).where(OutcomeEntry.undone_at.is_(None)).order_by(OutcomeEntry.id)
        )

    def _add(
        self,
        session: Session,
        *,
        campaign: str,
        measure: str,
        event: str,
        source: str,
        sha256: str,
        first: str,
        last: str,
        by: Person,
    ) -> OutcomeEntry:
        row = OutcomeEntry(
            at=self._now(),
            by=by.id,
            campaign=campaign,
            measure=measure,
            event=event,
            source=source,
            sha256=sha256,
            first=first,
            last=last,
        )
        session.add(row)
        session.flush()
        record(session, self._now(), by.id, f"{measure} of {campaign} entered", why=source)
        return row

    def _undo(self, session: Session, row: OutcomeEntry | CostRow, by: Person) -> None:
        row.undone_at, row.undone_by = self._now(), by.id
        what = row.measure if isinstance(row, OutcomeEntry) else row.kind
        record(session, self._now(), by.id, f"{what} of {row.campaign} undone", why=row.source)


def _number(text: str) -> int | None:
    """A count as typed, or None for "..". Raises NotAllowed for anything else."""
    if text.strip() in ("..", "…"):
        return None
    digits = re.sub(r"(?<=\d),(?=\d{3}(\D|$))", "", text.strip())
    if not re.fullmatch(r"\d{1,10}", digits) or int(digits) > LARGEST:
        raise NotAllowed(f"{text!r} is no count", "write a whole number, or .. with --reason")
    return int(digits)
