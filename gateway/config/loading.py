"""Settings from everywhere: environment before files of variables before the configuration file before defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway.config.advice import advice
from gateway.config.env_file import read_env_file
from gateway.config.findings import ConfigurationError, Finding
from gateway.config.helm_block import adopt_helm_block
from gateway.config.modes import mode_problems
from gateway.config.network_shapes import adopt_networks
from gateway.config.origins import Origins
from gateway.config.refusals import explain
from gateway.config.schema import KeyPath, dotted, is_list, section_in
from gateway.config.section import Section
from gateway.config.settings import Settings
from gateway.config.variables import CONFIG_VARIABLE, Assignment, Variable, read_variables
from gateway.config.yaml_file import Document, read_yaml_file


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, what is doubtful about them, and where each key came from (absent: its default).

    `origin_of` knows the lines inside lists as well.
    """

    settings: Settings
    warnings: tuple[Finding, ...]
    origins: Mapping[str, str]
    origin_of: Callable[[KeyPath], str]


def load_settings(config_file: Path | None, env_files: Sequence[Path], environ: Mapping[str, str]) -> LoadedSettings:
    """Read all sources. Raises `ConfigurationError` with every problem that can be told at once."""
    problems: list[Finding] = []
    layers = [*_read_env_files(env_files, problems), [Variable(name, environ[name], name) for name in sorted(environ)]]
    document = _read_document(config_file or _named_config_file(layers), problems)
    if document is None:
        raise ConfigurationError(problems)
    origins = Origins(document)
    values = _without_nulls(document.values, Settings)
    unreadable: set[str] = set()
    for layer in layers:
        assignments = read_variables(layer)
        problems += assignments.problems
        unreadable |= {dotted(path) for path in assignments.unreadable}
        for assignment in assignments.values:
            _assign(values, assignment)
            origins.assign(assignment.path, assignment.origin)
    settings = None
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        # What could not be read is missing from the values; complaints that follow from it would mislead.
        problems += [problem for problem in explain(error, origins) if problem.key not in unreadable]
    problems += mode_problems(values, origins, refused={problem.key for problem in problems})
    if settings is None or problems:
        raise ConfigurationError(problems)
    warnings = tuple(advice(settings, written=values, origins=origins))
    return LoadedSettings(settings, warnings, origins.of_keys(), origins.at)


def _read_env_files(paths: Sequence[Path], problems: list[Finding]) -> Iterable[list[Variable]]:
    layers = []
    for path in paths:
        try:
            layers.append(read_env_file(path))
        except ConfigurationError as error:
            problems += error.problems
    return layers


def _named_config_file(layers: Iterable[Sequence[Variable]]) -> Path | None:
    """Return the file that `GATEWAY_CONFIG` names; the last layer ranks highest."""
    named = [variable.value for layer in layers for variable in layer if variable.name == CONFIG_VARIABLE]
    return next((Path(name) for name in reversed(named) if name), None)


def _read_document(path: Path | None, problems: list[Finding]) -> Document | None:
    if path is None:
        return Document(Path("gateway.yaml"))
    try:
        document = read_yaml_file(path)
    except ConfigurationError as error:
        problems += error.problems
        return None
    adopt_helm_block(document)
    adopt_networks(document)
    problems += document.problems
    return document


def _without_nulls(values: Mapping[str, Any], section: type[Section]) -> dict[str, Any]:
    """Read a key without a value as not set, and a section without keys as an empty one.

    Lists of sections are left as they are: a criterion that lost its values must not widen its rule.
    """
    kept: dict[str, Any] = {}
    for key, value in values.items():
        field = section.model_fields.get(key)
        below = section_in(field.annotation) if field else None
        if field is not None and below is not None and not is_list(field):
            kept[key] = _without_nulls(value, below) if isinstance(value, dict) else {} if value is None else value
        elif value is not None or field is None:
            kept[key] = value
    return kept


def _assign(values: dict[str, Any], assignment: Assignment) -> None:
    *above, name = assignment.path
    for step in above:
        below = values.setdefault(step, {})
        if not isinstance(below, dict):
            return  # the file holds something else there, and is refused for it
        values = below
    values[name] = assignment.value
