"""The content calendar: out, changed in Excel, and in again as a plan."""

import re

import openpyxl
import pytest

from tests.sheets.conftest import CAMPAIGN, PLAIN, REMINDER, Desk, excel, hash_of, put

FILE = "campaigns/forum.yaml"
POSTS = "templates/posts/forum"


@pytest.fixture
def calendar(desk: Desk):
    return desk.export("calendar")


def row(file, message: str) -> dict[str, str]:
    sheet = openpyxl.load_workbook(file)["Calendar"]
    heads = [one.value for one in sheet[1]]
    for line in sheet.iter_rows(min_row=2, values_only=True):
        if line[1] == message:
            return {head: value or "" for head, value in zip(heads, line, strict=True)}
    raise AssertionError(message)


def new(**texts: str):
    """Somebody writes into the first of the empty rows."""

    def change(book):
        sheet = book["Calendar"]
        heads = {one.value: one.column for one in sheet[1]}
        number = next(r for r in range(2, 99) if sheet.cell(r, 2).value is None)
        for head, text in texts.items():
            named = head.replace("__", " @").replace("_", "-")
            sheet.cell(number, heads[named]).value = text

    return change


def test_a_row_a_message_and_a_column_a_language(desk: Desk, calendar):
    sheet = openpyxl.load_workbook(calendar)["Calendar"]
    assert [one.value for one in sheet[1]] == [
        *("campaign", "message", "when", "slot in Bangkok", "slot in Seoul", "status", "to"),
        *("channels", "release", "if-late", "not-after", "embargo", "days-off", "remove"),
        *("en", "en @net", "ko", "ru"),
    ]
    save = row(calendar, "save-the-date")
    assert save["when"] == "forum - 30 days"
    assert save["slot in Bangkok"] == "Sat 26 Jul 2025, 08:00"
    assert save["slot in Seoul"] == "Sat 26 Jul 2025, 10:00"
    assert (save["to"], save["release"]) == ("all", "as-ready")
    assert save["channels"] == "en: web, net; ko: net; ru: vk"
    assert save["status"].startswith("4 not applied; waits: ")
    assert save["en"] == PLAIN
    assert row(calendar, "idea")["status"] == "idea"
    assert row(calendar, "reminder")["to"] == ""  # as the campaign says


def test_unchanged_it_changes_nothing(desk: Desk, calendar):
    desk.unchanged(calendar)
    desk.unchanged(excel(calendar))
    assert "stands in no row" not in desk.import_(calendar).out


def test_times_and_texts_are_changed_and_comments_stay(desk: Desk, calendar):
    excel(calendar, put("Calendar", "reminder", when="forum - 4 days", en="In four days!"))
    excel(calendar, _days_off)
    said = desk.import_(calendar, types="y\n", terminal=True)
    assert said.code == 0, said
    assert "when  Calendar!C3" in said.out
    assert "- forum - 3 days" in said.out
    assert "+ forum - 4 days" in said.out
    assert "Once it is written, the plan is:" in said.out
    assert "Written: campaigns/forum.yaml, templates/posts/forum/reminder.md." in said.out
    was = CAMPAIGN
    wanted = was.replace("at: forum - 3 days", "at: forum - 4 days").replace(
        "release: as-ready}   # all", "release: as-ready, days-off: before}   # all"
    )
    assert desk.text(FILE) == wanted
    assert desk.text(f"{POSTS}/reminder.md") == "## en\n\nIn four days!\n"
    desk.unchanged(calendar)


def _days_off(book):
    sheet = book["Calendar"]
    sheet["M2"] = "before"


def test_it_imports_as_the_plan_that_is_then_applied(desk: Desk, calendar):
    """What the import shows is the plan of the files once they are written, to the hash."""
    excel(calendar, put("Calendar", "reminder", when="forum - 4 days"))
    shown = desk.asked(calendar)["plan"]["hash"]
    assert desk.text(FILE) == CAMPAIGN
    assert f"outreach apply {shown}" in desk.import_(calendar, "--yes").out
    said = desk.shell("apply", shown, who="ana")
    assert (said.code, "Recorded" in said.out) == (0, True), said


def test_a_new_message_is_a_row(desk: Desk, calendar):
    excel(
        calendar,
        new(
            campaign="forum",
            message="thank-you",
            when="forum + 1 day",
            to="all",
            not_after="forum + 3 days",
            en="Thank you, {{ campaign.title }}!\n---\nAnd to our partners.",
            ko="{{ campaign.title }}에 참여해 주셔서 감사합니다.",
        ),
    )
    said = desk.import_(calendar, "--yes")
    assert said.code == 0, said
    assert "thank-you: {at: forum + 1 day, to: all, not-after: forum + 3 days}" in desk.text(FILE)
    english = "Thank you, {{ campaign.title }}!\n---\nAnd to our partners."
    assert desk.text(f"{POSTS}/thank-you.md") == (
        f"## en\n\n{english}\n\n## ko (from {hash_of(english)}; reviewer: open)\n\n"
        "{{ campaign.title }}에 참여해 주셔서 감사합니다.\n"
    )
    again = desk.export("calendar", "--yes")
    assert row(again, "thank-you")["en"] == english
    desk.unchanged(again)
    # The old sheet says the same, and so changes nothing either.
    desk.unchanged(calendar)


