from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.config.findings import ConfigurationError
from gateway.config.loading import load_settings
from tests.config.conftest import Load, Refused


def test_all_problems_are_told_at_once_each_with_its_line(refused: Refused) -> None:
    problems = refused(
        """\
public_url: example.com
sesion: {}
session:
  idle_timeout: 1w
  idle_timeout: 2w

log:
  level: loud
access_control:
  rules:
    - domain: app.example.com
      policy: three_factor
""",
        GATEWAY_LISTEN="nowhere",
        GATEWAY_LITSEN="x",
    )
    wheres = {re.split(r": (?:must|is|write|not|there)", problem)[0] for problem in problems}
    assert wheres == {
        "gateway.yaml:1: public_url",
        "gateway.yaml:2: sesion",
        "gateway.yaml:5: session.idle_timeout",
        "gateway.yaml:8: log.level",
        "gateway.yaml:12: access_control.rules[1].policy",
        "GATEWAY_LISTEN: listen",
        "GATEWAY_LITSEN",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "gateway.yaml: --config: is empty"),
        ("# nothing\n", "gateway.yaml: --config: is empty"),
        ("---\n- a\n- b\n", "gateway.yaml:2: --config: is no mapping of keys"),
        ("just words\n", "gateway.yaml:1: --config: is no mapping of keys"),
        ("log:\n\tlevel: info\n", "gateway.yaml:2: --config: is not YAML: found character '\\t'"),
        ("log: {level: info\nlisten: x\n", "gateway.yaml:2: --config: is not YAML: "),
        ("log: *nothing\n", "gateway.yaml:1: --config: is not YAML: found undefined alias"),
        ("site_name: A\n---\nsite_name: B\n", "gateway.yaml:2: --config: is not YAML: but found another document"),
        ("site_name: A\x00\n", "gateway.yaml: --config: is not YAML: special characters are not allowed"),
        ("log: &log\n  below: *log\n", "gateway.yaml:1: --config: holds too much"),
        ("[" * 5000, "gateway.yaml: --config: holds too much"),
    ],
)
def test_file_that_is_no_mapping_is_refused(refused: Refused, text: str, problem: str) -> None:
    [said] = refused(text)
    assert said.startswith(problem)


def test_file_that_unfolds_without_end_is_refused(refused: Refused) -> None:
    levels = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
    [said] = refused("\n".join(["a0: &a0 [x]", *levels]))
    assert "holds too much" in said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("site_name: A\nsite_name: B\n", "gateway.yaml:2: site_name: is written twice, first in line 1"),
        ("? [a]\n: b\n", "gateway.yaml:1: : a key must be a plain word"),
        ("site_name: !!python/name:os.system x\n", "gateway.yaml:1: site_name: has the tag"),
        ("site_name: !!timestamp soon\n", "gateway.yaml:1: site_name: has the tag"),
        ("site_name: !!int soon\n", "gateway.yaml:1: site_name: is not what its tag says"),
    ],
)
def test_other_yaml_that_nobody_means_is_refused(refused: Refused, text: str, problem: str) -> None:
    assert any(said.startswith(problem) for said in refused(text))


@pytest.mark.parametrize(
    ("word", "name"), [("no", "no"), ("on", "on"), ("1:30", "1:30"), ("2026-01-01", "2026-01-01"), ("0755", "0755")]
)
def test_plain_words_are_text(load: Load, word: str, name: str) -> None:
    assert load(f"site_name: {word}").settings.site_name == name


def test_anchors_and_merge_keys_work(load: Load) -> None:
    access_control = load("""
access_control:
  rules:
    - &base
      domain: localhost
      policy: deny
      path: /a
    - &second
      <<: *base
      path: /b
    - *second
""").settings.access_control
    assert access_control is not None
    assert [rule.path for rule in access_control.rules] == [("/a",), ("/b",), ("/b",)]


@pytest.mark.parametrize("text", ["session:\nlog:\nlisten:\n", "\ufeffsite_name: Gateway\r\n"])
def test_key_without_a_value_is_not_set(load: Load, text: str) -> None:
    assert load(text).settings == load().settings


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "missing.yaml", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigurationError, match=reason) as caught:
            load_settings(path, [], {})
        assert caught.value.problems[0].origin == str(path)


def test_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin1.yaml").write_bytes("site_name: Büro".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_settings(tmp_path / "latin1.yaml", [], {})
