from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.config.database_url import PostgresqlServer, SqliteFile
from tests.config.conftest import Load, Refused


def test_nothing_has_to_be_set(load: Load) -> None:
    loaded = load()
    settings = loaded.settings
    assert settings.public_url == "http://localhost:9091"
    assert str(settings.listen) == "127.0.0.1:9091"
    assert settings.trusted_proxies == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert settings.access_control is None
    assert settings.database == SqliteFile(Path("data/gateway.db"))
    assert not loaded.warnings
    assert not loaded.origins


@pytest.mark.parametrize(
    ("written", "normalised", "host"),
    [
        ("HTTPS://Auth.Example.com/", "https://auth.example.com", "auth.example.com"),
        ("https://auth.example.com:443", "https://auth.example.com", "auth.example.com"),
        ("http://auth.localhost:80/", "http://auth.localhost", "auth.localhost"),
        ("http://[::1]:9091", "http://[::1]:9091", "[::1]"),
        ("https://bücher.example:8443", "https://xn--bcher-kva.example:8443", "xn--bcher-kva.example"),
    ],
)
def test_public_url_is_normalised(load: Load, written: str, normalised: str, host: str) -> None:
    settings = load(GATEWAY_PUBLIC_URL=written).settings
    assert settings.public_url == normalised
    assert settings.public_host == host


@pytest.mark.parametrize(
    "written",
    [
        "auth.example.com",
        "ftp://auth.example.com",
        "//auth.example.com",
        "https://",
        "https:///",
        "https://auth.example.com/login",
        "https://auth.example.com//",
        "https://auth.example.com?",
        "https://auth.example.com#x",
        "https://user@auth.example.com",
        "https://auth.example.com:0",
        "https://auth.example.com:99999",
        "https://auth.example.com,b.example.com",
        "https://auth\\example.com",
        "javascript:alert(1)",
    ],
)
def test_other_public_url_is_refused(refused: Refused, written: str) -> None:
    [problem] = refused(GATEWAY_PUBLIC_URL=written)
    assert problem.startswith("GATEWAY_PUBLIC_URL: public_url: ")
    assert problem.endswith("(for example: https://auth.example.com)")


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("127.0.0.1:9091", "127.0.0.1", 9091),
        ("[::1]:9091", "::1", 9091),
        ("0.0.0.0:80", "0.0.0.0", 80),  # noqa: S104 - what people write in containers
        ("[::]:0", "::", 0),
        ("localhost:9091", "localhost", 9091),
    ],
)
def test_listen_address(load: Load, written: str, host: str, port: int) -> None:
    listen = load(GATEWAY_LISTEN=written).settings.listen
    assert (listen.host, listen.port) == (host, port)
    assert str(listen) == written


@pytest.mark.parametrize(
    "written", ["9091", ":9091", "127.0.0.1", "127.0.0.1:", "::1:9091", "127.0.0.1:65536", "a b:1"]
)
def test_other_listen_address_is_refused(refused: Refused, written: str) -> None:
    [problem] = refused(GATEWAY_LISTEN=written)
    assert problem.startswith("GATEWAY_LISTEN: listen: ")


def test_cookie_name_promises_what_the_cookie_keeps(load: Load) -> None:
    assert load().settings.session_cookie_name == "gateway_session"
    assert load(GATEWAY_PUBLIC_URL="https://a.example.com").settings.session_cookie_name == "__Host-gateway_session"
    shared = load(GATEWAY_PUBLIC_URL="https://a.example.com", GATEWAY_COOKIE_DOMAIN="example.com").settings
    assert shared.session_cookie_name == "__Secure-gateway_session"


@pytest.mark.parametrize("domain", ["example.com", ".Example.com", "auth.example.com"])
def test_cookie_domain_is_public_host_or_above(load: Load, domain: str) -> None:
    settings = load(GATEWAY_PUBLIC_URL="https://auth.example.com", GATEWAY_COOKIE_DOMAIN=domain).settings
    assert settings.cookie_domain == domain.removeprefix(".").lower()


