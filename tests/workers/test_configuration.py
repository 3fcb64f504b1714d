"""What a reload cannot change."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.loading import load_settings
from gateway.workers.configuration import objections
from tests.support.gateway import environment


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("GATEWAY_LISTEN", "127.0.0.1:1234", "listen"),
        ("GATEWAY_WORKERS", "3", "workers"),
        ("DATABASE_URL", "postgresql://db/another", "database_url"),
        ("GATEWAY_DATA_DIR", "elsewhere", "data_dir"),
        ("DATABASE_URL", "postgresql://ada:new@db/gateway", None),
        ("GATEWAY_SITE_NAME", "Another name", None),
    ],
)
def test_what_workers_share_stays(tmp_path: Path, variable: str, value: str, key: str | None) -> None:
    environ = environment(tmp_path, DATABASE_URL="postgresql://ada:old@db/gateway")
    running, wanted = (load_settings(None, (), one).settings for one in (environ, {**environ, variable: value}))
    assert [finding.key for finding in objections(running, wanted)] == ([] if key is None else [key])
