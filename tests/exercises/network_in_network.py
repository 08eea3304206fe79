"""The exercises of the chapter on network in network: right answers pass, wrong ones are told."""

PEAKS = (
    "def made(kernels, weights, last=True):\n"
    "    first = nn.Conv2d(1, len(kernels), (1, 3), bias=False)\n"
    "    second = nn.Conv2d(len(kernels), 1, 1, bias=False)\n"
    "    first.weight.data = torch.tensor(kernels).float()[:, None, None]\n"
    "    second.weight.data = torch.tensor(weights).float()[None, :, None, None]\n"
    "    return nn.Sequential(nn.Sequential(first, nn.ReLU()), second, nn.ReLU())\n"
)
MEAN = (
    "def mean_as_linear(classes, height, width):\n    n = height * width\n"
    "    layer = nn.Linear(classes * n, classes)\n    layer.bias.data.zero_()\n"
)
MAPS = (
    "def to_class_maps(network):\n    network = copy.deepcopy(network)\n"
    "    linear = network.head[-1]\n    C, K = linear.in_features, linear.out_features\n"
    "    network.head = nn.Conv2d(C, K, 1)\n"
)
OVERLAP = (
    "def overlap(a, b):\n    a, b = torch.tensor(a).float(), torch.tensor(b).float()\n"
    "    both = (torch.minimum(a[2:], b[2:]) - torch.maximum(a[:2], b[:2])).clamp(min=0).prod()\n"
    "    return both / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - both)\n"
)
LOCATE = (
    "def locate(one, cell):\n    rows, columns = (one > 0.3 * one.max()).nonzero().unbind(1)\n"
    "    return [cell * int(v) for v in (columns.min(), rows.min(), columns.max() + 1,\n"
    "        rows.max() + 1)]\n"
)

RIGHT = [
    (
        1,
        "def mlpconv_parameters(C, channels, K):\n    reads = [C * K * K, *channels[:-1]]\n"
        "    return float(sum(n * (m + 1) for m, n in zip(reads, channels)))",
    ),
    (
        1,
        "def mlpconv_parameters(*case):\n    return torch.tensor(count_parameters(mlpconv(*case)))",
    ),
    (
        2,
        PEAKS + "def peaks():\n    return made([[0, 1, -1], [0, -1, 1], [1, 0, -1]], [1, -1, -1])",
    ),
    (
        3,
        MEAN + "    layer.weight.data = torch.eye(classes).repeat_interleave(n, 1) / n\n"
        "    return layer",
    ),
    (
        4,
        "def box(one, cell, share=0.2):\n    peak = float(one.max())\n    if not peak > 0:\n"
        "        return None\n    kept = [(y, x) for y, row in enumerate(one.tolist())\n"
        "        for x, value in enumerate(row) if value > share * peak]\n"
        "    ys, xs = zip(*kept)\n"
        "    return [cell * n for n in (min(xs), min(ys), 1.0 + max(xs), 1 + max(ys))]",
    ),
    (
        5,
        "class Maps(nn.Module):\n    def __init__(self, network):\n        super().__init__()\n"
        "        *body, head = copy.deepcopy(network).children()\n"
        "        self.body, self.linear = nn.Sequential(*body), head[-1]\n"
        "    def forward(self, x):\n        x = self.body(x).movedim(1, -1)\n"
        "        return self.linear(x).movedim(-1, 1)\nto_class_maps = Maps",
    ),
    (6, OVERLAP + LOCATE),
]

