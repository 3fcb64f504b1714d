"""Which login is configured: what each kind needs, and what cannot be meant."""

from __future__ import annotations

import pytest

from gateway.models import AuthMode
from tests.config.conftest import Load, Refused

_ADMINISTRATOR = {
    "INITIAL_ORG_ADMIN_EMAIL": "admin@example.com",
    "INITIAL_ORG_ADMIN_PASSWORD": "Correct-Horse#9",
    "BASIC_AUTH_JWT_SECRET": "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMgbG9uZw==",
}
_PROVIDER = {
    "OAUTH_CLIENT_ID": "gateway",
    "OAUTH_CLIENT_SECRET": "a secret of the provider's",
    "OAUTH_ISSUER_URL": "https://login.example.com/realms/one",
}
_BOTH = "Basic auth and OAuth are both enabled. Please enable only one."


def _without(values: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in names}


@pytest.mark.parametrize(
    ("environ", "mode"),
    [
        ({}, AuthMode.BASIC),
        ({"AUTH_TYPE": "mixed"}, AuthMode.BASIC),
        ({"BASIC_AUTH_ENABLED": "true", **_ADMINISTRATOR}, AuthMode.BASIC),
        ({"AUTH_TYPE": "none"}, AuthMode.NONE),
        ({"AUTH_TYPE": "none", "BASIC_AUTH_ENABLED": "false"}, AuthMode.NONE),
        ({"AUTH_TYPE": "mixed", "BASIC_AUTH_ENABLED": "false", **_PROVIDER}, AuthMode.OAUTH),
        ({"AUTH_TYPE": "oauth", **_PROVIDER}, AuthMode.OAUTH),
        ({"AUTH_TYPE": "oauth", **_without(_PROVIDER, "OAUTH_CLIENT_SECRET")}, AuthMode.OAUTH),
        ({"AUTH_TYPE": "oauth", "BASIC_AUTH_ENABLED": "false", **_PROVIDER}, AuthMode.OAUTH),
        ({"GATEWAY_OAUTH__ENABLED": "false", **_PROVIDER}, AuthMode.BASIC),
    ],
)
def test_mode_follows_from_what_is_configured(load: Load, environ: dict[str, str], mode: AuthMode) -> None:
    assert load(**environ).settings.auth_mode is mode


def test_basic_auth_that_is_written_out_asks_for_everything_at_once(refused: Refused) -> None:
    said = refused(BASIC_AUTH_ENABLED="true")
    assert [problem.split(" (")[0] for problem in said] == [
        f"BASIC_AUTH_ENABLED: basic_auth.{key}: is missing, and BASIC_AUTH_ENABLED=true asks for it: set {variable}"
        for key, variable in (
            ("initial_org_admin_email", "INITIAL_ORG_ADMIN_EMAIL"),
            ("initial_org_admin_password", "INITIAL_ORG_ADMIN_PASSWORD"),
            ("jwt_secret", "BASIC_AUTH_JWT_SECRET"),
        )
    ]


@pytest.mark.parametrize("name", _ADMINISTRATOR)
def test_each_value_that_basic_auth_lacks_is_named(refused: Refused, name: str) -> None:
    [said] = refused(BASIC_AUTH_ENABLED="true", **_without(_ADMINISTRATOR, name))
    assert f"set {name}" in said


@pytest.mark.parametrize("name", _PROVIDER)
@pytest.mark.parametrize("basic", [{}, {"BASIC_AUTH_ENABLED": "true", **_ADMINISTRATOR}], ids=["usual", "written"])
def test_any_oauth_value_beside_basic_auth_is_refused(refused: Refused, name: str, basic: dict[str, str]) -> None:
    [said] = refused(AUTH_TYPE="mixed", **{name: _PROVIDER[name]}, **basic)
    assert f": {_BOTH} Set BASIC_AUTH_ENABLED=false, or remove {name}." in said
    assert said.startswith(f"{name}: ")


def test_mode_oauth_with_basic_auth_written_out_is_refused(refused: Refused) -> None:
    [said] = refused(AUTH_TYPE="oauth", BASIC_AUTH_ENABLED="true")
    assert said.startswith(f"BASIC_AUTH_ENABLED: basic_auth.enabled: {_BOTH}")


@pytest.mark.parametrize(
    ("switches", "wanted"),
    [
        ({"AUTH_TYPE": "oauth"}, {"OAUTH_CLIENT_ID", "OAUTH_ISSUER_URL"}),
        ({"AUTH_TYPE": "mixed", "BASIC_AUTH_ENABLED": "false"}, set(_PROVIDER)),
    ],
)
def test_each_value_that_oauth_lacks_is_named(refused: Refused, switches: dict[str, str], wanted: set[str]) -> None:
    for name in wanted:
        [said] = refused(**switches, **_without(_PROVIDER, name))
        assert f"set {name}" in said


