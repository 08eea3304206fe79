"""The exercises of *The small compared*: right answers pass, plausible wrong ones do not."""

BEST = """
def best_within(networks, limits):
    allowed = [n for n, v in networks.items() if {}(v[c] {} m for c, m in limits.items())]
    return {}
"""
FIRST = "min(allowed, key=lambda n: networks[n]['error'], default=None)"
TURNED = """
def turned(one, other):
    names = sorted(one)
    pairs = [(a, b) for a in names for b in names if {}]
    return sum({} for a, b in pairs) / len(pairs)
"""
PRODUCT = "(one[a] - one[b]) * (other[a] - other[b])"
MERGED = """
def merged(conv, norm):
    new = {}
    scale = norm.weight / {}
    new.weight.data = {}
    old = torch.zeros(len(scale)) if conv.bias is None else conv.bias
    new.bias = nn.Parameter({})
    return new
"""
COPY = (
    "nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, "
    "conv.padding, conv.dilation, conv.groups).to(conv.weight)"
)
PLAIN = "nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size).to(conv.weight)"
ROOT = "torch.sqrt(norm.running_var + norm.eps)"
WEIGHT = "conv.weight.data * scale.data.view(-1, 1, 1, 1)"
BIAS = "norm.bias + scale * (old.to(scale) - norm.running_mean)"
BATCH = """
def largest_batch(one, many, size, limit):
    each = {}
    once = one - each
    n = {}
    return {}
"""
EACH, COUNT = "(many - one) / (size - 1)", "int((limit - once) / each + 1e-9)"
PAIR = "(n, n / (once + n * each)) if n > 0 else (0, 0.0)"
MINE = "def mine():\n    return {}"

WRONG = {
    1: {
        BEST.format("all", "<", FIRST): "best_within(four, {'work': 300})",
        BEST.format("any", "<=", FIRST): "{'work': 300, 'time': 10}",
        BEST.format("all", "<=", "min(allowed, key=lambda n: networks[n]['error'])"): (
            "after 5 right, ValueError"
        ),
        BEST.format("all", "<=", "max(allowed, key=lambda n: networks[n]['error'])"): "gave 'P'",
        BEST.format("all", "<=", "allowed[0] if allowed else None"): "gave 'P'",
        "def best_within(networks, limits):\n"
        "    name = min(networks, key=lambda n: networks[n]['error'])\n"
        "    return name if all(networks[name][c] <= m for c, m in limits.items()) else None": (
            "gave None"
        ),
    },
    2: {
        TURNED.format("a < b", f"{PRODUCT} <= 0"): "'A': 9}) gave 1, which is too large",
        TURNED.format("a <= b", f"{PRODUCT} < 0"): "too small",
        TURNED.format("a < b", f"{PRODUCT} > 0"): "too large",
        "def turned(one, other):\n    x, y = list(one.values()), list(other.values())\n"
        "    pairs = [(i, j) for i in range(len(x)) for j in range(i)]\n"
        "    return sum((x[i] - x[j]) * (y[i] - y[j]) < 0 for i, j in pairs) / len(pairs)": (
            "{'D': 5, 'C': 5, 'B': 5, 'A': 9}"
        ),
        "def turned(one, other):\n    x, y = sorted(one, key=one.get), sorted(one, key=other.get)\n"
        "    return sum(a != b for a, b in zip(x, y)) / len(x)": "too large",
    },
    3: {
        MERGED.format(PLAIN, ROOT, WEIGHT, BIAS): "one with stride 2, padding 1: its output",
        MERGED.format(COPY, "torch.sqrt(norm.running_var)", WEIGHT, BIAS): "its output",
        MERGED.format(COPY, ROOT, WEIGHT, "norm.bias - scale * norm.running_mean"): (
            "one with a bias: its output"
        ),
        MERGED.format(
            COPY, ROOT, WEIGHT, "norm.bias + old.to(scale) - scale * norm.running_mean"
        ): ("one with a bias: its output"),
        MERGED.format("conv", ROOT, WEIGHT, BIAS): "the old weights are as they were",
        "def merged(conv, norm): return nn.Sequential(conv, norm)": "a convolution comes back",
    },
    4: {
        BATCH.format("many / size", COUNT, PAIR): "largest_batch(10, 72, 32, 50)",
        BATCH.format("(many - one) / size", COUNT, PAIR): "largest_batch(10, 72, 32, 50)",
        BATCH.format(EACH, "(limit - once) / each", PAIR): "largest_batch(10, 72, 32, 51)",
        BATCH.format(EACH, COUNT, "(n, n / limit) if n > 0 else (0, 0.0)"): (
            "largest_batch(10, 72, 32, 51)"
        ),
        BATCH.format(EACH, COUNT, "(n, n / (once + n * each))"): "largest_batch(10, 72, 32, 3)",
    },
    5: {
        MINE.format("networks.mobilenet_v2()"): "a network and a side",
        MINE.format("networks.mobilenet_v2(), 224"): "at most 300 M multiply–adds (301 M)",
        MINE.format("networks.mobilenet_v3_small(), 224"): "at least 100 M multiply–adds",
        MINE.format("networks.mobilenet_v1(), 128"): "none of the table",
        MINE.format("networks.mobilenet_v1(10, width=0.8), 160"): "shape of its scores",
        "from cnnbook.layers import conv_bn_relu\n"
        + MINE.format(
            "nn.Sequential(conv_bn_relu(3, 64, 3, stride=4), conv_bn_relu(64, 64, 3), "
            "nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 1000))), 224"
        ): "sees enough (11 pixels)",
    },
}

RIGHT = [
    (
        1,
        "def best_within(networks, limits):\n    best = None\n    for n, v in networks.items():\n"
        "        if any(v[c] > m for c, m in limits.items()):\n            continue\n"
        "        if best is None or v['error'] < networks[best]['error']:\n            best = n\n"
        "    return best",
    ),
    (2, TURNED.format("a < b", f"{PRODUCT} < 0")),
    (
        2,
        TURNED.format("a != b", "(one[a] < one[b]) and (other[a] > other[b])").replace(
            "/ len(pairs)", "/ (len(pairs) / 2)"
        ),
    ),
    (3, MERGED.format(COPY, ROOT, WEIGHT, BIAS)),
    (3, "merged = torch.nn.utils.fuse_conv_bn_eval"),
    (4, BATCH.format(EACH, COUNT, PAIR)),
    (
        4,
        "def largest_batch(one, many, size, limit):\n    b = (many - one) / (size - 1)\n"
        "    n = 0\n    while one + n * b <= limit + 1e-9:\n        n += 1\n"
        "    return [n, n / (one + (n - 1) * b) if n else 0]",
    ),
    (5, MINE.format("networks.mobilenet_v1(width=0.6), 160")),
    (5, MINE.format("[networks.mobilenet_v2(width=0.6), 192]")),
]
