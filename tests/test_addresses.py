"""Addresses that posts print: asked once applied, again before the slot; a dead one is an alarm."""

from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from sqlalchemy import select

from outreach.compose.reachable import Answer, check
from outreach.store.tables import LinkCheck, Mail
from tests.conftest import CHANNELS_TOML, OUTREACH_TOML, Office, apply, clear_all, state
from tests.drafts import run_to, utc

CAMPAIGN = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
links: {{page: "{page}", other: "{other}"}}
audiences: {{main: {{en: [net]}}}}
messages:
  news: {{at: "2025-07-21 09:00 Asia/Bangkok", to: main}}
"""
KEY = "c/news/en@net"


class Site:
    """A real server whose pages come and go."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gone: set[str] = set()
        site = self

        class Pages(BaseHTTPRequestHandler):
            def do_HEAD(self):
                site.asked.append(self.path.partition("?")[0])
                self.send_response(404 if self.path.partition("?")[0] in site.gone else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self):
                self.do_HEAD()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def site():
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def desk(office: Office, site: Site):
    pages = {"page": f"http://{site.host}/page", "other": f"http://{site.host}/other"}
    office.campaign(CAMPAIGN.format(**pages), news="## en\nSee {{ links.page }}.\n")
    desk = office.open()
    desk.ask = partial(check, allowed={site.host})
    desk.tick()
    apply(desk)
    return desk


def mails(desk) -> list[str]:
    with desk.store.reading() as session:
        return list(session.scalars(select(Mail.subject).where(Mail.subject.contains("address"))))


def test_what_a_post_prints_is_asked_once_soon_after_it_was_applied(desk, site):
    assert desk.look_at_links() == 1
    assert site.asked == ["/page"]  # not what no text prints
    assert desk.look_at_links() == 0
    assert mails(desk) == []


def test_it_is_asked_again_within_the_hour_before_its_slot_and_once(desk, site, office):
    desk.look_at_links()
    office.clock.to("2025-07-21T00:59Z")  # an hour and a minute before
    assert desk.look_at_links() == 0
    office.clock.to("2025-07-21T01:00Z")
    assert desk.look_at_links() == 1
    assert desk.look_at_links() == 0


def test_a_dead_one_is_an_alarm_in_the_trail_by_mail_and_in_the_status(desk, site, office):
    clear_all(desk)
    desk.look_at_links()
    site.gone = {"/page"}
    office.clock.to("2025-07-21T01:10Z")
    desk.look_at_links()
    [(who, what, why)] = [
        (who, what, why) for _, who, what, why in desk.trail(KEY) if "link" in what
    ]
    assert (who, what) == ("outreach", "a link is broken")
    assert f"http://{site.host}/page?" in why
    assert mails(desk) == [f"{KEY} prints an address that does not work"] * 2  # both officers
    assert list(desk.status().broken) == [KEY]
    run_to(office, desk, utc("2025-07-21T02:00Z"))
    assert state(desk, KEY) == "published"  # a person decides; nobody has held it


def test_one_alarm_is_enough(desk, site, office):
    site.gone = {"/page"}
    desk.look_at_links()
    office.clock.to("2025-07-21T01:10Z")
    desk.look_at_links()
    assert len([1 for _, _, what, _ in desk.trail(KEY) if what == "a link is broken"]) == 1


def test_what_could_not_be_told_is_no_alarm(desk):
    desk.ask = lambda url, *, turn: Answer(url, None, "did not answer in time", "", "look yourself")
    desk.look_at_links()
    assert desk.status().broken == {}
    assert mails(desk) == []


def test_behind_a_short_link_its_target_is_asked(office, site):
    office.write(
        "config/outreach.toml", OUTREACH_TOML + '[web]\npublic-url = "https://go.un.org"\n'
    )
    pages = {"page": f"http://{site.host}/page", "other": "tbc"}
    office.campaign(CAMPAIGN.format(**pages), news="## en\nSee {{ links.page }}.\n")
    desk = office.open()
    desk.ask = partial(check, allowed={site.host})
    apply(desk)
    assert "https://go.un.org/l/" in desk.in_full(KEY).post.parts[0].text
    desk.look_at_links()
    assert site.asked == ["/page"]
    with desk.store.reading() as session:
        [found] = session.scalars(select(LinkCheck))
    assert (found.ok, "utm_source=net" in found.url) == (True, True)


def test_what_is_past_or_out_is_not_asked(desk, office, site):
    office.clock.forward(days=3)
    assert desk.look_at_links() == 0
    assert site.asked == []


def test_a_far_one_is_asked_again_once_a_week(office, site):
    pages = {"page": f"http://{site.host}/page", "other": "tbc"}
    far = CAMPAIGN.format(**pages).replace("2025-07-21", "2025-12-21")
    office.campaign(far, news="## en\nSee {{ links.page }}.\n")
    desk = office.open()
    desk.ask = partial(check, allowed={site.host})
    apply(desk)
    for _ in range(15):
        desk.look_at_links()
        office.clock.at += timedelta(days=1)
    assert len(site.asked) == 2


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://teams.microsoft.com/l/meetup-join/19", "is the way into a Teams meeting"),
        ("https://intranet/forum", "has a host that only an inner network knows"),
        ("https://10.0.0.7/forum", ""),  # asked, it is refused; written, it is an address
        ("https://neaspec.azurewebsites.net/forum", "is a host for building sites"),
    ],
)
def test_what_is_not_for_the_public_blocks_the_texts_that_print_it(office, url, words):
    office.write("config/channels.toml", CHANNELS_TOML)
    office.campaign(CAMPAIGN.format(page=url, other="tbc"), news="## en\nSee {{ links.page }}.\n")
    desk = office.open()
    whats = [problem.what for problem in desk.files().mistakes]
    assert any(words in what for what in whats) if words else whats == []


def test_files_are_asked_on_demand(desk, site):
    site.gone = {"/other"}
    [dead] = desk.folder.ask_links(desk.files(), desk.ask)
    assert dead.mistake
    assert dead.where == "campaigns/c.yaml:6"
    assert dead.what.startswith(f"http://{site.host}/other")
