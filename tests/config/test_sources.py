from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.findings import ConfigurationError
from gateway.config.loading import load_settings
from tests.config.conftest import Load, Refused


def test_environment_beats_env_file_beats_file_beats_default(load: Load) -> None:
    file = "site_name: file\nlisten: 127.0.0.1:1\nmax_answer_headers: 4096\n"
    env_file = "GATEWAY_SITE_NAME=env-file\nGATEWAY_LISTEN=127.0.0.1:2\n"
    loaded = load(file, env_file=env_file, GATEWAY_SITE_NAME="environment")
    assert loaded.settings.site_name == "environment"
    assert loaded.settings.listen.port == 2
    assert loaded.settings.max_answer_headers == 4096
    assert loaded.origins == {
        "site_name": "GATEWAY_SITE_NAME",
        "listen": ".env:2",
        "max_answer_headers": "gateway.yaml:3",
    }


def test_later_env_file_beats_earlier(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("GATEWAY_SITE_NAME=one\nGATEWAY_LISTEN=127.0.0.1:1\n")
    two.write_text("GATEWAY_SITE_NAME=two\n")
    settings = load_settings(None, [one, two], {}).settings
    assert (settings.site_name, settings.listen.port) == ("two", 1)


def test_nested_keys_have_two_underscores(load: Load) -> None:
    settings = load("session: {lifetime: 2d}", GATEWAY_SESSION__IDLE_TIMEOUT="1h").settings
    assert settings.session.idle_timeout.total_seconds() == 3600
    assert settings.session.lifetime.days == 2


def test_every_seed_name_has_its_own_name_too(load: Load) -> None:
    assert load(OUTAGE_GRACE="0").settings.outage_grace.total_seconds() == 0
    assert load(GATEWAY_OUTAGE_GRACE="5").settings.outage_grace.total_seconds() == 5


def test_value_is_read_from_a_file(load: Load, tmp_path: Path) -> None:
    (tmp_path / "name").write_text("Example\n")
    loaded = load("site_name: file", GATEWAY_SITE_NAME_FILE=str(tmp_path / "name"))
    assert loaded.settings.site_name == "Example"
    assert loaded.origins["site_name"] == "GATEWAY_SITE_NAME_FILE"


def test_secret_in_a_file_loses_its_last_line_break_only(load: Load, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(" Correct-Horse#Battery \n\n")
    loaded = load(INITIAL_ORG_ADMIN_EMAIL="a@example.com", INITIAL_ORG_ADMIN_PASSWORD_FILE=str(tmp_path / "secret"))
    password = loaded.settings.basic_auth.initial_org_admin_password
    assert password is not None
    assert password.get_secret_value() == " Correct-Horse#Battery \n"


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        (
            {"GATEWAY_SITE_NAME": "x", "GATEWAY_SITE_NAME_FILE": "y"},
            "GATEWAY_SITE_NAME_FILE: site_name: GATEWAY_SITE_NAME and GATEWAY_SITE_NAME_FILE set the same key",
        ),
        (
            {"OUTAGE_GRACE": "1", "GATEWAY_OUTAGE_GRACE": "2"},
            "OUTAGE_GRACE: outage_grace: GATEWAY_OUTAGE_GRACE and OUTAGE_GRACE set the same key",
        ),
        ({"AUTH_TYPE_FILE": "/nowhere"}, "AUTH_TYPE_FILE: auth_type: the file /nowhere cannot be read: No such file"),
        ({"AUTH_TYPE_FILE": "/dev/null"}, "AUTH_TYPE_FILE: auth_type: the file /dev/null is empty"),
        ({"AUTH_TYPE_FILE": "/"}, "AUTH_TYPE_FILE: auth_type: the file / cannot be read: Is a directory"),
        ({"GATEWAY_LISTN": "x"}, "GATEWAY_LISTN: there is no such setting: did you mean GATEWAY_LISTEN?"),
        (
            {"GATEWAY_SESSION_LIFETIME": "x"},
            "GATEWAY_SESSION_LIFETIME: there is no such setting: did you mean GATEWAY_",
        ),
        ({"GATEWAY_CONFIG_FILE": "x"}, "GATEWAY_CONFIG_FILE: there is no such setting: did you mean GATEWAY_CONFIG?"),
        ({"GATEWAY_PORT": "8080"}, "GATEWAY_PORT: there is no such setting"),
        ({"GATEWAY_": ""}, "GATEWAY_: there is no such setting"),
    ],
)
def test_bad_variable_is_refused(refused: Refused, environ: dict[str, str], problem: str) -> None:
    [said] = refused(**environ)
    assert said.startswith(problem)


