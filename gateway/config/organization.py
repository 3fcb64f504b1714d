"""The `organization` section: how the organization treats its members, and what it allows of new keys."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from gateway.config.section import Section, TruthValue, Whole

_LIMITS = (
    "pat_creation_disabled",
    "max_api_key_expiry_days",
    "max_pat_expiry_days",
    "max_service_key_expiry_days",
)
# Ten years, as with every duration.
_MAX_DAYS = 3650


class OrganizationSettings(Section):
    """What is left out of the limits of keys is as administrators set it; what is set here they cannot change."""

    force_password_change: TruthValue = Field(default=True, examples=["true"])
    pat_creation_disabled: TruthValue | None = Field(default=None, examples=["true"])
    max_api_key_expiry_days: Whole | None = Field(default=None, ge=1, le=_MAX_DAYS, examples=["365"])
    max_pat_expiry_days: Whole | None = Field(default=None, ge=1, le=_MAX_DAYS, examples=["90"])
    max_service_key_expiry_days: Whole | None = Field(default=None, ge=1, le=_MAX_DAYS, examples=["365"])

    @property
    def key_limits(self) -> dict[str, Any]:
        """The limits that are set here."""
        return {name: value for name in _LIMITS if (value := getattr(self, name)) is not None}
