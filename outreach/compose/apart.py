"""Posts on one account that say the same, or come at the same moment: networks refuse the first,
and the public is not reached by the second."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from outreach.compose.links import folded
from outreach.errors import Problem
from outreach.post import Post

if TYPE_CHECKING:
    from outreach.compose import Draft

Series = tuple[str, str, str, str]  # campaign, message of the file, language, channel


def apart(drafts: Sequence["Draft"]) -> list["Draft"]:
    """The drafts, the later of two that collide blocked by the earlier.

    A message in two languages goes out together, and is no collision. Texts that take turns in a
    series may come back; a series with a single text may not.
    """
    occasions: Counter[Series] = Counter()
    texts: dict[Series, set[bytes]] = {}
    for draft in drafts:
        if draft.local and draft.post:
            occasions[_series(draft)] += 1
            texts.setdefault(_series(draft), set()).add(_words(draft.post))
    alone = {one for one, count in occasions.items() if count > 1 and len(texts[one]) == 1}
    due: dict[str, dict[datetime, Draft]] = {}
    said: dict[str, dict[bytes, Draft]] = {}
    found = []
    for draft in drafts:
        problems: list[Problem] = []
        if draft.channel and draft.slot and draft.post:
            first = due.setdefault(draft.channel, {}).setdefault(draft.slot.at, draft)
            problems += _same_moment(first, draft)
            first = said.setdefault(draft.channel, {}).setdefault(_words(draft.post), draft)
            problems += _same_words(first, draft)
            if _series(draft) in alone:
                problems.append(_one_text(draft))
        found.append(replace(draft, blocked=(*problems, *draft.blocked)) if problems else draft)
    return found


def _series(draft: "Draft") -> Series:
    return draft.campaign, draft.of, draft.language, draft.channel


def _words(post: Post) -> bytes:
    """A fingerprint of what a post says, its links folded; a thousand texts need not be kept."""
    text = folded("\n".join(part.text for part in post.parts))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _same_moment(first: "Draft", draft: "Draft") -> Iterator[Problem]:
    if (first.campaign, first.message) != (draft.campaign, draft.message):
        what = f"{first.campaign}/{first.message} is due on {draft.channel} at the same time"
        yield Problem(draft.key, what, "move one of them by some minutes")


def _same_words(first: "Draft", draft: "Draft") -> Iterator[Problem]:
    takes_turns = bool(draft.local) and _series(first) == _series(draft)
    if first is not draft and not takes_turns:
        what = f"{first.campaign}/{first.message} says the same on {draft.channel}"
        yield Problem(draft.key, what, "networks refuse a text twice: say it in other words")


def _one_text(draft: "Draft") -> Problem:
    what = f"{draft.of} recurs, and has one text in {draft.language}"
    turns = f"write `## {draft.language} 1` and `## {draft.language} 2`, which take turns"
    return Problem(draft.key, what, f"networks refuse a text twice: {turns}")
