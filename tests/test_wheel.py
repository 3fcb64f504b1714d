"""The wheel, as somebody gets it who has no checkout: installed into an empty environment, started anywhere."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

import gateway

TOP = Path(__file__).parent.parent
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Installation:
    """A wheel, and the environment that it is installed in."""

    wheel: Path
    command: Path


def build_wheel(folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=TOP,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    wheel = build_wheel(tmp_path_factory.mktemp("wheel"))
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    # The dependencies come from the environment of the tests, so that this needs no network.
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return Installation(wheel=wheel, command=environment / "bin" / "gateway")


def environment_of(folder: Path, **settings: str) -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", **settings}


@asynccontextmanager
async def serving(installation: Installation, folder: Path) -> AsyncIterator[str]:
    """Start `gateway serve` in an empty folder; give its address, and see it stop as asked."""
    settings = environment_of(folder, GATEWAY_LISTEN="127.0.0.1:0", GATEWAY_DATA_DIR=str(folder / "data"))
    process = await asyncio.create_subprocess_exec(
        installation.command, "serve", cwd=folder, env=settings, stdout=PIPE, stderr=STDOUT
    )
    try:
        yield await asyncio.wait_for(address_of(process), START_SECONDS)
        process.terminate()
        await process.communicate()
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def address_of(process: asyncio.subprocess.Process) -> str:
    """Read what the process prints until it says where it listens."""
    assert process.stdout is not None
    seen = ""
    async for line in process.stdout:
        seen += line.decode()
        if found := re.search(r"listens on (http://\S+)", line.decode()):
            return found[1]
    pytest.fail(f"gateway serve ended before it listened:\n{seen}")


@pytest.mark.parametrize("folder", ["templates", "static", "nginx", "config"])
def test_wheel_holds_every_file_of_the_folder(installation: Installation, folder: str) -> None:
    there = {str(path.relative_to(TOP)) for path in (TOP / folder).rglob("*") if path.is_file()}
    with zipfile.ZipFile(installation.wheel) as wheel:
        shipped = {name.removeprefix("gateway/_shared/") for name in wheel.namelist()}
    assert there
    assert there <= shipped


def test_wheel_holds_no_test_and_no_secret(installation: Installation) -> None:
    with zipfile.ZipFile(installation.wheel) as wheel:
        tops = {name.split("/")[0] for name in wheel.namelist()}
        assert tops == {"gateway", f"gateway-{gateway.__version__}.dist-info"}
        assert not [name for name in wheel.namelist() if name.endswith((".sqlite3", ".env", ".pem", ".key"))]


def test_installed_command_says_its_version(installation: Installation, tmp_path: Path) -> None:
    said = subprocess.run(
        [installation.command, "--version"],
        cwd=tmp_path,
        env=environment_of(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    )
    assert gateway.__version__ in said.stdout
    assert not list(tmp_path.iterdir())


def test_installed_command_runs_its_own_code(installation: Installation, tmp_path: Path) -> None:
    python = installation.command.with_name("python")
    code = "import gateway; print(gateway.__file__)"
    said = subprocess.run(
        [python, "-c", code], cwd=tmp_path, env=environment_of(tmp_path), check=True, capture_output=True, text=True
    )
    assert said.stdout.startswith(str(installation.command.parent.parent))


async def test_installed_gateway_serves_from_an_empty_folder(installation: Installation, tmp_path: Path) -> None:
    async with serving(installation, tmp_path) as address, aiohttp.ClientSession(address) as client:
        async with client.get("/healthz") as answer:
            assert answer.status == 200
        async with client.get("/login") as page:
            assert page.status == 200
            sheet = re.search(r'href="(/[^"]+\.css[^"]*)"', await page.text())
        assert sheet, "the login page has a style sheet"
        async with client.get(sheet[1]) as answer:
            assert answer.status == 200
