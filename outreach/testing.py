"""What every platform owes us, whatever its network does: the suite that proves an adapter.

    class TestScreens(PlatformContract):
        name = "screens"
        platform = a fixture: Screens(account_of("lobby", {"folder": …}))
        network = a fixture: what the public sees, see `Network`

Subclass PlatformContract for a channel without a network, NetworkContract for one that can be made
to fail (`next_fault`), ServerContract for one behind an address. It needs pytest, which the program
itself does not: nothing of outreach imports this module.
"""

import hashlib
import json
import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from outreach.errors import CannotTell, NotFound, NotNow, PlatformError, Refused, Uncertain
from outreach.platforms import Account, Corrects, Platform, Shelf, Withdraws, load
from outreach.post import Captions, Part, Picture, unfenced

FAULTS = (
    "refused",
    "not now",
    "lost before",  # the connection ends without an answer; nothing was taken
    "lost after",  # the post is live, and the connection ends without an answer
    "500 before",
    "500 after",
    "hang",  # the post is live, and no answer comes
    "garbage",  # the post is live, and the answer is a web page that quotes the address
    "bad gateway",  # the same with the status 502
)
"""What ServerContract makes a network do; NetworkContract only the first four."""

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TEXT = "Clean air is a shared responsibility."
ALT = "A bar chart: three cities cut emissions by a third."


class Network(Protocol):
    """What a test's fixture `network` tells of what the public sees, oldest first.

    From NetworkContract on, a fault's name in `next_fault` makes the next publishing fail so, once;
    from ServerContract on, one in `faults` under "publish" or "read". A network of threads has
    `posts`, each with what it comes `after`: an id, or "".
    """

    texts: Sequence[str]
    alts: Sequence[str]
    posts: Sequence[Any]
    next_fault: str
    faults: Mapping[str, str]

    def copies(self, text: str) -> int:
        """How many live posts have this text."""


def part(
    text: str = TEXT,
    *,
    token: str = "a" * 32,
    pictures: Sequence[Picture] = (),
    language: str = "en",
    fence: Callable[[float], None] = unfenced,
) -> Part:
    """A part to publish; each delivery has a token of its own."""
    return Part(text, language, tuple(pictures), token, fence)


def picture(number: int = 1, alt: str = ALT) -> Picture:
    """A picture to publish; the bytes are no real one's."""
    data = b"\x89PNG\r\n\x1a\n\r\n--\r\n" + bytes([number]) * 50
    name = f"media/card-{number}.png"
    return Picture(name, f"{number:064x}", "image/png", 800, 600, len(data), alt, data=data)


def video(language: str = "en", *, captions: bytes = b"", heard: str = "") -> Picture:
    """A video of three seconds to publish, with WebVTT captions in this language or none.

    The bytes are no real one's.
    """
    data = b"\0\0\0\x18ftypmp42" + b"\0" * 50
    words = hashlib.sha256(captions).hexdigest()
    file = f"talk.{language}.vtt"
    return Picture(
        file="media/talk.mp4",
        sha256=f"{7:064x}",
        type="video/mp4",
        width=160,
        height=90,
        size=len(data),
        alt=ALT,
        data=data,
        seconds=3.0,
        codecs=("AVC", "AAC"),
        captions=Captions(file, words, "text/vtt", language, "", captions) if captions else None,
        heard=heard,
    )


class DictShelf:
    """A Shelf in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, Mapping[str, Any]] = {}

    def put(self, token: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep it unless something is there."""
        # Through JSON, as the store's is: what cannot be written down fails here too.
        return self.kept.setdefault(token, json.loads(json.dumps(value)))

    def change(self, token: str, value: Mapping[str, Any]) -> None:
        """Replace it; NotFound where nothing is."""
        if token not in self.kept:
            raise NotFound(token)
        self.kept[token] = json.loads(json.dumps(value))

    def get(self, token: str) -> Mapping[str, Any] | None:
        """What is kept, or None."""
        return self.kept.get(token)

    def list(self, newest: int | None = None) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Everything, or so many, newest first."""
        return list(reversed(self.kept.items()))[:newest]


def account_of(
    channel: str,
    options: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    *,
    shelf: Shelf | None = None,
    base: str = "",
    now: Callable[[], datetime] | None = None,
) -> Account:
    """One office's account; what is not given is as an office without a network has it."""
    return Account(
        channel=channel,
        options=options or {},
        secrets=secrets or {},
        shelf=shelf if shelf is not None else DictShelf(),
        now=now or (lambda: datetime.now(UTC)),
        base=base,
        public="https://outreach.example.org",
    )


