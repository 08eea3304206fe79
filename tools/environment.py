"""Make `.venv` hold exactly what requirements.txt lists, or say in one sentence why it cannot.

Any `python3` may start this file, so it uses the standard library only, and no syntax newer than
Python 3.6. A stamp in `.venv` names what was installed: when it still fits, nothing is done; when
it is missing, the environment is half made and is made again.

    python3 tools/environment.py                   make or refresh .venv
    python3 tools/environment.py lock [--upgrade]  write requirements.txt anew from pyproject.toml
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
NAMES = ("python3.13", "python3.12", "python3.11")  # looked for when python3 is too old
STAMP = "cnnbook-stamp"
LOCK_HEADER = """\
# Every version of the book's environment, for Linux and macOS, Python 3.11 to 3.13.
# Written by `make lock` from pyproject.toml: edit that file, not this one.
-e .
"""

# What venv, pip and uv print when they fail, and what to tell the user: the first that fits.
CAUSES = [
    (
        r"No space left on device|Disk quota exceeded",
        "the disk is full (the environment needs about 8 GB here, and up to 4 GB in {tmp} while "
        "it is made); free some space and run the same command again",
    ),
    (
        r"ensurepip is not|No module named '?(venv|ensurepip)",
        "this Python cannot make virtual environments; on Debian or Ubuntu "
        "'sudo apt install python3-venv' adds that, then run the same command again",
    ),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|Read timed out|Connection refused"
        r"|Connection reset|Connection aborted|Connection broken|IncompleteRead|ProxyError"
        r"|SSLError|[Nn]ame resolution|Name or service not known|getaddrinfo failed|dns error"
        r"|Network is unreachable|No route to host|HTTP error 5\d\d|error sending request",
        "the Python package index could not be reached; check the network (or the proxy) and run "
        "the same command again",
    ),
    (
        r"No matching distribution found for (?P<what>[^\s;(]+)",
        "the Python package index has no {what} for Python {version} on this machine; try another "
        "Python: make PYTHON=python3.12",
    ),
    (r"ERROR: (?P<what>.+)", "pip failed: {what}"),
]


class EnvironmentTrouble(Exception):  # noqa: N818 -- the standard library has an EnvironmentError
    """What went wrong and what to do about it, in one sentence."""


def main(arguments):
    """Do what the command line says; the exit status is 0 when it worked."""
    try:
        if sys.version_info < OLDEST:
            return subprocess.call([newer_python(), *sys.argv])
        if not arguments:
            make(ROOT)
        elif arguments in (["lock"], ["lock", "--upgrade"]):
            lock(ROOT, upgrade="--upgrade" in arguments)
        else:
            raise EnvironmentTrouble(
                f"'{' '.join(arguments)}' is not known here: use no argument, or lock [--upgrade]"
            )
    except EnvironmentTrouble as trouble:
        print(f"environment: {trouble}.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"environment: {explain(str(error))}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nenvironment: interrupted; run the same command again.", file=sys.stderr)
        return 130
    return 0


def newer_python():
    """The path of a Python on the PATH that is new enough."""
    named = os.environ.get("PYTHON")
    found = f"{named or 'python3'} is Python {python_version()}"
    if not named:
        for path in filter(None, map(shutil.which, NAMES)):
            # A name on the PATH may be a shim without a Python behind it: ask it.
            asked = subprocess.run(
                [path, "-c", f"import sys; sys.exit(sys.version_info < {OLDEST})"],
                stderr=subprocess.DEVNULL,
            )
            if asked.returncode == 0:
                return path
        found += f", and the PATH has no {' or '.join(NAMES)}"
    raise EnvironmentTrouble(
        f"Python 3.11 or newer is needed: {found}; "
        "install one, or name it: make PYTHON=/path/to/python3.12"
    )


def python_version():
    """The version of the Python that runs this, as 3.12."""
    return ".".join(map(str, sys.version_info[:2]))


def make(root):
    """Bring root/.venv to what root's requirements.txt and pyproject.toml ask for.

    A Python that the user names (`make PYTHON=…`) replaces an environment of another version;
    without that, the one that is there stays, whatever `python3` is today.
    """
    venv = root / ".venv"
    stamp = venv / STAMP
    wanted = fingerprint(root)
    version = python_version()
    try:
        had, had_version = stamp.read_text().split()
    except (OSError, ValueError):
        had = had_version = None
    refused = "PYTHON" in os.environ and had_version != version

    if had and not refused and (venv / "bin" / "python").exists():
        if had == wanted:
            return
        stamp.unlink()  # until the new one is written, the environment is half made
        version = had_version
    else:
        print(f"Making .venv with Python {version} …", flush=True)
        remove(venv)
        # A user may have activated .venv, which is gone now: ask the Python behind it.
        python = getattr(sys, "_base_executable", None) or sys.executable
        run([python, "-m", "venv", str(venv)], root, version)

    print("Installing requirements.txt into .venv; the first time takes minutes …", flush=True)
    install(root, version)
    stamp.write_text(f"{wanted} {version}\n")


def fingerprint(root):
    """A hash of what decides the environment: the lock, and how cnnbook itself is installed."""
    import tomllib  # new in Python 3.11, which runs this by now

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    decides = [project.get("build-system"), project.get("project")]
    decides.append(project.get("tool", {}).get("hatch"))
    text = (root / "requirements.txt").read_text(encoding="utf-8")
    return hashlib.sha256((text + json.dumps(decides)).encode()).hexdigest()


def install(root, version):
    """Install what requirements.txt lists, no more and no less."""
    pip = [str(root / ".venv" / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    # The lock is complete, so pip has nothing to resolve.
    options = ["--no-deps", "--no-input", "--progress-bar", "off"]
    run([*pip, "install", *options, "-r", "requirements.txt"], root, version)

    listed = (root / "requirements.txt").read_text(encoding="utf-8")
    keep = set(map(canonical, re.findall(r"^([\w.-]+) ?==", listed, re.MULTILINE)))
    keep |= {"pip", "setuptools", "cnnbook"}  # what venv brings, and the book itself
    there = json.loads(run([*pip, "list", "--format", "json"], root, version))
    strangers = [package["name"] for package in there if canonical(package["name"]) not in keep]
    if strangers:
        run([*pip, "uninstall", "-y", *strangers], root, version)


def run(command, root, version):
    """Run a command quietly in root and return what it printed; if it fails, say why."""
    environment = {
        name: value
        for name, value in os.environ.items()
        # These make pip install somewhere else, or see packages from somewhere else.
        if name not in ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
    }
    environment.setdefault("PIP_RETRIES", "2")  # without a network, fail in seconds
    environment.setdefault("PIP_TIMEOUT", "15")
    done = subprocess.run(command, cwd=str(root), env=environment, capture_output=True)
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
    'the disk is full (the environment needs about 8 GB here, ...
    >>> explain("ERROR: No matching distribution found for torch==2.15.0", "3.15")
    ... # doctest: +ELLIPSIS
    'the Python package index has no torch==2.15.0 for Python 3.15 on this machine; ...
    """
    for pattern, sentence in CAUSES:
        match = re.search(pattern, output)
        if match:
            return sentence.format(
                tmp=tempfile.gettempdir(), version=version, **match.groupdict()
            ).rstrip(".")
    lines = output.strip().splitlines() or ["no reason given"]
    return lines[-1].strip().rstrip(".")


