"""Carrying a plan out: what the files ask for becomes deliveries, in one transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.campaign import moved
from outreach.campaign.models import Campaign
from outreach.campaign.moved import Held
from outreach.campaign.plan import Kind, Notice, Operation, Plan, Standing, late_seconds, reasons
from outreach.clearance import Clearance, in_force, record, void
from outreach.compose import Draft
from outreach.delivery import Delivery, ReceiptRow, State
from outreach.post import Slot
from outreach.store.tables import Asset, Meta, ShortLink


def standing(session: Session) -> list[Standing]:
    """Every delivery as the database has it. Columns, not rows: there may be ten thousands."""
    cleared = {
        yes.id: yes
        for yes in session.execute(
            select(Clearance.id, Clearance.starts, Clearance.ends, Clearance.by, Clearance.override)
            .join(Delivery, Delivery.clearance == Clearance.id)
            .where(Clearance.voided_at.is_(None))
        )
    }
    begun = set(session.scalars(select(ReceiptRow.key).distinct()))
    handed = select(Delivery.key, Delivery.content).where(Delivery.state == State.HANDED)
    asked = {key for key, content in session.execute(handed) if (content or {}).get("wanted")}
    authors: dict[frozenset[str], frozenset[str]] = {}  # the same few wrote nearly everything
    found = []
    rows = session.execute(select(*_STANDING).execution_options(yield_per=1000))
    for row in rows:
        key, campaign, message, channel, state, fingerprint, blocked = row[:7]
        wrote, clearance, at, wall, zone, late_seconds, not_after, together = row[7:]
        yes = cleared.get(clearance or 0)
        found.append(
            Standing(
                key=key,
                campaign=campaign,
                message=message,
                channel=channel,
                state=str(state),
                fingerprint=fingerprint,
                slot=Slot(at, wall, zone),
                late_seconds=late_seconds,
                not_after=not_after,
                together=together,
                blocked=blocked,
                window=(yes.starts, yes.ends) if yes else None,
                cleared_by=yes.by if yes and not yes.override else "",
                authors=authors.setdefault(one := frozenset(wrote), one),
                begun=key in begun,
                asked=key in asked,
            )
        )
    return found


_STANDING = (
    *(Delivery.key, Delivery.campaign, Delivery.message, Delivery.channel, Delivery.state),
    *(Delivery.fingerprint, Delivery.blocked, Delivery.authors, Delivery.clearance),
    *(Delivery.at, Delivery.wall, Delivery.zone),
    *(Delivery.late_seconds, Delivery.not_after, Delivery.together),
)


def with_texts(session: Session, made: Plan) -> Plan:
    """The plan, its operations with the texts that they start from."""
    keys = [op.key for op in made.operations if op.state]
    had: dict[str, str] = {}
    for n in range(0, len(keys), 500):  # a database takes so many names in one question
        some = select(Delivery.key, Delivery.content).where(Delivery.key.in_(keys[n : n + 500]))
        for key, content in session.execute(some):
            had[key] = "\n---\n".join(part["text"] for part in (content or {}).get("parts", ()))
    if not had:
        return made
    operations = (replace(op, was_text=had.get(op.key, "")) for op in made.operations)
    return replace(made, operations=tuple(operations))


def carry_out(
    session: Session, plan: Plan, drafts: Mapping[str, Draft], *, by: str, now: datetime
) -> None:
    """Make the rows say what the plan says. `by` becomes an author of everything it touches."""
    for op in plan.operations:
        if op.kind is Kind.DROP:
            _drop(session, op, by, now)
        elif op.kind is Kind.ADD and not op.state:
            _add(session, drafts[op.key], by, now)
        else:
            _revise(session, op, drafts[op.key], by, now)
    for draft in drafts.values():
        _register(session, draft, now)


# --- events that move ---------------------------------------------------------------------


Applied = Mapping[str, Sequence[Held]]
"""By campaign, everything that was ever applied of its events, the last of each at the end."""

_EVENTS = "events of "  # and the campaign: the name of the row


def applied_events(session: Session) -> Applied:
    """What stands of every campaign's events."""
    rows = session.scalars(select(Meta).where(Meta.name.startswith(_EVENTS, autoescape=True)))
    return {row.name.removeprefix(_EVENTS): moved.of_data(json.loads(row.value)) for row in rows}


def outdate(
    campaigns: Iterable[Campaign], drafts: Mapping[str, Draft], applied: Applied
) -> Mapping[str, Draft]:
    """The drafts, those blocked that say in free words where or when an event was before."""
    earlier = {}
    for campaign in campaigns:
        before = applied.get(campaign.campaign, ())
        if set(before) - set(moved.held(campaign)):
            earlier[campaign.campaign] = campaign, before
    if not earlier:
        return drafts
    found = dict(drafts)
    for draft in drafts.values():
        if draft.campaign in earlier and draft.post:
            text = "\n".join(part.text for part in draft.post.parts)
            if said := moved.outdated(text, *earlier[draft.campaign]):
                blocked = (moved.problem(draft.key, said), *draft.blocked)
                found[draft.key] = replace(draft, outdated=said, blocked=blocked)
    return found


def events_moved(campaigns: Iterable[Campaign], made: Plan, applied: Applied) -> Plan:
    """The plan, headed by what each event's move does to its campaign."""
    told = [
        Notice("event", "", _what_moves(campaign, was, now, made))
        for campaign in campaigns
        for was, now in moved.moves(campaign, applied.get(campaign.campaign, ()))
    ]
    return replace(made, notices=(*told, *made.notices)) if told else made


