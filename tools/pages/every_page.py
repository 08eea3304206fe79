"""Writes `book/every-network.md` from the stored table of `tools.pages.every`.

Why a network's counts differ from those that its library publishes stands, typed, in
`book/every-network.yaml`; a difference without a reason stops the writing, and so does a reason
without a difference.
"""

from __future__ import annotations

import csv
import fnmatch
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cnnbook.tables import giga
from tools.pages.benchmarks import table
from tools.pages.thrice import Row

TABLE = Path("book/_static/every-network.csv")
REASONS = Path("book/every-network.yaml")
PAGE_FILE = Path("book/every-network.md")
LIBRARIES = {
    "torchvision": "https://github.com/pytorch/vision",
    "timm": "https://github.com/huggingface/pytorch-image-models",
    "pytorchcv": "https://github.com/osmr/pytorchcv",
}
AGREES = "="


class Entry(NamedTuple):
    """A row of the stored table: what was counted, and the figures of the library beside it."""

    row: Row
    parameters: str  # "=": the published figure agrees; "": there is none; else the figure
    multiply_adds: str

    @property
    def differs(self) -> bool:
        """Whether a published figure is another one."""
        return any(f not in ("", AGREES) for f in (self.parameters, self.multiply_adds))

    @property
    def full_name(self) -> str:
        """Library and constructor."""
        return f"{self.row.library} {self.row.name}"


HEAD = (*Row._fields, "published_parameters", "published_multiply_adds")


