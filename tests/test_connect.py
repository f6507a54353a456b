"""Where a browser comes back to: a real door on loopback, for one right answer."""

import http.client
import socket
import threading
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from outreach.connect import Landing
from outreach.errors import NotAllowed
from outreach.platforms import oauth
from outreach.platforms.oauth import Ended, OAuth

APP = OAuth("X", "https://x.com/i/oauth2/authorize", "https://api.x.com/token", "app", ("a", "b"))


@pytest.fixture
def landing():
    made = Landing(0)
    yield made
    made.close()


@pytest.fixture
def walk(landing):
    return oauth.begin(APP, landing.redirect)


def get(landing, query: str, *, path="/connected", host="") -> tuple[int, str, dict[str, str]]:
    place = urlsplit(landing.redirect).netloc
    connection = http.client.HTTPConnection(place, timeout=5)
    connection.request("GET", f"{path}?{query}", headers={"Host": host or place})
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), dict(answer.getheaders())


def test_the_address_has_what_the_network_wants_and_each_walk_is_another(landing, walk):
    asked = dict(parse_qsl(urlsplit(walk.address).query))
    assert walk.address.startswith("https://x.com/i/oauth2/authorize?")
    assert asked.pop("state") == walk.state
    assert len(asked.pop("code_challenge")) == 43
    assert asked == {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": landing.redirect,
        "scope": "a b",
        "code_challenge_method": "S256",
    }
    assert walk.verifier not in walk.address
    other = oauth.begin(APP, landing.redirect)
    assert (other.state, other.verifier) != (walk.state, walk.verifier)


def test_the_right_answer_comes_through_and_then_the_door_is_closed(landing, walk):
    with landing.waiting(walk):
        status, page, headers = get(landing, f"state={walk.state}&code=c-1")
        assert (status, "Thank you" in page, "c-1" in page) == (200, True, False)
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert oauth.code(walk, landing.answer(1)) == "c-1"
        assert get(landing, f"state={walk.state}&code=c-2")[0] == 400
        assert oauth.code(walk, landing.answer(1)) == "c-1"
    with pytest.raises(ConnectionRefusedError):
        get(landing, f"state={walk.state}&code=c-1")


@pytest.mark.parametrize(
    ("query", "more", "status"),
    [
        ("code=c-1", {}, 400),
        ("state=another&code=c-1", {}, 400),
        ("state={0}&state=another&code=c-1", {}, 400),
        ("state={0}&code=c-1", {"path": "/favicon.ico"}, 404),
        ("state={0}&code=c-1", {"host": "attacker.example:80"}, 421),
    ],
)
def test_what_is_no_answer_is_turned_away_and_waited_past(landing, walk, query, more, status):
    with landing.waiting(walk):
        assert get(landing, query.format(walk.state), **more)[0] == status
        with pytest.raises(NotAllowed, match="no browser came back"):
            landing.answer(0.05)
        get(landing, f"state={walk.state}&code=right")
        assert oauth.code(walk, landing.answer(1)) == "right"


def test_a_browser_that_opens_connections_ahead_keeps_nobody_out(landing, walk):
    place = urlsplit(landing.redirect)
    with landing.waiting(walk), socket.create_connection((place.hostname, place.port)):
        get(landing, f"state={walk.state}&code=c-1")
        assert landing.answer(2)


def test_it_listens_on_this_machine_alone(landing):
    assert landing._server.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_said_with_ways_out(landing):
    with pytest.raises(NotAllowed, match="cannot be listened at") as told:
        Landing(urlsplit(landing.redirect).port)
    assert "--paste" in told.value.hint


def test_two_right_answers_at_once_count_once(landing, walk):
    said: list[int] = []
    with landing.waiting(walk):
        threads = [
            threading.Thread(
                target=lambda n=n: said.append(get(landing, f"state={walk.state}&code={n}")[0])
            )
            for n in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(said) == [200, 400, 400, 400, 400, 400]


class TestPasted:
    def test_an_address_with_blanks_around_it(self, walk):
        assert oauth.code(walk, f"  {walk.redirect}?state={walk.state}&code=c \n") == "c"

    def test_another_walks_address_is_refused(self, walk):
        with pytest.raises(NotAllowed, match="not the answer to what was just opened"):
            oauth.code(walk, f"{walk.redirect}?state=x&code=c")

    def test_a_no_is_a_no(self, walk):
        with pytest.raises(NotAllowed, match="X was told no"):
            oauth.code(walk, f"{walk.redirect}?state={walk.state}&error=access_denied")

    def test_what_the_network_says_is_told(self, walk):
        query = "error=unauthorized_scope_error&error_description=Scope+%22a%22+is+not+authorized"
        with pytest.raises(NotAllowed, match='X says: Scope "a" is not authorized'):
            oauth.code(walk, f"{walk.redirect}?state={walk.state}&{query}")


def test_a_secret_is_in_no_repr(walk):
    app = replace(APP, secret="cs-secret")
    said = f"{walk!r} {app!r} {oauth.Given('at-secret', 'rt-secret')!r}"
    for secret in (walk.verifier, "cs-secret", "at-secret", "rt-secret"):
        assert secret not in said
    assert issubclass(Ended, oauth.Refused)
