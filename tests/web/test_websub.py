"""A feed's hub, from a publication to a subscriber: a hub of PyPI's, which nobody here wrote."""

import threading
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from outreach.web.app import create_app, server
from tests.conftest import REPOSITORY, Office, state
from tests.drafts import put_cleared, soon
from tests.platforms.counterparts import answers, ask, free_port, installed, running
from tests.platforms.servers import Network, Reply, closed_port, serving

KEY = "c/news/en@web"


class Subscriber(Network):
    """Somebody's reader: says yes to the hub, and keeps what is passed on."""

    def answer(self, method, path, query, headers, body):
        if method == "GET":
            return "read", Reply(200, query["hub.challenge"].encode())
        self.bodies.append((headers["Content-Type"], body.decode()))
        return "publish", Reply(200, None)


@pytest.fixture
def hub(tmp_path):
    python = installed("feeds/bin/python", "WebSub is proven against our own stand-in alone")
    base = f"http://127.0.0.1:{(port := free_port())}"
    command = [python, REPOSITORY / "tests/counterparts/hub.py", port, tmp_path]
    with running(command, lambda: answers(base, "/"), tmp_path):
        yield f"{base}/hub"


def publishing(office: Office, hub: str, public: str, more: str = ""):
    """A desk whose feed has this hub, and a post that is due."""
    office.write("config/channels.toml", f'[web]\nplatform = "feed"\nwebsub-hub = "{hub}"\n')
    settings = (office.home / "config/outreach.toml").read_text()
    office.write("config/outreach.toml", f'{settings}\n[web]\npublic-url = "{public}"\n{more}')
    desk = office.open()
    desk.tick()
    put_cleared(desk, soon(KEY, "The forum opens.", account="feed web"))
    office.clock.to("2025-07-20T01:04Z")
    desk.tick()
    assert state(desk, KEY) == "published"
    return desk


@pytest.mark.counterpart
def test_a_subscriber_has_what_is_published_by_way_of_the_hub(office, hub):
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    desk = publishing(office, hub, public)
    door = server(create_app(desk), port=port)
    thread = threading.Thread(target=door.run, daemon=True)
    thread.start()
    reader = Subscriber()
    try:
        with serving(reader) as callback:
            for name in ("atom.xml", "feed.json"):
                wanted = {
                    "hub.mode": "subscribe",
                    "hub.topic": f"{public}/feed/web/{name}",
                    "hub.callback": f"{callback}/{name}",
                }
                form = {"Content-Type": "application/x-www-form-urlencoded"}
                at, _, path = hub.rpartition("/")
                assert _told(at, f"/{path}", urlencode(wanted), form) == 202
            desk.announce()
            desk.announce()
    finally:
        door.should_exit = True
        thread.join()
    kinds = [kind.partition(";")[0] for kind, _ in reader.bodies]
    assert kinds == ["application/atom+xml", "application/feed+json"]
    assert all("The forum opens." in body for _, body in reader.bodies)


def _told(base, path, body, headers):
    try:
        return ask(base, "POST", path, body, headers)[0]
    except ValueError:  # its answer is no JSON, and need not be
        return 202


def test_a_hub_that_is_away_neither_delays_nor_fails_a_publication(office):
    desk = publishing(office, f"{closed_port()}/hub", "https://desk.example.org")
    desk.announce()
    assert "told again later: the hub cannot be reached" in desk.platforms["web"].check()
    [entry] = desk.public.feed("web")
    assert entry.text == "The forum opens."


def test_in_a_demo_no_hub_is_told(office):
    hub = Network()
    with serving(hub) as base:
        settings = "[desk]\ndemo = true\n"
        desk = publishing(office, f"{base}/hub", "https://desk.example.org", settings)
        office.clock.at += timedelta(hours=1)
        desk.announce()
    assert hub.requests == []
