"""One table, as text in a terminal and as HTML in a notebook."""

import html
from collections.abc import Sequence
from typing import NamedTuple


class Link(NamedTuple):
    """A text that leads somewhere, where it can."""

    text: str
    url: str

    def __str__(self) -> str:
        return self.text


Cell = str | Link


class Table(NamedTuple):
    """Rows of texts under a head. A row that is shorter ends in a text that takes all the room."""

    head: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    align: str  # of each column: l or r; a last one may be missing, and is then not padded
    kind: str = "summary"  # what the style sheet calls it
    caption: str = ""  # stands before the head, in a terminal in its first place
    named: bool = False  # whether the first column names the rows

    def __repr__(self) -> str:
        rows = [tuple(map(str, row)) for row in (self.head, *self.rows)]
        if self.caption and not rows[0][0]:
            rows[0] = (self.caption, *rows[0][1:])
        widths = []
        for k in range(len(self.align)):  # a text that takes all the room makes no column wide
            fits = (row[k] for row in rows if k < len(row) - (len(row) < len(self.head)))
            widths.append(max(map(len, fits), default=0))

        def line(row: Sequence[str]) -> str:
            short = len(row) < len(self.head)
            padded = [
                text.rjust(width) if side == "r" else text.ljust(width)
                for text, width, side in zip(row[:-1] if short else row, widths, self.align)
            ]
            return "  ".join([*padded, *row[len(padded) :]]).rstrip()

        return "\n".join(map(line, rows))

    def _repr_html_(self) -> str:
        """The table as HTML; whatever a text holds, it is shown as it is."""
        caption = f"<caption>{html.escape(self.caption)}</caption>" if self.caption else ""
        scope = ' scope="col"' if self.named else ""
        head = "".join(f"<th{scope}>{_html(cell)}</th>" for cell in self.head)
        body = "".join(f"<tr>{self._cells(row)}</tr>" for row in self.rows)
        return (
            f'<table class="cnnbook-{self.kind}">{caption}'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _cells(self, row: Sequence[Cell]) -> str:
        missing = len(self.head) - len(row)
        cells = []
        for k, cell in enumerate(row):
            span = f' colspan="{missing + 1}"' if missing and k == len(row) - 1 else ""
            name = self.named and k == 0
            around = 'th scope="row"' if name else f"td{span}"
            cells.append(f"<{around}>{_html(cell)}</{'th' if name else 'td'}>")
        return "".join(cells)


def _html(cell: Cell) -> str:
    if isinstance(cell, Link):
        return f'<a href="{html.escape(cell.url)}">{html.escape(cell.text)}</a>'
    return html.escape(cell, quote=False)


def giga(count: int) -> str:
    """Write a count of multiply–adds as papers do, in billions or millions.

    Examples:
        >>> giga(3857973248), giga(40551040)
        ('3.86 G', '40.6 M')
    """
    return f"{count / 1e9:.2f} G" if count >= 1e8 * 5 else f"{count / 1e6:.1f} M"
