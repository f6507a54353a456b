"""The newsletter's public pages, over a real desk: what they take, tell, and never tell."""

import html
import re

import pytest
from sqlalchemy import select

from outreach.subscribers import Subscriber
from tests.conftest import REPOSITORY

from .desk import serving
from .test_app import Elements
from .test_browser import CHROMIUM, browser  # noqa: F401 - a fixture is found by its name

SUBSCRIBE = "/subscribe/newsletter"
FORM = {"address": "one@example.org", "language": "en", "agree": "yes"}
CHANNELS = """
[newsletter]
platform = "email"
title = "NEASPEC news"
languages = ["en", "ko"]
host = "127.0.0.1"
from = "NEASPEC <news@example.org>"
"""


@pytest.fixture
def desk(office):
    office.write("config/channels.toml", CHANNELS)
    words = (REPOSITORY / "config/newsletter.toml").read_text()
    english = words[words.index("\n[en]\n") : words.index("\n[zh]\n")]
    korean = english.replace("[en]", "[ko]").replace("Subscribe", "구독하기")
    office.write("config/newsletter.toml", english + korean)
    return office.open()


def rows(desk):
    with desk.store.reading() as session:
        return session.scalars(select(Subscriber).order_by(Subscriber.id)).all()


def told(page):
    return html.unescape(re.search(r'role="(?:status|alert)">([^<]*)<', page.text)[1])


def test_the_form_says_what_is_agreed_to_and_nothing_is_ticked(visit):
    page = visit.get(SUBSCRIBE)
    elements = Elements(page.text)
    assert page.status_code == 200
    (box,) = [field for field in elements.all("input") if field.get("type") == "checkbox"]
    assert "checked" not in box
    labels = {label["for"] for label in elements.all("label")}
    named = {f["id"] for f in [*elements.all("input"), *elements.all("select")]}
    assert named == labels == {"address", "language", "agree"}
    assert "I can unsubscribe at any time" in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers


def test_it_speaks_the_language_that_is_asked_for(visit):
    page = visit.get(f"{SUBSCRIBE}?language=ko")
    assert '<html lang="ko">' in page.text and "구독하기" in page.text
    assert '<html lang="en">' in visit.get(f"{SUBSCRIBE}?language=xx").text


def test_whoever_subscribes_is_asked_and_a_look_at_the_link_confirms_nothing(visit, desk):
    page = visit.post(SUBSCRIBE, data=FORM)
    assert page.status_code == 200 and told(page).startswith("Thank you. A mail is on its way")
    (row,) = rows(desk)
    link = f"/confirm/{row.token}"
    for _ in range(3):  # as mail scanners do
        page = visit.get(link)
        assert page.status_code == 200 and "<button>" in page.text
        assert visit.head(link).status_code == 200
    assert rows(desk)[0].state == "asked"
    assert told(visit.post(link)) == "Thank you, you are subscribed."
    assert rows(desk)[0].state == "confirmed"
    assert visit.post(link).status_code == visit.get(link).status_code == 404


def test_one_click_of_a_mail_program_unsubscribes_and_a_look_does_not(visit, desk):
    """RFC 8058: POST, no cookie, no redirect, no question."""
    visit.post(SUBSCRIBE, data=FORM)
    visit.post(f"/confirm/{rows(desk)[0].token}")
    link = f"/leave/{rows(desk)[0].ref}"
    assert "<button>Unsubscribe</button>" in visit.get(link).text
    assert len(rows(desk)) == 1
    gone = visit.post(link, data={"List-Unsubscribe": "One-Click"})
    assert gone.status_code == 200
    assert told(gone) == "You are unsubscribed from NEASPEC news. Your address has been deleted."
    assert rows(desk) == []
    again = visit.post(link, files={"List-Unsubscribe": (None, "One-Click")})
    assert (again.status_code, again.text) == (200, gone.text)
    assert visit.get(link).text == gone.text


def test_no_answer_tells_who_is_on_the_list(visit, desk):
    visit.post(SUBSCRIBE, data=FORM)
    visit.post(f"/confirm/{rows(desk)[0].token}")
    known = visit.post(SUBSCRIBE, data=FORM)
    stranger = visit.post(SUBSCRIBE, data={**FORM, "address": "two@example.org"})
    assert (known.status_code, known.text) == (stranger.status_code, stranger.text)
    assert visit.post("/leave/nobody").text == visit.post("/leave/nobody-else").text
    assert "one@example.org" not in visit.get("/").text


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"address": "nobody"}, "This is not an e-mail address"),
        ({"address": "a@example.org\r\nBcc: b@example.org"}, "This is not an e-mail address"),
        ({"agree": ""}, "Please tick that you agree"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(visit, desk, given, why):
    page = visit.post(SUBSCRIBE, data={**FORM, **given})
    assert page.status_code == 422 and told(page).startswith(why)
    assert rows(desk) == []


def test_nothing_that_is_typed_becomes_markup(visit):
    page = visit.post(SUBSCRIBE, data={**FORM, "address": '"><script>alert(1)</script>'})
    assert "<script" not in page.text and "&lt;script&gt;" in page.text


def test_a_flood_is_told_to_come_later(visit, desk, monkeypatch):
    monkeypatch.setattr("outreach.subscribers.HOURLY", 2)
    codes = [
        visit.post(SUBSCRIBE, data={**FORM, "address": f"n{n}@example.org"}).status_code
        for n in range(4)
    ]
    assert codes == [200, 200, 503, 503] and len(rows(desk)) == 2


def test_a_form_that_is_too_large_or_no_form_is_declined(visit, desk):
    assert visit.post(SUBSCRIBE, data={**FORM, "x": "y" * 5000}).status_code == 413
    assert visit.post(SUBSCRIBE, content=b"\xff\x00" * 100).status_code == 422
    assert visit.post(SUBSCRIBE, data={**FORM, "language": "fr"}).status_code == 404
    assert visit.post("/subscribe/nothing", data=FORM).status_code == 404
    assert visit.put(SUBSCRIBE).status_code == 405
    assert rows(desk) == []


def test_the_front_page_leads_to_it(visit):
    hrefs = [a["href"] for a in Elements(visit.get("/").text).all("a")]
    assert "./subscribe/newsletter" in hrefs


def test_an_office_without_a_newsletter_has_no_such_pages(office, door):
    office.write("config/channels.toml", '[web]\nplatform = "feed"\n')
    visit = door(office.open())
    for path in (SUBSCRIBE, "/confirm/x", "/leave/x"):
        assert visit.get(path).status_code == visit.post(path).status_code == 404


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: layout is unproven")
def test_a_person_subscribes_confirms_and_leaves_on_a_telephone(browser, desk):  # noqa: F811 - a fixture
    with serving(desk) as address:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        said = []
        page.on("console", lambda message: said.append(message.text))

        def fits():
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 390, page.url

        page.goto(f"{address}{SUBSCRIBE}")
        fits()
        page.get_by_label("Your e-mail address").fill("one@example.org")
        page.get_by_label("Yes, send me").check()
        page.get_by_role("button", name="Subscribe").click()
        assert "on its way" in page.get_by_role("status").inner_text()
        fits()
        page.goto(f"{address}/confirm/{rows(desk)[0].token}")
        page.get_by_role("button").click()
        assert "you are subscribed" in page.get_by_role("status").inner_text()
        page.goto(f"{address}/leave/{rows(desk)[0].ref}")
        fits()
        page.get_by_role("button", name="Unsubscribe").click()
        assert "You are unsubscribed" in page.get_by_role("status").inner_text()
        assert rows(desk) == [] and said == []
        page.close()
