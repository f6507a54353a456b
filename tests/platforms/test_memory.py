import pytest

from outreach.errors import CannotTell, NotFound
from outreach.platforms import load
from outreach.platforms.memory import Memory
from outreach.testing import LONG_AGO, TEXT, NetworkContract, part


class Seen:
    """The memory network as the contract asks about it."""

    def __init__(self, memory):
        self.memory = memory

    texts = property(lambda self: self.memory.texts)
    alts = property(lambda self: [p.alt for q in self.memory.live for p in q.part.pictures])
    posts = property(lambda self: self.memory.live)

    @property
    def next_fault(self):
        return self.memory.next_fault

    @next_fault.setter
    def next_fault(self, fault):
        self.memory.next_fault = fault

    @property
    def faults(self):
        return self

    def __setitem__(self, kind, fault):
        self.memory.next_trouble = fault

    def copies(self, text):
        return self.memory.texts.count(text)


class TestMemory(NetworkContract):
    name = "memory"

    @pytest.fixture
    def platform(self, account):
        return Memory(account("rehearsal"))

    @pytest.fixture
    def network(self, platform):
        return Seen(platform)

    def test_it_needs_no_account(self):
        memory = Memory()
        memory.publish(part(), None)
        assert memory.texts == [TEXT]

    def test_it_is_so_naive_that_a_second_call_is_a_second_copy(self, platform, network):
        platform.publish(part(), None)
        platform.publish(part(), None)
        assert network.copies(TEXT) == 2

    @pytest.mark.parametrize(
        ("fault", "error"), [("bug after", RuntimeError), ("killed after", SystemExit)]
    )
    def test_what_strikes_after_the_commit_leaves_it_live(self, platform, network, fault, error):
        network.next_fault = fault
        with pytest.raises(error):
            platform.publish(part(), None)
        assert network.copies(TEXT) == 1

    def test_a_blind_network_cannot_tell(self):
        with pytest.raises(CannotTell):
            Memory(blind=True).find(part(), LONG_AGO, frozenset())

    def test_it_tells_the_figures_it_was_given_and_none_of_what_is_not_live(self, platform):
        receipt = platform.publish(part(), None)
        platform.figures_of[receipt.id] = {"likes": 4}
        assert {receipt.id: {"likes": 4}} == platform.figures([receipt])
        platform.live.clear()
        assert platform.figures([receipt]) == {}

    @pytest.mark.parametrize(
        ("other", "text", "counts"),
        [("x", "안녕 https://example.org/a-path-that-X-counts-as-23", 28), ("telegram", "🌏", 2)],
    )
    def test_a_rehearsal_counts_as_the_network_it_stands_for(self, account, other, text, counts):
        rehearsal = Memory(account(other, {"as": other}))
        assert rehearsal.limits is load(other).limits
        assert rehearsal.limits.length(text) == counts
        assert rehearsal.publish(part(text), None).url.startswith("memory:")

    def test_a_rehearsal_of_nothing_known_says_what_is_known(self, account):
        with pytest.raises(NotFound, match="no platform 'y'"):
            Memory(account("y", {"as": "y"}))
