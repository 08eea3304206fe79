"""The exercises of the chapter on counting: right answers pass, wrong ones are told why."""

CHAIN = "def count_chain(rows, channels, side):\n    parameters = work = 0\n"
BATCH = "def largest_batch(card_bytes, parameters, activations):\n"
FOLD = (
    "def fold_all(chain):\n    layers = []\n"
    "    for conv, norm, relu in zip(chain[0::3], chain[1::3], chain[2::3]):\n"
)
NEW = (
    "        new = nn.Conv2d(conv.in_channels, conv.out_channels, 3, padding=1)\n"
    "        bias = 0 if conv.bias is None else conv.bias.data\n"
)
SET = (
    "        new.weight.data = conv.weight.data * f.view(-1, 1, 1, 1)\n"
    "        new.bias.data = ((bias - norm.running_mean) * f + norm.bias).data\n"
    "        layers += [new, nn.ReLU()]\n    return nn.Sequential(*layers)"
)
COUNT = "def my_count(network, size):\n    total, hooks = [0], []\n"
RUN = (
    "    for m in network.modules():\n"
    "        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):\n"
    "            hooks.append(m.register_forward_hook(note))\n"
    "    network(torch.zeros(1, *size, device='meta'))\n"
)
REMOVE = "    for hook in hooks:\n        hook.remove()\n    return total[0]"


def counter(products: str, end: str = REMOVE) -> str:
    """A counter of layers that adds up these products."""
    note = f"    def note(m, inputs, y):\n        x, w = inputs[0], m.weight\n{products}"
    return COUNT + note + RUN + end


RIGHT = [
    (
        1,
        "def pencil():\n"
        "    return [[9408, 9408 * 112**2], [16448, 16384 * 3136], [2049000, 2048000]]",
    ),
    (
        1,
        "def pencil():\n    return torch.tensor([[9408, 118013952], [16448, 51380224], "
        "[2049000, 2048000]])",
    ),
    (
        2,
        CHAIN
        + "    for M, K, s, p in rows:\n        side = output_size(side, K, stride=s, padding=p)\n"
        "        parameters += M * K**2 * channels + M\n"
        "        work, channels = work + M * channels * (K * side) ** 2, M\n"
        "    return [parameters, work]",
    ),
    (
        2,
        "def count_chain(rows, channels, side):\n    if not rows:\n        return 0, 0\n"
        "    (M, K, s, p), *rest = rows\n    side = 1 + (side - K + 2 * p) // s\n"
        "    more = count_chain(rest, M, side)\n    weights = M * K * K * channels\n"
        "    return torch.tensor([weights + M + more[0], weights * side * side + more[1]])",
    ),
    (
        3,
        BATCH + "    b = 0\n    while 4 * (4 * parameters + activations * (b + 1)) <= card_bytes:\n"
        "        b += 1\n    return float(b)",
    ),
    (
        3,
        BATCH + "    return max((card_bytes / 4 - 4 * parameters) // activations, 0)",
    ),
    (4, FOLD + NEW + "        f = norm.weight * (norm.running_var + norm.eps) ** -0.5\n" + SET),
    (
        4,
        "from torch.nn.utils.fusion import fuse_conv_bn_eval\n"
        + FOLD
        + "        layers += [fuse_conv_bn_eval(conv, norm), relu]\n"
        "    return nn.Sequential(*layers)",
    ),
    (
        5,
        counter(
            "        if isinstance(m, nn.Linear):\n"
            "            total[0] += y.numel() * m.in_features\n"
            "        elif isinstance(m, nn.Conv2d):\n"
            "            total[0] += w.numel() * y.shape[2] * y.shape[3] * len(y)\n"
            "        else:\n"
            "            total[0] += w.numel() * x.shape[2] * x.shape[3] * len(x)\n"
        ),
    ),
    (
        5,
        "def my_count(network, size):\n    with FlopCounterMode(display=False) as counter:\n"
        "        network(torch.zeros(1, *size, device='meta'))\n"
        "    return counter.get_total_flops() / 2",
    ),
]

