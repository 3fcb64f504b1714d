"""What the installation itself cannot do now."""

from __future__ import annotations

from datetime import timedelta

from gateway.errors.base import GatewayError


class DatabaseTooNew(GatewayError):
    """Going back would lose what the newer version added: nothing is touched."""

    code = "database_too_new"
    sentence = "The database was written by a newer gateway: install that version again, or restore a backup."


class ForeignSecret(GatewayError):
    """A generated secret is not the one that the database was used with; the message says what to do."""

    code = "foreign_secret"
    sentence = "This database was used with other secrets."


class ModeRefused(GatewayError):
    """The database was made for another way to log in than the configured one; the message says what to do."""

    code = "mode_refused"
    sentence = "This installation was made for another way to log in."


class Unavailable(GatewayError):
    """Something we need cannot answer now. Nothing falls back to "allow", and no cookie is cleared."""

    status = 503
    code = "unavailable"
    title = "Unavailable"
    sentence = "The gateway cannot answer now. Please try again."

    def __init__(self, message: str | None = None, *, retry_after: timedelta = timedelta(seconds=5)) -> None:
        super().__init__(message, retry_after=retry_after)


class DatabaseUnavailable(Unavailable):
    """The database cannot be used. `str()` says why, for the shell and the log; `message`, which goes out, does not."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.args = (reason,)


class ConnectionLost(DatabaseUnavailable):
    """The connection ended under a statement: of a read nothing is lost, and of a write nobody knows."""
