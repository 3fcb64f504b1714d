"""The first administrator by the one-time set-up link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.support.forms import Person, hidden_fields
from tests.support.gateway import Gateway, environment, start_gateway

GOOD = {"email": "first@example.com", "name": "First Admin", "password": "Long-enough-pw"}


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway without a configured administrator."""
    async with start_gateway(_without_administrator(tmp_path)) as running:
        yield running


def _without_administrator(folder: Path) -> dict[str, str]:
    environ = environment(folder)
    return {name: value for name, value in environ.items() if not name.startswith("INITIAL_")}


def _path(gateway: Gateway) -> str:
    assert gateway.setup_link is not None
    return gateway.setup_link.removeprefix(gateway.settings.public_url)


async def test_link_leads_to_an_administrator_who_can_log_in(empty: Gateway) -> None:
    """L9."""
    response = await Person(empty).fill_in(_path(empty), **GOOD)
    assert response.status == HTTPStatus.SEE_OTHER
    login = await empty.log_in(GOOD["email"], GOOD["password"])
    assert (await login.json())["user"]["role"] == "admin"


async def test_link_works_once(empty: Gateway) -> None:
    await Person(empty).fill_in(_path(empty), **GOOD)
    assert (await empty.ask(_path(empty))).status == HTTPStatus.FORBIDDEN


async def test_opening_the_link_spends_nothing(empty: Gateway) -> None:
    for _ in range(3):
        assert (await empty.ask(_path(empty))).status == HTTPStatus.OK


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_many_who_use_the_link_at_once_one_becomes_administrator(empty: Gateway) -> None:
    """N1."""
    people = [Person(empty) for _ in range(8)]
    forms = [hidden_fields(await (await person.open(_path(empty))).text()) for person in people]
    attempts = [
        person.post("/setup", {**form, **GOOD, "email": f"admin{number}@example.com"})
        for number, (person, form) in enumerate(zip(people, forms, strict=True))
    ]
    statuses = sorted(response.status for response in await asyncio.gather(*attempts))
    assert statuses == [303] + [403] * 7


@pytest.mark.parametrize(
    "password", ["Short-1", "no-upper-case-1", "NO-LOWER-CASE-1", "NoSymbolAtAll1", "Aa-" + "x" * 2000]
)
async def test_password_follows_the_seeds_rule(empty: Gateway, password: str) -> None:
    response = await Person(empty).fill_in(_path(empty), **{**GOOD, "password": password})
    assert response.status == HTTPStatus.BAD_REQUEST
    assert (await empty.ask(_path(empty))).status == HTTPStatus.OK, "the link is still good"


async def test_guessed_link_opens_nothing(empty: Gateway) -> None:
    assert (await empty.ask("/setup?token=guess")).status == HTTPStatus.FORBIDDEN
    assert (await empty.ask("/setup")).status == HTTPStatus.FORBIDDEN


async def test_newer_link_makes_the_older_one_dead(tmp_path: Path) -> None:
    async with start_gateway(_without_administrator(tmp_path)) as before:
        older = _path(before)
    async with start_gateway(_without_administrator(tmp_path)) as gateway:
        assert (await gateway.ask(older)).status == HTTPStatus.FORBIDDEN
        assert (await gateway.ask(_path(gateway))).status == HTTPStatus.OK


async def test_with_an_administrator_there_is_no_link(tmp_path: Path) -> None:
    async with start_gateway(environment(tmp_path)) as gateway:
        assert gateway.setup_link is None
