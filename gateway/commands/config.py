"""`gateway config`: is the configuration good, and what does it amount to?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.commands.settings_options import settings_options, with_settings
from gateway.config.show import show_settings

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings


@click.group()
@settings_options
def config() -> None:
    """Check the configuration, or show what it amounts to."""


@config.command()
@with_settings
def check(loaded: LoadedSettings) -> None:
    """Say whether the configuration is good; exit with 2 and every problem if not."""
    count = len(loaded.warnings)
    remark = {0: "", 1: ", with one warning"}.get(count, f", with {count} warnings")
    click.echo(f"configuration is good{remark}")


@config.command()
@with_settings
def show(loaded: LoadedSettings) -> None:
    """Print every setting and where it came from; secrets are hidden."""
    click.echo(show_settings(loaded), nl=False)
