"""Figures that people read off a screen: CSV files for manual channels and for months past.

Two shapes, told apart by their column heads:

    channel,month,posts,displays,engagements,clicks,reason,note
    vk,2025-08,6,"3,842",121,44,,
    facebook,2025-08,11,..,..,..,collection_failed,"Access expired on 8 August"

    post,displays,likes                 (a post's key, or its public address)
    forum-2025/recap/en@vk,310,12

A tool's own export has heads of its own. `Columns` says what they mean, which channel the file is
of, and which heads to leave; it stands in config/columns.toml, one table for each kind of export:

    [wechat]
    channel = "wechat"
    "内容url" = "post"
    "阅读次数" = "displays"
    "内容标题" = "-"

In a figure's place, `..` means not available (the row's `reason` says why; collection_failed
unless it does), `-` that the network has no such figure, `—` or `0` nil, and nothing that nothing
is said. Nothing is ever evaluated. A wrong file yields all of its problems at once, and its good
rows beside them, so that a preview shows both.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from outreach.errors import Problem, WrongFiles
from outreach.hints import did_you_mean
from outreach.measure.metrics import Metric, Reason
from outreach.measure.months import NoSuchMonth, following, named, parse_month
from outreach.toml import line_of, read_toml

MOST_BYTES = 5_000_000  # some 60,000 rows; a file beyond it is not a table of figures
DELIMITERS = (",", ";", "\t")
_SEPARATOR = re.compile(r"sep=([,;\t])\r?\n")
LARGEST = 10**15  # what every database holds as an integer; no network shows more

OF_PARTNER = "partner:"  # how it begins where else a channel stands: "partner:iclei"
LEAVE = "-"  # what a column means that is not ours to keep


@dataclass(frozen=True)
class Columns:
    """What the heads of one kind of export mean: `names` by head. `channel` and `month` ("2025-08")
    are those of every row, where the file has no such column."""

    names: Mapping[str, str] = field(default_factory=dict)
    channel: str = ""
    month: str = ""


@dataclass(frozen=True)
class Typed:
    """One figure as typed: a value, or none with the reason why."""

    value: int | None
    reason: str = ""


@dataclass(frozen=True)
class MonthRow:
    """One channel's month. `posts` is None where the file does not say it."""

    line: int
    channel: str
    month: str  # "2025-08"
    posts: int | None
    figures: Mapping[str, Typed]  # by metric
    note: str = ""


@dataclass(frozen=True)
class PostRow:
    """One post's figures. `post` is its key, or its public address."""

    line: int
    post: str
    figures: Mapping[str, Typed]
    note: str = ""


