"""Lists every network that torchvision, timm and pytorchcv can construct, with its input.

None of them has trained weights. Each is built on torch's meta device, without any numbers, but for
the quantised ones.
"""

import inspect
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class Constructor(NamedTuple):
    """A network of a library: how it is called, and on what it is counted."""

    library: str
    name: str
    kind: str  # what it is for, such as "segmentation"
    family: str  # the module in which the library has it
    build: Callable[[], nn.Module]
    size: Callable[[nn.Module], tuple[int, ...]]  # of its input, without the batch


def constructors() -> Iterator[Constructor]:
    """All of them, library by library; importing the libraries takes seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from _torchvision()
        yield from _timm()
        yield from _pytorchcv()


def on_meta(constructor: Constructor) -> nn.Module:
    """Build a network without memory for its weights, ready to be evaluated."""
    try:
        with torch.device("meta"):
            return constructor.build().eval()
    except Exception:  # it computes with tensors while it is built
        with _Weightless():
            return constructor.build().eval()


class _Weightless(TorchFunctionMode):
    """Under it, only what is made empty, as weights are, lies on the meta device."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is torch.empty:
            kwargs = {**kwargs, "device": "meta"}
        return function(*args, **kwargs)


class Given(nn.Module):
    """A network of several inputs as one of its first; a function makes the others from it."""

    def __init__(self, network: nn.Module, others: Callable[[Tensor], tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.network, self.others = network, others

    def forward(self, x: Tensor) -> object:
        """Run the network on the input, and on what is made from it."""
        return self.network(x, *self.others(x))


def _the_same(x: Tensor) -> tuple[Tensor, ...]:
    return (x,)


def _a_person(x: Tensor) -> tuple[Tensor, ...]:
    return (x.new_zeros(len(x), dtype=torch.long),)


def _three_faces(x: Tensor) -> tuple[Tensor, ...]:
    return (x.new_zeros(len(x), 76),)


def _its_length(x: Tensor) -> tuple[Tensor, ...]:
    return (x.new_full((len(x),), x.shape[-1], dtype=torch.long),)


def _a_mask(x: Tensor) -> tuple[Tensor, ...]:
    return (x[:, :, :1],)


# Where torchvision's recipes give no size of their own: that of the figures it publishes.
_SEGMENTED, _DETECTED, _FLOW = (3, 520, 520), (3, 800, 800), (3, 512, 512)
_FRAMES = 16  # of a clip


def weights_of_torchvision(name: str) -> Any:
    """The weights whose recipe tells the input: of several the first with the smallest images."""
    from torchvision import models

    def size(weights: Any) -> int:
        return (getattr(weights.transforms(), "crop_size", None) or [0])[0]

    return min(models.get_model_weights(name), key=size)


def _torchvision() -> Iterator[Constructor]:
    from torchvision import models

    for name in models.list_models():
        builder = models.get_model_builder(name)
        _, _, *kinds, family = builder.__module__.split(".")
        kind = kinds[0].replace("_", " ") if kinds else "classification"
        recipe = weights_of_torchvision(name).transforms()
        match kind:
            case "segmentation":
                size = _SEGMENTED
            case "detection":
                size = _DETECTED
            case "optical flow":
                size = _FLOW
            case "video":
                size = (3, _FRAMES, *recipe.crop_size)
            case _:
                size = (3, *recipe.crop_size * 2)
        options = {"weights": None}
        if "weights_backbone" in inspect.signature(builder).parameters:
            options["weights_backbone"] = None
        if family in ("googlenet", "inception"):
            options["init_weights"] = False  # they draw numbers for minutes
        if kind == "optical flow":
            build = partial(_given, partial(builder, **options), _the_same)
            yield Constructor("torchvision", name, kind, family, build, _always(size))
        elif kind == "quantization":
            for quantize in (False, True):
                build = partial(builder, **options, quantize=quantize)
                if quantize:
                    build = partial(_with_numbers, build)
                called = f"{name}(quantize={quantize})"
                yield Constructor("torchvision", called, kind, family, build, _always(size))
        else:
            build = partial(builder, **options)
            yield Constructor("torchvision", name, kind, family, build, _always(size))


def _timm() -> Iterator[Constructor]:
    import timm

    for name in timm.list_models():
        family = timm.models.model_entrypoint(name).__module__.split(".")[-1]
        build = partial(timm.create_model, name)
        yield Constructor("timm", name, "classification", family, build, _timm_size)


def _timm_size(network: nn.Module) -> tuple[int, ...]:
    return tuple(network.default_cfg["input_size"])


# The words in pytorchcv's names that say for what data a network is, each with its use.
_DATA = {
    "cifar10": "classification, small images",
    "cifar100": "classification, small images",
    "svhn": "classification, small images",
    "cub": "classification",
    "cityscapes": "segmentation",
    "ade20k": "segmentation",
    "voc": "segmentation",
    "coco": "segmentation",
    "celebamaskhq": "segmentation",
    "widerface": "detection",
}
_KINDS = {
    "alphapose_coco": "pose",
    "centernet": "detection",
    "ibppose_coco": "pose",
    "jasper": "speech",
    "jasperdr": "speech",
    "lwopenpose_cmupan": "pose",
    "nvpattexp": "faces",
    "pfpcnet": "faces",
    "prnet": "faces",
    "propainter": "video",
    "propainter_ip": "video",
    "propainter_rfc": "video",
    "quartznet": "speech",
    "raft": "optical flow",
    "simplepose_coco": "pose",
    "simpleposemobile_coco": "pose",
    "superpointnet": "key points",
    "visemenet": "faces",
    "voca": "faces",
}
# Inputs of those networks that do not say theirs.
_SIZES = {"superpointnet": (1, 224, 224), "raft": _FLOW}
_SIZES |= dict.fromkeys(("jasper", "jasperdr", "quartznet"), (64, 512))
_SIZES |= {"voca": (1, 16, 29), "nvpattexp": (8, 16, 29), "visemenet": (8, 195)}
_SIZES |= dict.fromkeys(("propainter", "propainter_ip", "propainter_rfc"), (4, 2, 240, 432))
# What those of several inputs are given beside the first.
_OTHERS = {"raft": _the_same, "voca": _a_person, "nvpattexp": _a_person, "visemenet": _three_faces}
_OTHERS |= {"propainter_rfc": _a_mask}
_OTHERS |= dict.fromkeys(("jasper", "jasperdr", "quartznet"), _its_length)
# Without these options, sound needs another library, and key points are looked for in numbers.
_OPTIONS = {"speech": {"from_audio": False}, "pose": {"return_heatmap": True}}
_OPTIONLESS = ("ibppose_coco", "lwopenpose_cmupan")


def _pytorchcv() -> Iterator[Constructor]:
    from pytorchcv import model_provider

    for name, builder in model_provider._models.items():
        family = builder.__module__.split(".")[-1]
        data = name.split("_")[-1]
        kind = _KINDS.get(family) or _DATA.get(data, "classification")
        options = {} if family in _OPTIONLESS else _OPTIONS.get(kind, {})
        build = partial(model_provider.get_model, name, pretrained=False, **options)
        if family in _OTHERS:
            build = partial(_given, build, _OTHERS[family])
        size = _always(_SIZES[family]) if family in _SIZES else _pytorchcv_size
        yield Constructor("pytorchcv", name, kind, family, build, size)


def _pytorchcv_size(network: nn.Module) -> tuple[int, ...]:
    first = next(p for p in network.parameters() if p.dim() == 4)
    return (3 if first.shape[1] != 1 else 1, *network.in_size)


def _with_numbers(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a network that packs its weights, which must have numbers for it."""
    with torch.device("cpu"):
        return build()


def _given(build: Callable[[], nn.Module], others: Callable) -> nn.Module:
    return Given(build(), others)


def _always(size: tuple[int, ...]) -> Callable[[nn.Module], tuple[int, ...]]:
    return lambda _network: size
