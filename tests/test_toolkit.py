"""Kits for partners: only what is cleared, their own addresses, versions and recalls (US-11)."""

import csv
import io
import re
from datetime import UTC, datetime
from zipfile import ZipFile

import pytest
from PIL import Image

from outreach.compose.languages import wrong_language
from outreach.errors import NotAllowed, NotFound, WrongFiles
from outreach.store.tables import partner_of
from outreach.toolkit import MOST_BYTES
from outreach.toolkit.write import files, zipped
from outreach.toolkit.write import words as said
from tests.conftest import OUTREACH_TOML, REPOSITORY, apply, clear_all

FOCAL = ["china", "dprk", "japan", "mongolia", "rok", "russia"]
PARTNERS = """
[incheon]
names = {en = "Incheon Metropolitan City", ko = "인천광역시"}
utm-source = "incheon"
contact = "press@incheon.example"
languages = ["en", "ko"]

[iclei]
names = {en = "ICLEI"}
utm-source = "iclei"
languages = ["en"]

[citynet]
names = {en = "CityNet"}
utm-source = "citynet"
languages = ["en"]

[igdp]
names = {en = "iGDP"}
utm-source = "igdp"
languages = ["en"]

[un-habitat]
names = {en = "UN-Habitat"}
""" + "".join(
    f'\n[{one}]\nnames = {{en = "Focal point, {one}"}}\nutm-source = "{one}"\nlanguages = ["en"]\n'
    for one in FOCAL
)

CAMPAIGN = """
campaign: forum-2025
programme: lcc
title: Fifth International Forum on Low Carbon Cities
written-by: ana
languages: {source: en, also: [ko]}
links: {event: "https://example.org/forum?lang=en#agenda", register: "https://example.org/f"}
audiences: {all: {en: [net, web], ko: [web]}}
defaults: {to: all, embargo: "2025-08-11 09:00 Asia/Seoul"}
messages:
  save-the-date:
    at: 2025-08-11 10:00 Asia/Seoul
    media: [{file: card.png, alt: {en: A card in teal, ko: 청록색 카드}, credit: NEASPEC}]
  speaker: {at: 2025-08-18 10:00 Asia/Seoul}
  reminder: {at: 2025-08-22 10:00 Asia/Seoul, not-after: 2025-08-25 09:00 Asia/Bangkok}
"""
TEXTS = {
    "save_the_date": "## en\nSave the date. {{ links.event }}, then {{ links.register }}\n"
    "## ko (from SOURCE; translator: open; reviewer: bo)\n8월 25일입니다. {{ links.event }}에서\n",
    "speaker": "## en\nMs. Enkhtuya B. speaks on ageing cities. {{ links.event }}\n",
    "reminder": "## en\nThe Forum starts on Monday.\n",
}
CHANNELS = """
[web]
platform = "feed"
languages = ["en", "ko"]
title = "Website"
utm-source = "site"

[net]
platform = "memory"
title = "X"
"""
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


def write(office, **changed: str) -> None:
    from outreach.compose.texts import parse_texts

    texts = {**TEXTS, **changed}
    source = parse_texts(texts["save_the_date"], "t").closest("en", "", "").hash
    texts["save_the_date"] = texts["save_the_date"].replace("SOURCE", source)
    office.campaign(CAMPAIGN, **texts)


@pytest.fixture
def office(office):
    told = (office.home / "config/outreach.toml").read_text()
    database = re.search(r"\[desk\].*", told, re.DOTALL)
    web = '\n[web]\npublic-url = "https://post.example.org"\n[report]\nzone = "Asia/Bangkok"\n'
    office.write(
        "config/outreach.toml",
        OUTREACH_TOML.replace('"Asia/Bangkok"\nalso', '"Asia/Seoul"\nalso').replace(
            'also-zone = "Asia/Seoul"', 'also-zone = "Asia/Bangkok"'
        )
        + web
        + (database[0] if database else ""),
    )
    office.write("config/channels.toml", CHANNELS)
    office.write("config/partners.toml", PARTNERS)
    card = io.BytesIO()
    Image.new("RGB", (1200, 800), "teal").save(card, "PNG")
    office.write("media/card.png", card.getvalue())
    write(office)
    office.clock.to("2025-08-04T01:00Z")  # T-21
    return office


