"""The exercises of the chapter on pooling: right answers pass, wrong ones are told why."""

HAND = "def by_hand(n, k, s):\n"
OPENING = (
    "def opening(x):\n"
    "    return F.max_pool2d(-F.max_pool2d(-x, 3, 1, padding=1), 3, 1, padding=1)\n"
)
POOL = "def min_pool(x, kernel_size, stride, padding=0):\n"
BACK = "def way_back(grad, winners, height, width):\n"
TABLE = "def mean_from_table(x, size):\n"
EVIDENCE = "def evidence(features, weight, bias, k, height, width):\n    _, h, w = features.shape\n"
BLURRED = (
    "def blurred(x, n):\n    k = torch.ones(1)\n    for _ in range(n - 1):\n"
    "        k = F.pad(k, (1, 0)) + F.pad(k, (0, 1))\n"
    "    k = torch.outer(k, k) / k.sum() ** 2\n    C = x.shape[1]\n"
    "    return F.conv2d(x, k.expand(C, 1, n, n), stride=2, padding=n // 2, groups=C)\n"
)
MINE = BLURRED + "def my_pool(x):\n"

RIGHT = [
    (
        1,
        HAND + "    read, count = set(), 0\n    while count * s + k <= n:\n"
        "        read |= set(range(count * s, count * s + k))\n        count += 1\n"
        "    return [count, torch.tensor(n - len(read))]",
    ),
    (
        2,
        POOL + "    x = F.pad(x, (padding,) * 4, value=x.max().item())\n"
        "    return x.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride).amin((4, 5))\n"
        + OPENING,
    ),
    (
        3,
        BACK + "    back = [[0.0] * width for _ in range(height)]\n"
        "    for g, place in zip(grad.flatten().tolist(), winners.flatten().tolist()):\n"
        "        back[place // width][place % width] += g\n    return back",
    ),
    (
        4,
        TABLE + "    t = torch.zeros(x.shape[0] + 1, x.shape[1] + 1).double()\n"
        "    t[1:, 1:] = x.cumsum(1).cumsum(0)\n"
        "    return (t[size:, size:] - t[:-size, size:] - t[size:, :-size] + t[:-size, :-size])"
        " / size / size",
    ),
    (
        5,
        EVIDENCE + "    each = F.conv2d(features[None], weight[:, :, None, None], bias)[0, k]\n"
        "    each = F.relu(each)\n    if each.max() > 0:\n        each = each / each.max()\n"
        "    return F.interpolate(each[None, None], size=(height, width))[0, 0]",
    ),
    (6, MINE + "    return blurred(x**2, 5).sqrt()"),
    (6, BLURRED + "my_pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.AvgPool2d(4, 2, 1))"),
]

