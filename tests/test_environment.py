"""The environment is made, kept, mended, and when it cannot be made one sentence says why."""

import ast
import contextlib
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import environment, installer, lock
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
        names = [f"{name}.py", *(f"{info}/{file}" for file in ("METADATA", "WHEEL", "RECORD"))]
        archive.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in names))


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip and nothing else."""
    path = tmp_path_factory.mktemp("bare") / ".venv"
    python = getattr(sys, "_base_executable", None) or sys.executable
    subprocess.run([python, "-m", "venv", path], check=True)
    return path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose environment is one small package, found without a network."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "PYTHON"))]:
        monkeypatch.delenv(name)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "none"\n[tool.ruff]\nfix = true\n')
    (tmp_path / "requirements.txt").write_text("tiny-one==1.0\n")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in ("tiny_one", "tiny_two"):
        wheel(wheels, name, "1.0")
        wheel(wheels, name, "2.0")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def fast(bare: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a new environment be a copy of the bare one, which takes less time than making it."""
    original = environment.run

    def run(command: list[str], *rest: object) -> str:
        if command[1:3] != ["-m", "venv"]:
            return original(command, *rest)
        shutil.copytree(bare, command[-1], symlinks=True)
        return ""

    monkeypatch.setattr(environment, "run", run)


def installed(root: Path) -> dict[str, str]:
    """The versions of the small packages in root's environment."""
    infos = (root / ".venv").glob("lib/python*/site-packages/tiny_*.dist-info")
    pairs = (info.name.removesuffix(".dist-info").split("-") for info in infos)
    return {name.replace("_", "-"): version for name, version in pairs}


def stamp(root: Path) -> dict | None:
    """What the stamp of root's environment says."""
    return environment.read_stamp(root / ".venv")


def in_parts(root: Path, site: str, rest: str) -> None:
    """Write a lock in two parts."""
    (root / "requirements.txt").write_text(f"{site}\n\n{installer.REST}\n{rest}\n")


