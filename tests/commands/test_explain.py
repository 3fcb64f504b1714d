"""`gateway explain`, and the rules' own tests: what is said is what a check does."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Finished, run_gateway
from tests.support.gateway import ADMIN_EMAIL, Gateway, environment, start_gateway

RULES = """
cookie_domain: example.com
public_url: https://auth.example.com
access_control:
  default_policy: deny
  rules:
    - {name: health, domain: "*.example.com", resources: ["^/healthz$"], policy: bypass}
    - {name: admins, domain: admin.example.com, subject: "group:admins", policy: two_factor}
    - {name: app, domain: app.example.com, policy: one_factor}
"""


async def explain(folder: Path, *arguments: str, rules: str = RULES) -> Finished:
    config = folder / "g.yaml"
    config.write_text(rules)
    environ = {"GATEWAY_DATA_DIR": str(folder / "data")}
    return await run_gateway("--config", str(config), "explain", *arguments, environ=environ)


async def test_rule_that_may_cover_says_so(tmp_path: Path) -> None:
    rules = """
cookie_domain: example.com
public_url: https://auth.example.com
access_control:
  rules:
    - {name: other, domain: app.example.com, policy: deny, query: [{key: admin, value: "3"}]}
    - {name: admin, domain: app.example.com, policy: two_factor, query: [{key: admin, value: "1"}]}
    - {name: rest, domain: app.example.com, policy: bypass}
"""
    asked = ("GET", "https://app.example.com/?admin=1&admin=2")
    text = (await explain(tmp_path, *asked, rules=rules)).out
    assert (
        "→   2  admin           two_factor  may cover it, for the query can be read in several ways, and decides\n"
        in text
    )
    assert "    3  rest            bypass      covers it, too late\n" in text
    told = json.loads((await explain(tmp_path, *asked, "--json", rules=rules)).out)["rules"]
    assert [(rule["matches"], rule["certain"], rule["decides"]) for rule in told] == [
        (False, True, False),
        (True, False, True),
        (True, True, False),
    ]


async def test_text_says_who_decided_why_the_others_did_not_and_what_would_have_passed(tmp_path: Path) -> None:
    finished = await explain(
        tmp_path, "GET", "https://admin.example.com/x", "--as", "alice", "--group", "users", "--from", "203.0.113.9"
    )
    assert finished.code == 0, finished.err
    assert finished.out == (
        "GET https://admin.example.com/x\n"
        "by alice in users, one factor, session, from 203.0.113.9 (no account of that name: taken as it is)\n"
        "is refused: default_policy says deny\n"
        "\n"
        "    1  health          bypass      resources: /x does not match ^/healthz$\n"
        "    2  admins          two_factor  subject: alice (in users) is not group:admins\n"
        "    3  app             one_factor  domain: admin.example.com is not app.example.com\n"
        "→      default_policy  deny\n"
        "\n"
        "This would have passed:\n"
        "  as group:admins with a login with a second factor (admins)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "outcome", "rule"),
    [
        (["GET", "https://app.example.com/healthz"], "allow", "health"),
        (["GET", "https://app.example.com"], "login", "app"),
        (["GET", "https://app.example.com/", "--as", "a"], "allow", "app"),
        (["GET", "https://admin.example.com/", "--group", "admins"], "second_factor", "admins"),
        (["GET", "https://admin.example.com/", "--group", "admins", "--factors", "2"], "allow", "admins"),
        (
            ["GET", "https://admin.example.com/", "--group", "admins", "--factors", "2", "--credential", "basic"],
            "second_factor",
            "admins",
        ),
        (["GET", "https://else.example.com/", "--as", "a"], "deny", "default_policy"),
        (["GET", "https://app.example.com/%00"], "deny", "malformed_request"),
        (["GET", "app.example.com"], "deny", "malformed_request"),
        (["get", "https://app.example.com/"], "deny", "malformed_request"),
    ],
)
async def test_json_says_the_same_to_programs(tmp_path: Path, arguments: list[str], outcome: str, rule: str) -> None:
    """C5."""
    finished = await explain(tmp_path, *arguments, "--json")
    assert finished.code == 0, finished.err
    assert (finished.json["outcome"], finished.json["decided_by"]) == (outcome, rule)
    assert not (tmp_path / "data").exists()


async def test_malformed_url_is_explained_as_well(tmp_path: Path) -> None:
    finished = await explain(tmp_path, "GET", "https://app.example.com/%zz")
    assert "is refused before any rule: malformed_request" in finished.out


async def test_wrong_address_is_refused(tmp_path: Path) -> None:
    finished = await explain(tmp_path, "GET", "https://app.example.com/", "--from", "office")
    assert finished.code == 2
    assert "office is no address" in finished.err


async def test_key_counts_what_the_settings_say(tmp_path: Path) -> None:
    arguments = ["GET", "https://admin.example.com/", "--group", "admins", "--credential", "api_key", "--json"]
    assert (await explain(tmp_path, *arguments)).json["outcome"] == "second_factor"
    finished = await explain(tmp_path, *arguments, rules=RULES + "api_keys_satisfy: two_factor\n")
    assert finished.json["outcome"] == "allow"


async def test_people_of_the_database_bring_their_groups(tmp_path: Path) -> None:
    """C5: what is explained is what the running gateway does."""
    rules = RULES.replace("https://auth.example.com", "http://auth.example.com").replace("two_factor", "one_factor")
    config = tmp_path / "g.yaml"
    config.write_text(rules)
    environ = environment(tmp_path / "data")
    environ.pop("GATEWAY_PUBLIC_URL")

    async def explained(gateway: Gateway, *more: str) -> dict[str, Any]:
        url = "http://admin.example.com/"
        environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
        finished = await run_gateway(
            "--config",
            str(config),
            "explain",
            "GET",
            url,
            "--as",
            ADMIN_EMAIL.upper(),
            "--json",
            *more,
            environ=environ,
        )
        assert finished.code == 0, finished.err
        report: dict[str, Any] = finished.json
        return report

    async with start_gateway(environ, config=config) as gateway:
        before = await explained(gateway)
        assert (before["visitor"]["groups"], before["visitor"]["remark"], before["outcome"]) == ([], None, "deny")
        for command in (["group", "add", "admins"], ["group", "add-member", "admins", ADMIN_EMAIL]):
            environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
            finished = await run_gateway("--config", str(config), *command, environ=environ)
            assert finished.code == 0, finished.err
        after = await explained(gateway, "--group", "more")
        assert (after["visitor"]["groups"], after["outcome"]) == (["admins", "more"], "allow")
        cookie = (await gateway.session()).cookie
        assert (await gateway.check("http://admin.example.com/", Cookie=cookie)).status == HTTPStatus.OK


@pytest.mark.parametrize(
    ("who", "outcome"),
    [
        (["role:admin"], "allow"),
        (["role:Organization Admin"], "allow"),
        (["alice", "role:admin"], "allow"),
        (["role:user"], "deny"),
        (["alice"], "deny"),
        (["service:nightly"], "allow"),
        (["service:nightly", "role:viewer"], "allow"),
        (["service:other"], "deny"),
        (["service:other", "role:admin"], "allow"),
        (["nightly"], "deny"),
    ],
)
async def test_roles_and_service_accounts_can_ask(tmp_path: Path, who: list[str], outcome: str) -> None:
    rules = """