def test_gateway_that_nobody_could_log_in_to_is_refused(refused: Refused) -> None:
    [said] = refused(BASIC_AUTH_ENABLED="false")
    assert said.startswith(
        "BASIC_AUTH_ENABLED: basic_auth.enabled: is false, and there is no other login: nobody could"
    )
    assert all(name in said for name in _PROVIDER)


@pytest.mark.parametrize(
    "environ", [{"BASIC_AUTH_ENABLED": "true", **_ADMINISTRATOR}, {"GATEWAY_OAUTH__ENABLED": "true", **_PROVIDER}]
)
def test_login_that_is_written_out_contradicts_none(refused: Refused, environ: dict[str, str]) -> None:
    [said] = refused(AUTH_TYPE="none", **environ)
    assert "AUTH_TYPE=none lets everybody in without a login" in said


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://login.example.com", True),
        ("https://login.example.com:8443/tenant/v2.0/", True),
        ("http://localhost:8080/realms/one", True),
        ("http://127.0.0.1:8080", True),
        ("http://login.example.com", False),
        ("ftp://login.example.com", False),
        ("https://", False),
        ("https://user@login.example.com", False),
        ("https://login.example.com/?tenant=one", False),
        ("https://login.example.com/#one", False),
    ],
)
def test_issuer_is_an_https_url(load: Load, refused: Refused, url: str, good: bool) -> None:  # noqa: FBT001 - a table
    environ = {"AUTH_TYPE": "oauth", **_PROVIDER, "OAUTH_ISSUER_URL": url}
    if good:
        assert load(**environ).settings.oauth.issuer_url == url
    else:
        [said] = refused(**environ)
        assert said.startswith("OAUTH_ISSUER_URL: oauth.issuer_url: ")


def test_helm_values_of_oauth_are_taken_as_they_are(load: Load) -> None:
    oauth = load("""\
config:
  authType: mixed
  basicAuth:
    enabled: false
  oauth:
    enabled: true
    oauthClientId: gateway
    oauthClientSecret: a secret of the provider's
    oauthIssuerUrl: https://login.example.com
""").settings.oauth
    assert (oauth.client_id, oauth.issuer_url) == ("gateway", "https://login.example.com")
    assert oauth.client_secret is not None
    assert "a secret" not in repr(oauth)


def test_helm_values_that_switch_oauth_off_leave_basic_auth_on(load: Load) -> None:
    loaded = load("config:\n  oauth:\n    enabled: false\n    oauthClientId: gateway\n")
    assert loaded.settings.auth_mode is AuthMode.BASIC


def test_helm_key_that_is_misspelt_is_named(refused: Refused) -> None:
    [said] = refused("config:\n  oauth:\n    oauthClientID: gateway\n")
    assert "config.oauth.oauthClientID: there is no such setting: did you mean config.oauth.oauthClientId" in said


def test_problems_of_the_mode_stand_beside_all_others(refused: Refused) -> None:
    said = refused("public_url: nowhere\noauth:\n  client_id: gateway\n")
    assert [problem.partition(": ")[0] for problem in said] == ["gateway.yaml:1", "gateway.yaml:3"]


def test_mode_that_cannot_be_read_is_the_only_problem(refused: Refused) -> None:
    [said] = refused(AUTH_TYPE="None", **_PROVIDER)
    assert said.startswith("AUTH_TYPE: auth_type: must be 'none', 'mixed' or 'oauth'")


@pytest.mark.parametrize(
    ("listen", "loud"),
    [("127.0.0.1:9091", False), ("[::1]:9091", False), ("localhost:9091", False), ("0.0.0.0:9091", True)],
)
def test_open_gateway_that_others_reach_is_warned_about(load: Load, listen: str, loud: bool) -> None:  # noqa: FBT001 - a table
    warnings = [str(warning) for warning in load(AUTH_TYPE="none", GATEWAY_LISTEN=listen).warnings]
    assert [warning.startswith("GATEWAY_LISTEN: listen: EVERYBODY") for warning in warnings] == ([True] if loud else [])


def test_what_changes_nothing_without_logins_is_warned_about(load: Load) -> None:
    loaded = load(
        AUTH_TYPE="none",
        ALLOW_REGISTRATION="true",
        ALLOW_PASSWORD_RESET="true",
        GATEWAY_BASIC_CREDENTIALS="true",
        INITIAL_ORG_ADMIN_EMAIL=_ADMINISTRATOR["INITIAL_ORG_ADMIN_EMAIL"],
        INITIAL_ORG_ADMIN_PASSWORD=_ADMINISTRATOR["INITIAL_ORG_ADMIN_PASSWORD"],
    )
    assert {warning.key for warning in loaded.warnings} == {
        "auth_api.allow_registration",
        "auth_api.allow_password_reset",
        "basic_credentials",
        "basic_auth.initial_org_admin_email",
    }


def test_oauth_that_is_good_is_warned_about_as_to_come(load: Load) -> None:
    [warning] = load(AUTH_TYPE="oauth", **_PROVIDER).warnings
    assert "comes with a later version" in str(warning)
