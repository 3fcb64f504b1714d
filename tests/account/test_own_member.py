"""One's own name and password, as LangSmith's clients change them."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from pydantic import TypeAdapter

from gateway.openapi.member_answers import OwnMember
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, LoggedIn
from tests.support.members import answer, call

OWN = "/api/v1/orgs/members/basic"
NEW = "a new one, rather long"


async def change(gateway: Gateway, session: LoggedIn, status: int = 200, **body: object) -> dict[str, object]:
    changed: dict[str, object] = await answer(await call(gateway, "PATCH", OWN, body, session=session), status)
    return changed


async def test_new_name_takes_no_password_and_reaches_applications(gateway: Gateway) -> None:
    session = await gateway.session()
    assert (await gateway.check(Cookie=session.cookie)).headers["Remote-Name"] == "Administrator"
    changed = await change(gateway, session, full_name="Ada")
    TypeAdapter(OwnMember).validate_python(changed)
    assert changed["full_name"] == "Ada"
    assert (await gateway.check(Cookie=session.cookie)).headers["Remote-Name"] == "Ada"
    assert (await change(gateway, session))["full_name"] == "Ada"


async def test_new_password_ends_the_other_sessions_and_renews_this_one(gateway: Gateway) -> None:
    """S2, S5."""
    mine, other = await gateway.session(), await gateway.session()
    body = {"password": NEW, "current_password": ADMIN_PASSWORD, "full_name": "Ada"}
    response = await call(gateway, "PATCH", OWN, body, session=mine)
    assert (await answer(response))["full_name"] == "Ada"
    renewed = response.cookies["gateway_session"]
    assert (await gateway.check(Cookie=f"gateway_session={renewed.value}")).status == HTTPStatus.OK
    assert (await gateway.check(Authorization=mine.bearer)).status == HTTPStatus.OK
    assert (await gateway.check(Cookie=mine.cookie)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(Cookie=other.cookie)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.log_in(password=NEW)).status == HTTPStatus.OK


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": NEW}, "current_password"),
        ({"password": NEW, "current_password": "wrong"}, "current_password"),
        ({"password": "short", "current_password": ADMIN_PASSWORD}, "password"),
        ({"password": ADMIN_PASSWORD, "current_password": ADMIN_PASSWORD}, "password"),
        ({"full_name": "two\nlines"}, "full_name"),
    ],
)
async def test_what_cannot_be_is_named_and_changes_nothing(gateway: Gateway, body: dict[str, str], field: str) -> None:
    session = await gateway.session()
    refused = await answer(await call(gateway, "PATCH", OWN, {"full_name": "Ada", **body}, session=session), 422)
    assert [problem["loc"] for problem in refused["detail"]] == [["body", field]]
    user = await answer(await call(gateway, "GET", "/api/user", session=session))
    assert (user["name"], user["email"]) == ("Administrator", ADMIN_EMAIL)
    assert (await gateway.log_in()).status == HTTPStatus.OK


async def test_guessing_the_current_password_is_throttled_like_a_login(gateway: Gateway) -> None:
    """L6."""
    session = await gateway.session()
    body = {"password": NEW, "current_password": "no"}
    statuses = [(await call(gateway, "PATCH", OWN, body, session=session)).status for _ in range(6)]
    assert statuses == [422] * 5 + [429]
