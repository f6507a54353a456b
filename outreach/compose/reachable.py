"""Whether an address that a post prints is alive, asked without opening a way into our network.

The address comes from a file, and a redirect from a stranger: either could send this machine to a
service that trusts it. So every step of the way is gone like this:

    read strictly → look up once → all of it public? → connect to exactly that → ask for the head
          ↑                                                                           │
          └────────────────────── a redirect, at most five ───────────────────────────┘

Only what is surely broken is called broken. A slow server, a wall against programs or a network of
our own that is down say nothing about what a reader will see, and are "could not be told".
"""

import logging
import re
import socket
import ssl
import threading
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from queue import Empty, SimpleQueue
from typing import Protocol
from urllib.parse import quote, urljoin, urlsplit

log = logging.getLogger(__name__)

AGENT = "outreach-link-check/0.1 (looks whether the links in our posts work)"
SECONDS = 10.0  # for one address, its redirects included
REDIRECTS = 5  # browsers follow 20; an address that needs more than five is worth a warning
LARGEST = 64 * 1024  # bytes of an answer's head; nothing is read behind it
KNOWN = "a.root-servers.net"  # a name that there is, wherever names are known
LONGEST = 8000  # characters; common servers refuse a longer request line

Resolve = Callable[[str, int], Sequence[str]]
"""The numeric addresses of a host, or an OSError (socket.gaierror)."""

Connect = Callable[[str, int, float], socket.socket]
"""A connection to a numeric address and port, made within these seconds, or an OSError."""

Turn = Callable[[str], AbstractContextManager[object]]
"""Held while a host is spoken to: so that each has one connection at a time."""

_UNFIT = re.compile(r"[\s\\\x00-\x1f\x7f]")  # browsers and libraries read these differently
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
_NETLOC = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:%@]+)(?::[0-9]*)?")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")
_SHOWN = re.compile(r"[!-~]{1,253}")  # a stranger's signs never reach a terminal
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: |$)")
_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")

# Only this eighth of IPv6's space is given out to the public; everything else (loopback, mapped and
# compatible IPv4, 64:ff9b::/96 and 64:ff9b:1::/48, private, link-local, multicast) is outside it.
_PUBLIC_6 = ip_network("2000::/3")

# https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry.
# Spelt out, because `is_global` has let several of these through.
_SPECIAL = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a provider's customers; one cloud's metadata
        "127.0.0.0/8",  # this machine
        "168.63.129.16/32",  # Azure's host, as its guests see it: public by number only
        "169.254.0.0/16",  # link-local; most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
    )
)

# Names that only an inner network answers to, whatever they resolve to from here.
_INTERNAL = re.compile(
    r"(?:.+\.)?(?:localhost|local|localdomain|internal|intranet|lan|home|corp|private|test|invalid"
    r"|example|onion|home\.arpa)"
)

_OPEN_ELSEWHERE = "open it in a private window of a browser, outside the office's network"
_PAGE_INSTEAD = "print a page with the day and how to register"

# What works for whoever copied it, and is still no address for the public:
# host, then path, what it is, what to do.
_NOT_FOR_THE_PUBLIC = tuple(
    (re.compile(host), re.compile(path, re.IGNORECASE), what, hint)
    for host, path, what, hint in (
        (
            r"(?:.+\.)?teams\.(?:microsoft\.com|microsoft\.us|cloud\.microsoft)",
            r"/(?:l/meetup-join|meet)(?:/|$)",
            "is the way into a Teams meeting: whoever reads the post could walk in",
            _PAGE_INSTEAD,
        ),
        (
            r"teams\.live\.com",
            r"/(?:meet|l/invite)(?:/|$)",
            "is the way into a Teams meeting: whoever reads the post could walk in",
            _PAGE_INSTEAD,
        ),
        (
            r"(?:.+\.)?safelinks\.protection\.outlook\.com",
            r"",
            "was copied out of a mail: the mail address of whoever received it is in it",
            "open it, and copy where it leads from the browser",
        ),
        (
            r"(?:.+\.)?azurewebsites\.net",
            r"",
            "is a host for building sites, not the site's own name",
            "print the site's public address",
        ),
        (
            r"(?:.+[.-])?(?:staging|preprod)[0-9]*[.-].+\..+",
            r"",
            "is a copy of a site for trying things out",
            "print the site's public address",
        ),
    )
)

