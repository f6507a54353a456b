"""Servers that nobody here wrote, started on loopback, and a proxy before them that loses answers.

`tests/counterparts/install.sh` puts them into the folder that OUTREACH_COUNTERPARTS names.
"""

import json
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest

from .servers import Network, Reply

FOLDER = Path(os.environ.get("OUTREACH_COUNTERPARTS", ".cache/counterparts")).absolute()
START = 60.0  # seconds that a server may take until it answers


def installed(name: str, what: str) -> Path:
    """Where it is, or skip and say what is not proven."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not installed: {what}")
    return path


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def running(command, ready, temporary, cwd=None, **environment):
    """A server in a process of its own, from when `ready()` is true until the block ends.

    What it says, and what it keeps meanwhile, lies in the folder `temporary`.
    """
    log = temporary / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd or temporary,
            env={**os.environ, "TMPDIR": str(temporary), **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            until = time.monotonic() + START
            while not ready():
                if process.poll() is not None or time.monotonic() > until:
                    pytest.fail(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def ask(base, method, path, body=None, headers=None, timeout=20.0):
    """Status, headers and JSON of one request, by nothing that the program uses."""
    url = urlsplit(base)
    connection = HTTPConnection(url.hostname, url.port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    return answer.status, dict(answer.getheaders()), json.loads(data) if data else None


def answers(base, path) -> bool:
    try:
        return ask(base, "GET", path, timeout=2.0)[0] == 200
    except (OSError, ValueError):
        return False


class Behind(Network):
    """The proxy before a real server: what it forwards is committed there, and then the answer may
    be lost, or never come. `rules` is the stand-in of the same network: it says which requests
    make something public, and how the network refuses.

    `posts`, and with it texts and copies, is what the public of the server sees.
    """

    def __init__(self, upstream: str, rules: Network) -> None:
        self.upstream, self.rules = upstream, rules
        super().__init__()

    @property
    def posts(self):
        return self.public()

    @posts.setter
    def posts(self, _nothing):
        """The server has them."""

    def public(self):
        """What is live there, oldest first."""
        raise NotImplementedError

    def failure(self, fault):
        return self.rules.failure(fault)

    def answer(self, method, path, query, headers, body):
        reply = Reply(0, None)

        def forward():
            asked = f"{quote(path)}?{urlencode(query, doseq=True)}" if query else quote(path)
            own = {k: v for k, v in headers.items() if k.lower() not in DROPPED}
            reply.status, told, data = ask(self.upstream, method, asked, body, own)
            reply.headers = {k: v for k, v in told.items() if k.lower() in KEPT}
            return data

        reply.commit = forward
        return self.rules.kind(method, path), reply


DROPPED = {"host", "connection", "accept-encoding"}  # of a request
KEPT = {  # of an answer
    *("retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    *("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "ratelimit-policy"),
}
