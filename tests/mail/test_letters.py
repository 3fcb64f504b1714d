"""What letters say, and what nobody can make them say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from jinja2 import TemplateSyntaxError

from gateway.config.loading import load_settings
from gateway.grammar.email import NamedAddress
from gateway.mail.foreign_words import describe_device, presentable_name
from gateway.mail.letters import Letterhead, Letters, Unwritable
from gateway.mail.outbox import MailKind, PostedLetter
from gateway.resources import resource_folder
from tests.support.letters import html_of, link_in, text_of

URL = "https://auth.example.com"
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
HEAD = Letterhead("Example Inc.", URL, NamedAddress("no-reply@example.com", "Example Inc."))

CONTEXTS: dict[MailKind, dict[str, str]] = {
    MailKind.VERIFY_EMAIL: {"name": "Ada", "link": f"{URL}/verify?token=t&email=a%40b", "expires_in": "24 hours"},
    MailKind.PASSWORD_RESET: {
        "name": "Ada",
        "link": f"{URL}/reset-password?token=t&userId=1",
        "expires_in": "1 hour",
        "client_address": "192.0.2.7",
    },
    MailKind.ALREADY_REGISTERED: {"name": "Ada", "login_link": f"{URL}/login", "reset_link": f"{URL}/forgot-password"},
    MailKind.PASSWORD_CHANGED: {"name": "Ada"},
    MailKind.NEW_DEVICE: {
        "name": "Ada",
        "client_address": "192.0.2.7",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "at": "2 January 2026, 12:00 UTC",
    },
    MailKind.SECOND_FACTOR_CHANGED: {"name": "Ada", "change": "A second factor was added to your account."},
    MailKind.INVITATION: {
        "name": "Ada",
        "email": "ada@example.com",
        "link": f"{URL}/login",
        "password": "AbCdE-fGhJk-mNpQr-sTuVw",
    },
    MailKind.TEST: {},
}


def write(
    kind: MailKind, *, to: str = "ada@example.com", without: str = "", head: Letterhead = HEAD, **changed: str
) -> EmailMessage:
    context = {key: value for key, value in {**CONTEXTS[kind], **changed}.items() if key != without}
    return write_with(kind, context, to=to, head=head)


def write_with(
    kind: MailKind, context: dict[str, str], *, to: str = "ada@example.com", head: Letterhead = HEAD
) -> EmailMessage:
    return Letters(head).write(PostedLetter("0f1e", kind, to, NOON, context))


@pytest.mark.parametrize("kind", MailKind)
def test_letter_says_the_same_as_text_and_as_html(kind: MailKind) -> None:
    letter = write(kind)
    text, page = text_of(letter), html_of(letter)
    shown = re.sub(r"<[^>]+>", "", page).replace("&amp;", "&")
    for key, value in CONTEXTS[kind].items():
        told = "Firefox on Linux" if key == "user_agent" else value
        assert told in text
        assert told in (page if key == "reset_link" else shown)
    assert "Example Inc." in letter["Subject"]
    assert URL in text
    assert page.startswith("<!doctype html>")


def test_every_template_belongs_to_a_letter() -> None:
    names = {path.name for path in (resource_folder("templates") / "mail").iterdir()}
    letters = {f"{kind}.{ending}" for kind in MailKind for ending in ("txt", "html")}
    assert {name for name in names if not name.startswith("_")} == letters
    assert set(CONTEXTS) == set(MailKind)


@pytest.mark.parametrize("kind", MailKind)
def test_letter_loads_nothing_and_runs_nothing(kind: MailKind) -> None:
    page = html_of(write(kind))
    assert not re.search(r"<(?:img|script|link|iframe|form)\b|\burl\(|@import|\bon\w+=", page)
    assert {url.partition("?")[0] for url in re.findall(r'href="([^"]+)"', page)} <= {
        URL,
        f"{URL}/verify",
        f"{URL}/login",
        f"{URL}/forgot-password",
        f"{URL}/reset-password",
    }


def test_already_registered_offers_no_reset_where_there_is_none() -> None:
    letter = write(MailKind.ALREADY_REGISTERED, reset_link="")
    assert "forgotten" not in text_of(letter)
    assert "forgotten" not in html_of(letter)


def test_headers_tell_machines_what_they_need() -> None:
    letter = write(MailKind.VERIFY_EMAIL)
    assert letter["From"] == '"Example Inc." <no-reply@example.com>'
    assert letter["To"] == "ada@example.com"
    assert letter["Message-ID"] == "<0f1e@example.com>"
    assert letter["Date"].datetime == NOON
    assert letter["Auto-Submitted"] == "auto-generated"


def test_same_letter_is_recognised_when_it_comes_twice() -> None:
    assert write(MailKind.VERIFY_EMAIL)["Message-ID"] == write(MailKind.VERIFY_EMAIL)["Message-ID"]


def test_plain_letter_can_be_read_without_a_mail_program() -> None:
    assert CONTEXTS[MailKind.VERIFY_EMAIL]["link"] in write(MailKind.VERIFY_EMAIL).as_string().splitlines()


@pytest.mark.parametrize("host", ["evil.example", "auth.example.com.evil.example", "auth.example.com@evil.example"])
@pytest.mark.parametrize(
    ("kind", "key"),
    [
        (MailKind.VERIFY_EMAIL, "link"),
        (MailKind.PASSWORD_RESET, "link"),
        (MailKind.ALREADY_REGISTERED, "login_link"),
        (MailKind.ALREADY_REGISTERED, "reset_link"),
    ],
)
def test_link_that_leads_elsewhere_is_never_written(kind: MailKind, key: str, host: str) -> None:
    """D4."""
    with pytest.raises(Unwritable):
        write_with(kind, {**CONTEXTS[kind], key: f"https://{host}/verify?token=t"})


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind in MailKind for key in CONTEXTS[kind] if key != "name"])
def test_letter_that_lacks_a_value_is_not_written(kind: MailKind, key: str) -> None:
    with pytest.raises(Unwritable):
        write(kind, without=key)


@pytest.mark.parametrize("name", ["Ada", "J. R. R. Tolkien", "O'Neil-Smith", "Søren Åse", "山田 太郎", "Nguyễn Văn A"])
def test_person_is_greeted_by_name(name: str) -> None:
    assert text_of(write(MailKind.PASSWORD_CHANGED, name=name)).startswith(f"Hello {name},\n")


@pytest.mark.parametrize(
    "name",
    [
        "http://evil.example",
        "Visit evil.example now",
        "bit.ly",
        "evil．example",  # noqa: RUF001 - a full-width dot
        "evil。example",
        "WWW evil",
        "ann@evil.example",
        "192.0.2.1",
        "Ada\r\n\r\nReset it here: x",
        "Ada\u2028Click",
        "Ada\u202egro.live",
        "javascript:alert(1)",
        "",
    ],
)
def test_name_that_is_more_than_a_name_is_left_out(name: str) -> None:
    """R6."""
    letter = write(MailKind.PASSWORD_CHANGED, name=name)
    assert text_of(letter).startswith("Hello,\n")
    assert "<p" in html_of(letter)
    assert presentable_name(name) == ""
    assert not name or name not in letter.as_string()


def test_markup_in_a_name_is_text() -> None:
    page = html_of(write(MailKind.PASSWORD_CHANGED, name="<b>Ada & 'Co'"))
    assert "<b>" not in page
    assert "&lt;b&gt;Ada &amp; &#39;Co&#39;" in page


def test_no_value_can_forge_a_line() -> None:
    forged = "Linked.\nIf it was not you, call 555-0100\x85\x0b\u2029now"
    letter = write(MailKind.SECOND_FACTOR_CHANGED, change=forged)
    assert "Linked. If it was not you, call 555-0100 now" in text_of(letter).split("\n")


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605 Version/17.5 Safari/605", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1", "Safari on an iPhone"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "a program"),
        ("", "a program"),
    ],
)
def test_device_is_named_in_our_words(user_agent: str, device: str) -> None:
    assert describe_device(user_agent) == device


def test_user_agent_does_not_speak_to_the_owner() -> None:
    letter = write(MailKind.NEW_DEVICE, user_agent="Your account is at risk: https://evil.example Firefox/1")
    assert "evil" not in letter.as_string()
    assert "Device:  Firefox\n" in text_of(letter)


@pytest.mark.parametrize("to", ["ada@example.com\r\nBcc: eve@example.com", "ada@example.com\nSubject: x", "a@b\r.c"])
def test_address_cannot_add_a_header(to: str) -> None:
    """R6."""
    with pytest.raises(Unwritable):
        write(MailKind.VERIFY_EMAIL, to=to)


@pytest.mark.parametrize("to", ["jörg@example.com", "ada@xn--mnchen-3ya.example", "o'neil+tag@example.com"])
def test_any_address_that_we_take_can_be_written_to(to: str) -> None:
    assert write(MailKind.VERIFY_EMAIL, to=to)["To"] == to


def test_words_beyond_ascii_arrive() -> None:
    head = Letterhead("Ünïcode GmbH", URL, NamedAddress("no-reply@example.com", "Ünïcode GmbH"))
    letter = write(MailKind.VERIFY_EMAIL, head=head, name="Søren")
    assert letter.as_bytes().isascii()
    assert "Ünïcode GmbH" in letter["Subject"]
    assert "Hello Søren," in text_of(letter)
    assert link_in(letter) == CONTEXTS[MailKind.VERIFY_EMAIL]["link"]


@pytest.mark.parametrize(
    ("environ", "sender"),
    [
        ({"GATEWAY_PUBLIC_URL": URL}, "Gateway <gateway@auth.example.com>"),
        ({"GATEWAY_PUBLIC_URL": "http://127.0.0.1:9091"}, "Gateway <gateway@localhost>"),
        ({"GATEWAY_PUBLIC_URL": URL, "GATEWAY_MAIL__SENDER": "no-reply@example.com"}, "no-reply@example.com"),
        ({"GATEWAY_MAIL__SENDER": "Example <No-Reply@example.com>"}, "Example <no-reply@example.com>"),
    ],
)
def test_sender_is_configured_or_follows_from_the_public_url(environ: dict[str, str], sender: str) -> None:
    settings = load_settings(None, (), environ).settings
    assert write(MailKind.TEST, head=Letterhead.of(settings))["From"] == sender


def test_broken_template_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "verify_email.txt").write_text("{% if %}")
    with pytest.raises(TemplateSyntaxError):
        Letters(HEAD, templates=tmp_path)
