"""A person's own account."""

from __future__ import annotations

from gateway.account.handlers import PasswordChangeBody
from gateway.errors import Banned, InvalidCredentials, LoginNotNeeded, TooManyAttempts
from gateway.openapi.answers import MessageAnswer, User
from gateway.openapi.operation import Answer, Operation, Tag

WHO_AM_I = Operation(
    Tag.ACCOUNT,
    "Who am I?",
    password_may_be_due=True,
    answers={200: Answer("The account of the access token, as it is now.", User)},
)
CHANGE_PASSWORD = Operation(
    Tag.ACCOUNT,
    "Change the password",
    description="This session goes on with new cookies. All others of the account end.",
    body=PasswordChangeBody,
    password_may_be_due=True,
    answers={200: Answer("Changed.", MessageAnswer, sets_cookies=True)},
    refusals=(InvalidCredentials, Banned, LoginNotNeeded, TooManyAttempts),
)
