"""Countries as people type them: recognised in six languages, or listed, and never guessed."""

import pytest

from outreach.measure.countries import MEMBERS, country, name, official_order

# ruff: noqa: E501 - names as they are typed
TYPED = {
    "CN": "China; PR China; P.R. China; CHN; cn; 156; 中国; 중국; Китай; 中华人民共和国; Хятад",
    "KP": "Democratic People's Republic of Korea; DPRK; North Korea; PRK; 朝鲜; 북한; 北朝鮮; "
    "조선민주주의인민공화국; КНДР; Korea (the Democratic People's Republic of); БНАСАУ",
    "JP": "Japan; JPN; 日本; 일본; Япония; Япон",
    "MN": "Mongolia; MNG; 蒙古; 몽골; モンゴル; Монголия; Монгол; Монгол Улс",
    "KR": "Republic of Korea; ROK; R.O.K.; South Korea; Korea, Republic of; KOR; 410; 한국; 대한민국; "
    "韩国; 韓国; Республика Корея; Өмнөд Солонгос; Korea (the Republic of); SOUTH-KOREA",
    "RU": "Russian Federation; the Russian Federation; Russia; RUS; 俄罗斯; 러시아; ロシア; Россия; ОХУ",
    "VN": "Viet Nam; Vietnam; VNM",
    "GB": "UK; United Kingdom; Great Britain",
    "CI": "Côte d'Ivoire; Cote d’Ivoire",
    "TR": "Türkiye; Turkey",
}


@pytest.mark.parametrize(
    ("code", "typed"), [(code, one) for code, all_ in TYPED.items() for one in all_.split("; ")]
)
def test_a_country_is_recognised_in_any_of_its_names(code, typed):
    assert country(typed) == code
    assert country(f"  {typed.upper()} ") == code


@pytest.mark.parametrize("typed", ["", "Korea", "Atlantis", "Asia", "n/a", "Seoul", "Congo", "XX"])
def test_what_is_not_sure_is_nobodys_country(typed):
    assert country(typed) == ""


def test_member_states_stand_first_and_in_official_order():
    assert [name(code) for code in MEMBERS] == [
        "China",
        "Democratic People's Republic of Korea",
        "Japan",
        "Mongolia",
        "Republic of Korea",
        "Russian Federation",
    ]
    assert official_order(["", "VN", "RU", "FR", "KP", "CN"]) == ["CN", "KP", "RU", "FR", "VN", ""]


def test_a_name_that_is_printed_is_recognised_when_it_comes_back():
    assert [
        code for code in {*MEMBERS, "VN", "IR", "US", "LA"} if country(name(code)) != code
    ] == []
