"""Countries as people type them, and as the United Nations names them.

A name is recognised in English, Chinese, Korean, Russian, Japanese and Mongolian (CLDR's names),
as an ISO 3166 code, or as the United Nations writes it. What is not recognised is nobody's
country: it is listed for a person, and never guessed. "Korea" alone is two countries.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

MEMBERS: Final = ("CN", "KP", "JP", "MN", "KR", "RU")
"""The member States in official order: the alphabet of their English names."""

LANGUAGES: Final = ("en", "zh", "zh_Hant", "ko", "ru", "ja", "mn")

# As the United Nations writes them, where CLDR writes otherwise.
_OFFICIAL: Final = {
    "CN": "China",
    "KP": "Democratic People's Republic of Korea",
    "JP": "Japan",
    "MN": "Mongolia",
    "KR": "Republic of Korea",
    "RU": "Russian Federation",
    "BO": "Bolivia (Plurinational State of)",
    "BN": "Brunei Darussalam",
    "CD": "Democratic Republic of the Congo",
    "CG": "Congo",
    "CV": "Cabo Verde",
    "FM": "Micronesia (Federated States of)",
    "GB": "United Kingdom of Great Britain and Northern Ireland",
    "HK": "Hong Kong, China",
    "IR": "Iran (Islamic Republic of)",
    "LA": "Lao People's Democratic Republic",
    "MD": "Republic of Moldova",
    "MM": "Myanmar",
    "MO": "Macao, China",
    "NL": "Netherlands (Kingdom of the)",
    "PS": "State of Palestine",
    "SY": "Syrian Arab Republic",
    "TL": "Timor-Leste",
    "TR": "Türkiye",
    "TW": "Taiwan Province of China",
    "TZ": "United Republic of Tanzania",
    "US": "United States of America",
    "VA": "Holy See",
    "VE": "Venezuela (Bolivarian Republic of)",
    "VN": "Viet Nam",
}

# What else is typed into forms.
_ALSO: Final = {
    "CN": "People's Republic of China; PR China; P.R. China; P.R.C.; PRC; China, PR; Китай; КНР; БНХАУ; Хятад; 中华人民共和国; 中國; 중화인민공화국; 中華人民共和国",  # noqa: E501
    "KP": "DPRK; D.P.R.K.; DPR Korea; Корейская Народно-Демократическая Республика; North Korea; Korea, North; Korea (Democratic People's Republic of); Korea, Democratic People's Republic of; 조선민주주의인민공화국; 조선; КНДР; БНАСАУ; Хойд Солонгос; 朝鲜民主主义人民共和国; 朝鮮民主主義人民共和国; 北朝鮮",  # noqa: E501
    "JP": "日本国; 일본국",
    "MN": "Монгол Улс; 蒙古国; 蒙古國; モンゴル国; 몽골국",
    "HK": "Hong Kong; Hongkong; 香港; 홍콩; Гонконг",
    "MO": "Macao; Macau; 澳门; 澳門",
    "KR": "ROK; R.O.K.; South Korea; Korea, South; Korea, Republic of; Korea (Republic of); Korea Rep.; Rep. of Korea; The Republic of Korea; 한국; 남한; 대한민국; Республика Корея; 韩国; 大韩民国; 韓国; 大韓民国; Южная Корея; БНСУ; Өмнөд Солонгос",  # noqa: E501
    "RU": "Russia; RF; РФ; Россия; ОХУ; ОРОС",
    "GB": "UK; U.K.; Great Britain; England; Scotland; Wales",
    "US": "USA; U.S.A.; U.S.; United States; the United States",
    "TR": "Turkey",
    "VN": "Vietnam",
    "LA": "Laos; Lao PDR",
    "NL": "Netherlands; The Netherlands; Holland",
    "CZ": "Czech Republic",
}

_NOBODYS: Final = frozenset({"korea", "корея", "солонгос", "congo"})  # they name two


def name(code: str) -> str:
    """The English name that the United Nations uses; the code itself for what is none."""
    return _OFFICIAL.get(code) or _cldr("en").get(code, code)


def country(text: str) -> str:
    """The ISO 3166 code of the country that is meant ("KR"), or "" where that is not sure."""
    return _known().get(_plain(text), "")


def official_order(codes: Iterable[str]) -> list[str]:
    """Member States first, in official order; then others by their English names; "" last."""
    return sorted(
        set(codes),
        key=lambda code: (
            MEMBERS.index(code) if code in MEMBERS else len(MEMBERS) + (not code),
            name(code),
        ),
    )


@cache
def _cldr(language: str) -> dict[str, str]:
    from babel import Locale  # it is heavy, and most commands need no country

    return {
        code: words
        for code, words in Locale.parse(language).territories.items()
        if re.fullmatch("[A-Z]{2}", code) and code not in ("EU", "EZ", "UN", "XA", "XB", "ZZ", "QO")
    }


@cache
def _known() -> dict[str, str]:
    from babel.core import get_global

    found: dict[str, set[str]] = {}

    def add(words: str, code: str) -> None:
        if (plain := _plain(words)) and plain not in _NOBODYS:
            found.setdefault(plain, set()).add(code)

    english = _cldr("en")
    for language in LANGUAGES:
        for code, words in _cldr(language).items():
            add(words, code)
            add(re.sub(r"\s*[(（].*", "", words), code)  # "Myanmar (Burma)"
    for code in english:
        add(code, code)
    for other, codes in get_global("territory_aliases").items():  # KOR and 410, as CLDR keeps them
        if re.fullmatch(r"[A-Z]{3}|\d{3}", other) and len(codes) == 1 and codes[0] in english:
            add(other, codes[0])
    for code, words in _OFFICIAL.items():
        add(words, code)
    for code, several in _ALSO.items():
        for words in several.split(";"):
            add(words, code)
    return {words: next(iter(codes)) for words, codes in found.items() if len(codes) == 1}


def _plain(text: str) -> str:
    """How names are compared: no accents, marks or capitals."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    latin = "".join(one for one in apart if not unicodedata.combining(one) or ord(one) > 0x36F)
    words = unicodedata.normalize("NFC", latin)
    words = re.sub(r"\bsaint\b", "st", words.replace("&", " and "))
    # ISO writes "Republic of Moldova (the)" and "Korea (the Republic of)".
    return " ".join(re.sub(r"[^\w]+|\bthe\b", " ", words.replace(".", "")).split())
