"""`make cluster`: two gateways on PostgreSQL and Redis behind nginx, to look at and to do harm to."""

from __future__ import annotations

import asyncio

import click

from gateway.serving import stop_event
from tests.cluster.running import Cluster, ClusterFailed, running_cluster
from tests.support.gateway import ADMIN_EMAIL

_HIGHEST_PORT = 65535
_PORT = click.IntRange(1, _HIGHEST_PORT)


@click.command()
@click.option("--port", type=_PORT, default=8080, show_default=True, envvar="PORT", help="Where the application is.")
@click.option(
    "--portal-port", type=_PORT, default=9091, show_default=True, envvar="PORTAL_PORT", help="Where the login page is."
)
def main(port: int, portal_port: int) -> None:
    """Run the topology of compose.yaml without containers, in a temporary folder, until Ctrl-C."""
    try:
        asyncio.run(_run(port, portal_port))
    except ClusterFailed as error:
        raise click.ClickException(str(error)) from error
    except AssertionError as error:
        message = f"One of the servers did not start. Its last words:\n{error}"
        raise click.ClickException(message) from error


async def _run(port: int, portal_port: int) -> None:
    stopped = stop_event()
    async with running_cluster(port=port, portal_port=portal_port, say=click.echo) as cluster:
        click.echo("\n".join(_greeting(cluster)))
        await stopped.wait()


def _greeting(cluster: Cluster) -> list[str]:
    gateways = [
        f"Gateway {number}: {gateway.url} (process {gateway.pid})"
        for number, gateway in enumerate(cluster.gateways, start=1)
    ]
    return [
        "",
        f"Application: {cluster.application} (behind nginx; asks you to log in)",
        f"Portal: {cluster.portal}",
        *gateways,
        "",
        f"Administrator: {ADMIN_EMAIL}",
        f"Password: {cluster.password}",
        "",
        "Nothing is kept; Ctrl-C ends the cluster.",
    ]


if __name__ == "__main__":
    main(prog_name="python -m tests.cluster")
