"""E-mail addresses in one canonical form. Own lines, since libraries refuse the hosts that self-hosters use."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from gateway.grammar.hosts import is_ip_host, to_a_labels

_MAX_LENGTH = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
_MAX_LOCAL_LENGTH = 64  # RFC 5321 section 4.5.3.1.1

# RFC 5322 `atext`, and what RFC 6532 adds: any letter, mark or digit beyond ASCII.
_ATOM = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+")

_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")


def parse_email(text: str) -> str:
    """Return the canonical form: trimmed, lower case, domain as A-labels. Raise ValueError with a sentence."""
    # Trimmed of blanks only: a line break at the end is a header injection that failed, not a slip.
    trimmed = text.strip(" \t")
    if len(trimmed) > _MAX_LENGTH:
        message = f"An e-mail address has at most {_MAX_LENGTH} characters."
        raise ValueError(message)
    if unicodedata.normalize("NFKC", trimmed) != trimmed:
        message = "This e-mail address holds characters that look like others."
        raise ValueError(message)
    local, at, domain = trimmed.partition("@")
    if not at or not local or not domain or "@" in domain:
        message = "An e-mail address has one @, with a name before it and a domain after it."
        raise ValueError(message)
    # Lower case may leave the normal form (İ becomes i and a combining dot), hence once more.
    canonical = f"{unicodedata.normalize('NFKC', _parse_local_part(local).lower())}@{_parse_domain(domain)}"
    if len(canonical.encode("utf-8", "surrogatepass")) > _MAX_LENGTH:
        message = f"An e-mail address has at most {_MAX_LENGTH} characters."
        raise ValueError(message)
    return canonical


def _parse_local_part(local: str) -> str:
    if len(local) > _MAX_LOCAL_LENGTH or not all(_ATOM.fullmatch(atom) for atom in local.split(".")):
        message = "What stands before the @ is not the name of a mailbox; quotes and blanks are not taken."
        raise ValueError(message)
    return local


def _parse_domain(domain: str) -> str:
    try:
        canonical = to_a_labels(domain)
    except ValueError:
        message = "What stands after the @ is not a domain."
        raise ValueError(message) from None
    if is_ip_host(canonical) or domain.endswith("."):
        message = "What stands after the @ must be a domain, not an address."
        raise ValueError(message)
    return canonical


@dataclass(frozen=True, slots=True)
class NamedAddress:
    """An address, perhaps with a name before it."""

    address: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


def parse_named_address(text: str) -> NamedAddress:
    """Read `ann@example.com` or `Ann <ann@example.com>`. Raise ValueError with a sentence."""
    match = _NAMED.fullmatch(text.strip(" \t"))
    if match is None:
        return NamedAddress(parse_email(text))
    name = match["name"].strip().removeprefix('"').removesuffix('"').strip()
    if not name.isprintable() or '"' in name:
        message = "The name before an e-mail address is readable text of one line, without quotes inside."
        raise ValueError(message)
    return NamedAddress(parse_email(match["address"]), name)
