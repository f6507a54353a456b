"""Addresses are asked whether they live, and no address makes us speak to the inside."""

import ipaddress
import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.compose import reachable
from outreach.compose.reachable import (
    KNOWN,
    LARGEST,
    Answer,
    Memo,
    check,
    check_all,
    is_public,
    look_up,
    open_socket,
)
from tests.conftest import Clock

Act = Callable[[socket.socket], None]


def head(status: int, *lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Whatever", *lines, "", ""]).encode() + body


def to(location: str, *lines: str, status: int = 302) -> bytes:
    return head(status, f"Location: {location}", *lines)


OK = head(200, "Content-Type: text/html")
HEADLESS = {"HEAD": head(405), "GET": OK}


class Site:
    """A server on loopback. `pages` are answers by path: bytes, bytes by method, or what to do."""

    def __init__(self, pages: Mapping[str, Any], tls: ssl.SSLContext | None, slow: float) -> None:
        self.pages, self.tls, self.slow = pages, tls, slow
        self.requests: list[str] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self.listening.accept()
                threading.Thread(target=self._meet, args=(sock,), daemon=True).start()

    def _meet(self, sock: socket.socket) -> None:
        sock.settimeout(5)
        with suppress(OSError), sock:
            if self.tls:
                with self.tls.wrap_socket(sock, server_side=True) as private:
                    self._answer(private)
            else:
                self._answer(sock)

    def _answer(self, sock: socket.socket) -> None:
        # Counted until the answer is sent: whoever asks cannot be on to the next before that.
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            said = b""
            while b"\r\n\r\n" not in said:
                if not (more := sock.recv(4096)):
                    return
                said += more
            self.requests.append(said.decode("ascii"))
            time.sleep(self.slow)
        finally:
            with self.lock:
                self.at_once -= 1
        method, path, _ = said.decode("ascii").split(" ", 2)
        page = self.pages.get(path, head(404))
        if isinstance(page, dict):
            page = page[method]
        if callable(page):
            page(sock)
        else:
            sock.sendall(page)


class Plain:
    """In place of TLS where a test is about something else: what it is given, as it is.

    It counts what is read.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.read = 0

    def wrap_socket(self, sock: socket.socket, *, server_hostname: str) -> "Counted":
        self.names.append(server_hostname)
        return Counted(sock, self)


class Counted:
    def __init__(self, sock: socket.socket, plain: Plain) -> None:
        self.sock, self.plain = sock, plain

    def __enter__(self) -> "Counted":
        return self

    def __exit__(self, *_: object) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    def recv(self, size: int) -> bytes:
        data = self.sock.recv(size)
        self.plain.read += len(data)
        return data


class World:
    """An internet of its own: names with their addresses, and servers behind these."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {KNOWN: ["198.41.0.4"]}
        self.servers: dict[str, Site] = {}  # by address
        self.resolved: list[str] = []
        self.connected: list[tuple[str, int]] = []
        self.trust: Any = Plain()

    def site(
        self,
        host: str,
        pages: Mapping[str, Any] | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        slow: float = 0,
    ) -> Site:
        address = f"93.184.215.{len(self.servers) + 1}"
        self.names[host] = [address]
        self.servers[address] = Site({"/": OK} if pages is None else pages, tls, slow)
        return self.servers[address]

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.names[host]

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        self.connected.append((address, port))
        if address not in self.servers:
            raise ConnectionRefusedError
        return open_socket("127.0.0.1", self.servers[address].port, seconds)

    @property
    def ask(self) -> Callable[..., Answer]:
        return partial(check, resolve=self.resolve, connect=self.connect, trust=self.trust)

    def check(self, url: str, **options: Any) -> Answer:
        return self.ask(url, **options)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    for site in made.servers.values():
        site.close()


# --- Read strictly ------------------------------------------------------------------------------

REFUSED_UNASKED = [
    # not an address, or not one for a browser
    ("", "is not an address"),
    ("a.org", "is not an address"),
    ("//a.org/", "is not an address"),
    ("ftp://a.org/", "is not an address"),
    ("file:///etc/passwd", "is not an address"),
    ("gopher://a.org:80/", "is not an address"),
    ("javascript:alert(1)", "is not an address"),
    ("https:a.org", "is not an address"),
    ("https:///a.org", "is not an address"),
    ("https://[::1", "is not an address"),
    ("https://a.org:99999/", "is not an address"),
    ("https://a.org:80:443/", "is not an address"),
    ("https://a.org／@b.org/", "is not an address"),
    ("https://a.org/" + "x" * 8000, "is longer than 8000 characters"),
    # blanks and invisible signs
    (" https://a.org/", "has a blank or a sign"),
    ("https://a.org/a b", "has a blank or a sign"),
    ("https://a.org/\r\nHost: b.org", "has a blank or a sign"),
    ("https://a.org/\t", "has a blank or a sign"),
    ("https://a.org\x00.b.org/", "has a blank or a sign"),
    ("https://a.\u200borg/", "has a blank or a sign"),
    ("https://a.org/\u202egpj.exe", "has a blank or a sign"),
    ("https://a.org/\u2028", "has a blank or a sign"),
    ("https://a.org/\x9b2J", "has a blank or a sign"),
    ("https://a.org/\ud800", "has a blank or a sign"),
    ("https://a.org\\@127.0.0.1/", "has a blank or a sign"),
    ("https:\\\\a.org/", "has a blank or a sign"),
    # names and passwords, written and encoded
    ("https://me@a.org/", "has a user name or a password"),
    ("https://me:secret@a.org/", "has a user name or a password"),
    ("https://a.org%2f@127.0.0.1/", "has a user name or a password"),
    ("https://a.org%5c@127.0.0.1/", "has a user name or a password"),
    ("https://a.org:443@127.0.0.1/", "has a user name or a password"),
    ("https://@a.org/", "has a user name or a password"),
    ("https://a.org%00.b.org/", "has a host that browsers would read differently"),
    ("https://a.org%2f.b.org/", "has a host that browsers would read differently"),
    ("https://a.org%40b.org/", "has a host that browsers would read differently"),
    ("https://[::1]a.org/", ""),  # Python versions differ in how they refuse it
    ("https://[fe80::1%25eth0]/", "has a host that browsers would read differently"),
    # ports
    ("https://a.org:8443/", "is at port 8443"),
    ("http://a.org:22/", "is at port 22"),
    ("https://a.org:0/", "is at port 0"),
    # hosts of an inner network
    ("https://localhost/", "only an inner network knows"),
    ("https://LOCALHOST./", "only an inner network knows"),
    ("https://app.localhost/", "only an inner network knows"),
    ("https://intranet/", "only an inner network knows"),
    ("https://wiki.corp/", "only an inner network knows"),
    ("https://printer.local/", "only an inner network knows"),
    ("https://metadata.google.internal/", "only an inner network knows"),
    ("https://router.home.arpa/", "only an inner network knows"),
    ("https://a..org/", "only an inner network knows"),
    ("https://a!b.org/", "only an inner network knows"),
    ("https://ｌｏｃａｌｈｏｓｔ/", "only an inner network knows"),
    (f"https://{'a' * 64}.org/", "only an inner network knows"),
    (f"https://{'abc.' * 63}org/", "only an inner network knows"),
    # numbers that some read as addresses
    ("https://2130706433/", "has a number for a host"),
    ("https://0x7f000001/", "has a number for a host"),
    ("https://0x7f.1/", "has a number for a host"),
    ("https://127.1/", "has a number for a host"),
    ("https://0177.0.0.1/", "has a number for a host"),
    ("https://1.2.3.4.5/", "has a number for a host"),
    ("https://①②⑦.①/", "has a number for a host"),
    # what works for whoever copied it
    ("https://teams.microsoft.com/l/meetup-join/19%3ameeting_x", "into a Teams meeting"),
    ("https://TEAMS.microsoft.com/L/Meetup-Join/19", "into a Teams meeting"),
    ("https://teams.microsoft.com/meet/2745?p=x", "into a Teams meeting"),
    ("https://teams.live.com/meet/9312", "into a Teams meeting"),
    ("https://gov.teams.microsoft.us/l/meetup-join/19", "into a Teams meeting"),
    ("https://forum.azurewebsites.net/", "is a host for building sites"),
    ("https://staging.unescap.org/", "is a copy of a site for trying things out"),
    ("https://www-staging2.unescap.org/", "is a copy of a site for trying things out"),
    ("https://nam12.safelinks.protection.outlook.com/?url=x", "was copied out of a mail"),
]


@pytest.mark.parametrize(("url", "what"), REFUSED_UNASKED)
def test_an_address_that_may_not_be_is_refused_without_a_word_to_anybody(
    world: World, url: str, what: str
) -> None:
    answer = world.check(url)
    assert answer.ok is False
    assert what in answer.what
    assert answer.hint
    assert "secret" not in answer.what + answer.final + answer.hint
    assert (world.resolved, world.connected) == ([], [])


def test_a_host_that_cannot_be_read_could_not_be_told_and_is_not_asked(world: World) -> None:
    for url in ("https://i❤.ws/", f"https://{'é' * 300}.org/"):
        assert world.check(url).ok is None
    assert (world.resolved, world.connected) == ([], [])


@pytest.mark.parametrize(
    ("url", "host", "asked"),
    [
        ("https://a.org", "a.org", "/"),
        ("HTTPS://A.Org./x", "a.org", "/x"),
        ("https://a.org:443/@me?a=b@c#d", "a.org", "/@me?a=b@c"),
        ("https://a.org:/x", "a.org", "/x"),
        ("https://a.org?q=%2f|x", "a.org", "/?q=%2f%7Cx"),
        ("https://a.org/é/지속", "a.org", "/%C3%A9/%EC%A7%80%EC%86%8D"),
        ("https://bücher.example.org/", "xn--bcher-kva.example.org", "/"),
        ("https://faß.example.org/", "xn--fa-hia.example.org", "/"),
        ("https://www.uat.edu/", "www.uat.edu", "/"),
        ("https://teams.microsoft.com/", "teams.microsoft.com", "/"),
    ],
)
def test_an_ordinary_address_is_asked_as_a_browser_would(
    world: World, url: str, host: str, asked: str
) -> None:
    site = world.site(host, {asked: OK})
    assert world.check(url) == Answer(url, True, "answers 200", f"https://{host}{asked}")
    (request,) = site.requests
    assert request.split("\r\n")[:2] == [f"HEAD {asked} HTTP/1.1", f"Host: {host}"]
    assert world.trust.names == [host]


def test_a_request_says_who_asks_and_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Site({}, None, 0)
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    site = world.site("a.org", {"/": HEADLESS})
    world.check("https://a.org/")
    assert site.requests[1] == (
        "GET / HTTP/1.1\r\nHost: a.org\r\n"
        "User-Agent: outreach-link-check/0.1 (looks whether the links in our posts work)\r\n"
        "Accept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\nRange: bytes=0-0\r\n\r\n"
    )
    assert proxy.requests == []
    proxy.close()


# --- Look up once, and connect to exactly that --------------------------------------------------


def several(text: str) -> list[str]:
    return text.split()


SPECIAL = several(
    """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.255.255.254 168.63.129.16 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192
192.0.0.255 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.9
224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::a00:1
64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1
2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1 4000::1 5f00::1 fc00::1
fd00:ec2::254 fe80::1 fec0::1 ff02::1 ff0e::1
"""
)

PUBLIC = several(
    """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.215.14 100.63.255.255 100.128.0.0 126.255.255.255
168.63.129.17 169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.0 192.169.0.0 198.17.255.255
198.20.0.0 223.255.255.255 2001:200::1 2001:4860:4860::8888 2003::1 2606:4700:4700::1111 2a00::1
"""
)


def literal(address: str) -> str:
    return f"https://[{address}]/" if ":" in address else f"https://{address}/"


@pytest.mark.parametrize("address", SPECIAL)
def test_a_special_address_is_never_connected_to(world: World, address: str) -> None:
    world.names = {
        "all.org": [address],
        "first.org": [address, "93.184.215.14"],
        "last.org": ["93.184.215.14", "2606:4700:4700::1111", address],
    }
    answer = world.check(literal(address))
    assert answer.ok is False
    for host in ("all.org", "first.org", "last.org"):
        answer = world.check(f"https://{host}/")
        assert answer.ok is False
        assert f"is at {address}, which is not on the public internet" in answer.what
    assert world.connected == []
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_connected_to_as_it_is(world: World, address: str) -> None:
    world.check(literal(address))
    assert world.connected == [(address, 443)]
    assert world.resolved == []


@given(st.ip_addresses())
def test_no_address_is_public_that_python_holds_for_special(address: Any) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not (address.is_multicast or address.is_reserved or address.is_link_local)


@pytest.mark.parametrize("address", ["", "a.org", "1.2.3", "2606:4700::1%eth0", "8.8.8.8/8"])
def test_what_is_no_address_is_not_public(world: World, address: str) -> None:
    world.names["a.org"] = [address]
    assert world.check("https://a.org/").ok is False
    assert world.connected == []


def test_a_name_is_looked_up_once_however_often_its_address_changes(world: World) -> None:
    """DNS rebinding: public when it is checked, inside when it is connected to."""
    site = world.site("a.org", {"/": HEADLESS})
    (first,) = world.names["a.org"]
    answers = iter([[first], ["127.0.0.1"], ["169.254.169.254"]])

    def resolve(host: str, port: int) -> list[str]:
        world.resolved.append(host)
        return next(answers)

    answer = check("https://a.org/", resolve=resolve, connect=world.connect, trust=world.trust)

    assert answer.ok is True
    assert len(site.requests) == 2  # HEAD and GET
    assert world.resolved == ["a.org"]
    assert world.connected == [(first, 443)] * 2


def test_a_redirect_back_to_a_name_that_has_moved_inside_is_refused(world: World) -> None:
    world.site("a.org", {"/": to("/again")})
    (first,) = world.names["a.org"]
    answers = iter([[first], ["127.0.0.1"]])
    answer = check(
        "https://a.org/",
        resolve=lambda host, port: next(answers),
        connect=world.connect,
        trust=world.trust,
    )
    assert answer.ok is False
    assert world.connected == [(first, 443)]


def test_where_one_kind_of_address_does_not_work_the_other_is_tried(world: World) -> None:
    world.site("a.org")
    world.names["a.org"] = ["2606:4700::1", "2606:4700::2", *world.names["a.org"], "8.8.8.8"]
    assert world.check("https://a.org/").ok is True
    assert [address for address, _ in world.connected] == ["2606:4700::1", "93.184.215.1"]


@pytest.mark.parametrize(
    ("answers", "ok", "what"),
    [
        ({"a.org": socket.EAI_NONAME}, False, "has a name that does not exist"),
        ({"a.org": socket.EAI_NODATA}, False, "has a name that does not exist"),
        ({"a.org": None}, False, "has a name that does not exist"),
        ({"a.org": socket.EAI_AGAIN}, None, "could not be looked up"),
        ({"a.org": socket.EAI_FAIL}, None, "could not be looked up"),
        # Some machines without a network are told this of every name.
        ({"a.org": socket.EAI_NONAME, KNOWN: socket.EAI_NONAME}, None, "could not be looked up"),
        ({"a.org": socket.EAI_NONAME, KNOWN: socket.EAI_AGAIN}, None, "could not be looked up"),
    ],
)
def test_only_a_name_that_does_not_exist_is_broken_not_a_network_that_is_down(
    world: World, answers: dict[str, int | None], ok: bool | None, what: str
) -> None:
    def resolve(host: str, port: int) -> list[str]:
        if host in answers and (errno := answers[host]):
            raise socket.gaierror(errno, "")
        return [] if host in answers else ["198.41.0.4"]

    answer = check("https://a.org/", resolve=resolve, connect=world.connect)
    assert (answer.ok, answer.what) == (ok, what)
    assert world.connected == []  # nor to the name that every network knows


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError, OSError(101, "unreachable"), TimeoutError]
)
def test_a_server_that_cannot_be_connected_to_could_not_be_told(world: World, error: Any) -> None:
    def connect(address: str, port: int, seconds: float) -> socket.socket:
        raise error

    answer = check("https://8.8.8.8/", connect=connect)
    assert answer.ok is None


