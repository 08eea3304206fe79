"""The exercises of the chapter on Inception-v3: right answers pass, wrong ones are told why."""

MISFITS = (
    "def misfits(table):\n    found = []\n"
    "    for k in range(len(table) - 1):\n"
    "        _, n, s, p, reads = table[k]\n"
    "        side = int(reads.split('×')[0])\n"
    "        if {gives} != int(table[k + 1][4].split('×')[0]):\n"
    "            found.append({place})\n"
    "    return found"
)
CUT = (
    "def factorised(module):\n"
    "    if isinstance(module, nn.Conv2d):\n"
    "        n, m = module.kernel_size\n"
    "        if n != m or n == 1{stride}:\n"
    "            return copy.deepcopy(module)\n"
    "        i, o, b = module.in_channels, module.out_channels, module.bias is not None\n"
    "        p, q = {padding}\n"
    "        return nn.Sequential(nn.Conv2d(i, o, (1, n), padding=(0, q), bias=b),\n"
    "            nn.Conv2d(o, o, (n, 1), padding=(p, 0), bias=b))\n"
    "    module = {copied}\n"
    "    for name, part in list(module.named_children()):\n"
    "        setattr(module, name, factorised(part))\n"
    "    return module"
)
CUT_WELL = {
    "stride": " or module.stride != (1, 1)",
    "padding": "module.padding",
    "copied": "copy.deepcopy(module)",
}
EQUAL = (
    "def equal_halvings(c, budget):\n"
    "    def widest(way):\n"
    "        w = 1\n"
    "        while multiply_adds(way(w + 1), (c, 12, 12)) <= {limit}:\n            w += 1\n"
    "        return way(w)\n"
    "    conv = lambda w, s=1: nn.Conv2d(c, w, 3, stride=s, padding=1)\n"
    "    pool = lambda: nn.AvgPool2d(2)\n"
    "    return {{\n"
    "        'side by side': widest(lambda w: {side}),\n"
    "        'convolve, then pool': widest(lambda w: nn.Sequential({first})),\n"
    "        'pool, then convolve': widest(lambda w: nn.Sequential(pool(), conv(w))),\n"
    "    }}"
)
EQUAL_WELL = {
    "limit": "budget",
    "side": "Branches([pool(), conv(w, 2)])",
    "first": "conv(w), pool()",
}

RIGHT = [
    (
        1,
        "def kept(n, i, b, o):\n    cut = n * i * b + n * b * o\n"
        "    return torch.tensor(cut / (n * n * i * o))",
    ),
    (2, MISFITS.format(gives="(side + 2 * p - n) // s + 1", place="k")),
    (
        2,
        "def misfits(table):\n    return tuple(k for k, (a, b) in enumerate(pairwise(table)) if\n"
        "        output_size(int(a[4].split('×')[0]), a[1], stride=a[2], padding=a[3])\n"
        "        != int(b[4].split('×')[0]))",
    ),
    (3, CUT.format(**CUT_WELL)),
    (
        4,
        "def smoothed_loss(logits, labels, epsilon):\n    k = logits.shape[1]\n"
        "    target = torch.full_like(logits, epsilon / k)\n"
        "    target[range(len(labels)), labels] += 1 - epsilon\n"
        "    return -(target * torch.log_softmax(logits, 1)).sum() / len(labels)",
    ),
    (5, EQUAL.format(**EQUAL_WELL)),
]

WRONG = [
    (1, "def kept(n, i, b, o):\n    return 2 / n", "kept(3, 192, 96, 128) gave"),
    (1, "def kept(n, i, b, o):\n    return n * i * o / (b * (i + o))", "too large"),
    (1, "def kept(n, i, b, o):\n    return 1 - b * (i + o) / (n * i * o)", "too large"),
    (2, MISFITS.format(gives="(side + 2 * p - n) // s + 1", place="k + 1"), "misfits("),
    (2, MISFITS.format(gives="(side + p - n) // s + 1", place="k"), "misfits("),
    (2, MISFITS.format(gives="-(-side // s)", place="k"), "misfits("),
    (2, MISFITS.format(gives="-(-(side + 2 * p - n) // s) + 1", place="k"), "misfits("),
    (3, CUT.format(**CUT_WELL | {"padding": "n // 2, n // 2"}), "paddings made of (3, 2)"),
    (3, CUT.format(**CUT_WELL | {"padding": "module.padding[::-1]"}), "paddings made of (3, 2)"),
    (3, CUT.format(**CUT_WELL | {"stride": ""}), "what stays"),
    (3, CUT.format(**CUT_WELL | {"copied": "module"}), "is as it was"),
    (
        3,
        "def factorised(module):\n    if isinstance(module, nn.Conv2d):\n        return module\n"
        "    return copy.deepcopy(module)",
        "type for a 7×7 convolution",
    ),
    (
        4,
        "def smoothed_loss(logits, labels, epsilon):\n"
        "    return F.cross_entropy(logits, labels, label_smoothing=epsilon)",
        "calls of PyTorch's cross-entropy",
    ),
    (
        4,
        "def smoothed_loss(logits, labels, epsilon):\n"
        "    return nn.CrossEntropyLoss(label_smoothing=epsilon)(logits, labels)",
        "calls of PyTorch's cross-entropy",
    ),
    (
        4,
        "def smoothed_loss(logits, labels, epsilon):\n    k = logits.shape[1]\n"
        "    target = torch.full_like(logits, epsilon / (k - 1))\n"
        "    target[range(len(labels)), labels] = 1 - epsilon\n"
        "    return -(target * logits.log_softmax(1)).sum() / len(labels)",
        "smoothed_loss for 10 classes and ε = 0.1",
    ),
    (
        4,
        "def smoothed_loss(logits, labels, epsilon):\n    logs = logits.log_softmax(1)\n"
        "    right = logs[range(len(labels)), labels]\n"
        "    return -((1 - epsilon) * right + epsilon * logs.mean(1)).sum()",
        "smoothed_loss for 10 classes and ε = 0",
    ),
    (5, EQUAL.format(**EQUAL_WELL | {"limit": "0.5 * budget"}), "uses nine tenths of it"),
    (5, EQUAL.format(**EQUAL_WELL | {"limit": "2 * budget"}), "stays within the budget"),
    (5, EQUAL.format(**EQUAL_WELL | {"first": "pool(), conv(w)"}), "begins with a pooling"),
    (5, EQUAL.format(**EQUAL_WELL | {"side": "Branches([conv(w, 2)])"}), "stacks the pooled"),
    (5, "def equal_halvings(c, budget):\n    return halvings(c)", "size of the maps"),
]
