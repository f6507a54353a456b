"""Posts on one account that say the same, or come at the same moment: networks refuse the first,
and the public is not reached by the second."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from outreach.compose.links import folded
from outreach.errors import Problem

if TYPE_CHECKING:
    from outreach.compose import Draft


def apart(drafts: Sequence["Draft"]) -> list["Draft"]:
    """The drafts, the later of two that collide blocked by the earlier.

    A message in two languages goes out together, and is no collision. Texts that take turns in a
    series may come back; a series with a single text may not.
    """
    at: dict[tuple[object, ...], Draft] = {}
    says: dict[tuple[object, ...], Draft] = {}
    series = Counter((d.campaign, d.of, d.language, d.channel) for d in drafts if d.local)
    texts: dict[tuple[str, ...], set[str]] = {}
    for draft in drafts:
        if draft.local and draft.post:
            words = folded("\n".join(part.text for part in draft.post.parts))
            texts.setdefault((draft.campaign, draft.of, draft.language, draft.channel), set()).add(
                words
            )
    found = []
    for draft in drafts:
        problems: list[Problem] = []
        if draft.channel and draft.slot and draft.post:
            when = (draft.channel, draft.slot.at)
            first = at.setdefault(when, draft)
            if (first.campaign, first.message) != (draft.campaign, draft.message):
                what = (
                    f"{first.campaign}/{first.message} is due on {draft.channel} at the same time"
                )
                problems.append(Problem(draft.key, what, "move one of them by some minutes"))
            words = folded("\n".join(part.text for part in draft.post.parts))
            who = (draft.campaign, draft.of, draft.language, draft.channel)
            first = says.setdefault((draft.channel, words), draft)
            same = (first.campaign, first.of, first.language) == who[:3]
            if first is not draft and not (same and draft.local):
                what = f"{first.campaign}/{first.message} says the same on {draft.channel}"
                hint = "networks refuse a text twice: say it in other words"
                problems.append(Problem(draft.key, what, hint))
            if draft.local and series[who] > 1 and len(texts[who]) == 1:
                what = f"{draft.of} recurs, and has one text in {draft.language}"
                hint = f"networks refuse a text twice: write `## {draft.language} 1` and "
                problems.append(
                    Problem(draft.key, what, f"{hint}`## {draft.language} 2`, which take turns")
                )
        found.append(replace(draft, blocked=(*problems, *draft.blocked)) if problems else draft)
    return found
