"""Figures by CSV: what is read, and everything that is refused, with file and line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.measure.imports import Import, Typed, read_figures
from outreach.measure.metrics import load_metrics

ROOT = Path(__file__).parents[2]
METRICS = load_metrics(ROOT / "config" / "metrics.toml")
CHANNELS = ("x", "linkedin", "telegram", "vk", "facebook")
HEAD = "channel,month,displays,note\n"


def read(text: str | bytes) -> Import:
    data = text if isinstance(text, bytes) else text.encode()
    return read_figures(data, channels=CHANNELS, metrics=METRICS, filename="f.csv")


def problems(text: str | bytes) -> list[str]:
    return [str(one) for one in read(text).problems]


def test_the_sample_figures_are_read_without_a_problem():
    found = read((ROOT / "outreach" / "demo" / "sample-figures.csv").read_bytes())
    assert found.problems == ()
    assert len(found.months) == 12
    first = found.months[0]
    assert (first.channel, first.month, first.posts) == ("x", "2025-08", 14)
    assert first.figures == {
        "displays": Typed(48_210),
        "engagements": Typed(1_446),
        "clicks": Typed(312),
    }
    facebook = found.months[4]
    assert facebook.figures["displays"] == Typed(None, "collection_failed")
    assert facebook.posts == 11


def test_post_rows_go_by_key_or_by_address():
    found = read("url,Impressions,likes\nforum/recap/en@vk,310,12\nhttps://vk.com/w1,.., \n")
    assert found.problems == ()
    assert [(one.post, dict(one.figures)) for one in found.posts] == [
        ("forum/recap/en@vk", {"displays": Typed(310), "likes": Typed(12)}),
        ("https://vk.com/w1", {"displays": Typed(None, "collection_failed")}),
    ]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('"48,210"', Typed(48_210)),
        ("48 210", Typed(48_210)),
        ("48\u00a0210", Typed(48_210)),
        ("48\u202f210", Typed(48_210)),
        ("４８２", Typed(482)),
        ("+312", Typed(312)),
        ("0", Typed(0)),
        ("—", Typed(0)),
        ("-", Typed(None, "not_offered")),
        ("..", Typed(None, "collection_failed")),
    ],
)
def test_a_figure_may_be_written_as_people_write_it(cell, value):
    found = read(f"{HEAD}vk,2025-08,{cell},\n")
    assert found.problems == ()
    assert found.months[0].figures == {"displays": value}


def test_an_empty_cell_says_nothing_and_is_not_zero():
    assert read("channel,month,displays,clicks\nvk,2025-08,,3\n").months[0].figures == {
        "clicks": Typed(3)
    }


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("=1+2", "displays: '=1+2' is a formula, and is not evaluated"),
        ("＝SUM(A1)", "displays: '＝SUM(A1)' is a formula, and is not evaluated"),
        ("-5", "displays: '-5' is below zero, and counts how often"),
        ("@cmd", "displays: '@cmd' is not a whole number"),
        ("48.210", "displays: '48.210' is not a whole number"),
        ('"4,82,10"', "displays: '4,82,10' is not a whole number"),
        ("1e5", "displays: '1e5' is not a whole number"),
        ("9" * 400, "is larger than any figure can be"),
    ],
)
def test_what_is_no_figure_is_a_problem_with_its_line(cell, says):
    found = read(f"{HEAD}vk,2025-08,7,\nx,2025-08,{cell},\n")
    (problem,) = found.problems
    assert problem.where == "f.csv:3"
    assert says in problem.what
    assert [row.channel for row in found.months] == ["vk"]


@pytest.mark.parametrize(
    "note", ["=1+2", " =1+2", "\u00a0@x", "＋1", "\ufeff-1", '"\n=1"', "|calc"]
)
def test_a_note_that_a_spreadsheet_would_run_is_a_problem(note):
    (problem,) = read(f"{HEAD}vk,2025-08,7,{note}\n").problems
    assert "a text may not begin with" in problem.what


def test_all_mistakes_of_a_file_come_at_once():
    assert problems(
        "channel,month,displays,reason\n"
        "vkk,2025-08,1,\n"
        "x,August,1,\n"
        "linkedin,2025-08,..,colection_failed\n"
        "vk,2025-08,1,\n"
        "VK,2025-08,2,\n"
    ) == [
        "f.csv:2: there is no channel 'vkk'\n    → did you mean 'vk'?",
        "f.csv:3: month: 'August' is no month\n    → write year and month, like 2025-08",
        "f.csv:4: reason: 'colection_failed' is none of ours\n"
        "    → did you mean 'collection_failed'?",
        "f.csv:6: vk has its 2025-08 in line 5 already",
    ]


def test_a_thousand_without_quotes_is_noticed():
    assert problems("channel,month,displays\nx,2025-08,48,210\n") == [
        "f.csv:2: 4 cells, but there are 3 columns\n"
        '    → a number with a comma stands in quotes: "48,210"'
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "f.csv:1: the file is empty"),
        ("channel,month,displays\n", "f.csv:1: there are column heads, but no rows"),
        ("chanel,month,displays\nx,2025-08,1\n", "unknown column 'chanel'\n    → did you mean 'ch"),
        ("month,displays\n2025-08,1\n", "neither whose month this is nor which post's"),
        ("channel,month\nx,2025-08\n", "there is no column of figures"),
        ("channel,month,displays,views\nx,2025-08,1,2\n", "two columns mean 'displays'"),
        ("channel,month,post,likes\nx,2025-08,a,1\n", "months or posts, not both"),
        ('channel,month,displays\nx,2025-08,"1\n', "cannot be read as CSV"),
        (b"channel,month,displays,note\nx,2025-08,1,caf\xe9\n", "f.csv:2: the letters are not UTF"),
        (b"channel,\0", "this is no text file"),
        ("post,likes\nnowhere,1\n", "neither a key nor an address"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text, says):
    assert says in "\n".join(problems(text))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_spreadsheets_save_in_many_ways(delimiter, encoding):
    text = "channel,month,displays\r\nvk,2025-08,3842\r\n".replace(",", delimiter)
    assert read(text.encode(encoding)).months[0].figures == {"displays": Typed(3_842)}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_head_says_what_separates_also_where_excel_says_it_above(delimiter):
    text = "channel,month,posts\nvk,2025-08,6\nvkk,2025-08,1\n".replace(",", delimiter)
    for data, line in ((text, 3), (f"sep={delimiter}\n{text}", 4)):
        found = read(data)
        assert [(row.channel, row.posts) for row in found.months] == [("vk", 6)]
        assert [problem.where for problem in found.problems] == [f"f.csv:{line}"]


def test_heads_that_nobody_knows_are_told_one_by_one():
    told = problems("Kanal;Monat;Anzeigen\nvk;2025-08;5\n")
    assert [one.partition("\n")[0] for one in told] == [
        "f.csv:1: unknown column 'Kanal'",
        "f.csv:1: unknown column 'Monat'",
        "f.csv:1: unknown column 'Anzeigen'",
    ]


def test_how_many_posts_there_were_is_a_figure_by_itself():
    found = read("channel,month,posts\nvk,2025-08,6\n")
    assert found.problems == ()
    assert [(row.posts, dict(row.figures)) for row in found.months] == [(6, {})]


def test_a_month_that_is_not_over_has_no_total_yet():
    found = read_figures(
        b"channel,month,displays\nvk,2025-07,5\nx,2025-08,5\nfacebook,2027-08,5\n",
        channels=CHANNELS,
        metrics=METRICS,
        filename="f.csv",
        running="2025-08",
    )
    assert [row.month for row in found.months] == ["2025-07"]
    assert [str(one) for one in found.problems] == [
        "f.csv:3: month: August 2025 is not over yet, and a month has its figures when it is over\n"
        "    → import it from September 2025 on",
        "f.csv:4: month: August 2027 lies ahead, and a month has its figures when it is over\n"
        "    → import it from September 2027 on",
    ]


def test_lines_are_counted_through_notes_of_several_lines():
    text = 'channel,month,displays,note\nvk,2025-08,1,"two\nlines"\nx,2025-08,?,\n'
    assert [one.where for one in read(text).problems] == ["f.csv:4"]


def test_the_preview_shows_what_would_be_stored_and_what_is_wrong():
    found = read(
        "channel,month,posts,displays,clicks,reason,note\n"
        'vk,2025-08,6,"3,842",44,,\n'
        "facebook,2025-08,11,..,..,no_permission,Access expired\n"
        "nobody,2025-08,1,1,1,,\n"
    )
    assert found.preview() == [
        "f.csv: 2 rows of figures",
        "  channel   month    posts  displays  clicks  note",
        "  vk        2025-08      6     3,842      44",
        "  facebook  2025-08     11        ..      ..  "
        "The network did not permit us to read this figure; Access expired",
        "1 to put right:",
        "f.csv:4: there is no channel 'nobody'\n"
        "    → known are: facebook, linkedin, telegram, vk, x",
    ]


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_no_file_brings_the_reader_down(data):
    for prefix in (b"", b"channel,month,displays,note\n"):
        assert isinstance(read(prefix + data).preview(), list)
