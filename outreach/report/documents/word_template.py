"""Makes templates/reports/monthly.docx: the note of a secretariat, with tags in it.

    python -m outreach.report.documents.word_template templates/reports/monthly.docx

Run it when the form itself changes; an office edits its own copy in Word. Built from nothing, since
the blank document of python-docx does not pass a check against the standard (ECMA-376). The form:
A4, Times New Roman 12, numbered paragraphs, headings I. and A., tables with rules at the top, under
the heads and at the bottom, lower-case notes, and real styles throughout. Numbers of headings and
paragraphs are Word's own: whatever an officer takes out, they stay right.
"""

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
PAGE_WIDTH, PAGE_HEIGHT, MARGIN = 11906, 16838, 1417  # A4 and 25 mm, in twentieths of a point
TEXT_WIDTH = PAGE_WIDTH - 2 * MARGIN


def build() -> bytes:
    """The template's bytes; the same every time."""
    parts = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _package_relations(),
        "docProps/core.xml": _core(),
        "docProps/app.xml": _app(),
        "word/document.xml": _document(),
        "word/styles.xml": _styles(),
        "word/numbering.xml": _numbering(),
        "word/settings.xml": _settings(),
        "word/fontTable.xml": _fonts(),
        "word/theme/theme1.xml": _theme(),
        "word/header1.xml": _header(),
        "word/footer1.xml": _footer(),
        "word/_rels/document.xml.rels": _document_relations(),
    }
    output = io.BytesIO()
    with ZipFile(output, "w", ZIP_DEFLATED) as package:
        for name, text in parts.items():
            entry = ZipInfo(name, date_time=(2025, 1, 1, 0, 0, 0))
            entry.compress_type = ZIP_DEFLATED
            package.writestr(entry, HEAD + text)
    return output.getvalue()


# The document's text


def _document() -> str:
    body = [
        _tag("if report.symbol"),
        _paragraph("Distribution", "{{ report.symbol }}"),
        _tag("endif"),
        _paragraph("Distribution", "Distr.: {{ report.distribution }}"),
        _paragraph("Distribution", "{{ report.dated }}"),
        _paragraph("Distribution", "{{ report.languages }}"),
        _paragraph("Programme", "{{ report.programme }}"),
        _tag("if report.sample"),
        _paragraph("Banner", "{{ report.sample }}"),
        _tag("endif"),
        _paragraph("Title", "{{ report.title }}"),
        _paragraph("Subtitle", "{{ report.subtitle }}"),
        _paragraph("Byline", "Prepared by: {{ report.office }}"),
        _paragraph("SummaryHeading", "Summary"),
        *_each("Summary", "report.summary"),
        *_each("SummaryNote", "report.completeness"),
        _tag("for section in report.sections"),
        _tag("if section.annex"),
        _paragraph("AnnexHeading", "{{ section.title }}"),
        _tag("elif section.level == 1"),
        _paragraph("Heading1", "{{ section.title }}"),
        _tag("else"),
        _paragraph("Heading2", "{{ section.title }}"),
        _tag("endif"),
        *_each("NumberedParagraph", "section.paragraphs"),
        _tag("for chart in section.charts"),
        *_chart(),
        _tag("endfor"),
        _tag("for table in section.tables"),
        *_table(),
        _tag("endfor"),
        _tag("endfor"),
        _paragraph(
            "TableSource",
            "Two dots (..) mean that a figure is not available, an em dash (—) that it is nil, "
            "and a hyphen (-) that it is not applicable. Percentages are given on a base of 30 "
            "and more.",
        ),
    ]
    section = (
        '<w:sectPr><w:headerReference w:type="default" r:id="rId5"/>'
        '<w:footerReference w:type="default" r:id="rId6"/>'
        '<w:footerReference w:type="first" r:id="rId6"/>'
        f'<w:pgSz w:w="{PAGE_WIDTH}" w:h="{PAGE_HEIGHT}"/>'
        f'<w:pgMar w:top="{MARGIN}" w:right="{MARGIN}" w:bottom="{MARGIN}" w:left="{MARGIN}"'
        ' w:header="709" w:footer="709" w:gutter="0"/><w:titlePg/></w:sectPr>'
    )
    return (
        f'<w:document xmlns:w="{W}" xmlns:r="{R}"><w:body>{"".join(body)}{section}</w:body>'
        "</w:document>"
    )


