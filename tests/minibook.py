"""A book of one small chapter, right in everything, for tests to break."""

import base64
import io
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from tools.chapters import check, export, notebooks
from tools.chapters.stamp import stamp

# A package of three modules that stands for cnnbook: it needs no torch, so its kernels start fast.
PACKAGE = {
    "__init__": "from cnnbook.exercises import check",
    "exercises": '''
        def check(cases, id):
            """Show how far an exercise is."""
            from IPython.display import display

            wrong = [call for call, got, expected in cases() if got != expected]
            text = f"not yet: {wrong[0]}" if wrong else "right: all checks pass"
            metadata = {"cnnbook": {"id": id, "solved": not wrong}}
            display({"text/plain": text}, raw=True, metadata=metadata)
    ''',
    "plots": '''
        import io

        from PIL import Image


        def show(picture, alt):
            """Show a picture in a notebook."""
            from IPython.display import display

            file = io.BytesIO()
            picture.save(file, "png")
            data = {"image/png": file.getvalue(), "text/plain": f"<Figure: {alt}>"}
            display(data, raw=True, metadata={"image/png": {"alt": alt}})


        def bar(height):
            """Draw a bar."""
            picture = Image.new("RGBA", (60, 40))
            picture.paste("#0072B2", (20, 40 - height, 40, 40))
            return picture
    ''',
}

EXPORTED = '''
def area(radius: float, num_classes: int = 1) -> float:
    """The area of a disc."""
    return math.pi * radius**2
'''
CASES = """
def cases():
    yield "double(2)", double(2), 4


cnnbook.check(cases, "round-things.NUMBER")
"""


def png(height: int = 20) -> str:
    """What the chapter's figure cell stores."""
    picture = Image.new("RGBA", (60, 40))
    picture.paste("#0072B2", (20, 40 - height, 40, 40))
    file = io.BytesIO()
    picture.save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def code(source: str, *outputs: NotebookNode, tags: str = "", **metadata: object) -> NotebookNode:
    """A code cell."""
    if tags:
        metadata["tags"] = tags.split()
    return new_code_cell(source.strip(), outputs=list(outputs), metadata=metadata)


def printed(text: str) -> NotebookNode:
    """An output."""
    return new_output("stream", name="stdout", text=text)


def judged(name: str, text: str) -> NotebookNode:
    """The output of a check."""
    metadata = {"cnnbook": {"id": name, "solved": text.startswith("right")}}
    return new_output("display_data", {"text/plain": text}, metadata=metadata)


def exercise(number: int) -> list[NotebookNode]:
    """An exercise with its four parts."""
    folded = {"jupyter": {"source_hidden": True}, "cellView": "form"}
    stub = "def double(x):\n    return None  # your turn"
    name = f"round-things.{number}"
    cases = CASES.replace("NUMBER", str(number))
    solution = f'def double(x):\n    return 2 * x\n\n\ncnnbook.check(cases, "{name}")'
    return [
        new_markdown_cell(f"### Exercise {number}: twice\n\nReturn `2 * x`."),
        code(stub, tags="exercise"),
        code(cases, judged(name, "not yet: double(2)"), tags="check"),
        code(
            f"# @title Solution\n{solution}",
            judged(name, "right: all checks pass"),
            tags="solution hide-cell",
            **folded,
        ),
    ]


class Book:
    """A small book under `root`, of one chapter that is as it should be until a test breaks it."""

    path = Path("notebooks/part/round-things.ipynb")

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self) -> None:
        """Write all of it."""
        root = self.root
        shutil.copy(notebooks.ROOT / "pyproject.toml", root)
        shutil.copy(notebooks.ROOT / "conftest.py", root)
        shutil.copy(notebooks.ROOT / "_config.yml", root)
        (root / self.path).parent.mkdir(parents=True)
        (root / "cnnbook").mkdir()
        for name, source in PACKAGE.items():
            (root / "cnnbook" / f"{name}.py").write_text(textwrap.dedent(source).lstrip())
        figure = new_output(
            "display_data",
            {"image/png": png(), "text/plain": "<Figure: a bar>"},
            metadata={"image/png": {"alt": "a bar"}},
        )
        cells = [
            new_markdown_cell("# Round things\n\nA disc has the area $\\pi r^2$."),
            code(notebooks.setup_source(root), tags="colab-setup hide-input"),
            code("import math\n\nfrom cnnbook import plots", tags="export"),
            code(EXPORTED, tags="export"),
            code('print(f"{area(1):.2f}")', printed("3.14\n")),
            code('plots.show(plots.bar(20), alt="a bar")', figure),
            new_markdown_cell("## Exercises"),
            *(cell for number in range(1, 5) for cell in exercise(number)),
        ]
        notebook = new_notebook(cells=cells)
        notebooks.tidy(notebook)
        for number, cell in enumerate(notebooks.code_cells(notebook), 1):
            cell.execution_count = number
        self.save(notebook)
        self.export()
        self.stamp()

    def read(self) -> NotebookNode:
        """The chapter."""
        return notebooks.read(self.path, self.root)

    def save(self, notebook: NotebookNode) -> None:
        """Store the chapter as it is."""
        notebooks.write(self.root / self.path, notebook)

    def edit(self, change: Callable[[NotebookNode], object]) -> None:
        """Change the chapter, and leave everything else as it is."""
        notebook = self.read()
        change(notebook)
        self.save(notebook)

    def replace(self, old: str, new: str) -> None:
        """Replace a text in the chapter's cells; it must be there."""
        notebook = self.read()
        cells = [cell for cell in notebook.cells if old in cell.source]
        assert cells
        for cell in cells:
            cell.source = cell.source.replace(old, new)
        self.save(notebook)

    def stamp(self) -> None:
        """Give the chapter the stamp that fits it, as if it had been run."""
        self.edit(lambda nb: nb.metadata.cnnbook.update(stamp=stamp(nb, self.root)))

    def export(self) -> None:
        """Write the modules."""
        for path, text in export.export(self.root).items():
            (self.root / path).parent.mkdir(exist_ok=True)
            (self.root / path).write_text(text)

    def problems(self) -> list[str]:
        """What the checks find."""
        return list(check.problems(self.root))
