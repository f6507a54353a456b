"""Facebook pages, through the Graph API. https://developers.facebook.com/docs/pages-api

Facebook takes no key against repeats, but lists a page's posts. Meta's own client for Python is its
whole advertising business in code, and none of it is used. Error texts and proxies may quote the
token, which stands in no address: what has to name it is sent as a batch, in a body.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

from outreach.errors import CannotTell, PlatformError, Refused, Uncertain
from outreach.links import first_address
from outreach.platforms import Account, Ask, Figures, How, Limits, Receipt
from outreach.platforms.alike import post_or_comment
from outreach.platforms.facebook_errors import (
    FORBIDDEN,
    PERMISSIONS,
    SPENT,
    TOKEN,
    code_of,
    meaning,
    no_such_metric,
    spent,
)
from outreach.platforms.failures import lacking, looking, surely_not_live
from outreach.platforms.rest import Answer, Rest
from outreach.post import Part, Picture, unfenced

T = TypeVar("T")

VERSION = "v25.0"
"""Of February 2026; taken until 29 July 2028 (developers.facebook.com/docs/graph-api/changelog)."""

GRAPH = "https://graph.facebook.com"

METRICS: Mapping[
    str, tuple[str, ...]
] = {  # of a post's insights, seen to be given in September 2026; metrics.toml says since when
    "post_media_view": ("displays",),
    "post_total_media_view_unique": ("reach",),
    "post_reactions_by_type_total": ("likes",),
    "post_activity_by_action_type": ("replies", "shares"),
}
RENAMED = ("displays", "reach")  # those for which a channel may name another metric

PAGE = 100  # posts or comments of one listing
AT_ONCE = 50  # questions of one batch; Facebook takes no more


def counted(text: str) -> int:
    """UTF-16 units. What Facebook counts is not published: no count of it can be larger."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Facebook:
    """One page on Facebook. A post's second part is the first comment under it."""

    limits: ClassVar = Limits(
        text=63_206,
        length=counted,
        unit="UTF-16 units",
        later=8000,
        parts=2,
        pictures=10,
        picture_longest=2048,
        picture_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        deadline=120.0,
    )
    offers: ClassVar = frozenset({"displays", "reach", "likes", "replies", "shares", "followers"})
    needs: ClassVar = ("token",)
    uses: ClassVar = ("app_secret",)
    asks: ClassVar = ("page", "version", "app", "card", *(f"metric-{name}" for name in RENAMED))
    public: ClassVar = True
    how: ClassVar = How(
        steps=(
            "In the Business settings of Facebook make a system user, give it the page with all "
            "content tasks and the insights, and generate a token for the office's app, with "
            f"{', '.join(PERMISSIONS)}.",
            "Or open the Graph API Explorer as an administrator of the page and generate a token "
            "with the same permissions: with the app's number and secret it is changed here for "
            "one of the page that lasts.",
        ),
        asks=(
            Ask("token", "the token"),
            Ask("app_secret", "the app's secret", True),
        ),
    )

    timeout: ClassVar = 25.0  # seconds without a byte of the answer
    connect: ClassVar = 5.0  # seconds

    def __init__(self, account: Account) -> None:
        options, secrets = account.options, account.secrets
        self._account, self._token = account, secrets.get("token", "")
        self._secret, self._app = secrets.get("app_secret", ""), options.get("app", "")
        self._page = options.get("page", "").strip()
        self._card = options.get("card", "") == "preview"
        self._version = options.get("version", VERSION)
        self._named = {o: options[f"metric-{o}"] for o in RENAMED if f"metric-{o}" in options}
        self.called: Mapping[str, str] = {}
        self.rename({})
        self._ends: datetime | None = None
        self.retired: Set[str] = frozenset()
        self.account = f"facebook page {self._page or account.channel}"
        if self._card:  # the public sees it, so it belongs to what is cleared
            self.account += ", with a preview of its first address"
        self._rest = Rest(
            "Facebook",
            self.connect,
            self.timeout,
            live=lambda method, path: method == "POST" and path.endswith(("/feed", "/comments")),
            meaning=lambda answer: meaning(answer, self._rest.scrubbed),
            secrets=lambda: (self._token, self._secret),
            base=account.base,
        )

    @staticmethod
    def mistakes(options: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
        """Option, what is wrong with it, and what to do."""
        page, version = options.get("page", "tbc"), options.get("version", VERSION)
        if page != "tbc" and not re.fullmatch("[0-9]{1,20}", page):
            what = f"a page's number cannot be {page!r}"
            yield "page", what, "it stands in the page's About, under Page transparency"
        if not re.fullmatch(r"v[0-9]{1,3}\.[0-9]", version):
            what = f"a version of the Graph API cannot be {version!r}"
            yield "version", what, f'write for example version = "{VERSION}"'
        if options.get("card", "preview") != "preview":
            what = f"card cannot be {options['card']!r}"
            yield "card", what, 'write card = "preview", or take the line out'

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Upload the pictures unpublished; then post, or comment on `after`."""
        if after and part.pictures:
            raise Refused("a comment on Facebook takes no pictures here: put them with the post")
        if after and part.token:  # so that it is looked for under this post
            self._account.shelf.put(part.token, {"after": after.id})
        with surely_not_live("the pictures did not arrive"):
            photos = [self._upload(picture) for picture in part.pictures]
        post = {"message": part.text}
        for number, photo in enumerate(photos):
            post[f"attached_media[{number}]"] = json.dumps({"media_fbid": photo})
        if self._card and not photos and not after and (address := first_address(part.text)):
            post["link"] = address

        def read(answer: Answer) -> Receipt:
            id_ = str(answer.body["id"])
            pause = spent(answer.headers)
            return Receipt(id_, self._url(id_), self._account.now(), pause)

        path = f"/{after.id}/comments" if after else f"/{self._page}/feed"
        return self._ask("POST", path, read, data=post, fence=part.fence)

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """The newest of the page's posts, or of our comments below them, that reads the same."""
        since = since.astimezone(UTC).replace(microsecond=0)
        kept = self._account.shelf.get(part.token) or {}
        with looking("Facebook"):
            return post_or_comment(
                part.text,
                kept.get("after", ""),
                (id_ for id_ in not_these if self._is_post(id_)),
                lambda: self._posts(since, not_these),
                lambda post: self._comments(post, since, not_these),
            )

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """Lifetime insights, fifty posts a call; a comment's reactions and replies.

        One metric that Facebook has retired fails all others with it: then each is asked for alone,
        once, and the others are asked for without it.
        """
        told: dict[str, Figures] = {}
        ids = [receipt.id for receipt in receipts]
        metrics, self.retired = dict(self._metrics), frozenset()
        for start in range(0, len(ids), AT_ONCE):
            group = ids[start : start + AT_ONCE]
            found = self._batch([self._figures_of(id_, metrics) for id_ in group])
            unknown = [id_ for id_, one in zip(group, found, strict=True) if no_such_metric(one)]
            if unknown:
                alone = [f"{unknown[0]}/insights?metric={name}" for name in metrics]
                answers = zip(list(metrics), self._batch(alone), strict=True)
                gone = {name for name, one in answers if no_such_metric(one)}
                self.retired |= {ours for name in gone for ours in metrics.pop(name)}
                found = self._batch([self._figures_of(id_, metrics) for id_ in group])
            if found and all(code_of(one) in FORBIDDEN for one in found):
                raise meaning(Answer(403, {}, found[0], ""), self._rest.scrubbed)
            for id_, one in zip(group, found, strict=True):
                if "id" in one:
                    told[id_] = self._read(id_, one, metrics)
        return told

    def rename(self, names: Mapping[str, str]) -> None:
        """Ask for displays and reach by these names; a channel's own `metric-…` stand before."""
        names = {**{o: n for o, n in names.items() if o in RENAMED}, **self._named}
        self._metrics = {
            next((names[o] for o in ours if o in names), name): ours
            for name, ours in METRICS.items()
        }
        self.called = {o: name for name, ours in self._metrics.items() for o in ours}

    def audience(self) -> Figures:
        """The page's followers."""
        path = f"/{self._page}?fields=followers_count"
        followers = self._ask("GET", path, lambda answer: answer.body["followers_count"])
        return {"followers": followers} if isinstance(followers, int) else {}

    def check(self) -> str:
        """Which page it is, and how long the token lasts."""
        name = self._ask("GET", f"/{self._page}?fields=id,name", lambda answer: answer.body["name"])
        asked = f"debug_token?input_token={quote(self._token, '')}"
        if self._app and self._secret:
            asked += f"&access_token={quote(f'{self._app}|{self._secret}', '')}"
        (answer,) = self._batch([asked])
        line = f"{self.account}: “{self._rest.scrubbed(name)}”, token accepted"
        if not isinstance(told := answer.get("data"), dict) or "expires_at" not in told:
            return f"{line}; until when is not known: give app and app_secret to be told"
        if told.get("type", "PAGE") != "PAGE" or told.get("profile_id", self._page) != self._page:
            raise Refused(
                f"this is no token of the page {self._page}: make a new one for it; a person's own "
                "is another (platforms.md)"
            )
        # 0 is for ever. Data access ends too: the page is posted to, but not read.
        ends = [told[n] for n in ("expires_at", "data_access_expires_at") if told.get(n)]
        self._ends = datetime.fromtimestamp(min(ends), UTC) if ends else None
        line += f" until {self._ends:%Y-%m-%d}" if self._ends else ""
        return line + lacking(PERMISSIONS, told.get("scopes", PERMISSIONS))

    def expires(self) -> datetime | None:
        """When the token ends, or what it may read, as Facebook last told."""
        return self._ends

    def swap(self) -> Mapping[str, str]:
        """The page's own token for whichever was given: a person's, or a system user's.

        With the app's number and secret, a person's token of hours is first changed for one of 60
        days: a page's token that is made of that one does not end.
        https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived
        """
        longer = self
        if self._app and self._secret:
            asked = (
                f"oauth/access_token?grant_type=fb_exchange_token&client_id={quote(self._app, '')}"
                f"&client_secret={quote(self._secret, '')}"
                f"&fb_exchange_token={quote(self._token, '')}"
            )
            (told,) = self._batch([asked])
            if token := told.get("access_token"):
                secrets = {**self._account.secrets, "token": token}
                longer = type(self)(replace(self._account, secrets=secrets))
        (page,) = longer._batch([f"{self._page}?fields=access_token"])
        token = page.get("access_token") or longer._token
        return {**self._account.secrets, "token": token}

    def withdraw(self, receipt: Receipt) -> None:
        """Delete it; one that is gone already is no failure.

        Facebook refuses that with the words for what it hides, so it is looked for.
        """
        try:
            self._ask("DELETE", f"/{receipt.id}", _done)
        except Refused:
            if self._is_listed(receipt):
                raise

    def correct(self, receipt: Receipt, part: Part) -> None:
        """Replace the text; Facebook takes it from the app alone that posted."""
        self._ask("POST", f"/{receipt.id}", _done, data={"message": part.text})

    def _is_listed(self, receipt: Receipt) -> bool:
        """Whether a post is among the page's, or a comment among those below its post; where that
        cannot be told, it is."""
        since = (receipt.at or datetime.now(UTC)).astimezone(UTC) - timedelta(minutes=2)
        since = since.replace(microsecond=0)
        try:
            if self._is_post(receipt.id):
                listed = self._posts(since, frozenset({"another"}))
            else:
                post = f"{self._page}_{receipt.id.rpartition('_')[0]}"
                listed = self._comments(post, since, frozenset())
            return any(one.id == receipt.id for _, one in listed)
        except PlatformError:
            return True

    def _is_post(self, id_: str) -> bool:
        return id_.startswith(f"{self._page}_")  # a comment's begins with its post's

    def _url(self, id_: str) -> str:
        if self._is_post(id_):
            return f"https://www.facebook.com/{id_}"
        post, _, comment = id_.rpartition("_")
        return f"https://www.facebook.com/{self._page}_{post}?comment_id={comment}"

    def _upload(self, picture: Picture) -> str:
        about = {"published": "false", "alt_text_custom": picture.alt}
        file = {"source": (picture.name, picture.data, picture.type)}
        return self._ask(
            "POST",
            f"/{self._page}/photos",
            lambda answer: str(answer.body["id"]),
            data={name: value for name, value in about.items() if value},
            files=file,
        )

    def _posts(self, since: datetime, not_these: Set[str]) -> Iterator[tuple[str, Receipt]]:
        """The page's own posts since then, newest first, that are no other delivery's."""
        path = f"/{self._page}/published_posts?fields=id,message,created_time&limit={PAGE}"
        listed = self._ask("GET", f"{path}&since={int(since.timestamp())}", _listed)
        if not listed["data"] and not_these and not self._ask("GET", path, _listed)["data"]:
            raise CannotTell("Facebook lists no posts, though some of ours should be there")
        yield from self._found(listed, since, not_these)
        if "next" in listed.get("paging", {}):
            raise CannotTell(f"there are more than {PAGE} posts since; look on Facebook yourself")

    def _comments(
        self, post: str, since: datetime, not_these: Set[str]
    ) -> Iterator[tuple[str, Receipt]]:
        path = f"/{post}/comments?fields=id,message,created_time,from&filter=stream&limit={PAGE}"
        listed = self._ask("GET", f"{path}&order=reverse_chronological", _listed)
        ours = [one for one in listed["data"] if one.get("from", {}).get("id") == self._page]
        yield from self._found({"data": ours}, since, not_these)
        if "next" in listed.get("paging", {}):
            raise CannotTell(f"there are more than {PAGE} comments below {self._url(post)}")

    def _found(
        self, listed: Mapping[str, Any], since: datetime, not_these: Set[str]
    ) -> Iterator[tuple[str, Receipt]]:
        for one in listed["data"]:
            at = datetime.fromisoformat(one["created_time"]).astimezone(UTC)
            if one["id"] not in not_these and at >= since:
                yield one.get("message", ""), Receipt(one["id"], self._url(one["id"]), at)

    def _figures_of(self, id_: str, metrics: Mapping[str, object]) -> str:
        """The question for one post or comment."""
        if not self._is_post(id_):
            return f"{id_}?fields=id,like_count,comment_count"
        return f"{id_}?fields=id,insights.metric({','.join(metrics)}){{name,values}}"

    def _read(
        self, id_: str, one: Mapping[str, Any], metrics: Mapping[str, tuple[str, ...]]
    ) -> Figures:
        """Our figures; what was not told is absent. A breakdown that was told is whole."""
        if not self._is_post(id_):
            # It is shown with its post: it adds no displays, reach or shares to it.
            figures = {"likes": one.get("like_count"), "replies": one.get("comment_count")}
            figures = {**figures, "displays": 0, "reach": 0, "shares": 0}
            return {name: value for name, value in figures.items() if isinstance(value, int)}
        told: dict[str, int] = {}
        for row in one.get("insights", {}).get("data", []):
            value = row["values"][-1].get("value") if row.get("values") else None
            ours = metrics.get(row["name"], ())
            if isinstance(value, int) and len(ours) == 1:
                told[ours[0]] = value
            elif isinstance(value, dict) and ours == ("likes",):
                told["likes"] = sum(value.values())
            elif isinstance(value, dict) and len(ours) > 1:
                told |= {"replies": value.get("comment", 0), "shares": value.get("share", 0)}
        return told

    def _batch(self, questions: Sequence[str]) -> list[dict[str, Any]]:
        """The answers to several questions in one call, in their order; {} for none.

        Raises what an answer means that concerns more than its own question.
        """
        if not questions:
            return []
        batch = [{"method": "GET", "relative_url": one} for one in questions]
        data = {"batch": json.dumps(batch), "include_headers": "false"}
        told = self._ask("POST", "/", _answers, data=data)
        for one in told:
            if code_of(one) in SPENT | TOKEN:
                raise meaning(Answer(400, {}, one, ""), self._rest.scrubbed)
        return told

    def _ask(
        self,
        method: str,
        path: str,
        read: Callable[[Answer], T],
        *,
        fence: Callable[[float], None] = unfenced,
        data: Mapping[str, str] | None = None,
        files: object = None,
    ) -> T:
        if not self._page.isdecimal():
            told = f"{self._account.channel} names no page"
            raise Refused(f"{told}: write its number as `page` in channels.toml")
        if not self._token:
            channel = self._account.channel
            raise Refused(f"{channel} has no token: connect it with outreach connect {channel}")
        proof = {}
        if self._secret:
            digest = hmac.new(self._secret.encode(), self._token.encode(), hashlib.sha256)
            proof = {"appsecret_proof": digest.hexdigest()}
        who: dict[str, Any] = {"headers": {"Authorization": f"Bearer {self._token}"}}
        who["params"] = proof
        if data is not None:  # the token goes into the body, as in all that is documented
            who = {"data": {**data, **proof, "access_token": self._token}, "files": files}
        url = f"{GRAPH}/{self._version}{path}"
        return self._rest.ask(method, url, read, fence=fence, **who)


def _done(answer: Answer) -> None:
    if not answer.body["success"]:
        raise Uncertain("Facebook does not say that it is done")


def _answers(answer: Answer) -> list[dict[str, Any]]:
    """Those of a batch; {} for one that was not reached in time."""
    return [dict(json.loads(one["body"])) if one else {} for one in answer.body]


def _listed(answer: Answer) -> dict[str, Any]:
    """A listing; an answer without `data` is none."""
    answer.body["data"]
    return dict(answer.body)