def store(entries: Iterable[Entry], path: Path) -> None:
    """Write the table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(HEAD)
        for row, *figures in entries:
            lines.writerow([*row.to_texts().values(), *figures])


def load(path: Path) -> list[Entry]:
    """Read the table."""
    with path.open(encoding="utf-8", newline="") as file:
        found = []
        for texts in csv.DictReader(file):
            figures = texts.pop("published_parameters"), texts.pop("published_multiply_adds")
            found.append(Entry(Row.from_texts(texts), *figures))
    return found


class Reason(NamedTuple):
    """Why the published figures of some networks are others."""

    why: str
    networks: tuple[str, ...]  # library and constructor, with *
    options: Mapping[str, Any]  # with these, the network has the published figures
    after: str  # or after this function

    def explains(self, entry: Entry) -> bool:
        """Whether it is about this network."""
        return any(fnmatch.fnmatchcase(entry.full_name, pattern) for pattern in self.networks)


def reasons(path: Path) -> list[Reason]:
    """Read the reasons, in the order of the page."""
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [
        Reason(one["why"], tuple(one["networks"]), one.get("with", {}), one.get("after", ""))
        for one in listed
    ]


def problems(entries: Sequence[Entry], why: Sequence[Reason]) -> list[str]:
    """Differences without a reason, and reasons without a difference."""
    differing = [entry for entry in entries if entry.differs]
    found = [
        f"{entry.full_name} has no reason"
        for entry in differing
        if not any(reason.explains(entry) for reason in why)
    ]
    for reason in why:
        found += [
            f"{pattern} does not differ"
            for pattern in reason.networks
            if not any(fnmatch.fnmatchcase(entry.full_name, pattern) for entry in differing)
        ]
    return found


# -- writing ------------------------------------------------------------------------------------


def page(entries: Sequence[Entry], why: Sequence[Reason], machine: str) -> str:
    """The page of the site, in Markdown."""
    counted = [entry.row for entry in entries if not entry.row.reason]
    refused = [entry.row for entry in entries if entry.row.reason]
    slow = sorted(counted, key=lambda row: -row.counting)
    most = max(counted, key=lambda row: row.parameters)
    seconds = [row.counting for row in counted]
    published = [entry for entry in entries if entry.parameters or entry.multiply_adds]
    differing = [entry for entry in entries if entry.differs]
    none = [name for name in LIBRARIES if not any(e.row.library == name for e in published)]
    frozen = [row for row in counted if row.frozen]
    return PAGE.format(
        machine=machine,
        counted=f"{len(counted):,}",
        constructors=f"{len(entries):,}",
        refused=len(refused),
        parameters=f"{sum(row.parameters for row in counted) / 1e9:.0f}",
        frozen=len(frozen),
        kinds=_kinds(entries),
        median=_seconds(statistics.median(seconds)),
        building=_seconds(statistics.median(row.building for row in counted)),
        nine_in_ten=_seconds(statistics.quantiles(seconds, n=10)[-1]),
        slowest=_listed(
            f"`{row.name}` ({row.library}, {_seconds(row.counting)})" for row in slow[:5]
        ),
        largest=f"`{most.name}` ({most.library}) with {_millions(most.parameters)} parameters",
        refusals="\n\n".join(_refusals(refused)),
        published=f"{len(published):,}",
        missing=f" No figures of {_listed(none)} could be had." if none else "",
        agreement=_agreement(published),
        differing=len(differing),
        differences="\n\n".join(_differences(differing, why)),
        size=f"{TABLE.stat().st_size / 1e3:.0f}" if TABLE.exists() else "–",
        families="\n\n".join(_families(counted, library) for library in LIBRARIES),
    )


def _listed(parts: Iterable[str]) -> str:
    *most, last = list(parts)
    return f"{', '.join(most)} and {last}" if most else last


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _grouped(rows: Iterable[Any], key: Any) -> dict[Any, list]:
    groups: dict[Any, list] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _kinds(entries: Sequence[Entry]) -> str:
    """A row for what each library has networks for."""
    rows = []
    groups = _grouped((e.row for e in entries), lambda row: (row.library, row.kind))
    for (library, kind), group in groups.items():
        counted = [row for row in group if not row.reason]
        took = _seconds(statistics.median(r.counting for r in counted)) if counted else "–"
        refused = len(group) - len(counted)
        use = kind.replace("quantization", "quantisation")
        rows.append([library, use, f"{len(counted):,}", f"{refused or '–'}", took])
    order = list(LIBRARIES)
    rows.sort(key=lambda row: (order.index(row[0]), -int(row[2].replace(",", ""))))
    for below, above in zip(rows[:0:-1], rows[-2::-1]):
        if below[0] == above[0]:
            below[0] = ""
    return table(["Library", "for", "counted", "refused", "median"], rows, texts=2)


_REFUSALS = {
    "looks at the numbers": "What runs next depends on numbers: which boxes are kept, which points "
    "stand out. On the meta device there are none.",
    "is quantised": "Quantised: the layers keep their weights packed in objects of torch's, whose "
    "shapes nobody sees. The same networks before they are quantised are counted.",
    "inputs (": "Several inputs of other shapes: it takes a module that makes them from one.",
    "does not take an input of": "No single input runs through it.",
}


def _refusals(refused: Sequence[Row]) -> list[str]:
    """For each kind of reason: what it means, a sentence as it is told, the names."""
    told = _grouped(
        refused, lambda row: next((key for key in _REFUSALS if key in row.reason), row.reason)
    )
    found = []
    for key, rows in sorted(told.items(), key=lambda group: -len(group[1])):
        names = _names(rows)
        what = _REFUSALS.get(key, "")
        found.append(f"**{len(rows)}.** {what} {names}\n\n> {rows[0].reason}")
    return found


def _names(rows: Iterable[Row]) -> str:
    """Names of networks, library by library."""
    groups = _grouped(rows, lambda row: row.library)
    return " ".join(
        f"{library}: {', '.join(f'`{row.name}`' for row in group)}."
        for library, group in groups.items()
    )


def _agreement(published: Sequence[Entry]) -> str:
    rows = []
    for library, group in _grouped(published, lambda entry: entry.row.library).items():
        cells = [library]
        for figure in ("parameters", "multiply_adds"):
            known = [getattr(entry, figure) for entry in group if getattr(entry, figure)]
            cells += [f"{len(known):,}", f"{known.count(AGREES):,}"]
        rows.append(cells)
    head = ["Library", "parameters", "agree", "multiply–adds", "agree"]
    return table(head, rows, texts=1)


def _differences(differing: Sequence[Entry], why: Sequence[Reason]) -> list[str]:
    """For each reason: the sentence, and the networks with both numbers, folded."""
    found = []
    left = list(differing)
    for reason in why:
        here = [entry for entry in left if reason.explains(entry)]
        left = [entry for entry in left if entry not in here]
        rows = [
            [
                f"`{e.row.name}`",
                *_beside(f"{e.row.parameters:,}", e.parameters, "{:,}".format),
                *_beside(giga(e.row.multiply_adds), e.multiply_adds, giga),
            ]
            for e in here
        ]
        head = ["Network", "parameters", "published", "multiply–adds", "published"]
        libraries = _listed(dict.fromkeys(entry.row.library for entry in here))
        number = f"{len(here)} network{'s' if len(here) > 1 else ''} of {libraries}"
        found.append(f"{reason.why.strip()}\n\n{_folded(number, table(head, rows, texts=1))}")
    return found


def _beside(counted: str, figure: str, written: Callable[[int], str]) -> list[str]:
    """What was counted, and the figure if it is another one."""
    theirs = {"": "–", AGREES: AGREES}
    return [counted, theirs[figure] if figure in theirs else written(int(figure))]


def _folded(title: str, text: str) -> str:
    return f":::{{dropdown}} {title}\n{text}\n:::"


def _families(counted: Sequence[Row], library: str) -> str:
    """A folded table of a library: its modules, with the range of their networks."""
    rows = []
    groups = _grouped((r for r in counted if r.library == library), lambda row: row.family)
    for family, group in sorted(groups.items()):
        weights, work = zip(*((row.parameters, row.multiply_adds) for row in group))
        rows.append(
            [f"`{family}`", f"{len(group)}", _range(weights, _millions), _range(work, giga)]
        )
    head = ["Module", "networks", "parameters", "multiply–adds"]
    number = f"{library}: {sum(map(len, groups.values())):,} networks in {len(groups)} modules"
    return _folded(number, table(head, rows, texts=1))


def _range(numbers: Sequence[int], written: Callable[[int], str]) -> str:
    low, high = written(min(numbers)), written(max(numbers))
    return low if low == high else f"{low} – {high}"


def _millions(count: int) -> str:
    return f"{count / 1e6:,.1f} M"


PAGE = """# Every network, counted

