"""Collect the cells tagged `export` into `cnnbook/networks/`: one module for each chapter.

    python -m tools.chapters.export

`from cnnbook.networks import resnet50` gives the constructors, which are the exported functions
that take `num_classes`. A module also hands on its blocks: classes of `nn.Module`, and functions
that are annotated to return one. Tables, their rows and helpers can be imported by their names.

The modules are a copy of the chapters: edit the chapter. Whatever a module needs must stand in an
exported cell of its own chapter; the imports are merged at its top, and those it does not use are
left out. A comment names the heading that the cells below it come from.
"""

import ast
import json
import re
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
LINE = 100  # characters, as in pyproject.toml


class ExportError(Exception):
    """Exported cells that make no module; each line says where, what, and what to do."""


class Module(NamedTuple):
    """What one chapter exports."""

    chapter: Path  # relative to the book's folder
    notebook: NotebookNode
    imports: list[ast.Import | ast.ImportFrom]
    body: list[tuple[str, str]]  # heading and text of the cells, without their imports
    names: set[str]  # all that is defined
    constructors: list[str]  # functions that take num_classes
    blocks: list[str]  # classes of modules, and functions that return a module

    @property
    def name(self) -> str:
        """The module's name in cnnbook.networks."""
        return self.chapter.stem.replace("-", "_")

    @property
    def public(self) -> list[str]:
        """The names that the module hands on."""
        return sorted({*self.constructors, *self.blocks})


def collect(chapter: Path, root: Path) -> Module | None:
    """Read a chapter's exported cells, or None when it has none.

    Raises:
        ExportError: a cell does more than import and define.
    """
    try:
        notebook = notebooks.read(chapter, root)
    except notebooks.NotebookError as error:
        raise ExportError(str(error)) from error
    module = Module(chapter, notebook, [], [], set(), [], [])
    cells = exported(notebook)
    headings = headings_above(notebook)
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
            if makes_a_module(statement, module.blocks):
                module.blocks.append(statement.name)
            for name in names:
                if name in module.names:
                    raise ExportError(f"{where}: {name} is exported twice: rename one of them")
                module.names.add(name)
        if source := re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines).strip("\n")):
            module.body.append((headings[cell.id], source))
    return module if cells else None


def exported(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells tagged `export`."""
    return [cell for cell in notebooks.code_cells(notebook) if Tag.EXPORT in notebooks.tags(cell)]


def headings_above(notebook: NotebookNode) -> dict[str, str]:
    """For each cell's id the headings that it stands under, as in `Build it: The block`."""
    path, found = {1: notebooks.title(notebook)}, {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = re.sub(r"^```.*?^```", "", cell.source, flags=re.MULTILINE | re.DOTALL)
            for mark, heading in re.findall(r"^(#+) +(.+)", text, re.MULTILINE):
                path = {level: path[level] for level in path if level < len(mark)}
                path[len(mark)] = heading.strip()
        below_the_title = [path[level] for level in path if level > 1]
        found[cell.id] = ": ".join(below_the_title or path.values())
    return found


def makes_a_module(statement: ast.stmt, blocks: list[str]) -> bool:
    """Whether a statement defines a public block: a class of modules, or what returns one.

    >>> makes_a_module(ast.parse("def stem() -> nn.Sequential: ...").body[0], [])
    True
    >>> makes_a_module(ast.parse("class Row(NamedTuple): ...").body[0], ["Branches"])
    False
    """
    if isinstance(statement, ast.ClassDef):
        kinds = statement.bases
    else:
        kinds = [getattr(statement, "returns", None) or ast.Constant(None)]
    words = [ast.unparse(kind) for kind in kinds]
    known = any(word.startswith("nn.") or word in blocks for word in words)
    return known and not statement.name.startswith("_")


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
    """A module's text, before ruff puts its imports in order."""
    header = [
        f'"""{notebooks.title(module.notebook)}.',
        "",
        f"Collected from {module.chapter}",
        "by `make export`: edit the chapter, not this file.",
        '"""',
        "",
    ]
    imports = [line for statement in module.imports for line in resolved(statement, owners)]
    parts, last = [], ""
    for heading, source in module.body:
        parts.append(source if heading == last else f"# -- {heading}\n{source}")
        last = heading
    return "\n\n\n".join(["\n".join([*header, *imports, handing_on(module.public)]), *parts]) + "\n"


def handing_on(names: list[str]) -> str:
    """The line `__all__`, or lines where one would be too long.

    >>> handing_on(["one", "two"])
    '__all__ = ["one", "two"]'
    """
    line = f"__all__ = {json.dumps(names)}"
    if len(line) <= LINE:
        return line
    return "\n".join(["__all__ = [", *(f'    "{name}",' for name in names), "]"])


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
    return "\n".join([lines[0], "", *lines[1:], handing_on(names), ""])


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
        refuse_undefined(modules, mend(folder, root / "pyproject.toml"))
        return {
            path.relative_to(folder): path.read_text(encoding="utf-8")
            for path in sorted(package.iterdir())
        }


def mend(folder: str, settings: Path) -> list[dict]:
    """Put the imports in order, drop those without use, and say which names nothing defines."""
    options = ["--no-cache", "--fix", "--exit-zero", "--output-format=json"]
    options.append("--select=F401,I,RUF022,F821")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", f"--config={settings}", *options, "."],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ExportError(f"{FOLDER}: ruff failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


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


def refuse_undefined(modules: list[Module], report: list[dict]) -> None:
    """Refuse exported code that uses what no exported cell defines."""
    problems = []
    for finding in report:
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
    found, there = [], present(root)
    for path in sorted({*wanted, *there}):
        if path not in wanted:
            found.append(f"{path}: no chapter exports this module: {cure}")
        elif path not in there:
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
