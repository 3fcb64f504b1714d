"""Gateways that ask nobody for a login."""

from __future__ import annotations

from pathlib import Path

from tests.support.gateway import environment

DEFAULT_EMAIL = "default@localhost"
DEFAULT_WORKSPACE = "00000000-0000-0000-0000-000000000000"


def without_logins(data_dir: Path, **more: str) -> dict[str, str]:
    """Give the environment of a gateway whose default user is everybody."""
    usual = {name: value for name, value in environment(data_dir).items() if not name.startswith("INITIAL_")}
    return {**usual, "AUTH_TYPE": "none", **more}
