"""Days on which people are away: weekends and the public holidays of named countries.

Holidays come from the `holidays` package, by ISO 3166 code, and are named in English. A day is
off where it is a Saturday or a Sunday, or a holiday in any of the countries: an audience in six
countries is not reached by a post that one of them does not read. Days that a country makes
working days in exchange for others (China's) stay what they are everywhere else: weekends.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

FURTHEST = 60
"""Days within which a working day must be found; the longest holidays have some nine."""

_WEEKEND = {5: "a Saturday", 6: "a Sunday"}


@dataclass(frozen=True)
class Calendar:
    """The days off of these countries, by ISO code ("TH")."""

    countries: tuple[str, ...] = ()

    def why_off(self, day: date) -> str:
        """Why people are away that day, in words ("a Saturday", "a holiday in …"), or ""."""
        told = [_WEEKEND[day.weekday()]] if day.weekday() in _WEEKEND else []
        names: dict[str, list[str]] = {}
        for country in self.countries:
            if name := _holidays(country, day.year).get(day):
                names.setdefault(country_name(country), []).append(name)
        told += [f"a holiday in {where} ({', '.join(what)})" for where, what in names.items()]
        return " and ".join(told)

    def moved(self, day: date, step: int) -> date:
        """The nearest working day before (`step` -1) or after (+1) a day off; else the day."""
        for _ in range(FURTHEST):
            if not self.why_off(day):
                return day
            day += timedelta(days=step)
        raise ValueError(
            f"there is no working day within {FURTHEST} days of that; name fewer countries "
            "under holidays"
        )

    def counted(self, day: date, count: int) -> date:
        """The day that is `count` working days later, or earlier where it is negative."""
        step = 1 if count >= 0 else -1
        for _ in range(abs(count)):
            day = self.moved(day + timedelta(days=step), step)
        return day

    def better(self, day: date, *, first: date | None = None, last: date | None = None) -> date:
        """The working day nearest to a day off, the earlier of two; between `first` and `last`.

        Where there is none between them, the day itself.
        """
        found = [self.moved(day, step) for step in (-1, 1)]
        fit = [d for d in found if (first is None or d >= first) and (last is None or d <= last)]
        return min(fit, key=lambda other: (abs(other - day), other), default=day)


@lru_cache(maxsize=1024)
def _holidays(country: str, year: int) -> dict[date, str]:
    import holidays

    supported = holidays.list_localized_countries().get(country, [])
    language = next((code for code in ("en_US", "en_GB", "en") if code in supported), None)
    return dict(holidays.country_holidays(country, years=year, language=language))


@lru_cache(maxsize=1)
def known_countries() -> Collection[str]:
    """The codes of the countries whose holidays are known."""
    import holidays

    return frozenset(holidays.list_supported_countries())


@lru_cache(maxsize=256)
def country_name(code: str) -> str:
    """A country as the United Nations call it, from its code: "Thailand"."""
    from babel import Locale

    return _UNITED_NATIONS.get(code) or str(Locale("en").territories.get(code, code))


# Where Unicode's short English names are not the United Nations' own.
_UNITED_NATIONS = {
    "KP": "the Democratic People's Republic of Korea",
    "KR": "the Republic of Korea",
    "RU": "the Russian Federation",
    "VN": "Viet Nam",
    "TR": "Türkiye",
    "LA": "the Lao People's Democratic Republic",
    "US": "the United States",
    "GB": "the United Kingdom",
}