WRONG = [
    (
        1,
        "def pencil():\n    return (9408, 118013952), (16448, 51380224)",
        "how many pairs gave 2, which is too small",
    ),
    (
        1,
        "def pencil():\n    return (9472, 118013952), (16448, 51380224), (2049000, 2048000)",
        "(a), parameters gave 9,472, which is too large",
    ),
    (
        1,
        "def pencil():\n    return (9408, 9408 * 224**2), (16448, 51380224), (2049000, 2048000)",
        "(a), multiply–adds gave 472,055,808, which is too large",
    ),
    (
        1,
        "def pencil():\n    return (9408, 118013952), (16384, 51380224), (2049000, 2048000)",
        "(b), parameters gave 16,384, which is too small",
    ),
    (
        1,
        "def pencil():\n    return (9408, 118013952), (16448, 51380224), (2049000, 2049000)",
        "(c), multiply–adds gave 2,049,000, which is too large",
    ),
    (
        2,
        CHAIN + "    for M, K, s, p in rows:\n        side = (side + 2 * p - K) // s + 1\n"
        "        parameters += M * K * K * channels\n"
        "        work, channels = work + M * (side * K) ** 2 * channels, M\n"
        "    return parameters, work",
        "wrong in place 1 of 2",
    ),
    (
        2,
        CHAIN + "    for M, K, s, p in rows:\n        parameters += M * (K * K * channels + 1)\n"
        "        work += M * (side * K) ** 2 * channels\n"
        "        channels, side = M, (side + 2 * p - K) // s + 1\n    return parameters, work",
        "wrong in place 2 of 2",
    ),
    (
        2,
        CHAIN + "    for M, K, s, p in rows:\n        side = -(-(side + 2 * p - K) // s) + 1\n"
        "        parameters += M * (K * K * channels + 1)\n"
        "        work, channels = work + M * (side * K) ** 2 * channels, M\n"
        "    return parameters, work",
        "wrong in place 2 of 2",
    ),
    (
        2,
        CHAIN + "    for M, K, s, p in rows:\n        side = (side + 2 * p - K) // s + 1\n"
        "        parameters += M * (K * K * channels + 1)\n"
        "        work += M * (side * K) ** 2 * channels\n    return parameters, work",
        "wrong in place 1, 2 of 2",
    ),
    (
        3,
        BATCH + "    return max(0, (card_bytes - 12 * parameters) // (4 * activations))",
        "too large",
    ),
    (
        3,
        BATCH + "    return max(0, (card_bytes - 16 * parameters) // activations)",
        "too large",
    ),
    (
        3,
        BATCH + "    return int((card_bytes - 16 * parameters) // (4 * activations))",
        "gave -4, which is too small",
    ),
    (
        3,
        BATCH + "    return max(0, (card_bytes - 16 * parameters) / (4 * activations))",
        "where a whole number is wanted",
    ),
    (
        3,
        BATCH + "    b = 0\n    while 4 * (4 * parameters + activations * (b + 1)) < card_bytes:\n"
        "        b += 1\n    return b",
        "largest_batch(10000, 100, 50) gave 41, which is too small",
    ),
    (
        4,
        FOLD + "        layers += [fold(conv, norm), relu]\n    return nn.Sequential(*layers)",
        "bias=True, eps=1e-05, gave",
    ),
    (
        4,
        FOLD + NEW + "        f = norm.weight * norm.running_var**-0.5\n" + SET,
        "eps=0.1, gave",
    ),
    (
        4,
        FOLD + NEW + "        f = (norm.running_var + norm.eps) ** -0.5\n" + SET,
        "its output, bias=False",
    ),
    (
        4,
        "def fold_all(chain):\n    return nn.Sequential(*[m for m in chain "
        "if not isinstance(m, nn.BatchNorm2d)])",
        "its output, bias=False",
    ),
    (
        4,
        FOLD
        + NEW.replace(
            "new = nn.Conv2d(conv.in_channels, conv.out_channels, 3, padding=1)", "new = conv"
        )
        + "        f = norm.weight * (norm.running_var + norm.eps) ** -0.5\n"
        "        new.bias = new.bias if new.bias is not None else nn.Parameter(f)\n" + SET,
        "the chain itself, afterwards, gave",
    ),
    (
        5,
        counter("        total[0] += y.numel() * w[0].numel()\n"),
        "a convolution and a transposed one gave",
    ),
    (
        5,
        counter(
            "        up = isinstance(m, nn.ConvTranspose2d)\n"
            "        n = 1 if isinstance(m, nn.Linear) else (x if up else y)[0, 0].numel()\n"
            "        total[0] += n * w.numel()\n"
        ),
        "linear on a map gave 30, which is too small",
    ),
    (
        5,
        counter(
            "        if isinstance(m, nn.ConvTranspose2d):\n"
            "            total[0] += x.numel() * w[0].numel()\n"
            "        elif isinstance(m, nn.Conv2d):\n"
            "            total[0] += y.numel() * m.in_channels * m.kernel_size[0] ** 2\n"
            "        else:\n            total[0] += y.numel() * w[0].numel()\n"
        ),
        "a grouped layer, used twice gave",
    ),
    (
        5,
        counter(
            "        places = x if isinstance(m, nn.ConvTranspose2d) else y\n"
            "        total[0] += places.numel() * w[0].numel()\n",
            "    return total[0]",
        ),
        "hooks left on the network: gave 5",
    ),
    (
        5,
        counter(
            "        places = x if isinstance(m, nn.ConvTranspose2d) else y\n"
            "        total[0] += places.numel() * w[0].numel() + y.numel()\n"
        ),
        "too large",
    ),
]
