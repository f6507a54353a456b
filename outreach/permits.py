"""What networks permit us for a time: tokens that end and are renewed, encrypted, in the database.

    claimed  --asked-->  written down      the next token is good, the last one is spent
       |         '--- the process dies --> claimed still: asked again with the same token, later
       '--- died before asking ----------'

A refresh token may be good for one use. Whoever renews takes the row's claim first, so that it is
spent once however many processes there are. What cannot be closed is the moment between a
network's answer and our commit: a process that dies in it takes the new token with it. Then the
old one is asked with once more, the network says that it is spent, and a person has to connect
anew; since tokens are renewed at half of their time, posts go out until the other half is over.
"""

import json
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from outreach.errors import NotNow, OutreachError, PlatformError, Refused, Uncertain
from outreach.platforms import oauth
from outreach.platforms.oauth import Ended, Given, OAuth
from outreach.store import Store
from outreach.store.tables import Permit

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=3)  # longer than any question; then whoever claimed is taken for dead
EARLY = timedelta(days=14)  # before its end a long token is renewed; a short one at half its time
MARGIN = timedelta(minutes=3)  # a token that ends within a post's own time is renewed before it
SLOWEST = timedelta(minutes=30)  # between two tries at a network that does not answer
ASK_AGAIN = timedelta(hours=1)  # of one that refuses our app: a person has to change something


class Sealed:
    """Encrypts with the office's keys: the first seals, every one of them opens."""

    def __init__(self, keys: str) -> None:
        """`keys` as the secret `secret_key` has them, with commas between. Raises ValueError."""
        from cryptography.fernet import Fernet, MultiFernet

        self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.split(",")])

    def seal(self, value: Mapping[str, str]) -> str:
        return self._fernet.encrypt(json.dumps(dict(value)).encode()).decode()

    def open(self, sealed: str) -> dict[str, str]:
        """Raises ValueError where none of the keys has sealed it."""
        from cryptography.fernet import InvalidToken

        try:
            return dict(json.loads(self._fernet.decrypt(sealed.encode())))
        except InvalidToken as error:
            raise ValueError("sealed with another key") from error


