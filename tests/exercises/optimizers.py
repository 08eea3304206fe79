"""Answers to the exercises of Optimizers, right ones and wrong ones."""

RIGHT = [
    (
        1,
        "def limits(curvatures):\n    low, *_, high = sorted([*curvatures, curvatures[0]])\n"
        "    return [2 / high, 1 / ((low + high) / 2), (high / low - 1) / (high / low + 1)]",
    ),
    (
        1,
        "def limits(curvatures):\n    c = torch.tensor(curvatures)\n"
        "    best = 2 / (c.min() + c.max())\n"
        "    return 2 / c.max(), best, (1 - best * c).abs().max()",
    ),
    (
        2,
        "def full_sgd(w, g, memory, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):\n"
        "    g = g.clone().add_(w, alpha=weight_decay)\n"
        "    if momentum == 0:\n        return w - lr * g\n"
        "    if 'buffer' in memory:\n"
        "        memory['buffer'].mul_(momentum).add_(g, alpha=1 - dampening)\n"
        "    else:\n        memory['buffer'] = g.clone()\n"
        "    step = memory['buffer']\n"
        "    return w - lr * (g + momentum * step if nesterov else step)",
    ),
    (
        3,
        "def big_step(model, optimizer, images, labels, most):\n    model.zero_grad()\n"
        "    for k in range(0, len(labels), most):\n"
        "        x, y = images[k:k + most], labels[k:k + most]\n"
        "        (F.cross_entropy(model(x), y) * len(y) / len(labels)).backward()\n"
        "    optimizer.step()",
    ),
    (
        3,
        "def big_step(model, optimizer, images, labels, most):\n"
        "    weights, total = list(model.parameters()), None\n"
        "    for x, y in zip(images.split(most), labels.split(most)):\n"
        "        loss = F.cross_entropy(model(x), y, reduction='sum')\n"
        "        new = torch.autograd.grad(loss, weights)\n"
        "        total = new if total is None else [a + b for a, b in zip(total, new)]\n"
        "    for weight, g in zip(weights, total):\n        weight.grad = g / len(labels)\n"
        "    optimizer.step()",
    ),
    (
        4,
        "def which(path, gradients, lr):\n    for name, rule in RULES.items():\n"
        "        memory = {}\n"
        "        if all(torch.allclose(rule(w, g, memory, lr=lr), new)\n"
        "               for w, g, new in zip(path, gradients, path[1:])):\n"
        "            return name",
    ),
    (
        4,
        "def which(path, gradients, lr):\n    step, g = (path[0] - path[1]) / lr, gradients[0]\n"
        "    factor = (step / g).mean()\n"
        "    if torch.allclose(step, g * factor):\n"
        "        if abs(factor - 1) > 0.1:\n            return 'Nesterov'\n"
        "        second = (path[1] - path[2]) / lr\n"
        "        return 'SGD' if torch.allclose(second, gradients[1]) else 'momentum'\n"
        "    if step.abs().max() > 2:\n        return 'RMSProp'\n"
        "    s = (gradients[:2] ** 2).sum(0).sqrt()\n"
        "    second = (path[1] - path[2]) / lr\n"
        "    return 'AdaGrad' if torch.allclose(second, gradients[1] / s) else 'Adam'",
    ),
    (
        5,
        "def tuned(make, budget):\n    rates = [0.3, 0.03, 0.01, 0.1, 1.0, 0.003][:budget]\n"
        "    def right(rate):\n"
        "        return measure(train(make, rate, seed=5), VALIDATION)[1]\n"
        "    return max(rates, key=right)",
    ),
]