# --- A server of our own, for tests and demos ---------------------------------------------------


def test_a_loopback_server_is_asked_only_where_a_caller_names_it() -> None:
    site = Site({"/": OK}, None, 0)
    url = f"http://127.0.0.1:{site.port}/"
    assert check(url).ok is False
    assert check(url, allowed={"127.0.0.1:1"}).ok is False
    assert site.requests == []
    assert check(url, allowed={f"127.0.0.1:{site.port}"}) == Answer(url, True, "answers 200", url)
    site.close()


def test_allowing_a_host_opens_loopback_and_no_other_special_address(world: World) -> None:
    world.names = {"desk.test": ["127.0.0.1"], "cloud.test": ["169.254.169.254"]}
    allowed = {"desk.test:8080", "cloud.test:80", "10.0.0.1:80", "[::1]:8080"}
    world.check("http://desk.test:8080/", allowed=allowed)
    world.check("http://[::1]:8080/", allowed=allowed)
    assert world.connected == [("127.0.0.1", 8080), ("::1", 8080)]
    for url in ("http://cloud.test/", "http://10.0.0.1/", "http://desk.test/", "http://[::1]/"):
        assert world.check(url, allowed=allowed).ok is False
    assert len(world.connected) == 2


# --- What an answer means -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "ok", "what"),
    [
        (200, True, "answers 200"),
        (204, True, "answers 204"),
        (206, True, "answers 206"),
        (304, None, "answers 304 to programs"),
        (400, None, "answers 400 to programs"),
        (401, None, "answers 401 to programs"),
        (403, None, "answers 403 to programs"),
        (404, False, "answers 404: there is no such page"),
        (410, False, "answers 410: the page was taken away"),
        (416, None, "answers 416 to programs"),
        (429, None, "answers 429: it was asked too often"),
        (451, None, "answers 451 to programs"),
        (500, None, "answers 500: it is in trouble"),
        (503, None, "answers 503: it is in trouble"),
        (999, None, "answers 999 to programs"),
    ],
)
def test_only_what_is_surely_gone_is_broken(
    world: World, status: int, ok: bool | None, what: str
) -> None:
    world.site("a.org", {"/": head(status)})
    answer = world.check("https://a.org/")
    assert (answer.ok, answer.what) == (ok, what)
    assert ok or answer.hint


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 500, 501, 503])
def test_where_head_finds_fault_get_decides(world: World, status: int) -> None:
    site = world.site("a.org", {"/": {"HEAD": head(status), "GET": head(206)}})
    assert world.check("https://a.org/").what == "answers 206"
    assert [request.split()[0] for request in site.requests] == ["HEAD", "GET"]


