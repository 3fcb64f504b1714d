"""One fault under load, and what came of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from random import Random

from tests.faults.history import Findings, judge
from tests.faults.kinds import Fault, Promise
from tests.faults.load import Load, prepared_load
from tests.faults.site import Site

_BEFORE_SECONDS = 1
AFTER_SECONDS = 3
# Who is still not answered so shortly before the end has not recovered.
_HEALED_BY_SECONDS = 0.5

HEADINGS = (
    "fault",
    "checks",
    "right",
    "wrong allows",
    "wrong denies",
    "unavailable",
    "recovery",
    "acknowledged writes",
    "lost",
)


@dataclass(frozen=True, slots=True)
class Span:
    """The time after a fault: from when everything was well again until the load ended."""

    healed: float
    ended: float


@dataclass(frozen=True, slots=True)
class Row:
    """The counts of one fault, and every promise that was not kept."""

    name: str
    findings: Findings
    recovery_seconds: float
    lost: list[str]
    broken: list[str]

    @property
    def cells(self) -> tuple[str, ...]:
        found = self.findings
        counts = (found.sent, found.right, len(found.wrong_allows), len(found.wrong_denies), len(found.unavailable))
        recovery = f"{self.recovery_seconds:.1f} s"
        return (self.name, *map(str, counts), recovery, str(found.acknowledged), str(len(self.lost)))


async def run_fault(site: Site, fault: Fault, *, random: Random, seconds: float) -> Row:
    """Let it happen to a site that is well, and wait until that is well again."""
    site.cut_offs.clear()
    portals = [replica.target for replica in site.replicas]
    async with prepared_load(targets=site.targets, portals=portals, random=random) as load:
        async with load.flowing(per_second=fault.checks_per_second):
            await asyncio.sleep(_BEFORE_SECONDS)
            await fault.happen(site, seconds)
            healed = time.monotonic()
            await asyncio.sleep(AFTER_SECONDS)
        ended = time.monotonic()
        await load.verify()
        return judge_row(fault.name, fault.promise, load, site, Span(healed, ended))


def judge_row(name: str, promise: Promise, load: Load, site: Site, after: Span) -> Row:
    """Hold what happened against what was promised."""
    findings = judge(load.events, never_valid=[credential.name for credential in load.forged], cut_offs=site.cut_offs)
    broken = [*findings.wrong_allows, *findings.wrong_denies, *load.lost]
    warm = {credential.name for credential in load.live}
    for event in findings.unavailable:
        if promise is Promise.EVERYBODY or (promise is Promise.WARM and event.credential in warm):
            when = event.invoked - after.healed
            broken.append(f"{event.asked} answered {event.status} about {event.credential}, {when:+.2f} s from the end")
    last = max((event.answered for event in findings.unavailable if event.invoked > after.healed), default=after.healed)
    if last > after.ended - _HEALED_BY_SECONDS:
        broken.append("it did not recover")
    return Row(name, findings, last - after.healed, load.lost, broken)
