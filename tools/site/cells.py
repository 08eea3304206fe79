"""The look of cells, exercises, pitfalls and tables, from their tags and their words."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode

if TYPE_CHECKING:
    from sphinx.application import Sphinx


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
        name_rows(table)
        if "scroll" not in table.parent.get("classes", []):
            around = nodes.container(classes=["scroll"])
            table.replace_self(around)
            around += table
    for cell in list(doctree.findall(nodes.container)):
        if "cell" in cell["classes"]:
            style_cell(cell, module=docname.rpartition("/")[2].replace("-", "_"))


def name_rows(table: nodes.table) -> None:
    """Make the first column the rows' headings where its own heading is empty."""
    heads = list(table.findall(nodes.thead))
    if heads and not heads[0][0][0].astext():
        next(iter(table.findall(nodes.colspec)))["stub"] = 1


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


def keep_headings(_app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Write headings that are no sections (and so take no number) as headings, not paragraphs."""
    for rubric in list(doctree.findall(nodes.rubric)):
        level = rubric.get("heading-level") or rubric.get("level")
        if level:
            text = f"<h{level}>{html.escape(rubric.astext())}</h{level}>"
            rubric.replace_self(nodes.raw("", text, format="html"))
