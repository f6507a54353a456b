"""The package for another office as a Word document: when, the embargo, text, pictures, link.

It has the report's form, so that a secretariat's papers look alike; python-docx's own blank
document does not pass a check against the standard.
"""

import copy
import io
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.image.exceptions import UnrecognizedImageError
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from PIL import Image

from outreach.post import Picture
from outreach.report.documents import word_template
from outreach.words import day

if TYPE_CHECKING:
    from outreach.handover.mails import Sheet

WIDTH, HEIGHT = Cm(15.9), Cm(14)  # the text's width; and so that two pictures stand on a page
RED = RGBColor(0xB3, 0x26, 0x1E)
_WORDS_SCRIPT = frozenset({"zh", "ja", "ko"})  # Word keeps the language of these scripts apart


def write(
    sheet: "Sheet",
    pictures: Iterable[tuple[str, Picture]],
    code: Picture | None,
    *,
    number: int,
    today: date,
) -> bytes:
    """A .docx file. `number` is which package of this post it is: the second replaces the first."""
    document = _blank()
    _say(document, "Distribution", "For publication on request")
    _say(document, "Distribution", day(today))
    _say(document, "Programme", sheet.office)
    if number > 1:
        _say(document, "Banner", f"Package {number}. It REPLACES the earlier one: discard that.")
    _say(document, "Title", f"For publication on {sheet.account}")
    _say(document, "Byline", f"Reference: {sheet.key}")
    _pair(document, "When: ", f"{sheet.wanted} ({sheet.wanted_written})")
    if sheet.embargo:
        _pair(document, "Embargo: ", f"not to be published before {sheet.embargo}", colour=RED)
    _pair(document, "Language: ", sheet.language)
    _say(document, "PackageHeading", "Text")
    for part in sheet.parts:
        for line in part.text.split("\n"):
            _say(document, "PackageText", line, language=part.language)
    pictures = list(pictures)
    if pictures:
        _say(document, "PackageHeading", "Pictures")
    for name, picture in pictures:
        _show(document, picture)
        _pair(document, f"{name}. Description: ", picture.alt or "none", style="TableSource")
        if picture.credit:
            _pair(document, "Credit: ", picture.credit, style="TableSource")
    if code and sheet.addresses:
        _say(document, "PackageHeading", "Link")
        _link(document, sheet.addresses[0])
        _show(document, code, most=Cm(3.5))
    _say(document, "PackageHeading", "When it is live")
    _say(
        document,
        "PackageText",
        "Please give its address, and the wording if you changed it, on this page. Whoever has its "
        "address can do so, for this post alone:",
    )
    _link(document, sheet.page)
    properties = document.core_properties
    properties.title = f"For publication on {sheet.account}: {sheet.key}"[:255]
    properties.author = properties.last_modified_by = sheet.office[:255]
    made = datetime.combine(today, time(), UTC).replace(tzinfo=None)
    properties.created = properties.modified = made
    properties.language = "en-GB"
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()


def _blank() -> Any:
    """The report's document without its text: styles, page and footer stay."""
    document = Document(io.BytesIO(word_template.build()))
    body = document.element.body
    for child in list(body):
        if child.tag != qn("w:sectPr"):
            body.remove(child)
    for paragraph in document.sections[0].header.paragraphs:
        for run in list(paragraph._p):
            if run.tag != qn("w:pPr"):
                paragraph._p.remove(run)
    text = document.styles.add_style("Package text", WD_STYLE_TYPE.PARAGRAPH)
    text.base_style = _named(document, "TableText")
    text.element.set(qn("w:styleId"), "PackageText")
    text.paragraph_format.keep_with_next = False  # a table's rows stay together, a letter's do not
    heading = document.styles.add_style("Package heading", WD_STYLE_TYPE.PARAGRAPH)
    heading.base_style = _named(document, "Subtitle")
    heading.element.set(qn("w:styleId"), "PackageHeading")
    heading.paragraph_format.space_before, heading.paragraph_format.space_after = Pt(14), Pt(4)
    level = OxmlElement("w:outlineLvl")  # a heading to whoever finds their way by ear
    level.set(qn("w:val"), "0")
    heading.element.get_or_add_pPr().append(level)
    return document


def _say(document: Any, style: str, text: str, *, language: str = "") -> Any:
    paragraph = document.add_paragraph(style=_named(document, style))
    run = paragraph.add_run(text)
    if language:
        mark = OxmlElement("w:lang")
        of = "w:eastAsia" if language.partition("-")[0] in _WORDS_SCRIPT else "w:val"
        mark.set(qn(of), language)
        run._r.get_or_add_rPr().append(mark)
    return paragraph


def _pair(
    document: Any,
    head: str,
    text: str,
    *,
    colour: RGBColor | None = None,
    style: str = "PackageText",
) -> None:
    paragraph = document.add_paragraph(style=_named(document, style))
    first = paragraph.add_run(head)
    first.bold = True
    second = paragraph.add_run(text)
    if colour is not None:
        first.font.color.rgb = second.font.color.rgb = colour
        second.bold = True


def _named(document: Any, style_id: str) -> Any:
    """A style by its id: its name is for people, and may change."""
    return next(style for style in document.styles if style.style_id == style_id)


def _show(document: Any, picture: Picture, *, most: Any = WIDTH) -> None:
    """A picture with its description, as Word reads it out."""
    paragraph = document.add_paragraph(style=_named(document, "PackageText"))
    run = paragraph.add_run()
    try:
        shape = run.add_picture(io.BytesIO(picture.data))
    except UnrecognizedImageError:  # WebP: attached as it is, shown as PNG
        made = io.BytesIO()
        Image.open(io.BytesIO(picture.data)).convert("RGBA").save(made, "PNG")
        made.seek(0)
        shape = run.add_picture(made)
    scale = min(most / shape.width, HEIGHT / shape.height)
    shape.width, shape.height = int(shape.width * scale), int(shape.height * scale)
    described = shape._inline.docPr
    described.set("descr", picture.alt or picture.file)
    described.set("name", picture.file)


def _link(document: Any, address: str) -> None:
    paragraph = document.add_paragraph(style=_named(document, "PackageText"))
    link = OxmlElement("w:hyperlink")
    to = document.part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    link.set(qn("r:id"), to)
    run = copy.deepcopy(paragraph.add_run(address)._r)
    paragraph._p.remove(paragraph.runs[0]._r)
    properties = run.get_or_add_rPr()
    for tag, value in (("w:color", "00618A"), ("w:u", "single")):
        mark = OxmlElement(tag)
        mark.set(qn("w:val"), value)
        properties.append(mark)
    link.append(run)
    paragraph._p.append(link)
