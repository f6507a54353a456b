"""Tokens that end: renewed before, once however many processes there are, and kept encrypted; a
network that does not answer is no dead token, and a dead one is told in time."""

import logging
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from sqlalchemy import inspect, text

from outreach import permits as permits_
from outreach.connect import redirect_to
from outreach.credentials import EXPIRES
from outreach.doctor import examine
from outreach.errors import NotNow, Refused, Unusable
from outreach.permits import CLAIM
from outreach.platforms import oauth
from outreach.store.tables import Permit
from tests.conftest import Office, state
from tests.drafts import KEY, draft, put_cleared
from tests.platforms.servers import Reply, serving
from tests.platforms.servers_oauth import LinkedInAuthority, XAuthority

A_MINUTE = timedelta(minutes=1)

TABLES = {
    XAuthority: 'platform = "x"\nhandle = "@neaspec"\nclient-id = "app-1"\n',
    LinkedInAuthority: 'platform = "linkedin"\npage = "2414183"\nclient-id = "client-1"\n',
}


@pytest.fixture
def network(request):
    return getattr(request, "param", XAuthority)()


@pytest.fixture
def connected(office: Office, network):
    """An office whose channel `net` was connected in a browser; its answer was pasted."""
    with serving(network) as base:
        office.write("config/channels.toml", f'[net]\n{TABLES[type(network)]}base = "{base}"\n')
        office.write(".env", f"OUTREACH_NET_CLIENT_SECRET={network.APP_SECRET}\n")
        connect(office, network)
        yield office
    assert network.wrong == []


def connect(office: Office, network) -> None:
    desk = office.open()
    way, by = desk.connecting("net"), desk.person("ana")
    walk = way.begin(redirect_to(8027), {}, by=by)
    assert network.page(dict(query(walk.address))).status == 200
    code = list(network.codes)[-1]
    way.finish(walk, f"{walk.redirect}?state={walk.state}&code={code}", {}, by=by)
    assert network.codes == {}


