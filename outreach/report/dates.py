"""When campaigns and their events were: from the files, and from what was published."""

from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.campaign.load import load_campaigns
from outreach.campaign.models import Campaign
from outreach.campaign.values import Loaded
from outreach.config import Configuration
from outreach.delivery import Delivery, State
from outreach.errors import NotAllowed, NotFound
from outreach.hints import did_you_mean
from outreach.report.periods import Dated


class Dates:
    """Answers what a report's period asks of a campaign: see `periods.Known`."""

    def __init__(self, session: Session, configuration: Configuration) -> None:
        self.session, self.home = session, configuration.home
        self.zone = ZoneInfo(configuration.report_zone)

    @cached_property
    def loaded(self) -> Loaded:
        """The office's campaign files, read once for a report."""
        return load_campaigns(self.home / "campaigns", root=self.home)

    @cached_property
    def _campaigns(self) -> dict[str, Campaign]:
        """Those whose files can be read; no other is needed to report."""
        return {one.campaign: one for one in self.loaded.campaigns}

    @property
    def titles(self) -> dict[str, str]:
        """The titles of campaigns, by name."""
        return {name: one.title for name, one in self._campaigns.items()}

    def __call__(self, campaign: str, event: str | None) -> Dated:
        read = self._campaigns.get(campaign)
        title = read.title if read else campaign
        earlier = read.compared_with if read else ""
        if event is None:
            first, last = self._published(campaign)
            return Dated(campaign, title, first, last, earlier=earlier)
        if read is None:
            near = did_you_mean(campaign, self._campaigns)
            raise NotFound(
                f"there is no campaign file of {campaign!r}, and events stand in these",
                near or "name the days instead: outreach report 2024-07-30..2024-09-05",
            )
        event = event or self._only(read)
        if event not in read.events:
            known = f"it has: {', '.join(sorted(read.events)) or 'none'}"
            near = did_you_mean(event, read.events)
            raise NotFound(f"the campaign {campaign} has no event {event!r}", near or known)
        day = read.events[event].day
        if day is None:
            raise NotAllowed(
                f"the date of {campaign}/{event} is to be confirmed",
                f"see {read.where('events', event)}",
            )
        return Dated(campaign, title, day, day, event=event, earlier=earlier)

    def _only(self, read: Campaign) -> str:
        if len(read.events) == 1:
            return next(iter(read.events))
        if not read.events:
            raise NotFound(
                f"the campaign {read.campaign} has no event", f"campaign:{read.campaign} reports it"
            )
        raise NotAllowed(
            f"the campaign {read.campaign} has {len(read.events)} events",
            f"say which: {', '.join(f'event:{read.campaign}/{one}' for one in read.events)}",
        )

    def _published(self, campaign: str) -> tuple[date, date]:
        """The days of its first and its last post, of those that are planned as well."""
        at = func.coalesce(Delivery.published_at, Delivery.at)
        found = self.session.execute(
            select(func.min(at), func.max(at)).where(
                Delivery.campaign == campaign,
                Delivery.state.not_in([State.DROPPED]),
            )
        ).one()
        first: datetime | None = found[0]
        last: datetime | None = found[1]
        if first is None or last is None:
            known = self.session.scalars(select(Delivery.campaign).distinct()).all()
            near = did_you_mean(campaign, known)
            raise NotFound(
                f"no post of a campaign {campaign!r} is known",
                near or f"known are: {', '.join(sorted(known)) or 'none yet'}",
            )
        return self._day(first), self._day(last)

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()
