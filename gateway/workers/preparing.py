"""The preparation of the database, in a process of its own: afterwards nothing of it is left in those that fork."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.config.database_url import PostgresqlServer
from gateway.errors import GatewayError, Unavailable
from gateway.grammar.durations import format_duration
from gateway.log_output import configure_logs
from gateway.preparation import Prepared, prepare
from gateway.storage.database import Database
from gateway.workers.forking import Closeable, fork

if TYPE_CHECKING:
    from gateway.workers.configuration import Configuration
    from gateway.workers.worker import Run

_BETWEEN_ATTEMPTS = timedelta(seconds=1)
_UNEXPECTED = "the database could not be prepared; the reason stands above"


class PreparationRefused(Exception):
    """The database and the configuration do not fit each other, or there is no database."""


class Preparation:
    """One that runs. `patience`: for how long a database server that is not there is waited for."""

    def __init__(
        self, configuration: Configuration, run: Run, *, patience: timedelta, closing: Iterable[Closeable]
    ) -> None:
        here, there = os.pipe()

        def work() -> None:
            os.close(here)
            writer = configure_logs(configuration.settings.log)
            try:
                run(_prepare_and_tell(configuration, there, patience))
            finally:
                if writer is not None:
                    writer.close()

        self.pid = fork(work, closing=closing)
        os.close(there)
        self._pipe = here
        self._told = b""

    def fileno(self) -> int:
        return self._pipe

    def read(self) -> bool:
        """Take what it tells; says whether that was all."""
        part = os.read(self._pipe, 65536)
        self._told += part
        return not part

    def result(self) -> Prepared:
        """Raise `PreparationRefused` with what is to be done."""
        told: dict[str, Any] = json.loads(self._told or b"{}")
        if "prepared" not in told:
            raise PreparationRefused(told.get("refused", _UNEXPECTED))
        return Prepared(**told["prepared"])

    def end(self) -> None:
        """Wait for its end; one that has not told all is ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self._pipe)


async def _prepare_and_tell(configuration: Configuration, pipe: int, patience: timedelta) -> None:
    try:
        told: dict[str, Any] = {"prepared": asdict(await _prepare(configuration, patience))}
    except (GatewayError, OSError) as error:
        told = {"refused": str(error)}
    os.write(pipe, json.dumps(told).encode())


async def _prepare(configuration: Configuration, patience: timedelta) -> Prepared:
    settings = configuration.settings
    # A file that cannot be opened will not come by itself; a server that starts together with us will.
    deadline = time.monotonic() + patience.total_seconds() * isinstance(settings.database, PostgresqlServer)
    said = ""
    while True:
        try:
            async with Database.opened(settings.database) as database:
                return await prepare(settings, configuration.secrets, database)
        except Unavailable as error:
            if time.monotonic() > deadline:
                raise
            if str(error) != said:
                said = str(error)
                line = f"Waiting for the database (up to {format_duration(patience)}): {said}"
                print(line, file=sys.stderr, flush=True)  # noqa: T201 - for who starts us
        await asyncio.sleep(_BETWEEN_ATTEMPTS.total_seconds())
