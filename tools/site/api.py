"""The pages on the package, written from its docstrings when the site is built.

A page names a module, and the rest stands in the module:

    ```{api} cnnbook.arithmetic
    ```

Nothing is imported: griffe reads the source. Descriptions are Markdown, as everywhere in the book;
the sections of a docstring (Args, Returns, Raises, Examples) are in Google's style.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

import griffe
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)

READING = {"returns_multiple_items": False, "warnings": False}
WIDTH = 80  # characters of a signature that stand on one line


# -- reading ------------------------------------------------------------------------------------


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


# -- writing ------------------------------------------------------------------------------------


class Api(SphinxDirective):
    """The ``{api}`` directive: a module, and every public name of it.

    With the flag ``modules``, a section for every module of a package instead.
    """

    required_arguments = 1
    option_spec: ClassVar = {"modules": directives.flag}

    def run(self) -> list[nodes.Node]:
        """Read the module and write it."""
        try:
            module = load(self.arguments[0], Path(self.env.app.srcdir))
        except ImportError as error:
            logger.warning("%s; mend its name", error, location=self.get_location())
            return []
        self.note(module)
        if "modules" not in self.options:
            return self.module(module)
        parts = [m for m in module.modules.values() if not m.name.startswith("_")]
        self.names: dict[str, str] = {}  # of the module that is being written, with their anchors
        found = self.text(module)
        for part in parts:
            self.note(part)
            found.append(self.section(part.path, part.path, part, self.module(part)))
        return found

    def note(self, module: griffe.Module) -> None:
        """Let Sphinx write this page again when the source of the module changes."""
        for source in {module.filepath, *(member.filepath for member in public(module))}:
            self.env.note_dependency(str(source))

    def module(self, module: griffe.Module) -> list[nodes.Node]:
        """Return a module's text, its constants, and a section for each other name."""
        members = public(module)
        self.names = {member.name: f"{module.path}.{member.name}" for member in members}
        found = self.text(module)
        if constants := [member for member in members if member.is_attribute]:
            block = code("\n".join(dict.fromkeys(map(definition, constants))))
            block["ids"] = [self.names[constant.name] for constant in constants]
            found.append(block)
        for member in members:
            if not member.is_attribute:
                found.append(self.member(member, self.names[member.name], member.name))
        return found

    def member(self, member: griffe.Object, anchor: str, name: str) -> nodes.section:
        """Return the section on a function, a class, a method or a property."""
        if member.is_attribute:
            body = [code(f"{name}: {member.annotation}")]
        else:
            body = [code(signature(member))]
        body += self.text(member)
        if member.is_class:
            body += self.members_of(member, anchor)
        return self.section(anchor, name, member, body)

    def members_of(self, owner: griffe.Class, anchor: str) -> Iterator[nodes.Node]:
        """Yield the list of a class's fields, then the sections on its methods and properties."""
        fields, methods = [], []
        for member in owner.members.values():
            if member.name.startswith("_") or member.name == "forward":
                continue  # what forward does, the class says
            if member.is_function or "property" in member.labels:
                methods.append(member)
            elif member.annotation is not None:  # what __init__ sets is not declared
                fields.append(member)
        if fields:
            yield label("Fields")
            yield self.listed((f.name, str(f.annotation), comment(f)) for f in fields)
        for method in methods:
            yield self.member(method, f"{anchor}.{method.name}", f"{owner.name}.{method.name}")

    def section(
        self, anchor: str, name: str, member: griffe.Object, body: Iterable[nodes.Node]
    ) -> nodes.section:
        """Return a section under a heading, with a link to the source beside it."""
        options = self.config.html_theme_options
        path = PurePosixPath(member.filepath.relative_to(self.env.app.srcdir))
        address = f"{options['repository_url']}/blob/{options['repository_branch']}/{path}"
        line = "" if member.is_module else f"#L{member.lineno}"
        source = nodes.reference("", "source", refuri=address + line, internal=False)
        section = nodes.section(ids=[anchor], classes=["api"])
        section += nodes.title("", "", nodes.literal("", name))
        section += nodes.paragraph("", "", source, classes=["source"])
        section += body
        return section

    def text(self, member: griffe.Object) -> list[nodes.Node]:
        """Return a docstring, section by section; a name without one is a warning."""
        where = f"{member.filepath}:{member.lineno or 1}"
        if not member.docstring:
            message = "%s has no docstring; say in its first line what it does"
            logger.warning(message, member.path, location=where)
            return []
        found: list[nodes.Node] = []
        for part in member.docstring.parse("google", **READING):
            match part.kind.value:
                case "text":
                    found += self.markdown(part.value)
                case "parameters" | "attributes" | "raises" | "warns" as kind:
                    found.append(label({"parameters": "Arguments"}.get(kind, kind.capitalize())))
                    rows = [
                        (getattr(row, "name", None) or str(row.annotation), "", row.description)
                        for row in part.value
                    ]
                    found.append(self.listed(rows))
                    if kind == "parameters":
                        self.compare(member, [row[0] for row in rows], where)
                case "returns" | "yields" as kind:
                    value = part.value[0]  # its name is a first word with a colon
                    text = f"{value.name}: {value.description}".removeprefix(": ")
                    found += [label(kind.capitalize()), *self.markdown(text)]
                case "examples":
                    found.append(label("Examples"))
                    for kind, text in part.value:
                        is_text = kind.value == "text"
                        found += self.markdown(text) if is_text else [code(text, "pycon")]
                case "admonition":  # any other title, such as Source
                    found += [label(part.title), *self.markdown(part.value.description)]
                case other:
                    message = "%s: the pages cannot show the docstring's section %s; use another"
                    logger.warning(message, member.path, other, location=where)
        return found

    def compare(self, member: griffe.Object, described: list[str], where: str) -> None:
        """Warn of an argument that is described and not there."""
        function = member.members.get("__init__", member) if member.is_class else member
        for name in described:
            if name.lstrip("*") not in function.parameters:
                message = "the docstring of %s describes %s, which is no argument of it"
                logger.warning(message, member.path, name, location=where)

    def markdown(self, text: str) -> list[nodes.Node]:
        """Return the nodes of a text; names of the module and chapters are links."""
        text = re.sub(r"\bnotebooks/\S+\.ipynb\b", r"[](/\g<0>)", text)
        parsed = nodes.Element()
        self.state.nested_parse(text.splitlines(), 0, parsed)
        for literal in list(parsed.findall(nodes.literal)):
            if literal.astext() in self.names:
                link = nodes.reference(refid=self.names[literal.astext()], internal=True)
                literal.replace_self(link)
                link += literal
        return parsed.children

    def listed(self, rows: Iterable[tuple[str, str, str]]) -> nodes.definition_list:
        """Return a list of names, their types where they are not said above, and what they mean."""
        found = nodes.definition_list(classes=["arguments"])
        for name, kind, text in rows:
            meaning = self.markdown(text)
            if kind:
                first = nodes.paragraph("", "", nodes.literal("", kind, classes=["type"]))
                if meaning:
                    first += [nodes.Text(" "), *meaning[0].children]
                meaning = [first, *meaning[1:]]
            term = nodes.term("", "", nodes.literal("", name))
            found += nodes.definition_list_item("", term, nodes.definition("", *meaning))
        return found


