"""Give one network the weights of another of the same architecture, whatever their names."""

import itertools
from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cnnbook.arithmetic import meta

Order = Literal["running", "definition"]  # how modules of two networks are paired


class _Uses(TorchDispatchMode):
    """Notes the tensors of a model in the order in which something is computed with them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        tensors = itertools.chain(model.named_parameters(), model.named_buffers())
        self._names = {id(tensor): name for name, tensor in tensors}
        self.names: dict[str, None] = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        for tensor in tree_leaves((args, kwargs)):
            if name := self._names.get(id(tensor)):
                self.names[name] = None
        return function(*args, **(kwargs or {}))


def _modules_in_order(
    model: nn.Module, image: Tensor, order: Order
) -> tuple[list[tuple[str, nn.Module]], list[str]]:
    """The modules that own weights or buffers and run on an image, with their names.

    And the names of the tensors that are used though the module that owns them does not run.
    """
    ran: dict[str, nn.Module] = {}
    hooks = [
        module.register_forward_pre_hook(
            lambda module, _inputs, name=name: ran.setdefault(name, module) and None
        )
        for name, module in model.named_modules()
        if module._parameters or module._buffers
    ]
    before = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        with torch.no_grad(), _Uses(model) as uses:
            ran_on(model, image)
    finally:
        for hook in hooks:
            hook.remove()
        for buffer, value in before:  # a run in training mode changes running statistics
            buffer.copy_(value)
    rest = [name for name in uses.names if name.rpartition(".")[0] not in ran]
    if order == "running":
        return list(ran.items()), rest
    return [(name, module) for name, module in model.named_modules() if name in ran], rest


def ran_on(model: nn.Module, image: Tensor) -> object:
    """What a network makes of an image, which stays as it is, also where layers work in place.

    Raises:
        ValueError: it does not take it.

    Examples:
        >>> image = -torch.ones(1, 2)
        >>> ran_on(nn.ReLU(inplace=True), image), image
        (tensor([[0., 0.]]), tensor([[-1., -1.]]))
    """
    try:
        return model(image.clone())
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        shape, kind = " × ".join(map(str, image.shape)), str(image.dtype).removeprefix("torch.")
        raise ValueError(
            f"{type(model).__name__} does not take an input of {shape} ({kind})."
        ) from error


def check_weights(model: object, order: Order) -> None:
    """Refuse what is no network, or holds no numbers, and an order that is none.

    Raises:
        ValueError: it says so.

    Examples:
        >>> check_weights(nn.Linear(4, 2, device="meta"), "running")
        Traceback (most recent call last):
            ...
        ValueError: Linear lies on the meta device and has no weights.
    """
    meta.check_network(model)
    if any(isinstance(part, torch.jit.ScriptModule) for part in model.modules()):
        raise ValueError(
            f"{type(model).__name__} is scripted, and lets nobody look into it: hand over the "
            "network that it was made from."
        )
    if any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers())):
        raise ValueError(f"{type(model).__name__} lies on the meta device and has no weights.")
    if order not in get_args(Order):
        raise ValueError(f"order is {order!r}; choose {' or '.join(get_args(Order))}.")


@torch.no_grad()
def copy_weights(
    source: nn.Module, target: nn.Module, image: Tensor, order: Order = "running"
) -> int:
    """Copy the weights of one network into another of the same architecture.

    Names do not matter: the modules are paired in the order in which they run on `image`, and the
    shapes of their tensors are compared one by one. Tensors that are used though their module does
    not run, as those of an attention's last layer, are paired in the order of their use.

    Args:
        source: where the weights and buffers come from.
        target: where they go; it is changed only if all of them fit.
        image: an input of both, `(N, C, H, W)`.
        order: pair the modules as they run; or as they are defined, where two implementations run
            the branches of a block in different orders.

    Returns:
        The number of tensors copied.

    Raises:
        ValueError: the networks differ; the message names the first modules that do. Or one of
            them does not take the image.

    Examples:
        >>> here, there = nn.Linear(4, 2), nn.Linear(4, 2)
        >>> copy_weights(there, here, torch.zeros(1, 4))  # a weight and a bias
        2
        >>> torch.equal(here.weight, there.weight)
        True
    """
    for net in (source, target):
        check_weights(net, order)
    if not isinstance(image, Tensor):
        raise ValueError(f"image is a {type(image).__name__}; hand over a tensor (N, C, H, W).")
    (ours, our_rest), (theirs, their_rest) = (
        _modules_in_order(net, image, order) for net in (target, source)
    )
    pairs = []
    for step, ((our_name, our), (their_name, their)) in enumerate(zip(ours, theirs), 1):
        a, b = own_tensors(our), own_tensors(their)
        shapes_a, shapes_b = ({k: tuple(t.shape) for k, t in own.items()} for own in (a, b))
        if shapes_a != shapes_b:
            raise ValueError(
                f"the networks part at step {step}: {our_name} here holds {_listed(shapes_a)}, "
                f"but {their_name} in the reference holds {_listed(shapes_b)}."
            )
        pairs += [(a[key], b[key]) for key in a]
    if len(ours) != len(theirs):
        raise ValueError(
            f"{len(ours)} modules with weights run here, but {len(theirs)} in the reference."
        )
    held_a, held_b = (dict([*n.named_parameters(), *n.named_buffers()]) for n in (target, source))
    for name, their_name in itertools.zip_longest(our_rest, their_rest):
        a, b = held_a.get(name), held_b.get(their_name)
        if a is None or b is None or a.shape != b.shape:
            here, there = ("nothing" if t is None else "×".join(map(str, t.shape)) for t in (a, b))
            raise ValueError(
                f"the networks part at a tensor that is used without its module: {name or '–'} "
                f"here is {here}, {their_name or '–'} in the reference is {there}."
            )
        pairs.append((a, b))
    given: dict[int, Tensor] = {}
    for a, b in pairs:
        if not torch.equal(given.setdefault(id(a), b), b):
            shape = "×".join(map(str, a.shape))
            raise ValueError(
                f"a tensor of {shape} is used twice here, where the reference has two that differ."
            )
    for a, b in pairs:
        a.copy_(b)
    return len(pairs)


def own_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers that a module holds itself, not in its children.

    Examples:
        >>> {name: tuple(tensor.shape) for name, tensor in own_tensors(nn.Linear(3, 2)).items()}
        {'weight': (2, 3), 'bias': (2,)}
        >>> own_tensors(nn.Sequential(nn.Linear(3, 2)))
        {}
    """
    own = {**module._parameters, **module._buffers}
    return {key: tensor for key, tensor in own.items() if tensor is not None}


def _listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(
        f"{key} {'×'.join(map(str, shape)) or 'scalar'}" for key, shape in shapes.items()
    )
