"""The rooms of the project, read from its code: what each is for, and what it builds on."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tools.chapters import notebooks

PACKAGES = ("cnnbook", "tools")


class Room(NamedTuple):
    """A module or a folder of modules."""

    about: str  # the first sentence of its docstring
    uses: frozenset[str]  # the rooms that it imports from


def modules(root: Path) -> dict[str, Path]:
    """The modules of the packages, by their full names."""
    files = sorted(path for name in PACKAGES for path in (root / name).rglob("*.py"))
    names = (file.relative_to(root).with_suffix("").parts for file in files)
    return {
        ".".join(name[:-1] if name[-1] == "__init__" else name): file
        for name, file in zip(names, files)
    }


def imports(root: Path) -> dict[str, set[str]]:
    """For each module the modules that it imports, within functions too; not for types alone."""
    known = modules(root)
    found = {}
    for module, file in known.items():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found[module] = {name for name in _imported(tree, known) if name != module}
    return found


def _imported(tree: ast.Module, known: Mapping[str, Path]) -> Iterator[str]:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else node.module
        waiting.extend(ast.iter_child_nodes(node))


def room_of(module: str) -> str:
    """The room of a module: `cnnbook.plots.style` is in `cnnbook.plots`."""
    return ".".join(module.split(".")[:2])


def read_rooms(root: Path) -> dict[str, Room]:
    """The rooms of the project by name, `cnnbook` and `tools` themselves left out."""
    files, uses = modules(root), {}
    for module, others in imports(root).items():
        uses.setdefault(room_of(module), set()).update(map(room_of, others))
    rooms = {
        name: Room(about(files[name]), frozenset(others - {name, *PACKAGES}))
        for name, others in uses.items()
        if name not in PACKAGES
    }
    cells = [
        notebooks.parse(cell.source)
        for path in notebooks.chapters(root)
        for cell in notebooks.code_cells(notebooks.read(path, root))
    ]
    used = {room_of(name) for tree in cells for name in _imported(tree, files)} - set(PACKAGES)
    return {"notebooks": Room("The chapters, one notebook each", frozenset(used)), **rooms}


def about(file: Path) -> str:
    """The first sentence of a module's docstring."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split()).partition(". ")[0].rstrip(".")


def circle(uses: Mapping[str, set[str] | frozenset[str]]) -> list[str]:
    """A way along imports that comes back to where it began; empty if there is none."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(uses.get(name, ())):
            if found := walk(other, [*way, name]):
                return found
        done.add(name)
        return []

    return next((found for name in uses if (found := walk(name, []))), [])


def ranked(rooms: Mapping[str, Room]) -> dict[str, int]:
    """How high each room lies: one above the highest that it builds on."""
    ranks: dict[str, int] = {}

    def rank(name: str) -> int:
        if name not in ranks:
            ranks[name] = 1 + max(map(rank, rooms[name].uses), default=-1)
        return ranks[name]

    for name in rooms:
        rank(name)
    return ranks


def needed(name: str, rooms: Mapping[str, Room]) -> list[str]:
    """The rooms that one builds on directly, without those that are reached through others."""

    def below(start: str) -> set[str]:
        return {start}.union(*(below(other) for other in rooms[start].uses))

    uses = rooms[name].uses
    through = set().union(*(below(other) - {other} for other in uses))
    return sorted(uses - through)


def floors(rooms: Mapping[str, Room]) -> list[list[str]]:
    """The rooms floor by floor, the lowest first, each near those that it is joined to."""
    ranks = ranked(rooms)
    found = [[n for n in rooms if ranks[n] == rank] for rank in range(max(ranks.values()) + 1)]
    joined = {name: set(needed(name, rooms)) for name in rooms}
    for name in rooms:
        for other in needed(name, rooms):
            joined[other].add(name)
    for _ in range(8):
        place = {name: k - len(row) / 2 for row in found for k, name in enumerate(row)}

        def near(name: str, place: Mapping[str, float] = place) -> float:
            return sum(place[other] for other in joined[name]) / max(1, len(joined[name]))

        found = [sorted(row, key=near) for row in found]
    return found
