"""
Correcting in place: a text like any other, for a post that is live already.

    propose   the message's text as its file has it now, for each live post that it differs from
    clear     a second person's yes to exactly that, as for any post
    edit      the network replaces the text; the pictures stay, and so does the address

What a network does not edit is said, with what to do instead: a new message that names what it
corrects, or taking it down. Editing again does no harm, so whatever was not answered is done
again. A post that is being taken down is not corrected, and a hold stops a correction as it
stops a post.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from outreach import holds
from outreach.changes import Changes, again
from outreach.clearance import (
    PROGRAM,
    Person,
    Reading,
    may_say_yes,
    readings,
    record,
)
from outreach.compose import Draft
from outreach.delivery import CORRECTION, Correction, Delivery, ReceiptRow, State
from outreach.errors import Changed, NotAllowed, NotFound, NotNow, Refused
from outreach.platforms import Asks, Corrects, Platform, Receipt, Told
from outreach.post import Part
from outreach.store.tables import TakeDown
from outreach.takedown import OPEN, named, ordered

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)

PROPOSED, CLEARED, DONE, REFUSED, DROPPED = (
    *("proposed", "cleared", "corrected", "refused"),
    "dropped",
)


@dataclass(frozen=True)
class Differs:
    """A live post whose file says something else now; `instead` is why it cannot be edited, and
    what to do, or ""."""

    key: str
    url: str
    was: tuple[str, ...]  # the texts of its parts
    becomes: tuple[str, ...]
    instead: str = ""


def differing(
    session: Session,
    name: str,
    drafts: Mapping[str, Draft],
    platforms: Mapping[str, Platform],
) -> list[Differs]:
    """The live posts of a message that its file would have otherwise, with how that can be done.

    Raises NotFound; NotAllowed where nothing of it is live, or its file says what is live.
    """
    rows = [row for row in named(session, name) if row.state is State.PUBLISHED]
    if not rows:
        raise NotAllowed(
            f"nothing of {name} is live",
            "what is not live yet is changed in its file: outreach plan, outreach apply",
        )
    found = []
    for row in rows:
        draft = drafts.get(row.key)
        becomes = draft.post if draft else None
        if becomes and becomes.fingerprint == row.fingerprint:
            continue
        first = session.get(ReceiptRow, (row.key, 0))
        found.append(
            Differs(
                row.key,
                first.url if first else "",
                tuple(part.text for part in row.post.parts),
                tuple(part.text for part in becomes.parts) if becomes else (),
                _instead(session, row, draft, platforms.get(row.channel)),
            )
        )
    if not found:
        raise NotAllowed(
            f"the file of {name} says what is live", "change its text first, then ask again"
        )
    return found


def _instead(
    session: Session, row: Delivery, draft: Draft | None, platform: Platform | None
) -> str:
    """Why a live post cannot be edited to what its draft says, and what to do; or ""."""
    if draft is None or draft.post is None:
        return "its file has no text for it any more: outreach check, or take it down"
    if draft.blocked:
        return f"its new text cannot be cleared: {draft.blocked[0].what}"
    if ordered(session, row.key):
        return "it is ordered to be taken down"
    old, new = row.post, draft.post
    if old.account != new.account:
        return f"it is on {old.account}, and the file is for {new.account}"
    if [part.comment for part in old.parts] != [part.comment for part in new.parts]:
        return "it has another number of parts or comments: take it down, and publish a new message"
    if [_pictures(part) for part in old.parts] != [_pictures(part) for part in new.parts]:
        return "no network replaces pictures: take it down, and publish a new message"
    if platform is not None and not isinstance(platform, Corrects):
        if isinstance(platform, Asks):
            return "another office published it: ask them to edit it"
        if isinstance(platform, Told):
            return "it was posted by hand: a person edits it there"
        return "its network edits nothing: publish a new message that says what it corrects"
    return ""


def _pictures(part: Part) -> list[tuple[str, str]]:
    return [(picture.sha256, picture.alt) for picture in part.pictures]


def propose(
    session: Session,
    posts: Sequence[Differs],
    drafts: Mapping[str, Draft],
    why: str,
    *,
    by: str,
    now: datetime,
) -> list[str]:
    """Propose these corrections, those that are possible; the names under which they are read.

    One that was proposed before and not carried out gives way. Raises NotAllowed without a reason,
    and where none is possible.
    """
    if not why.strip():
        raise NotAllowed("a reason is needed", 'say what was wrong: --why "the room is another"')
    possible = [one for one in posts if not one.instead]
    if not possible:
        raise NotAllowed(
            "none of these can be edited where they are", "each line above says what to do instead"
        )
    names = []
    for one in possible:
        row, draft = session.get_one(Delivery, one.key), drafts[one.key]
        assert draft.post is not None  # noqa: S101 - `_instead` has looked
        earlier = session.scalars(
            select(Correction).where(
                Correction.key == row.key, Correction.state.in_([PROPOSED, CLEARED])
            )
        )
        for other in earlier:
            other.state, other.ended_at = DROPPED, now
        made = Correction(
            key=row.key,
            campaign=row.campaign,
            message=f"{row.message}{CORRECTION}",
            language=row.language,
            channel=row.channel,
            was=row.content or {},
            content=draft.post.as_data(),
            fingerprint=draft.post.fingerprint,
            authors=sorted({*draft.authors, by}),
            questions=[problem.what for problem in draft.questions],
            at=row.at,
            wall=row.wall,
            zone=row.zone,
            why=why.strip(),
            by=by,
            made_at=now,
        )
        session.add(made)
        record(session, now, by, "correction proposed", row, why=why.strip())
        names.append(f"{made.campaign}/{made.message}/{made.language}")
    return list(dict.fromkeys(names))


def waiting(session: Session) -> list[Correction]:
    """The corrections that wait for a second person."""
    return list(session.scalars(select(Correction).where(Correction.state == PROPOSED)))


def clear(
    session: Session,
    name: str,
    seen: str,
    *,
    by: Person,
    now: datetime,
    override: str,
    decided: str,
) -> Reading:
    """A second person's yes to a correction as it was read; raises as clearing a post does."""
    reading, rows = _read(session, name)
    if reading.fingerprint != seen:
        raise Changed(
            f"{name} has changed since you read it ({seen} is now {reading.fingerprint})",
            "read it again: outreach review",
        )
    may_say_yes(name, reading.authors, reading.questions, by=by, override=override, decided=decided)
    for row in rows:
        row.state, row.cleared_by = CLEARED, by.id
        for question in row.questions:
            record(session, now, by.id, f"decided: {question}", row.key, why=decided)
        what = "cleared in an emergency" if override else "correction cleared"
        record(session, now, by.id, what, row.key, why=override)
    return reading


