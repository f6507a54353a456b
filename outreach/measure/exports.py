"""Exports about people, counted as they are read: who they are is not kept, nor even returned.

Registrations (Indico's export, or any CSV), attendance (Microsoft Teams' report, or any CSV),
downloads. Each row is one person, or as many as its `count` column says:

    Name,Email Address,Country,Registration date,Registration state      (Indico)
    Name<TAB>First Join<TAB>Last Leave<TAB>…                             (Teams, in its section 2)
    date,document,language,country,count

What leaves this module are counts by session, day, country, sex, youth, kind of organisation,
document and language. Names and addresses only tell a person who stands there twice, and are
forgotten with the file. What a cell means that nobody knows is listed, and never guessed.
"""

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from outreach.errors import Problem
from outreach.hints import did_you_mean
from outreach.measure.countries import country, name, official_order
from outreach.words import MONTHS

MOST_BYTES: Final = 20_000_000
MOST_KINDS: Final = 25  # of organisation: more are the names of organisations
LEAVE: Final = "-"

KINDS: Final = ("registrations", "attendance", "attendance-online", "downloads")
"""What a file may count; the names are those of measures."""

# Column heads as exports have them, in the languages of the member States. What begins with "=" is
# the whole head; all others may stand anywhere in it.
_HEADS: Final[Mapping[str, str]] = {
    "email": "=email; =e-mail; email address; e-mail address; registration email; upn; 电子邮件; 邮箱; 이메일; 전자우편; электронн; эл почта; メール; имэйл; и-мэйл",  # noqa: E501
    "person": "=name; =full name; =id; first name; last name; surname; family name; 姓名; =名前; 氏名; =이름; 성명; =имя; фамилия; фио; =нэр; овог",  # noqa: E501
    "date": "=date; registration date; date registered; registered at; registered on; submitted; join time; first join; timestamp; =day; download date; 日期; 注册时间; 登録日; 参加日; =日付; 등록일; =날짜; =дата; дата регистрации; дата загрузки; =огноо; бүртгүүлсэн",  # noqa: E501
    "came-on": "check-in date; checked in at; 签到时间; 체크인",
    "country": "=country; country or region; country/region; country of; member state; nationality; 国家; 国籍; =国; 国名; 국가; 국적; 나라; страна; гражданство; улс",  # noqa: E501
    "sex": "=sex; gender; 性别; 性別; 성별; =пол; хүйс",
    "age": "=age; age group; =youth; under 25; 年龄; 年齢; 나이; 연령; возраст; =нас",
    "organisation": "type of organization; type of organisation; organization type; organisation type; stakeholder; =sector; kind of organi; 机构类型; 組織の種類; 기관 유형; 기관유형; тип организации; байгууллагын төрөл",  # noqa: E501
    "session": "=session; =sessions; 分会; セッション; 세션; =сессия; хуралдаан",
    "state": "registration state; registration status; =status; =state; 状态; 狀態; 상태; статус; төлөв",  # noqa: E501
    "came": "checked in; =attended; =attendance; 出席; 참석; явка; ирсэн",
    "document": "=document; =file; =title; file name; page title; publication; 文件; 資料; 문서; документ; файл; баримт",  # noqa: E501
    "language": "=language; =lang; 语言; 言語; 언어; язык; =хэл",
    "count": "=count; =downloads; total downloads; =number; =views; 次数; 下载; ダウンロード数; 다운로드; загрузк; =количество; татсан",  # noqa: E501
}
FIELDS: Final = (*_HEADS, LEAVE)

_SEXES: Final = {
    "f": "f; female; woman; women; ms; mrs; 女; 女性; 여; 여성; 여자; ж; жен; женский; женщина; эм; эмэгтэй",  # noqa: E501
    "m": "m; male; man; men; mr; 男; 男性; 남; 남성; 남자; м; муж; мужской; мужчина; эр; эрэгтэй",
    "x": "x; other; non-binary; nonbinary; diverse; その他; 其他; 기타; другой; бусад",
}
_YES: Final = {"yes", "y", "true", "1", "x", "✓", "✔", "checked", "attended"} | {
    *("是", "はい", "예", "네", "да", "тийм")
}
_NO: Final = {"no", "n", "false", "0", "否", "いいえ", "아니요", "нет", "үгүй"}
_OUT: Final = ("rejected", "withdrawn", "cancel", "declined", "отклон", "отмен", "取消", "취소")
_WAITS: Final = ("pending", "awaiting", "unpaid", "waiting", "moderation")


