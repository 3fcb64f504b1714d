"""Networks in rules: written out, or by a name that `access_control.networks` defines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import BeforeValidator

from gateway.config.addresses import has_host_bits, parse_network
from gateway.config.lists import one_or_more

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RuleNetwork:
    """A network as somebody wrote it, and what it covers."""

    written: str
    members: tuple[IPv4Network | IPv6Network, ...]
    named: bool = False

    @property
    def has_host_bits(self) -> bool:
        return not self.named and has_host_bits(self.written)

    def __str__(self) -> str:
        return self.written


@dataclass(frozen=True, slots=True)
class _Undefined:
    """A name that nothing defines, kept until the rule that uses it is read: its line is to be named."""

    name: str
    known: tuple[str, ...]


def _read_network(written: object) -> object:
    if isinstance(written, RuleNetwork):
        return written
    if isinstance(written, _Undefined):
        known = f"it has {', '.join(written.known)}" if written.known else "there are none"
        message = f"there is no network called {written.name} in access_control.networks: {known}"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueError only
    network = parse_network(written)
    return RuleNetwork(str(written).strip(), (network,))


Networks = Annotated[
    tuple[Annotated[RuleNetwork, BeforeValidator(_read_network)], ...],
    BeforeValidator(one_or_more),
]


def _read_definitions(written: object) -> object:
    for name in written if isinstance(written, Mapping) else ():
        if not _NAME.fullmatch(str(name)):
            message = f"{name}: a name begins with a letter, and has letters, digits and . _ - only"
            raise ValueError(message)
    return written


NetworkDefinitions = Annotated[dict[str, Networks], BeforeValidator(_read_definitions)]


def resolve_names(written: object, definitions: Mapping[str, tuple[RuleNetwork, ...]] | None) -> object:
    """Replace names in a rule's `networks` by what they stand for; what is neither is refused where it stands."""
    if isinstance(written, str):
        return [_resolve(written, definitions)]
    if isinstance(written, list | tuple):
        return [_resolve(item, definitions) for item in written]
    return written


def _resolve(written: object, definitions: Mapping[str, tuple[RuleNetwork, ...]] | None) -> object:
    name = written.strip() if isinstance(written, str) else ""
    if not _NAME.fullmatch(name):
        return written
    if definitions is None:
        # The definitions themselves are refused already; a complaint about every use would hide that.
        return RuleNetwork(name, (), named=True)
    if name in definitions:
        members = tuple(member for network in definitions[name] for member in network.members)
        return RuleNetwork(name, members, named=True)
    return _Undefined(name, tuple(definitions))
