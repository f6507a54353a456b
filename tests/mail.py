"""A mail server on loopback that keeps what it is given."""

import socketserver
import threading
from contextlib import contextmanager
from email import message_from_bytes, policy


class Post(socketserver.StreamRequestHandler):
    """As much of SMTP as a mail needs. It writes with CRLF, and repeats what it refuses."""

    def handle(self):
        self._say("220 post.example.org")
        for line in self.rfile:
            said = line.decode().strip()
            verb = said.upper().partition(" ")[0]
            if verb == "EHLO":
                self._say("250-post.example.org\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                self._say(f"535 5.7.8 not with {self.server.password} ({said})")
            elif verb == "RCPT" and self.server.refuses:
                self._say("550 5.1.1 no such person")
            elif verb == "DATA":
                self._say("354 go on")
                mail = self._read()
                if self.server.declines:
                    self._say("451 4.3.0 later")
                    continue
                self.server.mails.append(mail)
                if self.server.loses:
                    return  # it has the mail, and its answer never arrives
                self._say("250 taken")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def _read(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b"."))
        return message_from_bytes(b"".join(lines), policy=policy.default)


class Server(socketserver.ThreadingTCPServer):
    """Its mails; `refuses` everybody, or the password that it says in its refusal. It `declines`
    a mail for now, or takes it and `loses` the answer."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Post)
        self.mails, self.refuses, self.password = [], False, "s3cret-of-the-office"
        self.declines = self.loses = False


@contextmanager
def mail_server():
    """One that answers for as long as the block lasts."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