@pytest.mark.parametrize("status", [200, 204, 429])
def test_where_head_is_answered_nothing_more_is_asked(world: World, status: int) -> None:
    site = world.site("a.org", {"/": head(status)})
    world.check("https://a.org/")
    assert len(site.requests) == 1


def test_hints_before_an_answer_are_skipped(world: World) -> None:
    world.site("a.org", {"/": head(103, "Link: </x>") + head(100) + head(410)})
    assert world.check("https://a.org/").ok is False


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (b"", "ends the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\nServer: x\r\n", "ends the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "answers with something that is not HTTP"),
        (b"<html>\n\n</html>", "answers with something that is not HTTP"),
        (b"HTTP/2 200\r\n\r\n", "answers with something that is not HTTP"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "answers with something that is not HTTP"),
    ],
)
def test_what_is_no_answer_could_not_be_told(world: World, said: bytes, what: str) -> None:
    world.site("a.org", {"/": said})
    answer = world.check("https://a.org/")
    assert (answer.ok, answer.what) == (None, what)


def test_lines_may_end_as_old_programs_end_them(world: World) -> None:
    world.site("a.org", {"/": b"HTTP/1.0 301\nlocation:/b\n\n", "/b": b"HTTP/1.0 200 OK\n\n"})
    assert world.check("https://a.org/").final == "https://a.org/b"


