"""Everybody who may come to a check: people, programs, and those whose credential is over."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway
from tests.support.newcomers import rows
from tests.support.second_factor import enrol
from tests.support.team import PASSWORD, WORKSPACES, Colleague, administrator, join

_SERVICE_ACCOUNTS = "/api/v1/service-accounts"
_SERVICE_KEYS = "/api/v1/orgs/current/service-keys"


@dataclass(frozen=True, slots=True)
class People:
    """What each of them sends, by a name for the failure's message; and the ids of the workspaces."""

    lines: dict[str, tuple[bytes, ...]]
    workspaces: tuple[str, ...]
    colleague: Colleague

    @property
    def cookie(self) -> bytes:
        """The `Cookie` line of somebody who is logged in."""
        return self.lines["session"][0]


async def settle_in(gateway: Gateway) -> People:
    """Let them all in, and some of them out again."""
    admin, ada = await administrator(gateway), await join(gateway)
    await _put_into_group(admin, ada, "staff")
    await join(gateway, "eve@example.com")
    proven = (await enrol(gateway, "eve@example.com", PASSWORD)).session
    over = await gateway.session(ada.email, PASSWORD)
    await gateway.ask("/api/auth/logout", method="POST", Cookie=over.cookie)
    engines = (await admin.get("POST", WORKSPACES, {"display_name": "Engines"}))["id"]
    keys = await _make_keys(gateway, admin, ada)
    cookie = ada.session.cookie
    name, _, token = cookie.partition("=")
    lines = {
        "nobody": (),
        "session": (f"Cookie: {cookie}",),
        "session of an administrator": (f"Cookie: {admin.session.cookie}",),
        "session with a second factor": (f"Cookie: {proven.cookie}",),
        "session that ended": (f"Cookie: {over.cookie}",),
        "session of nobody": (f"Cookie: {name}={token[::-1]}",),
        "empty session": (f"Cookie: {name}=",),
        "long session": (f"Cookie: {name}={token}{'x' * 300}",),
        "quoted session": (f'Cookie: {name}="{token}"',),
        "two sessions": (f"Cookie: {cookie}; {proven.cookie}",),
        "same session twice": (f"Cookie: {cookie}; {cookie}",),
        "session without a value": (f"Cookie: {name}",),
        "session and one without a value": (f"Cookie: {name}; {cookie}",),
        "session before one without a value": (f"Cookie: {cookie}; {name}",),
        "session on the second line": ("Cookie: a=b; c", f"Cookie: {cookie}"),
        "session on two lines": (f"Cookie: {cookie}", f"Cookie: {proven.cookie}"),
        "session among others": (f"Cookie: a=1;  {cookie}\t; x{name}=no; {name}x=no; {name}; b={name}",),
        "session whose name is inside others": (f"Cookie: my_{cookie}; a={cookie}",),
        "session under a longer name": (f"Cookie: my_{cookie}",),
        "session under a longer name after another": (f"Cookie: a=1; my_{cookie}",),
        "session as a value": (f"Cookie: a={cookie}",),
        "session without a blank before it": (f"Cookie: a=1;{cookie}",),
        "session inside another value": (f'Cookie: a="; {cookie}; "',),
        "session after a blank": (f"Cookie: {name} ={token}",),
        "session of another spelling": (f"Cookie: {name.upper()}={token}",),
        "session after odd bytes": ("Cookie: \udcff\udcfe=1; " + cookie,),
        "session after a comma": (f"Cookie: a=1, {cookie}",),
        "token": (f"Authorization: {ada.session.bearer}",),
        "token with a second factor": (f"Authorization: {proven.bearer}",),
        "token of a session that ended": (f"Authorization: {over.bearer}",),
        "token in odd spelling": (f"authorization: bEARER \t {ada.session.token} ",),
        "token with a bad signature": (f"Authorization: {ada.session.bearer[:-4]}AAAA",),
        "token and session": (f"Authorization: {ada.session.bearer}", f"Cookie: {proven.cookie}"),
        "bad token and session": (f"Authorization: {ada.session.bearer}x", f"Cookie: {cookie}"),
        "token of the application and session": ("Authorization: Bearer its-own", f"Cookie: {cookie}"),
        "two tokens": (f"Authorization: {ada.session.bearer}", f"Authorization: {proven.bearer}"),
        "scheme alone and session": ("Authorization: Bearer", f"Cookie: {cookie}"),
        "empty authorization and session": ("Authorization:", f"Cookie: {cookie}"),
        "password": (_basic(ADMIN_EMAIL, ADMIN_PASSWORD),),
        "no password and session": ("Authorization: Basic %%%", f"Cookie: {cookie}"),
        "unreadable key": ("X-API-Key: lc_ak_\udcff",),
        "key of the application and session": ("X-API-Key: its-own", f"Cookie: {cookie}"),
        **_lines_of(keys, cookie),
    }
    as_sent = {who: tuple(line.encode("utf-8", "surrogateescape") for line in said) for who, said in lines.items()}
    usual = (await gateway.check(Cookie=cookie)).headers["X-Tenant-Id"]
    return People(as_sent, (usual, engines), ada)


