"""An office's folder in tmp_path, with one campaign, and what composing makes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from outreach.campaign.models import Campaign
from outreach.compose import Draft, compose
from outreach.errors import Problem
from outreach.platforms import Channel, Limits, load

WEB = Channel(
    name="web", platform="feed", limits=Limits(text=2000), account="web", title="Our page"
)
X = Channel(
    name="x", platform="x", limits=load("x").limits, account="x @neaspec", source="x-neaspec"
)
TELEGRAM = Channel(
    name="telegram", platform="telegram", limits=load("telegram").limits, account="telegram @n"
)


@dataclass
class Office:
    """A folder as officers have it."""

    root: Path

    def write(self, text: str, message: str = "teaser") -> None:
        path = self.root / "templates/posts/forum" / f"{message}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def compose(
        self,
        campaign: Campaign,
        *channels: Channel,
        public_url: str = "",
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Draft]:
        return compose(
            [campaign],
            {channel.name: channel for channel in channels or (WEB,)},
            templates=self.root / "templates",
            media=self.root / "media",
            root=self.root,
            public_url=public_url,
            progress=progress,
        )

    def text(self, source: str, channel: Channel = WEB, **values: Any) -> str:
        """What is printed of a template; it must not be blocked."""
        self.write(f"## en\n{source}\n")
        (draft,) = self.compose(campaign({"en": [channel.name]}, **values), channel)
        assert draft.blocked == ()
        assert draft.post is not None
        return "\n---\n".join(part.text for part in draft.post.parts)

    def blocked(self, source: str, channel: Channel = WEB, **values: Any) -> list[str]:
        """What stands in the way of a template, as a person reads it."""
        self.write(f"## en\n{source}\n")
        (draft,) = self.compose(campaign({"en": [channel.name]}, **values), channel)
        return [str(problem) for problem in draft.blocked]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    (tmp_path / "media").mkdir()
    (tmp_path / "templates").mkdir()
    return Office(tmp_path)


def campaign(to: Mapping[str, list[str]], **values: Any) -> Campaign:
    """A campaign with the message `teaser` for these channels; `message` adds to the message."""
    message = {"at": "forum - 7 days, 10:00 Asia/Seoul", **values.pop("message", {})}
    data = {
        "campaign": "forum",
        "programme": "low-carbon-cities",
        "title": "The Forum",
        "written-by": "officer",
        "events": {
            "forum": {
                "date": "2025-08-25",
                "starts": {"tbc": "organizers", "plan-with": "09:00"},
                "ends": "17:30",
                "zone": "Asia/Bangkok",
                "place": "Bangkok",
            }
        },
        "facts": {"theme": {"value": "Cities that age", "source": "note, para. 7"}},
        "links": {"event": "https://example.org/forum?id=5#top", "live": "tbc"},
        "audiences": {"main": to},
        "defaults": {"to": "main", "not-after": "forum.starts"},
        "messages": {"teaser": message},
        **values,
    }
    lines: dict[tuple[str | int, ...], int] = {
        ("messages", "teaser"): 30,
        ("links", "event"): 20,
        ("links", "live"): 21,
    }
    lines |= {("facts", "theme"): 15, ("audiences", "main", "en"): 25}
    made = Campaign.model_validate(data)
    return made.model_copy(update={"file": "campaigns/forum.yaml", "lines": lines})


def short(channel: Channel, **limits: Any) -> Channel:
    """The same channel with other limits."""
    return replace(channel, limits=replace(channel.limits, **limits))


def words(problems: "list[Problem] | tuple[Problem, ...]") -> list[str]:
    return [str(problem) for problem in problems]
