"""What a proxy is told: one form for an allowed request, one for each kind of refusal."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.errors import GatewayError, Unauthorized
from gateway.forward_auth.identity_headers import Header
from gateway.forward_auth.original_request import Endpoint

_SEE_OTHER = 303
_FOUND = 302
_SAFE_METHODS = ("GET", "HEAD")
_JSON: Header = ("Content-Type", "application/json; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers and a body; no HTTP library is needed to send it."""

    status: int
    headers: tuple[Header, ...]
    body: bytes = b""

    def as_page(self, page: str, headers: Mapping[str, str]) -> Answer:
        """Say the same to a person: HTML, with the headers that such a page needs."""
        replaced = {"content-type", *map(str.lower, headers)}
        kept = ((name, value) for name, value in self.headers if name.lower() not in replaced)
        return Answer(
            self.status, (*kept, ("Content-Type", "text/html; charset=utf-8"), *headers.items()), page.encode()
        )


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a visitor who has to log in is told: where, whether a browser can be sent there, and why."""

    login_url: str
    navigation: bool
    method: str
    reason: GatewayError = field(default_factory=Unauthorized)


def allow(identity: tuple[Header, ...], *, strip: tuple[str, ...], decision_id: str) -> Answer:
    """Answer exactly 200 without a body: Envoy passes nothing else, and one byte ends keep-alive on nginx."""
    stripped = (("X-Auth-Strip", ", ".join(strip)),) if strip else ()
    return Answer(200, (*identity, *stripped, *_common(decision_id)))


def ask_to_log_in(endpoint: Endpoint, challenge: Challenge, *, decision_id: str) -> Answer:
    """Answer in the form that the proxy of this endpoint can use."""
    location = ("Location", challenge.login_url)
    reason = ("X-Auth-Reason", challenge.reason.code)
    if challenge.navigation and endpoint is Endpoint.FORWARD_AUTH:
        status = _FOUND if challenge.method in _SAFE_METHODS else _SEE_OTHER
        return Answer(status, (location, reason, *_common(decision_id)))
    body = _body(challenge.reason, decision_id, login_url=challenge.login_url)
    headers = [_JSON, ("WWW-Authenticate", 'Bearer realm="gateway"'), reason, *_common(decision_id)]
    if endpoint is Endpoint.AUTH_REQUEST:
        # nginx cannot build this address itself: it does not escape. Our snippet picks by the challenge;
        # older ones (`error_page 401 =302`) need the Location always.
        headers += [location, ("X-Auth-Challenge", "redirect" if challenge.navigation else "json")]
    return Answer(Unauthorized.status, tuple(headers), body)


def refuse(refusal: GatewayError, *, decision_id: str) -> Answer:
    """Answer a refusal that no login would change."""
    headers = [_JSON, ("X-Auth-Reason", refusal.code), *refusal.headers.items(), *_common(decision_id)]
    if refusal.retry_after is not None:
        headers.append(("Retry-After", str(max(1, math.ceil(refusal.retry_after.total_seconds())))))
    return Answer(refusal.status, tuple(headers), _body(refusal, decision_id))


def _body(refusal: GatewayError, decision_id: str, **more: str) -> bytes:
    content = {"error": refusal.title, "message": refusal.message, "code": refusal.code, **more}
    return json.dumps({**content, "decision_id": decision_id}, ensure_ascii=False).encode()


def _common(decision_id: str) -> tuple[Header, Header]:
    return ("Cache-Control", "no-store"), ("X-Decision-Id", decision_id)
