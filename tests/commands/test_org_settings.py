"""`gateway org set`: limits of keys, from the shell."""

from __future__ import annotations

from tests.support.commands import run_command, run_gateway
from tests.support.gateway import ADMIN_EMAIL, Gateway
from tests.support.team import administrator

MAKE = ("key", "create", "--email", ADMIN_EMAIL, "--name", "backup")


async def test_limits_are_set_and_taken_back(gateway: Gateway) -> None:
    changed = await run_command(gateway, "org", "set", "pat_creation_disabled=true", "max_pat_expiry_days=90", "--json")
    assert changed.json == {
        "pat_creation_disabled": True,
        "max_api_key_expiry_days": None,
        "max_pat_expiry_days": 90,
        "max_service_key_expiry_days": None,
    }
    admin = await administrator(gateway)
    info = await admin.get("GET", "/api/v1/orgs/current/info")
    assert (info["pat_creation_disabled"], info["max_pat_expiry_days"]) == (True, 90)
    refused = await admin.get("POST", "/api/api-keys", {"name": "x"}, status=403)
    assert refused["code"] == "pat_creation_disabled"
    back = await run_command(gateway, "org", "set", "pat_creation_disabled=false", "max_pat_expiry_days=none")
    assert "pat_creation_disabled=false" in back.out
    assert "max_pat_expiry_days=none" in back.out


async def test_operator_keeps_to_the_limits_and_is_not_bound_by_the_switch(gateway: Gateway) -> None:
    await run_command(gateway, "org", "set", "pat_creation_disabled=true", "max_api_key_expiry_days=30")
    made = await run_command(gateway, *MAKE, "--json")
    assert made.json["expires_at"] is not None
    assert "pat_creation_disabled is on" in made.err
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    refused = await run_gateway(*MAKE, "--expires", "31d", environ=environ)
    assert refused.code != 0
    assert "30 days at most" in refused.err


async def test_what_the_configuration_sets_is_shown_and_stays(gateway: Gateway) -> None:
    environ = {
        "GATEWAY_DATA_DIR": str(gateway.settings.data_dir),
        "GATEWAY_ORGANIZATION__MAX_PAT_EXPIRY_DAYS": "7",
    }
    shown = await run_gateway("org", "set", environ=environ)
    assert "max_pat_expiry_days=7  (from the configuration)" in shown.out
    refused = await run_gateway("org", "set", "max_pat_expiry_days=30", environ=environ)
    assert refused.code != 0
    assert "organization.max_pat_expiry_days" in refused.err


async def test_mistakes_are_named_and_change_nothing(gateway: Gateway) -> None:
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    mistakes = {
        "max_pat_expiry_days": "NAME=VALUE",
        "max_pat_expiry=30": "max_pat_expiry_days",
        "max_pat_expiry_days=0": "from 1 to 3650",
        "max_pat_expiry_days=3651": "from 1 to 3650",
        "max_pat_expiry_days=30d": "from 1 to 3650",
        "max_pat_expiry_days=" + "9" * 5000: "from 1 to 3650",
        "pat_creation_disabled=yes": "true or false",
    }
    for assignment, said in mistakes.items():
        finished = await run_gateway("org", "set", "max_api_key_expiry_days=5", assignment, environ=environ)
        assert finished.code != 0, assignment
        assert said in finished.err, assignment
    assert (await run_command(gateway, "org", "set", "--json")).json["max_api_key_expiry_days"] is None
