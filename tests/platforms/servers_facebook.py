"""Facebook on loopback, for one page: stricter than the Graph API, which ignores what it does not
know.

The tables are those of developers.facebook.com/docs/graph-api/reference for v25.0: page/feed,
page/photos, page/published_posts, object/comments, page-post; of docs/graph-api/batch-requests,
docs/facebook-login/guides/access-tokens/debugging, and platforminsights/page/deprecated-metrics.
"""

import hashlib
import hmac
import json
import re
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from .servers import Network, Reply, fields, form, odd

FEED = {
    "message": True,
    "link": False,
    "published": False,
    "scheduled_publish_time": False,
    "targeting": False,
    "feed_targeting": False,
    "place": False,
    "tags": False,
}
PHOTO = {"published": True, "alt_text_custom": False, "caption": False, "temporary": False}
COMMENT = {"message": True, "attachment_id": False, "attachment_url": False}
QUERIES = {
    "published_posts": {"fields": True, "limit": False, "since": False, "until": False},
    "comments": {"fields": True, "limit": False, "filter": False, "order": False},
}
POST_FIELDS = {"id", "message", "created_time", "permalink_url", "shares", "from"}


class FacebookNetwork(Network):
    """The answers for one page and one app.

    `insights` are the metrics that it gives today, and what of each; any other name fails the whole
    question. `hidden` lists nothing. `debugs` is whether a page's token may ask about itself.
    """

    PAGE, APP = "105550001111111", "app-1"
    TOKEN, SECRET = "EAAG-secret-token-1", "as-secret-2"
    PERSON, LONGER = "EAAG-persons-token-2", "EAAG-of-60-days-3"  # an administrator's

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.debugs, self.who = False, True, ""
        self.photos: dict[str, tuple[bytes, str]] = {}
        self.sent: dict[str, dict] = {}
        self.token = {
            "type": "PAGE",
            "is_valid": True,
            "profile_id": self.PAGE,
            "scopes": [
                "pages_manage_posts",
                "pages_manage_engagement",
                "pages_read_engagement",
                "pages_read_user_content",
                "read_insights",
            ],
        }
        self.ends, self.data_ends = 0, int(time.time()) + 86_400 * 90
        self.spent = {"X-App-Usage": json.dumps({"call_count": 100, "total_time": 25})}
        self.forbidden: set[str] = set()  # whose insights it does not permit to read
        self.insights: dict[str, object] = {
            "post_media_view": 250,
            "post_total_media_view_unique": 120,
            "post_reactions_by_type_total": {"like": 2, "love": 1},
            "post_activity_by_action_type": {"share": 2, "like": 3, "comment": 1},
            "post_clicks": 9,
        }

    def failure(self, fault):
        if fault == "refused":
            return no(400, 100, "(#100) Invalid parameter")
        if fault == "not now":
            reply = no(403, 32, "(#32) Page request limit reached")
            reply.headers = self.spent
            return reply
        return no(500, 2, "An unexpected error has occurred. Please retry later.", transient=True)

    def keep(self, text, at=None, **more):
        post = super().keep(text, at, **more)
        first = post.after.partition("_")[2] or self.PAGE
        post.id = f"{first}_{post.id}"
        return post

    def answer(self, method, path, query, headers, body):
        version, _, rest = path.strip("/").partition("/")
        if version != "v25.0":
            return "", no(400, 2635, "You are calling a deprecated version of the Graph API.")
        data, files = form(headers.get("Content-Type", ""), body) if body else ({}, {})
        self.bodies.append((path, data))
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        token += data.pop("access_token", "")  # one of the two
        self.who = token
        if token not in (self.TOKEN, self.PERSON, self.LONGER):
            return "", no(401, 190, f"Malformed access token {token}")
        for given in (query, data):
            proof = hmac.new(self.SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
            if given.pop("appsecret_proof", proof) != proof:
                return "", no(400, 100, "Invalid appsecret_proof provided in the API argument")
        kind, reply = self.route(method, rest, query, data, files)
        return "" if reply.status >= 400 else kind, reply

    def route(self, method, path, query, data, files):
        match method, path.split("/"):
            case "POST", [""]:
                return "read", self.batch(data)
            case "POST", [self.PAGE, "feed"]:
                return "publish", self.create(data)
            case "POST", [self.PAGE, "photos"]:
                return "upload", self.upload(data, files)
            case "POST", [id_, "comments"]:
                return "publish", self.comment(id_, data)
            case "POST", [id_]:
                return "correct", self.edit(id_, data)
            case "DELETE", [id_]:
                return "withdraw", self.remove(id_)
            case "GET", _:
                return "read", self.get(path, query)
        return "", no(400, 2500, "Unknown path components")

    def get(self, path, query):
        match path.split("/"):
            case ["oauth", "access_token"]:
                known = ("grant_type", "client_id", "client_secret", "fb_exchange_token")
                right = ("fb_exchange_token", self.APP, self.SECRET, self.who)
                if query != dict(zip(known, right, strict=True)) or self.who == self.TOKEN:
                    return no(400, 1, "Error validating the exchange")
                return Reply(200, {"access_token": self.LONGER, "token_type": "bearer"})
            case [self.PAGE] if query["fields"] == "access_token":
                token = "EAAG-of-an-hour-4" if self.who == self.PERSON else self.TOKEN
                return Reply(200, {"id": self.PAGE, "access_token": token})
            case [self.PAGE]:
                name = {"id": self.PAGE, "name": "NEASPEC", "followers_count": 812}
                wanted = query["fields"].split(",")
                return Reply(200, {k: v for k, v in name.items() if k in wanted})
            case [self.PAGE, "published_posts"]:
                return self.listing(query)
            case [id_, "comments"]:
                return self.comments(id_, query)
            case [id_, "insights"]:
                return self.insights_of(id_, query["metric"].split(","))
            case ["debug_token"]:
                return self.debugged(query)
            case [id_]:
                return self.node(id_, query["fields"])
        return no(400, 2500, "Unknown path components")

    def batch(self, data):
        if odd(data, {"batch": True, "include_headers": False}):
            return no(400, 100, "Unknown parameters of a batch")
        asked = json.loads(data["batch"])
        if not 1 <= len(asked) <= 50:
            return no(400, 100, "Too many requests in batch message. Maximum batch size is 50")
        told = []
        for one in asked:
            assert set(one) == {"method", "relative_url"} and one["method"] == "GET"
            url = urlsplit(one["relative_url"])
            reply = self.get(url.path, fields(url.query))
            told.append({"code": reply.status, "body": json.dumps(reply.body)})
        return Reply(200, told)

    def debugged(self, query):
        asks = query.get("access_token", "")
        if asks and asks != f"{self.APP}|{self.SECRET}":
            return no(400, 190, f"Invalid OAuth access token {asks}")
        if not asks and not self.debugs:
            return no(
                400, 100, "(#100) You must provide an app access token, or a user access token"
            )
        ends = {"expires_at": self.ends, "data_access_expires_at": self.data_ends}
        return Reply(200, {"data": {**self.token, **ends}})

    def create(self, data):
        attached = {n: v for n, v in data.items() if re.fullmatch(r"attached_media\[\d\]", n)}
        wrong = odd(set(data) - set(attached), FEED)
        if wrong or len(data["message"].encode("utf-16-le")) // 2 > 63_206:
            return no(400, 100, f"(#100) Invalid parameter: {wrong}")
        ids = [json.loads(value)["media_fbid"] for value in attached.values()]
        if any(id_ not in self.photos for id_ in ids):
            return no(400, 100, "(#100) media_fbid is no unpublished photo of this page")
        if self.has(data):
            return no(400, 506, "Duplicate status message")

        def commit():
            media = [self.photos.pop(id_) for id_ in ids]
            post = self.keep(
                data["message"],
                pictures=[data for data, _ in media],
                alts=[alt for _, alt in media],
            )
            self.sent[post.id] = data
            return {"id": post.id}

        return Reply(200, None, commit=commit)

    def has(self, data):
        recent = datetime.now(UTC) - timedelta(days=1)
        return any(self.sent.get(p.id) == data and p.at > recent for p in self.posts)

    def upload(self, data, files):
        if odd(data, PHOTO) or set(files) != {"source"}:
            return no(400, 324, "Missing or invalid image file")

        def commit():
            if data["published"] != "false":  # as Facebook does: it would be a post
                self.keep(data.get("caption", ""), pictures=[files["source"]])
            id_ = str(900_000 + len(self.photos) + len(self.posts) * 100)
            self.photos[id_] = (files["source"], data.get("alt_text_custom", ""))
            return {"id": id_}

        return Reply(200, None, commit=commit)

    def known(self, id_):
        return next((post for post in self.posts if post.id == id_), None)

    def comment(self, id_, data):
        post = self.known(id_)
        if post is None:
            return gone(id_)
        if odd(data, COMMENT) or len(data["message"]) > 8000:
            return no(400, 100, "(#100) Invalid parameter")

        def commit():
            return {"id": self.keep(data["message"], after=post.id).id}

        return Reply(200, None, commit=commit)

    def listing(self, query):
        wrong = odd(query, QUERIES["published_posts"])
        if wrong or set(query["fields"].split(",")) - POST_FIELDS or int(query["limit"]) > 100:
            return no(400, 100, f"(#100) Invalid parameter: {wrong}")
        since = datetime.fromtimestamp(int(query.get("since", 0)), UTC)
        posts = [p for p in reversed(self.posts) if p.at >= since and not p.after]
        return self.listed([] if self.hidden else posts, int(query["limit"]))

    def comments(self, id_, query):
        if odd(query, QUERIES["comments"]):
            return no(400, 100, "(#100) Invalid parameter")
        found = [post for post in reversed(self.posts) if post.after == id_]
        return self.listed(found, int(query["limit"]))

    def listed(self, posts, limit):
        rows = [
            {
                "id": post.id,
                "message": post.text,
                "created_time": f"{post.at:%Y-%m-%dT%H:%M:%S}+0000",
                "from": {"id": self.PAGE, "name": "NEASPEC"},
            }
            for post in posts[:limit]
        ]
        more = {"next": "https://graph.facebook.com/"} if len(posts) > limit else {}
        return Reply(200, {"data": rows, **({"paging": {**more}} if rows else {})})

    def insights_of(self, id_, names):
        if set(names) - set(self.insights):
            return no(400, 100, "(#100) The value must be a valid insights metric")
        told = {name: self.insights[name] for name in names}
        rows = [
            {"name": name, "period": "lifetime", "values": [{"value": value}]}
            for name, value in told.items()
            if value is not None
        ]
        return Reply(200, {"data": rows})

    def node(self, id_, wanted):
        post = self.known(id_)
        if post is None:
            return gone(id_)
        if id_ in self.forbidden:
            return no(403, 10, "(#10) Application does not have permission for this action")
        if post.after:
            assert wanted == "id,like_count,comment_count"
            return Reply(200, {"id": id_, "like_count": 4, "comment_count": 1})
        found = re.fullmatch(r"id,insights\.metric\(([^)]*)\)\{name,values\}", wanted)
        insights = self.insights_of(id_, found[1].split(","))
        if insights.status != 200:
            return insights
        return Reply(200, {"id": id_, "insights": insights.body})

    def edit(self, id_, data):
        post = self.known(id_)
        if post is None or set(data) != {"message"}:
            return gone(id_)

        def commit():
            post.text = data["message"]
            return {"success": True}

        return Reply(200, None, commit=commit)

    def remove(self, id_):
        if self.known(id_) is None:
            return gone(id_)

        def commit():
            self.posts[:] = [post for post in self.posts if id_ not in (post.id, post.after)]
            return {"success": True}

        return Reply(200, None, commit=commit)


def gone(id_) -> Reply:
    return no(
        400,
        100,
        f"Unsupported request. Object with ID '{id_}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation",
    )


def no(status, code, message, *, transient=False) -> Reply:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    return Reply(status, {"error": {**error, **({"is_transient": True} if transient else {})}})
