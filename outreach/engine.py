"""
Where deliveries are sent from when one machine is not enough: Procrastinate carries the rings.

A job is a doorbell for one channel: *send what this channel has due*. Any worker that has the
channel's secrets may answer it, and one at a time does. The truth stays in our own tables: the
claim decides, so a ring that is heard twice sends once, and one that is lost is rung again by the
next tick. Nothing waits in the engine, so its tables may be dropped at any moment: they have a
PostgreSQL schema of their own, and are made anew.

Procrastinate is async; it lives in one thread with an event loop of its own.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL

from outreach.dispatch import THREADS
from outreach.errors import Unusable

if TYPE_CHECKING:  # imported by whoever has several workers
    from procrastinate import App
    from psycopg import AsyncConnection
    from psycopg.abc import RV, PQGen

log = logging.getLogger(__name__)

SCHEMA = "outreach_engine"
BEAT, STALLED = 3.0, 10.0  # seconds: a worker's heartbeat, and when it is taken for dead
POLL = 1.0  # seconds; a ring is heard at once, but for one that came while its channel was busy
TEND = 2.0  # seconds between two looks for workers that died
PATIENCE = 30.0  # seconds that a connection sleeps in one go; it wakes when something comes
AGAIN = 1.0  # seconds before the engine is started again
MAKING = 0x656E67696E65  # the advisory lock of whoever makes the schema: "engine" in ASCII


class ScaledOut:
    """Rings that any worker on the same PostgreSQL may answer; this process is one of them."""

    def __init__(self, url: URL, send: Callable[[str], None], channels: Iterable[str]) -> None:
        """Start answering rings for these channels; they are those that this process can send on.

        Raises Unusable where Procrastinate is not installed.
        """
        try:
            import procrastinate  # noqa: F401 - said now, not in a thread that nobody watches
        except ImportError as error:
            raise Unusable(
                "several workers need a part that is not installed",
                "install it: pip install 'outreach[postgresql]'",
            ) from error
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._send, self._channels = send, sorted(channels)
        self._loop = asyncio.new_event_loop()
        self._app: App | None = None  # while the engine runs
        self._ended = threading.Event()
        self._busy: set[str] = set()  # channels that are being sent on here
        self._worker: asyncio.Task[None] | None = None
        # Procrastinate runs sync jobs in the loop's own executor: six threads unless it is given.
        self._threads = max(THREADS, len(self._channels))  # hung channels never take the last
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="channel")
        self._loop.set_default_executor(self._pool)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def ring(self, channels: Iterable[str]) -> None:
        """Ask that these channels be sent on, by whoever is free. Returns at once."""
        wanted = list(channels)
        if wanted and not self._ended.is_set():
            told = asyncio.run_coroutine_threadsafe(self._ring(wanted), self._loop)
            told.add_done_callback(_log)

    def wait(self) -> None:
        """Nothing: what is being sent is being sent by many, and the next tick asks again."""

    def finish(self, seconds: float) -> list[str]:
        """Answer no more rings, and wait so long for what is being sent; who is still at it."""
        self._ended.set()
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(seconds)
        return sorted(self._busy) if self._thread.is_alive() else []

    def close(self) -> None:
        """Answer no more rings, finish what is being sent, and end."""
        self.finish(0)
        self._thread.join()
        self._pool.shutdown(wait=True)

    def _stop(self) -> None:
        if self._worker:
            self._worker.cancel()

    # --- in the engine's thread -----------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live())
        finally:
            self._loop.close()

    async def _live(self) -> None:
        """Run the engine, again and again: it ends when its tables or its connection go."""
        while not self._ended.is_set():
            self._worker = asyncio.ensure_future(self._serve())
            try:
                await self._worker
            except asyncio.CancelledError:
                pass
            except Exception as error:  # whatever it was, the office's posts still go out
                log.warning("the engine ended and starts again: %s", _words(error))
            if not self._ended.is_set():
                await asyncio.sleep(AGAIN)
        rings = asyncio.all_tasks() - {asyncio.current_task()}
        for one in rings:
            one.cancel()
        await asyncio.gather(*rings, return_exceptions=True)

    async def _serve(self) -> None:
        from procrastinate import App, PsycopgConnector

        await self._loop.run_in_executor(None, make_schema, self._url)
        # What it does, and when its connections go, is said in our own words.
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
        app = App(
            connector=PsycopgConnector(
                conninfo=self._url,
                connection_class=_patient(),
                kwargs={"options": f"-c search_path={SCHEMA}"},
                min_size=1,
                max_size=6,
            )
        )
        app.task(name="ring")(self._answer)
        tending = None
        try:
            await app.open_async()
            self._app = app
            tending = asyncio.ensure_future(self._tend(app))
            await app.run_worker_async(
                queues=self._channels,
                concurrency=self._threads,
                fetch_job_polling_interval=POLL,
                update_heartbeat_interval=BEAT,
                stalled_worker_timeout=STALLED,
                delete_jobs="always",
                install_signal_handlers=False,
            )
        finally:
            self._app = None
            if tending:
                tending.cancel()
                await asyncio.gather(tending, return_exceptions=True)
            await app.close_async()

    def _answer(self, channel: str) -> None:
        if self._ended.is_set():
            return
        self._busy.add(channel)
        try:
            self._send(channel)
        finally:
            self._busy.discard(channel)

    async def _ring(self, channels: Sequence[str]) -> None:
        from procrastinate.exceptions import AlreadyEnqueued

        app = self._app
        if app is None:  # it is being started; the next tick rings again
            return
        waiting = {job.queue for job in await app.job_manager.list_jobs_async(status="todo")}
        for channel in channels:
            if channel in waiting:
                continue
            with suppress(AlreadyEnqueued):
                await app.configure_task(
                    "ring", queue=channel, lock=channel, queueing_lock=channel
                ).defer_async(channel=channel)

    async def _tend(self, app: "App") -> None:
        """Finish the jobs of workers that died: their lock would keep a channel for ever.

        Whatever goes wrong with one, this goes on: all workers tend, and one is faster.
        """
        from procrastinate.exceptions import ProcrastinateException
        from procrastinate.jobs import Status

        while True:
            with suppress(ProcrastinateException):  # the engine says itself what it cannot do
                for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
                    with suppress(ProcrastinateException):  # another one has finished it
                        await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
                        log.warning("a worker that was sending on %s has died", job.queue)
            await asyncio.sleep(TEND)


def _patient() -> "type[AsyncConnection[Any]]":
    """A connection that sleeps until its socket has something.

    psycopg's own wakes ten times a second to see whether it was interrupted, which a task in an
    event loop is told anyway: it was most of what a worker took at rest.
    """
    from psycopg import AsyncConnection

    class Patient(AsyncConnection[Any]):
        async def wait(
            self, gen: "PQGen[RV]", interval: float = 0.0, timeout: float | None = None
        ) -> "RV":
            return await super().wait(gen, PATIENCE, timeout)

    return Patient


def make_schema(url: str) -> None:
    """Make the engine's tables, where there are none, or those of another version."""
    import psycopg
    from procrastinate import __version__
    from procrastinate.schema import SchemaManager

    with psycopg.connect(url, connect_timeout=10) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MAKING,))
        found = connection.execute(
            "SELECT obj_description(oid, 'pg_namespace'), to_regclass(%s) IS NOT NULL"
            " FROM pg_namespace WHERE nspname = %s",
            (f"{SCHEMA}.procrastinate_workers", SCHEMA),
        ).fetchone()
        if found == (__version__, True):
            return
        connection.execute("SET client_min_messages = warning")  # not every table it drops
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        connection.execute(f"SET search_path = {SCHEMA}")
        connection.execute(SchemaManager.get_schema())
        connection.execute(f"COMMENT ON SCHEMA {SCHEMA} IS '{__version__}'")


def _log(told: "Future[Any]") -> None:
    if not told.cancelled() and (error := told.exception()):
        log.warning("a ring was lost; the next tick rings again: %s", _words(error))


def _words(error: BaseException) -> str:
    """What went wrong, from the innermost cause: Procrastinate's own errors say little."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()) or type(error).__name__
