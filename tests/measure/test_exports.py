"""Exports about people, in the layouts that tools write; the people are made up."""

from collections import Counter

import pytest

from outreach.measure.exports import Group, read_export

# As Indico writes it: an ID, a name, the form's own fields, and what the office ticked.
INDICO = """\
ID,Name,Email Address,Country,Gender,Age group,Type of organization,Registration date,Registration state,Checked in
1,"Doe, Ana",ana@example.org,Mongolia,Female,15-24,Local government,2025-08-01 09:12:44,Completed,Yes
2,"Roe, Bo",bo@example.org,Republic of Korea,Male,25-34,Academia,2025-08-01 10:00:00,Completed,No
3,"Poe, Cy",cy@example.org,Korea,Female,35-44,Academia,2025-08-02 11:30:00,Completed,Yes
4,"Moe, Di",di@example.org,Japan,Prefer not to say,60+,Local government,2025-08-02 11:31:00,Withdrawn,No
5,"Loe, Ed",ed@example.org,中国,Male,23,Private sector,2025-08-03 08:00:00,Awaiting payment,No
6,"Doe, Ana",ANA@example.org,Mongolia,Female,15-24,Local government,2025-08-03 08:00:00,Completed,No
"""  # noqa: E501 # as it comes

TEAMS = """\
1. Summary
Meeting title\tFifth International Forum on Low Carbon Cities
Attended participants\t3
Start time\t8/25/25, 8:51:02 AM
End time\t8/25/25, 5:03:40 PM
Meeting duration\t8h 12m 38s
Average attendance time\t2h 1m 4s

2. Participants
Name\tFirst Join\tLast Leave\tIn-Meeting Duration\tEmail\tParticipant ID (UPN)\tRole
Ana Doe\t8/25/25, 8:51:02 AM\t8/25/25, 5:03:40 PM\t8h 12m 38s\tana@example.org\tana@example.org\tOrganizer
Bo Roe (Guest)\t8/25/25, 9:02:13 AM\t8/25/25, 11:00:00 AM\t1h 57m 47s\t\t\tPresenter
Цэцэг Б.\t8/25/25, 9:03:00 AM\t8/25/25, 9:40:00 AM\t37m\ttsetseg@example.org\t\tAttendee

3. In-Meeting Activities
Name\tJoin Time\tLeave Time\tDuration\tEmail\tRole
Ana Doe\t8/25/25, 8:51:02 AM\t8/25/25, 5:03:40 PM\t8h 12m 38s\tana@example.org\tOrganizer
Bo Roe (Guest)\t8/25/25, 9:02:13 AM\t8/25/25, 9:30:00 AM\t27m 47s\t\tPresenter
Bo Roe (Guest)\t8/25/25, 9:40:00 AM\t8/25/25, 11:00:00 AM\t1h 20m\t\tPresenter
"""  # noqa: E501 # as it comes

TEAMS_OLDER = """\
Meeting Summary
Total Number of Participants\t2
Meeting Title\tForum
Meeting Start Time\t8/25/2021, 8:51:02 AM
Meeting End Time\t8/25/2021, 5:03:40 PM
Meeting Id\t00000000-0000-0000-0000-000000000000

Full Name\tJoin Time\tLeave Time\tDuration\tEmail\tRole\tParticipant ID (UPN)
Ana Doe\t8/25/2021, 8:51:02 AM\t8/25/2021, 9:00:00 AM\t9m\tana@example.org\tOrganizer\tana@example.org
Ana Doe\t8/25/2021, 9:10:00 AM\t8/25/2021, 5:00:00 PM\t7h 50m\tana@example.org\tOrganizer\tana@example.org
Bo Roe\t8/25/2021, 8:55:00 AM\t8/25/2021, 5:00:00 PM\t8h 5m\tbo@example.org\tAttendee\tbo@example.org
"""  # noqa: E501 # as it comes


def read(text, kind="registrations", *, encoding="utf-8", **more):
    return read_export(text.encode(encoding), kind=kind, filename="export.csv", **more)


def by(export, what):
    found = Counter()
    for group, count in export.counts.items():
        found[getattr(group, what)] += count
    return dict(found)


def mistakes(export):
    return [(problem.where, problem.what) for problem in export.problems]


