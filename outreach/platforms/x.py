"""X accounts, through API v2. https://docs.x.com/x-api

With a token that was given in a browser (OAuth 2.0, renewed all the time), or else with the
account's own OAuth 1.0a tokens, which do not end.

X takes no key against repeats, but refuses a recent identical text and shows our own timeline.
Its API renamed fields in 2026 (`tweet.fields` to `post.fields`, `retweet_count` to
`repost_count`); both generations are read.
"""

import base64
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from outreach.errors import CannotTell, NotNow, PlatformError, Refused, Uncertain
from outreach.platforms import Account, Ask, Budget, Costs, Figures, How, Limits, Receipt
from outreach.platforms.failures import bounded, looking, surely_not_live
from outreach.platforms.oauth import OAuth
from outreach.platforms.wire import never_left, wire
from outreach.platforms.x_text import as_read, expanded, linked, weighted, without_links
from outreach.post import Captions, Part, Picture, unfenced

# At DEBUG these log keys and signatures.
for _name in ("oauthlib", "requests_oauthlib", "tweepy"):
    logging.getLogger(_name).setLevel(logging.INFO)

SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
"""What our app asks for; the last is for a token that can be renewed."""

METRICS = {
    "impression_count": "displays",
    "like_count": "likes",
    "retweet_count": "shares",
    "repost_count": "shares",
    "quote_count": "quotes",
    "reply_count": "replies",
    "bookmark_count": "bookmarks",
}

OWN = {"url_link_clicks": "clicks"}
"""What X tells the account itself alone, of posts with an address, and only for a while."""

TOLD_FOR = timedelta(days=30)

PIECE = 3_000_000  # bytes of a video in one request, as base64 4 MB of the 5 that X takes


