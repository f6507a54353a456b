import asyncio
import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from outreach.errors import CannotTell, NotNow, Refused, Uncertain
from outreach.platforms import Receipt
from outreach.platforms.telegram import Telegram, utf16_units
from outreach.store.tables import Snapshot
from outreach.testing import (
    LONG_AGO,
    TEXT,
    DictShelf,
    ServerContract,
    account_of,
    part,
    picture,
    video,
)
from tests.drafts import AT, KEY, draft, put_cleared, run_to

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

    def test_a_document_has_a_caption_and_the_picture_that_stands_for_it(self, platform, network):
        paper = replace(picture(1), file="concept-note.pdf", type="application/pdf")
        receipt = platform.publish(part(pictures=[replace(paper, still=picture(2))]), None)
        assert (network.texts, network.pictures) == ([TEXT], [paper.data])
        assert network.stills == [picture(2).data]
        platform.correct(receipt, part("Its second edition.", pictures=[paper]))
        assert network.texts == ["Its second edition."]
        platform.withdraw(receipt)
        assert network.texts == []

    def test_a_video_has_its_sides_its_length_and_a_caption(self, platform, network):
        receipt = platform.publish(part(pictures=[video(heard="burnt-in")]), None)
        assert (network.texts, network.pictures) == ([TEXT], [video().data])
        name, sent = network.bodies[-1]
        assert name == "sendVideo"
        assert [sent[one] for one in ("width", "height", "duration")] == ["160", "90", "3"]
        assert sent["supports_streaming"] == "true"
        platform.correct(receipt, part("Its second cut.", pictures=[video(heard="burnt-in")]))
        assert network.texts == ["Its second cut."]
        platform.withdraw(receipt)
        assert network.texts == []

    def test_a_video_whose_answer_is_lost_is_uncertain(self, platform, network):
        network.next_fault = "lost after"
        with pytest.raises(Uncertain):
            platform.publish(part(pictures=[video(heard="no-speech")]), None)
        assert network.copies(TEXT) == 1

    def test_several_documents_are_an_album(self, platform, network):
        papers = [replace(picture(n), file=f"{n}.pdf", type="application/pdf") for n in (1, 2)]
        receipt = platform.publish(part(pictures=papers), None)
        assert (receipt.id, network.pictures) == ("1 2", [p.data for p in papers])
        assert "document" in str(network.bodies[-1][1]["media"])

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