# --- Redirects ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(world: World, status: int) -> None:
    world.site("a.org", {"/": to("https://b.org/x", status=status)})
    world.site("b.org", {"/x": OK})
    assert world.check("https://a.org/") == Answer(
        "https://a.org/", True, "leads to b.org, which answers 200", "https://b.org/x"
    )


@pytest.mark.parametrize(
    ("location", "final"),
    [
        ("y", "/d/y"),
        ("/y?a=b", "/y?a=b"),
        ("../y z", "/y%20z"),
        ("//a.org/y", "/y"),
        ("?q", "/d/x?q"),
        ("/한", "/%ED%95%9C"),
        ("  /y  ", "/y"),
    ],
)
def test_a_redirect_may_be_written_in_any_way_that_browsers_follow(
    world: World, location: str, final: str
) -> None:
    world.site("a.org", {"/d/x": to(location), final: OK})
    assert world.check("https://a.org/d/x").final == f"https://a.org{final}"


@pytest.mark.parametrize(
    ("location", "what"),
    [
        ("https://127.0.0.1/", "leads to 127.0.0.1, which is at 127.0.0.1"),
        ("https://169.254.169.254/latest/meta-data/", "which is not on the public internet"),
        ("https://[::ffff:10.0.0.1]/", "which is not on the public internet"),
        ("https://inside.org/", "leads to inside.org, which is at 10.1.2.3"),
        ("//inside.org/", "leads to inside.org, which is at 10.1.2.3"),
        ("http://inside.org/", "leads to inside.org, which is at 10.1.2.3"),
        ("https://mixed.org/", "leads to mixed.org, which is at fd00::1"),
        ("https://gone.org/", "leads to gone.org, which has a name that does not exist"),
        ("https://localhost/", "leads to localhost, which has a host that only an inner network"),
        ("https://2130706433/", "leads to 2130706433, which has a number for a host"),
        ("https://a.org:8080/", "leads to a.org, which is at port 8080"),
        ("https://me:secret@a.org/", "leads to a.org, which has a user name or a password"),
        ("https://a.org\\@127.0.0.1/", "leads to an address that browsers would read"),
        ("/\\127.0.0.1/", "leads to an address that browsers would read"),
        ("/\t/127.0.0.1/", "leads to an address that browsers would read"),
        ("https://a.\u202eorg/", "leads to an address, which has a blank or a sign"),
        ("https://a.org%2f@127.0.0.1/", "which has a user name or a password"),
        ("https://[::1", "leads to an address, which is not an address"),
        ("file:///etc/passwd", "leads to an address, which is not an address"),
        ("gopher://inside.org/", "leads to inside.org, which is not an address"),
        ("https://teams.live.com/meet/1", "which is the way into a Teams meeting"),
        ("http://plain.org/", "leads to plain.org, which is not encrypted"),
        ("https://login.microsoftonline.com/x", "which asks people to sign in"),
        ("/" + "x" * 8000, "which is longer than 8000 characters"),
    ],
)
def test_each_step_of_the_way_is_checked_anew(world: World, location: str, what: str) -> None:
    for host in ("plain.org", "login.microsoftonline.com"):
        world.site(host, {"/": OK, "/x": OK})
    world.site("a.org", {"/": to("https://b.org/")})
    world.site("b.org", {"/": to(location)})
    world.names |= {"inside.org": ["10.1.2.3"], "mixed.org": ["93.184.215.9", "fd00::1"]}

    answer = world.check("https://a.org/")

    assert answer.ok is False
    assert what in answer.what
    assert answer.hint
    assert "secret" not in answer.what + answer.final + answer.hint
    assert {address for address, _ in world.connected} <= set(world.servers)


