"""The exercises of the chapter on GoogLeNet: right answers pass, wrong ones are told why."""

STACKED = (
    "def in_one(convolutions):\n"
    "    n = max(c.kernel_size[0] for c in convolutions)\n"
    "    whole = nn.Conv2d(3, sum(c.out_channels for c in convolutions), n, padding=n // 2)\n"
    "    at = 0\n"
    "    with torch.no_grad():\n"
    "        whole.weight.zero_()\n"
    "        for c in convolutions:\n"
    "            k, m = c.out_channels, c.kernel_size[0]\n"
    "            o = {start}\n"
    "            whole.weight[at:at + k, :, o:o + m, o:o + m] = c.weight\n"
    "            whole.bias[at:at + k] = {bias}\n"
    "            at += k\n"
    "    return whole"
)
WITHOUT = (
    "def without(branch):\n"
    "    def built(f):\n"
    "        rows = [InceptionRow(*(max(1, int(f * c + 0.5)) for c in row)) for row in\n"
    "                ((16, 16, 32, 16, 16, 16), (32, 32, 64, 16, 32, 16))]\n"
    "        kept = [k for k in range(4) if {kept}]\n"
    "        out = [sum((r.conv1x1, r.conv3x3, r.conv5x5, r.pool_proj)[k] for k in kept)\n"
    "               for r in rows]\n"
    "        parts = [inception(c, r, conv_norm) for c, r in zip((16, out[0]), rows)]\n"
    "        one, two = (Branches([part[k] for k in {order}]) for part in parts)\n"
    "        return nn.Sequential(conv_norm(3, 16, 3, stride=2), one, nn.MaxPool2d(3, 2,\n"
    "            ceil_mode=True), two, average_head(out[1], {classes}, 0.0))\n"
    "    budget, f = multiply_adds(two_modules(), (3, 24, 24)), 1.0\n"
    "    while {grow} and multiply_adds(built(f), (3, 24, 24)) < 0.985 * budget:\n"
    "        f += 0.01\n"
    "    return built(f)"
)
GOOD = {"kept": "k != branch", "order": "kept", "classes": "10", "grow": "True"}

RIGHT = [
    (
        1,
        "def saving(c, r, k, n):\n    whole = nn.Conv2d(c, k, n, bias=False)\n"
        "    parts = nn.Conv2d(c, r, 1, bias=False), nn.Conv2d(r, k, n, bias=False)\n"
        "    return torch.tensor(count_parameters(whole) / sum(map(count_parameters, parts)))",
    ),
    (
        2,
        "def weights_of(c, row):\n    module = inception(c, row)\n"
        "    return torch.tensor(sum(m.weight.numel() for m in module.modules()\n"
        "                            if isinstance(m, nn.Conv2d)))",
    ),
    (3, STACKED.format(start="(n - m) // 2", bias="c.bias")),
    (4, WITHOUT.format(**GOOD)),
]

WRONG = [
    (1, "def saving(c, r, k, n):\n    return c / r", "saving(192, 16, 32, 5) gave"),
    (
        1,
        "def saving(c, r, k, n):\n    return (c * r + r * k * n * n) / (c * k * n * n)",
        "too small",
    ),
    (
        1,
        "def saving(c, r, k, n):\n    return c * k * n * n / (c * r + r * k * n)",
        "too large",
    ),
    (
        2,
        "def weights_of(c, row):\n    return c * (row.conv1x1 + row.pool_proj) + "
        "9 * c * row.conv3x3 + 25 * c * row.conv5x5",
        "too large",
    ),
    (
        2,
        "def weights_of(c, row):\n"
        "    return sum(p.numel() for p in inception(c, row).parameters())",
        "too large",
    ),
    (
        2,
        "def weights_of(c, row):\n    return c * (row.conv1x1 + row.reduce3x3 + row.reduce5x5) + "
        "9 * row.reduce3x3 * row.conv3x3 + 25 * row.reduce5x5 * row.conv5x5",
        "too small",
    ),
    (3, STACKED.format(start="0", bias="c.bias"), "what it gives for 1×1, 3×3, 5×5"),
    (3, STACKED.format(start="(n - m) // 2", bias="0"), "what it gives for 1×1, 3×3, 5×5"),
    (
        3,
        STACKED.format(start="(n - m) // 2", bias="c.bias").replace(
            "for c in convolutions:", "for c in sorted(convolutions, key=lambda c: c.kernel_size):"
        ),
        "what it gives for 5×5, 1×1",
    ),
    (3, "def in_one(convolutions):\n    return nn.Sequential(*convolutions)", "type of in_one"),
    (4, WITHOUT.format(**GOOD | {"grow": "False"}), "to 5 % gave False"),
    (4, WITHOUT.format(**GOOD | {"kept": "True", "grow": "False"}), "kernels of the branches"),
    (4, WITHOUT.format(**GOOD | {"order": "kept[::-1]"}), "kernels of the branches"),
    (4, WITHOUT.format(**GOOD | {"classes": "9"}), "scores of without(0)"),
    (4, "def without(branch):\n    return two_modules()", "kernels of the branches"),
]
