"""`python -m gateway.demo`: the demo's application alone, for a container beside those of the gateways."""

from __future__ import annotations

import asyncio

import click

from gateway.demo.application import application_running
from gateway.serving import stop_event

_HIGHEST_PORT = 65535


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, _HIGHEST_PORT), default=8081, show_default=True)
@click.option("--log-out-url", required=True, metavar="URL", help="Where the pages' link to log out leads.")
def main(host: str, port: int, log_out_url: str) -> None:
    """Serve the demo's application until Ctrl-C or SIGTERM.

    It believes whatever stands in Remote-User: nobody but the proxy may reach it.
    """
    asyncio.run(_serve(host, port, log_out_url))


async def _serve(host: str, port: int, log_out_url: str) -> None:
    stopped = stop_event()
    async with application_running(log_out_url=log_out_url, host=host, port=port) as url:
        click.echo(f"The application listens on {url}")
        await stopped.wait()


if __name__ == "__main__":
    main(prog_name="python -m gateway.demo")
