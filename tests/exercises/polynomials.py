"""Answers to the exercises of PolyNet, right ones and wrong ones."""

RUN = """\
def run(expression, letters, x):
    total, known = x, {{}}
    for word in expression.split(" + ")[1:]:
        value = x
        for k in {order}:
            ending = {key}
            if ending not in known:
                known[ending] = letters[word[k]](value)
            value = known[ending]
        total += value
    return total"""
GROW = """\
def grow(block, expression):
    new = PolyInception(
        expression, lambda: initialise(copy.deepcopy(block.calls["F"]), _draw), {scale}
    )
    {load}
    for word, branch in new.calls.items():
        if word != "F":
            {silence}
    return new"""
LOAD = "new.load_state_dict(block.state_dict(), strict=False)"
SILENCE = "branch[-1].weight.data.zero_(); branch[-1].bias.data.zero_()"
WITHOUT = """\
def without_terms(network, batches):
    found = {{}}
    for name, block in network.named_modules():
        if isinstance(block, PolyInception):
            whole = block.terms
            for word in whole:
                {silence}
                found[name, word] = training.evaluate(network, batches)
                {restore}
    return found"""
LEAVE = "block.terms = [w for w in whole if w != word]"

RIGHT = [
    (
        1,
        "def price(expression):\n    words = terms(expression)\n"
        "    return [len(''.join(words)), len(calls(expression)), len({*''.join(words)})]",
    ),
    (
        2,
        "import functools\n"
        "def run(expression, letters, x):\n"
        "    @functools.cache\n"
        "    def value(word):\n"
        "        return letters[word[0]](value(word[1:])) if word else x\n"
        "    return sum(map(value, expression.split(' + ')[1:]), x)",
    ),
    (2, RUN.format(order="reversed(range(len(word)))", key="word[k:]")),
    (
        3,
        "def grow(block, expression):\n"
        "    build = lambda: copy.deepcopy(block.calls['F'])\n"
        "    new = PolyInception(expression, build, block.scale)\n"
        "    for word in new.calls:\n"
        "        if word != 'F':\n"
        "            nn.init.zeros_(new.calls[word][2].weight)\n"
        "            nn.init.zeros_(new.calls[word][2].bias)\n"
        "    return new",
    ),
    (
        4,
        "def expected_runs(expression, drop):\n"
        "    words, total = terms(expression), 0\n"
        "    for kept in product((0, 1), repeat=len(words)):\n"
        "        chance = 1\n"
        "        for one in kept:\n"
        "            chance *= 1 - drop if one else drop\n"
        "        left = {w[k:] for w, one in zip(words, kept) if one for k in range(len(w))}\n"
        "        total += chance * len(left)\n"
        "    return total",
    ),
    (
        5,
        WITHOUT.format(
            silence="block.terms = [*whole]; block.terms.remove(word)",
            restore="block.terms = whole",
        ),
    ),
]

WRONG = {
    1: {
        "def price(expression):\n    words = expression.split(' + ')[1:]\n"
        "    return len(words), len(words), len({*''.join(words)})": "price('I + F + FF') gave",
        "def price(expression):\n    words = expression.split(' + ')[1:]\n"
        "    return len(''.join(words)), len(words), len({*''.join(words)})": (
            "price('I + GF') gave"
        ),
        "def price(expression):\n    words = expression.split(' + ')[1:]\n"
        "    n = len(calls(expression))\n"
        "    return len(''.join(words)), n, n": "price('I + F + FF') gave",
        "def price(expression):\n    words = expression.split(' + ')[1:]\n"
        "    starts = {w[:k] for w in words for k in range(1, len(w) + 1)}\n"
        "    return len(''.join(words)), len(starts), len({*''.join(words)})": "price('I + F + GF",
    },
    2: {
        RUN.format(
            order="range(len(word))", key="word[:k + 1]"
        ): "run('I + F + GF + HGF', …, 2) gave",
        RUN.format(order="reversed(range(len(word)))", key="(word, k)"): (
            "calls for 'I + F + FF' gave 3, which is too large"
        ),
        RUN.format(
            order="reversed(range(len(word)))", key="word[k]"
        ): "run('I + F + FF', …, 1) gave",
        RUN.format(order="reversed(range(len(word)))", key="word[k:]").replace(
            "total, known = x", "total, known = 0"
        ): "run('I + F + FF', …, 1) gave 6, which is too small",
    },
    3: {
        GROW.format(scale="block.scale", load=LOAD, silence="pass"): "its output gave",
        GROW.format(scale="1.0", load=LOAD, silence=SILENCE): "its output gave",
        GROW.format(scale="block.scale", load="pass", silence=SILENCE): "its output gave",
        GROW.format(
            scale="block.scale", load=LOAD, silence=SILENCE + "; branch[1].weight.data.zero_()"
        ): ("its output gave"),
        "def grow(block, expression):\n    return block": "its terms gave",
        GROW.format(
            scale="block.scale",
            load="new.calls['F'] = block.calls['F']; block.calls['F'][-1].weight.data *= 2",
            silence=SILENCE,
        ): "its output gave",
    },
    4: {
        "def expected_runs(expression, drop):\n"
        "    return len(calls(expression)) * (1 - drop)": "expected_runs('I + F + GF + HGF', 0.25)",
        "def expected_runs(expression, drop):\n"
        "    return sum(len(w) for w in terms(expression)) * (1 - drop)": "which is too large",
        "def expected_runs(expression, drop):\n"
        "    words = terms(expression)\n"
        "    needing = [sum(c in w for w in words) for c in calls(expression)]\n"
        "    return sum(1 - drop**n for n in needing) + 0.01": ("which is too large"),
        "def expected_runs(expression, drop):\n"
        "    words = terms(expression)\n"
        "    return sum((1 - drop) ** sum(w.endswith(c) for w in words)"
        " for c in calls(expression))": "expected_runs('I + F + GF + HGF', 0.25)",
    },
    5: {
        WITHOUT.format(silence=LEAVE, restore="pass"): "without ('1', 'F') gave",
        WITHOUT.format(silence="block.terms = [word]", restore="block.terms = whole"): "without",
        WITHOUT.format(silence="pass", restore="pass"): "without",
        "def without_terms(network, batches):\n"
        "    return {('0', 'F'): training.evaluate(network, batches)}": "its keys gave",
    },
}
