"""People who come in, or back in, by mail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import ClientResponse

from gateway.storage.database import Database
from tests.support.gateway import Gateway, environment
from tests.support.letters import link_in
from tests.support.outbox import read_letter

EMAIL = "ada@example.com"
PASSWORD = "rope-lantern-41"
NEW_PASSWORD = "kettle-drum-1812"
REGISTERED = {"message": "Please check your email to verify your email address."}
RESET_REQUESTED = {"message": "If an account with that email exists, a password reset link has been sent to it."}


def open_door(data_dir: Path, **more: str) -> dict[str, str]:
    """Give the environment of a gateway at which people may register, as often as a test likes."""
    limits = dict.fromkeys(("REGISTER_MAX", "RESET_PASSWORD_MAX", "VERIFY_EMAIL_MAX"), "10000")
    return environment(data_dir, ALLOW_REGISTRATION="true", **{**limits, **more})


async def post(gateway: Gateway, path: str, body: Mapping[str, Any], **headers: str) -> ClientResponse:
    return await gateway.client.post(f"{gateway.url}{path}", json=body, headers=headers)


async def register(gateway: Gateway, email: str = EMAIL, password: str = PASSWORD, **more: Any) -> ClientResponse:  # noqa: ANN401 - fields of any kind
    body = {"email": email, "password": password, "name": "Ada", **more}
    return await post(gateway, "/api/auth/register", body)


async def mailed_link(gateway: Gateway, *, to: str = EMAIL, subject: str = "", number: int = 1) -> str:
    """Wait for a letter to somebody, and give its link."""
    return link_in(await read_letter(gateway.settings.data_dir, to=to, subject=subject, number=number))


def query_of(link: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(link).query))


def path_of(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


async def verify(gateway: Gateway, link: str) -> ClientResponse:
    return await post(gateway, "/api/user/verify", query_of(link))


async def newcomer(gateway: Gateway, email: str = EMAIL, password: str = PASSWORD, **more: Any) -> None:  # noqa: ANN401 - fields of any kind
    """Register somebody and verify the address."""
    assert (await register(gateway, email, password, **more)).status == 200
    assert (await verify(gateway, await mailed_link(gateway, to=email))).status == 200


async def request_reset(gateway: Gateway, email: str = EMAIL) -> ClientResponse:
    return await post(gateway, "/api/auth/requestPasswordReset", {"email": email})


async def reset(gateway: Gateway, link: str, password: str = NEW_PASSWORD, **more: str) -> ClientResponse:
    return await post(gateway, "/api/auth/resetPassword", {**query_of(link), "password": password, **more})


async def rows(gateway: Gateway, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask, or change, the database beside the gateway; `?` stands for a value."""
    database = Database.open(gateway.settings.database)
    try:
        async with database.write() as connection:
            if connection.dialect.name == "postgresql":
                numbers = count(1)
                statement = re.sub(r"\?", lambda _: f"${next(numbers)}", statement)
            found = await connection.exec_driver_sql(statement, values)
            return [tuple(row) for row in found] if found.returns_rows else []
    finally:
        await database.close()
