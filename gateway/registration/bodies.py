"""What the routes of registration and reset take; the pages' forms have the same fields as the JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.grammar.usernames import parse_username
from gateway.web.bodies import Body, Email, Name, Password, Text


def _none_if_empty(written: object) -> object:
    """Read an empty field as one that was left out: forms send every field, and so do clients of the real systems."""
    return None if isinstance(written, str) and not written.strip() else written


_Username = Annotated[Text, AfterValidator(parse_username)]
_Confirmation = Annotated[Annotated[str, Field(max_length=1024)] | None, BeforeValidator(_none_if_empty)]
_Token = Annotated[Text, Field(min_length=1, max_length=128)]


class RegistrationBody(Body):
    """The body of `POST /api/auth/register`."""

    email: Email
    password: Password
    name: Name
    username: Annotated[_Username | None, BeforeValidator(_none_if_empty)] = None
    confirm_password: _Confirmation = None


class VerificationBody(Body):
    """The body of `POST /api/user/verify`."""

    email: Email
    token: _Token


class AddressBody(Body):
    """The body of `POST /api/user/verify/resend` and `POST /api/auth/requestPasswordReset`."""

    email: Email


class PasswordResetBody(Body):
    """The body of `POST /api/auth/resetPassword`."""

    userId: Annotated[Text, Field(min_length=1, max_length=64)]  # noqa: N815 - the API's name
    token: _Token
    password: Password
    confirm_password: _Confirmation = None