def test_a_way_may_have_five_redirects_and_no_more(world: World) -> None:
    site = world.site("a.org", {f"/{n}": to(f"/{n + 1}") for n in range(6)} | {"/6": OK})
    assert world.check("https://a.org/1").ok is True
    assert len(site.requests) == 6
    answer = world.check("https://a.org/0")
    assert (answer.ok, answer.what) == (None, "leads on more than 5 times")
    assert len(site.requests) == 6 + 6


def test_a_circle_is_broken(world: World) -> None:
    world.site("a.org", {"/": to("https://b.org/"), "/self": to("/self#x")})
    world.site("b.org", {"/": to("https://a.org/")})
    for url in ("https://a.org/", "https://a.org/self"):
        answer = world.check(url)
        assert (answer.ok, answer.what) == (False, "leads in a circle")


def test_a_circle_that_a_cookie_may_end_could_not_be_told_and_no_cookie_is_sent(
    world: World,
) -> None:
    site = world.site("a.org", {"/": to("/b", "Set-Cookie: seen=1"), "/b": to("/")})
    assert world.check("https://a.org/").ok is None
    assert not any("cookie" in request.lower() for request in site.requests)


def test_an_unencrypted_address_that_leads_to_an_encrypted_one_works_with_advice(
    world: World,
) -> None:
    world.site("a.org", {"/": to("https://b.org/x")})
    world.site("b.org", {"/x": OK})
    answer = world.check("http://a.org/#part")
    assert answer.ok is True
    assert answer.hint == "print https://b.org/x#part instead: the way there is not encrypted"
    assert world.connected == [("93.184.215.1", 80), ("93.184.215.2", 443)]


def test_an_unencrypted_address_that_leads_nowhere_else_is_refused(world: World) -> None:
    world.site("a.org")
    answer = world.check("http://a.org/")
    assert (answer.ok, answer.what) == (False, "is not encrypted")


def test_a_shared_document_that_asks_programs_to_sign_in_could_not_be_told(world: World) -> None:
    sign_in = "https://login.microsoftonline.com/x"
    world.site("login.microsoftonline.com", {"/x": OK})
    world.site("un.sharepoint.com", {"/:w:/s/x": to(sign_in), "/sites/x": to(sign_in)})
    assert world.check("https://un.sharepoint.com/:w:/s/x").ok is None
    assert world.check("https://un.sharepoint.com/sites/x").ok is False


# --- Servers that mean ill ----------------------------------------------------------------------


def dribble(data: bytes, forever: bool = True) -> Act:
    def act(sock: socket.socket) -> None:
        while True:
            for number in range(len(data)):
                sock.sendall(data[number : number + 1])
                time.sleep(0.02)
            if not forever:
                return

    return act


