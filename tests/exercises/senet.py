"""Answers to the exercises of SENet, right ones and wrong ones."""

# For each exercise: answers that are wrong, each with words that the verdict must say.
WRONG = {
    1: {
        "def added(stages, r, bias):\n    return sum(2 * n * c * c // r for n, c, _ in stages)": (
            "added([1 × 64], 16, True) gave 512, which is too small"
        ),
        "def added(stages, r, bias):\n"
        "    return sum(n * (c * c // r + bias * (c + c // r)) for n, c, _ in stages)": (
            "added([1 × 64], 16, False) gave 256, which is too small"
        ),
        "def added(stages, r, bias):\n"
        "    return sum(n * (2 * c * (c // r) + bias * 2 * c) for n, c, _ in stages)": (
            "added([1 × 64], 16, True) gave 640, which is too large"
        ),
        "def added(stages, r, bias):\n"
        "    return sum(2 * c * (c // r) + bias * (c + c // r) for n, c, _ in stages)": (
            "too small"
        ),
        "def added(stages, r, bias):\n"
        "    return sum(n * (2 * c * c // r + bias * (c + c // r)) for n, c, _ in stages)": (
            "added([2 × 36, 3 × 40], 16, True) gave"
        ),
    },
    2: {
        "def folded(branch, gates):\n    return branch[:-1]": "(x) gave a tensor",
        "def folded(branch, gates):\n"
        "    layers = copy.deepcopy(branch)[:-1]\n"
        "    layers[-1].weight.data *= gates\n"
        "    return layers": "(x) gave a tensor",
        "def folded(branch, gates):\n"
        "    branch[-2].weight.data *= gates\n"
        "    branch[-2].bias.data *= gates\n"
        "    return branch[:-1]": "branch(x) afterwards gave a tensor",
        "def folded(branch, gates):\n"
        "    layers = copy.deepcopy(branch)[:-1]\n"
        "    layers[-2].weight.data *= gates[:, None, None, None]\n"
        "    return layers": "(x) gave a tensor",
        "def folded(branch, gates):\n    return copy.deepcopy(branch)": "the gates left in",
    },
    3: {
        "def se_inception(in_channels, row, reduction=16):\n"
        "    return inception(in_channels, row)": "the gate modules in",
        "def se_inception(in_channels, row, reduction=16):\n"
        "    module = inception(in_channels, row)\n"
        "    outs = row.conv1x1, row.conv3x3, row.conv5x5, row.pool_proj\n"
        "    for k, c in enumerate(outs):\n"
        "        gate = SqueezeExcitation(c, c // reduction)\n"
        "        module[k] = nn.Sequential(module[k], gate)\n"
        "    return module": "gave 4, which is too large",
        "def se_inception(in_channels, row, reduction=16):\n"
        "    gate = SqueezeExcitation(in_channels, in_channels // reduction)\n"
        "    return nn.Sequential(gate, inception(in_channels, row))": "the parameters of",
        "def se_inception(in_channels, row, reduction=16):\n"
        "    c = row.conv1x1 + row.conv3x3 + row.conv5x5 + row.pool_proj\n"
        "    gate = SqueezeExcitation(c, c // 16)\n"
        "    return nn.Sequential(inception(in_channels, row), gate)": "GOOGLENET['3b']) gave",
        "class Twice(nn.Module):\n"
        "    def __init__(self, module, gate):\n"
        "        super().__init__()\n"
        "        self.module, self.gate = module, gate\n"
        "    def forward(self, x):\n"
        "        return self.gate(self.gate(self.module(x)))\n"
        "def se_inception(in_channels, row, reduction=16):\n"
        "    c = row.conv1x1 + row.conv3x3 + row.conv5x5 + row.pool_proj\n"
        "    gate = SqueezeExcitation(c, c // reduction)\n"
        "    return Twice(inception(in_channels, row), gate)": "the same as ours gave False",
    },
    4: {
        "def stuck(gates):\n    return {}": "the keys of stuck(gates) gave []",
        "def stuck(gates):\n"
        "    low, high = (gates < 0.05).any(0), (gates > 0.95).any(0)\n"
        "    still = (gates.amax(0) - gates.amin(0) < 0.01) & ~low & ~high\n"
        "    return COUNTED": ("three that open once: shut gave 3, which is too large"),
        "def stuck(gates):\n"
        "    low, high = gates.mean(0) < 0.05, gates.mean(0) > 0.95\n"
        "    still = (gates.std(0) < 0.01) & ~low & ~high\n"
        "    return COUNTED": ("three that open once: shut gave 3, which is too large"),
        "def stuck(gates):\n"
        "    low, high = (gates < 0.05).all(0), (gates > 0.95).all(0)\n"
        "    still = gates.amax(0) - gates.amin(0) < 0.01\n"
        "    return COUNTED": (
            "two channels at exactly 0 and 1: constant gave 2, which is too large"
        ),
        "def stuck(gates):\n"
        "    low, high = (gates < 0.05).all(1), (gates > 0.95).all(1)\n"
        "    still = (gates.amax(1) - gates.amin(1) < 0.01) & ~low & ~high\n"
        "    return COUNTED": ("gave"),
    },
    5: {
        "def exchanged(network, images, labels):\n    return []": "the length gave 0",
        "def exchanged(network, images, labels):\n"
        "    n = sum(isinstance(m, SqueezeExcitation) for m in network.modules())\n"
        "    return [training.evaluate(network, [(images, labels)])] * n": "exchanged gave 1",
        "def exchanged(network, images, labels):\n"
        "    found = []\n"
        "    for block in network.modules():\n"
        "        if isinstance(block, SqueezeExcitation):\n"
        "            block.excite.register_forward_hook(lambda m, i, out: out.roll(1, dims=0))\n"
        "            found.append(training.evaluate(network, [(images, labels)]))\n"
        "    return found": "gates: accuracy",
        "def exchanged(network, images, labels):\n"
        "    n = sum(isinstance(m, SqueezeExcitation) for m in network.modules())\n"
        "    return [training.evaluate(network, [(images.roll(1, 0), labels)])] * n": (
            "gates: accuracy, block 0 exchanged gave"
        ),
    },
}

