"""`--config` and `--env-file`, wherever a person types them, and the settings that they lead to."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_Function = TypeVar("_Function", bound=Callable[..., Any])

# Where click keeps what the options of any level said: `meta` is shared by a command and all groups above it.
_CONFIG = "gateway.config_file"
_ENV_FILES = "gateway.env_files"


def settings_options(function: _Function) -> _Function:
    """Add `--config` and `--env-file` to a command or group; their values wait for `loaded_settings`."""
    path = click.Path(path_type=Path)
    for option in (
        click.option(
            "--env-file",
            type=path,
            multiple=True,
            expose_value=False,
            callback=_keep_env_files,
            metavar="FILE",
            help="Read variables from FILE (repeatable; the environment itself ranks above).",
        ),
        click.option(
            "--config",
            type=path,
            expose_value=False,
            callback=_keep_config_file,
            metavar="FILE",
            help="Read settings from this YAML file (also GATEWAY_CONFIG).",
        ),
    ):
        function = option(function)
    return function


def with_settings(
    function: Callable[Concatenate[LoadedSettings, _Arguments], _Result],
) -> Callable[_Arguments, _Result]:
    """Give a command its settings as first argument, and the options that choose their sources.

    Warnings go to stderr; what is wrong, a test of the rules that fails included, ends the program with exit code 2.
    """

    @settings_options
    @functools.wraps(function)
    def command(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        return function(tested_settings(click.get_current_context()), *args, **kwargs)

    return command


def tested_settings(context: click.Context) -> LoadedSettings:
    """Load the settings as `with_settings` does; doing it again reads every source anew.

    Raises `ConfigurationError`.
    """
    loaded = loaded_settings(context)
    _require_what_tests_expect(loaded)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    return loaded


def loaded_settings(context: click.Context) -> LoadedSettings:
    """Load the settings from what was typed and the environment, without asking the rules' tests.

    Raises `ConfigurationError`.
    """
    # Half the time of `--help` would go into the settings' libraries, and help needs none of them.
    from gateway.config.loading import load_settings  # noqa: PLC0415

    return load_settings(context.meta.get(_CONFIG), context.meta.get(_ENV_FILES, ()), os.environ)


def _require_what_tests_expect(loaded: LoadedSettings) -> None:
    access_control = loaded.settings.access_control
    if access_control is None or not access_control.tests:
        return
    from gateway.config.findings import ConfigurationError, Finding  # noqa: PLC0415 - as above
    from gateway.forward_auth.expectations import disappointed_tests  # noqa: PLC0415 - as above

    problems = [
        Finding(f"access_control.tests[{index + 1}]", loaded.origin_of(("access_control", "tests", index)), message)
        for index, message in disappointed_tests(access_control)
    ]
    if problems:
        raise ConfigurationError(problems)


def _keep_config_file(context: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    if context.meta.setdefault(_CONFIG, path) != path:
        message = f"{context.meta[_CONFIG]} is given already"
        raise click.BadParameter(message, ctx=context, param=parameter)


def _keep_env_files(context: click.Context, parameter: click.Parameter, paths: tuple[Path, ...]) -> None:
    del parameter
    context.meta[_ENV_FILES] = (*context.meta.get(_ENV_FILES, ()), *paths)


def print_problems(problems: tuple[object, ...]) -> None:
    """Say on stderr all that is wrong with the configuration."""
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    print(f"The configuration has {count}:", *(f"  {problem}" for problem in problems), sep="\n", file=sys.stderr)  # noqa: T201