def canonical(name):
    """A package's name as the index compares it.

    >>> canonical("Jupyter_Core") == canonical("jupyter-core")
    True
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def remove(path):
    """Remove a folder, a link or a file, if it is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(str(path))


def lock(root, upgrade=False):
    """Write requirements.txt anew; versions that still fit stay, unless `upgrade`."""
    ours = root / ".venv" / "bin" / "uv"
    uv = str(ours) if ours.exists() else shutil.which("uv")
    if uv is None:
        raise EnvironmentTrouble(
            "requirements.txt is written by uv, which is part of .venv: run 'make test'"
        )
    requirements = root / "requirements.txt"
    command = [uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    command += [f"--extra={extra}" for extra in ("book", "test", "train")]
    command += ["--no-header", "pyproject.toml"]
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder, "requirements.txt")
        if requirements.exists():  # uv keeps the versions that it finds in its output file
            lines = requirements.read_text(encoding="utf-8").splitlines(True)
            draft.write_text("".join(line for line in lines if line.strip() != "-e ."))
        command += ["--output-file", str(draft)] + (["--upgrade"] if upgrade else [])
        run(command, root, "3.11")
        text = draft.read_text(encoding="utf-8")
    requirements.write_text(LOCK_HEADER + text, encoding="utf-8")
    print(f"Wrote requirements.txt: {len(re.findall('^[a-z].*==', text, re.MULTILINE))} lines.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
