"""What we say about the settings is what they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.config.access_control import RuleSettings
from gateway.config.loading import load_settings
from gateway.config.policy_tests import PolicyTest
from gateway.config.query_conditions import QueryCondition
from gateway.config.schema import dotted, field_at, keys_of, plain_keys
from gateway.config.section import Section
from gateway.config.settings import Settings
from gateway.config.variables import FILE_ONLY, SEED_NAMES, names_of_keys
from gateway.resources import resource_folder

_EXAMPLE = resource_folder("config") / "gateway.yaml"
_DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"
_KEYS = [*plain_keys(), *(("access_control", "rules", name) for name in RuleSettings.model_fields)]


def test_example_holds_the_defaults() -> None:
    loaded = load_settings(_EXAMPLE, [], {})
    assert loaded.settings == Settings()
    assert not loaded.warnings


def test_rules_of_the_example_can_be_uncommented(tmp_path: Path) -> None:
    head, section, rules = _EXAMPLE.read_text(encoding="utf-8").partition("#access_control:")
    rules = re.sub(r"^#", "", section + rules, flags=re.MULTILINE)
    (tmp_path / "gateway.yaml").write_text(
        head.replace("http://localhost:9091", "https://auth.example.com").replace("#cookie_domain", "cookie_domain")
        + rules
    )
    loaded = load_settings(tmp_path / "gateway.yaml", [], {})
    assert loaded.settings.access_control is not None
    assert len(loaded.settings.access_control.rules) == 6
    assert not loaded.warnings


@pytest.mark.parametrize("path", _KEYS, ids=dotted)
def test_every_key_is_in_the_example_and_the_document(path: tuple[str, ...]) -> None:
    example = _EXAMPLE.read_text(encoding="utf-8")
    indent = "  " * (len(path) - 1)
    assert re.search(rf"^#?{indent}(?:  |- |#)?{path[-1]}:", example, re.MULTILINE), (
        f"{dotted(path)} is not in the example"
    )
    name = path[-1] if path[:2] == ("access_control", "rules") and len(path) > 2 else dotted(path)
    assert f"`{name}`" in _DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SEED_NAMES)
def test_every_seed_name_is_in_the_document(name: str) -> None:
    assert f"`{name}`" in _DOCUMENT.read_text(encoding="utf-8")


def test_every_key_has_a_variable_and_an_example() -> None:
    keys = set(plain_keys())
    assert set(names_of_keys().values()) == keys - FILE_ONLY
    assert all((field := field_at(key)) is not None and field.examples for key in keys)


@pytest.mark.parametrize("section", [RuleSettings, PolicyTest, QueryCondition])
def test_every_key_of_a_rule_is_explained_where_rules_are(section: type[Section]) -> None:
    text = _DOCUMENT.with_name("access-control.md").read_text(encoding="utf-8")
    assert [key for key in keys_of(section) if not re.search(rf"\b{key}\b", text)] == []
