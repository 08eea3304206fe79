"""The exercises of the chapter on channels: right answers pass, plausible wrong ones are told."""

CONV = "def as_convolution(linear):\n    bias = linear.bias is not None\n"
WEIGHT = "    conv.weight = nn.Parameter(linear.weight.detach().clone()[..., None, None])\n"
NEAREST = (
    "def nearest_separable(weight):\n    N, M, K, _ = weight.shape\n"
    "    U, S, V = torch.linalg.svd(weight.transpose(0, 1).flatten(2), full_matrices=False)\n"
)
HEAD = "nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear"

RIGHT = [
    (
        1,
        CONV
        + "    conv = nn.Conv2d(linear.in_features, linear.out_features, 1, bias=bias)\n"
        + WEIGHT
        + "    conv.bias = linear.bias\n    return conv",
    ),
    (
        1,
        CONV + "    conv = nn.Conv2d(*linear.weight.shape[::-1], (1, 1), bias=bias)\n"
        "    state = dict(linear.state_dict())\n"
        "    state['weight'] = state['weight'].reshape(*linear.weight.shape, 1, 1)\n"
        "    conv.load_state_dict(state)\n    return conv",
    ),
    (2, "def read_off(shape, C):\n    g = C / shape[1]\n    return [g, shape[0] / g]"),
    (
        2,
        "def read_off(shape, C):\n    g = torch.tensor(C) // shape[1]\n"
        "    return torch.stack([g, shape[0] // g])",
    ),
    (
        3,
        "def least_channels(factor, kernel_size):\n    k = kernel_size**2\n    if factor < k:\n"
        "        return next(N for N in range(10**6) if N * (k - factor) >= factor * k)",
    ),
    (
        3,
        "from fractions import Fraction\nimport math\n"
        "def least_channels(factor, kernel_size):\n"
        "    left = Fraction(1, factor) - Fraction(1, kernel_size**2)\n"
        "    return math.ceil(1 / left) if left > 0 else None",
    ),
    (
        4,
        "def unshuffle(x, groups):\n    N, C, H, W = x.shape\n"
        "    return x.view(N, C // groups, groups, H, W).transpose(1, 2).reshape(x.shape)",
    ),
    (
        4,
        "def unshuffle(x, groups):\n    C = x.shape[1]\n"
        "    order = shuffle(torch.arange(C).view(1, C, 1, 1), groups).flatten()\n"
        "    return x[:, order.argsort()]",
    ),
    (
        4,
        "def unshuffle(x, groups):\n"
        "    return torch.cat([x[:, g::groups] for g in range(groups)], 1)",
    ),
    (
        5,
        NEAREST + "    root = S[:, 0].sqrt()\n"
        "    return [(V[:, 0] * root[:, None]).view(M, 1, K, K), "
        "(U[:, :, 0] * root[:, None]).T.reshape(N, M, 1, 1)]",
    ),
    (
        5,
        "def nearest_separable(weight):\n    N, M, K, _ = weight.shape\n"
        "    places, mixed = [], []\n    for c in range(M):\n"
        "        table = weight[:, c].flatten(1)\n"
        "        _, vectors = torch.linalg.eigh(table.T @ table)\n"
        "        places.append(vectors[:, -1].view(1, K, K))\n"
        "        mixed.append(table @ vectors[:, -1])\n"
        "    return torch.stack(places), torch.stack(mixed, 1)[..., None, None]",
    ),
    (
        6,
        "def build():\n    return nn.Sequential(*normed(nn.Conv2d(1, 16, 3, 2, 1, bias=False)), "
        "ordinary_block(16, 24, 2), "
        f"separable_block(24, 64), {HEAD}(64, 10))",
    ),
]

