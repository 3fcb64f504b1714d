"""What proxies ask, and what the machine asks that we run on."""

from __future__ import annotations

from gateway.openapi.answers import CheckRefusal, HealthAnswer, ReadinessAnswer
from gateway.openapi.operation import Answer, Credential, Operation, Parameter, Tag

_REFUSED = {
    401: Answer("Nobody is logged in, or the credential is not good.", CheckRefusal),
    403: Answer("Known, but not permitted; or the request cannot be read.", CheckRefusal),
    429: Answer("Too many wrong passwords.", CheckRefusal),
    503: Answer("The gateway cannot answer now. Nothing passes meanwhile.", CheckRefusal),
}
_ALLOWED = Answer("The request may pass. The headers tell the application who is there.")
_CREDENTIALS = (Credential.SESSION_COOKIE, Credential.ACCESS_TOKEN, Credential.API_KEY, Credential.BASIC)
_ANY_METHOD = "Any method is a check. A body or a query of its own means nothing."

AUTH_REQUEST = Operation(
    Tag.PROXIES,
    "May this request pass? (nginx)",
    description=_ANY_METHOD,
    parameters=(
        Parameter("X-Original-URL", "The visitor's URL: scheme, host and path as they were sent.", place="header"),
        Parameter("X-Original-Method", "The visitor's method.", place="header"),
    ),
    credentials=_CREDENTIALS,
    anonymous=True,
    internal=True,
    answers={200: _ALLOWED, **_REFUSED},
)
FORWARD_AUTH = Operation(
    Tag.PROXIES,
    "May this request pass? (Traefik, Caddy)",
    description=_ANY_METHOD,
    parameters=(
        Parameter("X-Forwarded-Method", "The visitor's method.", place="header"),
        Parameter("X-Forwarded-Proto", "The scheme of the visitor's URL.", place="header"),
        Parameter("X-Forwarded-Host", "The host of the visitor's URL.", place="header"),
        Parameter("X-Forwarded-Uri", "The path of the visitor's URL, with its query.", place="header"),
    ),
    credentials=_CREDENTIALS,
    anonymous=True,
    internal=True,
    answers={
        200: _ALLOWED,
        302: Answer("A browser is sent to the login page."),
        303: Answer("The same, after a method that is not safe to repeat."),
        **_REFUSED,
    },
)
HEALTH = Operation(
    Tag.INSTALLATION,
    "Is the process alive?",
    credentials=(),
    answers={200: Answer("It is. Whether it is ready is another question.", HealthAnswer)},
)
READINESS = Operation(
    Tag.INSTALLATION,
    "Should visitors be sent here?",
    description="A degraded gateway still lets in whom it knows: `reasons` say what is away, and what that means.",
    credentials=(),
    answers={
        200: Answer("They should.", ReadinessAnswer),
        503: Answer("Not now: it has been without its database for too long.", ReadinessAnswer),
    },
)
