"""What the gateway does by itself, joined: the audit log is sealed, and what has expired is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.audit.retention import AuditRetention
from gateway.audit.sealing import Sealer
from gateway.audit.seals import AuditSeals
from gateway.cleaning import Cleaning, IdleSessions
from gateway.registration.abandoned import AbandonedRegistrations
from gateway.storage.expired import expired_rows
from gateway.throttle.logins import FORGOTTEN_AFTER

if TYPE_CHECKING:
    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings
    from gateway.storage.database import Database
    from gateway.wiring.work import Work


def make_upkeep(settings: Settings, secrets: Secrets, database: Database) -> tuple[Work, ...]:
    """Give what is to run for as long as the application lives."""
    seals = AuditSeals(secrets.derive_lasting("audit"))
    cleaning = Cleaning(
        database,
        steps=[
            *expired_rows(failures_forgotten_after=FORGOTTEN_AFTER, invalidations_kept_for=2 * settings.facts.max_age),
            IdleSessions(),
            AbandonedRegistrations(),
            AuditRetention(seals=seals, retention=settings.audit.retention),
        ],
    )
    return Sealer(database, seals=seals).run, cleaning.run
