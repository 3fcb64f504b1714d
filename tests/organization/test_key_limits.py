"""What the organization allows of new keys: set by API, held at each creation and rotation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import InvalidFields
from gateway.key_limits import longest_life, require_short_life
from gateway.models import KeyLimits, OrganizationRole
from tests.support.gateway import Gateway, environment, start_gateway
from tests.support.newcomers import rows
from tests.support.team import Colleague, administrator, join

INFO = "/api/v1/orgs/current/info"
KEYS = "/api/v1/orgs/current/service-keys"
DAY = timedelta(days=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def admin(gateway: Gateway) -> Colleague:
    """The administrator, logged in."""
    return await administrator(gateway)


async def _limit(admin: Colleague, **limits: object) -> dict[str, Any]:
    limited: dict[str, Any] = await admin.get("PATCH", INFO, limits)
    return limited


async def _personal(colleague: Colleague, *, status: int = 201, **more: object) -> dict[str, Any]:
    made: dict[str, Any] = await colleague.get("POST", "/api/api-keys", {"name": "x", **more}, status=status)
    return made


async def _of_service(admin: Colleague, *, status: int = 200, **more: object) -> dict[str, Any]:
    accounts = await admin.get("GET", "/api/v1/service-accounts")
    account = accounts[0] if accounts else await admin.get("POST", "/api/v1/service-accounts", {"name": "report"})
    body = {"service_account_id": account["id"], "description": "x", **more}
    made: dict[str, Any] = await admin.get("POST", KEYS, body, status=status)
    return made


def _in(days: float) -> str:
    return (datetime.now(UTC) + days * DAY).isoformat()


def _days_left(moment: str) -> float:
    return (datetime.fromisoformat(moment) - datetime.now(UTC)) / DAY


@pytest.mark.parametrize(
    ("limits", "personal", "service"),
    [
        (KeyLimits(), None, None),
        (KeyLimits(max_api_key_expiry_days=30), 30, 30),
        (KeyLimits(max_api_key_expiry_days=30, max_pat_expiry_days=7), 7, 30),
        (KeyLimits(max_api_key_expiry_days=7, max_pat_expiry_days=30, max_service_key_expiry_days=3), 7, 3),
        (KeyLimits(max_service_key_expiry_days=3), None, 3),
        (KeyLimits(max_pat_expiry_days=3), 3, None),
    ],
)
def test_smaller_limit_counts(limits: KeyLimits, personal: int | None, service: int | None) -> None:
    found = [longest_life(limits, of_service=of_service) for of_service in (False, True)]
    assert [None if longest is None else longest.days for longest in found] == [personal, service]


def test_last_moment_that_is_allowed_is_allowed() -> None:
    longest = longest_life(KeyLimits(max_pat_expiry_days=7), of_service=False)
    assert require_short_life(None, longest, field="expiresAt", now=NOW) == NOW + 7 * DAY
    assert require_short_life(NOW + 7 * DAY, longest, field="expiresAt", now=NOW) == NOW + 7 * DAY
    with pytest.raises(InvalidFields) as refused:
        require_short_life(NOW + 7 * DAY + MINUTE, longest, field="expiresAt", now=NOW)
    assert "max_pat_expiry_days" in refused.value.fields["expiresAt"]


async def test_there_are_no_limits_until_somebody_sets_them(admin: Colleague) -> None:
    info = await admin.get("GET", INFO)
    assert info["display_name"] == "Default"
    assert (info["pat_creation_disabled"], info["set_in_configuration"]) == (False, [])
    assert [info[name] for name in info if name.startswith("max_")] == [None, None, None]
    assert (await _personal(admin))["expiresAt"] is None


async def test_key_without_an_end_gets_the_last_one_that_is_allowed(admin: Colleague) -> None:
    await _limit(admin, max_api_key_expiry_days=90, max_pat_expiry_days=30)
    assert 29.9 < _days_left((await _personal(admin))["expiresAt"]) <= 30
    assert 89.9 < _days_left((await _of_service(admin))["expires_at"]) <= 90
    assert 9.9 < _days_left((await _personal(admin, expiresAt=_in(10)))["expiresAt"]) <= 10


async def test_longer_life_is_refused_and_the_limit_named(admin: Colleague) -> None:
    await _limit(admin, max_pat_expiry_days=30, max_service_key_expiry_days=7)
    personal = await _personal(admin, expiresAt=_in(31), status=400)
    assert set(personal["fields"]) == {"expiresAt"}
    assert "30 days at most" in personal["fields"]["expiresAt"]
    assert "max_pat_expiry_days" in personal["fields"]["expiresAt"]
    [problem] = (await _of_service(admin, expires_at=_in(8), status=422))["detail"]
    assert problem["loc"] == ["body", "expires_at"]
    assert "7 days at most" in problem["msg"]
    assert "max_service_key_expiry_days" in problem["msg"]
    assert await admin.get("GET", "/api/api-keys") == await admin.get("GET", KEYS) == []


async def test_key_of_before_stays_and_its_successor_lives_no_longer_than_is_allowed(
    gateway: Gateway, admin: Colleague
) -> None:
    endless, long = await _personal(admin), await _personal(admin, expiresAt=_in(300))
    short = await _personal(admin, expiresAt=_in(5))
    await _limit(admin, max_api_key_expiry_days=30)
    for key in (endless, long):
        assert (await gateway.check(X_API_Key=key["key"])).status == HTTPStatus.OK
    kept = {key["id"]: key["expiresAt"] for key in await admin.get("GET", "/api/api-keys")}
    assert kept == {key["id"]: key["expiresAt"] for key in (endless, long, short)}
    for old, days in ((endless, 30), (long, 30), (short, 5)):
        successor = await admin.get("POST", f"/api/api-keys/{old['id']}/rotate", status=201)
        assert days - 0.1 < _days_left(successor["expiresAt"]) <= days + 0.001


async def test_personal_keys_can_be_switched_off_and_service_keys_go_on(gateway: Gateway, admin: Colleague) -> None:
    old = await _personal(admin)
    await _limit(admin, pat_creation_disabled=True)
    for path, body in (("/api/api-keys", {"name": "x"}), (f"/api/api-keys/{old['id']}/rotate", {})):
        refused = await admin.get("POST", path, body, status=403)
        assert refused["code"] == "pat_creation_disabled"
        assert "ask an administrator" in refused["message"]
    assert (await gateway.check(X_API_Key=old["key"])).status == HTTPStatus.OK
    assert (await _of_service(admin))["key"]
    await admin.get("DELETE", f"/api/api-keys/{old['id']}", status=204)
    await _limit(admin, pat_creation_disabled=False)
    await _personal(admin)


async def test_change_keeps_what_it_does_not_name_and_null_is_no_limit(admin: Colleague) -> None:
    await _limit(admin, max_api_key_expiry_days=30, max_pat_expiry_days=7)
    changed = await _limit(admin, max_pat_expiry_days=None)
    assert (changed["max_api_key_expiry_days"], changed["max_pat_expiry_days"]) == (30, None)
    assert await _limit(admin) == changed == await admin.get("GET", INFO)


@pytest.mark.parametrize("days", [0, -1, 3651, 1.5, "30", True])
async def test_number_of_days_has_its_bounds(admin: Colleague, days: object) -> None:
    for name in ("max_api_key_expiry_days", "max_pat_expiry_days", "max_service_key_expiry_days"):
        [problem] = (await admin.get("PATCH", INFO, {name: days}, status=422))["detail"]
        assert problem["loc"] == ["body", name]


async def test_change_is_audited_once(gateway: Gateway, admin: Colleague) -> None:
    for _ in range(2):
        await _limit(admin, pat_creation_disabled=True, max_pat_expiry_days=7)
    statement = "SELECT actor, details FROM audit_events WHERE kind = 'organization_changed'"
    [(actor, details)] = await rows(gateway, statement + " AND details LIKE '%pat_%'")
    assert actor == admin.id
    assert "pat_creation_disabled=True, max_pat_expiry_days=7" in details


@pytest.mark.parametrize("role", [OrganizationRole.OPERATOR, OrganizationRole.USER, OrganizationRole.VIEWER])
async def test_everybody_reads_the_limits_and_only_admins_set_them(gateway: Gateway, role: OrganizationRole) -> None:
    colleague = await join(gateway, role=role)
    await colleague.get("GET", INFO)
    await colleague.get("PATCH", INFO, {"max_pat_expiry_days": 7}, status=403)


async def test_viewer_makes_no_keys(gateway: Gateway) -> None:
    """A key opens as much as its owner may, and outlives the login that made it."""
    viewer, user = await join(gateway, "vi@example.com", role=OrganizationRole.VIEWER), await join(gateway)
    made = await _personal(user)
    for path in ("/api/api-keys", f"/api/api-keys/{made['id']}/rotate"):
        refused = await viewer.get("POST", path, {"name": "x"}, status=403)
        assert refused["code"] == "permission_denied"
    assert await viewer.get("GET", "/api/api-keys") == []


class TestConfigured:
    """What the configuration says wins."""

    @pytest.fixture
    async def gateway(self, tmp_path: Path) -> AsyncIterator[Gateway]:
        """Run a gateway whose configuration limits personal keys."""
        environ = environment(tmp_path, GATEWAY_ORGANIZATION__MAX_PAT_EXPIRY_DAYS="7")
        async with start_gateway(environ) as running:
            yield running

    async def test_configured_limit_counts_and_is_shown(self, admin: Colleague) -> None:
        info = await admin.get("GET", INFO)
        assert (info["max_pat_expiry_days"], info["set_in_configuration"]) == (7, ["max_pat_expiry_days"])
        assert 6.9 < _days_left((await _personal(admin))["expiresAt"]) <= 7

    async def test_configured_limit_cannot_be_changed_and_the_others_can(self, admin: Colleague) -> None:
        for days in (30, None):
            refused = await admin.get(
                "PATCH", INFO, {"max_pat_expiry_days": days, "pat_creation_disabled": True}, status=409
            )
            assert "organization.max_pat_expiry_days" in refused["detail"]
        assert not (await admin.get("GET", INFO))["pat_creation_disabled"]
        # A program that sends back what it read changes nothing.
        changed = await _limit(admin, max_pat_expiry_days=7, max_api_key_expiry_days=3)
        assert (changed["max_pat_expiry_days"], changed["max_api_key_expiry_days"]) == (7, 3)


@pytest.mark.parametrize("limits", [{}, {"max_api_key_expiry_days": 30}])
async def test_successor_of_a_key_for_good_ends_with_the_calendar(admin: Colleague, limits: dict[str, object]) -> None:
    """Nothing comes after the year 9999, which is what people write who mean never."""
    made = await _personal(admin, expiresAt="9999-12-31T23:59:59.999999Z")
    await _limit(admin, **limits)
    rotated = await admin.get("POST", f"/api/api-keys/{made['id']}/rotate", {}, status=201)
    assert rotated["expiresAt"] > _in(29)
