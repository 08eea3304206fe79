"""Write every table of contents: from `_toc.yml` and the first lines of the chapters.

    python -m tools.pages.contents [--check]

A page says where its table stands by a pair of comments, `<!-- contents: … -->` and
`<!-- end of contents -->`; what is between them is written here.
"""

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import yaml
from nbformat import NotebookNode

from tools.chapters import notebooks, readable

BLOCK = re.compile(r"(<!-- contents: (\w+) -->\n).*?(\n<!-- end of contents -->)", re.DOTALL)
WORDS, LINES = 200, 10  # of text, of visible code: what is read in a minute
NUMERALS = ("0", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")

FIRST_LINES = """\
# {title}

One or two sentences with the one idea, in a paragraph.

**{minutes} minutes** · **needs** [chapters](…) or a few words · **afterwards you can** … ."""


class Chapter(NamedTuple):
    """A chapter, as its first lines present it."""

    path: Path  # from the book's folder
    title: str
    idea: str  # its first paragraph
    minutes: int | None  # None: the line that says it is missing
    needs: tuple[Path, ...]  # the chapters that its first lines link to as needed
    gain: str


class Part(NamedTuple):
    """A part of the book: its opener, and its chapters."""

    number: int
    opener: Path
    title: str
    chapters: tuple[Chapter, ...]


def chapter(path: Path, root: Path) -> Chapter:
    """Read the first lines of a chapter, its path given from root."""
    first = notebooks.read(path, root).cells[0].source
    title, idea, *rest = [" ".join(text.split()) for text in first.split("\n\n")]
    form = r"\*\*(\d+) minutes\*\* · \*\*needs\*\* (.*) · \*\*afterwards you can\*\* (.*)\."
    line = next((found for text in rest if (found := re.fullmatch(form, text))), None)
    minutes, needs, gain = (int(line[1]), line[2], line[3]) if line else (None, "", "")
    links = re.findall(r"\]\(([^)]+\.ipynb)\)", needs)
    needed = tuple(Path(os.path.normpath(path.parent / link)) for link in links)
    return Chapter(path, title.lstrip("# "), idea, minutes, needed, gain)


def parts(root: Path) -> list[Part]:
    """The numbered parts of `_toc.yml` and their chapters."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    found = []
    for entry in (part["chapters"][0] for part in toc["parts"] if part.get("numbered")):
        opener = Path(f"{entry['file']}.md")
        title = (root / opener).read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        paths = [Path(f"{section['file']}.ipynb") for section in entry["sections"]]
        read = tuple(chapter(path, root) for path in paths)
        found.append(Part(len(found) + 1, opener, title, read))
    return found


def minutes(notebook: NotebookNode) -> int:
    """How long a chapter is read, to five minutes: its words and its visible code, no exercises."""
    text = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    folded = {"hide-input", "hide-cell", "colab-setup", "exercise", "check", "solution"}
    code = [c.source for c in notebooks.code_cells(notebook) if not folded & notebooks.tags(c)]
    words = len(re.sub(r"[`*#$\\{}|]", " ", " ".join(text)).split())
    lines = sum(len([line for line in source.splitlines() if line.strip()]) for source in code)
    return max(5, 5 * round((words / WORDS + lines / LINES) / 5))


def table(parts: list[Part], page: Path) -> Iterator[str]:
    """The contents as rows of a table: number, chapter, what it is about."""
    link = partial(os.path.relpath, start=page.parent)
    yield "| | Chapter | In a sentence |\n|:--|:--|:--|"
    for part in parts:
        yield f"| **{NUMERALS[part.number]}** | **[{part.title}]({link(part.opener)})** | |"
        for number, chapter in enumerate(part.chapters, 1):
            name = f"[{chapter.title}]({link(chapter.path)})"
            yield f"| {part.number}.{number} | {name} | {chapter.idea} |"


def lists(parts: list[Part], page: Path) -> Iterator[str]:
    """The contents as a list for each part; on the opener of a part that part alone."""
    link = partial(os.path.relpath, start=page.parent)
    here = [part for part in parts if part.opener == page]
    for part in here or parts:
        if not here:
            yield f"\n**[Part {NUMERALS[part.number]}: {part.title}]({link(part.opener)})**\n"
        for chapter in part.chapters:
            yield f"- [{chapter.title}]({link(chapter.path)}). {chapter.idea}"


FORMS = {"table": table, "lists": lists}


def written(root: Path) -> dict[Path, str]:
    """Each page with a table of contents, as it should be."""
    book, pages = parts(root), {}
    for path in [root / "README.md", *sorted((root / "book").glob("*.md"))]:
        page = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        if BLOCK.search(text):

            def fill(match: re.Match, page: Path = page) -> str:
                return match[1] + "\n".join(FORMS[match[2]](book, page)).strip("\n") + match[3]

            pages[page] = BLOCK.sub(fill, text)
    return pages


def problems(root: Path) -> Iterator[str]:
    """Tables of contents that are not as they should be, and first lines that say too little."""
    for part in parts(root):
        for chapter in part.chapters:
            right = minutes(notebooks.read(chapter.path, root))
            if chapter.minutes is None:
                form = FIRST_LINES.format(title=chapter.title, minutes=right).splitlines()[-1]
                yield f"{chapter.path}: its first cell lacks the line '{form}'"
            elif abs(chapter.minutes - right) > 5:
                told = f"says that it takes {chapter.minutes} minutes, but its text and code take"
                yield f"{chapter.path}: {told} about {right}: write **{right} minutes**"
    for page, text in written(root).items():
        if (root / page).read_text(encoding="utf-8") != text:
            yield f"{page}: its table of contents is not that of the chapters: run 'make contents'"


def main() -> None:
    """Write the pages whose tables of contents are out of date, or say what is wrong."""
    parser = notebooks.arguments(__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, say what is wrong")
    options = parser.parse_args()
    root = options.root.resolve()
    if options.check:
        found = list(readable.problems(root)) or list(problems(root))
        print(*found, sep="\n", end="\n" if found else "")
        raise SystemExit(bool(found))
    for page, text in written(root).items():
        if (root / page).read_text(encoding="utf-8") != text:
            (root / page).write_text(text, encoding="utf-8")
            print(f"wrote {page}")


if __name__ == "__main__":
    main()
