"""What the pages show, send back and refuse to run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from jinja2 import UndefinedError

from gateway.openapi.page import Section, Shape, ShownAnswer, ShownOperation
from gateway.openapi.schemas import Field
from gateway.resources import resource_folder
from gateway.web.pages import Pages, field_to_focus, is_web_address, security_headers

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = """'"><script>alert(1)</script>&{{ 7 * 7 }}"""
ESCAPED = "&#39;&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;{{ 7 * 7 }}"

OPERATION_FIELD = Field(HOSTILE, HOSTILE, required=True, rules=HOSTILE, description=HOSTILE)
OPERATION = ShownOperation(
    anchor="anchor",
    method=HOSTILE,
    path=HOSTILE,
    summary=HOSTILE,
    description=HOSTILE,
    proof=HOSTILE,
    parameters=[OPERATION_FIELD],
    body=[OPERATION_FIELD],
    answers=[ShownAnswer("200", HOSTILE, shapes=[HOSTILE])],
    refusals=[ShownAnswer("400", HOSTILE, codes=[HOSTILE])],
    curl=HOSTILE,
)
# What the handlers pass to each page: every value that is shown or sent back is hostile.
CONTEXTS: dict[str, dict[str, object]] = {
    "login.html": {
        "form_token": HOSTILE,
        "return_url": HOSTILE,
        "return_host": HOSTILE,
        "email": HOSTILE,
        "errors": {"": HOSTILE, "email": HOSTILE, "password": HOSTILE},
        "notice": HOSTILE,
        "remember_me": True,
        "email_unverified": True,
        "registration_allowed": True,
        "password_reset_allowed": True,
    },
    "home.html": {
        "name": HOSTILE,
        "email": HOSTILE,
        "role": HOSTILE,
        "form_token": HOSTILE,
        "notice": HOSTILE,
        "logged_in": True,
    },
    "no_login.html": {"return_url": "https://app.example.com/" + HOSTILE},
    "setup.html": {
        "form_token": HOSTILE,
        "setup_token": HOSTILE,
        "email": HOSTILE,
        "name": HOSTILE,
        "errors": {"": HOSTILE, "name": HOSTILE, "email": HOSTILE, "password": HOSTILE},
    },
    "change_password.html": {
        "form_token": HOSTILE,
        "errors": {"": HOSTILE, "current_password": HOSTILE, "new_password": HOSTILE},
        "required": True,
        "min_length": 8,
        "return_url": HOSTILE,
    },
    "denied.html": {
        "name": HOSTILE,
        "email": HOSTILE,
        "host": HOSTILE,
        "reason": HOSTILE,
        "message": HOSTILE,
        "decision_id": HOSTILE,
        "as_default_user": False,
    },
    "loop.html": {
        "return_url": "https://app.example.com/" + HOSTILE,
        "cookie_name": HOSTILE,
        "cookie_domain": HOSTILE,
        "public_url": HOSTILE,
    },
    "error.html": {"status": 503, "title": HOSTILE, "message": HOSTILE, "request_id": HOSTILE},
    "second_factor.html": {
        "form_token": HOSTILE,
        "return_url": HOSTILE,
        "return_host": HOSTILE,
        "login_url": HOSTILE,
        "errors": {"": HOSTILE, "code": HOSTILE},
    },
    "enrol.html": {
        "form_token": HOSTILE,
        "qr_code": HOSTILE,
        "secret": HOSTILE,
        "email": HOSTILE,
        "return_url": HOSTILE,
        "return_host": HOSTILE,
        "errors": {"": HOSTILE, "code": HOSTILE},
        "notice": HOSTILE,
    },
    "recovery_codes.html": {"codes": [HOSTILE], "return_url": "https://app.example.com/" + HOSTILE},
    "second_factor_state.html": {
        "form_token": HOSTILE,
        "recovery_codes_left": HOSTILE,
        "errors": {"replace": {"": HOSTILE}, "disable": {"": HOSTILE}},
        "notice": HOSTILE,
    },
    "register.html": {
        "form_token": HOSTILE,
        "name": HOSTILE,
        "username": HOSTILE,
        "email": HOSTILE,
        "email_domains": (HOSTILE,),
        "min_length": 8,
        "confirmation_required": True,
        "errors": {"": HOSTILE, "name": HOSTILE, "username": HOSTILE, "email": HOSTILE, "password": HOSTILE},
    },
    "verify_email.html": {"form_token": HOSTILE, "email": HOSTILE, "link_token": HOSTILE, "errors": {"": HOSTILE}},
    "resend.html": {"form_token": HOSTILE, "email": HOSTILE, "errors": {"": HOSTILE, "email": HOSTILE}},
    "forgot_password.html": {"form_token": HOSTILE, "email": HOSTILE, "errors": {"": HOSTILE, "email": HOSTILE}},
    "reset_password.html": {
        "form_token": HOSTILE,
        "user_id": HOSTILE,
        "link_token": HOSTILE,
        "email": HOSTILE,
        "min_length": 8,
        "confirmation_required": True,
        "errors": {"": HOSTILE, "password": HOSTILE, "confirm_password": HOSTILE},
    },
    "check_mail.html": {"about": "reset", "mail_enabled": True},
    "api_docs.html": {
        "version": HOSTILE,
        "introduction": [HOSTILE, f"`{HOSTILE}`"],
        "sections": [Section(HOSTILE, "anchor", [OPERATION])],
        "shapes": [Shape(HOSTILE, HOSTILE, [OPERATION_FIELD])],
    },
}
# What a page may be given as None or empty, because there is nothing to say.
NOTHING: dict[str, dict[str, object]] = {
    "login.html": {
        "return_url": "",
        "return_host": None,
        "email": "",
        "errors": {},
        "notice": None,
        "email_unverified": False,
        "registration_allowed": False,
        "password_reset_allowed": False,
    },
    "home.html": {"notice": None, "logged_in": False},
    "no_login.html": {"return_url": "/"},
    "setup.html": {"email": "", "name": "", "errors": {}},
    "change_password.html": {"errors": {}, "required": False, "return_url": ""},
    "denied.html": {"name": None, "email": None, "host": None},
    "loop.html": {"cookie_domain": None},
    "error.html": {},
    "second_factor.html": {"return_url": "", "return_host": None, "errors": {}},
    "register.html": {"name": "", "username": "", "email": "", "email_domains": (), "errors": {}},
    "verify_email.html": {"errors": {}},
    "resend.html": {"email": "", "errors": {}},
    "forgot_password.html": {"email": "", "errors": {}},
    "reset_password.html": {"errors": {}},
    "check_mail.html": {"about": "", "mail_enabled": False},
    "enrol.html": {"return_url": "", "return_host": None, "errors": {}, "notice": None},
    "recovery_codes.html": {"return_url": "/"},
    "second_factor_state.html": {"errors": {"replace": {}, "disable": {}}, "notice": None},
    "api_docs.html": {"introduction": [], "sections": [], "shapes": []},
}
PLAIN_LOGIN = CONTEXTS["login.html"] | NOTHING["login.html"]


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(site_name="Gateway")


