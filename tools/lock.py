"""Write requirements.txt anew from pyproject.toml, by uv: every version with its hashes.

    python -m tools.lock              keep the versions that still fit
    python -m tools.lock --upgrade    take the newest

The lock has two parts: what builds the site (`make book`), and what the rest needs besides.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

from tools import installer
from tools.environment import ROOT
from tools.installer import EnvironmentTrouble, canonical

EXTRAS = ("site", "book", "test", "train")
HEADER = """\
# Every version of the book's environment, for Linux and macOS, Python 3.11 to 3.13.
# Written by `make lock` from pyproject.toml: edit that file, not this one.
# Any pip reads it; cnnbook itself comes after: pip install --no-deps --no-build-isolation -e .

# What builds the site: all that `make book` installs.
"""


def main(arguments: list[str]) -> int:
    """Do what the command line says; the exit status is 0 when it worked."""
    try:
        if arguments not in ([], ["--upgrade"]):
            raise EnvironmentTrouble(f"'{' '.join(arguments)}' is not known here: use --upgrade")
        lock(ROOT, upgrade="--upgrade" in arguments)
    except EnvironmentTrouble as trouble:
        print(f"lock: {trouble}.", file=sys.stderr)
        return 1
    return 0


def lock(root: Path, upgrade: bool = False) -> None:
    """Write requirements.txt anew; versions that still fit stay, unless `upgrade`.

    Raises:
        EnvironmentTrouble: uv is not there, or finds no versions that fit together.
    """
    requirements = root / "requirements.txt"
    extras = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    site = "\n".join(extras["optional-dependencies"]["site"])
    with tempfile.TemporaryDirectory() as folder:
        draft, roots = Path(folder, "draft.txt"), Path(folder, "site.in")
        if requirements.exists():  # uv keeps the versions that it finds in its output file
            draft.write_text(requirements.read_text("utf-8"), encoding="utf-8")
        options = [f"--extra={extra}" for extra in EXTRAS] + ["--generate-hashes"]
        options += ["--output-file", str(draft)] + (["--upgrade"] if upgrade else [])
        resolve(root, *options, "pyproject.toml")
        found = packages(draft.read_text("utf-8"))
        # The site's part is what its own requirements lead to, at the same versions.
        roots.write_text(site, encoding="utf-8")
        needed = packages(resolve(root, "--no-annotate", f"--constraint={draft}", str(roots)))
    parts = [found[name] for name in found if name in needed]
    rest = [found[name] for name in found if name not in needed]
    text = HEADER + "".join(parts) + f"\n{installer.REST}\n" + "".join(rest)
    requirements.write_text(text, encoding="utf-8")
    print(f"Wrote requirements.txt: {len(parts)} packages for the site, {len(rest)} more.")


def resolve(root: Path, *options: str) -> str:
    """Let uv choose versions that fit together, for every machine, and return its list."""
    ours = root / ".venv" / "bin" / "uv"
    uv = str(ours) if ours.exists() else shutil.which("uv")
    if uv is None:
        raise EnvironmentTrouble(
            "requirements.txt is written by uv, which is part of .venv: run 'make book' first"
        )
    command = [uv, "pip", "compile", "--quiet", "--universal", "--python-version=3.11"]
    return installer.run([*command, "--no-header", *options], root, "3.11")


def packages(text: str) -> dict[str, str]:
    r"""Return the lines of each package in a lock, by name.

    Examples:
        >>> packages("# Title\nOne==1 \\\n    --hash=x\n    # via two\ntwo==2\n")
        {'one': 'One==1 \\\n    --hash=x\n    # via two\n', 'two': 'two==2\n'}
    """
    found: dict[str, str] = {}
    for block in re.findall(r"^[\w.-]+ ?==.*\n(?:[ \t]+\S.*\n)*", text, re.MULTILINE):
        name = canonical(re.match(r"[\w.-]+", block)[0])
        found[name] = found.get(name, "") + block  # one block for each kind of machine
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