**{counted} networks counted.** Whoever has a network of another book, another paper or another library can count it with `cnnbook.arithmetic`; here this is tried on every network that [torchvision](https://github.com/pytorch/vision), [timm](https://github.com/huggingface/pytorch-image-models) and [pytorchcv](https://github.com/osmr/pytorchcv) can construct. Of {constructors} constructors {counted} are counted, and three counters agree on each, to the last parameter and the last multiply–add; {refused} are refused, each with a sentence that says why. `make every` does it and writes this page: {machine}.

## What was counted

The parameters that are trained, each shared one once, and the multiply–adds of one evaluation on one input: those of convolutions, linear layers and matrix products, as papers count. The input is the one that the library gives for the network; clips have 16 frames, pairs of images for optical flow 512 × 512 pixels. The counters are:

1. `cnnbook.arithmetic`: [`count_parameters` and `multiply_adds`](api/arithmetic). It copies the network to torch's meta device, where tensors have shapes but no numbers, and follows it there.
2. torch's own [`FlopCounterMode`](https://github.com/pytorch/pytorch/blob/main/torch/utils/flop_counter.py) on the network as the library built it, halved. The first rests on it, too: together they tell whether the copy does what the network does.
3. A counter written for this page, which listens to the functions that a network calls, such as `F.conv2d` and `F.scaled_dot_product_attention`, and has a formula of its own for each: it shares nothing with the other two. Parameters it collects layer by layer.

Where they differ, the program fails. {frozen} of the networks have parameters that are not trained, such as fixed position embeddings or masks; the table gives these numbers apart.

{kinds}

The networks of several inputs are counted where the others can be made from the first: pairs of images, sounds with their lengths. pytorchcv's networks for poses hand back their maps, and those for speech take spectra.

## How long it takes

Half of the networks are counted within {median}, nine in ten within {nine_in_ten}: seconds of the processor, on one thread, for `count_parameters` and `multiply_adds` together. To construct one takes {building} (median). The slowest are {slowest}. The largest, {largest}, holds no memory for its weights either.

## What is refused

{refusals}

## Beside what the libraries publish

torchvision has figures in the metadata of its weights, pytorchcv in the description of the package, timm in the [tables of its benchmarks](https://github.com/huggingface/pytorch-image-models/tree/main/results). {published} of the networks have such a figure for the same input.{missing} A figure agrees if it is the count, rounded as it is printed. torchvision counts the same multiply–adds as we do; timm and pytorchcv also count some of the other work, normalisation above all, so that there 5 % are allowed.

{agreement}

{differing} networks differ. The reasons are these; only they are typed, and a test fails where a difference has none.

{differences}

## All of them

[The whole table]({csv}) ({size} kB, CSV) has a row for every constructor: input, parameters, frozen ones, multiply–adds, seconds to construct and to count, the reason of a refusal, and the published figure where it differs (`=` where it agrees). By module of the libraries:

{families}
""".replace("{csv}", "_static/every-network.csv")  # noqa: E501
