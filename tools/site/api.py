"""The pages on the package, written from its docstrings when the site is built.

A page names a module, and the rest stands in the module:

    ```{api} cnnbook.arithmetic
    ```

Descriptions are Markdown, as everywhere in the book;
the sections of a docstring (Args, Returns, Raises, Examples) are in Google's style.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from tools.site import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import griffe
    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)

READING = {"returns_multiple_items": False, "warnings": False}


class Api(SphinxDirective):
    """The ``{api}`` directive: a module, and every public name of it.

    With the flag ``modules``, a section for every module of a package instead.
    """

    required_arguments = 1
    option_spec: ClassVar = {"modules": directives.flag}

    def run(self) -> list[nodes.Node]:
        """Read the module and write it."""
        try:
            module = reading.load(self.arguments[0], Path(self.env.app.srcdir))
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
        for source in {module.filepath, *(member.filepath for member in reading.public(module))}:
            self.env.note_dependency(str(source))

    def module(self, module: griffe.Module) -> list[nodes.Node]:
        """Return a module's text, its constants, and a section for each other name."""
        members = reading.public(module)
        self.names = {member.name: f"{module.path}.{member.name}" for member in members}
        found = self.text(module)
        if constants := [member for member in members if member.is_attribute]:
            block = code("\n".join(dict.fromkeys(map(reading.definition, constants))))
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
            body = [code(reading.signature(member))]
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
            yield self.listed((f.name, str(f.annotation), reading.comment(f)) for f in fields)
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
        package = reading.load(self.arguments[0], Path(self.env.app.srcdir))
        shown = [package] + [
            module
            for module in sorted(package.modules.values(), key=lambda module: module.name)
            if not module.name.startswith("_") and module.path not in reading.handed_on(package)
        ]
        folder = PurePosixPath(self.env.docname).name
        rows = ["| Module | What it holds |", "|:--|:--|"]
        for module in shown:
            self.env.note_dependency(str(module.filepath))
            page = f"{folder}/{module.name}.md"
            if (Path(self.env.doc2path(self.env.docname)).parent / page).exists():
                rows.append(f"| [`{module.path}`]({page}) | {reading.summary(module)} |")
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
