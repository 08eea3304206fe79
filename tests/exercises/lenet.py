"""The exercises of the chapter on LeNet-5: right answers pass, wrong ones are told why."""

CONVOLUTION = (
    "def as_convolution(subsample):\n    C = len(subsample.bias)\n"
    "    made = nn.Conv2d(C, C, 2, stride=2, groups=C)\n"
)
ORDER = (
    "def reordered(network, order):\n    network = copy.deepcopy(network)\n"
    "    C1, C3 = network.C1[0], network.C3[0]\n"
)
ONLY = (
    "def point(linear):\n    made = nn.Conv2d(linear.in_features, linear.out_features, 1)\n"
    "    made.weight.data = linear.weight.data[:, :, None, None]\n"
    "    made.bias.data = linear.bias.data\n    return made\n"
)
COPIES = (
    "def with_copies(images, labels, copies):\n"
    "    more = [change(images, k) for k in range(copies)]\n"
    "    return torch.cat([images, *more]), labels.repeat(copies + 1)\n"
)

RIGHT = [
    (1, "def connections(m, n, k, p):\n    return float(n * p**2 * (m * k**2 + 1))"),
    (
        1,
        "def connections(m, n, k, p):\n    weights = torch.ones(n, m, k, k, p, p).sum()\n"
        "    return weights + n * p * p",
    ),
    (
        2,
        CONVOLUTION + "    made.weight.data = subsample.weight.data.repeat(1, 2, 2)[:, None]\n"
        "    made.bias.data = subsample.bias.data.view(-1)\n    return made",
    ),
    (
        3,
        ORDER + "    C1.weight.data = torch.stack([C1.weight.data[k] for k in order])\n"
        "    C1.bias.data = C1.bias.data[torch.tensor(order)]\n"
        "    C3.weight.data = C3.weight.data[:, order]\n    return network",
    ),
    (
        4,
        ONLY + "class Only(nn.Module):\n    def __init__(self, network):\n"
        "        super().__init__()\n        self.trunk = network[:5]\n"
        "        self.F6, self.out = point(network.F6[0]), point(network.output)\n"
        "    def forward(self, x):\n        return self.out(self.F6(self.trunk(x)).tanh())\n"
        "convolutions_only = Only",
    ),
    (
        5,
        COPIES + "def change(images, seed):\n    g = torch.Generator().manual_seed(seed)\n"
        "    n = len(images)\n    theta = torch.eye(2, 3).repeat(n, 1, 1)\n"
        "    theta[:, :, 2] = (2 * torch.rand(n, 2, generator=g) - 1) / 6\n"
        "    theta[:, 0, 1] = 0.2 * torch.rand(n, generator=g) - 0.1\n"
        "    grid = F.affine_grid(theta, images.shape, align_corners=False)\n"
        "    return F.grid_sample(images + 0.1, grid, align_corners=False) - 0.1",
    ),
    (
        5,
        "def with_copies(images, labels, copies):\n    steps = (2, -1), (-2, 1), (1, 2), (-1, -2)\n"
        "    more = [images.roll(steps[k % 4], dims=(2, 3)) for k in range(copies)]\n"
        "    return [torch.cat([images, *more]), torch.cat([labels] * (1 + copies))]",
    ),
]