_CHANGES: dict[str, Any] = {"withdraw": Withdraws, "correct": Corrects}


class PlatformContract:
    """For every platform."""

    name: str  # as channels.toml has it
    keeps_keys = False  # True where the network takes our token, and so takes a part once

    @property
    def can_look(self) -> bool:
        """Whether the network shows us what is on it, as its adapter says."""
        shows: bool = load(self.name).limits.shows
        return shows

    def test_what_it_is_can_be_known_without_an_account(self) -> None:
        adapter = load(self.name)
        assert adapter.limits.text > 0
        assert isinstance(adapter.offers, frozenset)
        assert isinstance(adapter.needs, tuple) and isinstance(adapter.asks, tuple)
        assert adapter.public in (True, False)

    def test_it_names_the_account_that_the_public_sees(self, platform: Platform) -> None:
        assert platform.account.startswith(self.name)

    def test_a_published_part_is_live_and_has_a_receipt(
        self, platform: Platform, network: Network
    ) -> None:
        receipt = platform.publish(part(), None)

        assert network.texts == [TEXT]
        assert receipt.id and receipt.url
        assert receipt.at and receipt.at.utcoffset() == timedelta(0)

    def test_a_published_part_can_be_found(self, platform: Platform, network: Network) -> None:
        receipt = platform.publish(part(), None)

        if self.can_look:
            found = platform.find(part(), LONG_AGO, frozenset())
            assert found and (receipt.id, receipt.url) == (found.id, found.url)
        else:
            # Without a look only what a person said of it can be told.
            try:
                said = platform.find(part(), LONG_AGO, frozenset())
            except CannotTell as error:
                assert TEXT in str(error)
            else:
                assert said and (receipt.id, receipt.url) == (said.id, said.url)

    def test_an_unpublished_part_is_not_found(self, platform: Platform, network: Network) -> None:
        if self.can_look:
            assert platform.find(part(), LONG_AGO, frozenset()) is None

    def test_the_same_words_of_another_delivery_are_not_ours(
        self, platform: Platform, network: Network
    ) -> None:
        other = platform.publish(part(token="b" * 32), None)

        if self.can_look:
            assert platform.find(part(), LONG_AGO, frozenset({other.id})) is None

    def test_the_same_words_from_before_are_not_ours(
        self, platform: Platform, network: Network
    ) -> None:
        platform.publish(part(token="b" * 32), None)

        if self.can_look:
            later = datetime.now(UTC) + timedelta(hours=1)
            assert platform.find(part(), later, frozenset()) is None

    def test_the_fence_stands_before_anything_is_live(
        self, platform: Platform, network: Network
    ) -> None:
        seen: list[tuple[bool, list[str]]] = []

        def fence(seconds: float) -> None:
            seen.append((seconds >= 0, list(network.texts)))

        platform.publish(part(pictures=[picture()], fence=fence), None)

        assert seen == [(True, [])]
        assert network.texts == [TEXT]

    def test_a_fence_that_says_no_leaves_nothing_live(
        self, platform: Platform, network: Network
    ) -> None:
        def fence(seconds: float) -> None:
            raise NotNow("our claim would not outlast this call", timedelta(seconds=7))

        with pytest.raises(NotNow, match="would not outlast") as error:
            platform.publish(part(fence=fence), None)

        assert timedelta(seconds=7) == error.value.wait
        assert network.texts == []

    def test_the_same_token_twice_is_one_copy_where_the_network_takes_keys(
        self, platform: Platform, network: Network
    ) -> None:
        if self.keeps_keys:
            first = platform.publish(part(), None)
            assert first == platform.publish(part(), None)
            assert network.copies(TEXT) == 1

    def test_a_text_at_the_limit_is_taken_and_one_more_is_over_it(
        self, platform: Platform, network: Network
    ) -> None:
        limits = platform.limits
        text = ("é" * limits.text)[: limits.text]
        assert limits.text == limits.length(text)
        assert limits.text < limits.length(text + "é")

        platform.publish(part(text), None)
        assert [text] == network.texts

    def test_pictures_arrive_with_their_descriptions(
        self, platform: Platform, network: Network
    ) -> None:
        two = [picture(1, "first"), picture(2, "second")]
        platform.publish(part(pictures=two), None)

        assert network.texts == [TEXT]
        assert (["first", "second"] if platform.limits.alt else []) == network.alts

    def test_a_thread_follows_its_own_parts(self, platform: Platform, network: Network) -> None:
        if platform.limits.parts > 1:
            words = ["One.", "Two.", "Three."][: platform.limits.parts]
            ids, after = [""], None
            for number, text in enumerate(words):
                after = platform.publish(part(text, token=f"{number}" * 32), after)
                ids.append(after.id)

            assert words == network.texts
            assert ids[:-1] == [post.after for post in network.posts]
            assert len(set(ids)) == len(words) + 1

    def test_what_is_taken_down_is_gone_and_gone_for_good(
        self, platform: Any, network: Any
    ) -> None:
        if isinstance(platform, _CHANGES["withdraw"]):
            platform.publish(part("Another.", token="b" * 32), None)
            receipt = platform.publish(part(pictures=[picture()]), None)
            platform.withdraw(receipt)
            assert network.texts == ["Another."]
            platform.withdraw(receipt)  # an answer was lost, or another process was faster
            assert network.texts == ["Another."]
            if self.can_look:
                assert platform.find(part(), LONG_AGO, frozenset()) is None

    def test_a_thread_is_taken_down_from_its_end(self, platform: Any, network: Any) -> None:
        if isinstance(platform, _CHANGES["withdraw"]) and platform.limits.parts > 1:
            platform.publish(part("Another.", token="b" * 32), None)
            first = platform.publish(part("One.", token="1" * 32), None)
            second = platform.publish(part("Two.", token="2" * 32), first)
            platform.withdraw(second)
            assert network.texts == ["Another.", "One."]
            platform.withdraw(first)
            platform.withdraw(first)
            assert network.texts == ["Another."]

    def test_what_is_corrected_has_the_new_text_and_its_pictures(
        self, platform: Any, network: Any
    ) -> None:
        if isinstance(platform, _CHANGES["correct"]):
            alone = platform.publish(part("Another.", token="b" * 32), None)
            receipt = platform.publish(part(pictures=[picture()]), None)
            alts = list(network.alts)
            for _ in range(2):  # an answer was lost: the same text again is no failure
                platform.correct(receipt, part("It is put right.", pictures=[picture()]))
                platform.correct(alone, part("So is this."))
            assert sorted(network.texts) == ["It is put right.", "So is this."]
            assert network.alts == alts

    def test_it_tells_only_figures_that_it_offers(
        self, platform: Platform, network: Network
    ) -> None:
        receipt = platform.publish(part(), None)
        for figures in platform.figures([receipt]).values():
            assert set(figures) <= platform.offers
        assert set(platform.audience()) <= platform.offers

    def test_a_check_is_one_line_and_publishes_nothing(
        self, platform: Platform, network: Network
    ) -> None:
        line = platform.check()
        assert platform.account in line and "\n" not in line
        assert network.texts == []


