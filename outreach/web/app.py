"""The public's web door: feeds in four forms, their pictures, and short links.

    /                          the office's feeds
    /feed/CHANNEL              a feed as a page; /ENTRY one entry, /embed a fragment for a frame
    /feed/CHANNEL/atom.xml     the same for readers and other sites; /feed.json likewise
    /media/SHA256              a picture of a published entry
    /links                     where current posts lead, by language; /links/ko one of them
    /l/CODE                    a short link: one visit counted, then on to where it leads
    /healthz                   "ok" while the desk answers

Nothing here is signed in, no cookie is set, and nothing about who came is kept: no address is
read or logged, and of a visit's headers the desk gets only those that tell a person from a bot.
What is not published and what never was answer alike.
"""

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outreach.addresses import Shown
from outreach.errors import NotFound
from outreach.measure.clicks import HEADERS as TELLING
from outreach.platforms.feed import FeedEntry, FeedInfo
from outreach.web import feeds
from outreach.web.pages import HERE, Pages, in_languages

if TYPE_CHECKING:
    import uvicorn

log = logging.getLogger(__name__)

A_PAGE = 20
"""Entries on one page of a feed."""

EMBEDDED = 5
"""Entries in the fragment that another site frames."""

PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""What is served as a picture; SVG is not among them, since it can carry script."""

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors {}"
)
_EVERYWHERE = {
    "Content-Security-Policy": _POLICY.format("'none'"),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# A short time: what is taken down must be gone from every cache soon.
_FOR_A_WHILE = "public, max-age=300"
# Other sites' scripts and readers may fetch what is public anyway.
_FOR_ALL_SITES = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": _FOR_A_WHILE,
}
_METHODS = ["GET", "HEAD"]


class Desk(Protocol):
    """What this door asks of the desk; called from several threads at once."""

    @property
    def public_url(self) -> str:
        """Where this door is reached from outside, "https://post.example.org"."""

    @property
    def office(self) -> str:
        """The office's name, "NEASPEC secretariat"."""

    def feeds(self) -> Sequence[FeedInfo]:
        """The public feeds."""

    def feed(self, channel: str) -> Sequence[FeedEntry]:
        """What is published on it, newest first; raises NotFound."""

    def feed_entry(self, channel: str, entry: str) -> FeedEntry:
        """One published entry; raises NotFound."""

    def links(self) -> Sequence[Shown]:
        """Where current posts lead, newest first."""

    def published_picture(self, sha256: str) -> tuple[bytes, str]:
        """Bytes and type of a picture of a published post; NotFound for every other."""

    def follow(self, code: str, *, method: str, headers: Mapping[str, str]) -> str:
        """Where a short link leads, its visit counted if a person's; NotFound if not ours.

        `headers` are those of `outreach.measure.clicks.HEADERS` that came, in lower case.
        """


def create_app(desk: Desk) -> FastAPI:
    """The door to this desk. Reads `desk.office` and `desk.public_url` once."""
    pages = Pages(office=desk.office, public_url=desk.public_url.rstrip("/"))
    # A redirect to the slashless address would be built from whatever Host the visitor claims.
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(_Boundary, pages=pages)
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    app.include_router(_feeds(desk, pages))
    app.include_router(_links(desk))

    @app.exception_handler(NotFound)
    def not_found(request: Request, _error: Exception) -> Response:
        # Not the error's own words: they may name the nearest thing that exists.
        return _sorry(pages, request.scope, 404)

    @app.exception_handler(HTTPException)
    def declined(request: Request, error: HTTPException) -> Response:
        return _sorry(pages, request.scope, error.status_code, error.headers)

    return app


def server(app: FastAPI, *, host: str = "127.0.0.1", port: int = 8000) -> "uvicorn.Server":
    """A uvicorn server for the door that writes no access log: `.run()` serves until a signal.

    Forwarded addresses are not read either; TLS and compression are the proxy's in front of it.
    """
    import uvicorn

    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,  # whoever starts us has set up logging
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)


