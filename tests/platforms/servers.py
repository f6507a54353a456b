"""Stand-ins for the networks, on loopback, with the traps that the real ones have.

A stand-in commits a post as its network would, and can then fail as networks do: see FAULTS in
outreach/testing.py. The Telegram one is stricter than Telegram, which ignores parameters that it
does not know.
"""

import base64
import hashlib
import hmac
import html
import json
import os
import re
import socket
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from outreach.platforms.x_text import weighted


@dataclass
class Reply:
    """An answer, and what it would commit before it is given (which may add to the body)."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    commit: Callable[[], Any] | None = None


@dataclass
class Kept:
    """One post, as the network keeps it."""

    id: str
    text: str
    at: datetime
    after: str = ""
    pictures: list[bytes] = field(default_factory=list)
    alts: list[str] = field(default_factory=list)


class Network:
    """What a stand-in holds. Put a fault's name under a kind in `faults`: it happens once.

    Kinds: "publish", "upload" (makes nothing public), "withdraw", "correct", "read".
    """

    def __init__(self) -> None:
        self.posts: list[Kept] = []
        self.kept = 0
        self.faults: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        self.addresses: list[str] = []  # of each request, as it came, escapes and all
        self.bodies: list[tuple[str, Any]] = []
        self.arrivals: list[tuple[float, Any]] = []  # of what would be public: when, its body
        self.headers: dict[str, str] = {}  # of every answer
        self.released = threading.Event()
        self.lock = threading.RLock()

    @property
    def next_fault(self) -> str:
        return self.faults.get("publish", "")

    @next_fault.setter
    def next_fault(self, fault: str) -> None:
        self.faults["publish"] = fault

    @property
    def texts(self) -> list[str]:
        return [post.text for post in self.posts]

    @property
    def alts(self) -> list[str]:
        return [alt for post in self.posts for alt in post.alts]

    @property
    def pictures(self) -> list[bytes]:
        return [data for post in self.posts for data in post.pictures]

    def copies(self, text: str) -> int:
        return self.texts.count(text)

    def keep(self, text: str, at: datetime | None = None, **more: Any) -> Kept:
        with self.lock:
            number = 1_800_000_000_000_000_000 + self.kept + 1
            self.kept += max(1, len(more.get("pictures", ())))  # an album is as many messages
            post = Kept(str(number), text, at or datetime.now(UTC).replace(microsecond=0), **more)
            self.posts.append(post)
            return post

    def answer(self, method, path, query, headers, body) -> tuple[str, Reply]:
        """The kind of the request, and its reply."""
        raise NotImplementedError

    def failure(self, fault: str) -> Reply:
        """How this network says "refused", "not now" and 5xx."""
        raise NotImplementedError


class Handler(BaseHTTPRequestHandler):
    """Reads a request, has the network answer it, and acts out the fault if one is due."""

    network: Network
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_all(self):
        arrived = time.monotonic()
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        url = urlsplit(self.path)
        query = fields(url.query)
        self.network.requests.append((self.command, unquote(url.path)))
        self.network.addresses.append(self.path)
        with self.network.lock:
            kind, reply = self.network.answer(
                self.command, unquote(url.path), query, self.headers, body
            )
            if kind == "publish":
                body = self.network.bodies[-1][1] if self.network.bodies else None
                self.network.arrivals.append((arrived, body))
            fault = self.network.faults.pop(kind, "")
            before = fault in ("refused", "not now", "lost before", "500 before")
            if reply.commit and not before:
                reply.body = reply.commit()
        if fault.startswith("lost"):
            return self.cut()
        if fault == "hang":
            self.network.released.wait(20)
            return self.cut()
        if fault == "garbage":
            return self.page(200)
        if fault == "bad gateway":
            return self.page(502)
        if fault == "drip":
            return self.drip()
        if fault:
            reply = self.network.failure(fault)
        return self.send(
            reply.status,
            reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode(),
            {"Content-Type": "application/json", **self.network.headers, **reply.headers},
        )

    do_GET = do_POST = do_PUT = do_DELETE = handle_all  # noqa: N815 - the names that http.server calls

    def send(self, status, data, headers):
        with suppress(OSError):  # the client may have given up
            if "date" in headers:
                self.send_response_only(status)
            else:
                self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

    def page(self, status):
        page = f"<html>{self.path} {self.headers.get('Authorization')}</html>"
        self.send(status, page.encode(), {"Content-Type": "text/html"})

    def drip(self):
        """An answer that comes byte by byte, so that no single reading takes long."""
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not self.network.released.wait(0.2):
                self.wfile.write(b" ")
        self.close_connection = True

    def cut(self):
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class Server(ThreadingHTTPServer):
    """A client that hangs up in the middle is none of its errors."""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(network: Network):
    """The stand-in's address, for as long as the block lasts."""
    handler = type("Bound", (Handler,), {"network": network})
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        network.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{s.getsockname()[1]}"


