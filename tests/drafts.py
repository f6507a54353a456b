"""Posts put on a desk as values, without files, where the files are not the point."""

from collections.abc import Iterable
from datetime import UTC, datetime

from outreach import apply as applying
from outreach.app import Outreach
from outreach.campaign.models import Late
from outreach.campaign.plan import plan
from outreach.compose import Draft
from outreach.compose.links import Link
from outreach.post import Part, Post, Slot
from tests.conftest import clear_all


def draft(
    message: str = "news",
    *texts: str,
    at: str = "2025-07-20T01:04Z",
    language: str = "en",
    channel: str = "net",
    not_after: str = "",
    release: str = "as-ready",
    links: Iterable[Link] = (),
) -> Draft:
    """A post of one part for each text, due at an instant; late after 15 minutes."""
    due = datetime.fromisoformat(at).astimezone(UTC)
    parts = tuple(Part(text) for text in texts or (f"This is {message}.",))
    return Draft(
        campaign="c",
        message=message,
        language=language,
        channel=channel,
        slot=Slot(due, f"{due:%Y-%m-%dT%H:%M}", "UTC"),
        post=Post("c", message, language, channel, parts, f"memory {channel}"),
        late=Late(),
        not_after=datetime.fromisoformat(not_after).astimezone(UTC) if not_after else None,
        release=release,
        authors=frozenset({"ana"}),
        links=tuple(links),
    )


def put(desk: Outreach, *drafts: Draft, clear: bool = True) -> None:
    """Apply these drafts, which are all that the office has, and clear them."""
    with desk.store.writing() as session:
        made = plan(drafts, applying.standing(session), now=desk.now())
        by_key = {one.key: one for one in drafts}
        applying.carry_out(session, made, by_key, by="ana", now=desk.now())
    if clear:
        clear_all(desk)