@dataclass(frozen=True)
class Import:
    """What a file of figures holds. Nothing is stored yet."""

    filename: str
    months: tuple[MonthRow, ...] = ()
    posts: tuple[PostRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    columns: tuple[str, ...] = ()  # the metrics it has, in the file's order
    mapped: tuple[tuple[str, str], ...] = ()  # heads of the file, and what they were taken for
    number: int = 0  # what it is taken back by, once it is kept

    def preview(self) -> list[str]:
        """Lines that say what would be stored, for a person to look at first."""
        count = len(self.months) + len(self.posts)
        lines = [f"{self.filename}: {count} row{'' if count == 1 else 's'} of figures"]
        for head, means in self.mapped:
            taken = "left out" if means == LEAVE else f"taken as {means}"
            lines.append(f"  column {head!r}: {taken}")
        heads = ["post"] if self.posts else ["channel", "month", "posts"]
        table = [[*heads, *self.columns, "note"]]
        for row in self.months:
            posts = ".." if row.posts is None else f"{row.posts:,}"
            table.append([row.channel, row.month, posts, *self._shown(row.figures), _about(row)])
        for post in self.posts:
            table.append([post.post, *self._shown(post.figures), _about(post)])
        widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
        words = {0, 1} if self.months else {0}
        words.add(len(widths) - 1)
        for line in table if count else ():
            cells = [
                cell.ljust(width) if column in words else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            lines.append("  " + "  ".join(cells).rstrip())
        if self.problems:
            lines.append(f"{len(self.problems)} to put right:")
            lines += [str(problem) for problem in self.problems]
        return lines

    def _shown(self, figures: Mapping[str, Typed]) -> Iterator[str]:
        for metric in self.columns:
            typed = figures.get(metric)
            if typed is None:
                yield ""
            elif typed.value is None:
                yield ".."
            else:
                yield f"{typed.value:,}"


def load_columns(
    file: Path, *, channels: Collection[str], metrics: Mapping[str, Metric]
) -> Mapping[str, Columns]:
    """What the heads of other tools' exports mean, by the name of each kind of export; nothing
    where there is no such file. Raises WrongFiles with every mistake and its line."""
    try:
        tables, text = read_toml(file, f"config/{file.name}")
    except FileNotFoundError:
        return {}
    reader = _Reader(channels, metrics, "", "", Columns())
    problems: list[Problem] = []
    found: dict[str, Columns] = {}
    for name, table in tables.items():
        given = table if isinstance(table, dict) else {}
        channel, names = str(given.get("channel", "")), {}
        if not given:
            where = f"config/{file.name}:{line_of(text, (name,))}"
            problems.append(
                Problem(where, f"{name} says nothing", f"write [{name}], and its heads")
            )
        if channel and channel not in channels:
            where = f"config/{file.name}:{line_of(text, (name, 'channel'))}"
            hint = did_you_mean(channel, channels) or f"known are: {', '.join(sorted(channels))}"
            problems.append(Problem(where, f"there is no channel {channel!r}", hint))
        for head, means in given.items():
            if head == "channel":
                continue
            if means != LEAVE and not reader.means(str(means)):
                where = f"config/{file.name}:{line_of(text, (name, head))}"
                hint = f'write one of: {reader.known()}; or "{LEAVE}" to leave it out'
                problems.append(Problem(where, f"{head!r} cannot mean {means!r}", hint))
            names[head] = str(means)
        found[name] = Columns(names, channel)
    if problems:
        raise WrongFiles(problems)
    return found


def _about(row: MonthRow | PostRow) -> str:
    reasons = dict.fromkeys(typed.reason for typed in row.figures.values() if typed.reason)
    words = [*(Reason(reason).sentence for reason in reasons), row.note]
    return "; ".join(word for word in words if word)


def read_figures(
    data: bytes,
    *,
    channels: Collection[str],
    metrics: Mapping[str, Metric],
    filename: str,
    running: str = "",
    given: Columns | None = None,
) -> Import:
    """The figures in a CSV file, and every problem with its file and line. Raises nothing.

    `data` is UTF-8, with or without a byte-order mark, or UTF-16 with one; separated by commas,
    semicolons or tabs. Metrics go by name, label, or another head the dictionary gives them.
    `running` is the month ("2025-08") that is not over yet: only earlier ones have a total.
    `given` says what the heads of a tool's own export mean.
    """
    return _Reader(channels, metrics, filename, running, given or Columns()).read(data)


@dataclass
class _Reader:
    channels: Collection[str]
    metrics: Mapping[str, Metric]
    filename: str
    running: str
    given: Columns
    problems: list[Problem] = field(default_factory=list)

    def read(self, data: bytes) -> Import:
        text = self._decoded(data)
        if text is None:
            return self._failed()
        records = self._records(text)
        if not records:
            if not self.problems:
                self._problem(1, "the file is empty", "the first line names the columns")
            return self._failed()
        (line, heads), *rest = records
        columns = self._columns(line, heads)
        if columns is None:
            return self._failed()
        months: dict[tuple[str, str], MonthRow] = {}
        posts: dict[str, PostRow] = {}
        for number, cells in rest:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(columns) and any(cells[len(columns) :]):
                self._problem(
                    number,
                    f"{len(cells)} cells, but there are {len(columns)} columns",
                    'a number with a comma stands in quotes: "48,210"',
                )
                continue
            row = dict(zip(columns, cells, strict=False))
            if "post" not in columns:
                row = {"channel": self.given.channel, "month": self.given.month} | row
            if "post" in columns:
                self._post(number, row, posts)
            else:
                self._month(number, row, months)
        if not rest and not self.problems:
            self._problem(line, "there are column heads, but no rows below them")
        return Import(
            self.filename,
            months=tuple(months.values()),
            posts=tuple(posts.values()),
            problems=tuple(self.problems),
            columns=tuple(column for column in columns if column in self.metrics),
            mapped=tuple(
                (head.strip(), self._head(head))
                for head in heads
                if _plain(head) in {_plain(known) for known in self.given.names}
            ),
        )

    def _failed(self) -> Import:
        return Import(self.filename, problems=tuple(self.problems))

    def _problem(self, line: int, what: str, hint: str = "") -> None:
        self.problems.append(Problem(f"{self.filename}:{line}", what, hint))

    def _decoded(self, data: bytes) -> str | None:
        if len(data) > MOST_BYTES:
            size = len(data) // 1_000_000
            self._problem(1, f"{size} MB; a file of figures has {MOST_BYTES // 1_000_000} at most")
            return None
        # Excel's "Unicode text" is UTF-16 with a byte-order mark.
        wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        try:
            text = data.decode("utf-16" if wide else "utf-8-sig")
        except UnicodeDecodeError as error:
            self._problem(
                data.count(b"\n", 0, error.start) + 1,
                "the letters are not UTF-8",
                'in Excel, save it as "CSV UTF-8 (comma delimited)"',
            )
            return None
        if "\0" in text:
            self._problem(text.count("\n", 0, text.index("\0")) + 1, "this is no text file")
            return None
        return text

    def _records(self, text: str) -> list[tuple[int, list[str]]]:
        """Every record with the line it starts on; blank ones are left out."""
        line = 1
        said = _SEPARATOR.match(text)
        if said:  # a line for Excel, which shows no row for it
            line, text = 2, text[said.end() :]
        delimiter = said[1] if said else self._delimiter(text)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        above = line - 1
        records = []
        try:
            for cells in reader:
                if cells:
                    records.append((line, cells))
                line = above + reader.line_num + 1
        except csv.Error as error:
            self._problem(
                line, f"cannot be read as CSV: {error}", "look for a stray quotation mark"
            )
        return records

    def _delimiter(self, text: str) -> str:
        """What separates the heads that we know; where we know none, what there is most of."""
        first = next((line for line in text.splitlines() if line.strip()), "")
        return max(DELIMITERS, key=lambda d: (self._known_heads(first.split(d)), first.count(d)))

    def _known_heads(self, heads: Sequence[str]) -> int:
        return sum(self._head(head.strip('"')) in self._names().values() for head in heads)

    def _names(self) -> dict[str, str]:
        """Every way to write a column's head, and the column it means."""
        names = {name: name for name in ("channel", "month", "posts", "reason", "note", "post")}
        names |= {"key": "post", "url": "post", "key or url": "post", "address": "post"}
        for metric in self.metrics.values():
            names |= {
                _plain(word): metric.name for word in (metric.name, metric.label, *metric.also)
            }
        ours = names | {LEAVE: LEAVE}
        for head, means in self.given.names.items():
            names[_plain(head)] = ours.get(means if means == LEAVE else _plain(means), "")
        return names

    def _head(self, text: str) -> str:
        return self._names().get(_plain(text), "")

    means = _head  # what a word in place of a head stands for, or ""

    def _columns(self, line: int, heads: Sequence[str]) -> list[str] | None:
        before = len(self.problems)
        columns: list[str] = []
        names = self._names()
        for head in heads:
            column = self._head(head)
            if not head.strip() and head == heads[-1]:
                continue  # a separator at the end of the line makes an empty last column
            if not column:
                near = get_close_matches(_plain(head), names, 1)
                self._problem(
                    line,
                    f"unknown column {head.strip()!r}",
                    f"did you mean {names[near[0]]!r}?" if near else f"known are: {self.known()}",
                )
            elif column != LEAVE and column in columns:
                self._problem(line, f"two columns mean {column!r}", "keep one of them")
            columns.append(column)
        if len(self.problems) > before:
            return None
        said = {name for name in ("channel", "month") if getattr(self.given, name)}
        if "post" not in columns and not {"channel", "month"} <= {*columns, *said}:
            self._problem(
                line,
                "the columns say neither whose month this is nor which post's",
                "name the columns channel and month, or post (a key or an address)",
            )
        elif "post" in columns and {"channel", "month", "posts"} & set(columns):
            self._problem(line, "a file has months or posts, not both", "make two files of it")
        elif not set(columns) & {"posts", *self.metrics}:
            self._problem(line, "there is no column of figures", f"known are: {self.known()}")
        return columns if len(self.problems) == before else None

    def known(self) -> str:
        """The columns that there are."""
        return ", ".join(["channel", "month", "posts", "post", *self.metrics, "reason", "note"])

    def _month(
        self, line: int, row: Mapping[str, str], found: dict[tuple[str, str], MonthRow]
    ) -> None:
        before = len(self.problems)
        channel = self._channel(line, row.get("channel", "").strip())
        month = ""
        try:
            month = parse_month(row.get("month", ""))
        except NoSuchMonth as error:
            self._problem(line, f"month: {error}", error.hint)
        if self.running and month >= self.running:
            is_not = "is not over yet" if month == self.running else "lies ahead"
            what = f"month: {named(month)} {is_not}, and a month has its figures when it is over"
            self._problem(line, what, f"import it from {named(following(month))} on")
        posts = self._figure(line, "posts", row.get("posts", ""), "")
        figures = self._figures(line, row)
        note = self._text(line, "note", row.get("note", ""))
        if (channel, month) in found and channel and month:
            first = found[channel, month].line
            self._problem(line, f"{channel} has its {month} in line {first} already")
        if len(self.problems) == before:
            value = posts.value if posts else None
            found[channel, month] = MonthRow(line, channel, month, value, figures, note)

    def _post(self, line: int, row: Mapping[str, str], found: dict[str, PostRow]) -> None:
        before = len(self.problems)
        post = self._text(line, "post", row.get("post", "").strip())
        if not post and len(self.problems) == before:
            self._problem(line, "post: which one?", "write its key or its public address")
        elif post and not re.fullmatch(r"https?://[^\s/]+/\S*|[^\s/@]+/[^\s@]+@[^\s@]+", post):
            self._problem(
                line,
                f"post: {post!r} is neither a key nor an address",
                "a key looks like forum-2025/recap/en@vk, an address begins with https://",
            )
        figures = self._figures(line, row)
        note = self._text(line, "note", row.get("note", ""))
        if post in found:
            self._problem(line, f"{post} is in line {found[post].line} already")
        if len(self.problems) == before:
            found[post] = PostRow(line, post, figures, note)

    def _channel(self, line: int, name: str) -> str:
        known = {channel.casefold(): channel for channel in self.channels}
        if name.casefold() in known:
            return known[name.casefold()]
        near = get_close_matches(name.casefold(), known, 1)
        self._problem(
            line,
            f"there is no channel {name!r}" if name else "channel: which one?",
            f"did you mean {known[near[0]]!r}?"
            if near
            else f"known are: {', '.join(sorted(self.channels))}",
        )
        return ""

    def _figures(self, line: int, row: Mapping[str, str]) -> Mapping[str, Typed]:
        reason = row.get("reason", "").strip()
        if reason and reason not in set(Reason):
            near = get_close_matches(reason, [one.value for one in Reason], 1)
            self._problem(
                line,
                f"reason: {reason!r} is none of ours",
                f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(Reason)}",
            )
            reason = ""
        found: dict[str, Typed] = {}
        for column, cell in row.items():
            if column in self.metrics:
                figure = self._figure(line, column, cell, reason)
                if figure is not None:
                    found[column] = figure
        return found

    def _figure(self, line: int, column: str, cell: str, reason: str) -> Typed | None:
        """What stands in the cell; None where it is empty, or where it is a problem."""
        text = unicodedata.normalize("NFKC", cell).strip(_BLANK)
        if not text:
            return None
        if text in _NOT_AVAILABLE:
            return Typed(None, reason or Reason.COLLECTION_FAILED.value)
        if text in _NOT_APPLICABLE:
            return Typed(None, Reason.NOT_OFFERED.value)
        if text in _NIL:
            return Typed(0)
        if text.startswith("="):
            self._problem(
                line,
                f"{column}: {_short(cell)} is a formula, and is not evaluated",
                "paste its value instead",
            )
            return None
        digits = text.removeprefix("+")
        if re.fullmatch(r"[0-9]+|[0-9]{1,3}(,[0-9]{3})+|[0-9]{1,3}([ '’][0-9]{3})+", digits):
            value = int(re.sub(r"[^0-9]", "", digits)) if len(digits) <= 30 else LARGEST
            if value < LARGEST:
                return Typed(value)
            self._problem(line, f"{column}: {_short(cell)} is larger than any figure can be")
        elif re.fullmatch(r"[-−–][0-9 ,.]+", text):
            self._problem(line, f"{column}: {_short(cell)} is below zero, and counts how often")
        else:
            self._problem(
                line,
                f"{column}: {_short(cell)} is not a whole number",
                'write 48210 or "48,210"; .. where it is not available',
            )
        return None

    def _text(self, line: int, column: str, cell: str) -> str:
        # A spreadsheet that our reports are opened in would run it as a formula, also behind
        # a blank, a byte-order mark, or in full-width letters.
        bare = unicodedata.normalize("NFKC", cell).lstrip(_BLANK)
        if bare.startswith(("=", "+", "-", "@", "|")):
            self._problem(
                line,
                f"{column}: a text may not begin with {bare[0]}",
                "spreadsheets take that for a formula; begin with a word",
            )
            return ""
        return " ".join(cell.split())


_BLANK = " \t\r\n\v\f\u00a0\u200b\u200c\u200d\u2060\ufeff"
_NOT_AVAILABLE = frozenset({"..", "…", "...", "n/a"})  # NFKC turns … into three full stops
_NOT_APPLICABLE = frozenset({"-"})
_NIL = frozenset({"—", "nil"})


def _plain(head: str) -> str:
    return " ".join(head.strip(_BLANK).replace("_", " ").replace("-", " ").casefold().split())


def _short(cell: str) -> str:
    text = " ".join(cell.split())
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
