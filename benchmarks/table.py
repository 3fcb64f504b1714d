"""How the rows are shown: on the terminal, and in `results.md`."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.row import Row
from gateway.demo.nginx import find_nginx

RESULTS = Path(__file__).with_name("results.md")
CHART = Path(__file__).with_name("growth-and-latency.svg")
_HEADINGS = ("", "what", "median", "spread", "to reach", "", "note")
_LIBRARIES = ("aiohttp", "uvloop", "httptools", "sqlalchemy", "asyncpg")


def as_text(rows: Sequence[Row]) -> str:
    """Give lines that stand under each other."""
    table = [_HEADINGS, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table
    )


def as_markdown(rows: Sequence[Row], *, command: str) -> str:
    """Give the page, with all that somebody needs who wants to measure it again."""
    return "\n".join(
        [
            "# What was measured",
            "",
            f"`{command}` on {datetime.now(UTC):%Y-%m-%d}. Figures are medians of rounds that took turns, with the",
            "smallest and the largest of them: compare them with each other, and not with those of another machine.",
            "",
            *(f"- {line}" for line in machine()),
            "",
            f"| {' | '.join(_HEADINGS)} |",
            f"|{'---|' * len(_HEADINGS)}",
            *(f"| {' | '.join(_cells(row))} |" for row in rows),
            "",
            f"![Growth and latency]({CHART.name})",
            "",
        ]
    )


def machine() -> list[str]:
    """Say what all this ran on."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    programs = ", ".join(filter(None, (_first_line("wrk", "-v"), _first_line(find_nginx(), "-v"))))
    return [
        f"{_processor()}, {_cores()} cores; {platform.system()} {platform.release()}",
        f"Python {platform.python_version()} ({sys.implementation.name}), {libraries}",
        programs,
    ]


def _cells(row: Row) -> tuple[str, ...]:
    spread = "" if row.spread is None else f"{_number(row.spread[0])} to {_number(row.spread[1])}"
    verdict = "" if row.target is None else "reached" if row.reached else "NOT REACHED"
    value = f"{_number(row.value)} {row.unit}".strip()
    return row.id, row.what, value, spread, "" if row.target is None else str(row.target), verdict, row.note


def _number(value: float) -> str:
    """Write three digits that count, and never fewer than those before the point."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"  # noqa: PLR2004


def _processor() -> str:
    names = (line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    return next(names, "an unknown processor").rpartition(": ")[2]


def _cores() -> int:
    return Path("/proc/cpuinfo").read_text().count("processor\t:")


def _first_line(*command: str) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return (ran.stdout + ran.stderr).partition("\n")[0].partition(" [")[0].removeprefix("nginx version: ")