def _run(text: str, properties: str = "") -> str:
    inner = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{inner}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def _paragraph(style: str, *texts: str, runs: str = "") -> str:
    content = "".join(_run(text) for text in texts) + runs
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{content}</w:p>'


def _tag(statement: str, scope: str = "p") -> str:
    """A paragraph that holds a statement only: docxtpl takes it out again."""
    return _paragraph("Tag", f"{{%{scope} {statement} %}}")


def _each(style: str, texts: str) -> list[str]:
    return [_tag(f"for text in {texts}"), _paragraph(style, "{{ text }}"), _tag("endfor")]


def _chart() -> list[str]:
    """A chart: caption and title above, the picture, and where its figures stand."""
    return [
        _paragraph("Caption", "Figure {{ chart.number }}"),
        _paragraph("TableTitle", "{{ chart.title }}"),
        _paragraph("Chart", "{{ chart.picture }}"),
        _tag("if chart.sample"),
        _paragraph("TableSample", "{{ chart.sample }}"),
        _tag("endif"),
        _paragraph("TableSource", "{{ chart.unit }}. The figures are in table {{ chart.table }}."),
        _paragraph("TableEnd"),
    ]


def _table() -> list[str]:
    """Any table of the report: caption, title, heads, rows, totals, notes, source.

    How many columns it has, how broad each is and which holds words is set when it is written:
    its description, "Table 3", says which one it is.
    """

    def cell(text: str, note: str, properties: str = "", bold: str = "") -> str:
        raised = _run(f"{{{{ {note} }}}}", '<w:i/><w:vertAlign w:val="superscript"/>')
        content = _run(text, bold) + (raised if note else "")
        width = f'<w:tcW w:w="{TEXT_WIDTH // 2}" w:type="dxa"/>'
        paragraph = _paragraph("TableText", runs=content)
        return f"<w:tc><w:tcPr>{width}{properties}</w:tcPr>{paragraph}</w:tc>"

    def statement(text: str, scope: str) -> str:
        width = f'<w:tcPr><w:tcW w:w="{TEXT_WIDTH}" w:type="dxa"/></w:tcPr>'
        inside = f"<w:tc>{width}{_tag(text, scope)}</w:tc>"
        return inside if scope == "tc" else f"<w:tr>{inside}</w:tr>"

    def cells(name: str, of: str, made: str) -> str:
        return statement(f"for {name} in {of}", "tc") + made + statement("endfor", "tc")

    def row(bold: str) -> str:
        others = cells("cell", "row.cells", cell("{{ cell.text }}", "cell.note", bold=bold))
        head = cell("{{ row.head }}", "row.note", bold=bold)
        return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{head}{others}</w:tr>"

    under = (
        '<w:tcBorders><w:bottom w:val="single" w:sz="4" w:space="0" w:color="auto"/></w:tcBorders>'
        '<w:vAlign w:val="bottom"/>'
    )
    heads = cells("column", "table.columns", cell("{{ column.head }}", "", under, "<w:i/>"))
    header = f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{heads}</w:tr>"
    properties = (
        '<w:tblPr><w:tblStyle w:val="NoteTable"/>'
        f'<w:tblW w:w="{TEXT_WIDTH}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
        '<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0"'
        ' w:noHBand="1" w:noVBand="1"/><w:tblCaption w:val="{{ table.title }}"/>'
        '<w:tblDescription w:val="Table {{ table.number }}"/></w:tblPr>'
    )
    rows = [
        header,
        statement("for row in table.rows", "tr"),
        statement("if row.total", "tr"),
        row("<w:b/>"),
        statement("else", "tr"),
        row(""),
        statement("endif", "tr"),
        statement("endfor", "tr"),
    ]
    grid = f'<w:gridCol w:w="{TEXT_WIDTH // 2}"/>' * 2
    return [
        _paragraph("Caption", "Table {{ table.number }}"),
        _paragraph("TableTitle", "{{ table.title }}"),
        f"<w:tbl>{properties}<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>",
        _tag("if table.sample"),
        _paragraph("TableSample", "{{ table.sample }}"),
        _tag("endif"),
        _tag("if table.source"),
        _paragraph("TableSource", "{{ table.source }}"),
        _tag("endif"),
        _tag("for note in table.notes"),
        _paragraph(
            "TableNote",
            runs=_run("{{ note.letter }}", '<w:i/><w:vertAlign w:val="superscript"/>')
            + "<w:r><w:tab/></w:r>"
            + _run("{{ note.text }}"),
        ),
        _tag("endfor"),
        _paragraph("TableEnd"),
    ]


