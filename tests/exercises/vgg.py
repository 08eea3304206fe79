"""The exercises of the chapter on VGG: right answers pass, plausible wrong ones are told why."""

RIGHT = [
    (1, "def stack(k):\n    return [k // 2, 9 * (k // 2) / (k * k)]"),
    (
        1,
        "def stack(k):\n    n, sees = 0, 1\n    while sees < k:\n"
        "        n, sees = n + 1, sees + 2\n"
        "    return n, torch.tensor(9 * n / k**2)",
    ),
    (
        2,
        "def merged(first, second):\n    large = torch.zeros(5, 5)\n    for i in range(3):\n"
        "        for j in range(3):\n            large[i:i + 3, j:j + 3] += first[i, j] * second\n"
        "    return large",
    ),
    (
        2,
        "def merged(first, second):\n    large = F.conv_transpose2d(first[None, None], "
        "second[None, None])\n    return large[0, 0].tolist()",
    ),
    (
        3,
        "def map_size(height, width):\n    for _ in range(5):\n"
        "        height, width = height // 2, width // 2\n    return [height - 6, width - 6]",
    ),
    (
        4,
        "class Pooled(nn.Module):\n    def __init__(self, column, classes):\n"
        "        super().__init__()\n"
        "        self.trunk = vgg_network(column, 1, image_size=32, hidden=())[:-1]\n"
        "        self.scores = nn.Linear(column[-1].out_channels, classes)\n"
        "    def forward(self, x):\n        return self.scores(self.trunk(x).mean((2, 3)))\n"
        "pooled = Pooled",
    ),
    (
        5,
        "def framed(images, size):\n    a = (size - 16) // 2\n"
        "    return F.pad(images, (a, size - 16 - a) * 2, mode='replicate')\n"
        "def shares(network):\n    drawn = data.shapes(1000, 16, seed=1)\n"
        "    with torch.no_grad():\n"
        "        images = framed(data.centred(drawn.images), 32).to(cnnbook.device())\n"
        "        said = network(images).argmax(1)\n"
        "    share = (said.cpu() == drawn.labels).double().mean()\n"
        "    return [right(network, 16), share, right(network, 32)]",
    ),
]

WRONG = [
    (1, "def stack(k):\n    return k // 3, 9 * (k // 3) / k**2", "too small"),
    (1, "def stack(k):\n    return (k + 1) // 2, 9 * (k // 2) / k**2", "too large"),
    (1, "def stack(k):\n    return k // 2, k**2 / (9 * (k // 2))", "stack(5)[1] gave"),
    (1, "def stack(k):\n    return k // 2, 9 / k**2", "too small"),
    (1, "def stack(k):\n    return 3, 27 / 49", "too large"),
    (
        2,
        "def merged(first, second):\n"
        "    return F.conv2d(first[None, None], second[None, None], padding=2)[0, 0]",
        "merged(a 1 in the corner, a 1 in the top row) gave",
    ),
    (
        2,
        "def merged(first, second):\n"
        "    return F.conv2d(first[None, None], second.flip(0, 1)[None, None], padding=1)[0, 0]",
        "(3, 3), where (5, 5) is wanted",
    ),
    (
        2,
        "def merged(first, second):\n"
        "    return F.conv2d(first[None, None], second.flip(1)[None, None], padding=2)[0, 0]",
        "merged(a 1 in the corner, a 1 in the top row) gave",
    ),
    (
        2,
        "def merged(first, second):\n    return F.pad(first, (1,) * 4) * F.pad(second, (1,) * 4)",
        "merged(a 1 in the corner, a 1 in the top row) gave",
    ),
    (
        3,
        "def map_size(height, width):\n    return height // 32, width // 32",
        "wrong in place 1, 2",
    ),
    (3, "def map_size(height, width):\n    return width // 32 - 6, height // 32 - 6", "(256, 384)"),
    (
        3,
        "def map_size(height, width):\n    return -(-height // 32) - 6, -(-width // 32) - 6",
        "255",
    ),
    (3, "def map_size(height, width):\n    return 1 + (height - 224) // 32", "2 values are wanted"),
    (
        4,
        "def pooled(column, num_classes):\n"
        "    return vgg_network(column, num_classes, image_size=32, hidden=())",
        "RuntimeError",
    ),
    (
        4,
        "def pooled(column, num_classes):\n    return vgg_network(column, num_classes)",
        "its parameters gave 138,357,544, which is too large",
    ),
    (
        4,
        "def pooled(column, num_classes):\n"
        "    trunk = vgg_network(column, 1, image_size=32, hidden=())[:-1]\n"
        "    return nn.Sequential(trunk, nn.AdaptiveMaxPool2d(1), nn.Flatten(),\n"
        "        nn.Linear(column[-1].out_channels, num_classes))",
        "its scores gave",
    ),
    (
        4,
        "def pooled(column, num_classes):\n"
        "    trunk = vgg_network(column, 1, image_size=32, hidden=())[:-1]\n"
        "    return nn.Sequential(trunk, nn.AdaptiveAvgPool2d(1), nn.Flatten(),\n"
        "        nn.Linear(column[-1].out_channels, num_classes), nn.ReLU())",
        "its scores gave",
    ),
    (
        5,
        "def framed(images, size):\n    return F.pad(images, ((size - 16) // 2,) * 4)\n"
        "def shares(network): ...",
        "goes on without a step gave False",
    ),
    (
        5,
        "def framed(images, size):\n    return F.interpolate(images, size=size)\n"
        "def shares(network): ...",
        "the middle of framed(images, 20) gave",
    ),
    (
        5,
        "def framed(images, size):\n"
        "    return F.pad(images, (0, size - 16) * 2, mode='replicate')\n"
        "def shares(network): ...",
        "the middle of framed(images, 20) gave",
    ),
    (
        5,
        "def framed(images, size):\n"
        "    return F.pad(images, ((size - 16) // 2,) * 4, mode='reflect')\n"
        "def shares(network):\n    return right(network, 16), right(network, 32)",
        "2 instead of 3 values",
    ),
    (
        5,
        "def framed(images, size):\n"
        "    return F.pad(images, ((size - 16) // 2,) * 4, mode='reflect')\n"
        "def shares(network):\n    return right(network, 16), right(network, 32), 0.0",
        "wrong in place",
    ),
]
