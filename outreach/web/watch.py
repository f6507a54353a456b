"""The door for whoever watches the machine: is it alive, is it ready, how much waits.

    /healthz     200 "ok": this process answers
    /readyz      200 "ready", or 503 and the reasons: no database, another revision, no tick
    /metrics     counts for Prometheus, and none of the texts of posts

It is served on an address of its own, so that no proxy in front of the public pages leads here.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import PlainTextResponse

from outreach.counters import COUNTED
from outreach.errors import OutreachError
from outreach.store import Store
from outreach.vitals import Vitals, unready, vitals

_METHODS = ["GET", "HEAD"]
_NOT_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Desk(Protocol):
    """What this door asks of the desk."""

    store: Store
    now: Callable[[], datetime]
    real: Callable[[], datetime]


def create_app(desk: Desk) -> FastAPI:
    """The door to this desk's counts."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Waiting(desk))

    @app.api_route("/healthz", methods=_METHODS)
    def healthz() -> Response:
        return PlainTextResponse("ok\n", headers=_NOT_KEPT)

    @app.api_route("/readyz", methods=_METHODS)
    def readyz() -> Response:
        reasons = unready(desk.store, desk.real)
        text = "\n".join(reasons or ["ready"]) + "\n"
        return PlainTextResponse(text, 503 if reasons else 200, headers=_NOT_KEPT)

    @app.api_route("/metrics", methods=_METHODS)
    def metrics() -> Response:
        text = generate_latest(COUNTED) + generate_latest(registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST, headers=_NOT_KEPT)

    return app


class _Waiting(Collector):
    """Gauges from the database, as it is at the moment of the scrape."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing beforehand: to register it must not read a database."""
        return ()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        desk = self._desk
        try:
            with desk.store.reading() as session:
                found = vitals(session, now=desk.now(), real=desk.real())
        except (OutreachError, SQLAlchemyError):
            found = None
        yield GaugeMetricFamily(
            "outreach_database_up", "1 while the database can be read.", value=found is not None
        )
        if found:
            yield from _gauges(found)


def _gauges(found: Vitals) -> Iterable[GaugeMetricFamily]:
    for name, words, label, counts in (
        ("outreach_deliveries", "Posts that wait for something.", "state", found.deliveries),
        ("outreach_due", "Posts that are cleared, due and not sent.", "channel", found.due),
        ("outreach_alarms_open", "Alarms that somebody was told of.", "kind", found.alarms),
    ):
        family = GaugeMetricFamily(name, words, labels=[label])
        for value, count in counts.items():
            family.add_metric([value], count)
        yield family
    for name, words, number in (
        ("outreach_mails_waiting", "Notices that are not mailed yet.", found.mails),
        ("outreach_holds", "Holds in force.", found.holds),
        ("outreach_last_tick_age_seconds", "Since the last tick of the clock.", found.tick_age),
    ):
        if number is not None:
            yield GaugeMetricFamily(name, words, value=number)
