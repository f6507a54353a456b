"""A paragraph and its annex put into somebody's Word note, as tracked changes of theirs.

    Note.read(data) -> places() -> into(place, paragraph) -> the note's bytes, with what is proposed

The note is a document that others work on. So nothing of it is written anew: what is inserted is
spliced into the bytes of its text, and every other byte, and every other part, stays as it was. A
note that Word numbers itself goes on doing so; in one whose numbers are typed, each number after
the new paragraph is a tracked change too. To reject all of it gives the note back.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr
from zipfile import BadZipFile, ZipFile

from lxml import etree

from outreach.errors import NotAllowed, NotFound, Problem, WrongFiles
from outreach.report.documents.template import may_stand
from outreach.report.paragraph import Paragraph
from outreach.report.value import Table

W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
LARGEST: Final = 60_000_000  # bytes of text; a note of a hundred pages has one
MOST_PLACES: Final = 9  # that are shown to choose from
_TYPED = re.compile(r"\s*(\d{1,3})\.(?=[\s\u00a0]|$)")
_ANNEX = re.compile(r"\s*annex(?:\s+([ivx]+))?\b", re.IGNORECASE)
_ROMAN: Final = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_RULE: Final = 'w:val="single" w:sz="6" w:space="0" w:color="auto"'


@dataclass(frozen=True)
class Place:
    """After which paragraph of the note: the number of the block, and how its text begins."""

    block: int
    text: str


@dataclass(frozen=True)
class Inserted:
    """The note with what is proposed. `number` is the paragraph's, None where it has none.

    `renumbered` are typed numbers that changed ("10 to 11"); `left` is what a person has to see to.
    """

    data: bytes
    number: int | None
    annex: str
    renumbered: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass
class _Block:
    """A child of the body: where it begins in the bytes, and its element."""

    start: int
    element: Any
    text: str = ""
    typed: int | None = None  # the number that its text begins with
    digits: tuple[int, int, int] | None = None  # its run, and the number in it: first byte, last


@dataclass
class Note:
    """A note in Word, read."""

    name: str
    data: bytes
    part: str
    xml: bytes
    blocks: list[_Block]
    end: int  # where the body's own section begins, or the body ends
    styles: Any = None
    numbering: Any = None
    _ids: Iterator[int] = field(default_factory=count)

    @classmethod
    def read(cls, data: bytes, *, name: str) -> "Note":
        """Raises WrongFiles for what is no .docx that can be written into."""
        try:
            with ZipFile(io.BytesIO(data)) as package:
                part = _main_part(package)
                sizes = {one.filename: one.file_size for one in package.infolist()}
                if sizes.get(part, 0) > LARGEST:
                    raise _wrong(name, f"its text has {sizes[part] // 1_000_000} MB")
                xml = package.read(part)
                folder = part.rpartition("/")[0]
                others = {
                    one: _parsed(package.read(f"{folder}/{one}.xml"), name)
                    for one in ("styles", "numbering")
                    if sizes.get(f"{folder}/{one}.xml", LARGEST) < LARGEST
                }
        except (BadZipFile, KeyError, OSError, RuntimeError, NotImplementedError) as error:
            raise _wrong(name, "is not a Word document (.docx)") from error
        root = _parsed(xml, name)
        if root.nsmap.get("w") != W or (body := root.find(_q("body"))) is None:
            raise _wrong(name, "is a Word document of another kind")
        starts, end, digits = _offsets(xml)
        elements = [one for one in body if isinstance(one.tag, str)]
        blocks = [
            _block(start, element, digits.get(start))
            for start, element in zip(starts, elements, strict=True)
        ]
        last = max((int(one) for one in _ids(root)), default=0)
        note = cls(name, data, part, xml, blocks, end, _ids=count(last + 1), **others)
        if blocks and blocks[-1].element.tag == _q("sectPr"):
            note.end = blocks.pop().start
        return note

    # --- where ---------------------------------------------------------------------------------

    def places(self, after: str = "") -> list[Place]:
        """After which paragraphs it can stand: those with the words `after`, or on outreach.

        Empty where there is none.
        """
        if after:
            wanted = _plain(after)
            return [self._place(n) for n, one in self._told() if wanted in _plain(one.text)]
        told, found, at = self._told(), list[int](), 0
        while at < len(told):
            one, end = told[at][1], at
            if _on_outreach(one):
                # A heading's place is the end of its section; what goes on about it is one place.
                heads = self._heads(one)
                while end + 1 < len(told) and self._goes_on(told[end + 1][1], heads):
                    end += 1
                if end > at or not heads:
                    found.append(told[end][0])
            at = end + 1
        return [self._place(n) for n in found]

    def _goes_on(self, block: _Block, section: bool) -> bool:
        return not self._heads(block) and (section or _on_outreach(block))

    def only_place(self, after: str = "") -> Place:
        """The one place. Raises NotFound, or NotAllowed where there are several."""
        found = self.places(after)
        if len(found) == 1:
            return found[0]
        if not found:
            what = f"no paragraph with {after!r}" if after else "no paragraph on outreach"
            raise NotFound(
                f"{self.name} has {what}",
                'say after which paragraph it stands: --after "words of that paragraph"',
            )
        shown = "; ".join(f"“{one.text}”" for one in found[:MOST_PLACES])
        raise NotAllowed(
            f"{self.name} has {len(found)} places where it could stand, after: {shown}",
            'say which: --after "words that only that paragraph has"',
        )

    def _told(self) -> list[tuple[int, _Block]]:
        """The paragraphs with a text, and their numbers; no list of contents."""
        return [
            (n, one)
            for n, one in enumerate(self.blocks)
            if one.element.tag == _q("p") and one.text.strip() and not self._contents(one)
        ]

    def _place(self, block: int) -> Place:
        text = " ".join(self.blocks[block].text.split())
        return Place(block, text if len(text) <= 70 else f"{text[:69]}…")

    def _contents(self, block: _Block) -> bool:
        style = self._style(block.element)
        return style.casefold().startswith("toc") or "....." in block.text

    def _heads(self, block: _Block) -> bool:
        """Whether it is a heading: by its style, or because it is short, bold and no sentence."""
        style = self._style(block.element)
        for one in self._chain(style):
            if one.find(f"{_q('pPr')}/{_q('outlineLvl')}") is not None:
                return True
        if style.casefold().startswith(("heading", "title")):
            return True
        runs = [r for r in block.element.iter(_q("r")) if _text(r).strip()]
        bold = all(_on(r.find(f"{_q('rPr')}/{_q('b')}")) for r in runs)
        short = len(block.text) < 100
        return bool(runs) and bold and short and not block.text.rstrip().endswith(".")

    # --- styles and numbers --------------------------------------------------------------------

    def _style(self, paragraph: Any) -> str:
        one = paragraph.find(f"{_q('pPr')}/{_q('pStyle')}")
        return "" if one is None else str(one.get(_q("val"), ""))

    def _chain(self, style: str) -> Iterator[Any]:
        """The style, and what it is based on."""
        known = {}
        if self.styles is not None:
            known = {one.get(_q("styleId")): one for one in self.styles.iter(_q("style"))}
        seen = set()
        while style in known and style not in seen:
            seen.add(style)
            yield known[style]
            based = known[style].find(_q("basedOn"))
            style = "" if based is None else based.get(_q("val"), "")

    def _list_of(self, block: _Block) -> str:
        """The list that numbers a paragraph in figures, as Word's own; "" where none does."""
        own = block.element.find(f"{_q('pPr')}/{_q('numPr')}")
        inherited = (
            one.find(f"{_q('pPr')}/{_q('numPr')}")
            for one in self._chain(self._style(block.element))
        )
        given = [one for one in (own, *inherited) if one is not None]
        number = next((_value(one, "numId") for one in given if _value(one, "numId")), "0")
        level = next((_value(one, "ilvl") for one in given if _value(one, "ilvl")), "0")
        return number if number != "0" and self._in_figures(number, level) else ""

    def _in_figures(self, number: str, level: str) -> bool:
        if self.numbering is None:
            return False
        nums = {one.get(_q("numId")): one for one in self.numbering.iter(_q("num"))}
        if number not in nums:
            return False
        abstract = _value(nums[number], "abstractNumId")
        for one in self.numbering.iter(_q("abstractNum")):
            if one.get(_q("abstractNumId")) == abstract:
                for each in one.iter(_q("lvl")):
                    if each.get(_q("ilvl")) == level:
                        return _value(each, "numFmt") in ("decimal", "")
        return False

    # --- what is inserted ----------------------------------------------------------------------

    def into(
        self,
        place: Place,
        given: Paragraph,
        *,
        author: str,
        at: datetime,
        number: int | None = None,
    ) -> Inserted:
        """The note with the paragraph after `place` and its annex at the end, both tracked.

        `number` is what a typed number shall be, if not the next one.
        """
        marks = _Marks(self._ids, author, at)
        model, numbered = self._model(place)
        left: list[str] = []
        edits: list[tuple[int, int, str]] = []
        renumbered: list[str] = []
        typed = ""
        if numbered == "typed":
            number = self._number_at(place) if number is None else number
            typed = f"{number}. "
            for block, old in self._following(place, number):
                if block.digits is None:
                    left.append(f"change the number {old} of “{block.text[:40]}…” by hand")
                    continue
                edits += self._renumber(block, old, marks)
                renumbered.append(f"{old} to {old + 1}")
        elif numbered:
            own = self._counted(place, numbered) + 1
            if number is not None and number != own:
                left.append(f"Word numbers the note itself: the paragraph is {own}, not {number}")
            number = own
        elif number is not None:
            typed = f"{number}. "
        run = _run_like(model)
        text = f"[{given.sample.split('.')[0]}] {given.text}" if given.sample else given.text
        new = marks.paragraph(_like(model), run, typed + text)
        edits.append((self._after(place), self._after(place), new))
        annex = self._annex()
        made = "".join(self._annexed(given.table, annex, run, marks))
        edits.append((self.end, self.end, made))
        return Inserted(self._spliced(edits), number, annex, tuple(renumbered), tuple(left))

    def _model(self, place: Place) -> tuple[Any, str]:
        """The paragraph to look like, and how it is numbered: "typed", by Word's list, or not."""
        before = reversed(self.blocks[: place.block + 1])
        for one in (*before, *self.blocks[place.block + 1 :]):
            if one.element.tag != _q("p") or self._contents(one) or self._heads(one):
                continue
            if one.typed is not None:
                return one.element, "typed"
            if numbered := self._list_of(one):
                return one.element, numbered
        return self.blocks[place.block].element, ""

    def _number_at(self, place: Place) -> int:
        before = [one.typed for one in self.blocks[: place.block + 1] if one.typed is not None]
        after = [one.typed for one in self.blocks[place.block + 1 :] if one.typed is not None]
        return before[-1] + 1 if before else after[0]

    def _counted(self, place: Place, numbered: str) -> int:
        """How many paragraphs of the list stand before."""
        return sum(
            self._list_of(one) == numbered and not self._heads(one)
            for one in self.blocks[: place.block + 1]
            if one.element.tag == _q("p")
        )

    def _following(self, place: Place, number: int) -> Iterator[tuple[_Block, int]]:
        """The paragraphs whose typed numbers go on from here."""
        for one in self.blocks[place.block + 1 :]:
            if one.typed == number:
                yield one, number
                number += 1

    def _renumber(self, block: _Block, old: int, marks: "_Marks") -> list[tuple[int, int, str]]:
        """The number struck out, and the next one beside it."""
        run, first, last = block.digits or (0, 0, 0)
        runs = (one for one in block.element.iter(_q("r")) if _text(one).strip())
        like = _properties(next(runs).find(_q("rPr")))
        struck = (
            f"<w:del {marks.mark()}><w:r>{like}<w:delText>{old}</w:delText></w:r></w:del>"
            f"<w:ins {marks.mark()}><w:r>{like}<w:t>{old + 1}</w:t></w:r></w:ins>"
        )
        return [(run, run, struck), (first, last, "")]

    def _after(self, place: Place) -> int:
        """Where the block after it begins."""
        following = place.block + 1
        return self.blocks[following].start if following < len(self.blocks) else self.end

    def _annex(self) -> str:
        """ "Annex IV" after Annex III; "Annex" where there is none."""
        found = [m[1] for one in self.blocks if (m := _ANNEX.match(one.text))]
        numbers = [_ROMAN.index(one.upper()) for one in found if one and one.upper() in _ROMAN]
        if not found:
            return "Annex"
        return f"Annex {_ROMAN[min(max(numbers, default=1) + 1, len(_ROMAN) - 1)]}"

    def _annexed(self, table: Table, annex: str, run: str, marks: "_Marks") -> Iterator[str]:
        """Its head, the table, and what stands below it."""
        bold = _bold(run)
        yield marks.paragraph(
            '<w:keepNext/><w:pageBreakBefore/><w:spacing w:after="120"/>', bold, annex
        )
        yield marks.paragraph('<w:keepNext/><w:spacing w:after="120"/>', bold, table.title)
        yield from self._table(table, run, marks)
        below = [table.sample] if table.sample else []
        below += [f"({one.letter}) {one.text}" for one in table.notes]
        below += [
            table.source,
            "Two dots (..) mean that data are not available, an em dash (—) that the number is "
            "nil, and a hyphen (-) that the item is not applicable.",
        ]
        for text in below:
            yield marks.paragraph('<w:spacing w:before="60" w:after="0"/>', run, text)

    def _table(self, table: Table, run: str, marks: "_Marks") -> Iterator[str]:
        width = self._width()
        widths = [width * one.width // 100 for one in table.columns]
        grid = "".join(f'<w:gridCol w:w="{one}"/>' for one in widths)
        yield (
            f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>'
            f"<w:top {_RULE}/><w:bottom {_RULE}/></w:tblBorders>"
            '<w:tblLayout w:type="fixed"/><w:tblLook w:val="0020"/>'
            f"<w:tblCaption w:val={_attribute(table.title)}/>"
            f"</w:tblPr><w:tblGrid>{grid}</w:tblGrid>"
        )
        heads = [(one.head, "") for one in table.columns]
        yield self._row(heads, widths, _bold(run), marks, head=True)
        for row in table.rows:
            cells = [(row.head, row.note), *((one.text, one.note) for one in row.cells)]
            yield self._row(cells, widths, _bold(run) if row.total else run, marks)
        yield "</w:tbl>"

    def _row(
        self,
        cells: Iterable[tuple[str, str]],
        widths: Sequence[int],
        run: str,
        marks: "_Marks",
        *,
        head: bool = False,
    ) -> str:
        kind = "<w:tblHeader/>" if head else ""
        rule = f"<w:tcBorders><w:bottom {_RULE}/></w:tcBorders>" if head else ""
        made = [f"<w:tr><w:trPr><w:cantSplit/>{kind}<w:ins {marks.mark()}/></w:trPr>"]
        for n, ((text, note), width) in enumerate(zip(cells, widths, strict=True)):
            side = "" if n == 0 else '<w:jc w:val="right"/>'
            looks = f'<w:keepNext/><w:spacing w:before="40" w:after="40"/>{side}'
            made.append(
                f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{rule}</w:tcPr>'
                f"{marks.paragraph(looks, run, text, note)}</w:tc>"
            )
        return f"{''.join(made)}</w:tr>"

    def _width(self) -> int:
        """Of the text, in twentieths of a point; as on A4 where the note does not say."""
        sections = list(_parsed(self.xml, self.name).iter(_q("sectPr")))
        try:
            size, margin = sections[-1].find(_q("pgSz")), sections[-1].find(_q("pgMar"))
            sides = (int(margin.get(_q(side))) for side in ("left", "right"))
            return int(size.get(_q("w"))) - sum(sides)
        except (AttributeError, IndexError, TypeError, ValueError):
            return 9070

    def _spliced(self, edits: Iterable[tuple[int, int, str]]) -> bytes:
        """The package with these pieces of its text replaced, and every other part as it is."""
        made, upto = [], 0
        for first, last, text in sorted(edits, key=lambda one: (one[0], one[1])):
            made += [self.xml[upto:first], text.encode()]
            upto = last
        xml = b"".join([*made, self.xml[upto:]])
        output = io.BytesIO()
        with ZipFile(io.BytesIO(self.data)) as old, ZipFile(output, "w") as new:
            for entry in old.infolist():
                new.writestr(entry, xml if entry.filename == self.part else old.read(entry))
        return output.getvalue()


@dataclass
class _Marks:
    """Who proposes it and when, in every mark."""

    ids: Iterator[int]
    author: str
    at: datetime

    def mark(self) -> str:
        when = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f'w:id="{next(self.ids)}" w:author={_attribute(self.author)} w:date="{when}"'

    def paragraph(self, looks: str, run: str, text: str, note: str = "") -> str:
        """A new paragraph: its text and its end are both inserted. `looks` are its properties."""
        made = f'<w:r>{run}<w:t xml:space="preserve">{_escaped(text)}</w:t></w:r>'
        if note:
            raised = _with(run, '<w:vertAlign w:val="superscript"/>')
            made += f"<w:r>{raised}<w:t>{_escaped(note)}</w:t></w:r>"
        inner = run.removeprefix("<w:rPr>").removesuffix("</w:rPr>")
        return (
            f"<w:p><w:pPr>{looks}<w:rPr><w:ins {self.mark()}/>{inner}</w:rPr></w:pPr>"
            f"<w:ins {self.mark()}>{made}</w:ins></w:p>"
        )


# --- from bytes -------------------------------------------------------------------------------


def _main_part(package: ZipFile) -> str:
    """The part that is the document's text."""
    root = etree.fromstring(package.read("_rels/.rels"), _parser())
    for one in root:
        if str(one.get("Type", "")).endswith("/officeDocument"):
            return str(one.get("Target", "")).lstrip("/")
    raise KeyError("no document")


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def _parsed(xml: bytes, name: str) -> Any:
    if b"<!DOCTYPE" in xml[:4000]:
        raise _wrong(name, "holds what no Word document holds (a DOCTYPE)")
    try:
        return etree.fromstring(xml, _parser())
    except etree.XMLSyntaxError as error:
        raise _wrong(name, f"is damaged: {error}") from error


def _offsets(xml: bytes) -> tuple[list[int], int, Mapping[int, tuple[int, int, int]]]:
    """Where each child of the body begins, where the body ends, and typed numbers by their block:
    the byte of the run, and the first and the last of the number in it."""
    starts: list[int] = []
    digits: dict[int, tuple[int, int, int]] = {}
    path: list[str] = []
    end, run, done = len(xml), 0, True
    parser = expat.ParserCreate()
    parser.buffer_text = False

    def begin(tag: str, _: object) -> None:
        nonlocal run, done
        path.append(tag)
        if path[1:] and path[1] == "w:body" and len(path) == 3:
            starts.append(parser.CurrentByteIndex)
            done = tag != "w:p"
        if path[3:] == ["w:r"]:
            run = parser.CurrentByteIndex

    def finish(tag: str) -> None:
        nonlocal end
        if path == [path[0], "w:body"]:
            end = parser.CurrentByteIndex
        path.pop()

    def text(data: str) -> None:
        nonlocal done
        if done or not data.strip():
            return
        if path[-1] != "w:t":
            return
        done = True
        raw = xml[parser.CurrentByteIndex : parser.CurrentByteIndex + 20]
        found = re.match(rb"[ \t\r\n]*(\d{1,3})\.", raw)
        plain = re.fullmatch(
            rb"<w:r( [^>]*)?>(<w:rPr>.*</w:rPr>|<w:rPr/>)?<w:t( [^>]*)?>",
            xml[run : parser.CurrentByteIndex],
            re.DOTALL,
        )
        if found and plain and path[3:] == ["w:r", "w:t"]:
            at = parser.CurrentByteIndex
            digits[starts[-1]] = (run, at + found.start(1), at + found.end(1))

    parser.StartElementHandler, parser.EndElementHandler = begin, finish
    parser.CharacterDataHandler = text
    parser.Parse(xml, True)
    return starts, end, digits


def _block(start: int, element: Any, digits: tuple[int, int, int] | None) -> _Block:
    if element.tag != _q("p"):
        return _Block(start, element)
    text = _text(element)
    typed = _TYPED.match(text)
    return _Block(start, element, text, int(typed[1]) if typed else None, digits)


def _on_outreach(block: _Block) -> bool:
    return "outreach" in block.text.casefold()


def _text(element: Any) -> str:
    """What is read there: tabs are blanks, and what was struck out is not there."""
    found = []
    for one in element.iter(_q("t"), _q("tab"), _q("br")):
        found.append((one.text or "") if one.tag == _q("t") else " ")
    return "".join(found)


def _ids(root: Any) -> Iterator[str]:
    return (one for each in root.iter() if (one := each.get(_q("id"), "")).isdigit())


# --- how it looks -----------------------------------------------------------------------------

_NOT_OURS = ("rPr", "sectPr", "pPrChange", "pageBreakBefore", "framePr")
_NOT_KEPT = (
    *("rStyle", "b", "bCs", "i", "iCs", "u", "highlight", "vertAlign", "ins", "del", "rPrChange"),
    *("caps", "smallCaps", "strike", "vanish"),
)


def _like(paragraph: Any) -> str:
    """The properties of a paragraph, for another of its kind."""
    properties = paragraph.find(_q("pPr"))
    return "" if properties is None else "".join(_written(properties, _NOT_OURS))


def _run_like(paragraph: Any) -> str:
    """The look of most of its letters, plain."""
    runs = [one for one in paragraph.iter(_q("r")) if _text(one).strip()]
    if not runs:
        return ""
    most = max(runs, key=lambda one: len(_text(one))).find(_q("rPr"))
    inner = "" if most is None else "".join(_written(most, _NOT_KEPT))
    return f"<w:rPr>{inner}</w:rPr>" if inner else ""


def _properties(run: Any) -> str:
    inner = "" if run is None else "".join(_written(run, ("rPrChange", "ins", "del")))
    return f"<w:rPr>{inner}</w:rPr>" if inner else ""


def _written(element: Any, without: Sequence[str]) -> Iterator[str]:
    leave = {_q(one) for one in without}
    for one in element:
        if isinstance(one.tag, str) and one.tag.startswith(f"{{{W}}}") and one.tag not in leave:
            copied = deepcopy(one)
            copied.tail = None
            etree.cleanup_namespaces(copied)
            text = etree.tostring(copied, encoding="unicode")
            yield re.sub(r' xmlns:\w+="[^"]*"', "", text)


def _bold(run: str) -> str:
    """The same in bold; what Word calls fonts comes before."""
    inner = run.removeprefix("<w:rPr>").removesuffix("</w:rPr>")
    fonts = re.match(r"<w:rFonts[^>]*/>", inner)
    at = fonts.end() if fonts else 0
    return f"<w:rPr>{inner[:at]}<w:b/>{inner[at:]}</w:rPr>"


_LATER = re.compile(r"<w:(rtl|cs|em|lang|eastAsianLayout|specVanish|oMath)\b")


def _with(run: str, property_: str) -> str:
    """With one more property, before those that the standard puts after it."""
    inner = run.removeprefix("<w:rPr>").removesuffix("</w:rPr>")
    later = _LATER.search(inner)
    at = later.start() if later else len(inner)
    return f"<w:rPr>{inner[:at]}{property_}{inner[at:]}</w:rPr>"


def _q(tag: str) -> str:
    return f"{{{W}}}{tag}"


def _value(element: Any, tag: str) -> str:
    one = element.find(_q(tag))
    return "" if one is None else str(one.get(_q("val"), ""))


def _on(mark: Any) -> bool:
    return mark is not None and mark.get(_q("val"), "1") not in ("0", "false")


def _plain(text: str) -> str:
    """For comparing: Word's quotation marks and blanks are those that a keyboard has."""
    for odd, usual in (("\u2019", "'"), ("\u2018", "'"), ("\u201c", '"'), ("\u201d", '"')):
        text = text.replace(odd, usual)
    return " ".join(text.split()).casefold()


def _escaped(text: str) -> str:
    return escape("".join(one if may_stand(one) else "\ufffd" for one in text))


def _attribute(text: str) -> str:
    return quoteattr("".join(one if may_stand(one) else "\ufffd" for one in text))


def _wrong(name: str, what: str) -> WrongFiles:
    hint = "open it in Word, save it as a Word document (.docx), and try again"
    return WrongFiles([Problem(name, what, hint)])
