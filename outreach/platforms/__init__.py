"""
The networks we publish to.

A platform is one account on one network. It does four things and declares two: see
`Platform`. To add a network, write a module with such a class, name it in PLATFORMS, and
subclass `PlatformContract` of outreach/testing.py. A package of yours can name its class in the
entry-point group `outreach.platforms` instead: see plugins.py.

What differs by network lives in that network's file. A library's types stay there too:
beyond it there are only a Part, a Receipt, Figures, and the errors of `outreach.errors`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from outreach.bounces import Bounce
from outreach.errors import NotFound
from outreach.post import Part, Picture

if TYPE_CHECKING:
    from outreach.platforms.oauth import OAuth

Figures = Mapping[str, int]
"""What a network told us, by metric. A figure that it did not tell is absent, never zero."""


@dataclass(frozen=True)
class Budget:
    """No more than `calls` within any `per`: beyond it a network asks to wait.

    Counted for the account that the public sees; with `shared`, for all accounts that have the
    same secret of that name: a bot's token, an app's key.
    """

    calls: int
    per: timedelta
    shared: str = ""


def has_link(text: str) -> bool:
    """Whether a text has an address, with its scheme."""
    return "http://" in text or "https://" in text


@dataclass(frozen=True)
class Costs:
    """What a network charges, in US dollars: for a part of a post, for one with an address
    (`links` finds them), and on top for each picture's description."""

    post: Decimal
    linked: Decimal
    described: Decimal = Decimal(0)
    links: Callable[[str], bool] = has_link

    def of(self, *parts: Part) -> Decimal:
        """What these parts cost together."""
        return sum(
            (
                (self.linked if self.links(part.text) else self.post)
                + self.described * sum(p.kind == "picture" and bool(p.alt) for p in part.pictures)
                for part in parts
            ),
            Decimal(0),
        )


def one_message(_part: Part) -> int:
    """Most networks take a part for one message, whatever is in it."""
    return 1


@dataclass(frozen=True)
class Limits:
    """What a post may be on a network; known without credentials, so that checks run offline.

    `length` counts as the network counts, and `unit` names what it counts. `caption` is the
    most that a part with pictures may hold, where it is less; `later` the most of a part after the
    first, likewise: where those are comments under the post. `alt` is the longest alt text;
    where it is 0 the network has no field for it, and the description is printed in the text.
    `documents`: how many PDFs a part may have in place of pictures, each of `document_bytes`.
    `videos`: likewise videos, each of `video_bytes` and `video_seconds` (from, until), in one of
    `video_codecs`. `captions_type` is as what the network takes captions beside a video, such as
    "text/vtt", and "" where it takes none; `captions_bytes` the most that they may have.
    `video_alt`: whether a video has a field for its description, where a picture has one.
    `deadline`: seconds that a whole publish of one part may take, uploads and waiting included.
    `visible`: how long a new post may stay invisible to `find`; "not found" is believed after it.
    `shows`: whether the network can be asked what it has; where not, only a person can look.
    `repeats`: whether the same call again, with the same token, makes no second copy.
    `budgets`: how much the network takes in how long; `messages` is as how many it counts a part.
    `costs`: what it charges; None where it charges nothing.
    `links`: whether readers can follow an address in the text; `link_goes` says where else.
    """

    text: int
    length: Callable[[str], int] = len
    unit: str = "characters"
    caption: int | None = None
    later: int | None = None
    parts: int = 1
    pictures: int = 4
    picture_bytes: int = 5_000_000
    picture_types: frozenset[str] = frozenset({"image/jpeg", "image/png"})
    picture_longest: int | None = None  # pixels of the long side: no network shows more of it
    picture_sides: int | None = None  # most that width + height may be, pixels
    picture_ratio: float | None = None  # most that the long side may be of the short one
    documents: int = 0
    document_bytes: int = 0
    videos: int = 0
    video_bytes: int = 0
    video_seconds: tuple[float, float] | None = None
    video_codecs: frozenset[str] = frozenset({"AVC", "AAC"})
    captions_type: str = ""
    captions_bytes: int | None = None
    video_alt: bool = True
    alt: int = 1000
    deadline: float = 60.0
    visible: timedelta = timedelta(minutes=15)
    shows: bool = True
    repeats: bool = False
    budgets: tuple[Budget, ...] = ()
    messages: Callable[[Part], int] = one_message
    costs: Costs | None = None
    links: bool = True
    link_goes: str = ""

    def prints(self, picture: Picture) -> bool:
        """Whether its description is printed in the text, for want of a field of its own."""
        return not self.alt or (picture.kind == "video" and not self.video_alt)

    def room(self, part: Part, number: int = 0) -> int:
        """The most that the text of this part may count, the first of its post being 0."""
        if number and self.later is not None:
            return self.later
        return self.caption if part.pictures and self.caption is not None else self.text


