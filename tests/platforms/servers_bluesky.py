"""A Bluesky server on loopback, for one account: what keeps its records, and what shows them.

It holds posts to the lexicon as the real one does: 300 graphemes, 3,000 bytes, record keys, blobs
that were uploaded, facets that end where characters end.
"""

import base64
import json
import re
import time
from collections.abc import Mapping
from datetime import datetime

import grapheme

from .servers import Kept, Network, Reply

BASE32 = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
POST = "app.bsky.feed.post"
SPEC = "/xrpc/"


def jwt(scope: str, seconds: float, number: int) -> str:
    """A pass as servers give it, which its holder can read."""

    def piece(value) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    body = {"scope": scope, "exp": int(time.time() + seconds), "n": number}
    return f"{piece({'typ': 'at+jwt', 'alg': 'HS256'})}.{piece(body)}.{piece('secret-signature')}"


class BlueskyNetwork(Network):
    """The answers for one account, and for the public of it.

    `expire()` makes the passes given so far useless, as after two hours. `scope` is what a pass is
    for: an app's, or everything.
    """

    PASSWORD = "abcd-efgh-ijkl-secret"
    HANDLE = "neaspec.example.org"
    DID = "did:plc:neaspec5555555555555555"
    OTHERS: Mapping[str, str] = {"unescap.org": "did:plc:unescap4444444444444444"}

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict] = {}
        self.blobs: dict[str, tuple[bytes, str]] = {}
        self.passes: set[str] = set()
        self.given: list[str] = []
        self.scope, self.active, self.hidden = "com.atproto.appPass", True, False
        self.asks = 60  # seconds that it asks to wait
        self.lives = 7200.0  # seconds that a pass is good for
        self.counts: dict[str, int | None] = {
            "likeCount": 3,
            "repostCount": 2,
            "replyCount": 1,
            "quoteCount": 0,
            "bookmarkCount": 4,
        }

    def expire(self):
        self.passes.clear()

    def failure(self, fault):
        if fault == "refused":
            return no(400, "InvalidRequest", "Invalid app.bsky.feed.post record: no")
        if fault == "not now":
            reply = no(429, "RateLimitExceeded", "Rate Limit Exceeded")
            reset = str(int(time.time()) + self.asks)
            reply.headers = {"ratelimit-limit": "5000", "ratelimit-reset": reset}
            return reply
        return no(502, "UpstreamFailure", "Upstream Failure")

    @staticmethod
    def kind(method, path):
        kinds = {
            "com.atproto.server.createSession": "sign in",
            "com.atproto.server.refreshSession": "sign in",
            "com.atproto.repo.createRecord": "publish",
            "com.atproto.repo.deleteRecord": "withdraw",
            "com.atproto.repo.uploadBlob": "upload",
        }
        return kinds.get(path.removeprefix(SPEC), "read")

    def answer(self, method, path, query, headers, body):
        name = path.removeprefix(SPEC)
        reply = self.route(method, name, query, headers, body)
        return "" if reply.status >= 400 else self.kind(method, path), reply

    def route(self, method, name, query, headers, body):
        plain = headers.get("Content-Type") == "application/json"
        data = json.loads(body) if plain and body else {}
        self.bodies.append((name, data))
        given = headers.get("Authorization", "").removeprefix("Bearer ")
        if name == "com.atproto.server.createSession":
            if (data["identifier"], data["password"]) != (self.HANDLE, self.PASSWORD):
                return no(401, "AuthenticationRequired", "Invalid identifier or password")
            return self.session()
        if not given:
            return no(401, "AuthMissing", "Authentication Required")
        if given not in self.passes:
            return no(400, "ExpiredToken", "Token has expired")
        match method, name.removeprefix("com.atproto.").removeprefix("app.bsky."):
            case "POST", "server.refreshSession":
                return self.session()
            case "GET", "server.getSession":
                status = {} if self.active else {"status": "takendown"}
                return Reply(200, {**self.me, "active": self.active, **status})
            case "GET", "identity.resolveHandle":
                did = self.OTHERS.get(query["handle"])
                missing = no(400, "InvalidRequest", "Unable to resolve handle")
                return Reply(200, {"did": did}) if did else missing
            case "POST", "repo.uploadBlob":
                return self.upload(headers.get("Content-Type"), body)
            case "POST", "repo.createRecord":
                return self.create(data)
            case "POST", "repo.deleteRecord":
                return Reply(200, None, commit=lambda: self.forget(data["rkey"]))
            case "GET", "repo.getRecord":
                return self.record(query["rkey"])
            case "GET", "feed.getPosts":
                uris = query["uris"] if isinstance(query["uris"], list) else [query["uris"]]
                if len(uris) > 25:
                    return no(400, "InvalidRequest", "uris must not have more than 25 elements")
                known = {post.id for post in self.posts} & set(uris)
                posts = [{"uri": uri, **self.counts} for uri in uris if uri in known]
                return Reply(200, {"posts": posts})
            case "GET", "actor.getProfile":
                return Reply(200, {"did": self.DID, "followersCount": 812})
        return no(501, "MethodNotImplemented", "Method Not Implemented")

    @property
    def me(self):
        return {"did": self.DID, "handle": self.HANDLE}

    def session(self):
        def commit():
            made = [jwt(self.scope, self.lives, len(self.given) + n) for n in (1, 2)]
            self.passes |= set(made)
            self.given += made
            endpoint = {"type": "AtprotoPersonalDataServer", "id": "#atproto_pds"}
            endpoint["serviceEndpoint"] = "http://elsewhere.invalid"
            document = {"id": self.DID, "service": [endpoint]}
            passes = {"accessJwt": made[0], "refreshJwt": made[1]}
            return {**self.me, **passes, "didDoc": document, "active": self.active}

        return Reply(200, None, commit=commit)

    def upload(self, kind, body):
        def commit():
            link = f"bafkrei{len(self.blobs):052}"
            self.blobs[link] = (body, kind)
            ref = {"$link": link}
            return {"blob": {"$type": "blob", "ref": ref, "mimeType": kind, "size": len(body)}}

        return Reply(200, None, commit=commit)

    def create(self, data):
        record, key = data["record"], data.get("rkey", "")
        if (data["repo"], data["collection"]) != (self.DID, POST):
            return no(400, "InvalidRequest", "Could not find repo")
        if not BASE32.fullmatch(key):
            return no(400, "InvalidRequest", "Invalid record key")
        if wrong := self.wrong(record):
            return no(400, "InvalidRequest", f"Invalid {POST} record: {wrong}")
        if key in self.records:
            return no(500, "InternalServerError", "Internal Server Error")

        def commit():
            uri = f"at://{self.DID}/{POST}/{key}"
            images = [(i["image"], i["alt"]) for i in (record.get("embed") or {}).get("images", [])]
            if "video" in (record.get("embed") or {}):
                images = [(record["embed"]["video"], record["embed"]["alt"])]
            post = Kept(
                uri,
                record["text"],
                datetime.fromisoformat(record["createdAt"]),
                after=(record.get("reply") or {}).get("parent", {}).get("uri", ""),
                pictures=[self.blobs[image["ref"]["$link"]][0] for image, _ in images],
                alts=[alt for _, alt in images],
            )
            self.posts.append(post)
            self.records[key] = record
            return {"uri": uri, "cid": cid(key), "validationStatus": "valid"}

        return Reply(200, None, commit=commit)

    def wrong(self, record) -> str:
        text = record["text"]
        data = text.encode()
        if (n := grapheme.length(text)) > 300:
            return f"grapheme too big (maximum 300, got {n}) at $.text"
        if len(data) > 3000:
            return f"string too big (maximum 3000, got {len(data)}) at $.text"
        if not re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", record["createdAt"]
        ):
            return "invalid datetime at $.createdAt"
        for facet in record.get("facets", []):
            span, (feature,) = facet["index"], facet["features"]
            shown = data[span["byteStart"] : span["byteEnd"]].decode()
            kind = feature["$type"].rpartition("#")[2]
            named = {"tag": f"#{feature.get('tag')}", "link": feature.get("uri", "")}
            if kind == "mention" and feature["did"] in self.OTHERS.values():
                continue
            if not shown or shown not in named.get(kind, "").removeprefix("https://") + named[kind]:
                return f"facet {kind} does not lie on its words, but on {shown}"
        for image in (record.get("embed") or {}).get("images", []):
            blob = self.blobs.get(image["image"]["ref"]["$link"])
            if blob is None:
                return "blob not found"
            if len(blob[0]) > 2_000_000 or blob[1] != image["image"]["mimeType"]:
                return "This file is too large, or of another type"
            if min(image["aspectRatio"]["width"], image["aspectRatio"]["height"]) < 1:
                return "aspect ratio"
        if "video" in (record.get("embed") or {}) and (wrong := self.wrong_video(record["embed"])):
            return wrong
        reply = record.get("reply")
        if reply:
            for end in ("root", "parent"):
                key = reply[end]["uri"].rpartition("/")[2]
                if key not in self.records or reply[end]["cid"] != cid(key):
                    return f"{end} is no record"
        return ""

    def wrong_video(self, embed) -> str:
        """As the lexicon app.bsky.embed.video has it."""
        told = [(embed["video"], {"video/mp4"}, 300_000_000)]
        told += [(one["file"], {"text/vtt"}, 20_000) for one in embed.get("captions", [])]
        for blob, types, most in told:
            data, type_ = self.blobs.get(blob["ref"]["$link"], (b"", "none"))
            if type_ not in types or blob["mimeType"] != type_ or len(data) > most:
                return f"Wrong type of file. It is {type_} but it must match {sorted(types)}."
        if not all(one["lang"] for one in embed.get("captions", [])):
            return "lang"
        return "" if min(embed["aspectRatio"][side] for side in ("width", "height")) else "ratio"

    def record(self, key):
        if key not in self.records or self.hidden:
            uri = f"at://{self.DID}/{POST}/{key}"
            return no(400, "RecordNotFound", f"Could not locate record: {uri}")
        uri = f"at://{self.DID}/{POST}/{key}"
        return Reply(200, {"uri": uri, "cid": cid(key), "value": self.records[key]})

    def forget(self, key):
        self.records.pop(key, None)
        self.posts = [post for post in self.posts if not post.id.endswith(key)]
        return {}


def cid(key: str) -> str:
    return f"bafyrei{key:0>52}"


def no(status, name, message) -> Reply:
    return Reply(status, {"error": name, "message": message})
