"""Check every notebook without running it: form, outputs, text, exercises, exports and stamps.

    python -m tools.chapters.check

Each problem is one line: where, what is wrong, and what to do.
"""

import ast
import base64
import binascii
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from tools.chapters import export, founded, notebooks, plain, readable, written
from tools.chapters.notebooks import Tag
from tools.chapters.stamp import stamp

KB = 1000
CELL_TEXT, PICTURE, NOTEBOOK = 16 * KB, 120 * KB, 1500 * KB  # the largest that is stored
END_OF_PNG = b"IEND\xaeB`\x82"
EXERCISES = 4  # a chapter has at least as many

SHOWN = {"text/plain", "text/html", "text/latex", "image/png"}  # in all readers, and compared
PRIVATE = re.compile(
    r"(?<![\w/.:-])/(home|root|Users|tmp|var|private|opt|mnt|usr|content)/\w+|\b[A-Z]:\\Users\b"
)
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{4,}")


class Chapter(NamedTuple):
    """A notebook, and where it lies."""

    path: Path  # relative to root
    root: Path
    notebook: NotebookNode

    @property
    def cells(self) -> list[NotebookNode]:
        """All cells."""
        return self.notebook.cells

    @property
    def code(self) -> list[NotebookNode]:
        """The code cells."""
        return notebooks.code_cells(self.notebook)

    @property
    def run(self) -> str:
        """The command that runs this notebook and stores its outputs."""
        return f"run 'make notebooks NB={self.path}'"

    def at(self, cell: NotebookNode, what: str) -> str:
        """One line about one cell."""
        return f"{notebooks.place(self.path, self.notebook, cell)}: {what}"


def problems(root: Path) -> Iterator[str]:
    """Everything that is wrong under root."""
    unread = [*readable.problems(root), *unread_chapters(root)]
    if unread:  # everything else rests on these files
        yield from unread
        return
    yield from export.differences(root)
    for path in notebooks.chapters(root):
        yield from chapter_problems(path, root)
    yield from founded.problems(root)
    yield from written.problems(root)
    yield from wording(root)


def unread_chapters(root: Path) -> Iterator[str]:
    """Notebooks that are none."""
    for path in notebooks.chapters(root):
        try:
            notebooks.read(path, root)
        except notebooks.NotebookError as error:
            yield str(error)


def chapter_problems(path: Path, root: Path) -> Iterator[str]:
    """Everything that is wrong with one notebook."""
    size = (root / path).stat().st_size
    if size > NOTEBOOK:
        yield f"{path}: {size // KB} kB, at most {NOTEBOOK // KB} kB: draw fewer pictures"
    chapter = Chapter(path, root, notebooks.read(path, root))
    for rule in RULES:
        yield from rule(chapter)
    counts = [cell.execution_count for cell in chapter.code]
    if counts != list(range(1, len(counts) + 1)):
        yield f"{path}: was not run once from top to bottom: {chapter.run}"
        return
    for rule in RULES_WHEN_RUN:
        yield from rule(chapter)


def form(chapter: Chapter) -> Iterator[str]:
    """Title, headings, metadata, ids."""
    tidy = nbformat.from_dict(chapter.notebook)
    notebooks.tidy(tidy)
    if chapter.notebook.metadata != tidy.metadata:
        yield f"{chapter.path}: its metadata is not in the book's form: {chapter.run}"
    left = {key for cell in chapter.cells for key in cell.metadata} - notebooks.CELL_METADATA
    if left:
        yield f"{chapter.path}: cells carry metadata {', '.join(sorted(left))}: {chapter.run}"
    for cell in chapter.cells:
        if not cell.source.strip():
            yield chapter.at(cell, "is empty: delete it")
    ids = [cell.id for cell in chapter.cells]
    for cell in chapter.cells:
        if ids.count(cell.id) > 1:
            yield chapter.at(cell, f"another cell has its id {cell.id}: give one a new id")

    headings = [
        (cell, level, words)
        for cell in chapter.cells
        if cell.cell_type == "markdown"
        for level, words in plain.headings(cell.source)
    ]
    if not headings or headings[0][:2] != (chapter.cells[0], 1):
        yield f"{chapter.path}: the first cell must be Markdown and begin with '# Title'"
        return
    for (_, above, _), (cell, level, words) in pairwise(headings):
        if level == 1 or level > above + 1:
            fit = "##" if level == 1 else "#" * (above + 1)
            yield chapter.at(cell, f"the heading {words!r} has {'#' * level}: write {fit}")


def tags(chapter: Chapter) -> Iterator[str]:
    """Only tags that something here understands, on code cells."""
    for cell in chapter.cells:
        allowed = list(Tag) if cell.cell_type == "code" else []
        known = f"known are {', '.join(allowed)}" if allowed else "a Markdown cell has none"
        for tag in sorted(notebooks.tags(cell) - set(allowed)):
            yield chapter.at(cell, f"unknown tag {tag}: remove it; {known}")


