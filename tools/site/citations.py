"""Papers: each link to one is in the references, and each reference says where it is used."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes
from sphinx.util import logging

from cnnbook import papers

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)


def paper_key(address: str) -> str:
    """Return what identifies a paper in its address.

    >>> paper_key("https://arxiv.org/pdf/1512.03385v1.pdf")
    '1512.03385'
    >>> paper_key("https://doi.org/10.1162/neco.1989.1.4.541")
    '10.1162/neco.1989.1.4.541'
    """
    if match := re.search(r"arxiv\.org/(?:abs|pdf)/(.+?)(?:v\d+)?(?:\.pdf)?$", address):
        return match[1]
    return re.sub(r"^https?://(?:(?:dx\.)?doi\.org/)?", "", address).rstrip("/").lower()


class Paper(NamedTuple):
    """One entry of the references."""

    key: str
    title: str


@lru_cache(maxsize=4)
def bibliography(text: str) -> dict[str, Paper]:
    """Return the entries of a BibTeX file by what identifies them in a link."""
    found = {}
    for key, fields in papers.bibliography(text).items():
        for field in ("eprint", "doi", "url"):
            if field in fields:
                found[paper_key(fields[field])] = Paper(key, fields["title"])
    return found


def references(app: Sphinx) -> dict[str, Paper]:
    """Return the book's references by what identifies them in a link."""
    found = {}
    for name in app.config.bibtex_bibfiles:
        found |= bibliography(Path(app.srcdir, name).read_text(encoding="utf-8"))
    return found


def cited(env: BuildEnvironment) -> dict[str, set[str]]:
    """Return the keys of the papers that a page links to, by page."""
    if not hasattr(env, "cnnbook_cited"):
        env.cnnbook_cited = {}
    return env.cnnbook_cited


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget what a page said before it is read again."""
    cited(env).pop(docname, None)


def note_papers(app: Sphinx, doctree: nodes.document) -> None:
    """Remember which papers a page links to; a paper that the references lack is a warning."""
    known, docname = references(app), app.env.docname
    for link in doctree.findall(nodes.reference):
        address = link.get("refuri", "")
        is_paper = re.search(r"//(arxiv\.org|(dx\.)?doi\.org)/", address)
        named = address.startswith("http") and re.search(r", (19|20)\d\d[a-z]?$", link.astext())
        if not (is_paper or named):
            continue
        if paper := known.get(paper_key(address)):
            link["reftitle"] = paper.title
            cited(app.env).setdefault(docname, set()).add(paper.key)
        else:
            message = "no entry of %s has this eprint, doi or url, add one: %s"
            where = ", ".join(app.config.bibtex_bibfiles)
            logger.warning(message, where, address, location=link)


def list_citing_pages(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write each reference as a paragraph, and below it which pages of the book use it."""
    domain = app.env.get_domain("cite")
    keys = {citation.citation_id: citation.key for citation in domain.citations}
    for citation in list(doctree.findall(nodes.citation)):
        key = next((keys[id_] for id_ in citation["ids"] if id_ in keys), None)
        pages = {page for page, linked in cited(app.env).items() if key in linked}
        for reference in domain.citation_refs:
            if key in {target.key for target in reference.targets}:
                pages.add(reference.docname)
        links = []
        for page in sorted(pages - {docname}):
            address = app.builder.get_relative_uri(docname, page)
            title = app.env.titles[page].astext()
            links += [nodes.Text(", " if links else "In: ")]
            links += [nodes.reference("", title, internal=True, refuri=address)]
        paper = nodes.container(ids=citation["ids"], classes=["citation"])
        paper += citation[1:]  # without its label
        if links:
            paper += nodes.paragraph("", "", *links, classes=["cited-in"])
        citation.replace_self(paper)