@dataclass(frozen=True)
class Receipt:
    """Proof that a part is live: the network's id, its public address, and when (aware, UTC).

    `pause`: how long the network wants nothing more of this account, as it said with its yes.
    """

    id: str
    url: str
    at: datetime | None = None
    pause: timedelta = field(default=timedelta(0), compare=False)


class Platform(Protocol):
    """One account on one network."""

    limits: Limits
    offers: frozenset[str]  # the metrics that this network can ever give us
    account: str  # what the public sees it as, "telegram @neaspec"; part of the fingerprint

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Put one part live, after the one before it; or raise Refused, NotNow, Uncertain, Handed.

        Calls `part.fence(timeout)` as the last thing before the bytes leave that could make
        anything public. Whatever else it raises is taken as Uncertain.
        """

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """The part if it is live, None if it surely is not, else CannotTell.

        Only a post newer than `since` (aware, UTC) whose id is not in `not_these` counts.
        """

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """Figures by receipt id; in one call for many posts where the network can.

        A post without an entry has none that could be read now.
        """

    def audience(self) -> Figures:
        """How the account is doing: `followers` and the like."""

    def check(self) -> str:
        """Ask the network who we are, publishing nothing: one line for `outreach doctor`.

        Raises Refused where the credentials are no longer good, NotNow or Uncertain where the
        network could not be asked.
        """


class Shelf(Protocol):
    """What an adapter may keep (the feed its entries, a manual channel its tasks).

    Handed over by `open_desk()`, one for each channel, so that no adapter imports the store.
    """

    def put(self, token: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep `value` under `token` unless something is there; returns what is there now."""

    def change(self, token: str, value: Mapping[str, Any]) -> None:
        """Replace what is kept under `token`; NotFound where nothing is."""

    def get(self, token: str) -> Mapping[str, Any] | None:
        """What is kept under `token`, or None."""

    def list(self, newest: int | None = None) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Everything kept, or so many, newest first, as (token, value)."""


@dataclass(frozen=True)
class Reader:
    """Somebody to whom a mailing goes, claimed: nobody else writes to them now.

    `ref` is what the address that unsubscribes them ends with; `digest` is theirs in this mailing
    alone, and the same whenever it is made.
    """

    number: int
    address: str = field(repr=False)
    ref: str = field(repr=False)
    digest: str
    claim: str


class Fate(StrEnum):
    """What became of a mailing for one reader."""

    WAITING = "waiting"  #: not tried yet, or to be tried again
    SENDING = "sending"  #: claimed; the mail may be on its way
    SENT = "sent"  #: their mail server, or ours for it, has taken it
    REFUSED = "refused"  #: for good; nothing was taken
    DOUBT = "in doubt"  #: it may have been taken: never sent again
    LEFT = "left"  #: unsubscribed before their turn came
    LATE = "late"  #: not taken before the time for it was over


@dataclass(frozen=True)
class Done:
    """What became of a claim. `hard`: the address itself is no good.

    WAITING is tried again after a while, and SENDING means that nothing was begun.
    """

    reader: Reader
    fate: Fate
    why: str = ""
    hard: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a mailing is: readers by fate, and when the next one who waits may be tried."""

    fates: Mapping[Fate, int]
    again_at: datetime | None = None
    over_at: datetime | None = None  # when everybody had a fate

    def of(self, *fates: Fate) -> int:
        return sum(self.fates.get(fate, 0) for fate in fates)

    @property
    def all(self) -> int:
        return sum(self.fates.values())


