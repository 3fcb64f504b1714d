"""The command line."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from gateway import __version__
from gateway.commands.lazy_group import LazyCommand, LazyGroup
from gateway.commands.settings_options import print_problems, settings_options
from gateway.config.findings import ConfigurationError
from gateway.errors import GatewayError

_BAD_CONFIGURATION = 2
_INTERRUPTED = 130  # 128 + SIGINT, as shells count

_COMMANDS = {
    "serve": LazyCommand("gateway.commands.serve:serve", "Run the gateway."),
    "demo": LazyCommand("gateway.commands.demo:demo", "Run the gateway, nginx and a small application to try it."),
    "config": LazyCommand("gateway.commands.config:config", "Check the configuration, or show what it amounts to."),
    "migrate": LazyCommand("gateway.commands.migrate:migrate", "Bring the database to this version."),
    "bootstrap": LazyCommand("gateway.commands.bootstrap:bootstrap", "Create the organization and its administrator."),
    "secrets": LazyCommand("gateway.commands.secrets:secrets", "Say whether the secrets are those of the database."),
    "member": LazyCommand("gateway.commands.member:member", "Add, import, change and remove people."),
    "user": LazyCommand("gateway.commands.member:member", "The same as `member`, under its older name."),
    "org": LazyCommand("gateway.commands.org:org", "Show the organization, and limit its API keys."),
    "explain": LazyCommand("gateway.commands.explain:explain", "Say what the rules answer to a request, and why."),
    "workspace": LazyCommand("gateway.commands.workspace:workspace", "Make workspaces, and say who is in them."),
    "group": LazyCommand("gateway.commands.group:group", "Make groups, and say who is in them."),
    "session": LazyCommand("gateway.commands.session:session", "Say who is logged in, and end sessions."),
    "key": LazyCommand("gateway.commands.key:key", "Make, list and revoke API keys."),
    "service-account": LazyCommand(
        "gateway.commands.service_account:service_account", "Add, change and remove programs that have keys."
    ),
    "ban": LazyCommand("gateway.commands.ban:ban", "Ban an address or a person, or list who is banned."),
    "unban": LazyCommand("gateway.commands.ban:unban", "Lift a ban."),
    "mail": LazyCommand("gateway.commands.mail:mail", "See whether mail can be sent."),
    "audit": LazyCommand("gateway.commands.audit:audit", "Read the log of security events, and verify it."),
    "proxy-config": LazyCommand("gateway.commands.proxy_config:proxy_config", "Print the configuration for a proxy."),
}


@click.group(cls=LazyGroup, lazy_commands=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@settings_options
@click.version_option(__version__, prog_name="gateway")
def gateway() -> None:
    """Gateway stands beside your proxy and decides for each request whether it may pass to the application behind.

    Settings come from the environment, from files of variables (--env-file) and from a YAML file (--config);
    config/gateway.yaml shows every one of them. Both options may stand before or after the command.

    \b
    Examples:
      gateway demo                                  try it: two addresses, an administrator, a password
      gateway --config gateway.yaml config check    is the configuration good?
      gateway serve --config gateway.yaml           run it
    """  # noqa: D301 - click reads \b as "leave these lines alone"


def main() -> NoReturn:
    """Run a command; what can be expected to go wrong is said in a sentence, without a traceback."""
    sys.exit(run())


def run() -> int:
    """Run a command and return the exit code."""
    try:
        code = gateway.main(prog_name="gateway", standalone_mode=False)
    except ConfigurationError as error:
        print_problems(error.problems)
        return _BAD_CONFIGURATION
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`); Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (GatewayError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
