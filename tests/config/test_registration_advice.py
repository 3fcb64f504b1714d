"""Whoever may register may get in: said at the start."""

from __future__ import annotations

import pytest

from tests.config.conftest import Load

_ON = "auth_api: {allow_registration: true}\n"
_RULES = "public_url: https://auth.example.com\ncookie_domain: example.com\naccess_control: "


def _warned(load: Load, text: str) -> bool:
    warnings = [str(warning) for warning in load(text).warnings]
    return any("auth_api.allow_registration: is on, and the rules let every account in" in one for one in warnings)


@pytest.mark.parametrize(
    ("rules", "warned"),
    [
        ("", True),
        (_RULES + "{default_policy: one_factor}", True),
        (_RULES + "{default_policy: two_factor}", True),
        (_RULES + "{rules: [{domain: '*.example.com', policy: one_factor}]}", True),
        (_RULES + "{rules: [{domain: '*.example.com', policy: one_factor, subject: 'group:staff'}]}", False),
        (_RULES + "{rules: [{domain: app.example.com, policy: one_factor}]}", False),
        (_RULES + "{rules: [{domain: '*.example.com', policy: deny}]}", False),
        (_RULES + "{default_policy: deny}", False),
    ],
)
def test_registration_with_rules_that_let_everybody_in_is_warned_about(
    load: Load,
    rules: str,
    warned: bool,  # noqa: FBT001 - a column
) -> None:
    assert _warned(load, _ON + rules) is warned
    assert not _warned(load, rules or "{}"), "nobody can register"


def test_limiting_the_addresses_is_an_answer_to_it(load: Load) -> None:
    assert not _warned(load, "auth_api: {allow_registration: true, allowed_email_domains: example.com}")