@dataclass(frozen=True, order=True)
class Group:
    """Whom a count is of; "" where it is not said. `day` is ISO, of the export's own clocks."""

    day: str
    session: str = ""
    country: str = ""  # ISO 3166
    sex: str = ""  # f, m, x
    youth: str = ""  # yes (15 to 24), no
    organisation: str = ""
    language: str = ""
    document: str = ""


@dataclass(frozen=True)
class Export:
    """What a file counts. Nothing is stored yet, and nobody is named.

    `left` says how many rows are not counted, by why; `unknown` what was not recognised, by column
    ("country"), and how often. `mapped` are the heads, and what they were taken for.
    """

    filename: str
    kind: str
    sha256: str
    counts: Mapping[Group, int]
    mapped: tuple[tuple[str, str], ...] = ()
    left: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def days(self) -> tuple[str, str]:
        """Its first and its last day."""
        days = sorted(group.day for group in self.counts)
        return (days[0], days[-1]) if days else ("", "")

    def as_data(self) -> dict[str, Any]:
        """For machines: the counts as a list of groups."""
        counts = [{**asdict(group), "count": count} for group, count in self.counts.items()]
        problems = [asdict(problem) for problem in self.problems]
        return {**vars(self), "counts": counts, "problems": problems}

    def preview(self) -> list[str]:
        """Lines that say what would be kept, for a person to look at first."""
        first, last = self.days
        when = f", {first}" + (f" to {last}" if last != first else "") if first else ""
        lines = [f"{self.filename}: {self.total:,} {self.kind}{when}"]
        for head, means in self.mapped:
            taken = "is not looked at" if means == LEAVE else f"is taken as {means}"
            if means in ("email", "person"):
                taken += ", to tell who stands there twice; it is not kept"
            lines.append(f"  column {head!r} {taken}")
        lines += [f"  {what}: {n:,} not counted" for what, n in self.left.items()]
        lines += [f"  {note}" for note in self.notes]
        for what in ("session", "country", "sex", "youth", "organisation", "language", "document"):
            found: Counter[str] = Counter()
            for group, count in self.counts.items():
                found[getattr(group, what)] += count
            if set(found) - {""}:
                order = official_order(found) if what == "country" else sorted(found, reverse=True)
                told = (f"{_shown(what, one)} {found[one]:,}" for one in order)
                lines.append(f"  by {what}: {'; '.join(told)}")
        for what, words in self.unknown.items():
            told = (f"{word!r} ({n:,})" for word, n in sorted(words.items()))
            lines.append(f"  {what} not recognised, counted as not said: {', '.join(told)}")
        if self.problems:
            lines.append(f"{len(self.problems)} to put right:")
            lines += [str(problem) for problem in self.problems]
        return lines


def _shown(what: str, one: str) -> str:
    return (name(one) if what == "country" else _SHOWN.get((what, one), one)) or "not said"


_SHOWN: Final = {
    ("sex", "f"): "women",
    ("sex", "m"): "men",
    ("sex", "x"): "other",
    ("youth", "yes"): "15 to 24",
    ("youth", "no"): "other ages",
}


def read_export(
    data: bytes,
    *,
    kind: str,
    filename: str,
    given: Mapping[str, str] | None = None,
    on: str = "",
    session: str = "",
    day_first: bool | None = None,
) -> Export:
    """The counts of an export, and every problem with its file and line. Raises nothing.

    `kind` is one of KINDS. `given` says what a head means (one of FIELDS) where that is not
    guessed. `on` is the day of rows that have none, `session` likewise. `day_first` decides how
    8/9/2025 is read, where the file does not.
    """
    return _Reader(kind, filename, dict(given or {}), on, session, day_first).read(data)


@dataclass
class _Row:
    line: int
    cells: Mapping[str, list[str]]  # by field: several columns may make one person's name

    def get(self, what: str) -> str:
        return next((cell for cell in self.cells.get(what, ()) if cell), "")


