"""The site's extension, on a book of two small chapters."""

import base64
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from tools.site import SiteError
from tools.site.build import build

REPOSITORY = Path(__file__).parents[2]

TOC = """
format: jb-book
root: book/index
parts:
  - caption: Part I
    numbered: 2
    chapters:
      - file: book/part
        sections:
          - file: notebooks/part/one
          - file: notebooks/part/two-ways
  - chapters: [{file: book/glossary}, {file: book/references}]
"""

GLOSSARY = """# Glossary

```{glossary}
kernel
: The array of weights that slides.

multiply–add, MAC
: One multiplication and one addition.

feature map
: The output of a layer.
```
"""

REFERENCES = """
@article{he2015,
  author = {He, Kaiming and Sun, Jian},
  title = {Deep {ResNet} Learning},
  journal = {A Journal},
  year = {2015},
  eprint = {1512.03385},
  archiveprefix = {arXiv},
}
"""


def png() -> str:
    picture = io.BytesIO()
    Image.new("RGBA", (64, 32), (0, 114, 178, 128)).save(picture, "png")
    return base64.b64encode(picture.getvalue()).decode()


def markdown(source: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source: str, *outputs: dict, tags: tuple[str, ...] = ()) -> dict:
    return {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {"tags": list(tags)},
        "outputs": list(outputs),
        "source": source,
    }


def figure(alt: str) -> dict:
    data = {"image/png": png(), "text/plain": "<Figure>"}
    return {
        "output_type": "display_data",
        "data": data,
        "metadata": {"image/png": {"alt": alt}},
    }


def stdout(text: str) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": text}


def told(text: str) -> dict:
    return {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}


