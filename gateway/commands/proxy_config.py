"""`gateway proxy-config`: the configuration of your proxy, made from the running settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands.settings_options import settings_options, with_settings
from gateway.proxy_config.nginx import (
    DEFAULT_APPLICATION,
    DEFAULT_SITE,
    PLACEHOLDER_CERTIFICATE,
    Certificate,
    default_listen,
    render,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config.loading import LoadedSettings


@click.group("proxy-config")
@settings_options
def proxy_config() -> None:
    """Write the configuration of your proxy."""


@proxy_config.command()
@click.option("--site", default=DEFAULT_SITE, show_default=True, metavar="HOST", help="The host to protect.")
@click.option(
    "--application", default=DEFAULT_APPLICATION, show_default=True, metavar="URL", help="The application behind it."
)
@click.option("--listen", metavar="[ADDRESS:]PORT", help="Where nginx listens.  [default: 8080, or 443 for https]")
@click.option("--certificate", default=PLACEHOLDER_CERTIFICATE.chain, metavar="FILE", help="For https: the chain.")
@click.option("--certificate-key", default=PLACEHOLDER_CERTIFICATE.key, metavar="FILE", help="For https: its key.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write the files here.")
@click.option("--force", is_flag=True, help="Overwrite files in DIR that differ.")
@with_settings
def nginx(  # noqa: PLR0913 - one for each option
    loaded: LoadedSettings,
    *,
    site: str,
    application: str,
    listen: str | None,
    certificate: str,
    certificate_key: str,
    output: Path | None,
    force: bool,
) -> None:
    """Print nginx's configuration, or write it into a folder."""
    settings = loaded.settings
    try:
        files = render(
            settings,
            site=site,
            application=application,
            listen=listen or default_listen(settings),
            certificate=Certificate(certificate, certificate_key),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if output is None:
        _print(files)
    else:
        _write(files, output, force=force)


def _print(files: Mapping[str, str]) -> None:
    for name, text in files.items():
        click.echo(f"{'#' * 20} {name} {'#' * 20}\n\n{text}")


def _write(files: Mapping[str, str], folder: Path, *, force: bool) -> None:
    """Write all files or none: a mixture of old and new ones could let something through."""
    changed = {name: text for name, text in files.items() if _text_of(folder / name) != text}
    differing = [str(folder / name) for name in changed if (folder / name).exists()]
    if differing and not force:
        message = f"not overwritten, because they differ: {', '.join(differing)}. Compare, then add --force."
        raise click.ClickException(message)
    try:
        for name, text in changed.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            click.echo(f"wrote {path}")
    except OSError as error:
        message = f"{error.filename} cannot be written: {error.strerror}"
        raise click.ClickException(message) from error
    if not changed:
        click.echo(f"nothing to do: {folder} is up to date")


def _text_of(path: Path) -> str | None:
    return path.read_text(errors="replace") if path.is_file() else None
