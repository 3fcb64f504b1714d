"""`gateway proxy-config`: the configuration of your proxy, made from the running settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import click

from gateway.commands.settings_options import settings_options, with_settings
from gateway.proxy_config import nginx as nginx_proxy
from gateway.proxy_config import traefik as traefik_proxy
from gateway.proxy_config.rendering import (
    DEFAULT_APPLICATION,
    DEFAULT_SITE,
    PLACEHOLDER_CERTIFICATE,
    Certificate,
    default_listen,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config.loading import LoadedSettings

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Said(TypedDict):
    """What the operator typed, under the options' names."""

    site: str
    application: str
    listen: str | None
    certificate: str
    certificate_key: str


@click.group("proxy-config")
@settings_options
def proxy_config() -> None:
    """Write the configuration of your proxy."""


def _operator_options(function: _Function) -> _Function:
    """Add what no setting says, and where the files go: the same for every proxy."""
    for option in (
        click.option("--force", is_flag=True, help="Overwrite files in DIR that differ."),
        click.option(
            "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write the files here."
        ),
        click.option(
            "--certificate-key", default=PLACEHOLDER_CERTIFICATE.key, metavar="FILE", help="For https: its key."
        ),
        click.option(
            "--certificate", default=PLACEHOLDER_CERTIFICATE.chain, metavar="FILE", help="For https: the chain."
        ),
        click.option(
            "--listen", metavar="[ADDRESS:]PORT", help="Where the proxy listens.  [default: 8080, or 443 for https]"
        ),
        click.option(
            "--application",
            default=DEFAULT_APPLICATION,
            show_default=True,
            metavar="URL",
            help="The application behind it.",
        ),
        click.option("--site", default=DEFAULT_SITE, show_default=True, metavar="HOST", help="The host to protect."),
    ):
        function = option(function)
    return function


@proxy_config.command()
@click.option(
    "--gateway",
    "gateways",
    multiple=True,
    metavar="URL",
    help="A gateway as nginx reaches it; once for each of several.  [default: the one of these settings]",
)
@click.option(
    "--portal-listen", metavar="[ADDRESS:]PORT", help="A port of its own for the login page.  [default: the same]"
)
@_operator_options
@with_settings
def nginx(
    loaded: LoadedSettings,
    *,
    gateways: tuple[str, ...],
    portal_listen: str | None,
    output: Path | None,
    force: bool,
    **said: Unpack[_Said],
) -> None:
    """Print the configuration of nginx and ingress-nginx, or write it into a folder."""
    render = partial(nginx_proxy.render, gateways=gateways, portal_listen=portal_listen)
    _deliver(_rendered(render, loaded, said), output, force=force)


@proxy_config.command()
@_operator_options
@with_settings
def traefik(loaded: LoadedSettings, *, output: Path | None, force: bool, **said: Unpack[_Said]) -> None:
    """Print Traefik's files, Docker labels and Kubernetes resources, or write them into a folder."""
    _deliver(_rendered(traefik_proxy.render, loaded, said), output, force=force)


def _rendered(render: Callable[..., dict[str, str]], loaded: LoadedSettings, said: _Said) -> dict[str, str]:
    try:
        return render(
            loaded.settings,
            site=said["site"],
            application=said["application"],
            listen=said["listen"] or default_listen(loaded.settings),
            certificate=Certificate(said["certificate"], said["certificate_key"]),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _deliver(files: Mapping[str, str], output: Path | None, *, force: bool) -> None:
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
