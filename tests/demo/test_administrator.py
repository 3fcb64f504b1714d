"""The demo's administrator is made once and kept where only its owner can read."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from gateway.demo.administrator import FILE_NAME, kept_administrator
from gateway.demo.errors import DemoFailed
from gateway.grammar.initial_password import broken_initial_password_rules

if TYPE_CHECKING:
    from pathlib import Path


def test_second_start_finds_the_same_administrator(tmp_path: Path) -> None:
    first = kept_administrator(tmp_path / "data")
    assert kept_administrator(tmp_path / "data") == first
    assert first.email == "admin@example.com"


def test_password_keeps_the_rules_and_differs_between_installations(tmp_path: Path) -> None:
    passwords = {kept_administrator(tmp_path / str(number)).password for number in range(20)}
    assert len(passwords) == 20
    assert not any(broken_initial_password_rules(password) for password in passwords)


def test_password_is_for_its_owner_alone(tmp_path: Path) -> None:
    administrator = kept_administrator(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert administrator.password not in repr(administrator)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"email": "a@b.c"}'])
def test_damaged_file_is_named_with_a_cure(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(DemoFailed, match=r"demo-administrator\.json cannot be read.*Remove"):
        kept_administrator(tmp_path)
