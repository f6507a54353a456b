"""Whose visit is a click: what previews, bots and people's browsers really send."""

from pathlib import Path

import pytest

from outreach.errors import WrongFiles
from outreach.measure.clicks import HEADERS, Bots, is_person, load_bots

KEPT = load_bots(Path(__file__).parents[2] / "config" / "bots.txt")

MACHINES = """
TelegramBot (like TwitterBot)
Twitterbot/1.0
LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)
facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)
facebookexternalhit/1.1;line-poker/1.0
facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0
meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)
WhatsApp/2.23.20.0 A
Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)
Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)
Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)
http.rb/5.1.1 (Mastodon/4.2.0; +https://mastodon.social/) Bot
Mastodon/4.3.1 (http.rb/5.2.0; +https://social.example/)
Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)
Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com
Mozilla/4.0 (compatible; ms-office; MSOffice 16)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; MicrosoftPreview/2.0; +https://aka.ms/MicrosoftPreview) Chrome/138.0.0.0 Safari/537.36
Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)
Chrome Privacy Preserving Prefetch Proxy
Slackbot 1.0 (+https://api.slack.com/robots)
Slack-ImgProxy (+https://api.slack.com/robots)
Twitterbot
line-poker/1.0
Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36 (compatible; LineSpider/1.0)
redditbot/1.0
Pleroma 2.6.2; https://social.example <a@example.org>; Bot
Misskey/2024.5.0 (https://social.example)
SummalyBot/5.1.0
Mozilla/5.0 (compatible; YandexRenderResourcesBot/1.0; +http://yandex.com/bots)
Mozilla/5.0 (compatible; 360Spider; +http://www.so.com/help/help_3_2.html)
Mozilla/5.0 (compatible; Bytespider; spider-feedback@bytedance.com)
Mozilla/5.0 (compatible; Daumoa/4.0)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/138.0.0.0 Safari/537.36
Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)
Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)
Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)
Mozilla/5.0 (compatible; Yeti/1.1; +https://naver.me/spd)
Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)
curl/8.5.0
Wget/1.21.4
python-requests/2.32.3
Python-urllib/3.11
Go-http-client/2.0
okhttp/4.12.0
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/138.0.0.0 Safari/537.36
""".strip().splitlines()  # noqa: E501  # names as they are sent

PEOPLE = """
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0
Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15
Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1
Mozilla/5.0 (Linux; Android 14; SM-S921N) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 YaBrowser/25.6.0.0 Safari/537.36
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 KAKAOTALK/11.2.0 (INAPP)
Mozilla/5.0 (Linux; Android 14; SM-S921N Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36;KAKAOTALK 2410620
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari Line/14.9.0
Mozilla/5.0 (Linux; Android 13; Pixel 7 Build/TQ3A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 Line/14.9.1/IAB
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x1800322f) NetType/WIFI Language/zh_CN
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/470.0.0.38.109;FBBV/613249553;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.5;FBSS/3;FBID/phone;FBLC/en_US;FBOP/5]
Mozilla/5.0 (Linux; Android 14; SM-S921N Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/470.0.0.40.83;]
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 341.0.0.36.98 (iPhone14,5; iOS 17_5; en_US; en; scale=3.00; 1170x2532; 621679543)
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1 Twitter for iPhone/10.51
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [LinkedInApp]/9.30.1
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1 [Pinterest/iOS]
Mozilla/5.0 (Linux; Android 13; SM-A536N) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36 NAVER(inapp; search; 2000; 12.9.3)
Mozilla/5.0 (Linux; Android 12; Redmi Note 11; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/97.0.4692.98 Mobile Safari/537.36 T7/13.33 SP-engine/2.71.0 baiduboxapp/13.33.0.10 (Baidu; P1 12)
Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20 Build/RP1A.200720.011) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1 Telegram-iOS/11.2
Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/129.0.0.0 Mobile Safari/537.36 Telegram-Android/11.4.2 (Samsung SM-S921N; Android 14; SDK 34; HIGH)
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36 MicroMessenger/7.0.20.1781(0x6700143B) NetType/WIFI MiniProgramEnv/Windows WindowsWechat
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Teams/24193.1805.3040.8975 Chrome/126.0.0.0 Safari/537.36
Mozilla/5.0 (Linux; Android 13; M2101K6G; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36 com.vk.vkclient/1094
Mozilla/5.0 (Linux; Android 13; SM-A536N; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 BAND/15.1.0 (Android 13; SM-A536N)
Mozilla/5.0 (Linux; Android 12; V2156A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/107.0.0.0 Mobile Safari/537.36 Weibo (vivo-V2156A__weibo__14.7.3__android__android12)
Something that nobody has heard of
""".strip().splitlines()  # noqa: E501  # names as they are sent


