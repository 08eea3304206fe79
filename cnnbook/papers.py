"""What each paper states, with its source.

The numbers live in `facts/`, one file a part of the book, the works that they come from in
`references.bib`, and nowhere else.
"""

import functools
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, NamedTuple

from cnnbook.names import suggestion
from cnnbook.tables import Cell, Link, Table, giga


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
    errors: Mapping[str, Any]  # what the paper measured, in %, and how
    idea: str  # what it changed, in one sentence
    constructor: str  # of cnnbook.networks
    arguments: Mapping[str, int]  # that make it this network
    family: str = ""  # the name by which a timeline calls it and its like …
    brought: str = ""  # … and what came with it, in a few words; empty if another stands for it


_FACTS = {  # by part, in the order of the book
    "classics": "facts/classics.yaml",
    "deeper": "facts/deeper.yaml",
    "efficient": "facts/efficient.yaml",
}


def _read(file: str) -> str:
    return resources.files("cnnbook").joinpath(file).read_text("utf-8")


@functools.cache
def _part(part: str) -> dict[str, dict[str, Any]]:
    import yaml

    return yaml.safe_load(_read(_FACTS[part]))


@functools.cache
def _networks() -> dict[str, dict[str, Any]]:
    return {name: entry for part in _FACTS for name, entry in _part(part).items()}


@functools.cache
def _works() -> dict[str, dict[str, str]]:
    return bibliography(_read("references.bib"))


def bibliography(bibtex: str) -> dict[str, dict[str, str]]:
    r"""Read BibTeX: the fields of each entry, by its key.

    Examples:
        >>> bibliography("@misc{he2015,\n  title = {Deep {Residual} Learning},\n}")
        {'he2015': {'title': 'Deep Residual Learning'}}
    """
    entries = re.findall(r"^@\w+\{([^,]+),\n(.*?)^\}", bibtex, re.M | re.S)
    return {
        key: {
            name: re.sub(r"[{}]", "", value)  # braces only keep capitals
            for name, value in re.findall(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", fields, re.M)
        }
        for key, fields in entries
    }


def source(key: str) -> Source:
    """Look up a work by its key in `references.bib`.

    Raises:
        ValueError: there is no such work.

    Examples:
        >>> source("he2015").short
        'He et al., 2015'
    """
    fields = _look_up(_works(), key, "references.bib")
    addresses = {"url": "", "eprint": "https://arxiv.org/abs/", "doi": "https://doi.org/"}
    address = next(ahead + fields[key] for key, ahead in addresses.items() if key in fields)
    return Source(
        tuple(name.split(",")[0] for name in fields["author"].split(" and ")),
        fields["title"],
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
    entry = dict(_look_up(_networks(), name, "the paper data"))
    entry["source"] = source(entry["source"])
    entry["input_size"] = tuple(entry["input_size"])
    entry = {"stated": {}, "errors": {}, "constructor": name, "arguments": {}} | entry
    return Paper(**entry)


def names(part: str | None = None) -> list[str]:
    """List the networks that the paper data knows, by the names of their constructors.

    Args:
        part: only those of this part of the book, by the name of its folder of notebooks.

    Raises:
        ValueError: there are no facts of such a part.

    Examples:
        >>> "resnet50" in names()
        True
        >>> names("classics")[0]
        'vgg11'
    """
    if part is None:
        return list(_networks())
    _look_up(_FACTS, part, "the paper data")
    return list(_part(part))


def _look_up(known: Mapping[str, Any], key: str, file: str) -> Any:
    if key not in known:
        raise ValueError(f"{file} has no {key!r}; {suggestion(key, known)}")
    return known[key]


def card(*names: str) -> Table:
    """Make the card "At a glance" of one network, or of several side by side.

    Examples:
        >>> card("resnet18", "resnet50")
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
    shown = [paper(name) for name in names]

    def once(texts: list[Cell]) -> list[Cell]:
        return texts[:1] if len(set(texts)) == 1 else texts

    def percent(paper: Paper, error: str) -> str:
        return f"{paper.errors[error]} %" if error in paper.errors else "–"

    rows = [
        ("paper", once([Link(f"{p.source.short}, {p.source.title}", p.source.url) for p in shown])),
        ("layers", [f"{p.depth}" for p in shown]),
        ("parameters", [f"{p.parameters:,}" for p in shown]),
        ("– as stated", [p.stated.get("parameters", "–") for p in shown]),
        ("multiply–adds", [giga(p.multiply_adds) for p in shown]),
        ("– as stated", [p.stated.get("multiply_adds", "–") for p in shown]),
        ("connections, as stated", [p.stated.get("connections", "–") for p in shown]),
        ("receptive field", [f"{p.receptive_field}" for p in shown]),
        ("top-1 error", [percent(p, "top1") for p in shown]),
        ("top-5 error", [percent(p, "top5") for p in shown]),
        ("test error", [percent(p, "test") for p in shown]),
        ("error measured", once([p.errors.get("how", "–") for p in shown])),
        ("what it changed", once([p.idea for p in shown])),
    ]
    told = [(name, *texts) for name, texts in rows if set(texts) != {"–"}]
    head = ("", *(p.name for p in shown))
    return Table(head, told, "l" * len(head), "card", "At a glance", named=True)
