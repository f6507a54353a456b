"""Campaign x Channel -> posts: what is printed, what blocks, and that it is always the same."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image

from outreach.compose import compose
from outreach.errors import Problem
from outreach.platforms import Channel, load
from tests.compose.conftest import TELEGRAM, WEB, Office, X, campaign, short, words

FILE = "templates/posts/forum/teaser.md"
PICTURE = {"media": [{"file": "card.png", "alt": "A card in teal"}]}


@pytest.fixture
def card(office: Office) -> None:
    Image.new("RGB", (60, 40), "teal").save(office.root / "media/card.png")


def test_there_is_one_draft_for_each_message_language_and_channel(office: Office) -> None:
    office.write("For us\n## en\nHello\n## en @x\nHi\n## zh (from 3f2a; translator: li)\n你好\n")
    made = campaign({"en": ["web", "x"], "zh": ["web"]}, message={"release": "as-ready"})
    drafts = office.compose(made, replace(WEB, languages=("en", "zh")), X)
    assert [(d.key, d.post.parts[0].text if d.post else "") for d in drafts] == [
        ("forum/teaser/en@web", "Hello"),
        ("forum/teaser/en@x", "Hi"),
        ("forum/teaser/zh@web", "你好"),
    ]
    first, _, chinese = drafts
    assert first.blocked == ()
    assert first.slot is not None
    assert first.slot.at == datetime(2025, 8, 18, 1, tzinfo=UTC)
    assert first.not_after == datetime(2025, 8, 25, 2, tzinfo=UTC)
    assert first.late.within.total_seconds() == 900
    assert first.release == "as-ready"
    assert first.authors == {"officer"}
    assert chinese.authors == {"officer", "li"}
    assert first.post is not None
    assert first.post.key == first.key
    assert first.post.account == "web"
    assert chinese.post is not None
    assert chinese.post.parts[0].language == "zh"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "{{ campaign.title }}/{{ campaign.id }}/{{ campaign.programme }}",
            "The Forum/forum/low-carbon-cities",
        ),
        (
            "{{ facts.theme }} on {{ channel.name }} in {{ language }}",
            "Cities that age on web in en",
        ),
        ("{{ events.forum.weekday }}, {{ events.forum.date }}", "Monday, 25 August 2025"),
        ("{{ events.forum.ends }}, {{ events.forum.place }}", "17:30 (Bangkok time), Bangkok"),
        ("{{ events.forum.year }}{{ events.forum.speakers | length }}", "20250"),
        ("  a  \n\n\n\n b\t\n\n", "a\n\n b"),
        ("cafe\u0301", "caf\u00e9"),
        ("one\n---\ntwo", "one\n---\ntwo"),
        ("{% for n in range(3) %}{{ n }}\n---\n{% endfor %}end", "0\n---\n1\n---\n2\n---\nend"),
    ],
)
def test_a_text_prints_what_the_campaign_knows(office: Office, source: str, text: str) -> None:
    assert office.text(source, short(WEB, parts=9)) == text


def test_names_with_hyphens_can_be_named_with_either_spelling(office: Office) -> None:
    facts = {"co-host": {"value": "Incheon", "source": "letter"}}
    assert (
        office.text("{{ facts['co-host'] }}={{ facts.co_host }}", facts=facts) == "Incheon=Incheon"
    )


@pytest.mark.parametrize(
    ("language", "printed"),
    [
        ("en", "Monday 25 August 2025 17:30 (Bangkok time)"),
        ("zh", "星期一 2025年8月25日 17:30 (曼谷)"),
        ("ru", "понедельник 25 августа 2025 г. 17:30 (Бангкок)"),
        ("ko", "월요일 2025년 8월 25일 17:30 (방콕)"),
        ("tlh", "Monday 25 August 2025 17:30 (Bangkok time)"),
    ],
)
def test_dates_are_written_in_the_language_of_the_text(
    office: Office, language: str, printed: str
) -> None:
    event = "events.forum"
    office.write(
        f"## {language}\n{{{{ {event}.weekday }}}} {{{{ {event}.date }}}} {{{{ {event}.ends }}}}\n"
    )
    (draft,) = office.compose(campaign({language: ["web"]}), replace(WEB, languages=(language,)))
    assert draft.post is not None
    # Some locales put no-break spaces into dates.
    assert draft.post.parts[0].text.replace("\u202f", " ") == printed


def test_speakers_are_plain_data_and_need_their_consent(office: Office) -> None:
    def event(consent: bool) -> dict[str, Any]:
        speaker = {
            "id": "kim",
            "names": {"en": "Ms Kim"},
            "organization": "Incheon",
            "consent": consent,
        }
        return {
            "forum": {
                "date": "2025-08-25",
                "starts": "09:00",
                "zone": "Asia/Bangkok",
                "speakers": [speaker],
            }
        }

    source = "{% for s in events.forum.speakers %}{{ s.name }}, {{ s.organization }}{% endfor %}"
    assert office.text(source, events=event(True)) == "Ms Kim, Incheon"
    (said,) = office.blocked(source, events=event(False))
    assert said.startswith(f"{FILE}:2: the consent of speaker kim is to be confirmed")


def test_an_open_fact_blocks_what_prints_it_and_says_whom_to_ask(office: Office) -> None:
    said = office.blocked("At {{ events.forum.starts }}:\n{{ links.live }}")
    assert said == [
        f"{FILE}:2: events.forum.starts is to be confirmed by organizers\n"
        "    → when it is known, write it in campaigns/forum.yaml:1",
        f"{FILE}:3: links.live is to be confirmed\n"
        "    → when it is known, write it in campaigns/forum.yaml:21",
    ]
    assert office.text("A text that prints neither") == "A text that prints neither"


def test_what_a_message_needs_blocks_it_though_its_text_does_not_print_it(office: Office) -> None:
    needs = {"needs": ["links.live", "recap.participants", "facts.theme"]}
    office.write("## en\nHello\n")
    (draft,) = office.compose(campaign({"en": ["web"]}, message=needs))
    assert all(problem.open for problem in draft.blocked)
    assert [(p.where, p.what) for p in draft.blocked] == [
        ("campaigns/forum.yaml:30", "links.live is to be confirmed"),
        ("campaigns/forum.yaml:30", "needs recap.participants, not known yet"),
    ]


def test_links_are_tagged_for_their_channel_and_keep_what_they_had(office: Office) -> None:
    office.write("## en\n{{ links.event }}\n")
    web, x = office.compose(campaign({"en": ["web", "x"]}), WEB, X)
    tags = "utm_source={}&utm_medium=social&utm_campaign=forum&utm_content=teaser"
    assert web.post is not None
    assert x.post is not None
    assert web.post.parts[0].text == f"https://example.org/forum?id=5&{tags.format('web')}#top"
    assert x.post.parts[0].text == f"https://example.org/forum?id=5&{tags.format('x-neaspec')}#top"
    assert web.links == x.links == ()


def test_with_a_public_address_the_text_shows_short_links_and_the_draft_their_targets(
    office: Office,
) -> None:
    office.write("## en\nRegister: {{ links.event }}\n")
    made = campaign({"en": ["web", "x"]})
    web, x = office.compose(made, WEB, X, public_url="https://go.example.org")
    (link,) = web.links
    assert link.target.startswith("https://example.org/forum?id=5&utm_source=web&")
    assert web.post is not None
    assert web.post.parts[0].text == f"Register: https://go.example.org/l/{link.code}"
    assert x.links[0].code != link.code


def test_a_link_that_the_text_does_not_print_is_not_registered(office: Office) -> None:
    office.write("## en\nHello\n")
    (draft,) = office.compose(campaign({"en": ["web"]}), public_url="https://go.example.org")
    assert draft.links == ()


@pytest.mark.parametrize(
    "source", ["{{ links.event }}", "{% for n, url in links.items() %}{{ n }}{% endfor %}"]
)
def test_an_unfit_address_blocks_the_texts_that_print_it(office: Office, source: str) -> None:
    links = {"event": "http://example.org/forum"}
    (said,) = office.blocked(source, links=links)
    assert said.startswith("campaigns/forum.yaml:20: http://example.org/forum is not encrypted")
    assert office.text("none printed", links=links) == "none printed"


SMILE = "\N{SMILING FACE WITH SUNGLASSES}"


@pytest.mark.parametrize(
    ("channel", "at_the_limit", "one_more", "expected"),
    [
        # X: an ideograph or an emoji, whatever its parts, counts two; an address 23.
        (X, "a" * 280, "a" * 281, "281 weighted characters; x takes 280\n    → cut 1"),
        (X, "字" * 60 + "a" * 160, "字" * 60 + "a" * 161, "281 weighted characters; x takes 280"),
        (X, SMILE * 140, SMILE * 140 + "a", "281 weighted characters; x takes 280"),
        (
            X,
            "a" * 256 + " https://example.org/" + "p" * 80,
            "a" * 257 + " https://example.org/" + "p" * 80,
            "281 weighted characters; x takes 280",
        ),
        # Telegram: UTF-16 units, so an emoji counts two.
        (TELEGRAM, "a" * 4096, "a" * 4097, "4,097 UTF-16 units; telegram takes 4,096\n    → cut 1"),
        (TELEGRAM, SMILE * 2048, SMILE * 2048 + "a", "4,097 UTF-16 units; telegram takes 4,096"),
        (WEB, SMILE * 2000, SMILE * 2001, "2,001 characters; web takes 2,000\n    → cut 1"),
    ],
)
def test_a_text_over_a_limit_by_one_is_told_as_the_network_counts(
    office: Office, channel: Any, at_the_limit: str, one_more: str, expected: str
) -> None:
    assert office.blocked(at_the_limit, channel) == []
    (said,) = office.blocked(one_more, channel)
    assert said.startswith(f"{FILE}:2: {expected}")


@pytest.mark.usefixtures("card")
def test_a_caption_is_shorter_and_holds_the_description_where_there_is_no_field_for_it(
    office: Office,
) -> None:
    alt = "\n\n[Picture: A card in teal]"
    room = 1024 - len(alt)
    assert office.text("a" * room, TELEGRAM, message=PICTURE) == "a" * room + alt
    (said,) = office.blocked("a" * (room + 1), TELEGRAM, message=PICTURE)
    assert said == (
        f"{FILE}:2: 1,025 UTF-16 units, 27 of them the picture's description, printed below the "
        "text; telegram takes 1,024 with a picture\n    → cut 1"
    )


def test_a_part_that_is_a_comment_has_a_comments_room(office: Office) -> None:
    page = Channel("linkedin", "linkedin", load("linkedin").limits, "linkedin page 1")
    office.write("## en\n" + "a" * 3000 + "\n---\n" + "b" * 1251 + "\n")
    (draft,) = office.compose(campaign({"en": ["linkedin"]}), page)
    assert [str(problem) for problem in draft.blocked] == [
        f"{FILE}:4: part 2: 1,251 characters as sent; linkedin takes 1,250 in a comment\n"
        "    → cut 1"
    ]


@pytest.mark.usefixtures("card")
def test_pictures_go_with_the_first_part_with_their_alt_text(office: Office) -> None:
    office.write("## en\none\n---\ntwo\n")
    (draft,) = office.compose(campaign({"en": ["x"]}, message=PICTURE), X)
    assert draft.blocked == ()
    assert draft.post is not None
    first, second = draft.post.parts
    assert [(p.file, p.alt) for p in first.pictures] == [("card.png", "A card in teal")]
    assert second.pictures == ()
    assert first.text == "one"


def test_pictures_are_told_with_the_line_that_asks_for_them(office: Office) -> None:
    message = {"media": [{"file": "none.png", "alt": "A card"}, {"file": "no.png", "alt": "tbc"}]}
    said = office.blocked("Hello", short(WEB, pictures=1), message=message)
    assert [line.splitlines()[0] for line in said] == [
        "campaigns/forum.yaml:30: there is no picture none.png",
        "campaigns/forum.yaml:30: there is no picture no.png",
        "campaigns/forum.yaml:30: 2 pictures; web takes 1",
        "campaigns/forum.yaml:30: the alt text of no.png is to be confirmed",  # open ones last
    ]


# The message is due on 18 August 2025 at 10:00 in Seoul, 01:00 UTC.
@pytest.mark.usefixtures("card")
@pytest.mark.parametrize(
    ("at", "expires", "blocked"),
    [
        ("2025-08-18 10:00 Asia/Seoul", "2025-08-17", True),
        ("2025-08-18 10:00 Asia/Seoul", "2025-08-18", True),
        ("2025-08-18 10:00 Asia/Seoul", "2025-08-19", False),
        ("2025-08-18 00:00 Asia/Seoul", "2025-08-18", True),  # still the 17th in UTC
        ("2025-08-17 23:59 Asia/Seoul", "2025-08-18", False),
    ],
)
def test_a_picture_is_not_used_from_the_day_on_which_its_licence_ends(
    office: Office, at: str, expires: str, blocked: bool
) -> None:
    media = [{"file": "card.png", "alt": "A card in teal", "expires": expires}]
    said = office.blocked("Hello", message={"at": at, "media": media})
    told = (
        f"campaigns/forum.yaml:30: card.png may not be used from {expires} on, and the post is "
        f"due {at}\n"
        "    → take another picture; or renew its licence or consent, and write the new day"
    )
    assert said == ([told] if blocked else [])


@pytest.mark.usefixtures("card")
def test_a_post_is_never_sent_late_with_a_picture_that_may_no_longer_be_used(
    office: Office,
) -> None:
    media = [
        {"file": "card.png", "alt": "A card in teal", "expires": "2025-08-20"},
        {"file": "card.png", "alt": "A card in teal", "expires": "2025-08-19"},
    ]
    office.write("## en\nHello\n")
    (draft,) = office.compose(campaign({"en": ["web"]}, message={"media": media}))
    assert draft.not_after == datetime(2025, 8, 18, 15, tzinfo=UTC)  # midnight in Seoul
    (draft,) = office.compose(campaign({"en": ["web"]}))
    assert draft.not_after == datetime(2025, 8, 25, 2, tzinfo=UTC)  # its own stop


@pytest.mark.usefixtures("card")
def test_an_end_that_is_to_be_confirmed_is_open_and_a_series_is_told_once(office: Office) -> None:
    open_ = {"file": "card.png", "alt": "A card in teal", "expires": {"tbc": "the photographer"}}
    (waits,) = office.blocked("Hello", message={"media": [open_]})
    assert waits.splitlines() == [
        "campaigns/forum.yaml:30: until when card.png may be used is to be confirmed by the "
        "photographer",
        "    → write the day from which it may not after `expires:`",
    ]
    every = {"days": ["mon"], "time": "10:00 Asia/Seoul", "from": "forum - 30 days"}
    message = {"at": None, "every": {**every, "until": "forum - 7 days"}}
    ends = {"file": "card.png", "alt": "A card in teal", "expires": "2025-08-11"}
    office.write("## en 1\none\n## en 2\ntwo\n")
    made = campaign({"en": ["web"]}, message={**message, "media": [ends]})
    drafts = office.compose(made)
    assert [bool(draft.blocked) for draft in drafts] == [False, False, True, True]
    [told] = {problem.what for draft in drafts for problem in draft.blocked}
    assert told == (
        "card.png may not be used from 2025-08-11 on, and the post is due then or later"
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("one\n---\ntwo\n---\nthree", f"{FILE}:6: 3 parts; web takes 2\n    → take out 1"),
        ("one\n---\n" + "a" * 2001, f"{FILE}:4: part 2: 2,001 characters; web takes 2,000"),
        ("one\n---\n", f"{FILE}:4: part 2: the text is empty"),
        ("{% if false %}no{% endif %}", f"{FILE}:2: the text is empty"),
        ("a{{ '\\x07' }}", f"{FILE}:2: an invisible control character, U+0007"),
        ("a\x85b", f"{FILE}:2: an invisible control character, U+0085"),
        ("a\n\nb\n\n\nc\x07d\n", f"{FILE}:7: an invisible control character, U+0007"),
        ("a\x07b\n---\nb\nc", f"{FILE}:2: part 1: an invisible control character, U+0007"),
        ("a\n---\nb\nc\x07", f"{FILE}:5: part 2: an invisible control character, U+0007"),
        (
            "a\n{{ facts.them }}",
            f"{FILE}:3: facts.them is not known\n    → did you mean facts.theme?",
        ),
        ("{% for a in %}", f"{FILE}:2: the template cannot be read: "),
        ("{{ ''.__class__ }}", f"{FILE}:2: the text may not use this"),
    ],
)
def test_what_keeps_a_text_from_going_out_is_told_with_file_and_line(
    office: Office, source: str, expected: str
) -> None:
    (said,) = office.blocked(source, short(WEB, parts=2))
    assert said.startswith(expected)


def test_mistakes_come_before_open_facts_and_block_only_what_they_touch(office: Office) -> None:
    office.write("## en\n{{ links.live }}\n{{ facts.them }}\n## en @x\nfine\n")
    web, x = office.compose(campaign({"en": ["web", "x"]}), WEB, X)
    assert [(p.open, p.what) for p in web.blocked] == [
        (False, "facts.them is not known"),
        (True, "links.live is to be confirmed"),
    ]
    assert x.blocked == ()


@pytest.mark.parametrize(
    ("to", "values", "expected"),
    [
        (
            {"en": ["wep"]},
            {},
            "campaigns/forum.yaml:25: the audience main names the channel wep, and there is none\n"
            "    → did you mean web?",
        ),
        (
            {"zh": ["web"]},
            {},
            "campaigns/forum.yaml:1: web is not for zh; its languages are en\n"
            "    → add the language in config/channels.toml, or take the channel out here",
        ),
        (
            {"en": ["web"]},
            {"message": {"to": "mian"}},
            "campaigns/forum.yaml:30: there is no audience mian\n    → did you mean main?",
        ),
        (
            {"en": ["web"]},
            {"message": {"at": "2025-03-30 02:30 Europe/Paris"}},
            "campaigns/forum.yaml:30: ",  # an hour that the clocks skip
        ),
        (
            {"en": ["web"]},
            {"message": {"template": "../../secret.md"}},
            "campaigns/forum.yaml:30: leaves the folder of texts",
        ),
        (
            {"en": ["web"]},
            {"message": {"template": "posts/none.md"}},
            "templates/posts/none.md: there is no such file\n    → create templates/posts/none.md",
        ),
    ],
)
def test_a_message_that_cannot_be_made_is_a_draft_that_says_why(
    office: Office, to: dict[str, list[str]], values: dict[str, Any], expected: str
) -> None:
    (office.root / "secret.md").write_text("## en\nsecret\n")
    office.write("## en\nHello\n## zh\n你好\n")
    (draft,) = office.compose(campaign(to, **values))
    assert len([problem for problem in draft.blocked if problem.mistake]) == 1
    assert str(draft.blocked[0]).startswith(expected)
    assert not draft.blocked[0].open


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("telegran", "did you mean telegram?"),
        ("twiter", "did you mean x?"),  # its old name is what people still call it
        (
            "myspace",
            "known are: bluesky, email, facebook, feed, linkedin, manual, mastodon, memory, "
            "request, telegram, web, x",
        ),
    ],
)
def test_a_text_for_a_channel_that_does_not_exist_is_told(
    office: Office, target: str, hint: str
) -> None:
    office.write(f"## en\nHello\n## en @{target}\nHi\n")
    (draft,) = office.compose(campaign({"en": ["web"]}))
    assert words(draft.blocked) == [
        f"{FILE}:3: there is no channel or platform called {target}\n    → {hint}"
    ]


def test_an_address_where_nobody_could_follow_it_is_advised_against_and_not_refused(
    office: Office,
) -> None:
    kakao = short(WEB, links=False, link_goes="add the link as a button")
    office.write("## en\nCome: {{ links.event }}\n")
    (draft,) = office.compose(campaign({"en": ["web"]}), kakao)
    assert draft.blocked == ()
    assert words(draft.advice) == [
        f"{FILE}:2: readers of web cannot follow an address in the text\n"
        "    → add the link as a button; a variant `@web` can leave it out"
    ]
    office.write("## en\nCome.\n")
    (draft,) = office.compose(campaign({"en": ["web"]}), kakao)
    assert draft.advice == ()


def test_a_translation_not_written_yet_is_open_and_a_missing_source_text_a_mistake(
    office: Office,
) -> None:
    office.write("## en @x\nHi\n")
    made = campaign({"en": ["web"], "ko": ["web"]})
    en, ko = office.compose(made, replace(WEB, languages=("en", "ko")))
    assert en.blocked == (Problem(FILE, "there is no text in en for web", "add a section `## en`"),)
    assert ko.blocked == (
        Problem(FILE, "there is no text in ko for web", "add a section `## ko`", open=True),
    )


def test_an_idea_needs_no_text_and_has_no_slot(office: Office) -> None:
    (draft,) = office.compose(campaign({"en": ["web"]}, message={"at": None}))
    assert draft.slot is None
    assert [problem.open for problem in draft.blocked] == [True]
    assert office.compose(campaign({"en": ["web"]}, message={"at": None}, defaults={})) == []


@pytest.mark.usefixtures("card")
def test_the_same_files_make_the_same_posts_and_any_change_another_fingerprint(
    office: Office,
) -> None:
    made = campaign({"en": ["web", "x"]}, message=PICTURE)
    url = "https://go.example.org"
    office.write("## en\n{{ facts.theme }} {{ links.event }}\n")
    before = office.compose(made, WEB, X, public_url=url)
    assert office.compose(made, WEB, X, public_url=url) == before

    office.write("A comment\n\n## en (reviewer: open)\n\n{{ facts.theme }} {{ links.event }}  \n")
    assert [d.post for d in office.compose(made, WEB, X, public_url=url)] == [
        d.post for d in before
    ]

    prints = {d.post.fingerprint for d in before if d.post}
    Image.new("RGB", (60, 40), "red").save(office.root / "media/card.png")
    redder = {d.post.fingerprint for d in office.compose(made, WEB, X, public_url=url) if d.post}
    assert len(prints | redder) == 4


def test_progress_is_told_message_by_message(office: Office) -> None:
    office.write("## en\nHello\n")
    told: list[tuple[int, int]] = []
    office.compose(campaign({"en": ["web", "x"]}), WEB, X, progress=lambda *at: told.append(at))
    assert told == [(1, 1), (1, 1)]


def test_no_campaigns_make_no_drafts(office: Office) -> None:
    folder = office.root
    assert compose([], {}, templates=folder, media=folder, root=folder) == []


def test_the_package_is_light_until_it_is_used() -> None:
    heavy = "{'jinja2', 'babel', 'PIL', 'pydantic'} & set(sys.modules)"
    program = f"import sys, outreach.compose; sys.exit(str({heavy}) if {heavy} else 0)"
    subprocess.run([sys.executable, "-c", program], check=True)
