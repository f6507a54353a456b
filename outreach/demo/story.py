"""What the demo does, in order, and what must have become of it.

The clock is moved from one event to the next: a slot, or a rung of the ladder on which figures
are collected. Heartbeat and leases stay on real time. `Short` is raised where anything that the
demo promises did not happen.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import func, select

from outreach.app import Outreach
from outreach.campaign.plan import Plan
from outreach.cli import logs, rows, show
from outreach.config import read_configuration, real_now
from outreach.delivery import Delivery, ReceiptRow, State
from outreach.demo.office import demo_folder, furnish
from outreach.demo.readers import BOT, HOST, a_port, fetch, follow, serving
from outreach.errors import OutreachError, WrongFiles
from outreach.measure.collect import ladder
from outreach.platforms.memory import Memory
from outreach.rehearsal.run import FastClock
from outreach.report.documents import FORMATS
from outreach.report.value import Report
from outreach.store import Store
from outreach.store.tables import Click

BEGINS = datetime(2025, 7, 20, 1, tzinfo=UTC)
TYPED = datetime(2025, 9, 5, 3, tzinfo=UTC)  # figures by hand, a day before the cut-off
REPORTED = datetime(2025, 9, 6, 2, tzinfo=UTC)
MONTH = "2025-08"
SAMPLE = Path(__file__).with_name("sample-figures.csv")

READERS = {"web": 3, "x": 2, "telegram": 2, "wechat": 1}  # who follow a link, by channel
BY_HAND = "wechat"
LESSON = "A sample of a lesson: posts with one number on the card were followed most"
REHEARSED = ("x", "telegram")


class Short(OutreachError):
    """The demo has not shown what it promises."""


@dataclass(frozen=True)
class Shown:
    """One published post, as the demo lists it."""

    key: str
    message: str
    channel: str
    at: datetime
    url: str
    text: str


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """Run the whole of it in `folder`; yields the feed's address while its pages are served.

    Raises Short, or what the desk raises.
    """
    with demo_folder(folder) as home, a_port() as (listener, port):
        stood_in = furnish(home, host=HOST, port=port)
        (home / "data").mkdir()
        with logs.to_file(home), _desk(home) as (desk, clock):
            tell = _Teller(desk, folder)
            tell.office(stood_in)
            planned = _apply(desk)
            tell.plan(planned)
            tell.cleared(_clear(desk))
            with serving(desk, listener):
                tell.heading("Publishing, as time goes by")
                told = _publish(desk, clock, planned, tell)
                tell.public(*told, _pages(desk))
                tell.report(_report(desk, clock, home))
                yield f"{desk.public_url}/feed/web"


@contextmanager
def _desk(home: Path) -> Iterator[tuple[Outreach, FastClock]]:
    clock = FastClock(BEGINS)
    # Not configuration.database: where the environment names one, that is somebody's real one.
    store = Store(f"sqlite:///{home / 'data' / 'outreach.db'}")
    store.prepare()
    desk = Outreach(configuration=read_configuration(home), store=store, now=clock, real=real_now)
    try:
        for name in ("officer", "clearer"):
            desk.confirm_people(by=name, first=True)
        yield desk, clock
    finally:
        desk.close()


def _apply(desk: Outreach) -> Plan:
    """The officer checks, plans, and applies the plan that was shown."""
    files = desk.files()
    if wrong := [problem for problem in files.problems if not problem.advice]:
        raise WrongFiles(wrong)
    planned = desk.plan(files)
    return desk.apply(planned.hash, by=desk.person("officer"))


def _clear(desk: Outreach) -> int:
    """The clearer reads each message and clears it; how many there were."""
    clearer = desk.person("clearer")
    waiting = desk.readings(for_=clearer)
    for reading in waiting:
        desk.clear(reading.name, reading.fingerprint, by=clearer)
    return len(waiting)


def _publish(
    desk: Outreach, clock: FastClock, planned: Plan, tell: "_Teller"
) -> tuple[int, int, int]:
    """Go from event to event until every post is out and its figures are read.

    Returns how many visits were counted, how many a bot made, and how many figures were kept.
    """
    zone = desk.configuration.report_zone
    ahead = {datetime.fromisoformat(operation.at) for operation in planned.operations}
    shown: list[Shown] = []
    visits: Counter[str] = Counter()
    bots = figures = 0
    while ahead := {at for at in ahead if clock() < at <= TYPED}:
        clock.to(min(ahead))
        desk.tick()
        _post_by_hand(desk, clock)
        fresh = [one for one in _published(desk) if one not in shown]
        if fresh:
            tell.published(fresh)
            clock.to(clock() + timedelta(minutes=30))
            bots += _read(desk, fresh, visits)
        for one in fresh:
            ahead |= set(ladder(one.at, zone).values())
        shown += fresh
        figures += desk.figures.collect()
    _all_out(desk, planned, shown)
    _all_counted(desk, visits)
    return visits.total(), bots, figures


def _post_by_hand(desk: Outreach, clock: FastClock) -> None:
    """Ana posts what was handed to her, and gives its address."""
    for line in desk.status().attention:
        if line.state == State.HANDED:
            clock.to(line.at + timedelta(minutes=5))
            address = f"https://example.org/{BY_HAND}/{show.split_key(line.key)[1]}"
            desk.settle(line.key, "live", by=desk.person("officer"), url=address)


def _published(desk: Outreach) -> list[Shown]:
    """Everything that is live, in the order of its slots and of the office's channels."""
    order = list(desk.channels)
    with desk.store.reading() as session:
        rows = session.execute(
            select(Delivery, ReceiptRow.url)
            .join(ReceiptRow, ReceiptRow.key == Delivery.key)
            .where(Delivery.state == State.PUBLISHED)
        ).all()
    rows_in_order = sorted(rows, key=lambda found: (found[0].at, order.index(found[0].channel)))
    return [
        Shown(
            row.key,
            row.message,
            row.channel,
            row.published_at or row.at,
            url,
            "\n".join(part.text for part in row.post.parts),
        )
        for row, url in rows_in_order
    ]


