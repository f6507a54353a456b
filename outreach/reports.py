"""The office's reports: drafted, kept version by version, shown again, and what was learnt.

    computed      draft, make              from snapshots; a draft is kept nowhere
    kept          kept, show               each version as it was made, for ever
    learnt        lessons, learn           an officer's words, printed in every later version

How a report adds up is told in `report`; what its documents look like, in `report.documents`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outreach.campaign.directory import load_directory
from outreach.clearance import MAY_WRITE, Person, record
from outreach.config import Configuration
from outreach.measure.som import som as read_som
from outreach.platforms import Channel, Platform, offered
from outreach.report import frozen, gather
from outreach.report import lessons as learnt
from outreach.report.compute import compute
from outreach.report.dates import Dates
from outreach.report.facts import ReportInput
from outreach.report.periods import parse
from outreach.report.som_facts import promoted, since_last, som_facts
from outreach.report.value import Report
from outreach.store import Store


class Reports:
    """Every report of the office. `about` is a period as officers write it: see report.periods."""

    def __init__(
        self,
        *,
        store: Store,
        configuration: Configuration,
        channels: Mapping[str, Channel],
        platforms: Callable[[], Mapping[str, Platform]],
        now: Callable[[], datetime],
    ) -> None:
        self.store, self.configuration = store, configuration
        self.channels, self.platforms, self.now = channels, platforms, now

    def draft(self, about: str, *, against: str = "", by: str = "", som: bool = False) -> Report:
        """The report as it would be made now. It is kept nowhere, and says so."""
        with self.store.reading() as session:
            given = self._gathered(session, about, against=against, by=by, draft=True, som=som)
        return compute(given)

    def make(self, about: str, *, by: Person, against: str = "", som: bool = False) -> Report:
        """Compute a report in the report's zone, keep it as the next version, and return it.

        With `som` it is for the Senior Officials Meeting: about the days since the last one, where
        nothing else is named; NotFound where those are not known. Raises what `gather.gather`
        does, and Changed where somebody else made one meanwhile.
        """
        with self.store.reading() as session:
            given = self._gathered(session, about, against=against, by=by.name, som=som)
        with self.store.writing() as session:
            made = gather.freeze(session, given, by=by.id, now=self.now())
            record(session, self.now(), by.id, f"report {made.period} made")
        return made

    def kept(self) -> list[frozen.Kept]:
        """Every version that was ever kept, the newest first."""
        with self.store.reading() as session:
            return frozen.kept(session)

    def show(self, which: str) -> Report:
        """One as it was made: by its number in the list, or the last one of a period's name."""
        with self.store.reading() as session:
            return frozen.shown(session, which)

    def lessons(self, about: str) -> list[learnt.Kept]:
        """What was learnt of this period."""
        with self.store.reading() as session:
            return learnt.of(session, self._name(session, about))

    def learn(self, about: str, texts: Sequence[str], *, by: Person) -> list[learnt.Kept]:
        """Have exactly these lessons of it; returns them. NotAllowed for one that is too long."""
        by.must_be(MAY_WRITE)
        with self.store.reading() as session:
            name = self._name(session, about)
        with self.store.writing() as session:
            learnt.replace(session, name, texts, by=by.id, now=self.now())
            session.flush()
            return learnt.of(session, name)

    def _name(self, session: Session, about: str) -> str:
        known = Dates(session, self.configuration)
        return parse(about, self.configuration.report_zone, known).name

    def _gathered(
        self,
        session: Session,
        about: str,
        *,
        against: str,
        by: str,
        draft: bool = False,
        som: bool = False,
    ) -> ReportInput:
        home, zone = self.configuration.home, self.configuration.report_zone
        partners = load_directory(home / "config", root=home).partners
        meetings = read_som(home / "config" / "som.toml") if som else ()
        if som and not about:
            about = since_last(meetings, self.now().astimezone(ZoneInfo(zone)).date(), zone)
        known = Dates(session, self.configuration)
        given = gather.gather(
            session,
            about,
            known=known,
            configuration=self.configuration,
            channels=self.channels,
            offers=offered(self.channels, self.platforms()),
            now=self.now(),
            by=by,
            against=against,
            draft=draft,
            partners={name: one.called("en", "en") for name, one in partners.items()},
        )
        # Days of months and of campaigns overlap: what tells people apart is in none of them.
        came = promoted(
            session,
            given.period,
            zone=zone,
            cut_off=given.cut_off,
            loaded=known.loaded,
            channels=self.channels,
            broken_down=som,
        )
        if not som:
            return replace(given, campaigns=came)
        facts = som_facts(
            session,
            given.period,
            zone=zone,
            cut_off=given.cut_off,
            campaigns=came,
            unreadable=known.loaded.unreadable,
            meetings=meetings,
        )
        made = replace(given, som=facts)
        version, earlier = frozen.last(session, made.name)
        return replace(made, edition=version + 1, earlier=earlier)
