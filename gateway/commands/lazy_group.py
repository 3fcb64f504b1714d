"""A group that knows its commands' names and short texts, and imports a command only when it is needed."""

from __future__ import annotations

import difflib
import gc
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command is (`module:name`), and the line that `--help` shows for it."""

    target: str
    short_help: str

    def load(self) -> click.Command:
        module, _, name = self.target.partition(":")
        command = getattr(_imported(module), name)
        if not isinstance(command, click.Command):
            message = f"{self.target} is not a command"
            raise TypeError(message)
        return command


def _imported(module: str) -> ModuleType:
    # To look for garbage takes a fifth of the time and finds nothing: what a module makes, it keeps.
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()


class LazyGroup(click.Group):
    """`--help` lists the commands without importing one, so that it answers at once."""

    def __init__(self, *args: Any, lazy_commands: Mapping[str, LazyCommand], **kwargs: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(*args, **kwargs)
        self._lazy_commands = lazy_commands

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self._lazy_commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        lazy = self._lazy_commands.get(cmd_name)
        return lazy.load() if lazy else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        close = difflib.get_close_matches(args[0], self._lazy_commands, n=1)
        if close and args[0] not in self._lazy_commands:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {close[0]}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.short_help) for name, lazy in self._lazy_commands.items()])