CHAPTER = [
    markdown(
        "# A kernel\n\nKernels slide; a kernel slides again. `kernel` $kernel$ Count the MACs of "
        "feature\nmaps. Shown in [He and Sun, 2015](https://arxiv.org/abs/1512.03385) and in "
        "[the other chapter](two-ways.ipynb).\n\n> **Pitfall.** Many flip it.\n\n$$\n"
        "y = \\frac{1}{2}\n$$\n\n| | b |\n|:--|--:|\n| row | 2 |"
    ),
    code("import cnnbook", tags=("colab-setup", "hide-input")),
    code("def block():\n    ...", tags=("export",)),
    code("show()", figure("A blue square."), figure("Another."), tags=("stepper",)),
    markdown("## Exercises\n\n### Exercise 1: count\n\nHow many?"),
    code("n = ...", tags=("exercise",)),
    code("check()", stdout("not yet: n is Ellipsis\n"), tags=("check",)),
    code("check()", told("right: 1 check"), tags=("check",)),
    code("# @title Solution\nn = 2", stdout("right: 1 check\n"), tags=("solution", "hide-cell")),
]
OTHER = [markdown("# Two ways\n\nSee [the kernel](one.ipynb).")]


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_notebook(root: Path, name: str, cells: list[dict]) -> None:
    language = {"name": "python", "pygments_lexer": "ipython3"}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "cells": [{**cell, "id": f"c{i}"} for i, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": language},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    write(root, name, json.dumps(notebook))


def make_book(root: Path) -> Path:
    """Write a book with the frame of this one, and pages of its own."""
    for folder in ("book/_templates", "book/_static"):
        shutil.copytree(REPOSITORY / folder, root / folder)
    shutil.copy(REPOSITORY / "_config.yml", root)
    write(root, "_toc.yml", TOC)
    write(root, "book/index.md", "# The book\n\nBegin with [one](../notebooks/part/one.ipynb).")
    write(root, "book/part.md", "# The part\n\nIts [address](https://github.com/cnnbook/cnnbook).")
    write(root, "book/glossary.md", GLOSSARY)
    write(root, "book/references.md", "# References\n\n```{bibliography}\n:all:\n```")
    write(root, "cnnbook/references.bib", REFERENCES)
    write_notebook(root, "notebooks/part/one.ipynb", CHAPTER)
    write_notebook(root, "notebooks/part/two-ways.ipynb", OTHER)
    return root


def page(root: Path, name: str) -> BeautifulSoup:
    text = (root / "_build" / "html" / name).read_text(encoding="utf-8")
    return BeautifulSoup(text, "html.parser")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    root = make_book(tmp_path_factory.mktemp("book"))
    assert build(root)
    return root


@pytest.fixture(scope="module")
def chapter(book):
    return page(book, "notebooks/part/one.html")


def test_first_page_is_the_index(book):
    assert page(book, "index.html").h1.text.startswith("The book")
    assert not (book / "_build/html/book/index.html").exists()
    assert "../../index.html" in {a["href"] for a in page(book, "notebooks/part/one.html")("a")}


def test_terms_are_linked_once_and_only_in_running_text(chapter):
    links = chapter.select("article a.term")
    assert [" ".join(a.text.split()) for a in links] == ["Kernels", "MACs", "feature maps"]
    assert links[1]["href"] == "../../book/glossary.html#term-multiply-add"
    assert links[0]["title"] == "The array of weights that slides."
    assert not chapter.select("h1 a.term, code a, .katex a.term")


def test_every_name_of_a_term_is_shown(book):
    term = page(book, "book/glossary.html").find(id="term-multiply-add")
    assert term.text.startswith("multiply–addalso MAC")


def test_pitfalls_exercises_and_tables_are_marked(chapter):
    assert "Many flip it" in chapter.select_one("blockquote.pitfall").text
    assert chapter.select_one("section.exercise > h3").text.startswith("Exercise 1")
    assert [p.text for p in chapter.select(".cell-label")] == ["Your answer", "Check", "Check"]
    head, row = chapter.select("div.scroll > table tr")
    assert [cell.name for cell in head.find_all(["td", "th"])] == ["td", "th"]
    assert [cell.name for cell in row.find_all(["td", "th"])] == ["th", "td"]  # the row's name


def test_what_a_check_says_looks_the_same_printed_or_displayed(chapter):
    """The style sheet styles the highlighted text in the output of a cell, whatever it came as."""
    for output in chapter.select(".tag_check > .cell_output"):
        assert len(output.select(":scope > .output > .highlight > pre")) == 1


def test_solution_and_set_up_are_folded(chapter):
    solution = chapter.select_one(".tag_solution > details:not([open])")
    assert solution.summary.text == "Solution"
    assert solution.select_one("pre").text.strip() == "n = 2"  # without Colab's title line
    assert "right: 1 check" in solution.text
    assert chapter.select_one(".tag_colab-setup details summary").text.startswith("Set-up")


def test_exported_cells_name_their_module(chapter):
    assert chapter.select_one(".tag_export .cell-mark").text == (
        "this cell becomes cnnbook.networks.one"
    )


def test_figures_have_their_words_and_their_size(chapter):
    images = chapter.select(".cell_output img")
    assert [image["alt"] for image in images] == ["A blue square.", "Another."]
    assert {(image["width"], image["height"]) for image in images} == {("64", "32")}
    assert "loading" not in images[0].attrs
    assert images[1]["loading"] == "lazy"


def test_mathematics_is_rendered_when_the_site_is_built(chapter):
    assert len(chapter.select(".katex")) == 2
    assert not [s for s in chapter.select("script[src]") if "book.js" not in s["src"]]


def test_stepper_is_only_in_pages_that_have_one(book, chapter):
    assert "stepAfterKey" in chapter.select_one("script[type=module]").text
    assert page(book, "index.html").select_one("script[type=module]") is None


def test_page_says_where_it_stands(chapter):
    assert chapter.select_one(".place p").text.strip() == "Part I · The part"
    assert chapter.select_one(".onward [rel=prev]").text.endswith("The part")
    assert chapter.select_one(".onward [rel=next]").text.endswith("Two ways")
    assert chapter.select_one(".contents [aria-current]").text.split() == ["1.1", "A", "kernel"]
    assert chapter.h1.text.split()[0] == "1.1"


def test_chapter_opens_in_colab_and_can_be_downloaded(book, chapter):
    colab, download = chapter.select(".actions a")
    assert colab["href"] == (
        "https://colab.research.google.com/github/cnnbook/cnnbook/blob/main/"
        "notebooks/part/one.ipynb"
    )
    copy = book / "_build/html/notebooks/part" / download["href"]
    assert copy.read_bytes() == (book / "notebooks/part/one.ipynb").read_bytes()


def test_references_say_which_chapter_uses_them(book, chapter):
    used = page(book, "book/references.html").select_one(".citation .cited-in")
    assert used.text.strip() == "In: A kernel"
    link = chapter.find("a", string="He and Sun, 2015")
    assert link["href"] == "https://arxiv.org/abs/1512.03385"
    assert link["title"] == "Deep ResNet Learning"


def test_second_build_does_nothing_until_something_changes(tmp_path, monkeypatch):
    root = make_book(tmp_path)
    assert build(root)
    assert not build(root)
    monkeypatch.setenv("CNNBOOK_URL", "https://github.com/reader/fork")  # another change
    write_notebook(root, "notebooks/part/two-ways.ipynb", [markdown("# Three ways")])
    assert build(root)
    assert page(root, "notebooks/part/two-ways.html").h1.text.startswith("1.2 Three ways")
    assert (
        page(root, "notebooks/part/one.html")
        .select_one(".onward [rel=next]")
        .text.endswith("Three ways")
    )
    part = str(page(root, "book/part.html"))
    assert "https://github.com/reader/fork" in part  # in the text, the bar and the footer
    assert "https://github.com/cnnbook/cnnbook" not in part
    actions = page(root, "notebooks/part/one.html").select(".actions a")
    assert "/github/reader/fork/blob/main/" in actions[0]["href"]


def test_what_is_broken_fails_with_what_to_do(tmp_path):
    root = make_book(tmp_path)
    write(root, "book/index.md", "# The book\n\nA claim {cite:p}`nobody2020`, a {term}`nothing`.")
    write(root, "book/forgotten.md", "# Forgotten")
    broken = [
        markdown("# One\n\nA [link](three.ipynb), a formula $\\frac{1$."),
        markdown("[A paper](https://arxiv.org/abs/9999.00001)."),
    ]
    write_notebook(root, "notebooks/part/one.ipynb", broken)
    for _ in range(2):  # a second run must not forget what the first one found
        with pytest.raises(SiteError) as raised:
            build(root)
        said = str(raised.value)
        assert "the citation nobody2020 is not in cnnbook/references.bib; add it there" in said
        assert "the term nothing is not in book/glossary.md; add it there" in said
        assert f"book{os.sep}forgotten.md: this page is not in _toc.yml" in said
        assert "three.ipynb" in said
        assert "this formula cannot be rendered, mend it: \\frac{1" in said
        assert "doi or url, add one: https://arxiv.org/abs/9999.00001" in said
        assert "Traceback" not in said


def test_broken_settings_fail_with_one_line(tmp_path):
    root = make_book(tmp_path)
    write(root, "_toc.yml", "format: jb-book\nroot: book/absent\n")
    with pytest.raises(SiteError) as raised:
        build(root)
    assert "book/absent" in str(raised.value)
    assert len(str(raised.value).splitlines()) <= 4
