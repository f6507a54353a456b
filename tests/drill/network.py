"""The network of the drill: a server in a process of its own that counts what it takes.

It commits a post and then fails as told, or fails and commits nothing; what it took it never
forgets, and it lists a post only after a while, as real ones do. The adapters beside it reach it
in the three ways that there are: it can be asked, it takes a key, or neither.
"""

import http.client
import json
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from outreach.errors import CannotTell, NotNow, Refused, Uncertain
from outreach.platforms import Account, Figures, Limits, Receipt
from outreach.post import Part

ANSWER = 0.05  # seconds that an answer takes
LAG = 0.4  # seconds until a listing shows a post
VISIBLE = timedelta(seconds=2)  # and what the adapters say of it
PATIENCE = 1.5  # seconds that an adapter waits for an answer
DEADLINE = 2.5


class Server:
    """What the server holds, and how it fails now."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.keys: dict[str, dict[str, Any]] = {}
        self.fault, self.share = "", 0.0
        self.answer = ANSWER
        self.away = 0.0  # seconds for which nobody listens
        self.lock = threading.Lock()
        self.random = random.Random(7)  # noqa: S311 - which calls fail is no secret

    def take(self, post: dict[str, Any], key: str) -> dict[str, Any]:
        with self.lock:
            if key and key in self.keys:
                return self.keys[key]
            number = len(self.posts) + 1
            kept = {**post, "id": str(number), "at": time.time()}
            self.posts.append(kept)
            if key:
                self.keys[key] = kept
            return kept

    def fails(self) -> str:
        with self.lock:
            return self.fault if self.random.random() < self.share else ""


class Handler(BaseHTTPRequestHandler):
    server_of: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server_of
        if self.path == "/control":
            server.fault, server.share, server.away = body["fault"], body["share"], body["away"]
            server.answer = body["answer"]
            self.say(200, {})
            if server.away:
                threading.Thread(target=self.server.shutdown).start()
            return None
        time.sleep(server.answer)
        fault = server.fails()
        if fault == "429":
            return self.say(429, {}, {"Retry-After": "1"})
        if fault == "500 before":
            return self.say(500, {})
        if fault == "hangs":  # and has taken nothing
            time.sleep(PATIENCE * 2)
            return self.cut()
        kept = server.take(body, self.headers.get("Idempotency-Key", ""))
        if fault == "500 after":
            return self.say(500, {})
        if fault == "lost":
            return self.cut()
        if fault == "late":
            time.sleep(PATIENCE * 1.5)
        return self.say(200, {"id": kept["id"]})

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/all":
            return self.say(200, self.server_of.posts)
        [channel] = parse_qs(url.query)["channel"]
        [since] = parse_qs(url.query)["since"]
        shown = time.time() - LAG
        posts = [
            post
            for post in self.server_of.posts
            if post["channel"] == channel and float(since) <= post["at"] <= shown
        ]
        return self.say(200, posts)

    def say(self, status, body, headers: Mapping[str, str] = {}):
        data = json.dumps(body).encode()
        with suppress(OSError):  # the client may be gone
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

    def cut(self):
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class Listening(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, *_):
        """A client that was killed is no news here."""


def serve(port: int) -> None:
    """Serve until killed; the port is printed."""
    server = Server()
    handler = type("Bound", (Handler,), {"server_of": server})
    while True:
        listening = Listening(("127.0.0.1", port), handler)
        port = listening.server_port
        print(port, flush=True)
        listening.serve_forever(poll_interval=0.05)
        listening.server_close()
        time.sleep(server.away)


class Counted:
    """An account on it."""

    limits: ClassVar = Limits(text=500, parts=25, deadline=DEADLINE, visible=VISIBLE)
    offers: ClassVar[frozenset[str]] = frozenset()
    needs: ClassVar[tuple[str, ...]] = ()
    asks: ClassVar[tuple[str, ...]] = ()
    public: ClassVar = True
    keyed: ClassVar = False

    def __init__(self, account: Account) -> None:
        self._channel, self._place = account.channel, urlsplit(account.base).netloc
        self._now = account.now
        self.account = f"counted {account.channel}"

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        body = {"channel": self._channel, "text": part.text, "after": after.id if after else ""}
        headers = {"Idempotency-Key": part.token} if self.keyed else {}
        connection = http.client.HTTPConnection(self._place, timeout=PATIENCE)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise NotNow(f"cannot be reached: {error}", timedelta(seconds=1)) from error
            if not self.keyed and self.limits.shows:
                _sleep_if_told()
            part.fence(PATIENCE)
            try:
                connection.request("POST", "/posts", json.dumps(body), headers)
                answer = connection.getresponse()
                told = json.loads(answer.read())
            except (OSError, http.client.HTTPException) as error:
                raise Uncertain(f"no answer: {error}") from error
        finally:
            connection.close()
        if answer.status == 429:
            wait = timedelta(seconds=float(answer.headers["Retry-After"]))
            raise NotNow("too many requests", wait)
        if answer.status >= 500:
            raise Uncertain(f"it says {answer.status}")
        if answer.status != 200:
            raise Refused(f"it says {answer.status}")
        return Receipt(told["id"], f"http://{self._place}/{told['id']}", self._now())

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        if not self.limits.shows:
            raise CannotTell("this network shows no history: look yourself")
        connection = http.client.HTTPConnection(self._place, timeout=PATIENCE)
        try:
            # What `now` says may be an hour off, the server's clock is not. A text is used once.
            connection.request("GET", f"/posts?channel={self._channel}&since=0")
            posts = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException) as error:
            raise CannotTell(f"it cannot be asked now: {error}") from error
        finally:
            connection.close()
        for post in posts:
            if post["text"] == part.text and post["id"] not in not_these:
                at = datetime.fromtimestamp(post["at"], UTC)
                return Receipt(post["id"], f"http://{self._place}/{post['id']}", at)
        return None

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        return {}

    def audience(self) -> Figures:
        return {}

    def check(self) -> str:
        return self.account


def _sleep_if_told() -> None:
    """Stop this process between its claim and its call, once, where DRILL_STOP names a file."""
    with suppress(KeyError, FileNotFoundError):
        Path(os.environ["DRILL_STOP"]).unlink()
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0.2)  # a stop takes a moment to reach every thread; not beyond the fence


class Asked(Counted):
    """It takes no key, and can be asked."""


class Keyed(Counted):
    """It takes a key: the same call again makes no second copy."""

    limits: ClassVar = Limits(
        text=500, parts=25, deadline=DEADLINE, visible=timedelta(0), repeats=True
    )
    keyed = True


class Blind(Counted):
    """It takes no key and shows no history: only a person can look."""

    limits: ClassVar = replace(Counted.limits, shows=False)


KINDS = {"asked": Asked, "keyed": Keyed, "blind": Blind}
"""By what a channel's network can do."""

if __name__ == "__main__":
    serve(int(sys.argv[1]))
