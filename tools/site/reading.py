"""Read the package for its pages, without importing it: griffe reads the source."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import TYPE_CHECKING, Any

import griffe

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = 80  # characters of a signature that stand on one line


class Unpacking(griffe.Extension):
    """Lets griffe see the constants of ``A, B = 1, 2``, which it passes over."""

    def on_node(self, *, node: ast.AST, agent: griffe.Visitor, **_: Any) -> None:
        """Enter each name into its module."""
        if isinstance(node, ast.Assign) and agent.current.is_module:
            for name in (name for to in node.targets for name in getattr(to, "elts", [])):
                lines = {"lineno": node.lineno, "endlineno": node.end_lineno}
                agent.current.set_member(name.id, griffe.Attribute(name.id, **lines))


def load(name: str, root: Path) -> griffe.Module:
    """Read a module of the package under `root`, and what it takes from its neighbours.

    Raises:
        ImportError: there is no such module.
    """
    package = griffe.load(
        name.partition(".")[0],
        search_paths=[root],
        try_relative_path=False,
        extensions=griffe.Extensions(Unpacking()),
    )
    try:
        return package[name.partition(".")[2]] if "." in name else package
    except KeyError:
        raise ImportError(f"there is no module {name}") from None


def is_public(member: griffe.Object | griffe.Alias) -> bool:
    """Say whether readers should know a member of a module.

    Where the module has an ``__all__``, that decides. Elsewhere it is what the module defines
    itself and gives a name without an underscore: functions, classes, and of the assignments those
    with a capital (constants and types).
    """
    if member.parent.exports is not None:
        return member.name in member.parent.exports
    if member.is_alias or member.is_module or member.name.startswith("_"):
        return False
    return not member.is_attribute or member.name[0].isupper()


def public(module: griffe.Module) -> list[griffe.Object]:
    """Return the public members in the order of the source, those of neighbours included."""
    members = [m for m in module.members.values() if is_public(m)]
    members = [m[m.name] if m.is_module else m for m in members]  # a name like its module's
    members = [m.final_target if m.is_alias else m for m in members]
    files = list(dict.fromkeys(member.filepath for member in members))
    return sorted(members, key=lambda member: (files.index(member.filepath), member.lineno))


def handed_on(package: griffe.Module) -> set[str]:
    """Return the modules whose names the package hands on as its own."""
    return {member.module.path for member in public(package)} - {package.path}


def summary(module: griffe.Module) -> str:
    """Return the first line of a module's docstring."""
    return module.docstring.value.splitlines()[0] if module.docstring else ""


def signature(member: griffe.Function | griffe.Class) -> str:
    """Return how a function is called, or what a class is made from and how."""
    if member.is_function:
        name = f"{member.parent.name}.{member.name}" if member.parent.is_class else member.name
        return on_lines(member.signature(name=name))
    bases = ", ".join(map(str, member.bases))
    header = f"class {member.name}({bases})" if bases else f"class {member.name}"
    return "\n".join(filter(None, [header, on_lines(member.signature())]))


def on_lines(text: str) -> str:
    """Put every parameter of a long signature on a line of its own.

    >>> long = "a_long_name(its_argument: tuple[int, int] = (1, 2), *, ending: str = ', ') -> int"
    >>> print(on_lines(long))
    a_long_name(
        its_argument: tuple[int, int] = (1, 2),
        *,
        ending: str = ', ',
    ) -> int
    """
    if len(text) <= WIDTH:
        return text
    lines, begin, depth = [], 0, 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        start, end = token.start[1], token.end[1]
        depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}"))
        if token.string == "(" and not lines:
            lines.append(text[:end])
        elif token.string == "," and depth == 1:
            lines.append(f"    {text[begin:end].strip()}")
        elif token.string == ")" and depth == 0:
            lines += [f"    {text[begin:start].strip()},", text[start:]]
            break
        else:
            continue
        begin = end
    return "\n".join(lines)


def comment(attribute: griffe.Attribute) -> str:
    """Return what the source says of a field, in its docstring or in a comment beside it."""
    if attribute.docstring:
        return attribute.docstring.value
    tokens = tokenize.generate_tokens(io.StringIO(attribute.source + "\n").readline)
    return " ".join(t.string.lstrip("# ") for t in tokens if t.type == tokenize.COMMENT)


def definition(attribute: griffe.Attribute) -> str:
    """Return the source of a constant, with the comment above it."""
    lines = attribute.module.lines
    first = attribute.lineno - 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first : attribute.endlineno])
