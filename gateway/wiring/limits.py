"""The limits of addresses, with what they count and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.client_address import TrustedProxies
from gateway.throttle.address_limits import AddressLimits, Allowance, Limit
from gateway.throttle.violations import Violations
from gateway.throttle.window_storage import WindowStorage

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.throttle.bans import AddressBans


def make_address_limits(settings: Settings, bans: AddressBans) -> AddressLimits:
    api = settings.auth_api
    windows, proxies = _windows(settings), TrustedProxies(settings.trusted_proxies)
    violations = Violations(bans, ban_duration=api.ban_duration, trusted_proxies=proxies, windows=windows)
    return AddressLimits(
        {
            Limit.LOGIN: Allowance(api.login_max, api.login_window),
            Limit.SECOND_FACTOR: Allowance(api.two_factor_temp_max, api.two_factor_temp_window),
            Limit.REGISTER: Allowance(api.register_max, api.register_window),
            Limit.RESET_REQUEST: Allowance(api.reset_password_max, api.reset_password_window),
            Limit.VERIFY_EMAIL: Allowance(api.verify_email_max, api.verify_email_window),
        },
        windows=windows,
        violations=violations if api.ban_violations else None,
    )


def _windows(settings: Settings) -> WindowStorage:
    if settings.redis_url is None:
        return WindowStorage()
    # A gateway without Redis does not load its client.
    from gateway.throttle.shared_windows import SharedWindows  # noqa: PLC0415

    return SharedWindows(settings.redis_url.get_secret_value())
