"""The environment is made, kept, mended, and when it cannot be made one sentence says why."""

import ast
import os
import re
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import environment
from tools.chapters import notebooks

AGAIN = "run the same command again"


def wheel(folder: Path, name: str, version: str) -> None:
    """An empty wheel, for pip to install without a network."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", f"version = {version!r}\n")
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose environment is one small package, found without a network."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "PYTHON"))]:
        monkeypatch.delenv(name)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "none"\n[tool.ruff]\nfix = true\n')
    (tmp_path / "requirements.txt").write_text("tiny-one==1.0\n")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for version in ("1.0", "2.0"):
        wheel(wheels, "tiny_one", version)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    return tmp_path


def installed(root: Path) -> str:
    """The version of the small package in root's environment."""
    command = [root / ".venv/bin/python", "-c", "import tiny_one; print(tiny_one.version)"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a failure printed."""
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("environment: ")
    return line


def test_an_environment_is_made_kept_mended_and_changed(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # No network: one sentence, soon, and nothing that passes for an environment.
    with monkeypatch.context() as offline:
        offline.delenv("PIP_NO_INDEX")
        offline.delenv("PIP_FIND_LINKS")
        offline.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        started = time.monotonic()
        assert environment.main([]) == 1
        assert time.monotonic() - started < 60
    line = sentence(capsys)
    assert "the Python package index could not be reached; check the network" in line
    assert AGAIN in line
    assert "_build/environment.log" in line
    assert "127.0.0.1" in (root / "_build/environment.log").read_text()
    assert not (root / ".venv" / environment.STAMP).exists()

    # The next run starts from the half-made environment, and makes it whole.
    assert environment.main([]) == 0
    assert capsys.readouterr().out.startswith("Making .venv with Python 3.")
    assert installed(root) == "1.0"

    # Then there is nothing to do, also when a setting of another tool changes.
    project = root / "pyproject.toml"
    project.write_text(project.read_text().replace("fix = true", "fix = false"))
    with monkeypatch.context() as idle:
        idle.setattr(environment, "run", None)
        assert environment.main([]) == 0
    assert capsys.readouterr().out == ""

    # Another lock is installed in place, and what it does not list goes.
    wheel(root / "wheels", "tiny_two", "1.0")
    (root / "requirements.txt").write_text("tiny-two==1.0\ntiny-one==2.0\n")
    assert environment.main([]) == 0
    assert installed(root) == "2.0"
    (root / "requirements.txt").write_text("tiny-two==1.0\n")
    assert environment.main([]) == 0
    assert installed(root) == ""
    assert "Making .venv" not in capsys.readouterr().out


def failing(monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    """Let every command fail with this output."""
    done = subprocess.CompletedProcess([], 1, output.encode(), b"")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (
            "ERROR: Could not install packages: [Errno 28] No space left on device",
            rf"the disk is full .*; free some space and {AGAIN}",
        ),
        (
            "The virtual environment was not created because ensurepip is not available.",
            rf"this Python cannot make virtual environments; .*python3-venv' adds that.* {AGAIN}",
        ),
        ("/usr/bin/python3: No module named venv", r"'sudo apt install python3-venv' adds that"),
        (
            "ERROR: Could not find a version that satisfies the requirement torch==2.15.0\n"
            "ERROR: No matching distribution found for torch==2.15.0",
            r"has no torch==2\.15\.0 for Python 3\.\d+ on this machine; try another Python: make",
        ),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError'\n"
            "ERROR: No matching distribution found for hatchling==1.27.0",
            r"the Python package index could not be reached",
        ),
        ("ERROR: Wheel is broken.", r"pip failed: Wheel is broken \(all that was printed: "),
    ],
)
def test_what_went_wrong_is_one_sentence(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    output: str,
    expected: str,
) -> None:
    failing(monkeypatch, output)
    assert environment.main([]) == 1
    assert re.search(expected, sentence(capsys))


def test_a_full_disk_while_files_are_written(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(environment, "install", full)
    monkeypatch.setattr(environment, "run", lambda *_: "")
    assert environment.main([]) == 1
    assert "the disk is full" in sentence(capsys)


def test_an_interrupt_is_no_traceback(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "run", interrupt)
    assert environment.main([]) == 130
    assert capsys.readouterr().err == f"\nenvironment: interrupted; {AGAIN}.\n"


def test_an_unknown_argument(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert environment.main(["looc"]) == 1
    assert "'looc' is not known here: use no argument, or lock" in sentence(capsys)


def fake(folder: Path, name: str, status: int) -> None:
    """A program that says whether it is new enough."""
    (folder / name).write_text(f"#!/bin/sh\nexit {status}\n")
    (folder / name).chmod(0o755)


def test_an_old_python_looks_for_a_newer_one(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    monkeypatch.setenv("PATH", str(root))
    assert environment.main([]) == 1
    assert sentence(capsys) == (
        "environment: Python 3.11 or newer is needed: python3 is Python 3.9, and the PATH has no "
        "python3.13 or python3.12 or python3.11; install one, or name it: "
        "make PYTHON=/path/to/python3.12."
    )
    fake(root, "python3.13", 127)  # a shim with no Python behind it
    fake(root, "python3.12", 0)
    assert environment.newer_python() == str(root / "python3.12")

    monkeypatch.setenv("PYTHON", "python3.9")  # one that the user named is not replaced
    assert environment.main([]) == 1
    assert "python3.9 is Python 3.9; install one" in sentence(capsys)


def test_an_old_python_can_read_the_file() -> None:
    path = notebooks.ROOT / "tools" / "environment.py"
    ast.parse(path.read_text(), feature_version=(3, 6))


def test_the_lock_holds_every_requirement_of_the_project_exactly() -> None:
    project = tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text())["project"]
    text = (notebooks.ROOT / "requirements.txt").read_text()
    assert text.startswith(environment.LOCK_HEADER)
    lines = [line for line in text.removeprefix(environment.LOCK_HEADER).splitlines()]
    pins = [Requirement(line) for line in lines if not line.lstrip().startswith("#")]
    assert all(str(pin.specifier).startswith("==") and "*" not in str(pin) for pin in pins)
    extras = project["optional-dependencies"]
    for text in [*project["dependencies"], *extras["book"], *extras["test"]]:
        wanted = Requirement(text)
        versions = [
            str(pin.specifier).removeprefix("==")
            for pin in pins
            if canonicalize_name(pin.name) == canonicalize_name(wanted.name)
        ]
        assert versions, f"requirements.txt lacks {wanted.name}: run 'make lock'"
        assert all(wanted.specifier.contains(version) for version in versions), (
            f"requirements.txt has {wanted.name} {versions}, pyproject.toml asks for "
            f"{wanted.specifier}: run 'make lock'"
        )