def test_an_idea_is_a_row_with_a_name(desk: Desk, calendar):
    excel(calendar, new(campaign="forum", message="a-thought"))
    (change,) = desk.asked(calendar)["changes"]
    assert change["told"] == ["new, and an idea: without a time it is never sent"]
    assert desk.import_(calendar, "--yes").code == 0
    assert "  a-thought: {}\n" in desk.text(FILE)


def test_a_message_goes_only_where_it_says_so(desk: Desk, calendar):
    excel(calendar, lambda book: book["Calendar"].delete_rows(3))  # not by deleting its row
    desk.unchanged(calendar)
    assert "forum/reminder stands in no row, and stays as it is" in desk.import_(calendar).out
    calendar = desk.export("calendar", "--yes")
    excel(calendar, put("Calendar", "reminder", remove="yes"))
    said = desk.import_(calendar, "--yes")
    assert said.code == 0, said
    assert f"its texts stay in {POSTS}/reminder.md" in said.out
    assert "reminder" not in desk.text(FILE)
    assert desk.text(f"{POSTS}/reminder.md") == REMINDER


def test_an_emptied_row_takes_nothing_out(desk: Desk, calendar):
    excel(calendar, put("Calendar", "reminder", when="", en=""))
    told = desk.refused(calendar, "Calendar!N3: the row of reminder was emptied")
    assert "write yes under “remove”" in told


def test_an_emptied_cell_takes_its_key_out_and_no_text(desk: Desk, calendar):
    excel(calendar, put("Calendar", "save-the-date", release="", to=""))
    assert desk.import_(calendar, "--yes").code == 0
    assert "  save-the-date: {at: forum - 30 days}   # all languages" in desk.text(FILE)
    excel(calendar, put("Calendar", "save-the-date", ko=""))
    desk.refused(calendar, "Calendar!Q2: the ko text of save-the-date was emptied")


def test_a_changed_source_makes_its_translations_stale_and_a_changed_translation_unreviewed(
    desk: Desk, calendar
):
    excel(calendar, put("Calendar", "save-the-date", en=PLAIN.replace("The theme", "Its theme")))
    ko = "{{ events.forum.date }}: “{{ facts.theme }}” 주제로 열립니다. 많은 참여를 바랍니다."
    excel(calendar, put("Calendar", "save-the-date", ko=ko))
    told = {one["what"]: one["told"] for one in desk.asked(calendar)["changes"]}
    assert told == {"en": [], "ko": ["the review by lee ends: the text has changed"]}
    assert desk.import_(calendar, "--yes").code == 0
    said = desk.text(f"{POSTS}/save-the-date.md")
    assert re.search(r"## ko \(from [0-9a-f]{4}; translator: kim; reviewer: open\)", said)
    assert "## ru (from 0000; translator: ivanov; reviewer: open)" in said


def test_a_language_is_added_as_a_column(desk: Desk, calendar):
    def change(book):
        sheet = book["Calendar"]
        sheet["S1"], sheet["S3"] = "en @web", "On our page: {{ events.forum.date }}."

    assert desk.import_(excel(calendar, change), "--yes").code == 0
    assert "## en @web\n\nOn our page: {{ events.forum.date }}.\n" in desk.text(
        f"{POSTS}/reminder.md"
    )


def test_all_mistakes_are_told_at_once_with_their_cells(desk: Desk, calendar):
    def careless(book):
        sheet = book["Calendar"]
        put("Calendar", "reminder", when="forum - 3 dayz", to="everybody")(book)
        put("Calendar", "save-the-date", ko="{{ events.forum.day }}", remove="perhaps")(book)
        sheet["I4"], sheet["J4"], sheet["M4"] = "alone", "never", "sometimes"
        sheet["C5"] = "=A1"
        sheet["O5"] = 7
        sheet["A6"], sheet["B6"] = "forun", "thanks"
        sheet["A7"], sheet["B7"] = "forum", "Thank You"
        sheet["B8"], sheet["C8"] = "nobodys", "forum"
        sheet["A9"], sheet["B9"], sheet["C9"] = "forum", "no-zone", "2025-08-18 10:00"
        sheet["T4"] = "lost"

    told = desk.refused(excel(calendar, careless))
    for words in (
        "Calendar!C3: “forum - 3 dayz” is not a time",
        "Calendar!G3: there is no audience called everybody",
        "Calendar!Q2: {{ events.forum.date }}, {{ facts.theme }} of the source text are missing",
        "Calendar!N2: “perhaps” stands under “remove”",
        "Calendar!I4: “alone” stands under “release”",
        "Calendar!J4: “never” is not a rule for late posts",
        "Calendar!M4: “sometimes” stands under “days-off”",
        "Calendar!C5: a formula stands under “when”",
        "Calendar!O5: a number stands under “en”",
        "Calendar!A6: there is no campaign called forun",
        "Calendar!B7: “Thank You” cannot be the name of a message",
        "Calendar!A8: the row does not say of which campaign it is",
        "Calendar!C9: “2025-08-18 10:00” lacks its time or zone",
        "Calendar!T4: this cell belongs to no column",
    ):
        assert words in told, (words, told)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        # Right as it is written, and wrong in its campaign: told at its cell all the same.
        (put("Calendar", "reminder", when="summit - 3 days"), "Calendar!C3: reminder: there is no"),
        (
            put("Calendar", "reminder", not_after="forum - 9 days"),
            "Calendar!K3: reminder would never be sent",
        ),
        (
            new(campaign="forum", message="late", when="summit + 1 day", en="Late."),
            "Calendar!B6: late: there is no event summit",
        ),
        (
            new(campaign="forum", message="reminder", when="forum"),
            "Calendar!B6: forum reminder stands here a second time",
        ),
        (
            lambda book: book["Calendar"].__setitem__("S1", "Korean"),
            "Calendar!S1: “Korean” is the head of no column here",
        ),
        (
            lambda book: book["Calendar"].__setitem__("S1", "ko"),
            "Calendar!S1: a second column has the head “ko”",
        ),
    ],
)
def test_what_would_break_the_campaign_is_refused(desk: Desk, calendar, change, words):
    desk.refused(excel(calendar, change), words)