COUNTED = "{'shut': int(low.sum()), 'open': int(high.sum()), 'constant': int(still.sum())}"

# Answers in other forms than the solutions.
RIGHT = [
    (
        1,
        "def added(stages, r, bias):\n"
        "    blocks = [SqueezeExcitation(row.out_channels, row.out_channels // r)\n"
        "              for row in stages for _ in range(row.depth)]\n"
        "    total = sum(count_parameters(b) for b in blocks)\n"
        "    without = sum(b.excite[0].bias.numel() + b.excite[2].bias.numel() for b in blocks)\n"
        "    return float(total if bias else total - without)",
    ),
    (
        2,
        "def folded(branch, gates):\n"
        "    class Times(nn.Module):\n"
        "        def forward(self, x):\n"
        "            return x * gates[:, None, None]\n"
        "    return nn.Sequential(*copy.deepcopy(branch)[:-1], Times())",
    ),
    (
        2,
        "def folded(branch, gates):\n"
        "    *rest, norm = copy.deepcopy(branch)[:-1]\n"
        "    norm.weight = nn.Parameter(norm.weight * gates)\n"
        "    norm.bias = nn.Parameter(norm.bias * gates)\n"
        "    return nn.Sequential(*rest, norm)",
    ),
    (
        3,
        "class Mine(nn.Module):\n"
        "    def __init__(self, module, gate):\n"
        "        super().__init__()\n"
        "        self.module, self.gate = module, gate\n"
        "    def forward(self, x):\n"
        "        return self.gate(self.module(x))\n"
        "def se_inception(in_channels, row, reduction=16):\n"
        "    module = inception(in_channels, row)\n"
        "    c = module(torch.zeros(1, in_channels, 4, 4)).shape[1]\n"
        "    return Mine(module, SqueezeExcitation(c, c // reduction))",
    ),
    (
        4,
        "def stuck(gates):\n"
        "    found = {'shut': 0, 'open': 0, 'constant': 0}\n"
        "    for channel in gates.t().tolist():\n"
        "        low, high = min(channel), max(channel)\n"
        "        if high < 0.05:\n"
        "            found['shut'] += 1\n"
        "        elif low > 0.95:\n"
        "            found['open'] += 1\n"
        "        elif high - low < 0.01:\n"
        "            found['constant'] += 1\n"
        "    return found",
    ),
    (
        5,
        "class Roll(nn.Module):\n"
        "    def forward(self, x):\n"
        "        return torch.cat([x[-1:], x[:-1]])\n"
        "def exchanged(network, images, labels):\n"
        "    found = []\n"
        "    n = sum(isinstance(m, SqueezeExcitation) for m in network.modules())\n"
        "    for place in range(n):\n"
        "        other = copy.deepcopy(network)\n"
        "        block = [m for m in other.modules() if isinstance(m, SqueezeExcitation)][place]\n"
        "        block.excite.append(Roll())\n"
        "        found.append(training.evaluate(other, [(images, labels)]))\n"
        "    return tuple(found)",
    ),
]

WRONG = {
    number: {answer.replace("COUNTED", COUNTED): told for answer, told in wrong.items()}
    for number, wrong in WRONG.items()
}
