"""A whole desk over the pages of LinkedIn and Facebook: figures, tokens that end, the report."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from outreach.credentials import EXPIRES
from outreach.store.tables import AccountCheck, Snapshot
from tests.conftest import Office
from tests.drafts import KEY, draft, put_cleared
from tests.platforms.servers import serving
from tests.platforms.servers_facebook import FacebookNetwork
from tests.platforms.servers_linkedin import LinkedInNetwork

ONE, TWO = "The forum opens (in Bangkok).", "Its agenda: https://neaspec.org/agenda"


@pytest.fixture(params=[LinkedInNetwork, FacebookNetwork], ids=["linkedin", "facebook"])
def network(request):
    return request.param()


@pytest.fixture
def desk(office: Office, network):
    """A desk with a post and its first comment, which are due."""
    name = type(network).__name__.removesuffix("Network").lower()
    own = {
        "linkedin": ("client-id", LinkedInNetwork.CLIENT, "CLIENT_SECRET"),
        "facebook": ("app", FacebookNetwork.APP, "APP_SECRET"),
    }
    option, value, secret = own[name]
    with serving(network) as base:
        office.write(
            "config/channels.toml",
            f'[net]\nplatform = "{name}"\npage = "{network.PAGE}"\nbase = "{base}"\n'
            f'{option} = "{value}"\n',
        )
        office.write(
            ".env", f"OUTREACH_NET_TOKEN={network.TOKEN}\nOUTREACH_NET_{secret}={network.SECRET}\n"
        )
        due = datetime.now(UTC).replace(microsecond=0)  # the stand-in's clock is the real one
        office.clock.at = due - timedelta(minutes=1)
        desk = office.open()
        desk.tick()
        account = desk.platforms["net"].account
        late = timedelta(hours=1)
        wanted = draft("news", ONE, TWO, at=due, late=late, account=account)
        post, comment = wanted.post.parts
        parts = (post, replace(comment, comment=True))
        put_cleared(desk, replace(wanted, post=replace(wanted.post, parts=parts)))
        office.clock.forward(seconds=60)
        yield desk


def test_figures_of_a_post_and_its_comment_are_summed(desk, office):
    desk.tick()
    office.clock.forward(hours=1)
    desk.figures.collect()
    found = kept(desk)
    assert (found["displays"], found["reach"]) == ((250, ""), (120, ""))
    assert found["shares"] == (2, "")
    assert found["likes"][0] > 3  # the comment's are among them


@pytest.mark.parametrize("network", [FacebookNetwork], ids=["facebook"], indirect=True)
def test_a_retired_figure_says_so_and_the_others_are_kept(desk, office, network):
    """US-12: one name that Facebook retires fails the whole question."""
    del network.insights["post_media_view"]
    desk.tick()
    office.clock.forward(hours=1)
    desk.figures.collect()
    found = kept(desk)
    assert found["displays"] == (None, "metric_retired")
    assert found["reach"] == (120, "")


def kept(desk) -> dict[str, tuple[int | None, str]]:
    with desk.store.reading() as session:
        rows = session.scalars(select(Snapshot).where(Snapshot.subject == KEY))
        return {row.metric: (row.value, row.reason) for row in rows}


def test_when_the_token_ends_is_known_ahead(desk, network):
    """What the alarm for a token that ends soon waits for."""
    network.ends = int((datetime.now(UTC) + EXPIRES / 2).timestamp())
    assert desk.ask_account("net").ok
    with desk.store.reading() as session:
        assert session.get_one(AccountCheck, "net").expires.timestamp() == network.ends


def test_a_months_report_has_what_adds_up_and_no_reach(desk, office):
    desk.tick()
    office.clock.forward(hours=1)
    desk.figures.collect()
    report = desk.reports.make(f"{office.clock():%Y-%m}", by=desk.person("bo"))
    measures = {row.cells[0].text for row in report.table("further").rows}
    assert {"Likes", "Shares", "Replies"} <= measures
    assert "Reach" not in measures
