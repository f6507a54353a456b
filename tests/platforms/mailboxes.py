"""Real mailboxes on loopback: PyPI's mail-devel, with SMTP and IMAP, as nobody here wrote it; and a
wire before it that loses answers.

Everybody has a mailbox there, with one password for all.
"""

import email
import imaplib
import random
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import policy

from .counterparts import free_port, installed, running
from .servers_email import text_of

USER, PASSWORD = "news@example.org", "pw-of-the-newsletter"
MISSING = "the newsletter in real mailboxes, read back over IMAP, is unproven"


@dataclass
class Mailboxes:
    """One mail server. `base` is where the program sends, through the wire that fails."""

    smtp: int
    imap: int
    faults: dict[str, str] = field(default_factory=dict)
    share: float = 0.0  # of mails whose answer is lost after the final dot
    carried: int = 0  # mails that the server took, whoever was told
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - no secret

    def of(self, address):
        """Every mail in this mailbox, oldest first."""
        with imaplib.IMAP4("127.0.0.1", self.imap, timeout=20) as box:
            box.login(address, PASSWORD)
            box.select("INBOX", readonly=True)
            _, (numbers,) = box.search(None, "ALL")
            found = []
            for number in numbers.split():
                _, got = box.fetch(number.decode(), "(RFC822)")
                found.append(email.message_from_bytes(got[0][1], policy=policy.default))
            return found

    def texts(self, address):
        return [text_of(mail) for mail in self.of(address)]

    @property
    def imap_address(self):
        return f"imap://{USER.replace('@', '%40')}@127.0.0.1:{self.imap}/INBOX"

    @contextmanager
    def wire(self):
        """A way to the server that hangs up after the final dot, as often as `share` says."""
        with socket.create_server(("127.0.0.1", 0)) as door:
            door.settimeout(0.1)
            over = threading.Event()
            thread = threading.Thread(target=self._serve, args=(door, over), daemon=True)
            thread.start()
            try:
                yield f"smtp://127.0.0.1:{door.getsockname()[1]}"
            finally:
                over.set()
                thread.join()

    def _serve(self, door, over):
        while not over.is_set():
            with suppress(TimeoutError):
                ours, _ = door.accept()
                threading.Thread(target=self._carry, args=(ours,), daemon=True).start()

    def _carry(self, ours):
        """One connection: lines to the server, its answers back; an answer may be lost."""
        with ours, socket.create_connection(("127.0.0.1", self.smtp)) as theirs, suppress(OSError):
            asked, told = ours.makefile("rb"), theirs.makefile("rb")
            ours.sendall(told.readline())
            in_text = False
            for line in asked:
                theirs.sendall(line)
                if in_text and line != b".\r\n":
                    continue
                ended, in_text = in_text, False
                answer = told.readline()
                while answer[3:4] == b"-":
                    ours.sendall(answer)
                    answer = told.readline()
                self.carried += ended
                if ended and self.chance.random() < self.share:
                    return  # it is in the mailbox, and nobody is told
                ours.sendall(answer)
                in_text = answer.startswith(b"354")


@contextmanager
def mailboxes(folder):
    """The server, for as long as the block lasts; skipped where it is not installed."""
    program = installed("mail/bin/mail_devel", MISSING)
    made = Mailboxes(free_port(), free_port())
    command = [program, "--host", "127.0.0.1", "--user", USER, "--password", PASSWORD]
    command += ["--multi-user", "--auth-required", "--no-http"]
    command += ["--smtp-port", made.smtp, "--imap-port", made.imap]

    def ready():
        with (
            suppress(OSError),
            imaplib.IMAP4("127.0.0.1", made.imap, timeout=2),
            socket.create_connection(("127.0.0.1", made.smtp), timeout=2) as line,
        ):
            return line.recv(3) == b"220"
        return False

    folder.mkdir(parents=True, exist_ok=True)
    with running(command, ready, folder):
        yield made
