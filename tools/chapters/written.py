"""Pages that a program writes by measuring, and the sum that tells when a hand has changed one.

The last line of such a page names the command that writes it, and a sum of the lines above. So the
page need not be measured again to know that its numbers are still those that were measured.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

PAGES = {
    "book/benchmarks.md": "make bench",
    "book/differences.md": "make differences",
    "book/every-network.md": "make every",
    "book/real-images.md": "make real",
}


def sealed(text: str, command: str) -> str:
    r"""The text of a page, and a last line that no page shows.

    >>> print(sealed("# Benchmarks\n", "make bench"))
    # Benchmarks
    <BLANKLINE>
    <!-- Written by `make bench`: d6caf419c8a7. -->
    <BLANKLINE>
    """
    body = text.rstrip("\n")
    total = hashlib.sha256(body.encode()).hexdigest()[:12]
    return f"{body}\n\n<!-- Written by `{command}`: {total}. -->\n"


def write(name: str, text: str, root: Path) -> None:
    """Store a page of PAGES with its seal."""
    (root / name).write_text(sealed(text, PAGES[name]), encoding="utf-8")
    print(f"Wrote {name}.")


def problems(root: Path) -> Iterator[str]:
    """Pages that are not as their program wrote them."""
    for name, command in PAGES.items():
        path = root / name
        if not path.exists():
            continue  # a page that the contents name and nobody wrote is told by them
        text = path.read_text(encoding="utf-8")
        body = re.sub(r"\n*<!-- Written by [^\n]* -->\n*\Z", "", text)
        if text != sealed(body, command):
            yield (
                f"{name}: is not what a program wrote: take it back (git checkout {name}), "
                f"or write it anew: {command}"
            )