WRONG = [
    (1, HAND + "    return (n - k) // s + 1, (n - k) % s", "by_hand(20, 2, 5) gave"),
    (1, HAND + "    return n // s, n % s", "wrong in place"),
    (1, HAND + "    m = (n - k) // s + 1\n    return m, n - m * k", "by_hand(55, 3, 2)"),
    (1, HAND + "    return -(-(n - k) // s) + 1, 0", "by_hand(55, 2, 2)"),
    (1, HAND + "    return (n - k) // s + 1", "2 values are wanted"),
    (
        2,
        POOL + "    return F.max_pool2d(-x, kernel_size, stride, padding)\n" + OPENING,
        "the sign is wrong",
    ),
    (
        2,
        POOL + "    x = F.pad(x, (padding,) * 4)\n"
        "    return -F.max_pool2d(-x, kernel_size, stride)\n" + OPENING,
        "min_pool, window 3, stride 2, padding 1",
    ),
    (
        2,
        POOL + "    return 1 / F.max_pool2d(1 / x, kernel_size, stride, padding)\n" + OPENING,
        "min_pool, window 4",
    ),
    (
        2,
        POOL + "    return -F.max_pool2d(-x, kernel_size, stride, padding)\n"
        "def opening(x):\n    return min_pool(F.max_pool2d(x, 3, 1, 1), 3, 1, 1)",
        "opening of a speck and a strip",
    ),
    (
        2,
        POOL + "    return -F.max_pool2d(-x, kernel_size, stride, padding)\n"
        "def opening(x):\n"
        "    return F.max_pool2d(min_pool(F.pad(x, (1,) * 4), 3, 1), 3, 1, padding=1)",
        "opening of a speck and a strip",
    ),
    (
        3,
        BACK + "    back = torch.zeros(height * width)\n"
        "    back[winners.flatten()] = grad.flatten()\n    return back.view(height, width)",
        "way_back, stride 1",
    ),
    (
        3,
        BACK + "    back = torch.zeros(height * width)\n"
        "    back.index_add_(0, winners.flatten(), grad.flatten())\n"
        "    return back.view(width, height)",
        "(4, 6) is wanted",
    ),
    (
        3,
        BACK + "    return grad.repeat_interleave(2, 0).repeat_interleave(2, 1) / 4",
        "24 of 24 values are wrong",
    ),
    (
        4,
        TABLE + "    return F.avg_pool2d(x[None, None], size, stride=1)[0, 0]",
        "PyTorch's pooling, or a convolution gave True",
    ),
    (
        4,
        TABLE + "    return x.unfold(0, size, 1).unfold(1, size, 1).mean((2, 3))",
        "window 101, numbers read for each pixel",
    ),
    (
        4,
        TABLE + "    t = x.cumsum(0).cumsum(1)\n"
        "    return (t[size:, size:] - t[:-size, size:] - t[size:, :-size] + t[:-size, :-size])"
        " / size**2",
        "where (5, 7) is wanted",
    ),
    (
        4,
        TABLE + "    t = F.pad(x, (1, 0, 1, 0)).cumsum(0).cumsum(1)\n"
        "    return (t[size:, size:] - t[:-size, size:] - t[size:, :-size]) / size**2",
        "window 1 on 5×7",
    ),
    (
        5,
        EVIDENCE + "    each = F.relu(torch.einsum('c,chw->hw', weight[k], features))\n"
        "    each = each / each.max().clamp(min=1e-9)\n"
        "    return each.repeat_interleave(height // h, 0).repeat_interleave(width // w, 1)",
        "evidence, 4×4 to 8×8",
    ),
    (
        5,
        EVIDENCE + "    each = torch.einsum('c,chw->hw', weight[k], features) + bias[k]\n"
        "    each = F.relu(each) / F.relu(each).max()\n"
        "    return each.repeat_interleave(height // h, 0).repeat_interleave(width // w, 1)",
        "not all of its numbers are finite",
    ),
    (
        5,
        EVIDENCE + "    each = F.relu(torch.einsum('c,chw->hw', weight[1], features) + bias[1])\n"
        "    each = each / each.max().clamp(min=1e-9)\n"
        "    return each.repeat_interleave(height // h, 0).repeat_interleave(width // w, 1)",
        "evidence of class 0",
    ),
    (
        5,
        EVIDENCE + "    each = F.relu(torch.einsum('c,chw->hw', weight[k], features) + bias[k])\n"
        "    each = each / each.max().clamp(min=1e-9)\n"
        "    return each.repeat(height // h, width // w)",
        "evidence, 4×4 to 8×8",
    ),
    (6, MINE + "    return F.max_pool2d(x, 2)", "change after one pixel right gave"),
    (6, MINE + "    return F.avg_pool2d(x, 3, stride=2)", "(2, 3, 5, 7) is wanted"),
    (6, MINE + "    return 1 + F.max_pool2d(x, 2)", "my_pool of zeros"),
    (6, MINE + "    return blurred(x, 13)", "share of digits named gave"),
    (
        6,
        MINE + "    return blurred(x - x.mean(1, keepdim=True), 3)",
        "my_pool, one channel of several",
    ),
]
