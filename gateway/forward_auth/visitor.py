"""What the visitor is: a browser that opens a page, or a program."""

from __future__ import annotations

from gateway.forward_auth.request_headers import RequestHeaders

_DOCUMENTS = frozenset({"document", "iframe", "frame"})
# Characters, far above what any browser sends: to look through all that a head can hold takes a tenth of a second.
_MAX_ACCEPT = 2048
_PROGRAM_MARKS = ("upgrade", "sec-websocket-key", "authorization", "x-api-key")


def is_navigation(headers: RequestHeaders) -> bool:
    """Say whether a browser opens a page, so that a redirect to the login page leads somewhere.

    The User-Agent never decides (RFC 9110 section 12.4.2 has the q-values).
    """
    if "prefetch" in _first(headers, "sec-purpose"):
        return False
    # A browser that sends one of these sends all of them; with some missing, it is a program that plays one.
    if any(name.startswith("sec-fetch-") for name in headers):
        return _first(headers, "sec-fetch-mode") == "navigate" and _first(headers, "sec-fetch-dest") in _DOCUMENTS
    if any(_first(headers, mark) for mark in _PROGRAM_MARKS):
        return False
    if _first(headers, "x-requested-with") == "xmlhttprequest":
        return False
    accept = ",".join(headers.get("accept", ()))
    return len(accept) <= _MAX_ACCEPT and prefers_html(accept)


def prefers_html(accept: str) -> bool:
    """Say whether `Accept` names HTML, with a higher quality than any JSON type."""
    html = json = 0.0
    for entry in accept.lower().split(","):
        media_type, *parameters = (part.strip() for part in entry.split(";"))
        quality = _quality(parameters)
        if media_type == "text/html":
            html = max(html, quality)
        elif media_type == "application/json" or media_type.endswith("+json"):
            json = max(json, quality)
    return html > json


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _first(headers: RequestHeaders, name: str) -> str:
    values = headers.get(name)
    return values[0].lower() if values else ""
