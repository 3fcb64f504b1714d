"""Words of strangers in letters of ours: anybody may register with somebody else's address and a name of his choice."""

from __future__ import annotations

import re
import unicodedata

from gateway.grammar.user_agents import browser_and_system

# What mail programs turn into links: a scheme, an address, a host name. `J. R. Tolkien` is none.
_LINK = re.compile(r"[/\\@:]|www\b|\w[.\u3002](?:\w{2}|[0-9])", re.IGNORECASE)

# Cf holds what turns the direction of writing around; its joiners are needed to write some languages.
_JOINERS = {"\u200c", "\u200d"}
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

_WITH_ARTICLE = {"iPhone": "an iPhone", "iPad": "an iPad"}


def one_line(text: str) -> str:
    """Leave no line end and nothing invisible, so that a value cannot pass for a line of ours."""
    visible = "".join(" " if _invisible(character) else character for character in text)
    return " ".join(visible.split())


def presentable_name(name: str) -> str:
    """Give the name to greet somebody by, or nothing where it would be read as more than a name."""
    # Nobody sees the joiners either: `evil.com` with one in it is read as a link all the same.
    normal = "".join(one for one in unicodedata.normalize("NFKC", name) if one not in _JOINERS)
    if any(_invisible(character) for character in name) or _LINK.search(normal):
        return ""
    return one_line(name)


def describe_device(user_agent: str) -> str:
    """Name browser and system in words of ours: a thief's `User-Agent` must not speak to the owner."""
    browser, system = browser_and_system(user_agent)
    named = browser or "a program"
    return named if system is None else f"{named} on {_WITH_ARTICLE.get(system, system)}"


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE and character not in _JOINERS
