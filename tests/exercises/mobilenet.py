"""The exercises of the chapter on MobileNet: right answers pass, plausible wrong ones do not."""

WRONG = {
    1: {
        "def pair_cost(k, m, n, side, stride):\n    return k * k * m * n * side**2": "too large",
        "def pair_cost(k, m, n, side, stride):\n    return (k * k * m + m * n) * side**2": (
            "pair_cost(3, 64, 128, 112, 2)"
        ),
        "def pair_cost(k, m, n, side, stride):\n"
        "    return k * k * m * side**2 + m * n * (side // stride)**2": (
            "pair_cost(3, 64, 128, 112, 2)"
        ),
        "def pair_cost(k, m, n, side, stride):\n"
        "    return (k * k * m + m * n) * (side // stride)**2": "pair_cost(5, 8, 16, 7, 2)",
        "def pair_cost(k, m, n, side, stride):\n    return k * k * m + m * n": "too small",
    },
    2: {
        "def same_padding(side, k, stride):\n    return k // 2, k // 2": "same_padding(224, 3, 2)",
        "def same_padding(side, k, stride):\n"
        "    total = max(0, (-(-side // stride) - 1) * stride + k - side)\n"
        "    return total - total // 2, total // 2": "same_padding(224, 3, 2)",
        "def same_padding(side, k, stride):\n"
        "    total = (-(-side // stride) - 1) * stride + k - side\n"
        "    return total // 2, total - total // 2": "same_padding(6, 1, 2)",
        "def same_padding(side, k, stride):\n"
        "    total = max(0, (side // stride - 1) * stride + k - side)\n"
        "    return total // 2, total - total // 2": "same_padding(225, 3, 2)",
    },
    3: {
        "def multiplied(m, n, k):\n    return depthwise_separable(m, n)": "multiplied(8, 12, 3)",
        "def multiplied(m, n, k):\n    return nn.Sequential(\n"
        "        *conv_bn_relu(m, m * k, 3, groups=m * k), *conv_bn_relu(m * k, n, 1))": (
            "after 5 right, ValueError"
        ),
        "def multiplied(m, n, k):\n    return nn.Sequential(\n"
        "        *conv_bn_relu(m, m * k, 3), *conv_bn_relu(m * k, n, 1))": "too large",
        "def multiplied(m, n, k):\n    return depthwise_separable(m * k, n)": (
            "multiplied(8, 12, 3)"
        ),
        "def multiplied(m, n, k):\n    d = nn.Conv2d(m, m * k, 3, groups=m, bias=False)\n"
        "    norm = nn.BatchNorm2d(m * k)\n"
        "    return nn.Sequential(d, norm, nn.ReLU(), *conv_bn_relu(m * k, n, 1))": (
            "output of multiplied"
        ),
        "def multiplied(m, n, k):\n    shape = m, m * k, 3, 1, 1, 1, m, False\n"
        "    d = nn.Conv2d(*shape)\n"
        "    return nn.Sequential(d, nn.BatchNorm2d(m * k), *conv_bn_relu(m * k, n, 1))": (
            "values of multiplied"
        ),
        "def multiplied(m, n, k):\n    d = nn.Conv2d(m, m * k, 3, 1, 1, 1, m, False)\n"
        "    p = nn.Conv2d(m * k, n, 1, bias=False)\n"
        "    norms = nn.BatchNorm2d(m * k), nn.BatchNorm2d(n)\n"
        "    return nn.Sequential(d, nn.ReLU(), norms[0], p, nn.ReLU(), norms[1])": (
            "values of multiplied"
        ),
    },
    4: {
        "def least_seconds(c, side, p, b):\n    return (9 * c + c * c) * side**2 / p": (
            "a slow memory"
        ),
        "def least_seconds(c, side, p, b):\n"
        "    return (4 * c * side**2 + 9 * c + c * c) / b": "a slow processor",
        "def least_seconds(c, side, p, b):\n"
        "    return max((9 * c + c * c) * side**2 / p, (4 * c * side**2 + 9 * c + c * c) / b)": (
            "a real one"
        ),
        "def least_seconds(c, side, p, b):\n    t = 0\n    for w in (9 * c, c * c):\n"
        "        t += max(w * side**2 / p, 2 * c * side**2 / b)\n    return t": "too small",
        "def least_seconds(c, side, p, b):\n    t = 0\n    for w in (9 * c, c * c):\n"
        "        t += w * side**2 / p + (2 * c * side**2 + w) / b\n    return t": "too large",
    },
    5: {
        "def thin(pairs, budget, side):\n    return 1.0": "too large",
        "def thin(pairs, budget, side):\n"
        "    whole = multiply_adds(mobilenet_v1(10, pairs=pairs), (3, side, side))\n"
        "    return int(32 * (budget / whole) ** 0.5) / 32": "thin(4 pairs, 1,000,000, 32)",
        "def thin(pairs, budget, side):\n    k = 1\n"
        "    while multiply_adds(\n"
        "        mobilenet_v1(10, width=k / 32, pairs=pairs), (3, side, side)\n"
        "    ) < budget:\n        k += 1\n    return (k - 1) / 32": "too small",
        "def thin(pairs, budget, side):\n    k = 1\n"
        "    while multiply_adds(\n"
        "        mobilenet_v1(10, width=k / 32, pairs=pairs), (3, 32, 32)\n"
        "    ) <= budget:\n        k += 1\n    return (k - 1) / 32": "1,000,000, 16",
    },
}

