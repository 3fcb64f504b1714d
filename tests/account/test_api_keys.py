"""API keys over HTTP: made with an access token, used on checks, and never the other way round."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from aiohttp import ClientResponse, encode_basic_auth
from structlog.testing import capture_logs

from tests.support.commands import run_command
from tests.support.gateway import ADMIN_EMAIL, Gateway, LoggedIn
from tests.support.waiting import wait_for_answer

ANN, PASSWORD = "ann@example.com", "anns own password"
FAR = "2099-12-31T23:59:59Z"
OURS = re.compile(r"lc_ak_[0-9A-Za-z]{38}")


class Owner:
    """Somebody who is logged in and manages API keys."""

    def __init__(self, gateway: Gateway, session: LoggedIn) -> None:
        self.gateway = gateway
        self.session = session

    async def send(self, method: str, path: str = "", body: object = None, **headers: str) -> ClientResponse:
        sent = {"Authorization": self.session.bearer, **headers}
        url = f"{self.gateway.url}/api/api-keys{path}"
        return await self.gateway.client.request(method, url, json=body, headers=sent)

    async def make(self, **body: object) -> dict[str, Any]:
        response = await self.send("POST", body={"name": "report", **body})
        assert response.status == HTTPStatus.CREATED, await response.text()
        made: dict[str, Any] = await response.json()
        return made

    async def listed(self) -> list[dict[str, Any]]:
        response = await self.send("GET")
        assert response.status == HTTPStatus.OK
        listed: list[dict[str, Any]] = await response.json()
        return listed


@pytest.fixture
async def owner(gateway: Gateway) -> Owner:
    """The administrator, logged in."""
    return Owner(gateway, await gateway.session())


async def _ann(gateway: Gateway) -> Owner:
    added = ("user", "add", "--email", ANN, "--name", "Ann", "--password-stdin")
    await run_command(gateway, *added, stdin=f"{PASSWORD}\n")
    return Owner(gateway, await gateway.session(ANN, PASSWORD))


def _is_refusal(response: ClientResponse) -> bool:
    return response.status != HTTPStatus.OK


def _in(duration: timedelta) -> str:
    return (datetime.now(UTC) + duration).isoformat()


async def test_new_key_is_shown_once(owner: Owner) -> None:
    """K1."""
    made = await owner.make(expiresAt=FAR)
    assert set(made) == {"key", "id", "name", "createdAt", "expiresAt", "scopes", "keyPrefix"}
    assert OURS.fullmatch(made["key"])
    assert (made["name"], made["expiresAt"], made["scopes"]) == ("report", FAR, [])
    assert made["key"].startswith(made["keyPrefix"])
    [listed] = await owner.listed()
    assert listed == {**{name: made[name] for name in made if name != "key"}, "lastUsedAt": None}
    shown = await owner.send("GET", f"/{made['id']}")
    assert (shown.status, await shown.json()) == (HTTPStatus.OK, listed)


async def test_list_is_a_bare_array_newest_first(owner: Owner) -> None:
    assert await owner.listed() == []
    for name in ("one", "two", "three"):
        await owner.make(name=name)
    assert [key["name"] for key in await owner.listed()] == ["three", "two", "one"]


@pytest.mark.parametrize(
    ("scopes", "kept"),
    [
        (None, []),
        ([], []),
        ([{"path": "/api/**"}], [{"path": "/api/**"}]),
        (
            [{"host": "App.example.com", "path": "/a", "methods": ["GET", "HEAD"]}],
            [{"host": "app.example.com", "path": "/a", "methods": ["GET", "HEAD"]}],
        ),
        ([{"host": None, "methods": []}], [{}]),
    ],
)
async def test_scopes_come_back_as_they_were_meant(owner: Owner, scopes: object, kept: object) -> None:
    made = await owner.make(**({} if scopes is None else {"scopes": scopes}))
    assert made["scopes"] == kept
    assert [key["scopes"] for key in await owner.listed()] == [kept]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "x", "expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"name": "x", "expiresAt": "soon"}, "expiresAt"),
        ({"name": "x", "expiresAt": ""}, "expiresAt"),
        ({"name": "x", "expiresAt": 4102444799}, "expiresAt"),
        ({"name": "x", "expiresAt": "9999-12-31T23:59:59-23:59"}, "expiresAt"),
        ({"name": "x", "scopes": "all"}, "scopes"),
        ({"name": "x", "scopes": ["/api"]}, "scopes"),
        ({"name": "x", "scopes": [{"paths": "/api/**"}]}, "scopes"),
        ({"name": "x", "scopes": [{"path": "api"}]}, "scopes"),
        ({"name": "x", "scopes": [{"host": "https://app.example.com"}]}, "scopes"),
        ({"name": "x", "scopes": [{"methods": "GET"}]}, "scopes"),
        ({"name": "x", "scopes": [{"methods": ["get"]}]}, "scopes"),
        ({"name": "x", "scopes": [{}] * 33}, "scopes"),
    ],
)
async def test_broken_rule_is_named_and_makes_no_key(owner: Owner, body: object, field: str) -> None:
    response = await owner.send("POST", body=body)
    answer = await response.json()
    assert (response.status, set(answer["fields"])) == (HTTPStatus.BAD_REQUEST, {field}), answer
    assert await owner.listed() == []


async def test_no_end_is_said_as_null(owner: Owner) -> None:
    assert (await owner.make())["expiresAt"] is None
    assert (await owner.make(expiresAt=None))["expiresAt"] is None


async def test_key_passes_in_its_owners_name(gateway: Gateway, owner: Owner) -> None:
    """K3."""
    key = (await owner.make())["key"]
    response = await gateway.check(Authorization=f"Bearer {key}")
    assert response.status == HTTPStatus.OK
    assert response.headers["Remote-Email"] == ADMIN_EMAIL
    assert response.headers["Remote-Auth-Method"] == "api_key"
    assert response.headers["Remote-Auth-Level"] == "1"
    assert response.headers["X-Auth-Strip"] == "authorization"
    [listed] = await owner.listed()
    assert listed["lastUsedAt"] >= listed["createdAt"]


async def test_key_is_taken_from_headers_only(gateway: Gateway, owner: Owner) -> None:
    """K2."""
    key = (await owner.make())["key"]
    basic = encode_basic_auth("anybody", key)
    for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}, {"Authorization": basic}):
        assert (await gateway.check(**headers)).status == HTTPStatus.OK, headers
    for name in ("key", "api_key", "access_token"):
        refused = await gateway.check(f"http://app.example.com:8080/?{name}={key}")
        assert refused.status == HTTPStatus.UNAUTHORIZED
    cookie = f"{gateway.settings.session_cookie_name}={key}"
    assert (await gateway.check(Cookie=cookie)).status == HTTPStatus.UNAUTHORIZED


async def test_bad_key_decides_alone(gateway: Gateway, owner: Owner) -> None:
    key = (await owner.make())["key"]
    refused = await gateway.check(Authorization=f"Bearer {key}0", Cookie=owner.session.cookie)
    assert refused.status == HTTPStatus.UNAUTHORIZED
    assert refused.headers["X-Auth-Reason"] == "invalid_api_key"
    assert (await refused.json())["code"] == "invalid_api_key"


async def test_key_outside_its_scope_is_known_and_not_permitted(gateway: Gateway, owner: Owner) -> None:
    """K3: in every reading of the path."""
    scope = {"host": "app.example.com", "path": "/api/**", "methods": ["GET"]}
    bearer = f"Bearer {(await owner.make(scopes=[scope]))['key']}"
    asked = {
        "http://app.example.com/api/x": HTTPStatus.OK,
        "http://app.example.com/other": HTTPStatus.FORBIDDEN,
        "http://app.example.com/api/..%2fother": HTTPStatus.FORBIDDEN,
        "http://wiki.example.com/api/x": HTTPStatus.FORBIDDEN,
    }
    for url, status in asked.items():
        response = await gateway.check(url, Authorization=bearer)
        assert response.status == status, url
        if status is HTTPStatus.FORBIDDEN:
            assert response.headers["X-Auth-Reason"] == "insufficient_scope"
    posted = await gateway.check("http://app.example.com/api/x", method="POST", Authorization=bearer)
    assert posted.status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("present", ["key", "cookie", "nothing", "key as X-API-Key", "key as Basic"])
async def test_keys_are_managed_with_an_access_token_only(owner: Owner, present: str) -> None:
    """K3: a key can neither make keys nor change itself."""
    made = await owner.make()
    headers = {
        "key": {"Authorization": f"Bearer {made['key']}"},
        "key as X-API-Key": {"X-API-Key": made["key"]},
        "key as Basic": {"Authorization": encode_basic_auth("x", made["key"])},
        "cookie": {"Cookie": owner.session.cookie},
        "nothing": {},
    }[present]
    calls = [
        ("GET", ""),
        ("POST", ""),
        ("GET", f"/{made['id']}"),
        ("DELETE", f"/{made['id']}"),
        ("POST", f"/{made['id']}/rotate"),
    ]
    for method, path in calls:
        response = await owner.gateway.ask(f"/api/api-keys{path}", method=method, **headers)
        assert response.status == HTTPStatus.UNAUTHORIZED, (method, path)
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert [key["id"] for key in await owner.listed()] == [made["id"]]


@pytest.mark.parametrize("path", ["/api/user", "/api/auth/changePassword"])
async def test_key_is_nothing_to_the_account(owner: Owner, path: str) -> None:
    """K3."""
    key = (await owner.make())["key"]
    method = "GET" if path == "/api/user" else "POST"
    response = await owner.gateway.ask(path, method=method, Authorization=f"Bearer {key}", X_API_Key=key)
    assert response.status == HTTPStatus.UNAUTHORIZED


async def test_password_that_was_handed_over_makes_no_key(gateway: Gateway) -> None:
    added = await run_command(gateway, "user", "add", "--email", ANN, "--name", "Ann", "--json")
    ann = Owner(gateway, await gateway.session(ANN, added.json["password"]))
    for method, body in (("POST", {"name": "x"}), ("GET", None)):
        response = await ann.send(method, body=body)
        assert response.status == HTTPStatus.FORBIDDEN
        assert (await response.json())["code"] == "password_change_required"


async def test_deleted_key_is_dead_with_the_answer(gateway: Gateway, owner: Owner) -> None:
    """K3."""
    made = await owner.make()
    bearer = f"Bearer {made['key']}"
    assert (await gateway.check(Authorization=bearer)).status == HTTPStatus.OK
    deleted = await owner.send("DELETE", f"/{made['id']}")
    assert (deleted.status, await deleted.read()) == (HTTPStatus.NO_CONTENT, b"")
    refused = await gateway.check(Authorization=bearer)
    assert (refused.status, refused.headers["X-Auth-Reason"]) == (HTTPStatus.UNAUTHORIZED, "invalid_api_key")
    assert (await owner.send("DELETE", f"/{made['id']}")).status == HTTPStatus.NOT_FOUND


async def test_key_of_another_account_is_not_there(gateway: Gateway, owner: Owner) -> None:
    """K3."""
    ann = await _ann(gateway)
    made = await owner.make()
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
        response = await ann.send(method, f"/{made['id']}{path}")
        assert response.status == HTTPStatus.NOT_FOUND, method
        assert (await response.json())["code"] == "not_found"
    assert await ann.listed() == []
    assert (await gateway.check(Authorization=f"Bearer {made['key']}")).status == HTTPStatus.OK


@pytest.mark.parametrize("api_key_id", ["x", "00000000-0000-0000-0000-000000000000", "%00", "%ff"])
async def test_id_that_nobody_has_is_not_there(owner: Owner, api_key_id: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
        assert (await owner.send(method, f"/{api_key_id}{path}")).status == HTTPStatus.NOT_FOUND


async def test_disabled_owner_is_the_end_of_the_key(gateway: Gateway) -> None:
    """K3."""
    ann = await _ann(gateway)
    bearer = f"Bearer {(await ann.make())['key']}"
    assert (await gateway.check(Authorization=bearer)).status == HTTPStatus.OK
    await run_command(gateway, "user", "disable", ANN)
    refused = await wait_for_answer(lambda: gateway.check(Authorization=bearer), _is_refusal)
    assert (refused.status, refused.headers["X-Auth-Reason"]) == (HTTPStatus.UNAUTHORIZED, "invalid_api_key")


async def test_expired_key_is_refused(gateway: Gateway, owner: Owner) -> None:
    """K3: the moment passes while the key is in use."""
    bearer = f"Bearer {(await owner.make(expiresAt=_in(timedelta(seconds=1))))['key']}"
    assert (await gateway.check(Authorization=bearer)).status == HTTPStatus.OK
    refused = await wait_for_answer(lambda: gateway.check(Authorization=bearer), _is_refusal, seconds=3)
    assert (refused.status, refused.headers["X-Auth-Reason"]) == (HTTPStatus.UNAUTHORIZED, "invalid_api_key")


async def test_rotated_key_has_one_successor_and_works_during_the_overlap(gateway: Gateway, owner: Owner) -> None:
    old = await owner.make(scopes=[{"host": "app.example.com"}])
    before = datetime.now(UTC)
    response = await owner.send("POST", f"/{old['id']}/rotate", {"overlapSeconds": 60})
    new = await response.json()
    assert response.status == HTTPStatus.CREATED
    assert set(new) == set(old)
    assert (new["name"], new["scopes"]) == (old["name"], old["scopes"])
    assert new["key"] != old["key"]
    for key in (old["key"], new["key"]):
        assert (await gateway.check(Authorization=f"Bearer {key}")).status == HTTPStatus.OK
    listed = {key["id"]: key for key in await owner.listed()}
    end = datetime.fromisoformat(listed[old["id"]]["expiresAt"])
    assert before + timedelta(seconds=60) <= end <= datetime.now(UTC) + timedelta(seconds=60)
    assert listed[new["id"]]["expiresAt"] is None
    again = await owner.send("POST", f"/{old['id']}/rotate", {"overlapSeconds": 60})
    assert again.status == HTTPStatus.CONFLICT


async def test_rotation_without_overlap_ends_the_old_key_with_the_answer(gateway: Gateway, owner: Owner) -> None:
    old = await owner.make()
    assert (await gateway.check(Authorization=f"Bearer {old['key']}")).status == HTTPStatus.OK
    assert (await owner.send("POST", f"/{old['id']}/rotate")).status == HTTPStatus.CREATED
    assert (await gateway.check(Authorization=f"Bearer {old['key']}")).status == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("overlap", [-1, 604801, 1.5, "60", True, None])
async def test_overlap_has_its_bounds(owner: Owner, overlap: object) -> None:
    made = await owner.make()
    response = await owner.send("POST", f"/{made['id']}/rotate", {"overlapSeconds": overlap})
    assert response.status == HTTPStatus.BAD_REQUEST
    assert set((await response.json())["fields"]) == {"overlapSeconds"}
    assert len(await owner.listed()) == 1


async def test_wrong_method_and_body_are_answered_as_everywhere(owner: Owner) -> None:
    wrong = await owner.send("PUT")
    assert (wrong.status, wrong.headers["Allow"]) == (HTTPStatus.METHOD_NOT_ALLOWED, "GET,HEAD,POST")
    assert (await owner.send("POST", body=[])).status == HTTPStatus.BAD_REQUEST
    form = await owner.gateway.client.post(
        f"{owner.gateway.url}/api/api-keys", data={"name": "x"}, headers={"Authorization": owner.session.bearer}
    )
    assert form.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


async def test_key_appears_in_no_log_and_no_refusal(gateway: Gateway, owner: Owner) -> None:
    """K2."""
    with capture_logs() as logs:
        made = await owner.make(scopes=[{"path": "/api/**"}])
        key = made["key"]
        said = [
            await gateway.check(Authorization=f"Bearer {key}"),
            await gateway.check(Authorization=f"Bearer {key}0"),
            await gateway.check(Authorization=encode_basic_auth("x", key[:-1])),
            await gateway.check(X_API_Key=key, Authorization=owner.session.bearer),
            await owner.send("GET", f"/{key}"),
            await owner.send("DELETE", f"/{made['id']}"),
        ]
        # Whoever writes a key into an address finds it again in the address of the login, and in no log of ours.
        await gateway.check(f"http://app.example.com:8080/?key={key}")
    assert logs
    random_part = key.removeprefix(made["keyPrefix"])[:20]
    assert not [line for line in logs if random_part in str(line)]
    for response in said:
        assert random_part not in str(response.headers)
        assert random_part not in await response.text()