@pytest.mark.parametrize(
    ("public_url", "domain", "cure"),
    [
        ("https://auth.example.com", "com", "name your own domain"),
        ("https://auth.example.co.uk", "co.uk", "name your own domain"),
        ("http://localhost:9091", "localhost", "leave it out"),
        ("http://auth.localhost", "auth.localhost", "leave it out"),
        ("http://127.0.0.1", "127.0.0.1", "leave it out"),
        ("http://[::1]", "[::1]", "leave it out"),
        ("https://auth.example.com", "app.example.com", "auth.example.com"),
        ("https://auth.example.com", "ample.com", "auth.example.com"),
        ("https://auth.example.com", "a.auth.example.com", "auth.example.com"),
    ],
)
def test_other_cookie_domain_is_refused(refused: Refused, public_url: str, domain: str, cure: str) -> None:
    [problem] = refused(GATEWAY_PUBLIC_URL=public_url, GATEWAY_COOKIE_DOMAIN=domain)
    assert problem.startswith("GATEWAY_COOKIE_DOMAIN: cookie_domain: ")
    assert cure in problem


def test_trusted_proxies_are_addresses_and_networks(load: Load) -> None:
    loaded = load(GATEWAY_TRUSTED_PROXIES="10.0.0.7, 172.16.0.0/12,2001:db8::1, ::ffff:192.0.2.0/120")
    assert [str(network) for network in loaded.settings.trusted_proxies] == [
        "10.0.0.7/32",
        "172.16.0.0/12",
        "2001:db8::1/128",
        "192.0.2.0/24",
    ]


@pytest.mark.parametrize("written", ["nginx", "10.0.0.0/33", "10.0.0.256", "fe80::/zz"])
def test_other_trusted_proxy_is_refused(refused: Refused, written: str) -> None:
    [problem] = refused(f"trusted_proxies:\n  - 127.0.0.1\n  - {written}\n")
    assert problem.startswith("gateway.yaml:3: trusted_proxies[2]: neither an address nor a network")


def test_allowed_redirects_are_normalised(load: Load) -> None:
    written = "App.example.org, *.Example.net, http://plain.example.org:8080, https://*.bücher.example"
    assert [str(target) for target in load(GATEWAY_ALLOWED_REDIRECTS=written).settings.allowed_redirects] == [
        "app.example.org",
        "*.example.net",
        "http://plain.example.org:8080",
        "https://*.xn--bcher-kva.example",
    ]


@pytest.mark.parametrize(
    "written",
    ["https://a.example/x", "a.example/", "javascript://a.example", "*", "a.*.example", "a.example:0", "a@b.c"],
)
def test_other_redirect_target_is_refused(refused: Refused, written: str) -> None:
    [problem] = refused(f'allowed_redirects:\n  - "{written}"\n')
    assert problem.startswith("gateway.yaml:2: allowed_redirects[1]: ")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("session: {idle_timeout: 8d}", "session.lifetime: 7d is shorter than session.idle_timeout (8d)"),
        ("session: {lifetime: 0}", "session.lifetime: must be longer than nothing"),
        ("session: {lifetime: -1}", "session.lifetime: not a duration"),
        ("session: {idle_timeout: soon}", "session.idle_timeout: not a duration"),
        ("facts: {max_age: 6m}", "facts.max_age: must be at most 5m"),
        ("facts: {max_entries: 0}", "facts.max_entries: must be greater than or equal to 1"),
        ("max_answer_headers: 8k", "max_answer_headers: must be a whole number"),
        ("max_answer_headers: true", "max_answer_headers: must be a whole number"),
        ("max_answer_headers: 100000", "max_answer_headers: must be less than or equal to 32768"),
        ("outage_grace: never", "outage_grace: not a duration"),
        ("log: {level: loud}", "log.level: must be 'debug', 'info', 'warning' or 'error'"),
        ("site_name: 7", "site_name: must be text: put it in quotes"),
        ('site_name: " "', "site_name: must be readable text"),
        ("organization: {force_password_change: 1}", "organization.force_password_change: write true or false"),
        ("organization: {force_password_change: yes}", "organization.force_password_change: write true or false"),
        ("session: 12h", "session: must be a mapping of keys"),
        ("auth_type: ldap", "auth_type: must be 'none', 'mixed' or 'oauth'"),
        (
            "database_url: postgresql://u:p@db",
            "database_url: must be postgresql://user:password@host/database",
        ),
        (
            "database_url: postgresql://u:p@ss@db/x",
            "database_url: must be postgresql://user:password@host/database: spec",
        ),
        (
            "database_url: postgresql://u:p/ss@db/x",
            "database_url: must be postgresql://user:password@host/database: spec",
        ),
        (
            'database_url: "postgresql://u:1/2@db/x"',
            "database_url: must be postgresql://user:password@host/database: spec",
        ),
        (
            'database_url: "postgresql://u:p#s@db/x"',
            "database_url: must be postgresql://user:password@host/database: spec",
        ),
        ("database_url: postgresql://u:p@db/x?sslmode=verify", "database_url: sslmode must be one of allow, disable,"),
        ("workers: 0", "workers: must be greater than or equal to 1"),
        ("redis_url: redis+sentinel://one:26379", "redis_url: must be redis+sentinel://host:26379,host:26379/name"),
        ("database_url: mysql://u:p@db/x", "database_url: must be sqlite:///"),
        ('database_url: "sqlite:///:memory:"', "database_url: must be sqlite:///"),
        ("redis_url: localhost:6379", "redis_url: must begin with redis://"),
        ("auth_api: {login_max: 0}", "auth_api.login_max: must be greater than or equal to 1"),
        ("auth_api: {session_expiry: 0}", "auth_api.session_expiry: must be greater than"),
        ("auth_api: {role_case: lower}", "auth_api.role_case: must be '' or 'upper'"),
        ('data_dir: ""', "data_dir: must be the path of a folder"),
        ('data_dir: "a\\0b"', "data_dir: must be the path of a folder"),
        (f"data_dir: {'d' * 300}", "data_dir: cannot be used: File name too long"),
        ("data_dir: gateway.yaml", "data_dir: is a file, and must be a folder"),
        ("assertion: true", "assertion: is not yet in this version"),
        ("cookie_domian: x", "cookie_domian: there is no such setting: did you mean cookie_domain?"),
    ],
)
def test_bad_value_is_refused_with_its_line(refused: Refused, lines: str, problem: str) -> None:
    [said] = refused(f"# a comment\n\n{lines}\n")
    assert said.startswith(f"gateway.yaml:3: {problem}")


