"""Who am I, and a new password."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from tests.support.commands import run_command
from tests.support.forms import Person
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, LoggedIn

NEW_PASSWORD = "a new one, rather long"


async def _change(gateway: Gateway, session: LoggedIn, **body: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401 - JSON
    response = await gateway.client.post(
        f"{gateway.url}/api/auth/changePassword", json=body, headers={"Authorization": session.bearer}
    )
    return response.status, await response.json()


async def test_user_is_the_account_of_the_token(gateway: Gateway) -> None:
    session = await gateway.session()
    body = await (await gateway.ask("/api/user", Authorization=session.bearer)).json()
    assert body["email"] == ADMIN_EMAIL
    assert {"id", "_id", "name", "username", "role", "provider", "twoFactorEnabled", "createdAt"} <= set(body)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer a.b.c"])
async def test_api_takes_the_access_token_and_never_the_cookie(gateway: Gateway, authorization: str) -> None:
    session = await gateway.session()
    response = await gateway.ask("/api/user", Authorization=authorization, Cookie=session.cookie)
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert (await response.json())["error"] == "Unauthorized"


async def test_new_password_ends_the_other_sessions_and_renews_this_one(gateway: Gateway) -> None:
    """S2, S5."""
    mine, other = await gateway.session(), await gateway.session()
    status, _ = await _change(gateway, mine, currentPassword=ADMIN_PASSWORD, newPassword=NEW_PASSWORD)
    assert status == HTTPStatus.OK
    assert (await gateway.check(Cookie=other.cookie)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(Authorization=other.bearer)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(Cookie=mine.cookie)).status == HTTPStatus.UNAUTHORIZED, "its token was renewed"
    assert (await gateway.check(Authorization=mine.bearer)).status == HTTPStatus.OK, "its record goes on"
    assert (await gateway.log_in()).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.log_in(password=NEW_PASSWORD)).status == HTTPStatus.OK


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong", NEW_PASSWORD, "currentPassword"),
        (ADMIN_PASSWORD, "short", "newPassword"),
        (ADMIN_PASSWORD, "x" * 129, "newPassword"),
        # Combining marks: a kilobyte is normalised in no time, sixty take most of a second.
        ("a" + "\u0301\u0316" * 600, NEW_PASSWORD, "currentPassword"),
        (ADMIN_PASSWORD, "a" + "\u0301\u0316" * 600, "newPassword"),
        (ADMIN_PASSWORD, " " * 12, "newPassword"),
        (ADMIN_PASSWORD, ADMIN_PASSWORD, "newPassword"),
    ],
)
async def test_broken_rule_is_named_and_changes_nothing(gateway: Gateway, current: str, new: str, field: str) -> None:
    """L10."""
    session = await gateway.session()
    status, body = await _change(gateway, session, currentPassword=current, newPassword=new)
    assert status == HTTPStatus.BAD_REQUEST
    assert field in body["fields"]
    assert (await gateway.log_in()).status == HTTPStatus.OK


async def test_guessing_the_current_password_is_throttled_like_a_login(gateway: Gateway) -> None:
    """L6."""
    session = await gateway.session()
    statuses = [(await _change(gateway, session, currentPassword="no", newPassword=NEW_PASSWORD))[0] for _ in range(6)]
    assert statuses == [400] * 5 + [429]


async def test_handed_over_password_has_to_be_changed_before_anything_passes(gateway: Gateway, person: Person) -> None:
    added = await run_command(gateway, "user", "add", "--email", "ann@example.com", "--name", "Ann", "--json")
    password = added.json["password"]
    login = await gateway.log_in("ann@example.com", password)
    assert (await login.json())["user"]["mustChangePassword"] is True
    session = await gateway.session("ann@example.com", password)
    refused = await gateway.check(Cookie=session.cookie)
    assert refused.status == HTTPStatus.UNAUTHORIZED
    assert refused.headers["X-Auth-Reason"] == "password_change_required"

    sent = await person.fill_in("/login?rd=%2F", email="ann@example.com", password=password)
    assert sent.headers["Location"].startswith("/change-password")
    changed = await person.fill_in(sent.headers["Location"], current_password=password, new_password=NEW_PASSWORD)
    assert changed.status == HTTPStatus.SEE_OTHER
    cookie = f"gateway_session={person.cookies['gateway_session']}"
    assert (await gateway.check(Cookie=cookie)).status == HTTPStatus.OK


@pytest.mark.parametrize(("goal", "told"), [("/", True), ("http://localhost:8080/reports", False)])
async def test_change_is_told_here_and_never_at_a_later_login(
    person: Person,
    goal: str,
    told: bool,  # noqa: FBT001 - a column
) -> None:
    await person.fill_in("/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    page = f"/change-password?rd={goal}"
    changed = await person.fill_in(page, current_password=ADMIN_PASSWORD, new_password=NEW_PASSWORD)
    assert changed.headers["Location"] == goal
    assert ("Your password was changed" in await (await person.open("/")).text()) == told


async def test_home_sends_strangers_to_the_login_page(gateway: Gateway) -> None:
    response = await gateway.ask("/")
    assert response.status == HTTPStatus.SEE_OTHER
    assert response.headers["Location"] == "/login"
