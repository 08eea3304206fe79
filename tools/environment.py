"""Make `.venv` hold exactly what requirements.txt lists, or say in one sentence why it cannot.

Any `python3` may start this file, so it uses the standard library only, and no syntax newer than
Python 3.6. A stamp in `.venv` names what was installed and where; when it still fits, nothing is
done. What cannot be installed leaves the environment as it was.

    python3 -m tools.environment         all: what runs and proves the book
    python3 -m tools.environment site    what builds the site; an environment with all serves too
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.installer import EnvironmentTrouble, explain, install, listed, run

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
NAMES = ("python3.13", "python3.12", "python3.11")  # looked for when python3 is too old
STAMP = "cnnbook-stamp"


def main(arguments):
    """Do what the command line says; the exit status is 0 when it worked."""
    try:
        if sys.version_info < OLDEST:
            return subprocess.call([newer_python(), "-m", "tools.environment", *arguments])
        if arguments not in ([], ["site"]):
            raise EnvironmentTrouble(
                f"'{' '.join(arguments)}' is not known here: use no argument, or site"
            )
        make(ROOT, arguments[0] if arguments else "all")
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


def make(root, part):
    """Bring root/.venv to what a part of the lock asks for: "site", or "all".

    A Python that the user names (`make PYTHON=…`) replaces an environment of another version;
    without that, the one that is there stays, whatever `python3` is today.
    """
    venv, wanted = root / ".venv", fingerprints(root)
    if fits(venv, wanted, part):
        return
    with alone(root):
        aside = root / ".venv.before"
        if aside.exists() or aside.is_symlink():  # a run was killed while it made a new one
            remove(aside if read_stamp(venv) else venv)
            if aside.exists():
                aside.rename(venv)
        if fits(venv, wanted, part):  # another make did it meanwhile
            return
        had = read_stamp(venv)
        if usable(had, venv):
            update(root, had, wanted, part)
            return
        kept = (venv / STAMP).exists()
        if kept:  # until the new one is whole
            venv.rename(aside)
        remove(venv)
        try:
            version = python_version()
            print(f"Making .venv with Python {version} …", flush=True)
            # A user may have activated .venv, which is gone now: ask the Python behind it.
            python = getattr(sys, "_base_executable", None) or sys.executable
            run([python, "-m", "venv", str(venv)], root, version)
            new = {"python": version, "site": None, "all": None}
            update(root, new, wanted, part)
        except BaseException:
            if kept:
                remove(venv)
                aside.rename(venv)
            raise
        remove(aside)


def update(root, had, wanted, part):
    """Install a part of the lock into the environment, and stamp it."""
    venv, stamp = root / ".venv", root / ".venv" / STAMP
    before = distributions(venv)
    old = stamp.read_text() if stamp.exists() else None
    if old:
        stamp.unlink()  # until the new one is written, the environment is half made
    print(f"Installing into .venv what {TELLS[part]}; {TAKES[part]} …", flush=True)
    try:
        install(root, part, had["python"], prune=part == "all" or not had["all"])
    except BaseException:
        if old and distributions(venv) == before:  # nothing was replaced: what worked still does
            stamp.write_text(old)
        raise
    # Packages of the rest that were there stay, but they are no longer what a lock lists.
    more = wanted["all"] if part == "all" else had["all"] and "changed"
    new = {"folder": os.path.realpath(str(venv)), "python": had["python"]}
    new.update({"site": wanted["site"], "all": more})
    stamp.write_text(json.dumps(new) + "\n")


TELLS = {"site": "builds the site", "all": "requirements.txt lists"}
TAKES = {"site": "the first time takes half a minute", "all": "the first time takes minutes"}


@contextlib.contextmanager
def alone(root):
    """Wait until no other `make` works on the environment."""
    path = root / "_build" / "environment.lock"
    path.parent.mkdir(exist_ok=True)
    with open(str(path), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another make is at work on .venv: waiting for it …", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        os.set_inheritable(file.fileno(), True)  # an installer that outlives us keeps the lock
        yield


def read_stamp(venv):
    """What the stamp of an environment says, or None if it is half made or not there."""
    try:
        had = json.loads((venv / STAMP).read_text())
        return had if isinstance(had, dict) and (venv / "bin" / "python").exists() else None
    except (OSError, ValueError):
        return None


def fits(venv, wanted, part):
    """Whether a part of the lock is installed."""
    had = read_stamp(venv)
    return usable(had, venv) and had[part] == wanted[part]


def usable(had, venv):
    """Whether an environment is where it was made, and has the Python that the user named."""
    if not had or had["folder"] != os.path.realpath(str(venv)):  # its programs name the folder
        return False
    return "PYTHON" not in os.environ or had["python"] == python_version()


def fingerprints(root):
    """A hash of what decides each part: the lock, and for all how cnnbook itself is installed."""
    import tomllib  # new in Python 3.11, which runs this by now

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    decides = [project.get("build-system"), project.get("project")]
    decides.append(project.get("tool", {}).get("hatch"))
    texts = {"site": listed(root, "site"), "all": listed(root, "all") + json.dumps(decides)}
    return {part: hashlib.sha256(text.encode()).hexdigest() for part, text in texts.items()}


def distributions(venv):
    """What is installed in an environment; uv, which installs the rest, aside."""
    infos = venv.glob("lib/python*/site-packages/*.dist-info")
    return {(i.name, i.stat().st_mtime_ns) for i in infos if not i.name.startswith("uv-")}


def remove(path):
    """Remove a folder, a link or a file, if it is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(str(path))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
