"""The sections for the Senior Officials Meeting: what did not work first, then what was asked."""

from collections.abc import Iterable, Iterator, Sequence

from outreach.report.arithmetic import NIL, NOT_APPLICABLE, NOT_AVAILABLE
from outreach.report.paper import Notes, Paper, number, why
from outreach.report.som import COUNTED, PROMISED, Promoted, SomFacts, Spoken, Tally
from outreach.report.value import Cell, Column, Row, Section, Table
from outreach.report.words import count, figure, listing, plural, sentence

MOST = 12  # points of what did not work on the first page; the others stand in their sections
SUPPRESSED = "*"
FEW = (
    "Fewer than five people, or a count from which those could be computed: it is not given, so "
    "that nobody can be recognized."
)
NOT_COLLECTED = "Not collected."


def sections(paper: Paper) -> Iterable[Section]:
    """Nothing where the report is not for the meeting."""
    som = paper.facts.som
    if som is None:
        return
    points = list(_not_worked(paper, som))
    told = [sentence(one) for one in points[:MOST]]
    if len(points) > MOST:
        rest = plural(len(points) - MOST, "further point")
        told.append(f"The sections below have {rest}.")
    none = "Nothing of what was planned failed, and no goal that was due was missed."
    yield Section("som-not-worked", "What did not work", tuple(told) or (none,))
    yield Section(
        "som-asked",
        "What the last meeting asked, and what was done",
        tuple(_asked_words(som)),
        tables=_asked(paper, som),
    )
    yield Section("som-results", "Results by programme area", tuple(_areas(som)))
    for area in dict.fromkeys(one.area for one in som.campaigns):
        its = [one for one in som.campaigns if one.area == area]
        tables = [*goals(paper, area, area, its)]
        for one in its:
            tables += [*_by_state(paper, one), *_by_group(paper, one)]
        yield Section(f"som-area-{area}", area, tuple(_area(its)), tables=tuple(tables), level=2)
    yield Section(
        "som-languages", "Languages and audiences", tuple(_unreached(som)), tables=_languages(paper)
    )
    yield Section("som-cost", "Cost", tuple(_cost_words(som)), tables=_cost(paper, som))


# --- the first page ---------------------------------------------------------------------------


def summary(paper: Paper) -> Iterator[str]:
    """The first page in words: what was published, what came of it, and how many goals were met."""
    som = paper.facts.som
    if som is None:
        return
    posts = sum(one.posts for one in som.campaigns)
    spoken = {one.name for each in som.campaigns for one in each.languages if one.posts}
    within = paper.within[:1].upper() + paper.within[1:]
    if posts:
        yield (
            f"{within}, the secretariat published {plural(posts, 'post')} in "
            f"{plural(len(spoken), 'language')} for {plural(len(som.campaigns), 'campaign')}."
        )
    else:
        yield f"{within}, the secretariat published no post of a campaign."
    for measure, label in (*PROMISED.items(), *COUNTED.items()):
        if told := _told(som, measure):
            yield f"{_LONG.get(measure, label)}: {told}."
    met, due, unknown = _counted_goals(som)
    if due or unknown:
        told = f"Of {plural(due, 'goal')} that was due and could be measured, {count(met)}"
        if due != 1:
            told = told.replace("that was due", "that were due")
        reached = f"{told} {'was' if met == 1 else 'were'} reached" if due else "No goal was due"
        open_ = f"; {plural(unknown, 'goal')} could not be measured" if unknown else ""
        yield f"{reached}{open_}."


_LONG = {"attendance": "Participation in the room", "attendance-online": "Participation online"}


def _told(som: SomFacts, measure: str) -> str:
    """ "312 (Fifth Forum)", for each campaign that has it or should have; "" for none."""
    found = [(one.title, one.tally(measure)) for one in som.campaigns]
    known = [(title, one) for title, one in found if one is not None]
    told = [f"{_figure(one.value)} ({title})" for title, one in known]
    return listing(told)


def _figure(value: int | None) -> str:
    """In a sentence."""
    return "not available" if value is None else count(value) if value else "none"


def _counted_goals(som: SomFacts) -> tuple[int, int, int]:
    """How many goals were reached, of how many due and measured; how many could not be."""
    aims = [aim for one in som.campaigns for aim in one.aims]
    due = [aim for aim in aims if aim.over and aim.value is not None and aim.target is not None]
    unknown = [aim for aim in aims if aim.value is None or aim.target is None]
    return sum(aim.reached for aim in due), len(due), len(unknown)