access_control:
  rules:
    - {name: those, domain: localhost, subject: ["role:admin", "service:Nightly"], policy: one_factor}
"""
    arguments = [word for name in who for word in ("--as", name)]
    finished = await explain(tmp_path, "GET", "http://localhost/", *arguments, "--json", rules=rules)
    assert finished.code == 0, finished.err
    assert finished.json["outcome"] == outcome
    presents = "api_key" if who[0].startswith("service:") else "session"
    assert finished.json["visitor"]["credential"] == presents
    if outcome == "deny":
        text = await explain(tmp_path, "GET", "http://localhost/", *arguments, rules=rules)
        assert "(Organization User, in no group) is not role:Organization Admin or service:Nightly" in text.out or (
            "somebody Organization User, in no group is not" in text.out
        )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--as", "role:owner"], "there is no role owner"),
        (["--as", "a", "--as", "service:b"], "names two people"),
        (["--as", "service:a", "--credential", "session"], "a service account has keys only"),
        (["--as", "service:a", "--group", "b"], "no service account is in one"),
    ],
)
async def test_visitor_whom_nobody_could_be_is_refused(tmp_path: Path, arguments: list[str], said: str) -> None:
    finished = await explain(tmp_path, "GET", "http://localhost/", *arguments)
    assert finished.code == 2
    assert said in finished.err


_TESTED = """
access_control:
  rules:
    - {{name: admins, domain: localhost, subject: ["group:admins", "role:admin", "service:ci"], policy: {policy}}}
  tests:
    - {{ask: "GET http://localhost/", expect: login}}
    - {{ask: "GET http://localhost/", as: "group:users", expect: deny}}
    - {{ask: "GET http://localhost/", as: [ada, "group:admins"], expect: allow}}
    - {{ask: "GET http://localhost/", as: "group:admins", factors: 2, expect: {policy}}}
    - {{ask: "GET http://localhost/%00", as: "group:admins", expect: deny}}
    - {{ask: "GET http://localhost/", as: "role:admin", factors: 2, expect: {policy}}}
    - {{ask: "GET http://localhost/", as: [ada, "role:user"], expect: deny}}
    - {{ask: "GET http://localhost/", as: "service:CI", factors: 2, credential: api_key, expect: {policy}}}
    - {{ask: "GET http://localhost/", as: ["service:cd", "role:viewer"], expect: deny}}
"""


async def test_rules_that_do_what_their_tests_expect_are_good(tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text(_TESTED.format(policy="one_factor"))
    finished = await run_gateway("--config", str(tmp_path / "g.yaml"), "config", "check", environ={})
    assert (finished.code, finished.out) == (0, "configuration is good\n")


@pytest.mark.parametrize("command", [["config", "check"], ["serve"]])
async def test_failing_test_is_a_problem_with_its_line_and_what_decided(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "g.yaml").write_text(_TESTED.format(policy="two_factor"))
    finished = await run_gateway("--config", str(tmp_path / "g.yaml"), *command, environ={})
    assert finished.code == 2
    assert finished.err == (
        "The configuration has one problem:\n"
        f"  {tmp_path}/g.yaml:8: access_control.tests[3]: GET http://localhost/: expected allow, "
        "but admins (two_factor) decided second_factor\n"
    )


async def test_explain_shows_why_a_test_fails(tmp_path: Path) -> None:
    rules = _TESTED.format(policy="two_factor")
    finished = await explain(tmp_path, "GET", "http://localhost/", "--group", "admins", rules=rules)
    assert "needs a second factor: rule admins says two_factor" in finished.out
