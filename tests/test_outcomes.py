"""What came of it: entered by files or by hand, told in order, and set beside the goals."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from outreach.campaign.load import load_campaigns
from outreach.errors import Changed, NotAllowed, NotFound, WrongFiles
from outreach.measure.exports import read_export
from outreach.measure.goals import area, goals_of, results
from outreach.measure.months import Period
from outreach.measure.outcomes import (
    NOT_ADDED,
    NOT_FOR_THIS,
    NOTHING_ENTERED,
    clicks_of,
    costs,
    outcomes_of,
)
from outreach.pace import Call
from outreach.platforms import Fate
from outreach.store.tables import Click, ShortLink, TrailEntry
from outreach.subscribers import Mailing, MailingReader
from tests.drafts import live, utc

AUGUST = Period.month("2025-08", "Asia/Bangkok")
SEPTEMBER = Period.month("2025-09", "Asia/Bangkok")
LATER = utc("2025-12-01T00:00")
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}

CAMPAIGN = """
campaign: forum
programme: low-carbon-cities
title: The forum
written-by: ana
events:
  forum: {date: 2025-08-25, starts: {tbc: organizers}, zone: Asia/Bangkok}
links: {register: "https://example.org/register", recap: tbc}
goals:
  registrations: {target: 300, baseline: 12, by: forum, from: indico-csv, source: "work plan"}
  hosts: {target: 2, by: forum + 28 days, from: hand, measure: offers-to-host}
  visits: {target: tbc, by: forum, from: links, measure: clicks}