@pytest.fixture
def desk(desk):
    apply(desk)
    clear_all(desk)
    return desk


def kits(desk, **chosen):
    return {
        f"{k.partner} {k.language}": k for k in desk.kits.give("forum-2025", by=ana(desk), **chosen)
    }


def ana(desk):
    return desk.person("ana")


def iclei(desk):
    return kits(desk, partners=["iclei"])["iclei en"]


def words(made: dict[str, bytes]) -> str:
    return "".join(data.decode() for path, data in made.items() if not path.endswith("png"))


class TestWhatIsInAKit:
    def test_each_partner_with_a_utm_source_gets_one_in_each_of_its_languages(self, desk):
        made = kits(desk)
        wanted = ["incheon en", "incheon ko", "iclei en", "citynet en", "igdp en"]
        assert list(made) == [*wanted, *(f"{one} en" for one in FOCAL)]
        assert {kit.version for kit in made.values()} == {1}

    def test_it_holds_each_cleared_text_for_each_network_with_pictures_and_alt_texts(self, desk):
        made = files(iclei(desk))
        assert [path for path in made if path.startswith("texts/")] == [
            "texts/not-before-2025-08-11-1000-Seoul_save-the-date_net.txt",
            "texts/not-before-2025-08-11-1000-Seoul_save-the-date_web.txt",
            "texts/not-before-2025-08-18-1000-Seoul_speaker_net.txt",
            "texts/not-before-2025-08-18-1000-Seoul_speaker_web.txt",
            "texts/not-before-2025-08-22-1000-Seoul_reminder_net.txt",
            "texts/not-before-2025-08-22-1000-Seoul_reminder_web.txt",
        ]
        picture = "pictures/net/not-before-2025-08-11-1000-Seoul_save-the-date_net-1.png"
        assert Image.open(io.BytesIO(made[picture])).size == (1200, 800)
        text = made["texts/not-before-2025-08-11-1000-Seoul_save-the-date_net.txt"].decode()
        assert f"Picture: {picture}\nIts alt text: A card in teal\nCredit: NEASPEC" in text

    def test_nothing_that_is_not_cleared_is_in_it(self, office, desk):
        write(office, speaker="## en\nMs. Enkhtuya B. speaks twice. {{ links.event }}\n")
        assert "Enkhtuya" not in words(files(iclei(desk)))  # changed, and not applied
        apply(desk)
        kit = iclei(desk)  # applied, and not cleared
        assert ("forum-2025/speaker/en@net", "it waits for clearance") in kit.left_out
        text = (files(kit)["posts.csv"]).decode()
        assert "speaks" not in text and "Save the date." in text
        desk.hold("message:forum-2025/reminder", "a strike", by=ana(desk))
        assert "starts on Monday" not in words({"a": files(iclei(desk))["posts.csv"]})

    def test_the_embargo_stands_on_every_file(self, desk):
        kit = iclei(desk)
        said = "nothing before 11 August 2025, 09:00 (Seoul time; 00:00 UTC)"
        for path, data in files(kit).items():
            if path.endswith(".png"):
                assert "not-before-2025-08-11" in path
            elif path.endswith(".csv"):
                rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
                assert len(rows) == 6
                assert {row["embargo until"] for row in rows} == {
                    said.removeprefix("nothing before ")
                }
            else:
                assert f"EMBARGO: {said}." in data.decode(), path

    def test_a_text_that_tells_of_tomorrow_waits_for_the_offices_own_time_and_ends(self, desk):
        [told] = [d for p, d in files(iclei(desk)).items() if "reminder_net" in p]
        assert "Do not publish before 22 August 2025, 10:00 (Seoul time" in told.decode()
        assert "Do not publish after 25 August 2025, 11:00 (Seoul time" in told.decode()

    def test_a_kit_in_korean_has_its_own_texts_and_its_own_alt_texts(self, desk):
        kit = kits(desk, partners=["incheon"], languages=["ko"])["incheon ko"]
        assert kit.name == "인천광역시"
        page = files(kit)["README.html"].decode()
        assert "8월 25일입니다." in page and "청록색 카드" in page
        assert "press@incheon.example" in page
        # So is all that the page itself says, labelled as the house does.
        assert '<html lang="ko">' in page and "(비공식 번역)" in page
        assert "엠바고: 2025년 8월 11일 09:00 (서울; 00:00 UTC) 이전에는" in page
        for english in ("Publish each", "EMBARGO", "Version", "Alt text", "pixels", "Do not"):
            assert english not in page

    @pytest.mark.parametrize("language", ["zh", "ko", "ru", "ja", "mn"])
    def test_the_page_has_every_word_in_each_language(self, language):
        theirs, english = said()[language], said()["en"]
        assert theirs.keys() == english.keys()
        for name, text in theirs.items():
            assert set(re.findall("{[a-z]+}", text)) == set(re.findall("{[a-z]+}", english[name]))
        assert not wrong_language("\n".join(theirs.values()), language, ["en"])

    def test_every_address_is_the_partners_own_and_none_of_ours_is_left(self, desk):
        text = words(files(iclei(desk)))
        codes = set(re.findall(r"https://post\.example\.org/l/([a-z2-7]{8})", text))
        for code in codes:
            target = desk.public.follow(code, method="GET", headers=PERSON)
            assert "utm_source=iclei" in target and "utm_medium=partner" in target
        assert len(codes) == 6  # two messages on two networks, one of them with two addresses

    def test_without_a_public_address_the_utm_parameters_are_in_the_text(self, office, desk):
        told = (office.home / "config/outreach.toml").read_text()
        office.write("config/outreach.toml", told.replace('"https://post.example.org"', '""'))
        plain = office.open()
        apply(plain)
        clear_all(plain)
        csv_ = files(iclei(plain))["posts.csv"].decode()
        assert "https://example.org/forum?lang=en&utm_source=iclei&utm_medium=partner&" in csv_
        assert "#agenda" in csv_
        assert "utm_source=net" not in csv_ and "utm_source=site" not in csv_

    def test_a_sheet_takes_no_text_for_a_formula(self, office, desk):
        write(office, reminder="## en\n=1+1 is two\n")
        apply(desk)
        clear_all(desk)
        rows = list(csv.reader(io.StringIO(files(iclei(desk))["posts.csv"].decode("utf-8-sig"))))
        assert " =1+1 is two" in rows[-1]

    def test_the_page_shows_a_text_as_text(self, office, desk):
        write(office, reminder="## en\n<script>alert(1)</script> & more\n")
        apply(desk)
        clear_all(desk)
        page = files(iclei(desk))["README.html"].decode()
        assert "<script>" not in page and "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page