def code(text: str, language: str = "python") -> nodes.literal_block:
    """Return highlighted code; it is to be read, so it has no button that copies it."""
    return nodes.literal_block(text, text, language=language, classes=["output"])


def label(text: str) -> nodes.rubric:
    """Return the heading of a docstring's section."""
    return nodes.rubric("", text)


class ApiModules(SphinxDirective):
    """The ``{api-modules}`` directive: a table of the package's modules, each with its page.

    The page of ``cnnbook.data`` is ``data`` in the folder named like the page with the table.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the table."""
        package = load(self.arguments[0], Path(self.env.app.srcdir))
        shown = [package] + [
            module
            for module in sorted(package.modules.values(), key=lambda module: module.name)
            if not module.name.startswith("_") and module.path not in handed_on(package)
        ]
        folder = PurePosixPath(self.env.docname).name
        rows = ["| Module | What it holds |", "|:--|:--|"]
        for module in shown:
            self.env.note_dependency(str(module.filepath))
            page = f"{folder}/{module.name}.md"
            if (Path(self.env.doc2path(self.env.docname)).parent / page).exists():
                rows.append(f"| [`{module.path}`]({page}) | {summary(module)} |")
            else:
                message = "%s has no page: write %s beside this one, and add it to _toc.yml"
                logger.warning(message, module.path, page, location=self.get_location())
        table = nodes.Element()
        self.state.nested_parse(rows, 0, table)
        return table.children


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the extension to Sphinx."""
    app.add_directive("api", Api)
    app.add_directive("api-modules", ApiModules)
    return {"version": "1"}
