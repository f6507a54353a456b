"""`outreach languages`: every message in every language, and who has to do what."""

import json

from tests.cli.conftest import CAMPAIGN, CHANNELS, Shell, declined

MANY = CAMPAIGN.replace(
    "{en: [web, wechat]}", "{en: [web, wechat], ko: [kakao], ru: [vk]}"
).replace("events:", "languages: {source: en, also: [ko, ru]}\nevents:")
MORE = CHANNELS + (
    '\n[kakao]\nplatform = "manual"\nlanguages = ["ko"]\nname = "KakaoTalk"\n'
    '\n[vk]\nplatform = "manual"\nlanguages = ["ru"]\nname = "VK"\n'
)
KO = "\n## ko (from 0000; translator: kim; reviewer: open)\n포럼이 방콕에서 열립니다, 팔월에.\n"


def test_states_and_tasks(shell: Shell):
    shell.write("campaigns/forum.yaml", MANY)
    shell.write("config/channels.toml", MORE)
    shell.write("templates/posts/forum/reminder.md", "## en\n\nThe forum opens.\n" + KO)
    said = shell("languages")
    assert said.code == 0
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert lines[:3] == ["forum", "en ko ru", "reminder source stale missing"]
    assert "kim: 1 text" in lines
    assert "forum/reminder/ko to be compared with its source, which has changed" in lines
    assert "a translator of ru: 1 text" in lines
    told = json.loads(shell("languages", "forum", "--json").out)
    assert told["messages"] == [
        {
            "campaign": "forum",
            "message": "reminder",
            "languages": {"en": "source", "ko": "stale", "ru": "missing"},
        }
    ]
    assert {task["who"] for task in told["to-do"]} == {"kim", "a translator of ru"}


def test_a_campaign_that_there_is_not(shell: Shell):
    declined(shell("languages", "nothing"), 2, "there is no campaign 'nothing'")
