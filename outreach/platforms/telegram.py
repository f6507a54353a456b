"""Telegram channels, through the Bot API. https://core.telegram.org/bots/api

The Bot API shows a bot no history and no views, and takes no key against repeats: after a lost
answer only a person can look. A bot deletes what it has posted for 48 hours. The bot's token is
part of every address, so no text of the library's errors leaves this module unscrubbed.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence, Set
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from outreach.errors import CannotTell, NotNow, PlatformError, Refused, Uncertain
from outreach.platforms import Account, Ask, Budget, Figures, How, Limits, Receipt, bridge
from outreach.platforms.telegram_reactions import AT_ONCE, KINDS, ROUNDS, Heard, Reactions
from outreach.post import Part, Picture, unfenced

if TYPE_CHECKING:
    from telegram import Bot, Message, Update

T = TypeVar("T")

_fence: ContextVar[Callable[[float], None]] = ContextVar("_fence", default=unfenced)

# The token is in every address. httpx logs it at INFO and the library at DEBUG, and at ERROR the
# whole of an answer that is no JSON: a proxy's page often quotes the address.
for _name in ("httpx", "telegram.Bot"):
    logging.getLogger(_name).setLevel(logging.WARNING)
logging.getLogger("telegram.request.BaseRequest").setLevel(logging.CRITICAL)


def utf16_units(text: str) -> int:
    """Telegram counts UTF-16 code units: an emoji is two.

    Some have seen it count code points instead; this is safe under both.
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _wait(body: bytes) -> timedelta:
    """How long a 429 asks to wait, within a second and a day; a minute where it does not say."""
    try:
        seconds = float(json.loads(body)["parameters"]["retry_after"])
        return timedelta(seconds=min(max(seconds, 1.0), 86_400.0))
    except (ValueError, LookupError, TypeError, OverflowError):
        return timedelta(minutes=1)


_ELSEWHERE = (
    "reactions are not counted, for another program is told what happens to this bot: give the "
    "channel a bot of its own, or end that program's webhook (deleteWebhook) or reading"
)


def _heard(updates: "Sequence[Update]") -> Iterator[Heard]:
    """What updates tell of reactions. Stars that were paid are not people's reactions."""
    for one in updates:
        if told := one.message_reaction_count:
            count = sum(r.total_count for r in told.reactions if r.type.type != "paid")
            chat, at = told.chat, told.date.astimezone(UTC)
            yield Heard(chat.id, chat.username or "", told.message_id, count, at)


def _media(picture: Picture) -> Any:
    """One message of an album."""
    from telegram import InputMediaDocument, InputMediaPhoto

    if picture.kind == "document":
        small = picture.still.data if picture.still else None
        return InputMediaDocument(picture.data, filename=picture.name, thumbnail=small)
    return InputMediaPhoto(picture.data, filename=picture.name)


