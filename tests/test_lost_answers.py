"""A lost answer, on every network that has one: a whole desk, its real store, the network's server.

The server has taken a post, or has not, and the answer is lost. After the desk has looked, or sent
again under the key that the network keeps, there is exactly one copy of every part. Telegram has no
key and cannot be asked: there is no second copy, and the doubt is put before a person. Bluesky's,
Mastodon's and the mailboxes' servers are others' work, behind a proxy that loses answers; the other
networks are stand-ins, held to what describes their networks where that is installed.
"""

import json
import os
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outreach.subscribers import Consent
from tests.conftest import Office, state
from tests.drafts import KEY, draft, put_cleared
from tests.platforms import mailboxes
from tests.platforms.openapi import against
from tests.platforms.servers import Network, TelegramNetwork, XNetwork, bot_api, serving
from tests.platforms.servers_facebook import FacebookNetwork
from tests.platforms.servers_linkedin import LinkedInNetwork

# Their servers are started as the contract's tests start them.
from tests.platforms.test_bluesky import Pds, pds  # noqa: F401 - a fixture is found by its name
from tests.platforms.test_mastodon import mock  # noqa: F401 - as above

ONE, TWO = "The forum opens (in Bangkok).", "Its agenda: https://neaspec.org/agenda"


@dataclass
class There:
    """One account on one network."""

    platform: str
    network: Network
    options: Mapping[str, str]
    secrets: Mapping[str, str]


class HeldX(XNetwork):
    """X, and what its own OpenAPI document has against what it was sent; nothing without it."""

    def wrong(self) -> list[str]:
        if not (named := os.environ.get("OUTREACH_X_OPENAPI")):
            return []
        described = against(json.loads(Path(named).read_text()))
        return [fault for path, body in self.bodies if body for fault in described(path, body)]


def bluesky(request) -> There:
    made = Pds(request.getfixturevalue("pds"))
    return There("bluesky", made, {"handle": made.handle}, {"app_password": made.password})


def mastodon(request) -> There:
    made = request.getfixturevalue("mock")()
    return There("mastodon", made, {"handle": made.handle}, {"token": made.token})


def x(_request) -> There:
    return There("x", HeldX(generation="post"), {"handle": "@neaspec"}, XNetwork.SECRETS)


def page(network: Any) -> There:
    name = type(network).__name__.removesuffix("Network").lower()
    return There(name, network, {"page": network.PAGE}, {"token": network.TOKEN})


def telegram(_request) -> There:
    made = TelegramNetwork(bot_api())
    return There("telegram", made, {"chat": made.CHATS[0]}, {"token": made.TOKEN})


THREADS = {
    "bluesky": bluesky,
    "mastodon": mastodon,
    "x": x,
    "linkedin": lambda _: page(LinkedInNetwork()),
    "facebook": lambda _: page(FacebookNetwork()),
}
"""The networks that take a post and another after it, and can be asked, or keep a key."""


@contextmanager
def desk_at(office: Office, there: There):
    """A desk with one channel there; the servers' clocks are real, and so its own begins."""
    with serving(there.network) as base:
        options = "".join(f'{name} = "{value}"\n' for name, value in there.options.items())
        channel = f'[net]\nplatform = "{there.platform}"\nbase = "{base}"\n{options}'
        office.write("config/channels.toml", channel)
        secrets = (f"OUTREACH_NET_{k.upper()}={v}\n" for k, v in there.secrets.items())
        office.write(".env", "".join(secrets))
        office.clock.at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
        desk = office.open()
        desk.tick()
        yield desk


def due(desk, office: Office, *texts: str) -> None:
    account, late = desk.platforms["net"].account, timedelta(hours=1)
    at = office.clock() + timedelta(minutes=1)
    put_cleared(desk, draft("news", *texts, at=at, late=late, account=account))
    office.clock.forward(seconds=60)


def go_on(desk, office: Office, minutes: int = 24) -> None:
    """ "Not found" is believed after a quarter of an hour at most."""
    for _ in range(minutes // 2):
        office.clock.forward(minutes=2)
        office.leases.seconds += 120
        desk.tick()


class LostOnce:
    """Loses the answer to the nth request that would publish: its network has taken it or not."""

    def __init__(self, network: Network, nth: int, fault: str) -> None:
        self.answer, self.network, self.left, self.fault = network.answer, network, nth, fault

    def __call__(self, *request):
        kind, reply = self.answer(*request)
        if kind == "publish":
            self.left -= 1
            self.network.next_fault = "" if self.left else self.fault
        return kind, reply


@pytest.mark.parametrize("nth", [1, 2], ids=["of the first part", "of the second"])
@pytest.mark.parametrize("fault", ["lost after", "lost before"])
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=[pytest.mark.counterpart] * (kind in ("bluesky", "mastodon")))
        for kind in THREADS
    ],
)
def test_a_lost_answer_ends_in_one_copy_of_each_part(request, office, kind, fault, nth):
    there = THREADS[kind](request)
    network = there.network
    network.answer = LostOnce(network, nth, fault)
    with desk_at(office, there) as desk:
        due(desk, office, ONE, TWO)
        desk.tick()
        assert state(desk, KEY) == "uncertain"
        go_on(desk, office)

        assert state(desk, KEY) == "published"
        first, second = sorted(network.posts, key=lambda post: post.after != "")
        assert [first.text, second.text] == [ONE, TWO]
        assert [first.after, second.after] == ["", first.id]
    assert getattr(network, "wrong", list)() == []


@pytest.mark.parametrize(("fault", "copies"), [("lost after", 1), ("lost before", 0)])
def test_on_telegram_there_is_no_second_copy_and_a_person_is_asked(request, office, fault, copies):
    there = telegram(request)
    there.network.next_fault = fault
    with desk_at(office, there) as desk:
        due(desk, office, ONE)
        go_on(desk, office)
        assert (state(desk, KEY), there.network.copies(ONE)) == ("uncertain", copies)
        [shown] = desk.status().attention
        assert shown.key == KEY
        assert f"look for “{ONE}”" in shown.reason


class Once:
    """Loses the first answer, and no other."""

    def __init__(self) -> None:
        self.told = iter([0.0])

    def random(self) -> float:
        return next(self.told, 1.0)


@pytest.mark.counterpart
def test_a_reader_whose_answer_is_lost_has_the_mail_once_and_is_named(office, tmp_path):
    readers = [f"r{n}@example.org" for n in range(4)]
    with mailboxes.mailboxes(tmp_path / "mail") as post, post.wire() as base:
        post.share, post.chance = 0.5, Once()
        office.write(
            "config/channels.toml",
            f'[net]\nplatform = "email"\nbase = "{base}"\nhost = "127.0.0.1"\n'
            f'from = "News <news@example.org>"\nuser = "{mailboxes.USER}"\n'
            'mails-per-second = "1000"\n',
        )
        office.write(".env", f"OUTREACH_NET_PASSWORD={mailboxes.PASSWORD}\n")
        settings = (office.home / "config/outreach.toml").read_text()
        public = '[web]\npublic-url = "https://desk.example.org"\n'
        office.write("config/outreach.toml", f"{settings}\n{public}")
        desk = office.open()
        desk.tick()
        agreed = [Consent(one, "en", "a form", desk.now()) for one in readers]
        desk.subscribers.take("net", agreed, file="list.csv", by="ana")
        due(desk, office, ONE)
        go_on(desk, office, 6)

        assert state(desk, KEY) == "published"
        assert [post.texts(one) for one in readers] == [[ONE]] * 4
        _, unclear = desk.subscribers.unclear(KEY)
        assert [one.address for one in unclear] == [readers[0]]
