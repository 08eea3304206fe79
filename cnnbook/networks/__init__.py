"""The networks of the book, collected from its chapters by `make export`."""

from cnnbook.networks.alexnet_overfeat import alexnet, alexnet_owt, overfeat, overfeat_accurate
from cnnbook.networks.extreme_inception import xception
from cnnbook.networks.inception import googlenet, googlenet_bn, inception_network, inception_v3
from cnnbook.networks.inception_resnet import (
    inception_resnet_v1,
    inception_resnet_v2,
    inception_v4,
    schema_network,
)
from cnnbook.networks.lenet import lenet5, lenet5_tutorial
from cnnbook.networks.network_in_network import mlpconv_network, nin, nin_imagenet
from cnnbook.networks.pre_activation import preact_network, preact_resnet, preact_resnet200
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
from cnnbook.networks.resnext import (
    cifar_resnext,
    resnext50_32x4d,
    resnext101_32x4d,
    resnext101_64x4d,
)
from cnnbook.networks.senet import (
    se_resnet50,
    se_resnet101,
    se_resnet152,
    se_resnext50_32x4d,
    se_resnext101_32x4d,
    senet154,
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
    "cifar_resnext",
    "googlenet",
    "googlenet_bn",
    "imagenet_resnet",
    "inception_network",
    "inception_resnet_v1",
    "inception_resnet_v2",
    "inception_v3",
    "inception_v4",
    "lenet5",
    "lenet5_tutorial",
    "mlpconv_network",
    "nin",
    "nin_imagenet",
    "overfeat",
    "overfeat_accurate",
    "preact_network",
    "preact_resnet",
    "preact_resnet200",
    "residual_network",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x4d",
    "resnext101_64x4d",
    "schema_network",
    "se_resnet50",
    "se_resnet101",
    "se_resnet152",
    "se_resnext50_32x4d",
    "se_resnext101_32x4d",
    "senet154",
    "vgg11",
    "vgg11_lrn",
    "vgg13",
    "vgg16",
    "vgg16_c",
    "vgg19",
    "vgg_network",
    "vgg_small",
    "xception",
]
