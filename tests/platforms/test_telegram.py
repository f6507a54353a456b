import asyncio
import re
from datetime import timedelta

import pytest

from outreach.errors import CannotTell, NotNow, Refused
from outreach.platforms.telegram import Telegram, utf16_units
from outreach.testing import LONG_AGO, TEXT, ServerContract, part, picture

from .servers import TelegramNetwork, bot_api

SCHEMA = "OUTREACH_TELEGRAM_SCHEMA"


class Quick(Telegram):
    timeout = 0.8
    connect = 0.5


@pytest.fixture
def network():
    return TelegramNetwork()


@pytest.fixture
def make(account, base):
    def telegram(chat="@neaspec", token=TelegramNetwork.TOKEN, base=base, **options):
        options = {"chat": chat, **options}
        return Quick(account("telegram", options, {"token": token}, base=base))

    return telegram


class TestTelegram(ServerContract):
    name = "telegram"
    secrets = (TelegramNetwork.TOKEN, "AAE-secret", "wrong-secret")

    @pytest.fixture
    def stranger(self, make):
        return make(token="999:wrong-secret")

    def test_the_receipt_is_the_public_address(self, platform):
        assert platform.publish(part(), None).url == "https://t.me/neaspec/1"

    def test_a_numbered_channel_is_linked_by_the_name_given(self, make, network):
        network.username = None
        assert (
            make("-1001234567890", link="@un_list").publish(part("a"), None).url
        ) == "https://t.me/un_list/1"
        assert make("-1001234567890").publish(part("b"), None).url == "https://t.me/c/1234567890/2"

    def test_nothing_in_the_text_is_taken_for_markup(self, platform, network):
        text = "*5 < 6* & <b>not bold</b> _x_ https://neaspec.org/?a=1&b=2"
        platform.publish(part(text), None)
        assert [text] == network.texts
        assert {"chat_id": "@neaspec", "text": text} == network.bodies[-1][1]

    @pytest.mark.parametrize("number", [1, 2, 10])
    def test_a_picture_is_a_photo_and_several_are_an_album(self, platform, network, number):
        pictures = [picture(n) for n in range(number)]
        platform.publish(part(pictures=pictures), None)

        assert network.texts == [TEXT]
        assert [p.data for p in pictures] == network.pictures

    def test_an_album_is_taken_down_picture_by_picture(self, platform, network):
        receipt = platform.publish(part(pictures=[picture(n) for n in range(3)]), None)
        platform.publish(part("Another."), None)
        platform.withdraw(receipt)
        deleted = [body["message_id"] for name, body in network.bodies if name == "deleteMessage"]
        assert (deleted, network.texts) == (["1", "2", "3"], ["Another."])

    def test_after_48_hours_a_person_has_to_delete_it(self, platform, network):
        receipt = platform.publish(part(), None)
        network.posts[0].at -= timedelta(hours=48, minutes=1)
        with pytest.raises(Refused, match="for 48 hours after posting"):
            platform.withdraw(receipt)
        assert network.texts == [TEXT]

    def test_a_caption_holds_1024_and_no_more(self, platform, network):
        one = [picture()]
        assert platform.limits.room(part(pictures=one)) == 1024
        platform.publish(part("é" * 1024, pictures=one), None)
        with pytest.raises(Refused, match="caption is too long"):
            platform.publish(part("é" * 1025, pictures=one), None)

    def test_a_text_over_the_limit_is_refused(self, platform, network):
        with pytest.raises(Refused, match="too long"):
            platform.publish(part("é" * 4097), None)

    @pytest.mark.parametrize(
        ("text", "count"), [("a", 1), ("é", 1), ("地", 1), ("😀", 2), ("🇲🇳", 4)]
    )
    def test_telegram_counts_utf16_units(self, text, count):
        assert count == utf16_units(text)

    def test_the_wait_is_the_networks_own(self, platform, network):
        network.next_fault = "not now"
        with pytest.raises(NotNow) as error:
            platform.publish(part(), None)
        assert timedelta(seconds=5) == error.value.wait
        assert error.value.everything

    @pytest.mark.parametrize(
        ("told", "seconds"),
        [(0, 1), (-7, 1), (3_000_000, 86_400), (10**15, 86_400), ("soon", 60), (None, 60)],
    )
    def test_an_absurd_wait_is_bounded(self, platform, network, told, seconds):
        network.next_fault, network.retry_after = "not now", told
        with pytest.raises(NotNow) as error:
            platform.publish(part(), None)
        assert timedelta(seconds=seconds) == error.value.wait
        assert network.texts == []

    def test_looking_needs_a_person_who_is_told_the_words(self, platform):
        with pytest.raises(CannotTell, match=r"open @neaspec and look for “Registration is open”"):
            platform.find(part("\nRegistration is open\n\nJoin us."), LONG_AGO, frozenset())

    def test_the_followers_are_the_members(self, platform):
        assert platform.audience() == {"followers": 1234}
        assert platform.figures([platform.publish(part(), None)]) == {}

    def test_a_check_names_the_bot_and_the_channel(self, platform):
        assert platform.check() == "telegram @neaspec: “NEASPEC”, posted to by @neaspec_bot"

    def test_a_check_says_that_the_bot_is_no_administrator(self, platform, network):
        network.admin = False
        with pytest.raises(Refused, match="make it an administrator"):
            platform.check()
        with pytest.raises(Refused, match="admin"):
            platform.publish(part(), None)

    @pytest.mark.parametrize("chat", ["", "tbc"])
    def test_a_channel_that_is_not_named_yet_is_refused_before_anything_is_asked(
        self, make, network, chat
    ):
        with pytest.raises(Refused, match=r"no chat is named .* in channels\.toml"):
            make(chat).check()
        with pytest.raises(Refused, match=r"channels\.toml"):
            make(chat).publish(part(), None)
        assert network.requests == []

    def test_an_unknown_chat_is_refused(self, make):
        with pytest.raises(Refused, match="Chat not found"):
            make("@elsewhere").check()

    def test_without_a_token_nothing_is_asked(self, make, network):
        with pytest.raises(Refused, match="no token"):
            make(token="").check()
        assert network.requests == []

    def test_it_can_be_called_again_and_from_an_async_handlers_thread(self, platform, network):
        async def handler():
            return await asyncio.to_thread(platform.publish, part(), None)

        assert [asyncio.run(handler()).id, platform.publish(part(), None).id] == ["1", "2"]


@pytest.fixture
def schema():
    if (wrong := bot_api()) is None:
        pytest.skip(f"{SCHEMA} names no schema.json: requests are not proven against the Bot API")
    return wrong


@pytest.mark.counterpart
def test_every_request_is_one_that_the_bot_api_describes(make, network, schema):
    telegram = make()
    telegram.check()
    telegram.audience()
    telegram.publish(part("é" * 4096), None)
    photo = telegram.publish(part("é" * 1024, pictures=[picture()]), None)
    telegram.correct(photo, part(pictures=[picture()]))
    telegram.correct(telegram.publish(part("One."), None), part("Two."))
    telegram.withdraw(telegram.publish(part(pictures=[picture(1), picture(2)]), None))

    asked = {method for method, _ in network.bodies}
    assert set(TelegramNetwork.METHODS) == asked
    for method, params in network.bodies:
        files = set(re.findall(r"attach://(\w+)", str(params)))
        sent = {k: v for k, v in params.items() if k not in files}
        assert schema(method, sent) == [], (method, sent)
