"""What a person decides, where the program cannot know, or should not act alone.

    live       it is public, at this address
    arrived    another office has the package, which perhaps did not reach it
    absent     somebody looked, and it is not
    retry      the network refused it; ask again
    send-now   its time passed; send it late, on purpose
    skip       leave it
    gone       it was to be deleted by hand, and is (outreach/takedown.py)

Sending again always needs a clearance that still holds.
"""

from datetime import datetime
from typing import Literal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from outreach.clearance import PROGRAM, in_force, void
from outreach.delivery import Attempt, Delivery, ReceiptRow, State
from outreach.errors import NotAllowed
from outreach.platforms import Receipt
from outreach.receipts import finish, keep_receipt

Answer = Literal["live", "arrived", "absent", "retry", "send-now", "skip", "gone"]


def settle(session: Session, row: Delivery, answer: Answer, *, url: str, now: datetime) -> None:
    """Do what was decided. Raises NotAllowed where the answer does not fit the delivery."""
    if answer == "live":
        _live(session, row, url, now)
    else:
        rest = {"arrived": _arrived, "absent": _absent, "retry": _retry}
        {**rest, "send-now": _send_now, "skip": _skip}[answer](session, row, now)


def its_own(session: Session, row: Delivery, url: str, now: datetime) -> Receipt:
    """The receipt of a post that is live at `url`; NotAllowed for what is no address, or is the
    address of another post on its channel."""
    if not url.startswith(("https://", "http://", "mid:")) or any(c.isspace() for c in url):
        raise NotAllowed(
            f"{url!r} is not the address of a post", "paste it from the browser: --live ADDRESS"
        )
    receipt = Receipt(_id_in(url), url, now)
    used = session.scalar(
        select(ReceiptRow.key).where(
            ReceiptRow.channel == row.channel,
            or_(ReceiptRow.url == url, ReceiptRow.remote_id == receipt.id),
        )
    )
    if used:
        raise NotAllowed(f"{url} is the address of {used}", "paste this post's own address")
    return receipt


def _live(session: Session, row: Delivery, url: str, now: datetime) -> None:
    row.must_be(State.UNCERTAIN, State.HANDED, State.MISSED, State.FAILED)
    receipt = its_own(session, row, url, now)
    known = session.scalar(
        select(func.count()).select_from(ReceiptRow).where(ReceiptRow.key == row.key)
    )
    part = known or 0
    keep_receipt(session, row, part, receipt, now)
    if part + 1 == len(row.post.parts):
        finish(session, row, now)
    else:
        row.move(State.CLEARED, "the rest of its thread is still to be sent")


def _arrived(session: Session, row: Delivery, now: datetime) -> None:
    row.must_be(State.UNCERTAIN)
    if not row.post.wanted:
        raise NotAllowed(
            f"{row.key} is no package for another office", "if it is live: --live ADDRESS"
        )
    last = session.scalar(
        select(Attempt).where(Attempt.key == row.key).order_by(Attempt.id.desc()).limit(1)
    )
    if last:
        last.outcome, last.ended_at = "handed", now
    row.move(State.HANDED, "the package arrived")


def _absent(_session: Session, row: Delivery, _now: datetime) -> None:
    row.must_be(State.UNCERTAIN, State.HANDED)
    if row.state is State.HANDED:
        row.move(State.MISSED, "nobody posted it")
    else:
        row.is_not_live("somebody looked: it is not live")


def _retry(session: Session, row: Delivery, now: datetime) -> None:
    row.must_be(State.FAILED)
    _must_be_covered(session, row, now)
    _go(row, "tried again")


def _send_now(session: Session, row: Delivery, now: datetime) -> None:
    row.must_be(State.MISSED)
    _must_be_covered(session, row, now)
    if row.not_after and row.not_after <= now:
        raise NotAllowed(
            f"{row.key} may not be sent after {row.not_after:%Y-%m-%d %H:%M} UTC",
            "its campaign file says so (not-after)",
        )
    row.lateness_settled = True
    _go(row, "sent late on purpose")


def _go(row: Delivery, why: str) -> None:
    """Send it; or look for it first where nothing ran when it was due: it may be out already."""
    if row.look_since:
        row.move(State.UNCERTAIN, f"{why}, once it is sure that it is not live already")
    else:
        row.move(State.CLEARED, why)


def _skip(session: Session, row: Delivery, now: datetime) -> None:
    row.must_be(State.MISSED, State.FAILED, State.HANDED)
    void(session, row, "it is skipped", now=now, who=PROGRAM)
    row.move(State.SKIPPED, "a person decided not to send it")


def _must_be_covered(session: Session, row: Delivery, now: datetime) -> None:
    clearance = in_force(session, row)
    if clearance is None or not clearance.covers(row.fingerprint, row.at):
        raise NotAllowed(
            f"{row.key} has no clearance", "move it in its campaign file and have it cleared"
        )
    if not clearance.includes(now) or (clearance.expires and clearance.expires <= now):
        raise NotAllowed(
            f"{row.key} was cleared up to {clearance.ends:%Y-%m-%d %H:%M} UTC, and that has passed",
            "move it in its campaign file and have it cleared again",
        )


def _id_in(url: str) -> str:
    """A network's id of a post, from its address: the last number in it, else all of it.

    A mailing's is what the Message-IDs of its mails begin with (RFC 2392).
    """
    if url.startswith("mid:"):
        return url.removeprefix("mid:").partition("@")[0].partition(".")[0]
    last = url.rstrip("/").rpartition("/")[2].partition("?")[0]
    return last if last.isdigit() else url