def test_what_changed_in_the_file_meanwhile_is_kept_or_told(desk: Desk, calendar):
    desk.office.write(FILE, CAMPAIGN.replace("forum - 3 days", "forum - 5 days"))
    desk.unchanged(calendar)
    excel(calendar, put("Calendar", "reminder", when="forum - 4 days"))
    told = desk.refused(calendar, "Calendar!C3: the file has changed since this sheet was made")
    assert "the file has “forum - 5 days”" in told


def test_a_new_row_does_not_write_over_texts_that_are_there(desk: Desk, calendar):
    desk.office.write(f"{POSTS}/thanks.md", "## en\n\nThank you all.\n")
    excel(calendar, new(campaign="forum", message="thanks", when="forum + 1 day", en="Thanks!"))
    desk.refused(calendar, "Calendar!O6: the file has changed since this sheet was made")


def test_a_series_is_shown_and_changed_in_its_file(desk: Desk):
    series = (
        "  news:\n    every: {days: [mon, thu], time: '10:00 Asia/Bangkok', "
        "from: forum - 21 days, until: forum - 10 days}\n"
    )
    desk.office.write(FILE, CAMPAIGN + series)
    desk.office.write(f"{POSTS}/news.md", "## en 1\n\nOne.\n\n## en 2\n\nTwo.\n")
    calendar = desk.export("calendar")
    news = row(calendar, "news")
    assert news["when"] == (
        "every mon, thu at 10:00 Asia/Bangkok, from forum - 21 days until forum - 10 days"
    )
    assert news["slot in Bangkok"] == "Mon 4 Aug 2025, 10:00\nand 3 more"
    assert (news["en 1"], news["en 2"]) == ("One.", "Two.")
    desk.unchanged(excel(calendar))
    excel(calendar, put("Calendar", "news", when="every mon"))
    desk.refused(calendar, "news is a series; its times cannot be changed here")


def test_one_campaign_alone(desk: Desk, office):
    office.campaign(CAMPAIGN.replace("campaign: forum", "campaign: other"), reminder=REMINDER)
    calendar = desk.export("calendar", "--campaign", "other")
    sheet = openpyxl.load_workbook(calendar)["Calendar"]
    assert {sheet.cell(n, 1).value for n in range(2, 6)} == {"other"}
    desk.unchanged(calendar)
    assert "forum/" not in desk.import_(calendar).out  # nothing is said of the other one


def test_two_messages_with_one_text_file(desk: Desk):
    both = CAMPAIGN + "  again: {at: forum - 2 days, template: posts/forum/reminder.md}\n"
    desk.office.write(FILE, both)
    calendar = desk.export("calendar")
    excel(calendar, put("Calendar", "reminder", en="One."))
    excel(calendar, put("Calendar", "again", en="Two."))
    desk.refused(calendar, "are the same one of templates/posts/forum/reminder.md")
    excel(calendar, put("Calendar", "again", en="One."))
    assert desk.import_(calendar, "--yes").code == 0
    assert desk.text(f"{POSTS}/reminder.md") == "## en\n\nOne.\n"


def test_the_office_is_as_it_was_while_it_is_only_looked_at(desk: Desk, calendar):
    excel(calendar, put("Calendar", "reminder", when="forum - 4 days", en="Soon."))
    before = desk.files()
    assert desk.asked(calendar)["files"]
    assert desk.import_(calendar, types="n\n", terminal=True).code == 0
    assert desk.import_(calendar, terminal=False).code == 2
    assert desk.files() == before


def test_a_time_that_excel_made_a_date_of_is_told(desk: Desk, calendar):
    from datetime import datetime

    def change(book):
        book["Calendar"]["C3"] = datetime(2025, 8, 18, 10)

    told = desk.refused(excel(calendar, change), "Calendar!C3: a number stands under “when”")
    assert "format the cell as Text" in told