class TestVersions:
    def test_the_same_content_is_the_same_version_and_the_same_bytes(self, office, desk):
        first = iclei(desk)
        office.clock.forward(days=1)
        again = office.open()
        second = iclei(again)
        assert second == first
        assert zipped(second, files(second)) == zipped(first, files(first))

    def test_a_zip_opens_and_is_below_what_mail_takes(self, desk):
        kit = iclei(desk)
        made = files(kit)
        data = zipped(kit, made)
        assert len(data) < MOST_BYTES
        with ZipFile(io.BytesIO(data)) as package:
            assert package.testzip() is None
            assert {f"forum-2025-iclei-en-v1/{path}" for path in made} == set(package.namelist())

    def test_a_speaker_who_withdraws_makes_version_2_with_a_recall_list(self, desk):
        assert iclei(desk).recalls == ()
        desk.hold("message:forum-2025/speaker", "Ms. Enkhtuya B. has withdrawn", by=ana(desk))
        kit = iclei(desk)
        made = files(kit)

        assert kit.version == 2
        assert [(one.message, one.network, one.versions, one.gone) for one in kit.recalls] == [
            ("speaker", "X", (1,), True),
            ("speaker", "Website", (1,), True),
        ]
        told = made["RECALL.txt"].decode()
        assert "* speaker, for X (v1): withdrawn, do not use" in told
        assert "It begins: Ms. Enkhtuya B. speaks on ageing cities." in told
        assert "EMBARGO" in told
        assert "withdrawn: do not use" in made["README.html"].decode()
        assert "Enkhtuya" not in made["posts.csv"].decode()
        assert not [path for path in made if "speaker" in path]

    def test_a_changed_text_is_recalled_from_every_version_that_had_it(self, office, desk):
        iclei(desk)
        write(office, reminder="## en\nThe Forum starts at 13:30 on Monday.\n")
        apply(desk)
        held_back = iclei(desk)
        assert held_back.version == 2 and all(one.gone for one in held_back.recalls)
        clear_all(desk)
        kit = iclei(desk)
        assert kit.version == 3
        assert [(one.message, one.versions, one.gone) for one in kit.recalls] == [
            ("reminder", (1,), False),
            ("reminder", (1,), False),
        ]
        assert kit.added == ("forum-2025/reminder/en@net", "forum-2025/reminder/en@web")
        assert "changed, use the one of v3" in files(kit)["RECALL.txt"].decode()

    def test_a_text_that_comes_back_as_it_was_is_recalled_no_more(self, desk):
        first = iclei(desk)
        desk.hold("message:forum-2025/speaker", "waiting for word", by=ana(desk))
        assert iclei(desk).recalls
        desk.release("message:forum-2025/speaker", by=ana(desk))
        third = iclei(desk)
        assert third.version == 3 and third.recalls == ()
        assert third.entries == first.entries

    def test_when_everything_is_withdrawn_a_kit_says_only_that(self, desk):
        iclei(desk)
        desk.hold("campaign:forum-2025", "postponed", by=ana(desk))
        kit = iclei(desk)
        assert kit.entries == () and len(kit.recalls) == 6
        assert (
            "No text of this campaign may be used at present." in files(kit)["README.html"].decode()
        )

    def test_what_was_given_stands_in_the_trail(self, desk):
        iclei(desk)
        assert "toolkit forum-2025-iclei-en-v1 made" in [
            what.strip() for _, _, what, _ in desk.trail()
        ]


