"""Answers to the exercises of ConvNeXt, right ones and wrong ones."""

RIGHT = [
    (
        1,
        "def cost(c, k, h, w):\n    block = nn.ModuleList([nn.Conv2d(c, c, k, groups=c),\n"
        "        nn.LayerNorm(c), nn.Linear(c, 4 * c), nn.Linear(4 * c, c)])\n"
        "    return [count_parameters(block) + c, (k**2 + 8 * c) * c * h * w]",
    ),
    (
        2,
        "def normalise(x, eps):\n"
        "    return nn.functional.layer_norm(x.permute(0, 2, 3, 1), [x.shape[1]], eps=eps)"
        ".permute(0, 3, 1, 2)",
    ),
    (
        2,
        "def normalise(x, eps):\n    var, mean = torch.var_mean(x, 1, keepdim=True, correction=0)\n"
        "    return (x - mean) * (var + eps).rsqrt()",
    ),
    (
        3,
        "def fold(gamma, beta, weight, bias):\n"
        "    return [weight @ torch.diag(gamma), (weight * beta).sum(1) + bias]",
    ),
    (
        4,
        "def field(depths, k):\n"
        "    step = STEPS['separate d.s. conv']._replace(depths=depths, kernel_size=k)\n"
        "    with torch.device('meta'):\n"
        "        return receptive_field(modernised(step)).size[0]",
    ),
    (
        5,
        "def ladder(start, changes):\n    return list(accumulate(changes.values(),\n"
        "        lambda step, new: step._replace(**new), initial=start))",
    ),
]

# For each exercise: answers that are wrong, each with words that the verdict must say.
WRONG = {
    1: {
        "def cost(c, k, h, w):\n    n = c * c * k * k + 8 * c * c\n"
        "    return n + 9 * c, n * h * w": "wrong in place",
        "def cost(c, k, h, w):\n    n = c * k * k + 8 * c * c\n    return n, n * h * w": (
            "wrong in place 1"
        ),
        "def cost(c, k, h, w):\n    n = c * k * k + 8 * c * c\n    return n + 9 * c, n": (
            "wrong in place 2"
        ),
        "def cost(c, k, h, w):\n    n = c * k * k + 8 * c * c\n    return n + 8 * c, n * h * w": (
            "wrong in place 1"
        ),
    },
    2: {
        "def normalise(x, eps):\n    m = x.mean((1, 2, 3), keepdim=True)\n"
        "    v = x.var((1, 2, 3), keepdim=True, correction=0)\n"
        "    return (x - m) / (v + eps).sqrt()": "normalise of (2, 6, 4, 5)",
        "def normalise(x, eps):\n    m, v = x.mean(1, keepdim=True), x.var(1, keepdim=True)\n"
        "    return (x - m) / (v + eps).sqrt()": "normalise of (2, 6, 4, 5)",
        "def normalise(x, eps):\n    m = x.mean(1, keepdim=True)\n"
        "    return (x - m) / (x.std(1, keepdim=True, correction=0) + eps)": "ε 0.5",
        "def normalise(x, eps):\n    m = x.mean((2, 3), keepdim=True)\n"
        "    v = x.var((2, 3), keepdim=True, correction=0)\n"
        "    return (x - m) / (v + eps).sqrt()": "normalise of (2, 6, 4, 5)",
    },
    3: {
        "def fold(g, b, w, bias):\n    return w * g, bias + b.sum()": "bias",
        "def fold(g, b, w, bias):\n    return w * g, bias + (w * g) @ b": "bias",
        "def fold(g, b, w, bias):\n    return w, bias + w @ b": "weight",
        "def fold(g, b, w, bias):\n    return w * g": "a pair",
    },
    4: {
        "def field(depths, k):\n    return 4 + sum(d * (k - 1) * 4 for d in depths)": (
            "field((1, 1), 7)"
        ),
        "def field(depths, k):\n    size, jump = 4, 4\n    for d in depths:\n"
        "        size += d * (k - 1) * jump\n        jump *= 2\n    return size": (
            "field((1, 1), 7) gave 76, which is too small"
        ),
        "def field(depths, k):\n    size, jump = 4, 4\n    for d in depths:\n"
        "        size += d * k * jump\n        jump *= 2\n    return size": (
            "field((1,), 3) gave 16, which is too large"
        ),
        "def field(depths, k):\n    return 4 + sum(depths) * (k - 1)": "field((1,), 3)",
    },
    5: {
        "def ladder(start, changes):\n"
        "    return [start] + [start._replace(**c) for c in changes.values()]": (
            "ladder of Step(), wide and patches: steps that are right gave 2"
        ),
        "def ladder(start, changes):\n    steps = [Step()]\n    for c in changes.values():\n"
        "        steps.append(steps[-1]._replace(**c))\n    return steps": (
            "ladder of a start of its own"
        ),
        "def ladder(start, changes):\n    steps = []\n    for c in changes.values():\n"
        "        start = start._replace(**c)\n        steps.append(start)\n    return steps": (
            "ladder of Step(), no change: its length gave 0"
        ),
    },
}
