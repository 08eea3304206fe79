"""Install what requirements.txt lists, by uv or pip; a failure is one sentence.

Standard library only, and no syntax newer than Python 3.6, as in `tools.environment`.
"""

import ast
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

REST = "# What runs the notebooks and proves the book."  # here the site's part of the lock ends

# What venv, pip and uv print when they fail, and what to tell the user: the first that fits.
CAUSES = [
    (
        r"No space left on device|Disk quota exceeded",
        "the disk is full ('make book' needs about 1 GB here, the other commands 8 GB, and up to "
        "4 GB in {tmp} while they install); free some space and run the same command again",
    ),
    (
        r"ensurepip is not|No module named '?(?:venv|ensurepip)",
        "this Python cannot make virtual environments; on Debian or Ubuntu "
        "'sudo apt install python3-venv' adds that, then run the same command again",
    ),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|Read timed out|Connection refused"
        r"|Connection reset|Connection aborted|Connection broken|IncompleteRead|ProxyError"
        r"|SSLError|[Nn]ame resolution|Name or service not known|getaddrinfo failed|dns error"
        r"|Network is unreachable|No route to host|HTTP error 5\d\d|HTTP status server error"
        r"|error sending request|operation timed out",
        "the Python package index could not be reached; check the network (or the proxy) and run "
        "the same command again",
    ),
    (
        r"DO NOT MATCH THE HASHES[\s\S]*?\n +([\w.-]+==[^ ;]+)"
        r"|Hash mismatch for `([^`]+)",
        "the file that the package index gave for {what} is not the one that requirements.txt "
        "names (its hash differs); check the index that pip is set to, and run the same command "
        "again",
    ),
    (
        r"No matching distribution found for ([^\s;(]+)"
        r"|Distribution `([^\s`]+)[^`]*` can't be installed"
        r"|there (?:is|are) no version(?:s)? of ([\w.=-]+)"
        r"|Because ([\w.-]+) was not found",
        "the Python package index has no {what} for Python {version} on this machine; try another "
        "Python: make PYTHON=python3.12",
    ),
    (r"(?:ERROR|error|×): *(.+)", "the installer failed: {what}"),
]

# pip's settings, and the environment variables by which uv takes them.
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


class EnvironmentTrouble(Exception):  # noqa: N818 -- the standard library has an EnvironmentError
    """What went wrong and what to do about it, in one sentence."""


def listed(root, part):
    """The text of a part of the lock; one that is not in parts is needed for everything."""
    text = (root / "requirements.txt").read_text(encoding="utf-8")
    return text if part == "all" else text.partition(REST)[0]


def install(root, part, version, prune):
    """Install a part of the lock, and take away what it does not list if `prune` says so.

    By uv, which is faster, where the lock has it and the machine can run it; else by pip. The lock
    is complete, so neither has anything to resolve.
    """
    python, text = str(root / ".venv" / "bin" / "python"), listed(root, part)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    names = set(map(canonical, re.findall(r"^([\w.-]+) ?==", text, re.MULTILINE)))
    uv, settings = find_uv(root, pip, text, version), {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "requirements.txt")
        file.write_text(text, encoding="utf-8")
        installer = [*pip, "install", "--no-deps", "--progress-bar=off"]
        if uv:
            options, settings = as_uv(run([*pip, "config", "list"], root, version))
            options += ["--python", python, "--index-strategy=unsafe-best-match"]
            installer = [uv, "pip", "install", "--no-deps", *options]
        if uv and prune:
            run([uv, "pip", "sync", *options, str(file)], root, version, settings)
        elif names:
            run([*installer, "-r", str(file)], root, version, settings)

    if prune and not uv:
        keep = names | {"pip", "setuptools", "cnnbook"}  # what venv brings, and the book itself
        there = json.loads(run([*pip, "list", "--format", "json"], root, version))
        strangers = [package["name"] for package in there if canonical(package["name"]) not in keep]
        if strangers:
            run([*pip, "uninstall", "-y", *strangers], root, version)
    if part == "all" and "hatchling" in names:  # what builds cnnbook
        run([*installer, "--no-build-isolation", "-e", "."], root, version, settings)


