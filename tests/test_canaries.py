"""Passwords, codes, tokens and keys go where they are meant to and nowhere else (W5, K1, K2, S1, R1, M6, M7).

Not in the log, in a refusal, in the audit log, in the database, nor in any other file.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from gateway.credentials.passwords import PasswordHashing
from tests.support.canaries import Answers, Canaries, CapturedLog, captured_log, make_canary
from tests.support.forms import Person, hidden_fields
from tests.support.gateway import ADMIN_EMAIL, APP_URL, Gateway, LoggedIn, start_gateway
from tests.support.letters import link_in
from tests.support.members import MEMBERS
from tests.support.migrated import database_file
from tests.support.newcomers import EMAIL, open_door, path_of, query_of, rows
from tests.support.outbox import letters_in, read_letter
from tests.support.raw_http import exchange, request_bytes
from tests.support.routes import routes_of, unserved_app
from tests.support.second_factor import App

_UNKNOWN = "nobody@example.com"
_JSON = "application/json"
# Every name under which some route takes a secret, and one that none takes.
_FIELDS = (
    *("password", "currentPassword", "newPassword", "current_password", "new_password", "confirm_password"),
    *("token", "code", "backupCode", "replace_code", "disable_code", "tempToken", "refreshToken", "form_token"),
    *("key", "api_key", "access_token", "secret"),
)
_COOKIES = ("gateway_session", "refreshToken", "gateway_page", "gateway_device", "gateway_challenge")
_OWN_FILES = ("jwt_secret", "api_key_salt", "encryption_key")


@pytest.fixture(params=["json"])
def log(request: pytest.FixtureRequest) -> Iterator[CapturedLog]:
    yield from captured_log(request.param)


@dataclass(slots=True)
class Scene:
    """A gateway with every door open, all of whose secrets are watched."""

    gateway: Gateway
    canaries: Canaries
    admin_password: str
    answers: Answers = field(default_factory=Answers)

    async def ask(self, path: str, *, method: str = "GET", what: str = "", **request: Any) -> ClientResponse:  # noqa: ANN401 - aiohttp's own
        """Send a request, whatever it carries, and keep what is refused."""
        url = f"{self.gateway.url}{path}"
        response = await self.gateway.client.request(method, url, allow_redirects=False, **request)
        await self.answers.take(f"{method} {path.partition('?')[0][:60]} {what}", response)
        return response

    async def post(
        self, path: str, body: object, *, session: LoggedIn | None = None, expect: int = 200, **headers: str
    ) -> ClientResponse:
        sent = {**({"Authorization": session.bearer} if session else {}), **headers}
        response = await self.ask(path, method="POST", json=body, headers=sent)
        assert response.status == expect, (path, response.status, await response.text())
        return response

    async def log_in(self, email: str, password: str, *, expect: int = 200) -> ClientResponse:
        response = await self.post("/api/auth/login", {"email": email, "password": password}, expect=expect)
        self.watch_cookies(response)
        return response

    async def session(self, email: str, password: str) -> LoggedIn:
        response = await self.log_in(email, password)
        session = response.cookies["gateway_session"].value
        return LoggedIn(
            f"gateway_session={session}", self.canaries.add("access token", (await response.json())["token"])
        )

    def watch_cookies(self, response: ClientResponse) -> None:
        for name, cookie in response.cookies.items():
            if cookie.value:
                self.canaries.add(f"cookie {name}", cookie.value)

    async def mailed_link(self, subject: str, *, to: str = EMAIL, number: int = 1) -> str:
        link = link_in(await read_letter(self.gateway.settings.data_dir, to=to, subject=subject, number=number))
        self.canaries.add(f"link {subject}", query_of(link)["token"], mailed=True)
        return link

    async def fill_in(self, person: Person, path: str, *, action: str | None = None, **fields: str) -> ClientResponse:
        response = await person.fill_in(path, action=action, **fields)
        await self.answers.take(f"page {path.partition('?')[0]}", response)
        self.watch_cookies(response)
        return response

    async def forget_failures(self) -> None:
        """Let nobody pause: what is tried here would otherwise not be looked at."""
        await rows(self.gateway, "DELETE FROM login_failures")


@pytest.fixture
async def scene(tmp_path: Path, log: CapturedLog) -> AsyncIterator[Scene]:
    """What is searched afterwards begins before the start and lasts until after the end."""
    canaries = Canaries()
    admin_password = canaries.new("Admin")
    environ = open_door(
        tmp_path / "data",
        INITIAL_ORG_ADMIN_PASSWORD=admin_password,
        BASIC_AUTH_JWT_SECRET=canaries.new("Jwt"),
        GATEWAY_API_KEY_SALT=canaries.new("Salt"),
        GATEWAY_ENCRYPTION_KEY=canaries.new("Key"),
        GATEWAY_BASIC_CREDENTIALS="true",
        TWO_FACTOR_TEMP_MAX="10000",
        BAN_VIOLATIONS="false",
    )
    async with start_gateway(environ) as gateway:
        scene = Scene(gateway, canaries, admin_password)
        yield scene
        await _require_nothing_told(scene, log)
    # Closed, the database is one file again; and every letter is written.
    _require_nothing_kept(scene)


async def _require_nothing_told(scene: Scene, log: CapturedLog) -> None:
    assert len(scene.canaries.known) > 5
    assert scene.canaries.in_text(await log.text()) == set()
    assert scene.answers.holding(scene.canaries) == set()
    assert await asyncio.to_thread(scene.canaries.in_database, database_file(scene.gateway.settings)) == set()
    # With the write-ahead log beside it, and all that was deleted since.
    _require_nothing_kept(scene)


def _require_nothing_kept(scene: Scene) -> None:
    folder = scene.gateway.settings.data_dir
    secret_files = [folder / name for name in _OWN_FILES]
    assert scene.canaries.in_folder(folder, but=[folder / "outbox", *secret_files]) == set()
    for letter in letters_in(folder):
        assert scene.canaries.in_letter(letter) == set(), letter["Subject"]


async def test_no_secret_is_told_or_kept_in_ordinary_use(
    scene: Scene, log: CapturedLog, caplog: pytest.LogCaptureFixture
) -> None:
    await _come_in(scene)
    await scene.forget_failures()
    await _use_keys_and_passwords(scene)
    await scene.forget_failures()
    await _use_a_second_factor(scene)
    await scene.forget_failures()
    await _hand_passwords_over(scene)
    await scene.forget_failures()
    await _come_back_in(scene)
    assert "internal_error" not in await log.text()
    assert scene.canaries.in_text(caplog.text) == set()
    # The search has seen what it is about.
    assert {"login_failed", "mail_sent", "password_reset"} <= _events(await log.text())
    assert await rows(scene.gateway, "SELECT count(*) FROM audit_events") > [(20,)]
    assert len(scene.canaries.mailed) >= 3


async def test_no_secret_in_a_wrong_place_is_told_or_kept(
    scene: Scene, tmp_path: Path, log: CapturedLog, caplog: pytest.LogCaptureFixture
) -> None:
    """K2: in the path, in the query, in any header, in any field of any route."""
    canary = scene.canaries.new("Stray")
    async with unserved_app(tmp_path / "unserved") as app:
        routes = {("POST" if method == "*" else method, path) for method, path in routes_of(app)}
    stranger = await _Stranger.come_in(scene, canary)
    # Whatever ends a session comes last.
    for method, path in sorted(routes, key=lambda route: ("logout" in route[1], route)):
        await stranger.ask(method, path)
        await scene.forget_failures()
    for path in ("/api/authz/auth-request", "/api/authz/forward-auth"):
        await _stray_through_a_proxy(scene, path, canary)
    port = int(scene.gateway.url.rpartition(":")[2])
    for unreadable in _unreadable(canary):
        answer = await asyncio.to_thread(exchange, port, unreadable)
        assert 400 <= answer.status < 500, unreadable[:80]
        assert scene.canaries.in_text(f"{answer.headers} {answer.body!r}") == set(), unreadable[:80]
    assert "internal_error" not in await log.text()
    assert scene.canaries.in_text(caplog.text) == set()
    assert not [status for status in scene.answers.statuses if status >= 500]
    assert {400, 401, 404, 415} <= set(scene.answers.statuses)


@pytest.mark.parametrize("log", ["json", "console"], indirect=True)
async def test_no_secret_is_told_when_something_breaks(
    scene: Scene, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W3, W5: an error of ours is logged with its traceback, and the traceback with nothing in it."""

    async def break_down(*_: object, **__: object) -> bool:
        message = "the test broke it"
        raise RuntimeError(message)

    session = await scene.session(ADMIN_EMAIL, scene.admin_password)
    person, password = Person(scene.gateway), scene.canaries.new("Password")
    monkeypatch.setattr(PasswordHashing, "verify", break_down)
    await scene.post("/api/auth/login", {"email": ADMIN_EMAIL, "password": password}, expect=500)
    assert (await scene.fill_in(person, "/login", email=ADMIN_EMAIL, password=password)).status == 500
    change = {"currentPassword": scene.admin_password, "newPassword": password}
    await scene.post("/api/auth/changePassword", change, session=session, expect=500)
    asked = {"X-Original-URL": APP_URL, "X-Original-Method": "GET", "Authorization": _basic(ADMIN_EMAIL, password)}
    assert (await scene.ask("/api/authz/auth-request", headers=asked)).status == 503
    assert (await log.text()).count("the test broke it") >= 4


