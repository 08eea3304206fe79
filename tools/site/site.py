"""Build, check and serve the website.

    python -m tools.site.site build            build _build/html, strictly, and check what was built
    python -m tools.site.site serve            show it on this machine
    python -m tools.site.site picture          draw the pictures of the book and of README.md

The stored outputs of the notebooks are shown as they are: nothing is executed here.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import http.server
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]

# What a page may weigh, in bytes before compression.
PAGE_LIMIT = 600_000  # HTML, style, scripts, fonts
FIGURES_LIMIT = 1_500_000  # its pictures, which load as the reader scrolls

# What a build depends on. A change in the first group makes everything be read again; a change
# in the second only what changed.
FRAME = ["_config.yml", "_toc.yml", "cnnbook/references.bib", "requirements.txt"]
FRAME += ["tools/site/site.py", "tools/site/extension.py", "tools/site/api.py"]
FRAME_FOLDERS = ["book/_templates", "book/_static"]
PAGE_FOLDERS = ["book", "notebooks", "cnnbook"]


class SiteError(Exception):
    """What is wrong with the site, in one sentence a line."""


# -- building -----------------------------------------------------------------------------------


def digest(root: Path, names: list[str], folders: list[str], suffixes: tuple[str, ...]) -> str:
    """Return a hash of files and folders: their names and what they hold."""
    files = [root / name for name in names if (root / name).exists()]
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix.endswith(suffixes):
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
    problems = check(html)
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


def run_jupyter_book(root: Path) -> list[str]:
    """Run Jupyter Book strictly and return what it found wrong, one line each."""
    command = [sys.executable, "-c", JUPYTER_BOOK]
    command += ["build", "-n", "-W", "--keep-going", "-q", "."]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if done.returncode == 0:
        return []
    said = re.sub(r"\x1b\[[\d;]*m", "", done.stderr + done.stdout)
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
    reason = error[1].strip() if error else f"exit status {done.returncode}"
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


# -- checking what was built --------------------------------------------------------------------

RAW_MARKUP = re.compile(
    r"\{(?:term|cite(?::\w)?|numref|ref|eq|doc|figure|glossary|bibliography)\}"
    r"|```|^:::|\*\*\w|\]\(\S+\)|\$\$|\\(?:frac|begin|sum|times)\b",
    re.MULTILINE,
)


class Page(HTMLParser):
    """What a page loads, links to, names, and shows as text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.no_alt: list[str] = []
        self.text: list[str] = []
        self._code = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        given = dict(attrs)
        if given.get("id"):
            self.ids.add(given["id"])
        if given.get("src"):  # what a browser loads by itself …
            self.loads.append(given["src"])
        if given.get("href"):  # … and where a reader may go
            to_go = tag == "a" or given.get("rel") in {"next", "prev"}
            (self.links if to_go else self.loads).append(given["href"])
        in_the_bar = "favicon" in given.get("src", "")  # the name of the book stands beside it
        if tag == "img" and not given.get("alt") and not in_the_bar:
            self.no_alt.append(given.get("src", ""))
        if tag in {"pre", "code", "script", "style", "annotation"}:
            self._code += 1

    def handle_endtag(self, tag: str) -> None:
        """Note the end of an element."""
        if tag in {"pre", "code", "script", "style", "annotation"}:
            self._code -= 1

    def handle_data(self, data: str) -> None:
        """Note the text that a reader sees."""
        if not self._code:
            self.text.append(data)


def check(html: Path) -> list[str]:
    """Return what is wrong with a built site, one sentence each."""
    pages = {
        path: Page(path.read_text(encoding="utf-8"))
        for path in sorted(html.rglob("*.html"))
        if "_static" not in path.parts and "_sources" not in path.parts
    }
    found = []
    for path, page in pages.items():
        found += [f"{path.relative_to(html)}: {problem}" for problem in page_problems(path, page)]
        for link in page.links:
            if problem := link_problem(path, link, pages):
                found.append(f"{path.relative_to(html)}: {problem}")
    for path in sorted(html.rglob("*.css")):
        for address in re.findall(r"url\(([^)]+)\)", path.read_text(encoding="utf-8")):
            address = address.strip("\"'")
            if is_elsewhere(address):
                found.append(f"{path.relative_to(html)}: loads {address} from another host")
            elif not address.startswith("data:") and not (path.parent / address).exists():
                found.append(f"{path.relative_to(html)}: loads {address}, which is not there")
    return found


