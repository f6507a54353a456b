"""Publishing through the desk, as a ratio of the same calls made bare, in the same run.

The network is one in memory that takes 50 ms a call, as a near server does; 20 channels send at
the same time. The floor is the same calls from 20 threads with no database and no protocol.
"""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outreach.campaign.values import Late
from outreach.clearance import Person, Window, clear
from outreach.compose import Draft
from outreach.delivery import Delivery, State
from outreach.dispatch import Embedded
from outreach.leases import LeaseClock
from outreach.platforms.memory import Memory
from outreach.post import Part, Post, Slot
from outreach.publish import Publisher
from outreach.store import Store

CHANNELS, POSTS, ANSWER = 20, 400, 0.05
NOW = datetime(2025, 8, 25, 2, tzinfo=UTC)


class Near(Memory):
    """A network that answers after 50 ms."""

    def publish(self, part, after):
        time.sleep(ANSWER)
        return super().publish(part, after)


def floor() -> float:
    network = Near()
    started = time.perf_counter()
    with ThreadPoolExecutor(CHANNELS) as pool:
        list(pool.map(lambda n: network.publish(Part(f"post {n}"), None), range(POSTS)))
    return time.perf_counter() - started


def ours(folder: Path) -> float:
    store = Store(f"sqlite:///{folder}/bench.db")
    store.prepare()
    networks = {f"c{n}": Near() for n in range(CHANNELS)}
    fill(store, networks)
    publisher = Publisher(store=store, platforms=networks, now=lambda: NOW, leases=LeaseClock())
    dispatch = Embedded(lambda channel: [None for _ in publisher.send(channel)] and None)
    started = time.perf_counter()
    dispatch.ring(publisher.channels())
    dispatch.wait()
    took = time.perf_counter() - started
    dispatch.close()
    sent = sum(len(network.live) for network in networks.values())
    assert sent == POSTS, f"{sent} of {POSTS} were sent"
    store.close()
    return took


def fill(store: Store, networks: dict[str, Near]) -> None:
    from outreach import apply as applying
    from outreach import planning
    from outreach.campaign.plan import plan
    from outreach.store.plain import asking

    drafts = {}
    slot = Slot(NOW, "2025-08-25T09:00", "Asia/Bangkok")
    for number in range(POSTS):
        channel = f"c{number % len(networks)}"
        post = Post("c", f"m{number}", "en", channel, (Part(f"post {number}"),), "memory")
        draft = Draft(
            "c", f"m{number}", "en", channel, slot, post, Late(), None, "as-ready", frozenset()
        )
        drafts[draft.key] = draft
    before = NOW - timedelta(days=1)
    bo = Person("bo", "Bo", "", frozenset({"clearer"}))
    with store.writing() as session:
        made = plan(drafts.values(), planning.standing(asking(session)), now=before)
        applying.carry_out(session, made, drafts, by="ana", now=before)
        for key, draft in drafts.items():
            row = session.get_one(Delivery, key)
            clear(session, row, draft.post.fingerprint, by=bo, now=before, window=Window())
            assert row.state is State.CLEARED


if __name__ == "__main__":
    bare = min(floor() for _ in range(2))
    with tempfile.TemporaryDirectory() as folder:
        took = ours(Path(folder))
    print(
        f"publishing {POSTS} posts on {CHANNELS} channels: {POSTS / took:.0f} a second; "
        f"the bare calls {POSTS / bare:.0f}; {bare / took:.2f} of the floor (aim: at least 0.5)"
    )
