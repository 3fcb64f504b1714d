"""An open loop: checks are asked when they are due, whether or not those before have been answered.

A visitor does not wait for another visitor's answer, so latency counts from the moment when a check was due: one that
waits for a free connection or for this program has waited. (`h2load --rps` counts from when it sent, and sends no
sooner than a connection is free: what piles up behind a slow answer looks quick.) Gaps are exponential, as those of
many independent visitors are, and this program looks all the time instead of sleeping: it has a core of its own.
"""

from __future__ import annotations

import gc
import random
import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import accumulate

from benchmarks.bench import Unusable
from benchmarks.checks import Checks

# More than the proxy's 32: an open loop opens another connection rather than wait.
_CONNECTIONS = 64
# So many times longer than planned, and the program (or this one) does not keep up at all.
_PATIENCE = 4
_GRACE_SECONDS = 5
# All of these are due at once.
_TOO_MANY, _FEW = 100_000_000, 30_000
_OK = b"HTTP/1.1 200 "
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Latencies:
    """Of one round, in ascending order, in seconds. `late`: how late this program itself sent."""

    answers: Sequence[float]
    late: Sequence[float]
    took: float

    @property
    def rate(self) -> float:
        return len(self.answers) / self.took


def quantile(ordered: Sequence[float], share: float) -> float:
    """Give the smallest value that is not below so many of them."""
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def ask_when_due(port: int, checks: Checks, *, rate: float, seconds: float, round_number: int) -> Latencies:
    """Ask so many a second on average. Raises `Unusable` when anything but 200 is answered, or too slowly."""
    total = int(rate * seconds)
    due = due_times(total, rate=rate, round_number=round_number)
    requests = [checks.request(round_number * total + number) for number in range(total)]
    with _connections(port) as sockets, _without_collecting():
        began = time.perf_counter()
        answers, late = _ask(sockets, requests, due)
        took = time.perf_counter() - began
    return Latencies(sorted(answers), sorted(late), took)


def due_times(total: int, *, rate: float, round_number: int) -> list[float]:
    """Give the seconds from the begin at which each is due; the same in the same round of every program."""
    chance = random.Random(round_number)
    return list(accumulate(chance.expovariate(rate) for _ in range(total)))


def fastest_rate(port: int, checks: Checks) -> float:
    """Give how many a second this program itself can ask, of one that answers without looking."""
    return ask_when_due(port, checks, rate=_TOO_MANY, seconds=_FEW / _TOO_MANY, round_number=0).rate


def _ask(
    sockets: dict[int, socket.socket], requests: Sequence[bytes], due: Sequence[float]
) -> tuple[list[float], list[float]]:
    # Everything that costs a look-up in the loop has a name of its own here: it runs for every check.
    poll, clock = select.epoll(), time.perf_counter
    for number in sockets:
        poll.register(number, select.EPOLLIN)
    idle = deque(sockets)
    due_of = dict.fromkeys(sockets, 0.0)
    answers: list[float] = []
    late: list[float] = []
    total, sent = len(due), 0
    begin = clock() + 0.01
    with poll:
        while len(answers) < total:
            while idle and sent < total and due[sent] <= clock() - begin:
                number = idle.popleft()
                due_of[number] = due[sent]
                late.append(clock() - begin - due[sent])
                sockets[number].send(requests[sent])
                sent += 1
            for number, _ in poll.poll(0):
                _require_whole(sockets[number].recv(65536))
                answers.append(clock() - begin - due_of[number])
                idle.append(number)
            if clock() - begin > _PATIENCE * due[-1] + _GRACE_SECONDS:
                message = f"only {len(answers)} of {total} checks were answered in time"
                raise Unusable(message)
    return answers, late


def _require_whole(answer: bytes) -> None:
    # So short an answer, written at once, arrives at once on this machine.
    if not answer.startswith(_OK) or not answer.endswith(_END):
        message = f"a check was answered {answer[:200]!r}"
        raise Unusable(message)


@contextmanager
def _connections(port: int) -> Iterator[dict[int, socket.socket]]:
    with ExitStack() as stack:
        made = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(_CONNECTIONS)]
        for one in made:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.setblocking(False)  # noqa: FBT003 - the name says it
        yield {one.fileno(): one for one in made}


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Do not pause in the middle: what is made here is counted in millions and has no circles."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
