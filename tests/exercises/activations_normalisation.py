"""The exercises on activations and normalisation: right answers pass, wrong ones are told why."""

GROUP = (
    "def group_norm(x, groups, scale, shift, eps=1e-5):\n    N, C, H, W = x.shape\n"
    "    folded = x.view(N, groups, C // groups, H, W)\n    axes = (2, 3, 4)\n"
    "    mean = folded.mean(axes, keepdim=True)\n"
    "    var = folded.var(axes, keepdim=True, unbiased={})\n"
    "    normal = ((folded - mean) / {}).view(N, C, H, W)\n"
    "    return normal * scale[:, None, None] + shift[:, None, None]\n"
)
COMBINE = (
    "def combine(counts, means, variances):\n"
    "    share = (counts / counts.sum())[:, None].double()\n"
    "    mean = (share * means).sum(0)\n    return "
)
RECALIBRATE = (
    "def recalibrate(model, batches):\n"
    "    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]\n"
    "    old = [norm.momentum for norm in norms]\n    for norm in norms:\n"
    "        norm.reset_running_stats()\n        norm.momentum = {}\n    model.train()\n"
    "    with torch.no_grad():\n        for images in batches:\n            model(images)\n"
    "    for norm, momentum in zip(norms, old):\n        norm.momentum = momentum\n    {}\n"
)
GOOD = RECALIBRATE.format("None", "model.eval()")
RESCUED = (
    "def rescued(model, images, labels, counts):\n    shares = []\n    for n in counts:\n"
    "        other = {}\n        recalibrate(other, {})\n"
    "        right = other(images).argmax(1) == labels\n"
    "        shares.append(right.float().mean().item())\n    return shares\n"
)
COPY, FIRST = "copy.deepcopy(model)", "images[:n].split(32)"

RIGHT = [
    (
        1,
        "def silu(x):\n    s = 1 / (1 + torch.exp(-x))\n    y = x * s\n"
        "    return [y, y + s * (1 - y)]",
    ),
    (
        2,
        "def batches_needed(momentum, gap):\n    t, missing = 0, 1.0\n    while missing > gap:\n"
        "        t, missing = t + 1, missing * (1 - momentum)\n    return torch.tensor(t)",
    ),
    (
        2,
        "def batches_needed(momentum, gap):\n    return np.ceil(np.log(gap) / np.log1p(-momentum))",
    ),
    (3, GROUP.format("False", "(var + eps) ** 0.5")),
    (
        4,
        "def combine(counts, means, variances):\n    share = [n / sum(counts) for n in counts]\n"
        "    mean = sum(s * m for s, m in zip(share, means))\n"
        "    second = sum(s * (v + m**2) for s, m, v in zip(share, means, variances))\n"
        "    return [mean.tolist(), (second - mean**2).tolist()]",
    ),
    (
        5,
        "def recalibrate(model, batches):\n    norms = [m for m in model.modules() "
        "if isinstance(m, nn.BatchNorm2d)]\n    old = [norm.momentum for norm in norms]\n"
        "    model.train()\n    for k, images in enumerate(batches, 1):\n"
        "        for norm in norms:\n            norm.momentum = 1 / k\n"
        "        with torch.no_grad():\n            model(images)\n"
        "    for norm, momentum in zip(norms, old):\n        norm.momentum = momentum\n"
        "    model.eval()\n"
        "def rescued(model, images, labels, counts):\n    said = []\n    for n in counts:\n"
        "        other = copy.deepcopy(model)\n"
        "        recalibrate(other, list(images[:n].split(32)))\n"
        "        said.append(other(images).argmax(1) == labels)\n"
        "    return torch.stack(said).double().mean(1)",
    ),
]

WRONG = [
    (1, "def silu(x):\n    s = torch.sigmoid(x)\n    return x * s, s * (1 - s)", "its slope from"),
    (1, "def silu(x):\n    s = torch.sigmoid(x)\n    return x * s, s", "its slope from -4 to 4"),
    (1, "def silu(x):\n    return x * torch.sigmoid(x)", "where (2, 3) is wanted"),
    (
        1,
        "def silu(x):\n    s = torch.sigmoid(-x)\n    return x * s, s - x * s * (1 - s)",
        "silu from -4 to 4",
    ),
    (
        2,
        "def batches_needed(momentum, gap):\n"
        "    return math.floor(math.log(gap) / math.log(1 - momentum))",
        "too small",
    ),
    (
        2,
        "def batches_needed(momentum, gap):\n"
        "    return math.floor(math.log(gap) / math.log(1 - momentum)) + 1",
        "batches_needed(0.5, 0.25) gave 3, which is too large",
    ),
    (
        2,
        "def batches_needed(momentum, gap):\n"
        "    return math.ceil(math.log(gap) / math.log(momentum))",
        "batches_needed(0.1, 0.01) gave 2, which is too small",
    ),
    (
        2,
        "def batches_needed(momentum, gap):\n    return math.log(gap) / math.log(1 - momentum)",
        "where a whole number is wanted",
    ),
    (3, GROUP.format("True", "(var + eps).sqrt()"), "4 channels in 1 groups"),
    (3, GROUP.format("False", "(var.sqrt() + eps)"), "6 channels in 3 groups"),
    (
        3,
        "def group_norm(x, groups, scale, shift, eps=1e-5):\n    N, C, H, W = x.shape\n"
        "    folded = x.view(N, C // groups, groups, H, W)\n"
        "    mean = folded.mean((1, 3, 4), keepdim=True)\n"
        "    var = folded.var((1, 3, 4), keepdim=True, unbiased=False)\n"
        "    normal = ((folded - mean) / (var + eps).sqrt()).view(N, C, H, W)\n"
        "    return normal * scale[:, None, None] + shift[:, None, None]",
        "6 channels in 2 groups",
    ),
    (
        3,
        "def group_norm(x, groups, scale, shift, eps=1e-5):\n"
        "    return F.group_norm(x, groups, scale, shift)",
        "eps 0.1",
    ),
    (4, COMBINE + "mean, (share * variances).sum(0)", "the variance of parts (4, 4)"),
    (4, COMBINE + "means.mean(0), variances.mean(0)", "the variance of parts (4, 4)"),
    (
        4,
        COMBINE + "means.mean(0), (variances + (means - means.mean(0)) ** 2).mean(0)",
        "the mean of parts (1, 7)",
    ),
    (4, COMBINE + "mean", "how many tensors combine returns"),
    (
        5,
        GOOD.replace("        norm.reset_running_stats()\n", "").replace(
            "momentum = None", "momentum = 0.1"
        )
        + RESCUED.format(COPY, FIRST),
        "the first running mean",
    ),
    (
        5,
        RECALIBRATE.format("0.1", "model.eval()") + RESCUED.format(COPY, FIRST),
        "the first running mean",
    ),
    (
        5,
        RECALIBRATE.format("None", "model.train()") + RESCUED.format(COPY, FIRST),
        "model.training gave True",
    ),
    (
        5,
        GOOD.replace("norm.momentum = momentum", "pass") + RESCUED.format(COPY, FIRST),
        "the layers' momentum",
    ),
    (5, GOOD + RESCUED.format("model", FIRST), "leaves the model as it is gave False"),
    (5, GOOD + RESCUED.format(COPY, "images.split(32)"), "share after recalibrating on 100"),
    (5, GOOD + RESCUED.format(COPY, "[images[:n]]"), "share after recalibrating on 100"),
]
