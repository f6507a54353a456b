"""What people say of a post: where it is live, that it surely is not, or that they will not do it.

Whoever decides at the desk says it by name; whoever was given a task says it with its link. What
was said is kept in the trail, told to whom it concerns, and looked at once more.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from outreach import settle, takedown
from outreach.clearance import record
from outreach.delivery import State, find
from outreach.doubt import Doubt
from outreach.errors import NotAllowed
from outreach.handover import Handover, Task
from outreach.platforms import Asks, Platform, Told
from outreach.settle import Answer
from outreach.store import Store
from outreach.takedown import TakeDowns


class Answers:
    """Takes a person's word on a post, whoever gives it."""

    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[str, Platform],
        now: Callable[[], datetime],
        doubt: Doubt,
        take_downs: TakeDowns,
        handover: Handover,
    ) -> None:
        self.store, self.platforms, self.now = store, platforms, now
        self.doubt, self.take_downs, self.handover = doubt, take_downs, handover

    def take(self, key: str, answer: Answer, *, who: str, url: str = "") -> None:
        """Do what was decided of a post: see `settle`. Raises NotFound, NotAllowed."""
        now = self.now()
        with self.store.writing() as session:
            row = find(session, key)
            platform: object = self.platforms.get(row.channel)
            if answer == "live" and isinstance(platform, Told):
                url = platform.address(url)
            told = platform if row.state is State.HANDED else None
            # What another office will not publish is not asked of it again.
            by_hand = answer == "live" or (answer == "absent" and not isinstance(told, Asks))
            if by_hand and isinstance(told, Told):
                if answer == "live":
                    settle.its_own(session, row, url, now)
                token = self.doubt.token(session, row)
            else:
                by_hand = False
                record(session, now, who, f"settled: {answer}", row, why=url)
                if answer == "gone":
                    takedown.gone(session, row, now=now)
                else:
                    settle.settle(session, row, answer, url=url, now=now)
            if answer == "live":
                takedown.reopen(session, key)
        if answer == "gone" and row.channel in self.platforms:
            self.take_downs.work(row.channel)
        if by_hand and isinstance(told, Told):
            if answer == "live":
                told.done(token, url, now)
            else:
                told.absent(token)
            with self.store.writing() as session:
                row = find(session, key)
                record(session, now, who, f"settled: {answer}", row, why=url)
        self.doubt.look_at(key)

    def complete(self, secret: str, url: str, *, wording: str = "") -> Task:
        """Whoever has a task's link says where it is, and how it is worded if not as asked.

        Saying the same twice is saying it once. Raises NotFound, and NotAllowed where the address
        is none of that network, or the task is not open.
        """
        task = self.handover.open(secret)
        if task.state == "done" and url.strip() == task.url:
            return task
        if task.state != "open":
            raise NotAllowed("this task is not open any more", "ask the desk")
        who = task.who or "the staff chat"
        self.take(task.sheet.key, "live", who=who, url=url)
        if wording.strip() and _words(wording) != _words(task.sheet.text):
            with self.store.writing() as session:
                row = find(session, task.sheet.key)
                why = wording.strip().replace("\r\n", "\n")
                record(session, self.now(), who, "worded otherwise", row, why=why)
        return self.handover.open(secret)

    def decline(self, secret: str, why: str) -> Task:
        """Another office says that it will not publish a request. Raises as `complete` does."""
        task = self.handover.open(secret)
        if task.state != "open" or not task.sheet.wanted:
            raise NotAllowed("this task is not open any more", "ask the desk")
        if not why.strip():
            raise NotAllowed("a reason is needed", "say in a sentence why not")
        key, who = task.sheet.key, task.who
        with self.store.reading() as session:
            state = find(session, key).state
        if state is State.UNCERTAIN:  # whoever answers it has it
            self.take(key, "arrived", who=who)
        if state is not State.MISSED:
            self.take(key, "absent", who=who)
        with self.store.writing() as session:
            record(session, self.now(), who, "declined", find(session, key), why=why.strip())
        return self.handover.open(secret)


def _words(text: str) -> list[str]:
    """What tells two wordings apart: not how their lines are broken."""
    return text.split()