def setup(chapter: Chapter) -> Iterator[str]:
    """The set-up cell is the first code cell, and the same everywhere."""
    cells = [cell for cell in chapter.cells if notebooks.is_setup(cell)]
    right = (
        len(cells) == 1
        and cells[0] is chapter.code[0]
        and cells[0].source == notebooks.setup_source(chapter.root)
        and cells[0].metadata == {"tags": notebooks.SETUP_TAGS}
    )
    if not right:
        yield f"{chapter.path}: the set-up cell is missing, moved or changed: {chapter.run}"


def fresh(chapter: Chapter) -> Iterator[str]:
    """Not changed since it was run."""
    for cell in chapter.code:
        try:
            notebooks.parse(cell.source)
        except SyntaxError as error:
            yield chapter.at(cell, f"is not Python ({error.msg}, line {error.lineno}): mend it")
            return
    if chapter.notebook.metadata.get("cnnbook", {}).get("stamp") != stamp(
        chapter.notebook, chapter.root
    ):
        yield (
            f"{chapter.path}: its code, the part of cnnbook it uses, or a stored output changed "
            f"since it was run: {chapter.run}"
        )


def outputs(chapter: Chapter) -> Iterator[str]:
    """Outputs that every reader shows and every machine repeats."""
    for cell in chapter.code:
        if cell.source.rstrip().endswith(";"):
            yield chapter.at(cell, "ends in ;, which hides nothing in tests: end with _ = …")
        text = ""
        for output in cell.outputs:
            kind, data = output.output_type, output.get("data", {})
            if kind == "error" and not notebooks.RAISES & notebooks.tags(cell):
                yield chapter.at(cell, f"stored {output.ename}: mend it, or tag raises-exception")
            if kind == "stream" and output.name == "stderr":
                yield chapter.at(cell, "prints to stderr: remove the cause of the warning")
            for mime in sorted(set(data) - SHOWN):
                yield chapter.at(cell, f"output {mime}: show {', '.join(sorted(SHOWN))} only")
            if "image/png" in data:
                yield from picture(chapter, cell, output)
            text += output.get("text", "")
            text += "".join(str(part) for mime, part in data.items() if mime.startswith("text/"))
        if len(text.encode()) > CELL_TEXT:
            yield chapter.at(cell, f"prints more than {CELL_TEXT // KB} kB of text: print less")
        if found := PRIVATE.search(text):
            yield chapter.at(cell, f"prints the path {found[0]} of one machine: do not print it")
        if found := ADDRESS.search(text):
            yield chapter.at(cell, f"prints an address ({found[0]}): end with _ = …, or print less")


def own_words(chapter: Chapter) -> Iterator[str]:
    """No error message of torch is printed: another release words it otherwise."""
    for cell in chapter.code:
        try:
            tree = notebooks.parse(cell.source)
        except SyntaxError:  # told by another rule
            continue
        tries = [node for node in ast.walk(tree) if isinstance(node, ast.Try)]
        if any(prints_torch(node, handler) for node in tries for handler in node.handlers):
            yield chapter.at(cell, "prints an error message of torch: print your own words for it")


def prints_torch(node: ast.Try, handler: ast.ExceptHandler) -> bool:
    """Whether a handler prints what it caught, and torch may have raised that."""
    caught = handler.type and ast.unparse(handler.type)
    called = {ast.unparse(part) for each in node.body for part in ast.walk(each)}
    torchs = any(re.match(r"(torch|nn|F)\.", name) for name in called)
    printed = {
        name.id
        for each in handler.body
        for call in ast.walk(each)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "print"
        for name in ast.walk(call)
        if isinstance(name, ast.Name)
    }
    ours = caught and "RuntimeError" not in caught and not torchs  # our functions: ValueError
    return handler.name in printed and not ours


def picture(chapter: Chapter, cell: NotebookNode, output: NotebookNode) -> Iterator[str]:
    """A picture is small, and has words for those who cannot see it."""
    try:
        content = base64.b64decode(output.data["image/png"])
    except binascii.Error:
        content = b""
    if not content.rstrip().endswith(END_OF_PNG):
        yield chapter.at(cell, f"its picture is cut short: {chapter.run}")
    size = len(content)
    if size > PICTURE:
        yield chapter.at(
            cell, f"a picture of {size // KB} kB, at most {PICTURE // KB} kB: draw it smaller"
        )
    if not output.metadata.get("image/png", {}).get("alt", "").strip():
        yield chapter.at(
            cell, 'a picture without alt text: show it with cnnbook.plots.show(fig, alt="…")'
        )


def figures(chapter: Chapter) -> Iterator[str]:
    """A chapter without a figure is not finished; a stepper has steps."""
    drawn = {
        cell.id: sum("image/png" in output.get("data", {}) for output in cell.outputs)
        for cell in chapter.code
    }
    if not any(drawn.values()):
        yield f"{chapter.path}: has no figure: draw at least one"
    for cell in chapter.code:
        if Tag.STEPPER in notebooks.tags(cell) and drawn[cell.id] < 2:
            yield chapter.at(cell, "a stepper shows at least two pictures: show each step")
        if Tag.TRAINED in notebooks.tags(cell) and not drawn[cell.id]:
            yield chapter.at(cell, "draws nothing: remove the tag trained")