def test_unreadable_secret_file_is_the_only_problem(refused: Refused) -> None:
    [said] = refused(INITIAL_ORG_ADMIN_EMAIL="a@example.com", INITIAL_ORG_ADMIN_PASSWORD_FILE="/nowhere")
    assert said.startswith("INITIAL_ORG_ADMIN_PASSWORD_FILE: basic_auth.initial_org_admin_password: the file /nowhere")


def test_empty_variable_is_not_set(load: Load) -> None:
    assert load("site_name: file", GATEWAY_SITE_NAME="", DATABASE_URL="").settings.site_name == "file"


def test_variables_of_others_are_passed_over(load: Load) -> None:
    kubernetes = {
        "GATEWAY_SERVICE_HOST": "10.0.0.1",
        "GATEWAY_SERVICE_PORT": "9091",
        "GATEWAY_SERVICE_PORT_HTTP": "9091",
        "GATEWAY_PORT": "tcp://10.0.0.1:9091",
        "GATEWAY_PORT_9091_TCP": "tcp://10.0.0.1:9091",
        "GATEWAY_PORT_9091_TCP_ADDR": "10.0.0.1",
        "GATEWAY_DB_SERVICE_HOST": "10.0.0.2",
    }
    assert load(PATH="/bin", JWT_REFRESH_SECRET="x", **kubernetes).settings == load().settings


def test_configuration_file_can_be_named_by_a_variable(load: Load, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("site_name: Other")
    assert load(GATEWAY_CONFIG="other.yaml").settings.site_name == "Other"
    assert load(env_file="GATEWAY_CONFIG=other.yaml").settings.site_name == "Other"
    assert load("site_name: Typed", GATEWAY_CONFIG="other.yaml").settings.site_name == "Typed"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("GATEWAY_SITE_NAME=Example", "Example"),
        ("export GATEWAY_SITE_NAME=Example", "Example"),
        ("  GATEWAY_SITE_NAME = Example  ", "Example"),
        ("GATEWAY_SITE_NAME=Example # Inc.", "Example"),
        ("GATEWAY_SITE_NAME=Example#1", "Example#1"),
        ("GATEWAY_SITE_NAME=a=b", "a=b"),
        ("GATEWAY_SITE_NAME=a $b ${c}", "a $b ${c}"),
        ("GATEWAY_SITE_NAME='a # b' # c", "a # b"),
        ('GATEWAY_SITE_NAME="a \\"# b\\\\" # c', 'a "# b\\'),
        ("GATEWAY_SITE_NAME='a\\'", "a\\"),
        ("GATEWAY_SITE_NAME=it's", "it's"),
    ],
)
def test_env_file_is_read_as_compose_reads_it(load: Load, line: str, value: str) -> None:
    assert load(env_file=f"\n# comment\n\r\n{line}\r\n").settings.site_name == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("\njust words\n", ".env:2: --env-file: a line is NAME=value"),
        ("1X=2\n", ".env:1: --env-file: a line is NAME=value"),
        ("\nX='open\n", ".env:2: --env-file: the quote is not closed"),
        ('X="a" b\n', ".env:1: --env-file: the quote is not closed in its line, or something follows it"),
        ("X=1\n\nX=2\n", ".env:3: X: is set already in .env:1"),
        ("\nGATEWAY_LISTN=x\n", ".env:2: GATEWAY_LISTN: there is no such setting: did you mean GATEWAY_LISTEN?"),
        ("\nGATEWAY_LISTEN=x\n", ".env:2: listen: write host and port"),
    ],
)
def test_bad_env_file_is_refused_with_its_line(refused: Refused, text: str, problem: str) -> None:
    [said] = refused(env_file=text)
    assert said.startswith(problem)


def test_env_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--env-file: cannot be read: No such file"):
        load_settings(None, [tmp_path / ".env"], {})