class TestClicks:
    def test_partner_driven_clicks_are_told_apart_from_the_channels(self, office, desk):
        for kit, times in ((iclei(desk), 3), (kits(desk, partners=["igdp"])["igdp en"], 1)):
            text = files(kit)["posts.csv"].decode()
            for code in re.findall(r"/l/([a-z2-7]{8})", text)[:1] * times:
                desk.public.follow(code, method="GET", headers=PERSON)
        office.clock.to("2025-09-03T00:00Z")
        report = desk.reports.make("2025-08", by=ana(desk))

        rows = {
            row.head: [cell.text for cell in row.cells] for row in report.table("partners").rows
        }
        assert rows == {"ICLEI": ["short links", "3"], "iGDP": ["short links", "1"]}
        assert "Partner-driven clicks: 4 (ICLEI 3 and iGDP 1)." in " ".join(
            report.words("publication")
        )
        clicks = [row.cells[3].text for row in report.table("channels").rows]
        assert "4" not in clicks and "3" not in clicks

    def test_a_website_s_count_by_utm_source_is_imported_for_a_partner(self, office, desk):
        office.clock.to("2025-09-03T00:00Z")
        typed = b"channel,month,clicks\npartner:iclei,2025-08,17\npartner:nobody,2025-08,1\n"
        assert "there is no channel 'partner:nobody'" in str(
            desk.figures.read(typed, file="a.csv").problems[0]
        )
        desk.figures.keep(typed.rsplit(b"partner:n", 1)[0], file="a.csv", by=ana(desk))
        [row] = desk.reports.make("2025-08", by=ana(desk)).table("partners").rows
        assert (row.head, [cell.text for cell in row.cells]) == (
            "ICLEI",
            ["utm_source, imported", "17"],
        )

    def test_a_month_without_kits_says_nothing_of_partners(self, office, desk):
        report = desk.reports.make("2025-07", by=ana(desk))
        assert report.table("partners") is None
        assert "Partner" not in " ".join(report.words("publication"))

    def test_only_the_keys_of_kits_are_a_partners(self):
        assert partner_of("toolkit:iclei/forum-2025/recap/en@net") == "iclei"
        assert partner_of("forum-2025/recap/en@net") == ""


