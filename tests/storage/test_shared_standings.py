"""What many people are in the same way is there once, and what is remembered for that has a bound."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from gateway.models import Standing
from gateway.storage import standing as module
from gateway.storage.standing import standing_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CACHES = (module._standing, module._membership, module._workspace, module._organization)  # noqa: SLF001 - the bound of each


def _standing(*workspaces: str, groups: str = "a\nb") -> Standing:
    row = SimpleNamespace(organization_id="o", organization_name="Default", auth_mode="basic", group_names=groups)
    standing = standing_of(row, tuple((name, f"The {name}", NOW, "Editor") for name in workspaces))
    assert standing is not None
    return standing


def test_equal_standings_are_one() -> None:
    assert _standing("w") is _standing("w")
    assert _standing("w") != _standing("v")
    assert _standing("w") != _standing("w", groups="a")
    assert _standing("w").organization is _standing("v").organization


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