@contextlib.contextmanager
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without a network."""
    with monkeypatch.context() as patch:
        patch.delenv("PIP_NO_INDEX")
        patch.delenv("PIP_FIND_LINKS")
        patch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        yield


def use(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment be made by pip, or by the uv that runs here already."""
    uv = str(Path(sys.executable).with_name("uv"))
    if by == "uv":
        monkeypatch.setattr(installer, "find_uv", lambda *_: uv)


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a failure printed."""
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("environment: ")
    return line


def test_an_environment_is_made_kept_mended_and_changed(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # No network: one sentence, soon, and nothing that passes for an environment.
    with offline(monkeypatch):
        started = time.monotonic()
        assert environment.main([]) == 1
        assert time.monotonic() - started < 60
    line = sentence(capsys)
    assert "the Python package index could not be reached; check the network" in line
    assert AGAIN in line
    assert "_build/environment.log" in line
    assert "127.0.0.1" in (root / "_build/environment.log").read_text()
    assert stamp(root) is None

    # The next run starts from the half-made environment, and makes it whole.
    assert environment.main([]) == 0
    assert capsys.readouterr().out.startswith("Making .venv with Python 3.")
    assert installed(root) == {"tiny-one": "1.0"}

    # Then there is nothing to do, also when a setting of another tool changes.
    project = root / "pyproject.toml"
    project.write_text(project.read_text().replace("fix = true", "fix = false"))
    with monkeypatch.context() as idle:
        idle.setattr(environment, "run", None)
        idle.setattr(environment, "alone", None)
        assert environment.main([]) == 0
        assert environment.main(["site"]) == 0
    assert capsys.readouterr().out == ""

    # Another lock is installed in place, and what it does not list goes.
    (root / "requirements.txt").write_text("tiny-two==1.0\ntiny-one==2.0\n")
    assert environment.main([]) == 0
    assert installed(root) == {"tiny-one": "2.0", "tiny-two": "1.0"}
    (root / "requirements.txt").write_text("tiny-two==1.0\n")
    assert environment.main([]) == 0
    assert installed(root) == {"tiny-two": "1.0"}
    assert "Making .venv" not in capsys.readouterr().out


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("by", ["pip", "uv"])
def test_from_the_small_environment_to_the_whole_one_and_back(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    use(by, monkeypatch)
    small, whole = {"tiny-one": "1.0"}, {"tiny-one": "1.0", "tiny-two": "1.0"}
    in_parts(root, "tiny-one==1.0", "tiny-two==1.0")
    assert environment.main(["site"]) == 0
    assert installed(root) == small
    assert environment.main(["site"]) == 0

    # No network on the way to the whole one: the small one stays, and is known to be there.
    with offline(monkeypatch):
        assert environment.main([]) == 1
        assert "could not be reached" in sentence(capsys)
        assert installed(root) == small
        assert environment.main(["site"]) == 0

    assert environment.main([]) == 0
    assert installed(root) == whole
    (before,) = (root / ".venv").glob("lib/python*/site-packages/tiny_two.py")
    born = before.stat().st_mtime_ns
    capsys.readouterr()
    assert environment.main(["site"]) == 0  # the whole one serves as it is
    assert capsys.readouterr().out == ""

    # Another version for the site: the rest stays, but is no longer what the lock lists.
    in_parts(root, "tiny-one==2.0", "tiny-two==1.0")
    assert environment.main(["site"]) == 0
    assert installed(root) == {"tiny-one": "2.0", "tiny-two": "1.0"}
    assert before.stat().st_mtime_ns == born
    in_parts(root, "tiny-one==2.0", "")
    assert environment.main(["site"]) == 0
    assert environment.main([]) == 0
    assert installed(root) == {"tiny-one": "2.0"}
    assert "Making" not in capsys.readouterr().out


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("by", ["pip", "uv"])
def test_an_update_without_a_network_leaves_what_worked(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    use(by, monkeypatch)
    assert environment.main([]) == 0
    before = stamp(root)
    (root / "requirements.txt").write_text("tiny-one==1.0\ntiny-three==1.0\n")
    with offline(monkeypatch):
        assert environment.main([]) == 1
    assert "could not be reached" in sentence(capsys)
    assert stamp(root) == before
    assert installed(root) == {"tiny-one": "1.0"}
    (root / "requirements.txt").write_text("tiny-one==1.0\n")  # back to the state before
    with offline(monkeypatch):
        assert environment.main([]) == 0


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("part", [[], ["site"]], ids=["all", "site"])
def test_a_half_made_environment_is_made_again(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], part: list[str]
) -> None:
    in_parts(root, "tiny-one==1.0", "tiny-two==1.0")
    assert environment.main(part) == 0
    wanted = installed(root)

    def killed(*_: object, **__: object) -> None:
        for file in (root / ".venv").glob("lib/python*/site-packages/tiny_one*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        raise KeyboardInterrupt

    (root / "requirements.txt").write_text(
        (root / "requirements.txt").read_text().replace("one==1.0", "one==2.0")
    )
    with monkeypatch.context() as interrupted:
        interrupted.setattr(environment, "install", killed)
        assert environment.main(part) == 130
    assert stamp(root) is None
    capsys.readouterr()
    assert environment.main(part) == 0
    assert "Making .venv" in capsys.readouterr().out
    assert installed(root) == wanted | {"tiny-one": "2.0"}


@pytest.mark.usefixtures("fast")
def test_a_moved_folder_is_made_again_and_kept_until_then(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert environment.main([]) == 0
    moved = root / "moved"
    moved.mkdir()
    for name in ("pyproject.toml", "requirements.txt", ".venv"):
        (root / name).rename(moved / name)
    monkeypatch.setattr(environment, "ROOT", moved)
    with offline(monkeypatch):
        assert environment.main([]) == 1
    assert (moved / ".venv/bin/python").exists()
    assert installed(moved) == {"tiny-one": "1.0"}
    assert environment.main([]) == 0
    assert stamp(moved)["folder"] == str((moved / ".venv").resolve())
    assert not (moved / ".venv.before").exists()
    capsys.readouterr()
    (root / ".venv").symlink_to(moved / ".venv")  # another checkout that shares it
    for name in ("pyproject.toml", "requirements.txt"):
        shutil.copy(moved / name, root)
    monkeypatch.setattr(environment, "ROOT", root)
    assert environment.main([]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("fast")
def test_a_run_that_was_killed_gives_back_what_it_set_aside(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert environment.main([]) == 0
    (root / ".venv").rename(root / ".venv.before")
    (root / ".venv/bin").mkdir(parents=True)
    monkeypatch.setattr(environment, "run", None)
    assert environment.main([]) == 0
    assert installed(root) == {"tiny-one": "1.0"}
    assert not (root / ".venv.before").exists()


@pytest.mark.usefixtures("fast")
def test_the_second_of_two_makes_waits_and_says_so(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = environment.alone(root)
    ours.__enter__()
    second = threading.Thread(target=environment.main, args=([],))
    second.start()
    time.sleep(1)
    assert not (root / ".venv").exists()
    assert "Another make is at work on .venv: waiting for it" in capsys.readouterr().out
    ours.__exit__(None, None, None)
    second.join()
    assert installed(root) == {"tiny-one": "1.0"}


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("by", ["pip", "uv"])
def test_a_file_with_another_hash_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    use(by, monkeypatch)
    name = root / "wheels" / "tiny_one-1.0-py3-none-any.whl"
    right = hashlib.sha256(name.read_bytes()).hexdigest()
    lock = "tiny-one==1.0 \\\n    --hash=sha256:"
    (root / "requirements.txt").write_text(f"{lock}{right[::-1]}\n")
    assert environment.main([]) == 1
    assert "tiny-one==1.0 is not the one that requirements.txt names" in sentence(capsys)
    (root / "requirements.txt").write_text(f"{lock}{right}\n")
    assert environment.main([]) == 0


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
        (
            "ERROR: Wheel is broken.",
            r"the installer failed: Wheel is broken \(all that was printed: ",
        ),
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


@pytest.mark.usefixtures("fast")
def test_a_full_disk_while_files_are_written(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(environment, "install", full)
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
    assert "'looc' is not known here: use no argument, or site" in sentence(capsys)


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
    for name in ("environment", "installer"):
        text = (notebooks.ROOT / "tools" / f"{name}.py").read_text()
        ast.parse(text, feature_version=(3, 6))


LOCK = (notebooks.ROOT / "requirements.txt").read_text()
PROJECT = tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pins(text: str) -> dict[str, list[Requirement]]:
    """What a lock lists, by name; a name has a line for each kind of machine."""
    return {
        name: [Requirement(line.partition(" \\")[0]) for line in re.findall(r"^\w.*", block, re.M)]
        for name, block in lock.packages(text).items()
    }


def test_the_lock_holds_every_requirement_of_the_project_exactly() -> None:
    assert LOCK.startswith(lock.HEADER)
    listed = pins(LOCK)
    for name, block in lock.packages(LOCK).items():
        assert "--hash=sha256:" in block, name
        assert all(re.fullmatch(r"==[\w.+!-]+", str(pin.specifier)) for pin in listed[name]), name
    extras = PROJECT["optional-dependencies"]
    for text in [
        *PROJECT["dependencies"],
        *(one for extra in lock.EXTRAS for one in extras[extra]),
    ]:
        wanted = Requirement(text)
        name = canonicalize_name(wanted.name)
        assert name in listed, f"requirements.txt lacks {wanted.name}: run 'make lock'"
        versions = [str(pin.specifier).removeprefix("==") for pin in listed[name]]
        assert all(wanted.specifier.contains(version) for version in versions), (
            f"requirements.txt has {wanted.name} {versions}, pyproject.toml asks for "
            f"{wanted.specifier}: run 'make lock'"
        )


def test_the_sites_part_of_the_lock_is_complete_and_small() -> None:
    """Neither pip nor uv resolves: what a package of this part needs must be in this part."""
    site = pins(LOCK.partition(installer.REST)[0])
    assert {canonicalize_name(Requirement(text).name) for text in EXTRAS["site"]} <= set(site)
    assert not {"torch", "torchvision", "lightning", "scikit-learn", "jupyterlab"} & set(site)
    for name, lines in site.items():
        if not any(pin.marker is None or pin.marker.evaluate() for pin in lines):
            continue
        for text in importlib.metadata.requires(name) or []:
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                assert canonicalize_name(wanted.name) in site, f"{name} needs {wanted.name}"


def imports(folder: str) -> dict[str, str]:
    """The packages that the code of a folder imports, each with a file that does."""
    found = {}
    for path in sorted((notebooks.ROOT / folder).rglob("*")):
        if path.suffix == ".py" and folder != "notebooks":  # there it is a throwaway script
            trees = [ast.parse(path.read_text(encoding="utf-8"))]
        elif path.suffix == ".ipynb" and "checkpoint" not in path.name:
            cells = notebooks.code_cells(
                notebooks.read(path.relative_to(notebooks.ROOT), notebooks.ROOT)
            )
            trees = [notebooks.parse(cell.source) for cell in cells]
        else:
            continue
        for node in (node for tree in trees for node in ast.walk(tree)):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            found |= {name.partition(".")[0]: str(path) for name in names}
    return found


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("cnnbook", ["train"]),
        ("notebooks", ["book", "test", "train"]),
        ("tools", lock.EXTRAS),
        ("tests", lock.EXTRAS),
    ],
)
def test_what_is_imported_is_declared(folder: str, extras: list[str]) -> None:
    declared = [*PROJECT["dependencies"], *(one for extra in extras for one in EXTRAS[extra])]
    names = {canonicalize_name(Requirement(text).name) for text in declared}
    homes = importlib.metadata.packages_distributions()
    ours = {"cnnbook", "tools", *(path.stem for path in (notebooks.ROOT / "tests").rglob("*.py"))}
    known = ours | sys.stdlib_module_names
    for name, path in imports(folder).items():
        if name not in known:
            found = {canonicalize_name(home) for home in homes.get(name, [name])}
            assert found & names, f"{path} imports {name}, which pyproject.toml does not declare"
