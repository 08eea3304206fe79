"""The children of a network in a table: what each makes of the input, and what it costs."""

import contextlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cnnbook.arithmetic import meta
from cnnbook.arithmetic.counting import counting
from cnnbook.arithmetic.receptive import FieldMode
from cnnbook.tables import Table


class SummaryRow(NamedTuple):
    """One row of a summary: a child of the network, and what it makes of the input."""

    name: str  # "(own)": what belongs to no child
    output_shape: tuple[int, ...]  # (C, H, W), or (features,); () if it did not run
    parameters: int  # each shared one counted once, in the first row that has it
    multiply_adds: int
    receptive_field: int | float | None  # of the widest axis, in pixels; None: no feature map


def summary(module: nn.Module, input_size: Sequence[int] = (3, 224, 224)) -> "Summary":
    """Walk through the children of a network, and give the shape and cost of each.

    Nothing is left out: what runs in a list of modules belongs to the list, what belongs to no
    child has the row "(own)", a child with parameters that does not run has a row without a shape.
    The sums are `count_parameters` and `multiply_adds` of the network. Where a receptive field
    cannot be followed, that column has no number.

    Args:
        module: a network; its direct children are the rows.
        input_size: the input's shape without the batch, for images `(C, H, W)`.

    Returns:
        A list of `SummaryRow` that shows itself as a table.

    Raises:
        NotImplementedError: the network looks at numbers to decide what to run.
        ValueError: it does not take an input of that size, or is scripted.

    Examples:
        >>> summary(nn.Sequential(nn.Conv2d(3, 4, 5), nn.ReLU()), (3, 32, 32))
        name  output shape  parameters  multiply–adds  receptive field
        0     4 × 28 × 28          304        235,200                5
        1     4 × 28 × 28            0              0                5
        sum                        304        235,200
    """
    meta.check_network(module)
    if any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        raise ValueError(
            f"{type(module).__name__} is scripted, or has a part that is, and lets nobody look "
            "into it: hand over the network that it was made from."
        )
    network = meta.on_meta(module)
    output, walk = meta.run(network, input_size, lambda image: _Walk(network, image))
    counted: set[int] = set()
    rows = []
    for name, child in module.named_children():
        parameters = _not_yet(counted, child.parameters())
        if name in walk.outputs or parameters:
            shape, field = _seen(walk, walk.outputs.get(name))
            rows.append(SummaryRow(name, shape, parameters, walk.work[name], field))
    own = _not_yet(counted, module.parameters()), walk.total() - sum(walk.work.values())
    if any(own):
        shape, field = _seen(walk, meta.main_output(output))
        rows.append(SummaryRow("(own)", shape, *own, field))
    return Summary(rows)


def _not_yet(counted: set[int], parameters: Iterable[nn.Parameter]) -> int:
    """Numbers in trainable parameters that are not counted yet; they are from now on."""
    new = {id(p): p.numel() for p in parameters if p.requires_grad and id(p) not in counted}
    counted.update(new)
    return sum(new.values())


def _seen(walk: "_Walk", output: Tensor | None) -> tuple[tuple[int, ...], int | float | None]:
    """Shape without the batch, and receptive field, of what a child made."""
    sizes = [field.size for field in walk.fields.of(output)]
    return () if output is None else tuple(output.shape[1:]), max(sizes, default=None)


class _Walk(contextlib.ExitStack):
    """While a network runs, notes for each child the last output and the work.

    What runs inside something that belongs to a child is that child's; so a module that two
    children share is work of the one in which it runs.
    """

    def __init__(self, network: nn.Module, image: Tensor) -> None:
        super().__init__()
        self.outputs: dict[str, Tensor | None] = {}
        self.work: Counter[str] = Counter()
        self.fields = FieldMode(image, strict=False)
        self._counter = counting()
        self._inside: list[int] = []  # work before each of the modules that run now
        self._owners = {child: name for name, child in network.named_children()}
        for name, child in network.named_children():
            for part in child.modules():
                self._owners.setdefault(part, name)

    def __enter__(self) -> "_Walk":
        super().__enter__()
        for part, name in self._owners.items():
            self.callback(part.register_forward_pre_hook(self._go_in).remove)
            come_out = partial(self._come_out, name)  # also where the network catches an error
            self.callback(part.register_forward_hook(come_out, always_call=True).remove)
        self.enter_context(self._counter)
        self.enter_context(self.fields)
        return self

    def total(self) -> int:
        """Multiply–adds so far."""
        return self._counter.get_total_flops() // 2

    def _go_in(self, *_: object) -> None:
        self._inside.append(self.total())

    def _come_out(self, name: str, _part: nn.Module, _inputs: tuple, output: object) -> None:
        before = self._inside.pop()
        if not self._inside:  # it was called by the network itself, or by a list
            self.work[name] += self.total() - before
            self.outputs[name] = meta.main_output(output)


class Summary(list[SummaryRow]):
    """A list of stages that shows itself as a table, in a terminal and in a notebook."""

    def table(self) -> Table:
        """One row a stage, and their sums."""
        rows = []
        for stage in self:
            seen = stage.receptive_field
            field = "–" if seen is None else "whole" if seen == math.inf else f"{seen:,}"
            shape = " × ".join(map(str, stage.output_shape)) or "–"
            rows.append(
                (stage.name, shape, f"{stage.parameters:,}", f"{stage.multiply_adds:,}", field)
            )
        totals = sum(s.parameters for s in self), sum(s.multiply_adds for s in self)
        rows.append(("sum", "", *(f"{total:,}" for total in totals), ""))
        head = ("name", "output shape", "parameters", "multiply–adds", "receptive field")
        return Table(head, rows, "llrrr")

    def __repr__(self) -> str:
        return repr(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def layer_names(module: nn.Module) -> list[str]:
    """Name the layers of a chain as papers do: `3×3 conv, 64, /2`, `batch norm`, `ReLU`.

    Examples:
        >>> layer_names(nn.Sequential(nn.Conv2d(3, 64, 7, stride=2), nn.BatchNorm2d(64), nn.ReLU()))
        ['7×7 conv, 64, /2', 'batch norm', 'ReLU']
    """
    names = []
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            kernel = "×".join(map(str, layer.kernel_size))
            step = "" if layer.stride == (1, 1) else f", /{layer.stride[0]}"
            names.append(f"{kernel} conv, {layer.out_channels}{step}")
        elif isinstance(layer, nn.BatchNorm2d):
            names.append("batch norm")
        elif isinstance(layer, nn.Identity):
            names.append("identity")
        elif not list(layer.children()):
            names.append(type(layer).__name__)
    return names
