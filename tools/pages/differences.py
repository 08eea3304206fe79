"""Write `book/differences.md`: in what the book's networks differ from those people download.

    python -m tools.pages.differences

What differs is found by running both networks; why it differs stands in `book/differences.yaml`.
"""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml
from torch import nn

from cnnbook import networks, papers
from cnnbook.arithmetic import count_parameters, multiply_adds, receptive_field
from tools.chapters import written
from tools.pages import forms

DATA, PAGE = Path("book/differences.yaml"), Path("book/differences.md")

HEAD = """\
# Paper, book, torchvision

Networks of one name differ. Weights that were trained for the one may fit into the other and \
give wrong answers, without a complaint. The book builds each network as its paper has it. \
This page lists everything in which it then differs from the implementations that people \
download. A program writes it, `make differences`: it runs both networks step by step and \
compares what they do, which is convolutions, pooling, normalisation, dropout, and how they \
are set. Only the reasons are typed. A test fails where a difference has no reason here, and \
where a reason stands for what is no difference.

The columns in the middle hold the steps that only one of both has: "1×1 (3 times)" means \
three more of them than the other. Where nothing is listed, both do the same; with the same \
weights their outputs agree, which the tests check as well.
"""


class Pair(NamedTuple):
    """A network of the book, and an implementation by others."""

    network: str  # name of the constructor, or of the entry of the paper data
    reference: str  # package and name
    form: dict[str, Any]
    options: dict[str, Any]  # of the reference
    reference_size: tuple[int, ...] | None
    listed: list[dict[str, Any]]
    paper: papers.Paper

    @property
    def title(self) -> str:
        """What is compared, for a heading."""
        package, name = self.reference.split()
        form = ", ".join(f"{key}={str(value).split('.')[-1]}" for key, value in self.form.items())
        form = form or (self.network if self.network not in papers.names() else "")
        ours = f"{self.paper.name}{f' (`{form}`)' if form else ''}"
        return f"{ours} and {'the book' if package == 'cnnbook' else package}'s `{name}`"

    @property
    def input_size(self) -> tuple[int, ...]:
        """What the book's network is meant for."""
        return self.paper.input_size

    def build(self) -> tuple[nn.Module, nn.Module]:
        """Build both, without memory for their weights."""
        package, name = self.reference.split()
        with torch.device("meta"):
            return ours(self.network, self.form), REFERENCES[package](name, self.options)

    def found(self) -> list[forms.Aspect]:
        """What differs."""
        return forms.differences(*self.build(), self.input_size, self.reference_size)


def ours(name: str, form: dict[str, Any]) -> nn.Module:
    """Build a network of the book; a dotted argument is a name in `cnnbook.networks`."""
    arguments = {}
    for key, value in form.items():
        if isinstance(value, str):
            module, _, attribute = value.partition(".")
            value = getattr(importlib.import_module(f"cnnbook.networks.{module}"), attribute)
        arguments[key] = value
    if name in papers.names():
        paper = papers.paper(name)
        return getattr(networks, paper.constructor)(**paper.arguments, **arguments)
    return getattr(networks, name)(**arguments)


def _torchvision(name: str, options: dict[str, Any]) -> nn.Module:
    import torchvision

    return getattr(torchvision.models, name)(**options)


def _timm(name: str, options: dict[str, Any]) -> nn.Module:
    import timm

    return timm.create_model(name, **options)


def _pytorchcv(name: str, options: dict[str, Any]) -> nn.Module:
    from pytorchcv.model_provider import get_model

    return get_model(name, **options)


def _pretrainedmodels(name: str, options: dict[str, Any]) -> nn.Module:
    import pretrainedmodels

    return getattr(pretrainedmodels, name)(pretrained=None, **options)


def _cnnbook(name: str, options: dict[str, Any]) -> nn.Module:
    return ours(name, options)


REFERENCES: dict[str, Callable[[str, dict[str, Any]], nn.Module]] = {
    "cnnbook": _cnnbook,
    "torchvision": _torchvision,
    "timm": _timm,
    "pytorchcv": _pytorchcv,
    "pretrainedmodels": _pretrainedmodels,
}


def pairs(root: Path = Path()) -> list[Pair]:
    """Read the pairs that are compared, in the order of the page."""
    entries = yaml.safe_load((root / DATA).read_text(encoding="utf-8"))
    return [
        Pair(
            entry["network"],
            entry["reference"],
            entry.get("form", {}),
            entry.get("with", {}),
            tuple(entry["reference_size"]) if "reference_size" in entry else None,
            entry.get("listed", []),
            papers.paper(entry.get("paper", entry["network"])),
        )
        for entry in entries
    ]


def aspects(row: dict[str, Any]) -> list[str]:
    """The aspects that one row of the list explains."""
    return [row["aspect"]] if isinstance(row["aspect"], str) else row["aspect"]


def missing(pair: Pair, differ: Sequence[forms.Aspect]) -> list[str]:
    """What is wrong with the list of a pair that differs so; empty when it is whole and true."""
    found = {aspect.name: aspect for aspect in differ}
    listed = [name for row in pair.listed for name in aspects(row)]
    return [
        f"{pair.title}: {name} differs (here {forms.written(found[name].ours)}, there "
        f"{forms.written(found[name].reference)}), and {DATA} gives no reason"
        for name in found
        if name not in listed
    ] + [f"{pair.title}: {name} does not differ" for name in listed if name not in found]


def section(pair: Pair, differ: Sequence[forms.Aspect]) -> str:
    """The part of the page on a pair that differs so."""
    lines = [f"## {pair.title}", "", *counts(pair), ""]
    if not pair.listed:
        return "\n".join([*lines, "They do the same, step by step.", ""])
    found = {aspect.name: aspect for aspect in differ}
    lines += ["| | Paper | Only the book | Only the other | Why |", "|:--|:--|:--|:--|:--|"]
    for row in pair.listed:
        names = aspects(row)
        here, there = (
            "<br>".join(forms.written(getattr(found[name], side)) for name in names)
            for side in ("ours", "reference")
        )
        named = "<br>".join(name.replace("_", " ") for name in names)
        lines.append(f"| {named} | {row['paper']} | {here} | {there} | {row['why']} |")
    return "\n".join([*lines, ""])


def counts(pair: Pair) -> list[str]:
    """The rows that say how large both are."""
    here, there = pair.build()
    sizes = pair.input_size, pair.reference_size or pair.input_size
    rows = ["| | Parameters | Multiply–adds | Receptive field |", "|:--|--:|--:|--:|"]
    for title, network, size in zip(("the book", pair.reference), (here, there), sizes):
        field = max(receptive_field(network, size).size)
        macs = multiply_adds(network, size)
        rows.append(f"| {title} | {count_parameters(network):,} | {macs:,} | {field} |")
    return rows


def main() -> None:
    """Write the page, or say which reasons are wanting."""
    known = [(pair, pair.found()) for pair in pairs()]
    if problems := [problem for pair, differ in known for problem in missing(pair, differ)]:
        raise SystemExit("\n".join(problems))
    sections = [section(pair, differ) for pair, differ in known]
    written.write(str(PAGE), "\n".join([HEAD, *sections]), Path())


if __name__ == "__main__":
    main()