class NetworkContract(PlatformContract):
    """For a platform with a network that can fail."""

    def test_refused_means_not_live(self, platform: Platform, network: Network) -> None:
        network.next_fault = "refused"
        with pytest.raises(Refused):
            platform.publish(part(), None)
        assert network.texts == []

    def test_not_now_means_not_live_and_says_how_long(
        self, platform: Platform, network: Network
    ) -> None:
        network.next_fault = "not now"
        with pytest.raises(NotNow) as error:
            platform.publish(part(), None)
        assert timedelta(seconds=1) <= error.value.wait <= timedelta(days=1)
        assert network.texts == []

    @pytest.mark.parametrize("fault", ["lost before", "lost after"])
    def test_a_lost_answer_is_uncertain_and_looking_settles_it(
        self, platform: Platform, network: Network, fault: str
    ) -> None:
        network.next_fault = fault
        begun = datetime.now(UTC)
        with pytest.raises(Uncertain):
            platform.publish(part(), None)

        assert (1 if fault == "lost after" else 0) == network.copies(TEXT)
        if self.can_look:
            found = platform.find(part(), begun, frozenset())
            assert (fault == "lost after") == (found is not None)

    @pytest.mark.parametrize("kind", ["withdraw", "correct"])
    @pytest.mark.parametrize("fault", ["lost before", "lost after", "500 after"])
    def test_a_lost_answer_to_a_change_is_no_yes_and_doing_it_again_is(
        self, platform: Any, network: Any, kind: str, fault: str
    ) -> None:
        if isinstance(platform, _CHANGES[kind]):
            more = (part("It is put right."),) if kind == "correct" else ()
            platform.publish(part("Another.", token="b" * 32), None)
            receipt = platform.publish(part(), None)
            network.faults[kind] = fault
            with pytest.raises((Uncertain, NotNow)):
                getattr(platform, kind)(receipt, *more)
            getattr(platform, kind)(receipt, *more)
            left = {"withdraw": [], "correct": ["It is put right."]}[kind]
            assert network.texts == ["Another.", *left]

    @pytest.mark.parametrize("kind", ["withdraw", "correct"])
    def test_a_change_that_has_to_wait_says_so(
        self, platform: Any, network: Any, kind: str
    ) -> None:
        if isinstance(platform, _CHANGES[kind]):
            more = (part("It is put right."),) if kind == "correct" else ()
            receipt = platform.publish(part(), None)
            network.faults[kind] = "not now"
            with pytest.raises(NotNow):
                getattr(platform, kind)(receipt, *more)
            assert network.texts == [TEXT]


