"""The JSON API's settings, in LibreChat's words and units."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from gateway.config.section import Section, Whole, duration_in

_MINUTE = timedelta(minutes=1)
_MILLISECOND = timedelta(milliseconds=1)


def _only_true_is_true(written: object) -> bool:
    """Read a switch as LibreChat does: whatever is not `true` is off."""
    return written is True or (isinstance(written, str) and written.strip().lower() == "true")


def _role_case(written: object) -> object:
    return written.strip().lower() if isinstance(written, str) else written


class AuthApi(Section):
    """Limits and shapes of `/api/auth`."""

    login_max: Whole = Field(default=7, ge=1, examples=["7"])
    login_window: Annotated[timedelta, BeforeValidator(duration_in(_MINUTE))] = Field(
        default=timedelta(minutes=5), gt=timedelta(0), examples=["5 (minutes)"]
    )
    session_expiry: Annotated[timedelta, BeforeValidator(duration_in(_MILLISECOND))] = Field(
        default=timedelta(minutes=15), ge=timedelta(seconds=1), examples=["1000 * 60 * 15 (milliseconds)"]
    )
    allow_email_login: Annotated[bool, BeforeValidator(_only_true_is_true)] = Field(default=True, examples=["true"])
    role_case: Annotated[Literal["", "upper"], BeforeValidator(_role_case)] = Field(default="", examples=["upper"])