def test_sqlite_url_names_the_file(load: Load) -> None:
    assert load(DATABASE_URL="sqlite:///here/x.db").settings.database == SqliteFile(Path("here/x.db"))
    assert load(DATABASE_URL="sqlite:////srv/x.db").settings.database == SqliteFile(Path("/srv/x.db"))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_postgresql_url_names_the_server_and_tells_no_password(load: Load, scheme: str) -> None:
    database = load(DATABASE_URL=f"{scheme}://me:hunter2@one,two:5433/gateway?sslmode=require").settings.database
    assert database == PostgresqlServer("postgresql://me:hunter2@one,two:5433/gateway?sslmode=require")
    assert "hunter2" not in f"{database} {database!r}"


@pytest.mark.parametrize(
    "written",
    [
        "postgresql://gateway:s%40cret@one.internal:5432,two.internal:5432/gateway",
        "postgresql://gateway@/gateway?host=/run/postgresql",
        "postgresql://gateway@[2001:db8::1]:5432,[2001:db8::2]/gateway?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem",
    ],
)
def test_postgresql_url_may_name_hosts_sockets_and_certificates(load: Load, written: str) -> None:
    assert load(DATABASE_URL=written).settings.database == PostgresqlServer(written)


def test_librechat_units_are_understood(load: Load) -> None:
    settings = load(LOGIN_WINDOW="5", SESSION_EXPIRY="1000 * 60 * 15", LOGIN_MAX="3", ROLE_CASE="UPPER").settings
    assert settings.auth_api.login_window == timedelta(minutes=5)
    assert settings.auth_api.session_expiry == timedelta(minutes=15)
    assert settings.auth_api.login_max == 3
    assert settings.auth_api.role_case == "upper"
    assert load("auth_api: {session_expiry: 60000}").settings.auth_api.session_expiry == timedelta(minutes=1)


@pytest.mark.parametrize(("written", "allowed"), [("true", True), ("TRUE", True), ("false", False), ("1", False)])
def test_only_true_is_true(load: Load, written: str, allowed: bool) -> None:  # noqa: FBT001 - a column
    loaded = load(ALLOW_EMAIL_LOGIN=written)
    assert loaded.settings.auth_api.allow_email_login is allowed
    assert bool(loaded.warnings) is (written == "1")


def test_settings_cannot_be_changed(load: Load) -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(load().settings, "site_name", "Other")  # noqa: B010 - mypy would refuse the assignment


@pytest.mark.parametrize("prefix", ["lc_sk", "Lc_sk_", "_sk_", "s_", "lc-sk_", "lc_sk_\n", "a" * 16 + "_"])
def test_prefix_of_keys_is_refused_in_words(refused: Refused, prefix: str) -> None:
    [problem] = refused(GATEWAY_SERVICE_KEY_PREFIX=prefix)
    assert "an underscore last" in problem
