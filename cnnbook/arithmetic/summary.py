"""The children of a network in a table: what each makes of the input, and what it costs."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnbook.arithmetic import meta
from cnnbook.arithmetic.counting import count_parameters
from cnnbook.arithmetic.receptive import FieldMode
from cnnbook.tables import Table


class SummaryRow(NamedTuple):
    """One row of a summary: a child of the network, and what it makes of the input."""

    name: str
    output_shape: tuple[int, ...]  # (C, H, W), or (features,)
    parameters: int
    multiply_adds: int
    receptive_field: int | float | None  # of the widest axis, in pixels; None: no feature map


def summary(module: nn.Module, input_size: Sequence[int] = (3, 224, 224)) -> "Summary":
    """Walk through the children of a network, and give the shape and cost of each.

    Args:
        module: a network; its direct children are the rows.
        input_size: the input's shape without the batch, for images `(C, H, W)`.

    Returns:
        A list of `SummaryRow` that shows itself as a table.

    Examples:
        >>> summary(nn.Sequential(nn.Conv2d(3, 4, 5), nn.ReLU()), (3, 32, 32))
        name  output shape  parameters  multiply–adds  receptive field
        0     4 × 28 × 28          304        235,200                5
        1     4 × 28 × 28            0              0                5
        sum                        304        235,200
    """
    network = meta.on_meta(module)
    seen: dict[str, tuple[tuple[int, ...], int | float | None]] = {}
    counter = FlopCounterMode(display=False)

    def note(name: str) -> Callable:
        def hook(_module: nn.Module, _inputs: tuple, output: object) -> None:
            sizes = [field.size for field in mode.of(meta.main_output(output))]
            seen[name] = (tuple(meta.main_output(output).shape[1:]), max(sizes, default=None))

        return hook

    for name, child in network.named_children():
        child.register_forward_hook(note(name))
    with counter, FieldMode() as mode:
        meta.run(network, input_size, before=mode.start)
    root = type(network).__name__
    operations = counter.get_flop_counts()
    return Summary(
        SummaryRow(
            name,
            seen[name][0],
            count_parameters(child),
            sum(operations.get(f"{root}.{name}", {}).values()) // 2,
            seen[name][1],
        )
        for name, child in network.named_children()
        if name in seen
    )


class Summary(list[SummaryRow]):
    """A list of stages that shows itself as a table, in a terminal and in a notebook."""

    def table(self) -> Table:
        """One row a stage, and their sums."""
        rows = []
        for stage in self:
            seen = stage.receptive_field
            field = "–" if seen is None else "whole" if seen == math.inf else f"{seen:,}"
            shape = " × ".join(map(str, stage.output_shape))
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
