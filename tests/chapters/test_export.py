"""Exported cells become the modules of cnnbook.networks, and stay in step with them."""

import subprocess
import sys

import pytest
from minibook import Book, code
from nbformat.v4 import new_markdown_cell

from tools.chapters import export, notebooks

MODULE = "cnnbook/networks/round_things.py"


def exports(book: Book, *sources: str) -> str:
    """The text of the module made from these exported cells."""
    cells = [code(source, tags="export") for source in sources]
    book.edit(lambda nb: nb.update(cells=[new_markdown_cell("# Round things"), *cells]))
    return export.export(book.root)[export.Path(MODULE)]


def refusal(book: Book, *sources: str) -> str:
    """The sentence that refuses these exported cells."""
    with pytest.raises(export.ExportError) as caught:
        exports(book, *sources)
    return str(caught.value)


def test_module_names_its_chapter_and_holds_what_it_needs(book: Book) -> None:
    assert (book.root / MODULE).read_text() == (
        '"""Round things.\n\n'
        "Collected from notebooks/part/round-things.ipynb\n"
        "by `make export`: edit the chapter, not this file.\n"
        '"""\n\n'
        "import math\n\n"  # plots is imported in that cell too, but no exported code uses it
        '__all__ = ["area"]\n\n\n'
        "# -- Round things\n"
        "def area(radius: float, num_classes: int = 1) -> float:\n"
        '    """The area of a disc."""\n'
        "    return math.pi * radius**2\n"
    )


def test_package_hands_on_the_constructors(book: Book) -> None:
    constructor = "def net(num_classes):\n    return _inner * num_classes"
    text = exports(book, "SIZES = [1, 2]\n_inner = 3", constructor)
    assert '__all__ = ["net"]' in text
    book.export()
    asked = (
        "import cnnbook.networks; from cnnbook.networks.round_things import SIZES; "
        "print(cnnbook.networks.net(2), SIZES, hasattr(cnnbook.networks, 'SIZES'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=book.root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "6 [1, 2] False\n"


def test_module_hands_on_constructors_and_blocks_alone(book: Book) -> None:
    text = exports(
        book,
        "from typing import NamedTuple\n\nfrom torch import Tensor, nn",
        "class Row(NamedTuple):\n    width: int\n\n\nTABLE = [Row(3)]",
        "class Sum(nn.ModuleList):\n    pass\n\n\nclass _Hidden(nn.Module):\n    pass",
        "def join() -> Sum:\n    return Sum()\n\n\ndef stem() -> nn.Sequential:\n    return Sum()",
        "def _chain() -> nn.Module:\n    return Sum()\n\n\ndef codes() -> Tensor:\n    return 1",
        "def net(num_classes):\n    return Sum()\n\n\ndef plain():\n    return Sum()",
    )
    assert '__all__ = ["Sum", "join", "net", "stem"]\n' in text


def test_a_long_list_of_names_has_a_line_for_each(book: Book) -> None:
    names = [f"network_number_{k}" for k in range(1, 8)]
    cells = [f"def {name}(num_classes):\n    return num_classes" for name in names]
    lines = "".join(f'    "{name}",\n' for name in names)
    assert f"__all__ = [\n{lines}]\n" in exports(book, *cells)


def test_a_comment_names_the_headings_above_the_cells(book: Book) -> None:
    cells = [
        new_markdown_cell("# Round things\n\n## Build it\n\nWords."),
        code("import math", tags="export"),
        code("A = math.pi", tags="export"),
        new_markdown_cell("### The disc\n\n```bash\n# no heading\n```"),
        code("# # no heading either"),
        code("B = 1", tags="export"),
        new_markdown_cell("Words without a heading."),
        code("C = 2", tags="export"),
        new_markdown_cell("## Check it"),
        code("D = 3", tags="export"),
    ]
    book.edit(lambda nb: nb.update(cells=cells))
    text = export.export(book.root)[export.Path(MODULE)]
    assert text.partition("__all__ = []\n\n\n")[2] == (
        "# -- Build it\nA = math.pi\n\n\n"
        "# -- Build it: The disc\nB = 1\n\n\nC = 2\n\n\n"
        "# -- Check it\nD = 3\n"
    )


def test_ruff_is_run_once_and_has_nothing_left_to_do(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, run = [], subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: runs.append(a) or run(*a, **k))
    book.export()
    assert len(runs) == 1
    for what in (["format", "--check"], ["check", "--select=F,I,E5,RUF022"]):
        command = [sys.executable, "-m", "ruff", *what, "--no-cache", "cnnbook/networks"]
        assert run(command, cwd=book.root, capture_output=True).returncode == 0


def test_imports_of_all_cells_are_merged_and_comments_stay(book: Book) -> None:
    text = exports(
        book,
        "import torch\nfrom torch import nn",
        "# Table 1\nWIDTH = 8  # channels",
        "from torch import Tensor\nfrom torch import nn\n\n"
        "def block(x: Tensor) -> Tensor:\n    # the paper's\n    return nn.ReLU()(torch.abs(x))",
    )
    assert text.count("from torch import Tensor, nn\n") == 1
    assert "# Table 1\nWIDTH = 8  # channels\n" in text
    assert "    # the paper's\n" in text


def test_module_takes_names_from_the_module_that_defines_them(book: Book) -> None:
    later = book.path.with_name("rings.ipynb")
    source = "from cnnbook.networks import area\n\n\ndef ring(r, R):\n    return area(R) - area(r)"
    notebook = book.read()
    notebook.cells = [new_markdown_cell("# Rings"), code(source, tags="export")]
    notebooks.write(book.root / later, notebook)
    text = export.export(book.root)[export.Path("cnnbook/networks/rings.py")]
    assert "from cnnbook.networks.round_things import area\n" in text


def test_export_is_deterministic(book: Book) -> None:
    assert export.export(book.root) == export.export(book.root)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("%matplotlib inline\nx = 1", "holds a magic: move it to a cell without the tag export"),
        ("def f(:\n    pass", "holds what is not Python: move it"),
        ("x = 1\nprint(x)", "this one runs 'print(x)': move it"),
        ("def f():\n    return np.pi", "uses np, which no exported cell defines: define or import"),
        ("x = 1\nx = 2", "x is exported twice: rename one of them"),
    ],
)
def test_cells_that_make_no_module_are_refused(book: Book, source: str, sentence: str) -> None:
    message = refusal(book, source)
    assert message.startswith(f"{book.path}: cell 2 (In [1]): ")
    assert sentence in message


