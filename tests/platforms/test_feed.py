from datetime import UTC, datetime, timedelta

import pytest

from outreach.errors import Refused
from outreach.platforms.feed import Feed, FeedEntry, FeedPicture, entries
from outreach.testing import ALT, TEXT, PlatformContract, part, picture

from .servers import Network, Reply, form, serving

PUBLIC = "https://outreach.example.org"


class Seen:
    """What a reader of the feed sees."""

    def __init__(self, shelf):
        self.shelf = shelf

    texts = property(lambda self: [e.text for e in reversed(entries(self.shelf, "web", PUBLIC))])
    alts = property(
        lambda self: [p.alt for e in entries(self.shelf, "web", PUBLIC) for p in e.pictures]
    )

    def copies(self, text):
        return self.texts.count(text)


class TestFeed(PlatformContract):
    name = "feed"
    keeps_keys = True

    @pytest.fixture
    def platform(self, account, shelf):
        now = lambda: datetime(2025, 8, 4, 1, tzinfo=UTC)  # noqa: E731 - one line says it
        return Feed(account("web", {"title": "NEASPEC"}, shelf=shelf, now=now))

    @pytest.fixture
    def network(self, shelf):
        return Seen(shelf)

    def test_a_first_line_before_a_blank_one_is_the_title(self, platform, shelf):
        words = "Registration is open\n\nJoin us in Bangkok.\n\nIt is free."
        receipt = platform.publish(
            part(words, token="0123456789abcdef" * 2, language="en", pictures=[picture()]), None
        )

        assert receipt.url == "https://outreach.example.org/feed/web/0123456789abcdef"
        (entry,) = entries(shelf, "web", PUBLIC)
        assert (
            FeedEntry(
                id="0123456789abcdef",
                title="Registration is open",
                text="Join us in Bangkok.\n\nIt is free.",
                language="en",
                published=datetime(2025, 8, 4, 1, tzinfo=UTC),
                pictures=entry.pictures,
                url=receipt.url,
            )
            == entry
        )
        assert isinstance(entry.pictures[0], FeedPicture)
        assert entry.pictures[0].alt == ALT

    @pytest.mark.parametrize("words", ["One line.", "Two\nlines.", "Two\nlines\n\nand more."])
    def test_without_a_title_line_there_is_no_title(self, platform, shelf, words):
        platform.publish(part(words), None)
        assert [("", words)] == [
            (entry.title, entry.text) for entry in entries(shelf, "web", PUBLIC)
        ]

    def test_a_part_without_a_token_cannot_be_kept(self, platform, network):
        with pytest.raises(Refused, match="token"):
            platform.publish(part(token=""), None)
        assert network.texts == []

    def test_a_second_attempt_answers_with_the_first_entry_not_the_new_words(
        self, platform, network
    ):
        first = platform.publish(part("As cleared."), None)
        assert first == platform.publish(part("As changed since."), None)
        assert network.texts == ["As cleared."]


def test_an_entry_that_is_taken_down_is_gone_and_its_text_is_kept(account, shelf):
    feed = Feed(account("web", shelf=shelf))
    receipt = feed.publish(part(pictures=[picture()]), None)
    feed.withdraw(receipt)
    assert entries(shelf, "web", PUBLIC) == []
    assert shelf.get("a" * 32)["text"] == TEXT
    assert "0 entries" in feed.check()


def test_a_corrected_entry_says_when(account, shelf):
    feed = Feed(account("web", shelf=shelf))
    receipt = feed.publish(part(), None)
    feed.correct(receipt, part("Put right\n\nIt is ten o'clock."))
    (entry,) = entries(shelf, "web", PUBLIC)
    assert (entry.id, entry.title, entry.text) == (receipt.id, "Put right", "It is ten o'clock.")
    assert entry.published <= entry.updated


class Hub(Network):
    """A WebSub hub, as far as a publisher sees one."""

    def __init__(self):
        super().__init__()
        self.told = []

    def answer(self, method, path, query, headers, body):
        said, _ = form(headers["Content-Type"], body)
        assert (method, path, said["hub.mode"]) == ("POST", "/hub", "publish")
        assert said["hub.topic"] == said["hub.url"]
        return "publish", Reply(202, {}, commit=lambda: self.told.append(said["hub.topic"]))

    def failure(self, fault):
        return Reply(503, {})


class TestAHub:
    both = (f"{PUBLIC}/feed/web/atom.xml", f"{PUBLIC}/feed/web/feed.json")

    @pytest.fixture
    def hub(self):
        return Hub()

    @pytest.fixture
    def now(self):
        return [datetime(2025, 8, 4, 1, tzinfo=UTC)]

    @pytest.fixture
    def feed(self, account, shelf, hub, now):
        with serving(hub) as base:
            options = {"websub-hub": f"{base}/hub"}
            yield Feed(account("web", options, shelf=shelf, now=lambda: now[0]))

    def test_it_is_told_of_each_change_once(self, feed, hub):
        feed.announce()
        assert hub.told == []  # there is nothing yet
        receipt = feed.publish(part(), None)
        for change in (
            lambda: feed.correct(receipt, part("Put right.")),
            lambda: feed.withdraw(receipt),
            lambda: None,
        ):
            feed.announce()
            feed.announce()
            assert tuple(hub.told) == self.both
            hub.told.clear()
            change()
        feed.announce()
        assert hub.told == []

    @pytest.mark.parametrize("fault", ["lost before", "lost after", "500 before"])
    def test_one_that_fails_is_told_later_and_hinders_no_publication(self, feed, hub, now, fault):
        feed.publish(part("One."), None)
        for minutes in (1, 2, 4):
            hub.next_fault = fault
            feed.announce()
            asked = len(hub.requests)
            feed.publish(part(f"After {minutes}.", token=f"{minutes}" * 32), None)
            now[0] += timedelta(minutes=minutes, seconds=-1)
            feed.announce()
            assert len(hub.requests) == asked
            assert "told again later" in feed.check()
            now[0] += timedelta(seconds=1)
        hub.told.clear()
        feed.announce()
        assert tuple(hub.told) == self.both
        assert "told again" not in feed.check()
        assert "4 entries" in feed.check()

    def test_a_feed_without_one_asks_nobody(self, account, shelf, hub):
        feed = Feed(account("web", shelf=shelf))
        feed.publish(part(), None)
        feed.announce()
        assert hub.requests == []

    @pytest.mark.parametrize(
        "hub", ["hub.example.org", "http://hub.example.org/", 'https://h.example/">', "https:///x"]
    )
    def test_what_is_no_hub_is_told(self, hub):
        [(option, what, _)] = Feed.mistakes({"websub-hub": hub})
        assert (option, what) == ("websub-hub", f"{hub!r} is no hub's address")
        assert not list(Feed.mistakes({"websub-hub": "https://hub.example.org/?x=1"}))