async def _come_in(scene: Scene) -> None:
    """Register, again and again; verify; log in on the page."""
    first, second = scene.canaries.new("First"), scene.canaries.new("Second")
    register, body = "/api/auth/register", {"email": EMAIL, "name": "Ada"}
    broken: dict[str, dict[str, Any]] = {
        "contains the name": {"password": f"{scene.canaries.new('Weak')} gateway"},
        "too long": {"password": scene.canaries.new("Long") * 5},
        "typed otherwise": {"password": first, "confirm_password": scene.canaries.new("Twice")},
        "no text": {"password": [first]},
        "as a name": {"password": "", "name": f"a\n{first}"},
        "as an address": {"password": second, "email": f"{first} {second}"},
    }
    for wrong in broken.values():
        await scene.post(register, {**body, **wrong}, expect=400)
    await scene.post(register, {**body, "password": first})
    await scene.post(register, {**body, "email": ADMIN_EMAIL, "password": first})
    await scene.log_in(EMAIL, second, expect=401)
    await scene.log_in(EMAIL, first, expect=422)
    await scene.post("/api/user/verify/resend", {"email": EMAIL})
    await scene.mailed_link("confirm")
    link = await scene.mailed_link("confirm", number=2)
    token = query_of(link)["token"]
    await scene.post("/api/user/verify", {"email": EMAIL, "token": scene.canaries.new("Token")}, expect=400)
    await scene.post("/api/user/verify", {"email": _UNKNOWN, "token": token}, expect=400)
    await scene.post("/api/user/verify", {"email": token, "token": token}, expect=400)
    person = Person(scene.gateway)
    assert (await scene.fill_in(person, path_of(link))).status == 303
    await scene.post(register, {**body, "password": second})
    await scene.post("/api/user/verify", query_of(link), expect=400)
    await scene.fill_in(person, "/login", email=EMAIL, password=scene.canaries.new("Wrong"))
    assert (await scene.fill_in(person, "/login", email=EMAIL, password=first)).status == 303


