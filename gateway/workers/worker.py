"""What a worker does: serve on the socket of its slot, and on those of others as the supervisor orders."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from socket import socket
from typing import TYPE_CHECKING, Any

import structlog

from gateway.log_output import configure_logs
from gateway.serving import Listeners, answering
from gateway.storage.database import Database
from gateway.workers.collecting import collect_briefly

if TYPE_CHECKING:
    from gateway.workers.configuration import Configuration

_log = structlog.get_logger("gateway.workers")

Run = Callable[[Coroutine[Any, Any, None]], None]

# Clients that keep a connection learn within it, by an answer, that it ends.
_LINGER = timedelta(seconds=2)

READY = b"ready\n"
ADOPT, RELEASE = "adopt", "release"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the supervisor hands over. `sockets` are those of all slots; `control` ends when the supervisor does."""

    slot: int
    configuration: Configuration
    sockets: Sequence[Sequence[socket]]
    control: socket


def be_worker(assignment: Assignment, run: Run) -> None:
    """Serve until SIGTERM, or until the supervisor has gone; what is in flight then is finished."""
    writer = configure_logs(assignment.configuration.settings.log, worker=assignment.slot + 1)
    try:
        run(_serve(assignment))
    except BaseException:
        _log.exception("worker_failed")
        raise
    finally:
        if writer is not None:
            writer.close()


async def _serve(assignment: Assignment) -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    settings, secrets = assignment.configuration.settings, assignment.configuration.secrets
    async with (
        Database.opened(settings.database) as database,
        answering(settings, secrets, database, linger=_LINGER) as listeners,
    ):
        collect_briefly()
        await listeners.open(assignment.sockets[assignment.slot])
        reader, writer = await asyncio.open_connection(sock=assignment.control)
        writer.write(READY)
        end = asyncio.create_task(told.wait())
        orders = asyncio.create_task(_follow_orders(reader, listeners, assignment.sockets))
        await asyncio.wait({end, orders}, return_when=asyncio.FIRST_COMPLETED)
        if orders.done():
            orders.result()
            _log.warning("supervisor_gone")
        for task in (end, orders):
            task.cancel()
        listeners.close_all()
        # It tells the supervisor, whoever told us to stop, that only others accept from now on.
        writer.close()
        # Where nobody else has them any more, clients are to be refused, and not to queue for nothing.
        for sockets in assignment.sockets:
            for one in sockets:
                one.close()


async def _follow_orders(
    reader: asyncio.StreamReader, listeners: Listeners, sockets: Sequence[Sequence[socket]]
) -> None:
    """Serve the sockets of slots that have no worker now. Ends with the supervisor."""
    while line := await reader.readline():
        order, slot = line.decode().split()
        _log.info(f"{order}_slot", slot=int(slot) + 1)
        if order == ADOPT:
            await listeners.open(sockets[int(slot)])
        else:
            listeners.close(sockets[int(slot)])
