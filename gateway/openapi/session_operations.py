"""Logging in and out, and staying logged in."""

from __future__ import annotations

from gateway.errors import (
    Banned,
    EmailLoginOff,
    EmailNotVerified,
    InvalidCredentials,
    NotFound,
    PasswordChangeRequired,
    RefreshRefused,
    SecondFactorWanted,
    TooManyAttempts,
)
from gateway.login.api_handlers import LoginBody
from gateway.login.refresh_handlers import RefreshBody
from gateway.login.v1_handlers import V1LoginBody
from gateway.openapi.answers import ConfigAnswer, MessageAnswer, SecondFactorPending, SessionAnswer, TokenAnswer
from gateway.openapi.member_answers import AccessTokenAnswer
from gateway.openapi.operation import Answer, Credential, Operation, Parameter, Tag

LOG_IN = Operation(
    Tag.SESSIONS,
    "Log in",
    description=(
        "Opens a session and sets its cookies. An account with a second factor gets a `tempToken` and no cookie: "
        "go on with `POST /api/auth/2fa/verify-temp`."
    ),
    body=LoginBody,
    credentials=(),
    answers={
        200: Answer(
            "Logged in, or the second factor is asked for.", TokenAnswer | SecondFactorPending, sets_cookies=True
        )
    },
    refusals=(InvalidCredentials, EmailNotVerified, Banned, EmailLoginOff, TooManyAttempts),
)
V1_LOG_IN = Operation(
    Tag.SESSIONS,
    "Log in for an access token",
    description=(
        "For programs that know LangSmith's API. Takes JSON, a form (`username`, `password`) or HTTP Basic, opens a "
        "session and sets no cookie. For an account with a second factor it is no way in."
    ),
    body=V1LoginBody,
    credentials=(),
    answers={200: Answer("Logged in.", AccessTokenAnswer)},
    refusals=(InvalidCredentials, SecondFactorWanted, EmailNotVerified, Banned, EmailLoginOff, TooManyAttempts),
)
LOG_OUT = Operation(
    Tag.SESSIONS,
    "Log out",
    description="Ends the session of the access token and of each cookie, and clears the cookies.",
    credentials=(Credential.ACCESS_TOKEN, Credential.SESSION_COOKIE, Credential.REFRESH_COOKIE),
    password_may_be_due=True,
    answers={200: Answer("Logged out.", MessageAnswer, sets_cookies=True)},
)
REFRESH = Operation(
    Tag.SESSIONS,
    "Refresh the access token",
    description=(
        "Takes the refresh token from its cookie or from the body, and replaces the cookie. A token that was replaced "
        "less than 20 seconds ago yields the current one; a later use of it ends the session."
    ),
    body=RefreshBody,
    parameters=(Parameter("retry", "Changes nothing: a repeated refresh is answered like a first one."),),
    credentials=(Credential.REFRESH_COOKIE,),
    # The body is as good as the cookie.
    anonymous=True,
    answers={200: Answer("Refreshed.", TokenAnswer, sets_cookies=True)},
    refusals=(RefreshRefused, PasswordChangeRequired),
)
LIST = Operation(
    Tag.SESSIONS,
    "List your sessions",
    answers={200: Answer("Those that are open, the newest first.", list[SessionAnswer])},
)
END = Operation(
    Tag.SESSIONS,
    "End a session",
    path_parts={"session_id": "The `id` of one of your sessions."},
    answers={204: Answer("Ended, with every token of it.")},
    refusals=(NotFound,),
)
END_OTHERS = Operation(
    Tag.SESSIONS,
    "End all other sessions",
    answers={200: Answer("Ended: the session of this access token goes on.", MessageAnswer)},
)
CONFIG = Operation(
    Tag.INSTALLATION,
    "What can be done here",
    description="What a login form needs to know before anybody has logged in.",
    credentials=(),
    answers={200: Answer("The settings that everybody may know.", ConfigAnswer)},
)
