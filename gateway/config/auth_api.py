"""The JSON API's settings, in LibreChat's words and units."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gateway.config.section import Section, Whole, duration_in, split_list
from gateway.grammar.email import parse_email

_MINUTE = timedelta(minutes=1)
_MILLISECOND = timedelta(milliseconds=1)


def _only_true_is_true(written: object) -> bool:
    """Read a switch as LibreChat does: whatever is not `true` is off."""
    return written is True or (isinstance(written, str) and written.strip().lower() == "true")


def _switch_or_none(written: object) -> bool | None:
    return None if written is None or written == "" else _only_true_is_true(written)


def _addresses_of_domains(written: object) -> object:
    if written is None or written == "":
        return ()
    domains = split_list(written)
    if not isinstance(domains, list | tuple):
        message = "must be a list of domains"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueError only
    return tuple(map(_domain, domains))


def _domain(written: object) -> str:
    try:
        return parse_email(f"name@{written}").partition("@")[2]
    except ValueError:
        message = "write what stands behind the @, and without it"
        raise ValueError(message) from None


def _role_case(written: object) -> object:
    return written.strip().lower() if isinstance(written, str) else written


_Switch = Annotated[bool, BeforeValidator(_only_true_is_true)]
_Minutes = Annotated[timedelta, BeforeValidator(duration_in(_MINUTE)), Field(gt=timedelta(0))]
_Milliseconds = Annotated[timedelta, BeforeValidator(duration_in(_MILLISECOND)), Field(ge=timedelta(seconds=1))]


def _minutes(default: int) -> Any:  # noqa: ANN401 - as pydantic's own Field
    return Field(default=timedelta(minutes=default), examples=[f"{default} (minutes)"])


class AuthApi(Section):
    """Limits, switches and shapes of `/api/auth`."""

    login_max: Whole = Field(default=7, ge=1, examples=["7"])
    login_window: _Minutes = _minutes(5)
    register_max: Whole = Field(default=5, ge=1, examples=["5"])
    register_window: _Minutes = _minutes(60)
    reset_password_max: Whole = Field(default=2, ge=1, examples=["2"])
    reset_password_window: _Minutes = _minutes(2)
    verify_email_max: Whole = Field(default=2, ge=1, examples=["2"])
    verify_email_window: _Minutes = _minutes(2)
    two_factor_temp_max: Whole = Field(default=7, ge=1, examples=["7"])
    two_factor_temp_window: _Minutes = _minutes(5)
    ban_violations: _Switch = Field(default=True, examples=["true"])
    ban_duration: _Milliseconds = Field(default=timedelta(hours=2), examples=["1000 * 60 * 60 * 2 (milliseconds)"])
    session_expiry: _Milliseconds = Field(default=timedelta(minutes=15), examples=["1000 * 60 * 15 (milliseconds)"])
    refresh_token_expiry: _Milliseconds = Field(
        default=timedelta(days=7), examples=["1000 * 60 * 60 * 24 * 7 (milliseconds)"]
    )
    allow_email_login: _Switch = Field(default=True, examples=["true"])
    allow_registration: _Switch = Field(default=False, examples=["false"])
    allow_unverified_email_login: _Switch = Field(default=False, examples=["false"])
    # Not set: as there is mail to send the link with.
    allow_password_reset: Annotated[bool | None, BeforeValidator(_switch_or_none)] = Field(
        default=None, examples=["true"]
    )
    allowed_email_domains: Annotated[tuple[str, ...], BeforeValidator(_addresses_of_domains)] = Field(
        default=(), examples=["example.com, example.org"]
    )
    min_password_length: Whole = Field(default=8, ge=8, le=64, examples=["8"])
    min_password_score: Whole = Field(default=0, ge=0, le=4, examples=["0"])
    require_confirm_password: _Switch = Field(default=False, examples=["false"])
    role_case: Annotated[Literal["", "upper"], BeforeValidator(_role_case)] = Field(default="", examples=["upper"])
