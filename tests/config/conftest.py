from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config.findings import ConfigurationError
from gateway.config.loading import LoadedSettings, load_settings

Load = Callable[..., LoadedSettings]
Refused = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load from texts: a configuration file, a file of variables, and nothing else but the variables given."""
    monkeypatch.chdir(tmp_path)

    def load_from(file: str | None = None, *, env_file: str | None = None, **environ: str) -> LoadedSettings:
        if file is not None:
            Path("gateway.yaml").write_text(file, encoding="utf-8")
        if env_file is not None:
            Path(".env").write_text(env_file, encoding="utf-8")
        return load_settings(
            Path("gateway.yaml") if file is not None else None,
            [Path(".env")] if env_file is not None else [],
            environ,
        )

    return load_from


@pytest.fixture
def refused(load: Load) -> Refused:
    """Load what cannot be used, and return all that is said about it."""

    def refuse(*args: str, **kwargs: str) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            load(*args, **kwargs)
        return [str(problem) for problem in caught.value.problems]

    return refuse
