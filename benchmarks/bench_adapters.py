"""Publishing through each adapter, as a ratio of its bare library against the same server.

The server is the tests' stand-in of the network, on loopback in a process of its own, which takes
20 ms for every answer, as a very near server does. The bare library keeps one client, and its
connection, for all posts; an adapter makes a connection for each, for a kept one that was closed
meanwhile would be a false doubt.
"""

import asyncio
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from outreach.platforms import Account, load
from outreach.post import Part
from outreach.testing import DictShelf
from tests.platforms.servers import (
    Handler,
    TelegramNetwork,
    XNetwork,
    serving,
)
from tests.platforms.servers_bluesky import BlueskyNetwork
from tests.platforms.servers_mastodon import MastodonNetwork

POSTS, ANSWER, AIM = 60, 0.02, 1.3

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
}


def serve(name: str, told) -> None:
    answered = Handler.handle_all

    def slowly(self):
        time.sleep(ANSWER)
        answered(self)

    Handler.do_GET = Handler.do_POST = slowly
    Handler.disable_nagle_algorithm = True
    with serving(NETWORKS[name][0]()) as base:
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


BARE = {
    "bluesky": bare_bluesky,
    "mastodon": bare_mastodon,
    "telegram": bare_telegram,
    "x": bare_x,
}


def taken(post: Callable[[int], object], n: int) -> float:
    started = time.perf_counter()
    post(n)
    return time.perf_counter() - started


def main() -> int:
    over = False
    for name in NETWORKS:
        with server(name) as base:
            ours, theirs = adapter(name, base), BARE[name](base)
            ours(999), theirs(999)  # imports, and signing in
            times = [(taken(ours, n), taken(theirs, n)) for n in range(POSTS)]
        middle = [statistics.median(column) * 1000 for column in zip(*times, strict=True)]
        ratio = middle[0] / middle[1]
        over |= ratio > AIM
        print(
            f"{name}: {middle[0]:.1f} ms a post, {middle[1]:.1f} ms by its bare library: "
            f"{ratio:.2f} times (aim {AIM})"
        )
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
