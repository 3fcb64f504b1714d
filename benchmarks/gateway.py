"""A gateway to measure: `gateway serve` on the program's core, three rules, people and credentials loaded before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench, Missing, Unusable
from benchmarks.preload import Amounts, Credentials, preload
from benchmarks.processes import cpu_seconds
from gateway.config.loading import load_settings
from gateway.config.settings import Settings
from tests.support.servers.gateway import GatewayProcess

PUBLIC_URL = "https://login.example.com"

# The rule with a group stands first and is for another host than those that are asked for: it is looked at, and
# decides nothing.
THREE_RULES = """\
access_control:
  default_policy: deny
  rules:
    - {domain: admin.example.com, subject: "group:operators", policy: one_factor}
    - {domain: app.example.com, path: ["/public/**"], policy: bypass}
    - {domain: "*.example.com", policy: one_factor}
"""

_ENVIRON = {
    "GATEWAY_PUBLIC_URL": PUBLIC_URL,
    "GATEWAY_COOKIE_DOMAIN": "example.com",
    "INITIAL_ORG_ADMIN_EMAIL": "admin@example.com",
    "INITIAL_ORG_ADMIN_PASSWORD": "Correct-horse-7",
    # Tokens outlive the longest row.
    "SESSION_EXPIRY": "1000 * 60 * 60 * 12",
    # All logins come from one address.
    "LOGIN_MAX": "1000000",
}


_MOST_WORDS = 2000


class DidNotStart(Unusable):
    """The message has what the gateway said."""


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """The gateway, and what it accepts. `process.start()` and `stop()` may be called in between."""

    process: GatewayProcess
    settings: Settings
    credentials: Credentials
    environ: Mapping[str, str]
    config: Path

    @property
    def port(self) -> int:
        return self.process.port

    def cpu_seconds(self) -> float:
        """Give the time of the supervisor and its workers."""
        return cpu_seconds(self.process.pid)


@contextmanager
def running_gateway(
    bench: Bench,
    amounts: Amounts,
    *,
    rules: str = THREE_RULES,
    environ: Mapping[str, str] | None = None,
    workers: int = 1,
) -> Iterator[RunningGateway]:
    """Fill a database (SQLite unless `environ` has a DATABASE_URL), and serve it until the end of the block."""
    folder = bench.own_folder("gateway")
    config = folder / "gateway.yaml"
    config.write_text(rules)
    variables = {"GATEWAY_DATA_DIR": str(folder / "data"), **_ENVIRON, **(environ or {})}
    settings = load_settings(config, (), variables).settings
    credentials = preload(variables, amounts, config=config)
    process = GatewayProcess(folder, variables, "--config", str(config), "--workers", str(workers))
    running = RunningGateway(process, settings, credentials, variables, config)
    try:
        with bench.on_program_core():
            _start(process)
        yield running
    except (Missing, DidNotStart):
        raise
    except Unusable as error:
        message = f"{error}\nThe gateway said last:\n{_last_words(process)}"
        raise Unusable(message) from error
    finally:
        # Also of one that was still starting when somebody pressed Ctrl-C.
        process.stop()


def _last_words(process: GatewayProcess) -> str:
    return process.log_file.read_text(errors="replace")[-_MOST_WORDS:].strip()


def _start(process: GatewayProcess) -> None:
    try:
        process.start()
    except AssertionError as error:
        message = f"the gateway did not start:\n{error}"
        raise DidNotStart(message) from error
