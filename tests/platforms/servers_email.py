"""A mail server on loopback that lets one user in, keeps what it takes, and fails as servers do.

What it takes is in `mails`: to whom, and the parsed mail. `refuses`, `defers` and `loses` name
addresses: refused for good, for now, or taken without a word. `words` are what it says then.
"""

import base64
import re
import socketserver
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

USER, PASSWORD = "news@example.org", "s3cret-of-the-newsletter"


@dataclass
class EmailNetwork:
    """What the server holds, and how it fails: a fault's name under "publish" or "read", once."""

    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    refuses: dict[str, str] = field(default_factory=dict)
    defers: dict[str, str] = field(default_factory=dict)
    loses: set[str] = field(default_factory=set)
    hangs_up: set[str] = field(default_factory=set)  # at their address, before any text
    sender_refused: str = ""
    after: float = 0.0  # seconds that it takes for each mail
    most: int = 0  # mails over one connection; then 421
    utf8: bool = True
    password: str = PASSWORD
    lines: int = 0  # connections that were let in
    heard: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def next_fault(self):
        return self.faults.get("publish", "")

    @next_fault.setter
    def next_fault(self, fault):
        self.faults["publish"] = fault

    @property
    def texts(self):
        return [text_of(mail) for _, mail in self.mails]

    @property
    def alts(self):
        return [
            alt
            for _, mail in self.mails
            for alt in re.findall(r'<img [^>]*alt="([^"]*)"', html_of(mail))
        ]

    @property
    def readers(self):
        return [address for address, _ in self.mails]

    def copies(self, text):
        return self.texts.count(text)

    @contextmanager
    def serving(self):
        with Server(self) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            try:
                yield f"smtp://127.0.0.1:{server.server_address[1]}"
            finally:
                self.released.set()
                server.shutdown()
                thread.join()


def plain_of(mail):
    return mail.get_body(("plain",)).get_content().replace("\r\n", "\n")


def html_of(mail):
    return mail.get_body(("html",)).get_content().replace("\r\n", "\n")


def text_of(mail):
    """The cleared text that a mail was made of, as far as a reader sees it."""
    body = plain_of(mail).split("\n\n-- \n")[0]
    body = re.sub(r"(\n\n\[[^\n]*\][^\n]*)+$", "", body)
    subject = mail["Subject"]
    derived = subject.endswith("…") or body.startswith(subject)
    return body if derived else f"{subject}\n\n{body}"


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, block_on_close = True, True, False

    def __init__(self, network):
        self.network = network
        super().__init__(("127.0.0.1", 0), Talk)


class Talk(socketserver.StreamRequestHandler):
    """As much of SMTP as a newsletter needs."""

    @property
    def network(self) -> EmailNetwork:
        return self.server.network

    def handle(self):
        with suppress(OSError, StopIteration):
            self.talk()

    def talk(self):
        self.in_, self.to, self.took = False, "", 0
        self.say("220 post.example.org")
        for raw in self.rfile:
            said = raw.decode("utf-8", "replace").strip()
            self.network.heard.append(said)
            verb = said.upper().partition(" ")[0]
            if verb == "QUIT":
                return self.say("221 bye")
            if (answer := self.answer(verb, said)) is None:
                return None  # the connection ends
            if answer:
                self.say(answer)
        return None

    def answer(self, verb, said):
        network = self.network
        if verb == "EHLO":
            utf8 = "250-SMTPUTF8\r\n" if network.utf8 else ""
            return f"250-post.example.org\r\n{utf8}250-SIZE 10000000\r\n250 AUTH PLAIN"
        if verb == "AUTH":
            given = base64.b64decode(said.rpartition(" ")[2]).decode().split("\0")
            self.in_ = given[1:] == [USER, network.password]
            network.lines += self.in_
            return "235 welcome" if self.in_ else f"535 5.7.8 not with {given[-1]} ({said})"
        if verb == "NOOP":
            return self.fault(network.faults.pop("read", "")) or "250 ok"
        if verb == "MAIL":
            if not self.in_:
                return "530 5.7.0 sign in first"
            if network.most and self.took == network.most:
                self.say("421 4.7.0 that was enough over this line")
                return None
            return network.sender_refused or "250 ok"
        if verb == "RCPT":
            self.to = said.partition("<")[2].rpartition(">")[0]
            if network.next_fault in ("refused", "not now"):
                return self.fault(network.faults.pop("publish"))
            if self.to in network.hangs_up:
                return None
            wrong = network.refuses.get(self.to) or network.defers.get(self.to)
            return wrong or "250 ok"
        if verb == "DATA":
            return self.data()
        return "250 ok" if verb in ("RSET", "HELO") else "500 what?"

    def data(self):
        self.say("354 go on")
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b"."))
        else:
            return None
        time.sleep(self.network.after)
        fault = self.network.faults.pop("publish", "")
        before = ("lost before", "500 before")
        if fault not in before:
            mail = message_from_bytes(b"".join(lines), policy=policy.default)
            self.network.mails.append((self.to, mail))
        self.took += 1
        if self.to in self.network.loses:
            return None
        return self.fault(fault) or (None if fault.startswith("lost") else "250 2.0.0 taken as 1A")

    def fault(self, fault):
        """What it says, or does; "" where it says what it would, None where it hangs up."""
        if fault == "hang":
            self.network.released.wait(20)
            return None
        if fault == "drip":
            for _ in range(400):
                self.wfile.write(b"2")
                time.sleep(0.05)
                if self.network.released.is_set():
                    break
            return None
        return {
            "refused": "550 5.1.1 no such person",
            "not now": "451 4.7.1 come back later",
            "500 before": "554 5.7.1 not such a mail",
            "500 after": "554 5.7.1 not such a mail",
            "garbage": "<html>smtp://127.0.0.1</html>",
            "bad gateway": "HTTP/1.1 502 Bad Gateway",
        }.get(fault, "")

    def say(self, text):
        with suppress(OSError):
            self.wfile.write(f"{text}\r\n".encode())
