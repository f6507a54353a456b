"""The feed as other sites read it, checked against the documents that define it, and by readers
and schemas that nobody here wrote."""

import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from outreach.platforms.feed import FeedEntry, FeedInfo
from outreach.web.feeds import NEWEST, atom, headline, json_feed
from tests.conftest import REPOSITORY
from tests.platforms.counterparts import installed

from .desk import BASE, CARD, a_month, entry, shown

ATOM = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
WEB = FeedInfo("web", "Low carbon cities", "Announcements", "en")


def as_atom(entries: list[FeedEntry], info: FeedInfo = WEB, office: str = "NEASPEC") -> bytes:
    return atom(info, entries, public_url=BASE, office=office)[0]


def parsed(document: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(document)  # noqa: S314  # a document of our own


def faults_of_atom(document: bytes) -> list[str]:
    """What RFC 4287 demands and the document lacks."""
    feed = parsed(document)
    faults = [] if feed.tag == f"{ATOM}feed" else [f"the root is {feed.tag}"]
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        where = element.tag.removeprefix(ATOM)
        for name in ("id", "title", "updated"):  # 4.1.1, 4.1.2: exactly one of each
            found = element.findall(f"{ATOM}{name}")
            if len(found) != 1 or not (found[0].text or "").strip():
                faults.append(f"{where} has {len(found)} {name}")
        for date in (*element.findall(f"{ATOM}updated"), *element.findall(f"{ATOM}published")):
            if datetime.fromisoformat(date.text or "").tzinfo is None:  # 3.3
                faults.append(f"{where}: {date.text} names no zone")
        alternates = [
            (link.get("type"), link.get("hreflang"))
            for link in element.findall(f"{ATOM}link")
            if link.get("rel", "alternate") == "alternate"
        ]
        if len(alternates) != len(set(alternates)):  # 4.1.1, 4.1.2
            faults.append(f"{where} has two alternates of one type")
        if element.find(f"{ATOM}content") is None and not alternates and element is not feed:
            faults.append("entry has neither content nor an alternate")
    if feed.find(f"{ATOM}author/{ATOM}name") is None:  # 4.1.1, as no entry names its own
        faults.append("nobody is the author")
    if not [link for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"]:
        faults.append("the feed does not say where it is")
    ids = [element.text for element in feed.iter(f"{ATOM}id")]
    if len(ids) != len(set(ids)):
        faults.append("an id is there twice")
    faults += [f"{name} is no absolute IRI" for name in ids if ":" not in (name or "")]  # 4.2.6
    return faults


@pytest.mark.parametrize(
    "entries",
    [[], a_month(), [entry("")], [entry("", title="t"), entry("\x00\x0b\ufffe")]],
    ids=["empty", "a month", "no text", "unprintable"],
)
def test_the_atom_document_is_what_rfc_4287_asks_for(entries):
    assert faults_of_atom(as_atom(entries)) == []


def test_the_checker_finds_what_is_wrong():
    broken = (
        as_atom(a_month())
        .replace(b"+00:00</updated>", b"</updated>")
        .replace(b'rel="self"', b'rel="related"')
        .replace(b"<author><name>NEASPEC</name></author>", b"")
    )
    assert {fault.split(":")[0] for fault in faults_of_atom(broken)} == {
        "feed",
        "entry",
        "nobody is the author",
        "the feed does not say where it is",
    }


ATOM_SCHEMA = "OUTREACH_ATOM_RNC"  # names RFC 4287's appendix B, a text in RELAX NG's compact form
HUB = replace(WEB, hub="https://hub.example.org/")


def in_others_words(entries: list[FeedEntry], info: FeedInfo = HUB, **changed: str) -> dict:
    """What others' readers and schemas have against both documents; `changed` replaces in both."""
    python = installed("feeds/bin/python", "the feeds are held against our own reading alone")
    documents = {
        kind: make(info, entries, public_url=BASE, office="NEASPEC")[0].decode()
        for kind, make in (("atom", atom), ("json", json_feed))
    }
    for old, new in changed.items():
        documents = {kind: text.replace(old, new) for kind, text in documents.items()}
    command = [python, REPOSITORY / "tests/counterparts/check_feeds.py"]
    command += [os.environ[ATOM_SCHEMA]] if os.environ.get(ATOM_SCHEMA) else []
    told = subprocess.run(
        command, input=json.dumps(documents), capture_output=True, text=True, check=True
    )
    return json.loads(told.stdout)


@pytest.mark.counterpart
def test_others_readers_and_schemas_have_nothing_against_the_feeds():
    found = in_others_words(a_month())
    assert found == {"atom": [], "json": [], "languages": ["en", "zh", "ru"]}
    assert in_others_words([], WEB)["atom"] == []

    broken = in_others_words(a_month(), updated="renewed", content_text="text", url="uri")
    assert broken["atom"] or not os.environ.get(ATOM_SCHEMA)
    assert broken["json"]


def test_both_feeds_name_their_hub_and_themselves_where_there_is_one():
    [hub] = [link for link in parsed(as_atom([], HUB)) if link.get("rel") == "hub"]
    assert hub.get("href") == HUB.hub
    document = json.loads(json_feed(HUB, [], public_url=BASE, office="NEASPEC")[0])
    assert document["hubs"] == [{"type": "WebSub", "url": HUB.hub}]
    assert b"hub" not in as_atom([]) + json_feed(WEB, [], public_url=BASE, office="NEASPEC")[0]


def test_atom_carries_the_text_its_language_its_page_and_its_pictures():
    picture = shown(CARD, "A skyline of bars")
    text = 'Registration is open.\n\n<b>Not bold</b> & "quoted"'
    feed = parsed(
        as_atom([entry(text, title="Register", language="mn", pictures=(picture,), id="ab12")])
    )
    item = feed.find(f"{ATOM}entry")
    assert feed.get(LANG) == "en"
    assert item.get(LANG) == "mn"
    assert item.find(f"{ATOM}content").text == text
    assert item.find(f"{ATOM}content").get("type") == "text"
    page, enclosure = (dict(link.attrib) for link in item.findall(f"{ATOM}link"))
    assert page == {"href": f"{BASE}/feed/web/ab12"}  # no rel means "alternate"
    assert enclosure == {
        "rel": "enclosure",
        "type": "image/png",
        "title": "A skyline of bars",
        "href": f"{BASE}/media/{picture.sha256}",
    }


def test_ids_stay_the_same_when_the_public_address_changes():
    def ids(base: str) -> list[str]:
        document, _ = atom(WEB, a_month(), public_url=base, office="NEASPEC")
        return [element.text for element in parsed(document).iter(f"{ATOM}id")]

    assert ids("https://old.example") == ids("https://new.example")
    assert all(name.startswith("urn:uuid:") for name in ids(BASE))


def test_the_same_entries_give_the_same_bytes_and_newest_come_first():
    assert as_atom(a_month()) == as_atom(a_month())
    assert as_atom([]) == as_atom([])
    month = sorted(a_month(), key=lambda entry: entry.published, reverse=True)
    feed = parsed(as_atom(month))
    dates = [date.text for date in feed.findall(f"{ATOM}entry/{ATOM}updated")]
    assert dates == sorted(dates, reverse=True)
    assert feed.find(f"{ATOM}updated").text == dates[0]


def test_a_feed_carries_only_its_newest_entries():
    start = datetime(2025, 8, 1, tzinfo=UTC)
    many = [entry(f"No. {i}", at=start - timedelta(hours=i)) for i in range(NEWEST + 7)]
    feed = parsed(as_atom(many))
    assert len(feed.findall(f"{ATOM}entry")) == NEWEST
    assert feed.find(f"{ATOM}entry/{ATOM}title").text == "No. 0"


def test_the_json_feed_has_every_field_that_version_1_1_requires():
    picture = shown(CARD, "A skyline of bars")
    at = datetime(2025, 7, 26, 1, 0, tzinfo=UTC)
    given = entry("Hello & <b>", title="Register", at=at, pictures=(picture,), id="ab12")
    document, changed = json_feed(WEB, [given], public_url=BASE, office="NEASPEC")
    feed = json.loads(document)
    assert changed == at
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"] == "Low carbon cities"
    assert feed["feed_url"] == f"{BASE}/feed/web/feed.json"
    assert feed["authors"] == [{"name": "NEASPEC"}]
    assert feed["items"] == [
        {
            "id": feed["items"][0]["id"],
            "url": f"{BASE}/feed/web/ab12",
            "title": "Register",
            "content_text": "Hello & <b>",
            "language": "en",
            "date_published": "2025-07-26T01:00:00+00:00",
            "image": f"{BASE}/media/{picture.sha256}",
            "attachments": [
                {
                    "url": f"{BASE}/media/{picture.sha256}",
                    "mime_type": "image/png",
                    "title": "A skyline of bars",
                }
            ],
        }
    ]
    assert feed["items"][0]["id"].encode() in as_atom([given])  # one entry, one id, in both


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("Save the date", "Something else", "Save the date"),
        ("", "First line\nSecond", "First line"),
        ("  ", "\n\n First \n", "First"),
        ("", "", "2025-07-26"),
        ("", "word " * 30, "word " * 16 + "word…"),
        ("", "低" * 100, "低" * 89 + "…"),
    ],
)
def test_an_entry_without_a_title_is_headed_by_its_first_line(title, text, expected):
    assert headline(entry(text, title=title)) == expected