def _header() -> str:
    text = _run("{{ report.title }}") + "<w:r><w:tab/></w:r>" + _run(_MARKED)
    return f'<w:hdr xmlns:w="{W}" xmlns:r="{R}">{_paragraph("Header", runs=text)}</w:hdr>'


_MARKED = "{% if report.sample %}Sample figures{% else %}{{ report.distribution }}{% endif %}"


def _footer() -> str:
    field = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        '<w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    return f'<w:ftr xmlns:w="{W}" xmlns:r="{R}">{_paragraph("Footer", runs=field)}</w:ftr>'


# Styles and numbers


@dataclass(frozen=True)
class _Style:
    """A paragraph style. `size` in points, `before` and `after` too; `extra` in pPr's order."""

    id: str
    name: str
    size: float = 12
    before: float = 0
    after: float = 0
    based: str = "Normal"
    align: str = ""
    run: str = ""
    first: str = ""  # what stands before spacing in pPr: keepNext, numPr, pBdr, shd, tabs
    indent: str = ""
    outline: int | None = None
    next: str = ""
    line: int = 240

    def xml(self) -> str:
        outline = "" if self.outline is None else f'<w:outlineLvl w:val="{self.outline}"/>'
        spacing = (
            f'<w:spacing w:before="{int(self.before * 20)}" w:after="{int(self.after * 20)}"'
            f' w:line="{self.line}" w:lineRule="auto"/>'
        )
        align = f'<w:jc w:val="{self.align}"/>' if self.align else ""
        size = f'<w:sz w:val="{int(self.size * 2)}"/><w:szCs w:val="{int(self.size * 2)}"/>'
        following = f'<w:next w:val="{self.next}"/>' if self.next else ""
        custom = "" if self.id in _BUILT_IN else ' w:customStyle="1"'
        based = f'<w:basedOn w:val="{self.based}"/>'
        return (
            f'<w:style w:type="paragraph"{custom} w:styleId="{self.id}">'
            f'<w:name w:val="{self.name}"/>{based}{following}<w:qFormat/>'
            f"<w:pPr>{self.first}{spacing}{self.indent}{align}{outline}</w:pPr>"
            f"<w:rPr>{self.run}{size}</w:rPr></w:style>"
        )


_BUILT_IN = {"Title", "Subtitle", "Heading1", "Heading2", "Caption", "Header", "Footer"}
_KEEP = "<w:keepNext/><w:keepLines/>"


def _numbered(list_: int, level: int = 0) -> str:
    return f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_}"/></w:numPr>'


def _border(sides: Sequence[str], size: int, space: int) -> str:
    lines = "".join(
        f'<w:{side} w:val="single" w:sz="{size}" w:space="{space}" w:color="auto"/>'
        for side in sides
    )
    return f"<w:pBdr>{lines}</w:pBdr>"


_BOX = _border(("top", "left", "bottom", "right"), 4, 6)
_INSET = '<w:ind w:left="142" w:right="142"/>'  # so that the box keeps within the margins