def test_two_chapters_cannot_export_one_constructor(book: Book) -> None:
    notebooks.write(book.root / "notebooks/part/more.ipynb", book.read())
    with pytest.raises(
        export.ExportError, match=r"area is the name of a constructor of .*: rename"
    ):
        export.export(book.root)


def test_a_constructor_cannot_hide_its_module(book: Book) -> None:
    message = refusal(book, "def round_things(num_classes):\n    return num_classes")
    assert "the constructor round_things would hide the module" in message


def test_module_edited_by_hand_is_found(book: Book) -> None:
    assert export.differences(book.root) == []
    module = book.root / MODULE
    module.write_text(module.read_text().replace("radius**2", "radius**3"))
    assert export.differences(book.root) == [
        f"{MODULE}: differs from the exported cells of its chapter: "
        "run 'make export' (and change only the chapter)"
    ]


def test_missing_and_stray_modules_are_found(book: Book) -> None:
    (book.root / MODULE).rename(book.root / "cnnbook/networks/stray.py")
    missing, stray = export.differences(book.root)
    assert missing.startswith(f"{MODULE}: is missing")
    assert stray.startswith("cnnbook/networks/stray.py: no chapter exports this module")


def test_command_writes_what_changed_and_removes_what_is_left_over(
    book: Book, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["export", "--root", str(book.root)])
    (book.root / MODULE).rename(book.root / "cnnbook/networks/stray.py")
    export.main()
    assert capsys.readouterr().out == f"removed cnnbook/networks/stray.py\nwrote {MODULE}\n"
    export.main()
    assert capsys.readouterr().out == ""
    assert export.differences(book.root) == []
