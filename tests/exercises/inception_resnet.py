"""Answers to the exercises of Inception-v4 and Inception-ResNet, right ones and wrong ones."""

SIDES = "h, w = k if isinstance(k, tuple) else (k, k)"
COUNT = """\
def block_parameters(channels, schema):
    total = stacked = 0
    for row in schema:
        c = channels
        for o, k in zip(row.channels, row.kernels):
            {sides}
            total += {conv}
            c = o
        stacked += c
    return total + {linear}"""
BLOCK = """\
class Block(nn.Module):
    def __init__(self, branch):
        super().__init__()
        self.branch, self.alpha = branch, nn.Parameter({start})
    def forward(self, x):
        return {out}
learned = Block"""
APART = """\
def apart(branch):
    ways, expand = branch
    parts, start = [], 0
    for way in ways:
        width = way(torch.zeros(1, expand.out_channels, 9, 9)).shape[1]
        conv = nn.Conv2d(width, expand.out_channels, 1)
        conv.weight.data = expand.weight.data[:, {which}].clone()
        conv.bias.data = {bias}
        parts.append(nn.Sequential(way, conv))
        start += width
    return parts"""

RIGHT = [
    (
        1,
        "def block_parameters(channels, schema):\n"
        "    return count_parameters(residual_branch(channels, schema))",
    ),
    (
        1,
        COUNT.format(
            sides=SIDES + "\n            h, w = torch.tensor(h), w",
            conv="c * o * h * w + 2 * o",
            linear="stacked * channels + channels",
        ),
    ),
    (
        2,
        APART.format(which="start:start + width", bias="expand.bias.data / len(ways)"),
    ),
    (
        3,
        BLOCK.format(start="torch.zeros(1)", out="(x + self.alpha * self.branch(x)).clamp(min=0)"),
    ),
    (
        3,
        BLOCK.format(
            start="torch.zeros(1, 1, 1, 1)", out="F.relu(self.branch(x).mul(self.alpha).add(x))"
        ),
    ),
    (
        4,
        "def dead(network, images):\n    mode = network.training\n    network.eval()\n"
        "    with torch.no_grad():\n"
        "        maps = torch.cat([network[:-1](i[None]) for i in images])\n"
        "    network.train(mode)\n"
        "    return sum((maps[:, c] == 0).all().item() for c in range(maps.shape[1])) "
        "/ maps.shape[1]",
    ),
]

WRONG = {
    1: {
        COUNT.format(sides=SIDES, conv="c * o * h * w", linear="stacked * channels + channels"): (
            "block_parameters(384, FIGURE_16) gave 137,088, which is too small"
        ),
        COUNT.format(sides=SIDES, conv="c * o * h * w + 2 * o", linear="stacked * channels"): (
            "which is too small"
        ),
        COUNT.format(
            sides=SIDES, conv="c * o * h * w + 2 * o", linear="stacked * channels + 3 * channels"
        ): "which is too large",
        COUNT.format(
            sides="h = w = max(k) if isinstance(k, tuple) else k",
            conv="c * o * h * w + 2 * o",
            linear="stacked * channels + channels",
        ): "block_parameters(1152, FIGURE_17) gave",
        COUNT.format(
            sides=SIDES, conv="channels * o * h * w + 2 * o", linear="stacked * channels + channels"
        ): "which is too large",
    },
    2: {
        APART.format(which="start:start + width", bias="expand.bias.data.clone()"): (
            "Figure 16: the sum of the parts gave"
        ),
        APART.format(which="start:start + width", bias="0 * expand.bias.data"): (
            "Figure 16: the sum of the parts gave"
        ),
        APART.format(which=":width", bias="expand.bias.data / len(ways)"): (
            "Figure 16: the sum of the parts gave"
        ),
        "def apart(branch):\n    return [branch]": "how many parts gave 1, which is too small",
        "def apart(branch):\n"
        "    ways, expand = branch\n"
        "    silent = copy.deepcopy(branch)\n"
        "    nn.init.zeros_(silent[1].weight)\n"
        "    nn.init.zeros_(silent[1].bias)\n"
        "    return [branch, *[silent] * (len(ways) - 1)]": "what part 1 makes of x",
        "def apart(branch):\n"
        "    ways, expand = branch\n"
        "    expand.weight.data /= 3\n"
        "    expand.bias.data /= 3\n"
        "    return [branch] * 3": "Figure 16: ",
    },
    3: {
        BLOCK.format(start="torch.ones(())", out="F.relu(x + self.alpha * self.branch(x))"): (
            "its output at first gave"
        ),
        BLOCK.format(
            start="torch.zeros(1, 3, 1, 1)", out="F.relu(x + self.alpha * self.branch(x))"
        ): "its parameters gave",
        BLOCK.format(start="torch.zeros(())", out="x + self.alpha * self.branch(x)"): (
            "its output at first gave"
        ),
        BLOCK.format(start="torch.zeros(())", out="x + F.relu(self.alpha * self.branch(x))"): (
            "its output at first gave"
        ),
        BLOCK.format(start="torch.zeros(())", out="F.relu(x) + self.alpha * self.branch(x)"): (
            "its output with α = 0.3 gave"
        ),
        "def learned(branch):\n    return ScaledResidual(branch, 0.0)": "its parameters gave",
    },
    4: {
        "def dead(network, images):\n    with torch.no_grad():\n"
        "        return (network.eval()[:-1](images) == 0).double().mean()": "gave",
        "def dead(network, images):\n    with torch.no_grad():\n"
        "        maps = network.eval()[:-1](images)\n"
        "    return (maps == 0).all(3).all(2).double().mean()": "gave",
        "def dead(network, images):\n    with torch.no_grad():\n"
        "        maps = network[:-1](images)\n"
        "    return (maps == 0).all(3).all(2).all(0).double().mean()": "",
        "def dead(network, images):\n    with torch.no_grad():\n"
        "        maps = network.eval()[:-1](images)\n"
        "    return (maps == 0).all(3).all(2).all(0).sum()": "gave",
        "def dead(network, images):\n    with torch.no_grad():\n"
        "        scores = network.eval()(images)\n"
        "    return (scores == 0).all(0).double().mean()": "gave",
    },
}