def _lines_of(keys: dict[str, str], cookie: str) -> dict[str, tuple[str, ...]]:
    plain = keys["key"]
    return {
        **{who: (f"X-API-Key: {key}",) for who, key in keys.items()},
        "key as token": (f"Authorization: Bearer {plain}",),
        "key as password": (_basic("any", plain),),
        "key as name": (_basic(plain, ""),),
        "key twice": (f"Authorization: Bearer {plain}", f"x-api-key: {plain}"),
        "two keys": (f"X-API-Key: {plain}", f"X-API-Key: {keys['scoped key']}"),
        "two kinds of keys": (f"Authorization: Bearer {plain}", f"X-API-Key: {keys['service key']}"),
        "key and session": (f"X-API-Key: {plain}", f"Cookie: {cookie}"),
        "bad key and session": (f"X-API-Key: {plain[:-1]}!", f"Cookie: {cookie}"),
        "unknown key": ("X-API-Key: lc_ak_" + "x" * 38,),
    }


async def _make_keys(gateway: Gateway, admin: Colleague, ada: Colleague) -> dict[str, str]:
    scope = [{"host": "app.example.com", "path": "/api/**", "methods": ["GET"]}]
    service = (await admin.get("POST", _SERVICE_ACCOUNTS, {"name": "report"}))["id"]
    of_service = {"service_account_id": service, "description": "backup"}
    made: dict[str, Any] = {
        "key": await ada.get("POST", "/api/api-keys", {"name": "plain"}, status=201),
        "scoped key": await ada.get("POST", "/api/api-keys", {"name": "scoped", "scopes": scope}, status=201),
        "expired key": await ada.get("POST", "/api/api-keys", {"name": "expired"}, status=201),
        "revoked key": await ada.get("POST", "/api/api-keys", {"name": "revoked"}, status=201),
        "service key": await admin.get("POST", _SERVICE_KEYS, of_service),
        "scoped service key": await admin.get("POST", _SERVICE_KEYS, {**of_service, "scopes": scope}),
    }
    then = "2020-01-01 00:00:00.000000"
    await rows(gateway, "UPDATE api_keys SET expires_at = ? WHERE id = ?", then, made["expired key"]["id"])
    await ada.ask("DELETE", f"/api/api-keys/{made['revoked key']['id']}")
    return {who: key["key"] for who, key in made.items()}


async def _put_into_group(admin: Colleague, member: Colleague, name: str) -> None:
    group = (await admin.get("POST", "/api/v1/groups", {"name": name}))["id"]
    await admin.get("POST", f"/api/v1/groups/{group}/members", {"email": member.email})


def _basic(name: str, password: str) -> str:
    return "Authorization: Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
