"""What is said about mail settings that cannot work, and about those that somebody will regret."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.findings import ConfigurationError
from gateway.config.loading import LoadedSettings, load_settings
from gateway.config.show import show_settings
from tests.support.certificate import CertificateFiles

REGISTRATION = {"ALLOW_REGISTRATION": "true", "ALLOWED_EMAIL_DOMAINS": "example.com"}


def load(**environ: str) -> LoadedSettings:
    return load_settings(None, (), environ)


def refused(**environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(**environ)
    [problem] = caught.value.problems
    return str(problem)


def mail(**settings: str) -> dict[str, str]:
    return {f"GATEWAY_MAIL__{name.upper()}": value for name, value in settings.items()}


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (mail(transport="smtp"), "needs mail.host"),
        (mail(host="smtp.example.com:587"), "its port goes into mail.port"),
        (mail(host="smtp://smtp.example.com"), "name of a server alone"),
        (mail(username="gateway"), "belong together"),
        (mail(sender="nobody"), "one @"),
        (mail(sender="Example <nobody>"), "one @"),
        (mail(sender="jörg@example.com"), "ASCII"),
        (mail(sender="Ex\nBcc: x <a@example.com>"), "one line"),
        (mail(ca_file="missing.pem"), "cannot be read"),
        (mail(security="ssl"), "starttls"),
    ],
)
def test_what_cannot_work_stops_the_start(settings: dict[str, str], complaint: str) -> None:
    assert complaint in refused(**settings)


def test_file_without_certificates_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    assert "holds no certificate" in refused(**mail(ca_file=str(tmp_path / "ca.pem")))


def test_settings_of_a_server_are_taken(certificate: CertificateFiles) -> None:
    loaded = load(
        **mail(transport="SMTP", host="smtp.example.com", security="TLS", sender="Example <No-Reply@Example.com>"),
        **mail(username="gateway", password="pass", ca_file=str(certificate.chain)),
    )
    settings = loaded.settings.mail
    assert (settings.transport, settings.security, settings.server_port) == ("smtp", "tls", 465)
    assert str(settings.sender) == "Example <no-reply@example.com>"
    assert "sender: Example <no-reply@example.com>" in show_settings(loaded)
    assert not loaded.warnings


@pytest.mark.parametrize("host", ["smtp.example.com", "mail", "192.0.2.1", "2001:db8::1"])
def test_any_server_can_be_named(host: str) -> None:
    assert load(**mail(transport="smtp", host=host)).settings.mail.host == host


@pytest.mark.parametrize(
    ("environ", "warned"),
    [
        ({**REGISTRATION, **mail(transport="none")}, "nobody who registers can ever log in"),
        (
            {**REGISTRATION, "ALLOW_UNVERIFIED_EMAIL_LOGIN": "true", **mail(transport="none")},
            None,
        ),
        (mail(transport="none"), None),
        ({**REGISTRATION, "GATEWAY_PUBLIC_URL": "https://auth.example.com"}, "mail.transport is file"),
        ({**REGISTRATION, "GATEWAY_PUBLIC_URL": "http://localhost:9091"}, None),
        (mail(transport="smtp", host="mail", security="none", username="u", password="p"), "can be read"),
        (mail(transport="smtp", host="localhost", security="none", username="u", password="p"), None),
        (mail(transport="smtp", host="mail", security="none"), None),
        (mail(host="smtp.example.com"), "no mail is sent there"),
    ],
)
def test_what_somebody_will_regret_is_warned_about(environ: dict[str, str], warned: str | None) -> None:
    warnings = [str(warning) for warning in load(**environ).warnings]
    assert len(warnings) == (warned is not None)
    assert (warned or "") in "".join(warnings)
