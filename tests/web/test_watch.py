"""Alive, ready, and how much waits: from indexes alone, and without a word of any post."""

import warnings
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, text

from outreach import alarms, notices
from outreach.alarms import Process
from outreach.config import MailSettings, read_configuration
from outreach.handover import Handover
from outreach.vitals import unready, vitals
from outreach.web.watch import create_app
from tests.conftest import Office
from tests.drafts import KEY, SOON, put, put_cleared, soon

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


@pytest.fixture
def desk(office: Office):
    """A real one, which ticks."""
    desk = office.open()
    desk.tick()
    return desk


@pytest.fixture
def ask(desk):
    """Asks the door of this desk: status and text."""
    client = TestClient(create_app(desk))

    def ask(path: str) -> tuple[int, str]:
        answer = client.get(path)
        return answer.status_code, answer.text

    return ask


def samples(ask) -> dict[str, float]:
    """Every sample of /metrics, as Prometheus reads it, by name and labels."""
    status, told = ask("/metrics")
    assert status == 200
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }


class TestReadiness:
    def test_a_desk_that_ticks_is_ready_and_alive(self, ask):
        assert ask("/healthz") == (200, "ok\n")
        assert ask("/readyz") == (200, "ready\n")

    def test_a_clock_that_stands_still_is_alive_and_not_ready(self, ask, office):
        office.clock.forward(seconds=61)
        assert ask("/healthz")[0] == 200
        assert ask("/readyz") == (503, "the clock has not ticked for 61 seconds\n")

    def test_one_that_never_ticked(self, office):
        desk = office.open()
        assert unready(desk.store, office.clock) == ["the clock has not ticked yet"]

    def test_a_database_of_another_revision(self, desk, ask):
        with desk.store.writing() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        status, told = ask("/readyz")
        assert (status, "of revision 0001" in told) == (503, True)

    def test_a_database_that_is_not_there_and_the_counts_say_so(self, desk, ask, office):
        desk.store.close()
        for file in (office.home / "data").glob("outreach.db-*"):
            file.unlink()
        (office.home / "data/outreach.db").write_bytes(b"no database at all " * 500)
        assert ask("/healthz")[0] == 200
        assert ask("/readyz") == (503, "the database file is damaged or is no database\n")
        found = samples(ask)
        assert found["outreach_database_up"] == 0
        assert "outreach_holds" not in found  # unknown is not zero

    def test_what_is_not_known_here_is_not_served(self, ask):
        for path in ("/", "/docs", "/openapi.json", "/feed/web", "/l/k3v9q2mz", "/metrics/"):
            assert ask(path)[0] == 404


class TestMetrics:
    def test_what_waits_is_counted_and_what_was_sent_is_timed(self, desk, ask, office):
        before = samples(ask)
        put(desk, soon("news"), soon("late"), soon("waits"))
        for reading in desk.readings():
            if "waits" not in reading.name:
                desk.clear(reading.name, reading.fingerprint, by=desk.person("bo"))
        desk.hold("message:c/late", "the venue", by=desk.person("ana"))
        office.clock.to(SOON)
        office.clock.forward(seconds=3)
        assert samples(ask)["outreach_due net"] == 2
        desk.tick()
        found = samples(ask)
        assert {
            name: value for name, value in found.items() if name.startswith("outreach_deliveries")
        } == {
            "outreach_deliveries proposed": 1,
            "outreach_deliveries cleared": 1,
            **{
                f"outreach_deliveries {state}": 0
                for state in ("sending", "handed", "uncertain", "failed", "missed")
            },
        }
        assert found["outreach_due net"] == 1  # the one that is on hold
        assert found["outreach_holds"] == 1
        assert found["outreach_mails_waiting"] == 1  # there is no mail server
        assert found["outreach_last_tick_age_seconds"] == 0

        def more(name: str) -> float:
            return found[name] - before.get(name, 0)

        assert more("outreach_calls_total net live") == 1
        assert more("outreach_call_seconds_count net") == 1
        assert more("outreach_lateness_seconds_sum net") == 3
        assert more("outreach_lateness_seconds_bucket net 5.0") == 1
        assert more("outreach_lateness_seconds_bucket net 2.0") == 0

    @pytest.mark.parametrize(
        ("fault", "outcome"),
        [("refused", "refused"), ("not now", "not now"), ("bug after", "uncertain")],
    )
    def test_calls_are_counted_by_what_they_led_to(self, desk, ask, office, fault, outcome):
        name = f"outreach_calls_total net {outcome}"
        before = samples(ask).get(name, 0)
        put_cleared(desk, soon())
        office.clock.to(SOON)
        desk.platforms["net"].next_fault = fault
        desk.tick()
        assert samples(ask)[name] - before == 1

    def test_an_alarm_that_was_told_is_counted_by_its_kind(self, desk, ask, office):
        for minutes in (4, 1):
            office.clock.forward(minutes=minutes)
            desk.watch.round()
        assert samples(ask)["outreach_alarms_open clock"] == 1

    def test_no_word_of_a_post_and_no_secret_is_told(self, desk, ask, office):
        office.write(".env", "OUTREACH_NET_TOKEN=hush-hush-hush\n")
        put_cleared(desk, soon("news", "Nobody may read this yet."))
        told = ask("/metrics")[1] + ask("/readyz")[1]
        assert "outreach_deliveries" in told
        for hidden in ("Nobody", "c/news", "hush", KEY, str(office.home)):
            assert hidden not in told


@pytest.mark.parametrize("what", ["metrics", "alarms", "mail", "tasks"])
def test_history_is_never_read_through(desk, what):
    """Whatever is asked often is answered from an index: no plan of SQLite's reads a table that
    grows with the years."""
    # Nor does an office take many posts down.
    small = {"heartbeat", "hold", "alarm", "account_check", "permit", "take_down"}
    asked = []

    @event.listens_for(desk.store.engine, "before_cursor_execute")
    def keep(connection, cursor, statement, parameters, context, many):
        asked.append((statement, parameters))

    now = desk.now()
    with desk.store.reading() as session:
        if what == "metrics":
            vitals(session, now=now, real=now)
        elif what == "alarms":
            sight = alarms.Sight(
                session=session,
                now=now,
                real=now,
                stuck=timedelta(minutes=5),
                platforms=desk.platforms,
                unready={},
                differs=dict,
                processes=[Process("a", now)],
            )
            for rule in alarms.RULES:
                list(rule(sight))
    if what == "mail":
        notices.send(desk.store, MailSettings(host="127.0.0.1", port=9), "", {}, now)
    if what == "tasks":
        toml = desk.home / "config/channels.toml"
        more = '[hand]\nplatform = "manual"\n[they]\nplatform = "request"\nto = "a@example.org"\n'
        toml.write_text(toml.read_text() + more)
        configuration = read_configuration(desk.home)
        tasks = Handover(
            store=desk.store, configuration=configuration, now=desk.now, chat=lambda _: None
        )
        tasks.round()
        tasks.send()
    selects = [one for one in asked if one[0].startswith("SELECT")]
    assert selects
    with desk.store.engine.connect() as connection:
        for statement, parameters in selects:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            for *_, step in plan:
                words = step.split()
                scanned = words[0] == "SCAN" and words[1] not in small
                # These indexes have nothing but what waits.
                waiting = "ix_mail_waiting" in step or "ix_errand_open" in step
                assert not scanned or waiting, (step, statement)