class Telegram:
    """One Telegram channel, by a bot that is its administrator.

    A video there has no captions beside it: they are in its picture, or linked.
    """

    limits: ClassVar = Limits(
        text=4096,
        length=utf16_units,
        unit="UTF-16 units",
        caption=1024,
        pictures=10,
        picture_longest=2560,
        picture_bytes=10_000_000,
        picture_sides=10_000,
        picture_ratio=20,
        documents=10,
        document_bytes=50_000_000,
        videos=1,
        video_bytes=50_000_000,  # https://core.telegram.org/bots/api#sendvideo
        alt=0,
        deadline=90.0,
        shows=False,
        # https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
        budgets=(
            Budget(30, timedelta(seconds=1), shared="token"),
            Budget(1, timedelta(seconds=1)),
            Budget(20, timedelta(minutes=1)),
        ),
        messages=lambda part: max(1, len(part.pictures)),  # an album is as many
    )
    offers: frozenset[str] = frozenset({"followers"})
    needs: ClassVar = ("token",)
    asks: ClassVar = ("chat", "link", "reactions")
    public: ClassVar = True
    how: ClassVar = How(
        steps=(
            "In Telegram write /newbot to @BotFather: it answers with the bot's token.",
            "In the channel, under Administrators, add the bot with the right to post messages.",
        ),
        asks=(Ask("token", "the bot's token"),),
    )

    timeout: ClassVar = 60.0  # seconds for a whole request; an album may be 100 MB
    connect: ClassVar = 10.0  # seconds

    def __init__(self, account: Account) -> None:
        self._account = account
        self._token = account.secrets.get("token", "")
        self._chat = account.options.get("chat", "").strip()
        self.account = f"telegram {self._chat or 'tbc'}"
        self._counts = account.options.get("reactions") == "count"
        if self._counts:
            self.offers = frozenset({"followers", "likes"})
        bot = f"telegram bot {self._token.partition(':')[0]}"  # its number, which is no secret
        self._reactions = Reactions(account.together(bot) if account.together else account.shelf)

    @staticmethod
    def mistakes(options: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
        """Option, what is wrong with it, and what to do."""
        if options.get("reactions", "count") != "count":
            what = f"reactions cannot be {options['reactions']!r}"
            yield "reactions", what, 'write reactions = "count", or take the line out'

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """A message; a photo, document or video with a caption; or an album whose first has it.

        Its receipt has the address of the first message, and the number of every one. `after` is
        not used: a channel has no threads.
        """

        async def send(bot: "Bot") -> "Sequence[Message]":
            if not part.pictures:
                return [await bot.send_message(self._chat, part.text)]
            if len(part.pictures) > 1:
                album = [_media(picture) for picture in part.pictures]
                return await bot.send_media_group(self._chat, album, caption=part.text)
            (one,) = part.pictures
            named: dict[str, Any] = {"caption": part.text, "filename": one.name}
            if one.kind == "document":
                small = one.still.data if one.still else None
                return [await bot.send_document(self._chat, one.data, thumbnail=small, **named)]
            if one.kind == "video":
                told = {"width": one.width, "height": one.height, "duration": round(one.seconds)}
                named |= {**told, "supports_streaming": True}
                return [await bot.send_video(self._chat, one.data, **named)]
            return [await bot.send_photo(self._chat, one.data, **named)]

        sent = self._ask(send, fence=part.fence)
        ids = " ".join(str(message.message_id) for message in sent)
        return Receipt(ids, self._url(sent[0]), sent[0].date)

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """Always CannotTell, with the words to look for."""
        words = next((line for line in part.text.splitlines() if line.strip()), "").strip()
        raise CannotTell(
            f"Telegram shows a bot no history: open {self._chat} and look for “{words[:120]}”, "
            f"posted after {since:%Y-%m-%d %H:%M} UTC"
        )

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """Reactions, as they were heard; the Bot API has no views."""
        if not self._counts:
            return {}
        now = self._account.now()
        heard = {one.id: self._reactions.of(self._chat, one, now) for one in receipts}
        return {id_: {"likes": count} for id_, count in heard.items() if count is not None}

    def listen(self) -> None:
        """Keep how many reactions posts have now, of all the bot's channels.

        https://core.telegram.org/bots/api#getupdates
        """
        for _ in range(ROUNDS if self._counts else 0):
            now = self._account.now()
            offset = self._reactions.following(now)
            updates = self._ask(
                lambda bot, offset=offset: bot.get_updates(  # type: ignore[misc] # a default's type
                    offset=offset, limit=AT_ONCE, timeout=0, allowed_updates=KINDS
                )
            )
            following = max((one.update_id for one in updates), default=-1) + 1 or None
            self._reactions.keep(_heard(updates), following, now)
            if not updates:  # the question that brought none has confirmed those before
                return

    def audience(self) -> Figures:
        """The channel's subscribers."""
        return {"followers": self._ask(lambda bot: bot.get_chat_member_count(self._chat))}

    def check(self) -> str:
        """Who the bot is, which channel it is for, and whether it may post there."""

        async def look(bot: "Bot") -> tuple[Any, Any, Any]:
            me = await bot.get_me()
            chat = await bot.get_chat(self._chat)
            return me, chat, await bot.get_chat_member(self._chat, me.id)

        me, chat, member = self._ask(look)
        if not getattr(member, "can_post_messages", False):
            raise Refused(
                f"@{me.username} may not post in {self._chat}: make it an administrator of the "
                "channel with the right to post messages"
            )
        line = f"{self.account}: “{chat.title}”, posted to by @{me.username}"
        if self._counts and self._ask(lambda bot: bot.get_webhook_info()).url:
            line += f"; {_ELSEWHERE}"
        return line

    def withdraw(self, receipt: Receipt) -> None:
        """Delete it, an album picture by picture; what is gone already is no failure.

        Refused once it is 48 hours old (https://core.telegram.org/bots/api#deletemessage).
        """

        async def delete(bot: "Bot") -> None:
            from telegram.error import BadRequest

            for number in receipt.id.split():
                try:
                    await bot.delete_message(self._chat, int(number))
                except BadRequest as error:
                    if "not found" not in str(error).lower():
                        raise

        try:
            self._ask(delete)
        except Refused as error:
            raise Refused(
                f"{error}; a bot deletes for 48 hours after posting: delete it in the Telegram app"
            ) from None

    def correct(self, receipt: Receipt, part: Part) -> None:
        """Replace the text, or the caption; the same text again is no failure."""

        async def edit(bot: "Bot") -> None:
            from telegram.error import BadRequest

            number = int(receipt.id.split()[0])
            try:
                if part.pictures:
                    await bot.edit_message_caption(self._chat, number, caption=part.text)
                else:
                    await bot.edit_message_text(part.text, self._chat, number)
            except BadRequest as error:
                if "not modified" not in str(error).lower():
                    raise

        self._ask(edit)

    def _url(self, message: "Message") -> str:
        name = self._account.options.get("link") or message.chat.username or ""
        if not name and self._chat.startswith("@"):
            name = self._chat
        # A channel without a public name: only its members can open this address.
        where = name.strip("@") or f"c/{self._chat.removeprefix('-100')}"
        return f"https://t.me/{where}/{message.message_id}"

    @cached_property
    def _bot(self) -> "Bot":
        from telegram import Bot
        from telegram.request import HTTPXRequest
        from telegram.request import RequestData as Data

        limit, connect, here = self.timeout, self.connect, bool(self._account.base)

        class Fenced(HTTPXRequest):
            async def do_request(
                self, url: str, method: str, request_data: Data | None = None, *a: Any, **k: Any
            ) -> tuple[int, bytes]:
                if url.rpartition("/")[2].startswith("send"):
                    # In a thread, as it asks a database; the loop serves other channels too.
                    await asyncio.to_thread(_fence.get(), limit)
                async with asyncio.timeout(limit):
                    status, body = await super().do_request(url, method, request_data, *a, **k)
                if status == 429:  # the library fails on waits that are absurd
                    raise NotNow("Telegram asks to wait", _wait(body), everything=True)
                return status, body

        def request() -> HTTPXRequest:
            from httpx import Limits as Kept

            return Fenced(
                connection_pool_size=8,
                connect_timeout=connect,
                read_timeout=limit,
                write_timeout=limit,
                media_write_timeout=limit,
                # A kept connection that Telegram closed meanwhile would be a false doubt.
                httpx_kwargs={
                    "limits": Kept(max_keepalive_connections=0),
                    "trust_env": not here,
                },
            )

        base = self._account.base.rstrip("/") or "https://api.telegram.org"
        return Bot(
            self._token,
            base_url=f"{base}/bot",
            request=request(),
            get_updates_request=request(),
        )

    def _ask(
        self, question: "Callable[[Bot], Awaitable[T]]", fence: Callable[[float], None] = unfenced
    ) -> T:
        """Ask the Bot API one thing, and say what its failure means for a post."""
        if self._chat in ("", "tbc"):
            raise Refused(
                f'no chat is named for {self._account.channel}: write chat = "@channel" or its '
                "number (-100…) in channels.toml"
            )
        if not self._token:
            raise Refused(f"{self._account.channel} has no token: @BotFather gives one")

        async def ask() -> T:
            _fence.set(fence)
            return await question(self._bot)

        try:
            return bridge.run(ask(), timeout=self.limits.deadline)
        except Exception as error:
            failure = self._meaning(error)
        # Raised outside the handler: as a context, the original could tell the token.
        raise failure

    def _scrubbed(self, text: str) -> str:
        """The text without the token, nor its secret half: an address may hold it escaped."""
        secret = self._token.rpartition(":")[2] or self._token
        return text.replace(self._token, "…").replace(secret, "…")

    def _meaning(self, error: Exception) -> PlatformError:
        """What a failure means for the post. BadRequest is a NetworkError, so it comes first."""
        import httpx
        from telegram import error as e

        cause = error.__cause__
        if isinstance(cause, PlatformError):  # the fence's, wrapped by the library
            return cause
        said = self._scrubbed(str(error)) or type(error).__name__
        never_left = {
            httpx.ConnectError: "no connection could be made",
            httpx.ConnectTimeout: "no connection could be made in time",
            httpx.PoolTimeout: "too many connections are open here",
            httpx.ProxyError: "the proxy between does not let us through",
            httpx.UnsupportedProtocol: "its address is no web address",
        }
        for kind, words in never_left.items():
            if isinstance(cause, kind):
                return NotNow(f"Telegram cannot be reached: {words}")
        match error:
            case e.InvalidToken():
                return Refused(
                    f"Telegram does not know this token ({said}): ask @BotFather for a new one"
                )
            case e.ChatMigrated():
                return Refused(f"the chat is now {error.new_chat_id}: write that in channels.toml")
            case e.Conflict():
                return Refused(_ELSEWHERE)
            case e.Forbidden():
                return Refused(f"the bot may not post in {self._chat} ({said}): make it an admin")
            case e.BadRequest():
                return Refused(f"Telegram refuses it: {said}")
        return Uncertain(f"no clear answer from Telegram: {said}")