def _not_worked(paper: Paper, som: SomFacts) -> Iterator[str]:
    """From facts alone: files, goals, languages, posts, incidents, channels."""
    for campaign in som.unreadable:
        yield f"the campaign file of {campaign} cannot be read, and what came of it is missing here"
    for one in som.campaigns:
        for aim in one.aims:
            if aim.missed:
                yield (
                    f"{one.title}: {aim.label.lower()} reached {_figure(aim.value)} of "
                    f"{_figure(aim.target)} by {aim.until}"
                )
    for language, titles, reason in _gaps(som):
        yield f"nothing was published in {language} for {listing(titles)}: {reason}"
    facts = paper.facts
    for number_, words in (
        (facts.missed, "missed the time and {was} not sent"),
        (facts.failed, "{was} refused by a network"),
        (facts.uncertain, "{is} of unknown outcome"),
    ):
        if number_:
            is_, was = ("is", "was") if number_ == 1 else ("are", "were")
            yield f"{plural(number_, 'post')} {words.format(was=was, **{'is': is_})}"
    for incident in facts.incidents:
        were = [post for post in incident.posts if post.state != "never live"]
        down = [post for post in were if post.state == "down"]
        if were:
            yield (
                f"{plural(len(were), 'post')} had to be withdrawn ({incident.why}); "
                f"{count(len(down))} {'was' if len(down) == 1 else 'were'}"
            )
    for override in facts.overrides:
        yield f"the post {override.key} was published without a second person: {override.reason}"
    for channel in paper.incomplete:
        reasons = [why(one) for one in channel.figures.values() if one.value is None]
        told = " ".join(dict.fromkeys(reasons)) or "No figure was recorded."
        yield f"the figures of {channel.title} are not complete: {told}"


def _gaps(som: SomFacts) -> Iterator[tuple[str, list[str], str]]:
    """Languages of an audience in which nothing was published: for which campaigns, and why."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in som.campaigns:
        for language in one.languages:
            if language.why:
                found.setdefault((language.name, language.why), []).append(one.title)
    for (name, reason), titles in found.items():
        yield name, titles, reason


# --- what was asked ---------------------------------------------------------------------------


def _asked_words(som: SomFacts) -> Iterator[str]:
    if not som.meeting:
        yield "The days of no earlier meeting are known, so that nothing it asked can be answered."
    elif not som.asked:
        yield f"Nothing is recorded that the {som.meeting} asked of the secretariat."
    elif waiting := sum(not one.answer for one in som.asked):
        of = plural(len(som.asked), "request")
        are = "is" if waiting == 1 else "are"
        yield f"Of {of} of the {som.meeting}, {count(waiting)} {are} not answered yet."


def _asked(paper: Paper, som: SomFacts) -> tuple[Table, ...]:
    rows = [
        Row(
            one.what,
            (
                Cell(one.source),
                Cell(one.answer or f"{NOT_AVAILABLE} (not answered yet)"),
                Cell(one.by or NOT_APPLICABLE),
            ),
        )
        for one in som.asked
    ]
    return paper.table(
        "som-asked",
        f"Requests of the {som.meeting}",
        (
            Column("What was asked", 36, words=True),
            Column("Where", 19, words=True),
            Column("What was done", 31, words=True),
            Column("Answered by", 14, words=True),
        ),
        rows,
        sourced=False,
    )


# --- results ----------------------------------------------------------------------------------


def _areas(som: SomFacts) -> Iterator[str]:
    named = {one.area for one in som.campaigns}
    without = [area for area in som.areas if area not in named]
    if not named:
        yield "No campaign had a post, or a figure, in these days."
    elif without:
        yield f"No campaign was run for {listing(without)}."


def _area(campaigns: Sequence[Promoted]) -> Iterator[str]:
    for one in campaigns:
        told = [f"{plural(one.posts, 'post')} {'was' if one.posts == 1 else 'were'} published"]
        for measure, label in {**PROMISED, **COUNTED}.items():
            if tally := one.tally(measure):
                told.append(f"{_LONG.get(measure, label).lower()} {_figure(tally.value)}")
        yield f"{one.title}: {'; '.join(told)}."
        missing: dict[str, list[str]] = {}
        for tally in one.tallies:
            if tally.measure in {**PROMISED, **COUNTED} and tally.value is None:
                missing.setdefault(tally.reason, []).append(tally.label.lower())
        for reason, labels in missing.items():
            yield f"Not available: {listing(labels)}. {sentence(reason)}"


def goals(paper: Paper, name: str, of: str, campaigns: Sequence[Promoted]) -> tuple[Table, ...]:
    """How far the campaigns' goals were reached, with baseline, target and its source."""
    notes = Notes()
    rows = [
        Row(
            f"{one.title}: {aim.label}" if len(campaigns) > 1 else aim.label,
            (
                _open(aim.baseline, notes),
                _open(aim.target, notes),
                number(aim.value)
                if aim.value is not None
                else Cell(NOT_AVAILABLE, note=notes(sentence(aim.reason))),
                Cell(aim.until),
                Cell(_reached(aim.reached, aim.missed)),
                Cell(aim.source or NOT_AVAILABLE),
            ),
        )
        for one in campaigns
        for aim in one.aims
    ]
    return paper.table(
        f"goals-{name}",
        f"Goals: {of}",
        (
            Column("Goal", 26),
            Column("Baseline", 11),
            Column("Target", 10),
            Column("Reached", 11),
            Column("Counted up to", 16, words=True),
            Column("Met", 8, words=True),
            Column("Source of the target", 18, words=True),
        ),
        rows,
        notes,
        small=True,
    )


