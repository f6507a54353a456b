"""A desk that stands behind the door: entries in a list, links in a dict."""

import hashlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from PIL import Image, ImageDraw

from outreach.addresses import Shown
from outreach.errors import NotFound
from outreach.platforms.feed import FeedEntry, FeedInfo, FeedPicture
from outreach.web.app import create_app, server

BASE = "https://post.example.org"


def png(width: int = 800, height: int = 418) -> bytes:
    picture = Image.new("RGB", (width, height), "#0b3a53")
    draw = ImageDraw.Draw(picture)
    for i in range(9):
        x, top = 60 + i * 80, height - 60 - (i * 37) % 200
        draw.rectangle((x, top, x + 46, height - 40), fill="#009edb" if i % 3 else "#7fd0f2")
    data = BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


CARD = png()


def shown(data: bytes, alt: str, credit: str = "") -> FeedPicture:
    return FeedPicture(hashlib.sha256(data).hexdigest(), "image/png", alt, 800, 418, credit)


def entry(text: str, *, title: str = "", at: datetime | None = None, **rest: Any) -> FeedEntry:
    at = at or datetime(2025, 7, 26, 1, 0, tzinfo=UTC)
    name = rest.pop("id", None) or hashlib.sha256(f"{text}{at}".encode()).hexdigest()[:32]
    given = {"language": "en", "pictures": (), "url": f"{BASE}/feed/web/{name}", **rest}
    return FeedEntry(id=name, title=title, text=text, published=at, **given)


@dataclass
class Desk:
    """What the door asks for, over plain lists."""

    entries: list[FeedEntry] = field(default_factory=list)
    pictures: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    visits: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    infos: list[FeedInfo] = field(
        default_factory=lambda: [
            FeedInfo(
                "web",
                "NEASPEC: low carbon cities",
                "Announcements of the Fifth International Forum on Low Carbon Cities.",
            )
        ]
    )
    shown: list[Shown] = field(default_factory=list)
    subscribers: Any = field(default_factory=lambda: SimpleNamespace(newsletters={}))
    public_url: str = BASE
    office: str = "NEASPEC secretariat"
    handover: Any = None
    answers: Any = None

    @property
    def public(self) -> "Desk":
        return self

    def feeds(self) -> Sequence[FeedInfo]:
        return self.infos

    def feed(self, channel: str) -> Sequence[FeedEntry]:
        if channel not in [info.channel for info in self.infos]:
            raise NotFound(f"there is no feed {channel!r}", "known are: web, secret-draft")
        return sorted(self.entries, key=lambda entry: entry.published, reverse=True)

    def entry(self, channel: str, entry: str) -> FeedEntry:
        for known in self.feed(channel):
            if known.id == entry:
                return known
        raise NotFound(f"there is no entry {entry!r}", "did you mean secret-draft?")

    def picture(self, sha256: str) -> tuple[bytes, str]:
        if sha256 not in self.pictures:
            raise NotFound("no published post shows this picture")
        return self.pictures[sha256]

    def links(self) -> Sequence[Shown]:
        return self.shown

    def follow(self, code: str, *, method: str, headers: Mapping[str, str]) -> str:
        if code not in self.targets:
            raise NotFound(f"there is no link {code!r}")
        self.visits.append((code, method, headers))
        return self.targets[code]


def a_month() -> list[FeedEntry]:
    """Entries as an office would publish them, in three scripts, one with a picture."""
    day = datetime(2025, 7, 26, 1, 0, tzinfo=UTC)
    return [
        entry(
            "The Fifth International Forum on Low Carbon Cities meets in Bangkok and online on "
            "25 August 2025.\n\nTheme: Rethinking Urban Climate Actions under Demographic Change. "
            f"Save the date: {BASE}/l/k3v9q2mz.\n\n#LowCarbonCities",
            title="Save the date: Fifth International Forum on Low Carbon Cities",
            at=day,
            pictures=(
                shown(CARD, "A row of blue bars of different heights, like a skyline", "NEASPEC"),
            ),
        ),
        entry(
            "第五届低碳城市国际论坛将于2025年8月25日在曼谷和线上举行。"
            f"报名：{BASE}/l/k3v9q2mz。欢迎参加！\n\n#低碳城市",
            language="zh",
            at=day + timedelta(hours=1),
        ),
        entry(
            "Пятый Международный форум по низкоуглеродным городам пройдёт 25 августа 2025 года.\n"
            "Регистрация открыта.",
            language="ru",
            at=day + timedelta(days=9),
        ),
    ]


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    """The door on a loopback port, as the desk itself runs it; yields its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        running = server(create_app(desk))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            deadline = time.monotonic() + 10
            while not running.started:
                assert thread.is_alive() and time.monotonic() < deadline
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            running.should_exit = True
            thread.join(timeout=10)