class TestReactions:
    """What Telegram tells once, and nobody can ask for later."""

    @pytest.fixture
    def clock(self):
        return Clock()

    @pytest.fixture
    def shelves(self):
        return defaultdict(DyingShelf)

    @pytest.fixture
    def make(self, base, clock, shelves):
        def telegram(chat="@neaspec", **options):
            given = account_of(
                "telegram",
                {"chat": chat, "reactions": "count", **options},
                {"token": TelegramNetwork.TOKEN},
                base=base,
                now=clock,
            )
            return Quick(replace(given, together=shelves.__getitem__))

        return telegram

    def likes(self, platform, *receipts):
        return {id_: one["likes"] for id_, one in platform.figures(receipts).items()}

    def test_the_last_count_holds_and_paid_stars_are_none(self, platform, network, clock):
        platform.listen()
        receipt = platform.publish(part(), None)
        network.react(1, clock.at, heart=3, fire=1)
        network.react(1, clock.at, heart=4, fire=2, paid=50)
        platform.listen()
        assert self.likes(platform, receipt) == {"1": 6}
        platform.listen()
        assert (self.likes(platform, receipt), network.updates) == ({"1": 6}, [])

    def test_an_albums_messages_are_counted_together(self, platform, network, clock):
        platform.listen()
        receipt = platform.publish(part(pictures=[picture(1), picture(2)]), None)
        network.react(1, clock.at, heart=3)
        network.react(2, clock.at, heart=1)
        platform.listen()
        assert self.likes(platform, receipt) == {"1 2": 4}

    def test_nothing_is_lost_where_the_process_dies_before_it_was_kept(
        self, make, network, clock, shelves
    ):
        first = make()
        first.listen()
        receipt = first.publish(part(), None)
        network.react(1, clock.at, heart=7)
        for count in range(1, 250):  # more than one question brings
            network.react(2, clock.at, heart=count)
        shelves["telegram bot 123456"].dies_in = 3
        with pytest.raises(KeyboardInterrupt):
            first.listen()

        second = make()
        second.listen()
        assert self.likes(second, receipt, Receipt("2", "", clock.at)) == {"1": 7, "2": 249}

    def test_channels_of_one_bot_hear_for_each_other(self, make, network, clock):
        named, numbered = make(), make("-1001234567890")
        numbered.listen()
        receipt = named.publish(part(), None)
        network.react(1, clock.at, heart=2)
        numbered.listen()
        assert self.likes(named, receipt) == self.likes(numbered, receipt) == {"1": 2}

    def test_a_post_of_which_nothing_was_told_has_none_only_if_somebody_listened(
        self, platform, clock
    ):
        early = replace(platform.publish(part(), None), at=clock.at - timedelta(hours=1))
        platform.listen()
        late = replace(early, id="9", at=clock.at)
        assert self.likes(platform, early, late) == {"9": 0}

        clock.at += timedelta(hours=25)  # Telegram has thrown away what happened meanwhile
        assert self.likes(platform, late) == {}
        platform.listen()
        assert self.likes(platform, late) == {}

    def test_after_a_quiet_week_numbers_begin_anywhere(self, platform, network, clock):
        network.react(1, clock.at, heart=1)
        platform.listen()
        clock.at += timedelta(days=8)
        network.last_update = 20
        network.react(1, clock.at, heart=2)
        platform.listen()
        receipt = Receipt("1", "", clock.at)
        assert self.likes(platform, receipt) == {"1": 2}

    def test_a_webhook_of_another_program_is_told_in_words(self, platform, network):
        network.webhook = "https://elsewhere.example.org/hook"
        with pytest.raises(Refused, match="another program is told .* a bot of its own"):
            platform.listen()
        assert "reactions are not counted, for another program" in platform.check()
        platform.publish(part(), None)  # which is no reason not to post

    def test_who_does_not_ask_for_them_takes_no_updates_from_anybody(self, make, network):
        quiet = make(reactions="")
        quiet.listen()
        assert quiet.figures([quiet.publish(part(), None)]) == {}
        assert "likes" not in quiet.offers
        assert "getUpdates" not in [name for name, _ in network.bodies]

    def test_on_a_desk_they_are_snapshots(self, office, network, base):
        office.write(
            "config/channels.toml",
            f'[net]\nplatform = "telegram"\nchat = "@neaspec"\nreactions = "count"\n'
            f'base = "{base}"\n',
        )
        office.write(".env", f"OUTREACH_NET_TOKEN={TelegramNetwork.TOKEN}\n")
        desk = office.open()
        desk.tick()
        desk.figures.collect()
        put_cleared(desk, draft("news", "We meet.", account=desk.platforms["net"].account))
        run_to(office, desk, AT)
        network.posts[0].at = AT
        network.react(1, AT, heart=5)
        office.clock.forward(minutes=61)
        desk.figures.collect()
        with desk.store.reading() as session:
            rows = session.scalars(select(Snapshot).where(Snapshot.subject == KEY))
            assert [(row.metric, row.value, row.rung) for row in rows] == [("likes", 5, "1 h")]


class Clock:
    def __init__(self):
        self.at = datetime.now(UTC).replace(microsecond=0)

    def __call__(self):
        return self.at


class DyingShelf(DictShelf):
    """The process dies at a writing, where `dies_in` says which."""

    dies_in = 0

    def put(self, token, value):
        self.dies_in -= 1
        if not self.dies_in:
            raise KeyboardInterrupt
        return super().put(token, value)


@pytest.fixture
def schema():
    if (wrong := bot_api()) is None:
        pytest.skip(f"{SCHEMA} names no schema.json: requests are not proven against the Bot API")
    return wrong


@pytest.mark.counterpart
def test_every_request_is_one_that_the_bot_api_describes(make, network, schema):
    telegram = make(reactions="count")
    telegram.check()
    telegram.listen()
    telegram.audience()
    telegram.publish(part("é" * 4096), None)
    photo = telegram.publish(part("é" * 1024, pictures=[picture()]), None)
    telegram.correct(photo, part(pictures=[picture()]))
    telegram.correct(telegram.publish(part("One."), None), part("Two."))
    telegram.withdraw(telegram.publish(part(pictures=[picture(1), picture(2)]), None))
    papers = [replace(picture(n), file=f"{n}.pdf", type="application/pdf") for n in (1, 2)]
    telegram.publish(part(pictures=[replace(papers[0], still=picture(3))]), None)
    telegram.publish(part(pictures=papers), None)
    telegram.publish(part(pictures=[video(heard="burnt-in")]), None)

    asked = {method for method, _ in network.bodies}
    assert set(TelegramNetwork.METHODS) == asked
    for method, params in network.bodies:
        files = set(re.findall(r"attach://(\w+)", str(params)))
        sent = {k: v for k, v in params.items() if k not in files}
        assert schema(method, sent) == [], (method, sent)