def is_elsewhere(address: str) -> bool:
    """Say whether an address leads to another host."""
    return bool(urlsplit(address).netloc)


def page_problems(path: Path, page: Page) -> list[str]:
    """Return what is wrong with one page, links aside."""
    found = []
    for address in page.loads:
        if is_elsewhere(address):
            found.append(f"loads {address} from another host; put a copy into book/_static")
        elif not address.startswith("data:") and not target(path, address).exists():
            found.append(f"loads {address}, which is not there")
    for source in page.no_alt:
        found.append(f"the picture {source} has no text for those who do not see it (alt)")
    for text in page.text:
        if match := RAW_MARKUP.search(text):
            found.append(f"shows raw markup: {match[0]!r} in {text.strip()[:60]!r}")
    figures, rest = weight(path, page)
    if rest > PAGE_LIMIT:
        found.append(f"weighs {rest:,} bytes without pictures; the limit is {PAGE_LIMIT:,}")
    if figures > FIGURES_LIMIT:
        found.append(f"has {figures:,} bytes of pictures; the limit is {FIGURES_LIMIT:,}")
    return found


def target(page: Path, address: str) -> Path:
    """Return the file that an address on a page leads to."""
    return (page.parent / unquote(urlsplit(address).path)).resolve()


def link_problem(path: Path, link: str, pages: dict[Path, Page]) -> str | None:
    """Return what is wrong with a link, if anything."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    to = target(path, link) if parts.path else path.resolve()
    if not to.exists():
        return f"the link {link} leads nowhere"
    by_path = {page.resolve(): found for page, found in pages.items()}
    anchor = unquote(parts.fragment)
    if anchor and to in by_path and anchor not in by_path[to].ids:
        return f"the link {link} leads to no place on its page"
    return None


def weight(path: Path, page: Page) -> tuple[int, int]:
    """Return the bytes of a page's pictures, and of everything else that it loads."""
    figures, rest, seen = 0, path.stat().st_size, set()
    for address in page.loads:
        file = target(path, address)
        if is_elsewhere(address) or file in seen or not file.is_file():
            continue
        seen.add(file)
        if "_images" in file.parts:
            figures += file.stat().st_size
        else:
            rest += file.stat().st_size
    return figures, rest


# -- serving ------------------------------------------------------------------------------------


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and keeps quiet about it."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def server(html: Path, port: int) -> http.server.ThreadingHTTPServer:
    """Return a server of the site on this machine only."""
    handler = functools.partial(Handler, directory=str(html))
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)


def serve(root: Path, port: int) -> None:
    """Serve the site until the reader presses Ctrl+C.

    Raises:
        SiteError: there is no site, or the port is taken.
    """
    html = root / "_build" / "html"
    if not (html / "index.html").exists():
        raise SiteError("there is no site yet; build it first with: make book")
    try:
        listening = server(html, port)
    except OSError:
        message = f"port {port} is in use; choose another with: make serve PORT={port + 1}"
        raise SiteError(message) from None
    with listening, contextlib.suppress(KeyboardInterrupt):
        print(f"The book is at http://localhost:{port} (Ctrl+C stops it)", flush=True)
        listening.serve_forever()


# -- the command --------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(description="Build, check and serve the website.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the book's folder")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build _build/html, strictly, and check what was built")
    serving = commands.add_parser("serve", help="show the site on this machine")
    serving.add_argument("--port", type=int, default=8000)
    commands.add_parser("picture", help="draw the pictures of the book and of README.md")
    chosen = parser.parse_args(arguments)
    root = chosen.root.resolve()
    try:
        if chosen.command == "build":
            index = root / "_build" / "html" / "index.html"
            print(
                "The site is built." if build(root) else "Nothing has changed since the last build."
            )
            print(f"Open {index.as_uri()}, or run: make serve")
        elif chosen.command == "serve":
            serve(root, chosen.port)
        else:
            from tools.pages import art  # needs torch and Chromium, which building does not

            for path in art.draw(root):
                print(f"Drew {path.relative_to(root)}, {path.stat().st_size:,} bytes.")
    except SiteError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