@dataclass
class _Reader:
    kind: str
    filename: str
    given: dict[str, str]
    on: str
    session: str
    day_first: bool | None
    problems: list[Problem] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    unknown: dict[str, Counter[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def read(self, data: bytes) -> Export:
        counts: Counter[Group] = Counter()
        mapped: list[tuple[str, str]] = []
        records = self._records(data)
        table = self._table(records) if records else None
        if table:
            heads, rows = table
            mapped, fields = self._fields(heads)
            if not self.problems:
                counts = self._counted([self._row(line, cells, fields) for line, cells in rows])
            if not rows and not self.problems:
                self._problem(heads[0], "there are column heads, but no rows below them")
        return Export(
            self.filename,
            self.kind,
            hashlib.sha256(data).hexdigest(),
            {} if self.problems else dict(sorted(counts.items())),
            tuple(mapped),
            dict(self.left),
            {what: dict(words) for what, words in self.unknown.items()},
            tuple(self.notes),
            tuple(self.problems),
        )

    def _problem(self, line: int, what: str, hint: str = "") -> None:
        self.problems.append(Problem(f"{self.filename}:{line}", what, hint))

    # --- from bytes to a table -------------------------------------------------------------

    def _records(self, data: bytes) -> list[tuple[int, list[str]]]:
        """Every line that is not blank, with its number."""
        if len(data) > MOST_BYTES:
            self._problem(1, f"{len(data) // 1_000_000} MB; an export has 20 at most")
            return []
        wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # Teams and Excel write UTF-16
        try:
            text = data.decode("utf-16" if wide else "utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            hint = 'in Excel, save it as "CSV UTF-8 (comma delimited)"'
            self._problem(line, "the letters are not UTF-8", hint)
            return []
        if "\0" in text:
            self._problem(1, "this is no text file", "save the sheet as CSV UTF-8 first")
            return []
        first = text.splitlines()[:40]
        delimiter = max("\t;,", key=lambda one: sum(line.count(one) for line in first))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        records, line = [], 1
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    records.append((line, [" ".join(cell.split()) for cell in cells]))
                line = reader.line_num + 1
        except csv.Error as error:
            hint = "look for a stray quotation mark"
            self._problem(line, f"cannot be read as CSV: {error}", hint)
            return []
        if not records:
            self._problem(1, "the file is empty", "the first line names the columns")
        return records

    def _table(
        self, records: list[tuple[int, list[str]]]
    ) -> tuple[tuple[int, list[str]], list[tuple[int, list[str]]]] | None:
        """The line of heads, and the rows below it: of a Teams report, those of its people.

        Its sections are numbered, "2. Participants", or in the older form a summary of pairs
        stands above the heads. What stands in section 3 are comings and goings, and no people.
        """
        sections = [n for n, (_, cells) in enumerate(records) if _section(cells)]
        if sections or _plain(records[0][1][0]) in _SUMMARY:
            start = sections[1] + 1 if len(sections) > 1 else 0
            end = sections[2] if len(sections) > 2 else len(records)
            at = next((n for n in range(start, end) if _heads_of_teams(records[n][1])), None)
            if at is None:
                self._problem(
                    records[0][0],
                    "this looks like a report of Teams, and its list of participants is not there",
                    "download the attendance report again, with all information",
                )
                return None
            self._meeting(records[:at], len(records[at + 1 : end]))
            return records[at], records[at + 1 : end]
        return records[0], records[1:]

    def _meeting(self, above: Sequence[tuple[int, list[str]]], listed: int) -> None:
        """What Teams says of the meeting: how many came, and when it was."""
        for _, cells in above:
            pair = [cell for cell in cells if cell]
            if len(pair) < 2:
                continue
            what = _plain(pair[0])
            if what in _SUMMED and pair[1].isdigit() and int(pair[1]) != listed:
                self.notes.append(
                    f"Teams says {pair[1]} attended, and lists {listed}: who is listed counts"
                )

    def _fields(self, heads: tuple[int, list[str]]) -> tuple[list[tuple[str, str]], list[str]]:
        """What each column is; "" for one that is not looked at."""
        line, words = heads
        asked = {_plain(head): (head, means) for head, means in self.given.items()}
        for head, means in asked.values():
            if means not in FIELDS:
                hint = did_you_mean(means, FIELDS) or f"known are: {', '.join(FIELDS)}"
                self._problem(line, f"{head!r} cannot mean {means!r}", hint)
        mapped, fields = [], []
        for word in words:
            head, means = asked.pop(_plain(word), (word, ""))
            means = means or _guessed(word)
            fields.append("" if means == LEAVE else means)
            if word:
                mapped.append((word, means or LEAVE))
        for head, _ in asked.values():
            hint = did_you_mean(head, words) or f"its columns are: {', '.join(filter(None, words))}"
            self._problem(line, f"there is no column {head!r}", hint)
        if not {"date", "came-on"} & set(fields) and not self.on:
            self._problem(
                line, "no column says the day", '--map "Its head=date", or --on 2025-08-25 for all'
            )
        if self.kind == "attendance" and "came" not in fields and "state" in fields:
            self._problem(
                line,
                "these are registrations: no column says who came",
                'take along "Checked in" when you export, or --map "Its head=came"',
            )
        return mapped, fields

    @staticmethod
    def _row(line: int, cells: Sequence[str], fields: Sequence[str]) -> _Row:
        found: dict[str, list[str]] = {}
        for what, cell in zip(fields, cells, strict=False):
            if what:
                found.setdefault(what, []).append(cell)
        return _Row(line, found)

    # --- from rows to counts ---------------------------------------------------------------

    def _counted(self, rows: Sequence[_Row]) -> Counter[Group]:
        counts: Counter[Group] = Counter()
        seen: set[tuple[str, str]] = set()
        day_first = self._order(rows)
        for row in rows:
            if why := self._left_out(row):
                self.left[why] += 1
                continue
            session = row.get("session") or self.session
            who = _person(row)
            if who and "count" not in row.cells:
                if (who, session) in seen:
                    self.left["somebody who stands there already"] += 1
                    continue
                seen.add((who, session))
            group = Group(
                day=self._day(row, day_first),
                session=self._kept(row, "session", session),
                country=self._known(row, "country", country(row.get("country"))),
                sex=self._known(row, "sex", _sex(row.get("sex"))),
                youth=self._known(row, "age", _youth(row.get("age"))),
                organisation=self._kept(row, "organisation", row.get("organisation")),
                language=self._kept(row, "language", row.get("language")),
                document=self._kept(row, "document", row.get("document")),
            )
            counts[group] += self._number(row)
        kinds = {group.organisation for group in counts}
        if len(kinds) > MOST_KINDS:
            self._problem(
                rows[0].line,
                f"{len(kinds)} kinds of organisation: these are their names, which are not kept",
                'leave the column out: --map "Its head=-"',
            )
        return counts

    def _left_out(self, row: _Row) -> str:
        state = _plain(row.get("state"))
        if any(word in state for word in _OUT):
            return "withdrawn or rejected"
        if any(word in state for word in _WAITS):
            return "not confirmed yet"
        if self.kind == "attendance" and "came" in row.cells:
            came = _plain(row.get("came"))
            if came in _NO or not came:
                return "did not come"
            if came not in _YES:
                self.unknown.setdefault("came", Counter())[row.get("came")] += 1
                return "not clear whether they came"
        return ""

    def _known(self, row: _Row, what: str, found: str) -> str:
        said = row.get(what)
        if said and not found:
            # Somebody may have typed their name into the wrong column: it is shown, and not kept.
            self.unknown.setdefault(what, Counter())[said[:40]] += 1
        return found

    def _kept(self, row: _Row, what: str, said: str) -> str:
        if "@" in said:
            self._problem(
                row.line,
                f"an address stands where the {what} should be; addresses are not kept",
                'say which column it is: --map "Its head=-" leaves it out',
            )
            return ""
        if said[:1] in tuple("=+-@|"):
            what = f"the {what} may not begin with {said[0]}"
            self._problem(row.line, what, "spreadsheets take that for a formula")
            return ""
        return said[:80]

    def _number(self, row: _Row) -> int:
        if "count" not in row.cells:
            return 1
        said = row.get("count")
        digits = re.sub(r"(?<=\d)[, \u00a0](?=\d{3})", "", said)
        if re.fullmatch(r"\d{1,9}", digits):
            return int(digits)
        self._problem(row.line, f"{said[:40]!r} is no count", "write a whole number, like 48")
        return 0

    # --- days ------------------------------------------------------------------------------

    def _order(self, rows: Sequence[_Row]) -> bool | None:
        """Whether days stand first in 8/9/2025; None where the file does not say, or need not."""
        if self.day_first is not None:
            return self.day_first
        pairs = [
            (int(found[1]), int(found[2]))
            for row in rows
            for what in ("date", "came-on")
            if (found := _SLASHED.match(row.get(what)))
        ]
        if any(a > 12 for a, _ in pairs):
            return True
        if any(b > 12 for _, b in pairs):
            return False
        return None

    def _day(self, row: _Row, day_first: bool | None) -> str:
        came = row.get("came-on") if self.kind == "attendance" else ""
        said = came or row.get("date")
        if not said:
            if not self.on:
                self._problem(row.line, "the day is missing", "--on 2025-08-25 says it for all")
            return self.on
        try:
            found = _read_day(said, day_first)
        except ValueError:
            found = None
        if found is None and _SLASHED.match(said) and day_first is None:
            if not any("two ways" in problem.what for problem in self.problems):
                self._problem(
                    row.line,
                    f"{said[:20]!r} can be read in two ways",
                    "say which: --dates day-first, or --dates month-first",
                )
        elif found is None:
            self._problem(row.line, f"{said[:40]!r} is no day", "write it as 2025-08-25")
        return found.isoformat() if found else ""


_SUMMARY: Final = frozenset({"meeting summary", "webinar summary", "summary"})
_SUMMED: Final = frozenset(
    {"attended participants", "total number of participants", "total participants"}
)
_SLASHED: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2,4})(?!\d)")
_ISO: Final = re.compile(r"(\d{4})[-/.]\s*(\d{1,2})[-/.]\s*(\d{1,2})(?!\d)")
_HAN: Final = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]?")
_DOTTED: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)")
_SPOKEN: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ -]([A-Za-z]{3,9})\.?,?[ -](\d{4})")
_AMERICAN: Final = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?, (\d{4})")


