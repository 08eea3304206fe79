"""The exercises of Stride, padding and dilation: right answers pass, wrong ones are told why."""

SAME = (
    "def conv2d_same(x, weight, stride=1):\n    (h, w), (kh, kw) = x.shape[2:], weight.shape[2:]\n"
)

RIGHT = [
    (1, "def by_hand():\n    return [55, 112, 224, 55]"),
    (1, "def by_hand():\n    return np.array([55, 112, 224, 55])"),
    (1, "def by_hand():\n    return tuple(map(float, (55, 112, 224, 55)))"),
    (
        2,
        "def inputs(m, k, s=1, p=0, d=1):\n"
        "    return [n for n in range(1, 1000) if (n + 2 * p - d * (k - 1) - 1) // s + 1 == m]",
    ),
    (
        2,
        "def inputs(m, k, s=1, p=0, d=1):\n    least = (m - 1) * s + d * (k - 1) + 1 - 2 * p\n"
        "    return range(max(least, 1), least + s)",
    ),
    (
        2,
        "def inputs(m, k, s=1, p=0, d=1):\n"
        "    return tuple(n for n in range(1, 500) if len(windows(n, k, s, p, d)) == m)",
    ),
    (
        3,
        SAME + "    need_h = max((-(-h // stride) - 1) * stride + kh - h, 0)\n"
        "    need_w = max((-(-w // stride) - 1) * stride + kw - w, 0)\n"
        "    x = F.pad(x, (need_w // 2, -(-need_w // 2), need_h // 2, -(-need_h // 2)))\n"
        "    return F.conv2d(x, weight, stride=stride)",
    ),
    (
        4,
        "def dilated(x, weight):\n    large = torch.zeros(*weight.shape[:2], 5, 5)\n"
        "    large[:, :, ::2, ::2] = weight\n    return F.conv2d(x, large)",
    ),
    (
        4,
        "def dilated(x, weight):\n    N, C, H, W = x.shape\n"
        "    parts = x.view(N, C, H // 2, 2, W // 2, 2).permute(3, 5, 0, 1, 2, 4)\n"
        "    y = F.conv2d(parts.reshape(4 * N, C, H // 2, W // 2), weight)\n"
        "    y = y.view(2, 2, N, -1, H // 2 - 2, W // 2 - 2).permute(2, 3, 4, 0, 5, 1)\n"
        "    return y.reshape(N, -1, H - 4, W - 4)",
    ),
    (
        5,
        "def ceiling(width, kernels):\n    reach = sum(k // 2 for k in kernels)\n"
        "    return min(1.0, 0.5 + 2 * reach / width)",
    ),
    (
        5,
        "def ceiling(width, kernels):\n    a = sum(kernels) - len(kernels)\n"
        "    known = [c < a or c >= width - a for c in range(width)]\n"
        "    return torch.tensor([1.0 if k else 0.5 for k in known]).mean()",
    ),
]

WRONG = [
    (1, "def by_hand():\n    return 55", "where 4 values are wanted"),
    (1, "def by_hand():\n    return [55]", "1 instead of 4 values"),
    (1, "def by_hand():\n    return 54, 111, 223, 54", "wrong in place 1, 2, 3, 4"),
    (1, "def by_hand():\n    return 55.25, 112.5, 224, 55.5", "wrong in place 1, 2, 4 of 4"),
    (
        2,
        "def inputs(m, k, s=1, p=0, d=1):\n    least = (m - 1) * s + d * (k - 1) + 1 - 2 * p\n"
        "    return list(range(least, least + s))",
        "inputs(1, 3, 3, 2, 1) gave [-1, 0, 1]: 3 instead of",
    ),
    (
        2,
        "def inputs(m, k, s=1, p=0, d=1):\n    return [(m - 1) * s + d * (k - 1) + 1 - 2 * p]",
        "inputs(7, 3, 2, 1, 1) gave [13]: 1 instead of 2 values",
    ),
    (
        2,
        "def inputs(m, k, s=1, p=0, d=1):\n    least = (m - 1) * s + k - 2 * p\n"
        "    return [n for n in range(least, least + s) if n >= 1]",
        "inputs(6, 3, 3, 2, 2) gave",
    ),
    (
        3,
        SAME + "    y = F.conv2d(x, weight, stride=stride, padding=(kh // 2, kw // 2))\n"
        "    return y[:, :, : -(-h // stride), : -(-w // stride)]",
        "8×8, kernel 3×3, stride 2 gave",
    ),
    (
        3,
        SAME + "    (a, b), (c, d) = (tensorflow_padding(n, k, stride)\n"
        "        for n, k in ((h, kh), (w, kw)))\n"
        "    return F.conv2d(F.pad(x, (a, b, c, d)), weight, stride=stride)",
        "9×12, kernel 3×5, stride 2 gave",
    ),
    (
        3,
        SAME + "    (a, b), (c, d) = (tensorflow_padding(n, k, stride)\n"
        "        for n, k in ((h, kh), (w, kw)))\n"
        "    return F.conv2d(F.pad(x, (d, c, b, a)), weight, stride=stride)",
        "8×8, kernel 3×3, stride 2 gave",
    ),
    (
        3,
        SAME + "    return F.conv2d(x, weight, stride=stride)",
        "where (2, 4, 4, 4) is wanted",
    ),
    (
        4,
        "def dilated(x, weight):\n    return F.conv2d(x, weight, dilation=2)",
        "the largest dilation of a convolution gave 2",
    ),
    (
        4,
        "def dilated(x, weight):\n    layer = nn.Conv2d(3, 4, 3, dilation=2, bias=False)\n"
        "    layer.weight.data = weight\n    return layer(x)",
        "the largest dilation of a convolution gave 2",
    ),
    (
        4,
        "def dilated(x, weight):\n    return F.conv2d(x[:, :, ::2, ::2], weight)",
        "where (2, 4, 4, 4) is wanted",
    ),
    (
        4,
        "def dilated(x, weight):\n    N, _, H, W = x.shape\n"
        "    y = x.new_zeros(N, len(weight), H - 4, W - 4)\n    for i in (0, 1):\n"
        "        for j in (0, 1):\n"
        "            y[:, :, j::2, i::2] = F.conv2d(x[:, :, i::2, j::2], weight)\n    return y",
        "dilated, 8×8 gave",
    ),
    (
        5,
        "def ceiling(width, kernels):\n    reach = sum(k // 2 for k in kernels)\n"
        "    return min(1.0, 0.5 + reach / width)",
        "ceiling(16, [3]) gave 0.5625, which is too small",
    ),
    (
        5,
        "def ceiling(width, kernels):\n    known = 2 * sum(k - 1 for k in kernels)\n"
        "    return min(1.0, known / width)",
        "ceiling(16, [3]) gave 0.25, which is too small",
    ),
    (
        5,
        "def ceiling(width, kernels):\n    return 0.5 + sum(k - 1 for k in kernels) / width",
        "ceiling(16, [5, 5, 5]) gave 1.25, which is too large",
    ),
    (
        5,
        "def ceiling(width, kernels):\n    return min(1.0, 0.5 + sum(kernels) / width)",
        "which is too large",
    ),
]
