"""Held against programs that nobody here wrote, where `tests/counterparts/install.sh` put them."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from outreach.platforms import load

TEXTS = [
    "",
    "The forum opens on 25 August 2025.",
    "第五届低碳城市国际论坛将于8月25日在曼谷举行。",
    "제5회 저탄소도시 국제포럼",
    "Нулевой выброс углерода",
    "Нам дор хүлээгдэж буй хотууд",
    "Café, naïve, coöperation",
    "Cafe\u0301 in two code points",
    "👩‍👩‍👧‍👦 one family, 🇲🇳 one flag, 👍🏽 one hand",
    "see https://www.unescap.org/events?utm_source=x&utm_campaign=forum-2025#top for more",
    "neaspec.org without a scheme counts as an address",
    "not.an.address.invalidtld and 10.30 a.m.",
    "#LowCarbonCities @UNESCAP (https://neaspec.org)",
    "two https://neaspec.org https://unescap.org",
    "trailing dot https://neaspec.org.",
    "中文https://neaspec.org中文",
    "a" * 280,
    "é" * 281,
    "好" * 140,
    "“Quoted” – dashes — and … ellipses",
]


@pytest.mark.counterpart
def test_a_length_on_x_is_what_the_library_of_x_itself_says():
    folder = Path(os.environ.get("OUTREACH_COUNTERPARTS", ".cache/counterparts")) / "twitter-text"
    node = shutil.which("node")
    if not (folder / "node_modules" / "twitter-text").is_dir() or not node:
        pytest.skip("twitter-text of npm is not installed: X's length is not proven against it")
    script = (
        "const t=require('twitter-text');"
        "const texts=JSON.parse(require('fs').readFileSync(0,'utf8'));"
        "console.log(JSON.stringify(texts.map(x=>t.parseTweet(x).weightedLength)))"
    )
    told = subprocess.run(
        [node, "-e", script],
        input=json.dumps(TEXTS),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    length = load("x").limits.length
    assert [length(text) for text in TEXTS] == json.loads(told.stdout)
