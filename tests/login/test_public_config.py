"""What everybody may know before logging in."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from tests.support.gateway import PUBLIC_URL, Gateway, environment, start_gateway


async def test_config_is_public_and_says_what_can_be_done(gateway: Gateway) -> None:
    response = await gateway.ask("/api/config")
    assert response.status == HTTPStatus.OK
    assert await response.json() == {
        "appTitle": "Gateway",
        "serverDomain": PUBLIC_URL,
        "emailLoginEnabled": True,
        "registrationEnabled": False,
        "passwordResetEnabled": True,
        "emailEnabled": True,
        "socialLoginEnabled": False,
        "socialLogins": [],
        "googleLoginEnabled": False,
        "facebookLoginEnabled": False,
        "githubLoginEnabled": False,
        "discordLoginEnabled": False,
        "openidLoginEnabled": False,
        "minPasswordLength": 8,
    }


async def test_config_follows_the_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    environ = environment(
        tmp_path_factory.mktemp("config"),
        GATEWAY_SITE_NAME="Example Inc.",
        ALLOW_EMAIL_LOGIN="false",
        ALLOW_REGISTRATION="true",
        GATEWAY_MAIL__TRANSPORT="none",
        MIN_PASSWORD_LENGTH="15",
    )
    async with start_gateway(environ) as gateway:
        body = await (await gateway.ask("/api/config")).json()
        assert body["appTitle"] == "Example Inc."
        assert (body["emailLoginEnabled"], body["registrationEnabled"]) == (False, True)
        assert (body["emailEnabled"], body["passwordResetEnabled"]) == (False, False)
        assert body["minPasswordLength"] == 15
