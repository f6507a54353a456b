"""The public's web door: feeds in four forms, their pictures, short links, and newsletters.

    /                          the office's feeds
    /feed/CHANNEL              a feed as a page; /ENTRY one entry, /embed a fragment for a frame
    /feed/CHANNEL/atom.xml     the same for readers and other sites; /feed.json likewise
    /media/SHA256              a picture of a published entry
    /links                     where current posts lead, by language; /links/ko one of them
    /l/CODE                    a short link: one visit counted, then on to where it leads
    /task/SECRET               one task, for whoever was given the link: what to post, and a form
    /subscribe/CHANNEL         a form; what it answers never tells who is on the list
    /confirm/TOKEN, /leave/REF  a page with a button: a look alone, which mail scanners take at
                               every link, does nothing. /leave takes the one click of RFC 8058
    /healthz                   "ok" while the desk answers

Nothing here is signed in: a task's link is a secret of its own, and what it never was or is no
longer answers alike. No cookie is set, and nothing about who came is kept: no address is
read or logged, and of a visit's headers the desk gets only those that tell a person from a bot.
So no form needs protection against another site's: whatever it sends, anybody could, and what is
asked for an address is done once its owner has confirmed.
What is not published and what never was answer alike.
"""

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Annotated, Protocol
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outreach.addresses import Shown
from outreach.errors import NotAllowed, NotFound, OutreachError
from outreach.handover.mails import names
from outreach.measure.clicks import HEADERS as TELLING
from outreach.platforms.feed import FeedEntry, FeedInfo
from outreach.subscribers import Subscribers
from outreach.web import feeds
from outreach.web.pages import HERE, Pages, code_of, in_languages

if TYPE_CHECKING:
    import uvicorn

    from outreach.answers import Answers
    from outreach.handover import Handover, Task

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
_WITH_FORM = _POLICY.format("'none'").replace("form-action 'none'", "form-action 'self'")
LARGEST_FORM = 4096  # bytes that a form may send, where nobody writes a text into it

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
# A task's page is for one person, and for no cache, index or frame.
_FOR_ONE = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": _WITH_FORM,
}
_METHODS = ["GET", "HEAD"]
LARGEST_ANSWER = 200_000  # bytes; a text of 20,000 characters, each of up to nine in a form


class Public(Protocol):
    """What anybody may see; asked from several threads at once."""

    def feeds(self) -> Sequence[FeedInfo]:
        """The public feeds."""

    def feed(self, channel: str) -> Sequence[FeedEntry]:
        """What is published on it, newest first; raises NotFound."""

    def entry(self, channel: str, entry: str) -> FeedEntry:
        """One published entry; raises NotFound."""

    def links(self) -> Sequence[Shown]:
        """Where current posts lead, newest first."""

    def picture(self, sha256: str) -> tuple[bytes, str]:
        """Bytes and type of a picture of a published post; NotFound for every other."""

    def follow(self, code: str, *, method: str, headers: Mapping[str, str]) -> str:
        """Where a short link leads, its visit counted if a person's; NotFound if not ours.

        `headers` are those of `outreach.measure.clicks.HEADERS` that came, in lower case.
        """


class Desk(Protocol):
    """What this door asks of the desk; called from several threads at once."""

    @property
    def public_url(self) -> str:
        """Where this door is reached from outside, "https://post.example.org"."""

    @property
    def office(self) -> str:
        """The office's name, "NEASPEC secretariat"."""

    @property
    def public(self) -> Public:
        """What anybody may see."""

    @property
    def subscribers(self) -> Subscribers:
        """Those who receive the newsletters."""

    @property
    def handover(self) -> "Handover":
        """Opens the tasks that people do for the desk."""

    @property
    def answers(self) -> "Answers":
        """Takes what they say of them."""


