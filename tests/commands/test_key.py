"""`gateway key` beside a running gateway."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.support.commands import run_command, run_gateway
from tests.support.gateway import ADMIN_EMAIL, Gateway, environment, start_gateway
from tests.support.waiting import wait_for_answer

MAKE = ("key", "create", "--email", ADMIN_EMAIL, "--name", "backup")


async def test_key_from_the_shell_opens_and_is_revoked_within_a_second(gateway: Gateway) -> None:
    """K3."""
    made = (await run_command(gateway, *MAKE, "--json")).json
    bearer = f"Bearer {made['key']}"
    assert (await gateway.check(Authorization=bearer)).headers["Remote-Email"] == ADMIN_EMAIL
    revoked = await run_command(gateway, "key", "revoke", made["id"], "--json")
    assert revoked.json == {"revoked": made["id"]}
    refused = await wait_for_answer(
        lambda: gateway.check(Authorization=bearer), lambda answer: answer.status != HTTPStatus.OK
    )
    assert (refused.status, refused.headers["X-Auth-Reason"]) == (HTTPStatus.UNAUTHORIZED, "invalid_api_key")
    assert (await run_command(gateway, "key", "list", "--json")).json == []


async def test_key_is_printed_once(gateway: Gateway) -> None:
    """K1, K2."""
    made = await run_command(gateway, *MAKE)
    [key] = [line.split()[-1] for line in made.out.splitlines() if line.startswith("key:")]
    assert made.out.count(key) == 1
    assert key not in made.err
    for arguments in (("key", "list"), ("key", "list", "--json", "--email", ADMIN_EMAIL)):
        listed = await run_command(gateway, *arguments)
        assert key[:10] in listed.out
        assert key not in listed.out + listed.err
    database = await asyncio.to_thread(_contents, gateway.settings.data_dir)
    assert key[10:].encode() not in database


async def test_key_is_limited_and_ends_as_was_said(gateway: Gateway) -> None:
    limits = ("--host", "app.example.com", "--path", "/api/**", "--method", "GET", "--method", "HEAD")
    made = (await run_command(gateway, *MAKE, "--expires", "30d", *limits, "--json")).json
    assert made["scopes"] == [{"host": "app.example.com", "path": "/api/**", "methods": ["GET", "HEAD"]}]
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
    bearer = f"Bearer {made['key']}"
    inside, outside = [
        await gateway.check(f"http://app.example.com{path}", Authorization=bearer) for path in ("/api/x", "/x")
    ]
    assert (inside.status, outside.status) == (HTTPStatus.OK, HTTPStatus.FORBIDDEN)
    moment = (await run_command(gateway, *MAKE, "--expires", "2099-01-01", "--json")).json
    assert moment["expires_at"] == "2099-01-01T00:00:00Z"


async def test_list_names_owners_newest_first(gateway: Gateway) -> None:
    await run_command(gateway, "user", "add", "--email", "ann@example.com", "--name", "Ann")
    await run_command(gateway, *MAKE)
    await run_command(gateway, "key", "create", "--email", "ann@example.com", "--name", "hers")
    listed = (await run_command(gateway, "key", "list", "--json")).json
    assert [(key["owner"], key["name"]) for key in listed] == [("ann@example.com", "hers"), (ADMIN_EMAIL, "backup")]
    hers = (await run_command(gateway, "key", "list", "--email", "ann@example.com", "--json")).json
    assert hers == listed[:1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "--email", "nobody@example.com", "--name", "x"), "gateway member list"),
        ((*MAKE[1:], "--expires", "2020-01-01"), "passed"),
        ((*MAKE[1:], "--expires", "30"), "such as 30d"),
        ((*MAKE[1:], "--expires", "soon"), "such as 30d"),
        ((*MAKE[1:], "--method", "get"), "capitals"),
        ((*MAKE[1:], "--path", "api"), "begins with /"),
        ((*MAKE[1:], "--host", "http://x"), "host"),
        (("revoke", "nothing"), "gateway key list"),
        (("list", "--email", "nobody"), "@"),
    ],
)
async def test_mistake_is_named_without_a_traceback(gateway: Gateway, arguments: tuple[str, ...], said: str) -> None:
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    finished = await run_gateway("key", *arguments, environ=environ)
    assert finished.code != 0
    assert said in finished.err
    assert "Traceback" not in finished.err


async def test_command_under_another_salt_makes_no_key(gateway: Gateway) -> None:
    """The gateway would not know it, and nobody would know why."""
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir), "GATEWAY_API_KEY_SALT": "another salt altogether"}
    finished = await run_gateway(*MAKE, environ=environ)
    assert finished.code != 0
    assert "same configuration and environment" in finished.err
    assert (await run_command(gateway, "key", "list", "--json")).json == []


async def test_keys_survive_a_changed_jwt_secret_and_sessions_do_not(tmp_path: Path) -> None:
    """K1."""
    async with start_gateway(environment(tmp_path)) as before:
        key = (await run_command(before, *MAKE, "--json")).json["key"]
        session = await before.session()
    async with start_gateway(environment(tmp_path, BASIC_AUTH_JWT_SECRET="x8" * 20)) as after:
        assert (await after.check(Cookie=session.cookie)).status == HTTPStatus.UNAUTHORIZED
        assert (await after.check(Authorization=f"Bearer {key}")).status == HTTPStatus.OK


def _contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("gateway.db*"))
