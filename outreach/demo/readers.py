"""The demo's public: its pages served on this machine, and readers who visit them over HTTP."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from outreach.errors import Unusable

if TYPE_CHECKING:
    from outreach.app import Outreach

HOST = "127.0.0.1"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BOT = "Twitterbot/1.0"  # what fetches a link's preview before anybody has seen the post
TIMEOUT = 10.0  # seconds


@contextmanager
def a_port() -> Iterator[tuple[socket.socket, int]]:
    """A free port of this machine, held from now on: posts print it before anything is served."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        yield listener, listener.getsockname()[1]


@contextmanager
def serving(desk: "Outreach", listener: socket.socket) -> Iterator[None]:
    """The public pages of this desk, for as long as this lasts. Raises Unusable."""
    from outreach.web.app import create_app, server

    pages = server(create_app(desk))
    thread = threading.Thread(target=pages.run, kwargs={"sockets": [listener]}, name="pages")
    thread.start()
    try:
        deadline = time.monotonic() + TIMEOUT
        while not pages.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise Unusable("the public pages could not be served", "run the demo again")
            time.sleep(0.01)
        yield
    finally:
        pages.should_exit = True
        thread.join()


def fetch(url: str) -> str:
    """A page, as a browser asks for it. Raises Unusable where it is not there."""
    status, body, _ = _get(url, BROWSER)
    if status != 200:
        raise Unusable(f"{url} answered {status}")
    return body


def follow(url: str, *, agent: str = BROWSER) -> str:
    """Where a short link leads. It is not followed further: nothing leaves this machine.

    Raises Unusable where it leads nowhere.
    """
    status, _, location = _get(url, agent)
    if status != 302 or not location:
        raise Unusable(f"the short link {url} answered {status}")
    return location


def _get(url: str, agent: str) -> tuple[int, str, str]:
    parts = urlsplit(url)
    connection = HTTPConnection(HOST, parts.port, timeout=TIMEOUT)
    try:
        connection.request("GET", parts.path, headers={"User-Agent": agent})
        answer: HTTPResponse = connection.getresponse()
        return answer.status, answer.read().decode("utf-8"), answer.getheader("Location", "")
    finally:
        connection.close()
