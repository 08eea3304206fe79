"""Make .venv-colab: an environment with the versions that Colab has.

    python -m tools.chapters.colab

Colab's own versions come from the index, everything else as requirements.txt says. It is made once,
and again when either changes; uv from .venv does it in a few minutes.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.chapters import notebooks

PYTHON = "3.13"
VERSIONS = {"ipython": "7.34.0", "numpy": "2.1.3", "torch": "2.11.0", "torchvision": "0.26.0"}
# What else runs and tests notebooks, and what chapters hold their networks against.
OTHERS = [
    *("matplotlib", "pyyaml", "scikit-learn", "torchinfo", "tqdm"),
    *("pretrainedmodels", "pytorchcv", "timm"),
    *("ipykernel", "nbclient", "nbval", "pillow", "pytest", "pytest-xdist"),
]
# What torch brings in its own versions.
FREE = re.compile(r"(nvidia|cuda|triton|setuptools)\b")
STAMP = "cnnbook-stamp"


class ColabError(Exception):
    """The environment could not be made; says why."""


def constraints(requirements: str) -> list[str]:
    r"""The versions of all packages: Colab's, and those of the book's requirements.

    >>> constraints("numpy==2.4.6\n    # via x\nnvidia-nccl==2\npillow==12.0 ; z \\\n")[:2]
    ['pillow==12.0 ; z', 'ipython==7.34.0']
    """
    lines = [line.rstrip("\\ ") for line in requirements.splitlines()]
    pins = [line for line in lines if re.match(r"[\w.-]+==", line)]
    kept = [pin for pin in pins if pin.split("==")[0] not in VERSIONS and not FREE.match(pin)]
    return [*kept, *(f"{name}=={version}" for name, version in VERSIONS.items())]


def interpreter() -> str:
    """Colab's Python where there is one, else this one."""
    name = f"python{PYTHON}"
    installed = Path.home().glob(f".pyenv/versions/{PYTHON}.*/bin/{name}")
    for path in filter(None, [shutil.which(name), *map(str, sorted(installed))]):
        # A name on the PATH may be a shim without a Python behind it: ask it.
        if subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
            return path
    print(f"There is no {name} here: Colab's packages run in {sys.executable}.", flush=True)
    return sys.executable


def environment(root: Path) -> Path:
    """The environment's Python; the environment is made if it is not there as it should be.

    Raises:
        ColabError: it could not be made.
    """
    folder = root / ".venv-colab"
    python, stamp = folder / "bin" / "python", folder / STAMP
    wanted = constraints((root / "requirements.txt").read_text(encoding="utf-8"))
    mark = hashlib.sha256("\n".join([PYTHON, *OTHERS, *wanted]).encode()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == mark:
        return python
    print("Making .venv-colab: torch with its CUDA is about 5 GB, minutes …", flush=True)
    uv("venv", "--quiet", "--clear", "--python", interpreter(), str(folder))
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(wanted))
        file.flush()
        uv(
            "pip",
            "install",
            "--quiet",
            "--python",
            str(python),
            "-c",
            file.name,
            *VERSIONS,
            *OTHERS,
        )
    stamp.write_text(mark, encoding="utf-8")
    return python


def uv(*words: str) -> None:
    """Call uv.

    Raises:
        ColabError: it failed.
    """
    command = [sys.executable, "-m", "uv", *words, "--no-python-downloads"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ColabError(f".venv-colab could not be made: {done.stderr.strip()}")


def main() -> None:
    """Make it, and say where it is."""
    root = notebooks.arguments(__doc__.splitlines()[0]).parse_args().root.resolve()
    try:
        print(f"Colab's versions: {environment(root)}")
    except ColabError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