def _open(value: int | None, notes: Notes) -> Cell:
    return number(value) if value is not None else Cell(NOT_AVAILABLE, note=notes(_TBC))


_TBC = "To be confirmed in the campaign's file."


def _reached(reached: bool, missed: bool) -> str:
    return "yes" if reached else "no" if missed else NOT_AVAILABLE


def _by_state(paper: Paper, campaign: Promoted) -> tuple[Table, ...]:
    """Every member State in the official order; what was not collected is told as that."""
    rows, notes = _broken_down(campaign, ("state",))
    return paper.table(
        f"som-states-{campaign.campaign}",
        f"{campaign.title}: by member State",
        (Column("Member State", 36), *_heads()),
        rows,
        notes,
    )


def _by_group(paper: Paper, campaign: Promoted) -> tuple[Table, ...]:
    """By sex, and youth, where that was collected."""
    rows, notes = _broken_down(campaign, ("sex", "youth"))
    return paper.table(
        f"som-groups-{campaign.campaign}",
        f"{campaign.title}: by sex and age",
        (Column("Group", 36), *_heads()),
        rows,
        notes,
    )


def _heads() -> tuple[Column, ...]:
    return tuple(Column(head, width) for head, width in zip(COUNTED.values(), _WIDTHS, strict=True))


_WIDTHS = (18, 14, 14, 18)


def _broken_down(campaign: Promoted, kinds: Sequence[str]) -> tuple[list[Row], Notes]:
    """A row for each label, a column for each measure, and the totals; none where none is known."""
    notes = Notes()
    tallies = [campaign.tally(measure) for measure in COUNTED]
    rows: list[Row] = []
    for kind in kinds:
        labels = dict.fromkeys(label for one in tallies if one for label, _ in one.by.get(kind, ()))
        rows += [
            Row(label, tuple(_cell(one, kind, label, notes) for one in tallies)) for label in labels
        ]
    if rows:
        rows.append(
            Row(
                "Total",
                tuple(number(one.value if one else None) for one in tallies),
                total=True,
            )
        )
    return rows, notes


def _cell(tally: Tally | None, kind: str, label: str, notes: Notes) -> Cell:
    if tally is None or tally.value is None:
        return Cell(NOT_AVAILABLE, note=notes(sentence(tally.reason) if tally else NOT_COLLECTED))
    if kind in tally.withheld:
        return Cell(SUPPRESSED, note=notes(FEW))
    cells = dict(tally.by.get(kind, ()))
    if not cells:
        return Cell(NOT_AVAILABLE, note=notes(NOT_COLLECTED))
    value = cells.get(label, 0)
    if value is None:
        return Cell(SUPPRESSED, note=notes(FEW))
    return number(value)


# --- languages and cost -----------------------------------------------------------------------


def _unreached(som: SomFacts) -> Iterator[str]:
    """Who could not be reached, and why."""
    told = False
    for name, titles, reason in _gaps(som):
        told = True
        yield f"Readers of {name} were not reached by {listing(titles)}: {sentence(reason)}"
    if not told and som.campaigns:
        yield "Something was published in every language of every campaign's audience."


def _languages(paper: Paper) -> tuple[Table, ...]:
    som = paper.facts.som
    campaigns = som.campaigns if som else ()
    notes = Notes()
    rows = [
        Row(
            one.name,
            (
                Cell(campaign.title),
                Cell(figure(one.posts) if one.posts else NIL, one.posts),
                Cell(listing(one.channels) or NOT_APPLICABLE),
                Cell(one.why or NOT_APPLICABLE),
            ),
            note=_courtesy(one, notes),
        )
        for campaign in campaigns
        for one in campaign.languages
    ]
    return paper.table(
        "som-languages",
        "Languages of the audiences, and what was published in them",
        (
            Column("Language", 15),
            Column("Campaign", 29, words=True),
            Column("Posts", 9),
            Column("Channels", 22, words=True),
            Column("Why not", 25, words=True),
        ),
        rows,
        notes,
        small=True,
    )


def _courtesy(one: Spoken, notes: Notes) -> str:
    return "" if one.official else notes("Courtesy translations, which are not official.")


def _cost_words(som: SomFacts) -> Iterator[str]:
    if missing := [one.label.lower() for one in som.spent if one.amount is None]:
        yield f"Not available, since nobody entered it: {listing(missing)}."


def _cost(paper: Paper, som: SomFacts) -> tuple[Table, ...]:
    rows = [
        Row(
            one.label,
            (Cell(one.amount or NOT_AVAILABLE), Cell(listing(one.sources) or NOT_APPLICABLE)),
        )
        for one in som.spent
    ]
    return paper.table(
        "som-cost",
        f"Cost {paper.within}",
        (Column("What for", 34), Column("Amount", 22), Column("Source", 44, words=True)),
        rows,
        sourced=False,
    )
