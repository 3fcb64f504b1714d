from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from pydantic import SecretStr, ValidationError

from gateway.config.basic_auth import BasicAuth
from gateway.config.findings import ConfigurationError
from gateway.config.secrets import Secrets, load_secrets
from gateway.config.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "made" / "data")


def _configured(secret: str, *, salt: str = "Salt-of-the-earth") -> Secrets:
    return load_secrets(Settings(basic_auth=BasicAuth(jwt_secret=SecretStr(secret)), api_key_salt=SecretStr(salt)))


def test_secrets_are_made_once_and_kept_for_their_owner_only(settings: Settings) -> None:
    first = load_secrets(settings)
    assert {name: origin.file for name, origin in first.origins.items()} == {
        name: settings.data_dir / name for name in ("jwt_secret", "api_key_salt", "encryption_key")
    }
    assert len(first.jwt_secret) == len(first.api_key_salt) == len(first.encryption_key) == 32
    assert load_secrets(settings) == first
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in settings.data_dir.iterdir()}
    assert files == {"jwt_secret": 0o600, "api_key_salt": 0o600, "encryption_key": 0o600}
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700


def test_two_installations_have_different_secrets(tmp_path: Path) -> None:
    one, two = (load_secrets(Settings(data_dir=tmp_path / name)) for name in ("one", "two"))
    assert len({one.jwt_secret, two.jwt_secret, one.api_key_salt, two.api_key_salt}) == 4


def test_salt_of_keys_does_not_depend_on_the_jwt_secret() -> None:
    """K1: API keys survive a changed JWT secret, and sessions a changed salt."""
    before, jwt_changed = _configured("Short-and-unknown"), _configured("Another-and-unknown")
    assert jwt_changed.api_key_salt == before.api_key_salt
    assert jwt_changed.derive("session token") != before.derive("session token")
    salt_changed = _configured("Short-and-unknown", salt="Pepper-of-the-earth")
    assert salt_changed.api_key_salt != before.api_key_salt
    assert salt_changed.derive("session token") == before.derive("session token")


def test_one_text_used_for_both_makes_two_secrets() -> None:
    both = _configured("Short-and-unknown", salt="Short-and-unknown")
    assert both.api_key_salt != both.jwt_secret


def test_fingerprints_tell_a_change_and_no_secret() -> None:
    before, after = _configured("Short-and-unknown"), _configured("Short-and-unknown", salt="Pepper-of-the-earth")
    changed = {name for name, value in before.fingerprints().items() if after.fingerprints()[name] != value}
    assert changed == {"api_key_salt"}
    assert before.api_key_salt.hex() not in before.fingerprints().values()


@pytest.mark.parametrize("salt", ["changeme", "  ", "password123"])
def test_salt_that_everybody_knows_is_refused(salt: str) -> None:
    with pytest.raises(ValidationError, match=r"openssl rand|leave it out"):
        Settings(api_key_salt=SecretStr(salt))


def test_many_first_starts_agree_on_one_secret(settings: Settings) -> None:
    barrier = Barrier(16)

    def start(_: int) -> Secrets:
        barrier.wait()
        return load_secrets(settings)

    with ThreadPoolExecutor(16) as pool:
        started = list(pool.map(start, range(16)))
    assert len({(secrets.jwt_secret, secrets.api_key_salt, secrets.encryption_key) for secrets in started}) == 1
    assert {path.name for path in settings.data_dir.iterdir()} == {"jwt_secret", "api_key_salt", "encryption_key"}


def test_configured_secret_of_any_length_becomes_32_bytes(settings: Settings) -> None:
    short, long = _configured("Short-and-unknown"), _configured("x7" * 300)
    assert str(short.origins["jwt_secret"]) == "BASIC_AUTH_JWT_SECRET"
    assert short.origins["jwt_secret"].file is None
    assert len(short.jwt_secret) == len(long.jwt_secret) == 32
    assert short.jwt_secret != long.jwt_secret
    assert _configured("Short-and-unknown") == short
    assert not settings.data_dir.exists()


def test_each_purpose_has_its_own_key() -> None:
    secrets = _configured("Short-and-unknown")
    keys = {secrets.jwt_secret, secrets.derive("session token"), secrets.derive("access token")}
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}
    assert secrets.derive("session token") == secrets.derive("session token")


def test_changed_secret_changes_every_key() -> None:
    assert _configured("Short-and-unknown").derive("x") != _configured("Short-and-unknowm").derive("x")


def test_secret_has_no_repr() -> None:
    secrets = _configured("Short-and-unknown")
    assert repr(secrets).startswith("Secrets(origins={")
    assert "Short-and-unknown" not in repr(secrets)


@pytest.mark.parametrize("name", ["jwt_secret", "api_key_salt"])
@pytest.mark.parametrize(
    ("mode", "text", "cure"),
    [(0o644, "x" * 64, "chmod 600"), (0o600, "", "is damaged"), (0o600, "short\n", "is damaged")],
)
def test_file_that_cannot_be_trusted_is_refused(settings: Settings, name: str, mode: int, text: str, cure: str) -> None:
    settings.data_dir.mkdir(parents=True)
    file = settings.data_dir / name
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=cure) as caught:
        load_secrets(settings)
    assert caught.value.problems[0].origin == str(file)


def test_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="make the data folder writable, or set BASIC_AUTH_JWT_SECRET"):
        load_secrets(Settings(data_dir=tmp_path / "file" / "data"))