async def _hand_passwords_over(scene: Scene) -> None:
    """Invite people, with passwords that were made, chosen and mailed; and reset them."""
    admin = await scene.session(ADMIN_EMAIL, scene.admin_password)
    chosen, short = scene.canaries.new("Chosen"), scene.canaries.new("Long") * 5
    rows = [{"email": "made@example.com", "send_mail": True}, {"email": "bob@example.com", "password": chosen}]
    invited = await (await scene.post(f"{MEMBERS}/basic/batch", rows, session=admin)).json()
    made = scene.canaries.add("made password", invited[0]["password"], mailed=True)
    for wrong in (rows, [{"email": f"{made}@", "password": short}, {"email": "x@example.com", "password": short}]):
        await scene.post(f"{MEMBERS}/basic/batch", wrong, session=admin, expect=422)
    await read_letter(scene.gateway.settings.data_dir, to="made@example.com")
    session = await scene.session("made@example.com", made)
    own, new = {"current_password": made, "password": scene.canaries.new("Own")}, scene.canaries.new("Wrong")
    sent: dict[str, Any] = {"method": "PATCH", "headers": {"Authorization": session.bearer}}
    for body, status in ((own | {"current_password": new}, 422), (own, 200)):
        response = await scene.ask("/api/v1/orgs/members/basic", json=body, **sent)
        assert response.status == status
        scene.watch_cookies(response)
    one = f"{MEMBERS}/{invited[0]['id']}"
    sent = {"method": "PATCH", "headers": {"Authorization": admin.bearer}}
    await scene.ask(one, json={"password": short}, **sent)
    reset = await (await scene.ask(one, json={"generate_password": True}, **sent)).json()
    again = {"username": "made@example.com", "password": scene.canaries.add("reset password", reset["password"])}
    for body, status in ((again | {"password": made}, 401), (again, 200)):
        await scene.post("/api/v1/login", body, expect=status)


