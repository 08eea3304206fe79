"""The command builds and serves; nothing that it loads needs torch."""

import ast
import os
import subprocess
import sys
import threading
import tomllib
import urllib.request
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from test_extension import REPOSITORY, make_book, page, write

from tools.site import build as building
from tools.site.__main__ import main
from tools.site.serve import server

HEAVY = "torch torchvision torchinfo matplotlib sklearn scipy pandas lightning timm"


@pytest.fixture(scope="module")
def light_book(tmp_path_factory):
    """A small book, built by a Python in which nothing heavy can be imported."""
    root, blocker = make_book(tmp_path_factory.mktemp("light")), tmp_path_factory.mktemp("blocker")
    block = f"import sys\nsys.modules.update(dict.fromkeys({HEAVY!r}.split()))\n"
    (blocker / "sitecustomize.py").write_text(block)
    environment = os.environ | {"PYTHONPATH": str(blocker)}
    asked = [sys.executable, "-c", "import torch"]
    assert subprocess.run(asked, env=environment, capture_output=True).returncode == 1
    command = [sys.executable, "-m", "tools.site", "--root", root, "build"]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("The site is built.\nOpen file://")
    return root


def test_the_site_is_built_without_torch(light_book):
    assert page(light_book, "notebooks/part/one.html").select(".katex")
    link = page(light_book, "notebooks/part/one.html").find("a", string="He and Sun, 2015")
    assert link["title"] == "Deep ResNet Learning"


def imported(module: str) -> set[str]:
    """What a module of this repository imports when it is imported, by full name."""
    parts = module.split(".")
    found = {".".join(parts[:end]) for end in range(1, len(parts))}
    file = REPOSITORY.joinpath(*parts)
    file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
    waiting = list(ast.parse(file.read_text(encoding="utf-8")).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {node.module} | {name for name in inner if is_ours(name)}
        elif isinstance(node, (ast.Try, ast.With)):
            waiting += node.body
    return found


def is_ours(name: str) -> bool:
    """Say whether a full name is a module of this repository."""
    path = REPOSITORY.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def test_all_that_make_book_imports_is_in_the_extra_site():
    waiting = {f"tools.site.{path.stem}" for path in (REPOSITORY / "tools/site").glob("*.py")}
    waiting = (waiting - {"tools.site.__init__"}) | {"tools.environment"}
    seen, foreign = set(), set()
    while waiting:
        seen.add(module := waiting.pop())
        for name in imported(module):
            if is_ours(name):
                waiting |= {name} - seen
            elif name.partition(".")[0] not in sys.stdlib_module_names:
                foreign.add(name)
    assert "cnnbook.papers" in seen
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    site = project["optional-dependencies"]["site"]
    declared = {canonicalize_name(Requirement(text).name) for text in site}
    known = packages_distributions()
    for name in foreign:
        top = name.partition(".")[0]
        homes = {canonicalize_name(home) for home in known.get(top, [top])}
        assert homes & declared, f"{name} is imported, but pyproject's extra site lacks {homes}"


def test_a_page_that_moved_leads_on(tmp_path, monkeypatch):
    write(tmp_path, "book/new.html", "new")
    write(tmp_path, "old/page.html", "")
    moved = {"old/page.html": "book/new.html", "book/a.html": "book/new.html"}
    monkeypatch.setattr(building, "MOVED", {**moved, "b.html": "book/absent.html"})
    building.redirect(tmp_path)
    for old, address in (("old/page.html", "../book/new.html"), ("book/a.html", "new.html")):
        text = (tmp_path / old).read_text()
        assert f'content="0; url={address}"' in text
        assert f'href="{address}"' in text
    assert not (tmp_path / "b.html").exists()


def test_serve_serves_on_this_machine_only(tmp_path):
    (tmp_path / "index.html").write_text("the book")
    with server(tmp_path, 0) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        host, port = listening.server_address
        with urllib.request.urlopen(f"http://{host}:{port}/") as answer:
            assert answer.read() == b"the book"
        listening.shutdown()
        thread.join()
    assert host == "127.0.0.1"


def test_serve_says_what_is_wrong(tmp_path, capsys):
    assert main(["--root", str(tmp_path), "serve"]) == 1
    assert "build it first with: make book" in capsys.readouterr().err
    html = tmp_path / "_build/html"
    html.mkdir(parents=True)
    (html / "index.html").write_text("the book")
    with server(html, 0) as taken:
        port = str(taken.server_address[1])
        assert main(["--root", str(tmp_path), "serve", "--port", port]) == 1
    assert f"port {port} is in use; choose another" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["99999", "0", "-1", "eight"])
def test_a_port_that_is_none_is_one_sentence(tmp_path, capsys, port):
    html = tmp_path / "_build/html"
    html.mkdir(parents=True)
    (html / "index.html").write_text("the book")
    assert main(["--root", str(tmp_path), "serve", f"--port={port}"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"'{port}' is no port; choose a number from 1024 to 65535: make serve")


def test_what_outlives_a_build_is_ended_with_it(tmp_path):
    outlives = "import subprocess, sys\nprint(subprocess.Popen([{}, '-c', {}]).pid)".format(
        "sys.executable", repr("import time; time.sleep(600)")
    )
    status, said = building.run_to_the_end([sys.executable, "-c", outlives], tmp_path, os.environ)
    assert status == 0
    state = subprocess.run(["ps", "-o", "stat=", "-p", said], capture_output=True, text=True).stdout
    assert state.strip() in ("", "Z")  # gone, or only waiting to be noticed
