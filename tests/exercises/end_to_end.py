"""The exercises of the first chapter: right answers pass, plausible wrong ones are told why."""

DIGITS = (
    "def build_for_digits():\n    return nn.Sequential(\n"
    "        nn.Conv2d({grey}, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),\n"
    "        nn.Conv2d(16, 32, 3, padding={padding}), nn.ReLU(), nn.MaxPool2d(2),\n"
    "        nn.Conv2d(32, 96, {kernel}, padding={kernel} // 2), nn.ReLU(),\n"
    "        nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(96, {scores}))"
)

RIGHT = [
    (
        1,
        "def shapes_of(height, width):\n    picture, gives = torch.zeros(1, 3, height, width), []\n"
        "    for layer in build():\n        picture = layer(picture)\n"
        "        gives.append(list(picture.shape[1:]))\n"
        "    return [gives[k] for k in (2, 5, 7, 10)]",
    ),
    (
        1,
        "def shapes_of(height, width):\n    height, width = height // 2, width // 2\n"
        "    return ([8, height, width], [16, height // 2, width // 2],\n"
        "        torch.tensor([48, height // 2, width // 2]), [10])",
    ),
    (
        2,
        "def by_hand():\n"
        "    x = torch.tensor([[0, 0, 0, 3, 0], *[[0, 2, 2, 3, 0]] * 3, [1, 0, 0, 0, 0]])\n"
        "    pairs = x[:-1] + x[1:]\n    y = pairs[:, :-1] - pairs[:, 1:] + 1\n"
        "    z = y.clamp(min=0)\n    return y, z, z.view(2, 2, 2, 2).amax((1, 3))",
    ),
    (
        3,
        "def build_for_digits():\n    layers, C = [], 1\n    for maps in (16, 32, 96):\n"
        "        layers += [nn.Conv2d(C, maps, 3, padding='same'), nn.ReLU(), nn.MaxPool2d(2, 2)]\n"
        "        C = maps\n"
        "    return nn.Sequential(*layers[:-1], nn.AdaptiveMaxPool2d((1, 1)), nn.Flatten(),\n"
        "        nn.Linear(C, 10))",
    ),
    (
        4,
        "def shares_and_loss(scores, kind):\n    scores = torch.tensor(scores).double()\n"
        "    return scores.softmax(0), -scores.log_softmax(0)[kind]",
    ),
    (
        4,
        "def shares_and_loss(scores, kind):\n    import math\n"
        "    total = sum(math.e**score for score in scores)\n"
        "    return tuple(math.e**s / total for s in scores), math.log(total) - scores[kind]",
    ),
    (
        5,
        "def sticker(net, picture, kind):\n    best = (2.0, None)\n"
        "    with torch.no_grad():\n        for row in range(1, 26, 6):\n"
        "            for column in range(1, 26, 6):\n"
        "                for k in range(8):\n"
        "                    colour = [4 * (k >> c & 1) - 2 for c in range(3)]\n"
        "                    x = picture.clone()\n"
        "                    square = torch.tensor(colour).view(3, 1, 1)\n"
        "                    x[:, row:row + 7, column:column + 7] = square\n"
        "                    share = net(x[None]).softmax(1)[0, kind].item()\n"
        "                    best = min(best, (share, (row, column, colour)))\n"
        "    return best[1]",
    ),
]

