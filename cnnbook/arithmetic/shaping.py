"""What operations that cut, join and turn tensors do to the fields of their dimensions.

The rules have the form of those in `rules`; a key names one or more operations of aten.
"""

from collections.abc import Callable

from cnnbook.arithmetic.fields import Field, Fields, Merged, Origin, elementwise


def _reduction(sources, output, dims=None, keepdim=False, *_rest, **_kwargs) -> Fields:
    tensor, fields = sources[0]
    dims = range(tensor.dim()) if dims in (None, []) else dims
    gone = {d % tensor.dim() for d in ([dims] if isinstance(dims, int) else dims)}
    if output.dim() == tensor.dim():
        return tuple(None if d in gone else field for d, field in enumerate(fields))
    return tuple(field for d, field in enumerate(fields) if d not in gone)


def _slice(sources, output, dim=0, start=None, _end=None, step=1) -> Fields | None:
    tensor, fields = sources[0]
    moved, size = list(fields), tensor.shape[dim]
    first = 0 if start is None else max(start + size if start < 0 else start, 0)
    if isinstance(moved[dim], Merged):
        return fields if output.shape == tensor.shape else None
    moved[dim] = moved[dim] and moved[dim].window(1, step, -first, 1)
    return tuple(moved)


def _select(sources, output, dim, _index) -> Fields:
    fields = list(sources[0][1])
    del fields[dim]
    return tuple(fields)


def _unbind(sources, output, dim=0) -> Fields:
    return _select(sources, output, dim, 0)


def _along(*dims: int, sources: list[Origin]) -> Fields | None:
    """What moves or mixes units along dimensions that are no axis of the image: channels."""
    fields = sources[0][1]  # the parts of an image would be different places
    return None if any(fields[dim] is not None for dim in dims) else fields


def _shuffle(sources, output, _groups) -> Fields | None:
    return _along(1, sources=sources)


def _split(sources, output, _sizes, dim=0) -> Fields | None:
    return _along(dim, sources=sources)


def _sorted(sources, output, dim=-1, *_rest, **_kwargs) -> Fields | None:
    return _along(dim, sources=sources)


def _topk(sources, output, _count, dim=-1, *_rest, **_kwargs) -> Fields | None:
    return _along(dim, sources=sources)


def _flip(sources, output, dims) -> Fields | None:
    return _along(*dims, sources=sources)


def _roll(sources, output, _shifts, dims=()) -> Fields | None:
    return _along(*(dims or range(output.dim())), sources=sources)


def _norm(sources, output, _order=2, dims=None, keepdim=False, **_kwargs) -> Fields:
    return _reduction(sources, output, dims, keepdim)


def _pad(sources, output, pad, *_rest, **_kwargs) -> Fields | None:
    fields = list(sources[0][1])
    for axis in range(len(pad) // 2):  # pairs (before, after), from the last dimension on
        dim = len(fields) - 1 - axis
        if isinstance(fields[dim], Merged):
            return None
        fields[dim] = fields[dim] and fields[dim].window(1, 1, pad[2 * axis], 1)
    return tuple(fields)


def _concatenation(sources, output, dim=0) -> Fields | None:
    if any(fields[dim] is not None for _, fields in sources):
        return None
    return elementwise(sources, output)


def _stack(sources, output, dim=0) -> Fields | None:
    joined = elementwise(sources, sources[0][0])
    dim %= output.dim()
    return joined and (*joined[:dim], None, *joined[dim:])


def _unsqueeze(sources, output, dim) -> Fields:
    fields = list(sources[0][1])
    fields.insert(dim % output.dim(), None)
    return tuple(fields)


def _squeeze(sources, output, dims=None) -> Fields:
    tensor, fields = sources[0]
    dims = range(tensor.dim()) if dims is None else [dims] if isinstance(dims, int) else dims
    gone = {d % tensor.dim() for d in dims if tensor.shape[d] == 1}
    return tuple(field for d, field in enumerate(fields) if d not in gone)


def _permute(sources, output, dims) -> Fields:
    return tuple(sources[0][1][d] for d in dims)


def _transpose(sources, output, first=0, second=1) -> Fields:
    fields = list(sources[0][1])
    if len(fields) > 1:
        fields[first], fields[second] = fields[second], fields[first]
    return tuple(fields)


def _view(sources, output, *_args, **_kwargs) -> Fields | None:
    """Cut the same row of numbers into other dimensions; an axis of the image must stay whole."""
    tensor, fields = sources[0]
    axes: list[tuple[int, Field | None]] = []
    for size, field in zip(tensor.shape, fields):
        for axis in field if isinstance(field, Merged) else [(size, field)]:
            if axis[1] is None and axes and axes[-1][1] is None:
                axes[-1] = (axes[-1][0] * axis[0], None)
            else:
                axes.append(axis)
    dims: list[list[tuple[int, Field | None]]] = []
    for size in output.shape:
        taken: list[tuple[int, Field | None]] = []
        while size > 1 or (not taken and axes and axes[0][0] == 1):
            length, field = axes.pop(0)
            if length > size:  # channels may be cut into groups
                if field is not None or length % size:
                    return None
                axes.insert(0, (length // size, None))
                length = size
            elif size % length:
                return None
            taken.append((length, field))
            size //= length
        dims.append(taken)
    if dims:
        dims[-1] += axes  # what is left has the length 1
    cut: list[Field | Merged | None] = []
    for taken in dims:
        seen = [axis for axis in taken if axis[1] is not None]
        cut.append(None if not seen else seen[0][1] if len(taken) == 1 else Merged(taken))
    return tuple(cut)


RULES: dict[str, Callable] = {
    "mean sum max amax amin argmax var var_mean": _reduction,
    "min argmin median nanmedian std std_mean logsumexp": _reduction,
    "linalg_vector_norm": _norm,
    "slice": _slice,
    "select": _select,
    "unbind": _unbind,
    "split split_with_sizes": _split,
    "channel_shuffle native_channel_shuffle": _shuffle,
    "flip": _flip,
    "roll": _roll,
    "glu cumsum cumprod sort": _sorted,  # one half of a glu is the gate of the other
    "topk": _topk,
    "constant_pad_nd": _pad,
    "reflection_pad1d reflection_pad2d reflection_pad3d": _pad,
    "replication_pad1d replication_pad2d replication_pad3d": _pad,
    "cat": _concatenation,
    "stack": _stack,
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    "permute": _permute,
    "transpose t": _transpose,
    "view _unsafe_view reshape": _view,
}
