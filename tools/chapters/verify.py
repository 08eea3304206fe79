"""Run every notebook and hold what it prints and draws against what is stored, strictly.

    python -m tools.chapters.verify [notebooks/part/name.ipynb …]
    python -m tools.chapters.verify --gpu        on CUDA, against the same stored outputs

Any Python will do that has the packages: a machine with a GPU needs no .venv.
"""

import math
import subprocess
import sys
from pathlib import Path

from tools.chapters import notebooks
from tools.chapters.run import CELL_TIMEOUT, SIDE_BY_SIDE, environment

SANITIZE = notebooks.ROOT / "tests" / "sanitize.cfg"
# So that float32 on the GPU is float32, and repeats.
CUDA = {"NVIDIA_TF32_OVERRIDE": "0", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def nbval(side_by_side: int = SIDE_BY_SIDE, strict: bool = True) -> list[str]:
    """The options of pytest that test notebooks; without strict only errors count."""
    return [
        "--nbval" if strict else "--nbval-lax",
        "--nbval-current-env",
        f"--nbval-cell-timeout={CELL_TIMEOUT}",
        f"--nbval-sanitize-with={SANITIZE}",
        *(f"-n{side_by_side}", "--dist=loadfile", "--no-loadscope-reorder"),
    ]


def longest_first(paths: list[Path], root: Path) -> list[Path]:
    """Sorted by how long they took to run, so that nothing long runs alone at the end."""

    def seconds(path: Path) -> float:
        stored = notebooks.read(path, root).metadata.get("cnnbook", {})
        return stored.get("seconds", math.inf)  # unknown: it may be long

    return sorted(paths, key=seconds, reverse=True)


def missing_gpu() -> str:
    """Why nothing can run on CUDA here; empty when it can."""
    import torch

    if torch.cuda.is_available():
        return ""
    if torch.version.cuda is None:
        return f"torch {torch.__version__} is built without CUDA"
    return f"torch {torch.__version__} finds no CUDA GPU"


def main() -> None:
    """Test the notebooks that the command line names, or all."""
    parser = notebooks.arguments(__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", help="notebooks to test (default: all)")
    parser.add_argument("--gpu", action="store_true", help="on CUDA; skipped where there is none")
    options = parser.parse_args()
    root = options.root.resolve()
    if options.gpu and (reason := missing_gpu()):
        print(f"GPU run skipped: {reason}.")
        return
    variables = environment(root, "cuda") | CUDA if options.gpu else environment(root)
    paths = map(str, longest_first(notebooks.selected(options.notebooks, root), root))
    command = [sys.executable, "-m", "pytest", *nbval(), *paths]
    raise SystemExit(subprocess.run(command, cwd=root, env=variables).returncode)


if __name__ == "__main__":
    main()
