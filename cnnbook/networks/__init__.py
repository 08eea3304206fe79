"""The networks of the book, collected from its chapters by `make export`."""

from cnnbook.networks.alexnet_overfeat import alexnet, alexnet_owt, overfeat, overfeat_accurate
from cnnbook.networks.inception import googlenet, googlenet_bn, inception_network, inception_v3
from cnnbook.networks.lenet import lenet5, lenet5_tutorial
from cnnbook.networks.network_in_network import mlpconv_network, nin, nin_imagenet
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
from cnnbook.networks.vgg import (
    vgg11,
    vgg11_lrn,
    vgg13,
    vgg16,
    vgg16_c,
    vgg19,
    vgg_network,
    vgg_small,
)

__all__ = [
    "alexnet",
    "alexnet_owt",
    "cifar_resnet",
    "googlenet",
    "googlenet_bn",
    "imagenet_resnet",
    "inception_network",
    "inception_v3",
    "lenet5",
    "lenet5_tutorial",
    "mlpconv_network",
    "nin",
    "nin_imagenet",
    "overfeat",
    "overfeat_accurate",
    "residual_network",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "vgg11",
    "vgg11_lrn",
    "vgg13",
    "vgg16",
    "vgg16_c",
    "vgg19",
    "vgg_network",
    "vgg_small",
]
