"""Passwords hashed as always, at a thousandth of the cost: most tests log somebody in, and few are about the price."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher, Type

from gateway.credentials import passwords

_KIB = 8


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Argon2id take the least memory and one pass.

    Tests of the cost itself have a fixture of this name that does nothing.
    """
    make_hashes_cheap(monkeypatch)


def make_hashes_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=_KIB, parallelism=1, type=Type.ID)
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    monkeypatch.setattr(passwords, "_DIGEST_PASSES", 1)
    monkeypatch.setattr(passwords, "_DIGEST_KIB", _KIB)
