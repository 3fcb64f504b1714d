"""The check in its two speeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.forward_auth.check import Check
    from gateway.forward_auth.original_request import Endpoint
    from gateway.forward_auth.warm_check import WarmCheck


@dataclass(frozen=True, slots=True)
class Checks:
    """`full` can answer everything; `warm` lets pass at once what it can."""

    full: Check
    warm: Mapping[Endpoint, WarmCheck]
