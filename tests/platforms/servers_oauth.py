"""Networks that give tokens in a browser, on loopback: every parameter is checked, none too many.

RFC 6749 and RFC 7636, with what each network does otherwise: X's refresh tokens are good for one
use and a spent one is an "invalid request"; LinkedIn knows no PKCE and keeps its refresh token;
Mastodon makes an app for whoever asks, and its tokens do not end.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

from .servers import Reply, XNetwork, fields, odd
from .servers_linkedin import LinkedInNetwork
from .servers_mastodon import MastodonNetwork

ASKED = {
    "response_type": True,
    "client_id": True,
    "redirect_uri": True,
    "scope": True,
    "state": True,
}
PROOF = {"code_challenge": True, "code_challenge_method": True}


class Authority:
    """The pages and the token address of one network; put in front of the network's own answers."""

    PAGES: tuple[str, str]  # where it asks people, and where it gives tokens
    APP, APP_SECRET = "app-1", "app-secret-9"
    SCOPES: frozenset[str]
    REDIRECTS: frozenset[str] = frozenset({"http://127.0.0.1:8027/connected"})
    pkce = basic = rotates = True
    lasts: int | None = 7200  # seconds
    more: Mapping[str, int] = {}  # of what a token comes with

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.redirects = set(self.REDIRECTS)
        self.codes: dict[str, dict[str, str]] = {}
        self.refreshes: set[str] = set()  # those that are good
        self.tokens: set[str] = set()  # likewise
        self.asked: list[dict[str, str]] = []  # at the token address
        self.wrong: list[str] = []  # what was wrong with a question, for the test that fails

    def answer(self, method, path, query, headers, body):
        if (method, path) == ("GET", self.PAGES[0]):
            return "page", self.page(query)
        if (method, path) == ("POST", self.PAGES[1]):
            data = fields(body.decode())
            self.asked.append(data)
            return "token", self.give(data, headers)
        return super().answer(method, path, query, headers, body)

    def page(self, query) -> Reply:
        wrong = odd(query, {**ASKED, **(PROOF if self.pkce else {})})
        good = not wrong and (
            query["response_type"] == "code"
            and query["client_id"] == self.APP
            and query["redirect_uri"] in self.redirects
            and set(query["scope"].split()) == self.SCOPES
            and len(query["state"]) >= 22
            and query.get("code_challenge_method", "S256") == "S256"
            and len(query.get("code_challenge", "-" * 43)) == 43
        )
        if not good:
            self.wrong.append(f"{wrong} {query}")
            return html(400, "Something about this app is wrong.")
        code = secrets.token_urlsafe(12)
        self.codes[code] = query
        back, state = query["redirect_uri"], query["state"]
        agree = escape(f"{back}?{urlencode({'state': state, 'code': code})}")
        deny = escape(f"{back}?{urlencode({'state': state, 'error': 'access_denied'})}")
        return html(200, f'<a id=agree href="{agree}">Agree</a> <a id=deny href="{deny}">Deny</a>')

    def give(self, data, headers) -> Reply:
        ours = f"{self.APP}:{self.APP_SECRET}".encode()
        if self.basic:
            right = headers.get("Authorization") == f"Basic {base64.b64encode(ours).decode()}"
        else:
            who = (data.pop("client_id", ""), data.pop("client_secret", ""))
            right = who == (self.APP, self.APP_SECRET) and "Authorization" not in headers
        if not right:
            return Reply(401, {"error": "invalid_client", "error_description": "Missing header"})
        if data.get("grant_type") == "refresh_token":
            if odd(data, {"grant_type": True, "refresh_token": True}):
                return self.no("odd")
            if data["refresh_token"] not in self.refreshes:
                return self.spent()
            return Reply(200, None, commit=lambda: self.token(data["refresh_token"]))
        known = {"grant_type": True, "code": True, "redirect_uri": True}
        if wrong := odd(data, {**known, **({"code_verifier": True} if self.pkce else {})}):
            return self.no(wrong)
        asked = self.codes.pop(data["code"], None)  # good for one use
        if asked is None or asked["redirect_uri"] != data["redirect_uri"]:
            return self.no("the code or the address is another")
        if self.pkce:
            digest = hashlib.sha256(data["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if challenge != asked["code_challenge"]:
                return self.no("the verifier is another")
        return Reply(200, None, commit=self.token)

    def no(self, wrong) -> Reply:
        self.wrong.append(wrong)
        return Reply(400, {"error": "invalid_grant", "error_description": str(wrong)})

    def spent(self) -> Reply:
        return Reply(400, {"error": "invalid_grant", "error_description": "it is spent"})

    def token(self, refresh="") -> dict:
        token = secrets.token_urlsafe(24)
        self.tokens.add(token)
        told = {"token_type": "bearer", "access_token": token, "scope": " ".join(self.SCOPES)}
        if self.lasts:
            told["expires_in"] = self.lasts
            if self.rotates:
                self.refreshes.discard(refresh)
                refresh = ""
            refresh = refresh or secrets.token_urlsafe(24)
            self.refreshes.add(refresh)
            told["refresh_token"] = refresh
        return {**told, **self.more}

    def bearer(self, headers) -> bool:
        return headers.get("Authorization", "").removeprefix("Bearer ") in self.tokens

    def withdraw_all(self) -> None:
        """The person takes it back, in the network's settings."""
        self.tokens.clear()
        self.refreshes.clear()


class XAuthority(Authority, XNetwork):
    """X, for one app of the type that keeps a secret."""

    PAGES = ("/i/oauth2/authorize", "/2/oauth2/token")
    SCOPES = frozenset({"tweet.read", "tweet.write", "users.read", "media.write", "offline.access"})

    def signed(self, method, path, query, header) -> bool:
        return self.bearer({"Authorization": header}) or super().signed(method, path, query, header)

    def spent(self) -> Reply:
        told = "Value passed for the token was invalid."
        return Reply(400, {"error": "invalid_request", "error_description": told})


class LinkedInAuthority(Authority, LinkedInNetwork):
    """LinkedIn, for an app that may renew."""

    PAGES = ("/oauth/v2/authorization", "/oauth/v2/accessToken")
    APP, APP_SECRET = LinkedInNetwork.CLIENT, LinkedInNetwork.SECRET
    SCOPES = frozenset({"w_organization_social", "r_organization_social", "rw_organization_admin"})
    pkce = basic = rotates = False
    lasts = 60 * 86_400
    more: Mapping[str, int] = {"refresh_token_expires_in": 365 * 86_400}

    def token(self, refresh="") -> dict:
        made = super().token(refresh)
        self.TOKEN = made["access_token"]  # the only one that its other addresses take
        return made


class MastodonAuthority(Authority, MastodonNetwork):
    """A Mastodon server: the app is made by whoever asks."""

    PAGES = ("/oauth/authorize", "/oauth/token")
    SCOPES = frozenset({"read", "write:media", "write:statuses"})
    REDIRECTS: frozenset[str] = frozenset()
    basic = False
    lasts = None

    def answer(self, method, path, query, headers, body):
        if (method, path) == ("POST", "/api/v1/apps"):
            data = json.loads(body)
            wrong = odd(data, {"client_name": True, "redirect_uris": True, "scopes": True})
            if wrong or set(data["scopes"].split()) != self.SCOPES:
                return "app", Reply(422, {"error": wrong})
            self.redirects.add(data["redirect_uris"])
            told = {"client_id": self.APP, "client_secret": self.APP_SECRET, "name": "outreach"}
            return "app", Reply(200, told)
        return super().answer(method, path, query, headers, body)

    def token(self, refresh="") -> dict:
        made = super().token(refresh)
        self.TOKEN = made["access_token"]
        return made


def html(status: int, words: str) -> Reply:
    page = f"<!doctype html><html lang=en><title>A network</title><main>{words}</main>"
    return Reply(status, page.encode(), {"Content-Type": "text/html; charset=utf-8"})