_STYLES = (
    _Style("Distribution", "Distribution", 11, align="right"),
    _Style(
        "Programme", "Programme", 12, 10, 14, run="<w:b/>",
        first=_border(("bottom",), 18, 6),
    ),
    _Style(
        "Banner", "Sample banner", 11, 0, 12, align="center", run="<w:b/>",
        first=_BOX + '<w:shd w:val="clear" w:color="auto" w:fill="E7E6E6"/>', indent=_INSET,
    ),
    _Style("Title", "Title", 16, 6, 4, run="<w:b/>", first=_KEEP, next="Subtitle"),
    _Style("Subtitle", "Subtitle", 12, 0, 4, run="<w:b/>", first=_KEEP),
    _Style("Byline", "Byline", 12, 0, 14, run="<w:i/>"),
    _Style(
        "SummaryHeading", "Summary heading", 12, 0, 0, align="center", run="<w:i/>",
        first="<w:keepNext/>" + _BOX, indent=_INSET, next="Summary",
    ),
    _Style(
        "Summary", "Summary", 12, 6, 0, align="both", first="<w:keepLines/>" + _BOX, indent=_INSET,
    ),
    _Style(
        "SummaryNote", "Summary note", 10, 4, 0, align="both", first="<w:keepLines/>" + _BOX,
        indent=_INSET,
    ),
    _Style(
        "Heading1", "heading 1", 14, 20, 8, run="<w:b/>", first=_KEEP + _numbered(1), outline=0,
        next="NumberedParagraph",
    ),
    _Style(
        "Heading2", "heading 2", 12, 12, 8, run="<w:b/>", first=_KEEP + _numbered(1, 1), outline=1,
        next="NumberedParagraph",
    ),
    _Style(
        "AnnexHeading", "Annex heading", 14, 0, 10, run="<w:b/>",
        first=_KEEP + "<w:pageBreakBefore/>" + _numbered(3), outline=0,
    ),
    _Style(
        "NumberedParagraph", "Numbered paragraph", 12, 0, 8, align="both", first=_numbered(2),
        line=252,
    ),
    _Style("Caption", "caption", 11, 10, 0, first=_KEEP, next="TableTitle"),
    _Style("TableTitle", "Table title", 11, 0, 4, run="<w:b/>", first=_KEEP),
    # A table of the body stays on one page, with its source; those of annexes may break.
    _Style("TableText", "Table text", 10.5, 2.5, 2.5, first="<w:keepNext/>"),
    _Style("TableFigure", "Table figure", 10.5, 2.5, 2.5, align="right", first="<w:keepNext/>"),
    _Style("TableTextSmall", "Table text small", 9, 1.5, 1.5),
    _Style("TableFigureSmall", "Table figure small", 9, 1.5, 1.5, align="right"),
    _Style("Chart", "Chart", 12, 4, 2, first="<w:keepNext/>"),
    _Style("TableSource", "Table source", 9, 3, 0),
    _Style("TableSample", "Table sample note", 9, 3, 0, run="<w:b/>"),
    _Style(
        "TableNote", "Table note", 9, 2, 0,
        first='<w:tabs><w:tab w:val="left" w:pos="227"/></w:tabs>',
        indent='<w:ind w:left="227" w:hanging="227"/>',
    ),
    _Style("TableEnd", "Table end", 6, 0, 4),
    _Style("Tag", "Template tag", 8, run='<w:color w:val="7F7F7F"/>'),
    _Style(
        "Header", "header", 9,
        first=_border(("bottom",), 4, 3)
        + f'<w:tabs><w:tab w:val="right" w:pos="{TEXT_WIDTH}"/></w:tabs>',
    ),
    _Style("Footer", "footer", 10, align="center"),
)  # fmt: skip


