"""The networks of the book, collected from its chapters by `make export`."""

from cnnbook.networks.alexnet_overfeat import alexnet, alexnet_owt, overfeat, overfeat_accurate
from cnnbook.networks.densenet import (
    cifar_densenet,
    cifar_densenet_bc,
    dense_network,
    densenet121,
    densenet161,
    densenet169,
    densenet201,
    densenet264,
    imagenet_densenet,
)
from cnnbook.networks.extreme_inception import xception
from cnnbook.networks.inception import googlenet, googlenet_bn, inception_network, inception_v3
from cnnbook.networks.inception_resnet import (
    inception_resnet_v1,
    inception_resnet_v2,
    inception_v4,
    schema_network,
)
from cnnbook.networks.inverted_residuals import mobilenet_v2, mobilenet_v3_large, mobilenet_v3_small
from cnnbook.networks.lenet import lenet5, lenet5_tutorial
from cnnbook.networks.mobilenet import mobilenet_v1
from cnnbook.networks.network_in_network import mlpconv_network, nin, nin_imagenet
from cnnbook.networks.polynomials import poly_network, polynet
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
from cnnbook.networks.squeezenet import fire_network, squeezenet1_0, squeezenet1_1
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
from cnnbook.networks.wide_pyramid import (
    imagenet_pyramidnet,
    pyramid_network,
    pyramidnet,
    pyramidnet101_360,
    pyramidnet200_300,
    pyramidnet200_450,
    wide_resnet,
    wide_resnet50_2,
)

__all__ = [
    "alexnet",
    "alexnet_owt",
    "cifar_densenet",
    "cifar_densenet_bc",
    "cifar_resnet",
    "cifar_resnext",
    "dense_network",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "densenet264",
    "fire_network",
    "googlenet",
    "googlenet_bn",
    "imagenet_densenet",
    "imagenet_pyramidnet",
    "imagenet_resnet",
    "inception_network",
    "inception_resnet_v1",
    "inception_resnet_v2",
    "inception_v3",
    "inception_v4",
    "lenet5",
    "lenet5_tutorial",
    "mlpconv_network",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "nin",
    "nin_imagenet",
    "overfeat",
    "overfeat_accurate",
    "poly_network",
    "polynet",
    "preact_network",
    "preact_resnet",
    "preact_resnet200",
    "pyramid_network",
    "pyramidnet",
    "pyramidnet101_360",
    "pyramidnet200_300",
    "pyramidnet200_450",
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
    "squeezenet1_0",
    "squeezenet1_1",
    "vgg11",
    "vgg11_lrn",
    "vgg13",
    "vgg16",
    "vgg16_c",
    "vgg19",
    "vgg_network",
    "vgg_small",
    "wide_resnet",
    "wide_resnet50_2",
    "xception",
]