def _feeds(desk: Desk, pages: Pages) -> APIRouter:
    router = APIRouter()
    base = desk.public_url.rstrip("/")

    def info_of(channel: str) -> FeedInfo:
        for info in desk.feeds():
            if info.channel == channel:
                return info
        raise NotFound(f"there is no feed {channel!r}")

    def page(request: Request, name: str, **values: object) -> HTMLResponse:
        html = pages.page(name, root=_root(request.scope), **values)
        return HTMLResponse(html, headers={"Cache-Control": _FOR_A_WHILE})

    @router.api_route("/", methods=_METHODS)
    def front(request: Request) -> Response:
        return page(request, "front.html", feeds=desk.feeds())

    @router.api_route("/links", methods=_METHODS)
    def links(request: Request) -> Response:
        return page(request, "links.html", groups=in_languages(desk.links()), one="")

    @router.api_route("/links/{language}", methods=_METHODS)
    def links_in(request: Request, language: str) -> Response:
        groups = [one for one in in_languages(desk.links()) if one[0] == language]
        if not groups:
            raise NotFound(f"there are no links in {language!r}")
        return page(request, "links.html", groups=groups, one=language)

    @router.api_route("/healthz", methods=_METHODS)
    def healthz() -> Response:
        desk.feeds()
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    @router.api_route("/feed/{channel}", methods=_METHODS)
    def feed(request: Request, channel: str) -> Response:
        info, entries = info_of(channel), desk.feed(channel)
        number = _page_number(request.query_params.get("page", "1"))
        last = max(1, -(-len(entries) // A_PAGE))
        if number > last:
            raise NotFound(f"{channel} has {last} pages")
        shown = entries[(number - 1) * A_PAGE : number * A_PAGE]
        return page(request, "feed.html", feed=info, entries=shown, number=number, last=last)

    @router.api_route("/feed/{channel}/atom.xml", methods=_METHODS)
    def atom(request: Request, channel: str) -> Response:
        document, changed = feeds.atom(
            info_of(channel), desk.feed(channel), public_url=base, office=desk.office
        )
        return _polled(request, document, changed, "application/atom+xml; charset=utf-8")

    @router.api_route("/feed/{channel}/feed.json", methods=_METHODS)
    def json_feed(request: Request, channel: str) -> Response:
        document, changed = feeds.json_feed(
            info_of(channel), desk.feed(channel), public_url=base, office=desk.office
        )
        return _polled(request, document, changed, "application/feed+json; charset=utf-8")

    @router.api_route("/feed/{channel}/embed", methods=_METHODS)
    def embed(request: Request, channel: str) -> Response:
        entries = desk.feed(channel)[:EMBEDDED]
        response = page(request, "embed.html", feed=info_of(channel), entries=entries)
        response.headers["Content-Security-Policy"] = _POLICY.format("*")
        return response

    @router.api_route("/feed/{channel}/{entry}", methods=_METHODS)
    def entry(request: Request, channel: str, entry: str) -> Response:
        shown = desk.feed_entry(channel, entry)
        return page(request, "entry.html", feed=info_of(channel), entry=shown)

    @router.api_route("/media/{sha256}", methods=_METHODS)
    def media(request: Request, sha256: str) -> Response:
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise NotFound("a picture's address ends with its hash")
        # Asked every time, whatever the visitor has: a picture that was taken down is gone.
        data, kind = desk.published_picture(sha256)
        if kind not in PICTURES:
            raise NotFound(f"{kind} is not served")
        headers = {**_FOR_ALL_SITES, "ETag": f'"{sha256}"'}
        if _known(request.headers, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(data, media_type=kind, headers=headers)

    return router


def _links(desk: Desk) -> APIRouter:
    router = APIRouter()

    @router.api_route("/l/{code}", methods=_METHODS)
    def follow(request: Request, code: str) -> Response:
        headers = {name: request.headers[name] for name in TELLING if name in request.headers}
        target = desk.follow(code, method=request.method, headers=headers)
        parts = urlsplit(target)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the link {code!r} leads to no web address")
        # 302, not 301: a browser that remembers the way would not come by to be counted.
        return RedirectResponse(target, 302, headers={"Cache-Control": "no-store"})

    return router


def _polled(request: Request, document: bytes, changed: datetime, kind: str) -> Response:
    """The document, or 304 where the poller has it (RFC 9110, 13.1)."""
    etag = f'"{hashlib.sha256(document).hexdigest()[:32]}"'
    modified = format_datetime(changed.astimezone(UTC), usegmt=True)
    headers = {**_FOR_ALL_SITES, "ETag": etag, "Last-Modified": modified}
    if _known(request.headers, etag, modified):
        return Response(status_code=304, headers=headers)
    return Response(document, headers={**headers, "Content-Type": kind})


def _known(headers: Mapping[str, str], etag: str, modified: str = "") -> bool:
    """Whether the visitor's copy is ours. If-None-Match wins over the date, as the RFC says.

    The date must be the very one that we gave: when the newest entry is taken down our date
    goes back, and "not newer than yours" would keep the old copy alive.
    """
    if "if-none-match" in headers:
        theirs = {tag.strip().removeprefix("W/") for tag in headers["if-none-match"].split(",")}
        return etag in theirs or "*" in theirs
    return bool(modified) and headers.get("if-modified-since") == modified


def _page_number(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,5}", text):
        raise NotFound("pages are numbered from 1")
    return int(text)


_WORDS = {
    404: (
        "There is nothing at this address",
        "It may have been mistyped, or what was here has been taken down.",
    ),
    405: ("This cannot be done here", "This site is for reading."),
    500: (
        "Something went wrong on our side",
        "It has been noted. Please try again in a few minutes.",
    ),
}


def _sorry(
    pages: Pages, scope: Scope, status: int, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    title, words = _WORDS.get(status, ("This request could not be answered", "Please try again."))
    html = pages.page("sorry.html", root=_root(scope), title=title, words=words)
    return HTMLResponse(html, status, headers={**(headers or {}), "Cache-Control": "no-store"})


def _root(scope: Scope) -> str:
    """The way from this page to the front page: "../../" from /feed/web/1f3a.

    Relative, so that the pages work below any path of a proxy and trust no Host header.
    """
    # As it was asked for: an escaped slash is none to the browser that resolves "../".
    raw = scope.get("raw_path") or scope["path"].encode()
    prefix = scope.get("app_root_path", scope.get("root_path", ""))
    path = raw.split(b"?")[0].removeprefix(prefix.encode())
    return "../" * max(0, path.count(b"/") - 1) or "./"


class _Boundary:
    """The outermost layer: strict headers on every answer, and no stack trace for anybody."""

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self._app, self._pages = app, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _EVERYWHERE.items():
                    headers.setdefault(name, value)
                if "frame-ancestors *" in headers["Content-Security-Policy"]:
                    del headers["X-Frame-Options"]  # it knows no "everybody"
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception:
            # %r: a path is the visitor's, and must not write lines of its own into the log.
            log.exception("%s %r could not be answered", scope["method"], scope["path"])
            if started:
                raise
            await _sorry(self._pages, scope, 500)(scope, receive, answer)