def _read_day(said: str, day_first: bool | None) -> date | None:
    """The day in a date or a time, as written there. Raises ValueError for what is none."""
    if found := _ISO.match(said) or _HAN.match(said):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := _DOTTED.match(said):
        return date(int(found[3]), int(found[2]), int(found[1]))
    if found := _SPOKEN.match(said):
        return date(int(found[3]), _month(found[2]), int(found[1]))
    if found := _AMERICAN.match(said):
        return date(int(found[3]), _month(found[1]), int(found[2]))
    if found := _SLASHED.match(said):
        a, b, year = int(found[1]), int(found[2]), int(found[3])
        year += 2000 if year < 100 else 0
        if a == b or day_first is not None:
            return date(year, *((b, a) if day_first else (a, b)))
    return None


def _month(word: str) -> int:
    return next(
        (n for n, month in enumerate(MONTHS, 1) if month.lower().startswith(word.lower()[:3])), 0
    )


def _section(cells: Sequence[str]) -> bool:
    return len([cell for cell in cells if cell]) == 1 and bool(re.match(r"\d\. \D", cells[0]))


def _heads_of_teams(cells: Sequence[str]) -> bool:
    """Whether these are the heads of a list of people, and no pair of a summary."""
    return len([cell for cell in cells if cell]) > 2 and _guessed(cells[0]) == "person"


