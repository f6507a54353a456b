"""A campaign's goals, and how far they are reached: target, baseline, value or none with a reason.

The value is counted from the campaign's beginning to the end of the period, and no further than
the day on which the goal is due.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outreach.campaign.models import Campaign, Tbc
from outreach.campaign.when import resolve
from outreach.measure.amec import AREAS, MEASURES
from outreach.measure.months import Period
from outreach.measure.outcomes import outcomes_of, subscribers


@dataclass(frozen=True)
class Goal:
    """One goal of a campaign file. What is to be confirmed is None.

    `due` is the last day that counts, where the event is; `source` where the target was set, and
    `counted_from` where the figure comes from.
    """

    name: str
    measure: str
    label: str
    target: int | None
    baseline: int | None
    due: date | None
    source: str
    counted_from: str


@dataclass(frozen=True)
class Result:
    """How far one goal is reached. `value` is None with the `reason`; `until` is its last day."""

    campaign: str
    goal: Goal
    value: int | None
    reason: str
    until: date
    over: bool  # it was due by then
    sources: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    at: datetime | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None where that is not known."""
        if self.value is None or self.goal.target is None:
            return None
        return self.value >= self.goal.target


def goals_of(campaign: Campaign) -> tuple[Goal, ...]:
    """The goals of a campaign file, in its order."""
    return tuple(
        Goal(
            name=name,
            measure=goal.measure or name,
            label=MEASURES[goal.measure or name].label,
            target=None if isinstance(goal.target, Tbc) else goal.target,
            baseline=None if isinstance(goal.baseline, Tbc) else goal.baseline,
            due=_due(campaign, name),
            source="" if isinstance(goal.source, Tbc) else goal.source,
            counted_from=goal.from_,
        )
        for name, goal in campaign.goals.items()
    )


def area(campaign: Campaign) -> str:
    """The programme area that a campaign belongs to, as meetings name it."""
    return AREAS.get(campaign.programme, campaign.programme)


def results(
    session: Session, campaign: str, goals: Sequence[Goal], period: Period, cut_off: datetime
) -> tuple[Result, ...]:
    """How far each goal was reached by the period's end, as it was known at the cut-off."""
    return tuple(_result(session, campaign, goal, period, cut_off) for goal in goals)


def _result(
    session: Session, campaign: str, goal: Goal, period: Period, cut_off: datetime
) -> Result:
    last = date.fromisoformat(period.after) - timedelta(days=1)
    until = min(last, goal.due) if goal.due else last
    made = Result(campaign, goal, None, "", until, over=goal.due is not None and goal.due <= last)
    if goal.measure == "subscribers":
        return replace(made, value=subscribers(session), sources=("the lists, as they are now",))
    # From the beginning to that day: what is counted so far in a period that ends with it.
    day = datetime.combine(until + timedelta(days=1), datetime.min.time(), ZoneInfo(period.zone))
    ended = replace(period, starts=min(period.starts, day - timedelta(days=1)), ends=day)
    found = outcomes_of(session, ended, cut_off=cut_off, campaigns=[campaign], broken_down=False)
    one = next(o for o in found if (o.campaign, o.measure) == (campaign, goal.measure))
    return replace(
        made,
        value=one.so_far,
        reason="" if one.so_far is not None else one.reason,
        sources=one.sources,
        by=one.by,
        at=one.at,
    )


def _due(campaign: Campaign, name: str) -> date | None:
    # The hour may be open: a goal is for a day. Hours counted from an event whose own hour is open
    # have no day.
    with suppress(ValueError):
        slot = resolve(campaign.goals[name].by, campaign, default_time="12:00 UTC")
        return datetime.fromisoformat(slot.wall).date()
    return None
