"""A stamp changes with whatever can change an output, and with nothing else."""

from minibook import Book, code, printed
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from tools.chapters import notebooks
from tools.chapters.stamp import Library, stamp


def reached(book: Book, *sources: str) -> set[str]:
    """The modules that cells with this code reach."""
    return set(Library(book.root).reached(notebooks.parse("\n".join(sources))))


def write(book: Book, name: str, source: str) -> None:
    """Write a module of the package."""
    path = book.root / "cnnbook" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)


def notebook(*sources: str) -> NotebookNode:
    """A notebook of code cells."""
    return new_notebook(cells=[code(source) for source in sources])


def test_stamp_is_the_same_in_every_python(book: Book) -> None:
    cells = notebook('def f(x, /, *, y: int = 1):\n    return f"{x:>{y}} {y!r}"', "%time f(2)")
    assert stamp(cells, book.root) == (
        "d81e9e61098b24fd25c5f00bda56e327d77207829740baeee06af8708ee529a6"
    )


def test_code_counts_and_comments_do_not(book: Book) -> None:
    plain = stamp(notebook("def f(x):\n    return 2 * x"), book.root)
    same = 'def f(x):\n    """Twice."""\n    # commented\n    return (2\n        * x)'
    assert stamp(notebook(same), book.root) == plain
    assert stamp(notebook("def f(x):\n    return 3 * x"), book.root) != plain
    assert stamp(notebook("def f(x):\n    return 2 * x", "f(1)"), book.root) != plain


def test_a_string_that_a_cell_shows_is_no_docstring(book: Book) -> None:
    assert stamp(notebook('"one"'), book.root) != stamp(notebook('"two"'), book.root)


def test_stored_outputs_count(book: Book) -> None:
    cells = notebook("print(1)")
    before = stamp(cells, book.root)
    cells.cells[0].outputs = [printed("1\n")]
    assert stamp(cells, book.root) != before


def test_library_counts_as_code_too(book: Book) -> None:
    cells = notebook("from cnnbook import plots")
    before = stamp(cells, book.root)
    module = book.root / "cnnbook/plots.py"
    module.write_text(module.read_text().replace("Show a picture in a notebook", "Show it"))
    assert stamp(cells, book.root) == before
    module.write_text(module.read_text().replace("(60, 40)", "(61, 40)"))
    assert stamp(cells, book.root) != before


def test_only_what_is_reached_counts(book: Book) -> None:
    assert reached(book, "import math") == set()
    assert reached(book, "from cnnbook import plots") == {"cnnbook.plots"}
    assert reached(book, "from cnnbook import check") == {"cnnbook.exercises"}
    assert reached(book, "import cnnbook") == {"cnnbook", "cnnbook.exercises"}


def test_a_module_counts_that_is_used_without_being_imported(book: Book) -> None:
    cells = notebook("import cnnbook as c", "c.plots.show(1, alt='')")
    before = stamp(cells, book.root)
    write(book, "plots.py", "show = 1")
    assert stamp(cells, book.root) != before


def test_modules_are_followed_through_others(book: Book) -> None:
    write(book, "data.py", "def load():\n    from .plots import bar\n\n    return bar(1)")
    assert reached(book, "from cnnbook.data import load") == {"cnnbook.data", "cnnbook.plots"}
    write(book, "parts/__init__.py", "from .one import first\n")
    write(book, "parts/one.py", "from ..exercises import check\n\nfirst = 1")
    assert reached(book, "import cnnbook.parts as p") == {
        "cnnbook.parts",
        "cnnbook.parts.one",
        "cnnbook.exercises",
    }


def test_a_name_of_networks_reaches_the_one_module_that_defines_it(book: Book) -> None:
    write(book, "networks/other.py", "def other():\n    return 1")
    lines = (book.root / "cnnbook/networks/__init__.py").read_text()
    write(book, "networks/__init__.py", lines + "from cnnbook.networks.other import other\n")
    assert reached(book, "from cnnbook.networks import area") == {"cnnbook.networks.round_things"}
    everything = reached(book, "from cnnbook.networks import *")
    assert everything == {f"cnnbook.networks{m}" for m in ("", ".other", ".round_things")}


def test_entries_of_data_files_count_where_a_cell_names_them(book: Book) -> None:
    networks = "resnet18: {depth: 18, source: he2015}\nlenet5: {depth: 5, source: lecun1998}\n"
    works = "@article{he2015,\n  year = {2015},\n}\n\n@article{lecun1998,\n  year = {1998},\n}\n"
    write(book, "papers.py", 'files = "facts/classics.yaml", "references.bib"')
    write(book, "facts/classics.yaml", networks)
    write(book, "references.bib", works)
    named = notebook("from cnnbook import papers", 'papers.paper("resnet18")')
    pieced = notebook("from cnnbook import papers", 'papers.paper(f"resnet{depth}")')
    before = stamp(named, book.root), stamp(pieced, book.root)
    write(book, "facts/classics.yaml", networks.replace("depth: 5", "depth: 6"))
    write(book, "references.bib", works.replace("1998}", "1997}"))
    assert (stamp(named, book.root), stamp(pieced, book.root)) == before
    write(book, "facts/classics.yaml", networks.replace("depth: 18", "depth: 19"))
    assert stamp(named, book.root) != before[0]
    assert stamp(pieced, book.root) != before[1]
    write(book, "facts/classics.yaml", networks)
    write(book, "references.bib", works.replace("2015}", "2016}"))
    assert stamp(named, book.root) != before[0]
    assert stamp(pieced, book.root) != before[1]
