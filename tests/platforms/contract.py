"""What every platform owes us, whatever its network does.

Supply the fixtures `platform` and `network`: the latter tells what the public sees (`texts`,
`copies`, `alts`) and, from NetworkContract on, can be made to fail (`next_fault`). A network
behind an address subclasses ServerContract and supplies `make(base)` too.
"""

import logging
import time
import traceback
from datetime import UTC, datetime, timedelta

import pytest

from outreach.errors import CannotTell, NotNow, PlatformError, Refused, Uncertain
from outreach.platforms import Corrects, Withdraws, load
from outreach.post import Part, Picture

from .servers import FAULTS

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TEXT = "Clean air is a shared responsibility."
ALT = "A bar chart: three cities cut emissions by a third."


def part(text=TEXT, *, token="a" * 32, pictures=(), **more):
    return Part(text=text, token=token, pictures=tuple(pictures), **more)


def picture(number=1, alt=ALT):
    data = b"\x89PNG\r\n\x1a\n\r\n--\r\n" + bytes([number]) * 50
    name = f"media/card-{number}.png"
    return Picture(name, f"{number:064x}", "image/png", 800, 600, len(data), alt, data=data)


class PlatformContract:
    """For every platform."""

    name: str  # as PLATFORMS has it
    keeps_keys = False  # True where the network takes our token, and so takes a part once

    @property
    def can_look(self):
        return load(self.name).limits.shows

    def test_what_it_is_can_be_known_without_an_account(self):
        adapter = load(self.name)
        assert adapter.limits.text > 0
        assert isinstance(adapter.offers, frozenset)
        assert isinstance(adapter.needs, tuple) and isinstance(adapter.asks, tuple)
        assert adapter.public in (True, False)

    def test_it_names_the_account_that_the_public_sees(self, platform):
        assert platform.account.startswith(self.name)

    def test_a_published_part_is_live_and_has_a_receipt(self, platform, network):
        receipt = platform.publish(part(), None)

        assert network.texts == [TEXT]
        assert receipt.id and receipt.url
        assert receipt.at.utcoffset() == timedelta(0)

    def test_a_published_part_can_be_found(self, platform, network):
        receipt = platform.publish(part(), None)

        if self.can_look:
            found = platform.find(part(), LONG_AGO, frozenset())
            assert (receipt.id, receipt.url) == (found.id, found.url)
        else:
            with pytest.raises(CannotTell, match=TEXT):
                platform.find(part(), LONG_AGO, frozenset())

    def test_an_unpublished_part_is_not_found(self, platform, network):
        if self.can_look:
            assert platform.find(part(), LONG_AGO, frozenset()) is None

    def test_the_same_words_of_another_delivery_are_not_ours(self, platform, network):
        other = platform.publish(part(token="b" * 32), None)

        if self.can_look:
            assert platform.find(part(), LONG_AGO, frozenset({other.id})) is None

    def test_the_same_words_from_before_are_not_ours(self, platform, network):
        platform.publish(part(token="b" * 32), None)

        if self.can_look:
            later = datetime.now(UTC) + timedelta(hours=1)
            assert platform.find(part(), later, frozenset()) is None

    def test_the_fence_stands_before_anything_is_live(self, platform, network):
        seen = []

        def fence(seconds):
            seen.append((seconds >= 0, list(network.texts)))

        platform.publish(part(pictures=[picture()], fence=fence), None)

        assert seen == [(True, [])]
        assert network.texts == [TEXT]

    def test_a_fence_that_says_no_leaves_nothing_live(self, platform, network):
        def fence(seconds):
            raise NotNow("our claim would not outlast this call", timedelta(seconds=7))

        with pytest.raises(NotNow, match="would not outlast") as error:
            platform.publish(part(fence=fence), None)

        assert timedelta(seconds=7) == error.value.wait
        assert network.texts == []

    def test_the_same_token_twice_is_one_copy_where_the_network_takes_keys(self, platform, network):
        if self.keeps_keys:
            first = platform.publish(part(), None)
            assert first == platform.publish(part(), None)
            assert network.copies(TEXT) == 1

    def test_a_text_at_the_limit_is_taken_and_one_more_is_over_it(self, platform, network):
        limits = platform.limits
        text = ("é" * limits.text)[: limits.text]
        assert limits.text == limits.length(text)
        assert limits.text < limits.length(text + "é")

        platform.publish(part(text), None)
        assert [text] == network.texts

    def test_pictures_arrive_with_their_descriptions(self, platform, network):
        two = [picture(1, "first"), picture(2, "second")]
        platform.publish(part(pictures=two), None)

        assert network.texts == [TEXT]
        assert (["first", "second"] if platform.limits.alt else []) == network.alts

    def test_a_thread_follows_its_own_parts(self, platform, network):
        if platform.limits.parts > 1:
            words = ["One.", "Two.", "Three."][: platform.limits.parts]
            ids, after = [""], None
            for number, text in enumerate(words):
                after = platform.publish(part(text, token=f"{number}" * 32), after)
                ids.append(after.id)

            assert words == network.texts
            assert ids[:-1] == [post.after for post in network.posts]
            assert len(set(ids)) == len(words) + 1

    def test_what_is_taken_down_is_gone_and_gone_for_good(self, platform, network):
        if isinstance(platform, Withdraws):
            platform.publish(part("Another.", token="b" * 32), None)
            receipt = platform.publish(part(pictures=[picture()]), None)
            platform.withdraw(receipt)
            assert network.texts == ["Another."]
            platform.withdraw(receipt)  # an answer was lost, or another process was faster
            assert network.texts == ["Another."]
            if self.can_look:
                assert platform.find(part(), LONG_AGO, frozenset()) is None

    def test_a_thread_is_taken_down_from_its_end(self, platform, network):
        if isinstance(platform, Withdraws) and platform.limits.parts > 1:
            platform.publish(part("Another.", token="b" * 32), None)
            first = platform.publish(part("One.", token="1" * 32), None)
            second = platform.publish(part("Two.", token="2" * 32), first)
            platform.withdraw(second)
            assert network.texts == ["Another.", "One."]
            platform.withdraw(first)
            platform.withdraw(first)
            assert network.texts == ["Another."]

    def test_what_is_corrected_has_the_new_text_and_its_pictures(self, platform, network):
        if isinstance(platform, Corrects):
            alone = platform.publish(part("Another.", token="b" * 32), None)
            receipt = platform.publish(part(pictures=[picture()]), None)
            alts = list(network.alts)
            for _ in range(2):  # an answer was lost: the same text again is no failure
                platform.correct(receipt, part("It is put right.", pictures=[picture()]))
                platform.correct(alone, part("So is this."))
            assert sorted(network.texts) == ["It is put right.", "So is this."]
            assert network.alts == alts

    def test_it_tells_only_figures_that_it_offers(self, platform, network):
        receipt = platform.publish(part(), None)
        for figures in platform.figures([receipt]).values():
            assert set(figures) <= platform.offers
        assert set(platform.audience()) <= platform.offers

    def test_a_check_is_one_line_and_publishes_nothing(self, platform, network):
        line = platform.check()
        assert platform.account in line and "\n" not in line
        assert network.texts == []


