"""The exercises of the chapter on kinds of convolution: right answers pass, wrong ones are told."""

STREAM = "def stream(samples, weight, dilation):\n"
INFLATED = (
    "def inflated(conv, frames):\n"
    "    made = nn.Conv3d(conv.in_channels, conv.out_channels, (frames, *conv.kernel_size),\n"
    "        stride=(1, *conv.stride), padding=(0, *conv.padding), groups=conv.groups,\n"
    "        bias=conv.bias is not None)\n"
)

RIGHT = [
    (
        1,
        "def layers_needed(samples, kernel_size):\n"
        "    return math.ceil(math.log2((samples - 1) / (kernel_size - 1) + 1))",
    ),
    (
        1,
        "def layers_needed(samples, kernel_size):\n    for n in range(99):\n"
        "        if 1 + sum((kernel_size - 1) * 2**k for k in range(n)) >= samples:\n"
        "            return torch.tensor(n)",
    ),
    (
        2,
        "def cheapest(kernel):\n    values = torch.linalg.svdvals(kernel)\n"
        "    rank = (values > 1e-5 * values.max()).sum()\n    h, w = kernel.shape\n"
        "    return torch.minimum(rank * (h + w), torch.tensor(h * w))",
    ),
    (
        3,
        STREAM + "    past = []\n    for sample in samples:\n        past.append(sample)\n"
        "        places = [len(past) - 1 - dilation * k for k in range(len(weight))]\n"
        "        yield sum(w * past[p] for w, p in zip(weight[::-1], places) if p >= 0)",
    ),
    (
        3,
        "from collections import deque\n" + STREAM + "    n = dilation * (len(weight) - 1) + 1\n"
        "    past = deque([0.0] * n, maxlen=n)\n    for sample in samples:\n"
        "        past.append(sample)\n"
        "        yield torch.tensor(weight) @ torch.tensor(list(past)[::dilation])",
    ),
    (
        4,
        INFLATED
        + "    made.weight.data = torch.stack([conv.weight.data / frames] * frames, dim=2)\n"
        "    if conv.bias is not None:\n        made.bias.data = conv.bias.data.clone()\n"
        "    return made",
    ),
    (
        5,
        "def listener():\n    layers, C = [], 1\n    for d in (1, 3, 9, 27, 81, 6):\n"
        "        layers += [CausalConv1d(C, 12, 3, dilation=d), nn.Tanh()]\n        C = 12\n"
        "    return nn.Sequential(*layers, nn.Conv1d(12, 4, 1))",
    ),
]