class X:
    """One X account."""

    limits: ClassVar = Limits(
        text=280,
        length=weighted,
        unit="weighted characters",
        parts=25,
        pictures=4,
        picture_longest=4096,
        # No GIF: X's upload in one request takes none.
        picture_types=frozenset({"image/jpeg", "image/png", "image/webp"}),
        # https://docs.x.com/x-api/media/quickstart/best-practices
        videos=1,
        video_bytes=512_000_000,
        video_seconds=(0.5, 140),
        captions_type="text/srt",
        video_alt=False,
        deadline=180.0,
        visible=timedelta(minutes=5),
        # https://docs.x.com/x-api/fundamentals/rate-limits
        budgets=(
            Budget(100, timedelta(minutes=15)),
            Budget(10_000, timedelta(days=1), shared="consumer_key"),
        ),
        # https://docs.x.com/x-api/getting-started/pricing, of April 2026
        costs=Costs(Decimal("0.015"), Decimal("0.20"), Decimal("0.005"), linked),
    )
    offers: ClassVar = frozenset({*METRICS.values(), *OWN.values(), "followers"})
    windows: ClassVar = dict.fromkeys(OWN.values(), TOLD_FOR)
    needs: ClassVar = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
    uses: ClassVar = ("client_secret",)
    asks: ClassVar = ("handle", "client-id")
    public: ClassVar = True
    how: ClassVar = How(
        steps=(
            "At developer.x.com, signed in as the account that will post, make a project and an "
            "app. Under user authentication give it “Read and write” first.",
            "Under Keys and tokens make the API key and secret, then the access token and secret.",
        ),
        asks=(
            Ask("consumer_key", "the API key"),
            Ask("consumer_secret", "the API key's secret"),
            Ask("access_token", "the access token"),
            Ask("access_token_secret", "the access token's secret"),
        ),
        browser=(
            "At developer.x.com the app's user authentication has to be set up: “Read and write”, "
            "type “Web App, Automated App or Bot”, and as callback address exactly {redirect}",
            "In the browser, be signed in to X as the account that will post.",
        ),
        app=(Ask("client_secret", "the app's client secret (a native app has none)", True),),
        port=8027,
    )

    timeout: ClassVar = 20.0  # seconds without a byte of the answer
    connect: ClassVar = 5.0  # seconds
    pause: ClassVar = 1.0  # seconds at least between two questions whether a video is processed
    watching: ClassVar = 90.0  # seconds for which it is asked

    def __init__(self, account: Account) -> None:
        self._account = account
        self._handle = account.options.get("handle", "").lstrip("@")
        self.account = f"x @{self._handle}" if self._handle else f"x {account.channel}"
        self._fields = "tweet"  # or "post": the generation of the API, learnt from its answer
        self._me = ""

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Upload what it shows, which makes nothing public; then post, as a reply to `after`."""
        with surely_not_live("the pictures did not arrive"), self._client() as client:
            media = [self._upload(client, picture) for picture in part.pictures]
        with self._client(part.fence) as client:
            answer = client.create_tweet(
                text=part.text,
                media_ids=media or None,
                in_reply_to_tweet_id=after.id if after else None,
                user_auth=client.ours,
            )
            id_ = str(answer.json()["data"]["id"])
        pause = max(_used_up(answer.headers), default=timedelta(0))
        return Receipt(id_, self._url(id_), self._account.now(), pause)

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """The newest post of our own timeline that reads the same once addresses are expanded."""
        with looking("X"), self._client() as client:
            # X tells time in whole seconds.
            start = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
            posts, more = self._timeline(client, {"max_results": 100, "start_time": start})
            strange = [post for post in posts if post["id"] not in not_these]
            for post in strange:
                if as_read(expanded(post)) == as_read(part.text):
                    at = datetime.fromisoformat(post["created_at"])
                    return Receipt(post["id"], self._url(post["id"]), at)
            if more:
                raise CannotTell("there are more than 100 posts since; look on X yourself")
            for post in strange:
                if without_links(expanded(post)) == without_links(part.text):
                    raise CannotTell(
                        f"{self._url(post['id'])} reads the same but for its addresses: is it this?"
                    )
            if not posts and not_these and not self._timeline(client, {"max_results": 5})[0]:
                raise CannotTell("X shows an empty timeline, though posts of ours should be there")
        return None

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """Public metrics, and the account's own of the last 30 days, a hundred posts a call.

        Where X refuses the latter, for a post or for all, the former are asked for alone.
        """
        since = self._account.now() - TOLD_FOR
        young = [one.id for one in receipts if not one.at or one.at > since]
        old = [one.id for one in receipts if one.at and one.at <= since]
        told: dict[str, Figures] = {}
        with self._client() as client:
            for ids in _hundreds(young):
                found, refused = self._own(client, ids)
                told |= found
                old += refused
            for ids in _hundreds(old):
                asked = {"ids": ",".join(ids)}
                answer = self._get(client, "/2/tweets", asked, "public_metrics")
                told |= _told(answer)
        return told

    def _own(self, client: Any, ids: Sequence[str]) -> tuple[dict[str, Figures], list[str]]:
        """What X tells the account of its posts, and those that it refuses to tell so."""
        import tweepy

        generation, asked = self._fields, {"ids": ",".join(ids)}
        try:
            answer = self._get(client, "/2/tweets", asked, "public_metrics,non_public_metrics")
        except (tweepy.BadRequest, tweepy.Forbidden):
            self._fields = generation  # it was not the generation that was refused
            return {}, list(ids)
        refused = {
            str(error.get("resource_id") or error.get("value"))
            for error in answer.get("errors", [])
            if str(error.get("type", "")).endswith("not-authorized-for-field")
        }
        told = _told(answer)
        return told, [id_ for id_ in ids if id_ in refused and id_ not in told]

    def audience(self) -> Figures:
        """The account's followers."""
        with self._client() as client:
            metrics = self._user(client).get("public_metrics", {})
        followers = metrics.get("followers_count")
        return {"followers": followers} if isinstance(followers, int) else {}

    def check(self) -> str:
        """Which account the tokens are for."""
        with self._client() as client:
            user = self._user(client)
            name = user["username"]
        if self._handle and name.lower() != self._handle.lower():
            raise Refused(
                f"these tokens are for @{name}, but channels.toml says @{self._handle}: "
                "correct `handle`, or make tokens while signed in as that account"
            )
        return f"x @{name}: “{user.get('name', name)}”, tokens accepted"

    def oauth(self, _redirect: str = "") -> OAuth | None:
        """The office's app. https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code"""
        client = self._account.options.get("client-id", "")
        if not client:
            return None
        secret = self._account.secrets.get("client_secret", "")
        return OAuth(
            "X",
            "https://x.com/i/oauth2/authorize",
            "https://api.x.com/2/oauth2/token",
            client,
            SCOPES,
            secret=secret,
            basic=bool(secret),
            base=self._account.base,
        )

    def withdraw(self, receipt: Receipt) -> None:
        """Delete it; one that is gone already is no failure. X's API edits nothing.

        X answers alike for a post that is gone and one that is not ours, so it is looked for.
        """
        import tweepy

        with self._client() as client:
            try:
                if client.delete_tweet(receipt.id, user_auth=client.ours).json()["data"]["deleted"]:
                    return
            except tweepy.NotFound:
                pass
            if self._get(client, "/2/tweets", {"ids": receipt.id}, "created_at").get("data"):
                raise Refused("X does not delete it: delete it there, signed in as the account")

    def _url(self, id_: str) -> str:
        return f"https://x.com/{self._handle or 'i/web'}/status/{id_}"

    def _upload(self, client: Any, picture: Picture) -> str:
        is_video = picture.kind == "video"
        if is_video:
            id_ = self._in_pieces(client, picture)
        else:
            id_ = self._at_once(client, picture, "tweet_image")
        if picture.alt and not is_video:
            alt = {"id": id_, "metadata": {"alt_text": {"text": picture.alt}}}
            client.request("POST", "/2/media/metadata", json=alt, user_auth=client.ours)
        if words := picture.captions:
            subtitles = {
                "id": self._at_once(client, words, "subtitles"),
                "language_code": _code(words.language),
                "display_name": _named(words.language),
            }
            both = {"id": id_, "media_category": "TweetVideo", "subtitles": subtitles}
            client.request("POST", "/2/media/subtitles", json=both, user_auth=client.ours)
        return id_

    def _at_once(self, client: Any, file: Picture | Captions, category: str) -> str:
        """Upload a picture, or captions, in one request."""
        media = {
            "media": base64.b64encode(file.data).decode(),
            "media_category": category,
            "media_type": file.type,
        }
        answer = client.request("POST", "/2/media/upload", json=media, user_auth=client.ours)
        return str(answer.json()["data"]["id"])

    def _in_pieces(self, client: Any, video: Picture) -> str:
        """Upload a video, and wait until X has processed it.

        https://docs.x.com/x-api/media/quickstart/media-upload-chunked
        """

        def post(what: str, body: Mapping[str, Any] | None = None) -> Any:
            path = f"/2/media/upload/{what}"
            return client.request("POST", path, json=body, user_auth=client.ours).json()

        about = {
            "media_type": video.type,
            "total_bytes": len(video.data),
            "media_category": "tweet_video",
        }
        id_ = str(post("initialize", about)["data"]["id"])
        for number, start in enumerate(range(0, len(video.data), PIECE)):
            piece = base64.b64encode(video.data[start : start + PIECE]).decode()
            post(f"{id_}/append", {"media": piece, "segment_index": number})
        told = post(f"{id_}/finalize")["data"]
        asked = {"command": "STATUS", "media_id": id_}
        until = time.monotonic() + self.watching
        while (now := told.get("processing_info") or {}) and now.get("state") != "succeeded":
            if now.get("state") == "failed":
                why = (now.get("error") or {}).get("message", "it does not say why")
                raise Refused(f"X cannot process {video.file}: {why}; export it again")
            if time.monotonic() > until:
                raise NotNow(f"X is still processing {video.file}")
            time.sleep(max(self.pause, min(float(now.get("check_after_secs", 1)), 10.0)))
            answer = client.request(
                "GET", "/2/media/upload", params=asked, user_auth=client.ours
            ).json()
            told = answer["data"]
        return id_

    def _user(self, client: Any) -> dict[str, Any]:
        params = {"user.fields": "public_metrics"}
        answer = client.request("GET", "/2/users/me", params=params, user_auth=client.ours).json()
        self._me = str(answer["data"]["id"])
        return dict(answer["data"])

    def _timeline(self, client: Any, params: dict[str, Any]) -> tuple[list[Any], bool]:
        """Our own posts, newest first, and whether there are more."""
        if not self._me:
            self._user(client)
        answer = self._get(
            client, f"/2/users/{self._me}/tweets", params, "created_at,entities,note_tweet"
        )
        meta = answer["meta"]  # an answer without it is no listing
        return answer.get("data", []), "next_token" in meta

    def _get(self, client: Any, path: str, params: Mapping[str, Any], fields: str) -> Any:
        """A reading in the words of the API's generation; the other one's are refused by name."""
        import tweepy

        def get() -> Any:
            asked = {**params, f"{self._fields}.fields": fields}
            return client.request("GET", path, params=asked, user_auth=client.ours).json()

        try:
            return get()
        except tweepy.BadRequest as error:
            if f"{self._fields}.fields" not in error.response.text:
                raise
            self._fields = "post" if self._fields == "tweet" else "tweet"
            return get()

    @contextmanager
    def _client(self, fence: Callable[[float], None] = unfenced) -> Iterator[Any]:
        """A client for a few requests, whose errors say what they mean for a post.

        A new one each time: sessions are not for several threads, and a kept connection that X
        closed meanwhile would be a false doubt.
        """
        import requests
        import tweepy

        account = self._account
        if given := account.secrets.get("token", ""):
            tokens = {"bearer_token": given}
        else:
            missing = [name for name in self.needs if not account.secrets.get(name)]
            if missing:
                told = f"{account.channel} has no {', '.join(missing)}"
                raise Refused(f"{told}: connect it with outreach connect {account.channel}")
            tokens = {name: account.secrets[name] for name in self.needs}
        client = tweepy.Client(**tokens, return_type=requests.Response)  # with its headers
        client.ours = not given  # tweepy's `user_auth`: whether it signs with OAuth 1.0a
        client.session.max_redirects = 0  # a redirected request would be sent twice
        client.session.mount(
            "https://",
            wire(
                self.connect,
                self.timeout,
                base=account.base,  # the OAuth signature stays the one for X's own address
                fence=fence,
                live=lambda method, path: (method, path) == ("POST", "/2/tweets"),
                heard=_heard,
            ),
        )
        try:
            yield client
        except PlatformError:
            raise
        except tweepy.HTTPException as error:
            raise _meaning(error, account.channel) from error
        except requests.RequestException as error:
            if never_left(error):
                raise NotNow("X cannot be reached") from error
            slow = isinstance(error, requests.Timeout)
            why = "it took too long" if slow else "the connection broke"
            raise Uncertain(f"no answer from X: {why}") from error
        except Exception as error:
            raise Uncertain(f"no clear answer from X: {type(error).__name__}: {error}") from error
        finally:
            client.session.close()