def _what_moves(campaign: Campaign, was: Held, now: Held, made: Plan) -> str:
    theirs = [op for op in made.operations if op.key.startswith(f"{campaign.campaign}/")]
    out = [
        one
        for one in made.notices
        if one.kind == "correction needed" and one.key.startswith(f"{campaign.campaign}/")
    ]
    counts = (
        (sum(op.kind is Kind.MOVE for op in theirs), "move"),
        (sum(op.kind is Kind.CHANGE for op in theirs), "change their text"),
        (sum(op.kind is Kind.BLOCK for op in theirs), "are blocked"),
        (sum(op.voids for op in theirs), "lose their clearance"),
        (len(out), "that are published need a correction"),
    )
    told = ", ".join(f"{count} {words}" for count, words in counts)
    return f"{campaign.campaign}: {now.event} moves from {was} to {now}: {told}"


def remember_events(session: Session, campaigns: Iterable[Campaign]) -> None:
    """Keep when events are to be held, as they are applied now."""
    applied = applied_events(session)
    for campaign in campaigns:
        before = applied.get(campaign.campaign, [])
        now = moved.held(campaign)
        kept = [one for one in before if one not in now] + now
        if kept != before:
            value = json.dumps(moved.as_data(kept), ensure_ascii=False)
            session.merge(Meta(name=f"{_EVENTS}{campaign.campaign}", value=value))


# --- rows ---------------------------------------------------------------------------------


def _drop(session: Session, op: Operation, by: str, now: datetime) -> None:
    row = session.get_one(Delivery, op.key)
    void(session, row, op.why, now=now, who=by)
    row.move(State.DROPPED, op.why)
    record(session, now, by, "dropped", row, why=op.why)


def _add(session: Session, draft: Draft, by: str, now: datetime) -> None:
    if draft.slot is None:  # an idea has no operation
        return
    past = draft.slot.at <= now
    row = Delivery(
        key=draft.key,
        campaign=draft.campaign,
        message=draft.message,
        slot=draft.local,
        language=draft.language,
        channel=draft.channel,
        state=State.PAST if past else State.PROPOSED,
        reason="its slot was past when it was first applied" if past else "",
        applied_at=now,
        authors=[],
        questions=[],
        at=draft.slot.at,
        wall=draft.slot.wall,
        zone=draft.slot.zone,
        late_seconds=late_seconds(draft),
    )
    _say(row, draft, by)
    session.add(row)
    record(session, now, by, "applied", row, why="new")


def _revise(session: Session, op: Operation, draft: Draft, by: str, now: datetime) -> None:
    row = session.get_one(Delivery, op.key)
    if draft.slot is None:
        return
    before = row.state
    moved = draft.slot != row.due
    row.at, row.wall, row.zone = draft.slot.at, draft.slot.wall, draft.slot.zone
    _say(row, draft, by)
    clearance = in_force(session, row)
    covered = clearance is not None and clearance.covers(row.fingerprint, row.at)
    if clearance is not None and clearance.by in draft.authors and not clearance.override:
        covered = False  # whose yes it was turns out to have written it
    if clearance is not None and not covered:
        void(session, row, op.why, now=now, who=by)
    row.applied_at = now
    if op.kind is not Kind.RULES:  # a new rule decides nothing that waits for a person
        _go_on(row, before, covered=covered, moved=moved, now=now)
    record(session, now, by, "applied", row, why=op.why)


def _go_on(row: Delivery, before: State, *, covered: bool, moved: bool, now: datetime) -> None:
    """Where a delivery stands after its text or its slot has changed."""
    row.returned, row.lateness_settled, row.retry_at = "", False, None
    if before is State.HANDED:  # another office has what it was: a new package is never too early
        wanted = row.content and row.content.get("wanted")
        row.lateness_settled = not wanted or Slot.read(wanted).at > now
        row.move(State.PROPOSED if row.lateness_settled else State.MISSED, "its text has changed")
        return
    if before is State.CLEARED and covered:
        return
    if before in {State.MISSED, State.SKIPPED, State.PAST} and not moved:
        return  # a new text alone does not bring it back
    if (moved or before is State.DROPPED) and row.at <= now:
        row.move(State.PAST, "its slot was past when it was applied")
    else:
        row.move(State.CLEARED if covered else State.PROPOSED)


def _say(row: Delivery, draft: Draft, by: str) -> None:
    blocked = reasons(draft)
    row.content = draft.post.as_data() if draft.post and not blocked else None
    row.fingerprint = draft.post.fingerprint if draft.post and not blocked else ""
    row.blocked = blocked
    row.questions = [f"{problem.what} → {problem.hint}" for problem in draft.questions]
    row.authors = sorted({*(row.authors or ()), *draft.authors, by})
    row.late_seconds = late_seconds(draft)
    row.not_after = draft.not_after
    row.together = draft.release == "together"


def _register(session: Session, draft: Draft, now: datetime) -> None:
    """Keep the short links that a text prints, and its pictures as they were read."""
    if draft.post is None or draft.blocked:
        return
    for link in draft.links:
        if session.get(ShortLink, link.code) is None:
            session.add(ShortLink(code=link.code, key=draft.key, target=link.target, at=now))
    for part in draft.post.parts:
        for picture in part.pictures:
            if session.get(Asset, picture.sha256) is None:
                session.add(Asset(sha256=picture.sha256, type=picture.type, data=picture.data))
                session.flush()
