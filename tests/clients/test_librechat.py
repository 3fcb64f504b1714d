"""LibreChat's own client library, as it is published, against a live gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine

from tests.support.authenticator import Authenticator
from tests.support.commands import run_command
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway
from tests.support.letters import link_in
from tests.support.node import LibreChat, Refused
from tests.support.outbox import read_letter

ADA = "ada@example.com"
PASSWORD = "Winding-staircase-9"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime.now(UTC)) as traveller:
        yield traveller


async def mailed_parameters(portal: Gateway, page: str) -> dict[str, str]:
    """Follow the link of the letter that leads to this page, and give what the page reads from its address."""
    letter = await read_letter(portal.settings.data_dir, to=ADA)
    link = urlsplit(link_in(letter))
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{portal.settings.public_url}{page}"
    return {name: value for name, [value] in parse_qs(link.query).items()}


async def log_in(page: LibreChat, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD) -> str:
    """Log in as the page does, which then sends the token with every request."""
    answer = await page.ask("login", {"email": email, "password": password})
    token: str = answer["token"]
    await page.carry(token)
    return token


async def test_person_logs_in_is_recognised_and_logs_out(librechat: LibreChat) -> None:
    answer = await librechat.ask("login", {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
    assert answer["user"]["role"] == "ADMIN"
    assert "twoFAPending" not in answer
    await librechat.carry(answer["token"])

    user = await librechat.ask("getUser")
    assert user == answer["user"]
    assert {type(user[name]) for name in ("id", "username", "email", "name", "createdAt", "updatedAt")} == {str}

    assert await librechat.ask("logout") == {"message": "Logout successful"}
    with pytest.raises(Refused) as refused:
        await librechat.ask("getUser")
    assert refused.value.status == 401


async def test_wrong_password_is_told_and_leads_nowhere(librechat: LibreChat) -> None:
    with pytest.raises(Refused) as refused:
        await librechat.ask("login", {"email": ADMIN_EMAIL, "password": "not the password"})
    assert refused.value.status == 401
    assert refused.value.body["message"] == "Email or password is incorrect"
    assert librechat.events == []


async def test_page_that_is_loaded_again_gets_a_new_token_for_its_cookie(librechat: LibreChat) -> None:
    await log_in(librechat)
    await librechat.carry(None)

    refreshed = await librechat.refresh()

    assert refreshed["user"]["email"] == ADMIN_EMAIL
    await librechat.carry(refreshed["token"])
    assert (await librechat.ask("getUser"))["email"] == ADMIN_EMAIL


async def test_stranger_who_loads_the_page_is_refused_so_that_it_shows_the_login(librechat: LibreChat) -> None:
    for retry in (False, True):
        with pytest.raises(Refused) as refused:
            await librechat.refresh(retry=retry)
        # Not 401, for which the library would ask for a refresh again.
        assert refused.value.status == 403


async def test_library_refreshes_once_and_asks_again_when_its_token_is_refused(librechat: LibreChat) -> None:
    await log_in(librechat)
    await librechat.carry("not.a.token")

    users = await asyncio.gather(*(librechat.ask("getUser") for _ in range(5)))

    assert [user["email"] for user in users] == [ADMIN_EMAIL] * 5
    assert librechat.events == ["tokenUpdated"]


class TestShortLivedTokens:
    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"SESSION_EXPIRY": "1000 * 60"}

    async def test_library_reads_from_a_token_that_it_is_about_to_expire(self, librechat: LibreChat) -> None:
        await log_in(librechat)
        assert (await librechat.ask("getUser"))["email"] == ADMIN_EMAIL
        assert librechat.events == ["tokenUpdated"]


async def test_ended_session_sends_the_page_to_the_login_once(librechat: LibreChat, portal: Gateway) -> None:
    token = await log_in(librechat)
    await portal.ask("/api/auth/logout", method="POST", Authorization=f"Bearer {token}")

    for _ in range(2):
        with pytest.raises(Refused) as refused:
            await librechat.ask("getUser")
        assert refused.value.status == 401

    assert librechat.events == ["navigation /login?redirect_to=%2Fc%2Fnew"]


async def test_person_makes_and_deletes_api_keys(librechat: LibreChat) -> None:
    await log_in(librechat)

    made = await librechat.ask("createAgentApiKey", {"name": "My Integration", "expiresAt": None})
    assert made["key"].startswith(made["keyPrefix"])
    listed = await librechat.ask("getAgentApiKeys")
    assert [(key["id"], key["keyPrefix"]) for key in listed] == [(made["id"], made["keyPrefix"])]

    await librechat.ask("deleteAgentApiKey", made["id"])
    assert await librechat.ask("getAgentApiKeys") == []


async def test_newcomer_registers_verifies_the_address_and_logs_in(librechat: LibreChat, portal: Gateway) -> None:
    form = {"name": "Ada Lovelace", "username": "ada", "email": ADA, "password": PASSWORD, "confirm_password": PASSWORD}
    assert (await librechat.ask("register", form))["message"]
    with pytest.raises(Refused) as refused:
        await log_in(librechat, ADA, PASSWORD)
    # By this status the page offers to send the letter again.
    assert refused.value.status == 422

    assert (await librechat.ask("verifyEmail", await mailed_parameters(portal, "/verify")))["message"]

    await log_in(librechat, ADA, PASSWORD)
    user = await librechat.ask("getUser")
    assert (user["email"], user["username"], user["name"], user["role"]) == (ADA, "ada", "Ada Lovelace", "USER")


async def test_letter_is_sent_again(librechat: LibreChat, portal: Gateway) -> None:
    await librechat.ask("register", {"name": "Ada", "username": "", "email": ADA, "password": PASSWORD})
    await read_letter(portal.settings.data_dir, to=ADA)

    assert (await librechat.ask("resendVerificationEmail", {"email": ADA}))["message"]

    await read_letter(portal.settings.data_dir, to=ADA, number=2)


async def test_password_that_breaks_a_rule_is_said_to_the_person(librechat: LibreChat) -> None:
    with pytest.raises(Refused) as refused:
        await librechat.ask("register", {"name": "Ada", "username": "", "email": ADA, "password": "password1"})
    assert refused.value.status == 400
    assert refused.value.body["message"]


@pytest.fixture
async def ada(portal: Gateway) -> None:
    command = ("user", "add", "--email", ADA, "--name", "Ada", "--password-stdin")
    await run_command(portal, *command, stdin=PASSWORD)


@pytest.mark.usefixtures("ada")
async def test_forgotten_password_is_replaced_by_the_mailed_link(librechat: LibreChat, portal: Gateway) -> None:
    answer = await librechat.ask("requestPasswordReset", {"email": ADA})
    assert answer["message"]
    # The page would show it to whoever asked.
    assert "link" not in answer

    parameters = await mailed_parameters(portal, "/reset-password")
    new = "Quiet-lighthouse-4"
    assert (await librechat.ask("resetPassword", {**parameters, "password": new, "confirm_password": new}))["message"]

    await log_in(librechat, ADA, new)
    with pytest.raises(Refused):
        await log_in(librechat, ADA, PASSWORD)


async def enrol(page: LibreChat, clock: time_machine.Traveller) -> tuple[Authenticator, list[str]]:
    """Set the second factor up as the page does: it reads the secret from the link, and sends one code twice."""
    enabled = await page.ask("enableTwoFactor")
    secret = enabled["otpauthUrl"].split("secret=")[1].split("&")[0]
    authenticator = Authenticator(secret, clock)
    code = authenticator.code()
    await page.ask("verifyTwoFactor", {"token": code})
    await page.ask("confirmTwoFactor", {"token": code})
    return authenticator, enabled["backupCodes"]


async def half_log_in(page: LibreChat) -> str:
    await page.carry(None)
    answer = await page.ask("login", {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
    assert answer["twoFAPending"] is True
    assert "token" not in answer
    temp_token: str = answer["tempToken"]
    return temp_token


async def test_second_factor_is_set_up_and_asked_for(librechat: LibreChat, clock: time_machine.Traveller) -> None:
    await log_in(librechat)
    authenticator, backup_codes = await enrol(librechat, clock)
    assert (await librechat.ask("getUser"))["twoFactorEnabled"] is True
    await librechat.ask("logout")

    for proof in ({"token": authenticator.next_code()}, {"backupCode": backup_codes[0]}):
        temp_token = await half_log_in(librechat)
        answer = await librechat.ask("verifyTwoFactorTemp", {"tempToken": temp_token, **proof})
        assert answer["user"]["email"] == ADMIN_EMAIL
        # The page loads itself anew after this step, and lives on the cookie.
        await librechat.carry((await librechat.refresh())["token"])
        assert (await librechat.ask("getUser"))["twoFactorEnabled"] is True


async def test_wrong_code_leaves_the_page_where_it_is(librechat: LibreChat, clock: time_machine.Traveller) -> None:
    await log_in(librechat)
    _, backup_codes = await enrol(librechat, clock)
    temp_token = await half_log_in(librechat)

    with pytest.raises(Refused) as refused:
        await librechat.ask("verifyTwoFactorTemp", {"tempToken": temp_token, "token": "not it"})
    assert refused.value.status == 401
    assert "expired" not in refused.value.body["message"]
    with pytest.raises(Refused) as refused:
        await librechat.ask("verifyTwoFactorTemp", {"tempToken": "not.a.token", "token": backup_codes[0]})
    assert refused.value.status == 401
    assert "expired" in refused.value.body["message"]
    assert librechat.events == []

    await librechat.ask("verifyTwoFactorTemp", {"tempToken": temp_token, "backupCode": backup_codes[0]})


async def test_backup_codes_are_replaced_and_the_second_factor_taken_away(
    librechat: LibreChat, clock: time_machine.Traveller
) -> None:
    await log_in(librechat)
    authenticator, first = await enrol(librechat, clock)

    answer = await librechat.ask("regenerateBackupCodes", {"token": authenticator.next_code()})
    second = answer["backupCodes"]
    # The page behind the library reads as many entries of this list before it offers the codes.
    assert len(second) == len(answer["backupCodesHash"]) == 10
    assert not set(first) & set(second)
    with pytest.raises(Refused) as refused:
        await librechat.ask("disableTwoFactor", {"backupCode": first[0]})
    assert refused.value.status == 401

    await librechat.ask("disableTwoFactor", {"backupCode": second[0]})
    assert (await librechat.ask("getUser"))["twoFactorEnabled"] is False
    await librechat.carry(None)
    await log_in(librechat)


async def test_page_reads_from_the_configuration_what_to_show(librechat: LibreChat, portal: Gateway) -> None:
    config = await librechat.ask("getStartupConfig")
    assert config["serverDomain"] == portal.settings.public_url
    shown = ("emailLoginEnabled", "registrationEnabled", "passwordResetEnabled", "emailEnabled")
    assert [config[name] for name in shown] == [True] * 4
    social = [name for name in config if name.endswith("LoginEnabled") and name != "emailLoginEnabled"]
    assert [config[name] for name in social] == [False] * len(social)
    assert (config["socialLogins"], config["minPasswordLength"]) == ([], 8)