def test_every_page_has_a_documented_context() -> None:
    shipped = {path.name for path in resource_folder("templates").glob("*.html")}

    assert shipped - {"layout.html", "_fields.html"} == set(CONTEXTS) == set(NOTHING)


@pytest.mark.parametrize("name", CONTEXTS)
def test_everything_echoed_is_escaped(pages: Pages, name: str) -> None:
    """W2."""
    page = pages.render(name, **CONTEXTS[name])

    assert page.count(ESCAPED) >= sum(_hostile_values(CONTEXTS[name]))
    assert "alert(1)</script>" not in page


@pytest.mark.parametrize("name", CONTEXTS)
def test_the_site_name_is_escaped(name: str) -> None:
    page = Pages(site_name="<b>Tom's</b>").render(name, **CONTEXTS[name])

    assert page.count("&lt;b&gt;Tom&#39;s&lt;/b&gt;") == len(("title", "brand"))
    assert "<b>" not in page


@pytest.mark.parametrize("name", CONTEXTS)
def test_page_renders_when_there_is_nothing_to_say(pages: Pages, name: str) -> None:
    page = pages.render(name, **CONTEXTS[name] | NOTHING[name])

    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert ">None<" not in page
    assert '"None"' not in page
    assert 'role="alert"' not in page