class Readers(Protocol):
    """Those who have subscribed to a channel, and how far each mailing is.

    Handed over by `open_desk()`, one for each channel. A mailing goes by its part's token.
    """

    def words(self, language: str) -> Mapping[str, str]:
        """What stands around a mail in this language. NotFound where nobody has written it."""

    def unwritten(self) -> str:
        """A language of the channel in which nobody has written it, or ""."""

    def unread(self) -> str:
        """A language of the channel in which nobody has read it, who would know, or ""."""

    def stamp(self) -> str:
        """A few characters that change with the words that stand around every mail."""

    def begin(self, token: str, language: str) -> Progress:
        """Whoever reads this language now is who it goes to: the first time counts.

        What an earlier process had under way is in doubt from here on.
        """

    def next(self, token: str, language: str, before: Done | None = None) -> Reader | None:
        """Claim whoever is next, and commit that; None where nobody can be tried now.

        `before` is written down with it, and is kept also where it raises: NotNow while its post
        is on hold.
        """

    def over(self, done: Done) -> None:
        """Say what became of a claim, and commit that."""

    def again(self, token: str) -> None:
        """Those who were refused wait anew: it was not for them that the server refused."""

    def progress(self, token: str) -> Progress | None:
        """How far it is; None where it was never begun."""

    def told_since(self, token: str) -> Mapping[str, int]:
        """What became of it afterwards: `bounced`, `unsubscribed`."""

    def count(self) -> int:
        """How many have confirmed that they want it."""


@runtime_checkable
class Invites(Protocol):
    """A platform that can ask somebody to confirm that they have subscribed."""

    def invite(self, address: str, language: str, link: str) -> None:
        """Send the mail with the link that confirms; or raise as `publish` does."""


@runtime_checkable
class Returns(Protocol):
    """A platform to which what could not be delivered comes back."""

    def returned(self) -> list[Bounce]:
        """What has come back since it was last asked. Raises Unusable where that fails."""


@runtime_checkable
class Previews(Protocol):
    """A platform whose posts look like more than their text."""

    def preview(self, part: Part) -> Mapping[str, bytes]:
        """The part as it will be seen, in files by their names; nothing is sent."""


@runtime_checkable
class Withdraws(Protocol):
    """A platform that can take a part down again."""

    def withdraw(self, receipt: Receipt) -> None:
        """Take it down; or raise as `publish` does."""


@runtime_checkable
class Lasts(Protocol):
    """A platform whose posts nobody can take back once they are out."""

    lasts: str  # why, in words for people


@runtime_checkable
class Corrects(Protocol):
    """A platform that can put another text in place of a live one."""

    def correct(self, receipt: Receipt, part: Part) -> None:
        """Replace its text by the part's, its pictures stay; or raise as `publish` does."""


@runtime_checkable
class Listens(Protocol):
    """A platform that is told figures of its posts as they happen, and cannot ask later."""

    def listen(self) -> None:
        """Keep what the network has to tell since it was last asked; raises as `check` does."""


@runtime_checkable
class Announces(Protocol):
    """A platform that tells somebody who passes it on when there is something new."""

    def announce(self) -> None:
        """Tell them what has changed since they were last told; what fails is told later.

        Asked again and again, apart from publishing. Raises only what a database does.
        """


@runtime_checkable
class Retires(Protocol):
    """A platform that notices when its network gives one of our figures no more."""

    retired: Set[str]  # those of `offers` that were refused as unknown when last asked for


