"""Keys of service accounts: made by administrators, used on checks, apart from people's keys in every way."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from aiohttp import encode_basic_auth

from gateway.config.findings import ConfigurationError
from gateway.config.loading import load_settings
from gateway.credentials.api_keys import ApiKeyFormat
from tests.support.gateway import Gateway, environment, start_gateway
from tests.support.newcomers import rows
from tests.support.team import Colleague, administrator

ACCOUNTS = "/api/v1/service-accounts"
KEYS = "/api/v1/orgs/current/service-keys"
OURS = re.compile(r"lc_sk_[0-9A-Za-z]{38}")
FAR = "2099-12-31T23:59:59Z"
NOWHERE = "0b5f4a4e-9f0e-4f2e-8f39-6a6b51a0a001"


class Owner:
    """An administrator with one service account."""

    def __init__(self, admin: Colleague, account_id: str) -> None:
        self.admin = admin
        self.account_id = account_id

    async def make(self, **more: object) -> dict[str, Any]:
        body = {"service_account_id": self.account_id, "description": "backup", **more}
        made: dict[str, Any] = await self.admin.get("POST", KEYS, body)
        return made

    async def listed(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = await self.admin.get("GET", KEYS)
        return listed


@pytest.fixture
async def owner(gateway: Gateway) -> Owner:
    """An administrator who has added a service account."""
    admin = await administrator(gateway)
    return Owner(admin, (await admin.get("POST", ACCOUNTS, {"name": "report"}))["id"])


async def test_new_key_is_shown_once(gateway: Gateway, owner: Owner) -> None:
    """K1, K2."""
    scope = {"host": "app.example.com", "path": "/api/**", "methods": ["GET"]}
    made = await owner.make(expires_at=FAR, scopes=[scope])
    assert OURS.fullmatch(made["key"])
    assert made["key"].startswith(made["short_key"])
    assert (made["description"], made["service_account_id"]) == ("backup", owner.account_id)
    assert (made["expires_at"], made["scopes"]) == (FAR, [scope])
    [listed] = await owner.listed()
    assert listed == {**{name: made[name] for name in made if name != "key"}, "last_used_at": None}
    stored = b"".join(path.read_bytes() for path in gateway.settings.data_dir.glob("gateway.db*"))
    assert made["short_key"].encode() in stored
    assert made["key"].removeprefix(made["short_key"]).encode() not in stored


async def test_list_is_a_bare_array_newest_first(owner: Owner) -> None:
    assert await owner.listed() == []
    for name in ("one", "two", "three"):
        await owner.make(description=name)
    assert [key["description"] for key in await owner.listed()] == ["three", "two", "one"]


async def test_key_passes_wherever_a_key_is_taken(gateway: Gateway, owner: Owner) -> None:
    """K2."""
    key = (await owner.make())["key"]
    basic = encode_basic_auth("anybody", key)
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}, {"Authorization": basic}):
        passed = await gateway.check(**headers)
        assert (passed.status, passed.headers["Remote-User"]) == (HTTPStatus.OK, "service:report"), headers
    [listed] = await owner.listed()
    assert listed["last_used_at"] >= listed["created_at"]


async def test_deleted_key_is_dead_with_the_answer(gateway: Gateway, owner: Owner) -> None:
    """K3."""
    made, kept = await owner.make(), await owner.make()
    assert (await gateway.check(X_API_Key=made["key"])).status == HTTPStatus.OK
    await owner.admin.get("DELETE", f"{KEYS}/{made['id']}", status=204)
    refused = await gateway.check(X_API_Key=made["key"])
    assert (refused.status, refused.headers["X-Auth-Reason"]) == (HTTPStatus.UNAUTHORIZED, "invalid_api_key")
    assert (await gateway.check(X_API_Key=kept["key"])).status == HTTPStatus.OK
    assert (await owner.admin.get("DELETE", f"{KEYS}/{made['id']}", status=404))["detail"]


async def test_rotated_key_has_one_successor(gateway: Gateway, owner: Owner) -> None:
    old = await owner.make(scopes=[{"host": "app.example.com"}])
    rotate = f"{KEYS}/{old['id']}/rotate"
    new = await owner.admin.get("POST", rotate, {"overlap_seconds": 60})
    assert set(new) == set(old)
    assert [new[name] for name in ("description", "scopes", "service_account_id")] == [
        old[name] for name in ("description", "scopes", "service_account_id")
    ]
    for key in (old["key"], new["key"]):
        assert (await gateway.check(X_API_Key=key)).status == HTTPStatus.OK
    await owner.admin.get("POST", rotate, status=409)
    last = await owner.admin.get("POST", f"{KEYS}/{new['id']}/rotate")
    assert (await gateway.check(X_API_Key=new["key"])).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(X_API_Key=last["key"])).status == HTTPStatus.OK


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"service_account_id": None}, "service_account_id"),
        ({"service_account_id": NOWHERE}, "service_account_id"),
        ({"description": " "}, "description"),
        ({"expires_at": "2020-01-01"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"scopes": [{"paths": "/x"}]}, "scopes"),
    ],
)
async def test_broken_rule_is_named_and_makes_no_key(owner: Owner, body: dict[str, object], field: str) -> None:
    sent = {"service_account_id": owner.account_id, "description": "x", **body}
    refused = await owner.admin.get("POST", KEYS, sent, status=422)
    assert [problem["loc"] for problem in refused["detail"]] == [["body", field]]
    assert await owner.listed() == []


async def test_person_has_no_service_key_and_a_service_account_no_personal_one(gateway: Gateway, owner: Owner) -> None:
    """K3: an id of the other kind is not there, on either side."""
    service, admin = await owner.make(), owner.admin
    person = await admin.get("POST", "/api/api-keys", {"name": "mine"}, status=201)
    assert (person["key"][:6], service["key"][:6]) == ("lc_ak_", "lc_sk_")
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
        await admin.get(method, f"/api/api-keys/{service['id']}{path}", status=404)
    for method, path in (("DELETE", ""), ("POST", "/rotate")):
        await admin.get(method, f"{KEYS}/{person['id']}{path}", status=404)
    assert [key["id"] for key in await admin.get("GET", "/api/api-keys")] == [person["id"]]
    assert [key["id"] for key in await owner.listed()] == [service["id"]]
    refused = await admin.get(
        "POST", KEYS, {"service_account_id": admin.id, "description": "a person is none"}, status=422
    )
    assert refused["fields"] == {"service_account_id": "There is no such service account."}
    for key in (person["key"], service["key"]):
        assert (await gateway.check(X_API_Key=key)).status == HTTPStatus.OK


async def test_key_is_nothing_to_the_api(gateway: Gateway, owner: Owner) -> None:
    """K3: an administrator's service account can make no further keys."""
    admin = owner.admin
    strong = await admin.get("POST", ACCOUNTS, {"name": "strong", "role": "Organization Admin"})
    key = (await owner.make(service_account_id=strong["id"]))["key"]
    for path in ("/api/user", KEYS, ACCOUNTS, "/api/api-keys"):
        refused = await gateway.ask(path, Authorization=f"Bearer {key}", X_API_Key=key)
        assert refused.status == HTTPStatus.UNAUTHORIZED, path