@pytest.mark.parametrize("agent", MACHINES)
def test_previews_search_engines_and_programs_are_no_readers(agent):
    assert not is_person("GET", {"User-Agent": agent}, KEPT)


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_count_in_browsers_and_inside_apps(agent):
    assert is_person("GET", {"User-Agent": agent}, KEPT)


@pytest.mark.parametrize(
    ("headers", "person"),
    [
        ({"Sec-Purpose": "prefetch"}, False),
        ({"Sec-Purpose": "prefetch;prerender"}, False),
        ({"Sec-Purpose": "prefetch;anonymous-client-ip"}, False),
        ({"Purpose": "prefetch"}, False),
        ({"X-Purpose": "preview"}, False),
        ({"X-Moz": "prefetch"}, False),
        ({"x-moz": " Prefetch "}, False),
        ({"Sec-Fetch-Mode": "no-cors"}, False),
        ({"Sec-Fetch-Mode": "cors"}, False),
        ({"Sec-Fetch-Mode": "navigate"}, True),
        ({"Purpose": "reading"}, True),
        ({"Sec-Purpose": ""}, True),
    ],
)
def test_what_a_browser_fetches_ahead_or_by_itself_is_no_visit(headers, person):
    assert is_person("GET", {"User-Agent": PEOPLE[0], **headers}, KEPT) is person


@pytest.mark.parametrize("method", ["HEAD", "head", "POST", "OPTIONS", ""])
def test_only_a_get_reads(method):
    assert not is_person(method, {"User-Agent": PEOPLE[0]}, KEPT)


@pytest.mark.parametrize("headers", [{}, {"User-Agent": ""}, {"User-Agent": "  "}])
def test_who_gives_no_name_is_no_reader(headers):
    assert not is_person("GET", headers, KEPT)


def test_a_person_counts_whatever_a_door_leaves_out_of_the_headers():
    everything = {"User-Agent": PEOPLE[0], "Cookie": "a=b", "Referer": "https://t.co/x"}
    handed = {name: value for name, value in everything.items() if name.lower() in HEADERS}
    assert list(handed) == ["User-Agent"]
    assert is_person("GET", handed, KEPT) is is_person("GET", everything, KEPT) is True


def test_an_empty_list_knows_nobody():
    assert not Bots(()).know("Twitterbot/1.0")


def test_names_are_parts_of_agents_in_any_case_with_comments(tmp_path):
    path = tmp_path / "bots.txt"
    path.write_text("\ufeff# ours\n\nTwitterBot   # X\n+http://\n", encoding="utf-8")
    bots = load_bots(path)
    assert bots.names == ("twitterbot", "+http://")
    assert bots.know("TWITTERBOT/1.0")
    assert bots.know("x (+HTTP://a.org)")
    assert not bots.know("http://a.org # ours")  # a name is a name, not a pattern


def test_every_mistake_of_the_list_is_told_at_once_with_its_line(tmp_path):
    path = tmp_path / "bots.txt"
    path.write_text("Twitterbot\nbot\nMozilla\ntwitterBOT\nMicroMessenger\nCUBOT\n")
    with pytest.raises(WrongFiles) as wrong:
        load_bots(path)
    assert [str(problem).replace(str(path), "bots.txt") for problem in wrong.value.problems] == [
        "bots.txt:2: 'bot' is too short\n    → write at least four characters of the name",
        "bots.txt:3: 'Mozilla' would stop counting people who use Safari on an iPhone\n"
        "    → write more of the bot's name",
        "bots.txt:4: 'twitterBOT' is in line 1 already\n    → delete one of them",
        "bots.txt:5: 'MicroMessenger' would stop counting people who use WeChat's browser\n"
        "    → write more of the bot's name",
        "bots.txt:6: 'CUBOT' would stop counting people who use a Cubot telephone\n"
        "    → write more of the bot's name",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (
            b"\xff\xfe\x00",
            ":1: the list of previews and bots cannot be read: this line is not UTF-8",
        ),
        (b"# nothing\n\n", "lists no previews or bots"),
    ],
)
def test_a_list_that_cannot_serve_is_refused(tmp_path, data, said):
    path = tmp_path / "bots.txt"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(WrongFiles, match=said):
        load_bots(path)
