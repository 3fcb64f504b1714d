"""The doorbell, where there is one, and the facts that it concerns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.doorbell.doorbell import Doorbell
    from gateway.facts.cache import FactsCache
    from gateway.wiring.work import Work


def make_doorbell(settings: Settings) -> Doorbell | None:
    if settings.redis_url is None:
        return None
    # Whoever has no Redis does not load its client.
    from gateway.doorbell.doorbell import Doorbell  # noqa: PLC0415

    return Doorbell(settings.redis_url.get_secret_value())


def ring_both(facts: FactsCache, doorbell: Doorbell | None) -> Callable[[str], None]:
    """Give what is rung after a commit: this process forgets at once, and the others hear of it."""
    if doorbell is None:
        return facts.apply

    def ring(subject: str) -> None:
        facts.apply(subject)
        doorbell.ring(subject)

    return ring


def doorbell_work(doorbell: Doorbell, facts: FactsCache) -> tuple[Work, Work]:
    """Give what is to run for as long as the application lives."""

    async def listen_at_doorbell() -> None:
        await doorbell.listen(hear=facts.hear, read_log=facts.tail.read_anew)

    return doorbell.send, listen_at_doorbell
