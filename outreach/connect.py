"""Connecting an account: what a person is asked for, or a network's own pages, tried and then kept.

    asked        what the network shows a person (a bot's token, an app password)
    in a browser the network's pages, and back to this machine, or pasted from another one

Everything is tried by asking the network who we are, which posts nothing, before any of it is kept:
tokens that end and are renewed encrypted in the database, the rest where the office keeps its
secrets. The browser comes back to 127.0.0.1 alone, and its one right answer closes that door.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from outreach import clearance, credentials
from outreach.clearance import MAY_ADMINISTER, MAY_WRITE, Person
from outreach.config import Configuration, never_in_logs
from outreach.errors import NotAllowed, PlatformError
from outreach.permits import Permits, Sealed, new_key
from outreach.platforms import Account, Browses, How, Platform, Swaps, how_to_connect, load, oauth
from outreach.platforms.oauth import Given, Walk
from outreach.store import Store

HOST, PATH = "127.0.0.1", "/connected"
PATIENCE = 300.0  # seconds for a person to read, sign in and agree
SILENT = 5.0  # seconds after which a browser's idle connection is closed
KEY = "secret_key"


@dataclass(frozen=True)
class Connected:
    """What became of it: what the account said, where its secrets are, what is to be done."""

    said: str
    tried: bool  # whether the network could be asked
    kept: tuple[str, ...]
    todo: str = ""


class Connecting:
    """One person's way of connecting one channel."""

    def __init__(
        self,
        channel: str,
        *,
        account: Account,
        configuration: Configuration,
        store: Store,
        permits: Permits,
        now: Callable[[], datetime],
    ) -> None:
        """Raises NotAllowed for a channel that needs no connecting, or cannot be yet."""
        self.channel, self._store, self._permits, self._now = channel, store, permits, now
        self._configuration = configuration
        self._adapter: Any = load(configuration.channels[channel].platform)
        self._account = replace(account, secrets=configuration.secrets_of(channel))
        self.how: How = how_to_connect(self._adapter, account.options)
        if not self.how.asks:
            raise NotAllowed(
                f"{channel} needs no connecting: {self.how.nothing}",
                "its table in config/channels.toml is all",
            )
        if tbc := [name for name, value in account.options.items() if value == "tbc"]:
            raise NotAllowed(
                f"the {' and '.join(tbc)} of {channel} is still to be confirmed",
                "write it into config/channels.toml first",
            )

    @property
    def in_browser(self) -> bool:
        """Whether the network's own pages give the token: its app is named, or made for us."""
        if not self.how.browser:
            return False
        return not self.how.app or bool(self._account.options.get("client-id"))

    def lacks(self, name: str) -> bool:
        """Whether the office has no such secret of this channel yet."""
        return not self._account.secrets.get(name)

    def places(self, names: tuple[str, ...]) -> None:
        """See that these secrets can be kept. Raises NotAllowed where the environment has them."""
        for name in names:
            self._configuration.place_of(self._configuration.secret_of(self.channel, name))

    def give(self, secrets: Mapping[str, str], *, by: Person) -> Connected:
        """Try what a person was asked for, and keep it.

        Raises NotAllowed, with the network's reason, where the network does not take it.
        """
        _may(by)
        never_in_logs(*secrets.values())
        self.places(tuple(secrets))
        mine = {**self._account.secrets, **secrets}
        platform = self._platform(mine)
        try:
            if isinstance(platform, Swaps):
                swapped = {k: v for k, v in platform.swap().items() if v != mine.get(k)}
                never_in_logs(*swapped.values())
                secrets, mine = {**secrets, **swapped}, {**mine, **swapped}
                platform = self._platform(mine)
        except PlatformError as error:
            raise NotAllowed(
                str(error), f"nothing was kept; begin again: outreach connect {self.channel}"
            ) from None
        answer = self._try(platform)
        return self._kept(answer, secrets, None, by)

    def begin(self, redirect: str, app: Mapping[str, str], *, by: Person) -> Walk:
        """The way through the network's pages. `app` is what it was asked for; `finish` keeps it.

        Raises NotAllowed where there can be none.
        """
        _may(by)
        never_in_logs(*app.values())
        self.places(tuple(app))
        self._account = replace(self._account, secrets={**self._account.secrets, **app})
        platform = self._platform(self._account.secrets)
        try:
            found = platform.oauth(redirect) if isinstance(platform, Browses) else None
        except PlatformError as error:
            raise NotAllowed(str(error), "try again later, or: --by-hand") from None
        if found is None:
            raise NotAllowed(
                f"{self.channel} names no app of the office's",
                "write its client-id into config/channels.toml; or: --by-hand",
            )
        never_in_logs(found.secret)
        if self.how.port:  # before anything is given that has to be encrypted
            self._keyed()
        return oauth.begin(found, redirect)

    def finish(self, walk: Walk, address: str, app: Mapping[str, str], *, by: Person) -> Connected:
        """Have the network's token for the address that the browser was sent back to; keep it.

        Raises NotAllowed where the address is not the answer, or the network gives nothing.
        """
        code = oauth.code(walk, address)
        never_in_logs(code, walk.verifier)
        try:
            given = oauth.exchange(walk, code)
        except PlatformError as error:
            raise NotAllowed(
                str(error), f"nothing was kept; begin again: outreach connect {self.channel}"
            ) from None
        never_in_logs(given.access, given.refresh)
        answer = self._try(self._platform({**self._account.secrets, "token": given.access}))
        lacking = set(walk.oauth.scopes) - set(given.scopes or walk.oauth.scopes)
        if lacking and answer.ok:
            what = f"{answer.what}; it was not given {', '.join(sorted(lacking))}"
            answer = replace(answer, what=what)
        if given.lasts or given.refresh:
            return self._kept(answer, app, given, by)
        return self._kept(answer, {**app, "token": given.access}, None, by)

    def _platform(self, secrets: Mapping[str, str]) -> Platform:
        made: Platform = self._adapter(replace(self._account, secrets=secrets))
        return made

    def _try(self, platform: Platform) -> credentials.Answer:
        """Who the account says that we are. Raises NotAllowed where it refuses us."""
        answer = credentials.ask(platform)
        if answer.ok is False:
            raise NotAllowed(
                answer.what, f"nothing was kept; begin again: outreach connect {self.channel}"
            )
        return answer

    def _kept(
        self,
        answer: credentials.Answer,
        secrets: Mapping[str, str],
        given: Given | None,
        by: Person,
    ) -> Connected:
        configuration, places = self._configuration, []
        for name, value in secrets.items():
            place = configuration.keep_secret(configuration.secret_of(self.channel, name), value)
            places.append(f"{name.replace('_', ' ')} in {place}")
        if given:
            places.append("the token in the database, encrypted")
        with self._store.writing() as session:
            if given:
                self._permits.keep(session, self.channel, given, by=by.id)
            else:
                self._permits.drop(session, self.channel)
            credentials.keep(session, self.channel, answer, self._now(), anew=True)
            clearance.record(session, self._now(), by.id, "connected", why=self.channel)
        return Connected(
            answer.what,
            bool(answer.ok),
            tuple(dict.fromkeys(places)),
            "" if answer.ok else "ask again later: outreach doctor",
        )

    def _keyed(self) -> None:
        """There is a key to encrypt with: made where there was none. Raises NotAllowed."""
        if not (key := self._configuration.secret(KEY)):
            self._configuration.keep_secret(KEY, new_key())
            return
        try:
            Sealed(key)
        except ValueError:
            raise NotAllowed(
                "OUTREACH_SECRET_KEY is no key: 32 bytes in URL-safe Base64; several with commas",
                "take it out where it stands, and connect again: a new one is made",
            ) from None


