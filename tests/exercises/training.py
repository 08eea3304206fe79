"""The exercises of the chapter on training: right answers pass, wrong ones are told why."""

MEASURE = (
    "def measure(model, batches):\n    mode = model.training\n    model.{mode}\n"
    "    loss = right = count = 0\n    with torch.{grad}():\n        for x, y in batches:\n"
    "            scores = model(x)\n            loss {add}\n"
    "            right += (scores.argmax(1) == y).sum()\n            count += len(y)\n"
    "    model.train({after})\n    return {loss}, right / count\n"
)
PARTS = {
    "mode": "eval()",
    "grad": "no_grad",
    "add": "+= F.cross_entropy(scores, y) * len(y)",
    "after": "mode",
    "loss": "loss / count",
}


def measured(**changed: str) -> str:
    """An answer to Exercise 1; what is given differs from the right one."""
    return MEASURE.format(**PARTS | changed)


STOP = "def early_stop(losses, patience):\n"
RATE = "def rate(i, peak, warmup, total):\n"
TRIED = (
    "def is_right(train):\n    torch.manual_seed(0)\n"
    "    batches = [(torch.randn(6, 4), torch.randint(3, (6,))) for _ in range(4)]\n"
    "    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))\n"
    "    optimizer = torch.optim.SGD(model.parameters(), 0.1)\n"
)

RIGHT = [
    (1, measured()),
    (1, measured(add="+= F.cross_entropy(scores, y, reduction='sum').item()")),
    (
        2,
        STOP + "    best, wait = 0, 0\n    for t in range(1, len(losses)):\n"
        "        wait += 1\n        if losses[t] < losses[best]:\n            best, wait = t, 0\n"
        "        if wait == patience:\n            return [t + 1, best + 1]\n"
        "    return torch.tensor([len(losses), best + 1])",
    ),
    (
        3,
        RATE + "    t = torch.tensor((i - warmup) / (total - warmup)).double()\n"
        "    climb = peak * (i + 1) / warmup\n"
        "    return climb if i < warmup else peak * torch.cos(torch.pi * t / 2) ** 2",
    ),
    (
        4,
        TRIED + "    seen = []\n    model.register_forward_hook(lambda *_: seen.append("
        "model.training))\n    w = [p.detach().clone() for p in model.parameters()]\n"
        "    other = copy.deepcopy(model)\n    train(model, optimizer, batches)\n"
        "    modes = seen[:]\n    other.train()\n"
        "    for x, y in batches:\n        loss = F.cross_entropy(other(x), y)\n"
        "        grads = torch.autograd.grad(loss, list(other.parameters()))\n"
        "        for p, g in zip(other.parameters(), grads):\n            p.data -= 0.1 * g\n"
        "    same = all(torch.allclose(p, q) for p, q in zip(model.parameters(), "
        "other.parameters()))\n    return torch.tensor(all(modes) and len(modes) == 4 and same)",
    ),
]

WRONG = [
    (1, measured(mode="train()"), "loss, batches of 359"),
    (1, measured(add="+= F.cross_entropy(scores, y)", loss="loss / len(batches)"), "batches of 50"),
    (1, measured(add="= F.cross_entropy(scores, y)", loss="loss"), "loss, batches of 50"),
    (1, measured(after="True"), "the mode is as before gave True"),
    (1, measured(grad="enable_grad"), "whether the loss keeps its graph gave True"),
    (1, measured(loss="(loss / count).item()").replace("    model.eval()\n", ""), "loss, batches"),
    (
        2,
        STOP + "    best = min(range(len(losses)), key=losses.__getitem__)\n"
        "    return min(best + 1 + patience, len(losses)), best + 1",
        "early_stop([1.0, 0.9, 0.95, 0.96, 0.5], 2)",
    ),
    (
        2,
        STOP + "    best = wait = 0\n    for t in range(1, len(losses)):\n"
        "        wait = wait + 1 if losses[t] >= losses[t - 1] else 0\n"
        "        best = t if losses[t] < losses[best] else best\n"
        "        if wait >= patience:\n            return t + 1, best + 1\n"
        "    return len(losses), best + 1",
        "early_stop([2.0, 1.0, 1.5, 1.2, 0.9, 1.1], 2)",
    ),
    (
        2,
        STOP + "    best = 0\n    for t, loss in enumerate(losses):\n"
        "        if loss <= losses[best]:\n            best = t\n"
        "        elif t - best >= patience:\n            return t + 1, best + 1\n"
        "    return len(losses), best + 1",
        "early_stop([1, 1, 1, 1], 2)",
    ),
    (
        2,
        STOP + "    best = 0\n    for t, loss in enumerate(losses):\n"
        "        if loss < losses[best]:\n            best = t\n"
        "        elif t - best > patience:\n            return t + 1, best + 1\n"
        "    return len(losses), best + 1",
        "wrong in place",
    ),
    (
        3,
        RATE + "    if i < warmup:\n        return peak * i / warmup\n"
        "    return peak * (1 + np.cos(np.pi * (i - warmup) / (total - warmup))) / 2",
        "rate(0, 0.2, 5, 50) gave 0, which is too small",
    ),
    (
        3,
        RATE + "    if i < warmup:\n        return peak * (i + 1) / warmup\n"
        "    return peak * (1 + np.cos(np.pi * i / total)) / 2",
        "rate(5, 0.2, 5, 50)",
    ),
    (
        3,
        RATE + "    if i < warmup:\n        return peak * (i + 1) / warmup\n"
        "    return peak * (1 - (i - warmup) / (total - warmup))",
        "rate(6, 0.2, 5, 50)",
    ),
    (
        3,
        RATE + "    if i <= warmup:\n        return peak * (i + 1) / warmup\n"
        "    return peak * (1 + np.cos(np.pi * (i - warmup) / (total - warmup))) / 2",
        "too large",
    ),
    (4, TRIED + "    train(model, optimizer, batches)\n    return True", "is_right(b) gave True"),
    (
        4,
        TRIED + "    train(model, optimizer, batches)\n    return model.training",
        "is_right(c) gave True",
    ),
    (
        4,
        TRIED + "    before = F.cross_entropy(model(batches[0][0]), batches[0][1])\n"
        "    train(model, optimizer, batches)\n"
        "    after = F.cross_entropy(model(batches[0][0]), batches[0][1])\n"
        "    return model.training and after < before",
        "gave",
    ),
    (4, "def is_right(train):\n    return train.__name__ == 'a'", "is_right(otherwise) gave False"),
    (5, "def improved(seed):\n    return shape_network().history", "AttributeError"),
    (5, "def improved(seed):\n    return [0.8]", "improved(0) returns a model gave False"),
    (
        5,
        "def improved(seed):\n    torch.manual_seed(seed)\n"
        "    return shape_network().to(cnnbook.device())",
        "share of validation images right, seed 0 gave 0.",
    ),
]
