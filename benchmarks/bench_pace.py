"""How much of a limit is used, and what keeping to one costs.

Twelve channels share a network's limit of ten calls a second; a call takes 20 ms. The floor is the
limit itself. Then the same as `bench_publish.py`, with a limit that is never reached.
"""

import tempfile
import time
from pathlib import Path

import bench_publish as publishing

from outreach.dispatch import Embedded
from outreach.leases import LeaseClock
from outreach.pace import Pace, Rule
from outreach.platforms.memory import Memory
from outreach.publish import Publisher
from outreach.store import Store

CHANNELS, LIMIT, ANSWER = 12, 10, 0.02


class Timed(Memory):
    """A network that takes a moment, and notes when calls arrive."""

    arrivals: list[float] = []  # noqa: RUF012 - of all channels together

    def publish(self, part, after):
        self.arrivals.append(time.monotonic())
        time.sleep(ANSWER)
        return super().publish(part, after)


def used(folder: Path) -> float:
    """The part of the limit that was used, from the first call to the last."""
    store = Store(f"sqlite:///{folder}/used.db")
    store.prepare()
    networks = {f"c{n}": Timed() for n in range(CHANNELS)}
    publishing.POSTS, posts = 60, publishing.POSTS
    publishing.fill(store, networks)
    publishing.POSTS = posts
    send(store, networks, Rule("all of them", LIMIT, 1.0))
    store.close()
    arrivals = sorted(Timed.arrivals)
    assert len(arrivals) == 60
    for first, one_more in zip(arrivals, arrivals[LIMIT:], strict=False):
        assert one_more - first >= 1.0, "more than the limit within a second"
    return (len(arrivals) - 1) // LIMIT / (arrivals[-1] - arrivals[0])


def publish(folder: Path, *rules: Rule) -> float:
    """Seconds that the posts of `bench_publish.py` take."""
    store = Store(f"sqlite:///{folder}/{len(rules)}.db")
    store.prepare()
    networks = {f"c{n}": publishing.Near() for n in range(publishing.CHANNELS)}
    publishing.fill(store, networks)
    took = send(store, networks, *rules)
    store.close()
    return took


def send(store: Store, networks: dict[str, Memory], *rules: Rule) -> float:
    publisher = Publisher(
        store=store,
        platforms=networks,
        now=lambda: publishing.NOW,
        leases=LeaseClock(),
        paces={name: Pace(name, rules) for name in networks},
    )
    dispatch = Embedded(lambda channel: [None for _ in publisher.send(channel)] and None)
    started = time.perf_counter()
    while channels := publisher.channels():
        dispatch.ring(channels)
        dispatch.wait()
    took = time.perf_counter() - started
    dispatch.close()
    return took


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(f"a limit of {LIMIT} a second: {used(Path(folder)):.2f} of it used (aim: 0.9)")
        without = publish(Path(folder))
        within = publish(Path(folder), Rule("all of them", 10_000, 1.0))
    print(f"keeping to a limit that is never reached: {within / without:.2f} of the time without")
