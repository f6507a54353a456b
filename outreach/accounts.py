"""The office's accounts: channels.toml, secrets and adapters put together."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from outreach.compose import Draft
from outreach.config import ChannelSettings, Configuration, is_loopback
from outreach.errors import Problem, Refused
from outreach.pace import Pace, Rule, dollars
from outreach.permits import Live, Permits
from outreach.platforms import (
    Account,
    Asks,
    Browses,
    Budget,
    Channel,
    Platform,
    Unfit,
    how_to_connect,
    load,
)
from outreach.platforms.oauth import OAuth
from outreach.platforms.plugins import Broken, account
from outreach.post import Part
from outreach.store import Store
from outreach.store.shelf import TableShelf
from outreach.subscribers import Roll


@dataclass(frozen=True)
class Accounts:
    """Makes channels and platforms from the configuration. Opens no connection."""

    configuration: Configuration
    store: Store
    now: Callable[[], datetime]
    permits: Permits
    package: Callable[[str, Part], None] | None = None  # mails one of a channel to another office

    def channels(self) -> dict[str, Channel]:
        """Every account, as composing sees it: no secret, no connection."""
        return {name: self._channel(name) for name in self.configuration.channels}

    def platforms(self) -> dict[str, Platform]:
        """Every account that can publish."""
        unready = self.unready()
        return {
            name: self.platform(name) for name in self.configuration.channels if name not in unready
        }

    def platform(self, name: str) -> Platform:
        """One account, whether it can publish or not."""
        platform = self.configuration.channels[name].platform
        made: Platform = account(load(platform), self.account(name), platform)
        return made

    def paces(self) -> dict[str, Pace]:
        """What each account has to keep to."""
        return {name: self._pace(name) for name in self.configuration.channels}

    def over_money(self, drafts: Iterable[Draft]) -> list[Problem]:
        """The months whose planned posts would cost more than the office has set."""
        planned: dict[tuple[str, str], Decimal] = {}
        limited = {
            name: self._pace(name)
            for name, settings in self.configuration.channels.items()
            if settings.money_per_month is not None
        }
        for draft in drafts:
            pace = limited.get(draft.channel)
            if pace and pace.costs and draft.post and draft.slot:
                month = f"{draft.slot.at.astimezone(ZoneInfo(pace.zone)):%Y-%m}"
                cost = pace.costs.of(*draft.post.parts)
                planned[draft.channel, month] = planned.get((draft.channel, month), 0) + cost
        return [
            Problem(
                "config/channels.toml",
                f"the posts of {month} on {name} cost {dollars(cost)} US dollars, and its "
                f"money-per-month is {dollars(money)}: what comes last would not be sent",
                "raise money-per-month, or send fewer of them there, or without an address",
                advice=True,
            )
            for (name, month), cost in sorted(planned.items())
            if (money := limited[name].money) is not None and cost > money
        ]

    def unready(self) -> dict[str, str]:
        """Channels that cannot publish as they are set up, and why."""
        return {name: told[0] for name in self.configuration.channels if (told := self._not(name))}

    def remedies(self) -> dict[str, str]:
        """What to do about each of them."""
        return {name: told[1] for name in self.configuration.channels if (told := self._not(name))}

    def broken(self, name: str) -> Broken | None:
        """What is wrong with the package that this channel's platform comes from, if anything."""
        made = self.platform(name)
        return made if isinstance(made, Broken) else None

    def _not(self, name: str) -> tuple[str, str] | None:
        """Why a channel cannot publish, and what to do; None where it can."""
        settings, web = self.configuration.channels[name], self.configuration.settings.web
        platform, channel = f"at {settings.platform}", self._channel(name)
        made = self.platform(name)
        adapter = load(settings.platform)
        if isinstance(made, Broken):
            return made.why, made.todo
        demo = self.configuration.settings.desk.demo
        unknown = [option for option, value in settings.options.items() if value == "tbc"]
        if unknown:
            why = f"its {' and '.join(unknown)} is still to be confirmed in config/channels.toml"
            return why, f"what to write there: platforms.md in the documentation, {platform}"
        missing = self.configuration.secret_names(name)
        if missing and not (self._may_be_permitted(name) and self.permits.has(name)):
            why = f"its secrets are missing: {', '.join(missing)}"
            return why, f"outreach connect {name} says where they are, and asks for them"
        if demo and channel.public and adapter.needs:
            why = "this is a demo: nothing leaves this machine"
            return why, "take demo = true out of config/outreach.toml before real work"
        if channel.lead and not self.configuration.settings.mail.host:
            why = "its packages go by mail, and there is no mail server"
            return why, "set host and from of [mail] in config/outreach.toml"
        if channel.lead and not web.public_url and not demo:
            why = "the other office gives the address on a page, and this desk has no public-url"
            return why, "in config/outreach.toml, at [web]: write the https address of this desk"
        if channel.public and not demo and web.public_url and is_loopback(web.public_url):
            why = (
                f"the public-url {web.public_url} leads to this machine only; "
                "its posts would print addresses that nobody can open"
            )
            return why, (
                "in config/outreach.toml, at [web]: write the https address of this desk as "
                "public-url, or leave it empty"
            )
        if isinstance(made, Unfit):
            return made.unfit()
        return None

    def permitted(self) -> list[str]:
        """The channels that could be connected in a browser, and have a token that is renewed."""
        return [name for name in self.configuration.channels if self._may_be_permitted(name)]

    def _may_be_permitted(self, name: str) -> bool:
        settings = self.configuration.channels[name]
        return bool(how_to_connect(load(settings.platform), settings.options).port)

    def app(self, name: str) -> OAuth:
        """The office's app at a channel's network. Raises Refused where there is none by now."""
        platform = self.platform(name)
        found = platform.oauth() if isinstance(platform, Browses) else None
        if found is None:
            raise Refused("channels.toml no longer names its client-id: put it back")
        return found

    def _pace(self, name: str) -> Pace:
        settings = self.configuration.channels[name]
        adapter = load(settings.platform)
        limits = adapter.limits  # its own: memory stands in for a network's texts, not its limits
        account = self.platform(name).account.lower()
        secrets = self.configuration.secrets_of(name)
        network = [
            Rule(
                _shared(settings.platform, budget, secrets) or account,
                budget.calls,
                budget.per.total_seconds(),
                messages=True,
            )
            for budget in limits.budgets
        ]
        office = [
            Rule(account, calls, per.total_seconds(), whose="the office's own")
            for calls, per in settings.budgets
        ]
        return Pace(
            account,
            (*network, *office),
            limits.messages,
            settings.costs_over(limits.costs),
            settings.money_per_month,
            self.configuration.report_zone,
        )

    def _channel(self, name: str) -> Channel:
        settings = self.configuration.channels[name]
        adapter = load(settings.platform)
        platform = self.platform(name)
        return Channel(
            name=name,
            platform=settings.platform,
            limits=platform.limits,
            account=platform.account,
            languages=settings.languages,
            zone=settings.zone or self.configuration.settings.office.zone,
            title=settings.title or name,
            source=settings.utm_source or name,
            quiet=settings.quiet,
            public=adapter.public and not (settings.base and is_loopback(settings.base)),
            lead=_lead(settings, platform),
            holidays=settings.holidays,
        )

    def _secrets(self, name: str) -> Mapping[str, str]:
        found = self.configuration.secrets_of(name)
        if not self._may_be_permitted(name):
            return found
        return Live(found, lambda: self.permits.token(name, lambda: self.app(name)))

    def account(self, name: str) -> Account:
        """What the channel's adapter is given."""
        settings = self.configuration.channels[name]
        return Account(
            channel=name,
            options=settings.options,
            secrets=self._secrets(name),
            shelf=TableShelf(self.store, name, self.now),
            now=self.now,
            base=settings.base,
            public=self.configuration.settings.web.public_url.rstrip("/"),
            package=partial(self.package, name) if self.package else None,
            readers=self.readers(name),
            together=lambda shared: TableShelf(self.store, shared, self.now),
        )

    def readers(self, name: str) -> Roll:
        """Those who have subscribed to a channel. Looks at nothing yet."""
        settings = self.configuration.channels[name]
        return Roll(
            self.store,
            name,
            self.now,
            home=self.configuration.home,
            languages=settings.languages,
            title=settings.title or name,
            office=self.configuration.settings.office.name,
        )


def _lead(settings: ChannelSettings, platform: Platform) -> int:
    """How many working days before its time another office wants what it is to publish."""
    if not isinstance(platform, Asks):
        return 0
    given = settings.lead_working_days
    return platform.lead if given is None else given


def _shared(platform: str, budget: Budget, secrets: Mapping[str, str]) -> str:
    """What the accounts have in common that share a budget: a secret, told by its fingerprint."""
    if not budget.shared or budget.shared not in secrets:
        return ""
    seen = hashlib.sha256(f"{platform} {budget.shared} {secrets[budget.shared]}".encode())
    return f"{platform} {budget.shared} {seen.hexdigest()[:12]}"
