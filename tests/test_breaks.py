"""US-12: in the middle of a series Facebook gives its figure under another name."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from outreach.compose.links import Link
from outreach.delivery import Delivery
from outreach.measure import latest
from outreach.platforms import Receipt
from outreach.publish import finish, keep_receipt
from outreach.store.tables import Snapshot
from tests.conftest import Office
from tests.drafts import draft, utc
from tests.drafts import put as applied
from tests.platforms.servers import serving
from tests.platforms.servers_facebook import FacebookNetwork

BREAK = "break in series, not comparable"
RETIRED = datetime(2025, 11, 14, 12, tzinfo=UTC)  # hours before the day that was announced
VK = """channel,month,posts,displays,engagements,clicks
vk,2025-10,3,1000,40,30
vk,2025-11,4,1500,60,45
"""


@pytest.fixture
def network():
    return FacebookNetwork()


@pytest.fixture
def desk(office: Office, network: FacebookNetwork):
    with serving(network) as base:
        office.write(
            "config/channels.toml",
            f'[fb]\nplatform = "facebook"\ntitle = "Facebook"\npage = "{network.PAGE}"\n'
            f'base = "{base}"\n\n[vk]\nplatform = "manual"\ntitle = "VK"\n',
        )
        office.write(".env", f"OUTREACH_FB_TOKEN={network.TOKEN}\n")
        network.insights = {
            "post_impressions": 400,
            "post_impressions_unique": 200,
            **{name: network.insights[name] for name in network.insights if "view" not in name},
        }
        office.clock.at = utc("2025-10-01T00:00Z")
        yield office.open()


def live(desk, network: FacebookNetwork, name: str, at: datetime, code: str) -> None:
    """A post that is on the page since then."""
    post = network.keep(f"This is {name}.", at)
    wanted = draft(f"c/{name}/en@fb", at=at, links=[Link(code, "https://neaspec.org/")])
    applied(desk, wanted)
    with desk.store.writing() as session:
        row = session.get_one(Delivery, wanted.key)
        keep_receipt(session, row, 0, Receipt(post.id, f"https://fb.example.org/{post.id}", at), at)
        finish(session, row, at)


def displays(desk, name: str) -> list[tuple[str, int | None, str, str]]:
    with desk.store.reading() as session:
        rows = session.scalars(
            select(Snapshot)
            .where(Snapshot.subject == f"c/{name}/en@fb", Snapshot.metric == "displays")
            .order_by(Snapshot.id)
        )
        return [(row.rung, row.value, row.reason, row.called) for row in rows]


def test_the_collector_switches_and_the_report_prints_the_break(desk, office, network):
    live(desk, network, "october", utc("2025-10-10T02:00"), "aaaaaaaa")
    office.clock.to("2025-11-01T00:00Z")
    desk.figures.collect()
    live(desk, network, "november", utc("2025-11-12T02:00"), "bbbbbbbb")
    office.clock.to("2025-11-13T02:30Z")
    desk.figures.collect()

    office.clock.at = RETIRED
    del network.insights["post_impressions"]
    network.insights["post_media_view"] = 900
    office.clock.to("2025-11-15T02:30Z")  # the dictionary's day has come; impressions end
    desk.figures.collect()
    office.clock.to("2025-12-06T00:00Z")
    desk.figures.collect()
    assert displays(desk, "october")[-1] == ("28 d", 400, "", "post_impressions")
    assert ("3 d", 900, "", "post_media_view") in displays(desk, "november")

    desk.figures.keep(VK.encode(), file="vk.csv", by=desk.person("ana"))
    report = desk.reports.make("2025-11", by=desk.person("bo"))
    [compared, _] = report.comparisons
    by = {line.metric: line for line in compared.lines}
    assert (by["displays"].this, by["displays"].before) == (1500, 1000)  # VK's alone
    assert (by["displays"].change, by["displays"].without) == ("50.0", ("fb",))
    assert (by["engagements"].this, by["engagements"].before) == (66, 46)  # 6 of Facebook's
    assert by["engagements"].without == by["clicks"].without == ()
    words = " ".join(report.words("month-before"))
    assert f"Displays on Facebook: {BREAK}." in words
    assert "one channel with complete figures in both months and no break" in report.summary[0]


def test_before_the_day_that_was_announced_it_is_marked_and_asked_by_its_successor(
    desk, office, network
):
    live(desk, network, "november", utc("2025-11-13T12:00"), "bbbbbbbb")
    office.clock.at = RETIRED
    del network.insights["post_impressions"]
    network.insights["post_media_view"] = 900
    desk.figures.collect()
    rows = displays(desk, "november")
    assert rows[:2] == [
        ("1 h", None, "metric_retired", "post_impressions"),
        ("1 h", 900, "", "post_media_view"),
    ]
    with desk.store.reading() as session:
        read = latest.readings(session, ["c/november/en@fb"], office.clock.at)
    assert read["c/november/en@fb"]["displays"].value == 900
    assert read["c/november/en@fb"]["reach"].value == 200
