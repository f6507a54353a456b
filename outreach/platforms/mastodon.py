"""Mastodon accounts, on any server that speaks Mastodon's API. https://docs.joinmastodon.org/api/

A server takes a part's token as a key against repeats and keeps it for an hour; after a lost
answer the account's own posts are read. The library's errors quote what was answered, and the page
of a proxy may quote the token: none of their texts leaves this module unscrubbed.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from outreach.errors import CannotTell, NotNow, PlatformError, Refused, Uncertain
from outreach.platforms import Account, Ask, Figures, How, Limits, Receipt
from outreach.platforms.failures import bounded, looking, surely_not_live
from outreach.platforms.mastodon_text import as_read, counted, rendered, without_links
from outreach.platforms.oauth import OAuth
from outreach.platforms.rest import Rest
from outreach.platforms.wire import never_left, wire
from outreach.post import Part, Picture, unfenced

T = TypeVar("T")

METRICS = {
    "favourites_count": "likes",
    "reblogs_count": "shares",
    "replies_count": "replies",
    "quotes_count": "quotes",
}
SCOPES = "read write:media write:statuses"
PAGE = 40  # posts of one listing; a server gives no more
PAGES = 5  # listings that one look reads
AT_ONCE = 20  # posts of one reading of figures; more are refused


class Mastodon:
    """One account on one Mastodon server.

    A video there has no captions beside it: they are in its picture, or linked.
    """

    limits: Limits = Limits(
        text=500,
        length=counted,
        parts=25,
        pictures=4,
        picture_longest=3840,
        picture_bytes=16_000_000,
        picture_types=frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"}),
        videos=1,
        video_bytes=99 * 2**20,
        alt=1500,
        deadline=180.0,
        repeats=True,  # an Idempotency-Key is kept for an hour
    )
    offers: ClassVar = frozenset({*METRICS.values(), "followers"})
    needs: ClassVar = ("token",)
    asks: ClassVar = ("handle", "server", "characters", "content-warning")
    public: ClassVar = True
    how: ClassVar = How(
        steps=(
            "At the account's server, under Preferences, Development, make a new application with "
            f"the scopes {SCOPES.replace(' ', ', ')}, and open it.",
        ),
        asks=(Ask("token", "“your access token”"),),
        browser=("In the browser, be signed in to the server as the account that will post.",),
    )

    timeout: ClassVar = 30.0  # seconds without a byte of the answer
    connect: ClassVar = 5.0  # seconds
    pause: ClassVar = 1.0  # seconds between two questions whether a picture is processed
    patience: ClassVar = 30  # such questions
    watching: ClassVar = 120  # the same for a video, which the server encodes anew

    def __init__(self, account: Account) -> None:
        options = account.options
        self._account, self._token = account, account.secrets.get("token", "")
        self._name, _, domain = options.get("handle", "").strip().lstrip("@").partition("@")
        self._server = options.get("server", "").strip().rstrip("/") or domain
        if self._server and "://" not in self._server:
            self._server = f"https://{self._server}"
        self._base = account.base.rstrip("/") or self._server
        self.account = f"mastodon @{self._name or account.channel}{'@' if domain else ''}{domain}"
        self._warning = options.get("content-warning", "").strip()
        room = int(options.get("characters", "")) if _count(options) else self.limits.text
        if self._warning:  # the public sees it, so it belongs to what is cleared
            self.account += f", below the content warning “{self._warning}”"
            room -= counted(self._warning)
        self.limits = replace(self.limits, text=room)

    @staticmethod
    def mistakes(options: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
        """Option, what is wrong with it, and what to do."""
        handle, known = options.get("handle", "tbc"), options.get("server")
        if handle != "tbc" and not known and "@" not in handle.lstrip("@"):
            yield "handle", f"{handle!r} names no server", 'write handle = "@name@server"'
        if "characters" in options and not _count(options):
            what = f"characters cannot be {options['characters']!r}"
            yield "characters", what, "write what the server says that it takes: characters = 500"

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Upload the pictures, which makes nothing public; then post, as a reply to `after`."""

        def upload(client: Any) -> list[str]:
            return [self._upload(client, picture) for picture in part.pictures]

        def post(client: Any) -> Receipt:
            return _receipt(
                client.status_post(
                    part.text,
                    in_reply_to_id=after.id if after else None,
                    media_ids=media or None,
                    spoiler_text=self._warning or None,
                    visibility="public",
                    language=part.language,
                    idempotency_key=part.token,
                )
            )

        with surely_not_live("the pictures did not arrive"):
            media = self._ask(upload) if part.pictures else []
        return self._ask(post, part.fence)

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """The newest of the account's own posts that reads the same once rendered."""

        def look(client: Any) -> Receipt | None:
            near = None
            for status in self._own(client, since, not_these):
                read = rendered(status.content)
                if as_read(read) == as_read(part.text):
                    return _receipt(status)
                if without_links(read) == without_links(part.text):
                    near = near or _receipt(status)
            if near:
                raise CannotTell(f"{near.url} reads the same but for its addresses: is it this?")
            return None

        with looking(self._host):
            return self._ask(look)

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """What our server has heard of, twenty posts a call where it can."""

        def read(client: Any) -> dict[str, Figures]:
            ids = [receipt.id for receipt in receipts]
            groups = (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
            return {str(one.id): _figures(one) for group in groups for one in _some(client, group)}

        return self._ask(read) if receipts else {}

    def audience(self) -> Figures:
        """The account's followers."""
        followers = self._ask(lambda client: client.me()).get("followers_count")
        return {"followers": followers} if isinstance(followers, int) else {}

    def check(self) -> str:
        """Whose the token is, and whether the server takes what is checked here."""

        def look(client: Any) -> tuple[str, str]:
            me = client.me()
            return str(me["username"]), str(me["display_name"] or me["username"])

        name, title = self._ask(look)
        if self._name and name.lower() != self._name.lower():
            raise Refused(
                f"this token is for @{name}, but channels.toml says @{self._name}: "
                "correct `handle`, or make a token while signed in as that account"
            )
        return f"{self.account}: “{title}”, token accepted{self._differences()}"

    def oauth(self, redirect: str = "") -> OAuth | None:
        """An app of ours at the server, which makes one for whoever asks.

        https://docs.joinmastodon.org/methods/apps/
        """
        rest = Rest(
            self._host,
            self.connect,
            self.timeout,
            live=lambda method, path: False,
            meaning=lambda answer: (
                Refused(f"{self._host} makes no app for us ({answer.status})")
                if 400 <= answer.status < 500 and answer.status != 429
                else NotNow(f"{self._host} cannot be asked now ({answer.status})")
            ),
            secrets=tuple,
            base=self._account.base,
        )
        wanted = {"client_name": "outreach", "redirect_uris": redirect, "scopes": SCOPES}
        app = rest.ask(
            "POST", f"{self._server}/api/v1/apps", lambda answer: answer.body, json=wanted
        )
        return OAuth(
            self._host,
            f"{self._server}/oauth/authorize",
            f"{self._server}/oauth/token",
            str(app["client_id"]),
            tuple(SCOPES.split()),
            secret=str(app["client_secret"]),
            base=self._account.base,
        )

    def withdraw(self, receipt: Receipt) -> None:
        """Delete it; one that is gone already is no failure."""
        from mastodon import MastodonNotFoundError

        def delete(client: Any) -> None:
            with suppress(MastodonNotFoundError):
                client.status_delete(receipt.id)

        self._ask(delete)

    def correct(self, receipt: Receipt, part: Part) -> None:
        """Replace the text; readers see that it was edited, and when."""

        def edit(client: Any) -> None:
            # A picture that is not named again would be taken from the post.
            media = [one["id"] for one in client.status(receipt.id)["media_attachments"]]
            client.status_update(
                receipt.id,
                part.text,
                spoiler_text=self._warning or None,
                media_ids=media or None,
            )

        self._ask(edit)

    @property
    def _host(self) -> str:
        return self._server.rpartition("/")[2]

    def _upload(self, client: Any, picture: Picture) -> str:
        media = client.media_post(
            picture.data,
            mime_type=picture.type,
            description=picture.alt or None,
            file_name=picture.name,
            focus=_focus(picture),
        )
        for _ in range(self.watching if picture.kind == "video" else self.patience):
            if media["url"]:
                return str(media["id"])
            time.sleep(self.pause)
            media = client.media(media["id"])
        raise NotNow(f"{self._host} is still processing {picture.file}")

    def _own(self, client: Any, since: datetime, not_these: Set[str]) -> Iterator[Any]:
        """Our own posts since then, newest first, that are no other delivery's."""
        # Some servers tell whole seconds.
        since = since.astimezone(UTC).replace(microsecond=0)
        me = client.me()
        last = None
        for _ in range(PAGES):
            page = client.account_statuses(me["id"], limit=PAGE, max_id=last)
            if not page and not last and (not_these or me["statuses_count"]):
                raise CannotTell(
                    f"{self._host} lists no posts, though some of ours should be there"
                )
            for status in page:
                if status["created_at"] < since:
                    return
                if not status["reblog"] and str(status["id"]) not in not_these:
                    yield status
            if not page:
                return
            last = page[-1]["id"]
        raise CannotTell(f"there are more than {PAGE * PAGES} posts since; look on {self._host}")

    def _differences(self) -> str:
        """What the server takes, where it is not what is checked here; "" where it does not say."""
        try:
            told = self._ask(lambda client: client.instance_v2())["configuration"]
            posts, media = told["statuses"], told["media_attachments"]
            characters = int(posts["max_characters"])
        except (Refused, KeyError, TypeError):
            return ""
        ours = self.limits.text + (counted(self._warning) if self._warning else 0)
        write = f"write characters = {characters} in channels.toml"
        if characters < ours:
            raise Refused(f"{self._host} takes {characters:,} characters, not {ours:,}: {write}")
        most = {
            "pictures": (posts.get("max_media_attachments"), self.limits.pictures),
            "bytes of a picture": (media.get("image_size_limit"), self.limits.picture_bytes),
            "bytes of a video": (media.get("video_size_limit"), self.limits.video_bytes),
            "characters of alt text": (media.get("description_limit"), self.limits.alt),
        }
        less = [f"{n:,} {what}" for what, (n, most_) in most.items() if n and n < most_]
        more = [f"{characters:,} characters ({write} to use them)"] if characters > ours else []
        return f"; the server takes {' and '.join(less + more)}" if less or more else ""

    def _ask(self, question: Callable[[Any], T], fence: Callable[[float], None] = unfenced) -> T:
        """Ask the server something, and say what its failure means for a post.

        A new session each time: they are not for several threads, and a kept connection that the
        server closed meanwhile would be a false doubt.
        """
        import requests
        from mastodon import Mastodon as Client

        if not self._base or self._name == "tbc":
            raise Refused(
                f'{self._account.channel} names no account: write handle = "@name@server" in '
                "channels.toml"
            )
        if not self._token:
            raise Refused(
                f"{self._account.channel} has no token: connect it with "
                f"outreach connect {self._account.channel}"
            )
        way = wire(
            self.connect,
            self.timeout,
            fence=fence,
            live=lambda method, path: method == "POST" and path.endswith("/statuses"),
        )
        with requests.Session() as session:
            session.max_redirects = 0  # a redirected request would be sent twice
            session.trust_env = not self._account.base
            session.mount("https://", way)
            session.mount("http://", way)
            client = Client(
                access_token=self._token,
                api_base_url=self._base,
                session=session,
                user_agent="outreach",
                ratelimit_method="throw",  # it would sleep out a limit, for minutes
                # It would ask for the server's version, twice, before it uploads.
                version_check_mode="created",
                mastodon_version=Client.get_supported_version(),
            )
            try:
                return question(client)
            except Exception as error:
                failure = self._meaning(error, way.answer)
        # Raised outside the handler: as a context, the original could tell the token.
        raise failure

    def _meaning(self, error: Exception, answer: Any) -> PlatformError:
        """What a failure means for the post: by what was answered, as far as that goes.

        The library calls an unreadable page an API error, and an odd header a rate limit.
        """
        import requests

        cause = error.__context__  # what the library has wrapped
        for known in (error, cause):
            if isinstance(known, PlatformError):  # ours, or the fence's
                return known
        if answer is None and never_left(cause):
            return NotNow(f"{self._host} cannot be reached")
        if answer is None:
            slow = isinstance(cause, requests.Timeout)
            why = "it took too long" if slow else "the connection broke"
            return Uncertain(f"no answer from {self._host}: {why}")
        status = answer.status_code
        said = " ".join(str(error.args[3]).split()) if len(error.args) > 3 else answer.reason
        said = self._scrubbed(f"{status} {said}")
        match status:
            case 429:
                return NotNow(f"{self._host} asks to wait", bounded(_wait(answer.headers)))
            case 401:
                return Refused(
                    f"{self._host} does not accept this token ({said}): make a new one in the "
                    "account's preferences, under Development"
                )
            case 403 if "scope" in said:
                return Refused(f"this token may not do that: make a new one with {SCOPES}")
            case 301 | 307 | 308:
                where = self._scrubbed(answer.headers.get("Location", "elsewhere"))
                return Refused(f"{self._host} sends us to {where}: write its server as `server`")
            case 400 | 403 | 404 | 406 | 410 | 413 | 415 | 422:
                return Refused(f"{self._host} refuses it: {said}")
        return Uncertain(f"no clear answer from {self._host}: {said}")

    def _scrubbed(self, text: str) -> str:
        return text.replace(self._token, "…")


def _focus(picture: Picture) -> tuple[float, float] | None:
    """The focal point, from the middle: 1 is the right, or the top.

    https://docs.joinmastodon.org/api/guidelines/#focal-points
    """
    words = picture.focus.split()
    x = ("right" in words) - ("left" in words)
    y = ("top" in words) - ("bottom" in words)
    return (float(x), float(y)) if words else None


def _count(options: Mapping[str, str]) -> bool:
    """Whether `characters` is a number of them."""
    given = options.get("characters", "")
    return given.isdecimal() and int(given) > 0


def _receipt(status: Any) -> Receipt:
    at = status["created_at"].astimezone(UTC)
    return Receipt(str(status["id"]), status["url"] or status["uri"], at)


def _some(client: Any, ids: list[str]) -> Iterator[Any]:
    """The posts of these ids that are there; one by one where the server is older than 4.3."""
    from mastodon import MastodonAPIError, MastodonNotFoundError

    try:
        yield from client.statuses(ids)
    except MastodonAPIError as error:
        if error.args[1:2] not in ((404,), (405,)):
            raise
        for id_ in ids:
            with suppress(MastodonNotFoundError):
                yield client.status(id_)


def _figures(status: Any) -> Figures:
    """Our names for a post's counts; what the server did not tell is absent."""
    told = {ours: status.get(theirs) for theirs, ours in METRICS.items()}
    return {name: count for name, count in told.items() if isinstance(count, int)}


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds until the server's window ends; it is five minutes long."""
    told = headers.get("Retry-After", "")
    if told.isdecimal():
        return float(told)
    reset = headers.get("X-RateLimit-Reset", "")
    with suppress(ValueError):
        # Mastodon tells a time, others a number.
        at = float(reset) if reset.isdecimal() else datetime.fromisoformat(reset).timestamp()
        return at - time.time()
    return 300.0