def _styles() -> str:
    fonts = (
        '<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman"'
        ' w:eastAsia="Times New Roman" w:cs="Times New Roman"/>'
    )
    defaults = (
        f'<w:docDefaults><w:rPrDefault><w:rPr>{fonts}<w:sz w:val="24"/><w:szCs w:val="24"/>'
        '<w:lang w:val="en-GB" w:eastAsia="en-GB" w:bidi="ar-SA"/></w:rPr></w:rPrDefault>'
        "<w:pPrDefault/></w:docDefaults>"
    )
    rule = '<w:{} w:val="single" w:sz="{}" w:space="0" w:color="auto"/>'
    table = (
        '<w:style w:type="table" w:default="1" w:styleId="TableNormal">'
        '<w:name w:val="Normal Table"/><w:uiPriority w:val="99"/><w:semiHidden/>'
        '<w:unhideWhenUsed/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar>'
        '<w:top w:w="0" w:type="dxa"/><w:left w:w="57" w:type="dxa"/>'
        '<w:bottom w:w="0" w:type="dxa"/><w:right w:w="57" w:type="dxa"/>'
        "</w:tblCellMar></w:tblPr></w:style>"
        '<w:style w:type="table" w:customStyle="1" w:styleId="NoteTable">'
        '<w:name w:val="Note table"/><w:basedOn w:val="TableNormal"/><w:tblPr><w:tblBorders>'
        f"{rule.format('top', 8)}{rule.format('bottom', 8)}</w:tblBorders></w:tblPr></w:style>"
    )
    normal = (
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/>'
        "<w:qFormat/></w:style>"
        '<w:style w:type="character" w:default="1" w:styleId="DefaultParagraphFont">'
        '<w:name w:val="Default Paragraph Font"/><w:uiPriority w:val="1"/><w:semiHidden/>'
        "<w:unhideWhenUsed/></w:style>"
    )
    styles = "".join(style.xml() for style in _STYLES)
    return f'<w:styles xmlns:w="{W}">{defaults}{normal}{table}{styles}</w:styles>'


def _numbering() -> str:
    def level(number: int, form: str, text: str, style: str, left: int, hanging: int) -> str:
        return (
            f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
            f'<w:pStyle w:val="{style}"/><w:lvlText w:val="{text}"/><w:lvlJc w:val="left"/>'
            f'<w:pPr><w:ind w:left="{left}" w:hanging="{hanging}"/></w:pPr></w:lvl>'
        )

    def plain(number: int, text: str, style: str) -> str:
        return (
            f'<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="{number_form[number]}"/>'
            f'<w:pStyle w:val="{style}"/><w:lvlText w:val="{text}"/><w:lvlJc w:val="left"/>'
            f"<w:pPr>{number_place[number]}</w:pPr></w:lvl>"
        )

    number_form = {2: "decimal", 3: "upperRoman"}
    number_place = {
        # A paragraph's number stands at the margin, and the text comes back to it.
        2: '<w:tabs><w:tab w:val="num" w:pos="567"/></w:tabs><w:ind w:left="0" w:firstLine="0"/>',
        3: '<w:tabs><w:tab w:val="num" w:pos="1361"/></w:tabs>'
        '<w:ind w:left="1361" w:hanging="1361"/>',
    }
    headings = level(0, "upperRoman", "%1.", "Heading1", 567, 567) + level(
        1, "upperLetter", "%2.", "Heading2", 567, 567
    )
    lists = (
        ("multilevel", headings),
        ("singleLevel", plain(2, "%1.", "NumberedParagraph")),
        ("singleLevel", plain(3, "Annex %1", "AnnexHeading")),
    )
    abstract = "".join(
        f'<w:abstractNum w:abstractNumId="{number}"><w:multiLevelType w:val="{kind}"/>{levels}'
        "</w:abstractNum>"
        for number, (kind, levels) in enumerate(lists)
    )
    concrete = "".join(
        f'<w:num w:numId="{number + 1}"><w:abstractNumId w:val="{number}"/></w:num>'
        for number in range(len(lists))
    )
    return f'<w:numbering xmlns:w="{W}">{abstract}{concrete}</w:numbering>'


# What else a Word file must have


def _settings() -> str:
    return (
        f'<w:settings xmlns:w="{W}"><w:zoom w:percent="100"/><w:defaultTabStop w:val="567"/>'
        '<w:characterSpacingControl w:val="doNotCompress"/><w:compat><w:compatSetting'
        ' w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word"'
        ' w:val="15"/></w:compat><w:themeFontLang w:val="en-GB"/>'
        '<w:decimalSymbol w:val="."/><w:listSeparator w:val=","/></w:settings>'
    )