_SIGN_IN = frozenset(
    {
        "accounts.google.com",
        "login.live.com",
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.windows.net",
    }
)
# "Anyone with the link" at SharePoint works by a cookie, which is not kept here.
_SHARED = re.compile(r"https://[^/]+\.sharepoint\.com/:[a-z]:/|https://1drv\.ms/")

_GONE = {404: "answers 404: there is no such page", 410: "answers 410: the page was taken away"}

_NO_SUCH_NAME = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))

# OpenSSL's verdicts that every browser shares. Others, such as an authority that this machine does
# not know, may be about this machine or a proxy in its way.
_CERTIFICATES = {
    10: ("has a certificate that has expired", "whoever runs the site has to renew it"),
    18: ("has a certificate that nobody vouches for", "whoever runs the site has to get one"),
    62: ("has a certificate for another name", "print the name that the certificate is for"),
    64: ("has a certificate for another name", "print the name that the certificate is for"),
}


@dataclass(frozen=True)
class Answer:
    """What is known of an address.

    `ok` is True when it answered with 2xx at the end, False when it is surely broken or must not
    be printed, None when that could not be told: a warning, never a reason to hold a post back.
    `what` continues the sentence that begins with the address ("answers 404: …"). `final` is the
    last address of the way, or "". `url` is as it was given: it may hold a password.
    """

    url: str
    ok: bool | None
    what: str
    final: str = ""
    hint: str = ""


class Ask(Protocol):
    """`check`, or it with some of its arguments given."""

    def __call__(self, url: str, *, turn: Turn) -> Answer: ...


def utc_now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)


@dataclass
class Memo:
    """What was answered lately, so that an address is not asked on every keystroke.

    A working address is believed for an hour. A broken one for five minutes: somebody may be
    putting it right. What could not be told is asked again at once.
    """

    now: Callable[[], datetime] = utc_now
    most: int = 10_000  # addresses; the oldest answers go first
    _kept: dict[str, tuple[datetime, Answer]] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def get(self, url: str) -> Answer | None:
        """The answer, if it is young enough."""
        when, answer = self._kept.get(url, (None, None))
        if when is None or answer is None or answer.ok is None:
            return None
        believed = timedelta(hours=1) if answer.ok else timedelta(minutes=5)
        # A clock that was set back would keep an answer for ever.
        return answer if timedelta(0) <= self.now() - when < believed else None

    def put(self, answer: Answer) -> None:
        """Remember it, in place of what was known before."""
        with self._lock:
            self._kept.pop(answer.url, None)
            if answer.ok is not None:
                self._kept[answer.url] = (self.now(), answer)
            while len(self._kept) > self.most:
                del self._kept[next(iter(self._kept))]


