"""The stamp of a notebook: a hash of what its stored outputs came from, and of those outputs.

It covers the code cells and every module of cnnbook that they reach, as parsed code: a comment, a
docstring or a line break changes nothing. Of the data files that a module reads (facts) it
covers the entries that the cells name. It covers the stored outputs too, so that one that was
deleted or edited shows. Nothing is executed; the same code has the same stamp in every Python.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import yaml
from nbformat import NotebookNode

from cnnbook import papers
from tools.chapters import notebooks

PACKAGE = "cnnbook"


def stamp(notebook: NotebookNode, root: Path) -> str:
    """The stamp that a notebook should carry.

    Raises:
        SyntaxError: a cell or a module is not Python.
    """
    cells = [notebooks.parse(cell.source) for cell in notebooks.code_cells(notebook)]
    program = ast.Module([statement for cell in cells for statement in cell.body], [])
    library = Library(root)
    modules = library.reached(program)
    made_from = [essence(cell) for cell in cells]
    made_from += [[name, essence(tree)] for name, tree in sorted(modules.items())]
    made_from += sorted(library.facts(modules, program).items())
    outputs = [cell.outputs for cell in notebooks.code_cells(notebook)]
    content = ascii(made_from) + json.dumps(outputs, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def essence(node: object) -> object:
    """Parsed code as nested lists: without positions, docstrings, and what is empty.

    Empty fields are left out because each version of Python has its own.
    """
    if isinstance(node, list):
        return [essence(item) for item in node]
    if not isinstance(node, ast.AST):
        return node
    fields = dict(ast.iter_fields(node))
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        fields["body"] = without_docstring(node)
    if isinstance(node, ast.JoinedStr):  # Python 3.12 puts an empty string at some ends
        fields["values"] = [part for part in node.values if getattr(part, "value", None) != ""]
    kept = [(name, essence(value)) for name, value in fields.items() if value not in (None, [])]
    return [type(node).__name__, *kept]


def without_docstring(node: ast.Module | ast.FunctionDef | ast.ClassDef) -> list[ast.stmt]:
    """The body of a module, a function or a class."""
    return node.body if ast.get_docstring(node, clean=False) is None else node.body[1:]


def dotted(node: ast.AST) -> list[str]:
    """The names in `a.b.c`; none for any other expression."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute) and (front := dotted(node.value)):
        return [*front, node.attr]
    return []


def texts(tree: ast.Module) -> set[str]:
    """The strings in code, and the pieces of its f-strings."""
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def entries(file: Path) -> dict[str, str]:
    """The entries of a data file, by key."""
    content = file.read_text(encoding="utf-8")
    data = papers.bibliography(content) if file.suffix == ".bib" else yaml.safe_load(content)
    return {key: json.dumps(entry, sort_keys=True) for key, entry in data.items()}


class Library:
    """The modules of the package under a root, and which of them a piece of code reaches."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.trees: dict[str, ast.Module] = {}

    def reached(self, program: ast.Module) -> dict[str, ast.Module]:
        """The modules that a program reaches, directly or through others."""
        found: dict[str, ast.Module] = {}
        waiting = list(self.uses(program))
        while waiting:
            if (name := waiting.pop()) not in found:
                found[name] = self.tree(name)
                waiting.extend(self.uses(found[name], name))
        return found

    def facts(self, modules: dict[str, ast.Module], program: ast.Module) -> dict[str, str]:
        """The entries of the modules' data files that a program names, by key."""
        known: dict[str, str] = {}
        for name, tree in modules.items():
            for text in texts(tree):
                if text.endswith((".bib", ".yaml")):
                    file = self.path(name).parent / text
                    known |= entries(file) if file.is_file() else {}
        said = {text for text in texts(program) if len(text) > 2}
        found: dict[str, str] = {}
        for _ in range(2):  # an entry names others: a network its paper
            for key in known:
                # An f-string holds a piece of the key: f"resnet{depth}".
                if any(key in text or text in key for text in said):
                    found[key] = known[key]
            said |= set(found.values())
        return found

    def path(self, name: str) -> Path | None:
        """The file of a module, or None if no module has that name."""
        stem = self.root.joinpath(*name.split("."))
        files = (stem.with_suffix(".py"), stem / "__init__.py")
        return next((file for file in files if file.is_file()), None)

    def tree(self, name: str) -> ast.Module:
        """The parsed code of a module, without its docstring."""
        if name not in self.trees:
            tree = ast.parse(self.path(name).read_text(encoding="utf-8"))
            tree.body = without_docstring(tree)
            self.trees[name] = tree
        return self.trees[name]

    def uses(self, tree: ast.Module, module: str = "") -> Iterator[str]:
        """The modules that code uses: by importing them, or as `cnnbook.plots.show`."""
        meaning = {}
        for name, target in self.imports(tree, module):
            meaning[name] = target
            yield self.home(target)
        for node in ast.walk(tree):
            first, *rest = dotted(node) or [""]
            if rest and first in meaning:
                yield self.home(".".join([meaning[first], *rest]))

    def imports(self, tree: ast.Module, module: str = "") -> Iterator[tuple[str, str]]:
        """What code imports from the package: the name it gets here, and its full name."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    if first == PACKAGE:
                        yield alias.asname or alias.name, alias.name
                        if not alias.asname:
                            yield first, first
            elif isinstance(node, ast.ImportFrom):
                source = node.module or ""
                if node.level:  # counted from the package that the module is in
                    parts = module.split(".")
                    up = node.level - (self.path(module).name == "__init__.py")
                    source = ".".join([*parts[: len(parts) - up], *source.split(".")]).strip(".")
                if source.partition(".")[0] == PACKAGE:
                    for alias in node.names:
                        target = source if alias.name == "*" else f"{source}.{alias.name}"
                        yield alias.asname or alias.name, target

    def home(self, name: str) -> str:
        """The module that defines what a full name means: `cnnbook.networks.resnet50`."""
        if self.path(name):
            return name
        parent, _, last = name.rpartition(".")
        module = self.home(parent) if parent else PACKAGE
        if module != parent:  # an attribute of what is not a module
            return module
        # A package hands on what it imports.
        handed_on = dict(self.imports(self.tree(module), module)).get(last, name)
        return module if handed_on == name else self.home(handed_on)
