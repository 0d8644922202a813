"""Who may ask: tokens, and what holds for every request."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._errors import InputError

# Whoever asks a service without tokens, and what all of them may store together.
_ANYONE = "anyone"
_SCOPES = frozenset({"upload", "infer", "admin"})
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")

_HEADERS = {
    # The page loads its own files, runs WebAssembly, and talks to the service it came from.
    "content-security-policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "vary": "origin",
}


class Fault(Exception):
    """A refusal: a status by whose fault it is, and one line."""

    def __init__(self, status: int, line: str, *, after: int | None = None, key: object = None) -> None:
        super().__init__(line)
        self.status = status
        self.line = line
        self.after = after
        self.key = key

    def response(self) -> JSONResponse:
        """The refusal, as HTTP says it."""
        headers = {}
        if self.after is not None:
            headers["Retry-After"] = str(max(1, self.after))
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        body = {"error": self.line} | ({} if self.key is None else {"key": self.key})
        return JSONResponse(body, self.status, headers)


@dataclass(frozen=True)
class Caller:
    """Whoever asks, with what it may do and store."""

    owner: str
    scopes: frozenset[str]
    most_keys: int
    most_bytes: int

    def needs(self, scope: str) -> None:
        """Refuses a token without a scope."""
        if scope not in self.scopes:
            raise Fault(403, f"this token does not have the scope {scope}")


class Tokens:
    """The tokens in a file that `bnn token add` wrote, of which only the SHA-256 is known."""

    def __init__(self, document: bytes | None) -> None:
        self._callers: list[tuple[bytes, Caller]] = []
        if document is None:
            return
        try:
            for token in json.loads(document)["tokens"]:
                quota = token["quota"]
                if quota["bootstraps_a_day"] is not None:
                    raise InputError(f"the token {token['name']} has a bound of bootstraps a day, which this service does not count")
                if not _NAME.fullmatch(token["name"]):
                    raise InputError(f"{token['name']!r} cannot be the name of a folder")
                caller = Caller(token["name"], frozenset(token["scopes"]), quota["keys"], quota["bytes"])
                self._callers.append((bytes.fromhex(token["sha256"]), caller))
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"this is no list of tokens: {error!r}") from error

    def __bool__(self) -> bool:
        return bool(self._callers)

    def caller(self, headers: Headers) -> Caller:
        """Whoever sends a request."""
        if not self._callers:
            return Caller(_ANYONE, _SCOPES, 256, 20_000_000_000)
        scheme, _, text = headers.get("authorization", "").partition(" ")
        digest = hashlib.sha256(text.strip().encode()).digest()
        # All are compared, so that the time tells nothing.
        found = [caller for sha256, caller in self._callers if hmac.compare_digest(sha256, digest)]
        if scheme.lower() != "bearer" or not found:
            raise Fault(401, "a known token is needed: Authorization: Bearer TOKEN")
        return found[0]


class Guard:
    """What holds for every request.

    A page of another site that is open in the user's browser can send requests to a service on the user's own machine. So a request with
    an ``Origin`` is taken only from the service's own page, or from the sites that were named; and a service without tokens answers only to
    names of this machine, so that no foreign name that is made to point here reaches it (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, *, own_names_only: bool, allowed_origins: Sequence[str]) -> None:
        self._app = app
        self._own_names_only = own_names_only
        self._allowed = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        site: str | None = None

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(MutableHeaders(scope=message), site, scope["path"])
            await send(message)

        try:
            site = self._site(Headers(scope=scope))
        except Fault as fault:
            await fault.response()(scope, receive, complete)
            return
        if scope["method"] == "OPTIONS" and site is not None:
            await Response(status_code=204)(scope, receive, complete)
            return
        await self._app(scope, receive, complete)

    def _site(self, headers: Headers) -> str | None:
        """The site whose page asks, where it is one of those that were named."""
        host = headers.get("host", "")
        if self._own_names_only and not re.fullmatch(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", host):
            raise Fault(403, "this service answers to names of its own machine only, such as localhost")
        origin = headers.get("origin")
        if origin is None or origin in self._allowed:
            return origin
        if origin.partition("://")[2] != host:
            raise Fault(403, "pages of other sites may not ask this service")
        return None

    def _complete(self, headers: MutableHeaders, site: str | None, path: str) -> None:
        for name, value in _HEADERS.items():
            headers[name] = value
        if path.startswith("/v2"):
            headers["cache-control"] = "no-store"
        if site is None:
            headers["cross-origin-resource-policy"] = "same-origin"
            return
        headers["access-control-allow-origin"] = site
        headers["access-control-allow-methods"] = "GET, PUT, POST, DELETE"
        headers["access-control-allow-headers"] = "authorization, content-type, content-range, repr-digest"
        headers["access-control-expose-headers"] = "location, retry-after, x-request-id"
