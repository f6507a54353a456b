"""An officer's first day through the real command: from an empty folder to the month's report."""

import json
import re
import stat
from pathlib import Path

from tests.cli.conftest import KEY, TWO, Shell, applied

TASK = "forum/reminder/en@wechat"

JULY = """\
channel,month,posts,displays
wechat,2025-07,3,1200
"""


def test_from_an_empty_folder_to_a_cleared_post(new: Shell):
    made = new.run("init", str(new.home), *TWO)
    assert (made.code, made.err) == (0, "")
    assert "made  config/people.toml" in made.out
    tokens = dict(re.findall(r"The token of (\w+), shown this once:\n  (\S+)", made.out))
    assert set(tokens) == {"ana", "bo"}

    for name, told in (
        ("ana", "You are Ana Example: administrator, officer."),
        ("bo", "You are Bo Example: administrator, clearer, officer."),
    ):
        said = new.run("login", "--token-stdin", who=name, types=tokens[name] + "\n")
        assert said.code == 0, said
        assert told in said.out
        assert tokens[name] not in said.out
        (kept,) = (new.account(name) / "outreach").iterdir()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert kept.read_text().strip() == tokens[name]

    # The example's slots lie a month ahead of the machine's clock: it can be planned at once.
    checked = new.run("check", who="ana")
    assert (checked.code, checked.err) == (0, "")
    assert "to be confirmed" in checked.out
    assert "No mistakes in 3 posts." in checked.out

    planned = new.run("plan", who="ana")
    assert (planned.code, planned.err) == (0, "")
    (command,) = re.findall(r"To record exactly this: outreach (apply \w+)", planned.out)
    recorded = new.run(*command.split(), who="ana")
    assert (recorded.code, recorded.err) == (0, "")
    assert "1 message waits for a colleague: outreach review" in recorded.out

    mine = new.run("review", who="ana")
    assert "You are an author: a colleague clears it" in mine.out
    assert "outreach clear" not in mine.out
    read = new.run("review", who="bo")
    (command,) = re.findall(r"To clear it:  outreach (clear \S+ \S+)", read.out)
    cleared = new.run(*command.split(), who="bo")
    assert (cleared.code, cleared.err) == (0, "")
    assert cleared.out.startswith("Cleared example/save-the-date/en@web, due ")

    status = new.run("status", who="ana")
    assert status.code == 0
    assert "1 cleared" in status.out
    ticked = new.run("tick", who="ana")
    assert (ticked.code, ticked.err) == (0, "")
    again = new.run("init", str(new.home))
    assert again.code == 0
    assert "left  config/outreach.toml (it was there already)" in again.out
    assert "token" not in again.out


def test_a_cleared_post_goes_out_at_its_time_and_a_task_is_settled_by_a_person(shell: Shell):
    (reading,) = applied(shell)
    cleared = shell("clear", reading["name"], reading["fingerprint"], who="bo")
    assert cleared.out == (
        f"Cleared {KEY}, due Fri 22 Aug 2025, 08:00 Bangkok (10:00 Seoul).\n"
        f"Cleared {TASK}, due Fri 22 Aug 2025, 08:00 Bangkok (10:00 Seoul).\n"
    )
    shell.clock.to("2025-08-22T00:59:30Z")
    early = shell("tick", who="ana")
    assert "published" not in early.out
    shell.clock.to("2025-08-22T01:00:05Z")
    ticked = shell("tick", who="ana")
    assert ticked.code == 0
    status = json.loads(shell("status", "--json", who="ana").out)
    assert status["counts"] == {"published": 1, "handed": 1}
    (task,) = status["attention"]
    assert task["key"] == TASK
    shown = shell("status", who="ana").out
    assert f"→ outreach settle {TASK} --live ADDRESS" in shown

    waiting = shell("tasks", who="ana").out
    assert f"{TASK}  WeChat official account  until Sat 23 Aug 2025" in waiting
    assert json.loads(shell("tasks", "--json").out)[0]["key"] == TASK

    settled = shell("settle", TASK, "--live", "https://example.org/w/1", who="ana")
    assert (settled.code, settled.err) == (0, "")
    assert f"published {TASK}" in settled.out
    assert "https://example.org/w/1" in settled.out

    trail = json.loads(shell("trail", TASK, "--json", who="ana").out)
    assert all(set(line) == {"at", "who", "what", "why"} for line in trail)
    told = [(line["who"], line["what"].strip()) for line in trail]
    assert ("bo", "cleared") in told
    assert ("ana", "settled: live") in told
    assert "settled: live" in shell("trail", TASK, who="ana").out
    assert shell("tick", who="ana").code == 0
    assert json.loads(shell("status", "--json").out)["counts"] == {"published": 2}


