"""What a generation of workers serves with, and what a reload cannot change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.config.findings import Finding

if TYPE_CHECKING:
    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings
    from gateway.preparation import Prepared


@dataclass(frozen=True, slots=True)
class Configuration:
    """Read once, and handed to every worker: it is the same for all of them, or for none."""

    settings: Settings
    secrets: Secrets


@dataclass(slots=True)
class Generation:
    """The workers of one configuration. `prepared`: what its preparation did, once it has ended."""

    number: int
    configuration: Configuration
    prepared: Prepared | None = None


def objections(running: Settings, wanted: Settings) -> list[Finding]:
    """Say why a reload may not go from one to the other, though each is good by itself."""
    # Sockets are bound once, and old and new workers serve side by side for a while.
    fixed = {
        "listen": (str(running.listen), str(wanted.listen)),
        "workers": (running.workers, wanted.workers),
        # Without user and password: those may change while the server goes on.
        "database_url": (str(running.database), str(wanted.database)),
        "data_dir": (running.data_dir.resolve(), wanted.data_dir.resolve()),
    }
    found = [
        Finding(key, key, f"a reload cannot change it from {before} to {after}: restart the gateway for that")
        for key, (before, after) in fixed.items()
        if before != after
    ]
    if running.access_control is not None and wanted.access_control is None:
        # A half-written file is often good YAML.
        message = "the rules are gone, and everyone who is logged in could open everything: restart to mean that"
        found.append(Finding("access_control", "access_control", message))
    return found