class _Told(Exception):
    """The way ends here, with this verdict."""

    def __init__(self, ok: bool | None, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.ok, self.what, self.hint = ok, what, hint


@dataclass(frozen=True)
class _Place:
    """An address that was read strictly. `ours`: a loopback server that may be asked."""

    scheme: str
    host: str  # ASCII, lower case, no brackets
    port: int
    target: str  # what is asked for: path and query, ASCII
    fragment: str
    ours: bool

    @property
    def server(self) -> str:
        """The host as a request names it: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _port(self.scheme) else f"{host}:{self.port}"

    @property
    def address(self) -> str:
        return f"{self.scheme}://{self.server}{self.target}"


def is_public(address: str) -> bool:
    """Whether a numeric address is one that the whole internet reaches."""
    try:
        number = ip_address(address)
    except ValueError:
        return False
    if isinstance(number, IPv6Address) and (number not in _PUBLIC_6 or number.scope_id):
        return False
    return not any(number in network for network in _SPECIAL)


def look_up(host: str, port: int) -> Sequence[str]:
    """The system's resolver: every address of a host, in the order to try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def open_socket(address: str, port: int, seconds: float) -> socket.socket:
    """A connection to a numeric address; no proxy of the environment is asked."""
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        made.settimeout(seconds)
        made.connect((address, port))
    except BaseException:
        made.close()
        raise
    return made


def check(
    url: str,
    *,
    resolve: Resolve = look_up,
    connect: Connect = open_socket,
    allowed: Collection[str] = (),
    trust: ssl.SSLContext | None = None,
    turn: Turn = lambda _host: nullcontext(),
    seconds: float = SECONDS,
    tick: Callable[[], float] = time.monotonic,
) -> Answer:
    """What is known of this address, within `seconds` of its turn. Never raises.

    `allowed` is for tests and demos alone and must never come from an office's files: each
    "host:port" in it may be asked although its port, its name or its loopback address would
    forbid it. No other special address is opened by it.
    """
    way = _Way(
        resolve=resolve,
        connect=connect,
        allowed=allowed,
        trust=trust,
        turn=turn,
        tick=tick,
        ends=tick() + seconds,
    )
    try:
        told = way.go(url)
    except _Told as found:
        told = found
    except Exception:
        # One strange answer must not stop a plan of a hundred posts; the log has its reason.
        log.exception("an address could not be looked at")
        told = _Told(None, "could not be looked at", _OPEN_ELSEWHERE)
    final = way.passed[-1] if way.passed else ""
    return Answer(url, told.ok, way.leads + told.what, final, told.hint)


@lru_cache(maxsize=1024)
def not_for_the_public(url: str) -> Answer | None:
    """Why this address may not be printed, whether or not it answers: an inner network's, a
    meeting's, a copy of a site. None where nothing speaks against it. Asks nobody."""
    try:
        _read(url, ())
    except _Told as told:
        return Answer(url, told.ok, told.what, "", told.hint) if told.ok is False else None
    return None


def check_all(
    urls: Iterable[str],
    *,
    at_once: int = 8,
    progress: Callable[[int, int], None] | None = None,
    memo: Memo | None = None,
    ask: Ask = check,
    seconds: float = 120.0,
) -> dict[str, Answer]:
    """An answer for each address; each is asked once, each host by one connection at a time.

    After `seconds` no further address is asked: the rest could not be told. `progress(done, of)`
    is called in the caller's thread.
    """
    answers: dict[str, Answer] = {}
    hosts: dict[str, list[str]] = defaultdict(list)
    for url in dict.fromkeys(urls):
        if memo and (known := memo.get(url)):
            answers[url] = known
        else:
            hosts[_host(url)].append(url)
    of = len(answers) + sum(map(len, hosts.values()))
    ends, stopped = time.monotonic() + seconds, threading.Event()
    turns, fresh = _Turns(), SimpleQueue[tuple[str, Answer]]()

    def ask_one(url: str) -> Answer:
        if stopped.is_set() or time.monotonic() > ends:
            return Answer(url, None, "was not asked: there was no time left", hint="run it again")
        try:
            return ask(url, turn=turns)
        except Exception:
            log.exception("an address could not be looked at")
            return Answer(url, None, "could not be looked at", hint=_OPEN_ELSEWHERE)

    def ask_host(of_host: list[str]) -> None:
        for url in of_host:
            fresh.put((url, ask_one(url)))

    pool = ThreadPoolExecutor(max(1, at_once), thread_name_prefix="links")
    try:
        for of_host in hosts.values():
            pool.submit(ask_host, of_host)
        while len(answers) < of:
            url, answer = fresh.get()
            answers[url] = answer
            if memo:
                memo.put(answer)
            if progress:
                progress(len(answers), of)
    finally:
        stopped.set()  # Ctrl-C waits for what is being asked, not for the rest
        pool.shutdown(cancel_futures=True)
    return answers


class _Turns:
    """A lock for each host. Nobody holds two, so nobody waits for ever."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = {}

    def __call__(self, host: str) -> threading.Lock:
        return self._locks.setdefault(host, threading.Lock())  # atomic


@dataclass
class _Way:
    """One address's way from redirect to redirect."""

    resolve: Resolve
    connect: Connect
    allowed: Collection[str]
    trust: ssl.SSLContext | None
    turn: Turn
    tick: Callable[[], float]
    ends: float
    passed: list[str] = field(default_factory=list)  # the addresses asked, in order
    leads: str = ""  # how a verdict on a later address begins
    cookie: bool = False  # somebody on the way has set one

    def go(self, url: str) -> _Told:
        """The verdict, returned or raised."""
        place = _read(url, self.allowed)
        while True:
            asked = self.tick()
            with self.turn(place.host):
                self.ends += self.tick() - asked  # that others were asked first is not its fault
                status, headers = self._ask(place)
            location = headers.get("location")
            if status not in (301, 302, 303, 307, 308) or not location:
                return self._verdict(place, status)
            self.cookie = self.cookie or "set-cookie" in headers
            place = self._next(place, location)

    def _next(self, place: _Place, location: str) -> _Place:
        """Where a redirect leads: read as strictly as the first address."""
        # Servers write blanks and letters as they are, and browsers quote them.
        location = location.strip(" \t").replace(" ", "%20")
        if _UNFIT.search(location):  # before urljoin, which drops some of these
            self.leads = "leads to an address that "
            raise _Told(False, "browsers would read differently", "find out where the page is now")
        try:
            joined = urljoin(place.address, location)
        except ValueError:
            joined = location
        host = _host(joined)
        self.leads = f"leads to {host if _SHOWN.fullmatch(host) else 'an address'}, which "
        following = _read(joined, self.allowed)
        if following.address in self.passed:
            self.leads = ""
            if self.cookie:  # some sites go round until the browser shows their cookie
                what = "leads in a circle for those who take no cookies"
                raise _Told(None, what, _OPEN_ELSEWHERE)
            raise _Told(False, "leads in a circle", "find out where the page is now")
        if len(self.passed) > REDIRECTS:
            self.leads = ""
            raise _Told(None, f"leads on more than {REDIRECTS} times", _OPEN_ELSEWHERE)
        return replace(following, fragment=following.fragment or place.fragment)  # as browsers do

    def _ask(self, place: _Place) -> tuple[int, dict[str, str]]:
        """Status and headers, by HEAD, and by GET where HEAD finds fault.

        Many servers know no HEAD and say so with any error, 404 among them.
        """
        self.passed.append(place.address)
        try:
            numbers = self._look_up(place)
            answer = self._request("HEAD", place, numbers)
            if answer[0] >= 400 and answer[0] != 429:
                answer = self._request("GET", place, numbers)
        except OSError as error:
            raise _meaning(error) from error
        return answer

    def _left(self) -> float:
        """The seconds left, or TimeoutError: a socket's time-out of 0 means something else."""
        left = self.ends - self.tick()
        if left <= 0:
            raise TimeoutError
        return left

    def _look_up(self, place: _Place) -> list[str]:
        """Where to connect: the first address of each kind, once every one of them is public."""
        numbers = [place.host] if _numeric(place.host) else self._numbers(place)
        for number in numbers:
            if not is_public(number) and not (place.ours and _is_loopback(number)):
                shown = number if _SHOWN.fullmatch(number) else "?"
                raise _Told(
                    False,
                    f"is at {shown}, which is not on the public internet",
                    "print an address that the public can open; if your own network shows the "
                    "site at another place than the world does, look from outside",
                )
        kinds = {":" in number: number for number in reversed(numbers)}
        return sorted(kinds.values(), key=numbers.index)

    def _numbers(self, place: _Place) -> Sequence[str]:
        try:
            if numbers := self._resolved(place.host, place.port):
                return numbers
        except socket.gaierror as error:
            # EAI_AGAIN and EAI_FAIL are about the servers asked.
            if error.errno not in _NO_SUCH_NAME:
                raise
        # A machine without a network has been told "no such name" for every name.
        if self._resolved(KNOWN, 443):
            raise _Told(False, "has a name that does not exist", "look whether it is spelt right")
        raise socket.gaierror(socket.EAI_AGAIN, "not even the name that there is")

    def _resolved(self, host: str, port: int) -> Sequence[str]:
        """What the resolver says within the time; its thread may outlive us."""
        found: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()

        def look() -> None:
            try:
                found.put(self.resolve(host, port))
            except Exception as error:
                found.put(error)

        threading.Thread(target=look, name="links-look-up", daemon=True).start()
        try:
            numbers = found.get(timeout=self._left())
        except Empty:
            raise TimeoutError from None
        if isinstance(numbers, Exception):
            raise numbers
        return numbers

    def _request(
        self, method: str, place: _Place, numbers: Sequence[str]
    ) -> tuple[int, dict[str, str]]:
        lines = [
            f"{method} {place.target} HTTP/1.1",
            f"Host: {place.server}",
            f"User-Agent: {AGENT}",
            "Accept: */*",
            "Accept-Encoding: identity",
            "Connection: close",
            *(["Range: bytes=0-0"] if method == "GET" else []),
        ]
        request = "\r\n".join([*lines, "", ""]).encode("ascii")
        with self._connected(place, numbers) as plain:
            if place.scheme == "http":
                return self._exchange(plain, request)
            plain.settimeout(self._left())  # for the whole handshake
            trust = self.trust or _trust()
            with trust.wrap_socket(plain, server_hostname=place.host) as private:
                return self._exchange(private, request)

    def _connected(self, place: _Place, numbers: Sequence[str]) -> socket.socket:
        failure: OSError = TimeoutError()
        for index, number in enumerate(numbers):
            try:
                share = self._left() / (len(numbers) - index)
                return self.connect(number, place.port, share)
            except OSError as error:
                failure = error
        raise failure

    def _exchange(self, sock: socket.socket, request: bytes) -> tuple[int, dict[str, str]]:
        """Send, and read to the end of the head; what stands behind it is never read."""
        sock.settimeout(self._left())
        sock.sendall(request)
        data, searched, allowance = bytearray(), 0, LARGEST
        while True:
            while end := _HEAD_ENDS.search(data, searched):
                status, headers = _head(bytes(data[: end.start()]))
                if status >= 200 or status == 101:  # before it come hints, which are skipped
                    return status, headers
                del data[: end.end()]
                searched = 0
            searched = max(0, len(data) - 3)
            if not allowance:
                raise _Told(None, "answers with an endless head", _OPEN_ELSEWHERE)
            sock.settimeout(self._left())
            more = sock.recv(min(8192, allowance))
            if not more:
                raise _Told(None, "ends the connection without an answer", _OPEN_ELSEWHERE)
            data += more
            allowance -= len(more)

    def _verdict(self, place: _Place, status: int) -> _Told:
        if place.host in _SIGN_IN:
            if _SHARED.match(self.passed[0]):
                what = "asks programs to sign in, and perhaps people too"
                return _Told(None, what, "open it in a private window of a browser")
            return _Told(False, "asks people to sign in", "print a page that is open to everybody")
        if place.scheme == "http" and not place.ours:
            return _Told(False, "is not encrypted", "print an address that begins with https://")
        if 200 <= status < 300:
            if not place.ours and any(a.startswith("http://") for a in self.passed):
                end = place.address + (f"#{place.fragment}" if place.fragment else "")
                hint = f"print {end} instead: the way there is not encrypted"
                return _Told(True, f"answers {status}", hint)
            return _Told(True, f"answers {status}")
        if status in _GONE:
            return _Told(False, _GONE[status], "find out where the page is now")
        if status == 429:
            return _Told(None, "answers 429: it was asked too often", "try again in an hour")
        if 500 <= status < 600:
            return _Told(None, f"answers {status}: it is in trouble", "try again in an hour")
        return _Told(None, f"answers {status} to programs", _OPEN_ELSEWHERE)


def _meaning(error: OSError) -> _Told:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _CERTIFICATES:
            return _Told(False, *_CERTIFICATES[error.verify_code])
        return _Told(None, "has a certificate that this machine cannot verify", _OPEN_ELSEWHERE)
    if isinstance(error, ssl.SSLError):
        return _Told(None, "could not agree with us on an encryption", _OPEN_ELSEWHERE)
    if isinstance(error, socket.gaierror):
        return _Told(None, "could not be looked up", "is this machine's network up? Try again")
    if isinstance(error, TimeoutError):
        return _Told(None, "did not answer in time", _OPEN_ELSEWHERE)
    return _Told(None, "could not be connected to", _OPEN_ELSEWHERE)


def _read(url: str, allowed: Collection[str]) -> _Place:
    """The address, if there is only one way to read it. Raises _Told."""
    copied = "copy it from a browser's address line"
    if len(url) > LONGEST:
        raise _Told(False, f"is longer than {LONGEST} characters", copied)
    if _UNFIT.search(url) or any(unicodedata.category(sign) in _INVISIBLE for sign in url):
        raise _Told(False, "has a blank or a sign in it that must not be", copied)
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        raise _Told(False, "is not an address", copied) from None
    if split.scheme not in ("http", "https") or not split.netloc:
        raise _Told(False, "is not an address", "a full address begins with https://")
    if "@" in split.netloc:
        raise _Told(False, "has a user name or a password in it", "take out what is before the @")
    if not _NETLOC.fullmatch(split.netloc):
        raise _Told(False, "has a host that browsers would read differently", copied)
    host = _ascii(split.hostname or "")
    port = _port(split.scheme) if port is None else port
    ours = f"{f'[{host}]' if ':' in host else host}:{port}" in allowed
    path = quote(split.path or "/", safe="%!$&'()*+,/:;=@~")
    query = quote(split.query, safe="%!$&'()*+,/:;=?@~[]")
    target = f"{path}?{query}" if query else path
    fragment = quote(split.fragment, safe="%!$&'()*+,/:;=?@~")
    place = _Place(split.scheme, host, port, target, fragment, ours)
    if not ours:
        _refuse(place)
    return place


def _refuse(place: _Place) -> None:
    """Raise _Told for what no public address may be."""
    host = place.host
    if place.port not in (80, 443):
        raise _Told(False, f"is at port {place.port}", "print the site's public address")
    if _numeric(host):
        return
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        # 127.1, 0x7f.0.0.1 and 2130706433 are addresses to some, and names to others.
        raise _Told(False, "has a number for a host", "print the site's name")
    if _INTERNAL.fullmatch(host) or not _HOST.fullmatch(host) or len(host) > 253:
        what = "has a host that only an inner network knows, or nobody"
        raise _Told(False, what, "print an address that the public can open")
    for hosts, paths, what, hint in _NOT_FOR_THE_PUBLIC:
        if hosts.fullmatch(host) and paths.match(place.target):
            raise _Told(False, what, hint)


def _ascii(host: str) -> str:
    """The host as the DNS knows it, as browsers make it so. Raises _Told."""
    host = host.lower()
    if not host.isascii():
        import idna

        unread = _Told(None, "has a host that could not be read", _OPEN_ELSEWHERE)
        if len(host) > 253:
            raise unread
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except UnicodeError:  # as all of idna's are; browsers take a few more, such as emoji
            raise unread from None
    return host.removesuffix(".")


def _head(data: bytes) -> tuple[int, dict[str, str]]:
    """Status, and headers by lower-case name; of several with one name the first."""
    first, *lines = re.split(rb"\r?\n", data)
    status = _STATUS.match(first)
    if not status:
        raise _Told(None, "answers with something that is not HTTP", _OPEN_ELSEWHERE)
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            text = value.decode("latin-1")
        headers.setdefault(name.decode("latin-1").strip().lower(), text.strip(" \t"))
    return int(status[1]), headers


def _host(url: str) -> str:
    """The host of an address, to sort and to show by; "" where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(number: str) -> bool:
    return _numeric(number) and ip_address(number).is_loopback


@lru_cache
def _trust() -> ssl.SSLContext:
    """The authorities that this machine trusts; certificates are verified for the name."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
