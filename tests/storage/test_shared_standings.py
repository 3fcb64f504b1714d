"""What many people are in the same way is there once, and what is remembered for that has a bound."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

from gateway.models import Standing
from gateway.storage import standing as module
from gateway.storage.standing import standing_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CACHES = (module._standing, module._membership, module._workspace, module._organization)  # noqa: SLF001 - the bound of each


def _standing(*workspaces: str, groups: str = "a\nb", since: dict[str, str] | None = None) -> Standing:
    since = since or {}
    row = SimpleNamespace(
        organization_id="o",
        organization_name="Default",
        auth_mode="basic",
        group_names=groups,
        memberships=json.dumps(
            [(name, f"The {name}", since.get(name, NOW.isoformat()), "Editor") for name in workspaces]
        ),
    )
    standing = standing_of(row)
    assert standing is not None
    return standing


def test_equal_standings_are_one() -> None:
    assert _standing("w") is _standing("w")
    assert _standing("w") != _standing("v")
    assert _standing("w") != _standing("w", groups="a")
    assert _standing("w").organization is _standing("v").organization


def test_memberships_are_in_the_order_of_their_workspaces_whatever_the_engine_makes_of_moments() -> None:
    """SQLite writes moments without a zone, PostgreSQL with that of its session; and neither keeps an order."""
    since = {"c": "2026-01-01T02:30:00+02:00", "b": "2026-01-01 01:00:00.000000", "a": "2026-01-01T02:00:00+01:00"}
    found = [one.workspace for one in _standing("b", "a", "c", since=since).memberships]
    assert [one.id for one in found] == ["c", "a", "b"]
    assert {one.created_at.tzinfo for one in found} == {UTC}


def test_large_standings_share_their_memberships_only() -> None:
    names = [f"workspace {number}" for number in range(50)]
    one, other = _standing(*names), _standing(*names)
    assert one == other
    assert one is not other
    assert all(mine is yours for mine, yours in zip(one.memberships, other.memberships, strict=True))
    many = "\n".join(f"group {number}" for number in range(200))
    assert _standing("w", groups=many) is not _standing("w", groups=many)


def test_no_more_is_remembered_than_the_bound() -> None:
    for number in range(3000):
        _standing(f"workspace {number}", groups=f"group {number}")
    assert all(cache.cache_info().currsize <= 2048 for cache in CACHES)
    assert CACHES[0].cache_info().currsize == 2048
