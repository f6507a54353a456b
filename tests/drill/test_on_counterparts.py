"""The drill with the real adapters: answers that are lost, and a desk that is killed.

On servers that nobody here wrote: Mastodon takes a key and can be asked; Bluesky takes the record's
own key, and can be asked; a mail server takes no key and cannot be asked, so that each reader of a
newsletter has it once, or is in doubt. On stand-ins: X takes no key and can be asked; Telegram
neither.
"""

import random
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from outreach.delivery import State
from outreach.platforms import Fate
from outreach.subscribers import Consent, Mailing, MailingReader, Subscriber
from tests.drill.__main__ import run, wrong
from tests.drill.faults import FAULTS as ROWS
from tests.drill.field import Elsewhere, held
from tests.drill.stand_ins import STAND_INS
from tests.platforms import mailboxes
from tests.platforms.servers import serving
from tests.platforms.servers_email import USER, EmailNetwork

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
                field.until(lambda: len(field.live()) >= before + more, 20)  # noqa: B023 - asked at once
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


READERS = 150


def newsletter(folder, base, texts, *, posts, kills, chance):
    """A newsletter to hundreds, and a desk that is killed at random instants in its midst; every
    reader's fate by post."""
    channel = (
        f'base = "{base}"\nhost = "127.0.0.1"\nfrom = "News <news@example.org>"\n'
        f'user = "{USER}"\nsecrets = "drill"\nmails-per-second = "1000"\n'
    )
    secrets = {"OUTREACH_DRILL_PASSWORD": mailboxes.PASSWORD}
    with held(folder, elsewhere=Elsewhere("email", channel, secrets, texts), posts=posts) as field:
        settings = field.home / "config/outreach.toml"
        public = '[web]\npublic-url = "https://desk.example.org"\n'
        settings.write_text(f"{settings.read_text()}\n{public}")
        agreed = [Consent(a, "en", "a form", field.now()) for a in addresses()]
        field.desk.subscribers.take("c0", agreed, file="list.csv", by="ana")
        field.start()
        for _ in range(kills):
            before = len(field.live())
            field.until(lambda: len(field.live()) > before, 20)  # noqa: B023 - asked at once
            time.sleep(chance.uniform(0.0, 0.4))
            field.kill()
            field.start()
        field.settle(120)
        assert [row.state for row in field.rows()] == [State.PUBLISHED] * posts
        with field.desk.store.reading() as session:
            return session.execute(
                select(Mailing.key, Subscriber.address, MailingReader.fate)
                .join(Mailing, Mailing.token == MailingReader.token)
                .join(Subscriber, Subscriber.id == MailingReader.subscriber)
            ).all()


def addresses():
    return [f"r{n}@example.org" for n in range(READERS)]


@pytest.mark.slow
def test_a_killed_newsletter_repeats_nobody_and_leaves_nobody_without_a_fate(tmp_path):
    network, kills = EmailNetwork(after=0.004, password=mailboxes.PASSWORD), 5
    chance = random.Random(11)  # noqa: S311 - a drill may be repeated
    with network.serving() as base:
        fates = newsletter(
            tmp_path, base, lambda: network.texts, posts=1, kills=kills, chance=chance
        )
    copies = Counter(network.readers)
    assert len(fates) == READERS
    assert max(copies.values()) == 1
    assert {fate for _, _, fate in fates} <= {Fate.SENT, Fate.DOUBT}
    doubts = [address for _, address, fate in fates if fate == Fate.DOUBT]
    assert len(doubts) <= kills
    assert all(copies[address] == 1 for _, address, fate in fates if fate == Fate.SENT)


@pytest.mark.slow
@pytest.mark.counterpart
def test_every_mailbox_has_every_newsletter_once_or_its_reader_is_in_doubt(tmp_path):
    chance = random.Random(5)  # noqa: S311 - a drill may be repeated
    with mailboxes.mailboxes(tmp_path / "mail") as post, post.wire() as base:
        post.share = 0.01
        fates = newsletter(
            tmp_path, base, lambda: ["x"] * post.carried, posts=1, kills=2, chance=chance
        )
        texts = {address: Counter(post.texts(address)) for address in addresses()}
    assert len(fates) == READERS
    assert {fate for _, _, fate in fates} <= {Fate.SENT, Fate.DOUBT}
    assert all(max(copies.values()) == 1 for copies in texts.values())
    for key, address, fate in fates:
        number = key.partition("/m")[2].partition("/")[0]
        has = texts[address][f"Post {number}, first words."]
        assert has == 1 or fate == Fate.DOUBT


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
