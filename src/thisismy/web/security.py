"""What stands between the network and the page: who may ask, from where, how much, and what a page may do."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "thisismy_token"

JSON_BYTES = 1_000_000
"""Largest body of a request that is not an upload, in bytes."""

UPLOAD_BYTES = 128_000_000
"""Largest body of an upload, in bytes."""

READS = frozenset({"GET", "HEAD", "OPTIONS"})

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing from anywhere else, nothing inline; blobs are photos being dropped and pieces being joined."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Attributes:
        token: must come with every request; None asks for none, which is for the loopback address only.
        names: host names that the page may be called by, besides addresses and "localhost".
    """

    token: str | None = None
    names: tuple[str, ...] = ()

    def host_allowed(self, host: str) -> bool:
        """Whether a ``Host`` is one of the names of this server.

        A web site that points its own name at 127.0.0.1 would otherwise be read as this page by the browser.
        """
        name = _host_name(host)
        if name in {"localhost", *self.names}:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or self.token is not None


def local_names() -> tuple[str, ...]:
    """What other machines call this one."""
    name = socket.gethostname().lower()
    return (name, f"{name.split('.')[0]}.local")


class Guard:
    """ASGI middleware that refuses what must not come in, and says in every answer what a page may do."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for key, value in HEADERS.items():
                    headers.setdefault(key, value)
                headers.setdefault("cache-control", "no-store" if _is_data(scope) else "no-cache")
            await send(message)

        refusal = self._refuse(scope)
        if refusal is not None:
            await refusal(scope, receive, say)
            return
        await self._limited(scope, receive, say)

    def _refuse(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self.access.host_allowed(host):
            return _no(403, f"this server does not go by the name {host!r}")
        site = headers.get("sec-fetch-site")
        if site in {"cross-site", "same-site"} and (scope["method"] not in READS or _is_data(scope)):
            return _no(403, "requests from other sites are refused")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return _no(403, "requests from other sites are refused")
        if scope["method"] not in READS and not _is_expected(headers):
            return _no(415, "send application/json, or multipart/form-data for an upload")
        return self._ask_token(scope, headers)

    def _ask_token(self, scope: Scope, headers: Headers) -> Response | None:
        if self.access.token is None:
            return None
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and given and self._right(given):
            # The token leaves the address, where it would be seen and kept in the history.
            answer = RedirectResponse("/", status_code=303)
            answer.set_cookie(COOKIE, given, httponly=True, samesite="strict", path="/", max_age=30 * 86400)
            return answer
        bearer = headers.get("authorization", "")
        if self._right(bearer.removeprefix("Bearer ")) or self._right(_cookie(headers)):
            return None
        return _no(401, "open the address with the token that `thisismy serve` printed")

    def _right(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), (self.access.token or "").encode())

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        upload = headers.get("content-type", "").startswith("multipart/form-data")
        most = UPLOAD_BYTES if upload else JSON_BYTES
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > most:
            await _no(413, f"more than {most // 1_000_000} MB are refused")(scope, receive, send)
            return
        got = 0
        answered = False

        async def count() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > most:
                raise _TooLargeError
            return message

        async def note(message: Message) -> None:
            nonlocal answered
            # What the application makes of a body that was cut off is not the answer.
            if got <= most or answered:
                answered = True
                await send(message)

        with suppress(_TooLargeError):
            await self.app(scope, count, note)
        if got > most and not answered:
            await _no(413, f"more than {most // 1_000_000} MB are refused")(scope, receive, send)


class _TooLargeError(Exception):
    """A body is longer than its limit."""


def _is_data(scope: Scope) -> bool:
    return bool(scope["path"].startswith(("/api/", "/media/")))


def _is_expected(headers: Headers) -> bool:
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    # A body-less DELETE has no type; browsers ask before they send one to another site.
    return kind in {"application/json", "multipart/form-data"} or (
        not kind and headers.get("content-length", "0") == "0"
    )


def _host_name(host: str) -> str:
    """The name in a ``Host`` header, without port and brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _no(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status_code=status)
