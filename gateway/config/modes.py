"""Which login is configured, and what each kind needs. Asked of what is written, beside each value's own rule."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.config.findings import Finding
from gateway.config.origins import NOWHERE, Origins
from gateway.config.schema import KeyPath, dotted, example_for
from gateway.config.variables import SEED_NAMES

_AUTH_TYPE = ("auth_type",)
_BASIC = ("basic_auth", "enabled")
_EMAIL = ("basic_auth", "initial_org_admin_email")
_PASSWORD = ("basic_auth", "initial_org_admin_password")
_JWT_SECRET = ("basic_auth", "jwt_secret")
_OAUTH = ("oauth", "enabled")
_CLIENT_ID = ("oauth", "client_id")
_CLIENT_SECRET = ("oauth", "client_secret")
_ISSUER_URL = ("oauth", "issuer_url")
_PROVIDER = (_CLIENT_ID, _CLIENT_SECRET, _ISSUER_URL)

# LangSmith's words, which people look for.
BOTH_ENABLED = "Basic auth and OAuth are both enabled. Please enable only one."


def mode_problems(written: Mapping[str, Any], origins: Origins, *, refused: Collection[str]) -> Iterator[Finding]:
    """Yield what is missing, or contradicts itself. Keys that were refused for themselves are not spoken of again."""
    switches = (_AUTH_TYPE, _BASIC, _OAUTH)
    if any(dotted(path) in refused for path in switches):
        return
    for path, message in _Written(written).problems():
        if dotted(path) not in refused:
            # What is missing stands nowhere: then what asks for it is named.
            places = (origins.at(place) for place in (path, *switches, *_PROVIDER))
            origin = next((place for place in places if place != NOWHERE), NOWHERE)
            example = "" if BOTH_ENABLED in message or path in switches else example_for(path)
            yield Finding(dotted(path), origin, message, example)


@dataclass(frozen=True, slots=True)
class _Written:
    """What is written about logging in: which keys, and the three switches."""

    values: Mapping[str, Any]

    def problems(self) -> Iterator[tuple[KeyPath, str]]:
        match self._value(_AUTH_TYPE) or "mixed":
            case "none":
                yield from self._of_none()
            case "oauth":
                yield from self._of_oauth()
            case _:
                yield from self._of_mixed()
        if not self._switched_on(_BASIC):
            yield from self._half_an_administrator()

    def _of_none(self) -> Iterator[tuple[KeyPath, str]]:
        for path in (_BASIC, _OAUTH):
            if self._switched_on(path):
                yield path, "is true, and AUTH_TYPE=none lets everybody in without a login: remove one of the two"

    def _of_oauth(self) -> Iterator[tuple[KeyPath, str]]:
        if self._switched_on(_BASIC):
            yield _BASIC, f"{BOTH_ENABLED} Remove BASIC_AUTH_ENABLED, or set AUTH_TYPE=mixed."
        elif self._switched_off(_OAUTH):
            yield _OAUTH, "is false, and AUTH_TYPE=oauth asks for it: nobody could log in"
        else:
            yield from self._missing((_CLIENT_ID, _ISSUER_URL), "AUTH_TYPE=oauth")

    def _of_mixed(self) -> Iterator[tuple[KeyPath, str]]:
        provider = [path for path in _PROVIDER if self._is_set(path)] if not self._switched_off(_OAUTH) else []
        oauth = bool(provider) or self._switched_on(_OAUTH)
        if oauth and not self._switched_off(_BASIC):
            names = " and ".join(_variable(path) for path in provider or [_OAUTH])
            yield [*provider, _OAUTH][0], f"{BOTH_ENABLED} Set BASIC_AUTH_ENABLED=false, or remove {names}."
        elif oauth:
            yield from self._missing(_PROVIDER, "OAuth in the mode mixed")
        elif self._switched_off(_BASIC):
            message = (
                "is false, and there is no other login: nobody could log in. Remove it, or set OAUTH_CLIENT_ID, "
                "OAUTH_CLIENT_SECRET and OAUTH_ISSUER_URL"
            )
            yield _BASIC, message
        elif self._switched_on(_BASIC):
            yield from self._missing((_EMAIL, _PASSWORD, _JWT_SECRET), "BASIC_AUTH_ENABLED=true")

    def _half_an_administrator(self) -> Iterator[tuple[KeyPath, str]]:
        if self._is_set(_EMAIL) and not self._is_set(_PASSWORD):
            yield _PASSWORD, "is missing: the first administrator needs an e-mail address and a password, or neither"
        if self._is_set(_PASSWORD) and not self._is_set(_EMAIL):
            yield _PASSWORD, "is set without initial_org_admin_email: the first administrator needs both, or neither"

    def _missing(self, wanted: tuple[KeyPath, ...], asker: str) -> Iterator[tuple[KeyPath, str]]:
        for path in wanted:
            if not self._is_set(path):
                yield path, f"is missing, and {asker} asks for it: set {_variable(path)}"

    def _is_set(self, path: KeyPath) -> bool:
        return self._value(path) is not None

    def _switched_on(self, path: KeyPath) -> bool:
        return self._word(path) == "true"

    def _switched_off(self, path: KeyPath) -> bool:
        return self._word(path) == "false"

    def _word(self, path: KeyPath) -> str:
        return str(self._value(path)).strip().lower()

    def _value(self, path: KeyPath) -> Any:  # noqa: ANN401 - whatever was written
        value: Any = self.values
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        return value


def _variable(path: KeyPath) -> str:
    """Give the name by which people know a key."""
    own = f"GATEWAY_{'__'.join(map(str, path)).upper()}"
    return next((name for name, named in SEED_NAMES.items() if named == path), own)
