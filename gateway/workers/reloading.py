"""Reading the configuration anew: whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from gateway.config.findings import ConfigurationError
from gateway.log_output import configure_logs
from gateway.workers.configuration import objections

if TYPE_CHECKING:
    from gateway.workers.configuration import Configuration, Generation

_log = structlog.get_logger("gateway.workers")


class Reloading:
    """Reads with `load`. What comes of it is logged, and said to whoever started the gateway."""

    def __init__(self, load: Callable[[], Configuration], *, say: Callable[[str], None]) -> None:
        self._load = load
        self._say = say

    def load(self, running: Configuration) -> Configuration | None:
        """Give what is to be served with from now on; nothing when that cannot be, for whatever reason."""
        try:
            wanted = self._load()
            if problems := objections(running.settings, wanted.settings):
                raise ConfigurationError(problems)  # noqa: TRY301 - refused as what cannot be read is
        except Exception as error:  # noqa: BLE001 - the running configuration serves on, whatever was written
            self.refuse(error)
            return None
        return wanted

    def refuse(self, error: Exception) -> None:
        """Say why the running configuration stays."""
        reasons = (
            [str(problem) for problem in error.problems] if isinstance(error, ConfigurationError) else [str(error)]
        )
        for reason in reasons:
            _log.error("configuration_refused", reason=reason)
        self._say("The configuration was not reloaded; the running one stays:")
        for reason in reasons:
            self._say(f"  {reason}")

    def confirm(self, generation: Generation) -> None:
        configure_logs(generation.configuration.settings.log, threads=False)
        _log.info("configuration_reloaded", generation=generation.number)
        self._say("The configuration was reloaded.")