WRONG = [
    (1, "def connections(m, n, k, p):\n    return n * p * p * m * k * k", "too small"),
    (1, "def connections(m, n, k, p):\n    return n * (m * k * k + 1)", "too small"),
    (1, "def connections(m, n, k, p):\n    return n * p * (m * k * k + 1)", "too small"),
    (1, "def connections(m, n, k, p):\n    return n * (p * p * m * k * k + 1)", "too small"),
    (1, "def connections(m, n, k, p):\n    return n * p * p * (25 * m + 1)", "(3, 4, 7, 9)"),
    (1, "def connections(m, n, k, p):\n    return n * p * p * m * (k * k + 1)", "(16, 120, 5, 1)"),
    (
        2,
        CONVOLUTION + "    made.weight.data = subsample.weight.data.repeat(1, 2, 2)[:, None] / 4\n"
        "    made.bias.data = subsample.bias.data.view(-1)\n    return made",
        "everything is 0.25 times what it should be",
    ),
    (
        2,
        CONVOLUTION + "    made.weight.data = subsample.weight.data.repeat(1, 2, 2)[:, None]\n"
        "    return made",
        "everything is off by the same amount",
    ),
    (
        2,
        "def as_convolution(subsample):\n    C = len(subsample.bias)\n"
        "    made = nn.Conv2d(C, C, 2, stride=2)\n    made.weight.data.zero_()\n"
        "    for k in range(C):\n        made.weight.data[k, k] = subsample.weight.data[k]\n"
        "    made.bias.data = subsample.bias.data.view(-1)\n    return made",
        "its parameters for 6 maps gave 150, which is too large",
    ),
    (2, "def as_convolution(subsample):\n    return nn.AvgPool2d(2)", "an nn.Conv2d gave False"),
    (
        3,
        ORDER + "    C1.weight.data, C1.bias.data = C1.weight.data[order], C1.bias.data[order]\n"
        "    return network",
        "logits for the order",
    ),
    (
        3,
        ORDER + "    C1.weight.data = C1.weight.data[order]\n"
        "    C3.weight.data = C3.weight.data[:, order]\n    return network",
        "maps of C1 in the order",
    ),
    (
        3,
        ORDER + "    order = torch.tensor(order).argsort()\n"
        "    C1.weight.data, C1.bias.data = C1.weight.data[order], C1.bias.data[order]\n"
        "    C3.weight.data = C3.weight.data[:, order]\n    return network",
        "maps of C1 in the order [3, 5, 0, 1, 4, 2]",
    ),
    (
        3,
        "def reordered(network, order):\n    C1, C3 = network.C1[0], network.C3[0]\n"
        "    C1.weight.data, C1.bias.data = C1.weight.data[order], C1.bias.data[order]\n"
        "    C3.weight.data = C3.weight.data[:, order]\n    return network",
        "maps of C1 of the original afterwards",
    ),
    (3, "def reordered(network, order):\n    return network", "maps of C1 in the order"),
    (
        4,
        ONLY + "def convolutions_only(network):\n"
        "    return nn.Sequential(*network[:5], point(network.F6[0]), point(network.output))",
        "32×64, place 0, beside the network on columns 0 to 31",
    ),
    (
        4,
        ONLY + "def convolutions_only(network):\n    return nn.Sequential(*network[:5],\n"
        "        nn.Conv2d(120, 84, 1), nn.Tanh(), nn.Conv2d(84, 10, 1))",
        "32×64, place 0, beside the network on columns 0 to 31",
    ),
    (4, "def convolutions_only(network):\n    return network", "linear layers left gave 2"),
    (
        4,
        ONLY + "def convolutions_only(network):\n    return nn.Sequential(*network[:5],\n"
        "        point(network.F6[0]), nn.Tanh(), point(network.output), nn.Flatten())",
        "shape of its output for 32×64 gave (2, 90)",
    ),
    (
        5,
        COPIES + "def change(images, k):\n    return images",
        "those that are equal gave 300, which is too large",
    ),
    (
        5,
        COPIES.replace("labels.repeat(copies + 1)", "labels.repeat_interleave(copies + 1)")
        + "def change(images, k):\n    return moved(images, seed=k)",
        "the labels",
    ),
    (
        5,
        COPIES + "def change(images, k):\n    return images.roll(k + 1, dims=3)",
        "share named by the nearest image",
    ),
    (
        5,
        COPIES + "def change(images, k):\n"
        "    return (images + 0.1 * torch.randn(images.shape)).clamp(-0.1, 1.175)",
        "gave",
    ),
    (
        5,
        COPIES + "def change(images, k):\n    return F.pad(images, (3, -3, k - 1, 1 - k))",
        "share of corners that are background",
    ),
    (
        5,
        COPIES + "def change(images, k):\n    return 1.2 * moved(images, seed=k)",
        "between −0.1 and 1.175 gave False",
    ),
]
