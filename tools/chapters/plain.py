"""The rules of plain Markdown: what GitHub, Colab and the site all show as it is meant.

A chapter is CommonMark with tables, `$…$` mathematics and a few HTML tags. Whatever one of the
three readers would show raw is refused, with what to write instead.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(dollarmath_plugin)
PARSER.disable("text_join")  # keeps an escaped \$ apart from a bare one

INLINE_TAGS = {"b", "br", "code", "em", "i", "kbd", "strong", "sub", "sup"}
BLOCK_TAGS = {"details", "li", "ol", "p", "summary", "ul"}
TABLE_TAGS = {"caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
HTML_TAGS = INLINE_TAGS | BLOCK_TAGS | TABLE_TAGS
HTML_ATTRIBUTES = {"align", "colspan", "open", "rowspan", "scope"}

# Known to MathJax and to KaTeX within $$ and $$; and what to write instead of others.
ENVIRONMENTS = {"aligned", "alignedat", "array", "cases", "gathered", "split"}
ENVIRONMENTS |= {"matrix", "smallmatrix", "bmatrix", "Bmatrix", "pmatrix", "vmatrix"}
INSTEAD = {"gather": "gathered", "multline": "gathered"}

# Patterns in running text, where code, an escaped character and an escaped parenthesis stand as
# these, and what to write instead.
CODE, ESCAPED, PARENTHESIS = "\x01", "\x02", "\x03"
RAW = {
    r"^:::": "a colon fence (:::): write a quotation that begins with > **Pitfall.**, or prose",
    r"\{[a-z][\w:+-]*\}" + CODE: "a role ({name}`…`): write a link or plain text",
    r"\$": "a $ outside a formula: put $$ on lines of its own; write \\$ for money, \\vert for |",
    r"\\begin\{": "LaTeX outside mathematics: put it between $$ and $$",
    PARENTHESIS: "mathematics in \\( and \\): write it in $ and $",
    r"\{\{.*\}\}": "a substitution ({{ … }}): write what it stands for",
    r"\[\^[^\]]+\]": "a footnote ([^1]): say it in the text",
    r"\[@[\w-]+": "a citation by key ([@…]): link the paper, [He et al., 2015](https://arxiv.org/…)",
    r"^\(\S+\)=$": "a label ((name)=): link to the chapter by its path",
    r"^\+\+\+|^%\s": "a MyST comment or break: leave it out",
    r"^\[[ xX]\] ": "a task list: write a plain list",
    r"\{[.#][\w-]+\}": "attributes ({.class}): leave them out",
    r"^:\s": "a definition list: write a plain list or a table",
}


def problems(source: str) -> Iterator[str]:
    """What in a Markdown cell would show raw in one of the three readers.

    >>> list(problems("A *stride* of $2$: see [He et al., 2015](https://arxiv.org/abs/1512.03385)."))
    []
    >>> list(problems("See {term}`stride`."))
    ['a role ({name}`…`): write a link or plain text']
    """
    definitions: dict = {}
    for token in walk(PARSER.parse(source, definitions)):
        if rule := RULES.get(token.type):
            yield from rule(token)
    if any(label.startswith("^") for label in definitions.get("references", ())):
        yield RAW[r"\[\^[^\]]+\]"]


def walk(tokens: list[Token]) -> Iterator[Token]:
    """All tokens, those within lines too."""
    for token in tokens:
        yield token
        yield from walk(token.children or [])


def fence(token: Token) -> Iterator[str]:
    """Code is code; a directive is not."""
    if token.info.strip().startswith("{"):
        yield f"a directive (```{token.info.strip()}): write plain Markdown"


def html(token: Token) -> Iterator[str]:
    """A few tags, without styling."""
    for tag, attributes in Tags(token.content).found:
        if tag not in HTML_TAGS:
            yield f"the HTML tag <{tag}>: write Markdown, or one of {', '.join(sorted(HTML_TAGS))}"
        for attribute in sorted(attributes - HTML_ATTRIBUTES):
            yield f"the HTML attribute {attribute} of <{tag}>: leave it out"


class Tags(HTMLParser):
    """The tags that a piece of HTML opens, with their attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, set[str]]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.found.append((tag, {name for name, _ in attrs}))


def image(token: Token) -> Iterator[str]:
    """A chapter opened alone has no files beside it, and asks no host for pictures."""
    yield f"the picture {token.attrs['src']}: draw it in a code cell"


def link(token: Token) -> Iterator[str]:
    """Links lead to pages of the web or to files of the book, not to places within them."""
    url = urlsplit(str(token.attrs["href"]))
    if url.scheme not in ("", "https", "http"):
        yield f"the link {url.geturl()}: use https, or a path relative to this chapter"
    elif not url.netloc and url.fragment:
        yield f"the link {url.geturl()}: leave out #{url.fragment}, Colab does not follow it"
    elif not url.netloc and url.path.startswith("/"):
        yield f"the link {url.geturl()}: write the path relative to this chapter"


def mathematics(token: Token) -> Iterator[str]:
    """What MathJax and KaTeX both know, within one formula."""
    for name in re.findall(r"\\begin\{(\w+\*?)\}", token.content):
        if name not in ENVIRONMENTS:
            instead = INSTEAD.get(name.rstrip("*"), "aligned")
            yield f"the environment {name}: write \\begin{{{instead}}} between $$ and $$"
    if found := re.search(r"\\(label|ref|eqref|tag|newcommand|def|require)\b", token.content):
        yield f"{found[0]} in mathematics: write it out, not every reader knows it"
    if token.type == "math_block_label":
        yield "a label behind $$: leave it out"


def line(token: Token) -> Iterator[str]:
    """Running text."""
    shown = {"softbreak": "\n", "code_inline": CODE, "math_inline": " "}
    text = ""
    for child in token.children or []:
        if child.type == "text_special" and not child.content.startswith("\\"):
            text += PARENTHESIS if child.content == "(" else ESCAPED
        else:
            text += shown.get(child.type, child.content)
    yield from (what for raw, what in RAW.items() if re.search(raw, text, re.MULTILINE))


RULES = {
    "fence": fence,
    "html_block": html,
    "html_inline": html,
    "image": image,
    "inline": line,
    "link_open": link,
    "math_block": mathematics,
    "math_block_label": mathematics,
    "math_inline": mathematics,
}


def local_links(source: str) -> Iterator[str]:
    """The paths of the files to which a Markdown text links, as they stand there."""
    for token in walk(PARSER.parse(source)):
        if token.type == "link_open":
            url = urlsplit(str(token.attrs["href"]))
            if not url.scheme and not url.netloc and url.path:
                yield unquote(url.path)


def headings(source: str) -> list[tuple[int, str]]:
    """The headings of a Markdown text: level and words."""
    tokens = PARSER.parse(source)
    return [
        (int(token.tag[1]), following.content)
        for token, following in pairwise(tokens)
        if token.type == "heading_open"
    ]


def broken_links(source: str, chapter: Path) -> Iterator[str]:
    """The links to files that are not there."""
    for target in local_links(source):
        if not (chapter.parent / target).is_file():
            yield f"the link {target} leads nowhere: write the path relative to this chapter"
