"""The checks that are asked: what nginx sends for a browser, a program with a key, or one with a token.

Each request is a new one: credential, path and host go round at different paces, so that all their combinations
(600,000 of 1,000 credentials, 200 paths and 3 hosts) come before one comes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HOSTS = ("app.example.com", "wiki.example.com", "chat.example.com")
PATHS = tuple(
    f"/{folder}/{number}{rest}"
    for number in range(10)
    for folder in ("docs", "api/v1/items", "assets/css", "threads", "users")
    for rest in ("", "/edit", ".js?v=20261128", "/comments?page=2&sort=name")
)
# Coprime to the number of places: all of them are visited, with another host each time.
PACE = 7

_URL_LINES = "GET /api/authz/auth-request HTTP/1.1\r\nHost: {host}\r\nX-Original-URL: https://{host}{path}\r\n"
# Our snippet passes on all but the languages and the encodings, and others' pass on those as well.
_BROWSER_LINES = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: */*\r\n"
    "Accept-Language: en-GB,en;q=0.8,de;q=0.5,de-DE;q=0.3\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Sec-Fetch-Dest: empty\r\n"
    # No navigation: whoever is refused one is sent to the login page, which wrk would not count as an error.
    "Sec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
)
_CHECK_LINES = f"X-Original-Method: GET\r\n{_BROWSER_LINES}"
_OTHER_COOKIE = "theme=dark-1764300000"


@dataclass(frozen=True, slots=True)
class Checks:
    """Requests in four pieces: where (which goes round), the same lines, a credential (which goes round), the end."""

    places: tuple[str, ...]
    middle: str
    credentials: Sequence[str]
    end: str = "\r\n\r\n"

    def request(self, number: int) -> bytes:
        """Give the request of that number, as the load generators put it together."""
        many = len(self.credentials)
        place = (number % many * PACE + number // many) % len(self.places)
        return f"{self.places[place]}{self.middle}{self.credentials[number % many]}{self.end}".encode()


_PLACES = tuple(_URL_LINES.format(host=host, path=path) for path in PATHS for host in HOSTS)


def with_sessions(tokens: Sequence[str], *, cookie_name: str) -> Checks:
    return _checks(f"Cookie: {_OTHER_COOKIE}; {cookie_name}=", tokens)


def with_api_keys(keys: Sequence[str]) -> Checks:
    return _checks(f"Cookie: {_OTHER_COOKIE}\r\nX-API-Key: ", keys)


def with_access_tokens(tokens: Sequence[str]) -> Checks:
    return _checks(f"Cookie: {_OTHER_COOKIE}\r\nAuthorization: Bearer ", tokens)


def _checks(line: str, credentials: Sequence[str]) -> Checks:
    """Everybody comes from an address of their own."""
    lines = [
        f"X-Forwarded-For: 203.0.{number // 250 % 250}.{number % 250 + 1}\r\n{line}{credential}"
        for number, credential in enumerate(credentials)
    ]
    return Checks(_PLACES, _CHECK_LINES, lines)


def visits_with_sessions(tokens: Sequence[str], *, cookie_name: str) -> Checks:
    """Give what browsers ask a proxy for, all on the first host."""
    places = tuple(f"GET {path} HTTP/1.1\r\nHost: {HOSTS[0]}\r\n" for path in PATHS)
    return Checks(places, f"{_BROWSER_LINES}Cookie: {_OTHER_COOKIE}; {cookie_name}=", tokens)
