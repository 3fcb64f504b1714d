"""A browser that logged in before keeps a way in, whatever strangers try."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import pytest

from gateway.credentials.known_devices import KnownDevices
from tests.support.commands import run_command
from tests.support.forms import Person
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, environment, start_gateway
from tests.support.outbox import read_letter
from tests.support.throttled import STRANGER, fail_often, pause_account, rows, try_password

OFFICE = "203.0.113.5"
ANN = "ann@example.com"
ANNS_PASSWORD = "anns own password"


async def device_of(gateway: Gateway, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD) -> str:
    """Log in somewhere and give the device cookie that came along."""
    response = await gateway.log_in(email, password)
    assert response.status == HTTPStatus.OK
    return f"gateway_device={response.cookies['gateway_device'].value}"


async def add_ann(gateway: Gateway) -> None:
    await run_command(
        gateway, "user", "add", "--email", ANN, "--name", "Ann", "--password-stdin", stdin=f"{ANNS_PASSWORD}\n"
    )


def letters(gateway: Gateway) -> int:
    return len(rows(gateway, "SELECT 1 FROM outbox WHERE kind = 'new_device'"))


async def test_cookie_lasts_a_year_and_is_the_portals_own(gateway: Gateway) -> None:
    cookie = (await gateway.log_in()).cookies["gateway_device"]
    assert cookie["max-age"] == str(365 * 24 * 3600)
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]


async def test_on_https_the_cookies_name_holds_the_browser_to_that(tmp_path: Path) -> None:
    """S6."""
    public = {"GATEWAY_PUBLIC_URL": "https://auth.example.com"}
    async with start_gateway(environment(tmp_path, **public)) as gateway:
        cookie = (await gateway.log_in()).cookies["__Host-gateway_device"]
    assert cookie["secure"]


@pytest.mark.usefixtures("stopped_clock")
async def test_page_gives_it_as_well(gateway: Gateway, person: Person) -> None:
    await person.fill_in("/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    device = f"gateway_device={person.cookies['gateway_device']}"
    await pause_account(gateway)
    assert (await try_password(gateway, ADMIN_PASSWORD, cookie=device)).status == HTTPStatus.OK


async def test_cookie_names_nobody(gateway: Gateway) -> None:
    assert ADMIN_EMAIL not in await device_of(gateway)


@pytest.mark.usefixtures("stopped_clock")
async def test_strangers_failures_do_not_keep_a_known_device_out(gateway: Gateway) -> None:
    """L6."""
    device = await device_of(gateway)
    await pause_account(gateway)
    assert (await try_password(gateway, ADMIN_PASSWORD, cookie=device)).status == HTTPStatus.OK
    assert (await try_password(gateway, ADMIN_PASSWORD)).status == HTTPStatus.TOO_MANY_REQUESTS


@pytest.mark.usefixtures("stopped_clock")
async def test_known_devices_own_failures_pause_it_and_nobody_else(gateway: Gateway) -> None:
    """L6: a stolen device is no way to try more."""
    device = await device_of(gateway)
    assert await fail_often(gateway, 6, cookie=device) == [HTTPStatus.UNAUTHORIZED] * 5 + [HTTPStatus.TOO_MANY_REQUESTS]
    assert (await try_password(gateway, ADMIN_PASSWORD, cookie=device)).status == HTTPStatus.TOO_MANY_REQUESTS
    assert (await try_password(gateway, ADMIN_PASSWORD)).status == HTTPStatus.OK


async def test_colleagues_failures_do_not_keep_a_known_device_out(tmp_path: Path) -> None:
    async with start_gateway(environment(tmp_path, LOGIN_MAX="3")) as gateway:
        device = await device_of(gateway)
        await fail_often(gateway, 4, address=OFFICE, email="nobody@example.com")
        assert (await try_password(gateway, ADMIN_PASSWORD, address=OFFICE)).status == HTTPStatus.TOO_MANY_REQUESTS
        known = await try_password(gateway, ADMIN_PASSWORD, address=OFFICE, cookie=device)
        assert known.status == HTTPStatus.OK


@pytest.mark.usefixtures("stopped_clock")
async def test_device_that_knows_one_account_is_a_stranger_to_another(gateway: Gateway) -> None:
    """An own account buys no guesses at another's."""
    await add_ann(gateway)
    device = await device_of(gateway, ANN, ANNS_PASSWORD)
    await pause_account(gateway)
    assert (await try_password(gateway, ADMIN_PASSWORD, cookie=device)).status == HTTPStatus.TOO_MANY_REQUESTS


@pytest.mark.usefixtures("stopped_clock")
async def test_device_knows_everybody_who_logged_in_on_it(gateway: Gateway) -> None:
    await add_ann(gateway)
    device = await device_of(gateway)
    shared = await try_password(gateway, ANNS_PASSWORD, email=ANN, cookie=device)
    device = f"gateway_device={shared.cookies['gateway_device'].value}"
    await pause_account(gateway)
    assert (await try_password(gateway, ADMIN_PASSWORD, cookie=device)).status == HTTPStatus.OK


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("kind", ["forged", "foreign", "changed", "nonsense", "twice", "long"])
async def test_cookie_that_we_did_not_give_counts_for_nothing(gateway: Gateway, kind: str) -> None:
    device = await device_of(gateway)
    stranger = KnownDevices(key=b"a key of somebody else's")
    cookies = {
        "forged": "gateway_device=e30=",
        "foreign": f"gateway_device={stranger.seal(stranger.new().remember(ADMIN_EMAIL))}",
        "changed": device[:-8] + ("A" if device[-8] != "A" else "B") + device[-7:],
        "nonsense": "gateway_device=\x80%00; gateway_device2=x",
        "twice": f"{device}; {device}",
        "long": f"gateway_device={'A' * 4000}",
    }
    await pause_account(gateway)
    refused = await try_password(gateway, ADMIN_PASSWORD, cookie=cookies[kind])
    assert refused.status == HTTPStatus.TOO_MANY_REQUESTS


async def test_banned_address_stays_banned_for_a_known_device(gateway: Gateway) -> None:
    device = await device_of(gateway)
    await run_command(gateway, "ban", STRANGER)
    assert (await try_password(gateway, ADMIN_PASSWORD, cookie=device)).status == HTTPStatus.FORBIDDEN


async def test_login_on_a_new_device_is_told_to_the_owner(gateway: Gateway) -> None:
    await device_of(gateway)
    assert letters(gateway) == 0, "the first login of an account is nothing new"
    response = await try_password(gateway, ADMIN_PASSWORD)
    assert letters(gateway) == 1
    letter = await read_letter(gateway.settings.data_dir, to=ADMIN_EMAIL)
    assert STRANGER in letter.as_string()
    device = f"gateway_device={response.cookies['gateway_device'].value}"
    assert (await try_password(gateway, ADMIN_PASSWORD, cookie=device)).status == HTTPStatus.OK
    assert letters(gateway) == 1, "it is known now"


async def test_failed_login_tells_nobody(gateway: Gateway) -> None:
    await device_of(gateway)
    await try_password(gateway)
    assert letters(gateway) == 0