def pour(start: bytes, more: bytes) -> Act:
    def act(sock: socket.socket) -> None:
        sock.sendall(start)
        while True:
            sock.sendall(more)

    return act


def stay(sock: socket.socket) -> None:
    sock.recv(1)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(stay, id="silent"),
        pytest.param(dribble(b"HTTP/1.1 200 OK\r\nX-A: b\r\n" + b"X: y\r\n" * 100), id="headers"),
        pytest.param(dribble(head(100)), id="hints"),
        pytest.param(dribble(to("/"), forever=False), id="redirect"),
    ],
)
def test_a_server_that_takes_its_time_gets_no_more_than_there_is(world: World, page: Act) -> None:
    world.site("a.org", {"/": page})
    began = time.monotonic()
    answer = world.check("https://a.org/", seconds=0.4)
    assert time.monotonic() - began < 1.5
    assert (answer.ok, answer.what) == (None, "did not answer in time")


def test_the_whole_way_shares_one_deadline(world: World) -> None:
    world.site("a.org", {f"/{n}": to(f"/{n + 1}") for n in range(9)}, slow=0.2)
    began = time.monotonic()
    assert world.check("https://a.org/0", seconds=0.5).what.endswith("did not answer in time")
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc" * 999])
def test_a_handshake_that_takes_its_time_gets_no_more_than_there_is(
    world: World, said: bytes
) -> None:
    def meet(sock: socket.socket) -> None:
        sock.recv(4096)
        dribble(said, forever=False)(sock) if said else stay(sock)

    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            sock, _ = listening.accept()
            with sock:
                meet(sock)

    threading.Thread(target=serve, daemon=True).start()
    began = time.monotonic()
    answer = check(
        "https://8.8.8.8/",
        connect=lambda a, p, s: open_socket("127.0.0.1", listening.getsockname()[1], s),
        seconds=0.4,
    )
    assert time.monotonic() - began < 1.5
    assert (answer.ok, answer.what) == (None, "did not answer in time")
    listening.close()


def test_a_resolver_that_takes_its_time_gets_no_more_than_there_is(world: World) -> None:
    released = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        released.wait(5)
        return ["8.8.8.8"]

    began = time.monotonic()
    answer = check("https://a.org/", resolve=resolve, connect=world.connect, seconds=0.3)
    assert time.monotonic() - began < 1.5
    assert (answer.ok, answer.what, world.connected) == (None, "did not answer in time", [])
    released.set()


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(pour(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"b" * 1000 + b"\r\n"), id="headers"),
        pytest.param(pour(b"HTTP/1.1 200 OK\r\nX: ", b"b" * 1000), id="one header"),
        pytest.param(pour(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="hints"),
        pytest.param(pour(b"", b"\x00" * 1000), id="zeros"),
    ],
)
def test_of_a_head_without_end_64_kb_are_read(world: World, page: Act) -> None:
    world.site("a.org", {"/": page})
    answer = world.check("https://a.org/")
    assert (answer.ok, answer.what) == (None, "answers with an endless head")
    assert world.trust.read == LARGEST


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_body_is_never_read_and_so_never_unpacked(world: World, method: str) -> None:
    bomb = head(200, "Content-Encoding: gzip", "Transfer-Encoding: chunked")
    page = pour(bomb, b"\x1f\x8b" * 5000)
    world.site("a.org", {"/": {"HEAD": page if method == "HEAD" else head(405), "GET": page}})
    began = time.monotonic()
    assert world.check("https://a.org/").ok is True
    assert time.monotonic() - began < 2
    assert world.trust.read < LARGEST


def test_a_fault_of_ours_is_logged_and_could_not_be_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise KeyError(host)

    with caplog.at_level(logging.ERROR):
        answer = check("https://a.org/", resolve=resolve, connect=world.connect)
    assert (answer.ok, answer.what) == (None, "could not be looked at")
    assert "KeyError" in caplog.text


# --- Certificates -------------------------------------------------------------------------------