WRONG = [
    (
        1,
        "def shapes_of(height, width):\n    h, w = height - 2, width - 2\n"
        "    h, w = h // 2, w // 2\n"
        "    return (8, h, w), (16, h // 2, w // 2), (48, h // 2, w // 2), (10,)",
        "shapes_of(32, 32), after the first pooling, gave (8, 15, 15)",
    ),
    (
        1,
        "def shapes_of(height, width):\n    up = lambda n, k: -(-n // k)\n"
        "    a, b = (up(height, 2), up(width, 2)), (up(height, 4), up(width, 4))\n"
        "    return (8, *a), (16, *b), (48, *b), (10,)",
        "shapes_of(30, 21), after the first pooling, gave (8, 15, 11)",
    ),
    (
        1,
        "def shapes_of(height, width):\n"
        "    a, b = (width // 2, height // 2), (width // 4, height // 4)\n"
        "    return (8, *a), (16, *b), (48, *b), (10,)",
        "shapes_of(64, 48), after the first pooling, gave (8, 24, 32)",
    ),
    (
        1,
        "def shapes_of(height, width):\n"
        "    return (8, height, width), (16, height // 2, width // 2),"
        " (48, height // 4, width // 4), (10,)",
        "after the first pooling, gave (8, 32, 32)",
    ),
    (
        1,
        "def shapes_of(height, width):\n"
        "    a, b = (height // 2, width // 2), (height // 4, width // 4)\n"
        "    return (8, *a), (16, *b), (48, *b)",
        "how many gave 3, which is too small",
    ),
    (
        2,
        "def by_hand():\n    y = [[1, 1, 5, -5], [5, 1, 3, -5], [5, 1, 3, -5], [2, 1, 2, -2]]\n"
        "    return y, y, [[5, 5], [5, 3]]",
        "by_hand(), convolution, gave",
    ),
    (
        2,
        "def by_hand():\n    y = [[-2, 0, -4, 6], [-4, 0, -2, 6], [-4, 0, -2, 6], [-1, 0, -1, 3]]\n"
        "    z = [[0, 0, 0, 6], [0, 0, 0, 6], [0, 0, 0, 6], [0, 0, 0, 3]]\n"
        "    return y, z, [[0, 6], [0, 6]]",
        "everything is off by the same amount",
    ),
    (
        2,
        "def by_hand():\n    y = [[-1, 1, -3, 7], [-3, 1, -1, 7], [-3, 1, -1, 7], [0, 1, 0, 4]]\n"
        "    z = [[1, 1, 3, 7], [3, 1, 1, 7], [3, 1, 1, 7], [0, 1, 0, 4]]\n"
        "    return y, z, [[3, 7], [3, 7]]",
        "by_hand(), ReLU, gave",
    ),
    (
        2,
        "def by_hand():\n    y = [[-1, 1, -3, 7], [-3, 1, -1, 7], [-3, 1, -1, 7], [0, 1, 0, 4]]\n"
        "    z = [[0, 1, 0, 7], [0, 1, 0, 7], [0, 1, 0, 7], [0, 1, 0, 4]]\n"
        "    return y, z, [[0.5, 3.5], [0.5, 2.75]]",
        "by_hand(), pooling, gave",
    ),
    (3, DIGITS.format(grey=3, padding=1, kernel=3, scores=10), "RuntimeError"),
    (
        3,
        DIGITS.format(grey=1, padding=0, kernel=3, scores=10),
        "the widths after its poolings gave [14, 6]",
    ),
    (
        3,
        DIGITS.format(grey=1, padding=1, kernel=5, scores=10),
        "its number of weights gave",
    ),
    (3, DIGITS.format(grey=1, padding=1, kernel=3, scores=5), "gave (2, 5)"),
    (3, "def build_for_digits():\n    return build()", "RuntimeError"),
    (
        4,
        "def shares_and_loss(scores, kind):\n    total = sum(scores) or 1\n"
        "    return [score / total for score in scores], 0.0",
        "shares_and_loss([0, 0], 1), shares, gave [0.0, 0.0]",
    ),
    (
        4,
        "def shares_and_loss(scores, kind):\n    powers = [2.0**score for score in scores]\n"
        "    shares = [p / sum(powers) for p in powers]\n"
        "    return shares, -torch.tensor(shares[kind]).log()",
        "shares_and_loss([2, 1, 0], 0), shares, gave",
    ),
    (
        4,
        "def shares_and_loss(scores, kind):\n"
        "    shares = torch.tensor(scores).double().softmax(0)\n"
        "    return shares, shares[kind].log()",
        "shares_and_loss([0, 0], 1), loss, gave -0.693147, which is too small",
    ),
    (
        4,
        "def shares_and_loss(scores, kind):\n"
        "    shares = torch.tensor(scores).double().softmax(0)\n"
        "    return shares, 1 - shares[kind]",
        "loss, gave 0.5, which is too small",
    ),
    (5, "def sticker(net, picture, kind):\n    return 13, 13, (2.0, 2.0, 2.0)", "of 12 gave"),
    (
        5,
        "def sticker(net, picture, kind):\n    return 28, 3, (2.0, 2.0, 2.0)",
        "lies inside gave False",
    ),
    (
        5,
        "def sticker(net, picture, kind):\n    return 0, 0, (255, 0, 0)",
        "colour from −2 to 2 gave False",
    ),
    (5, "def sticker(net, picture, kind):\n    return 10, 10, 2.0", "colours gave 1"),
    (5, "def sticker(net, picture, kind):\n    return 10, 10", "gave 2, which is too small"),
]
