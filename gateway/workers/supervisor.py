"""The supervisor: keeps a worker in each slot, and replaces them one by one for a new configuration."""

from __future__ import annotations

import selectors
import signal
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from socket import socket
from typing import TYPE_CHECKING

import structlog

from gateway.listening import BACKLOG
from gateway.workers.collecting import freeze_what_is_there
from gateway.workers.configuration import Configuration, Generation
from gateway.workers.crew import Change, Crew
from gateway.workers.preparing import Preparation, PreparationRefused
from gateway.workers.signals import Signals
from gateway.workers.slots import Slot, Worker

if TYPE_CHECKING:
    from gateway.workers.reloading import Reloading
    from gateway.workers.worker import Run

_log = structlog.get_logger("gateway.workers")

# Compose files start everything at once.
_DATABASE_COMES_WITHIN = timedelta(seconds=60)
# `timeout`, `make` and `npm` pass on a signal that the terminal, or they themselves, sent to the whole group as well.
_SAME_WISH_WITHIN = timedelta(seconds=1)


class NoWorker(Exception):
    """None ever answered; the log says why."""


class Supervisor:
    """One thread that waits for signals, for what workers say, and for moments; and then looks what is missing.

    `current` is what workers are started with; `candidate` becomes it when the first worker of it answers.
    """

    def __init__(
        self,
        sockets: Sequence[Sequence[socket]],
        *,
        run: Run,
        reloading: Reloading,
        on_ready: Callable[[Generation], None],
    ) -> None:
        self._sockets = sockets
        self._run = run
        self._reloading = reloading
        self._on_ready = on_ready
        self._selector = selectors.DefaultSelector()
        self._signals = Signals()
        self._crew = Crew(sockets, run=run, selector=self._selector, own=self._signals)
        self._current: Generation | None = None
        self._candidate: Generation | None = None
        self._preparation: Preparation | None = None
        # Whether everybody has been told that the current generation serves.
        self._announced = False
        self._reload_wanted = False
        self._stopping_since: float | None = None

    def run(self, configuration: Configuration, *, meanwhile: Callable[[], object]) -> None:
        """Serve until SIGTERM or SIGINT. Raises `PreparationRefused` and `NoWorker` when that cannot begin.

        `meanwhile` makes what workers share, while another process prepares the database.
        """
        with self._signals, self._selector:
            self._selector.register(self._signals, selectors.EVENT_READ)
            try:
                self._prepare(Generation(1, configuration), patience=_DATABASE_COMES_WITHIN)
                meanwhile()
                freeze_what_is_there()
                while not self._stopping or self._crew:
                    self._wait()
                    for worker in self._crew.reap():
                        self._on_lost(worker)
                    self._crew.kill_late_ones()
                    if not self._stopping:
                        self._look_what_is_missing()
            finally:
                self._crew.kill_all()
                self._end_preparation()

    def _wait(self) -> None:
        timeout = None if (until := self._next_moment()) == float("inf") else max(0.0, until - time.monotonic())
        for key, _ in self._selector.select(timeout):
            if key.fileobj is self._signals:
                for number in self._signals.read():
                    self._on_signal(number)
            elif key.fileobj is self._preparation:
                self._on_preparation(self._preparation)
            elif isinstance(key.data, Worker):
                change = self._crew.hear(key.data)
                if change is Change.READY:
                    self._on_ready_worker(key.data)
                elif change is Change.LOST:
                    self._on_lost(key.data)

    def _next_moment(self) -> float:
        if self._stopping:
            return self._crew.next_deadline()
        now = time.monotonic()
        starts = [
            slot.next_start
            for slot in self._crew.slots
            if slot.starting is None and (slot.serving is None or slot.next_start > now)
        ]
        return min([self._crew.next_deadline(), *(starts if self._current is not None else [])])

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._reload_wanted = True
        elif number in (signal.SIGTERM, signal.SIGINT):
            if self._stopping_since is None:
                self._stop()
            elif time.monotonic() - self._stopping_since > _SAME_WISH_WITHIN.total_seconds():
                _log.warning("stopped_at_once")
                self._crew.kill_all()

    @property
    def _stopping(self) -> bool:
        return self._stopping_since is not None

    def _stop(self) -> None:
        self._stopping_since = time.monotonic()
        self._end_preparation()
        self._crew.stop_all()
        # Nobody may queue for workers that will not come. What their own copies hold, they answer.
        for sockets in self._sockets:
            for one in sockets:
                one.close()

    def _prepare(self, candidate: Generation, *, patience: timedelta) -> None:
        freeze_what_is_there()
        self._candidate = candidate
        self._preparation = Preparation(
            candidate.configuration, self._run, patience=patience, closing=self._crew.controls
        )
        self._selector.register(self._preparation, selectors.EVENT_READ)

    def _on_preparation(self, preparation: Preparation) -> None:
        if not preparation.read():
            return
        try:
            prepared = preparation.result()
        except PreparationRefused as refusal:
            if self._current is None:
                raise
            self._reloading.refuse(refusal)
            self._candidate = None
        else:
            assert self._candidate is not None, "it is what is prepared"  # noqa: S101 - for the type checker
            self._candidate.prepared = prepared
            if self._current is None:
                self._begin()
        finally:
            self._end_preparation()

    def _begin(self) -> None:
        for sockets in self._sockets:
            for one in sockets:
                one.listen(BACKLOG)
        self._current, self._candidate = self._candidate, None

    def _end_preparation(self) -> None:
        if self._preparation is not None:
            self._selector.unregister(self._preparation)
            self._preparation.end()
            self._preparation = None

    def _on_ready_worker(self, worker: Worker) -> None:
        _log.info("worker_ready", worker=worker.number, pid=worker.pid)
        if worker.generation is self._candidate:
            self._current, self._candidate, self._announced = self._candidate, None, False

    def _on_lost(self, worker: Worker) -> None:
        if worker.generation is self._candidate:
            self._candidate = None
            self._reloading.refuse(NoWorker("a worker with it did not start; the reason stands above"))
        elif self._is_first(worker.generation) and not any(slot.serving or slot.starting for slot in self._crew.slots):
            message = "no worker could start; the reason stands above"
            raise NoWorker(message)

    def _is_first(self, generation: Generation) -> bool:
        """Whether nobody was ever told that this gateway serves."""
        return generation is self._current and generation.number == 1 and not self._announced

    def _look_what_is_missing(self) -> None:
        if self._current is None:
            return
        self._crew.adopt_orphans()
        for slot in self._crew.slots:
            if slot.serving is None and slot.starting is None and slot.next_start <= time.monotonic():
                self._crew.start(slot, self._current)
        if any(slot.serving is None or slot.starting is not None for slot in self._crew.slots):
            return
        if self._candidate is not None:
            if self._candidate.prepared is not None:
                self._replace(self._crew.slots[0], self._candidate)
            return
        outdated = [slot for slot in self._crew.slots if slot.serving and slot.serving.generation is not self._current]
        if outdated:
            self._replace(outdated[0], self._current)
            return
        if not self._announced and self._crew.everybody_has(self._current):
            self._announce(self._current)
        if self._announced and self._reload_wanted:
            self._reload(self._current)

    def _replace(self, slot: Slot, generation: Generation) -> None:
        if slot.next_start <= time.monotonic():
            self._crew.start(slot, generation)

    def _announce(self, generation: Generation) -> None:
        self._announced = True
        if generation.number > 1:
            self._reloading.confirm(generation)
        self._on_ready(generation)

    def _reload(self, current: Generation) -> None:
        self._reload_wanted = False
        configuration = self._reloading.load(current.configuration)
        if configuration is None:
            return
        try:
            self._prepare(Generation(current.number + 1, configuration), patience=timedelta(0))
        except OSError as error:
            # The machine has no room for another process.
            self._candidate = None
            self._reloading.refuse(error)