class Authority:
    """Makes certificates with the openssl command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run("req", "-x509", *KEY, "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority")
        self.run("req", "-x509", *KEY, "self.key", "-out", "self.pem", "-subj", "/CN=a.org")
        self.trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))

    def run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def certificate(self, name: str, days: int = 2) -> ssl.SSLContext:
        """A server's context with a certificate for "DNS:a.org" or "IP:8.8.8.8"."""
        (self.folder / "names").write_text(f"subjectAltName={name}")
        self.run("req", "-new", *KEY, "a.key", "-out", "a.csr", "-subj", "/CN=a")
        ca = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
        self.run("x509", "-req", "-in", "a.csr", *ca, "-days", str(days), "-out", "a.pem")
        return self.server("a")

    def server(self, file: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{file}.pem", self.folder / f"{file}.key")
        return context


KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if not shutil.which("openssl"):
        pytest.skip("no openssl command to make certificates with: TLS was not proven")
    return Authority(tmp_path_factory.mktemp("authority"))


def test_the_certificate_is_verified_for_the_name_though_we_connect_to_a_number(
    world: World, authority: Authority
) -> None:
    world.trust = authority.trust
    context = authority.certificate("DNS:a.org")
    asked: list[str | None] = []
    context.sni_callback = lambda sock, name, context: asked.append(name)
    site = world.site("a.org", {"/": HEADLESS}, tls=context)
    assert world.check("https://a.org/").ok is True
    assert asked == ["a.org"] * 2
    assert "Host: a.org\r\n" in site.requests[0]


@pytest.mark.parametrize(
    ("name", "days", "what"),
    [
        ("DNS:b.org", 2, "has a certificate for another name"),
        ("IP:93.184.215.1", 2, "has a certificate for another name"),
        ("DNS:a.org", -1, "has a certificate that has expired"),
    ],
)
def test_a_wrong_certificate_is_broken_and_nothing_is_asked(
    world: World, authority: Authority, name: str, days: int, what: str
) -> None:
    world.trust = authority.trust
    site = world.site("a.org", tls=authority.certificate(name, days))
    answer = world.check("https://a.org/")
    assert (answer.ok, answer.what) == (False, what)
    assert site.requests == []


def test_a_certificate_for_a_number_is_verified_for_that_number(
    world: World, authority: Authority
) -> None:
    world.trust = authority.trust
    site = world.site("a.org", tls=authority.certificate("IP:93.184.215.1"))
    assert world.check("https://93.184.215.1/").ok is True
    world.servers["8.8.8.8"] = site
    assert world.check("https://8.8.8.8/").what == "has a certificate for another name"


def test_a_certificate_that_nobody_vouches_for_is_broken(
    world: World, authority: Authority
) -> None:
    world.site("a.org", tls=authority.server("self"))
    world.trust = None
    assert world.check("https://a.org/").what == "has a certificate that nobody vouches for"


def test_an_authority_that_this_machine_does_not_know_could_not_be_told(
    world: World, authority: Authority
) -> None:
    world.site("a.org", tls=authority.certificate("DNS:a.org"))
    world.trust = None  # the machine's own authorities
    answer = world.check("https://a.org/")
    assert (answer.ok, answer.what) == (None, "has a certificate that this machine cannot verify")


def test_a_server_that_knows_no_encryption_could_not_be_told(world: World) -> None:
    def act(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

    world.site("a.org")
    world.trust = ssl.create_default_context()
    site = world.servers[world.names["a.org"][0]]
    site._answer = act  # type: ignore[method-assign] # of this one alone
    answer = world.check("https://a.org/")
    assert (answer.ok, answer.what) == (None, "could not agree with us on an encryption")


# --- Whatever is written ------------------------------------------------------------------------

HOSTS = ["a.org", "inside.org", "gone.org", "a.org.", "A.ORG", "ａ.org", "localhost", "x", "é.org"]
NUMBERS = ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:8.8.8.8]", "①②⑦.⓪.⓪.①"]
GLUE = [
    "@",
    ":",
    "%2f@",
    "\\@",
    "%00",
    "/",
    "?",
    "#",
    ":80",
    ":443",
    ":22",
    "\t",
    " ",
    "..",
    "[",
    "]",
]


def mixed(*texts: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(texts) | st.text(max_size=3), max_size=6).map("".join)


addresses = st.one_of(st.sampled_from(SPECIAL), st.sampled_from(PUBLIC), st.ip_addresses().map(str))
urls = st.one_of(
    st.text(),
    mixed("http://", "https://", "//", "ftp:", *HOSTS, *NUMBERS, *GLUE),
    st.builds("{}{}{}{}".format, st.sampled_from(["http://", "https://", "HtTpS://", "//", ""]),
              st.sampled_from([*HOSTS, *NUMBERS]), st.sampled_from(["", *GLUE]),
              st.sampled_from([*HOSTS, *NUMBERS, "/x", ""]) | st.text(max_size=5)),
    addresses.map(literal),
)  # fmt: skip


@given(
    url=urls,
    found=st.lists(addresses | st.text(max_size=8), max_size=3),
    said=st.one_of(
        st.binary(max_size=60),
        urls.map(lambda url: to(url.encode("utf-8", "replace").decode())),
        st.integers(100, 999).map(head),
    ),
)
def test_any_string_gets_an_answer_and_none_opens_the_inside(
    url: str, found: list[str], said: bytes
) -> None:
    connected = []

    def connect(address: str, port: int, seconds: float) -> socket.socket:
        connected.append((address, port))
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.sendall(said)
            theirs.shutdown(socket.SHUT_WR)
        return ours

    trust: Any = Plain()
    answer = check(url, resolve=lambda host, port: found, connect=connect, trust=trust, seconds=5)

    assert isinstance(answer, Answer)
    assert answer.url == url
    assert answer.what
    assert answer.ok is True or answer.hint
    assert (answer.what + answer.final + answer.hint).isprintable()
    for address, port in connected:
        assert port in (80, 443)
        number = ipaddress.ip_address(address)
        assert number.is_global
        assert not number.is_multicast
        if isinstance(number, ipaddress.IPv6Address):
            inside = number.ipv4_mapped or number.sixtofour or number.teredo
            assert inside is None
            assert number not in ipaddress.ip_network("64:ff9b::/32")
        else:
            assert number not in ipaddress.ip_network("192.0.0.0/24")


# --- Many at once -------------------------------------------------------------------------------


def test_each_address_is_asked_once_and_each_host_by_one_connection_at_a_time(
    world: World,
) -> None:
    pages = {f"/{n}": OK for n in range(5)}
    hosts = [f"h{n}.org" for n in range(4)]
    sites = [world.site(host, pages, slow=0.03) for host in hosts]
    urls = [f"https://{host}{page}" for host in hosts for page in pages]
    told: list[tuple[int, int]] = []

    answers = check_all([*urls, *urls], ask=world.ask, progress=lambda *at: told.append(at))

    assert set(answers) == set(urls)
    assert {answer.ok for answer in answers.values()} == {True}
    assert [site.most_at_once for site in sites] == [1] * 4
    assert [len(site.requests) for site in sites] == [5] * 4
    assert told == [(n, 20) for n in range(1, 21)]


def test_redirects_of_many_to_one_host_wait_for_their_turn_without_losing_time(
    world: World,
) -> None:
    common = world.site("common.org", {f"/{n}": OK for n in range(6)}, slow=0.15)
    for n in range(6):
        world.site(f"h{n}.org", {"/": to(f"https://common.org/{n}")})
    ask = partial(world.ask, seconds=0.7)

    answers = check_all([f"https://h{n}.org/" for n in range(6)], ask=ask)

    assert {answer.ok for answer in answers.values()} == {True}
    assert common.most_at_once == 1


def test_a_slow_host_does_not_hold_up_the_others(world: World) -> None:
    world.site("slow.org", {f"/{n}": OK for n in range(6)}, slow=0.2)
    world.site("fast.org")
    order: list[str] = []

    def ask(url: str, **options: Any) -> Answer:
        answer = world.check(url, **options)
        order.append(url)
        return answer

    check_all([*(f"https://slow.org/{n}" for n in range(6)), "https://fast.org/"], ask=ask)
    assert order[0] == "https://fast.org/"


def test_what_one_address_raises_is_told_for_it_and_the_rest_are_asked(world: World) -> None:
    world.site("a.org")

    def ask(url: str, **options: Any) -> Answer:
        if "b.org" in url:
            raise RuntimeError("no more threads")
        return world.check(url, **options)

    answers = check_all(["https://b.org/", "https://a.org/", "no address", "https://["], ask=ask)
    assert answers["https://a.org/"].ok is True
    assert answers["https://b.org/"].ok is None
    assert answers["no address"].ok is answers["https://["].ok is False


def test_when_the_time_for_all_is_over_the_rest_could_not_be_told(world: World) -> None:
    world.site("a.org", {f"/{n}": OK for n in range(9)}, slow=0.15)
    urls = [f"https://a.org/{n}" for n in range(9)]
    answers = check_all(urls, ask=world.ask, seconds=0.2)
    oks = Counter(answer.ok for answer in answers.values())
    assert oks[True] >= 1
    assert oks[None] >= 5
    assert "no time left" in answers[urls[-1]].what


def test_nothing_to_ask_is_nothing_to_answer() -> None:
    assert check_all([]) == {}


def test_an_interruption_ends_it_soon(world: World) -> None:
    site = world.site("a.org", {f"/{n}": OK for n in range(20)}, slow=0.1)

    def interrupt(done: int, of: int) -> None:
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        check_all([f"https://a.org/{n}" for n in range(20)], ask=world.ask, progress=interrupt)
    assert time.monotonic() - began < 1.5
    assert len(site.requests) < 5


# --- What is remembered -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ok", "minutes", "remembered"),
    [
        (True, 59, True),
        (True, 60, False),
        (False, 4, True),
        (False, 5, False),
        (None, 0, False),
        (True, -1, False),  # the clock was set back
    ],
)
def test_how_long_an_answer_is_believed(ok: bool | None, minutes: int, remembered: bool) -> None:
    clock = Clock()
    memo = Memo(clock)
    answer = Answer("https://a.org/", ok, "answers")
    memo.put(answer)
    clock.forward(minutes=minutes)
    assert memo.get("https://a.org/") == (answer if remembered else None)
    assert memo.get("https://b.org/") is None