def _guessed(head: str) -> str:
    """The field that a head names, or ""."""
    plain = _plain(head)
    for sure in (True, False):
        for what, several in _HEADS.items():
            for word in several.split("; "):
                whole = word.startswith("=")
                if (
                    plain == _plain(word.removeprefix("="))
                    if sure
                    else (not whole and _plain(word) in plain)
                ):
                    return what
    return ""


def _plain(text: str) -> str:
    words = unicodedata.normalize("NFKC", text).casefold().replace("_", " ").replace("-", " ")
    return " ".join(re.sub(r"[.*:()\[\]]", " ", words).split())


def _person(row: _Row) -> str:
    """What tells a row's person from others, while the file is read; "" where nothing does."""
    return (row.get("email") or " ".join(row.cells.get("person", ()))).casefold().strip()


def _sex(said: str) -> str:
    plain = _plain(said)
    return next((sex for sex, several in _SEXES.items() if plain in several.split("; ")), "")


def _youth(said: str) -> str:
    """Whether an age, a group of ages or a yes is of the United Nations' youth: 15 to 24."""
    plain = _plain(said).replace("–", " ").replace("—", " ")
    if plain in _YES - {"1", "x"}:
        return "yes"
    if plain in _NO - {"0"}:
        return "no"
    ages = [int(one) for one in re.findall(r"\d+", plain)]
    if len(ages) == 2 and ages[0] <= ages[1] and ages[1] <= 24 and ages[0] >= 15:
        return "yes"
    if len(ages) == 2 and 25 <= ages[0] <= ages[1]:
        return "no"
    if len(ages) == 1 and re.fullmatch(r"\d{1,3}", plain):
        return "yes" if 15 <= ages[0] <= 24 else "no"
    if len(ages) == 1 and ages[0] >= 25 and re.fullmatch(r"\d+ ?(\+|and over|and above)", plain):
        return "no"
    return ""