def _meaning(error: Any, channel: str) -> PlatformError:
    """What a status of X's means for a post. https://docs.x.com/x-api/fundamentals/response-codes-and-errors"""
    status, body = error.response.status_code, error.response.text
    said = " ".join(str(error).split())
    if status == 403 and "duplicate content" in body:
        return Uncertain("X has the same text already: this post, or an earlier one")
    if status == 403 and "oauth1-permissions" in body:
        return Refused(
            "the app may only read: give it “Read and write” in X's developer portal, and then "
            "make new tokens"
        )
    if status == 401:
        return Refused(
            "X does not accept this account's tokens (or this machine's clock is wrong): connect "
            f"it anew with outreach connect {channel}"
        )
    if status == 402:
        return Refused("the app's credits at X are used up: buy some in its developer portal")
    if status in (400, 403, 404, 413, 415, 422):
        return Refused(f"X refuses it: {said}")
    return Uncertain(f"no clear answer from X: {said}")


WINDOWS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
"""X's windows by the names of their headers; those of 24 hours come with some tiers only."""


def _wait(headers: Mapping[str, str]) -> timedelta:
    """How long X asks to wait: as its `Retry-After` says, and until each window that is used up
    begins anew; within a second and a day. Without a word of it, its shortest window."""
    asked = [*_seconds(headers, headers.get("retry-after", "")), *_used_up(headers)]
    asked = asked or list(_until(headers, WINDOWS[0]))
    return max(asked, default=timedelta(minutes=15))


