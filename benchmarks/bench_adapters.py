"""Publishing through each adapter, as a ratio of its bare library against the same server.

The server is the tests' stand-in of the network, on loopback in a process of its own, which takes
20 ms for every answer, as a very near server does. The bare library keeps one client, and its
connection, for all posts; an adapter makes a connection for each, for a kept one that was closed
meanwhile would be a false doubt. LinkedIn's and Facebook's own libraries put a session of
`requests` around a body; that session is what is bare there.

A newsletter is a mail to each of its readers, and so is its figure: the mail server takes 20 ms for
each mail, and the adapter claims each reader in a real database before and writes their fate down
after; bare are `smtplib` and `email`, which make each reader's mail and send it over one line.
The web feed and what people post by hand have no bare call to be compared with: publishing there
is a row of the desk's own database. Names of networks after the command measure these alone.
"""

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from outreach.platforms import Account, load
from outreach.post import Part
from outreach.store import Store
from outreach.subscribers import Consent, Newsletter, Roll, Subscribers
from outreach.testing import DictShelf
from tests.platforms.servers import (
    Handler,
    TelegramNetwork,
    XNetwork,
    serving,
)
from tests.platforms.servers_bluesky import BlueskyNetwork
from tests.platforms.servers_email import PASSWORD, USER, EmailNetwork
from tests.platforms.servers_facebook import FacebookNetwork
from tests.platforms.servers_linkedin import LinkedInNetwork
from tests.platforms.servers_mastodon import MastodonNetwork

POSTS, ANSWER, AIM = 60, 0.02, 1.3
READERS, MAILINGS = 100, 4
WORDS = "The forum on low carbon cities opens in Bangkok. "

NETWORKS = {
    "bluesky": (
        BlueskyNetwork,
        {"handle": BlueskyNetwork.HANDLE},
        {"app_password": BlueskyNetwork.PASSWORD},
    ),
    "mastodon": (
        MastodonNetwork,
        {"handle": "@neaspec@social.example.org"},
        {"token": MastodonNetwork.TOKEN},
    ),
    "telegram": (TelegramNetwork, {"chat": "@neaspec"}, {"token": TelegramNetwork.TOKEN}),
    "x": (XNetwork, {"handle": "@neaspec"}, dict(XNetwork.SECRETS)),
    "linkedin": (
        LinkedInNetwork,
        {"page": LinkedInNetwork.PAGE},
        {"token": LinkedInNetwork.TOKEN},
    ),
    "facebook": (
        FacebookNetwork,
        {"page": FacebookNetwork.PAGE},
        {"token": FacebookNetwork.TOKEN},
    ),
}


def serve(name: str, told) -> None:
    answered = Handler.handle_all

    def slowly(self):
        time.sleep(ANSWER)
        answered(self)

    Handler.do_GET = Handler.do_POST = slowly
    Handler.disable_nagle_algorithm = True
    mails = EmailNetwork(after=ANSWER).serving() if name == "email" else None
    with mails or serving(NETWORKS[name][0]()) as base:
        told.send(base)
        told.recv()


