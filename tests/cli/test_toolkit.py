"""outreach toolkit: what is written, and what is said about it."""

import json
from zipfile import ZipFile

from .conftest import declined

PARTNERS = """
[iclei]
names = {en = "ICLEI"}
utm-source = "iclei"
contact = "press@iclei.example"
"""


def test_a_folder_and_a_zip_are_written_and_named(cleared):
    cleared.write("config/partners.toml", PARTNERS)
    said = cleared("toolkit", "forum", who="ana")
    assert said.code == 0, said
    assert "ICLEI, en: version 1, 2 texts, 0.0 MB, for press@iclei.example" in said.out
    folder = cleared.home / "toolkits" / "forum"
    page = (folder / "forum-iclei-en-v1" / "README.html").read_text()
    assert "The forum opens in Bangkok on 25 August." in page
    with ZipFile(folder / "forum-iclei-en-v1.zip") as package:
        assert package.read("forum-iclei-en-v1/README.html").decode() == page


def test_a_hold_makes_a_version_with_a_recall_and_says_what_is_left_out(cleared):
    cleared.write("config/partners.toml", PARTNERS)
    assert cleared("toolkit", "forum", who="ana").code == 0
    assert cleared("hold", "channel:wechat", "--why", "a wrong map", who="ana").code == 0
    said = cleared("toolkit", "forum", who="ana")
    assert said.code == 0, said
    assert "version 2, 1 text" in said.out
    assert "Recall: 1 text of earlier versions; send this one, and say so" in said.out
    assert "forum/reminder/en@wechat: on hold (channel:wechat)" in said.out


def test_machines_are_told_the_same(cleared):
    cleared.write("config/partners.toml", PARTNERS)
    [told] = json.loads(cleared("toolkit", "forum", "--json", who="ana").out)
    assert (told["partner"], told["version"], len(told["entries"])) == ("iclei", 1, 2)
    assert told["bytes"] == (cleared.home / "toolkits/forum/forum-iclei-en-v1.zip").stat().st_size


def test_what_cannot_be_made_is_declined_with_a_way_out(cleared):
    cleared.write("config/partners.toml", PARTNERS.replace("utm-source", "#"))
    declined(cleared("toolkit", "forum", who="ana"), 2, "no partner gets kits yet", "utm-source")
    declined(cleared("toolkit", "forumm", who="ana"), 2, "no campaign 'forumm'", "forum")
    declined(cleared("toolkit", "forum"), 2, "nobody is signed in")