class TestWhatIsDeclined:
    @pytest.mark.parametrize(
        ("chosen", "kind", "said", "todo"),
        [
            ({"partners": ["iclie"]}, NotFound, "no partner 'iclie'", "did you mean iclei?"),
            (
                {"partners": ["un-habitat"]},
                NotAllowed,
                "has no utm-source",
                'utm-source = "un-habi',
            ),
            ({"languages": ["fr"]}, NotFound, "has no texts in 'fr'", "en, ko"),
        ],
    )
    def test_it_says_what_to_do(self, desk, chosen, kind, said, todo):
        with pytest.raises(kind, match=said) as error:
            kits(desk, **chosen)
        assert todo in error.value.hint

    def test_a_campaign_that_is_not_there(self, desk):
        with pytest.raises(NotFound, match="no campaign 'forum-2026'") as error:
            desk.kits.give("forum-2026", by=ana(desk))
        assert "forum-2025" in error.value.hint

    def test_nothing_cleared_and_nothing_given_before(self, office):
        desk = office.open()
        with pytest.raises(NotAllowed, match="nothing of forum-2025 is cleared yet"):
            desk.kits.give("forum-2025", by=desk.person("ana"))

    def test_a_guest_gives_nothing_away(self, desk):
        with pytest.raises(NotAllowed):
            desk.kits.give("forum-2025", by=desk.person("cy"))

    def test_mistakes_in_the_partners_are_told_with_their_line(self, office, desk):
        office.write("config/partners.toml", '[a]\nnames = {en = "A"}\nutm-source = "a b"\n')
        with pytest.raises(WrongFiles, match=r"partners\.toml:1: a has the utm-source 'a b'"):
            desk.kits.give("forum-2025", by=ana(desk))


def test_a_video_is_in_the_kit_with_its_captions(office):
    office.write("config/channels.toml", CHANNELS.replace('"memory"', '"memory"\nas = "bluesky"'))
    talk = (REPOSITORY / "tests/media/talk.mp4").read_bytes()
    office.write("media/talk.mp4", talk)
    said = "WEBVTT\n\n00:00.500 --> 00:02.000\nClean air is shared.\n"
    office.write("media/talk.en.vtt", said)
    video = "{file: talk.mp4, alt: {en: A speaker, ko: 연사}, captions: talk.en.vtt, only: [net]}"
    campaign = re.sub(r"media: \[.*\]", f"media: [{video}]", CAMPAIGN)
    office.campaign(campaign, **{**TEXTS, "save_the_date": "## en\nSave the date.\n"})
    desk = office.open()
    apply(desk)
    clear_all(desk)
    made = files(kits(desk)["iclei en"])
    (path,) = [one for one in made if one.endswith(".mp4")]
    assert made[path] == talk
    assert made[f"{path.removesuffix('.mp4')}.en.vtt"].decode() == said
    read = words({name: data for name, data in made.items() if name.endswith((".txt", ".html"))})
    assert f"Video: {path}\nWhat one sees: A speaker\nIts captions: pictures/net/" in read
    assert f'<video controls preload="metadata" src="{path}" aria-label="A speaker">' in read


def test_times_say_the_zone_and_utc():
    from outreach.toolkit.write import moment

    at = datetime(2025, 8, 10, 18, 30, tzinfo=UTC)
    assert moment(at, "Asia/Seoul") == "11 August 2025, 03:30 (Seoul time; 10 August, 18:30 UTC)"
    assert moment(at, "UTC") == "10 August 2025, 18:30 UTC"


def test_a_text_that_another_office_is_asked_for_has_the_time_of_its_publication(office):
    """Its package goes days before, and a partner who took that for the time would be too early."""
    escap = '\n[escap]\nplatform = "request"\nname = "ESCAP"\nto = "press@escap.example"\n'
    office.write("config/channels.toml", CHANNELS + escap)
    campaign = office.home / "campaigns" / "forum-2025.yaml"
    campaign.write_text(campaign.read_text().replace("{en: [net, web]", "{en: [net, web, escap]"))
    desk = office.open()
    apply(desk)
    clear_all(desk)
    [speaker] = [one for one in iclei(desk).entries if one.key.endswith("/speaker/en@escap")]
    assert speaker.at == datetime(2025, 8, 18, 1, tzinfo=UTC)