def create_app(desk: Desk) -> FastAPI:
    """The door to this desk. Reads `desk.office` and `desk.public_url` once."""
    pages = Pages(office=desk.office, public_url=desk.public_url.rstrip("/"))
    # A redirect to the slashless address would be built from whatever Host the visitor claims.
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(_Boundary, pages=pages)
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    app.include_router(_feeds(desk, pages))
    app.include_router(_links(desk))
    app.include_router(_tasks(desk, pages))
    app.include_router(_newsletters(desk, pages))

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
        for info in desk.public.feeds():
            if info.channel == channel:
                return info
        raise NotFound(f"there is no feed {channel!r}")

    def page(request: Request, name: str, **values: object) -> HTMLResponse:
        html = pages.page(name, root=_root(request.scope), **values)
        return HTMLResponse(html, headers={"Cache-Control": _FOR_A_WHILE})

    @router.api_route("/", methods=_METHODS)
    def front(request: Request) -> Response:
        newsletters = desk.subscribers.newsletters.values()
        return page(request, "front.html", feeds=desk.public.feeds(), newsletters=newsletters)

    @router.api_route("/links", methods=_METHODS)
    def links(request: Request) -> Response:
        return page(request, "links.html", groups=in_languages(desk.public.links()), one="")

    @router.api_route("/links/{language}", methods=_METHODS)
    def links_in(request: Request, language: str) -> Response:
        groups = [one for one in in_languages(desk.public.links()) if one[0] == language]
        if not groups:
            raise NotFound(f"there are no links in {language!r}")
        return page(request, "links.html", groups=groups, one=language)

    @router.api_route("/healthz", methods=_METHODS)
    def healthz() -> Response:
        desk.public.feeds()
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    @router.api_route("/feed/{channel}", methods=_METHODS)
    def feed(request: Request, channel: str) -> Response:
        info, entries = info_of(channel), desk.public.feed(channel)
        number = _page_number(request.query_params.get("page", "1"))
        last = max(1, -(-len(entries) // A_PAGE))
        if number > last:
            raise NotFound(f"{channel} has {last} pages")
        shown = entries[(number - 1) * A_PAGE : number * A_PAGE]
        return page(request, "feed.html", feed=info, entries=shown, number=number, last=last)

    def linked(info: FeedInfo, name: str) -> dict[str, str]:
        """What tells a reader of a feed with a hub that it need not ask again and again."""
        own = f"{base}/feed/{info.channel}/{name}"
        return {"Link": f'<{own}>; rel="self", <{info.hub}>; rel="hub"'} if info.hub else {}

    @router.api_route("/feed/{channel}/atom.xml", methods=_METHODS)
    def atom(request: Request, channel: str) -> Response:
        info = info_of(channel)
        document, changed = feeds.atom(
            info, desk.public.feed(channel), public_url=base, office=desk.office
        )
        links = linked(info, "atom.xml")
        return _polled(request, document, changed, "application/atom+xml; charset=utf-8", links)

    @router.api_route("/feed/{channel}/feed.json", methods=_METHODS)
    def json_feed(request: Request, channel: str) -> Response:
        info = info_of(channel)
        document, changed = feeds.json_feed(
            info, desk.public.feed(channel), public_url=base, office=desk.office
        )
        links = linked(info, "feed.json")
        return _polled(request, document, changed, "application/feed+json; charset=utf-8", links)

    @router.api_route("/feed/{channel}/embed", methods=_METHODS)
    def embed(request: Request, channel: str) -> Response:
        entries = desk.public.feed(channel)[:EMBEDDED]
        response = page(request, "embed.html", feed=info_of(channel), entries=entries)
        response.headers["Content-Security-Policy"] = _POLICY.format("*")
        return response

    @router.api_route("/feed/{channel}/{entry}", methods=_METHODS)
    def entry(request: Request, channel: str, entry: str) -> Response:
        shown = desk.public.entry(channel, entry)
        return page(request, "entry.html", feed=info_of(channel), entry=shown)

    @router.api_route("/media/{sha256}", methods=_METHODS)
    def media(request: Request, sha256: str) -> Response:
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise NotFound("a picture's address ends with its hash")
        # Asked every time, whatever the visitor has: a picture that was taken down is gone.
        data, kind = desk.public.picture(sha256)
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
        target = desk.public.follow(code, method=request.method, headers=headers)
        parts = urlsplit(target)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the link {code!r} leads to no web address")
        # 302, not 301: a browser that remembers the way would not come by to be counted.
        return RedirectResponse(target, 302, headers={"Cache-Control": "no-store"})

    return router


def _tasks(desk: Desk, pages: Pages) -> APIRouter:
    """One task for whoever was given its link. Looking changes nothing: mail servers look too."""
    router = APIRouter()

    def shown(
        request: Request,
        task: "Task",
        *,
        status: int = 200,
        said: Mapping[str, str] | None = None,
        wrong: Exception | None = None,
    ) -> Response:
        html = pages.page(
            "task.html",
            root=_root(request.scope),
            here=request.url.path.rpartition("/")[2],
            task=task,
            sheet=task.sheet,
            said={"url": "", "wording": "", "why": "", **(said or {})},
            wrong=str(wrong) if wrong else "",
            hint=wrong.hint if isinstance(wrong, OutreachError) else "",
            names=names(task.sheet),
            code=code_of(task.sheet),
        )
        return HTMLResponse(html, status, headers=_FOR_ONE)

    @router.api_route("/task/{secret}", methods=_METHODS)
    def look(request: Request, secret: str) -> Response:
        return shown(request, desk.handover.open(_secret(secret)))

    @router.post("/task/{secret}")
    def answer(
        request: Request, secret: str, said: Annotated[dict[str, str], Depends(_answer)]
    ) -> Response:
        secret = _secret(secret)
        try:
            if said.get("answer") == "no":
                task = desk.answers.decline(secret, said.get("why", ""))
            else:
                wording = said.get("wording", "")
                task = desk.answers.complete(secret, said.get("url", ""), wording=wording)
        except NotFound:
            raise
        except OutreachError as error:
            status = 422 if isinstance(error, NotAllowed) else 503
            return shown(request, desk.handover.open(secret), status=status, said=said, wrong=error)
        return shown(request, task)

    @router.api_route("/task/{secret}/{name}", methods=_METHODS)
    def picture(secret: str, name: str) -> Response:
        task = desk.handover.open(_secret(secret))
        for known, found in names(task.sheet):
            if known == name and found.type in PICTURES:
                headers = {**_FOR_ONE, "Content-Disposition": f"inline; filename={_ascii(name)}"}
                return Response(found.data, media_type=found.type, headers=headers)
        raise NotFound("this task has no such picture")

    return router


def _newsletters(desk: Desk, pages: Pages) -> APIRouter:
    router, people = APIRouter(), desk.subscribers

    def page(
        request: Request, name: str, language: str, status: int = 200, **values: object
    ) -> HTMLResponse:
        html = pages.page(name, root=_root(request.scope), language=language, **values)
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": _WITH_FORM}
        return HTMLResponse(html, status, headers=headers)

    def form(
        request: Request,
        channel: str,
        wanted: str,
        *,
        wrong: str = "",
        typed: str = "",
        agreed: bool = False,
    ) -> HTMLResponse:
        language, words = people.words(channel, wanted)
        return page(
            request,
            "subscribe.html",
            language,
            422 if wrong else 200,
            words=words,
            languages=people.newsletters[channel].languages,
            wrong=words[wrong] if wrong else "",
            typed=typed,
            agreed=agreed,
        )

    def told(
        request: Request, channel: str, wanted: str, title: str, what: str, status: int = 200
    ) -> HTMLResponse:
        language, words = people.words(channel, wanted)
        return page(
            request, "told.html", language, status, title=words[title], told=words[what], button=""
        )

    def asked(request: Request, channel: str, wanted: str, title: str, button: str) -> HTMLResponse:
        language, words = people.words(channel, wanted)
        return page(
            request, "told.html", language, title=words[title], told="", button=words[button]
        )

    def any_newsletter() -> str:
        if not people.newsletters:
            raise NotFound("there is no newsletter")
        return next(iter(people.newsletters))

    @router.api_route("/subscribe/{channel}", methods=_METHODS)
    def subscribe(request: Request, channel: str) -> Response:
        return form(request, channel, request.query_params.get("language", ""))

    @router.post("/subscribe/{channel}")
    async def subscribed(request: Request, channel: str) -> Response:
        given = await _typed(request)
        address, language = given.get("address", ""), given.get("language", "")

        def answer() -> Response:
            if given.get("agree") != "yes":
                return form(request, channel, language, wrong="agree", typed=address)
            outcome = people.subscribe(channel, address, language)
            if outcome == "wrong-address":
                return form(request, channel, language, wrong=outcome, typed=address, agreed=True)
            status = 503 if outcome == "later" else 200
            return told(request, channel, language, "title", outcome, status)

        return await run_in_threadpool(answer)

    @router.api_route("/confirm/{token}", methods=_METHODS)
    def confirming(request: Request, token: str) -> Response:
        try:
            return asked(request, *people.asks(token), "confirm-title", "confirm")
        except NotFound:
            return told(request, any_newsletter(), "", "confirm-title", "over", 404)

    @router.post("/confirm/{token}")
    def confirmed(request: Request, token: str) -> Response:
        try:
            return told(request, *people.confirm(token), "title", "confirmed")
        except NotFound:
            return told(request, any_newsletter(), "", "confirm-title", "over", 404)

    @router.api_route("/leave/{ref}", methods=_METHODS)
    def leaving(request: Request, ref: str) -> Response:
        if whose := people.whose(ref):
            return asked(request, *whose, "leave-title", "leave")
        return told(request, any_newsletter(), "", "leave-title", "left")

    @router.post("/leave/{ref}")
    def left(request: Request, ref: str) -> Response:
        whose = people.whose(ref) or (any_newsletter(), "")
        people.leave(ref)
        return told(request, *whose, "leave-title", "left")

    return router


def _secret(text: str) -> str:
    """The secret part of a link, as we make it: what else comes is not looked for."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", text):
        raise NotFound("there is no such task")
    return text


def _ascii(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


async def _answer(request: Request) -> dict[str, str]:
    """What somebody says of a task."""
    return await _typed(request, LARGEST_ANSWER)


async def _typed(request: Request, most: int = LARGEST_FORM) -> dict[str, str]:
    """The fields of a form, the first of each name; nothing of one of more than `most` bytes."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise HTTPException(413)
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    return {name: values[0] for name, values in fields.items()}


def _polled(
    request: Request, document: bytes, changed: datetime, kind: str, links: Mapping[str, str]
) -> Response:
    """The document, or 304 where the poller has it (RFC 9110, 13.1)."""
    etag = f'"{hashlib.sha256(document).hexdigest()[:32]}"'
    modified = format_datetime(changed.astimezone(UTC), usegmt=True)
    headers = {**_FOR_ALL_SITES, **links, "ETag": etag, "Last-Modified": modified}
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
    413: ("This is too long", "Please send less at a time."),
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
            # A task's secret is left out.
            path = re.sub("/task/[^/]*", "/task/…", scope["path"])
            log.exception("%s %r could not be answered", scope["method"], path)
            if started:
                raise
            await _sorry(self._pages, scope, 500)(scope, receive, answer)
