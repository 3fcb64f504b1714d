"""What no longer counts?"""

from gateway.revocation.revocation import PASSWORD_RESET, Revocation
from gateway.revocation.transaction import Doorbell, Transaction, ring_nobody

__all__ = ["PASSWORD_RESET", "Doorbell", "Revocation", "Transaction", "ring_nobody"]
