"""Collect the cells tagged `export` into `cnnbook/networks/`: one module for each chapter.

    python -m tools.chapters.export

`from cnnbook.networks import resnet50` gives the constructors, which are the exported functions
that take `num_classes`; blocks and tables come from their own module. So two chapters may both have
a `Stage`, but not both a `resnet50`.

The modules are a copy of the chapters: edit the chapter. Whatever a module needs must stand in an
exported cell of its own chapter; the imports are merged at its top, and those it does not use are
left out.
"""

import ast
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from tools.chapters import notebooks
from tools.chapters.notebooks import Tag

FOLDER = Path("cnnbook/networks")
PACKAGE = "cnnbook.networks"


class ExportError(Exception):
    """Exported cells that make no module; each line says where, what, and what to do."""


class Module(NamedTuple):
    """What one chapter exports."""

    chapter: Path  # relative to the book's folder
    notebook: NotebookNode
    imports: list[ast.Import | ast.ImportFrom]
    body: list[str]  # the cells without their imports
    names: dict[str, NotebookNode]  # what is defined, and the cell that does it
    constructors: list[str]  # functions that take num_classes

    @property
    def name(self) -> str:
        """The module's name in cnnbook.networks."""
        return self.chapter.stem.replace("-", "_")

    @property
    def public(self) -> list[str]:
        """The names for users of the module."""
        return sorted(name for name in self.names if not name.startswith("_"))


def collect(chapter: Path, root: Path) -> Module | None:
    """Read a chapter's exported cells, or None when it has none.

    Raises:
        ExportError: a cell does more than import and define.
    """
    try:
        notebook = notebooks.read(chapter, root)
    except notebooks.NotebookError as error:
        raise ExportError(str(error)) from error
    module = Module(chapter, notebook, imports=[], body=[], names={}, constructors=[])
    cells = exported(notebook)
    for cell in cells:
        where = notebooks.place(chapter, notebook, cell)
        away = "move it to a cell without the tag export"
        try:
            statements = ast.parse(cell.source).body
        except SyntaxError as error:
            what = "a magic" if notebooks.magics(cell.source) else "what is not Python"
            raise ExportError(f"{where}: an exported cell holds {what}: {away}") from error
        lines = cell.source.splitlines()
        for statement in statements:
            span = slice(statement.lineno - 1, statement.end_lineno)
            match statement:
                case ast.Import() | ast.ImportFrom():
                    module.imports.append(statement)
                    lines[span] = [""] * len(lines[span])
                    continue
                case ast.FunctionDef() | ast.ClassDef():
                    names = [statement.name]
                case ast.Assign() | ast.AnnAssign():
                    names = assigned(statement)
                case _:
                    raise ExportError(
                        f"{where}: an exported cell only imports and defines, but this one runs "
                        f"{lines[span][0].strip()!r}: {away}"
                    )
            if takes_num_classes(statement):
                module.constructors.append(statement.name)
            for name in names:
                if name in module.names:
                    raise ExportError(f"{where}: {name} is exported twice: rename one of them")
                module.names[name] = cell
        if not all(isinstance(statement, (ast.Import, ast.ImportFrom)) for statement in statements):
            module.body.append("\n".join(lines))
    return module if cells else None


def exported(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells tagged `export`."""
    return [cell for cell in notebooks.code_cells(notebook) if Tag.EXPORT in notebooks.tags(cell)]


def takes_num_classes(statement: ast.stmt) -> bool:
    """Whether a statement defines a public function that takes `num_classes`.

    >>> takes_num_classes(ast.parse("def resnet18(num_classes=1000): ...").body[0])
    True
    """
    if not isinstance(statement, ast.FunctionDef) or statement.name.startswith("_"):
        return False
    arguments = [*statement.args.args, *statement.args.kwonlyargs]
    return "num_classes" in {argument.arg for argument in arguments}


def assigned(statement: ast.Assign | ast.AnnAssign) -> list[str]:
    """The names that an assignment defines.

    >>> assigned(ast.parse("WIDTH, DEPTH = 16, 20").body[0])
    ['WIDTH', 'DEPTH']
    """
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return [
        node.id
        for target in targets
        for node in ast.walk(target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


def text(module: Module, owners: dict[str, Module]) -> str:
    """A module's text, before ruff puts it in order."""
    header = [
        f'"""{notebooks.title(module.notebook)}.',
        "",
        f"Collected from {module.chapter}",
        "by `make export`: edit the chapter, not this file.",
        '"""',
    ]
    imports = [line for statement in module.imports for line in resolved(statement, owners)]
    return "\n".join([*header, *imports, f"__all__ = {module.public}", *module.body, ""])


def resolved(statement: ast.Import | ast.ImportFrom, owners: dict[str, Module]) -> list[str]:
    """An import as a module of the package writes it.

    A chapter says `from cnnbook.networks import resnet50`; inside the package that is a circle, so
    there the name comes from the module that defines it.
    """
    if not (isinstance(statement, ast.ImportFrom) and statement.module == PACKAGE):
        return [ast.unparse(statement)]
    lines = []
    for alias in statement.names:
        owner = owners.get(alias.name)
        home = f"{PACKAGE}.{owner.name}" if owner and alias.name in owner.constructors else PACKAGE
        lines.append(f"from {home} import {ast.unparse(alias)}")
    return lines


def index(modules: list[Module]) -> str:
    """The text of the package's `__init__`, which has the constructors of every module."""
    lines = ['"""The networks of the book, collected from its chapters by `make export`."""']
    for module in modules:
        if module.constructors:
            lines.append(f"from {PACKAGE}.{module.name} import {', '.join(module.constructors)}")
    names = sorted(name for module in modules for name in module.constructors)
    return "\n".join([*lines, f"__all__ = {names}", ""])


def export(root: Path) -> dict[Path, str]:
    """What `cnnbook/networks` must hold: every file, relative to root, and its text.

    Raises:
        ExportError: exported cells make no module.
    """
    modules = [module for path in notebooks.chapters(root) if (module := collect(path, root))]
    owners = owners_of(modules)
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, FOLDER)
        package.mkdir(parents=True)
        package.with_name("__init__.py").touch()  # so that ruff sorts cnnbook as our own
        (package / "__init__.py").write_text(index(modules), encoding="utf-8")
        for module in modules:
            (package / f"{module.name}.py").write_text(text(module, owners), encoding="utf-8")
        config = f"--config={root / 'pyproject.toml'}"
        ruff(folder, "check", config, "--fix-only", "--select=F401,I,RUF022")
        ruff(folder, "format", config)
        refuse_undefined(modules, ruff(folder, "check", config, "--select=F821"))
        return {
            path.relative_to(folder): path.read_text(encoding="utf-8")
            for path in sorted(package.iterdir())
        }


