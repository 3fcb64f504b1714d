"""The pages: templates rendered with everything escaped, and the headers that keep them ours."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, FunctionLoader, StrictUndefined

from gateway.resources import resource_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# ASVS 3.4.1 asks for a year at least; two is what browsers' preload lists are made for.
_HSTS_AGE = timedelta(days=730)

# A file's address changes with its content, so that it may be cached for ever. Eight hex digits tell versions apart.
_VERSION_DIGITS = 8

_PARTS_OF_PAGES = {"layout.html", "_fields.html"}

# What would end the directive, the policy or the header line, and let a return URL write a policy of its own.
_ENDS_DIRECTIVE = re.compile(r"[^ -~]|[;,]")

# Browsers read a backslash as a slash and drop tabs and line ends: `/<tab>/evil.example` is another host.
_WEB_ADDRESS = re.compile(r"(?:https?://|/(?!/))[^\x00-\x20\x7f\\]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pages:
    """All templates under one site name."""

    site_name: str
    templates: Path = field(default_factory=lambda: resource_folder("templates"), kw_only=True)
    static: Path = field(default_factory=lambda: resource_folder("static"), kw_only=True)
    _environment: Environment = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_environment", _environment_of(self.templates, self.static))

    def render(self, name: str, /, **context: object) -> str:
        """Fill in a template; raises `jinja2.UndefinedError` for a value that it needs and was not given.

        `portal_url` is for a page that is shown on another host than the portal's: its addresses must be whole there.
        """
        return self._environment.get_template(name).render({"portal_url": "", "site_name": self.site_name, **context})


@cache
def _environment_of(templates: Path, static: Path) -> Environment:
    """Read every file, once in a process: one that cannot be read stops the start and not a login.

    A template is compiled for the first page that needs it, which then takes 3 to 10 ms more: all of them would be a
    tenth of a start. What most pages consist of takes as long as several, and is compiled here.
    """
    sources = {path.name: (path.read_text("utf-8"), str(path), None) for path in templates.glob("*.html")}
    environment = Environment(
        loader=FunctionLoader(sources.get),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(static_url=_static_urls(static), field_to_focus=field_to_focus)
    environment.tests["web_address"] = is_web_address
    for name in _PARTS_OF_PAGES & sources.keys():
        environment.get_template(name)
    return environment


def security_headers(*, form_action: str = "'self'", assets: str = "'self'", secure: bool = False) -> dict[str, str]:
    """Return the headers of every page: nothing foreign, nothing inline, never in a frame, never stored.

    `assets` are the sources of scripts, styles and pictures. Browsers hold the redirect after a form to `form_action`
    as well. `secure` says that the visitor reaches us by https; over http a browser must ignore HSTS
    (RFC 6797 section 8.1).
    """
    for sources in (form_action, assets):
        if _ENDS_DIRECTIVE.search(sources):
            message = f"not a list of sources: {sources!r}"
            raise ValueError(message)
    directives = {
        "default-src": "'none'",
        "script-src": assets,
        "style-src": assets,
        "img-src": assets,
        "font-src": "'none'",
        "connect-src": "'self'",
        "form-action": form_action,
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }
    headers = {
        "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in directives.items()),
        "X-Content-Type-Options": "nosniff",
        # With `no-referrer` a form's POST would carry `Origin: null`, and the cross-origin check would refuse it.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }
    if secure:
        # Without includeSubDomains: applications on hosts below ours may still be http only.
        headers["Strict-Transport-Security"] = f"max-age={int(_HSTS_AGE.total_seconds())}"
    return headers


def field_to_focus(errors: Mapping[str, str], /, **values: str) -> str:
    """Name the field to go to: the first with an error, else the first empty one, else the first."""
    wrong = [name for name in values if name in errors]
    empty = [name for name, value in values.items() if not value]
    return [*wrong, *empty, *values][0]


def is_web_address(url: str) -> bool:
    """Tell what a page may link to: escaping alone would let `javascript:` through."""
    return _WEB_ADDRESS.fullmatch(url) is not None


def _static_urls(folder: Path) -> Callable[[str], str]:
    """Read each file once: an unknown name is an error when the page is rendered, never a dead link."""
    urls = {
        path.name: f"/static/{path.name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:_VERSION_DIGITS]}"
        for path in folder.iterdir()
        if path.is_file()
    }
    return urls.__getitem__
