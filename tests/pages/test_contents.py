from pathlib import Path

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from tools.chapters import notebooks
from tools.pages import contents

TOC = """
root: book/index
parts:
  - caption: Part I
    numbered: 2
    chapters:
      - file: book/round
        sections: [{file: notebooks/part/disc}, {file: notebooks/part/ball}]
  - caption: Reference
    chapters: [{file: book/glossary}]
"""
BLOCK = "<!-- contents: {} -->\n\n<!-- end of contents -->"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A book of two chapters."""
    (tmp_path / "book").mkdir()
    (tmp_path / "notebooks/part").mkdir(parents=True)
    (tmp_path / "_toc.yml").write_text(TOC)
    (tmp_path / "README.md").write_text(f"# Book\n\n{BLOCK.format('table')}\n\nEnd.\n")
    (tmp_path / "book/round.md").write_text(f"# Round\n\n{BLOCK.format('lists')}\n")
    (tmp_path / "book/index.md").write_text(f"# Book\n\n{BLOCK.format('lists')}\n")
    for name, needs in (("disc", "nothing"), ("ball", "[Disc](disc.ipynb)")):
        line = f"**5 minutes** · **needs** {needs} · **afterwards you can** roll."
        first = f"# {name.title()}\n\nA {name} is\nround.\n\n{line}\n\nMore."
        path = tmp_path / f"notebooks/part/{name}.ipynb"
        notebooks.write(path, new_notebook(cells=[new_markdown_cell(first)]))
    return tmp_path


def test_first_lines_present_a_chapter(root):
    disc, ball = contents.parts(root)[0].chapters
    assert (disc.title, disc.idea, disc.minutes, disc.needs) == ("Disc", "A disc is round.", 5, ())
    assert ball.needs == (disc.path,)
    assert ball.gain == "roll"


def test_pages_are_written_from_them(root):
    pages = contents.written(root)
    readme = pages[Path("README.md")]
    assert "| 1.1 | [Disc](notebooks/part/disc.ipynb) | A disc is round. |" in readme
    assert "| **I** | **[Round](book/round.md)** | |" in readme
    assert readme.endswith("End.\n")
    front = pages[Path("book/index.md")]
    assert "**[Part I: Round](round.md)**" in front
    assert "- [Ball](../notebooks/part/ball.ipynb). A ball is round." in front
    assert "Part I" not in pages[Path("book/round.md")]


def test_what_is_written_stays(root):
    for page, text in contents.written(root).items():
        (root / page).write_text(text)
    assert list(contents.problems(root)) == []
    assert contents.written(root) == {
        page: (root / page).read_text() for page in contents.written(root)
    }


def test_a_stale_table_and_missing_first_lines_are_told(root):
    assert "README.md: its table of contents is not that" in "".join(contents.problems(root))
    path = root / "notebooks/part/disc.ipynb"
    path.write_text(path.read_text().replace("5 minutes", "55 minutes"))
    assert "takes 55 minutes, but its text and code take about 5" in "".join(
        contents.problems(root)
    )
    path.write_text(path.read_text().replace("**needs**", "needs"))
    assert "disc.ipynb: its first cell lacks the line" in "".join(contents.problems(root))


def test_the_book_lists_every_chapter_in_order():
    listed = [
        str(chapter.path) for part in contents.parts(notebooks.ROOT) for chapter in part.chapters
    ]
    assert sorted(listed) == sorted(map(str, notebooks.chapters(notebooks.ROOT)))
    for page, text in contents.written(notebooks.ROOT).items():
        assert (notebooks.ROOT / page).read_text(encoding="utf-8") == text, page