def test_a_post_of_others_is_adopted_listed_and_let_go(shell: Shell):
    applied(shell)
    url = "https://example.org/their-post"
    shell.clock.to("2025-08-26T02:00Z")
    given = ("adopt", url, "--campaign", "forum", "--channel", "wechat")
    assert "--campaign NAME --channel NAME" in shell("adopt", url, who="ana").err
    assert "'soon' is not a day" in shell(*given, "--on", "soon", who="ana").err
    said = shell(*given, "--whose", "ICLEI", "--on", "2025-08-20", who="ana")
    assert (said.code, said.err) == (0, "")
    listed = shell("adopt").out
    assert f"{url}\n    forum, wechat by ICLEI, Wed 20 Aug 2025" in listed
    assert shell("adopt", url, "--remove", who="ana").code == 0
    assert shell("adopt").out == "No post of others is adopted.\n"


def test_an_export_of_another_tool_is_imported_by_saying_what_its_heads_mean(
    shell: Shell, tmp_path: Path
):
    assert shell("init").code == 0
    file = tmp_path / "export.csv"
    file.write_text("Seen;Title\n310;The forum\n")
    shell.clock.to("2025-08-07T02:00Z")
    assert "unknown column 'Seen'" in shell("import", str(file), who="ana").out
    said = shell(
        *("import", str(file), "--yes", "--channel", "wechat", "--month", "2025-07"),
        *("--column", "Seen=displays", "--column", "Title=-"),
        who="ana",
    )
    assert said.code == 0, said
    assert "column 'Seen': taken as displays" in said.out
    assert '[wechat]\n"Seen" = "displays"\n"Title" = "-"' in said.out


def test_figures_are_shown_kept_and_reported_in_every_format(shell: Shell, tmp_path: Path):
    assert shell("init").code == 0  # what a report is made from
    file = tmp_path / "july.csv"
    file.write_text(JULY)
    shell.clock.to("2025-08-07T02:00Z")
    shown = shell("import", str(file), who="ana")
    assert shown.code == 2  # nobody to ask: shown, and not kept
    assert "1,200" in shown.out or "1200" in shown.out
    assert f"→ outreach import {file} --yes" in shown.err
    kept = shell("import", str(file), "--yes", who="ana")
    assert (kept.code, kept.err) == (0, "")
    assert kept.out.endswith("Kept: 1 row. To take them back: outreach import --undo 1\n")
    assert json.loads(shell("import", str(file), "--json", who="ana").out)["months"]
    assert shell("import", "--undo", "1", who="ana").out.startswith("Taken back: july.csv.")
    assert shell("import", "--undo", "1", who="ana").code == 2
    assert shell("import").out.startswith("1  july.csv, by ana, ")
    assert "; taken back by ana, " in shell("import").out
    assert json.loads(shell("import", "--json").out)[0]["undone_by"] == "ana"
    assert shell("import", str(file), "--yes", who="ana").code == 0

    made = shell("report", "2025-07", who="ana")
    assert (made.code, made.err) == (0, "")
    names = sorted(path.name for path in (shell.home / "reports").iterdir())
    kinds = ("csv.zip", "docx", "html", "json", "pdf", "xlsx")
    assert names == [f"outreach-2025-07.{kind}" for kind in kinds]
    assert (shell.home / "reports" / "outreach-2025-07.docx").read_bytes()[:2] == b"PK"
    printed = json.loads(shell("report", "2025-07", "--json", who="ana").out)
    written = json.loads((shell.home / "reports" / "outreach-2025-07.json").read_text())
    assert printed["period"] == written["period"]
    assert "1,200" in json.dumps(written) or "1200" in json.dumps(written)
