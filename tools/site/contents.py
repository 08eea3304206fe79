"""What the frame of a page needs: its place in the book, its links, its scripts."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from docutils import nodes

from tools.site import figures

if TYPE_CHECKING:
    from sphinx.application import Sphinx

STATIC = "book/_static"

# The corner above the names of the rows: to who listens to a page, no heading is better than one
# without words.
EMPTY_HEADING = re.compile(r"<th\b[^>]*>\s*(?:<p>\s*</p>)?\s*</th>")

# An ES module is put into the pages that hold its marker, not linked: a browser refuses to load
# modules over file://, and a page must work from a disk.
MODULES = {"tag_stepper": "stepper.js"}


def choose_repository(app: Sphinx, config: Any) -> None:
    """Let a fork publish under its own address, which ``CNNBOOK_URL`` gives."""
    options = config.html_theme_options
    config.cnnbook_home = options["repository_url"]
    options["repository_url"] = os.environ.get("CNNBOOK_URL") or options["repository_url"]


def rewrite_repository(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let the text of a fork's pages name the fork."""
    home = app.config.html_theme_options["repository_url"]
    source[0] = source[0].replace(app.config.cnnbook_home, home)


class Entry(NamedTuple):
    """One line of the table of contents."""

    docname: str
    number: str
    title: str
    children: list[Entry]


class Part(NamedTuple):
    """One part of the book."""

    caption: str | None
    entries: list[Entry]


def contents(app: Sphinx) -> list[Part]:
    """Return the table of contents, as ``_toc.yml`` gives it."""
    site = app.config.external_site_map

    def name(item: str) -> str:
        return re.sub(r"\.(md|ipynb)$", "", str(item))

    def entry(item: str) -> Entry:
        children = [entry(child) for tree in site[item].subtrees for child in tree.items]
        number = app.env.toc_secnumbers.get(name(item), {}).get("") or ()
        title = app.env.titles[name(item)].astext()
        return Entry(name(item), ".".join(map(str, number)), title, children)

    return [Part(t.caption, [entry(item) for item in t.items]) for t in site.root.subtrees]


def place(parts: list[Part], docname: str) -> tuple[str, Entry | None]:
    """Return the caption of a page's part, and the page that opens the part."""
    for part in parts:
        for entry in part.entries:
            if entry.docname == docname:
                return part.caption or "", None
            if docname in [child.docname for child in entry.children]:
                return part.caption or "", entry
    return "", None


def complete_page(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Give the templates what they need."""
    body = context.get("body", "")
    if body:
        body = EMPTY_HEADING.sub("<td></td>", body)
        context["body"] = figures.size_images(body, app.builder)
    context["parts"] = contents(app)
    context["part"], context["opener"] = place(context["parts"], pagename)
    context["is_front"] = pagename == app.config.root_doc
    context["modules"] = [
        Path(app.srcdir, STATIC, file).read_text(encoding="utf-8")
        for marker, file in MODULES.items()
        if marker in body
    ]
    if doctree is not None:
        paragraph = next(iter(doctree.findall(nodes.paragraph)), None)
        context["description"] = " ".join(paragraph.astext().split())[:200] if paragraph else ""
    url, branch = context["theme_repository_url"], context["theme_repository_branch"]
    github = re.match(r"https://github\.com/([^/]+/[^/]+?)/?$", url)
    if github and context.get("page_source_suffix") == ".ipynb":
        colab = context["theme_launch_buttons"]["colab_url"]
        context["colab"] = f"{colab}/github/{github[1]}/blob/{branch}/{pagename}.ipynb"
    if github:
        title = quote(f"{pagename}: ")
        context["issue"] = f"{url}/issues/new?title={title}"
