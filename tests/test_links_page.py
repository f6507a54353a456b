"""The page of links, for networks that show none: what current posts lead to, by language."""

import pytest

from outreach.web.app import create_app
from tests.conftest import OUTREACH_TOML, apply, clear_all
from tests.drafts import run_to, utc
from tests.web.conftest import TestClient

CAMPAIGN = """
campaign: forum
programme: lcc
title: Forum
written-by: ana
languages: {source: en, also: [ko]}
links: {event: "https://example.org/forum?lang=en#agenda"}
audiences: {all: {en: [web, net], ko: [web]}}
defaults: {to: all}
messages:
  news: {at: 2025-07-20 09:00 Asia/Bangkok, not-after: 2025-08-01 09:00 Asia/Bangkok}
  later: {at: 2025-07-25 09:00 Asia/Bangkok}
"""
KO = "## ko (from {}; translator: open; reviewer: bo)\n포럼 <b> {}: {{{{ links.event }}}}\n"


@pytest.fixture
def desk(office):
    from outreach.compose.texts import parse_texts

    web = '\n[web]\npublic-url = "https://post.example.org"\n'
    database = f'\n[desk]\ndatabase = "{office.database}"\n' if office.database else ""
    office.write("config/outreach.toml", OUTREACH_TOML + web + database)
    office.write(
        "config/channels.toml",
        '[web]\nplatform = "feed"\nlanguages = ["en", "ko"]\n[net]\nplatform = "memory"\n',
    )
    texts = {}
    for name in ("news", "later"):
        source = f"## en\nThe {name} of the Forum: {{{{ links.event }}}}\nMore follows.\n"
        made_from = parse_texts(source, "t").closest("en", "", "").hash
        texts[name] = source + KO.format(made_from, name)
    office.campaign(CAMPAIGN, **texts)
    desk = office.open()
    desk.tick()
    apply(desk)
    clear_all(desk)
    return desk


def visit(desk, path):
    return TestClient(create_app(desk)).get(path)


def test_nothing_stands_there_before_it_is_published(desk):
    assert desk.public.links() == []
    assert "No current post has a link." in visit(desk, "/links").text
    assert visit(desk, "/links/en").status_code == 404


def test_a_message_stands_there_once_in_each_language_with_where_it_leads(office, desk):
    run_to(office, desk, utc("2025-07-20T02:00"))
    shown = {one.language: one for one in desk.public.links()}
    assert (shown["en"].words, shown["ko"].words) == (
        "The news of the Forum",
        "포럼 <b> news",
    )
    assert shown["en"].targets == (
        "https://example.org/forum?lang=en&utm_source=links&utm_medium=social"
        "&utm_campaign=forum&utm_content=news#agenda",
    )
    page = visit(desk, "/links").text
    assert "한국어" in page and "English" in page and "&lt;b&gt;" in page
    assert 'href="https://example.org/forum?lang=en&amp;utm_source=links' in page
    assert "later" not in page
    korean = visit(desk, "/links/ko").text
    assert "포럼 &lt;b&gt; news" in korean and "The news" not in korean


def test_what_is_over_goes_and_the_newest_stands_first(office, desk):
    run_to(office, desk, utc("2025-07-20T02:00"))
    run_to(office, desk, utc("2025-07-25T02:00"))
    english = [one.words for one in desk.public.links() if one.language == "en"]
    assert english == ["The later of the Forum", "The news of the Forum"]
    office.clock.to("2025-08-02T00:00Z")
    assert [one.words for one in desk.public.links() if one.language == "en"] == english[:1]
    office.clock.to("2025-10-02T00:00Z")
    assert desk.public.links() == []
