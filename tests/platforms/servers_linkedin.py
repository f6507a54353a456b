"""LinkedIn on loopback, for one page: stricter than LinkedIn, which ignores what it does not know.

The tables are those of learn.microsoft.com/linkedin/marketing/community-management, versions 202603
to 202605: shares/posts-api, shares/images-api, shares/comments-api, shares/little-text-format,
organizations/share-statistics, and of linkedin/shared/authentication/token-introspection.
"""

import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from .servers import Network, Reply, form, odd

POST = {
    "author": True,
    "commentary": True,
    "visibility": True,
    "distribution": True,
    "lifecycleState": True,
    "isReshareDisabledByAuthor": False,
    "content": False,
}
DISTRIBUTION = {
    "feedDistribution": True,
    "targetEntities": False,
    "thirdPartyDistributionChannels": False,
}
CONTENT: Mapping[str, Mapping[str, bool]] = {
    "media": {"id": True, "altText": False, "title": False},
    "multiImage": {"images": True},
    "article": {"source": True, "title": True, "description": False, "thumbnail": False},
}
COMMENT = {"actor": True, "object": True, "message": True, "parentComment": False, "content": False}
QUERIES = {
    "posts": {"author": True, "q": True, "count": False, "sortBy": False, "viewContext": False},
    "comments": {"start": False, "count": False},
    "statistics": {
        "q": True,
        "organizationalEntity": True,
        "shares": False,
        "ugcPosts": False,
        "timeIntervals": False,
    },
    "sizes": {"edgeType": True},
    "metadata": {"ids": True},
}


