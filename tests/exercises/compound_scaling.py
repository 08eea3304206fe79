"""Answers to the exercises of EfficientNet, right ones and wrong ones."""

RIGHT = [
    (
        1,
        "def factors(phi, a, b, c):\n"
        "    return [a**phi, b**phi, c**phi, math.exp(phi * math.log(a * b * b * c * c))]",
    ),
    (
        1,
        "def factors(phi, a, b, c):\n    t = torch.tensor([a, b, c], dtype=torch.float64) ** phi\n"
        "    return (*t.tolist(), (t[0] * t[1] ** 2 * t[2] ** 2).item())",
    ),
    (
        2,
        "def gamma_for(a, b, budget):\n    g = (budget / a) ** 0.5 / b\n"
        "    if g >= 1 - 1e-12:\n        return g",
    ),
    (
        3,
        "def drop_branches(x, kept, keep):\n    out = torch.zeros_like(x)\n"
        "    for n, k in enumerate(kept):\n        if k:\n            out[n] = x[n] / keep\n"
        "    return out",
    ),
    (
        3,
        "def drop_branches(x, kept, keep):\n"
        "    return torch.where(torch.tensor(kept)[:, None, None, None], x / keep, 0 * x)",
    ),
    (
        4,
        "def blocks(depths, factor):\n    return tuple(-int(-d * factor // 1) for d in depths)",
    ),
    (
        5,
        "def within(budget, ways):\n    def near(s):\n"
        "        cost = multiply_adds(small(s), (3, s.size, s.size))\n"
        "        return abs(cost - budget) <= budget / 10\n    return tuple(filter(near, ways))",
    ),
]

WRONG = [
    (
        1,
        "def factors(phi, a, b, c):\n    d, w, r = a**phi, b**phi, c**phi\n"
        "    return d, w, r, d * w * r",
        "wrong in place 4",
    ),
    (
        1,
        "def factors(phi, a, b, c):\n    d, w, r = a * phi, b * phi, c * phi\n"
        "    return d, w, r, d * w**2 * r**2",
        "factors(3, 1.2, 1.1, 1.15)",
    ),
    (
        1,
        "def factors(phi, a, b, c):\n    return a**phi, b**phi, c**phi, 2.0**phi",
        "wrong in place 4",
    ),
    (1, "def factors(phi, a, b, c):\n    return a**phi, b**phi, c**phi", "3 instead of 4"),
    (2, "def gamma_for(a, b, budget):\n    return budget / (a * b**2)", "too large"),
    (
        2,
        "def gamma_for(a, b, budget):\n    return math.sqrt(budget / (a * b**2))",
        "gamma_for(1.5, 1.3, 2)",
    ),
    (
        2,
        "def gamma_for(a, b, budget):\n    left = budget / (a * b**2)\n"
        "    return math.sqrt(left) if left > 1 else None",
        "gamma_for(2.0, 1.0, 2)",
    ),
    (
        2,
        "def gamma_for(a, b, budget):\n    left = budget / (a * b)\n"
        "    return math.sqrt(left) if left >= 1 else None",
        "too large",
    ),
    (
        3,
        "def drop_branches(x, kept, keep):\n    return x * torch.tensor(kept).view(-1, 1, 1, 1)",
        "0.8 times",
    ),
    (
        3,
        "def drop_branches(x, kept, keep):\n"
        "    k = torch.tensor(kept, dtype=x.dtype)\n"
        "    return x * k.view(-1, 1, 1, 1) / k.mean()",
        "drop_branches of",
    ),
    (
        3,
        "def drop_branches(x, kept, keep):\n    return x * keep",
        "drop_branches of (3, 2, 4, 5)",
    ),
    (
        3,
        "def drop_branches(x, kept, keep):\n"
        "    return x.mul_(torch.tensor(kept).view(-1, 1, 1, 1)).div_(keep)",
        "x is as it was",
    ),
    (4, "def blocks(depths, f):\n    return [round(d * f) for d in depths]", "wrong in place"),
    (4, "def blocks(depths, f):\n    return [int(d * f) for d in depths]", "wrong in place"),
    (4, "def blocks(depths, f):\n    return [int(d * f) + 1 for d in depths]", "blocks([1, 2, 2"),
    (4, "def blocks(depths, f):\n    return math.ceil(sum(depths) * f)", "7 values are wanted"),
    (
        5,
        "def within(budget, ways):\n"
        "    return [s for s in ways if abs(multiply_adds(small(s), (3, 16, 16)) - budget)"
        " <= budget / 10]",
        "within(1,600,000, …)",
    ),
    (
        5,
        "def within(budget, ways):\n"
        "    return [s for s in ways if multiply_adds(small(s), (3, s.size, s.size)) <= budget]",
        "within(1,600,000, …)",
    ),
    (
        5,
        "def within(budget, ways):\n"
        "    return [s for s in ways if 553_328 * s.depth * s.width**2 * (s.size / 16) ** 2"
        " <= 1.1 * budget]",
        "within(",
    ),
]
