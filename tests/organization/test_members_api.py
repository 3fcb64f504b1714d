"""The members over HTTP, in the shapes that LangSmith's clients know."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from gateway.models import OrganizationRole
from gateway.openapi.answers import V1ErrorAnswer
from gateway.openapi.member_answers import ChangedMember, InvitedMember, MemberAnswer, MemberList, OrganizationAnswer
from tests.support.gateway import ADMIN_EMAIL, Gateway, LoggedIn, environment, start_gateway
from tests.support.letters import link_in, text_of
from tests.support.members import MEMBERS, OWN_PASSWORD, answer, call, invite, settled
from tests.support.outbox import read_letter
from tests.support.second_factor import enrol

ANN, BOB = "ann@example.com", "bob@example.com"
BATCH = f"{MEMBERS}/basic/batch"


@pytest.fixture
async def admin(gateway: Gateway) -> LoggedIn:
    return await gateway.session()


async def id_of(gateway: Gateway, admin: LoggedIn, email: str) -> str:
    listed = await answer(await call(gateway, "GET", MEMBERS, session=admin))
    return next(str(member["id"]) for member in listed["members"] if member["email"] == email)


async def change(gateway: Gateway, admin: LoggedIn, email: str, status: int = 200, **body: object) -> dict[str, object]:
    path = f"{MEMBERS}/{await id_of(gateway, admin, email)}"
    changed: dict[str, object] = await answer(await call(gateway, "PATCH", path, body, session=admin), status)
    return changed


async def role_at_the_check(gateway: Gateway, session: LoggedIn) -> list[str | None]:
    """Give the role by cookie and by access token; nothing where the check refuses."""
    answers = [await gateway.check(Cookie=session.cookie), await gateway.check(Authorization=session.bearer)]
    return [one.headers.get("Remote-Role") if one.status == HTTPStatus.OK else None for one in answers]


async def test_invited_person_logs_in_and_has_to_choose_a_password(gateway: Gateway, admin: LoggedIn) -> None:
    invited = await invite(gateway, admin, "  Ann@Example.COM ", full_name="Ann", role="Organization Viewer")
    TypeAdapter(InvitedMember).validate_python(invited)
    assert (invited["email"], invited["full_name"], invited["role"]) == (ANN, "Ann", "Organization Viewer")
    session = await gateway.session(ANN, invited["password"])
    assert await role_at_the_check(gateway, session) == [None, None]
    refused = await answer(await call(gateway, "GET", "/api/v1/orgs/current", session=session), 403)
    assert refused["code"] == "password_change_required"
    chosen = {"password": OWN_PASSWORD, "current_password": invited["password"]}
    await answer(await call(gateway, "PATCH", "/api/v1/orgs/members/basic", chosen, session=session))
    assert (await gateway.log_in(ANN, invited["password"])).status == HTTPStatus.UNAUTHORIZED
    assert await role_at_the_check(gateway, await gateway.session(ANN, OWN_PASSWORD)) == ["Organization Viewer"] * 2


async def test_many_are_invited_in_the_order_of_their_rows(gateway: Gateway, admin: LoggedIn) -> None:
    rows = [{"email": BOB, "password": "a chosen password"}, {"email": ANN, "role": "Organization Admin"}]
    invited = await answer(await call(gateway, "POST", BATCH, rows, session=admin))
    TypeAdapter(list[InvitedMember]).validate_python(invited)
    assert [(one["email"], one["password"] is None) for one in invited] == [(BOB, True), (ANN, False)]
    listed = await answer(await call(gateway, "GET", MEMBERS, session=admin))
    TypeAdapter(MemberList).validate_python(listed)
    assert [(one["email"], one["must_change_password"]) for one in listed["members"]] == [
        (ADMIN_EMAIL, False),
        (ANN, True),
        (BOB, True),
    ]
    assert all(one["workspace_ids"] for one in listed["members"])
    assert listed["pending"] == []


async def test_bad_rows_are_told_by_number_and_field_and_nobody_is_invited(gateway: Gateway, admin: LoggedIn) -> None:
    shapes = [{"email": "no address"}, {"role": "King", "email": ANN}, 5, {"email": BOB, "workspace_ids": "x"}]
    refused = await answer(await call(gateway, "POST", BATCH, shapes, session=admin), 422)
    V1ErrorAnswer.model_validate(refused)
    places = [problem["loc"] for problem in refused["detail"]]
    assert places == [["body", 0, "email"], ["body", 1, "role"], ["body", 2], ["body", 3, "workspace_ids"]]
    assert refused["detail"][1]["msg"].startswith("This must be 'Organization Admin', ")
    facts = [{"email": ADMIN_EMAIL}, {"email": ANN, "password": "short"}, {"email": ANN}, {"email": BOB}]
    refused = await answer(await call(gateway, "POST", BATCH, facts, session=admin), 422)
    places = [problem["loc"] for problem in refused["detail"]]
    assert places == [["body", 0, "email"], ["body", 1, "email"], ["body", 1, "password"], ["body", 2, "email"]]
    assert await answer(await call(gateway, "POST", f"{MEMBERS}/basic", facts[0], session=admin), 422)
    listed = await answer(await call(gateway, "GET", MEMBERS, session=admin))
    assert [one["email"] for one in listed["members"]] == [ADMIN_EMAIL]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{}", 400),
        (b"null", 400),
        (b"[", 400),
        (b"[]", 422),
        (json.dumps([{"email": f"{n}@example.com"} for n in range(501)]).encode(), 422),
        (b"[" + b" " * 1024 * 1024 + b"]", 413),
    ],
)
async def test_batch_that_is_no_list_of_1_to_500_rows_is_refused(
    gateway: Gateway, admin: LoggedIn, content: bytes, status: int
) -> None:
    headers = {"Authorization": admin.bearer, "Content-Type": "application/json"}
    response = await gateway.client.post(f"{gateway.url}{BATCH}", data=BytesIO(content), headers=headers)
    V1ErrorAnswer.model_validate(await answer(response, status))


async def test_empty_batch_is_refused_in_words(gateway: Gateway, admin: LoggedIn) -> None:
    refused = await answer(await call(gateway, "POST", BATCH, [], session=admin), 422)
    assert [problem["msg"] for problem in refused["detail"]] == ["This must have at least 1 item, not 0"]


async def test_batch_may_be_larger_than_other_bodies(gateway: Gateway, admin: LoggedIn) -> None:
    rows = [{"email": f"{number}@example.com", "note": "x" * 1000} for number in range(100)]
    rows[70]["email"] = "no address"
    refused = await answer(await call(gateway, "POST", BATCH, rows, session=admin), 422)
    assert [problem["loc"] for problem in refused["detail"]] == [["body", 70, "email"]]


async def test_running_checks_feel_a_role_a_name_and_what_ends(gateway: Gateway, admin: LoggedIn) -> None:
    """S3: with the answer of the change, in this process."""
    ann = await settled(gateway, admin, ANN)
    assert await role_at_the_check(gateway, ann) == ["Organization User"] * 2
    changed = await change(gateway, admin, ANN, role="Organization Operator", full_name="Ann B.")
    TypeAdapter(ChangedMember).validate_python(changed)
    assert await role_at_the_check(gateway, ann) == ["Organization Operator"] * 2
    assert (await gateway.check(Cookie=ann.cookie)).headers["Remote-Name"] == "Ann B."
    # The access token still says what the role was: nobody reads that here.
    assert (await call(gateway, "GET", MEMBERS, session=ann)).status == HTTPStatus.OK
    await change(gateway, admin, ANN, role="Organization User")
    assert (await call(gateway, "GET", MEMBERS, session=ann)).status == HTTPStatus.FORBIDDEN
    await change(gateway, admin, ANN, disabled=True)
    assert await role_at_the_check(gateway, ann) == [None, None]
    assert (await gateway.log_in(ANN, OWN_PASSWORD)).status == HTTPStatus.UNAUTHORIZED
    await change(gateway, admin, ANN, disabled=False)
    ann = await gateway.session(ANN, OWN_PASSWORD)
    path = f"{MEMBERS}/{await id_of(gateway, admin, ANN)}"
    assert (await call(gateway, "DELETE", path, session=admin)).status == HTTPStatus.NO_CONTENT
    assert await role_at_the_check(gateway, ann) == [None, None]
    assert (await call(gateway, "GET", path, session=admin)).status == HTTPStatus.NOT_FOUND
    await invite(gateway, admin, ANN)


async def test_removed_persons_key_is_refused(gateway: Gateway, admin: LoggedIn) -> None:
    ann = await settled(gateway, admin, ANN)
    made = await answer(await call(gateway, "POST", "/api/api-keys", {"name": "deploy"}, session=ann), 201)
    assert (await gateway.check(X_API_Key=made["key"])).status == HTTPStatus.OK
    await call(gateway, "DELETE", f"{MEMBERS}/{await id_of(gateway, admin, ANN)}", session=admin)
    assert (await gateway.check(X_API_Key=made["key"])).status == HTTPStatus.UNAUTHORIZED


async def test_reset_ends_the_sessions_and_tells_a_generated_password_once(gateway: Gateway, admin: LoggedIn) -> None:
    """S5."""
    ann = await settled(gateway, admin, ANN)
    changed = await change(gateway, admin, ANN, generate_password=True)
    assert await role_at_the_check(gateway, ann) == [None, None]
    assert (await gateway.log_in(ANN, OWN_PASSWORD)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.log_in(ANN, str(changed["password"]))).status == HTTPStatus.OK
    assert changed["must_change_password"] is True
    shown = await answer(await call(gateway, "GET", f"{MEMBERS}/{changed['id']}", session=admin))
    TypeAdapter(MemberAnswer).validate_python(shown)
    chosen = await change(gateway, admin, ANN, password="chosen by the admin")
    assert chosen["password"] is None
    assert (await gateway.log_in(ANN, "chosen by the admin")).status == HTTPStatus.OK
    assert (await change(gateway, admin, ANN, 422, password="short"))["fields"]
    assert (await change(gateway, admin, ANN, 422, password="chosen once more", generate_password=True))["fields"]


async def test_last_administrator_is_a_conflict_on_every_path(gateway: Gateway, admin: LoggedIn) -> None:
    path = f"{MEMBERS}/{await id_of(gateway, admin, ADMIN_EMAIL)}"
    for method, body in (
        ("PATCH", {"role": "Organization Operator"}),
        ("PATCH", {"disabled": True}),
        ("PATCH", {"full_name": "Other", "role": "Organization User"}),
        ("DELETE", None),
    ):
        refused = await answer(await call(gateway, method, path, body, session=admin), 409)
        assert "last active Organization Admin" in refused["detail"]
    shown = await answer(await call(gateway, "GET", path, session=admin))
    assert (shown["role"], shown["full_name"], shown["disabled"]) == ("Organization Admin", "Administrator", False)


async def test_own_password_is_not_reset_without_the_current_one(gateway: Gateway, admin: LoggedIn) -> None:
    refused = await change(gateway, admin, ADMIN_EMAIL, 403, generate_password=True)
    assert refused["code"] == "permission_denied"
    assert (await gateway.log_in()).status == HTTPStatus.OK


async def test_lost_second_factor_is_taken_away(gateway: Gateway, admin: LoggedIn) -> None:
    await settled(gateway, admin, ANN)
    await enrol(gateway, ANN, OWN_PASSWORD)
    path = f"{MEMBERS}/{await id_of(gateway, admin, ANN)}/second-factor"
    assert (await call(gateway, "DELETE", path, session=admin)).status == HTTPStatus.NO_CONTENT
    assert "token" in await (await gateway.log_in(ANN, OWN_PASSWORD)).json()
    assert (await call(gateway, "DELETE", path, session=admin)).status == HTTPStatus.NOT_FOUND


async def test_operator_invites_users_and_changes_nobody(gateway: Gateway, admin: LoggedIn) -> None:
    operator = await settled(gateway, admin, ANN, OrganizationRole.OPERATOR)
    await invite(gateway, operator, BOB)
    for role in ("Organization Admin", "Organization Operator"):
        row = {"email": "x@example.com", "role": role}
        await answer(await call(gateway, "POST", BATCH, [row], session=operator), 403)
    path = f"{MEMBERS}/{await id_of(gateway, admin, BOB)}"
    for method, where, body in (("PATCH", path, {}), ("DELETE", path, None), ("DELETE", f"{path}/second-factor", None)):
        await answer(await call(gateway, method, where, body, session=operator), 403)


async def test_invitation_is_mailed_with_the_password_if_that_is_wished(gateway: Gateway, admin: LoggedIn) -> None:
    invited = await invite(gateway, admin, ANN, full_name="Ann", send_mail=True)
    letter = await read_letter(gateway.settings.data_dir, to=ANN)
    assert invited["password"] in text_of(letter)
    assert link_in(letter) == f"{gateway.settings.public_url}/login"
    await invite(gateway, admin, BOB, password="chosen by the admin", send_mail=True)
    assert "chosen by" not in text_of(await read_letter(gateway.settings.data_dir, to=BOB))


@pytest.fixture
async def silent(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway that sends no mail."""
    async with start_gateway(environment(tmp_path, GATEWAY_MAIL__TRANSPORT="none")) as running:
        yield running


