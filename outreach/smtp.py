"""The one way to a mail server: notices, alarms, the doctor and newsletters all go through here.

An answer has to end in time, and not only to go on: a server that drips a letter a second would
hold a channel for ever. smtplib's own time-out begins anew with every byte.
"""

import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Server:
    """A mail server and how it lets us in. `security` is "starttls", "tls" or "none"."""

    host: str
    port: int
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)

    def scrubbed(self, text: str) -> str:
        """The text without our password: a server may repeat what it was sent."""
        return text.replace(self.password, "***") if self.password else text


@contextmanager
def connected(server: Server, timeout: float) -> Iterator["Line"]:
    """A connection that is let in; whatever becomes of it, it is closed. Each answer has `timeout`
    seconds, from connecting on.

    Raises OSError where the server cannot be reached or goes away, SMTPException where it refuses.
    """
    context = ssl.create_default_context()
    line: Line
    if server.security == "tls":
        line = _Encrypted(server.host, server.port, timeout=timeout, context=context)
    else:
        line = Line(server.host, server.port, timeout=timeout)
    try:
        if server.security == "starttls":
            line.starttls(context=context)
        if server.user:
            line.login(server.user, server.password)
        yield line
        with suppress(OSError, smtplib.SMTPException):  # it has what we came to give
            line.quit()
    finally:
        line.close()


class _Lines:
    """A server's lines, all of one answer until `until`, on this process's own clock."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._held, self.until = sock, b"", 0.0

    def readline(self, most: int) -> bytes:
        while b"\n" not in self._held and len(self._held) < most:
            left = self.until - time.monotonic()
            if left <= 0:
                raise TimeoutError("its answer did not end in time")
            self._sock.settimeout(left)
            some = self._sock.recv(8192)
            if not some:
                break
            self._held += some
        end = self._held.find(b"\n") + 1 or len(self._held)
        line, self._held = self._held[: min(end, most)], self._held[min(end, most) :]
        return line

    def close(self) -> None:
        self._held = b""


class Line(smtplib.SMTP):
    """A connection. `fence` is asked as the last thing before a mail's text leaves, and may raise;
    once it has `begun` to leave, the mail may arrive, whatever we hear."""

    file: Any  # smtplib's own, which reads for ever
    sock: Any
    begun = False
    fence: Callable[[], None] = staticmethod(lambda: None)

    def data(self, msg: Any) -> tuple[int, bytes]:
        """As smtplib's: SMTPDataError where the server wants no text. `msg` is bytes."""
        self.fence()
        code, said = self.docmd("DATA")
        if code != 354:
            raise smtplib.SMTPDataError(code, said)
        return self.text(msg)

    def text(self, data: bytes) -> tuple[int, bytes]:
        """Send a mail's bytes and the final dot; what the server says to that."""
        quoted = smtplib._quote_periods(data)  # type: ignore[attr-defined] # as smtplib's `data`
        self.begun = True
        self.send(quoted + (b"" if quoted.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        return self.getreply()

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Lines(self.sock)
        if isinstance(self.file, _Lines):
            self.file.until = time.monotonic() + self.timeout
        try:
            return super().getreply()
        finally:
            if self.sock is not None:
                self.sock.settimeout(self.timeout)


class _Encrypted(smtplib.SMTP_SSL, Line):
    pass
