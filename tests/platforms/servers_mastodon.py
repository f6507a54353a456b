"""A Mastodon server on loopback, for one account, as strict as the real ones and a little more: a
parameter that it does not know is refused."""

import html
import re
from datetime import UTC, datetime, timedelta

from outreach.platforms.mastodon_text import counted

from .servers import Kept, Network, Reply, form


class MastodonNetwork(Network):
    """The answers for one account.

    `bulk` is whether it can read several posts at once, as servers can since 4.3. `hidden` lists
    nothing. `ignores_keys` is a server of another make. `processing` is how often it is asked
    before a picture is done.
    """

    TOKEN = "tok-secret-0123456789"
    ME = "109302436954721982"

    def __init__(self) -> None:
        super().__init__()
        self.bulk, self.hidden, self.ignores_keys = True, False, False
        self.processing = 1
        self.keys: dict[str, Kept] = {}
        self.encodes = True  # whether it can make anything of what it has taken
        self.media: dict[str, tuple[bytes, str, int]] = {}
        self.focus: list[str | None] = []  # of each picture, as it was uploaded
        self.statuses: dict[str, dict[str, str]] = {}
        self.counts: dict[str, int | None] = {
            "favourites_count": 3,
            "reblogs_count": 2,
            "replies_count": 1,
            "quotes_count": 0,
        }
        self.takes = {"max_characters": 500, "max_media_attachments": 4}
        self.reset = f"{datetime.now(UTC) + timedelta(seconds=60):%Y-%m-%dT%H:%M:%S.000000Z}"

    def failure(self, fault):
        if fault == "refused":
            return no(422, "Validation failed: Text is not to be had")
        if fault == "not now":
            reply = no(429, "Too many requests")
            reply.headers = {**self.rates, "X-RateLimit-Remaining": "0"}
            return reply
        return no(503, "There was a temporary problem serving your request, please try again")

    @property
    def rates(self):
        return {
            "X-RateLimit-Limit": "300",
            "X-RateLimit-Remaining": "299",
            "X-RateLimit-Reset": self.reset,
        }

    @staticmethod
    def kind(method, path):
        if method == "POST":
            return "publish" if path.endswith("/statuses") else "upload"
        return {"GET": "read", "PUT": "correct"}.get(method, "withdraw")

    def answer(self, method, path, query, headers, body):
        reply = self.route(method, path, query, headers, body)
        reply.headers = {**self.rates, **reply.headers}
        refused = reply.status >= 400
        return "" if refused else self.kind(method, path), reply

    def route(self, method, path, query, headers, body):
        if headers.get("Authorization") != f"Bearer {self.TOKEN}":
            return no(401, "The access token is invalid")
        data, files = form(headers.get("Content-Type", ""), body)
        self.bodies.append((path, data))
        id_ = path.rpartition("/")[2]
        match method, path.removeprefix("/api/").split("/"):
            case "POST", ["v1", "statuses"]:
                return self.create(data, headers.get("Idempotency-Key", ""))
            case "POST", ["v2", "media"]:
                return self.upload(data, files)
            case "GET", ["v1", "media", _]:
                return self.processed(id_)
            case "GET", ["v1", "accounts", "verify_credentials"]:
                return Reply(200, self.user)
            case "GET", ["v1", "accounts", self.ME, "statuses"]:
                return self.listing(query)
            case "GET", ["v2", "instance", *_]:
                return Reply(200, {"title": "A server", "configuration": self.configuration})
            case "GET", ["v1", "statuses"] if self.bulk:
                if len(query["id[]"]) > 20:
                    return no(422, "Validation failed")
                return Reply(200, [self.shown(p) for p in self.posts if p.id in query["id[]"]])
            case (("GET" | "DELETE" | "PUT"), ["v1", "statuses", _]):
                found = [post for post in self.posts if post.id == id_]
                if not found:
                    return no(404, "Record not found")
                if method == "PUT":
                    return self.edit(found[0], data)
                if method == "GET":
                    return Reply(200, self.shown(found[0]))
                return Reply(200, None, commit=lambda: self.posts.remove(found[0]) or {})
        return no(404, "Not Found")

    @property
    def configuration(self):
        media = {"supported_mime_types": ["image/png"], "image_size_limit": 16_777_216}
        return {"statuses": self.takes, "media_attachments": {**media, "description_limit": 1500}}

    @property
    def user(self):
        return {
            "id": self.ME,
            "username": "neaspec",
            "acct": "neaspec",
            "display_name": "NEASPEC",
            "followers_count": 812,
            "statuses_count": len(self.posts),
        }

    def create(self, data, key):
        known = {"status", "media_ids[]", "in_reply_to_id", "spoiler_text", "visibility"}
        if set(data) - known - {"language", "sensitive"}:
            return no(422, f"Validation failed: unknown {sorted(set(data) - known)}")
        if key in self.keys and not self.ignores_keys:
            return Reply(200, self.shown(self.keys[key]))
        text, ids = data.get("status", "").strip(), data.get("media_ids[]", [])
        if not text and not ids:
            return no(422, "Validation failed: Text can't be blank")
        warning = data.get("spoiler_text", "")
        if counted(text) + counted(warning) > self.takes["max_characters"]:
            return no(422, "Validation failed: Text character limit of 500 exceeded")
        if len(ids) > 4:
            return no(422, "Validation failed: Cannot attach more than 4 files")
        if any(id_ not in self.media for id_ in ids):
            return no(422, "Validation failed: Media was not found")
        if any(self.media[id_][2] for id_ in ids):
            return no(422, "Cannot attach files that have not finished processing.")
        after = data.get("in_reply_to_id", "")
        if after and after not in {post.id for post in self.posts}:
            return no(404, "The post you are trying to reply to does not appear to exist.")

        def commit():
            media = [self.media.pop(id_) for id_ in ids]
            post = self.keep(
                text,
                at=datetime.now(UTC),
                after=after,
                pictures=[picture for picture, _, _ in media],
                alts=[alt for _, alt, _ in media],
            )
            self.statuses[post.id] = data
            if key:
                self.keys[key] = post
            return self.shown(post)

        return Reply(200, None, commit=commit)

    def edit(self, post, data):
        if set(data) - {"status", "media_ids[]", "spoiler_text", "sensitive"}:
            return no(422, f"Validation failed: unknown {sorted(data)}")
        named = data.get("media_ids[]", [])

        def commit():
            post.text = data["status"].strip()
            kept = [n for n in range(len(post.pictures)) if f"{post.id}-{n}" in named]
            post.pictures = [post.pictures[n] for n in kept]  # those not named again are gone
            post.alts = [post.alts[n] for n in kept]
            return self.shown(post)

        return Reply(200, None, commit=commit)

    def upload(self, data, files):
        if not files.get("file") or set(data) - {"description", "focus"}:
            return no(422, "Validation failed: File can't be blank")
        self.focus.append(data.get("focus"))
        alt = data.get("description", "")
        if len(alt) > 1500:
            return no(422, "Validation failed: Description is too long (maximum is 1500)")

        def commit():
            id_ = str(110_000_000_000_000_000 + len(self.media) + len(self.posts) * 10)
            self.media[id_] = (files["file"], alt, self.processing)
            return {"id": id_, "type": "image", "url": None, "description": alt}

        return Reply(202, None, commit=commit)

    def processed(self, id_):
        data, alt, left = self.media[id_]
        if not self.encodes:
            return no(422, "Error processing thumbnail for uploaded media")
        self.media[id_] = (data, alt, max(0, left - 1))
        done = self.media[id_][2] == 0
        url = f"https://social.example.org/media/{id_}.png" if done else None
        body = {"id": id_, "type": "image", "url": url, "description": alt}
        return Reply(200 if done else 206, body)

    def listing(self, query):
        limit = min(int(query.get("limit", 20)), 40)
        before = int(query.get("max_id", 2**63))
        posts = [p for p in reversed(self.posts) if int(p.id) < before and not self.hidden]
        return Reply(200, [self.shown(post) for post in posts[:limit]])

    def shown(self, post):
        url = f"https://social.example.org/@neaspec/{post.id}"
        return {
            "id": post.id,
            "uri": url,
            "url": url,
            "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.{post.at.microsecond // 1000:03}Z",
            "content": rendered(post.text),
            "in_reply_to_id": post.after or None,
            "reblog": None,
            "visibility": "public",
            "media_attachments": [{"id": f"{post.id}-{n}"} for n in range(len(post.pictures))],
            **self.counts,
        }


