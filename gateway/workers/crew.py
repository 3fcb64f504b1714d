"""The workers: started, told, counted, ended. Which configuration they have is decided elsewhere."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING

import structlog

from gateway.workers.forking import Closeable, fork
from gateway.workers.slots import Slot, Worker
from gateway.workers.worker import ADOPT, RELEASE, Assignment, Run, be_worker

if TYPE_CHECKING:
    from gateway.workers.configuration import Generation

_log = structlog.get_logger("gateway.workers")

_READY_WITHIN = timedelta(seconds=30)
# Longer than a worker gives its clients and what is in flight together.
STOPPED_WITHIN = timedelta(seconds=15)


class Change(Enum):
    """What became of a worker."""

    READY = auto()
    LOST = auto()


class Crew:
    """One worker for each slot, and those that come and go."""

    def __init__(
        self, sockets: Sequence[Sequence[socket.socket]], *, run: Run, selector: selectors.BaseSelector, own: Closeable
    ) -> None:
        self.slots = [Slot(number, one) for number, one in enumerate(sockets)]
        self._sockets = sockets
        self._run = run
        self._selector = selector
        self._own = own
        self._workers: dict[int, Worker] = {}

    def __bool__(self) -> bool:
        """Whether there is any process left."""
        return bool(self._workers)

    @property
    def controls(self) -> list[Closeable]:
        """What no child may inherit: it would keep the workers from noticing our end."""
        return [self._own, self._selector, *(worker.control for worker in self._workers.values())]

    def everybody_has(self, generation: Generation) -> bool:
        """Whether nobody accepts connections with another configuration any more."""
        return all(worker.generation is generation or worker.silent for worker in self._workers.values())

    def start(self, slot: Slot, generation: Generation) -> None:
        """Start a worker; where the machine has no room for it, the others serve on and it is tried again later."""
        try:
            pid, ours = self._fork(slot, generation)
        except OSError as error:
            _log.error("worker_not_started", worker=slot.number + 1, error=str(error))
            slot.pause()
            return
        ours.settimeout(0)
        deadline = time.monotonic() + _READY_WITHIN.total_seconds()
        worker = self._workers[pid] = slot.starting = Worker(pid, slot, generation, ours, deadline)
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _fork(self, slot: Slot, generation: Generation) -> tuple[int, socket.socket]:
        ours, theirs = socket.socketpair()
        with theirs:
            assignment = Assignment(slot.number, generation.configuration, self._sockets, theirs)
            try:
                return fork(lambda: be_worker(assignment, self._run), closing=[ours, *self.controls]), ours
            except BaseException:
                ours.close()
                raise

    def hear(self, worker: Worker) -> Change | None:
        """Read what it says, which is that it serves, or nothing more for good."""
        try:
            said = worker.control.recv(4096)
        except OSError:
            said = b""
        if not said:
            self._selector.unregister(worker.control)
            worker.silent = True
            return Change.LOST if self._lose(worker) else None
        slot = worker.slot
        if slot.starting is not worker:
            return None
        former, slot.serving, slot.starting = slot.serving, worker, None
        if slot.adopter is not None:
            slot.adopter.order(RELEASE, slot)
            slot.adopter = None
        if former is not None:
            self.stop(former)
        return Change.READY

    def stop(self, worker: Worker) -> None:
        """Let it finish what is in flight."""
        self._leave(worker)
        worker.signal(signal.SIGTERM)

    def stop_all(self) -> None:
        for worker in self._workers.values():
            self.stop(worker)

    def kill_all(self) -> None:
        for worker in self._workers.values():
            worker.signal(signal.SIGKILL)

    def reap(self) -> Iterator[Worker]:
        """Bury those that have ended; gives each that nobody had told to, and of which that was not known yet."""
        for worker in tuple(self._workers.values()):
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if not pid:
                continue
            code = os.waitstatus_to_exitcode(status)
            (_log.info if code == 0 else _log.warning)("worker_ended", worker=worker.number, pid=pid, code=code)
            lost = self._lose(worker)
            self._remove(worker)
            if lost:
                yield worker

    def adopt_orphans(self) -> None:
        """Let a living worker serve each slot that has none."""
        living = [slot.serving for slot in self.slots if slot.serving is not None]
        for slot in self.slots:
            if slot.serving is None and slot.adopter is None and living:
                slot.adopter = living[slot.number % len(living)]
                slot.adopter.order(ADOPT, slot)

    def kill_late_ones(self) -> None:
        """Kill those that neither answer nor end in time."""
        for worker in self._workers.values():
            if self._deadline_of(worker) <= time.monotonic():
                _log.warning("worker_killed", worker=worker.number, pid=worker.pid)
                worker.signal(signal.SIGKILL)
                worker.deadline = float("inf")

    def next_deadline(self) -> float:
        return min(map(self._deadline_of, self._workers.values()), default=float("inf"))

    def _deadline_of(self, worker: Worker) -> float:
        serves = worker.slot.serving is worker and not worker.leaving
        return float("inf") if serves else worker.deadline

    def _lose(self, worker: Worker) -> bool:
        """Do without one that ends by itself; says whether that is news."""
        if worker.leaving:
            return False
        self._leave(worker)
        worker.slot.lose(worker)
        return True

    def _leave(self, worker: Worker) -> None:
        worker.leaving = True
        worker.deadline = time.monotonic() + STOPPED_WITHIN.total_seconds()
        for slot in self.slots:
            if slot.adopter is worker:
                slot.adopter = None

    def _remove(self, worker: Worker) -> None:
        del self._workers[worker.pid]
        if worker.control in self._selector.get_map():
            self._selector.unregister(worker.control)
        worker.control.close()