RIGHT = [
    (
        3,
        "class Pair(nn.Module):\n    def __init__(self, m, n, k):\n        super().__init__()\n"
        "        self.d = nn.Conv2d(m, m * k, 3, padding=1, groups=m, bias=False)\n"
        "        self.a, self.b = nn.BatchNorm2d(m * k), nn.BatchNorm2d(n)\n"
        "        self.p = nn.Conv2d(m * k, n, 1, bias=False)\n"
        "    def forward(self, x):\n"
        "        return torch.relu(self.b(self.p(torch.relu(self.a(self.d(x))))))\n"
        "def multiplied(m, n, k): return Pair(m, n, k)",
    ),
    (
        1,
        "def pair_cost(k, m, n, side, stride):\n"
        "    out = (side + 2 * (k // 2) - k) // stride + 1\n"
        "    return torch.tensor(out * out * m * (k * k + n))",
    ),
    (
        2,
        "import math\n\ndef same_padding(side, k, stride):\n"
        "    rest = side % stride or stride\n    zeros = max(0, k - rest)\n"
        "    return [math.floor(zeros / 2), math.ceil(zeros / 2)]",
    ),
    (
        3,
        "class multiplied(nn.Module):\n    def __init__(self, m, n, k):\n"
        "        super().__init__()\n"
        "        self.layers = nn.Sequential(\n"
        "            nn.Conv2d(m, m * k, 3, padding='same', groups=m, bias=False),\n"
        "            nn.BatchNorm2d(m * k), nn.ReLU(), nn.Conv2d(m * k, n, 1, bias=False),\n"
        "            nn.BatchNorm2d(n), nn.ReLU())\n"
        "    def forward(self, x):\n        return self.layers(x)",
    ),
    (
        4,
        "def least_seconds(c, side, p, b):\n    def half(adds, weights):\n"
        "        numbers = 2 * c * side**2 + weights\n"
        "        return adds / min(p, adds / numbers * b)\n"
        "    return half(9 * c * side**2, 9 * c) + half(c * c * side**2, c * c)",
    ),
    (
        5,
        "def thin(pairs, budget, side):\n    best = 0\n    for k in range(1, 80):\n"
        "        with torch.device('meta'):\n"
        "            network = mobilenet_v1(10, width=k / 32, pairs=pairs)\n"
        "        if multiply_adds(network, (3, side, side)) <= budget:\n            best = k / 32\n"
        "        else:\n            return best",
    ),
]