def find_uv(root, pip, text, version):
    """The path of the environment's uv, which pip installs first; None where there is none."""
    uv = root / ".venv" / "bin" / "uv"
    block = re.search(r"^uv==.*\n(?:[ \t]+\S.*\n)*", text, re.MULTILINE)
    if block and not uv.exists():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "uv.txt")
            file.write_text(block.group(), encoding="utf-8")
            try:
                run([*pip, "install", "--no-deps", "-r", str(file)], root, version)
            except EnvironmentTrouble as trouble:
                if "has no uv" not in str(trouble):
                    raise
    return str(uv) if uv.exists() else None


def as_uv(listing):
    r"""What `pip config list` says of files and environment, as options and variables of uv.

    >>> as_uv(":env:.no-index='1'\nglobal.index-url='https://a/simple'")
    (['--no-index'], {'UV_DEFAULT_INDEX': 'https://a/simple'})
    """
    pip = {}
    for line in listing.splitlines():  # the environment comes first, and decides
        name, _, value = line.partition("=")
        pip.setdefault(name.rpartition(".")[2], ast.literal_eval(value))
    links = pip.pop("find-links", "").split()
    links = [link for link in links if "://" in link or os.path.exists(link)]  # else uv stops
    if links:
        pip["find-links"] = ",".join(links)
    found = {new: pip[old] for old, new in UV_NAMES.items() if old in pip and new not in os.environ}
    return ["--no-index"] if pip.get("no-index", "0") not in ("0", "false", "no") else [], found


def run(command, root, version, more=None):
    """Run a command quietly in root and return what it printed; if it fails, say why.

    `more` are environment variables.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        # These make pip install somewhere else, or see packages from somewhere else.
        if name not in ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
    }
    environment.update(more or {})
    for name, value in (("PIP_RETRIES", "2"), ("PIP_TIMEOUT", "15"), ("UV_HTTP_RETRIES", "2")):
        environment.setdefault(name, value)  # without a network, fail in seconds
    # The file of `alone` stays open in an installer that outlives us, and keeps others waiting.
    done = subprocess.run(
        command, cwd=str(root), env=environment, capture_output=True, close_fds=False
    )
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        output += done.stderr.decode(errors="replace")
        sentence = explain(output, version)
        log = root / "_build" / "environment.log"
        try:
            log.parent.mkdir(exist_ok=True)
            log.write_text(output, encoding="utf-8")
            sentence += f" (all that was printed: {os.path.relpath(log)})"
        except OSError:  # the disk may be full
            pass
        raise EnvironmentTrouble(sentence)
    return output


def explain(output, version=None):
    """One sentence that names the cause of a failure and the cure.

    >>> explain("OSError: [Errno 28] No space left on device")  # doctest: +ELLIPSIS
    "the disk is full ('make book' needs about 1 GB here, ...
    >>> explain("ERROR: No matching distribution found for torch==2.15.0", "3.15")
    ... # doctest: +ELLIPSIS
    'the Python package index has no torch==2.15.0 for Python 3.15 on this machine; ...
    """
    for pattern, sentence in CAUSES:
        match = re.search(pattern, output)
        if match:
            what = next(filter(None, match.groups()), "")
            sentence = sentence.format(tmp=tempfile.gettempdir(), version=version, what=what)
            return sentence.strip().rstrip(".")
    lines = output.strip().splitlines() or ["no reason given"]
    return lines[-1].strip().rstrip(".")


def canonical(name):
    """A package's name as the index compares it.

    >>> canonical("Jupyter_Core") == canonical("jupyter-core")
    True
    """
    return re.sub(r"[-_.]+", "-", name).lower()