class NetworkContract(PlatformContract):
    """For a platform with a network that can fail."""

    def test_refused_means_not_live(self, platform, network):
        network.next_fault = "refused"
        with pytest.raises(Refused):
            platform.publish(part(), None)
        assert network.texts == []

    def test_not_now_means_not_live_and_says_how_long(self, platform, network):
        network.next_fault = "not now"
        with pytest.raises(NotNow) as error:
            platform.publish(part(), None)
        assert timedelta(seconds=1) <= error.value.wait <= timedelta(days=1)
        assert network.texts == []

    @pytest.mark.parametrize("fault", ["lost before", "lost after"])
    def test_a_lost_answer_is_uncertain_and_looking_settles_it(self, platform, network, fault):
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
        self, platform, network, kind, fault
    ):
        if isinstance(platform, {"withdraw": Withdraws, "correct": Corrects}[kind]):
            more = {"withdraw": (), "correct": (part("It is put right."),)}[kind]
            platform.publish(part("Another.", token="b" * 32), None)
            receipt = platform.publish(part(), None)
            network.faults[kind] = fault
            with pytest.raises((Uncertain, NotNow)):
                getattr(platform, kind)(receipt, *more)
            getattr(platform, kind)(receipt, *more)
            left = {"withdraw": [], "correct": ["It is put right."]}[kind]
            assert network.texts == ["Another.", *left]

    @pytest.mark.parametrize("kind", ["withdraw", "correct"])
    def test_a_change_that_has_to_wait_says_so(self, platform, network, kind):
        if isinstance(platform, {"withdraw": Withdraws, "correct": Corrects}[kind]):
            more = {"withdraw": (), "correct": (part("It is put right."),)}[kind]
            receipt = platform.publish(part(), None)
            network.faults[kind] = "not now"
            with pytest.raises(NotNow):
                getattr(platform, kind)(receipt, *more)
            assert network.texts == [TEXT]


class ServerContract(NetworkContract):
    """For a platform whose network stands behind an address. `secrets` are the account's."""

    secrets: tuple[str, ...]

    @pytest.mark.parametrize("fault", ["500 before", "500 after", "garbage", "bad gateway"])
    def test_an_answer_that_says_nothing_clear_is_uncertain(self, platform, network, fault):
        network.next_fault = fault
        with pytest.raises(Uncertain):
            platform.publish(part(), None)

    def test_a_server_that_hangs_is_given_up_in_time_and_uncertain(self, platform, network):
        network.next_fault = "hang"
        begun = time.monotonic()
        with pytest.raises(Uncertain):
            platform.publish(part(), None)
        assert time.monotonic() - begun < 5
        assert network.copies(TEXT) == 1

    def test_an_answer_that_only_drips_is_given_up_in_time(self, platform, network):
        network.next_fault = "drip"
        begun = time.monotonic()
        with pytest.raises(Uncertain):
            platform.publish(part(), None)
        assert time.monotonic() - begun < 5

    def test_where_nobody_listens_nothing_is_live(self, nowhere):
        with pytest.raises(NotNow):
            nowhere.publish(part(), None)
        with pytest.raises(PlatformError):
            nowhere.check()

    def test_refused_credentials_are_refused_with_what_to_do(self, stranger, network):
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
        self, platform, stranger, nowhere, network, caplog, kind, fault
    ):
        caplog.set_level(logging.DEBUG)
        network.faults = {kind: fault}
        target = {"refused token": stranger, "nobody listens": nowhere}.get(kind, platform)
        call = target.check if kind == "read" else lambda: target.publish(part(), None)
        with pytest.raises(PlatformError) as error:
            call()

        told = "".join(traceback.format_exception(error.value)) + caplog.text
        cause = error.value
        while cause:
            told += f"{cause} {cause!r}"
            cause = cause.__cause__ or cause.__context__
        assert not [secret for secret in self.secrets if secret in told]