async def test_what_was_done_with_keys_is_audited_without_them(gateway: Gateway, owner: Owner) -> None:
    made = await owner.make()
    await owner.admin.get("POST", f"{KEYS}/{made['id']}/rotate")
    await owner.admin.get("DELETE", f"{ACCOUNTS}/{owner.account_id}", status=204)
    statement = "SELECT kind, actor, account_id, details FROM audit_events WHERE details LIKE '%service_account%'"
    events = await rows(gateway, statement + " ORDER BY id")
    assert [kind for kind, *_ in events] == [
        "service_account_changed",
        "api_key_created",
        "api_key_rotated",
        "service_account_changed",
    ]
    for _, actor, account_id, details in events:
        assert (actor, account_id) == (owner.admin.id, None)
        assert '"service_account": "report"' in details
        assert made["key"] not in details


class TestPrefixes:
    """The beginnings by which keys are told apart are settings."""

    @pytest.fixture
    async def gateway(self, tmp_path: Path) -> AsyncIterator[Gateway]:
        """Run a gateway whose service keys look like LangSmith's."""
        async with start_gateway(environment(tmp_path, GATEWAY_SERVICE_KEY_PREFIX="lsv2_sk_")) as running:
            yield running

    async def test_keys_begin_as_was_set(self, gateway: Gateway, owner: Owner) -> None:
        key = (await owner.make())["key"]
        assert key.startswith("lsv2_sk_")
        assert (await gateway.check(X_API_Key=key)).status == HTTPStatus.OK

    async def test_what_claims_to_be_one_decides_alone(self, gateway: Gateway, owner: Owner) -> None:
        stranger = ApiKeyFormat("lsv2_sk_").make()
        for wrong in (stranger, "lsv2_sk_short", ApiKeyFormat("lc_ak_").make()):
            refused = await gateway.check(X_API_Key=wrong, Cookie=owner.admin.session.cookie)
            assert (refused.status, refused.headers["X-Auth-Reason"]) == (HTTPStatus.UNAUTHORIZED, "invalid_api_key")
        passed = await gateway.check(X_API_Key=ApiKeyFormat("lc_sk_").make(), Cookie=owner.admin.session.cookie)
        assert passed.status == HTTPStatus.OK, "the application's own keys are left to it"


@pytest.mark.parametrize(("personal", "service"), [("lc_ak_", "lc_ak_"), ("lc_", "lc_sk_"), ("lc_ak_v2_", "lc_ak_")])
def test_neither_beginning_begins_with_the_other(personal: str, service: str) -> None:
    environ = {"GATEWAY_API_KEY_PREFIX": personal, "GATEWAY_SERVICE_KEY_PREFIX": service}
    with pytest.raises(ConfigurationError) as refused:
        load_settings(None, (), environ)
    assert [problem.key for problem in refused.value.problems] == ["service_key_prefix"]


async def test_key_ends_at_its_moment(gateway: Gateway, owner: Owner) -> None:
    end = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    made = await owner.make(expires_at=end)
    assert datetime.fromisoformat(made["expires_at"]) == datetime.fromisoformat(end)
    assert (await gateway.check(X_API_Key=made["key"])).status == HTTPStatus.OK
