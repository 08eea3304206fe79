"""The networks of the book, collected from its chapters by `make export`."""

from cnnbook.networks.resnet import (
    cifar_resnet,
    imagenet_resnet,
    residual_network,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
)

__all__ = [
    "cifar_resnet",
    "imagenet_resnet",
    "residual_network",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
]
