"""What the site adds to plain Markdown when it is built.

Chapters are plain Markdown, so that GitHub, Colab and Jupyter show them as the site does. Whatever
needs more is added here: links to the glossary, the look of pitfalls and exercises, alternative
texts of figures, mathematics rendered at build time, the table of contents, and the check that
every linked paper is in ``cnnbook/references.bib``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.builders.html import StandaloneHTMLBuilder

from tools.site import cells, citations, contents, figures, glossary, mathematics

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

TEMPLATES = "book/_templates"


class BookBuilder(StandaloneHTMLBuilder):
    """The HTML builder, with the book's first page at ``index.html``."""

    def _page(self, docname: str) -> str:
        return "index" if docname == self.config.root_doc else docname

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        """Return the address of a page, relative to the site."""
        return super().get_target_uri(self._page(docname), typ)

    def get_outfilename(self, pagename: str) -> str:
        """Return the file that a page is written to."""
        return super().get_outfilename(self._page(pagename))

    def index_page(self, pagename: str, doctree: nodes.document, title: str) -> None:
        """Let the search find a page; all but the first, which says nothing that others do not."""
        if pagename != self.config.root_doc:
            super().index_page(pagename, doctree, title)


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the extension to Sphinx."""
    app.add_builder(BookBuilder, override=True)
    app.add_html_theme("cnnbook", str(Path(app.srcdir, TEMPLATES)))
    app.add_html_math_renderer(
        "katex", (mathematics.visit_math, None), (mathematics.visit_displaymath, None)
    )
    app.add_directive_to_domain("std", "glossary", glossary.Glossary, override=True)
    app.add_config_value("cnnbook_home", "", "env")
    app.add_node(HideCodeCellNode, override=True, html=(cells.visit_fold, cells.depart_fold))
    figures.keep_alternative_texts()
    app.connect("config-inited", contents.choose_repository)
    app.connect("env-purge-doc", citations.forget)
    app.connect("env-purge-doc", glossary.forget)
    app.connect("source-read", contents.rewrite_repository)
    app.connect("doctree-read", citations.note_papers)
    app.connect("doctree-resolved", cells.keep_headings)
    app.connect("doctree-resolved", cells.style)
    app.connect("doctree-resolved", glossary.link_terms)
    app.connect("doctree-resolved", citations.list_citing_pages)
    app.connect("html-page-context", contents.complete_page)
    code = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    version = hashlib.sha256(code).hexdigest()
    return {"version": "1", "env_version": int(version[:8], 16)}
