"""What each paper states, with its source.

The numbers live in `papers.yaml`, the works that they come from in `references.bib`, and nowhere
else.
"""

import difflib
import functools
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, NamedTuple


class Source(NamedTuple):
    """A work that the book takes facts from."""

    authors: tuple[str, ...]  # family names
    title: str
    year: int
    url: str

    @property
    def short(self) -> str:
        """The work as the text names it: `He et al., 2015`."""
        names = self.authors[0] if len(self.authors) > 2 else " and ".join(self.authors)
        return f"{names}{' et al.' * (len(self.authors) > 2)}, {self.year}"


class Paper(NamedTuple):
    """A network as its paper states it, and as it counts out when it is built."""

    name: str  # as the paper writes it
    source: Source
    depth: int  # layers with weights, as the paper counts them
    input_size: tuple[int, int, int]  # (C, H, W)
    parameters: int  # exactly, when built as the paper says
    multiply_adds: int
    receptive_field: int  # pixels, of the last feature map
    stated: Mapping[str, str]  # the same quantities in the paper's own words
    errors: Mapping[str, str]  # what the paper measured, and how
    idea: str  # what it changed, in one sentence


@functools.cache
def _read(file: str) -> str:
    return resources.files("cnnbook").joinpath(file).read_text("utf-8")


@functools.cache
def _networks() -> dict[str, dict[str, Any]]:
    import yaml

    return yaml.safe_load(_read("papers.yaml"))


def source(key: str) -> Source:
    """Look up a work by its key in `references.bib`.

    Raises:
        ValueError: there is no such work.

    Examples:
        >>> source("he2015").short
        'He et al., 2015'
    """
    entries = dict(re.findall(r"^@\w+\{([^,]+),\n(.*?)^\}", _read("references.bib"), re.M | re.S))
    entry = _look_up(entries, key, "references.bib")
    fields = dict(re.findall(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", entry, re.M))
    addresses = {"url": "", "eprint": "https://arxiv.org/abs/", "doi": "https://doi.org/"}
    address = next(ahead + fields[key] for key, ahead in addresses.items() if key in fields)
    return Source(
        tuple(name.split(",")[0] for name in fields["author"].split(" and ")),
        re.sub(r"[{}]", "", fields["title"]),  # braces only keep capitals
        int(fields["year"]),
        address,
    )


def paper(name: str) -> Paper:
    """Look up a network by the name of its constructor.

    Raises:
        ValueError: there is no such network.

    Examples:
        >>> paper("resnet50").parameters, paper("resnet50").stated["multiply_adds"]
        (25557032, '3.8 G')
    """
    entry = dict(_look_up(_networks(), name, "papers.yaml"))
    entry["source"] = source(entry["source"])
    entry["input_size"] = tuple(entry["input_size"])
    return Paper(**{"stated": {}, "errors": {}, **entry})


def names() -> list[str]:
    """List the networks that the paper data knows, by the names of their constructors.

    Examples:
        >>> "resnet50" in names()
        True
    """
    return list(_networks())


def _look_up(known: Mapping[str, Any], key: str, file: str) -> Any:
    if key not in known:
        near = difflib.get_close_matches(key, known, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}."
        raise ValueError(f"{file} has no {key!r}; {hint}")
    return known[key]


def card(*names: str) -> "Card":
    """Make the card "At a glance" of one network, or of several side by side.

    Examples:
        >>> print(card("resnet18", "resnet50"))
        At a glance      ResNet-18   ResNet-50
        paper            He et al., 2015, Deep Residual Learning for Image Recognition
        layers           18          50
        parameters       11,689,512  25,557,032
        multiply–adds    1.81 G      3.86 G
        – as stated      1.8 G       3.8 G
        receptive field  435         483
        top-1 error      27.88 %     22.85 %
        top-5 error      –           6.71 %
        error measured   ImageNet validation, 10 crops
        what it changed  Adds each block's input to its output, so that depth stops hurting.
    """
    return Card(tuple(paper(name) for name in names))


class Card:
    """A table of what papers state; shows itself in a terminal and in a notebook."""

    def __init__(self, papers: tuple[Paper, ...]) -> None:
        self.papers = papers

    def _rows(self) -> list[tuple[str, list[str]]]:
        """Pairs of a heading and a text for each network, or a single text for all."""

        def row(get) -> list[str]:
            return [get(p) for p in self.papers]

        def once(get) -> list[str]:
            texts = row(get)
            return texts[:1] if len(set(texts)) == 1 else texts

        rows = [
            ("paper", once(lambda p: f"{p.source.short}, {p.source.title}")),
            ("layers", row(lambda p: str(p.depth))),
            ("parameters", row(lambda p: f"{p.parameters:,}")),
            ("– as stated", row(lambda p: p.stated.get("parameters", "–"))),
            ("multiply–adds", row(lambda p: giga(p.multiply_adds))),
            ("– as stated", row(lambda p: p.stated.get("multiply_adds", "–"))),
            ("connections, as stated", row(lambda p: p.stated.get("connections", "–"))),
            ("receptive field", row(lambda p: f"{p.receptive_field}")),
            ("top-1 error", row(lambda p: p.errors.get("top1", "–"))),
            ("top-5 error", row(lambda p: p.errors.get("top5", "–"))),
            ("test error", row(lambda p: p.errors.get("test", "–"))),
            ("error measured", once(lambda p: p.errors.get("how", "–"))),
            ("what it changed", once(lambda p: p.idea)),
        ]
        return [(head, texts) for head, texts in rows if any(text != "–" for text in texts)]

    def __repr__(self) -> str:
        rows = [("At a glance", [p.name for p in self.papers]), *self._rows()]
        ahead = max(len(head) for head, _ in rows) + 2
        columns = [texts for _, texts in rows if len(texts) == len(self.papers) > 1]
        wide = max((len(text) for texts in columns for text in texts), default=0)
        return "\n".join(
            head.ljust(ahead) + "  ".join(text.ljust(wide) for text in texts).rstrip()
            for head, texts in rows
        )

    def _repr_html_(self) -> str:
        count = len(self.papers)
        head = "".join(f'<th scope="col">{p.name}</th>' for p in self.papers)
        body = ""
        for name, texts in self._rows():
            if name == "paper":
                urls = [p.source.url for p in self.papers]
                texts = [f'<a href="{url}">{text}</a>' for url, text in zip(urls, texts)]
            span = f' colspan="{count}"' if len(texts) < count else ""
            cells = "".join(f"<td{span}>{text}</td>" for text in texts)
            body += f'<tr><th scope="row">{name}</th>{cells}</tr>'
        return (
            '<table class="cnnbook-card"><caption>At a glance</caption>'
            f'<thead><tr><th scope="col"></th>{head}</tr></thead><tbody>{body}</tbody></table>'
        )


def giga(count: int) -> str:
    """Write a count of multiply–adds as papers do, in billions or millions.

    Examples:
        >>> giga(3857973248), giga(40551040)
        ('3.86 G', '40.6 M')
    """
    return f"{count / 1e9:.2f} G" if count >= 1e8 * 5 else f"{count / 1e6:.1f} M"
