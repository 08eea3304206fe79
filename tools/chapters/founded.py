"""Every number in a chapter's text stands in its outputs, its code or the facts, or has a source.

The numbers are read as a reader does: 25.6 million is 25,557,032 rounded, 84.9 % is 0.849. What
the text quotes from elsewhere stands in book/sources.yaml, each with where it comes from. Small
whole numbers, years, and the numbers of sections and exercises are not looked at.
"""

import ast
import operator
import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from nbformat import NotebookNode

from tools.chapters import notebooks

SOURCES = Path("book/sources.yaml")
FACTS = ("cnnbook/facts/*.yaml", "cnnbook/training/recipes.yaml")
SMALL = 12  # whole numbers up to here count things that one sees
SCALES = (1, 1e3, 1e6, 1e9, 0.01)  # as written; thousand, million, thousand million; per cent
PLACES = range(6)  # after the point

NUMBER = re.compile(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w])")
NAMED = r"Sections?|Figures?|Tables?|Exercises?|Chapters?|Appendix|Equations?|pages?|Part|issue"
SUM = re.compile(r"\(?\d[\d.]*\)?(?: ?[-+*/] ?\(?\d[\d.]*\)?)+")  # brackets of one level
SKIPPED = re.compile(
    r"\]\((?:[^()]|\([^)]*\))*\)|https?://\S+|`[^`]*`|<[^>]*>|#\d+"  # links, code, markup, issues
    rf"|\b(?:{NAMED}) \[?[\d.]+(?:(?:,| and| to|, and) \d[\d.]*)*"
    r"|\b(?:19[5-9]|20[0-4])\d(?:\.\d+)?\b(?! (?:×|channels|units|classes|layers|boxes|images))"
)


def numbers(text: str) -> list[str]:
    r"""The numbers of a text that want a source, as they are written.

    >>> numbers("In 2015 (Table 2) [it](page-77) had 25.6 million, of them $2{,}048$ in 7 rows.")
    ['25.6', '2,048']
    """
    text = SKIPPED.sub(" ", text.replace("{,}", ",").replace(r"\,", ""))
    found = (match[0] for match in NUMBER.finditer(text))
    return [number for number in found if "." in number or value(number) > SMALL]


def value(number: str) -> float:
    """What a written number means."""
    return float(number.replace(",", ""))


def sums(text: str) -> str:
    r"""The values of the sums and products that a text writes out.

    >>> sums(r"Of $28 \cdot 28$ pixels $96 \cdot (16 + 1) = 1{,}632$ are read.")
    '784 1632'
    """
    text = re.sub(r"\\cdot|·|×", "*", text.replace("{,}", "").replace("\\,", "").replace("−", "-"))
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    found = (calculated(match[0]) for match in SUM.finditer(text))
    return " ".join(f"{number:.10g}" for number in found if number is not None)


def calculated(term: str) -> float | None:
    """The value of a sum of numbers; None where it is cut in the middle."""
    signs = {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
    }

    def of(node: ast.expr) -> float:
        if isinstance(node, ast.BinOp):
            return signs[type(node.op)](of(node.left), of(node.right))
        return node.value

    try:
        return of(ast.parse(term.strip(), mode="eval").body)
    except (SyntaxError, ZeroDivisionError, AttributeError, KeyError):
        return None


def roundings(text: str) -> set[tuple[int, float]]:
    """All numbers of a text, in each scale, rounded to so many places after the point."""
    plain = {value(match[0]) for match in NUMBER.finditer(text)}
    return {(p, round(n / scale, p)) for n in plain for scale in SCALES for p in PLACES}


def shown(notebook: NotebookNode) -> str:
    """What a chapter computes with, prints and draws, as one text."""
    parts = []
    for cell in notebooks.code_cells(notebook):
        parts.append(cell.source)
        for output in cell.outputs:
            parts.append(output.get("text", ""))
            data = output.get("data", {})
            parts.extend(str(data[kind]) for kind in data if not kind.startswith("image/"))
            parts.append(str(output.get("metadata", "")))
    return "\n".join(parts)


def problems(root: Path) -> Iterator[str]:
    """Numbers of chapters that come from nowhere, and numbers listed that no chapter has."""
    listed_in = root / SOURCES
    sources = yaml.safe_load(listed_in.read_text(encoding="utf-8")) if listed_in.exists() else {}
    facts = "\n".join(
        path.read_text(encoding="utf-8") for place in FACTS for path in sorted(root.glob(place))
    )
    known = roundings(facts)
    for path in notebooks.chapters(root):
        notebook = notebooks.read(path, root)
        here = known | roundings(shown(notebook))
        listed = {str(n) for entry in sources.pop(str(path), []) for n in entry["numbers"]}
        met = set()
        for cell in notebook.cells:
            if cell.cell_type != "markdown":
                continue
            added = roundings(sums(cell.source))
            for number in numbers(cell.source):
                met.add(number)
                places = len(number.partition(".")[2])
                if number not in listed and (places, value(number)) not in here | added:
                    yield (
                        f"{notebooks.place(path, notebook, cell)}: {number} stands in no output, "
                        f"no code and no facts: compute it, or give its source in {SOURCES}"
                    )
        for number in sorted(listed - met):
            yield f"{SOURCES}: {path} has no {number}: take it out"
    for path in sources:
        yield f"{SOURCES}: there is no {path}"
