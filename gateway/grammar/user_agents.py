"""What a `User-Agent` header says about a device, in words that its owner knows it by."""

from __future__ import annotations

import re

# The first that fits: browsers name their ancestors as well, Chrome calls itself Safari, and Edge calls itself both.
_BROWSERS = (
    ("Edge", "Edg"),
    ("Opera", "OPR/"),
    ("Samsung Internet", "SamsungBrowser/"),
    ("Firefox", "Firefox/"),
    ("Firefox", "FxiOS/"),
    ("Chrome", "Chrome/"),
    ("Chrome", "Chromium/"),
    ("Chrome", "CriOS/"),
    ("Safari", "Safari/"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("ChromeOS", "CrOS"),
    ("Windows", "Windows"),
    ("macOS", "Macintosh"),
    ("Linux", "Linux"),
)
# RFC 9110 section 10.1.5: a product, and perhaps its version. Programs say no more.
_PROGRAM = re.compile(r"([A-Za-z][A-Za-z0-9._-]{0,31})(?:/|\s|$)", re.ASCII)


def browser_and_system(user_agent: str) -> tuple[str | None, str | None]:
    """Name both in words of ours, where they are known: nothing of what was sent is repeated."""
    return _first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)


def describe_device(user_agent: str | None) -> str:
    """Give a short text such as "Firefox on Linux"; anybody can send any header, so that it proves nothing."""
    text = user_agent or ""
    browser, system = browser_and_system(text)
    if browser is not None and system is not None:
        return f"{browser} on {system}"
    program = _PROGRAM.match(text)
    named = program[1] if program is not None and program[1] != "Mozilla" else None
    return browser or system or named or "Unknown device"


def _first(names: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for name, mark in names if mark in text), None)
