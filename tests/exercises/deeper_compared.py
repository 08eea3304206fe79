"""The exercises of *Deeper and wider, compared*: right answers pass, wrong ones are told why."""

WIDTH = "def width_for(width, units, new_units, groups=1): return {}"
GROWTH = """
def growth_for(budget, depth):
    fits = [0]
    for growth in range(1, 10):
        if {}:
            fits.append(growth)
    return {}
"""
SEEDS = """
def seeds_needed(first, second, gain):
    apart = [a - b for a, b in zip(first, second)]
    return {}
"""
COST = "multiply_adds(dense(depth, growth), SIZE)"

WRONG = {
    1: {
        WIDTH.format("width * units * groups // new_units"): "width_for(10, 2, 4)",
        WIDTH.format("math.isqrt(width**2 * units // new_units)"): "width_for(64, 2, 2, 4)",
        WIDTH.format("round(math.sqrt(width**2 * units * groups / new_units))"): "too large",
        WIDTH.format("math.sqrt(width**2 * units * groups / new_units)"): "width_for(10, 2, 4)",
        WIDTH.format("math.isqrt(width**2 * new_units * groups // units)"): "too large",
    },
    2: {
        GROWTH.format(f"{COST} <= budget", "fits[-1] + 1"): "fits gave False",
        GROWTH.format(f"{COST} <= budget", "max(fits[-1] - 1, 0)"): "no room for one more",
        GROWTH.format(f"{COST} < budget", "fits[-1]"): "just enough",
        GROWTH.format("count_parameters(dense(depth, growth)) <= budget", "fits[-1]"): "fits gave",
        GROWTH.format(f"{COST} <= budget", "fits[-1] or None"): "too little",
    },
    3: {
        SEEDS.format("(2 * statistics.stdev(apart) / gain) ** 2"): "seeds_needed",
        SEEDS.format("math.ceil((2 * statistics.pstdev(apart) / gain) ** 2)"): "too small",
        SEEDS.format("math.ceil((statistics.stdev(apart) / gain) ** 2)"): "too small",
        SEEDS.format("math.ceil(2 * statistics.stdev(apart) / gain)"): "too small",
        SEEDS.format(
            "math.ceil(4 * (statistics.variance(first) + statistics.variance(second)) / gain**2)"
        ): "too large",
    },
    4: {
        "def thrifty(units): return 1, 1, units - 2": "no other has fewer parameters",
        "def thrifty(units): return units // 3, units // 3, units // 3": "fewer parameters",
        "def thrifty(units): return units, 0, 0": "at least 1",
        "def thrifty(units): return units - 3, 1, 1": "units in all",
        "def thrifty(units): return (units - 2, 1)": "three depths",
    },
    5: {
        "def mine(): return residual(basic, (2, 2, 2), 10)": "none of the six",
        "def mine(): return residual(basic, (2, 2, 2), 14)": "within a tenth",
        "def mine(): return residual(basic, (2, 2, 2), 6)": "within a tenth",
        "def mine(): return nn.Sequential(residual(gates, (1, 1, 1), 14), nn.Linear(10, 5))": (
            "shape of its logits"
        ),
        "class Idle(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.used, self.spare = residual(gates, (1, 1, 1), 14), nn.Linear(3, 3)\n"
        "    def forward(self, x):\n"
        "        return self.used(x)\n"
        "mine = Idle": "nothing learns from",
    },
}

RIGHT = [
    (1, WIDTH.format("math.floor(width * math.sqrt(units * groups / new_units))")),
    (1, WIDTH.format("float(math.isqrt(width**2 * units * groups // new_units))")),
    (2, GROWTH.format(f"{COST} <= budget", "max(fits)")),
    (3, SEEDS.format("-(-4 * statistics.variance(apart) // gain**2)")),
    (4, "def thrifty(units): return [units - 2, 1, 1]"),
    (4, "def thrifty(units): return torch.tensor([units - 2, 1, 1]).tolist()"),
    (5, "def mine(): return residual(basic, (2, 1, 1), 12)"),
    (5, "def mine(): return dense(6, 5)"),
]
