"""Whatever fails, and whenever it is ordered: in the end nothing of it is live, and no post was
deleted that was not kept as evidence first."""

import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from outreach.errors import NotAllowed, OutreachError
from outreach.platforms.memory import Memory
from outreach.store.tables import Evidence
from tests.conftest import Office, state
from tests.drafts import AT, KEY, draft, put, run_to

SENDING = ["", "not now", "lost before", "lost after", "bug after", "killed before", "killed after"]
DELETING = ["", "", "not now", "lost before", "lost after", "killed before", "killed after"]


class Careful(Memory):
    """A network that looks whether what it deletes was kept."""

    def __init__(self, desk):
        super().__init__()
        self.desk, self.unkept = desk, []
        self.now = desk.now

    def withdraw(self, receipt):
        with self.desk.store.reading() as session:
            kept = [
                one["id"] for data in session.scalars(select(Evidence.data)) for one in data["live"]
            ]
        if receipt.id not in kept:
            self.unkept.append(receipt.id)
        super().withdraw(receipt)


@pytest.fixture(scope="module")
def template():
    with tempfile.TemporaryDirectory() as folder:
        office = Office(Path(folder) / "office")
        office.open()
        office.close()
        yield office.home


@settings(max_examples=15)
@given(
    parts=st.integers(1, 3),
    sends=st.lists(st.sampled_from(SENDING), max_size=3),
    deletes=st.lists(st.sampled_from(DELETING), max_size=6),
    before=st.integers(0, 3),
    restarts=st.booleans(),
)
def test_in_the_end_nothing_of_it_is_live(template, parts, sends, deletes, before, restarts):
    with tempfile.TemporaryDirectory() as folder:
        office = Office(Path(folder) / "office")
        shutil.rmtree(office.home)
        shutil.copytree(template, office.home)
        desk = office.open()
        network = Careful(desk)
        desk.__dict__["platforms"] = {"net": network}
        desk.publisher.pauses = ()
        desk.tick()
        office.clock.at = AT - timedelta(minutes=30)
        put(desk, draft("news", *(f"Part {n}." for n in range(parts))), clear=True)
        sends, deletes = list(sends), list(deletes)

        def turn():
            network.next_fault = sends.pop(0) if sends else ""
            network.next_trouble = deletes.pop(0) if deletes else ""
            with suppress(SystemExit, OutreachError):
                desk.tick()
            network.next_fault = network.next_trouble = ""
            office.clock.forward(seconds=30)
            office.leases.seconds += 130

        run_to_without_sending(office, desk)
        for _ in range(before):
            turn()
        number = 0
        with suppress(NotAllowed):  # nothing of it is live, nor may be
            number = desk.incidents.take_down("c/news", "wrong", by=desk.person("ana")).number
        if not number:
            return
        if restarts:
            desk = office.open()
            desk.__dict__["platforms"] = {"net": network}
            desk.publisher.pauses = ()
        for _ in range(40):
            turn()
            if desk.incidents.standing(number).done:
                break
        stands = desk.incidents.standing(number)
        assert stands.done, stands
        assert network.live == []
        assert network.unkept == []
        assert (state(desk, KEY) == "taken-down") == (stands.results[0].state == "down")
        office.close()


def run_to_without_sending(office, desk):
    hold = "all"
    desk.hold(hold, "not yet", by=desk.person("ana"))
    run_to(office, desk, AT)
    desk.release(hold, by=desk.person("ana"))
