"""A rehearsal's own office: a copy of the folder in a temporary place, with its own database.

The real folder is only read. Of its database nothing is taken but the holds, and those from a
copy: SQLite may write to a file that it only reads. Nothing can leave this machine: every channel
is memory, and no mail server is known here.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import cast

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from outreach.app import Outreach
from outreach.campaign import moved
from outreach.campaign.directory import load_directory
from outreach.campaign.load import campaign_files, load_campaigns
from outreach.compose import Draft, compose
from outreach.config import Configuration, MailSettings, read_configuration, real_now
from outreach.errors import NotAllowed, NotFound, OutreachError, Problem
from outreach.folder import Files
from outreach.holds import placed
from outreach.pace import Pace
from outreach.platforms import Account, Platform, Told, load
from outreach.rehearsal import marks
from outreach.rehearsal.networks import ByHand, Simulated
from outreach.store import Store
from outreach.store.shelf import TableShelf

COPIED = ("campaigns", "config", "templates")


def chosen(home: Path, files: list[Path]) -> tuple[str, ...]:
    """The campaign files as people know them, "campaigns/forum-2025.yaml"; all, if none is named.

    Raises NotFound for a file that is not there, NotAllowed for one that is none of this office's.
    """
    folder = home / "campaigns"
    there = [path.name for path in campaign_files(folder)]
    found = []
    for file in files:
        path = next((p for p in (file, home / file) if p.is_file()), None)
        if path is None:
            known = ", ".join(f"campaigns/{name}" for name in there) or "none yet"
            raise NotFound(f"there is no file {file}", f"campaigns here: {known}")
        if path.resolve().parent != folder.resolve() or path.name not in there:
            raise NotAllowed(
                f"{file} is not a campaign of this office",
                f"put it into {folder.name}/, where its texts and channels are known",
            )
        found.append(f"campaigns/{path.name}")
    if not files and not there:
        raise NotFound("there is no campaign to rehearse", "write one: campaigns/NAME.yaml")
    return tuple(dict.fromkeys(found)) or tuple(f"campaigns/{name}" for name in there)


@contextmanager
def copied(home: Path) -> Iterator[Path]:
    """A copy of the office's folder, gone when this ends."""
    with tempfile.TemporaryDirectory(prefix="outreach-rehearsal-") as temporary:
        folder = Path(temporary).resolve()
        for name in COPIED:
            if (home / name).is_dir():
                shutil.copytree(home / name, folder / name, symlinks=True)
            (folder / name).mkdir(exist_ok=True)
        if (home / "media").is_dir():
            # Pictures can be gigabytes; they are read from where they are.
            (folder / "media").symlink_to((home / "media").resolve())
        yield folder


@contextmanager
def desk_over(
    folder: Path,
    *,
    files: tuple[str, ...],
    as_if_confirmed: bool,
    now: Callable[[], datetime],
) -> Iterator["Rehearsed"]:
    """The rehearsal's desk over a copied folder. Raises WrongFiles."""
    configuration = read_configuration(folder)
    settings = replace(configuration.settings, mail=MailSettings())
    store = Store(f"sqlite:///{folder / 'data' / 'rehearsal.db'}")
    # Nothing here has to outlive a power cut.
    event.listen(store.engine, "connect", lambda made, _: made.execute("PRAGMA synchronous = OFF"))
    store.prepare()
    desk = Rehearsed(
        configuration=replace(configuration, settings=settings),
        store=store,
        now=now,
        files=files,
        as_if_confirmed=as_if_confirmed,
    )
    try:
        yield desk
    finally:
        desk.close()


