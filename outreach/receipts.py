"""What is kept of a post that goes out: a token for each part, and a receipt where that is live.

A token is made before the first call and stays the same at every further one; a receipt is proof
that a part is live, and the last one makes the post *published*.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from outreach import counters
from outreach.clearance import PROGRAM, record
from outreach.delivery import Delivery, PartToken, ReceiptRow, State
from outreach.platforms import Receipt
from outreach.post import Part
from outreach.store.tables import SEED, Asset, Meta


def keep_receipt(
    session: Session, row: Delivery, part: int, receipt: Receipt, now: datetime
) -> None:
    """Record that one part is live."""
    session.add(
        ReceiptRow(
            key=row.key,
            part=part,
            channel=row.channel,
            remote_id=receipt.id,
            url=receipt.url,
            at=receipt.at or now,
        )
    )


def finish(
    session: Session, row: Delivery, now: datetime, *, live_since: datetime | None = None
) -> None:
    """Every part is live: since now, or since when the network says, if that is earlier."""
    row.move(State.PUBLISHED)
    row.published_at = min(live_since or now, now)
    row.retry_at, row.lateness_settled, row.look_since = None, False, None
    late = max(timedelta(0), row.published_at - row.at)
    counters.LATENESS.labels(row.channel).observe(late.total_seconds())
    record(session, now, PROGRAM, "published", row)


def receipts_of(session: Session, key: str) -> list[Receipt]:
    rows = session.scalars(
        select(ReceiptRow).where(ReceiptRow.key == key).order_by(ReceiptRow.part)
    )
    return [Receipt(row.remote_id, row.url, row.at) for row in rows]


def tokens_of(session: Session, rows: Sequence[Delivery]) -> dict[str, list[str]]:
    """The parts' tokens, by the delivery's key: each made once, before its first call, and kept.

    Made from the database's seed, so that an older copy of it makes the same ones again: a network
    that takes a token once then answers with the post that it has.
    """
    found = session.scalars(_TOKENS, {"keys": [row.key for row in rows]})
    made = {(one.key, one.fingerprint, one.part): one.token for one in found}
    wanted = {
        row.key: [(row.key, row.fingerprint, part) for part in range(len(row.post.parts))]
        for row in rows
    }
    missing = [one for parts in wanted.values() for one in parts if one not in made]
    seed = session.get_one(Meta, SEED).value.encode() if missing else b""
    for key, fingerprint, part in missing:
        about = f"{key}\n{fingerprint}\n{part}".encode()
        token = hmac.new(seed, about, hashlib.sha256).hexdigest()[:32]
        made[key, fingerprint, part] = token
        session.add(PartToken(key=key, fingerprint=fingerprint, part=part, token=token))
    return {key: [made[one] for one in parts] for key, parts in wanted.items()}


_TOKENS = select(PartToken).where(PartToken.key.in_(bindparam("keys", expanding=True)))


def pictures_of(session: Session, parts: Sequence[Part]) -> dict[str, bytes]:
    wanted = {sha for part in parts for picture in part.pictures for sha, *_ in picture.files}
    rows = session.scalars(select(Asset).where(Asset.sha256.in_(wanted))) if wanted else ()
    return {row.sha256: row.data for row in rows}
