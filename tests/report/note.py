"""A note by the secretariat in Word, as one is: its numbers Word's own, or typed."""

import io

from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from outreach.report.documents import word_template

HEADINGS = {
    "I. BACKGROUND": "",
    "II. PROGRESS OF THE ACTIVITIES ON LOW CARBON CITIES": "",
    "Knowledge dissemination: Outreach": "",
    "III. ISSUES FOR CONSIDERATION": "",
}
TEXT = (
    "CONTENTS",
    "II. PROGRESS OF THE ACTIVITIES.............3",
    "Annex I. Concept note and programme",
    "Annex II. Outline of the Booklet",
    "Annex III. (draft) Activity plan",
    "I. BACKGROUND",
    "8# The transition towards low carbon and resilient cities is essential.",
    "II. PROGRESS OF THE ACTIVITIES ON LOW CARBON CITIES",
    "9# The forum will feature three sessions & explore how cities can act <now>.",
    "Knowledge dissemination: Outreach",
    "The NEASPEC secretariat has engaged in a series of outreach activities on social media to "
    "promote the forum.",
    "III. ISSUES FOR CONSIDERATION",
    "10# The meeting may wish to request member States to:",
    "(a) Express interest in hosting the forum in the coming years; and",
    "(b) Review and approve the proposed activity plan for 2026 (Annex III).",
    "11# The meeting may also wish to provide guidance.",
)


def note(*, typed: bool, text: tuple[str, ...] = TEXT) -> bytes:
    """A .docx; in `text`, "8# …" is a numbered paragraph."""
    document = Document(io.BytesIO(word_template.build()))
    body = document.element.body
    for child in list(body):
        if child.tag != qn("w:sectPr"):
            body.remove(child)
    for reference in list(body.sectPr):
        if reference.tag in (qn("w:headerReference"), qn("w:footerReference")):
            body.sectPr.remove(reference)
    styles = {style.style_id: style for style in document.styles}
    for line in text:
        number, numbered, rest = line.partition("# ")
        if numbered and not typed:
            document.add_paragraph(rest, style=styles["NumberedParagraph"])
            continue
        said = f"{number}. {rest}" if numbered else line
        paragraph = document.add_paragraph(style=styles["Normal"])
        run = paragraph.add_run(said)
        run.bold = line in HEADINGS or None
        size = OxmlElement("w:sz")
        size.set(qn("w:val"), "22")
        run._r.get_or_add_rPr().append(size)
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()
