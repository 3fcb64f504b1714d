"""The command line: `python -m benchmarks`."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import structlog

from benchmarks.bench import Bench, Unusable, two_cores
from benchmarks.chart import as_svg
from benchmarks.row import Row
from benchmarks.rows import cold, growth, latency, memory, proxy, start, storm, warm, workers
from benchmarks.rows import soak as soaking
from benchmarks.table import CHART, RESULTS, as_markdown, as_text
from gateway.demo.errors import DemoFailed

# One function may measure several rows: they come from the same rounds.
_ROWS = {
    "P1": warm.measure,
    "P2": warm.measure,
    "P3": warm.measure,
    "P4": latency.measure,
    "P5": proxy.measure,
    "P6": cold.measure,
    "P7": growth.measure,
    "P8": memory.measure,
    "P9": storm.measure,
    "P10": workers.measure,
    "P11": start.measure,
}
# nginx's are the demo's.
_FAILURES = (Unusable, DemoFailed)
_BUSY = 0.5
_BELOW_THE_LINE = 1
_NOTHING_LEARNT = 2
_EXAMPLES = """
    \b
    Examples:
      python -m benchmarks quick          is a check still quick enough? (< 60 s)
      python -m benchmarks all            everything, into benchmarks/results.md
      python -m benchmarks all P4 P6      only these rows, without writing the file
      python -m benchmarks soak           ten minutes at half capacity: does anything grow?
"""


@click.group(
    help=f"""Measure the gateway on two cores of this machine: one for the program, one for the load.

    Exit code 0: every target is reached. 1: one is not. 2: nothing was learnt, and what to do about it is said.
    It needs wrk and nginx (Debian, Ubuntu: `apt-get install wrk nginx-light`, or `scripts/install bench`), and a
    machine that does nothing else.
{_EXAMPLES}"""
)
def main() -> None:
    # `timeout` and CI end us so, and a terminal that is closed: servers and folders have to go as with Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    # Of the preparation nobody wants to read.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@main.command()
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True)
@click.option("--seconds", type=click.IntRange(1), default=1, show_default=True, help="Of each load in each round.")
def quick(rounds: int, seconds: int) -> None:
    """P1 to P3 in less than a minute: the processor's time for a check."""
    sys.exit(_run(lambda bench: _shown(warm.measure(bench)), rounds=rounds, seconds=seconds))


@main.command("all")
@click.argument("rows", nargs=-1, metavar="[ROW ...]", type=click.Choice(list(_ROWS), case_sensitive=False))
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True)
@click.option("--seconds", type=click.IntRange(1), default=3, show_default=True, help="Of each load in each round.")
def measure_all(rows: Sequence[str], rounds: int, seconds: int) -> None:
    """Every row, or those that are named; without names the table goes into benchmarks/results.md as well."""
    chosen = rows or tuple(_ROWS)

    def measure(bench: Bench) -> list[Row]:
        measured, failed = [], []
        for function in dict.fromkeys(_ROWS[row] for row in chosen):
            names = ", ".join(row for row in chosen if _ROWS[row] is function)
            bench.progress.say(f"measuring {names}")
            try:
                measured += function(bench)
            except _FAILURES as error:
                # One that fails takes nothing away from the others.
                failed.append(f"{names}: {error}")
        _shown(measured)
        if failed:
            raise Unusable("\n".join(failed))
        if not rows:
            _write(measured)
        return measured

    sys.exit(_run(measure, rounds=rounds, seconds=seconds))


@main.command()
@click.option("--minutes", type=click.IntRange(1), default=10, show_default=True)
def soak(minutes: int) -> None:
    """Serve at half capacity for some minutes, and tell whether memory, descriptors or threads grow."""
    sys.exit(_run(lambda bench: _shown(soaking.measure(bench, minutes=minutes)), rounds=1, seconds=1))


def _run(measure: Callable[[Bench], list[Row]], *, rounds: int, seconds: int) -> int:
    try:
        with _bench(rounds=rounds, seconds=seconds) as bench:
            rows = measure(bench)
    except _FAILURES as error:
        click.echo(f"Nothing was learnt: {error}", err=True)
        return _NOTHING_LEARNT
    except KeyboardInterrupt:
        click.echo("Nothing was learnt: it was stopped.", err=True)
        return _NOTHING_LEARNT
    return 0 if all(row.reached for row in rows) else _BELOW_THE_LINE


@contextmanager
def _bench(*, rounds: int, seconds: int) -> Iterator[Bench]:
    program_cores, load_cores = two_cores()
    if (load := os.getloadavg()[0]) > _BUSY:
        click.echo(f"This machine is busy (load {load:.1f}): ratios will be unsure, and rates too low.", err=True)
    with TemporaryDirectory(prefix="gateway-bench-", ignore_cleanup_errors=True) as folder:
        yield Bench(Path(folder), rounds, seconds, program_cores=program_cores, load_cores=load_cores)


def _write(rows: Sequence[Row]) -> None:
    CHART.write_text(as_svg(rows))
    RESULTS.write_text(as_markdown(rows, command=f"python -m benchmarks {' '.join(sys.argv[1:])}"))
    click.echo(f"Written to {RESULTS} and {CHART.name}.")


def _shown(rows: list[Row]) -> list[Row]:
    click.echo(as_text(rows))
    return rows


if __name__ == "__main__":
    main()
