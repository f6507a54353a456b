"""Logs: no secret in any line, and the delivery's key in each that is about one."""

import asyncio
import json
import logging
from io import StringIO

import pytest

from outreach.about import about
from outreach.cli import logs
from outreach.platforms import bridge
from tests.conftest import Office
from tests.drafts import KEY, SOON, put_cleared, soon

SECRET = '12"34:hush\\hush'  # written as JSON it looks otherwise


@pytest.fixture
def log(office: Office, request):
    """What a running desk writes to its log, in the form that the test's name asks for."""
    office.write(".env", f"OUTREACH_NET_TOKEN='{SECRET}'\n")
    form = logs.Format.TEXT if "text" in request.node.name else logs.Format.JSON
    stream = StringIO()
    with logs.to_stderr(office.home, stream, form):
        yield stream


def lines(log: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_line_is_one_json_object_whatever_was_logged(log):
    logging.getLogger("outreach.publish").info("two\nlines, %s", "and ünïcode")
    [line] = lines(log)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "outreach.publish",
        "message": "two\nlines, and ünïcode",
    }


def test_no_secret_is_in_a_message_a_fact_or_a_stack(log):
    def ask() -> None:
        raise RuntimeError(f"GET /bot{SECRET}/getMe")

    try:
        ask()
    except RuntimeError:
        with about(delivery=SECRET):
            logging.getLogger("httpx").exception("could not ask %s", SECRET)
    [line] = lines(log)
    assert (line["message"], line["delivery"]) == ("could not ask ***", "***")
    assert "GET /bot***/getMe" in line["trace"]
    assert "hush" not in log.getvalue()


def test_what_a_library_logs_during_a_call_carries_the_key_also_from_the_event_loop(log):
    async def call() -> None:
        logging.getLogger("telegram").warning("in the loop")
        await asyncio.to_thread(logging.getLogger("httpx").warning, "in a thread of it")

    with about(delivery=KEY, channel="net", attempt=7, owner="3f2a9c4b"):
        bridge.run(call(), 5)
    logging.getLogger("httpx").warning("afterwards")
    facts = {"delivery": KEY, "channel": "net", "attempt": 7, "owner": "3f2a9c4b"}
    within, deeper, after = lines(log)
    assert facts.items() <= within.items()
    assert facts.items() <= deeper.items()
    assert not facts.keys() & after.keys()


def test_in_text_it_stands_at_the_end_of_the_line(log):
    with about(delivery=KEY, attempt=7):
        logging.getLogger("telegram").warning("slow")
    assert log.getvalue().endswith(f"Z WARNING telegram: slow (delivery={KEY} attempt=7)\n")


def test_every_line_about_a_post_that_is_sent_has_its_key_and_its_own_attempt(log, office):
    desk = office.open()
    desk.tick()
    put_cleared(desk, soon("news", "One.", "Two."), soon("more"))
    office.clock.to(SOON)
    desk.tick()
    told = {}
    for line in lines(log):
        if line["logger"] in ("outreach.publish", "outreach.app"):
            told.setdefault(line["delivery"], []).append(line.get("attempt"))
    assert told == {"c/more/en@net": [1, None], KEY: [2, 3, None]}
