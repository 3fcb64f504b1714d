"""Names of workspaces."""

from __future__ import annotations

import pytest

from gateway.grammar.workspace_names import parse_workspace_name


@pytest.mark.parametrize(
    ("written", "name"),
    [(" Research ", "Research"), ("\uff32esearch", "Research"), ("Cafe\u0301", "Café"), ("x" * 80,) * 2],
)
def test_name_is_kept_trimmed_and_composed(written: str, name: str) -> None:
    assert parse_workspace_name(written) == name


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "between 1 and 80"),
        ("x" * 81, "between 1 and 80"),
        ("a,b", "comma"),
        ("a\uff0cb", "comma"),
        ("a\x00", "control"),
    ],
)
def test_broken_rule_is_named(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_workspace_name(written)


def test_name_that_grows_when_it_is_compared_has_to_fit_as_well() -> None:
    with pytest.raises(ValueError, match="between 1 and 80"):
        parse_workspace_name("ß" * 41)
