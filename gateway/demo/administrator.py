"""Who may log in to the demo: the configured administrator, or one that is made once and kept."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.credentials.passwords import generate_password
from gateway.demo.errors import DemoFailed

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "demo-administrator.json"
_EMAIL = "admin@example.com"


@dataclass(frozen=True, slots=True)
class DemoAdministrator:
    """The account that the demo prints."""

    email: str
    password: str = field(repr=False)


def kept_administrator(data_dir: Path) -> DemoAdministrator:
    """Read the demo's administrator from the data folder; at the first start make one there.

    Raises `DemoFailed` for a file that cannot be read.
    """
    path = data_dir / FILE_NAME
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return _keep(path, DemoAdministrator(_EMAIL, generate_password()))
    except FileExistsError:
        return _read(path)


def _keep(path: Path, administrator: DemoAdministrator) -> DemoAdministrator:
    """Write the file whole or not at all, readable for its owner only; raise FileExistsError if there is one."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    content = {"email": administrator.email, "password": administrator.password}
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file)
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return administrator


def _read(path: Path) -> DemoAdministrator:
    try:
        content = json.loads(path.read_text())
        return DemoAdministrator(str(content["email"]), str(content["password"]))
    except (OSError, ValueError, LookupError, TypeError) as error:
        message = (
            f"{path} cannot be read ({error}). Remove the folder {path.parent} to begin anew; or remove the file, and "
            f"`gateway user reset-password {_EMAIL}` gives the account another password."
        )
        raise DemoFailed(message) from error
