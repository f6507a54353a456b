"""Real adapters in a drill, on the stand-ins of their networks.

Every call is held against what the network's own description allows, where that is installed.
Telegram shows no history and takes no key: what is in doubt there is a person's to answer.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from tests.drill.field import Elsewhere
from tests.platforms.servers import Network, TelegramNetwork, XNetwork, bot_api, serving, spent


@contextmanager
def telegram() -> Iterator[tuple[Network, Elsewhere]]:
    """The Bot API, and python-telegram-bot before it."""
    network = TelegramNetwork(bot_api())
    network.retry_after = 1
    chat = f'chat = "{network.CHATS[0]}"\n'
    with _on(network, "telegram", chat, {"token": network.TOKEN}) as elsewhere:
        yield network, elsewhere


@contextmanager
def x() -> Iterator[tuple[Network, Elsewhere]]:
    """X's API v2."""
    network = XNetwork()
    network.asks = spent("x-rate-limit", 1)  # it asks to wait for a second, not for minutes
    with _on(network, "x", 'handle = "@neaspec"\n', network.SECRETS) as elsewhere:
        yield network, elsewhere


@contextmanager
def _on(
    network: Network, platform: str, options: str, secrets: Mapping[str, str]
) -> Iterator[Elsewhere]:
    with serving(network) as base:
        yield Elsewhere(
            platform,
            f'base = "{base}"\nsecrets = "drill"\n{options}',
            {f"OUTREACH_DRILL_{name.upper()}": value for name, value in secrets.items()},
            lambda: network.texts,
        )


STAND_INS: Mapping[str, Callable[[], AbstractContextManager[tuple[Network, Elsewhere]]]] = {
    "telegram": telegram,
    "x": x,
}
