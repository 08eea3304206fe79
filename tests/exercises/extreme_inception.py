"""The exercises of the chapter on Xception: right answers pass, plausible wrong ones do not."""

RIGHT = [
    (1, "def saving(i, o, k):\n    return 1 / (1 / o + 1 / k**2)"),
    (1, "def saving(i, o, k):\n    return torch.tensor(i * o * k * k / (i * k * k + i * o))"),
    (
        2,
        "def merged(d, p, first):\n    out = torch.zeros(*p.shape[:2], *d.shape[2:])\n"
        "    for o in range(out.shape[0]):\n        for i in range(out.shape[1]):\n"
        "            out[o, i] = p[o, i, 0, 0] * d[i if first else o, 0]\n    return out",
    ),
    (
        2,
        "def merged(d, p, first):\n    d = d[:, 0]\n"
        "    return torch.einsum('oi,ihw->oihw' if first else 'oi,ohw->oihw', p[:, :, 0, 0], d)",
    ),
    (
        3,
        "class segmented_bn(nn.Module):\n    def __init__(self, i, o, n):\n"
        "        super().__init__()\n"
        "        self.spatial = nn.Conv2d(i, i, 3, padding='same', groups=n, bias=False)\n"
        "        self.pointwise = nn.Conv2d(i, o, 1, bias=False)\n"
        "        self.norm = nn.BatchNorm2d(o)\n"
        "    def forward(self, x):\n        return self.norm(self.pointwise(self.spatial(x)))",
    ),
    (
        4,
        "def nearest(weight):\n    depthwise, pointwise = [], []\n"
        "    for i in range(weight.shape[1]):\n"
        "        u, s, v = torch.linalg.svd(weight[:, i].reshape(-1, 9))\n"
        "        depthwise.append(-s[0] * v[0].reshape(1, 3, 3))\n"
        "        pointwise.append(-u[:, 0])\n"
        "    return [torch.stack(depthwise), torch.stack(pointwise, 1)[..., None, None]]",
    ),
    (
        5,
        "def width_for(n, budget):\n    fits = [c for c in range(n or 1, 200, n or 1)"
        " if c * c + 9 * c * c / (n or c) <= budget]\n    return max(fits)",
    ),
]

WRONG = [
    (1, "def saving(i, o, k):\n    return k * k", "too large"),
    (1, "def saving(i, o, k):\n    return 1 / o + 1 / k**2", "gave"),
    (1, "def saving(i, o, k):\n    return k * k * i * o / (k * k * o + i * o)", "gave"),
    (1, "def saving(i, o, k):\n    return 9 * i * o / (9 * i + i * o)", "saving(128, 64, 5)"),
    (2, "def merged(d, p, first):\n    return p * d", "after 0 right, RuntimeError"),
    (
        2,
        "def merged(d, p, first):\n    return p * d.transpose(0, 1)",
        "after 1 right, RuntimeError",
    ),
    (
        2,
        "def merged(d, p, first):\n    return (p * (d.transpose(0, 1) if first else d)).flip(-1)",
        "exchanged",
    ),
    (
        2,
        "def merged(d, p, first):\n    return (p * (d.transpose(0, 1) if first else d)).sum(1)",
        "shape",
    ),
    (3, "def segmented_bn(i, o, n):\n    return separable_bn(i, o)", "parameters"),
    (
        3,
        "def segmented_bn(i, o, n):\n    spatial = nn.Conv2d(i, i, 3, padding=1, groups=n)\n"
        "    return nn.Sequential(spatial, *conv_bn(i, o, 1))",
        "too large",
    ),
    (
        3,
        "def segmented_bn(i, o, n):\n    spatial = nn.Conv2d(i, i, 3, groups=n, bias=False)\n"
        "    return nn.Sequential(spatial, *conv_bn(i, o, 1))",
        "shape of its output",
    ),
    (
        3,
        "def segmented_bn(i, o, n):\n    shape = i, i, 3, 1, 1, 1, n, False\n"
        "    spatial = nn.Conv2d(*shape)\n"
        "    return nn.Sequential(spatial, nn.ReLU(), *conv_bn(i, o, 1))",
        "values are wrong",
    ),
    (
        4,
        "def nearest(weight):\n    d = weight.mean(0)[:, None]\n"
        "    p = (weight * d.transpose(0, 1)).sum((2, 3)) / d.square().sum((1, 2, 3))\n"
        "    return d, p[..., None, None]",
        "a kernel near it",
    ),
    (
        4,
        "def nearest(weight):\n    m = weight.transpose(0, 1).flatten(2)\n"
        "    u, s, v = torch.linalg.svd(m, full_matrices=False)\n"
        "    return v[:, 0].reshape(-1, 1, 3, 3), u[:, :, 0].t()[..., None, None]",
        "a separable kernel",
    ),
    (
        4,
        "def nearest(weight):\n    m = weight.flatten(2)\n"
        "    u, s, v = torch.linalg.svd(m, full_matrices=False)\n"
        "    return v[:, 0].reshape(-1, 1, 3, 3), (u[:, :, 0] * s[:, :1])[..., None, None]",
        "the shapes",
    ),
    (5, "def width_for(n, budget):\n    return int((budget / (1 + 9 / (n or 1))) ** 0.5)", "gave"),
    (
        5,
        "def width_for(n, budget):\n    c = 0\n"
        "    while (c + (n or 1)) ** 2 + 9 * (c + (n or 1)) ** 2 // (n or c + 1) < budget:\n"
        "        c += n or 1\n    return c",
        "too small",
    ),
    (
        5,
        "def width_for(n, budget):\n    c = 0\n    while 9 * c * c // (n or c or 1) <= budget:\n"
        "        c += n or 1\n    return c - (n or 1)",
        "too large",
    ),
]