def send_back(session: Session, name: str, why: str, *, by: str, now: datetime) -> list[str]:
    """A clearer does not want it: it is dropped, and proposed anew once its text is another."""
    _, rows = _read(session, name)
    for row in rows:
        row.state, row.reason, row.ended_at = DROPPED, why, now
        record(session, now, by, "returned", row.key, why=f"correction: {why}")
    return [row.key for row in rows]


def _read(session: Session, name: str) -> tuple[Reading, list[Correction]]:
    rows = [
        row for row in waiting(session) if f"{row.campaign}/{row.message}/{row.language}" == name
    ]
    if not rows:
        raise NotFound(
            f"nothing of {name} waits for clearance", "what waits is listed by: outreach review"
        )
    return readings(rows)[0], rows


# --- editing ------------------------------------------------------------------------------


def anything(session: Session) -> bool:
    """Whether any post is to be taken down or corrected; asked every second."""
    wrong = exists().where(TakeDown.state == OPEN)
    return bool(session.scalar(select(or_(wrong, exists().where(Correction.state == CLEARED)))))


@dataclass(frozen=True)
class _Claim:
    id: int
    key: str
    owner: str
    changes: tuple[tuple[Receipt, Part], ...]  # the parts whose text is another


class Corrections(Changes[_Claim]):
    """Edits what was cleared; in any process, one at a time for a correction."""

    table = Correction

    def _due(self, session: Session) -> tuple[ColumnElement[bool], ...]:
        return (Correction.state == CLEARED, *super()._due(session))

    def _claim(self, channel: str) -> _Claim | bool:
        """One correction, committed before the call; True where one was put elsewhere instead,
        False where none is due."""
        with self.store.writing(shared=True) as session:
            row = session.scalar(
                select(Correction)
                .where(Correction.channel == channel, *self._due(session))
                .order_by(Correction.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if row is None:
                return False
            live = session.get_one(Delivery, row.key, with_for_update=True)
            if live.state is not State.PUBLISHED or ordered(session, row.key):
                row.state, row.reason = DROPPED, f"it is {live.state}, or to be taken down"
                row.ended_at = self.now()
                return True
            if on_hold := holds.held(live, holds.placed(session)):
                row.reason, row.retry_at = on_hold, self.now() + timedelta(seconds=10)
                return True
            receipts = session.scalars(
                select(ReceiptRow).where(ReceiptRow.key == row.key).order_by(ReceiptRow.part)
            ).all()
            was, becomes = live.post.parts, row.post.parts
            life, seconds = self.leases(session)
            owner = row.take(life, seconds + self.platforms[channel].limits.deadline)
            changes = tuple(
                (Receipt(one.remote_id, one.url, one.at), new)
                for one, old, new in zip(receipts, was, becomes, strict=True)
                if old.text != new.text
            )
            return _Claim(row.id, row.key, owner, changes)

    def _carry_out(self, channel: str, claim: _Claim) -> None:
        platform = self.platforms[channel]
        try:
            if not isinstance(platform, Corrects):
                raise Refused("its network edits nothing")  # noqa: TRY301 - told like a network's
            for receipt, part in claim.changes:
                platform.correct(receipt, part)
        except Refused as error:
            self._answered(claim, REFUSED, str(error))
        except NotNow as error:
            self._answered(claim, CLEARED, str(error), error.wait)
        except Exception as error:  # it may have been edited: then the same again does no harm
            self._answered(claim, CLEARED, str(error) or type(error).__name__)
        else:
            self._answered(claim, DONE)

    def _answered(
        self, claim: _Claim, state: str, why: str = "", wait: timedelta | None = None
    ) -> None:
        now = self.now()
        with self.store.writing(shared=True) as session:
            row = session.get_one(Correction, claim.id, with_for_update=True)
            if row.owner != claim.owner:
                return
            row.let_go()
            row.state, row.reason = state, why
            if state == CLEARED:
                row.retry_at = again(now, row.tries, wait)
                log.warning("%s cannot be corrected yet: %s", claim.key, why)
                return
            row.ended_at, row.retry_at = now, None
            live = session.get_one(Delivery, claim.key, with_for_update=True)
            if state == DONE:
                live.content, live.fingerprint = row.content, row.fingerprint
            what = "corrected" if state == DONE else "not corrected"
            record(session, now, PROGRAM, what, live, why=why or row.why)
