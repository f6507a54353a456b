"""A whole campaign, before a word of it is public: what the desk would do, shown on one page.

    office      a copy of the folder with its own database; the real one is only read
    marks       what is not known yet, as ⟦to be confirmed: …⟧ in its place
    networks    every channel as memory, with its own network's limits and simulated figures
    run         the fast clock, from before the first slot to the last month's report
    value       what it has shown
    page        the same as one file of HTML

`rehearse` does all but the page, which `page.write` makes of what it returns.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from outreach.accounts import Accounts
from outreach.compose import Draft
from outreach.compose.links import folded
from outreach.config import Configuration, read_configuration
from outreach.errors import Problem, WrongFiles
from outreach.platforms import Told
from outreach.post import Post
from outreach.rehearsal.office import Rehearsed, chosen, copied, desk_over, holds_of
from outreach.rehearsal.run import FastClock, Outcome, Run, begins, needed
from outreach.rehearsal.simulated import stamped
from outreach.rehearsal.value import NotReady, Rehearsal, Shown

__all__ = ["Rehearsal", "rehearse"]

Watch = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""Given words for what takes long, a context that gives `progress(done, of)`."""


def _unwatched(_words: str) -> AbstractContextManager[Callable[[int, int], None]]:
    return nullcontext(lambda done, of: None)


def rehearse(
    home: Path,
    files: list[Path],
    *,
    made: date,
    as_if_confirmed: bool = True,
    watch: Watch = _unwatched,
) -> Rehearsal:
    """Run these campaigns of the office in `home` on a fast clock; all of them, if none is named.

    Mistakes in files are in what is returned, and what could be made beside them. Raises NotFound
    or NotAllowed where a file is none of the office's, Unusable where there is no room to work.
    """
    names = chosen(home, files)
    with copied(home) as folder, _quiet():
        empty = Rehearsal("", ("UTC", ""), made, as_if_confirmed, names)
        clock = FastClock(datetime(2000, 1, 1, tzinfo=UTC))
        try:
            with desk_over(folder, files=names, as_if_confirmed=as_if_confirmed, now=clock) as desk:
                return _rehearsed(desk, clock, home, empty, watch)
        except WrongFiles as error:  # a settings file: then there is no post to show
            problems = tuple(
                replace(problem, where=problem.where.removeprefix(f"{folder}/"))
                for problem in error.problems
            )
            return replace(empty, problems=problems)


def _rehearsed(
    desk: Rehearsed, clock: FastClock, home: Path, empty: Rehearsal, watch: Watch
) -> Rehearsal:
    office = desk.configuration.settings.office
    lead = max((channel.lead for channel in desk.channels.values()), default=0)
    begin = begins(desk.campaigns, office.zone, lead)
    if begin:
        clock.at = begin
    with watch("Composing") as tell:
        files = desk.files(progress=tell)
    real = read_configuration(home)
    holds, untold = holds_of(real, desk.home / "data")
    outcomes: dict[str, Outcome] = {}
    run = Run(desk, clock)
    if begin:
        with watch("Publishing on a fast clock") as tell:
            outcomes = run.whole(holds, tell)
    return replace(
        empty,
        office=office.name,
        zones=(office.zone, office.also_zone),
        campaigns=desk.campaigns,
        posts=tuple(_posts(desk, outcomes)),
        problems=_problems(desk, files.problems),
        needed=tuple(needed(desk)),
        reports=tuple(stamped(report) for report in run.reports),
        holds=tuple(f"{scope} by {by}: {why}" for scope, why, by in holds),
        unready=tuple(_unready(desk, real)),
        remarks=(*run.remarks, *([untold] if untold else [])),
        max_age_days=desk.configuration.settings.clearance.max_age_days,
    )


def _posts(desk: Rehearsed, outcomes: dict[str, Outcome]) -> list[Shown]:
    """Every post with what became of it, in the order of slots, messages and channels."""
    order = list(desk.channels)
    languages_of: dict[tuple[str, str], set[str]] = {}
    for draft in desk.written.values():
        languages_of.setdefault((draft.campaign, draft.message), set()).add(draft.language)
    several = {message for message, those in languages_of.items() if len(those) > 1}
    shown = [
        _shown(desk, draft, outcomes.get(key, Outcome("")), several)
        for key, draft in desk.written.items()
        if draft.channel in desk.channels
    ]
    far = datetime.max.replace(tzinfo=UTC)
    languages = list(dict.fromkeys(one.language for one in shown))
    shown.sort(
        key=lambda one: (
            one.slot.at if one.slot else far,
            one.message,
            languages.index(one.language),
            order.index(one.channel.name),
        )
    )
    first: dict[tuple[object, ...], str] = {}
    folding = []
    for one in shown:
        alike = (one.campaign, one.message, one.language, one.slot, _folded(one.post))
        same = first.setdefault(alike, one.channel.name)
        alone = one.post is None or same == one.channel.name
        folding.append(one if alone else replace(one, same_as=same))
    return folding


def _folded(post: Post | None) -> tuple[object, ...]:
    """What two posts have in common that read the same but for their addresses."""
    if post is None:
        return ()
    return tuple(
        (folded(part.text), tuple(picture.sha256 for picture in part.pictures))
        for part in post.parts
    )


def _shown(desk: Rehearsed, draft: Draft, outcome: Outcome, several: set[tuple[str, str]]) -> Shown:
    """`several` are the messages that have more languages than one."""
    marked, made = desk.marked.get(draft.key), desk.made[draft.key]
    blocked = draft.blocked
    if draft.post is None and marked and marked.post is None:
        # What only shows once the open facts are out of the way.
        blocked = tuple(dict.fromkeys([*blocked, *(p for p in marked.blocked if p.mistake)]))
    return Shown(
        key=draft.key,
        campaign=draft.campaign,
        message=draft.message,
        language=draft.language,
        channel=desk.channels[draft.channel],
        network=desk.network_of(draft.channel),
        slot=draft.slot,
        wanted=draft.wanted,
        post=made.post or draft.post or (marked.post if marked else None),
        state=outcome.state,
        at=outcome.at,
        reason=outcome.reason,
        blocked=blocked,
        advice=draft.advice,
        questions=draft.questions,
        translation=draft.translation,
        translator=draft.translator,
        reviewer=draft.reviewer,
        late_after=_late_after(draft),
        by_hand=isinstance(desk.platforms[draft.channel], Told),
        series=bool(draft.local),
        together=draft.release == "together" and (draft.campaign, draft.message) in several,
    )


def _late_after(draft: Draft) -> datetime | None:
    """From when on it is too late to send it without asking."""
    if draft.slot is None:
        return None
    latest = draft.slot.at + draft.late.within
    return min(latest, draft.not_after) if draft.not_after else latest


def _problems(desk: Rehearsed, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """The files' problems, and those that showed once the open facts were out of the way."""
    later = [
        problem
        for key, draft in desk.marked.items()
        if draft.post is None and desk.written[key].post is None
        for problem in draft.blocked
        if problem.mistake
    ]
    return tuple(dict.fromkeys([*problems, *later]))


def _unready(desk: Rehearsed, real: Configuration) -> list[NotReady]:
    """The rehearsed channels that could not publish today."""
    accounts = Accounts(real, desk.store, desk.now)
    why, remedy = accounts.unready(), accounts.remedies()
    used = {draft.channel for draft in desk.written.values()}
    return [
        NotReady(desk.channels[name].title, words, remedy[name])
        for name, words in why.items()
        if name in used
    ]


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of a rehearsal goes to the log of the real desk, nor to anybody's screen."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