# --- Telegram ----------------------------------------------------------------------------------


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def bot_api() -> Callable[[str, Mapping[str, Any]], list[str]] | None:
    """A check of one call against the Bot API as data (aiogram's sdist carries it); None where
    OUTREACH_TELEGRAM_SCHEMA names none."""
    if not (named := os.environ.get("OUTREACH_TELEGRAM_SCHEMA")):
        return None
    items = json.loads(Path(named).read_text())["items"]
    methods = {child["name"]: child for group in items for child in group["children"]}

    def wrong(method, params):
        known = {a["name"]: a for a in methods[method]["annotations"]}
        found = [f"unknown {name}" for name in params if name not in known]
        found += [f"no {n}" for n, a in known.items() if a["required"] and n not in params]
        for name in params.keys() & known.keys():
            limit = re.search(r"(\d+)-(\d+) characters", known[name]["description"])
            if limit and not int(limit[1]) <= units(params[name]) <= int(limit[2]):
                found.append(f"{name} is not {limit[0]}")
        return found

    return wrong


class TelegramNetwork(Network):
    """The Bot API's answers for one channel and one bot.

    `schema` is the Bot API as data, where there is one: what is sent is held against it too.
    """

    TOKEN = "123456:AAE-secret_secret_secret"
    CHATS = ("@neaspec", "-1001234567890")
    METHODS: Mapping[str, frozenset[str]] = {
        "getMe": frozenset(),
        "getChat": frozenset({"chat_id"}),
        "getChatMember": frozenset({"chat_id", "user_id"}),
        "getChatMemberCount": frozenset({"chat_id"}),
        "sendMessage": frozenset({"chat_id", "text"}),
        "sendPhoto": frozenset({"chat_id", "photo", "caption"}),
        "sendDocument": frozenset({"chat_id", "document", "thumbnail", "caption"}),
        "sendVideo": frozenset(
            ["chat_id", "video", "caption", "supports_streaming", "width", "height", "duration"]
        ),
        "sendMediaGroup": frozenset({"chat_id", "media"}),
        "deleteMessage": frozenset({"chat_id", "message_id"}),
        "editMessageText": frozenset({"chat_id", "message_id", "text"}),
        "editMessageCaption": frozenset({"chat_id", "message_id", "caption"}),
        "getUpdates": frozenset({"offset", "limit", "timeout", "allowed_updates"}),
        "getWebhookInfo": frozenset(),
    }
    KINDS: Mapping[str, str] = {"send": "publish", "dele": "withdraw", "edit": "correct"}

    def __init__(self, schema=None) -> None:
        super().__init__()
        self.schema = schema
        self.admin = True
        self.retry_after = 5
        self.username: str | None = "neaspec"
        self.deleted: set[int] = set()
        self.updates: list[dict[str, Any]] = []  # that nobody has confirmed yet
        self.last_update = 700  # the number of the last update
        self.webhook = ""
        self.stills: list[bytes | None] = []  # of documents, by their sending

    def react(self, message: int, at: datetime, chat: Any = None, **reactions: int) -> None:
        """So many reactions does a message have now."""
        self.last_update += 1
        kinds = {"paid": {"type": "paid"}}
        counted = [
            {"type": kinds.get(k, {"type": "emoji", "emoji": "👍"}), "total_count": n}
            for k, n in reactions.items()
        ]
        count = {"chat": chat or self.chat, "message_id": message, "date": int(at.timestamp())}
        update = {
            "update_id": self.last_update,
            "message_reaction_count": {**count, "reactions": counted},
        }
        self.updates.append(update)

    def getUpdates(self, params, files):
        if self.webhook:
            told = (
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete"
            )
            return self.no(409, f"Conflict: {told} the webhook first")
        if json.loads(params.get("allowed_updates", "[]")) != ["message_reaction_count"]:
            return Reply(200, {"ok": True, "result": []})  # not told unless asked for by name
        offset = int(params.get("offset", 0))
        self.updates = [one for one in self.updates if one["update_id"] >= offset]
        return Reply(200, {"ok": True, "result": self.updates[: int(params["limit"])]})

    def getWebhookInfo(self, params, files):
        info = {"url": self.webhook, "has_custom_certificate": False, "pending_update_count": 0}
        return Reply(200, {"ok": True, "result": info})

    def failure(self, fault):
        if fault == "refused":
            return self.no(400, "Bad Request: message text is empty")
        if fault == "not now":
            reply = self.no(429, f"Too Many Requests: retry after {self.retry_after}")
            reply.body["parameters"] = {"retry_after": self.retry_after}
            return reply
        return self.no(502, "Bad Gateway")

    def no(self, status, description):
        body = {"ok": False, "error_code": status, "description": description}
        return Reply(status, body)

    def answer(self, method, path, query, headers, body):
        token, _, name = path.removeprefix("/bot").partition("/")
        params, files = form(headers.get("Content-Type", ""), body)
        self.bodies.append((name, {**params, **dict.fromkeys(files, "<file>")}))
        kind = self.KINDS.get(name[:4], "read")
        if token != self.TOKEN:
            return "", self.no(401, "Unauthorized")
        if name not in self.METHODS:
            return "", self.no(404, "Not Found")
        attached = {f.removeprefix("attach://") for f in re.findall(r"attach://\w+", str(params))}
        unknown = (set(params) | set(files)) - self.METHODS[name] - attached
        if unknown:
            return "", self.no(400, f"Bad Request: unknown parameters {sorted(unknown)}")
        if self.schema and (wrong := self.schema(name, self.bodies[-1][1])):
            return "", self.no(400, f"Bad Request: {wrong}")
        if "chat_id" in self.METHODS[name] and params.get("chat_id") not in self.CHATS:
            return "", self.no(400, "Bad Request: chat not found")
        if kind == "publish" and not self.admin:
            return "", self.no(403, "Forbidden: bot is not a member of the channel chat")
        return kind, getattr(self, name)(params, files)

    @property
    def chat(self):
        public = {"username": self.username} if self.username else {}
        return {"id": -1001234567890, "type": "channel", "title": "NEASPEC", **public}

    def message(self, post, **more):
        number = int(post.id) - 1_800_000_000_000_000_000
        return {
            "message_id": number,
            "date": int(post.at.timestamp()),
            "chat": self.chat,
            "sender_chat": self.chat,
            **more,
        }

    def getMe(self, params, files):
        return Reply(200, {"ok": True, "result": self.bot})

    @property
    def bot(self):
        return {
            "id": 123456,
            "is_bot": True,
            "first_name": "Outreach",
            "username": "neaspec_bot",
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    def getChat(self, params, files):
        more = {"accent_color_id": 1, "max_reaction_count": 11, "accepted_gift_types": GIFTS}
        return Reply(200, {"ok": True, "result": {**self.chat, **more}})

    def getChatMember(self, params, files):
        if not self.admin:
            left = {"status": "left", "user": self.bot}
            return Reply(200, {"ok": True, "result": left})
        rights = dict.fromkeys(RIGHTS, True)
        member = {"status": "administrator", "user": self.bot, "can_be_edited": False, **rights}
        return Reply(200, {"ok": True, "result": {**member, "is_anonymous": False}})

    def getChatMemberCount(self, params, files):
        return Reply(200, {"ok": True, "result": 1234})

    @staticmethod
    def numbers(post) -> set[int]:
        """The numbers of a post's messages: an album has one for each picture."""
        first = int(post.id) - 1_800_000_000_000_000_000
        return set(range(first, first + max(1, len(post.pictures))))

    def told(self, number):
        if number in self.deleted:
            return None
        return next((post for post in self.posts if number in self.numbers(post)), None)

    def deleteMessage(self, params, files):
        number = int(params["message_id"])
        post = self.told(number)
        if post is None:
            return self.no(400, "Bad Request: message to delete not found")
        if post.at < datetime.now(UTC) - timedelta(hours=48):
            return self.no(400, "Bad Request: message can't be deleted")

        def commit():
            self.deleted.add(number)
            if self.numbers(post) <= self.deleted:
                self.posts.remove(post)
            return {"ok": True, "result": True}

        return Reply(200, None, commit=commit)

    def editMessageText(self, params, files):
        return self.edited(params, "text")

    def editMessageCaption(self, params, files):
        return self.edited(params, "caption")

    def edited(self, params, what):
        post, text = self.told(int(params["message_id"])), params.get(what, "")
        if post is None:
            return self.no(400, "Bad Request: message to edit not found")
        if bool(post.pictures) != (what == "caption"):
            return self.no(400, "Bad Request: there is no text in the message to edit")
        if post.text == text:
            return self.no(400, "Bad Request: message is not modified: the new content is the same")

        def commit():
            post.text = text
            return {"ok": True, "result": self.message(post, **{what: text})}

        return Reply(200, None, commit=commit)

    def sendMessage(self, params, files):
        text = params.get("text", "")
        if not text.strip():
            return self.no(400, "Bad Request: message text is empty")
        if units(text) > 4096:
            return self.no(400, "Bad Request: message is too long")

        def commit():
            return {"ok": True, "result": self.message(self.keep(text), text=text)}

        return Reply(200, None, commit=commit)

    def sendPhoto(self, params, files):
        caption = params.get("caption", "")
        if units(caption) > 1024:
            return self.no(400, "Bad Request: message caption is too long")
        if not files.get("photo"):
            return self.no(400, "Bad Request: there is no photo in the request")

        def commit():
            post = self.keep(caption, pictures=[files["photo"]])
            sizes = [photo_size("f1", files["photo"])]
            return {"ok": True, "result": self.message(post, photo=sizes, caption=caption)}

        return Reply(200, None, commit=commit)

    def sendDocument(self, params, files):
        caption = params.get("caption", "")
        if units(caption) > 1024:
            return self.no(400, "Bad Request: message caption is too long")
        if not files.get("document"):
            return self.no(400, "Bad Request: there is no document in the request")
        thumbnail = files.get(params.get("thumbnail", "").removeprefix("attach://"))
        self.stills.append(thumbnail or files.get("thumbnail"))

        def commit():
            post = self.keep(caption, pictures=[files["document"]])
            file = {"file_id": "d1", "file_unique_id": "d1"}
            return {"ok": True, "result": self.message(post, document=file, caption=caption)}

        return Reply(200, None, commit=commit)

    def sendVideo(self, params, files):
        caption = params.get("caption", "")
        if units(caption) > 1024:
            return self.no(400, "Bad Request: message caption is too long")
        if not files.get("video"):
            return self.no(400, "Bad Request: there is no video in the request")

        def commit():
            post = self.keep(caption, pictures=[files["video"]])
            sides = {name: int(params[name]) for name in ("width", "height", "duration")}
            file = {"file_id": "v1", "file_unique_id": "v1", **sides}
            return {"ok": True, "result": self.message(post, video=file, caption=caption)}

        return Reply(200, None, commit=commit)

    def sendMediaGroup(self, params, files):
        media = json.loads(params["media"])
        kinds = {item["type"] for item in media}
        if len(kinds) > 1 and "document" in kinds:
            return self.no(400, "Bad Request: document can't be mixed with other media types")
        if not 2 <= len(media) <= 10:
            return self.no(400, "Bad Request: wrong number of messages in the album")
        if any(units(item.get("caption", "")) > 1024 for item in media):
            return self.no(400, "Bad Request: message caption is too long")
        names = [item["media"].removeprefix("attach://") for item in media]
        if not all(files.get(name) for name in names):
            return self.no(400, "Bad Request: wrong file identifier/HTTP URL specified")

        def commit():
            caption = media[0].get("caption", "")
            first = self.keep(caption, pictures=[files[name] for name in names])
            sent = [
                self.message(first, photo=[photo_size(name, files[name])], caption=caption)
                for name in names
            ]
            for number, message in enumerate(sent):
                message["message_id"] += number
            return {"ok": True, "result": sent}

        return Reply(200, None, commit=commit)


GIFTS = dict.fromkeys(
    (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    ),
    False,
)
RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_post_messages",
    "can_edit_messages",
)


