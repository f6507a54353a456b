"""The drill on servers that nobody here wrote: answers that are lost, and a desk that is killed.

Mastodon takes a key and can be asked; Bluesky takes the record's own key, and can be asked.
"""

import random

import pytest

from tests.drill.__main__ import wrong
from tests.drill.field import Elsewhere, held
from tests.platforms.servers import serving

# Their servers are started as the contract's tests start them.
from tests.platforms.test_bluesky import Pds, pds  # noqa: F401 - a fixture is found by its name
from tests.platforms.test_mastodon import Mock, mock  # noqa: F401 - as above

POSTS, KILLS = 12, 2
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
                field.until(lambda: len(field.live()) >= before + more, 20)  # noqa: B023 - asked at once
            field.kill()
            field.start()
        network.next_fault = ""
        field.faulted()
        seconds = field.settle(90)
        found = field.count(seconds)
        assert [one for one in found if wrong(one)] == []
        assert sorted(network.texts) == sorted(field.cleared)


@pytest.mark.slow
@pytest.mark.counterpart
def test_mastodon_has_every_post_once(tmp_path, mock):  # noqa: F811 - the fixture
    network: Mock = mock()
    with serving(network) as base:
        channel = f'base = "{base}"\nhandle = "{network.handle}"\nsecrets = "drill"\n'
        secrets = {"OUTREACH_DRILL_TOKEN": network.token}
        broken(tmp_path, network, Elsewhere("mastodon", channel, secrets, lambda: network.texts))


@pytest.mark.slow
@pytest.mark.counterpart
def test_bluesky_has_every_post_once(tmp_path, pds):  # noqa: F811 - the fixture
    network = Pds(pds)
    with serving(network) as base:
        channel = f'base = "{base}"\nhandle = "{network.handle}"\nsecrets = "drill"\n'
        secrets = {"OUTREACH_DRILL_APP_PASSWORD": network.password}
        broken(tmp_path, network, Elsewhere("bluesky", channel, secrets, lambda: network.texts))