def _read(desk: Outreach, posts: Sequence[Shown], visits: Counter[str]) -> int:
    """Readers follow the posts' short links; on X a bot comes first. Returns its visits."""
    bots = 0
    for post in posts:
        for link in re.findall(rf"{re.escape(desk.public_url)}/l/[a-z2-7]{{8}}", post.text):
            if post.channel == "x":
                follow(link, agent=BOT)
                bots += 1
            for _ in range(READERS[post.channel]):
                target = urlsplit(follow(link))
                source = parse_qs(target.query).get("utm_source")
                if target.hostname != "example.org" or source != [post.channel]:
                    raise Short(f"the link of {post.key} leads to {target.geturl()}")
                visits[post.key] += 1
    return bots


def _all_out(desk: Outreach, planned: Plan, shown: Sequence[Shown]) -> None:
    """Every planned post is live, once, in order, where its public would see it."""
    wanted = {operation.key for operation in planned.operations}
    missing = sorted(wanted - {one.key for one in shown})
    if missing or len(shown) != len(wanted) or desk.status().attention:
        raise Short(f"not everything went out: {', '.join(missing) or 'see outreach status'}")
    slots = sorted(
        {(operation.at, show.split_key(operation.key)[1]) for operation in planned.operations}
    )
    for name in READERS:
        order = [one.message for one in shown if one.channel == name]
        if order != [message for _, message in slots]:
            raise Short(f"{name} has {', '.join(order)}")
    for name in REHEARSED:
        network = desk.platforms[name]
        texts = [one.text for one in shown if one.channel == name]
        if not isinstance(network, Memory) or network.texts != texts:
            raise Short(f"{name} does not show each post once, in order")


def _all_counted(desk: Outreach, visits: Mapping[str, int]) -> None:
    """Every reader was counted, and no bot."""
    with desk.store.reading() as session:
        counted = session.execute(
            select(Click.key, func.count().label("visits")).group_by(Click.key)
        ).all()
    if not visits or dict(visits) != {row.key: row.visits for row in counted}:
        raise Short("the visits counted are not those that were made")