def ruff(folder: str, command: str, *options: str) -> str:
    """Run ruff over a folder and return what it reports, which for `check` is JSON."""
    report = ["--output-format=json", "--exit-zero"] if command == "check" else ["--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", command, "--no-cache", *options, *report, "."],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ExportError(f"{FOLDER}: ruff failed: {done.stderr.strip()}")
    return done.stdout


def owners_of(modules: list[Module]) -> dict[str, Module]:
    """The module that defines each constructor.

    Raises:
        ExportError: two chapters have one name, or export one constructor; or a constructor has the
            name of its chapter.
    """
    owners: dict[str, Module] = {}
    for module in modules:
        if module.name in module.constructors:
            raise ExportError(
                f"{module.chapter}: the constructor {module.name} would hide the module of the "
                "same name: rename one of them"
            )
        for name in [module.name, *module.constructors]:
            if (other := owners.setdefault(name, module)) is not module:
                raise ExportError(
                    f"{module.chapter}: {name} is the name of a constructor of {other.chapter}, "
                    "too: rename one of them"
                )
    return owners


def refuse_undefined(modules: list[Module], report: str) -> None:
    """Refuse exported code that uses what no exported cell defines."""
    problems = []
    for finding in json.loads(report):
        module = next(m for m in modules if m.name == Path(finding["filename"]).stem)
        name = finding["message"].split("`")[1]
        for cell in exported(module.notebook):
            if name in {getattr(node, "id", None) for node in ast.walk(ast.parse(cell.source))}:
                where = notebooks.place(module.chapter, module.notebook, cell)
                problems.append(
                    f"{where}: exported code uses {name}, which no exported cell defines: "
                    "define or import it in a cell tagged export"
                )
    if problems:
        raise ExportError("\n".join(dict.fromkeys(problems)))


def differences(root: Path) -> list[str]:
    """What in `cnnbook/networks` differs from the chapters; empty when nothing does."""
    try:
        wanted = export(root)
    except ExportError as error:
        return str(error).splitlines()
    cure = "run 'make export' (and change only the chapter)"
    found = []
    for path in sorted({*wanted, *present(root)}):
        if path not in wanted:
            found.append(f"{path}: no chapter exports this module: {cure}")
        elif path not in present(root):
            found.append(f"{path}: is missing, though a chapter exports it: {cure}")
        elif (root / path).read_text(encoding="utf-8") != wanted[path]:
            found.append(f"{path}: differs from the exported cells of its chapter: {cure}")
    return found


def present(root: Path) -> list[Path]:
    """The modules that lie in `cnnbook/networks` now."""
    return sorted(path.relative_to(root) for path in (root / FOLDER).glob("*.py"))


def main() -> None:
    """Write the modules; those that are right already stay untouched."""
    root = notebooks.arguments(__doc__.splitlines()[0]).parse_args().root.resolve()
    try:
        wanted = export(root)
    except ExportError as error:
        raise SystemExit(str(error)) from error
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    for path in present(root):
        if path not in wanted:
            (root / path).unlink()
            print(f"removed {path}")
    for path, content in wanted.items():
        target = root / path
        if not target.exists() or target.read_text(encoding="utf-8") != content:
            target.write_text(content, encoding="utf-8")
            print(f"wrote {path}")


if __name__ == "__main__":
    main()
