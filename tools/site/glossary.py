"""The glossary: its page, and a link to each term where a page first uses it."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


class Term(NamedTuple):
    """One entry of the glossary."""

    docname: str
    anchor: str
    definition: str


class Glossary(SphinxDirective):
    """The ``{glossary}`` directive around a Markdown definition list.

    Jupyter Book 2 reads the same form. An entry may have several names, separated by commas.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Register every name of every entry."""
        parsed = nodes.container(classes=["glossary"])
        self.state.nested_parse(self.content, self.content_offset, parsed)
        domain = self.env.get_domain("std")
        for item in parsed.findall(nodes.definition_list_item):
            term, definition = item[0], item[-1]
            names = [name.strip() for name in term.astext().split(",")]
            anchor = nodes.make_id(f"term-{names[0]}".replace("–", "-"))
            term["ids"].append(anchor)
            term.clear()
            term += nodes.Text(names[0])
            if names[1:]:
                term += nodes.inline("", f"also {', '.join(names[1:])}", classes=["also"])
            text = " ".join(definition[0].astext().split())
            for name in names:
                domain._note_term(name, anchor, location=term)
                terms(self.env)[name] = Term(self.env.docname, anchor, text)
        return [parsed]


def terms(env: BuildEnvironment) -> dict[str, Term]:
    """Return the terms of the glossary by name."""
    if not hasattr(env, "cnnbook_terms"):
        env.cnnbook_terms = {}
    return env.cnnbook_terms


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget the terms of a page before it is read again."""
    for name in [name for name, term in terms(env).items() if term.docname == docname]:
        del terms(env)[name]


def term_pattern(names: list[str]) -> re.Pattern:
    """Return the pattern that finds a term, or its plural, in running text.

    A lower-case term is also found at the beginning of a sentence.

    >>> pattern = term_pattern(["stride", "feature map", "ReLU"])
    >>> [m[0] for m in pattern.finditer("Strides of a feature map, astride a relu.")]
    ['Strides', 'feature map']
    """

    def one(name: str) -> str:
        words = re.escape(name).replace(r"\ ", r"\s+")
        return f"(?i:{words[0]}){words[1:]}" if name.islower() else words

    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])({'|'.join(map(one, longest_first))})(?:e?s)?(?!\w)")


NO_TERMS_IN = (
    nodes.title,
    nodes.reference,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.thead,
    nodes.term,
    nodes.citation,
    nodes.comment,
)


def link_terms(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Link every term of the glossary at its first use on the page."""
    known = terms(app.env)
    if not known or docname in {app.config.root_doc, *(term.docname for term in known.values())}:
        return
    pattern = term_pattern(list(known))
    by_name = {name.lower(): term for name, term in known.items()}
    linked: set[str] = set()

    def find(text: str) -> list[nodes.Node]:
        found, end = [], 0
        for match in pattern.finditer(text):
            term = by_name[" ".join(match[1].lower().split())]
            if term.anchor in linked:
                continue
            linked.add(term.anchor)
            address = app.builder.get_relative_uri(docname, term.docname)
            link = nodes.reference("", match[0], internal=True, refuri=f"{address}#{term.anchor}")
            link["classes"].append("term")
            link["reftitle"] = term.definition
            found += [nodes.Text(text[end : match.start()]), link]
            end = match.end()
        return [*found, nodes.Text(text[end:])] if found else []

    for parent, run in list(runs_of_text(doctree)):
        if any(isinstance(node, NO_TERMS_IN) for node in [parent, *ancestors(parent)]):
            continue
        if replacement := find("".join(run)):
            start = position(run[0])
            parent[start : start + len(run)] = replacement


def runs_of_text(doctree: nodes.document) -> Iterator[tuple[nodes.Element, list[nodes.Text]]]:
    """Yield the texts that follow each other; Markdown makes one of every line of source."""
    for text in doctree.findall(nodes.Text):
        siblings, start = text.parent.children, position(text)
        if start == 0 or not isinstance(siblings[start - 1], nodes.Text):
            run = itertools.takewhile(lambda node: isinstance(node, nodes.Text), siblings[start:])
            yield text.parent, list(run)


def position(node: nodes.Node) -> int:
    """Return the index of a node in its parent, where equal texts may stand beside it."""
    return next(i for i, sibling in enumerate(node.parent.children) if sibling is node)


def ancestors(node: nodes.Node) -> list[nodes.Node]:
    """Return the nodes around a node, innermost first."""
    found = []
    while node.parent is not None:
        node = node.parent
        found.append(node)
    return found