def _fonts() -> str:
    return (
        f'<w:fonts xmlns:w="{W}"><w:font w:name="Times New Roman">'
        '<w:panose1 w:val="02020603050405020304"/><w:charset w:val="00"/>'
        '<w:family w:val="roman"/><w:pitch w:val="variable"/></w:font></w:fonts>'
    )


def _theme() -> str:
    """Black, white, greys, and one face: Word wants a theme, and offers it to who edits."""
    greys = {"dk1": "000000", "lt1": "FFFFFF", "dk2": "404040", "lt2": "E7E6E6"}
    greys |= {f"accent{number}": f"{0x20 * number:02X}" * 3 for number in range(1, 7)}
    greys |= {"hlink": "1F4E79", "folHlink": "5B3A6B"}
    colours = "".join(
        f'<a:{name}><a:srgbClr val="{value}"/></a:{name}>' for name, value in greys.items()
    )
    face = '<a:latin typeface="Times New Roman"/><a:ea typeface=""/><a:cs typeface=""/>'
    fill = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>'
    line = f'<a:ln w="6350">{fill}</a:ln>'
    return (
        '<a:theme xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" name="Note">'
        f'<a:themeElements><a:clrScheme name="Note">{colours}</a:clrScheme>'
        f'<a:fontScheme name="Note"><a:majorFont>{face}</a:majorFont>'
        f'<a:minorFont>{face}</a:minorFont></a:fontScheme><a:fmtScheme name="Note">'
        f"<a:fillStyleLst>{fill * 3}</a:fillStyleLst>"
        f"<a:lnStyleLst>{line * 3}</a:lnStyleLst>"
        f"<a:effectStyleLst>{'<a:effectStyle><a:effectLst/></a:effectStyle>' * 3}"
        f"</a:effectStyleLst><a:bgFillStyleLst>{fill * 3}</a:bgFillStyleLst>"
        "</a:fmtScheme></a:themeElements></a:theme>"
    )


def _content_types() -> str:
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    office = "application/vnd.openxmlformats-officedocument"
    overrides = {
        "/word/document.xml": f"{word}.document.main+xml",
        "/word/styles.xml": f"{word}.styles+xml",
        "/word/numbering.xml": f"{word}.numbering+xml",
        "/word/settings.xml": f"{word}.settings+xml",
        "/word/fontTable.xml": f"{word}.fontTable+xml",
        "/word/header1.xml": f"{word}.header+xml",
        "/word/footer1.xml": f"{word}.footer+xml",
        "/word/theme/theme1.xml": f"{office}.theme+xml",
        "/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
        "/docProps/app.xml": f"{office}.extended-properties+xml",
    }
    listed = "".join(
        f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in overrides.items()
    )
    return (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{listed}</Types>'
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def _package_relations() -> str:
    return _relations(
        (
            (f"{R}/officeDocument", "word/document.xml"),
            (f"{PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
            (f"{R}/extended-properties", "docProps/app.xml"),
        )
    )


def _document_relations() -> str:
    return _relations(
        (
            (f"{R}/styles", "styles.xml"),
            (f"{R}/numbering", "numbering.xml"),
            (f"{R}/settings", "settings.xml"),
            (f"{R}/fontTable", "fontTable.xml"),
            (f"{R}/header", "header1.xml"),
            (f"{R}/footer", "footer1.xml"),
            (f"{R}/theme", "theme/theme1.xml"),
        )
    )


def _core() -> str:
    return (
        f'<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>Monthly report: template'
        '</dc:title><dc:language>en-GB</dc:language><dcterms:created xsi:type="dcterms:W3CDTF">'
        "2025-01-01T00:00:00Z</dcterms:created></cp:coreProperties>"
    )


def _app() -> str:
    namespace = "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"
    return f'<Properties xmlns="{namespace}"><Application>outreach</Application></Properties>'


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(build())