@contextmanager
def server(name: str):
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(name, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        here.send("enough")
        process.join()


def adapter(name: str, base: str) -> Callable[[int], object]:
    _, options, secrets = NETWORKS[name]
    account = Account(name, options, secrets, DictShelf(), lambda: datetime.now(UTC), base)
    platform = load(name)(account)
    return lambda n: platform.publish(Part(f"Post {n} of ours.", token=f"{n:032x}"), None)


def bare_mastodon(base: str) -> Callable[[int], object]:
    from mastodon import Mastodon

    client = Mastodon(access_token=MastodonNetwork.TOKEN, api_base_url=base)
    return lambda n: client.status_post(f"Post {n} bare.", idempotency_key=f"bare-{n}")


def bare_bluesky(base: str) -> Callable[[int], object]:
    from atproto import Client, models

    client = Client(base)
    client.update_base_url = lambda _: None
    client.login(BlueskyNetwork.HANDLE, BlueskyNetwork.PASSWORD, fetch_bsky_profile=False)
    keys = iter(f"3kaaaaaaaa{n:03}".translate(str.maketrans("0189", "abcd")) for n in range(1000))

    def post(n: int) -> object:
        record = models.AppBskyFeedPost.Record(
            text=f"Post {n} bare.", created_at=client.get_current_time_iso(), langs=["en"]
        )
        data = models.ComAtprotoRepoCreateRecord.Data(
            repo=BlueskyNetwork.DID, collection="app.bsky.feed.post", rkey=next(keys), record=record
        )
        return client.com.atproto.repo.create_record(data)

    return post


def bare_telegram(base: str) -> Callable[[int], object]:
    from telegram import Bot

    bot, loop = Bot(TelegramNetwork.TOKEN, base_url=f"{base}/bot"), asyncio.new_event_loop()
    return lambda n: loop.run_until_complete(bot.send_message("@neaspec", f"Post {n} bare."))


def bare_x(base: str) -> Callable[[int], object]:
    import tweepy

    from outreach.platforms.wire import wire

    client = tweepy.Client(**XNetwork.SECRETS)
    client.session.mount("https://", wire(5, 20, base=base))  # its host is fixed
    return lambda n: client.create_tweet(text=f"Post {n} bare.")


def bare_linkedin(base: str) -> Callable[[int], object]:
    import requests

    session = requests.Session()
    own = {
        "Authorization": f"Bearer {LinkedInNetwork.TOKEN}",
        "LinkedIn-Version": LinkedInNetwork.VERSIONS[-1],
        "X-Restli-Protocol-Version": "2.0.0",
    }
    session.headers.update(own)

    def post(n: int) -> object:
        said = {
            "author": LinkedInNetwork.URN,
            "commentary": f"Post {n} bare.",
            "visibility": "PUBLIC",
            "distribution": {"feedDistribution": "MAIN_FEED"},
            "lifecycleState": "PUBLISHED",
        }
        answer = session.post(f"{base}/rest/posts", json=said)
        answer.raise_for_status()
        return answer.headers["x-restli-id"]

    return post


def bare_facebook(base: str) -> Callable[[int], object]:
    import requests

    session = requests.Session()

    def post(n: int) -> object:
        said = {"message": f"Post {n} bare.", "access_token": FacebookNetwork.TOKEN}
        answer = session.post(f"{base}/v25.0/{FacebookNetwork.PAGE}/feed", data=said)
        answer.raise_for_status()
        return answer.json()["id"]

    return post


BARE = {
    "bluesky": bare_bluesky,
    "mastodon": bare_mastodon,
    "telegram": bare_telegram,
    "x": bare_x,
    "linkedin": bare_linkedin,
    "facebook": bare_facebook,
}


@contextmanager
def newsletter(base: str):
    """Sends one mailing to all readers, through the adapter and bare, in turns."""
    import smtplib
    from urllib.parse import urlsplit

    now = lambda: datetime.now(UTC)  # noqa: E731 - one line says it
    addresses = [f"r{n}@example.org" for n in range(READERS)]
    options = {"from": "News <news@example.org>", "host": "127.0.0.1", "user": USER}
    options["mails-per-second"] = "100000"
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/outreach.db")
        store.prepare()
        given = {"languages": ("en",), "title": "News", "office": "secretariat"}
        roll = Roll(store, "news", now, home=Path(folder), **given)
        lists = {"news": Newsletter("news", "News", ("en",))}
        agreed = [Consent(address, "en", "a form", now()) for address in addresses]
        Subscribers(store, now, lists, lambda _: roll).take("news", agreed, file="l.csv", by="ana")
        secrets = {"password": PASSWORD}
        account = Account("news", options, secrets, DictShelf(), now, base, "https://example.org")
        platform = load("email")(replace(account, readers=roll))
        text, html = WORDS * 20, f"<html><body><p>{WORDS * 20}</p></body></html>"

        def ours(n: int) -> object:
            return platform.publish(Part(f"Post {n}\n\n{WORDS * 20}", token=f"{n:032x}"), None)

        def bare(n: int) -> None:
            at = urlsplit(base)
            with smtplib.SMTP(at.hostname, at.port) as line:
                line.login(USER, PASSWORD)
                for number, address in enumerate(addresses):
                    mail = EmailMessage(policy=policy.SMTP)
                    mail["From"], mail["To"], mail["Subject"] = options["from"], address, "Bare."
                    mail["Date"], mail["Message-ID"] = format_datetime(now()), f"<{n}.{number}@x>"
                    mail["List-Unsubscribe"] = f"<https://example.org/leave/{number}>"
                    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
                    mail.set_content(text)
                    mail.add_alternative(html, subtype="html")
                    line.sendmail("news@example.org", [address], mail.as_bytes())

        try:
            yield ours, bare
        finally:
            store.close()


def taken(post: Callable[[int], object], n: int) -> float:
    started = time.perf_counter()
    post(n)
    return time.perf_counter() - started


def measured(name: str) -> list[tuple[float, float]]:
    """Seconds of a post, or of a mail, ours and bare, in turns."""
    with server(name) as base:
        if name == "email":
            with newsletter(base) as (ours, bare):
                ours(999), bare(999)
                times = [(taken(ours, n), taken(bare, n)) for n in range(MAILINGS)]
            return [(a / READERS, b / READERS) for a, b in times]
        ours, bare = adapter(name, base), BARE[name](base)
        ours(999), bare(999)  # imports, and signing in
        return [(taken(ours, n), taken(bare, n)) for n in range(POSTS)]


def main() -> int:
    over = False
    for name in sys.argv[1:] or [*NETWORKS, "email"]:
        columns = zip(*measured(name), strict=True)
        middle = [statistics.median(column) * 1000 for column in columns]
        ratio = middle[0] / middle[1]
        over |= ratio > AIM
        what = "mail" if name == "email" else "post"
        print(
            f"{name}: {middle[0]:.1f} ms a {what}, {middle[1]:.1f} ms by its bare library: "
            f"{ratio:.2f} times (aim {AIM})"
        )
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