def photo_size(name, data):
    return {
        "file_id": name,
        "file_unique_id": name,
        "width": 9,
        "height": 9,
        "file_size": len(data),
    }


def fields(text: str) -> dict[str, Any]:
    """The fields of a query or a form: as lists those that repeat, or whose name ends in []."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return {k: v if len(v) > 1 or k.endswith("[]") else v[0] for k, v in found.items()}


def form(kind: str, body: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The fields and files of a form, urlencoded or multipart."""
    if not kind.startswith("multipart/form-data"):
        return fields(body.decode()), {}
    boundary = b"--" + kind.partition("boundary=")[2].strip('"').encode()
    plain, files = {}, {}
    for piece in body.split(boundary)[1:-1]:
        head, _, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(rb'[; ]name="([^"]+)"', head)[1].decode()
        if b"filename=" in head:
            files[name] = data.removesuffix(b"\r\n")
        else:
            plain[name] = data.removesuffix(b"\r\n").decode()
    return plain, files


def odd(given, known: Mapping[str, bool]) -> str:
    """What a strict server finds wrong with these names; `known` says which must be there."""
    unknown = sorted(set(given) - set(known))
    missing = sorted(name for name, needed in known.items() if needed and name not in given)
    return f"unknown {unknown}, missing {missing}" if unknown or missing else ""