async def _use_keys_and_passwords(scene: Scene) -> None:
    session = await scene.session(ADMIN_EMAIL, scene.admin_password)
    await scene.log_in(ADMIN_EMAIL, scene.canaries.new("Wrong"), expect=401)
    await scene.log_in(_UNKNOWN, scene.canaries.new("Wrong"), expect=401)
    key = await _make_key(scene, session)
    places = ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}, {"Authorization": _basic("x", key)})
    bad = {name: value.replace(key, f"{key[:-1]}{'b' if key[-1] == 'a' else 'a'}") for name, value in places[1].items()}
    passwords = {"Authorization": _basic(ADMIN_EMAIL, scene.admin_password)}
    wrong = {"Authorization": _basic(ADMIN_EMAIL, scene.canaries.new("Basic"))}
    scene.canaries.add("Basic credentials", passwords["Authorization"].partition(" ")[2])
    for headers, status in (*((one, 200) for one in (*places, passwords)), (bad, 401), (wrong, 401)):
        asked = {"X-Original-URL": APP_URL, "X-Original-Method": "GET", **headers}
        assert (await scene.ask("/api/authz/auth-request", headers=asked)).status == status
    # Where keys do not count.
    await scene.ask("/api/user", headers=places[1])
    await scene.ask("/api/user", headers=places[0])
    await scene.ask(f"/api/api-keys/{key}", headers={"Authorization": session.bearer})
    api_key = (await rows(scene.gateway, "SELECT id FROM api_keys"))[0][0]
    rotated = await scene.post(f"/api/api-keys/{api_key}/rotate", {}, session=session, expect=201)
    scene.canaries.add("API key", (await rotated.json())["key"])
    await scene.ask(
        "/api/authz/auth-request", headers={"X-Original-URL": APP_URL, "X-Original-Method": "GET", **places[0]}
    )
    await _use_service_key(scene, session)
    change, new = "/api/auth/changePassword", scene.canaries.new("New")
    await scene.post(change, {"currentPassword": new, "newPassword": new + "x"}, session=session, expect=400)
    await scene.post(change, {"currentPassword": scene.admin_password, "newPassword": "x"}, session=session, expect=400)
    body = {"currentPassword": scene.admin_password, "newPassword": new}
    scene.watch_cookies(await scene.post(change, body, session=session))
    scene.admin_password = new


async def _make_key(scene: Scene, session: LoggedIn) -> str:
    await scene.post(
        "/api/api-keys", {"name": "report", "expiresAt": scene.canaries.new("Stray")}, session=session, expect=400
    )
    made = await scene.post("/api/api-keys", {"name": "report"}, session=session, expect=201)
    return scene.canaries.add("API key", (await made.json())["key"])