class LinkedInNetwork(Network):
    """The answers for one page.

    `escaped` is whether it shows commentary as it was sent, or as it is read: which, nobody says.
    `hidden` lists nothing. `processing` is how often it is asked before a picture is done.
    """

    PAGE = "2414183"
    URN = f"urn:li:organization:{PAGE}"
    TOKEN, CLIENT, SECRET = "AQX-secret-token_1", "client-1", "cs-secret-2"
    VERSIONS = ("202603", "202607")

    def __init__(self) -> None:
        super().__init__()
        self.escaped, self.hidden, self.processing = True, False, 1
        self.retry_after: str | None = "60"
        self.media: dict[str, tuple[bytes, int]] = {}
        self.sent: dict[str, dict] = {}
        self.unseen: set[str] = set()
        self.scopes = ["w_organization_social", "r_organization_social", "rw_organization_admin"]
        self.active, self.ends = True, int(time.time()) + 86_400 * 60
        self.counts: dict[str, float] = {
            "impressionCount": 250,
            "uniqueImpressionsCount": 120,
            "clickCount": 9,
            "likeCount": 3,
            "commentCount": 1,
            "shareCount": 2,
            "engagement": 0.06,
        }

    def failure(self, fault):
        if fault == "refused":
            return no(422, "Field Value validation failed in REQUEST_BODY")
        if fault == "not now":
            reply = no(429, "Resource level throttle limit for calls to this resource is reached.")
            if self.retry_after is not None:
                reply.headers = {"Retry-After": self.retry_after}
            return reply
        return no(503, "Service Unavailable")

    def keep(self, text, at=None, **more):
        post = super().keep(text, at or datetime.now(UTC), **more)
        number = post.id
        post.id = f"urn:li:share:{number}"
        if post.after:
            thread = post.after.replace("share", "activity")
            post.id = f"urn:li:comment:({thread},{number})"
        self.sent.setdefault(post.id, {"commentary": text})
        return post

    def answer(self, method, path, query, headers, body):
        if path == "/oauth/v2/introspectToken":
            return "read", self.introspected(form(headers.get("Content-Type", ""), body)[0])
        if headers.get("Authorization") != f"Bearer {self.TOKEN}":
            return "", no(401, "The token used in the request has been revoked by the user")
        if path.startswith("/dms-uploads/"):
            return "upload", self.uploaded(method, path, body)
        if headers.get("LinkedIn-Version") not in self.VERSIONS:
            return "", no(426, "Requested version is not active")
        if headers.get("X-Restli-Protocol-Version") != "2.0.0":
            return "", no(400, "X-Restli-Protocol-Version is missing")
        data = json.loads(body) if body else {}
        self.bodies.append((path, data))
        rest, verb = path.removeprefix("/rest/"), headers.get("X-RestLi-Method", "")
        kind, reply = self.route(method, rest, verb, query, data)
        return "" if reply.status >= 400 else kind, reply

    def route(self, method, path, verb, query, data):
        match method, path.split("/"):
            case "POST", ["posts"]:
                return "publish", self.create(data)
            case "GET", ["posts"] if verb == "FINDER":
                return "read", self.listing(query)
            case "POST", ["posts", urn] if verb == "PARTIAL_UPDATE":
                return "correct", self.edit(urn, data["patch"]["$set"]["commentary"])
            case "DELETE", ["posts", urn] if verb == "DELETE":
                return "withdraw", Reply(204, None, commit=lambda: self.remove(urn))
            case "POST", ["images"] if query == {"action": "initializeUpload"}:
                return "upload", self.initialize(data)
            case "GET", ["images", urn]:
                return "upload", self.processed(urn)
            case "POST", ["socialActions", urn, "comments"]:
                return "publish", self.comment(urn, data)
            case "GET", ["socialActions", urn, "comments"]:
                return "read", self.comments(urn, query)
            case "POST", ["socialActions", urn, "comments", id_] if verb == "PARTIAL_UPDATE":
                text = data["patch"]["message"]["$set"]["text"]
                return "correct", self.edit(self.comment_urn(urn, id_, query), text)
            case "DELETE", ["socialActions", urn, "comments", id_] if verb == "DELETE":
                found = self.comment_urn(urn, id_, query)
                return "withdraw", Reply(204, None, commit=lambda: self.remove(found))
            case "GET", ["organizationalEntityShareStatistics"]:
                return "read", self.statistics(query)
            case "GET", ["socialMetadata"] if verb == "BATCH_GET":
                return "read", self.metadata(query)
            case "GET", ["networkSizes", self.URN]:
                wrong = odd(query, QUERIES["sizes"])
                return "read", no(400, wrong) if wrong else Reply(200, {"firstDegreeSize": 812})
            case "GET", ["organizations", self.PAGE]:
                name = {"localizedName": "NEASPEC", "vanityName": "neaspec", "id": int(self.PAGE)}
                return "read", Reply(200, name)
            case "GET", ["organizations", _]:
                return "read", no(403, "Not enough permissions to access: organizations.GET")
        return "", no(404, f"No virtual resource found: {method} {path} {verb}")

    def introspected(self, data):
        if odd(data, {"client_id": True, "client_secret": True, "token": True}):
            return no(400, "A required parameter is missing")
        if (data["client_id"], data["client_secret"]) != (self.CLIENT, self.SECRET):
            return Reply(401, {"error": "invalid_client", "error_description": "wrong secret"})
        good = data["token"] == self.TOKEN and self.active
        told = {"active": good, "status": "active", "expires_at": self.ends}
        return Reply(200, {**told, "scope": ",".join(self.scopes), "auth_type": "3L"})

    def create(self, data):
        content = data.get("content", {})
        wrong = odd(data, POST) or odd(data["distribution"], DISTRIBUTION)
        for name, value in content.items():
            wrong = wrong or odd(value, CONTENT[name])
        if wrong or len(content) > 1 or data["lifecycleState"] != "PUBLISHED":
            return no(400, f"Invalid request: {wrong}")
        if data["author"] != self.URN:
            return no(
                403, "Organization permissions must be used when using organization as author"
            )
        if len(data["commentary"].encode("utf-16-le")) // 2 > 3000:
            return no(400, "commentary is too long")
        recent = datetime.now(UTC) - timedelta(days=1)
        for post in self.posts:
            if self.sent[post.id] == data and post.at > recent:
                return duplicate(post.id)
        images = [content["media"]] if "media" in content else []
        if "multiImage" in content:
            images = content["multiImage"]["images"]
            if not 2 <= len(images) <= 20:
                return no(400, "multiImage takes 2 to 20 images")
        if any(one["id"] not in self.media or self.media[one["id"]][1] for one in images):
            return no(400, "image is not available")
        if any(len(one.get("altText", "")) > 4086 for one in images):
            return no(400, "altText is too long")

        def commit():
            post = self.keep(
                read(data["commentary"]),
                pictures=[self.media[one["id"]][0] for one in images],
                alts=[one.get("altText", "") for one in images],
            )
            self.sent[post.id] = data
            reply.headers = {"x-restli-id": post.id}

        reply = Reply(201, None, commit=commit)
        return reply

    def initialize(self, data):
        if data != {"initializeUploadRequest": {"owner": self.URN}}:
            return no(400, "initializeUploadRequest takes an owner")
        id_ = f"C4E10{len(self.media)}"
        self.media[f"urn:li:image:{id_}"] = (b"", self.processing)
        where = f"https://www.linkedin.com/dms-uploads/{id_}/uploaded-image/0?ca=vector"
        value = {"uploadUrl": where, "image": f"urn:li:image:{id_}", "uploadUrlExpiresAt": 1}
        return Reply(200, {"value": value})

    def uploaded(self, method, path, body):
        if method not in ("PUT", "POST"):
            return no(405, "Method Not Allowed")
        urn = f"urn:li:image:{path.split('/')[2]}"

        def commit():
            self.media[urn] = (body, self.media[urn][1])

        return Reply(201, None, commit=commit)

    def processed(self, urn):
        data, left = self.media[urn]
        self.media[urn] = (data, max(0, left - 1))
        status = "PROCESSING" if left else "AVAILABLE"
        return Reply(200, {"id": urn, "owner": self.URN, "status": status})

    def listing(self, query):
        if odd(query, QUERIES["posts"]) or query["q"] != "author" or int(query["count"]) > 100:
            return no(400, "Invalid query parameters")
        posts = [p for p in reversed(self.posts) if not p.after and not self.hidden]
        elements = [self.shown(post) for post in posts[: int(query["count"])]]
        return Reply(200, {"paging": {"start": 0, "count": len(elements)}, "elements": elements})

    def shown(self, post):
        at = int(post.at.timestamp() * 1000)
        sent = self.sent[post.id]["commentary"] if self.escaped else post.text
        return {
            "id": post.id,
            "author": self.URN,
            "commentary": sent,
            "lifecycleState": "PUBLISHED",
            "createdAt": at,
            "publishedAt": at,
            "visibility": "PUBLIC",
        }

    def thread(self, urn):
        """The post that a share's or an activity's name means."""
        number = urn.rpartition(":")[2]
        return next((p for p in self.posts if p.id == f"urn:li:share:{number}"), None)

    def comment_urn(self, urn, id_, query):
        assert query == {"actor": self.URN}
        return f"urn:li:comment:({urn.replace('share', 'activity')},{id_})"

    def comment(self, urn, data):
        wrong = odd(data, COMMENT) or odd(data["message"], {"text": True, "attributes": False})
        if wrong or data["actor"] != self.URN or data["object"] != urn:
            return no(400, f"Invalid comment: {wrong}")
        post = self.thread(urn)
        if post is None:
            return no(404, "The post to comment on does not exist")
        text = data["message"]["text"]
        if len(text) > 1250:
            return no(400, "message is too long")

        def commit():
            comment = self.keep(text, after=post.id)
            reply.headers = {"x-restli-id": comment.id.rpartition(",")[2].rstrip(")")}
            return self.shown_comment(comment)

        reply = Reply(201, None, commit=commit)
        return reply

    def comments(self, urn, query):
        if odd(query, QUERIES["comments"]):
            return no(400, "Invalid query parameters")
        post = self.thread(urn)
        if post is None:
            return no(404, "Not Found")
        found = [self.shown_comment(one) for one in self.posts if one.after == post.id]
        return Reply(200, {"paging": {"total": len(found)}, "elements": found})

    def shown_comment(self, comment):
        return {
            "actor": self.URN,
            "commentUrn": comment.id,
            "id": comment.id.rpartition(",")[2].rstrip(")"),
            "object": comment.after.replace("share", "activity"),
            "message": {"attributes": [], "text": comment.text},
            "created": {"time": int(comment.at.timestamp() * 1000)},
        }

    def edit(self, urn, text):
        found = [post for post in self.posts if post.id == urn]
        if not found:
            return no(404, "Not Found")

        def commit():
            found[0].text = text if found[0].after else read(text)

        return Reply(204, None, commit=commit)

    def remove(self, urn):
        self.posts[:] = [post for post in self.posts if urn not in (post.id, post.after)]

    def statistics(self, query):
        wrong = odd(query, QUERIES["statistics"])
        if wrong or query["organizationalEntity"] != self.URN:
            return no(400, f"Invalid query parameters: {wrong}")
        name = "shares" if "shares" in query else "ugcPosts"
        wanted = query[name].removeprefix("List(").removesuffix(")").split(",")
        known = {post.id for post in self.posts} - self.unseen
        elements = [
            {
                "organizationalEntity": self.URN,
                "share" if name == "shares" else "ugcPost": urn,
                "totalShareStatistics": self.counts,
            }
            for urn in wanted
            if urn in known
        ]
        return Reply(200, {"paging": {}, "elements": elements})

    def metadata(self, query):
        wanted = re.findall(r"urn:li:comment:\([^)]+\)", query["ids"])
        row = {
            "reactionSummaries": {"LIKE": {"count": 2}, "PRAISE": {"count": 1}},
            "commentSummary": {"count": 1, "topLevelCount": 1},
        }
        known = {post.id for post in self.posts}
        results = {urn: {"entity": urn, **row} for urn in wanted if urn in known}
        return Reply(200, {"results": results, "statuses": {}, "errors": {}})


def read(commentary: str) -> str:
    """What LinkedIn shows of little text, which ends without an error at a reserved character that
    is neither escaped nor part of an element."""
    shown, rest = "", commentary
    while rest:
        if found := re.match(r"\\(.)", rest, re.DOTALL):
            shown += found[1]
        elif found := re.match(r"\{hashtag\|\\#\|((?:\\.|[^\\}|])+)\}", rest):
            shown += "#" + read(found[1])
        elif found := re.match(r"@\[((?:\\.|[^\]\\])+)\]\(urn:li:organization:\d+\)", rest):
            shown += read(found[1])
        elif rest[0] in "\\|{}@[]()<>#*_~":
            break
        else:
            found = re.match(r".", rest, re.DOTALL)
            shown += rest[0]
        rest = rest[found.end() :]
    return shown


def duplicate(urn) -> Reply:
    reply = no(422, f"Content is a duplicate of {urn}")
    reply.body["errorDetails"] = {"inputErrors": [{"code": "DUPLICATE_POST", "input": {}}]}
    return reply


def no(status, message) -> Reply:
    return Reply(status, {"status": status, "code": "ERROR", "message": message})
