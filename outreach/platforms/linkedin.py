"""LinkedIn pages, through the versioned Posts API. https://learn.microsoft.com/linkedin/marketing/

LinkedIn takes no key against repeats, but refuses a recent identical text and lists a page's posts.
Its own client for Python is a beta of 2023 that adds little to plain requests, and is not used.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

from outreach.errors import CannotTell, NotNow, PlatformError, Refused, Uncertain
from outreach.links import first_address
from outreach.platforms import Account, Ask, Budget, Figures, How, Limits, Receipt
from outreach.platforms.alike import post_or_comment
from outreach.platforms.failures import bounded, lacking, looking, surely_not_live
from outreach.platforms.linkedin_text import counted, little, shown, without_markup
from outreach.platforms.oauth import OAuth
from outreach.platforms.rest import Answer, Rest
from outreach.post import Part, Picture, unfenced

T = TypeVar("T")

VERSION = "202607"
"""The newest that the documentation named in August 2026. Each is taken for a year at least."""

API = "https://api.linkedin.com/rest"
INTROSPECTION = "https://www.linkedin.com/oauth/v2/introspectToken"

METRICS = {  # of organizationalEntityShareStatistics, as documented for version 202603
    "impressionCount": "displays",
    "uniqueImpressionsCount": "reach",
    "likeCount": "likes",
    "commentCount": "replies",
    "shareCount": "shares",
}
PERMISSIONS = ("w_organization_social", "r_organization_social", "rw_organization_admin")
PAGE = 100  # posts or comments of one listing; LinkedIn gives no more
AT_ONCE = 50  # posts of one reading of figures, so that the address stays short


class LinkedIn:
    """One page on LinkedIn. A post's second part is the first comment under it."""

    limits: ClassVar = Limits(
        text=3000,
        length=counted,
        unit="characters as sent",
        later=1250,
        parts=2,
        pictures=20,
        picture_longest=4096,
        picture_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        alt=4086,
        deadline=120.0,
        budgets=(Budget(150, timedelta(days=1), shared="token"),),
    )
    offers: ClassVar = frozenset({*METRICS.values(), "followers"})
    needs: ClassVar = ("token",)
    uses: ClassVar = ("client_secret",)
    asks: ClassVar = ("page", "version", "client-id", "card")
    public: ClassVar = True
    how: ClassVar = How(
        steps=(
            "At developer.linkedin.com, in the office's app, open the token generator (under Docs "
            "and tools), signed in as an administrator of the page.",
            f"Make a token with {', '.join(PERMISSIONS)}. It lasts 60 days.",
        ),
        asks=(
            Ask("token", "the token"),
            Ask("client_secret", "the app's client secret (tells until when it lasts)", True),
        ),
        browser=(
            "At developer.linkedin.com, in the office's app, under Auth, the authorized redirect "
            "addresses have to name exactly {redirect}",
            "In the browser, be signed in to LinkedIn as an administrator of the page.",
        ),
        app=(Ask("client_secret", "the app's primary client secret"),),
        port=8027,
    )

    timeout: ClassVar = 25.0  # seconds without a byte of the answer
    connect: ClassVar = 5.0  # seconds
    pause: ClassVar = 1.0  # seconds between two questions whether a picture is processed
    patience: ClassVar = 30  # such questions

    def __init__(self, account: Account) -> None:
        options, secrets = account.options, account.secrets
        self._account, self._sent = account, ""
        self._secret, self._client = secrets.get("client_secret", ""), options.get("client-id", "")
        self._page = options.get("page", "").strip()
        self._card = options.get("card", "").strip()
        self._version = options.get("version", VERSION)
        self._urn = f"urn:li:organization:{self._page}"
        self._ends: datetime | None = None
        self.account = f"linkedin page {self._page or account.channel}"
        if self._card:  # the public sees it, so it belongs to what is cleared
            self.account += f", with a card “{self._card}”"
        self._rest = Rest(
            "LinkedIn",
            self.connect,
            self.timeout,
            live=lambda method, path: method == "POST" and path.endswith(("/posts", "/comments")),
            meaning=self._meaning,
            secrets=lambda: (self._sent, self._secret),
            base=account.base,
        )

    @staticmethod
    def mistakes(options: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
        """Option, what is wrong with it, and what to do."""
        page, version = options.get("page", "tbc"), options.get("version", VERSION)
        if page != "tbc" and not re.fullmatch("[0-9]{1,20}", page):
            what = f"a page's number cannot be {page!r}"
            yield "page", what, "it stands in the address of the page's admin view: page = 2414183"
        if not re.fullmatch("20[0-9]{2}(0[1-9]|1[0-2])", version):
            what = f"a version of LinkedIn's API cannot be {version!r}"
            yield "version", what, f'write a year and a month: version = "{VERSION}"'

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Upload the pictures, which makes nothing public; then post, or comment on `after`."""
        if after:
            return self._comment(part, after)
        with surely_not_live("the pictures did not arrive"):
            images = [self._upload(picture) for picture in part.pictures]
        post: dict[str, Any] = {
            "author": self._urn,
            "commentary": little(part.text),
            "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }
        if len(images) == 1:
            post["content"] = {"media": images[0]}
        elif images:
            post["content"] = {"multiImage": {"images": images}}
        elif self._card and (address := first_address(part.text)):
            card = {"source": address, "title": self._card}
            post["content"] = {"article": {**card, "description": self._card}}

        def read(answer: Answer) -> Receipt:
            id_ = answer.headers["x-restli-id"]
            return Receipt(id_, _url(id_), self._account.now())

        return self._ask("POST", "/posts", read, json=post, fence=part.fence)

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """The newest of the page's posts, or of our comments below them, that reads the same."""
        since = since.astimezone(UTC).replace(microsecond=0)
        kept = self._account.shelf.get(part.token) or {}
        with looking("LinkedIn"):
            return post_or_comment(
                without_markup(part.text),
                kept.get("after", ""),
                (id_ for id_ in not_these if not _thread(id_)),
                lambda: self._posts(since, not_these),
                lambda post: self._comments(post, since, not_these),
            )

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """Lifetime statistics of posts, fifty a call; of comments their reactions and replies."""
        told: dict[str, Figures] = {}
        kinds = {"urn:li:share": "shares", "urn:li:ugcPost": "ugcPosts", "urn:li:comment": ""}
        for kind, name in kinds.items():
            ids = [one.id for one in receipts if one.id.startswith(f"{kind}:")]
            for start in range(0, len(ids), AT_ONCE):
                urns = f"List({','.join(quote(id_, '') for id_ in ids[start : start + AT_ONCE])})"
                told.update(self._statistics(name, urns) if name else self._reactions(urns))
        return told

    def audience(self) -> Figures:
        """The page's followers."""
        path = f"/networkSizes/{quote(self._urn, '')}?edgeType=COMPANY_FOLLOWED_BY_MEMBER"
        followers = self._ask("GET", path, lambda answer: answer.body["firstDegreeSize"])
        return {"followers": followers} if isinstance(followers, int) else {}

    def check(self) -> str:
        """Which page it is, and how long token and version last."""
        name = self._ask(
            "GET", f"/organizations/{self._page}", lambda answer: answer.body["localizedName"]
        )
        line = f"{self.account}: “{name}”, token accepted"
        if self._client and self._secret:
            mine = {"client_id": self._client, "client_secret": self._secret, "token": self._token}
            token = self._rest.ask("POST", INTROSPECTION, _good, data=mine)
            self._ends = _time(token["expires_at"] * 1000) if token.get("expires_at") else None
            line += f" until {self._ends:%Y-%m-%d}" if self._ends else ""
            # LinkedIn gives some apps a permission under this name, and others under ..._feed.
            granted = re.split("[, ]+", token.get("scope", ""))
            line += lacking(PERMISSIONS, [name.removesuffix("_feed") for name in granted])
        else:
            line += "; until when is not known: give client-id and client_secret to be told"
        age = self._account.now() - datetime.strptime(self._version + "+0000", "%Y%m%z")
        if age > timedelta(days=330):
            line += f"; LinkedIn takes version {self._version} for a year: write a newer one"
        return line

    def expires(self) -> datetime | None:
        """When the token ends, as LinkedIn last told."""
        return self._ends

    def oauth(self, _redirect: str = "") -> OAuth | None:
        """The office's app. LinkedIn gives PKCE to a few native apps only, at another address.

        https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow
        """
        if not self._client:
            return None
        return OAuth(
            "LinkedIn",
            "https://www.linkedin.com/oauth/v2/authorization",
            "https://www.linkedin.com/oauth/v2/accessToken",
            self._client,
            PERMISSIONS,
            secret=self._secret,
            pkce=False,
            base=self._account.base,
        )

    @property
    def _token(self) -> str:
        """The token of this moment; what is told is cleaned of the one that was sent last."""
        self._sent = self._account.secrets.get("token", "")
        return self._sent

    def withdraw(self, receipt: Receipt) -> None:
        """Delete it; LinkedIn says yes to one that is gone already."""
        headers = {"X-RestLi-Method": "DELETE"}
        self._ask("DELETE", self._path(receipt), lambda answer: None, headers=headers)

    def correct(self, receipt: Receipt, part: Part) -> None:
        """Replace the text."""
        patch: dict[str, Any] = {"$set": {"commentary": little(part.text)}}
        if _thread(receipt.id):
            patch = {"message": {"$set": {"text": without_markup(part.text)}}}
        headers = {"X-RestLi-Method": "PARTIAL_UPDATE"}
        path = self._path(receipt)
        self._ask("POST", path, lambda answer: None, headers=headers, json={"patch": patch})

    def _comment(self, part: Part, after: Receipt) -> Receipt:
        if part.pictures:
            raise Refused("a comment on LinkedIn takes no pictures here: put them with the post")
        if part.token:  # so that it is looked for under this post
            self._account.shelf.put(part.token, {"after": after.id})
        text = without_markup(part.text)
        comment = {"actor": self._urn, "object": after.id, "message": {"text": text}}

        def read(answer: Answer) -> Receipt:
            return _comment_receipt(
                {"id": answer.headers["x-restli-id"], **(answer.body or {})},
                after.id,
                self._account.now(),
            )

        path = f"/socialActions/{quote(after.id, '')}/comments"
        return self._ask("POST", path, read, json=comment, fence=part.fence)

    def _upload(self, picture: Picture) -> dict[str, str]:
        asked = {"initializeUploadRequest": {"owner": self._urn}}
        value = self._ask(
            "POST",
            "/images?action=initializeUpload",
            lambda answer: answer.body["value"],
            json=asked,
        )
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": picture.type}
        self._rest.ask(
            "PUT", value["uploadUrl"], lambda answer: None, data=picture.data, headers=headers
        )
        id_ = str(value["image"])
        for _ in range(self.patience):
            state = self._ask(
                "GET", f"/images/{quote(id_, '')}", lambda answer: answer.body["status"]
            )
            if state in ("AVAILABLE", "READY"):
                return {"id": id_, **({"altText": picture.alt} if picture.alt else {})}
            if state.endswith("FAILED"):
                raise Refused(f"LinkedIn cannot process {picture.file}: {state}")
            time.sleep(self.pause)
        raise NotNow(f"LinkedIn is still processing {picture.file}")

    def _posts(self, since: datetime, not_these: Set[str]) -> Iterator[tuple[str, Receipt]]:
        """The page's own posts since then, newest first, that are no other delivery's."""
        author = quote(self._urn, "")
        path = f"/posts?author={author}&q=author&count={PAGE}&sortBy=CREATED&viewContext=AUTHOR"
        headers = {"X-RestLi-Method": "FINDER"}
        posts = self._ask("GET", path, lambda answer: answer.body["elements"], headers=headers)
        if not posts and not_these:
            raise CannotTell("LinkedIn lists no posts, though some of ours should be there")
        for post in posts:
            at = _time(post.get("publishedAt") or post["createdAt"])
            if post["id"] in not_these or at < since or "FAILED" in post["lifecycleState"]:
                continue
            yield shown(post.get("commentary", "")), Receipt(post["id"], _url(post["id"]), at)
        if len(posts) >= PAGE and min(_time(post["createdAt"]) for post in posts) >= since:
            raise CannotTell(f"there are more than {PAGE} posts since; look on LinkedIn yourself")

    def _comments(
        self, post: str, since: datetime, not_these: Set[str]
    ) -> Iterator[tuple[str, Receipt]]:
        path = f"/socialActions/{quote(post, '')}/comments?start=0&count={PAGE}"
        comments = self._ask("GET", path, lambda answer: answer.body["elements"])
        for comment in comments:
            receipt = _comment_receipt(comment, post, _time(comment["created"]["time"]))
            ours = comment["actor"] == self._urn and receipt.id not in not_these
            if ours and receipt.at and receipt.at >= since:
                yield comment["message"]["text"], receipt
        if len(comments) >= PAGE:
            raise CannotTell(f"there are more than {PAGE} comments below {_url(post)}")

    def _statistics(self, name: str, urns: str) -> Iterator[tuple[str, Figures]]:
        """Those of posts that have any: LinkedIn leaves out what nobody has seen yet."""
        page = f"q=organizationalEntity&organizationalEntity={quote(self._urn, '')}"
        path = f"/organizationalEntityShareStatistics?{page}&{name}={urns}"
        for row in self._ask("GET", path, lambda answer: answer.body["elements"]):
            counts = row["totalShareStatistics"]
            figures = {
                METRICS[n]: v for n, v in counts.items() if n in METRICS and isinstance(v, int)
            }
            yield row.get("share") or row["ugcPost"], figures

    def _reactions(self, urns: str) -> Iterator[tuple[str, Figures]]:
        """A comment is shown with its post: it adds no displays, reach or shares to it."""
        headers = {"X-RestLi-Method": "BATCH_GET"}
        path = f"/socialMetadata?ids={urns}"
        results = self._ask("GET", path, lambda answer: answer.body["results"], headers=headers)
        for id_, row in results.items():
            likes = sum(one["count"] for one in row["reactionSummaries"].values())
            own = {"likes": likes, "replies": row["commentSummary"]["count"]}
            yield id_, {"displays": 0, "reach": 0, "shares": 0, **own}

    def _path(self, receipt: Receipt) -> str:
        if thread := _thread(receipt.id):
            post, id_ = thread
            return f"/socialActions/{quote(post, '')}/comments/{id_}?actor={quote(self._urn, '')}"
        return f"/posts/{quote(receipt.id, '')}"

    def _ask(
        self,
        method: str,
        path: str,
        read: Callable[[Answer], T],
        *,
        fence: Callable[[float], None] = unfenced,
        headers: Mapping[str, str] | None = None,
        json: object = None,
    ) -> T:
        if not self._page.isdecimal():
            told = f"{self._account.channel} names no page"
            raise Refused(f"{told}: write its number as `page` in channels.toml")
        if not (token := self._token):
            channel = self._account.channel
            raise Refused(f"{channel} has no token: connect it with outreach connect {channel}")
        always = {
            "Authorization": f"Bearer {token}",
            "LinkedIn-Version": self._version,
            "X-Restli-Protocol-Version": "2.0.0",
        }
        headers = {**always, **(headers or {})}
        return self._rest.ask(method, API + path, read, fence=fence, headers=headers, json=json)

    def _meaning(self, answer: Answer) -> PlatformError:
        """What a status of LinkedIn's means for a post. https://learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling"""
        body = answer.body if isinstance(answer.body, dict) else {}
        told = f"{body.get('message') or body.get('error_description') or answer.reason}"
        said = self._rest.scrubbed(f"{answer.status} {told}")
        match answer.status:
            case 429:
                # It counts by UTC day and by shorter times, and does not say which was used up.
                asked = answer.headers.get("Retry-After", "")
                wait = bounded(int(asked)) if asked.isdecimal() else timedelta(minutes=15)
                return NotNow("LinkedIn asks to wait", wait, everything=True)
            case 409 | 422 if "DUPLICATE" in str(body).upper():
                return Uncertain(f"LinkedIn has the same text already ({said})")
            case 401 if body.get("error") == "invalid_client":
                return Refused("LinkedIn does not know this client-id with this client_secret")
            case 401:
                return Refused(
                    f"LinkedIn does not accept this token ({said}): connect it anew with "
                    f"outreach connect {self._account.channel}"
                )
            case 403:
                return Refused(
                    f"LinkedIn does not permit it ({said}): who made the token must be an "
                    f"administrator of the page, and it needs {', '.join(PERMISSIONS)}"
                )
            case 426:
                return Refused(
                    f"LinkedIn no longer takes version {self._version} of its API: write a newer "
                    "one as `version` in channels.toml"
                )
            case 400 | 404 | 405 | 411 | 413 | 415 | 422:
                return Refused(f"LinkedIn refuses it: {said}")
        return Uncertain(f"no clear answer from LinkedIn: {said}")


def _url(id_: str) -> str:
    return f"https://www.linkedin.com/feed/update/{id_}"


def _thread(id_: str) -> tuple[str, str] | None:
    """What a comment is below, and its number there; None for a post."""
    found = re.fullmatch(r"urn:li:comment:\((.+),(\w+)\)", id_)
    return (found[1], found[2]) if found else None


def _comment_receipt(comment: Mapping[str, Any], post: str, at: datetime) -> Receipt:
    known = comment.get("commentUrn") or comment.get("$URN")
    urn = str(known or f"urn:li:comment:({post},{comment['id']})")
    return Receipt(urn, f"{_url(post)}?commentUrn={quote(urn, '')}", at)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _good(answer: Answer) -> dict[str, Any]:
    """An introspected token; Refused for one that is no longer good."""
    if not answer.body["active"]:
        raise Refused("LinkedIn says that this token is no longer good: make a new one")
    return dict(answer.body)
