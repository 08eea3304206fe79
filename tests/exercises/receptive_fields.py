"""The exercises of Receptive fields: right answers pass, plausible wrong ones are told why."""

RIGHT = [
    (1, "def by_hand():\n    return [9, 11, 31, 22]"),
    (1, "def by_hand():\n    return torch.tensor([9.0, 11.0, 31.0, 22.0])"),
    (1, "def by_hand():\n    return np.array([9, 11, 31, 22])"),
    (2, "def widest(depth):\n    return tuple(3.0**n for n in reversed(range(depth)))"),
    (2, "def widest(depth):\n    return 3 ** torch.arange(depth)"),
    (
        2,
        "def widest(depth):\n    dilations, sees = [], 1\n    for _ in range(depth):\n"
        "        dilations.append(sees)\n        sees *= 3\n    return dilations",
    ),
    (
        3,
        "def measured(module, channels, height, width):\n    sides = []\n"
        "    for axis, n in ((2, height), (3, width)):\n        hit = []\n"
        "        for at in range(n):\n            x = torch.zeros(1, channels, height, width)\n"
        "            x.select(axis, at).fill_(torch.nan)\n            y = module(x)\n"
        "            h, w = y.shape[2] // 2, y.shape[3] // 2\n"
        "            if y[0, :, h, w].isnan().any():\n                hit.append(at)\n"
        "        sides.append(max(hit) - min(hit) + 1)\n    return sides",
    ),
    (
        3,
        "def measured(module, channels, height, width):\n"
        "    hit = torch.zeros(height, width, dtype=bool)\n"
        "    for i, j in np.ndindex(height, width):\n"
        "        x = torch.zeros(1, channels, height, width)\n        x[..., i, j] = np.nan\n"
        "        y = module(x)\n"
        "        hit[i, j] = y[0, 0, y.shape[2] // 2, y.shape[3] // 2].isnan()\n"
        "    places = hit.nonzero()\n    return places.amax(0) - places.amin(0) + 1",
    ),
    (
        4,
        "def follow(network, seen):\n    low, high, jump = seen\n"
        "    if isinstance(network, tuple):\n        k, s, p, d = network\n"
        "        return [low - p * jump, high + (d * (k - 1) - p) * jump, s * jump]\n"
        "    if isinstance(network, Branches):\n"
        "        ends = [follow(branch, seen) for branch in network]\n"
        "        return [min(e[0] for e in ends), max(e[1] for e in ends), ends[0][2]]\n"
        "    for part in network:\n        seen = follow(part, seen)\n    return seen",
    ),
    (
        4,
        "def follow(network, seen):\n    if isinstance(network, Branches):\n"
        "        return join(*[follow(branch, seen) for branch in network])\n"
        "    if isinstance(network, list):\n"
        "        return follow(network[1:], follow(network[0], seen)) if network else seen\n"
        "    return after(Seen(*seen), *network)",
    ),
    (
        5,
        "def spread(network, rows):\n    maps = network[:-3]\n    n = rows.shape[-1]\n"
        "    influence = torch.zeros(n)\n    for row in rows:\n"
        "        jacobian = torch.autograd.functional.jacobian(\n"
        "            lambda x: maps(x[None])[0, :, n // 2], row)\n"
        "        influence += jacobian.square().sum((0, 1))\n"
        "    distance = (torch.arange(n) - n // 2).abs()\n"
        "    return torch.sqrt((influence * distance**2).sum() / influence.sum())",
    ),
    (
        5,
        "def spread(network, rows):\n    total, n = 0, rows.shape[-1]\n"
        "    for c in range(network[:-3](rows).shape[1]):\n"
        "        x = rows.detach().clone().requires_grad_()\n"
        "        network[:-3](x)[:, c, n // 2].sum().backward()\n"
        "        total = total + x.grad.double().pow(2).sum(dim=(0, 1)).numpy()\n"
        "    return np.sqrt(np.average((np.arange(n) - n // 2) ** 2, weights=total))",
    ),
]