WRONG = [
    (
        1,
        "def mlpconv_parameters(C, channels, K):\n    reads = [C * K * K, *channels[:-1]]\n"
        "    return sum(n * m for m, n in zip(reads, channels))",
        "too small",
    ),
    (
        1,
        "def mlpconv_parameters(C, channels, K):\n    total = 0\n    for n in channels:\n"
        "        total, C = total + n * (C * K * K + 1), n\n    return total",
        "too large",
    ),
    (
        1,
        "def mlpconv_parameters(C, channels, K):\n    a, b, c = channels\n"
        "    return a * (C * K * K + 1) + b * (a + 1) + c * (b + 1)",
        "ValueError",
    ),
    (
        2,
        PEAKS + "def peaks():\n    return made([[-1, 2, -1]], [1])",
        "peaks of 0 3 1 1 4 2 0 −2 −1 −5 gave",
    ),
    (
        2,
        PEAKS + "def peaks():\n    return made([[-1, 1, 0], [0, 1, -1]], [1, 1])",
        "peaks of 0 3 1 1 4 2 0 −2 −1 −5 gave",
    ),
    (
        2,
        PEAKS + "def peaks():\n    return made([[1, -1, 0], [-1, 1, 0], [1, 0, -1]], [1, -1, -1])",
        "peaks of 0 3 1 1 4 2 0 −2 −1 −5 gave",
    ),
    (2, "def peaks():\n    return nn.Sequential(nn.MaxPool2d((1, 3), 1))", "kinds of layers gave"),
    (
        3,
        MEAN + "    layer.weight.data.fill_(1 / n)\n    return layer",
        "mean_as_linear(3, 2, 2) of",
    ),
    (
        3,
        MEAN
        + "    layer.weight.data = torch.eye(classes).repeat_interleave(n, 1)\n    return layer",
        "everything is 4 times what it should be",
    ),
    (
        3,
        MEAN + "    layer.weight.data = torch.eye(classes).repeat(1, n) / n\n    return layer",
        "mean_as_linear(3, 2, 2) of maps gave",
    ),
    (
        3,
        "def mean_as_linear(*shape):\n    return nn.AdaptiveAvgPool2d(1)",
        "an nn.Linear gave False",
    ),
    (
        4,
        "def box(one, cell, share=0.2):\n    ys, xs = (one > share * one.max()).nonzero().T\n"
        "    return [cell * int(v) for v in (xs.min(), ys.min(), xs.max(), ys.max())]",
        "wrong in place 3, 4",
    ),
    (
        4,
        "def box(one, cell, share=0.2):\n    ys, xs = (one > share * one.max()).nonzero().T\n"
        "    return [cell * int(v) for v in (ys.min(), xs.min(), ys.max() + 1, xs.max() + 1)]",
        "wrong in place",
    ),
    (
        4,
        "def box(one, cell, share=0.2):\n    ys, xs = (one > 0.2 * one.max()).nonzero().T\n"
        "    return [cell * int(v) for v in (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)]",
        "with share=0.1 gave",
    ),
    (
        4,
        "def box(one, cell, share=0.2):\n    ys, xs = (one >= share * one.max()).nonzero().T\n"
        "    if not len(ys):\n        return None\n"
        "    return [cell * int(v) for v in (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)]",
        "of a map of zeros gave",
    ),
    (5, MAPS + "    return network", "means of the maps gave"),
    (
        5,
        MAPS + "    network.head.weight.data = linear.weight.data[:, :, None, None]\n"
        "    return network",
        "means of the maps gave",
    ),
    (
        5,
        "def to_class_maps(network):\n    network.head = nn.Identity()\n    return network",
        "shape of the maps gave (2, 64, 8, 8)",
    ),
    (
        6,
        "def overlap(a, b):\n    both = (min(a[2], b[2]) - max(a[0], b[0]))\n"
        "    both *= min(a[3], b[3]) - max(a[1], b[1])\n"
        "    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (a, b)]\n"
        "    return both / (sum(areas) - both)\n" + LOCATE,
        "overlap of boxes across a corner gave",
    ),
    (
        6,
        OVERLAP.replace(" - both)", ")") + LOCATE,
        "overlap of two equal boxes gave 0.5, which is too small",
    ),
    (
        6,
        OVERLAP + "def locate(one, cell):\n    return 8, 8, 24, 24",
        "mean overlap on 200 maps gave",
    ),
    (
        6,
        OVERLAP + LOCATE + "rows_first = locate\ndef locate(one, cell):\n"
        "    return [rows_first(one, cell)[k] for k in (1, 0, 3, 2)]",
        "mean overlap on 200 maps gave",
    ),
    (
        6,
        OVERLAP + "def locate(one, cell):\n    y, x = divmod(int(one.argmax()), one.shape[1])\n"
        "    return cell * x, cell * y, cell * (x + 1), cell * (y + 1)",
        "mean overlap on 200 maps gave",
    ),
]
