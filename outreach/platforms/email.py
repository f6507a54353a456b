"""
The e-mail newsletter: one post is a mailing, and each of its readers is written to once.

    claim     a reader's row says *sending*, committed before the server hears of them
    send      MAIL, RCPT; the fence; DATA and the text
    over      what the server said of this one reader; or *in doubt*, which is never sent again

SMTP takes no key and shows no history. So what is in doubt stays so, and is counted and listed;
everybody else goes on. A mailing may need several calls of `publish`: each ends with its lease, a
hold, or our end, and the next one finds those who still wait. The server's refusals are told
apart: one of a reader is theirs alone; several in a row, without a yes between, are the server's.
"""

import smtplib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from typing import ClassVar, Final
from urllib.parse import urlsplit

from outreach import smtp
from outreach.bounces import Bounce, fetch, without_addresses
from outreach.errors import CannotTell, NotFound, NotNow, PlatformError, Refused, Uncertain
from outreach.platforms import (
    Account,
    Ask,
    Done,
    Fate,
    Figures,
    How,
    Limits,
    Progress,
    Reader,
    Readers,
    Receipt,
)
from outreach.platforms.email_text import LAYOUT, letter, preview
from outreach.post import Part

SECURITY: Final = ("starttls", "tls", "none")
IN_A_ROW: Final = 5  # refusals of readers, after which it is the server that refuses
LOST: Final = 3  # answers in a row that never came, after which a person looks at the server
A_LINE: Final = 100  # mails over one connection; many servers take no more
AGAIN: Final = timedelta(seconds=30)  # a server that hung up is asked again then
SLOWER: Final = timedelta(minutes=5)  # one that asks everybody to wait


Answer = Callable[..., tuple[int, bytes]]