@pytest.mark.parametrize(("name", "missing"), [(name, key) for name, context in CONTEXTS.items() for key in context])
def test_a_missing_value_is_an_error_and_not_a_gap(pages: Pages, name: str, missing: str) -> None:
    context = {key: value for key, value in CONTEXTS[name].items() if key != missing}

    with pytest.raises(UndefinedError, match=missing):
        pages.render(name, **context)


@pytest.mark.parametrize("name", CONTEXTS)
def test_page_needs_nothing_that_the_content_security_policy_refuses(pages: Pages, name: str) -> None:
    """W1: nothing inline, nothing foreign."""
    page = pages.render(name, **CONTEXTS[name])
    tags = re.findall(r"<[a-z][^>]*>", page)

    assert "<style" not in page
    assert re.findall(r"<script\b[^>]*>(.*?)</script>", page, re.DOTALL) == [""]
    assert not [tag for tag in tags if re.search(r"\s(?:style|on[a-z]+)\s*=", tag)]
    assert not [tag for tag in tags if re.search(r'\s(?:src|srcset|action)="(?!/)', tag)]
    assert not [tag for tag in tags if tag.startswith("<link") and 'href="/static/' not in tag]


def test_no_style_sheet_or_script_reaches_beyond_this_site() -> None:
    for path in resource_folder("static").glob("gateway.*"):
        assert not re.search(r"url\(|@import|https?:|data:", path.read_text()), path.name


def test_login_form_sends_what_the_handler_reads(pages: Pages) -> None:
    page = pages.render("login.html", **PLAIN_LOGIN | {"form_token": "f0rm", "return_url": "https://app.example.com/"})

    assert '<form method="post" action="/login">' in page
    assert '<input type="hidden" name="form_token" value="f0rm">' in page
    assert '<input type="hidden" name="rd" value="https://app.example.com/">' in page
    assert 'autocomplete="username"' in _input(page, "email")
    assert 'autocomplete="current-password"' in _input(page, "password")
    assert 'value="on" checked' in _input(page, "remember_me")


def test_password_is_never_filled_in(pages: Pages) -> None:
    for name, passwords in {
        "login.html": ["password"],
        "setup.html": ["password"],
        "change_password.html": ["current_password", "new_password"],
    }.items():
        page = pages.render(name, **CONTEXTS[name])
        for password in passwords:
            assert " value=" not in _input(page, password)


def test_error_stands_by_its_field_and_is_read_out_with_it(pages: Pages) -> None:
    page = pages.render("login.html", **PLAIN_LOGIN | {"email": "ada", "errors": {"email": "Enter an address."}})

    assert 'aria-invalid="true"' in _input(page, "email")
    assert 'aria-describedby="email-error"' in _input(page, "email")
    assert '<p class="wrong" id="email-error">Enter an address.</p>' in page
    assert "aria-invalid" not in _input(page, "password")
    assert "<title>Error: Log in" in page


def test_error_of_the_whole_form_is_read_out_where_the_visitor_goes_on(pages: Pages) -> None:
    context = PLAIN_LOGIN | {"email": "ada@example.com", "errors": {"": "Email or password is incorrect"}}
    page = pages.render("login.html", **context)

    assert '<p class="alert" role="alert" id="form-error">Email or password is incorrect</p>' in page
    assert 'aria-describedby="form-error"' in _input(page, "password")
    assert " autofocus" in _input(page, "password")
    assert "aria-describedby" not in _input(page, "email")


@pytest.mark.parametrize(
    ("errors", "email", "expected"),
    [
        ({}, "", "email"),
        ({}, "ada@example.com", "password"),
        ({"": "no"}, "ada@example.com", "password"),
        ({"email": "no"}, "ada@example.com", "email"),
        ({"password": "no"}, "", "password"),
    ],
)
def test_visitor_starts_at_the_first_field_to_fill_in(errors: dict[str, str], email: str, expected: str) -> None:
    assert field_to_focus(errors, email=email, password="") == expected