def _may(by: Person) -> None:
    by.must_be(MAY_WRITE, MAY_ADMINISTER)


class Landing:
    """Where a browser comes back to: a door on this machine, for one right answer."""

    def __init__(self, port: int) -> None:
        """Listens at once; at any free port where `port` is 0. Raises NotAllowed if it is taken."""
        landing = self

        class Handler(BaseHTTPRequestHandler):
            timeout = SILENT
            server_version, sys_version = "outreach", ""

            def do_GET(self) -> None:
                self.close_connection = True
                landing._asked(self)

            def log_message(self, *_: Any) -> None:
                """Nowhere: the address has a code in it."""

        try:
            self._server = ThreadingHTTPServer((HOST, port), Handler)
        except OSError as error:
            raise NotAllowed(
                f"port {port} of this machine cannot be listened at: {error.strerror}",
                "end what listens there; or --port N, with the same N in the address that the app "
                "names; or --paste",
            ) from None
        self._server.daemon_threads = True
        self._walk: Walk | None = None
        self._address = ""
        self._come, self._lock = threading.Event(), threading.Lock()

    @cached_property
    def redirect(self) -> str:
        """The address that the network sends the browser to."""
        return redirect_to(self._server.server_address[1])

    @contextmanager
    def waiting(self, walk: Walk) -> Iterator[None]:
        """Answer at the door for as long as this lasts, and then never again."""
        self._walk = walk
        thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="landing", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self.close()
            thread.join()

    def close(self) -> None:
        self._server.server_close()

    def answer(self, patience: float = PATIENCE) -> str:
        """The address that the browser came with. Raises NotAllowed where none came in time."""
        if not self._come.wait(patience):
            raise NotAllowed(
                f"no browser came back within {patience / 60:g} minutes",
                "begin again; where the browser is on another machine: --paste",
            )
        return self._address

    def _asked(self, request: BaseHTTPRequestHandler) -> None:
        path, _, query = request.path.partition("?")
        address = f"{self.redirect}?{query}"
        # A page that has another name lead here would be told by the host.
        if request.headers.get("Host") != self.redirect.split("/")[2]:
            return _page(request, 421, "This is not the address that was asked for.")
        if path != PATH:
            return _page(request, 404, "There is nothing here.")
        with self._lock:
            right = not self._address and self._walk and oauth.answers(self._walk, address)
            if right:
                self._address = address
        if not right:
            return _page(request, 400, "This is not the answer to what was opened last.")
        _page(request, 200, "Thank you. Go back to where outreach was started; close this page.")
        self._come.set()
        return None


def redirect_to(port: int) -> str:
    return f"http://{HOST}:{port}{PATH}"


def _page(request: BaseHTTPRequestHandler, status: int, words: str) -> None:
    page = f"<!doctype html><html lang=en><meta charset=utf-8><title>outreach</title><p>{words}"
    request.send_response(status)
    for name, value in {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Length": str(len(page.encode())),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",  # the page's address has a code in it
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Connection": "close",
    }.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(page.encode())