class Email:
    """One newsletter of an office, sent through one mail server."""

    limits: Limits = Limits(
        text=20_000,
        pictures=5,
        picture_bytes=1_000_000,  # many mailboxes take no mail over 10 MB
        picture_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        deadline=180.0,
        visible=timedelta(0),  # what became of each reader stands in our own database
        repeats=True,  # a reader is written to once for a token
    )
    offers: frozenset[str] = frozenset({"sent", "bounced", "unsubscribed", "followers"})
    needs: ClassVar = ("password", "bounces_password")
    asks: ClassVar = (
        *("from", "reply-to", "host", "port", "security", "user", "mails-per-second"),
        "bounces",
    )
    public: ClassVar = True
    how: ClassVar = How(
        steps=(
            "Whoever keeps the mail server gives you the password of the `user` in the channel's "
            "table, or an app password where that account has a second factor.",
        ),
        asks=(
            Ask("password", "the mail server's password"),
            Ask("bounces_password", "the password of the mailbox of `bounces`"),
        ),
        nothing="its table names no user of the mail server, and no mailbox for what comes back",
    )
    lasts: ClassVar = "a mail that was sent cannot be taken back"

    timeout: ClassVar = 20.0  # seconds for each of the server's answers

    def __init__(self, account: Account) -> None:
        options = account.options
        self._account = account
        self._sender = options.get("from", "").strip()
        self._reply_to = options.get("reply-to", "").strip()
        base = urlsplit(account.base)
        security = options.get("security", "starttls")
        self._server = smtp.Server(
            base.hostname or options.get("host", ""),
            base.port or int(options.get("port", "0")) or (465 if security == "tls" else 587),
            "none" if account.base else security,
            options.get("user", ""),
            account.secrets.get("password", ""),
        )
        self._gap = 1 / float(options.get("mails-per-second", "") or 5)  # seconds
        if not options.get("bounces"):
            self.offers = self.offers - {"bounced"}  # nobody reads what comes back
        # What the program puts around a text belongs to what is cleared, too.
        self.account = f"email {self._sender or account.channel}, layout {LAYOUT}"
        if account.readers:
            self.account += f", footer {account.readers.stamp()}"
        self._lost = 0

    @staticmethod
    def mistakes(options: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
        """Option, what is wrong with it, and what to do."""
        for name in ("from", "reply-to"):
            value = options.get(name, "")
            if value not in ("", "tbc") and not _an_address(value):
                yield (
                    name,
                    f"{value!r} is no sender",
                    f'write {name} = "NEASPEC <news@example.org>"',
                )
        for name in ("from", "host"):
            if name not in options:
                yield name, f"{name} is missing", f'write {name} = "…", or "tbc" until it is known'
        if options.get("security", "tls") not in SECURITY:
            what = f"security cannot be {options['security']!r}"
            yield "security", what, f"known are: {', '.join(SECURITY)}"
        port = options.get("port", "587")
        if not port.isdigit() or not 0 < int(port) < 65_536:
            yield "port", f"port cannot be {port!r}", "write port = 587"
        if not _a_rate(options.get("mails-per-second", "5")):
            what = f"mails-per-second cannot be {options['mails-per-second']!r}"
            yield "mails-per-second", what, "write mails-per-second = 5"
        bounces = options.get("bounces", "by hand")
        where = urlsplit(bounces)
        if bounces not in ("by hand", "tbc") and not (
            where.scheme in ("imap", "imaps") and where.hostname and where.username
        ):
            hint = 'write "imaps://USER@imap.example.org/INBOX", or "by hand"'
            yield "bounces", f"{bounces!r} is no mailbox", hint

    @staticmethod
    def secrets_for(options: Mapping[str, str]) -> tuple[str, ...]:
        """A password wherever it signs in."""
        signs_in = {
            "password": bool(options.get("user")),
            "bounces_password": options.get("bounces", "").startswith("imap"),
        }
        return tuple(name for name, needed in signs_in.items() if needed)

    def unfit(self) -> tuple[str, str] | None:
        """Without a public page nobody could unsubscribe; and every language needs its words."""
        if not self._account.public:
            why = "its readers could not unsubscribe: there is no public-url"
            return why, "set public-url of [web] once an https address leads to this desk"
        if language := self._readers.unwritten():
            why = f"nobody has written what stands below a newsletter in {language}"
            return why, f"write a table [{language}] in config/newsletter.toml, as [en] is"
        if language := self._readers.unread():
            why = f"nobody has read the words that stand around a newsletter in {language}"
            hint = f"a colleague who speaks it reads [{language}] in config/newsletter.toml, and "
            return why, hint + "writes their name there as `reviewer`"
        return None

    # --- publishing ------------------------------------------------------------------------

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Write to everybody who waits; a receipt once nobody does.

        NotNow says how far it is. Uncertain where it is not known whether one reader has it: they
        are in doubt from then on, and the next call goes on with the others.
        """
        if not part.token:
            raise Refused("a mailing goes by its part's token, and this part has none")
        if not self._account.public:
            raise Refused("; ".join(self.unfit() or ()))
        readers = self._readers
        words = self._words(part.language)
        known = readers.progress(part.token)
        if known and not known.of(Fate.WAITING, Fate.SENDING):
            return self._ended(part.token)
        try:
            while True:
                with self._line() as line:
                    begun = readers.begin(part.token, part.language)
                    if not begun.all:
                        raise Refused(f"nobody has subscribed in {part.language} yet")
                    if not self._some(line, part, words):
                        break
        except NotNow as error:
            raise self._so_far(part.token, error) from error
        return self._ended(part.token)

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """What our own rows say: it is out, or it never began.

        NotNow where some of its readers still wait. CannotTell where nobody surely has it, and
        somebody may.
        """
        progress = self._readers.progress(part.token)
        if progress is None:
            return None
        if waiting := progress.of(Fate.WAITING, Fate.SENDING):
            done = progress.all - waiting
            raise NotNow(f"{done:,} of {progress.all:,} are done: it goes on", timedelta(0))
        if not progress.of(Fate.SENT) and progress.of(Fate.DOUBT):
            raise CannotTell(
                f"{self._server.host} may have taken it for {progress.of(Fate.DOUBT):,}, and "
                f"surely for nobody: look in its log for {self._number(part.token, '…')}, "
                f"“{part.text.strip().partition(chr(10))[0][:80]}”; if it went out, it is "
                f"live at {self._receipt(part.token, progress).url}"
            )
        if not progress.of(Fate.SENT):
            return None
        return self._receipt(part.token, progress)

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """How many mails the server took, and what came back of them."""
        found = {}
        for receipt in receipts:
            if progress := self._readers.progress(receipt.id):
                told = self._readers.told_since(receipt.id)
                every = {"sent": progress.of(Fate.SENT), **told}
                found[receipt.id] = {name: every[name] for name in every if name in self.offers}
        return found

    def audience(self) -> Figures:
        """How many have confirmed that they want it."""
        return {"followers": self._readers.count()}

    def check(self) -> str:
        """Sign in to the mail server, and send nothing."""
        with self._line() as line:
            code, said = self._asked(line.noop)
            self._must(code, said, "does not serve us")
        count = self._readers.count()
        return f"{self.account}: {self._server.host} lets us in; {count:,} subscribed"

    def invite(self, address: str, language: str, link: str) -> None:
        """Ask somebody, in a mail of their own, whether it was they who subscribed."""
        words = self._words(language)
        text = f"{words['confirm-subject']}\n\n{words['confirm-text'].format(link=link)}"
        domain = parseaddr(self._sender)[1].rpartition("@")[2]
        mail = letter(
            Part(text, language),
            sender=self._sender,
            to=address,
            number=f"<{link.rpartition('/')[2][:16]}.confirm@{domain}>",
            at=self._account.now(),
            words={**words, "footer": words["title"]},
            headers={"Auto-Submitted": "auto-generated"},
        )
        with self._line() as line:
            fate, why, _ = self._send(line, address, mail, Part(text))
        if fate is Fate.REFUSED:
            raise Refused(why)
        if fate is Fate.DOUBT:
            raise Uncertain(why)
        if fate is not Fate.SENT:
            raise NotNow(why)

    def returned(self) -> list[Bounce]:
        """What has come back to the mailbox of `bounces` since it was last read.

        Raises Unusable where it cannot be read.
        """
        where = self._account.options.get("bounces", "")
        if not where.startswith("imap"):
            return []
        return fetch(where, self._account.secrets.get("bounces_password", ""))

    def preview(self, part: Part) -> Mapping[str, bytes]:
        """The mail as a file for mail programs, and its HTML for browsers."""
        reader = Reader(0, "reader@example.org", "PREVIEW", "preview", "")
        words = self._words(part.language)
        page = preview(part, self._sender, words, self._leave(reader))
        return {
            "mail.eml": self._mail(part, reader, words).as_bytes(),
            "mail.html": page.encode(),
        }

    # --- one mailing -----------------------------------------------------------------------

    def _some(self, line: smtp.Line, part: Part, words: Mapping[str, str]) -> bool:
        """Write to as many as one connection takes; whether there may be more."""
        readers, in_a_row, slower = self._readers, 0, 0
        done: Done | None = None  # written down with the next claim
        for _ in range(A_LINE):
            began = time.monotonic()
            reader = readers.next(part.token, part.language, done)
            done = None
            if reader is None:
                return False
            try:
                mail = self._mail(part, reader, words)
                fate, why, hard = self._send(line, reader.address, mail, part)
            except _HungUp as error:  # perhaps at this very address: the others come first
                readers.over(Done(reader, Fate.WAITING, str(error)))
                raise
            except (NotNow, Refused) as error:  # it was not about this reader: nothing left
                readers.over(Done(reader, Fate.SENDING, str(error)))
                raise
            done = Done(reader, fate, why, hard)
            wait = self._gap - (time.monotonic() - began)
            if fate is not Fate.SENT or wait > 0:  # what is known is not kept in mind meanwhile
                readers.over(done)
                done = None
            if fate is Fate.DOUBT:
                self._lost += 1
                if self._lost >= LOST and self._more(part.token):
                    lost, self._lost = self._lost, 0
                    raise Refused(
                        f"{self._server.host} took {lost} mails in a row and never said so: those "
                        "readers are in doubt. See what it does with mails, and then go on with "
                        "the others"
                    )
                raise Uncertain(f"one reader is in doubt: {why}")
            if fate is Fate.SENT:
                in_a_row = slower = self._lost = 0
            in_a_row += fate is Fate.REFUSED
            slower += fate is Fate.WAITING
            if in_a_row == IN_A_ROW:
                readers.again(part.token)
                raise Refused(f"{self._server.host} refuses one reader after the other: {why}")
            if slower == IN_A_ROW:
                raise NotNow(f"{self._server.host}: {why}", SLOWER, everything=True)
            time.sleep(max(0.0, wait))
        if done:
            readers.over(done)
        return True

    def _send(
        self, line: smtp.Line, address: str, mail: EmailMessage, part: Part
    ) -> tuple[Fate, str, bool]:
        """One mail to one address: its fate, why, and whether the address itself is no good.

        Raises Refused and NotNow for what does not concern this address.
        """
        if not address.isascii() and not line.has_extn("smtputf8"):
            return Fate.REFUSED, "our mail server takes no addresses with such letters", False
        data = mail.as_bytes()
        options = [] if address.isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
        if line.has_extn("size"):
            options.append(f"SIZE={len(data)}")
        sender = parseaddr(self._sender)[1]
        code, said = self._asked(line.mail, sender, options)
        self._must(code, said, f"takes no mail from {sender}")
        code, said = self._asked(line.rcpt, address)
        if code == 421:
            self._must(code, said, "")
        if code not in (250, 251):
            self._asked(line.rset)
            return self._fate(code, said)
        part.fence(3 * self.timeout)
        code, said = self._asked(line.docmd, "DATA")
        if code == 421:
            self._must(code, said, "")
        if code != 354:
            self._asked(line.rset)
            return self._fate(code, said)
        try:
            code, said = self._asked(line.text, data, begun=True)
        except Uncertain as error:
            return Fate.DOUBT, str(error), False
        if code == 250:
            return Fate.SENT, _words(said), False
        if not 400 <= code < 600:
            line.close()
            return Fate.DOUBT, f"{self._server.host} answered what is no answer", False
        return self._fate(code, said)

    def _fate(self, code: int, said: bytes) -> tuple[Fate, str, bool]:
        """What a refusal of one address means. Nothing was taken."""
        why = self._server.scrubbed(f"{code} {_words(said)}")
        if not 500 <= code < 600:
            return Fate.WAITING, why, False
        kind = _words(said).partition(" ")[0]
        if kind.startswith("5."):
            hard = kind.startswith("5.1.") or kind == "5.2.1"
        else:
            hard = code in (550, 551, 553)
        return Fate.REFUSED, why, hard

    def _ended(self, token: str) -> Receipt:
        """A receipt where nobody waits any more."""
        progress = self._readers.progress(token)
        if progress is None:
            raise Uncertain("its readers are not known any more")
        if waiting := progress.of(Fate.WAITING):
            wait = AGAIN
            if progress.again_at:
                wait = max(progress.again_at - self._account.now(), timedelta(seconds=1))
            raise self._so_far(token, NotNow(f"{waiting:,} to be asked for again later", wait))
        if progress.of(Fate.SENT):
            return self._receipt(token, progress)
        if progress.of(Fate.DOUBT):
            raise Uncertain("nobody surely has it, and somebody may")
        self._readers.again(token)
        raise Refused("nobody could be written to: every address was refused or has left")

    def _so_far(self, token: str, error: NotNow) -> NotNow:
        progress = self._readers.progress(token) or Progress({})
        done = progress.all - progress.of(Fate.WAITING, Fate.SENDING)
        told = f"{done:,} of {progress.all:,} are done; {error}" if done else str(error)
        return NotNow(told, error.wait, everything=error.everything)

    def _more(self, token: str) -> bool:
        progress = self._readers.progress(token)
        return progress is not None and progress.of(Fate.WAITING) > 0

    def _receipt(self, token: str, progress: Progress) -> Receipt:
        return Receipt(token, f"mid:{self._number(token, '')[1:-1]}", progress.over_at)

    def _mail(self, part: Part, reader: Reader, words: Mapping[str, str]) -> EmailMessage:
        domain = parseaddr(self._sender)[1].rpartition("@")[2]
        leave = self._leave(reader)
        headers = {
            "List-Id": f"{words['title']} <{self._account.channel}.{domain}>",
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Precedence": "list",
        }
        if self._reply_to:
            headers["Reply-To"] = self._reply_to
        return letter(
            part,
            sender=self._sender,
            to=reader.address,
            number=self._number(part.token, reader.digest),
            at=self._account.now(),
            words=words,
            leave=leave,
            headers=headers,
        )

    def _leave(self, reader: Reader) -> str:
        return f"{self._account.public}/leave/{reader.ref}"

    def _number(self, token: str, digest: str) -> str:
        """A mail's Message-ID; without `digest`, what those of one mailing have in common."""
        domain = parseaddr(self._sender)[1].rpartition("@")[2]
        return f"<{token}.{digest}@{domain}>" if digest else f"<{token}@{domain}>"

    def _words(self, language: str) -> Mapping[str, str]:
        try:
            return self._readers.words(language)
        except NotFound as error:
            raise Refused(f"{error}; {error.hint}") from error

    @property
    def _readers(self) -> Readers:
        if self._account.readers is None:
            raise Refused("this channel has no list of readers")
        return self._account.readers

    # --- the server ------------------------------------------------------------------------

    @contextmanager
    def _line(self) -> Iterator[smtp.Line]:
        """A connection to the server, signed in."""
        failed: PlatformError | None = None
        opened = False
        try:
            with smtp.connected(self._server, self.timeout) as line:
                opened = True
                yield line
        except smtplib.SMTPAuthenticationError as error:
            # Its words are left out: they may repeat what they were sent, in base64.
            if opened:
                raise
            code = error.smtp_code
            failed = Refused(
                f"{self._server.host} refuses the user {self._server.user} and the password "
                f"({code}): make a new one, or correct `user`"
            )
            if not 500 <= code < 600:
                failed = NotNow(f"{self._server.host} lets nobody in now ({code})", AGAIN)
        except (OSError, smtplib.SMTPException) as error:
            if opened:
                raise
            told = self._server.scrubbed(_why(error))
            told = f"{self._server.host} cannot be reached: {told}"
            failed = NotNow(told, AGAIN, everything=True)
            if isinstance(error, smtplib.SMTPNotSupportedError):
                failed = Refused(
                    f"{self._server.host} does not let us sign in this way: "
                    f"{self._server.scrubbed(_why(error))}; see its `security` and `user`"
                )
        if failed:  # outside, so that no error of the library hangs on to it
            raise failed

    def _asked(self, ask: Answer, *given: object, begun: bool = False) -> tuple[int, bytes]:
        """The server's answer. NotNow where there is none; Uncertain once the text has `begun`."""
        try:
            return ask(*given)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            told = self._server.scrubbed(_why(error))
        if begun:
            raise Uncertain(f"{self._server.host} did not say whether it took it: {told}")
        raise _HungUp(f"{self._server.host} hung up: {told}", AGAIN)

    def _must(self, code: int, said: bytes, what: str) -> None:
        """Raises unless the server said yes."""
        words = self._server.scrubbed(_words(said))
        if 200 <= code < 300:
            return
        if 500 <= code < 600:
            raise Refused(f"{self._server.host} {what}: {code} {words}")
        raise NotNow(f"{self._server.host} asks us to wait: {code} {words}", AGAIN, everything=True)


class _HungUp(NotNow):
    """The server went away before it had any text."""


def _words(said: bytes) -> str:
    """One line of a server's answer, for a row and a person; without the address that it quotes."""
    return without_addresses(" ".join(said.decode("utf-8", "replace").split()))[:200]


def _why(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {_words(said if isinstance(said, bytes) else said.encode())}"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _an_address(value: str) -> bool:
    name, _, domain = parseaddr(value)[1].rpartition("@")
    return bool(name and "." in domain) and "\n" not in value


def _a_rate(value: str) -> bool:
    try:
        return 0.01 <= float(value) <= 1000
    except ValueError:
        return False
