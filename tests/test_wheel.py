"""The wheel is all that a reader of one notebook installs."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from tools.chapters import notebooks


def test_wheel_holds_the_package_its_networks_and_its_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {
        str(path.relative_to(notebooks.ROOT))
        for path in (notebooks.ROOT / "cnnbook").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {"cnnbook/facts/classics.yaml", "cnnbook/networks/resnet.py"} <= files
    assert files == {name for name in names if name.startswith("cnnbook/")}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_wheel_installs_beside_the_torch_that_is_there(
    wheel: Path, colab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)

    def run(*command: object) -> str:
        done = subprocess.run([colab, *command], cwd=tmp_path, capture_output=True, check=True)
        return done.stdout.decode()

    torch = "import importlib.metadata as m; print(m.version('torch'))"
    before = run("-c", torch)
    run("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel)
    assert run("-c", torch) == before
    works = (
        "import cnnbook; print(cnnbook.__file__)\n"
        "from cnnbook import arithmetic, data, papers, plots, reference, train\n"
        "from cnnbook.training.recipes import recipes\n"
        "from cnnbook.networks import resnet18\n"
        "print(arithmetic.receptive_field(resnet18()).size, len(data.load('digits').train))\n"
        "print(papers.paper('resnet18').parameters, recipes()['vgg']['epochs'])"
    )
    where, *numbers = run("-c", works).splitlines()
    assert Path(where).is_relative_to(colab.parents[1])
    assert numbers == ["(435, 435) 1295", "11689512 74"]