@runtime_checkable
class Renames(Retires, Protocol):
    """A platform whose network has several names for some of our figures, one after the other."""

    called: Mapping[str, str]  # by what names it asks for which of our figures

    def rename(self, names: Mapping[str, str]) -> None:
        """Ask by these names from now on, by our figure; those it has nothing to do with are
        left."""


@runtime_checkable
class Lapses(Protocol):
    """A platform whose network tells some figures of a post for a time only."""

    windows: Mapping[str, timedelta]  # by our figure: for how long after its publication


@runtime_checkable
class Told(Protocol):
    """A platform whose posts people make: they tell it what became of a part it handed over."""

    def address(self, url: str) -> str:
        """The address of a post there, as it is kept. Raises NotAllowed for what is none."""

    def done(self, token: str, url: str, at: datetime) -> Receipt:
        """It was posted at `url`. Raises NotFound or NotAllowed where that cannot be."""

    def absent(self, token: str) -> None:
        """It was not posted. Raises NotFound."""


@runtime_checkable
class Asks(Protocol):
    """A platform whose account another office owns: it is asked, `lead` working days before."""

    lead: int


@runtime_checkable
class Expires(Protocol):
    """A platform that knows when its token ends."""

    def expires(self) -> datetime | None:
        """When, aware, UTC; None for one that does not end. Asked after `check`, of no network."""


@dataclass(frozen=True)
class Ask:
    """A secret that a person is asked for: the adapter's name for it, and theirs."""

    name: str
    what: str  # "the bot's token"
    optional: bool = False


@dataclass(frozen=True)
class How:
    """How a person connects an account: what to do first, where, and what to have at hand.

    `browser` is how where the network's own pages give the token (see `Browses`); `app` the secrets
    of the office's app there. `port` is where this machine listens for the browser's return, and a
    part of the address that the app names there; 0 where any will do. `nothing` is why there is
    nothing to connect, where nothing is asked for.
    """

    steps: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()
    browser: tuple[str, ...] = ()
    app: tuple[Ask, ...] = ()
    port: int = 0
    nothing: str = "it has no account anywhere"


@runtime_checkable
class Browses(Protocol):
    """A platform whose network gives its token in a browser."""

    def oauth(self, redirect: str = "") -> "OAuth | None":
        """The office's app there; None where channels.toml names none.

        May ask the network, where it makes an app for whoever asks; raises as `check` does.
        """


@runtime_checkable
class Swaps(Protocol):
    """A platform that makes of what a person was given what is to be kept."""

    def swap(self) -> Mapping[str, str]:
        """The secrets to keep instead of those of its account. Raises as `check` does."""


@dataclass(frozen=True)
class Account:
    """What `open_desk()` gives an adapter: options of channels.toml, secrets, a shelf, the time.

    `secrets` maps the adapter's own names ("token") to values; `base` replaces the network's
    address in tests and demos, and is empty otherwise. `public` is the desk's public address.
    `package` mails another office what it is asked to publish, once for a token; it raises Refused
    or NotNow where that surely did not go, Uncertain where it may have. `together` gives a shelf
    that several channels have in common, by its name: those of one bot.
    """

    channel: str
    options: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    shelf: Shelf
    now: Callable[[], datetime]
    base: str = ""
    public: str = ""
    readers: Readers | None = None
    package: Callable[[Part], None] | None = field(default=None, repr=False)
    together: Callable[[str], Shelf] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Channel:
    """An account of the office, as composing and checking see it; no secrets, no connection.

    `public` is False where nothing that it publishes leaves this machine. `source` is the
    `utm_source` of its links. Posts are made in the message's languages that an audience gives
    to the channel and that stand in `languages`. Its audience lives in `zone`, and sleeps in its
    `quiet` hours, from and until, on the clocks there. An account of another office wants what it
    is to publish `lead` working days before, which are counted in the countries of `holidays`.
    """

    name: str
    platform: str
    limits: Limits
    account: str
    languages: tuple[str, ...] = ("en",)
    zone: str = "UTC"
    title: str = ""
    source: str = ""
    public: bool = True
    quiet: tuple[time, time] | None = None
    lead: int = 0
    holidays: tuple[str, ...] = ()


