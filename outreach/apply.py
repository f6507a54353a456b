"""Carrying a plan out: what the files ask for becomes deliveries, in one transaction."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain

from sqlalchemy.orm import Session

from outreach.campaign import moved
from outreach.campaign.models import Campaign
from outreach.campaign.plan import Kind, Operation, Plan, late_seconds, reasons
from outreach.clearance import in_force, record, void
from outreach.compose import Draft
from outreach.delivery import Delivery, State
from outreach.planning import EVENTS, applied_events
from outreach.post import Slot
from outreach.store.plain import asking
from outreach.store.tables import Asset, Meta, ShortLink


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
        register(session, draft, now)


def remember_events(session: Session, campaigns: Iterable[Campaign]) -> None:
    """Keep when events are to be held, as they are applied now."""
    applied = applied_events(asking(session))
    for campaign in campaigns:
        before = applied.get(campaign.campaign, [])
        now = moved.held(campaign)
        kept = [one for one in before if one not in now] + now
        if kept != before:
            value = json.dumps(moved.as_data(kept), ensure_ascii=False)
            session.merge(Meta(name=f"{EVENTS}{campaign.campaign}", value=value))


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


def register(session: Session, draft: Draft, now: datetime) -> None:
    """Keep the short links that a text prints, and its pictures as they were read."""
    if draft.post is None or draft.blocked:
        return
    for link in draft.links:
        if session.get(ShortLink, link.code) is None:
            session.add(ShortLink(code=link.code, key=draft.key, target=link.target, at=now))
    for part in draft.post.parts:
        for sha256, type_, data in chain.from_iterable(p.files for p in part.pictures):
            if session.get(Asset, sha256) is None:
                session.add(Asset(sha256=sha256, type=type_, data=data))
                session.flush()