def rendered(text: str) -> str:
    """A text as Mastodon shows it: long addresses with their ends invisible, hashtags and people
    as links, those whom it knows without their domain."""

    def link(url: str) -> str:
        scheme, rest = re.match(r"(https?://(?:www\.)?)(.*)", url).groups()
        shown, hidden = html.escape(rest[:30]), html.escape(rest[30:])
        kind = "ellipsis" if hidden else ""
        return (
            f'<a href="{html.escape(url)}" target="_blank" rel="nofollow noopener">'
            f'<span class="invisible">{scheme}</span><span class="{kind}">{shown}</span>'
            f'<span class="invisible">{hidden}</span></a>'
        )

    def word(found: re.Match[str]) -> str:
        url, tag, person = found.groups()
        if url:
            return link(html.unescape(url))
        if tag:
            return (
                f'<a href="/tags/{tag}" class="mention hashtag" rel="tag">#<span>{tag}</span></a>'
            )
        return f'<span class="h-card"><a class="u-url mention">@<span>{person}</span></a></span>'

    marked = re.sub(
        r"(https?://[^\s<]+)|(?<![\w&])#(\w+)|(?<![\w/])@(\w+)@social\.example\.org",
        word,
        html.escape(text, quote=False),
    )
    paragraphs = re.split(r"\n{2,}", marked)
    return "".join("<p>{}</p>".format(p.replace("\n", "<br />")) for p in paragraphs)


def no(status, error) -> Reply:
    return Reply(status, {"error": error})