def exercises(chapter: Chapter) -> Iterator[str]:
    """Exercises come as task, stub, check and folded solution, and the outputs prove them."""
    parts = {Tag.EXERCISE, Tag.CHECK, Tag.SOLUTION}
    inside: set[str] = set()
    number = 0
    for i, cell in enumerate(chapter.cells):
        heading = re.search(r"^#+ *Exercise\b.*", cell.source, re.MULTILINE)
        if cell.cell_type != "markdown" or not heading:
            continue
        number += 1
        if not re.sub(r"^#.*", "", cell.source, flags=re.MULTILINE).strip():
            yield chapter.at(cell, f"{heading[0]!r} asks nothing: write the task below it")
        if not re.match(rf"### Exercise {number}: \S", heading[0]):
            yield chapter.at(cell, f"{heading[0]!r}: write '### Exercise {number}: …'")
        following = chapter.cells[i + 1 : i + 4]
        inside.update(part.id for part in following)
        found = [parts & notebooks.tags(part) for part in following]
        if found != [{Tag.EXERCISE}, {Tag.CHECK}, {Tag.SOLUTION}]:
            yield chapter.at(
                cell,
                "three code cells must follow, tagged exercise, check, and solution + hide-cell",
            )
            continue
        _, check, solution = following
        yield from solved(chapter, number, check, solution)
    if number < EXERCISES:
        yield f"{chapter.path}: has {number} exercises: write at least {EXERCISES}"
    for cell in chapter.cells:
        if parts & notebooks.tags(cell) and cell.id not in inside:
            yield chapter.at(cell, "belongs to no exercise: put it below '### Exercise n: …'")


def solved(
    chapter: Chapter, number: int, check: NotebookNode, solution: NotebookNode
) -> Iterator[str]:
    """The stored verdicts show that the stub is caught and that the solution is right."""
    name = f"{chapter.path.stem}.{number}"
    if not re.fullmatch(rf"cnnbook\.check\(\w+, '{re.escape(name)}'\)", last_line(check)):
        yield chapter.at(check, f'its last line must be cnnbook.check(cases, "{name}")')
    elif last_line(solution) != last_line(check):
        yield chapter.at(solution, f"its last line must be {last_line(check)}, as above it")
    for cell, right in ((check, False), (solution, True)):
        found = [o.metadata["cnnbook"] for o in cell.outputs if "cnnbook" in o.get("metadata", {})]
        if [(verdict.get("id"), verdict.get("solved")) for verdict in found] != [(name, right)]:
            words = "right" if right else "wrong"
            yield chapter.at(cell, f"its stored verdict must find exercise {name} {words}")
    folded = (
        Tag.HIDE_CELL in notebooks.tags(solution)
        and solution.metadata.get("jupyter", {}).get("source_hidden") is True
        and solution.metadata.get("cellView") == "form"
        and solution.source.startswith("# @title Solution\n")
    )
    if not folded:
        yield chapter.at(
            solution,
            "a solution is folded everywhere: first line '# @title Solution', tags solution and "
            'hide-cell, metadata "jupyter": {"source_hidden": true}, "cellView": "form"',
        )


def last_line(cell: NotebookNode) -> str:
    """The last statement of a code cell."""
    try:
        body = notebooks.parse(cell.source).body
    except SyntaxError:
        return ""
    return ast.unparse(body[-1]) if body else ""


def markdown(chapter: Chapter) -> Iterator[str]:
    """Text that shows nothing raw, and links that lead somewhere."""
    for cell in chapter.cells:
        if cell.cell_type == "markdown":
            for what in plain.problems(cell.source):
                yield chapter.at(cell, what)
            for what in plain.broken_links(cell.source, chapter.root / chapter.path):
                yield chapter.at(cell, what)
        elif cell.cell_type == "raw":
            yield chapter.at(cell, "a raw cell: write Markdown or code")


def wording(root: Path) -> Iterator[str]:
    """One word is never true for the reader it is said to."""
    texts = [*root.glob("README.md"), *(root / "book").rglob("*.md")]
    for path in [*(text.relative_to(root) for text in texts), *notebooks.chapters(root)]:
        for number, line in enumerate((root / path).read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"\bsimply\b", line, re.IGNORECASE):
                yield f"{path}: line {number}: 'simply': leave the word out"


RULES = (form, tags, setup, own_words, markdown)
RULES_WHEN_RUN = (fresh, outputs, figures, exercises)


def main() -> None:
    """Print every problem; exit with 1 if there is one."""
    root = notebooks.arguments(__doc__.splitlines()[0]).parse_args().root.resolve()
    found = list(dict.fromkeys(problems(root)))
    print(*found, sep="\n", end="\n" if found else "")
    count = len(notebooks.chapters(root))
    if found:
        raise SystemExit(f"Problems: {len(found)}, in a book of {count} notebooks.")
    print(f"Notebooks: {count}, exports in sync, stamps fresh, clean.")


if __name__ == "__main__":
    main()