def test_what_could_not_be_told_takes_back_what_was_known() -> None:
    memo = Memo(Clock())
    memo.put(Answer("u", True, "answers"))
    memo.put(Answer("u", None, "did not answer in time"))
    assert memo.get("u") is None


def test_the_memo_is_bounded_and_the_oldest_goes_first() -> None:
    memo = Memo(Clock(), most=2)
    for url in ("a", "b", "a", "c"):
        memo.put(Answer(url, True, "answers"))
    assert [memo.get(url) is not None for url in "abc"] == [True, False, True]


def test_what_is_remembered_is_not_asked_again(world: World) -> None:
    site = world.site("a.org")
    clock = Clock()
    memo = Memo(clock)
    for _ in range(3):
        assert check_all(["https://a.org/"], memo=memo, ask=world.ask)["https://a.org/"].ok
    assert len(site.requests) == 1
    clock.forward(hours=1)
    check_all(["https://a.org/"], memo=memo, ask=world.ask)
    assert len(site.requests) == 2


# --- The real resolver and the real socket ------------------------------------------------------


def test_the_system_resolver_is_asked_for_numbers_alone() -> None:
    found = look_up("localhost", 80)
    assert found
    assert all(ipaddress.ip_address(address).is_loopback for address in found)
    assert check("https://localhost/", allowed={"localhost:443"}).ok is None  # nobody listens


def test_the_socket_goes_to_the_number_and_asks_no_resolver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("looked up again")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    site = Site({"/": OK}, None, 0)
    with reachable.open_socket("127.0.0.1", site.port, 1) as sock:
        assert sock.getpeername() == ("127.0.0.1", site.port)
    site.close()