def query(address: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl, urlsplit

    return parse_qsl(urlsplit(address).query)


def row(desk) -> Permit:
    with desk.store.reading() as session:
        return session.get_one(Permit, "net")


def token(desk) -> str:
    return desk.platforms["net"]._account.secrets["token"]


def renewals(network) -> int:
    return sum(one["grant_type"] == "refresh_token" for one in network.asked)


def alarms(desk) -> dict[str, str]:
    return {one.about: f"{one.what} → {one.todo}" for one in desk.watch.look()}


def channel(desk):
    [found] = [one for one in examine(desk) if one.name == "channel net"]
    return found


def test_it_is_renewed_at_half_of_its_time_and_a_post_goes_out_with_the_new_one(connected, network):
    desk = connected.open()
    desk.tick()
    first = token(desk)
    connected.clock.forward(minutes=59)
    assert desk.renew_permits() == 0
    connected.clock.forward(minutes=1)
    assert desk.renew_permits() == 1
    assert desk.renew_permits() == 0
    assert token(desk) != first
    assert len(network.refreshes) == 1

    network.tokens.discard(first)
    desk.tick()
    put_cleared(desk, draft(at=connected.clock() + A_MINUTE, account="x @neaspec"))
    connected.clock.forward(minutes=1)
    desk.tick()
    assert state(desk, KEY) == "published"


def test_after_a_long_stop_it_is_renewed_by_the_post_that_needs_it(connected, network):
    desk = connected.open()
    first = token(desk)
    connected.clock.forward(hours=20)
    network.tokens.discard(first)
    assert "tokens accepted" in desk.platforms["net"].check()
    assert renewals(network) == 1


BLIPS = ("500 before", "lost before", "not now", "a proxy's page", "another status")


@pytest.mark.parametrize("fault", BLIPS)
def test_a_network_that_does_not_answer_is_no_dead_token(connected, network, fault):
    desk = connected.open()
    first = token(desk)
    connected.clock.forward(hours=1)
    if fault == "a proxy's page":
        network.give = lambda *_: Reply(403, b"<html>no</html>", {"Content-Type": "text/html"})
    elif fault == "another status":
        network.give = lambda *_: Reply(404, {"message": "gone"})
    else:
        network.faults["token"] = fault
    assert desk.renew_permits() == 0
    kept = row(desk)
    assert (kept.over, kept.claim, kept.tries) == (False, "", 1)
    assert kept.trouble
    assert token(desk) == first
    assert alarms(desk) == {}
    told = channel(desk)
    assert (told.ok, told.hint) == (None, "it is tried again, the desk's clock does that")
    assert desk.renew_permits() == 0  # not at every second

    vars(network).pop("give", None)
    connected.clock.forward(minutes=2)
    assert desk.renew_permits() == 1
    assert row(desk).trouble == ""
    assert channel(desk).ok


def test_a_network_that_is_away_for_long_puts_posts_off_and_fails_none(connected, network):
    desk = connected.open()
    desk.tick()
    network.give = lambda *_: network.failure("500 before")
    connected.clock.forward(minutes=100)
    desk.renew_permits()
    connected.clock.forward(minutes=30)
    desk.tick()
    due = connected.clock() + A_MINUTE
    put_cleared(desk, draft(at=due, late=timedelta(hours=1), account="x @neaspec"))
    connected.clock.forward(minutes=1)
    desk.tick()
    assert state(desk, KEY) == "cleared"
    assert "cannot be renewed" in alarms(desk)["expires net"]
    with pytest.raises(NotNow, match="could not be renewed yet"):  # surely nothing is live
        token(desk)
    assert network.posts == []

    del network.give
    connected.clock.forward(minutes=2)
    desk.tick()
    assert state(desk, KEY) == "published"
    assert alarms(desk) == {}


def test_an_app_that_the_network_does_not_know_is_no_dead_token_either(connected, network):
    desk = connected.open()
    connected.clock.forward(hours=1)
    network.give = lambda *_: Reply(401, {"error": "unauthorized_client"})
    desk.renew_permits()
    del network.give
    assert "client-id, client_secret" in row(desk).trouble
    assert not row(desk).over
    connected.clock.forward(minutes=59)
    assert desk.renew_permits() == 0
    connected.clock.forward(minutes=1)
    assert desk.renew_permits() == 1


def test_a_dead_token_is_told_at_once_and_posts_go_out_until_its_time_is_over(connected, network):
    desk = connected.open()
    connected.clock.forward(hours=1)
    network.refreshes.clear()
    desk.renew_permits()
    assert alarms(desk)["refused net"] == (
        "the account net refuses us: X no longer takes what it gave us (400 Value passed for the "
        "token was invalid.); posts go out until 2025-07-20 03:00 UTC → connect it anew: outreach "
        "connect net"
    )
    told = channel(desk)
    assert told.ok is False
    assert "outreach connect net" in told.hint
    assert "tokens accepted" in desk.platforms["net"].check()
    assert desk.status().accounts["net"].startswith("X no longer takes what it gave us")
    assert renewals(network) == 1
    connected.clock.forward(hours=1)
    with pytest.raises(Refused, match="outreach connect net"):
        desk.platforms["net"].check()
    assert desk.renew_permits() == 0
    assert renewals(network) == 1  # a dead one is not asked about again

    connect(connected, network)
    assert "tokens accepted" in desk.platforms["net"].check()  # in the process that ran all along
    assert alarms(desk) == {}


def test_an_answer_that_was_lost_has_spent_the_token_and_that_is_told(connected, network):
    desk = connected.open()
    connected.clock.forward(hours=1)
    network.faults["token"] = "lost after"
    desk.renew_permits()
    assert not row(desk).over
    connected.clock.forward(minutes=1)
    desk.renew_permits()
    assert row(desk).over
    assert "posts go out until 2025-07-20 03:00 UTC" in alarms(desk)["refused net"]


def test_two_processes_spend_it_once(connected, network):
    """Each of eight asks ten times, as fast as it can; X counts what is spent."""
    desks = [connected.open() for _ in range(8)]
    connected.clock.forward(minutes=118)  # so late that whoever needs it renews it
    said: list[object] = []

    def ask(desk):
        for _ in range(10):
            try:
                said.append(token(desk))
            except NotNow as error:
                said.append(error)

    threads = [threading.Thread(target=ask, args=(desk,)) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert renewals(network) == 1
    assert not row(desks[0]).over
    assert len({token(desk) for desk in desks}) == 1
    assert token(desks[0]) in said


DIES = """
import os, signal, sys
from datetime import datetime
from outreach import permits
from outreach.app import open_desk
from outreach.platforms import oauth
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1] == "before":
    oauth.renew = die
else:
    permits.Permits._write_again = lambda self, channel: channel in self._unwritten and die()
now = datetime.fromisoformat(sys.argv[2])
desk = open_desk(now=lambda: now)
desk.renew_permits()
"""


def dies(office: Office, when: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIES, when, office.clock().isoformat()],
        env={**os.environ, "OUTREACH_HOME": str(office.home)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_a_process_that_dies_before_it_has_asked_loses_nothing(connected, network):
    connected.clock.forward(hours=1)
    dies(connected, "before")
    desk = connected.open()
    assert desk.renew_permits() == 0  # who knows whether it is at it
    connected.clock.forward(seconds=CLAIM.total_seconds())
    assert desk.renew_permits() == 1
    assert renewals(network) == 1


def test_one_that_dies_with_the_answer_costs_a_person_a_new_connection_told_in_time(
    connected, network
):
    """What cannot be closed."""
    connected.clock.forward(hours=1)
    dies(connected, "after")
    desk = connected.open()
    connected.clock.forward(seconds=CLAIM.total_seconds())
    desk.renew_permits()
    assert renewals(network) == 2
    assert row(desk).over
    assert "posts go out until 2025-07-20 03:00 UTC" in alarms(desk)["refused net"]
    assert "tokens accepted" in desk.platforms["net"].check()


def test_a_process_that_slept_with_its_claim_does_not_ask_when_it_wakes(
    connected, network, monkeypatch
):
    sleeper, other = connected.open(), connected.open()
    connected.clock.forward(hours=1)
    awake = sleeper.permits._still

    def slept(*claim):
        monkeypatch.undo()
        connected.clock.forward(seconds=CLAIM.total_seconds())
        assert other.renew_permits() == 1
        awake(*claim)

    monkeypatch.setattr(sleeper.permits, "_still", slept)
    assert sleeper.renew_permits() == 0
    assert renewals(network) == 1
    assert not row(other).over
    assert token(sleeper) == token(other)


def test_one_that_slept_with_the_answer_writes_it_down_all_the_same(
    connected, network, monkeypatch
):
    sleeper, other = connected.open(), connected.open()
    connected.clock.forward(hours=1)
    renew = oauth.renew

    def slept(*asked):
        given = renew(*asked)
        monkeypatch.undo()
        connected.clock.forward(seconds=CLAIM.total_seconds())
        other.renew_permits()
        assert row(other).over  # the other one has spent it in vain
        return given

    monkeypatch.setattr(oauth, "renew", slept)
    assert sleeper.renew_permits() == 1
    assert not row(other).over
    network.tokens = {token(other)}
    assert "tokens accepted" in other.platforms["net"].check()


def test_what_the_database_does_not_take_is_kept_and_written_later(connected, network, monkeypatch):
    desk = connected.open()
    connected.clock.forward(hours=1)
    writing, times = desk.store.writing, []

    def full(**how):
        times.append(how)
        if len(times) == 2:  # the first claims it
            raise Unusable("the disk is full")
        return writing(**how)

    monkeypatch.setattr(desk.store, "writing", full)
    with pytest.raises(Unusable):
        desk.renew_permits()
    monkeypatch.undo()
    assert token(desk) in network.tokens
    assert desk.renew_permits() == 1
    assert renewals(network) == 1
    assert row(desk).serial == 2


def test_a_person_who_connects_meanwhile_has_the_last_word(connected, network, monkeypatch):
    desk = connected.open()
    connected.clock.forward(hours=1)
    renew = oauth.renew

    def meanwhile(*asked):
        monkeypatch.undo()
        connect(connected, network)
        return renew(*asked)

    monkeypatch.setattr(oauth, "renew", meanwhile)
    before = row(desk).serial
    desk.renew_permits()
    assert row(desk).serial == before + 1
    assert not row(desk).over


class TestWarnings:
    @pytest.mark.parametrize("network", [LinkedInAuthority], indirect=True)
    def test_what_cannot_be_renewed_for_ever_is_told_a_week_before(self, connected, network):
        """LinkedIn's refresh token is the same for a year."""
        desk = connected.open()
        for _ in range(7):
            connected.clock.forward(days=50)
            assert desk.renew_permits() == 1
        assert len(network.refreshes) == 1
        ends = row(desk).ends
        network.more = {}  # LinkedIn tells it as it is: it gets no longer
        connected.clock.at = ends - EXPIRES
        assert alarms(desk) == {}
        connected.clock.forward(seconds=1)
        assert alarms(desk)["expires net"] == (
            f"the token of net ends on {ends:%Y-%m-%d} → connect it anew: outreach connect net"
        )

    @pytest.mark.parametrize("network", [LinkedInAuthority], indirect=True)
    def test_a_token_that_is_not_renewed_is_told_a_week_before(self, connected, network):
        network.token = lambda *_: {
            "access_token": "AQ-plain-token",
            "expires_in": 60 * 86_400,
            "scope": ",".join(network.SCOPES),
        }
        network.TOKEN = "AQ-plain-token"
        connect(connected, network)
        desk = connected.open()
        assert not row(desk).renews
        connected.clock.forward(days=53)
        assert alarms(desk) == {}
        connected.clock.forward(seconds=1)
        assert "ends on 2025-09-18" in alarms(desk)["expires net"]

    def test_a_post_that_would_fail_is_told_an_hour_before(self, connected, network):
        desk = connected.open()
        desk.tick()
        put_cleared(desk, draft(at="2025-07-20T03:30", account="x @neaspec"))
        connected.clock.forward(hours=1)
        network.refreshes.clear()
        desk.renew_permits()
        connected.clock.to("2025-07-20T02:29Z")
        assert "fails net" not in alarms(desk)
        connected.clock.to("2025-07-20T02:30Z")
        assert alarms(desk)["fails net"] == (
            f"{KEY} is due 2025-07-20 03:30 UTC and would fail: by then net does not let us in → "
            "connect it anew now: outreach connect net"
        )

    def test_and_not_one_that_goes_out_before_the_token_ends(self, connected, network):
        desk = connected.open()
        desk.tick()
        put_cleared(desk, draft(at="2025-07-20T02:59", account="x @neaspec"))
        connected.clock.forward(hours=1)
        network.refreshes.clear()
        desk.renew_permits()
        connected.clock.to("2025-07-20T02:30Z")
        assert "fails net" not in alarms(desk)


class TestSecrets:
    def test_nothing_of_it_is_in_the_database_or_the_log_in_clear(self, connected, network, caplog):
        caplog.set_level(logging.DEBUG)
        desk = connected.open()
        connected.clock.forward(hours=1)
        desk.renew_permits()
        connected.clock.forward(hours=1)
        network.refreshes, old = set(), network.refreshes
        desk.renew_permits()
        key = desk.configuration.secret("secret_key")
        secret = [*network.tokens, *old, network.APP_SECRET, key]
        assert len(secret) == 5
        everything = caplog.text + repr([repr(one) for one in network.asked and [row(desk)]])
        with desk.store.engine.connect() as connection:
            for name in inspect(connection).get_table_names():
                everything += repr(connection.execute(text(f'SELECT * FROM "{name}"')).all())
        assert "gAAAA" in everything  # sealed, and there
        for one in secret:
            assert one not in everything

    def test_another_key_opens_nothing_and_says_so(self, connected, network):
        key = permits_.new_key()
        env = (connected.home / ".env").read_text()
        old = connected.open().configuration.secret("secret_key")
        connected.write(".env", env.replace(old, key))
        with pytest.raises(Refused, match="OUTREACH_SECRET_KEY does not open"):
            connected.open().platforms["net"].check()
        connected.write(".env", env.replace(old, f"{key},{old}"))  # a new one, and the one before
        assert "tokens accepted" in connected.open().platforms["net"].check()

    def test_a_line_of_the_log_has_no_token_in_it(self, connected, network):
        from outreach.config import without_secrets

        desk = connected.open()
        mine = token(desk)
        assert without_secrets(f"Bearer {mine}!", connected.home) == "Bearer ***!"
