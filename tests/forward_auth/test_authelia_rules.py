"""Rules as Authelia's documentation and tests have them: they load, and decide as their text says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.client_address import parse_address
from gateway.config.loading import load_settings
from gateway.forward_auth.hypothetical import Visitor, imagine_request
from gateway.forward_auth.policy import DEFAULT, compile_policy
from gateway.forward_auth.rule_compilation import REQUIREMENTS

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "authelia_rules.json").read_text())
VISITORS = {
    "anonymous": Visitor(client_address=parse_address("127.0.0.1")),
    "john": Visitor("john", ("dev", "admins"), client_address=parse_address("10.0.0.8")),
    "bob": Visitor("bob", client_address=parse_address("10.0.0.7")),
    "dora": Visitor("dora", ("dev",), client_address=parse_address("10.0.0.9")),
    "sam": Visitor("sam", client_address=parse_address("fec0::1")),
    "sally": Visitor("sally", ("dev", "admins"), client_address=parse_address("fec0::2")),
}


def test_there_are_enough_of_them() -> None:
    assert len(VECTORS) >= 20


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["text"])
def test_rules_of_authelia_decide_as_their_text_says(vector: dict[str, Any], tmp_path: Path) -> None:
    """C5."""
    config = tmp_path / "gateway.yaml"
    config.write_text(yaml.safe_dump({"access_control": vector["access_control"]}))
    policy = compile_policy(load_settings(config, [], {}).settings.access_control)
    for name, asked, expected in vector["asks"]:
        decision = policy.decide(VISITORS[name].presented(), imagine_request(*asked.split(" ", maxsplit=1)))
        assert decision.requirement is REQUIREMENTS[expected], f"{name}: {asked}: {decision.rule}"
        assert decision.rule != DEFAULT or expected == vector["access_control"].get("default_policy", "deny")
