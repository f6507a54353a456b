"""The office's folder: what its files ask for, composed; and whether any of them has changed.

Nothing here knows the database, and nothing is imported before it is needed: to look at files that
have not changed takes a tenth of a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from outreach import kept
from outreach.campaign import moved
from outreach.campaign.moved import Held
from outreach.campaign.values import Loaded
from outreach.config import FOLDERS, Configuration
from outreach.errors import Problem
from outreach.platforms import Channel

if TYPE_CHECKING:
    from outreach.compose import Draft, reachable
    from outreach.compose.style import House

AHEAD = timedelta(days=60)
"""How far ahead of now a recurring message has its posts."""


@dataclass(frozen=True)
class Files:
    """What the office's folder asks for: drafts by key, and every mistake and open fact.

    `held` is when each campaign's events are, by its name.
    """

    loaded: Loaded
    drafts: Mapping[str, Draft]
    problems: tuple[Problem, ...]
    held: Mapping[str, Sequence[Held]]

    @property
    def mistakes(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.mistake)

    @property
    def open(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.open)


class Folder:
    """What lies in it is read whenever it is asked for; nothing of it is changed here."""

    def __init__(self, configuration: Configuration, now: Callable[[], datetime]) -> None:
        self.configuration, self.now = configuration, now
        self.home = configuration.home

    def compose(
        self,
        channels: Mapping[str, Channel],
        *,
        without: Collection[str] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> Files:
        """Read and compose everything, but for the posts of channels that cannot be used."""
        from outreach.campaign.care import load_dates
        from outreach.campaign.directory import load_directory
        from outreach.campaign.load import check_channels, check_people, load_campaigns
        from outreach.compose import compose

        loaded = load_campaigns(self.home / "campaigns", root=self.home)
        problems: list[Problem] = list(loaded.problems)
        for campaign in loaded.campaigns:
            problems += check_channels(campaign, channels)
            problems += check_people(campaign, self.configuration.people)
        house = self.house()
        problems += house.problems if house else ()
        drafts = compose(
            loaded.campaigns,
            channels,
            templates=self.home / "templates",
            media=self.home / "media",
            root=self.home,
            public_url=self.configuration.settings.web.public_url.rstrip("/"),
            people=self.configuration.people,
            house=house,
            directory=load_directory(self.home / "config", root=self.home),
            until=ahead(self.now()),
            dates=load_dates(self.home / "config" / "dates.toml"),
            progress=progress,
        )
        drafts = [draft for draft in drafts if draft.channel not in without]
        problems += [
            problem
            for draft in drafts
            for problem in (*draft.blocked, *draft.questions, *draft.advice)
        ]
        return Files(
            loaded,
            {draft.key: draft for draft in drafts},
            tuple(dict.fromkeys(problems)),
            {one.campaign: moved.held(one) for one in loaded.campaigns},
        )

    def house(self) -> House | None:
        """The rules of config/house-style; None in an office that has none."""
        folder = self.home / "config" / "house-style"
        if not folder.is_dir():
            return None
        from outreach.compose.style import load_style

        return load_style(folder, root=self.home)

    def tree(self) -> str:
        """A fingerprint of the folders that posts are made from: names, times and sizes."""
        seen = hashlib.sha256()
        for folder in FOLDERS:
            for path, told in sorted(kept.files_below(str(self.home / folder))):
                if not path.endswith("/people.toml"):
                    seen.update(f"{path}|{told.st_mtime_ns}|{told.st_size}\n".encode())
        return seen.hexdigest()

    def ask_links(
        self,
        files: Files,
        ask: reachable.Ask | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[Problem, ...]:
        """What the addresses in the campaign files answer now: mistakes for what is surely dead,
        advice for what could not be told. `ask` is how one is asked, if not as usual."""
        from outreach.compose.reachable import check, check_all

        places = {
            url: campaign.where("links", name)
            for campaign in files.loaded.campaigns
            for name, url in campaign.links.items()
            if isinstance(url, str)
        }
        answers = check_all(places, ask=ask or check, progress=progress)
        return tuple(
            Problem(places[url], f"{url} {one.what}", one.hint, advice=one.ok is None)
            for url, one in answers.items()
            if not one.ok
        )

    def look_into_pictures(
        self, files: Files, progress: Callable[[int, int], None] | None = None
    ) -> list[Problem]:
        """Advice for alt texts that leave out what their pictures say, where that can be read."""
        from outreach.compose.pictures import untold_words

        campaigns, drafts = files.loaded.campaigns, files.drafts.values()
        return untold_words(campaigns, drafts, home=self.home, progress=progress)


def ahead(now: datetime) -> datetime:
    """Until when recurring messages have their posts: the end of a day, so that a plan that is
    made twice within minutes is the same."""
    return (now + AHEAD).replace(hour=0, minute=0, second=0, microsecond=0)