class ServerContract(NetworkContract):
    """For a platform whose network stands behind an address. `secrets` are the account's."""

    secrets: tuple[str, ...]

    @pytest.mark.parametrize("fault", ["500 before", "500 after", "garbage", "bad gateway"])
    def test_an_answer_that_says_nothing_clear_is_uncertain(
        self, platform: Platform, network: Network, fault: str
    ) -> None:
        network.next_fault = fault
        with pytest.raises(Uncertain):
            platform.publish(part(), None)

    def test_a_server_that_hangs_is_given_up_in_time_and_uncertain(
        self, platform: Platform, network: Network
    ) -> None:
        network.next_fault = "hang"
        begun = time.monotonic()
        with pytest.raises(Uncertain):
            platform.publish(part(), None)
        assert time.monotonic() - begun < 5
        assert network.copies(TEXT) == 1

    def test_an_answer_that_only_drips_is_given_up_in_time(
        self, platform: Platform, network: Network
    ) -> None:
        network.next_fault = "drip"
        begun = time.monotonic()
        with pytest.raises(Uncertain):
            platform.publish(part(), None)
        assert time.monotonic() - begun < 5

    def test_where_nobody_listens_nothing_is_live(self, nowhere: Platform) -> None:
        with pytest.raises(NotNow):
            nowhere.publish(part(), None)
        with pytest.raises(PlatformError):
            nowhere.check()

    def test_refused_credentials_are_refused_with_what_to_do(
        self, stranger: Platform, network: Network
    ) -> None:
        for call in (stranger.check, lambda: stranger.publish(part(), None)):
            with pytest.raises(Refused, match=r"new (one|token)|outreach connect"):
                call()
        assert network.texts == []

    @pytest.mark.parametrize(
        ("kind", "fault"),
        [(kind, fault) for kind in ("publish", "read") for fault in FAULTS]
        + [("refused token", ""), ("nobody listens", "")],
    )
    def test_no_error_and_no_log_line_tells_a_secret(
        self,
        platform: Platform,
        stranger: Platform,
        nowhere: Platform,
        network: Network,
        caplog: pytest.LogCaptureFixture,
        kind: str,
        fault: str,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        network.faults = {kind: fault}
        target = {"refused token": stranger, "nobody listens": nowhere}.get(kind, platform)
        call = target.check if kind == "read" else lambda: target.publish(part(), None)
        with pytest.raises(PlatformError) as error:
            call()

        told = "".join(traceback.format_exception(error.value)) + caplog.text
        cause: BaseException | None = error.value
        while cause:
            told += f"{cause} {cause!r}"
            cause = cause.__cause__ or cause.__context__
        assert not [secret for secret in self.secrets if secret in told]
