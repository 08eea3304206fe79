"""Answers to the exercises of MobileNetV2 and V3, right ones and wrong ones."""

RIGHT = [
    (
        1,
        "def block_cost(i, o, n, s, t):\n    w, m = t * i, n // s\n"
        "    cost = m * m * (9 * w + w * o)\n"
        "    if t > 1:\n        cost += n * n * i * w\n    return float(cost)",
    ),
    (
        1,
        "def block_cost(i, o, n, s, t):\n"
        "    with torch.device('meta'):\n"
        "        block = inverted_residual(i, o, s, width=i * t)\n"
        "    return multiply_adds(block, (i, n, n))",
    ),
    (
        2,
        "def hard_swish(x, reach):\n    return x * (x + reach).clamp(0, 2 * reach) / (2 * reach)",
    ),
    (
        2,
        "def hard_swish(x, reach):\n"
        "    r = torch.where(x > reach, 1.0, torch.where(x < -reach, 0.0, 0.5 + x / 2 / reach))\n"
        "    return x * r",
    ),
    (
        3,
        "def lossless(d, limit):\n    a = min(1.0, 6 / limit)\n"
        "    expand, project = torch.zeros(2 * d, d), torch.zeros(d, 2 * d)\n"
        "    for k in range(d):\n"
        "        expand[2 * k, k], expand[2 * k + 1, k] = a, -a\n"
        "        project[k, 2 * k], project[k, 2 * k + 1] = 1 / a, -1 / a\n"
        "    return [expand, project]",
    ),
    (
        4,
        "def peak(i, o, n, s, t, parts):\n    m = n / s\n"
        "    return i * n * n + o * m * m + t * i / parts * (n * n + m * m)",
    ),
    (
        5,
        "def best_width(budget, size, widths):\n    best = None\n"
        "    for width in sorted(widths):\n"
        "        if multiply_adds(mobilenet_v2(width=width), (3, size, size)) <= budget:\n"
        "            best = width\n    return best",
    ),
]

WRONG = [
    (
        1,
        "def block_cost(i, o, n, s, t):\n    return n * n * t * i * (i + 9 + o)",
        "block_cost(24, 32, 56, 2, 6)",
    ),
    (
        1,
        "def block_cost(i, o, n, s, t):\n    return (n // s) ** 2 * t * i * (i + 9 + o)",
        "too small",
    ),
    (
        1,
        "def block_cost(i, o, n, s, t):\n    w = t * i\n"
        "    return n * n * i * w + (n // s) ** 2 * w * (9 + o)",
        "block_cost(32, 16, 112, 1, 1)",
    ),
    (
        1,
        "def block_cost(i, o, n, s, t):\n    w = t * i\n"
        "    return n * n * i * w + (n // s) ** 2 * w * (9 * w + o)",
        "too large",
    ),
    (2, "def hard_swish(x, reach):\n    return x * (x + 3).clamp(0, 6) / 6", "hard_swish(x, 1)"),
    (2, "def hard_swish(x, reach):\n    return ((x + reach) / (2 * reach)).clamp(0, 1)", "wrong"),
    (2, "def hard_swish(x, reach):\n    return x * ((x + reach) / reach).clamp(0, 1)", "wrong"),
    (
        2,
        "def hard_swish(x, reach):\n"
        "    ramp = ((x + reach) / (2 * reach)).clamp(0, 1)\n    return x.mul_(ramp)",
        "the input is as it was",
    ),
    (
        3,
        "def lossless(d, limit):\n    same = torch.eye(d)\n"
        "    return torch.cat([same, -same]), torch.cat([same, -same], dim=1)",
        "lossless(3, 60)",
    ),
    (
        3,
        "def lossless(d, limit):\n    same = torch.eye(d)\n"
        "    return torch.cat([same, -same]), torch.cat([same, same], dim=1)",
        "what comes back",
    ),
    (
        3,
        "def lossless(d, limit):\n    same = torch.eye(d)\n"
        "    return torch.cat([same, -same], dim=1), torch.cat([same, -same])",
        "the shapes",
    ),
    (
        3,
        "def lossless(d, limit):\n    same, a = torch.eye(d), limit / 6\n"
        "    return torch.cat([same, -same]) / a, torch.cat([same, -same], dim=1)",
        "lossless(5, 1)",
    ),
    (
        4,
        "def peak(i, o, n, s, t, parts):\n    m = n // s\n"
        "    return (i + t * i) * n * n + (o + t * i) * m * m",
        "too large",
    ),
    (
        4,
        "def peak(i, o, n, s, t, parts):\n    m = n // s\n"
        "    return i * n * n + o * m * m + t * i // parts * n * n",
        "too small",
    ),
    (
        4,
        "def peak(i, o, n, s, t, parts):\n    m = n // s\n"
        "    return (i * n * n + o * m * m + t * i * (n * n + m * m)) // parts",
        "too small",
    ),
    (
        4,
        "def peak(i, o, n, s, t, parts):\n    return (i + o + 2 * t * i // parts) * n * n",
        "peak(16, 24, 112, 2, 6, 2)",
    ),
    (
        5,
        "def best_width(budget, size, widths):\n"
        "    fits = [w for w in widths if 300_774_272 * w**2 * (size / 224) ** 2 <= budget]\n"
        "    return max(fits, default=None)",
        "gave",
    ),
    (
        5,
        "def best_width(budget, size, widths):\n"
        "    with torch.device('meta'):\n        costs = {w: multiply_adds("
        "mobilenet_v2(width=w), (3, size, size)) for w in widths}\n"
        "    return max((w for w in widths if costs[w] < budget), default=None)",
        "59,285,808",
    ),
    (
        5,
        "def best_width(budget, size, widths):\n"
        "    with torch.device('meta'):\n        for w in widths:\n"
        "            if multiply_adds(mobilenet_v2(width=w), (3, size, size)) <= budget:\n"
        "                return w",
        "too small",
    ),
]
