"""The office's accounts: channels.toml, secrets and adapters put together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from outreach.config import Configuration, is_loopback
from outreach.platforms import Account, Channel, Platform, load
from outreach.store import Store
from outreach.store.shelf import TableShelf


@dataclass(frozen=True)
class Accounts:
    """Makes channels and platforms from the configuration. Opens no connection."""

    configuration: Configuration
    store: Store
    now: Callable[[], datetime]

    def channels(self) -> dict[str, Channel]:
        """Every account, as composing sees it: no secret, no connection."""
        return {name: self._channel(name) for name in self.configuration.channels}

    def platforms(self) -> dict[str, Platform]:
        """Every account that can publish."""
        unready = self.unready()
        return {
            name: load(settings.platform)(self._account(name))
            for name, settings in self.configuration.channels.items()
            if name not in unready
        }

    def unready(self) -> dict[str, str]:
        """Channels that cannot publish as they are set up, and why."""
        return {name: told[0] for name in self.configuration.channels if (told := self._not(name))}

    def remedies(self) -> dict[str, str]:
        """What to do about each of them."""
        return {name: told[1] for name in self.configuration.channels if (told := self._not(name))}

    def _not(self, name: str) -> tuple[str, str] | None:
        """Why a channel cannot publish, and what to do; None where it can."""
        settings, web = self.configuration.channels[name], self.configuration.settings.web
        platform, channel = f"at {settings.platform}", self._channel(name)
        adapter = load(settings.platform)
        demo = self.configuration.settings.desk.demo
        unknown = [option for option, value in settings.options.items() if value == "tbc"]
        if unknown:
            why = f"its {' and '.join(unknown)} is still to be confirmed in config/channels.toml"
            return why, f"what to write there: platforms.md in the documentation, {platform}"
        missing = self.configuration.secret_names(name)
        if missing:
            why = f"its secrets are missing: {', '.join(missing)}"
            return why, f"how to get them: platforms.md in the documentation, {platform}"
        if demo and channel.public and adapter.needs:
            why = "this is a demo: nothing leaves this machine"
            return why, "take demo = true out of config/outreach.toml before real work"
        if channel.public and not demo and web.public_url and is_loopback(web.public_url):
            why = (
                f"the public-url {web.public_url} leads to this machine only; "
                "its posts would print addresses that nobody can open"
            )
            return why, (
                "in config/outreach.toml, at [web]: write the https address of this desk as "
                "public-url, or leave it empty"
            )
        return None

    def _channel(self, name: str) -> Channel:
        settings = self.configuration.channels[name]
        adapter = load(settings.platform)
        platform = adapter(self._account(name))
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
        )

    def _account(self, name: str) -> Account:
        settings = self.configuration.channels[name]
        return Account(
            channel=name,
            options=settings.options,
            secrets=self.configuration.secrets_of(name),
            shelf=TableShelf(self.store, name, self.now),
            now=self.now,
            base=settings.base,
            public=self.configuration.settings.web.public_url.rstrip("/"),
        )
