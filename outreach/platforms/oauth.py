"""OAuth 2.0 with a network: the address that a person opens, and what the network gives for it.

    begin()  an address with a state and, by PKCE, a fingerprint of a secret of ours
    code()   what the network sent back to us, if it is the answer to exactly that address
    exchange(), renew()  a token for the code; a new token for the old one's refresh token

The protocol is oauthlib's, the way `rest.py`'s. A refresh token may be good for one use: who calls
`renew` has to be alone, and writes down what comes back before anything else.
"""

import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from outreach.errors import NotAllowed, NotNow, PlatformError, Refused, Uncertain
from outreach.platforms.failures import bounded
from outreach.platforms.rest import Answer, Rest

CONNECT, TIMEOUT = 5.0, 25.0  # seconds to connect; then without a byte, and for the whole body
LONGEST = 2 * TIMEOUT + CONNECT  # seconds that one question may take


class Ended(Refused):
    """The network has ended what it permitted us: only a person can give it again."""


@dataclass(frozen=True)
class OAuth:
    """An app of the office's at a network.

    `basic` is how it says who it is: in a header, or else in the body. `base` replaces scheme and
    host of both addresses.
    """

    network: str
    authorize: str
    token: str
    client: str
    scopes: tuple[str, ...]
    secret: str = field(default="", repr=False)
    pkce: bool = True
    basic: bool = False
    base: str = ""


@dataclass(frozen=True)
class Given:
    """What a network gave: a token, and for how long it and its refresh token last, if it said."""

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    lasts: timedelta | None = None
    refresh_lasts: timedelta | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Walk:
    """A person's way through a network's pages and back, from the address on."""

    oauth: OAuth
    address: str
    redirect: str
    state: str
    verifier: str = field(repr=False)


def begin(oauth: OAuth, redirect: str) -> Walk:
    """A new way, to be gone once. `redirect` is where the network sends the browser back to."""
    from oauthlib.oauth2 import WebApplicationClient

    client = WebApplicationClient(oauth.client)
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    proof = {}
    if oauth.pkce:
        challenge = client.create_code_challenge(verifier, "S256")
        proof = {"code_challenge": challenge, "code_challenge_method": "S256"}
    target = urlsplit(oauth.base)
    page = urlsplit(oauth.authorize)
    if oauth.base:
        page = page._replace(scheme=target.scheme, netloc=target.netloc)
    address = client.prepare_request_uri(
        # oauthlib wants https of an address; of a stand-in's on this machine too.
        urlunsplit(page._replace(scheme="https")),
        redirect_uri=redirect,
        scope=list(oauth.scopes),
        state=state,
        **proof,
    )
    address = urlunsplit(urlsplit(address)._replace(scheme=page.scheme))
    return Walk(oauth, address, redirect, state, verifier)


def answers(walk: Walk, address: str) -> bool:
    """Whether an address that a browser was sent back to is the answer to this walk."""
    states = parse_qs(urlsplit(address.strip()).query).get("state", [])
    return len(states) == 1 and hmac.compare_digest(states[0].encode(), walk.state.encode())


def code(walk: Walk, address: str) -> str:
    """The code in the address that the browser was sent back to.

    Raises NotAllowed where it answers another walk, or where the person said no.
    """
    given = parse_qs(urlsplit(address.strip()).query)
    if not answers(walk, address):
        raise NotAllowed(
            "this address is not the answer to what was just opened",
            "begin again, and paste the whole address that the browser shows at the end",
        )
    if "error" in given:
        denied = given["error"] == ["access_denied"]
        said = " ".join(given.get("error_description", given["error"])[0].split())[:200]
        raise NotAllowed(
            f"{walk.oauth.network} was told no" if denied else f"{walk.oauth.network} says: {said}",
            "begin again, and agree there"
            if denied
            else "compare the app's settings there with platforms.md in the documentation",
        )
    if len(given.get("code", [])) != 1:
        raise NotAllowed("there is no code in this address", "begin again")
    return given["code"][0]


def exchange(walk: Walk, code: str) -> Given:
    """A token for a code. Raises Ended, Refused, NotNow or Uncertain."""
    from oauthlib.oauth2 import WebApplicationClient

    client = WebApplicationClient(walk.oauth.client)
    proof = {"code_verifier": walk.verifier} if walk.oauth.pkce else {}
    body = client.prepare_request_body(
        code=code, redirect_uri=walk.redirect, include_client_id=False, **proof
    )
    return _ask(walk.oauth, body, {code, walk.verifier})


def renew(oauth: OAuth, refresh: str) -> Given:
    """A new token, and mostly a new refresh token: the old one may be spent by this.

    Raises Ended where it was spent or withdrawn, Refused where the network does not know the app,
    NotNow where nothing was spent, Uncertain where it may have been.
    """
    from oauthlib.oauth2 import WebApplicationClient

    body = WebApplicationClient(oauth.client).prepare_refresh_body(refresh_token=refresh)
    return _ask(oauth, body, {refresh})


def _ask(oauth: OAuth, body: str, sent: set[str]) -> Given:
    rest = Rest(
        oauth.network,
        CONNECT,
        TIMEOUT,
        live=lambda method, path: False,
        meaning=lambda answer: _meaning(oauth, answer, rest.scrubbed),
        secrets=lambda: (oauth.secret, *sent),
        base=oauth.base,
    )
    who: dict[str, Any] = {"data": dict(_pairs(body))}
    if oauth.basic:
        who["auth"] = (oauth.client, oauth.secret)
    else:
        who["data"]["client_id"] = oauth.client
        if oauth.secret:
            who["data"]["client_secret"] = oauth.secret
    return rest.ask("POST", oauth.token, _given, headers={"Accept": "application/json"}, **who)


def _pairs(body: str) -> list[tuple[str, str]]:
    return [(name, values[0]) for name, values in parse_qs(body).items()]


def _given(answer: Answer) -> Given:
    from oauthlib.oauth2 import WebApplicationClient

    told = WebApplicationClient("").parse_request_body_response(json.dumps(answer.body))
    return Given(
        str(told["access_token"]),
        str(told.get("refresh_token") or ""),
        _seconds(told.get("expires_in")),
        _seconds(told.get("refresh_token_expires_in")),
        tuple(str(answer.body.get("scope", "")).replace(",", " ").split()),
    )


def _seconds(told: Any) -> timedelta | None:
    return timedelta(seconds=min(float(told), 1e9)) if told else None


def _meaning(oauth: OAuth, answer: Answer, scrubbed: Any) -> PlatformError:
    """What a token address means that gives none. RFC 6749, 5.2"""
    body = answer.body if isinstance(answer.body, dict) else {}
    error = body.get("error")
    said = scrubbed(f"{answer.status} {body.get('error_description') or error or answer.reason}")
    network = oauth.network
    if answer.status == 429:
        asked = answer.headers.get("Retry-After", "")
        return NotNow(f"{network} asks to wait", bounded(float(asked) if asked.isdecimal() else 60))
    # X and LinkedIn call a spent or withdrawn token an invalid request.
    if answer.status in (400, 401) and error in ("invalid_grant", "invalid_request"):
        return Ended(f"{network} no longer takes what it gave us ({said})")
    if 400 <= answer.status < 500 and error:
        return Refused(
            f"{network} does not take the app's client-id, client_secret or permissions ({said})"
        )
    return Uncertain(f"no clear answer from {network}: {said}")
