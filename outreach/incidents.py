"""What is live and wrong: taken down everywhere, or put right where it stands.

    take down    one person orders it, and every network is asked until the post is gone
    correct      the new text is cleared by a second person, and then edited in place

Both go on in threads of their own: no post that is being sent keeps a wrong one up.
"""

import time
from collections.abc import Callable, Mapping, Set
from datetime import datetime

from outreach import apply, correction, notices, people, takedown
from outreach.clearance import MAY_ADMINISTER, MAY_CLEAR, MAY_WRITE, Person
from outreach.compose import Draft
from outreach.correction import Corrections, Differs
from outreach.dispatch import Embedded
from outreach.ending import Ending
from outreach.leases import Leases
from outreach.platforms import Platform
from outreach.store import Store
from outreach.takedown import Affected, Standing, TakeDowns


class Incidents:
    """Orders that change what is live, and how each of them stands.

    `drafts` tells what the files say now, by key; `unready` the channels that cannot do it as they
    are set up, and why; `tell` writes the notices that the trail asks for; `last_look` reads the
    figures of a channel's post before it is gone.
    """

    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[str, Platform],
        now: Callable[[], datetime],
        leases: Leases,
        ending: Ending,
        drafts: Callable[[], Mapping[str, Draft]],
        unready: Callable[[], Mapping[str, str]],
        tell: Callable[[], None],
        last_look: Callable[[str, str], None],
    ) -> None:
        self.store, self.platforms, self.now = store, platforms, now
        self.drafts, self.unready, self.tell = drafts, unready, tell
        self.take_downs = TakeDowns(
            store=store,
            platforms=platforms,
            now=now,
            leases=leases,
            ending=ending,
            last_look=last_look,
        )
        self.corrections = Corrections(
            store=store, platforms=platforms, now=now, leases=leases, ending=ending
        )
        self._threads = Embedded(self._work, len(platforms))

    def ring(self) -> None:
        """Begin what is ordered and due, and come back at once."""
        self._threads.ring(self._channels())

    def wait(self) -> None:
        """Until everything that was begun has been tried."""
        self._threads.wait()

    def close(self) -> None:
        """Finish what is being done."""
        self._threads.close()

    def _channels(self) -> Set[str]:
        """Channels where something is to be taken down or corrected; mostly one look."""
        with self.store.reading() as session:
            if not correction.anything(session):
                return frozenset()
        return {*self.take_downs.channels(), *self.corrections.channels()}

    def _work(self, channel: str) -> None:
        self.take_downs.work(channel)
        self.corrections.work(channel)

    def would_take_down(self, name: str, *, every: bool = False) -> Affected:
        """What taking a message down would do: a message, one language of it, a post's key, or the
        address of a post. Changes nothing. Raises NotFound and NotAllowed: see `affected`.
        """
        with self.store.reading() as session:
            return takedown.affected(session, name, self.platforms, every=every)

    def take_down(self, name: str, why: str, *, by: Person, every: bool = False) -> Standing:
        """Order that a message be taken down wherever it is live, or turns out to be.

        One person is enough: an emergency waits for nobody. The evidence is kept and the order
        committed when this returns; the running desk carries it out within a second, or whoever
        calls `see_to`.
        """
        by.must_be(MAY_WRITE, MAY_CLEAR, MAY_ADMINISTER)
        with self.store.writing() as session:
            what = takedown.affected(session, name, self.platforms, every=every)
            made = takedown.order(session, what, why, by=by.id, now=self.now())
            notices.write(session, people.in_force(session), self.now())
            return takedown.standing(session, made.id, self.unready())

    def see_to(self, number: int, *, seconds: float) -> Standing:
        """Take down what an incident orders, from this process, for so long at most.

        Beside a desk that runs it does no harm: each post is claimed by one of them.
        """
        ends = time.monotonic() + seconds
        while True:
            self._threads.ring(self.take_downs.channels())
            self._threads.finish(max(0.0, ends - time.monotonic()))
            stands = self.standing(number)
            waits = any(one.state == "open" and one.urls for one in stands.results)
            if not waits or time.monotonic() >= ends:
                self.tell()
                return stands
            time.sleep(0.2)

    def would_correct(self, name: str) -> list[Differs]:
        """The live posts of a message whose file says something else now, and how each can be put
        right. Changes nothing. Raises NotFound and NotAllowed: see `differing`."""
        drafts = self.drafts()
        with self.store.reading() as session:
            return correction.differing(session, name, drafts, self.platforms)

    def correct(self, name: str, why: str, *, by: Person) -> list[str]:
        """Propose what the file says now as the new text of what is live; the names under which a
        second person reads and clears it. The running desk then edits it in place."""
        by.must_be(MAY_WRITE)
        drafts = self.drafts()
        with self.store.writing() as session:
            posts = correction.differing(session, name, drafts, self.platforms)
            for one in posts:
                if not one.instead:
                    apply.register(session, drafts[one.key], self.now())
            names = correction.propose(session, posts, drafts, why, by=by.id, now=self.now())
            notices.write(session, people.in_force(session), self.now())
            return names

    def standing(self, number: int) -> Standing:
        """How an incident stands, channel by channel. Raises NotFound."""
        with self.store.reading() as session:
            return takedown.standing(session, number, self.unready())
