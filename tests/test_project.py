"""What the project promises about itself, read from its files."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
PACKAGE = TOP / "gateway"
MODULES = sorted(PACKAGE.rglob("*.py"))
LOCKS = sorted(TOP.glob("requirements*.txt"))
NODE_CLIENTS = TOP / "tests" / "clients"

MODULE_LINES = 250
FUNCTION_LINES = 40


def name_of(path: Path) -> str:
    return str(path.relative_to(TOP))


def locked_versions(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==([^ ;\\]+)", lock.read_text(), re.MULTILINE))


def functions(module: Path) -> Iterator[tuple[str, int]]:
    """Give each function's name and length; decorators and docstring, which say what it is, do not count."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            signature = node.body[0].lineno - node.lineno
            yield node.name, signature + (node.end_lineno or first.lineno) - first.lineno + 1


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_module_is_small_enough_to_have_one_meaning(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= MODULE_LINES


@pytest.mark.parametrize("module", [module for module in MODULES if module.parent.name != "versions"], ids=name_of)
def test_function_is_small_enough_to_have_one_meaning(module: Path) -> None:
    assert not {name: lines for name, lines in functions(module) if lines > FUNCTION_LINES}


@pytest.mark.parametrize("folder", sorted(path.parent for path in PACKAGE.rglob("__init__.py")), ids=name_of)
def test_folder_answers_a_question(folder: Path) -> None:
    question = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    assert re.match(r"[A-Z][^.]*\?", question)


@pytest.mark.parametrize("folder", sorted(path.parent for path in PACKAGE.glob("*/__init__.py")), ids=name_of)
def test_contributors_are_told_the_question_of_the_folder(folder: Path) -> None:
    question = (ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or "").partition("?")[0]
    assert f"| `{folder.name}/` | {question}? |" in (TOP / "CONTRIBUTING.md").read_text()


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES}), ids=name_of)
def test_folder_with_code_is_a_package(folder: Path) -> None:
    assert (folder / "__init__.py").is_file()


@pytest.mark.parametrize("lock", LOCKS, ids=name_of)
def test_every_locked_package_has_its_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", lock.read_text())
    assert not [entry.splitlines()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]


@pytest.mark.parametrize("lock", LOCKS, ids=name_of)
def test_lock_holds_nothing_of_one_machine(lock: Path) -> None:
    options = [line for line in lock.read_text().splitlines() if line.startswith(("-", "#"))]
    assert not options
    assert "://" not in lock.read_text()


def test_every_locked_node_package_has_its_hash_and_no_address() -> None:
    """Addresses of authors (`funding`, `bugs`) are theirs; `resolved` would be the registry of one machine."""
    lock = json.loads((NODE_CLIENTS / "package-lock.json").read_text())
    asked = lock["packages"].pop("")
    assert asked["dependencies"].keys() >= {"axe-core", "librechat-data-provider"}
    assert asked["dependencies"] == json.loads((NODE_CLIENTS / "package.json").read_text())["dependencies"]
    assert not [name for name, package in lock["packages"].items() if not package["integrity"].startswith("sha512-")]
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


@pytest.mark.parametrize(
    "file", ["pyproject.toml", "Makefile", "Dockerfile", ".ci/run", "scripts/install", "scripts/lock"]
)
def test_building_names_no_host(file: str) -> None:
    assert "://" not in (TOP / file).read_text()


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-build.txt"])
def test_tests_run_on_the_versions_that_are_installed(lock: str) -> None:
    tested = locked_versions(TOP / "requirements-dev.txt")
    installed = locked_versions(TOP / lock)
    assert installed
    assert {name: tested.get(name) for name in installed} == installed


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    asked += [wanted for wanted in project["dependency-groups"]["dev"] if isinstance(wanted, str)]
    names = {re.split(r"[\[<>=;]", wanted)[0].strip().lower() for wanted in asked}
    assert names <= locked_versions(TOP / "requirements-dev.txt").keys()


def test_make_lists_every_target() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(), re.MULTILINE))
    answer = subprocess.run(["make", "help"], cwd=TOP, check=True, capture_output=True, text=True)
    listed = set(re.findall(r"^  make ([a-z-]+) ", answer.stdout, re.MULTILINE))
    assert targets == listed
    assert {"run", "test", "lint"} <= listed


def test_make_alone_changes_nothing() -> None:
    help_text, alone = (
        subprocess.run(["make", *arguments], cwd=TOP, check=True, capture_output=True, text=True).stdout
        for arguments in (["help"], [])
    )
    assert alone == help_text


def dockerfile(instruction: str) -> list[str]:
    text = (TOP / "Dockerfile").read_text().replace("\\\n", " ")
    return re.findall(rf"^{instruction} (.+)$", text, re.MULTILINE)


def test_image_copies_only_what_exists_and_is_not_ignored() -> None:
    admitted = {line[1:] for line in (TOP / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    sources = {source for copy in dockerfile("COPY") if "--from" not in copy for source in copy.split()[:-1]}
    assert sources == admitted
    assert not [source for source in sources if not (TOP / source).exists()]


def test_image_holds_every_folder_of_the_wheel() -> None:
    wheel = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    admitted = (TOP / ".dockerignore").read_text().splitlines()
    assert {f"!{folder}" for folder in [*wheel["packages"], *wheel["force-include"]]} <= set(admitted)


def test_image_does_not_run_as_root() -> None:
    user = dockerfile("USER")[-1]
    assert user.split(":")[0].isdecimal()
    assert not user.startswith("0")


def test_image_asks_itself_whether_it_is_well() -> None:
    assert "/healthz" in dockerfile("HEALTHCHECK")[0]