# For each exercise: answers that are wrong, each with words that the verdict must say.
WRONG = {
    1: {
        "def limits(c):\n    return 1 / max(c), 2 / (min(c) + max(c)), 0.98": "wrong in place 1",
        "def limits(c):\n    return 2 / min(c), 2 / (min(c) + max(c)), 99 / 101": (
            "wrong in place 1"
        ),
        "def limits(c):\n    m = sum(c) / len(c)\n"
        "    return 2 / max(c), 1 / m, (max(c) - min(c)) / (max(c) + min(c))": (
            "limits([0.5, 3.0, 2.0]) gave"
        ),
        "def limits(c):\n    a, b = c[0], c[-1]\n"
        "    return 2 / max(c), 2 / (a + b), (b - a) / (a + b)": ("limits([0.5, 3.0, 2.0]) gave"),
        "def limits(c):\n    return 2 / max(c), 2 / (min(c) + max(c)), 1 - min(c) / max(c)": (
            "wrong in place 3"
        ),
    },
    2: {
        "def full_sgd(w, g, memory, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):\n"
        "    return w - lr * (g + weight_decay * w)": "full_sgd with {'momentum': 0.9} gave",
        "def full_sgd(w, g, memory, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):\n"
        "    memory['v'] = momentum * memory.get('v', 0) + (1 - dampening) * g\n"
        "    step = g + momentum * memory['v'] if nesterov else memory['v']\n"
        "    return (1 - lr * weight_decay) * w - lr * step": "'weight_decay': 0.1} gave",
        "def full_sgd(w, g, memory, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):\n"
        "    g = g + weight_decay * w\n"
        "    memory['v'] = momentum * memory.get('v', 0) + (1 - dampening) * g\n"
        "    return w - lr * (g + momentum * memory['v'] if nesterov else memory['v'])": (
            "'dampening': 0.5} gave"
        ),
        "def full_sgd(w, g, memory, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):\n"
        "    g = g + weight_decay * w\n"
        "    memory['v'] = momentum * memory.get('v', 0) - lr * g\n"
        "    return w + memory['v']": "'momentum': 0.9} gave",
        "def full_sgd(w, g, memory, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):\n"
        "    g = g + weight_decay * w\n    first = 'v' not in memory\n"
        "    memory['v'] = g if first else momentum * memory['v'] + (1 - dampening) * g\n"
        "    return w - lr * memory['v']": "'nesterov': True",
    },
    3: {
        "def big_step(model, optimizer, images, labels, most):\n    optimizer.zero_grad()\n"
        "    F.cross_entropy(model(images), labels).backward()\n    optimizer.step()": (
            "images in the model at once gave 64"
        ),
        "def big_step(model, optimizer, images, labels, most):\n    optimizer.zero_grad()\n"
        "    for x, y in zip(images.split(most), labels.split(most)):\n"
        "        F.cross_entropy(model(x), y).backward()\n    optimizer.step()": "the weights gave",
        "def big_step(model, optimizer, images, labels, most):\n    optimizer.zero_grad()\n"
        "    parts = list(zip(images.split(most), labels.split(most)))\n"
        "    for x, y in parts:\n"
        "        (F.cross_entropy(model(x), y) / len(parts)).backward()\n    optimizer.step()": (
            "big_step of 50 images, 20 at once: the weights gave"
        ),
        "def big_step(model, optimizer, images, labels, most):\n"
        "    for x, y in zip(images.split(most), labels.split(most)):\n"
        "        loss = F.cross_entropy(model(x), y, reduction='sum') / len(labels)\n"
        "        loss.backward()\n    optimizer.step()": "the weights gave",
        "def big_step(model, optimizer, images, labels, most):\n"
        "    for x, y in zip(images.split(most), labels.split(most)):\n"
        "        optimizer.zero_grad()\n"
        "        loss = F.cross_entropy(model(x), y, reduction='sum') / len(labels)\n"
        "        loss.backward()\n        optimizer.step()": "the weights gave",
    },
    4: {
        "def which(path, gradients, lr):\n    return 'SGD'": "which of a walk by momentum at 0.01",
        "def which(path, gradients, lr):\n    for name, rule in RULES.items():\n"
        "        if torch.allclose(rule(path[0], gradients[0], {}, lr=lr), path[1]):\n"
        "            return name": "which of a walk by momentum at 0.01",
        "def which(path, gradients, lr):\n    for name, rule in RULES.items():\n"
        "        if all(torch.allclose(rule(w, g, {}, lr=lr), new)\n"
        "               for w, g, new in zip(path, gradients, path[1:])):\n"
        "            return name": "which of a walk by momentum at 0.01",
        "def which(path, gradients, lr):\n    return list(RULES).index('SGD')": "gave 0",
    },
    5: {
        "def tuned(make, budget):\n    return 0.5 if make is torch.optim.SGD else 1.0": (
            "Adam with the rate of tuned(Adam, 6)"
        ),
        "def tuned(make, budget):\n    return 0.001": "SGD with the rate of tuned(SGD, 6)",
        "def tuned(make, budget):\n    rates = [0.003 * 2**k for k in range(9)]\n"
        "    def loss(rate):\n        return measure(train(make, rate, seed=0), VALIDATION)[0]\n"
        "    return min(rates, key=loss)": ("trainings of tuned(SGD, 6) gave 9"),
        "def tuned(make, budget):\n    rates = [0.0001, 0.0003, 0.001]\n"
        "    def loss(rate):\n        return measure(train(make, rate, seed=0), VALIDATION)[0]\n"
        "    return min(rates, key=loss)": ("SGD with the rate of tuned(SGD, 6)"),
    },
}
