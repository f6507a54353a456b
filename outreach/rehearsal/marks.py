"""What is not known yet, printed as ⟦to be confirmed: links.register⟧ where it would stand.

Nothing is invented: a mark names the fact, and stands in the text in its place. Only a rehearsal
prints one; on the desk the same text waits.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from outreach.campaign.models import Campaign, Media, Tbc
from outreach.compose import Draft
from outreach.compose import render as sandbox
from outreach.compose.languages import Translation
from outreach.compose.render import Job, Rendered
from outreach.platforms import Channel
from outreach.post import Part, Post

MARKED = re.compile(r"⟦to be confirmed: ([^⟦⟧]*)⟧")

_PEOPLE = ("name", "title", "organization", "starts", "ends")  # what texts print of one
_ONE = {"speaker", "session", "speakers", "sessions"}


def mark(name: str) -> str:
    """ "⟦to be confirmed: links.register⟧" """
    return f"⟦to be confirmed: {name}⟧"


def without_marks(text: str) -> str:
    """The text as it would be counted: an address where one is to come, else nothing."""
    address = "https://example.org"
    return MARKED.sub(lambda found: address if found[1].startswith("links.") else "", text)


def render(jobs: Iterable[Job]) -> Iterator[Rendered]:
    """Texts rendered as ever, with a mark for every fact that is to be confirmed."""
    return sandbox.rendering(replace(job, context=_marked(job.context)) for job in jobs)


def _marked(value: Any, within: str = "") -> Any:
    if isinstance(value, Mapping):
        if "__tbc__" in value:
            return _stand_in({"__mark__": mark(value["__tbc__"]["name"])}, within)
        return {name: _marked(item, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [_marked(item, within.removesuffix("s")) for item in value]
    return value


def _stand_in(words: Mapping[str, str], within: str) -> Any:
    """The mark; for a speaker or a session one that has it for a name, for a list one of those."""
    if within not in _ONE:
        return words
    one = {"id": "", "session": "", "speakers": [], **dict.fromkeys(_PEOPLE, words)}
    return [one] if within.endswith("s") else one


def with_marked_pictures(campaign: Campaign) -> Campaign:
    """The campaign with a mark for every description and credit that is to be confirmed."""

    def marked(media: Media) -> Media:
        return media.model_copy(
            update={
                name: mark(f"the {name} of {media.file}")
                for name in ("alt", "credit")
                if isinstance(getattr(media, name), Tbc)
            }
            | ({"expires": None} if isinstance(media.expires, Tbc) else {})
        )

    messages = {
        name: message.model_copy(update={"media": tuple(marked(one) for one in message.media)})
        for name, message in campaign.messages.items()
    }
    return campaign.model_copy(update={"messages": messages})


def stood_in(draft: Draft, marked: Draft | None, channels: Mapping[str, Channel]) -> Draft:
    """The draft as if what it waits for were confirmed: with its marked text, and not blocked.

    A draft with mistakes stays as it is.
    """
    if not draft.blocked or any(problem.mistake for problem in draft.blocked):
        return draft
    post = (marked.post if marked else None) or draft.post or _without_text(draft, channels)
    if post is None:
        return draft
    return replace(draft, post=post, links=marked.links if marked else (), blocked=())


def _without_text(draft: Draft, channels: Mapping[str, Channel]) -> Post | None:
    """A post that says that its text is missing."""
    if draft.channel not in channels:
        return None
    missing = draft.translation is Translation.MISSING
    words = mark(f"the text in {draft.language}" if missing else "the text")
    return Post(
        campaign=draft.campaign,
        message=draft.message,
        language=draft.language,
        channel=draft.channel,
        parts=(Part(words, draft.language),),
        account=channels[draft.channel].account,
        slot=draft.local,
    )
