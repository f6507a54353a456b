"""Bluesky accounts, over the AT Protocol. https://docs.bsky.app

We choose the key of a post's record ourselves, from the part's token. A server takes one record
under a key, and after a lost answer is asked for that key: nothing is compared. The server's
passes are in every request, so no text of the library's errors leaves this module unscrubbed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence, Set
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeVar

from outreach.errors import NotNow, PlatformError, Refused, Uncertain
from outreach.platforms import Account, Ask, Figures, How, Limits, Receipt, bridge
from outreach.platforms.bluesky_record import (
    OLD,
    POST,
    Card,
    answer_of,
    json_of,
    key_of,
    record_key,
    record_of,
    there,
)
from outreach.platforms.bluesky_text import counted
from outreach.platforms.failures import bounded, looking
from outreach.post import Part, unfenced

T = TypeVar("T")

METRICS = {
    "likeCount": "likes",
    "repostCount": "shares",
    "replyCount": "replies",
    "quoteCount": "quotes",
    "bookmarkCount": "bookmarks",
}
AT_ONCE = 25  # posts of one reading of figures; more are refused
REFUSING = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})


@dataclass
class _Asking:
    """One question: its fence, and whether what makes a post public has left."""

    fence: Callable[[float], None] = unfenced
    left: bool = False


_asking: ContextVar[_Asking] = ContextVar("_asking")


class Bluesky:
    """One Bluesky account, by an app password."""

    limits: Limits = Limits(
        text=300,
        length=counted,
        parts=25,
        pictures=4,
        picture_longest=2000,
        picture_bytes=2_000_000,
        picture_types=frozenset({"image/jpeg", "image/png", "image/webp"}),
        # A server keeps 300 MB; the network's video service takes less, and three minutes.
        videos=1,
        video_bytes=100_000_000,
        video_seconds=(0, 180),
        captions_type="text/vtt",
        captions_bytes=20_000,
        alt=2000,
        deadline=120.0,
        visible=timedelta(minutes=5),
        repeats=True,  # the record's key is ours, and there is one record of a key
    )
    offers: ClassVar = frozenset({*METRICS.values(), "followers"})
    needs: ClassVar = ("app_password",)
    asks: ClassVar = ("handle", "server", "card", "card-shows")
    public: ClassVar = True
    how: ClassVar = How(
        steps=(
            "In Bluesky, signed in as the account that will post: Settings, Privacy and security, "
            "App passwords. Add one; it need not read direct messages. It is shown once.",
        ),
        asks=(Ask("app_password", "the app password"),),
    )

    timeout: ClassVar = 30.0  # seconds for a whole request
    uploading: ClassVar = 75.0  # the same for one that uploads: a video may have 50 MB
    connect: ClassVar = 5.0  # seconds

    def __init__(self, account: Account) -> None:
        self._account = account
        self._password = account.secrets.get("app_password", "")
        self._handle = account.options.get("handle", "").strip().lstrip("@")
        server = account.options.get("server", "").strip().rstrip("/") or "https://bsky.social"
        self._server = server if "://" in server else f"https://{server}"
        self._card = account.options.get("card", "").strip()
        self._signed: Any = None  # the client
        self._session: Any = None  # what the server gave it: who it is, and passes
        self._signing = asyncio.Lock()
        self.account = f"bluesky @{self._handle or 'tbc'}"
        self._shows = bool(self._card) and account.options.get("card-shows") == "picture"
        if self._card:  # the public sees it, so it belongs to what is cleared
            self.account += f", addresses on a card “{self._card}”"
        if self._shows:
            self.account += " with the picture"
            self.limits = replace(self.limits, picture_bytes=1_000_000)  # of a card's, no more

    @staticmethod
    def mistakes(options: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
        """Option, what is wrong with it, and what to do."""
        handle = options.get("handle", "tbc")
        if handle != "tbc" and ("." not in handle or "@" in handle.strip().lstrip("@")):
            what = f"{handle!r} is not a whole handle"
            yield "handle", what, 'write handle = "name.bsky.social", or your own domain'
        if options.get("card-shows", "picture") != "picture":
            what = f"card-shows cannot be {options['card-shows']!r}"
            yield "card-shows", what, 'write card-shows = "picture", or take the line out'
        elif "card-shows" in options and not options.get("card"):
            yield "card-shows", "there is no card", 'write card = "…", its title, too'

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Upload what it shows and look names up, which makes nothing public; then post."""
        from atproto import models

        now = self._account.now().astimezone(UTC).isoformat(timespec="milliseconds")
        at = now.replace("+00:00", "Z")

        async def post(client: Any) -> Receipt:
            card = Card(self._card, self._shows)
            record = await record_of(client, part, after, at=at, card=card)
            data = models.ComAtprotoRepoCreateRecord.Data(
                repo=self._did, collection=POST, rkey=record_key(part.token), record=record
            )
            created = await client.com.atproto.repo.create_record(data)
            return self._receipt(created.uri, at)

        return self._ask(post, part.fence)

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """The record under the part's key; that is never another delivery's, nor an earlier one."""

        async def look(client: Any) -> Receipt | None:
            record = await there(client, self._did, record_key(part.token))
            return self._receipt(record["uri"], record["value"]["createdAt"]) if record else None

        with looking("Bluesky"):
            return self._ask(look)

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """Public counts, twenty-five posts a call."""
        from atproto import models

        async def read(client: Any) -> dict[str, Figures]:
            told: dict[str, Figures] = {}
            for start in range(0, len(receipts), AT_ONCE):
                uris = [receipt.id for receipt in receipts[start : start + AT_ONCE]]
                params = models.AppBskyFeedGetPosts.Params(uris=uris)
                answer = await json_of(client, "app.bsky.feed.getPosts", params)
                for post in answer["posts"]:
                    counts = {ours: post.get(theirs) for theirs, ours in METRICS.items()}
                    told[post["uri"]] = {k: n for k, n in counts.items() if isinstance(n, int)}
            return told

        return self._ask(read) if receipts else {}

    def audience(self) -> Figures:
        """The account's followers."""
        from atproto import models

        async def read(client: Any) -> Any:
            params = models.AppBskyActorGetProfile.Params(actor=self._did)
            return (await json_of(client, "app.bsky.actor.getProfile", params)).get(
                "followersCount"
            )

        followers = self._ask(read)
        return {"followers": followers} if isinstance(followers, int) else {}

    def check(self) -> str:
        """Whose the password is, and whether it is an app's alone."""

        async def look(client: Any) -> tuple[str, str]:
            me = await json_of(client, "com.atproto.server.getSession")
            return str(me["handle"]), "" if me.get("active", True) else str(me.get("status"))

        name, trouble = self._ask(look)
        if name.lower() != self._handle.lower():
            raise Refused(
                f"this password is for @{name}, but channels.toml says @{self._handle}: "
                "correct `handle`"
            )
        if trouble:
            raise Refused(f"@{name} is not active on Bluesky: {trouble}")
        whole = self._session.access_jwt_payload.scope == "com.atproto.access"
        advice = "; this is the account's own password: use an app password" if whole else ""
        return f"{self.account}: app password accepted{advice}"

    def withdraw(self, receipt: Receipt) -> None:
        """Delete it; one that is gone already is no failure."""
        from atproto import models

        async def delete(client: Any) -> None:
            repo, key = key_of(receipt.id)
            data = models.ComAtprotoRepoDeleteRecord.Data(repo=repo, collection=POST, rkey=key)
            await client.com.atproto.repo.delete_record(data)

        self._ask(delete)

    def _receipt(self, uri: str, created_at: str) -> Receipt:
        url = f"https://bsky.app/profile/{self._handle}/post/{key_of(uri)[1]}"
        return Receipt(uri, url, datetime.fromisoformat(created_at).astimezone(UTC))

    @property
    def _did(self) -> str:
        return str(self._session.did)

    async def _client(self) -> Any:
        """The client, signed in: once for this process, as few sign-ins a day are allowed."""
        async with self._signing:
            if self._signed is None:
                self._signed = await self._sign_in()
            return self._signed

    async def _sign_in(self) -> Any:
        import httpx
        from atproto import AsyncClient, AsyncRequest

        limit, here = self.timeout, self._account.base.rstrip("/")
        uploading = max(limit, self.uploading)

        class Fenced(AsyncRequest):  # type: ignore[misc] # the library says nothing of types
            async def get(self, *args: Any, **kwargs: Any) -> Any:
                async with asyncio.timeout(limit):
                    return await super().get(*args, follow_redirects=False, **kwargs)

            async def post(self, *args: Any, **kwargs: Any) -> Any:
                asking = _asking.get()
                if kwargs["url"].endswith("/com.atproto.repo.createRecord"):
                    # In a thread, as it asks a database; the loop serves other channels too.
                    await asyncio.to_thread(asking.fence, limit)
                    asking.left = True
                most = limit
                if kwargs["url"].endswith("/com.atproto.repo.uploadBlob"):
                    kwargs["timeout"] = most = uploading
                async with asyncio.timeout(most):
                    return await super().post(*args, follow_redirects=False, **kwargs)

        request = Fenced(
            timeout=httpx.Timeout(limit, connect=self.connect),
            # A kept connection that the server closed meanwhile would be a false doubt.
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=not here,
        )
        client: Any = AsyncClient(here or self._server, request=request)
        if here:  # a session names the server that keeps the account: not from here
            client.update_base_url = lambda _: None
        client.on_session_change(self._keep)
        await client.login(self._handle, self._password, fetch_bsky_profile=False)
        return client

    def _keep(self, _event: Any, session: Any) -> None:
        self._session = session

    def _ask(
        self, question: Callable[[Any], Awaitable[T]], fence: Callable[[float], None] = unfenced
    ) -> T:
        """Ask the server something, and say what its failure means for a post."""
        if self._handle in ("", "tbc"):
            raise Refused(
                f"{self._account.channel} names no account: write handle = "
                '"name.bsky.social" in channels.toml'
            )
        if not self._password:
            raise Refused(
                f"{self._account.channel} has no app password: connect it with "
                f"outreach connect {self._account.channel}"
            )
        asking = _Asking(fence)

        async def ask() -> T:
            _asking.set(asking)
            try:
                return await question(await self._client())
            except Exception as error:
                if answer_of(error)[1] not in OLD:
                    raise
            # The server did not take it, for its pass was old.
            self._signed, asking.left = None, False
            return await question(await self._client())

        try:
            return bridge.run(ask(), timeout=self.limits.deadline)
        except Exception as error:
            failure = self._meaning(error, left=asking.left)
        # Raised outside the handler: as a context, the original could tell a pass.
        raise failure

    def _meaning(self, error: Exception, *, left: bool) -> PlatformError:
        """What a failure means for the post: none, unless what makes it public had left."""
        import httpx

        if isinstance(error, PlatformError):  # ours, or the fence's
            return error
        # The library wraps some of the failures on the way, and leaves others as they are.
        cause = error.__cause__ if isinstance(error.__cause__, httpx.TransportError) else error
        never_left = (
            *(httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout),
            *(httpx.ProxyError, httpx.UnsupportedProtocol),
        )
        if isinstance(cause, never_left):
            return NotNow("Bluesky cannot be reached")
        status, name, message = answer_of(error)
        said = self._scrubbed(f"{status} {name} {message}".strip())
        match status:
            case 429:
                return NotNow("Bluesky asks to wait", bounded(_wait(error)))
            case 401 if name == "AuthFactorTokenRequired":
                return Refused("Bluesky asks for a code too: use an app password, make a new one")
            case 401:
                return Refused(
                    f"Bluesky does not accept this app password for @{self._handle} ({said}): make "
                    "a new one in its settings, under Privacy and security, App passwords"
                )
            case _ if status in REFUSING:
                return Refused(f"Bluesky refuses it: {said}")
        if status:
            told = f"no clear answer from Bluesky: {said}"
        elif isinstance(cause, (TimeoutError, httpx.TimeoutException)):
            told = "no answer from Bluesky: it took too long"
        elif isinstance(cause, httpx.TransportError):
            told = "no answer from Bluesky: the connection broke"
        else:  # the text of a stranger's error may hold anything
            told = f"no clear answer from Bluesky: {type(error).__name__}"
        return Uncertain(told) if left else NotNow(told)

    def _scrubbed(self, text: str) -> str:
        session = self._session
        passes = (session.access_jwt, session.refresh_jwt) if session else ()
        for secret in (self._password, *passes):
            text = text.replace(secret, "…")
        return text


def _wait(error: Any) -> float:
    """Seconds until the server's window ends; it is five minutes long."""
    headers = error.response.headers
    if headers.get("retry-after", "").isdecimal():
        return float(headers["retry-after"])
    if headers.get("ratelimit-reset", "").isdecimal():
        return float(headers["ratelimit-reset"]) - time.time()
    return 300.0