# --- X -----------------------------------------------------------------------------------------


class XNetwork(Network):
    """API v2's answers for one account.

    `generation` is the names its fields have: "tweet" before August 2026, "post" after.
    `hidden` makes its timelines empty, as they are for a while now and then.
    """

    SECRETS: Mapping[str, str] = {
        "consumer_key": "ck-secret-1",
        "consumer_secret": "cs-secret-2",
        "access_token": "at-secret-3",
        "access_token_secret": "as-secret-4",
    }
    ME = "2244994945"

    def __init__(self, *, generation="tweet") -> None:
        super().__init__()
        self.generation = generation
        self.hidden = False
        self.asks: dict[str, str] | None = None  # the headers of its 429, where not the usual ones
        self.media: dict[str, tuple[bytes, str]] = {}
        self.pieces: dict[str, dict[int, bytes]] = {}  # of videos on their way
        self.processing = 1  # how often X is asked for a video until it is processed
        self.state = "succeeded"  # what becomes of it then
        self.subtitles: dict[str, list[dict[str, str]]] = {}  # by video
        self.stubborn: set[str] = set()  # ids that it does not delete
        self.metrics: dict[str, int] = {
            "like_count": 3,
            "reply_count": 1,
            "quote_count": 0,
            "impression_count": 250,
            "repost_count" if generation == "post" else "retweet_count": 2,
        }
        self.own = True  # whether it tells the account what it tells nobody else

    def failure(self, fault):
        if fault == "refused":
            return problem(403, "Forbidden", "You are not permitted to perform this action.")
        if fault == "not now":
            reply = problem(429, "Too Many Requests", "Too Many Requests")
            reply.headers = spent("x-rate-limit", 60) if self.asks is None else self.asks
            return reply
        return problem(503, "Service Unavailable", "Service Unavailable")

    def answer(self, method, path, query, headers, body):
        if not self.signed(method, path, query, headers.get("Authorization", "")):
            return "", problem(401, "Unauthorized", "Unauthorized")
        data = json.loads(body) if body else {}
        self.bodies.append((path, data))
        if method == "POST":
            routes = {
                "/2/tweets": ("publish", self.create),
                "/2/media/upload": ("upload", self.upload),
                "/2/media/metadata": ("upload", self.describe),
                "/2/media/upload/initialize": ("upload", self.initialize),
                "/2/media/subtitles": ("upload", self.caption),
            }
            if piece := re.fullmatch(r"/2/media/upload/(\d+)/(append|finalize)", path):
                return "upload", getattr(self, piece[2])(piece[1], data)
            kind, route = routes[path]
            return kind, route(data)
        if method == "DELETE":
            return "withdraw", self.remove(path.removeprefix("/2/tweets/"))
        if path == "/2/media/upload" and query["command"] == "STATUS":
            self.processing -= 1
            return "read", Reply(200, {"data": self.progress(query["media_id"])})
        other = "post" if self.generation == "tweet" else "tweet"
        if f"{other}.fields" in query:
            name = f"{other}.fields"
            what = f"The query parameter [{name}] is not one of [ids,{self.generation}.fields]"
            return "", problem(400, "Invalid Request", what)
        if path == "/2/users/me":
            return "read", Reply(200, {"data": self.user})
        if path == f"/2/users/{self.ME}/tweets":
            return "read", self.timeline(query)
        if path == "/2/tweets":
            fields = query[f"{self.generation}.fields"].split(",")
            if "non_public_metrics" in fields and not self.own:
                return "", problem(403, "Forbidden", "You are not permitted to read that.")
            return "read", self.read(query["ids"].split(","), fields)
        return "", problem(404, "Not Found", "Not Found")

    def signed(self, method, path, query, header) -> bool:
        """Whether the OAuth 1.0a signature is right for X's own address."""
        if not header.startswith("OAuth "):
            return False
        given = {k: unquote(v) for k, v in re.findall(r'(\w+)="([^"]*)"', header)}
        signature = given.pop("oauth_signature", "")
        if given.get("oauth_token") != self.SECRETS["access_token"]:
            return False
        pairs = sorted((quote(k, ""), quote(v, "")) for k, v in {**given, **query}.items())
        normal = "&".join(f"{k}={v}" for k, v in pairs)
        parts = (method, f"https://api.twitter.com{path}", normal)
        base = "&".join(quote(part, "") for part in parts)
        key = f"{self.SECRETS['consumer_secret']}&{self.SECRETS['access_token_secret']}"
        right = hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()
        return hmac.compare_digest(base64.b64encode(right).decode(), signature)

    @property
    def user(self):
        metrics = {"followers_count": 812, "following_count": 5, "tweet_count": len(self.posts)}
        return {"id": self.ME, "name": "NEASPEC", "username": "neaspec", "public_metrics": metrics}

    def create(self, data):
        text = data.get("text", "")
        ids = (data.get("media") or {}).get("media_ids", [])
        if weighted(text) > 280:
            return problem(400, "Invalid Request", "Your Tweet text is too long.")
        if not all(id_ in self.media for id_ in ids):
            return problem(400, "Invalid Request", "Your media IDs are invalid.")
        if self.processing > 0 and set(ids) & set(self.pieces):
            return problem(400, "Invalid Request", "Your media is not processed yet.")
        recent = datetime.now(UTC) - timedelta(days=1)
        if any(post.text == text and post.at > recent for post in self.posts):
            return problem(
                403,
                "Forbidden",
                "You are not allowed to create a Tweet with duplicate content.",
            )

        def commit():
            media = [self.media[id_] for id_ in ids]
            post = self.keep(
                text,
                after=(data.get("reply") or {}).get("in_reply_to_tweet_id", ""),
                pictures=[data for data, _ in media],
                alts=[alt for _, alt in media],
            )
            history = {f"edit_history_{self.generation}_ids": [post.id]}
            return {"data": {"id": post.id, "text": shown(post)["text"], **history}}

        return Reply(201, None, commit=commit)

    def remove(self, id_):
        def commit():
            known = [post for post in self.posts if post.id == id_ and id_ not in self.stubborn]
            self.posts[:] = [post for post in self.posts if post not in known]
            return {"data": {"deleted": bool(known)}}

        return Reply(200, None, commit=commit)

    def upload(self, data):
        if data.get("media_category") not in ("tweet_image", "subtitles"):
            return problem(400, "Invalid Request", "media_category is not one of [tweet_image]")

        def commit():
            id_ = str(1_700_000_000_000_000_000 + len(self.media))
            self.media[id_] = (base64.b64decode(data["media"]), "")
            body = {"id": id_, "media_key": f"3_{id_}", "size": 9, "expires_after_secs": 86400}
            return {"data": body}

        return Reply(200, None, commit=commit)

    def initialize(self, data):
        def commit():
            id_ = str(1_600_000_000_000_000_000 + len(self.pieces))
            self.pieces[id_], self.size = {}, data["total_bytes"]
            return {"data": {"id": id_, "media_key": f"7_{id_}", "expires_after_secs": 86400}}

        return Reply(200, None, commit=commit)

    def append(self, id_, data):
        piece = base64.b64decode(data["media"])
        if len(data["media"]) > 5_000_000:
            return problem(413, "Payload Too Large", "The segment is too large.")

        def commit():
            self.pieces[id_][data["segment_index"]] = piece
            return {"data": {"expires_at": 1}}

        return Reply(200, None, commit=commit)

    def finalize(self, id_, data):
        whole = b"".join(self.pieces[id_][n] for n in sorted(self.pieces[id_]))
        if len(whole) != self.size:
            return problem(400, "Invalid Request", "Segments do not add up to total_bytes.")

        def commit():
            self.media[id_] = (whole, "")
            return {"data": self.progress(id_)}

        return Reply(200, None, commit=commit)

    def progress(self, id_):
        told = {"state": "in_progress", "check_after_secs": 0, "progress_percent": 8}
        if self.processing <= 0:
            told = {"state": self.state, "progress_percent": 100}
        if told["state"] == "failed":
            told["error"] = {"code": 1, "name": "InvalidMedia", "message": "Unsupported frame rate"}
        return {"id": id_, "media_key": f"7_{id_}", "processing_info": told}

    def caption(self, data):
        words = data["subtitles"]
        if data["id"] not in self.pieces or words["id"] not in self.media:
            return problem(404, "Not Found", "Not Found")

        def commit():
            self.subtitles.setdefault(data["id"], []).append(words)
            told = {key: data[key] for key in ("id", "media_category")}
            return {"data": {**told, "associated_subtitles": [words]}}

        return Reply(200, None, commit=commit)

    def describe(self, data):
        text = data["metadata"]["alt_text"]["text"]
        if len(text) > 1000 or data["id"] not in self.media:
            return problem(400, "Invalid Request", "alt_text is longer than 1000")
        if data["id"] in self.pieces:
            return problem(400, "Invalid Request", "alt_text is for images and GIFs")

        def commit():
            self.media[data["id"]] = (self.media[data["id"]][0], text)
            return {"data": {"id": data["id"]}}

        return Reply(200, None, commit=commit)

    def timeline(self, query):
        start = query.get("start_time")
        since = datetime.fromisoformat(start) if start else datetime.min.replace(tzinfo=UTC)
        posts = [p for p in reversed(self.posts) if p.at >= since and not self.hidden]
        page = posts[: int(query["max_results"])]
        more = {"next_token": "7140dibdnow"} if len(posts) > len(page) else {}
        meta = {"result_count": len(page), **more}
        data = {"data": [shown(post) for post in page]} if page else {}
        return Reply(200, {**data, "meta": meta})

    def read(self, ids, fields):
        if len(ids) > 100:
            return problem(400, "Invalid Request", "ids: size must be between 1 and 100")
        known = {post.id: post for post in self.posts}
        secret = [i for i in ids if i in known] if "non_public_metrics" in fields else []
        ago = datetime.now(UTC) - timedelta(days=30)
        late = [i for i in secret if known[i].at < ago]
        data = [
            {
                **shown(known[i]),
                "public_metrics": self.metrics,
                **({"non_public_metrics": owners(known[i])} if i in secret else {}),
            }
            for i in ids
            if i in known and i not in late
        ]
        errors = [
            {
                "resource_type": "tweet",
                "field": "non_public_metrics.url_link_clicks",
                "resource_id": i,
                "title": "Field Authorization Error",
                "type": "https://api.twitter.com/2/problems/not-authorized-for-field",
            }
            for i in late
        ]
        errors += [
            {"value": i, "resource_id": i, "title": "Not Found Error"}
            for i in ids
            if i not in known
        ]
        return Reply(200, {k: v for k, v in (("data", data), ("errors", errors)) if v})