class Rehearsed(Outreach):
    """The desk as it is, but for three things: what it reads, whom it sends to, and its files.

    `files` are those that are rehearsed; the others are read, so that what clashes with them is
    found. With `as_if_confirmed` what waits for a fact or a reviewer is taken as if it were
    confirmed. By key, `written` has every draft as its files really have it, `marked` those that
    wait, with marks, and `made` what was applied.
    """

    def __init__(
        self,
        *,
        configuration: Configuration,
        store: Store,
        now: Callable[[], datetime],
        files: tuple[str, ...],
        as_if_confirmed: bool,
    ) -> None:
        # Heartbeat and leases stay on real time: nothing here is ever found after a gap.
        super().__init__(configuration=configuration, store=store, now=now, real=real_now)
        self.rehearsed, self.as_if_confirmed = files, as_if_confirmed
        self.written: dict[str, Draft] = {}
        self.marked: dict[str, Draft] = {}
        self.made: dict[str, Draft] = {}
        self.campaigns = tuple(
            campaign
            for campaign in load_campaigns(self.home / "campaigns", root=self.home).campaigns
            if campaign.file in files
        )
        self._read: dict[tuple[str, object], Files] = {}

    @cached_property
    def unready(self) -> Mapping[str, str]:
        """None: memory is always there. What the real accounts lack is told apart."""
        return {}

    @cached_property
    def platforms(self) -> Mapping[str, Platform]:
        """Every channel, as memory with its own network's limits."""
        return {name: self._network(name) for name in self.configuration.channels}

    @cached_property
    def paces(self) -> Mapping[str, Pace]:
        """None: limits are of real time, and this clock runs fast."""
        return {}

    def network_of(self, channel: str) -> str:
        """The platform that a channel's memory stands in for."""
        settings = self.configuration.channels[channel]
        return settings.options.get("as", settings.platform)

    def _network(self, name: str) -> Platform:
        options = {**self.configuration.channels[name].options, "as": self.network_of(name)}
        shelf = TableShelf(self.store, name, self.now)
        account = Account(channel=name, options=options, secrets={}, shelf=shelf, now=self.now)
        real = load(options["as"])(account)
        network = ByHand(account) if isinstance(real, Told) else Simulated(account)
        network.limits = real.limits  # a channel's options may say what its server takes
        return cast("Platform", network)  # its offers are its own, and Memory's those of all

    def files(self, progress: Callable[[int, int], None] | None = None) -> Files:
        """What the rehearsed files ask for; the same object while nothing can have changed."""
        seen = (self.folder.tree(), self.now().date())
        if seen not in self._read:
            self._read = {seen: self._files(progress)}
        return self._read[seen]

    def _files(self, progress: Callable[[int, int], None] | None) -> Files:
        # Two passes over the same texts; the bar knows of both.
        halves = [_half(progress, number) if progress else None for number in (0, 1)]
        real = self._compose(halves[0])  # not `files`: a copy has no place in anybody's cache
        names = {campaign.campaign for campaign in self.campaigns}
        written = {key: d for key, d in real.drafts.items() if d.campaign in names}
        self.written |= written
        marked = self._marked(written, halves[1])
        self.marked |= marked
        drafts = written
        if self.as_if_confirmed:
            drafts = {
                key: marks.stood_in(draft, marked.get(key), self.channels)
                for key, draft in written.items()
            }
        self.made |= drafts
        loaded = replace(real.loaded, campaigns=self.campaigns)
        held = {one.campaign: moved.held(one) for one in self.campaigns}
        return Files(loaded, drafts, tuple(self._about(real, written)), held)

    def _marked(
        self,
        written: Mapping[str, Draft],
        progress: Callable[[int, int], None] | None,
    ) -> dict[str, Draft]:
        """The drafts that wait, made with a mark for what is not known."""
        if not any(draft.blocked for draft in written.values()):
            return {}
        made = compose(
            [marks.with_marked_pictures(campaign) for campaign in self.campaigns],
            self.channels,
            templates=self.home / "templates",
            media=self.home / "media",
            root=self.home,
            public_url=self.public_url,
            directory=load_directory(self.home / "config", root=self.home),
            until=max((d.slot.at for d in written.values() if d.slot), default=None),
            progress=progress,
            rendering=marks.render,
        )
        return {draft.key: draft for draft in made if draft.key in written}

    def _about(self, real: Files, written: Mapping[str, Draft]) -> Iterator[Problem]:
        """The problems of the rehearsed files, of their texts, and of the office's settings."""
        theirs = {
            problem
            for key, draft in real.drafts.items()
            if key not in written
            for problem in (*draft.blocked, *draft.questions, *draft.advice)
        }
        ours = {
            problem
            for draft in written.values()
            for problem in (*draft.blocked, *draft.questions, *draft.advice)
        }
        for problem in real.problems:
            file = problem.where.partition(":")[0]
            other = file.startswith("campaigns/") and file not in self.rehearsed
            if problem in ours or not (other or problem in theirs):
                yield problem


def _half(tell: Callable[[int, int], None], number: int) -> Callable[[int, int], None]:
    return lambda done, of: tell(done + number * of, 2 * of)


def holds_of(real: Configuration, folder: Path) -> tuple[list[tuple[str, str, str]], str]:
    """(scope, reason, who) of every hold in force at the real desk, and what could not be read.

    An SQLite database is copied to `folder` first, with the log of what it has not yet taken in.
    """
    prefix = "sqlite:///"
    url = real.database
    if url.startswith(prefix):
        source = Path(url.removeprefix(prefix))
        if not source.is_file():
            return [], ""
        copy = folder / "real.db"
        with suppress(OSError):
            shutil.copyfile(source, copy)
            log = source.with_name(source.name + "-wal")
            if log.is_file():
                shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
        url = f"{prefix}{copy}"
    try:
        store = Store(url)
        with store.reading() as session:
            found = [(row.scope, row.reason, row.by) for row in placed(session)]
        store.close()
    except (OutreachError, SQLAlchemyError) as error:
        return [], f"whether anything is on hold at the desk could not be read: {error}"
    return found, ""
