"""A chapter opened alone, as in Colab: the set-up cell as it stands, and all that follows."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from tools.chapters import notebooks

CHAPTER = Path("notebooks/foundations/counting.ipynb")  # the quickest
WITNESS = """
import importlib.metadata, json, cnnbook, torch
print(json.dumps([cnnbook.__file__, torch.__version__, importlib.metadata.version("torch")]))
"""


def test_a_chapter_alone_installs_what_it_needs_and_runs(
    wheel: Path, colab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(notebooks.ROOT / CHAPTER, alone)
    notebook = notebooks.read(Path(CHAPTER.name), alone)
    notebook.cells.append(new_code_cell(WITNESS))

    environment = {
        "PIP_NO_INDEX": "1",  # no network: cnnbook comes from the wheel, or not at all
        "PIP_FIND_LINKS": str(wheel.parent),
        "PYTHONPATH": "",
        "CNNBOOK_DEVICE": "cpu",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
    }
    argv = [str(colab), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel = tmp_path / "kernels" / "colab"
    kernel.mkdir(parents=True)
    spec = {"argv": argv, "display_name": "Colab", "language": "python", "env": environment}
    (kernel / "kernel.json").write_text(json.dumps(spec))

    asked = "import importlib.metadata as m; print(m.version('torch'))"
    torch = subprocess.run([colab, "-c", asked], capture_output=True, text=True, check=True).stdout
    absent = subprocess.run(
        [colab, "-c", "import cnnbook"],
        env=os.environ | environment,
        cwd=alone,
        capture_output=True,
    )
    assert b"No module named 'cnnbook'" in absent.stderr

    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert "colab" in KernelSpecManager().find_kernel_specs()
    NotebookClient(
        notebook, kernel_name="colab", timeout=300, resources={"metadata": {"path": str(alone)}}
    ).execute()
    where, version, distribution = json.loads(notebook.cells[-1].outputs[-1].text)
    assert Path(where).is_relative_to(colab.parents[1])
    assert version.partition("+")[0] == distribution.partition("+")[0] == torch.strip()
    assert [path.name for path in alone.iterdir()] == [CHAPTER.name]
