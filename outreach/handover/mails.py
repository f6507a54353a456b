"""What people are sent: a task as a mail or in the staff chat, a package, and what changes it.

A mail has everything: the text, alone to be copied, the pictures as they were cleared, their
descriptions, the address as a QR code, and how to say where the post is. Nothing of it is ever
taken as markup: texts are escaped, and a header is one line.
"""

import hashlib
import io
import re
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from email.utils import formatdate
from functools import cache
from pathlib import Path
from typing import Any

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from outreach.platforms.manual import Network, networks
from outreach.post import Part, Picture
from outreach.store.tables import Errand

MOST = 20_000_000  # bytes of pictures in one mail; many servers take 25 MB, and base64 adds a third


@dataclass(frozen=True)
class Sheet:
    """Everything that a person needs to publish one post. Instants are in the office's words."""

    key: str
    account: str
    title: str = ""
    language: str = "en"
    parts: tuple[Part, ...] = ()
    due: str = ""
    wanted: str = ""  # when another office is asked to publish it, or ""
    wanted_written: str = ""  # "2025-10-01 10:00 Asia/Seoul"
    embargo: str = ""  # the same
    addresses: tuple[str, ...] = ()  # those that its text prints
    link_goes: str = ""  # where the network wants the address, if not in the text
    like: str = "https://…"  # how the address of a post looks there
    page: str = ""
    office: str = ""

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(picture for part in self.parts for picture in part.pictures)

    @property
    def text(self) -> str:
        return "\n\n".join(part.text for part in self.parts)

    @property
    def command(self) -> str:
        """How somebody at the desk says where the post is."""
        return f"outreach settle {self.key} --live ADDRESS"


def network_of(name: str) -> Network | None:
    """What is known of the network of a manual channel."""
    return networks().get(name)


def picture_of(address: str) -> Picture:
    """A QR code of an address, as a picture."""
    data = io.BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(data, kind="png", scale=8, border=4)
    width, height = code.symbol_size(scale=8, border=4)
    made = data.getvalue()
    return Picture(
        file="qr.png",
        sha256=hashlib.sha256(made).hexdigest(),
        type="image/png",
        width=int(width),
        height=int(height),
        size=len(made),
        alt=f"QR code of {address}",
        data=made,
    )


def names(sheet: Sheet) -> list[tuple[str, Picture]]:
    """The pictures with a name for each file, in their order."""
    return [(f"{n}-{p.name}", p) for n, p in enumerate(sheet.pictures, 1)]


def letter(errand: Errand, sheet: Sheet, *, sender: str, to: str, before: str) -> EmailMessage:
    """One errand as a mail; `before` is the Message-ID of the package that it is about, or ""."""
    message = _begun(errand.subject, sender, to, f"errand {errand.about}")
    if before:
        message["In-Reply-To"] = message["References"] = before
    whole = errand.kind in ("task", "reminder") and "@" not in errand.to
    message.set_content(_plain(errand, sheet, whole=whole))
    code = picture_of(sheet.addresses[0]) if whole and sheet.addresses else None
    html = _page("mail.html", errand=errand, sheet=sheet, whole=whole, code=code)
    message.add_alternative(html, subtype="html")
    if code:
        page: Any = message.get_payload(1)
        page.add_related(code.data, "image", "png", cid="<qr>", filename="qr.png")
    if whole:
        _attach_pictures(message, sheet)
        _attach_text(message, sheet)
    return message


def package(
    sheet: Sheet,
    *,
    sender: str,
    to: str,
    message_id: str,
    before: str,
    number: int,
    today: date,
) -> EmailMessage:
    """What another office is asked to publish; `before` is the package that it replaces, or ""."""
    from outreach.handover import word  # Word is heavy, and needed for packages alone

    replaces = number > 1
    head = "REPLACES the earlier package: " if replaces else ""
    subject = f"{head}please publish on {sheet.wanted_written}: {sheet.key}"
    message = _begun(subject[:1].upper() + subject[1:], sender, to, "")
    del message["Message-ID"], message["Auto-Submitted"]
    message["Message-ID"] = message_id
    if before:
        message["In-Reply-To"] = message["References"] = before
    given = {"sheet": sheet, "replaces": replaces, "number": number}
    message.set_content(_page("package.txt", **given))
    message.add_alternative(_page("package.html", **given), subtype="html")
    code = picture_of(sheet.addresses[0]) if sheet.addresses else None
    data = word.write(sheet, names(sheet), code, number=number, today=today)
    kind = "vnd.openxmlformats-officedocument.wordprocessingml.document"
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", sheet.key).strip("-")
    message.add_attachment(data, "application", kind, filename=f"{name}.docx")
    _attach_pictures(message, sheet)
    return message


def in_chat(errand: Errand, sheet: Sheet) -> str:
    """What the staff chat is told first; the text follows by itself, to be copied."""
    lines = [errand.subject, errand.words]
    if errand.kind == "task":
        if sheet.link_goes and sheet.addresses:
            lines.append(f"The link {sheet.addresses[0]}: {sheet.link_goes}.")
        lines.append("The text, to be copied, and the pictures follow.")
    if sheet.page:
        lines.append(f"When it is live, give its address here: {sheet.page}")
    if errand.kind not in ("recall", "delete"):
        lines.append(f"Or at the desk: {sheet.command}")
    return "\n\n".join(lines)


def _begun(subject: str, sender: str, to: str, about: str) -> EmailMessage:
    from outreach.notices import message_id

    message = EmailMessage()
    message["From"], message["To"] = sender, to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = formatdate()
    message["Message-ID"] = message_id(about, sender)
    message["Auto-Submitted"] = "auto-generated"
    return message


def _plain(errand: Errand, sheet: Sheet, *, whole: bool) -> str:
    return _page("mail.txt", errand=errand, sheet=sheet, whole=whole)


def _attach_pictures(message: EmailMessage, sheet: Sheet) -> None:
    """As many as a mail holds; the page has them all."""
    size = 0
    for name, picture in names(sheet):
        size += len(picture.data)
        if size > MOST:
            break
        main, _, sub = picture.type.partition("/")
        message.add_attachment(picture.data, main, sub, filename=name)


def _attach_text(message: EmailMessage, sheet: Sheet) -> None:
    message.add_attachment(sheet.text + "\n", filename="text.txt")


@cache
def _templates() -> tuple[Environment, Environment]:
    """Plain texts, and pages: what stands in these is escaped."""
    loader = FileSystemLoader(Path(__file__).parent)
    given: dict[str, Any] = {
        "loader": loader,
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "keep_trailing_newline": True,
    }
    plain = Environment(autoescape=False, **given)  # noqa: S701 # a text has no markup
    return plain, Environment(autoescape=True, **given)


def _page(name: str, **values: Any) -> str:
    plain, html = _templates()
    of = html if name.endswith(".html") else plain
    return of.get_template(name).render(values, names=names(values["sheet"]))
