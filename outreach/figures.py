"""The office's figures: collected, typed in, and of posts that others made.

    networks      collect, collect_audience     as they fall due
    files         read, keep, undo              a CSV: looked at first, then kept as a whole
    of others     adopt, let_go, adopted        reported apart from ours

What a figure means, and when it is due, is told in `measure`; how they add up, in `report`.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from outreach import pace
from outreach.campaign.directory import load_directory
from outreach.campaign.load import campaign_files
from outreach.clearance import MAY_WRITE, Person, record
from outreach.config import Configuration
from outreach.errors import NotFound, WrongFiles
from outreach.hints import did_you_mean
from outreach.leases import Leases
from outreach.measure import adopted as others
from outreach.measure import collect, latest
from outreach.measure.collect import Round
from outreach.measure.imports import OF_PARTNER, Columns, Import, load_columns, read_figures
from outreach.measure.metrics import load_metrics
from outreach.pace import Pace
from outreach.platforms import Channel, Platform, Told, offered
from outreach.store import Store
from outreach.store.tables import ImportBatch

log = logging.getLogger(__name__)


class Figures:
    """Every figure the office has, by hand or by network: kept, never changed, and reported."""

    def __init__(
        self,
        *,
        store: Store,
        configuration: Configuration,
        channels: Mapping[str, Channel],
        platforms: Callable[[], Mapping[str, Platform]],
        paces: Callable[[], Mapping[str, Pace]],
        leases: Callable[[], Leases],
        now: Callable[[], datetime],
    ) -> None:
        self.store, self.configuration, self.now = store, configuration, now
        self.channels, self.platforms = channels, platforms
        self.paces, self.leases = paces, leases
        self.config = configuration.home / "config"

    def collect(self) -> int:
        """Take the figures that are due; returns how many snapshots were kept."""
        with self.store.alone("listen") as mine:  # what is told once is told to one
            if mine:
                collect.listen(self.platforms())
        return self._round().collect()

    def collect_audience(self) -> int:
        """Ask every account how many follow it; returns how many snapshots were kept.

        Those that have told it today are left alone.
        """
        return self._round().audience()

    def last_look(self, channel: str, key: str) -> None:
        """Read a post's figures before it is taken down, and no more after it."""
        self._round().last_look(channel, key)

    def tidy(self) -> int:
        """What is done once a day: see that no post is missing on the ladder, and thin what is old.

        Returns how many snapshots went.
        """
        with self.store.writing() as session:
            self._round().schedule(session, datetime.min.replace(tzinfo=UTC))
            return latest.thin(
                session,
                self.channels,
                months=self.configuration.settings.figures.daily_months,
                zone=self.configuration.report_zone,
                now=self.now(),
            )

    def _round(self) -> Round:
        try:
            metrics = load_metrics(self.config / "metrics.toml")
        except WrongFiles as error:  # figures that are not read in time may be gone for good
            log.warning("figures are collected without the dictionary: %s", error)
            metrics = {}
        leases = self.leases()
        with self.store.reading() as session:
            told = pace.told_to_wait(session, leases)
        return Round(
            store=self.store,
            platforms=self.platforms(),
            now=self.now(),
            zone=self.configuration.report_zone,
            leases=leases,
            kinds={name: channel.platform for name, channel in self.channels.items()},
            offers=offered(self.channels, self.platforms()),
            quiet={name for name, keeps in self.paces().items() if keeps.account in told},
            metrics=metrics,
        )

    def read(
        self, data: bytes, *, file: str, kind: str = "", columns: Columns | None = None
    ) -> Import:
        """What a CSV of figures would bring: rows to look at, and every mistake. Keeps nothing.

        `kind` is a table of config/columns.toml, which says what the heads of a tool's own export
        mean; `columns` says it for this file alone, or more of it. Raises NotFound for a kind that
        is not there, WrongFiles where that file is wrong.
        """
        metrics = load_metrics(self.config / "metrics.toml")
        given = columns or Columns()
        if kind:
            told = self.config / "columns.toml"
            kinds = load_columns(told, channels=self.channels, metrics=metrics)
            if kind not in kinds:
                known = f"known are: {', '.join(sorted(kinds)) or 'none yet'}"
                hint = did_you_mean(kind, kinds) or known
                raise NotFound(f"config/columns.toml has no [{kind}]", hint)
            names = {**kinds[kind].names, **given.names}
            given = Columns(names, given.channel or kinds[kind].channel, given.month)
        partners = load_directory(self.config, root=self.configuration.home).getting_kits
        found = read_figures(
            data,
            channels=[*self.channels, *(f"{OF_PARTNER}{name}" for name in partners)],
            metrics=metrics,
            filename=file,
            running=collect.month_of(self.now(), self.configuration.report_zone),
            given=given,
        )
        with self.store.reading() as session:
            unknown = collect.unpublished(session, found)
        return replace(found, problems=(*found.problems, *unknown))

    def keep(
        self,
        data: bytes,
        *,
        file: str,
        by: Person,
        sample: bool = False,
        kind: str = "",
        columns: Columns | None = None,
    ) -> Import:
        """Keep the figures of a CSV. Raises WrongFiles where there is any mistake in it."""
        by.must_be(MAY_WRITE)
        figures = self.read(data, file=file, kind=kind, columns=columns)
        if figures.problems:
            raise WrongFiles(figures.problems)
        with self.store.writing() as session:
            number = collect.keep_import(
                session, figures, data, file=file, by=by.id, now=self.now(), sample=sample
            )
            record(session, self.now(), by.id, f"figures imported: {file}")
        return replace(figures, number=number)

    def imports(self) -> list[ImportBatch]:
        """The files of figures that were imported, oldest first; also those taken back."""
        with self.store.reading() as session:
            return list(session.scalars(select(ImportBatch).order_by(ImportBatch.id)))

    def undo(self, number: int, *, by: Person) -> ImportBatch:
        """Take an import back: nothing of it counts in a report that is made from now on.

        Raises NotFound, or NotAllowed where it was taken back already.
        """
        by.must_be(MAY_WRITE)
        with self.store.writing() as session:
            undone = collect.undo_import(session, number, by=by.id, now=self.now())
            record(session, self.now(), by.id, f"figures taken back: {undone.file}")
        return undone

    def adopt(
        self,
        url: str,
        *,
        campaign: str,
        channel: str,
        by: Person,
        whose: str = "",
        on: date | None = None,
    ) -> None:
        """Keep a post that others made: counted and reported apart from ours.

        `on` is the day on which it was published, in the report's zone; today, unless said. Raises
        NotAllowed and NotFound as `measure.adopted.adopt` does, and for a channel there is not.
        """
        by.must_be(MAY_WRITE)
        self.configuration.must_have(channel)
        platform = self.platforms().get(channel)
        url = platform.address(url) if isinstance(platform, Told) else url.strip()
        zone = ZoneInfo(self.configuration.report_zone)
        at = datetime.combine(on, datetime.min.time(), zone) if on else self.now()
        names = {path.stem for path in campaign_files(self.configuration.home / "campaigns")}
        post = others.Post(url, campaign, channel, whose.strip(), at)
        with self.store.writing() as session:
            others.adopt(session, post, campaigns=names, by=by.id, now=self.now())

    def let_go(self, url: str, *, by: Person) -> None:
        """Do not report an adopted post any more. NotFound where it is none."""
        by.must_be(MAY_WRITE)
        with self.store.writing() as session:
            others.let_go(session, url.strip(), by=by.id, now=self.now())

    def adopted(self) -> list[others.Post]:
        """The posts of others that were adopted, oldest first."""
        with self.store.reading() as session:
            return others.adopted(session)