async def test_where_no_mail_is_sent_none_is_promised(silent: Gateway) -> None:
    row = {"email": ANN, "send_mail": True}
    refused = await answer(await call(silent, "POST", f"{MEMBERS}/basic", row, session=await silent.session()), 422)
    assert [problem["loc"] for problem in refused["detail"]] == [["body", "send_mail"]]


async def test_there_is_one_organization_and_there_will_be_no_other(gateway: Gateway, admin: LoggedIn) -> None:
    current = await answer(await call(gateway, "GET", "/api/v1/orgs/current", session=admin))
    TypeAdapter(OrganizationAnswer).validate_python(current)
    assert (current["display_name"], current["auth_mode"]) == ("Default", "basic")
    assert (current["role"], "members:manage" in current["permissions"]) == ("Organization Admin", True)
    assert await answer(await call(gateway, "GET", "/api/v1/orgs", session=admin)) == [current]
    ann = await settled(gateway, admin, ANN, OrganizationRole.VIEWER)
    own = await answer(await call(gateway, "GET", "/api/v1/orgs/current", session=ann))
    assert (own["role"], own["permissions"]) == ("Organization Viewer", ["organization:read"])
    for session in (admin, ann):
        refused = await answer(await call(gateway, "POST", "/api/v1/orgs", {"name": "Other"}, session=session), 403)
        assert "Default" in refused["detail"]