def _pages(desk: Outreach) -> int:
    """How many entries the feed shows, as a page, as Atom and as JSON Feed alike."""
    address = f"{desk.public_url}/feed/web"
    page, atom = fetch(address), fetch(f"{address}/atom.xml")
    feed = json.loads(fetch(f"{address}/feed.json"))
    dates = [item["date_published"] for item in feed["items"]]
    here = [one for one in _published(desk) if one.channel == "web"]
    shown = {page.count("<article"), atom.count("<entry"), len(dates), len(here)}
    if len(shown) != 1 or dates != sorted(dates, reverse=True):
        raise Short("the feed's page, Atom and JSON do not show the same entries")
    if not all("DEMO" in document for document in (page, atom, feed["authors"][0]["name"])):
        raise Short("the feed does not say that it is a demo")
    return len(dates)


def _report(desk: Outreach, clock: FastClock, home: Path) -> Report:
    """Figures by hand, marked as samples; then the month, frozen and written."""
    officer = desk.person("officer")
    clock.to(TYPED)
    desk.figures.keep(SAMPLE.read_bytes(), file=SAMPLE.name, by=officer, sample=True)
    clock.to(REPORTED)
    desk.reports.learn(MONTH, [LESSON], by=officer)
    made = desk.reports.make(MONTH, by=officer)
    if not made.sample:
        raise Short("the report does not say that its figures are samples")
    (home / "reports").mkdir()
    for name, kind in FORMATS.items():
        data = kind.write(made, template_folder=home / "templates" / "reports")
        report_file(home, name).write_bytes(data)
    return made


def report_file(home: Path, kind: str) -> Path:
    """Where the report stands in one of its formats: "docx", "pdf" and so on."""
    return home / "reports" / f"outreach-{MONTH}{FORMATS[kind].suffix}"


class _Teller:
    """Says what happens, as it happens, to somebody who has never seen the program."""

    def __init__(self, desk: Outreach, folder: Path) -> None:
        self.desk, self.folder, self.step = desk, folder, 0
        self.zones = rows.Zones.of(desk)
        self.names = {name: person.name for name, person in desk.people().items()}

    def heading(self, words: str) -> None:
        self.step += 1
        rows.say([rows.row(), rows.row((f"{self.step}  {words}", "bold"))])

    def line(self, *spans: rows.Span, lead: str = "", indent: int = 3) -> None:
        rows.say([rows.row(*spans, indent=indent, lead=lead)])

    def office(self, stood_in: Sequence[str]) -> None:
        self.heading(f"An office of its own, in {self.folder}")
        examples = ("EXAMPLES", "bold yellow")
        self.line(examples, f" stand in for what is not known yet: {', '.join(stood_in)}.")

    def plan(self, planned: Plan) -> None:
        self.heading(f"{self.names['officer']} checks the files, and plans")
        slots = {op.at: show.split_key(op.key)[1] for op in planned.operations}
        for at, message in sorted(slots.items()):
            when = self.zones.show(datetime.fromisoformat(at))
            self.line((f"{message:<18}", "green"), (when, "dim"), lead="+ ")
        named = {show.split_key(op.key)[3] for op in planned.operations}
        channels = ", ".join(name for name in self.desk.channels if name in named)
        self.line(
            f"{rows.counted(len(planned.operations), 'post')} on {channels}; no mistakes. "
            f"Applied: plan {planned.hash}."
        )

    def cleared(self, messages: int) -> None:
        read = rows.counted(messages, "message")
        name = self.names["clearer"]
        self.heading(f"{name} reads and clears {read}: nobody clears what they wrote")

    def published(self, posts: Sequence[Shown]) -> None:
        self.line((posts[0].message, "bold"), "  ", (self.zones.show(posts[0].at), "dim"))
        for post in posts:
            how = {**dict.fromkeys(REHEARSED, "  rehearsed"), BY_HAND: "  by hand"}
            spans = ((f"{post.channel:<10}", "green"), post.url, (how.get(post.channel, ""), "dim"))
            rows.say([rows.row(*spans, indent=5, whole=True)])

    def public(self, visits: int, bots: int, figures: int, entries: int) -> None:
        self.heading("The public, over HTTP")
        self.line(f"{entries} entries in the feed, as a page, as Atom and as JSON Feed.")
        self.line(
            f"{visits} visits through short links were counted, and {bots} by a preview bot not."
        )
        self.line(f"{figures} figures were kept: each a number, or none with its reason.")

    def report(self, made: Report) -> None:
        self.heading("The report of August 2025, with SAMPLE FIGURES that nobody measured")
        for text in (*made.summary, made.completeness[0]):
            self.line(text)