WRONG = [
    (1, "def by_hand():\n    return 9", "where 4 values are wanted"),
    (1, "def by_hand():\n    return [9]", "1 instead of 4 values"),
    (1, "def by_hand():\n    return 9, 9, 31, 22", "wrong in place 2 of 4"),
    (1, "def by_hand():\n    return 9, 13, 31, 22", "wrong in place 2 of 4"),
    (1, "def by_hand():\n    return 12, 11, 45, 29", "wrong in place 1, 3, 4 of 4"),
    (1, "def by_hand():\n    return 9, 11, 31, 10", "wrong in place 4 of 4"),
    (2, "def widest(depth):\n    return [1] * depth", "gave (0, 3): wrong in place 2"),
    (
        2,
        "def widest(depth):\n    return [2**n for n in range(depth)]",
        "widest(2): holes, and pixels with more than one path gave (0, 2)",
    ),
    (
        2,
        "def widest(depth):\n    return [4**n for n in range(depth)]",
        "widest(2): holes, and pixels with more than one path gave (2, 0)",
    ),
    (2, "def widest(depth):\n    return [3**n for n in range(depth + 1)]", "how many gave 2"),
    (2, "def widest(depth):\n    return [3**n for n in range(1, depth + 1)]", "gave (4, 0)"),
    (2, "def widest(depth):\n    return [1, 3, 9]", "widest(1), how many gave 3"),
    (2, "def widest(depth):\n    return [(-3) ** n for n in range(depth)]", "widest(2): holes"),
    (2, "def widest(depth):\n    return 3 ** (depth - 1)", "TypeError"),
    (
        3,
        "def measured(module, channels, height, width):\n"
        "    return receptive_field(module, (channels, height, width)).size[::-1]",
        "wrong in place 1, 2 of 2",
    ),
    (
        3,
        "def measured(module, channels, height, width):\n"
        "    x = torch.zeros(1, channels, height, width, requires_grad=True)\n"
        "    y = module(x)\n    y[0, 0, y.shape[2] // 2, y.shape[3] // 2].backward()\n"
        "    hit = x.grad[0].abs().sum(0).nonzero()\n"
        "    return (hit.amax(0) - hit.amin(0) + 1).tolist()",
        "measured(",
    ),
    (
        3,
        "def measured(module, channels, height, width):\n    sides = []\n"
        "    for axis, n in ((2, height), (3, width)):\n        hit = 0\n"
        "        for at in range(n):\n            x = torch.zeros(1, channels, height, width)\n"
        "            x.select(axis, at).fill_(torch.nan)\n            y = module(x)\n"
        "            hit += int(y[0, 0, y.shape[2] // 2, y.shape[3] // 2].isnan())\n"
        "        sides.append(hit)\n    return sides",
        "measured(dilated) gave",
    ),
    (
        3,
        "def measured(module, channels, height, width):\n    sides = []\n"
        "    for axis, n in ((2, height), (3, width)):\n        hit = []\n"
        "        for at in range(n):\n            x = torch.zeros(1, channels, height, width)\n"
        "            x.select(axis, at).fill_(torch.nan)\n            y = module(x)\n"
        "            if y[0, 0, y.shape[2] // 2, y.shape[3] // 2].isnan():\n"
        "                hit.append(at)\n        sides.append(hit[-1] - hit[0])\n    return sides",
        "measured(3×5 twice) gave [4, 8]",
    ),
    (
        3,
        "def measured(module, channels, height, width):\n    sides = []\n"
        "    for axis, n in ((2, height), (3, width)):\n        hit = []\n"
        "        for at in range(n):\n            x = torch.zeros(1, channels, height, width)\n"
        "            x[:, 0].select(axis - 1, at).fill_(torch.nan)\n            y = module(x)\n"
        "            if y[0, 0, y.shape[2] // 2, y.shape[3] // 2].isnan():\n"
        "                hit.append(at)\n"
        "        sides.append(hit[-1] - hit[0] + 1 if hit else 0)\n    return sides",
        "measured(last channel only) gave [0, 0]",
    ),
    (
        4,
        "def follow(network, seen):\n    if isinstance(network, tuple):\n"
        "        return after(seen, *network)\n    for part in network:\n"
        "        seen = follow(part, seen)\n    return seen",
        "follow(odd, Seen(0, 0, 1)) gave",
    ),
    (
        4,
        "def follow(network, seen):\n    if isinstance(network, tuple):\n"
        "        return after(seen, *network)\n    if isinstance(network, Branches):\n"
        "        return max((follow(branch, seen) for branch in network), key=size)\n"
        "    for part in network:\n        seen = follow(part, seen)\n    return seen",
        "follow(odd, Seen(0, 0, 1)) gave",
    ),
    (
        4,
        "def follow(network, seen):\n    seen = Seen()\n    if isinstance(network, tuple):\n"
        "        return after(seen, *network)\n    return seen",
        "follow(block, Seen(0, 0, 1)) gave",
    ),
    (
        4,
        "def follow(network, seen):\n    if isinstance(network, tuple):\n"
        "        return after(seen, *network)\n    parts = [follow(p, seen) for p in network]\n"
        "    return join(*parts)",
        "ValueError",
    ),
    (4, "def follow(network, seen):\n    return size(seen)", "where 3 values are wanted"),
    (
        5,
        "def spread(network, rows):\n    rows = rows.clone().requires_grad_()\n"
        "    n = rows.shape[-1]\n    network[:-3](rows)[:, :, n // 2].sum().backward()\n"
        "    w = rows.grad.square().sum((0, 1))\n"
        "    return (((torch.arange(n) - n // 2) ** 2 * w).sum() / w.sum()).sqrt().item()",
        "spread, two channels gave",
    ),
    (
        5,
        "def spread(network, rows):\n    rows = rows.clone().requires_grad_()\n"
        "    n = rows.shape[-1]\n    network[:-3](rows)[:, :, n // 2].sum().backward()\n"
        "    w = rows.grad.abs().sum((0, 1))\n"
        "    return (((torch.arange(n) - n // 2) ** 2 * w).sum() / w.sum()).sqrt().item()",
        "spread, weights 1 2 5 gave",
    ),
    (
        5,
        "def spread(network, rows):\n    rows = rows.clone().requires_grad_()\n"
        "    n = rows.shape[-1]\n    network[:-3](rows)[:, :, n // 2].sum().backward()\n"
        "    w = rows.grad.square().sum((0, 1))\n    at = torch.arange(n)\n"
        "    middle = (at * w).sum() / w.sum()\n"
        "    return (((at - middle) ** 2 * w).sum() / w.sum()).sqrt().item()",
        "spread, weights 1 2 5 gave",
    ),
    (
        5,
        "def spread(network, rows):\n    rows = rows.clone().requires_grad_()\n"
        "    n = rows.shape[-1]\n    network[:-3](rows)[:, :, n // 2].sum().backward()\n"
        "    w = rows.grad.square().sum((0, 1))\n"
        "    return (((torch.arange(n) - n // 2) ** 2 * w).sum() / w.sum()).item()",
        "spread, weights 1 1 1 gave 0.666667, which is too small",
    ),
    (
        5,
        "def spread(network, rows):\n    rows = rows.clone().requires_grad_()\n"
        "    n = rows.shape[-1]\n    network[:-3](rows)[0, 0, n // 2].backward()\n"
        "    w = rows.grad.square().sum((0, 1))\n"
        "    return (((torch.arange(n) - n // 2) ** 2 * w).sum() / w.sum()).sqrt().item()",
        "spread, two channels gave",
    ),
    (
        5,
        "def spread(network, rows):\n    rows = rows.clone().requires_grad_()\n"
        "    network[:-3](rows).sum().backward()\n    n = rows.shape[-1]\n"
        "    w = rows.grad.square().sum((0, 1))\n"
        "    return (((torch.arange(n) - n // 2) ** 2 * w).sum() / w.sum()).sqrt().item()",
        "which is too large",
    ),
]