async def _use_service_key(scene: Scene, session: LoggedIn) -> None:
    keys = "/api/v1/orgs/current/service-keys"
    account = await (await scene.post("/api/v1/service-accounts", {"name": "report"}, session=session)).json()
    body = {"service_account_id": account["id"], "description": "report"}
    made = await (await scene.post(keys, body, session=session)).json()
    key = scene.canaries.add("service key", made["key"])
    asked = {"X-Original-URL": APP_URL, "X-Original-Method": "GET", "X-API-Key": key}
    assert (await scene.ask("/api/authz/auth-request", headers=asked)).status == 200
    rotated = await scene.post(f"{keys}/{made['id']}/rotate", {}, session=session)
    scene.canaries.add("service key", (await rotated.json())["key"])
    assert (await scene.ask("/api/authz/auth-request", headers=asked)).status == 401


async def _use_a_second_factor(scene: Scene) -> None:
    session = await scene.session(ADMIN_EMAIL, scene.admin_password)
    begun = await (await scene.post("/api/auth/2fa/enable", {}, session=session)).json()
    app = App(scene.canaries.add("TOTP secret", begun["secret"]), begun["backupCodes"])
    scene.canaries.add("TOTP secret as bytes", app.raw_secret.hex())
    for code in app.recovery_codes:
        scene.canaries.add("recovery code", code)
    code = scene.canaries.add("TOTP code", app.code())
    for wrong in (scene.canaries.new("Code"), scene.canaries.add("wrong code", app.wrong_code())):
        await scene.post("/api/auth/2fa/confirm", {"token": wrong}, session=session, expect=401)
    await scene.post("/api/auth/2fa/verify", {"token": code}, session=session)
    scene.watch_cookies(await scene.post("/api/auth/2fa/confirm", {"token": code}, session=session))
    token = ""
    for given in (scene.canaries.new("Code"), app.recovery_codes[0], app.recovery_codes[0]):
        half = await (await scene.log_in(ADMIN_EMAIL, scene.admin_password)).json()
        token = scene.canaries.add("temp token", half["tempToken"])
        answer = await scene.ask("/api/auth/2fa/verify-temp", method="POST", json={"tempToken": token, "token": given})
        scene.watch_cookies(answer)
    await scene.post("/api/auth/2fa/verify-temp", {"tempToken": app.recovery_codes[0], "token": token}, expect=401)
    made = await scene.post("/api/auth/2fa/backup/regenerate", {"backupCode": app.recovery_codes[1]}, session=session)
    codes = [scene.canaries.add("recovery code", one) for one in (await made.json())["backupCodes"]]
    person = Person(scene.gateway)
    assert (await scene.fill_in(person, "/login", email=ADMIN_EMAIL, password=scene.admin_password)).status == 303
    await scene.fill_in(person, "/login/second-factor", code=scene.canaries.new("Code"))
    assert (await scene.fill_in(person, "/login/second-factor", code=codes[0])).status == 303
    await scene.fill_in(person, "/second-factor", action="/second-factor/disable", disable_code=codes[0])
    assert (
        await scene.fill_in(person, "/second-factor", action="/second-factor/disable", disable_code=codes[1])
    ).status == 303


async def _come_back_in(scene: Scene) -> None:
    """Refresh, log out, and reset a forgotten password."""
    logged_in = await scene.log_in(ADMIN_EMAIL, scene.admin_password)
    old = logged_in.cookies["refreshToken"].value
    for token in (old, old, scene.canaries.new("Refresh")):
        cookie = {"Cookie": f"refreshToken={token}"}
        scene.watch_cookies(await scene.ask("/api/auth/refresh", method="POST", headers=cookie))
    await scene.post("/api/auth/refresh", {"refreshToken": old, "token": old, "retry": True})
    await scene.post("/api/auth/logout", {}, Cookie=f"gateway_session={logged_in.cookies['gateway_session'].value}")
    await scene.post("/api/auth/refresh", {"refreshToken": old}, expect=403)
    for email in (ADMIN_EMAIL, _UNKNOWN):
        await scene.post("/api/auth/requestPasswordReset", {"email": email})
    link = await scene.mailed_link("reset", to=ADMIN_EMAIL)
    body, new = query_of(link), scene.canaries.new("Reset")
    await scene.post("/api/auth/resetPassword", {**body, "password": "admin"}, expect=400)
    await scene.post("/api/auth/resetPassword", {**body, "userId": body["token"], "password": new}, expect=400)
    await scene.post("/api/auth/resetPassword", {**body, "token": new, "password": new}, expect=400)
    person = Person(scene.gateway)
    await scene.fill_in(person, path_of(link), password="short")
    assert (await scene.fill_in(person, path_of(link), password=new)).status == 303
    await scene.post("/api/auth/resetPassword", {**body, "password": new}, expect=400)
    await scene.log_in(ADMIN_EMAIL, new)