WRONG = [
    (
        1,
        CONV + "    return nn.Conv2d(linear.in_features, linear.out_features, 1, bias=bias)",
        "its output gave",
    ),
    (
        1,
        CONV
        + "    conv = nn.Conv2d(linear.in_features, linear.out_features, 1, bias=False)\n"
        + WEIGHT
        + "    return conv",
        "as_convolution(nn.Linear(3, 5)), its parameters gave 15, which is too small",
    ),
    (
        1,
        CONV
        + "    conv = nn.Conv2d(linear.in_features, linear.out_features, 1)\n"
        + WEIGHT
        + "    if bias:\n        conv.bias = linear.bias\n    return conv",
        "as_convolution(nn.Linear(8, 2)), its parameters gave 18, which is too large",
    ),
    (
        1,
        CONV + "    conv = nn.Conv2d(linear.in_features, linear.out_features, 3, padding=1)\n"
        "    return conv",
        "its parameters gave 140, which is too large",
    ),
    (1, "def as_convolution(linear):\n    return linear", "its type gave 'Linear'"),
    (2, "def read_off(shape, C):\n    return shape[1], shape[0]", "wrong in place 1"),
    (2, "def read_off(shape, C):\n    return C // shape[1], shape[0]", "wrong in place 2 of 2"),
    (2, "def read_off(shape, C):\n    return C // shape[1], shape[1]", "wrong in place 2 of 2"),
    (2, "def read_off(shape, C):\n    return C // shape[1]", "where 2 values are wanted"),
    (
        3,
        "def least_channels(factor, kernel_size):\n    k = kernel_size**2\n"
        "    return None if factor >= k else factor * k // (k - factor)",
        "which is too small",
    ),
    (
        3,
        "def least_channels(factor, kernel_size):\n    k = kernel_size**2\n"
        "    return -(-factor * k // (k - factor)) if k != factor else None",
        "least_channels(50, 7) gave -2,450",
    ),
    (
        3,
        "def least_channels(factor, kernel_size):\n    k = kernel_size**2\n"
        "    return None if factor >= k else factor * k // (k - factor) + 1",
        "which is too large",
    ),
    (
        3,
        "def least_channels(factor, kernel_size):\n    k = kernel_size**2\n"
        "    return None if factor >= k else factor * k / (k - factor)",
        "where a whole number is wanted",
    ),
    (4, "def unshuffle(x, groups):\n    return x", "values are wrong"),
    (4, "def unshuffle(x, groups):\n    return shuffle(x, groups)", "values are wrong"),
    (4, "def unshuffle(x, groups):\n    return x.flip(1)", "values are wrong"),
    (
        4,
        "def unshuffle(x, groups):\n    return shuffle(x, x.shape[1] // groups)[:, :, 0]",
        "where (2, 12, 3, 4) is wanted",
    ),
    (
        5,
        NEAREST + "    return V[:, 0].view(M, 1, K, K), U[:, :, 0].T.reshape(N, M, 1, 1)",
        "the squared difference gave",
    ),
    (
        5,
        NEAREST
        + "    return (U[:, :, 0] * S[:, :1]).T.reshape(N, M, 1, 1), V[:, 0].view(M, 1, K, K)",
        "shape of the depthwise gave",
    ),
    (
        5,
        NEAREST + "    return V[:, 0].view(M, 1, K, K), "
        "(U[:, :, 0] * S[:, :1]).reshape(N, M, 1, 1)",
        "the squared difference gave",
    ),
    (
        5,
        NEAREST + "    mean = weight.mean(0)[:, None]\n    return mean, torch.ones(N, M, 1, 1)",
        "the squared difference gave",
    ),
    (6, "def build():\n    return network(ordinary_block, 8)", "its multiply–adds gave 69,280"),
    (
        6,
        "def build():\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, 9))",
        "gave (3, 9): wrong in place 2 of 2",
    ),
    (
        6,
        f"def build():\n    return nn.Sequential(*normed(conv2d(1, 8, 3)), {HEAD}(8, 10))",
        "the right answers after training gave",
    ),
    (6, "def build():\n    return network", "isinstance(build(), nn.Module) gave False"),
]