def spent(window: str, seconds: float, *, limit: int = 100) -> dict[str, str]:
    """X's headers for a window that has no room left, and begins anew in so many seconds."""
    reset = str(int(time.time() + seconds))
    return {f"{window}-limit": str(limit), f"{window}-remaining": "0", f"{window}-reset": reset}


def owners(post: Kept) -> dict[str, int]:
    """What X tells an account of its own post; clicks where it has an address."""
    told = {"impression_count": 250, "user_profile_clicks": 4, "engagements": 11}
    return told | ({"url_link_clicks": 9} if "://" in post.text else {})


def shown(post: Kept) -> dict[str, Any]:
    """A post as X shows it: in normal form, escaped, its addresses shortened (those without a
    scheme too, and closed with a slash), a link to its media at the end."""
    text, urls = unicodedata.normalize("NFC", post.text), []
    for number, url in enumerate(re.findall(r"https?://\S+|\bneaspec\.org(?=\s|$)", text)):
        short = f"https://t.co/{post.id[-5:]}{number:05d}"
        text = text.replace(url, short, 1)
        full = url if "://" in url else f"http://{url}/"
        urls.append({"url": short, "expanded_url": full, "display_url": full[7:30]})
    if post.pictures:
        short = f"https://t.co/M{post.id[-9:]}"
        text += f" {short}"
        photo = f"https://twitter.com/neaspec/status/{post.id}/photo/1"
        for number in range(len(post.pictures)):
            urls.append({"url": short, "expanded_url": photo, "media_key": f"3_{number}"})
    return {
        "id": post.id,
        "text": html.escape(text, quote=False),
        "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
        **({"entities": {"urls": urls}} if urls else {}),
    }


def problem(status, title, detail) -> Reply:
    body = {"title": title, "detail": detail, "type": "about:blank", "status": status}
    return Reply(status, body)
