"""The exercises of the chapter on ShuffleNet: right answers pass, plausible wrong ones do not."""

WRONG = {
    1: {
        "def source(place, g, channels):\n    return place": "6 channels in 3 groups",
        "def source(place, g, channels):\n"
        "    n = channels // g\n    return place % n * g + place // n": "6 channels in 3 groups",
        "def source(place, g, channels):\n"
        "    return place % g * (channels // g)": "6 channels in 3 groups",
        "def source(place, g, channels):\n"
        "    return place % g * 2 + place // g": "10 channels in 2 groups",
    },
    2: {
        "def unit_cost(c, n, side, g, stride):\n"
        "    m = n // 4\n    return side**2 * (c * m + 9 * m + m * n)": (
            "unit_cost(240, 240, 28, 3, 1)"
        ),
        "def unit_cost(c, n, side, g, stride):\n    m, s = n // 4, -(-side // stride)\n"
        "    return side**2 * c * m // g + s * s * (9 * m + m * n // g)": (
            "unit_cost(48, 96, 8, 4, 2)"
        ),
        "def unit_cost(c, n, side, g, stride):\n    m, s = n // 4, -(-side // stride)\n"
        "    n -= c if stride == 2 else 0\n"
        "    return s * s * (c * m // g + 9 * m + m * n // g)": "unit_cost(48, 96, 8, 4, 2)",
        "def unit_cost(c, n, side, g, stride):\n    m, s = n // 4, side // stride\n"
        "    n -= c if stride == 2 else 0\n"
        "    return side**2 * c * m // g + s * s * (9 * m + m * n // g)": (
            "unit_cost(48, 96, 7, 2, 2)"
        ),
        "def unit_cost(c, n, side, g, stride):\n    n -= c if stride == 2 else 0\n"
        "    m, s = n // 4, -(-side // stride)\n"
        "    return side**2 * c * m // g + s * s * (9 * m + m * n // g)": (
            "unit_cost(48, 96, 8, 4, 2)"
        ),
    },
    3: {
        "def folded(conv, g):\n    return conv": "of random images",
        "def folded(conv, g):\n    return nn.Sequential(conv, ChannelShuffle(g))": (
            "is a convolution"
        ),
        "def folded(conv, g):\n    new = copy.deepcopy(conv)\n"
        "    rows = conv.weight.data.transpose(0, 1)\n"
        "    new.weight.data = ChannelShuffle(g)(rows).transpose(0, 1)\n"
        "    return new": "with a bias",
        "def folded(conv, g):\n    new = copy.deepcopy(conv)\n    n = conv.out_channels // g\n"
        "    new.weight.data = ChannelShuffle(n)(conv.weight.data[None].flatten(2, 3))"
        ".view_as(conv.weight)\n    return new": "of random images",
        "def folded(conv, g):\n    order = ChannelShuffle(g)(\n"
        "        torch.arange(conv.out_channels)[None, :, None, None]).flatten()\n"
        "    conv.weight.data = conv.weight.data[order]\n    if conv.bias is not None:\n"
        "        conv.bias.data = conv.bias.data[order]\n    return conv": "left conv as it was",
        "def folded(conv, g):\n    order = ChannelShuffle(g)(\n"
        "        torch.arange(conv.out_channels)[None, :, None, None]).flatten()\n"
        "    new = copy.deepcopy(conv)\n    new.weight.data = conv.weight.data[order]\n"
        "    if conv.bias is not None:\n        conv.bias.data = conv.bias.data[order]\n"
        "        new.bias = conv.bias\n    return new": "left conv as it was",
    },
    4: {
        "def moved(c, n, side, g):\n    return side**2 * (c + n) + c * n\n\n"
        "def widest(c, side, g):\n    return 1": "moved(12, 24, 5, 3)",
        "def moved(c, n, side, g):\n    return side**2 * (c + n)\n\n"
        "def widest(c, side, g):\n    return 1": "too small",
        "def moved(c, n, side, g):\n    return side**2 * (c + n) + c * n // g\n\n"
        "def widest(c, side, g):\n    return moved(c, c, side, g) / moved(c, c, side, 1)": (
            "widest(64, 28, 4)"
        ),
        "def moved(c, n, side, g):\n    return side**2 * (c + n) + c * n // g\n\n"
        "def widest(c, side, g):\n    return moved(g * c, g * c, side, g) / moved(c, c, side, 1)": (
            "widest(64, 28, 4)"
        ),
        "def moved(c, n, side, g):\n    return side**2 * (c + n) + c * n // g\n\n"
        "def widest(c, side, g):\n    ...": "gives something",
    },
    5: {
        "def connected(order, g):\n    return 1.0": "too large",
        "def connected(order, g):\n    n = len(order) // g\n"
        "    return sum(p // n != c // n for p, c in enumerate(order)) / len(order)": "too small",
        "def connected(order, g):\n    n = len(order) // g\n"
        "    return len({(p // g, c // g) for p, c in enumerate(order)}) / g**2": "connected(",
        "def connected(order, g):\n    n = len(order) // g\n"
        "    return min(1, n / g) if order != sorted(order) else 1 / g": (
            "connected([2, 3, 0, 1], 2)"
        ),
        "def connected(order, g):\n    n = len(order) // g\n"
        "    return len({(p // n, c // n) for p, c in enumerate(order)})": "too large",
    },
}

RIGHT = [
    (
        1,
        "def source(place, g, channels):\n"
        "    table = [[j * (channels // g) + i for i in range(channels // g)] for j in range(g)]\n"
        "    return [c for column in zip(*table) for c in column][place]",
    ),
    (
        1,
        "def source(place, g, channels):\n"
        "    return torch.arange(channels).view(g, -1).T.flatten()[place]",
    ),
    (
        2,
        "def unit_cost(c, n, side, g, stride):\n"
        "    unit = shuffle_unit(c, n, stride, groups=g)\n"
        "    return multiply_adds(unit, (c, side, side))",
    ),
    (
        2,
        "import math\n\ndef unit_cost(c, n, side, g, stride):\n"
        "    small, m = math.ceil(side / stride) ** 2, n / 4\n"
        "    last = n - c * (stride - 1)\n"
        "    return side * side * c * m / g + small * 9 * m + small * m * last / g",
    ),
    (
        3,
        "def folded(conv, g):\n    n = conv.out_channels // g\n"
        "    order = [p % g * n + p // g for p in range(conv.out_channels)]\n"
        "    new = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size,\n"
        "        padding=conv.padding, bias=conv.bias is not None).to(conv.weight.dtype)\n"
        "    with torch.no_grad():\n        new.weight.copy_(conv.weight[order])\n"
        "        if conv.bias is not None:\n            new.bias.copy_(conv.bias[order])\n"
        "    return new",
    ),
    (
        4,
        "def moved(c, n, side, g):\n    layer = nn.Conv2d(c, n, 1, groups=g, bias=False)\n"
        "    return side * side * c + side * side * n + layer.weight.numel()\n\n"
        "def widest(c, side, g):\n    hw = side**2\n"
        "    return (hw * (1 + g) + c) / (2 * hw + c)",
    ),
    (
        5,
        "def connected(order, g):\n    n = len(order) // g\n"
        "    met = torch.zeros(g, g)\n    for place, channel in enumerate(order):\n"
        "        met[channel // n, place // n] = 1\n    return met.mean()",
    ),
]