class Adapter(Protocol):
    """The class that a platform's module offers.

    It may have `uses` too, the secrets that it can work without: see `secrets_of`; and `how`.
    """

    limits: Limits
    offers: frozenset[str]
    needs: tuple[str, ...]  # the secrets it cannot work without
    asks: tuple[str, ...]  # the options of channels.toml that it reads
    public: bool  # whether what it publishes leaves this machine

    def __call__(self, account: Account) -> Platform:
        """Make the platform for one account. Opens no connection."""


@runtime_checkable
class Validates(Protocol):
    """An adapter that can tell mistakes in its options of channels.toml."""

    def mistakes(self, options: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
        """Option, what is wrong with it, and what to do. Asks no network."""


def secrets_of(adapter: Any) -> tuple[str, ...]:
    """The names of all secrets that an adapter reads: those it needs, and those it can use."""
    return (*adapter.needs, *getattr(adapter, "uses", ()))


@runtime_checkable
class Chooses(Protocol):
    """An adapter whose secrets depend on its options."""

    def secrets_for(self, options: Mapping[str, str]) -> tuple[str, ...]:
        """Those of `needs` that it cannot work without."""


@runtime_checkable
class Unfit(Protocol):
    """A platform that can tell why it cannot publish as the office is set up."""

    def unfit(self) -> tuple[str, str] | None:
        """Why not, and what to do; None where it can. Asks no network."""


def how_to_connect(adapter: Any, options: Mapping[str, str]) -> How:
    """How an account is connected; a stranger's adapter that does not say asks for its `needs`."""
    asks = tuple(Ask(name, name.replace("_", " ")) for name in adapter.needs)
    found: How = getattr(adapter, "how", How(asks=asks))
    if isinstance(adapter, Chooses):
        chosen = adapter.secrets_for(options)
        found = replace(found, asks=tuple(one for one in found.asks if one.name in chosen))
    return found


PLATFORMS = {
    "bluesky": "outreach.platforms.bluesky:Bluesky",
    "email": "outreach.platforms.email:Email",
    "facebook": "outreach.platforms.facebook:Facebook",
    "feed": "outreach.platforms.feed:Feed",
    "linkedin": "outreach.platforms.linkedin:LinkedIn",
    "manual": "outreach.platforms.manual:Manual",
    "mastodon": "outreach.platforms.mastodon:Mastodon",
    "memory": "outreach.platforms.memory:Memory",
    "request": "outreach.platforms.request:Request",
    "telegram": "outreach.platforms.telegram:Telegram",
    "x": "outreach.platforms.x:X",
}


RENAMED = {"twitter": "x"}
"""What people still call a network, and its name."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The channel or platform of `known` that was probably meant, or ""."""
    import difflib

    names = set(known)
    for close in difflib.get_close_matches(name[:60], sorted(names | RENAMED.keys()), 3):
        if (found := RENAMED.get(close, close)) in names:
            return found
    return ""


@cache
def load(name: str) -> Any:
    """The platform's class; imported on first use, so that one missing library hurts one channel.

    For an installed package's platform that cannot be used a `Broken`, which says why. Raises
    NotFound for a name that neither we nor an installed package know.
    """
    if name in PLATFORMS:
        module, _, cls = PLATFORMS[name].partition(":")
        return getattr(import_module(module), cls)
    from outreach.platforms import plugins  # every package is asked, which takes its time

    if made := plugins.load(name):
        return made
    known = ", ".join(sorted({*PLATFORMS, *plugins.names()}))
    raise NotFound(f"there is no platform {name!r}", f"known are: {known}")


def offered(
    channels: Mapping[str, Channel], ready: Mapping[str, Platform]
) -> dict[str, frozenset[str]]:
    """What each channel can ever be told: as its account is set up, where it is ready."""
    return {name: (ready.get(name) or load(one.platform)).offers for name, one in channels.items()}
