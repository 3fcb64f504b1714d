"""Environment variables: which name sets which key, directly or by a file (`…_FILE`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.config.findings import Finding
from gateway.config.schema import did_you_mean, dotted, plain_keys

CONFIG_VARIABLE = "GATEWAY_CONFIG"
_PREFIX = "GATEWAY_"
_FILE_SUFFIX = "_FILE"

# The names of the documents that people bring their configuration from; each key has its GATEWAY_ name as well.
SEED_NAMES: Mapping[str, tuple[str, ...]] = {
    "DATABASE_URL": ("database_url",),
    "REDIS_URL": ("redis_url",),
    "OUTAGE_GRACE": ("outage_grace",),
    "AUTH_TYPE": ("auth_type",),
    "BASIC_AUTH_ENABLED": ("basic_auth", "enabled"),
    "INITIAL_ORG_ADMIN_EMAIL": ("basic_auth", "initial_org_admin_email"),
    "INITIAL_ORG_ADMIN_PASSWORD": ("basic_auth", "initial_org_admin_password"),
    "BASIC_AUTH_JWT_SECRET": ("basic_auth", "jwt_secret"),
    "OAUTH_CLIENT_ID": ("oauth", "client_id"),
    "OAUTH_CLIENT_SECRET": ("oauth", "client_secret"),
    "OAUTH_ISSUER_URL": ("oauth", "issuer_url"),
    "LOGIN_MAX": ("auth_api", "login_max"),
    "LOGIN_WINDOW": ("auth_api", "login_window"),
    "REGISTER_MAX": ("auth_api", "register_max"),
    "REGISTER_WINDOW": ("auth_api", "register_window"),
    "RESET_PASSWORD_MAX": ("auth_api", "reset_password_max"),
    "RESET_PASSWORD_WINDOW": ("auth_api", "reset_password_window"),
    "VERIFY_EMAIL_MAX": ("auth_api", "verify_email_max"),
    "VERIFY_EMAIL_WINDOW": ("auth_api", "verify_email_window"),
    "TWO_FACTOR_TEMP_MAX": ("auth_api", "two_factor_temp_max"),
    "TWO_FACTOR_TEMP_WINDOW": ("auth_api", "two_factor_temp_window"),
    "BAN_VIOLATIONS": ("auth_api", "ban_violations"),
    "BAN_DURATION": ("auth_api", "ban_duration"),
    "SESSION_EXPIRY": ("auth_api", "session_expiry"),
    "REFRESH_TOKEN_EXPIRY": ("auth_api", "refresh_token_expiry"),
    "ALLOW_EMAIL_LOGIN": ("auth_api", "allow_email_login"),
    "ALLOW_REGISTRATION": ("auth_api", "allow_registration"),
    "ALLOW_UNVERIFIED_EMAIL_LOGIN": ("auth_api", "allow_unverified_email_login"),
    "ALLOW_PASSWORD_RESET": ("auth_api", "allow_password_reset"),
    "ALLOWED_EMAIL_DOMAINS": ("auth_api", "allowed_email_domains"),
    "MIN_PASSWORD_LENGTH": ("auth_api", "min_password_length"),
    "MIN_PASSWORD_SCORE": ("auth_api", "min_password_score"),
    "REQUIRE_CONFIRM_PASSWORD": ("auth_api", "require_confirm_password"),
    "ROLE_CASE": ("auth_api", "role_case"),
}
# Lists of sections, and mappings, cannot be written in one line.
FILE_ONLY = {("access_control", name) for name in ("rules", "networks", "tests")}

# Kubernetes sets these for every Service of the namespace whose name begins with `gateway`.
_KUBERNETES = re.compile(
    r"GATEWAY_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_KUBERNETES_PORT = re.compile(r"GATEWAY_(?:[A-Z0-9_]+_)?PORT=(?:tcp|udp|sctp)://.*")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that is set somewhere."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """A value for a key, and where it was written."""

    path: tuple[str, ...]
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Assignments:
    """What one source of variables sets, what is wrong in it, and which keys that concerns."""

    values: tuple[Assignment, ...]
    problems: tuple[Finding, ...]
    unreadable: frozenset[tuple[str, ...]]


def names_of_keys() -> dict[str, tuple[str, ...]]:
    """Map every variable name (without `_FILE`) to the key that it sets."""
    own = {_PREFIX + "__".join(path).upper(): path for path in plain_keys() if path not in FILE_ONLY}
    return {**own, **SEED_NAMES}


def read_variables(variables: Iterable[Variable]) -> Assignments:
    """Turn the variables that concern us into assignments; others are passed over."""
    keys = names_of_keys()
    values: dict[tuple[str, ...], tuple[Variable, Assignment]] = {}
    problems: list[Finding] = []
    unreadable = set()
    for variable in variables:
        path = keys.get(variable.name) or keys.get(variable.name.removesuffix(_FILE_SUFFIX))
        if path is None:
            problems += _unknown(variable, keys)
        # An empty variable is how compose files pass on what is not set.
        elif variable.value == "":
            continue
        elif path in values:
            problems.append(_set_twice(variable, path, values[path][0]))
        else:
            try:
                value = variable.value if variable.name in keys else _content_of(variable)
            except ValueError as error:
                unreadable.add(path)
                problems.append(Finding(dotted(path), variable.origin, str(error)))
            else:
                values[path] = variable, Assignment(path, value, variable.origin)
    return Assignments(tuple(assignment for _, assignment in values.values()), tuple(problems), frozenset(unreadable))


def _set_twice(variable: Variable, path: tuple[str, ...], before: Variable) -> Finding:
    return Finding(dotted(path), variable.origin, f"{before.name} and {variable.name} set the same key: remove one")


def _unknown(variable: Variable, keys: Iterable[str]) -> list[Finding]:
    name = variable.name
    if not name.startswith(_PREFIX) or name == CONFIG_VARIABLE or _is_kubernetes(variable):
        return []
    if any(name.startswith(_PREFIX + "__".join(path).upper()) for path in FILE_ONLY):
        return [Finding(name, variable.origin, "this can only be written in the configuration file")]
    hint = did_you_mean(name, [*keys, CONFIG_VARIABLE])
    return [Finding(name, variable.origin, f"there is no such setting{hint}")]


def _is_kubernetes(variable: Variable) -> bool:
    line = f"{variable.name}={variable.value}"
    return bool(_KUBERNETES.fullmatch(variable.name) or _KUBERNETES_PORT.fullmatch(line))


def _content_of(variable: Variable) -> str:
    try:
        text = Path(variable.value).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"the file {variable.value} cannot be read: {reason}"
        raise ValueError(message) from None
    # Editors and `echo` end a file with a line break that is no part of the secret.
    content = text.removesuffix("\n").removesuffix("\r")
    if not content:
        message = f"the file {variable.value} is empty"
        raise ValueError(message)
    return content
