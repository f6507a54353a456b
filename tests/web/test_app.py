"""The public's door, asked as browsers, readers, pollers and strangers ask it."""

import hashlib
import http.client
import logging
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
import pytest

from outreach.web.app import A_PAGE, EMBEDDED

from .desk import BASE, CARD, Desk, entry, serving, shown

SHA = hashlib.sha256(CARD).hexdigest()
PAGES = ("/", "/feed/web", "/feed/web/embed", "/feed/web/nothing", "/l/unknown99", "/nowhere")


class Elements(HTMLParser):
    """Every element of a page with its attributes, and what opens is what closes."""

    VOID = frozenset({"meta", "link", "img", "br", "base", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attrs for name, attrs in self.found if name == tag]


def test_the_front_page_lists_the_feeds(visit):
    page = visit.get("/")
    assert page.status_code == 200
    assert "News from the NEASPEC secretariat" in page.text
    hrefs = [a["href"] for a in Elements(page.text).all("a")]
    assert {"./feed/web", "./feed/web/atom.xml", "./feed/web/feed.json"} <= set(hrefs)


def test_the_feed_page_shows_each_entry_in_its_language_with_its_pictures(visit):
    page = visit.get("/feed/web")
    elements = Elements(page.text)
    assert [article["lang"] for article in elements.all("article")] == ["ru", "zh", "en"]
    assert elements.all("img") == [
        {
            "src": f"../media/{SHA}",
            "alt": "A row of blue bars of different heights, like a skyline",
            "width": "800",
            "height": "418",
            "loading": "lazy",
        }
    ]
    assert "<figcaption>NEASPEC</figcaption>" in page.text
    assert "26 July 2025, 01:00 UTC" in page.text
    assert f'<a href="{BASE}/l/k3v9q2mz" rel="noopener">' in page.text
    assert page.text.count("<h1") == 1


def test_every_link_of_every_page_leads_somewhere_below_any_path(desk, visit):
    """The pages stay whole behind a proxy that adds a path: all their own links are relative."""
    entry_page = f"/feed/web/{desk.entries[0].id}"
    lost = ("/x/y/z", "/static/x/nothing")
    for start in ("/", "/feed/web", entry_page, "/feed/web/embed", *lost):
        elements = Elements(visit.get(start).text)
        own = [a["href"] for a in elements.all("a")] + [i["src"] for i in elements.all("img")]
        own += [link["href"] for link in elements.all("link") if link["rel"] != "canonical"]
        for address in own:
            if address.startswith(("http", "#")):
                continue
            assert not address.startswith("/")
            assert visit.get(str(httpx.URL(f"http://testserver{start}").join(address))).is_success


def test_an_entry_has_a_page_of_its_own_that_previews_well(desk, visit):
    given = desk.entries[0]
    page = visit.get(f"/feed/web/{given.id}")
    meta = {m.get("property"): m.get("content") for m in Elements(page.text).all("meta")}
    assert meta["og:title"] == given.title
    assert meta["og:image"] == f"{BASE}/media/{SHA}"
    assert meta["og:url"] == given.url
    assert page.text.count("<h1") == 1


def test_older_entries_are_on_further_pages(desk, visit):
    start = datetime(2025, 8, 1, tzinfo=UTC)
    desk.entries = [entry(f"No. {i};", at=start - timedelta(hours=i)) for i in range(A_PAGE + 1)]
    first, second = visit.get("/feed/web").text, visit.get("/feed/web?page=2").text
    assert "No. 0;" in first and f"No. {A_PAGE};" not in first
    assert f"No. {A_PAGE};" in second and "No. 0;" not in second
    assert 'href="../feed/web?page=2"' in first
    for nonsense in ("3", "0", "-1", "x", "", "1e3", "٣", "9" * 400):
        assert visit.get("/feed/web", params={"page": nonsense}).status_code == 404, nonsense


def test_the_fragment_may_be_framed_by_anybody_and_nothing_else_may(visit, desk):
    desk.entries = [entry(f"No. {i};") for i in range(EMBEDDED + 3)]
    fragment = visit.get("/feed/web/embed")
    assert "frame-ancestors *" in fragment.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in fragment.headers
    assert '<base target="_blank">' in fragment.text
    assert fragment.text.count("<article") == EMBEDDED
    for path in ("/", "/feed/web", "/feed/web/atom.xml", "/nowhere", "/static/site.css"):
        assert "frame-ancestors 'none'" in visit.get(path).headers["Content-Security-Policy"]
        assert visit.get(path).headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", [*PAGES, "/feed/web/atom.xml", f"/media/{SHA}", "/l/k3v9q2mz"])
def test_every_answer_is_strict_and_keeps_nothing(visit, path):
    headers = visit.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self';")
    assert "script" not in policy and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "set-cookie" not in headers


ATTACK = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


@pytest.mark.parametrize("path", ["/", "/feed/web", "/feed/web/embed", "/feed/web/evil"])
def test_script_in_any_field_stays_text(visit, desk, path):
    info = desk.infos[0]
    desk.infos = [type(info)("web", ATTACK, ATTACK, '"><script>')]
    desk.entries = [
        entry(
            ATTACK + " https://a.org/" + ATTACK,
            id="evil",
            title=ATTACK,
            language='"><script>',
            url=f"{BASE}/{ATTACK}",
            pictures=(shown(CARD, ATTACK, ATTACK),),
        )
    ]
    elements = Elements(visit.get(path).text)
    assert elements.all("script") == []
    assert [name for _, attrs in elements.found for name in attrs if name.startswith("on")] == []
    if path not in ("/",):
        assert [(i["src"].endswith(SHA), i["alt"]) for i in elements.all("img")] == [(True, ATTACK)]


def test_characters_that_no_page_may_hold_are_left_out(visit, desk):
    desk.entries = [entry("be\x00fore\x0b \ud800after", id="odd", title="\x1b[31mred")]
    for path in ("/feed/web", "/feed/web/odd", "/feed/web/atom.xml", "/feed/web/feed.json"):
        assert visit.get(path).status_code == 200
    assert "before after" in visit.get("/feed/web").text
    ElementTree.fromstring(visit.get("/feed/web/atom.xml").content)  # noqa: S314  # ours


@pytest.mark.parametrize("path", ["/feed/web/atom.xml", "/feed/web/feed.json"])
def test_a_poller_that_has_it_gets_304_until_something_is_new(visit, desk, path):
    first = visit.get(path)
    assert first.status_code == 200
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    assert modified == "Mon, 04 Aug 2025 01:00:00 GMT"
    for condition in (
        {"If-None-Match": etag},
        {"If-None-Match": f'"other", W/{etag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": modified},
        {"If-None-Match": etag, "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    ):
        again = visit.get(path, headers=condition)
        assert (again.status_code, again.content) == (304, b""), condition
        assert again.headers["ETag"] == etag
    for condition in (
        {"If-None-Match": '"other"', "If-Modified-Since": modified},
        {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If-Modified-Since": "yesterday"},
    ):
        assert visit.get(path, headers=condition).status_code == 200, condition
    newest = max(desk.entries, key=lambda entry: entry.published)
    desk.entries.remove(newest)  # taken down: nobody's old copy is current any more
    assert visit.get(path, headers={"If-None-Match": etag}).status_code == 200
    assert visit.get(path, headers={"If-Modified-Since": modified}).status_code == 200


def test_a_published_picture_is_served_and_nothing_else_is(visit, desk):
    picture = visit.get(f"/media/{SHA}")
    assert (picture.content, picture.headers["Content-Type"]) == (CARD, "image/png")
    known = visit.get(f"/media/{SHA}", headers={"If-None-Match": picture.headers["ETag"]})
    assert known.status_code == 304
    svg = hashlib.sha256(b"<svg/>").hexdigest()
    desk.pictures[svg] = (b"<svg/>", "image/svg+xml")
    for path in (svg, "0" * 64, SHA.upper(), "..%2f..%2fetc%2fpasswd", "x"):
        assert visit.get(f"/media/{path}").status_code == 404
    desk.pictures.clear()  # taken down
    gone = visit.get(f"/media/{SHA}", headers={"If-None-Match": picture.headers["ETag"]})
    assert gone.status_code == 404


def test_a_short_link_leads_on_and_the_desk_learns_nothing_about_who_came(visit, desk):
    answer = visit.get(
        "/l/k3v9q2mz",
        headers={
            "User-Agent": "Mozilla/5.0 Firefox/140.0",
            "Sec-Purpose": "prefetch",
            "Cookie": "id=7",
            "X-Forwarded-For": "203.0.113.9",
            "Referer": "https://t.co/",
            "Accept-Language": "mn",
        },
    )
    assert answer.status_code == 302
    assert answer.headers["Location"] == desk.targets["k3v9q2mz"]
    assert answer.headers["Cache-Control"] == "no-store"
    agent = {"user-agent": "Mozilla/5.0 Firefox/140.0", "sec-purpose": "prefetch"}
    assert desk.visits == [("k3v9q2mz", "GET", agent)]
    assert visit.head("/l/k3v9q2mz").status_code == 302
    assert desk.visits[1][1] == "HEAD"


@pytest.mark.parametrize(
    "code",
    [
        "unknown99",
        "https:%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "..%2F",
        "%00",
        "a" * 5000,
        "%ff",
    ],
)
def test_a_link_that_is_not_ours_leads_nowhere(visit, code):
    answer = visit.get(f"/l/{code}?url=https://evil.example&next=//evil.example")
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert "There is nothing at this address" in answer.text


def test_a_target_that_is_no_web_address_is_never_followed(visit, desk):
    desk.targets |= {"bad": "javascript:alert(1)", "rel": "//evil.example", "none": ""}
    for code in ("bad", "rel", "none"):
        answer = visit.get(f"/l/{code}")
        assert answer.status_code == 500
        assert "location" not in answer.headers
    desk.targets["split"] = "https://a.org/\r\nSet-Cookie: a=b"
    assert "set-cookie" not in visit.get("/l/split").headers


def test_what_is_unpublished_and_what_never_was_answer_alike(visit):
    pages = {visit.get(f"/feed/web/{name}").text for name in ("never", "draft")}
    assert len(pages) == 1
    assert "secret-draft" not in pages.pop()  # the error's hint stays inside


def test_a_failure_is_a_page_in_plain_words_and_is_logged(visit, desk, caplog):
    desk.entries = [None]  # a desk gone wrong
    with caplog.at_level(logging.ERROR):
        answer = visit.get("/feed/web")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "Traceback" not in answer.text and "NoneType" not in answer.text
    assert answer.headers["Content-Security-Policy"]
    assert "could not be answered" in caplog.text and "AttributeError" in caplog.text


def test_nothing_can_be_written_and_no_documentation_is_offered(visit):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = visit.request(method, "/feed/web")
        assert answer.status_code == 405
        assert "This site is for reading" in answer.text
    for path in (
        "/docs",
        "/redoc",
        "/openapi.json",
        "/feed/web/",
        "/static/../app.py",
        "/static/x",
    ):
        assert visit.get(path).status_code == 404


ODD = (
    "/feed/%00",
    "/feed/%ff%fe",
    "/feed/..%2f..%2fetc%2fpasswd",
    "/feed/../../etc/passwd",
    "//evil.example/",
    "/\\evil.example",
    "/feed/web/<script>alert(1)</script>",
    "/feed/{{7*7}}/atom.xml",
    "/feed/" + "a" * 8000,
    "/static/..%2fapp.py",
    "/static/%2e%2e/app.py",
    "/static/",
    "/media/" + "f" * 65,
    "/l/",
    "/l/%0d%0aSet-Cookie:%20a=b",
    "/feed/web/atom.xml/more",
    "/?" + "a=b&" * 2000,
    "/%F0%9F%92%A9",
)


def test_over_a_real_connection_odd_input_gets_a_page_and_never_a_stack_trace(desk, caplog):
    with serving(desk) as address, caplog.at_level(logging.WARNING):
        place = urlsplit(address)
        for method in ("GET", "HEAD"):
            for path in ODD:
                line = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
                line.putrequest(method, path, skip_host=True)
                line.putheader("Host", "evil.example")
                line.endheaders()
                answer = line.getresponse()
                body = answer.read().decode("utf-8", "replace")
                line.close()
                expected = {200} if path.startswith("/?") else {404}
                assert answer.status in expected, (method, path, answer.status)
                assert "evil.example" not in body + str(answer.headers), path
                assert "Traceback" not in body and "49" not in re.sub(r"v=\w+", "", body), path
                assert not answer.headers["Set-Cookie"]
                assert method == "GET" or not body
    assert [record for record in caplog.records if record.name.startswith("outreach")] == []


def test_over_a_real_connection_head_answers_as_get_does_without_the_body(desk, caplog):
    paths = ("/", "/feed/web", "/feed/web/atom.xml", f"/media/{SHA}", "/l/k3v9q2mz", "/healthz")
    with serving(desk) as address, caplog.at_level(logging.INFO):
        for path in paths:
            get, head = httpx.get(address + path), httpx.head(address + path)
            assert get.status_code == head.status_code, path
            assert not head.content
            differ = {"date"}
            assert {k: v for k, v in get.headers.items() if k not in differ} == {
                k: v for k, v in head.headers.items() if k not in differ
            }, path
            assert "server" not in get.headers
    # The test's own client logs what it asks for; the door must not log who asked.
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    assert not [line for line in ours if "GET" in line or "HEAD" in line]


def test_an_empty_desk_says_that_nothing_is_published(door):
    assert "Nothing is published here yet" in door(Desk(infos=[])).get("/").text
    bare = door(Desk())
    assert "Nothing is published here yet" in bare.get("/feed/web").text
    assert bare.get("/feed/web/atom.xml").status_code == 200
    assert bare.get("/healthz").text == "ok\n"