def test_visitor_of_a_filled_form_starts_at_its_beginning() -> None:
    assert field_to_focus({}, name="Ada", email="ada@example.com") == "name"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/\\evil.example",
        "ftp://x",
        "",
        "/\t/evil.example",
        "https:\\evil.example",
    ],
)
def test_loop_page_links_to_web_addresses_only(pages: Pages, url: str) -> None:
    page = pages.render("loop.html", **CONTEXTS["loop.html"] | {"return_url": url})

    assert not is_web_address(url)
    assert "Try again" not in page


@pytest.mark.parametrize("url", ["https://app.example.com/a?b=c", "HTTP://localhost:8080/", "/account"])
def test_loop_page_offers_to_try_again(pages: Pages, url: str) -> None:
    page = pages.render("loop.html", **CONTEXTS["loop.html"] | {"return_url": url})

    assert f'<a class="button" href="{url}">Try again</a>' in page


def test_address_of_a_static_file_changes_with_its_content(tmp_path: Path) -> None:
    for content in ("a {}", "b {}"):
        folder = tmp_path / content[0]
        folder.mkdir()
        for path in resource_folder("static").iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        (folder / "gateway.css").write_text(content)
    versions = [_static_urls(tmp_path / "a"), _static_urls(tmp_path / "b"), _static_urls(tmp_path / "a")]

    assert versions[0] == versions[2]
    assert versions[0]["gateway.css"] != versions[1]["gateway.css"]
    assert versions[0]["gateway.js"] == versions[1]["gateway.js"]
    assert re.fullmatch(r"/static/gateway\.css\?v=[0-9a-f]{8}", versions[0]["gateway.css"])


def test_missing_static_file_is_an_error_and_not_a_dead_link(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="favicon"):
        Pages(site_name="Gateway", static=tmp_path).render("error.html", **CONTEXTS["error.html"])


def test_pages_stay_those_of_the_start_while_another_version_is_installed(tmp_path: Path) -> None:
    shown = tmp_path / "shown.html"
    shown.write_text("{{ site_name }}: straße")
    pages = Pages(site_name="Gateway", templates=tmp_path)
    shown.unlink()
    assert pages.render("shown.html") == "Gateway: straße"


def test_template_that_cannot_be_read_is_an_error_before_any_page_is_shown(tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(OSError, match=r"folder\.html"):
        Pages(site_name="Gateway", templates=tmp_path)


def test_pages_cannot_be_framed_sniffed_stored_or_scripted() -> None:
    """W1."""
    headers = security_headers()

    assert headers["Content-Security-Policy"].split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'none'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    ]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"


def test_https_is_remembered_for_a_year_at_least_and_only_over_https() -> None:
    """W1; RFC 6797 section 7.2 forbids the header over http."""
    age = re.fullmatch(r"max-age=(\d+)", security_headers(secure=True)["Strict-Transport-Security"])

    assert age is not None
    assert int(age[1]) >= 365 * 24 * 60 * 60
    assert "Strict-Transport-Security" not in security_headers()


def test_login_may_lead_on_to_the_application() -> None:
    policy = security_headers(form_action="'self' https://app.example.com:8443")["Content-Security-Policy"]

    assert "; form-action 'self' https://app.example.com:8443; " in policy


@pytest.mark.parametrize("injected", ["; script-src *", ", default-src *", "\r\nSet-Cookie: a=b", "\0", "ä"])
def test_form_action_cannot_write_another_directive(injected: str) -> None:
    with pytest.raises(ValueError, match="not a list of sources"):
        security_headers(form_action="'self'" + injected)


def _hostile_values(context: dict[str, object]) -> list[int]:
    """Count the hostile texts in a context."""
    values = [*context.values(), *dict(context.get("errors") or {}).values()]  # type: ignore[call-overload]
    return [1 for value in values if isinstance(value, str) and HOSTILE in value]


def _input(page: str, name: str) -> str:
    """Find the one visible input of that name."""
    (found,) = re.findall(rf'<input id="{name}"[^>]*>', page)
    return str(found)


def _static_urls(static: Path) -> dict[str, str]:
    """Read a page's references to static files, by file name."""
    page = Pages(site_name="Gateway", static=static).render("error.html", **CONTEXTS["error.html"])
    return {url.removeprefix("/static/").split("?")[0]: url for url in re.findall(r'"(/static/[^"]+)"', page)}