def _used_up(headers: Mapping[str, str]) -> list[timedelta]:
    """How long each window lasts that has no room left."""
    spent = [name for name in WINDOWS if headers.get(f"{name}-remaining", "").strip() == "0"]
    return [wait for name in spent for wait in _until(headers, name)]


def _until(headers: Mapping[str, str], window: str) -> Iterator[timedelta]:
    """How long a window still lasts, by X's own clock where it tells it."""
    told = headers.get(f"{window}-reset", "").strip()
    if _DIGITS.fullmatch(told):
        yield bounded(int(told) - _there(headers).timestamp())


def _seconds(headers: Mapping[str, str], told: str) -> Iterator[timedelta]:
    """A `Retry-After`: seconds, or a date."""
    if _DIGITS.fullmatch(told.strip()):
        yield bounded(int(told))
    elif at := _date(told):
        yield bounded((at - _there(headers)).total_seconds())


def _there(headers: Mapping[str, str]) -> datetime:
    """What time it is at X, or here where it does not say."""
    return _date(headers.get("date", "")) or datetime.now(UTC)


def _date(told: str) -> datetime | None:
    """A date of a header, or None where it is none."""
    with suppress(ValueError, TypeError, OverflowError):
        return parsedate_to_datetime(told).astimezone(UTC)
    return None