audiences: {main: {en: [web]}}
defaults: {to: main}
messages: {idea: {}}
"""


@pytest.fixture
def desk(office):
    office.campaign(CAMPAIGN)
    office.clock.to("2025-10-01T00:00Z")
    return office.open()


@pytest.fixture
def ana(desk):
    return desk.person("ana")


def export(*rows, kind="registrations", name="indico.csv", **more):
    """Rows of day, country, sex."""
    text = "\n".join(["Name,Date,Country,Sex", *(f"{n},{row}" for n, row in enumerate(rows))])
    return read_export(text.encode(), kind=kind, filename=name, **more)


def of(desk, measure, period=AUGUST, **more):
    with desk.store.reading() as session:
        found = outcomes_of(session, period, cut_off=LATER, campaigns=["forum"], **more)
    return next(one for one in found if one.measure == measure)


def cells(several):
    return {cell.label: cell.value for cell in several}


class TestFiles:
    rows = (
        *["2025-08-01,Mongolia,f"] * 12,
        *["2025-08-02,Japan,m"] * 10,
        *["2025-08-03,DPRK,f"] * 2,
        *["2025-09-01,Japan,m"] * 5,
        "2025-08-03,Atlantis,",
    )

    def test_are_counted_by_member_state_in_official_order_and_nobody_can_be_told(self, desk, ana):
        number = desk.entries.keep(export(*self.rows), campaign="forum", by=ana)
        one = of(desk, "registrations")
        assert (one.value, one.so_far, one.printed) == (25, 25, "25")
        assert cells(one.by_state) == {
            "China": 0,
            "Democratic People's Republic of Korea": None,
            "Japan": None,  # or two people would be told as three less one
            "Mongolia": 12,
            "Republic of Korea": 0,
            "Russian Federation": 0,
            "Other countries": 0,
            "Not said": None,
        }
        assert cells(one.by_sex)["Not said"] is None
        assert [value for value in cells(one.by_sex).values() if value is None] == [None, None]
        assert (one.sources, one.by, one.at) == (("indico.csv",), ("ana",), desk.now())
        september = of(desk, "registrations", SEPTEMBER)
        assert (september.value, september.so_far) == (5, 30)
        assert number == 1

    def test_days_before_and_after_a_file_are_not_known_to_be_nil(self, desk, ana):
        desk.entries.keep(export("2025-09-03,Japan,m"), campaign="forum", by=ana)
        one = of(desk, "registrations")
        assert (one.value, one.reason, one.printed) == (None, NOT_FOR_THIS, "..")
        assert of(desk, "downloads").reason == NOTHING_ENTERED

    def test_the_same_file_twice_is_refused_and_other_days_are_added(self, desk, ana):
        file = export(*["2025-08-01,Japan,m"] * 3)
        desk.entries.keep(file, campaign="forum", by=ana)
        with pytest.raises(NotAllowed, match=r"indico\.csv is kept already: entry 1, by ana"):
            desk.entries.keep(file, campaign="forum", by=ana, besides=True)
        desk.entries.keep(export("2025-08-09,Japan,m"), campaign="forum", by=ana)
        assert of(desk, "registrations").value == 4

    def test_the_same_days_twice_are_asked_about(self, desk, ana):
        desk.entries.keep(export(*["2025-08-01,Japan,m"] * 3), campaign="forum", by=ana)
        newer = export(*["2025-08-01,Japan,m"] * 4, name="newer.csv")
        assert (
            "counted already: indico.csv (entry 1)" in desk.entries.look(newer, campaign="forum")[0]
        )
        with pytest.raises(NotAllowed, match="are counted already") as error:
            desk.entries.keep(newer, campaign="forum", by=ana)
        assert "--instead" in error.value.hint
        assert of(desk, "registrations").value == 3
        desk.entries.keep(newer, campaign="forum", by=ana, instead=True)
        assert of(desk, "registrations").value == 4
        assert [one.undone for one in desk.entries.entries("forum")] == [True, False]

    def test_what_is_undone_counts_no_more_and_stays_in_the_trail(self, desk, ana):
        file = export("2025-08-01,Japan,m")
        desk.entries.keep(file, campaign="forum", by=ana)
        assert desk.entries.undo("1", by=ana) == "registrations of forum, indico.csv"
        assert of(desk, "registrations").reason == NOTHING_ENTERED
        with pytest.raises(Changed, match="undone already, by ana"):
            desk.entries.undo("1", by=ana)
        for wrong in ("7", "cost-7", "x", "99999999999"):
            with pytest.raises(NotFound):
                desk.entries.undo(wrong, by=ana)
        assert desk.entries.keep(file, campaign="forum", by=ana) == 2  # once more, then
        with desk.store.reading() as session:
            assert session.query(TrailEntry).filter(TrailEntry.what.contains("undone")).count() == 1

    def test_no_name_reaches_the_database(self, desk, ana):
        text = "Name,Email,Date,Country\nZebra Zonk,zebra@example.org,2025-08-01,Japan\n"
        file = read_export(text.encode(), kind="registrations", filename="indico.csv")
        desk.entries.keep(file, campaign="forum", by=ana)
        from sqlalchemy import text as sql

        with desk.store.reading() as session:
            for table in ("outcome_entry", "outcome_count", "trail"):
                kept = str(session.execute(sql(f"SELECT * FROM {table}")).all())
                assert "ebra" not in kept

    def test_mistakes_and_guests_keep_nothing(self, desk, ana):
        with pytest.raises(WrongFiles):
            desk.entries.keep(export("soon,Japan,m"), campaign="forum", by=ana)
        with pytest.raises(NotFound, match="did you mean|there is no campaign"):
            desk.entries.keep(export("2025-08-01,Japan,m"), campaign="forums", by=ana)
        with pytest.raises(NotAllowed):
            desk.entries.keep(export("2025-08-01,Japan,m"), campaign="forum", by=desk.person("cy"))
        assert desk.entries.entries() == []

    def test_attendance_of_several_sessions_is_not_added(self, desk, ana):
        for session, people in (("opening", 40), ("closing", 30)):
            file = export(
                *["2025-08-25,Japan,m"] * people, kind="attendance-online", session=session
            )
            desk.entries.keep(file, campaign="forum", by=ana)
        one = of(desk, "attendance-online")
        assert (one.value, one.reason, one.by_state) == (None, NOT_ADDED, ())
        assert cells(one.by_session) == {"closing": 30, "opening": 40}
        whole = export(*["2025-08-25,Japan,m"] * 55, kind="attendance-online", name="day.csv")
        desk.entries.keep(whole, campaign="forum", by=ana)
        one = of(desk, "attendance-online")
        assert (one.value, cells(one.by_state)["Japan"]) == (55, 55)


class TestByHand:
    def test_numbers_of_days_are_added_and_the_last_word_of_a_day_counts(self, desk, ana):
        more = {"source": "letter of 3 September", "by": ana}
        for number, on in (("1", 3), ("2", 9), ("1", 9)):
            day = date(2025, 9, on)
            desk.entries.type("forum", "offers-to-host", number, on=day, state="Mongolia", **more)
        one = of(desk, "offers-to-host", SEPTEMBER)
        assert (one.value, one.sources, one.by) == (2, ("letter of 3 September",), ("ana",))
        assert cells(one.by_state)["Mongolia"] == 2  # cities are no people: nothing is hidden
        assert of(desk, "offers-to-host").printed == ".."

    def test_a_figure_that_nobody_can_know_says_why_and_a_sum_with_it_is_none(self, desk, ana):
        desk.entries.type("forum", "downloads", "40", source="Plausible", by=ana)
        with pytest.raises(NotAllowed, match="say why"):
            desk.entries.type("forum", "downloads", "..", source="x", by=ana, on=date(2025, 9, 9))
        desk.entries.type(
            "forum", "downloads", "..", source="x", by=ana, on=date(2025, 9, 9),
            reason="collection_failed",
        )  # fmt: skip
        one = of(desk, "downloads", Period.of_days(date(2025, 9, 1), date(2025, 10, 30), "UTC"))
        assert (one.value, one.reason) == (None, "The figure could not be collected")

    def test_what_files_count_is_not_counted_by_hand_as_well(self, desk, ana):
        desk.entries.keep(export("2025-08-01,Japan,m"), campaign="forum", by=ana)
        with pytest.raises(NotAllowed, match="entered by a file already"):
            desk.entries.type("forum", "registrations", "3", source="x", by=ana)
        desk.entries.type("forum", "downloads", "3", source="x", by=ana)
        with pytest.raises(NotAllowed, match="entered by hand already"):
            desk.entries.keep(export("2025-08-01,,", kind="downloads"), campaign="forum", by=ana)

    def test_what_cannot_be_meant_is_declined(self, desk, ana):
        usual = {"campaign": "forum", "measure": "offers-to-host", "value": "1", "source": "x"}
        for given, what in (
            ({"measure": "ofers-to-host"}, "there is no outcome"),
            ({"measure": "clicks"}, "the desk counts clicks by itself"),
            ({"value": "-1"}, "is no count"),
            ({"value": "many"}, "is no count"),
            ({"value": "99999999999"}, "is no count"),
            ({"state": "Korea"}, "could be two"),
            ({"source": " "}, "needs its source"),
            ({"on": date(2026, 1, 1)}, "lies ahead"),
            ({"campaign": "none"}, "there is no campaign"),
        ):
            with pytest.raises((NotAllowed, NotFound), match=what):
                desk.entries.type(by=ana, **{**usual, **given})
        assert desk.entries.entries() == []

    def test_costs_are_listed_by_campaign_beside_what_the_desk_counted(self, desk, ana):
        on = {"by": ana, "on": date(2025, 9, 3)}
        assert desk.entries.cost("forum", "promotion", "1,200.50", source="a", **on) == "cost-1"
        desk.entries.cost("forum", "staff-days", "4.5", source="b", **on)
        desk.entries.cost("forum", "network-fees", "9", source="c", currency="KRW", **on)
        with desk.store.writing() as session:
            session.add(
                Call(
                    account="x", attempt=1, messages=1, cost=15_000, over=0.0, at=utc("2025-09-04")
                )
            )
        with desk.store.reading() as session:
            spent = costs(session, SEPTEMBER, cut_off=desk.now())
            mine = costs(session, SEPTEMBER, cut_off=desk.now(), campaign="forum")
            assert costs(session, AUGUST, cut_off=desk.now()) == ()
        assert [(one.kind, one.amount, one.unit) for one in spent] == [
            ("promotion", Decimal("1200.50"), "USD"),
            ("staff-days", Decimal("4.5"), "days"),
            ("network-fees", Decimal("9"), "KRW"),
            ("network-fees", Decimal("0.015"), "USD"),
        ]
        assert [one.number for one in mine] == [1, 2, 3]
        desk.entries.undo("cost-2", by=ana)
        with desk.store.reading() as session:
            assert len(costs(session, SEPTEMBER, cut_off=desk.now())) == 3
        for amount in ("x", "-1", "1.234", "NaN", "1e12"):
            with pytest.raises(NotAllowed, match="is no amount"):
                desk.entries.cost("forum", "promotion", amount, source="a", by=ana)


class TestWhatTheDeskCounts:
    def test_visits_are_told_by_posts_partners_and_paper(self, desk, ana, office):
        live(desk, "forum/news/en@net")
        url, paper = "https://example.org/register", "https://post.example.org"
        registered = utc("2025-09-19")
        with desk.store.writing() as session:
            for code, key in (("a", "forum/news/en@net"), ("b", "toolkit:iclei/forum/news/en@net")):
                session.add(ShortLink(code=code, key=key, target=url, at=registered))
                session.add(Click(code=code, key=key, at=utc("2025-09-20")))
        office.clock.to("2025-09-21T00:00Z")
        printed = desk.entries.on_paper("forum", url, "poster-lobby", public_url=paper, by=ana)
        assert printed.startswith(f"{paper}/l/")
        assert (
            desk.entries.on_paper("forum", url, "poster-lobby", public_url=paper, by=ana) == printed
        )
        code = printed.rpartition("/")[2]
        target = desk.public.follow(code, method="GET", headers=PERSON)
        assert desk.public.follow(code, method="HEAD", headers=PERSON) == target
        assert target == (
            f"{url}?utm_source=print&utm_medium=print&utm_campaign=forum&utm_content=poster-lobby"
        )
        office.clock.to("2025-10-05T00:00Z")
        with desk.store.reading() as session:
            [one] = clicks_of(session, SEPTEMBER, cut_off=LATER)
        assert (one.campaign, one.posts, one.partners, one.printed) == ("forum", 1, 1, 1)
        told = of(desk, "clicks", SEPTEMBER)
        assert (told.value, told.stage) == (3, "out-take")
        assert told.sources == ("own short links: posts 1, partners 1, print 1",)
        assert of(desk, "clicks").value is None  # none was registered by then

    def test_newsletters_are_outputs_and_mails_that_came_back_are_not_delivered(self, desk):
        live(desk, "forum/news/en@net")
        at = utc("2025-09-20")
        readers = [(Fate.SENT, None, None)] * 3 + [
            (Fate.SENT, at, None),
            (Fate.SENT, None, at),
            (Fate.REFUSED, None, None),
            (Fate.WAITING, None, None),
        ]
        with desk.store.writing() as session:
            session.add(
                Mailing(
                    token="t", key="forum/news/en@net", channel="net", language="en",
                    begun_at=at, until=at + timedelta(days=1),
                )
            )  # fmt: skip
            for n, (fate, bounced, left) in enumerate(readers):
                session.add(
                    MailingReader(
                        token="t", digest=str(n), fate=fate, bounced_at=bounced, left_at=left
                    )
                )
        counted = {
            what: of(desk, what, SEPTEMBER).value
            for what in ("mails-sent", "mails-delivered", "mails-bounced", "unsubscribed")
        }
        assert counted == {
            "mails-sent": 5,
            "mails-delivered": 4,
            "mails-bounced": 2,
            "unsubscribed": 1,
        }

    def test_the_order_is_outputs_out_takes_outcomes(self, desk):
        with desk.store.reading() as session:
            found = outcomes_of(session, AUGUST, cut_off=LATER, campaigns=["forum"])
        stages = [one.stage for one in found]
        assert stages == sorted(stages, key=["output", "out-take", "outcome"].index)
        assert len(set(stages)) == 3
        assert all(one.value is None and one.reason for one in found)


def test_goals_are_set_beside_what_came_of_it_and_no_further_than_their_day(desk, ana):
    rows = ["2025-08-01,Japan,m"] * 40 + ["2025-08-27,Japan,m"] * 9
    desk.entries.keep(export(*rows), campaign="forum", by=ana)
    desk.entries.type("forum", "offers-to-host", "2", source="letter", by=ana, on=date(2025, 9, 21))
    [campaign] = load_campaigns(desk.home / "campaigns", root=desk.home).campaigns
    assert area(campaign) == "Low Carbon Cities"
    goals = goals_of(campaign)
    assert [(one.name, one.target, one.baseline, one.due, one.source) for one in goals] == [
        ("registrations", 300, 12, date(2025, 8, 25), "work plan"),
        ("hosts", 2, None, date(2025, 9, 22), ""),
        ("visits", None, None, date(2025, 8, 25), ""),
    ]
    told = {}
    for period in (AUGUST, SEPTEMBER):
        with desk.store.reading() as session:
            told[period] = results(session, "forum", goals, period, LATER)
    registered, hosts, visits = told[AUGUST]
    assert (registered.value, registered.reached, registered.over) == (40, False, True)
    assert (registered.until, registered.sources) == (date(2025, 8, 25), ("indico.csv",))
    assert (hosts.value, hosts.reason, hosts.reached) == (None, NOT_FOR_THIS, None)
    assert visits.value is None
    assert visits.reason.startswith("The campaign printed no short links")
    assert (told[SEPTEMBER][1].value, told[SEPTEMBER][1].reached) == (2, True)


def test_what_was_entered_after_the_cut_off_is_not_known(desk, ana):
    desk.entries.keep(export(*["2025-08-01,Japan,m"] * 40), campaign="forum", by=ana)
    before = datetime(2025, 9, 6, tzinfo=UTC)
    with desk.store.reading() as session:
        found = outcomes_of(session, AUGUST, cut_off=before, campaigns=["forum"])
    assert {one.value for one in found} == {None}


def test_totals_alone_have_no_breakdowns_that_could_be_subtracted(desk, ana):
    desk.entries.keep(export(*["2025-08-01,Japan,m"] * 40), campaign="forum", by=ana)
    one = of(desk, "registrations", broken_down=False)
    assert (one.value, one.by_state, one.by_sex, one.withheld) == (40, (), (), ())