WRONG = [
    (
        1,
        "def layers_needed(samples, kernel_size):\n"
        "    return math.floor(math.log2((samples - 1) / (kernel_size - 1) + 1))",
        "layers_needed(17, 2) gave 4, which is too small",
    ),
    (
        1,
        "def layers_needed(samples, kernel_size):\n"
        "    return math.ceil((samples - 1) / (kernel_size - 1))",
        "layers_needed(16, 2) gave 15, which is too large",
    ),
    (
        1,
        "def layers_needed(samples, kernel_size):\n    return math.ceil(math.log2(samples))",
        "layers_needed(16000, 3) gave 14, which is too large",
    ),
    (
        2,
        "def cheapest(kernel):\n    rank = int(torch.linalg.matrix_rank(kernel))\n"
        "    return rank * sum(kernel.shape)",
        "7×7, a sum of 4 gave 56, which is too large",
    ),
    (
        2,
        "def cheapest(kernel):\n    rank = int((torch.linalg.svdvals(kernel) > 0).sum())\n"
        "    return min(kernel.numel(), rank * sum(kernel.shape))",
        "too large",
    ),
    (
        2,
        "def cheapest(kernel):\n    return min(kernel.numel(), sum(kernel.shape))",
        "7×7, a sum of 2 gave 14, which is too small",
    ),
    (
        2,
        "def cheapest(kernel):\n    rank = int(torch.linalg.matrix_rank(kernel))\n"
        "    return min(kernel.numel(), 2 * rank * len(kernel))",
        "5×9, a sum of 1 gave 10, which is too small",
    ),
    (
        3,
        STREAM + "    past = [0.0] * (dilation * (len(weight) - 1) + 1)\n"
        "    for sample in samples:\n        past = [*past[1:], sample]\n"
        "        yield sum(w * v for w, v in zip(weight[::-1], past[::dilation]))",
        "2 weights, dilated by 1: outputs",
    ),
    (
        3,
        STREAM + "    row = torch.tensor(list(samples))\n"
        "    x = F.pad(row, (dilation * (len(weight) - 1), 0)).view(1, 1, -1)\n"
        "    yield from F.conv1d(x, torch.tensor(weight).view(1, 1, -1), dilation=dilation)[0, 0]",
        "2 weights, dilated by 1: samples taken too early gave 5, which is too large",
    ),
    (
        3,
        STREAM + "    past = [0.0] * len(weight)\n"
        "    for sample in samples:\n        past = [*past[1:], sample]\n"
        "        yield sum(w * v for w, v in zip(weight, past))",
        "3 weights, dilated by 4: outputs",
    ),
    (
        3,
        STREAM + "    past = []\n    for sample in samples:\n        past.append(sample)\n"
        "        if len(past) > dilation * (len(weight) - 1):\n"
        "            window = past[-1 - dilation * (len(weight) - 1) :: dilation]\n"
        "            yield sum(w * v for w, v in zip(weight, window))",
        "2 weights, dilated by 1: outputs gave a tensor of shape (5,), where (6,) is wanted",
    ),
    (
        4,
        INFLATED
        + "    made.weight.data = conv.weight.data[:, :, None].repeat(1, 1, frames, 1, 1)\n"
        "    if conv.bias is not None:\n        made.bias.data = conv.bias.data\n    return made",
        "3 frames, a still film",
    ),
    (
        4,
        INFLATED
        + "    made.weight.data.zero_()\n    made.weight.data[:, :, 0] = conv.weight.data\n"
        "    if conv.bias is not None:\n        made.bias.data = conv.bias.data\n    return made",
        "3 frames, the weights",
    ),
    (
        4,
        INFLATED
        + "    made.weight.data = conv.weight.data[:, :, None].repeat(1, 1, frames, 1, 1)\n"
        "    made.weight.data /= frames\n"
        "    if conv.bias is not None:\n        made.bias.data = conv.bias.data / frames\n"
        "    return made",
        "3 frames, a still film",
    ),
    (
        5,
        "def listener():\n    layers, C = [], 1\n    for d in (1, 2, 4, 8, 16, 32, 64):\n"
        "        layers += [nn.Conv1d(C, 10, 3, dilation=d, padding=d), nn.ReLU()]\n"
        "        C = 10\n"
        "    return nn.Sequential(*layers, nn.Conv1d(10, 4, 1))",
        "reads the future gave True",
    ),
    (
        5,
        "def listener():\n    layers, C = [], 1\n    for d in (1, 2, 4, 8, 16, 32):\n"
        "        layers += [CausalConv1d(C, 10, 3, dilation=d), nn.ReLU()]\n        C = 10\n"
        "    return nn.Sequential(*layers, nn.Conv1d(10, 4, 1))",
        "samples read of the last 255 gave 127, which is too small",
    ),
    (
        5,
        "def listener():\n    layers, C = [], 1\n    for d in (1, 2, 4, 8, 16, 32, 64):\n"
        "        layers += [CausalConv1d(C, 24, 3, dilation=d), nn.ReLU()]\n        C = 24\n"
        "    return nn.Sequential(*layers, nn.Conv1d(24, 4, 1))",
        "at most 4,000 parameters gave False",
    ),
    (5, "def listener():\n    return CausalConv1d(1, 4, 255, stride=2)", "the output for 300"),
]
