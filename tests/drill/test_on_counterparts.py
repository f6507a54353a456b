"""The drill with the real adapters: answers that are lost, and a desk that is killed.

On servers that nobody here wrote: Mastodon takes a key and can be asked; Bluesky takes the record's
own key, and can be asked. On stand-ins: X takes no key and can be asked; Telegram neither.
"""

import random
from datetime import UTC, datetime

import pytest

from tests.drill.__main__ import run, wrong
from tests.drill.faults import FAULTS as ROWS
from tests.drill.field import Elsewhere, held
from tests.drill.stand_ins import STAND_INS
from tests.platforms.servers import serving

# Their servers are started as the contract's tests start them.
from tests.platforms.test_bluesky import Pds, pds  # noqa: F401 - a fixture is found by its name
from tests.platforms.test_mastodon import Mock, mock  # noqa: F401 - as above

POSTS, KILLS = 9, 2
FAULTS = ("lost after", "lost before", "500 after", "500 before", "lost after", "not now")


def broken(folder, network, elsewhere):
    """Every other call fails in some way, and the desk is killed again and again."""
    chance = random.Random(5)  # noqa: S311 - a drill may be repeated
    with held(folder, elsewhere=elsewhere, posts=POSTS) as field:
        field.start()
        for _ in range(KILLS):
            before = len(field.live())
            for more in (1, 2):
                network.next_fault = chance.choice(FAULTS)
                field.until(lambda: len(field.live()) >= before + more, 20)  # noqa: B023
            field.kill()
            field.start()
        network.next_fault = ""
        field.faulted()
        seconds = field.settle(90)
        found = field.count(seconds)
        assert [one for one in found if wrong(one)] == []
        assert field.without_an_outcome() == []
        if not found[0].blind:
            assert sorted(network.texts) == sorted(field.cleared)


@pytest.mark.slow
@pytest.mark.counterpart
def test_mastodon_has_every_post_once(tmp_path, mock):  # noqa: F811 - the fixture
    network: Mock = mock()
    network.rules.reset = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"  # it asks to wait a second
    with serving(network) as base:
        channel = f'base = "{base}"\nhandle = "{network.handle}"\nsecrets = "drill"\n'
        secrets = {"OUTREACH_DRILL_TOKEN": network.token}
        broken(tmp_path, network, Elsewhere("mastodon", channel, secrets, lambda: network.texts))


@pytest.mark.slow
@pytest.mark.counterpart
def test_bluesky_has_every_post_once(tmp_path, pds):  # noqa: F811 - the fixture
    network = Pds(pds)
    network.rules.asks = 1
    with serving(network) as base:
        channel = f'base = "{base}"\nhandle = "{network.handle}"\nsecrets = "drill"\n'
        secrets = {"OUTREACH_DRILL_APP_PASSWORD": network.password}
        broken(tmp_path, network, Elsewhere("bluesky", channel, secrets, lambda: network.texts))


@pytest.mark.slow
@pytest.mark.parametrize("kind", STAND_INS)
def test_a_stand_in_has_no_post_twice_and_every_doubt_is_shown(tmp_path, kind):
    with STAND_INS[kind]() as (network, elsewhere):
        broken(tmp_path, network, elsewhere)


@pytest.mark.slow
def test_a_row_of_the_drill_on_telegram():
    [fault] = [one for one in ROWS if "all workers" in one.name]
    results = run(fault, "postgresql", posts=POSTS, kills=KILLS, patience=60.0, on="telegram")
    assert [one for one in results if wrong(one)] == []
    assert sum(one.live for one in results) > 0