def new_key() -> str:
    """A fresh key for what is sealed."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


@dataclass(frozen=True)
class _Unwritten:
    """What a network gave while the database did not take it."""

    serial: int
    given: Given


class Permits:
    """This process's way to what networks permit. `keys` gives the office's keys, or ""."""

    def __init__(self, store: Store, keys: Callable[[], str], now: Callable[[], datetime]) -> None:
        self._store, self._keys, self._now = store, keys, now
        self._unwritten: dict[str, _Unwritten] = {}

    def has(self, channel: str) -> bool:
        """Whether this channel was connected so. Never raises: without a database it was not."""
        try:
            with self._store.reading() as session:
                return session.get(Permit, channel) is not None
        except (OutreachError, SQLAlchemyError):
            return False

    def keep(self, session: Session, channel: str, given: Given, *, by: str) -> None:
        """Keep what a person has just connected, in place of what was there."""
        row = session.get(Permit, channel, with_for_update=True)
        if row is None:
            row = Permit(channel=channel, serial=0)
            session.add(row)
        row.made_at, row.by, row.ends, row.sealed = self._now(), by, None, ""
        self._write(row, given)

    def drop(self, session: Session, channel: str) -> None:
        """A person has given other credentials instead."""
        if row := session.get(Permit, channel, with_for_update=True):
            session.delete(row)

    def token(self, channel: str, app: Callable[[], OAuth]) -> str | None:
        """The token to call with, renewed if it ends in a moment; None for a channel without one.

        Raises Refused where a person has to connect anew, NotNow where it cannot be had yet.
        Nothing was sent to anybody in either case.
        """
        try:
            row = self._row(channel)
            if row is None:
                return None
            left = row.expires - self._now() if row.expires else MARGIN * 2
            if left > MARGIN:
                return self._open(row).access
            try:
                self.renew(channel, app, force=True)
                row = self._row(channel) or row
            except PlatformError as error:
                if left <= timedelta(0):
                    raise
                log.warning("%s: its token could not be renewed yet: %s", channel, error)
            return self._open(row).access
        except Refused:
            raise
        except PlatformError as error:
            wait = error.wait if isinstance(error, NotNow) else timedelta(minutes=1)
            raise NotNow(f"its token could not be renewed yet: {error}", wait) from error
        except (OutreachError, SQLAlchemyError) as error:
            raise NotNow(f"its token cannot be read: {type(error).__name__}") from error

    def due(self, channels: Iterable[str]) -> list[str]:
        """Those whose token is to be renewed by now."""
        known, now = set(channels), self._now()
        with self._store.reading() as session:
            rows = session.scalars(select(Permit).order_by(Permit.channel)).all()
        return [
            row.channel
            for row in rows
            if row.channel in known and (_due(row, now) or row.channel in self._unwritten)
        ]

    def renew(self, channel: str, app: Callable[[], OAuth], *, force: bool = False) -> None:
        """Renew a channel's token, if that is due and nobody else is at it.

        `force` asks though a wait is not over. Raises Ended, Refused, NotNow or Uncertain, which
        the row says too.
        """
        if self._write_again(channel):
            return
        mine = secrets.token_hex(8)
        with self._store.writing() as session:
            row = session.get(Permit, channel, with_for_update=True)
            if row is None:
                raise Refused(f"it is not connected: outreach connect {channel}")
            if row.over or not row.renews:
                raise Ended(_words(row))
            if row.claim and row.claimed_at and self._now() - row.claimed_at < CLAIM:
                raise NotNow("it is being renewed", timedelta(seconds=5))
            if not _due(row, self._now(), force=force):
                return
            row.claim, row.claimed_at = mine, self._now()
            serial, refresh = row.serial, self._open(row).refresh
        try:
            self._still(channel, mine)
            given = oauth.renew(app(), refresh)
        except PlatformError as error:
            self._failed(channel, serial, mine, error)
            raise
        except Exception as error:
            failure = Uncertain(f"its renewal failed: {type(error).__name__}")
            self._failed(channel, serial, mine, failure)
            raise failure from None  # whose words may hold the token
        self._unwritten[channel] = _Unwritten(serial, given)
        self._write_again(channel)

    def _still(self, channel: str, mine: str) -> None:
        """Raises NotNow where the claim was taken from us: this process had been stopped."""
        row = self._row(channel)
        if row is None or row.claim != mine:
            raise NotNow("another process renews it", timedelta(seconds=5))

    def _write_again(self, channel: str) -> bool:
        """Write down what the network gave, if that has not been possible; whether there was any.

        Raises what the database raises; then it is kept here, and tried at the next call.
        """
        held = self._unwritten.get(channel)
        if held is None:
            return False
        with self._store.writing() as session:
            row = session.get(Permit, channel, with_for_update=True)
            # Whoever took our claim has spent the same token in vain: ours is the one that counts.
            if row is not None and row.serial == held.serial:
                self._write(row, held.given)
        del self._unwritten[channel]
        return True

    def _failed(self, channel: str, serial: int, mine: str, error: PlatformError) -> None:
        now = self._now()
        with self._store.writing() as session:
            row = session.get(Permit, channel, with_for_update=True)
            if row is None or row.serial != serial or row.claim != mine:
                return
            row.claim, row.claimed_at = "", None
            row.tries += 1
            row.trouble, row.over = str(error), isinstance(error, Ended)
            wait = min(timedelta(minutes=1) * 2 ** min(row.tries - 1, 10), SLOWEST)
            if isinstance(error, NotNow):
                wait = max(wait, error.wait)
            row.next_try = now + (ASK_AGAIN if isinstance(error, Refused) else wait)

    def _write(self, row: Permit, given: Given) -> None:
        now = self._now()
        before = self._open(row).refresh if row.sealed and not given.refresh else ""
        refresh = given.refresh or before  # a network that rotates none gives it once
        row.sealed = self._seal(given.access, refresh)
        row.serial += 1
        row.renewed_at = now
        row.renews = bool(refresh)
        row.expires = now + given.lasts if given.lasts else None
        if given.refresh_lasts:
            row.ends = now + given.refresh_lasts
        row.claim, row.claimed_at, row.tries = "", None, 0
        row.next_try, row.trouble, row.over = None, "", False

    def _row(self, channel: str) -> Permit | None:
        with self._store.reading() as session:
            return session.get(Permit, channel)

    def _seal(self, access: str, refresh: str) -> str:
        return Sealed(self._keys()).seal({"token": access, "refresh": refresh})

    def _open(self, row: Permit) -> Given:
        """Raises Refused where the office's key is gone, or another one."""
        if held := self._unwritten.get(row.channel):
            return held.given
        try:
            told = Sealed(self._keys()).open(row.sealed)
        except ValueError:
            raise Refused(
                "OUTREACH_SECRET_KEY does not open what the network gave us: put the right one "
                f"back, or connect anew: outreach connect {row.channel}"
            ) from None
        from outreach.config import never_in_logs

        never_in_logs(told["token"], told["refresh"])
        return Given(told["token"], told["refresh"])


def _due(row: Permit, now: datetime, *, force: bool = False) -> bool:
    if not row.renews or row.over or row.expires is None:
        return False
    if row.next_try and row.next_try > now and not force:
        return False
    return now >= row.expires - min((row.expires - row.renewed_at) / 2, EARLY)


def _words(row: Permit) -> str:
    why = row.trouble or f"its token ended on {row.expires:%Y-%m-%d %H:%M} UTC"
    return f"{why}: connect it anew with outreach connect {row.channel}"


class Live(Mapping[str, str]):
    """A channel's secrets; its `token` is the one of this moment, where it was connected so."""

    def __init__(self, secrets_: Mapping[str, str], token: Callable[[], str | None]) -> None:
        self._secrets, self._token = secrets_, token

    def __getitem__(self, name: str) -> str:
        if name == "token" and (token := self._token()) is not None:
            return token
        return self._secrets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._secrets)

    def __len__(self) -> int:
        return len(self._secrets)