@dataclass(frozen=True, slots=True)
class _Stranger:
    """Sends a secret to every route, in every place but those of a name or an address."""

    scene: Scene
    canary: str
    session: LoggedIn
    form: dict[str, str]
    cookies: str

    @classmethod
    async def come_in(cls, scene: Scene, canary: str) -> _Stranger:
        session = await scene.session(ADMIN_EMAIL, scene.admin_password)
        person = Person(scene.gateway)
        form = hidden_fields(await (await person.open("/login")).text())
        cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
        return cls(scene, canary, session, form, cookies)

    async def ask(self, method: str, path: str) -> None:
        canary = self.canary
        target = "/".join(canary if part.startswith("{") else part for part in path.split("/"))
        for what, headers in self._headers().items():
            await self.scene.ask(target, method=method, what=what, headers=headers)
        query = "&".join(f"{name}={canary}" for name in _FIELDS)
        await self.scene.ask(f"{target}?{query}", method=method, what="query", headers={"Accept": "text/html"})
        await self.scene.ask(f"{target}/{canary}", method=method, what="path")
        await self.scene.ask(target, method=canary[:12].upper(), what="method")
        if method == "POST":
            await self._send_bodies(target)

    def _headers(self) -> dict[str, dict[str, str]]:
        canary = self.canary
        cookies = "; ".join(f"{name}={canary}" for name in (*_COOKIES, canary))
        return {
            "bearer, cookies, browser": {
                "Authorization": f"Bearer {canary}",
                "Cookie": cookies,
                "Referer": f"http://localhost:9091/?token={canary}",
                "Accept": "text/html",
            },
            "basic, key, request": {
                "Authorization": _basic(canary, canary),
                "X-API-Key": f"lc_ak_{canary}",
                "X-Request-Id": canary,
                "X-Forwarded-For": canary,
            },
            "our bearer, host": {"Authorization": f"Bearer lc_ak_{canary}", "Host": canary, "Content-Type": canary},
            "bare, origin": {"Authorization": canary, "Origin": f"http://{canary}", "Content-Encoding": canary},
        }

    async def _send_bodies(self, path: str) -> None:
        canary, secret = self.canary, dict.fromkeys(_FIELDS, self.canary)
        no_name = f"a\r{canary}"
        bodies: dict[str, object] = {
            "each field": {**secret, "email": EMAIL, "userId": canary},
            "no address": {**secret, "email": canary, "name": no_name, "username": f"{canary}!"},
            "lists": {name: [canary] for name in (*_FIELDS, "email", "name", "userId")},
            "objects": {name: {canary: canary} for name in (*_FIELDS, "email", "scopes")},
            "as a name": {canary: canary, "scopes": [{canary: canary}], "expiresAt": canary},
        }
        texts = {**{what: json.dumps(body) for what, body in bodies.items()}, "no JSON": f'{{"password": "{canary}"'}
        sent = {"Authorization": self.session.bearer, "Content-Type": _JSON}
        for what, text in texts.items():
            await self.scene.ask(path, method="POST", what=what, data=BytesIO(text.encode()), headers=sent)
        cookie = {"Cookie": f"{self.cookies}; {self.session.cookie}", "Sec-Fetch-Site": "same-origin"}
        for email in (EMAIL, canary):
            fields = {**secret, "email": email, "name": no_name, "userId": canary, **self.form}
            headers = {**cookie, "Accept": "text/html"}
            await self.scene.ask(path, method="POST", what="form", data=fields, headers=headers)


