"""Secrets that were generated belong to one database: others do not start with it unless somebody says so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.config.database_url import DatabaseAddress, SqliteFile
from tests.support.commands import Finished, run_command, run_gateway
from tests.support.gateway import environment, start_gateway
from tests.support.servers.postgresql import PostgresqlProcess

FILES = ("jwt_secret", "api_key_salt", "encryption_key")


def _replica(folder: Path, database: DatabaseAddress, **more: str) -> dict[str, str]:
    """Give the environment of one that has its own data folder, and with it secrets of its own."""
    url = f"sqlite:///{database.path}" if isinstance(database, SqliteFile) else database.dsn
    return environment(folder, DATABASE_URL=url, **more)


async def _start(environ: dict[str, str]) -> Finished:
    """Prepare everything as a start does, and end."""
    return await run_gateway("bootstrap", environ=environ)


@pytest.mark.both_databases
async def test_of_two_first_starts_with_different_secrets_one_wins(
    tmp_path: Path, database_address: DatabaseAddress
) -> None:
    replicas = [_replica(tmp_path / name, database_address) for name in ("one", "two")]
    started = await asyncio.gather(*map(_start, replicas))
    (winner,) = [replica for replica, one in zip(replicas, started, strict=True) if one.code == 0]
    (refused,) = [one for one in started if one.code != 0]
    assert "was used with other secrets than those generated in" in refused.err
    assert all(name in refused.err for name in FILES)
    assert "would log each other's people out" in refused.err
    assert "BASIC_AUTH_JWT_SECRET" in refused.err
    assert "gateway secrets accept" in refused.err
    assert (await _start(winner)).code == 0


async def test_copied_files_are_the_same_secrets(tmp_path: Path, database_address: DatabaseAddress) -> None:
    assert (await _start(_replica(tmp_path / "one", database_address))).code == 0
    (tmp_path / "two").mkdir()
    for name in FILES:
        (tmp_path / "one" / name).rename(tmp_path / "two" / name)
    assert (await _start(_replica(tmp_path / "two", database_address))).code == 0


async def test_configured_secret_may_change(tmp_path: Path, database_address: DatabaseAddress) -> None:
    assert (await _start(_replica(tmp_path, database_address))).code == 0
    secret = {"BASIC_AUTH_JWT_SECRET": "x8" * 20}
    started = await _start(_replica(tmp_path, database_address, **secret))
    assert started.code == 0
    assert "jwt_secret_changed" in started.err


async def test_only_the_secret_that_differs_is_named(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    assert (await _start(environ)).code == 0
    (tmp_path / "api_key_salt").unlink()
    refused = await _start(environ)
    assert refused.code == 1
    assert f"generated in {tmp_path / 'api_key_salt'}. " in refused.err
    assert "GATEWAY_API_KEY_SALT" in refused.err
    assert "jwt_secret" not in refused.err
    assert "Traceback" not in refused.err


async def test_lost_secret_is_accepted_after_the_consequences_are_said(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    async with start_gateway(environ) as before:
        cookie = (await before.session()).cookie
    (tmp_path / "jwt_secret").unlink()
    assert (await _start(environ)).code == 1

    asked = await run_gateway("secrets", "accept", environ=environ, stdin="n\n")
    assert asked.code != 0
    assert "jwt_secret" in asked.err
    assert "everybody is logged out" in asked.err
    assert (await _start(environ)).code == 1

    accepted = await run_gateway("secrets", "accept", "--yes", environ=environ)
    assert (accepted.code, accepted.out) == (0, "Accepted: jwt_secret.\n")
    async with start_gateway(environ) as after:
        assert (await after.check(Cookie=cookie)).status == 401
        events = (await run_command(after, "audit", "list", "--kind", "secret_changed", "--json")).json
    assert [event["details"] for event in events] == [{"secret": "jwt_secret"}]
    assert events[0]["actor"].startswith("command line")
    assert "nothing was changed" in (await run_gateway("secrets", "accept", environ=environ)).out


async def test_list_tells_everything_but_the_secrets(tmp_path: Path) -> None:
    environ = environment(tmp_path, GATEWAY_ENCRYPTION_KEY="Salt-of-the-earth-and-more-of-it")
    fresh = (await run_gateway("secrets", "list", "--json", environ=environ)).json
    assert {one["matches"] for one in fresh} == {None}
    assert (await _start(environ)).code == 0
    (tmp_path / "api_key_salt").unlink()
    listed = await run_gateway("secrets", "list", "--json", environ=environ)
    assert listed.json == [
        {"name": "jwt_secret", "origin": str(tmp_path / "jwt_secret"), "generated": True, "matches": True},
        {"name": "api_key_salt", "origin": str(tmp_path / "api_key_salt"), "generated": True, "matches": False},
        {"name": "encryption_key", "origin": "GATEWAY_ENCRYPTION_KEY", "generated": False, "matches": True},
    ]
    lines = (await run_gateway("secrets", "list", environ=environ)).out
    assert "NOT the database's" in lines
    for secret in ((tmp_path / "jwt_secret").read_text().strip(), "Salt-of-the-earth"):
        assert secret not in lines + listed.out


async def test_command_that_was_told_of_the_server_only_says_so(tmp_path: Path, postgresql: PostgresqlProcess) -> None:
    gateway = environment(tmp_path / "gateway", DATABASE_URL=postgresql.new_database())
    assert (await _start(gateway)).code == 0
    elsewhere = environment(tmp_path / "elsewhere", DATABASE_URL=gateway["DATABASE_URL"])
    listed = await run_gateway("member", "list", environ=elsewhere)
    assert listed.code == 0
    assert listed.err.startswith("note: this database is used with other secrets than those of ")
    assert "mail that this command sends will not arrive" in listed.err
    assert "note:" not in (await run_gateway("member", "list", environ=gateway)).err
    assert "note:" not in (await run_gateway("secrets", "list", environ=elsewhere)).err