class TestRegistrations:
    def test_of_indico_are_counted_by_group_and_who_withdrew_or_waits_is_not(self):
        found = read(INDICO)
        assert found.problems == ()
        assert found.counts == {
            Group("2025-08-01", "", "KR", "m", "no", "Academia"): 1,
            Group("2025-08-01", "", "MN", "f", "yes", "Local government"): 1,
            Group("2025-08-02", "", "", "f", "no", "Academia"): 1,
        }
        assert found.left == {
            "withdrawn or rejected": 1,
            "not confirmed yet": 1,
            "somebody who stands there already": 1,
        }
        assert found.unknown == {"country": {"Korea": 1}}
        assert found.days == ("2025-08-01", "2025-08-02")

    def test_nobody_is_named_in_what_comes_of_it(self):
        told = str(read(INDICO).as_data()) + "\n".join(read(INDICO).preview())
        for somebody in ("Doe", "Roe", "ana@", "bo@", "ANA"):
            assert somebody not in told
        assert "column 'Name' is taken as person, to tell who stands there twice" in told
        assert "by country: Mongolia 1; Republic of Korea 1; not said 1" in told
        assert "by youth: 15 to 24 1; other ages 2" in told

    def test_who_came_is_attendance(self):
        found = read(INDICO, "attendance")
        assert (found.total, found.left["did not come"]) == (2, 2)
        assert by(found, "country") == {"MN": 1, "": 1}

    def test_a_list_without_who_came_is_no_attendance(self):
        found = read("Name,Country,Date,Status\nA,Japan,2025-08-25,Completed\n", "attendance")
        assert mistakes(found) == [
            ("export.csv:1", "these are registrations: no column says who came")
        ]

    @pytest.mark.parametrize(
        "heads",
        [
            "이름,이메일,국가,성별,나이,등록일",
            "姓名;邮箱;国家;性别;年龄;注册时间",
            "氏名,メール,国名,性別,年齢,登録日",
            "ФИО;Электронная почта;Страна;Пол;Возраст;Дата регистрации",
            "Овог нэр,Имэйл,Улс,Хүйс,Нас,Бүртгүүлсэн огноо",
            "Full name,E-mail,Country,Sex,Age,Date",
        ],
    )
    def test_heads_are_guessed_in_the_languages_of_the_member_states(self, heads):
        mark = ";" if ";" in heads else ","
        row = mark.join(["A B", "a@example.org", "몽골", "여성", "19", "2025-08-20"])
        found = read(f"{heads}\n{row}\n", encoding="utf-8-sig")
        assert found.counts == {Group("2025-08-20", "", "MN", "f", "yes"): 1}

    def test_a_head_of_ones_own_is_mapped_and_another_left_out(self):
        text = "Wer,Land,Country,Wann\nA,Japan,x,2025-08-20\n"
        given = {"Land": "country", "Country": "-", "Wann": "date", "wer": "person"}
        assert read(text, given=given).counts == {Group("2025-08-20", "", "JP"): 1}

    def test_every_mistake_is_told_at_once_with_its_line(self):
        text = "Date,Session,Count\nsoon,A,1\n2025-08-20,a@example.org,2\n2025-13-01,=A1,many\n"
        assert mistakes(read(text)) == [
            ("export.csv:2", "'soon' is no day"),
            (
                "export.csv:3",
                "an address stands where the session should be; addresses are not kept",
            ),
            ("export.csv:4", "'2025-13-01' is no day"),
            ("export.csv:4", "the session may not begin with ="),
            ("export.csv:4", "'many' is no count"),
        ]

    def test_names_of_organisations_are_not_taken_for_kinds(self):
        lines = "\n".join(f"2025-08-20,Example {n} Ltd" for n in range(30))
        found = read(f"Date,Type of organisation\n{lines}\n")
        assert found.counts == {}
        assert "these are their names, which are not kept" in found.problems[0].what

    @pytest.mark.parametrize(
        ("file", "what"),
        [
            (b"", "the file is empty"),
            (b"\xff\xfa\x00", "the letters are not UTF-8"),
            (b"PK\x03\x04\x00\x00", "this is no text file"),
            (b"Name,Date\n", "there are column heads, but no rows below them"),
            (b"Name,Country\nA,Japan\n", "no column says the day"),
            (b'Date,Name\n2025-08-20,"A\n', "cannot be read as CSV: unexpected end of data"),
        ],
    )
    def test_what_is_no_export_says_so(self, file, what):
        found = read_export(file, kind="registrations", filename="export.csv")
        assert [problem.what for problem in found.problems] == [what]


class TestTeams:
    def test_a_report_counts_each_participant_once(self):
        found = read(TEAMS, "attendance-online", encoding="utf-16", session="opening")
        assert found.problems == ()
        assert found.counts == {Group("2025-08-25", "opening"): 3}
        assert found.notes == ()

    def test_the_older_form_lists_comings_and_goings(self):
        found = read(TEAMS_OLDER, "attendance-online", encoding="utf-16")
        assert found.counts == {Group("2021-08-25"): 2}
        assert found.left == {"somebody who stands there already": 1}

    def test_a_day_that_can_be_read_in_two_ways_is_asked_for_once(self):
        text = TEAMS.replace("8/25/25", "8/9/25")
        found = read(text, "attendance-online", encoding="utf-16")
        assert [problem.what for problem in found.problems] == [
            "'8/9/25, 8:51:02 AM' can be read in two ways"
        ]
        for first, day in ((True, "2025-09-08"), (False, "2025-08-09")):
            found = read(text, "attendance-online", encoding="utf-16", day_first=first)
            assert found.days == (day, day)

    def test_a_summary_alone_is_no_list(self):
        summary = TEAMS.partition("2. Participants")[0]
        found = read(summary, "attendance-online", encoding="utf-16")
        assert "its list of participants is not there" in found.problems[0].what


def test_downloads_are_counted_by_document_language_and_country():
    text = (
        'Date,Document,Language,Country,Downloads\n01.10.2025,booklet.pdf,ko,대한민국,"1,048"\n'
        "02.10.2025,booklet.pdf,ru,Россия,57\n02.10.2025,booklet.pdf,ru,Россия,3\n"
    )
    assert read(text, "downloads").counts == {
        Group("2025-10-01", country="KR", language="ko", document="booklet.pdf"): 1048,
        Group("2025-10-02", country="RU", language="ru", document="booklet.pdf"): 60,
    }


@pytest.mark.parametrize(
    "typed",
    [
        "2025-08-25",
        "2025-08-25T09:00:00+07:00",
        "2025/08/25 09:00",
        "25/08/2025",
        "8/25/2025",
        "8/25/25, 9:00:00 AM",
        "25.08.2025 09:00",
        "2025. 8. 25.",
        "2025年8月25日",
        "2025년 8월 25일",
        "25 August 2025",
        "25 Aug 2025 09:00",
        "August 25, 2025",
    ],
)
def test_days_are_read_as_tools_write_them(typed):
    assert read(f'Date\tName\n"{typed}"\tA\n').days == ("2025-08-25", "2025-08-25")
