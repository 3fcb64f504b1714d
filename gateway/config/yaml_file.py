"""The configuration file: YAML, with the line of every key kept, so that each problem can name it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gateway.config.findings import ConfigurationError, Finding
from gateway.config.schema import KeyPath, dotted

# Aliases may unfold a small file into a huge one, or into itself.
_MAX_NODES = 50_000
_MAX_DEPTH = 32
_ENDLESS = "holds too much, is nested too deep, or has an alias that contains itself"
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "null", "str"))
_KEY = "--config"
_EXAMPLE = "public_url: https://auth.example.com"


@dataclass(slots=True)
class Document:
    """The values of a file, the line of each, and what is wrong in it."""

    path: Path
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)

    def origin(self, path: KeyPath) -> str:
        """Name file and line of a key, or of the nearest key above it."""
        steps = next((path[:end] for end in range(len(path), 0, -1) if path[:end] in self.lines), None)
        return f"{self.path}:{self.lines[steps]}" if steps else str(self.path)


def read_yaml_file(path: Path) -> Document:
    """Read the file. Raises `ConfigurationError` where it is no YAML mapping at all."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from None
    except UnicodeError:
        raise _unusable(path, "cannot be read: it is not UTF-8 text") from None
    try:
        return _read(text, path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise _unusable(where, f"is not YAML: {error.problem or error.context}") from None
    except RecursionError:
        raise _unusable(path, _ENDLESS) from None
    except yaml.YAMLError as error:
        reason = getattr(error, "reason", "it cannot be parsed")
        raise _unusable(path, f"is not YAML: {reason}") from None


class _Loader(yaml.SafeLoader):
    """YAML 1.2's idea of plain words: `no`, `1:30` and dates are text, as everybody expects."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - types-PyYAML calls it an instance's


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), list(_first))


def _read(text: str, path: Path) -> Document:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        document = Document(path)
        if root is None:
            raise _unusable(path, "is empty", _EXAMPLE)
        if not isinstance(root, yaml.MappingNode):
            where = f"{path}:{_line(root)}"
            raise _unusable(where, "is no mapping of keys", _EXAMPLE)
        document.values = _Walk(loader, document).mapping(root, ())
        return document
    finally:
        loader.dispose()


class _Walk:
    """Turn nodes into values and note the line of each."""

    def __init__(self, loader: _Loader, document: Document) -> None:
        self._loader = loader
        self._document = document
        self._nodes = 0
        self._merged: set[int] = set()

    def value(self, node: yaml.Node, path: KeyPath) -> Any:  # noqa: ANN401 - whatever YAML holds
        self._nodes += 1
        if self._nodes > _MAX_NODES or len(path) > _MAX_DEPTH:
            where = f"{self._document.path}:{_line(node)}"
            raise _unusable(where, _ENDLESS)
        # The first line wins: an alias is blamed where it stands, by its key.
        self._document.lines.setdefault(path, _line(node))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        # An alias leads here again, and by then the node holds the keys that it merged and overruled as well.
        if id(node) not in self._merged:
            self._refuse_duplicates(node, path)
            self._loader.flatten_mapping(node)
            self._merged.add(id(node))
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            self._document.lines[*path, key] = _line(key_node)
            values[key] = self.value(value_node, (*path, key))
        return values

    def _scalar(self, node: yaml.Node, path: KeyPath) -> Any:  # noqa: ANN401 - whatever YAML holds
        if node.tag not in _PLAIN_TAGS:
            self._problem(path, node, f"has the tag {node.tag}, which means nothing here")
            return None
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError, KeyError):
            self._problem(path, node, "is not what its tag says, or too long")
            return None

    def _refuse_duplicates(self, node: yaml.MappingNode, path: KeyPath) -> None:
        first: dict[str, int] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(path, key_node, "a key must be a plain word")
            elif key_node.value in first:
                message = f"is written twice, first in line {first[key_node.value]}: remove one"
                self._problem((*path, key_node.value), key_node, message)
            else:
                first[key_node.value] = _line(key_node)

    def _problem(self, path: KeyPath, node: yaml.Node, message: str) -> None:
        origin = f"{self._document.path}:{_line(node)}"
        self._document.problems.append(Finding(dotted(path), origin, message))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _unusable(where: Path | str, message: str, example: str = "") -> ConfigurationError:
    return ConfigurationError([Finding(_KEY, str(where), message, example)])
