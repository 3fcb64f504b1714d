"""`make faults`: every fault under load, one table, and a random mix of them all."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from itertools import groupby
from random import SystemRandom

import click

from tests.faults.kinds import FAULTS, Fault
from tests.faults.load import repeatable
from tests.faults.mix import SETUP, run_mix
from tests.faults.rows import HEADINGS, Row, run_fault
from tests.faults.site import running_site
from tests.support.servers.postgresql import PostgresqlProcess, running_postgresql

_QUICK_SECONDS = 2.0
_COMPLAINTS_SHOWN = 5


def main() -> int:
    """Give 0 if every promise was kept."""
    wanted = _arguments()
    click.echo(f"seed {wanted.seed} (--seed {wanted.seed} repeats the random run)")
    with running_postgresql() as postgresql:
        rows = asyncio.run(_run(wanted, postgresql))
    _print_table(rows)
    broken = [f"{row.name}: {complaint}" for row in rows for complaint in row.broken]
    outcome = f"{len(broken)} promises were broken" if broken else "every promise was kept"
    click.echo(f"\nseed {wanted.seed}; {outcome}")
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each fault for at most two seconds")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000), help="of the random mix")
    parser.add_argument("--mix", type=float, metavar="SECONDS", help="length of the random mix (0: none)")
    parser.add_argument("--only", default="", metavar="TEXT", help="the faults that have this in their name")
    wanted = parser.parse_args()
    if not _chosen(wanted.only):
        parser.error(f"no fault has that in its name; there are: {', '.join(fault.name for fault in FAULTS)}")
    if wanted.mix is None:
        wanted.mix = 0 if wanted.only else 10 if wanted.quick else 60
    return wanted


def _chosen(only: str) -> list[Fault]:
    return [fault for fault in FAULTS if only.casefold() in fault.name.casefold()]


async def _run(wanted: argparse.Namespace, postgresql: PostgresqlProcess) -> list[Row]:
    rows = []
    chance = repeatable(wanted.seed)
    for setup, alike in groupby(_chosen(wanted.only), key=lambda fault: fault.setup):
        if setup.disk_megabytes and os.geteuid() != 0:
            click.echo(f"left out, since only root can make a small disk: {', '.join(fault.name for fault in alike)}")
            continue
        async with running_site(setup, postgresql) as site:
            for fault in alike:
                seconds = min(fault.seconds, _QUICK_SECONDS) if wanted.quick else fault.seconds
                click.echo(f"{fault.name} ({seconds:.0f} s) ...")
                rows.append(_told(await run_fault(site, fault, random=chance, seconds=seconds)))
    if wanted.mix:
        click.echo(f"random mix ({wanted.mix:.0f} s) ...")
        async with running_site(SETUP, postgresql) as site:
            rows.append(_told(await run_mix(site, seed=wanted.seed, seconds=wanted.mix)))
    return rows


def _told(row: Row) -> Row:
    for complaint in row.broken[:_COMPLAINTS_SHOWN]:
        click.echo(f"  BROKEN: {complaint}")
    if len(row.broken) > _COMPLAINTS_SHOWN:
        click.echo(f"  and {len(row.broken) - _COMPLAINTS_SHOWN} more")
    return row


def _print_table(rows: list[Row]) -> None:
    lines = [HEADINGS, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    click.echo("")
    for line in lines:
        first, *others = (
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        click.echo("  ".join([first, *others]))


if __name__ == "__main__":
    sys.exit(main())
