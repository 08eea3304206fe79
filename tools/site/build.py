"""Build the site into ``_build/html``, strictly, from what the notebooks store."""

from __future__ import annotations

import contextlib
import hashlib
import os
import posixpath
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.site import ROOT, SiteError, lint

# What a build depends on. A change in the first group makes everything be read again; a change
# in the second only what changed.
FRAME = ["_config.yml", "_toc.yml", "cnnbook/references.bib", "requirements.txt"]
FRAME_FOLDERS = ["book/_templates", "book/_static", "tools/site"]
PAGE_FOLDERS = ["book", "notebooks", "cnnbook"]

# Pages that once were, and where a reader who still has their address is led.
MOVED = {
    "book/api/fields.html": "book/api/arithmetic.html",
    "book/api/forms.html": "book/differences.html",
}


def digest(root: Path, names: list[str], folders: list[str], suffixes: tuple[str, ...]) -> str:
    """Return a hash of files and folders: their names and what they hold."""
    files = [root / name for name in names if (root / name).exists()]
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix.endswith(suffixes) and path.suffix != ".pyc":
                files.append(path)
    found = hashlib.sha256(os.environ.get("CNNBOOK_URL", "").encode())
    for path in files:
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def build(root: Path) -> bool:
    """Build the site into ``_build/html`` and check it.

    Returns:
        Whether anything had to be built.

    Raises:
        SiteError: something on a page is wrong.
    """
    output = root / "_build"
    html, doctrees, stamp = output / "html", output / ".doctrees", output / "site.stamp"
    frame = digest(root, FRAME, FRAME_FOLDERS, ("",))
    pages = digest(root, [], PAGE_FOLDERS, (".md", ".ipynb", ".py"))
    before = stamp.read_text().split() if stamp.exists() else []
    if before == [frame, pages] and (html / "index.html").exists():
        return False

    stamp.unlink(missing_ok=True)
    shutil.rmtree(html, ignore_errors=True)  # so every page is written, and no stale one stays
    if before[:1] != [frame]:
        shutil.rmtree(doctrees, ignore_errors=True)
    problems = run_jupyter_book(root)
    if problems:
        shutil.rmtree(doctrees, ignore_errors=True)  # or the next run would not see them again
        raise SiteError("\n".join([*problems, "The site was not built."]))
    prune(html)
    redirect(html)
    problems = lint.check(html)
    if problems:
        raise SiteError("\n".join([*problems, "The site was built, but it is not right."]))
    stamp.write_text(f"{frame} {pages}\n")
    return True


# jsonschema would compile the grammar of every address format at import, for seconds, and the book
# uses none: without rfc3987_syntax it leaves them out.
JUPYTER_BOOK = """
import sys
sys.modules["rfc3987_syntax"] = None
from jupyter_book.cli.main import main
main()
"""


def run_to_the_end(command: list[str], folder: Path, environment: dict) -> tuple[int, str]:
    """Run a command and whatever it starts; return its exit status and what was said.

    What outlives the build that started it is ended with its group, and what is said goes to a
    file: a pipe that such a process holds would never close.
    """
    with tempfile.TemporaryFile() as said:
        outputs = {"stdin": subprocess.DEVNULL, "stdout": said, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(
            command, cwd=folder, env=environment, start_new_session=True, **outputs
        )
        try:
            process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        said.seek(0)
        return process.returncode, said.read().decode(errors="replace")


def run_jupyter_book(root: Path) -> list[str]:
    """Run Jupyter Book strictly and return what it found wrong, one line each."""
    command = [sys.executable, "-P", "-c", JUPYTER_BOOK]  # -P: a book's own folders hide no module
    command += ["build", "-n", "-W", "--keep-going", "-q", "."]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "NO_COLOR": "1", "TERM": "dumb"}
    path = [str(ROOT), os.environ.get("PYTHONPATH", "")]  # the site's extensions, and cnnbook
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    status, said = run_to_the_end(command, root, environment)
    if status == 0:
        return []
    said = re.sub(r"\x1b\[[\d;]*m", "", said)
    found = []
    for line in said.splitlines():
        if match := re.match(r"(.*?)(?::(\d+))?: (?:WARNING|ERROR|CRITICAL): (.*)", line):
            file = match[1].replace(f"{root}{os.sep}", "")
            found.append(f"{file}: {sentence(match[3])}")
        elif match := re.match(r"(?:WARNING|ERROR|CRITICAL): (.*)", line):
            found.append(sentence(match[1]))
    if found:
        return list(dict.fromkeys(found))
    log = root / "_build" / "site.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text(said, encoding="utf-8")
    error = re.search(r"^(?:\w+ error.*:\n|[\w.]+(?:Error|Exception): )(.+)$", said, re.MULTILINE)
    reason = error[1].strip() if error else f"exit status {status}"
    return [f"Jupyter Book stopped: {reason} (all it said is in {log.relative_to(root)})"]


ADVICE = {
    r"could not find bibtex key [\"'](.+?)[\"']": (
        "the citation {0} is not in cnnbook/references.bib; add it there, or mend the key"
    ),
    r"term not in glossary: [\"'](.+?)[\"']": (
        "the term {0} is not in book/glossary.md; add it there, or mend its name"
    ),
    r"No source code lexer found": "the notebook has never been run; run it with: make notebooks",
    r"document isn't included in any toctree": (
        "this page is not in _toc.yml; give it its place there, or take the file away"
    ),
    r"'myst' cross-reference target not found: '(.+?)'": (
        "the link to {0} leads nowhere; mend the path or the name of the section"
    ),
}


def sentence(warning: str) -> str:
    """Return a warning of Sphinx as a sentence that says what to do, where one is known.

    >>> sentence("could not find bibtex key 'He2017' [bibtex.key_not_found]")
    'the citation He2017 is not in cnnbook/references.bib; add it there, or mend the key'
    """
    for pattern, advice in ADVICE.items():
        if match := re.search(pattern, warning):
            return advice.format(*match.groups())
    return warning


def prune(html: Path) -> None:
    """Take away what no page of this theme uses."""
    for name in ("basic.css", "pygments.css", "file.png", "minus.png", "plus.png"):
        (html / "_static" / name).unlink(missing_ok=True)
    for path in html.glob("_static/mystnb*.css"):
        path.unlink()
    shutil.rmtree(html / "_sphinx_design_static", ignore_errors=True)


REDIRECT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={0}">
<title>Moved</title>
<p>This page has moved: <a href="{0}">read it there</a>.</p>
"""


def redirect(html: Path) -> None:
    """Write a page at each address that has moved, which leads to the new one."""
    for old, new in MOVED.items():
        if (html / new).exists():  # a book for tests has other pages
            address = posixpath.relpath(new, posixpath.dirname(old))
            (html / old).write_text(REDIRECT.format(address), encoding="utf-8")