async def _stray_through_a_proxy(scene: Scene, path: str, canary: str) -> None:
    """As the original request, which may hold an application's secrets: its query, its headers, its user."""
    urls = (f"{APP_URL}&token={canary}", f"http://ann:{canary}@app.example.com/", f"http://app.example.com/#{canary}")
    for url in urls:
        for more in ({}, {"Authorization": _basic(_UNKNOWN, canary)}, {"Cookie": f"gateway_session={canary}"}):
            headers = {
                "X-Original-URL": url,
                "X-Original-Method": "GET",
                "X-Forwarded-Method": "GET",
                "X-Forwarded-Proto": "http",
                "X-Forwarded-Host": "app.example.com",
                "X-Forwarded-Uri": url.partition(".com:8080")[2] or f"/?{canary}",
                **more,
            }
            for accept in ("text/html", _JSON):
                response = await scene.ask(path, headers={**headers, "Accept": accept})
                # The way back to the application holds what it had in its query: it is the visitor's own.
                assert response.status in {302, 401, 403}
        await scene.forget_failures()
    # So that the answers above, whose `Location` and `login_url` hold it, are not taken for a leak.
    scene.answers.texts = [(what, text) for what, text in scene.answers.texts if path not in what or "rd=" not in text]


def _unreadable(canary: str) -> Iterator[bytes]:
    yield request_bytes(f"GET /login?token={canary}\x01")
    yield request_bytes("GET /login", "Host: localhost", f"Cookie: gateway_session={canary}\x00")
    yield request_bytes("GET /login", "Host: localhost", f"Authorization Bearer {canary}")
    yield request_bytes("POST /api/auth/login", "Host: localhost", f"Content-Length: {canary}")
    yield request_bytes("POST /api/auth/login", "Host: localhost", f"Transfer-Encoding: {canary}")
    yield f"GET /{canary} {canary}/9.9\r\n\r\n".encode()


def _basic(name: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def _events(log: str) -> set[str]:
    return {str(json.loads(line)["event"]) for line in log.splitlines() if line.startswith("{")}


@pytest.mark.parametrize(
    "told",
    [
        "password={}",
        "/reset?token={}%20",
        "\u2028{}\n",
        "-{:}",
    ],
)
def test_search_finds_a_secret_in_a_text(told: str) -> None:
    canaries = Canaries()
    secret = canaries.new("Found")
    assert canaries.in_text(told.format(secret))
    assert not canaries.in_text(told.format(make_canary("Other")))


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_search_finds_a_secret_in_base64(before: str) -> None:
    canaries = Canaries()
    secret = canaries.new("Found")
    assert canaries.in_bytes(base64.b64encode(f"{before}{secret}: and more".encode()))
    assert canaries.in_bytes(f"{before}{secret}".encode().hex().encode())


def test_search_finds_a_code_by_itself_only() -> None:
    canaries = Canaries()
    canaries.add("code", "123456")
    assert canaries.in_text('{"code": "123456"}')
    assert not canaries.in_text("at 12:00:00.123456, request 0a123456bc")


def test_search_finds_a_secret_in_a_file_and_in_a_table(tmp_path: Path) -> None:
    canaries = Canaries()
    code, secret = canaries.add("code", "123456"), canaries.new("Found")
    database = sqlite3.connect(tmp_path / "some.db")
    database.execute("CREATE TABLE notes (text TEXT, bytes BLOB)")
    database.execute("INSERT INTO notes VALUES (?, ?)", (code, secret.encode()))
    database.commit()
    database.close()
    assert canaries.in_database(tmp_path / "some.db") == {"notes.text: 0 code", "notes.bytes: 1 Found"}
    assert canaries.in_folder(tmp_path, but=[]) == {"some.db: 1 Found"}
    assert canaries.in_folder(tmp_path, but=[tmp_path / "some.db"]) == set()
