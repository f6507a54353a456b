"""The demo's own office: a folder made anew at each run, with examples for what is not known yet.

A folder is wiped only if it bears the demo's mark, and a mark is locked for as long as its demo
runs. Nothing of it can reach the public: X and Telegram are rehearsed in this process, the feed is
served to this machine alone, and the addresses are those of example.org, which nobody follows.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from outreach.errors import NotAllowed, NotFound, Unusable

MARK = ".outreach-demo"
_MARKED = "The outreach demo made this folder. It wipes everything here when it is run again.\n"

CAMPAIGN = "campaigns/forum-2025.yaml"

# What the campaign file leaves open: in words, as it is written there, and the example for it.
EXAMPLES = (
    (
        "its start (09:00)",
        'starts: {tbc: organizers, plan-with: "09:00"}   # slots are computed from it',
        'starts: "09:00"                                 # EXAMPLE',
    ),
    (
        "its end (17:00)",
        'ends: {tbc: organizers, plan-with: "17:00"}',
        'ends: "17:00"                                   # EXAMPLE',
    ),
    (
        "a speaker",
        "speakers: {tbc: secretariat}",
        "speakers: [{id: example, names: {en: An example speaker}}]   # EXAMPLE",
    ),
    (
        "five addresses (https://example.org/example-…)",
        "links: {event: tbc, register: tbc, programme: tbc, live: tbc, recap: tbc}",
        "links:                                              # EXAMPLES\n"
        "  event: https://example.org/example-event\n"
        "  register: https://example.org/example-registration\n"
        "  programme: https://example.org/example-programme\n"
        "  live: https://example.org/example-live\n"
        "  recap: https://example.org/example-recap",
    ),
    (
        "reviewers of five languages (English alone)",
        "    zh: [wechat]\n    ko: [kakaotalk]\n    ru: [vk]\n    ja: [web-ja]\n"
        "    mn: [facebook-mn]\n",
        "                                                    # EXAMPLE: English alone\n",
    ),
    (
        "registrations hoped for (100)",
        "registrations: {target: tbc, baseline: tbc,",
        "registrations: {target: 100, baseline: 0,       # EXAMPLES\n                 ",
    ),
    (
        "offers to host (1)",
        "offers-to-host: {target: tbc,",
        "offers-to-host: {target: 1,                     # EXAMPLE\n                  ",
    ),
)

_OUTREACH = """\
# A demonstration: nothing leaves this machine.

[office]
name = "DEMO – NEASPEC secretariat"
zone = "Asia/Bangkok"
also-zone = "Asia/Seoul"

[desk]
database = "sqlite:///data/outreach.db"
demo = true

[web]
public-url = "{public}"
listen = "{listen}"

[report]
zone = "Asia/Bangkok"
cut-off-days = 5
distribution = "Demonstration"
"""

_CHANNELS = """\
# Two networks are rehearsed in memory, with the lengths of the real ones.

[web]
platform = "feed"
title = "Web feed (demo)"
description = "A demonstration: its hours and addresses are examples."

[x]
platform = "memory"
as = "x"
title = "X (rehearsed)"

[telegram]
platform = "memory"
as = "telegram"
title = "Telegram (rehearsed)"
"""

_MANUAL = """
[{name}]
platform = "manual"
title = "{title}"
name = "{title}, by hand (demo)"
"""

BY_HAND = {"wechat": "WeChat", "linkedin": "LinkedIn", "facebook": "Facebook", "vk": "VK"}

_PEOPLE = """\
# Two people who do not exist.

[officer]
name = "Ana Example"
email = "ana@example.org"
roles = ["officer", "administrator"]

[clearer]
name = "Bo Example"
email = "bo@example.org"
roles = ["clearer", "officer", "administrator"]
"""


@contextmanager
def demo_folder(folder: Path) -> Iterator[Path]:
    """The folder, empty but for its mark, and ours alone for as long as this lasts.

    Raises NotAllowed where something stands there that is no demo's, or where another demo is
    still running in it; Unusable where it cannot be made.
    """
    strange = folder.exists() and not (folder / MARK).is_file()
    if strange and (not folder.is_dir() or any(folder.iterdir())):
        raise NotAllowed(
            f"{folder} is there already, and is not a demo's folder",
            "name another one: --dir DIR",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark = os.open(folder / MARK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise Unusable(
            f"{folder} cannot be used: {error.strerror}", "name another one: --dir DIR"
        ) from error
    with os.fdopen(mark, "r+") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NotAllowed(
                f"a demo is still running in {folder}",
                "end it there with Ctrl-C, or name another folder: --dir DIR",
            ) from None
        opened.write(_MARKED)
        opened.truncate()
        opened.flush()
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != MARK:
                path.unlink()
        yield folder.resolve()


def furnish(home: Path, *, host: str, port: int) -> list[str]:
    """Campaign, templates, pictures and settings; returns for what an example stands, in words.

    `host` and `port` are where the demo serves its pages. Raises NotFound where the program came
    without its campaign.
    """
    source = _source()
    for name in ("config", "templates", "media"):
        if (source / name).is_dir():
            shutil.copytree(source / name, home / name)
        (home / name).mkdir(exist_ok=True)
    (home / CAMPAIGN).parent.mkdir()
    text, stood_in = with_examples((source / CAMPAIGN).read_text("utf-8"))
    (home / CAMPAIGN).write_text(text, "utf-8")
    at = f"{host}:{port}"
    manual = "".join(_MANUAL.format(name=name, title=title) for name, title in BY_HAND.items())
    for name, text in (
        ("outreach.toml", _OUTREACH.format(public=f"http://{at}", listen=at)),
        ("channels.toml", _CHANNELS + manual),
        ("people.toml", _PEOPLE),
    ):
        (home / "config" / name).write_text(text, "utf-8")
    return stood_in


def with_examples(text: str) -> tuple[str, list[str]]:
    """The campaign file with an example, marked as one, for what it leaves open; and for what.

    What is known meanwhile stays as it is.
    """
    stood_in = []
    for words, open_, example in EXAMPLES:
        if open_ in text:
            text = text.replace(open_, example)
            stood_in.append(words)
    return text, stood_in


def _source() -> Path:
    """The campaign and its folders: in the package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    for folder in (package / "starter", package.parent):
        if (folder / CAMPAIGN).is_file():
            return folder
    raise NotFound(
        f"this installation has no {CAMPAIGN}", "run the demo from a copy of the repository"
    )