_DIGITS = re.compile("[0-9]{1,15}")


def _heard(answer: Any, *, posting: bool) -> None:
    """Raises NotNow for an answer that says to wait: tweepy fails on a reset that is no number."""
    if answer.status_code == 429:
        answer.close()
        raise NotNow("X asks to wait", _wait(answer.headers), everything=posting)


def _code(language: str) -> str:
    """The language as X names it, of two letters: "EN". Raises Refused where it has no name."""
    code = language.partition("-")[0].upper()
    if len(code) != 2:
        raise Refused(f"X knows no captions in {language}: burn them into the picture")
    return code


def _named(language: str) -> str:
    """What readers choose captions by: "English", "한국어"."""
    from babel import Locale, UnknownLocaleError

    code = language.partition("-")[0]
    try:
        return str(Locale.parse(code).display_name or code)
    except (UnknownLocaleError, ValueError):
        return code


def _hundreds(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many as X takes in a question."""
    for start in range(0, len(ids), 100):
        yield ids[start : start + 100]


def _told(answer: Mapping[str, Any]) -> dict[str, Figures]:
    """Our names for X's metrics of either generation, by post; what it did not tell is absent."""
    known = {"public_metrics": METRICS, "non_public_metrics": OWN}
    return {
        post["id"]: {
            names[name]: count
            for group, names in known.items()
            for name, count in post.get(group, {}).items()
            if name in names and isinstance(count, int)
        }
        for post in answer.get("data", [])
    }
