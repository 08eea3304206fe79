"""Answers to the exercises of SqueezeNet, right ones and wrong ones."""

COUNT = "def fire_parameters(in_channels, row):\n    s, one, three = row\n    return {}"
DESIGN = """\
def design(modules, base, increment, every, share3x3, ratio):
    rows = []
    for i in range(modules):
        e = base + increment * {step}
        s, three = {squeeze}, {three}
        rows.append(FireRow(s, {one}, three))
    return rows"""
DESIGNED = {
    "step": "(i // every)",
    "squeeze": "max(1, int(ratio * e))",
    "three": "max(1, int(share3x3 * e))",
    "one": "e - three",
}
MERGED = """\
def merged(module):
    squeeze, _, ((one, _), (three, _)) = module
    kernels = {kernels}
    both = nn.Conv2d(kernels.shape[1], kernels.shape[0], 3, padding={padding})
    both.weight.data = kernels
    both.bias.data = {bias}
    return nn.Sequential(squeeze, nn.ReLU(), both{last})"""
JOINED = {
    "kernels": "torch.cat([F.pad(one.weight.data, (1, 1, 1, 1)), three.weight.data])",
    "padding": "1",
    "bias": "torch.cat([one.bias.data, three.bias.data])",
    "last": ", nn.ReLU()",
}
ENCODE = "def encode(weight, book):\n    places = {}\n    return places, {}"
PACKED = """\
def packed_bytes(network, bits):
    total = 0
    for layer in network.modules():
        for name, p in layer.named_parameters(recurse=False):
            if {rounded}:
                total += bits * p.numel() + {steps}
            else:
                total += 32 * p.numel()
    return {end}"""
PACKS = {"rounded": "p.dim() > 1", "steps": "32 * len(p)", "end": "(total + 7) // 8"}

RIGHT = [
    (1, COUNT.format("count_parameters(fire(in_channels, row))")),
    (1, COUNT.format("float(in_channels * s + s + s * one + one + 9 * s * three + three)")),
    (2, DESIGN.format(**DESIGNED).replace("FireRow(s", "(s").replace("three))", "three))")),
    (2, DESIGN.format(**DESIGNED | {"squeeze": "int(ratio * e) or 1"})),
    (3, MERGED.format(**JOINED)),
    (
        3,
        MERGED.format(
            **JOINED
            | {
                "kernels": "torch.zeros(len(one.weight) + len(three.weight), "
                "one.weight.shape[1], 3, 3, dtype=one.weight.dtype)\n"
                "    kernels[: len(one.weight), :, 1:2, 1:2] = one.weight.data\n"
                "    kernels[len(one.weight) :] = three.weight.data"
            }
        ),
    ),
    (4, ENCODE.format("(weight.unsqueeze(-1) - book).pow(2).argmin(-1)", "book[places]")),
    (
        4,
        "def encode(weight, book):\n"
        "    places = torch.cdist(weight.reshape(-1, 1), book[:, None]).argmin(1)\n"
        "    return [places.reshape(weight.shape), book[places].reshape(weight.shape)]",
    ),
    (5, PACKED.format(**PACKS)),
]

WRONG = {
    1: {
        COUNT.format(
            "in_channels * s + s * one + 9 * s * three"
        ): "gave 11,776, which is too small",
        COUNT.format("in_channels * s + s + s * one + one + 9 * one * three + three"): (
            "fire_parameters(96, FireRow(16, 64, 64)) gave 39,568, which is too large"
        ),
        COUNT.format("in_channels * s + s + (10 * s + 2) * one"): "FireRow(40, 100, 7)",
        COUNT.format("(in_channels + 1) * s + (s + 1) * one + (3 * s + 1) * three"): "too small",
    },
    2: {
        DESIGN.format(**DESIGNED | {"step": "((i + 1) // every)"}): "design(8, 128, 128, 2, 0.5",
        DESIGN.format(**DESIGNED | {"step": "((i + 2) // every)"}): "design(8, 128, 128, 2, 0.5",
        DESIGN.format(**DESIGNED | {"step": "(i // 2)"}): "design(4, 64, 32, 3, 0.75, 0.5)",
        DESIGN.format(**DESIGNED | {"one": "int(e * (1 - share3x3))"}): "design(2, 100, 10, 1,",
        DESIGN.format(**DESIGNED | {"three": "round(share3x3 * e + 0.01)"}): "design(2, 100, 10",
        DESIGN.format(
            **DESIGNED | {"squeeze": "int(ratio * e)"}
        ): "design(1, 50, 8, 2, 0.01, 0.01)",
    },
    3: {
        "def merged(module):\n    return module": "the kernels of merged(fire(4,",
        MERGED.format(**JOINED | {"last": ""}): "its output gave",
        MERGED.format(**JOINED | {"padding": "0"}): "the shape of its output",
        MERGED.format(
            **JOINED
            | {"kernels": "torch.cat([F.pad(one.weight.data, (0, 2, 0, 2)), three.weight.data])"}
        ): "its output gave",
        MERGED.format(
            **JOINED
            | {"kernels": "torch.cat([three.weight.data, F.pad(one.weight.data, (1, 1, 1, 1))])"}
        ): "its output gave",
        MERGED.format(
            **JOINED | {"bias": "0 * torch.cat([one.bias.data, three.bias.data])"}
        ): "its output gave",
        MERGED.format(
            **JOINED
            | {"kernels": "torch.cat([F.pad(one.weight.data, (1,) * 4), three.weight.data])"}
        ).replace("return nn", "one.weight.data.zero_()\n    return nn"): "afterwards",
    },
    4: {
        ENCODE.format("(weight[..., None] - book).argmin(-1)", "book[places]"): "the places gave",
        ENCODE.format(
            "(weight[..., None] - book.sort()[0]).abs().argmin(-1)", "book.sort()[0][places]"
        ): "the places gave",
        ENCODE.format("(weight[..., None] - book).abs().argmin(-1)", "weight"): "the weights gave",
        ENCODE.format(
            "(weight.reshape(len(weight), -1)[..., None] - book).abs().argmin(-1)", "book[places]"
        ): "the shape of the places of 64 values",
        "def encode(weight, book):\n    return book[(weight[..., None] - book).abs().argmin(-1)]": (
            "a pair comes back gave False"
        ),
    },
    5: {
        PACKED.format(**PACKS | {"steps": "0"}): "which is too small",
        PACKED.format(**PACKS | {"steps": "32"}): "which is too small",
        PACKED.format(
            **PACKS | {"end": "total // 8"}
        ): "packed_bytes(nn.Conv2d(1, 1, 1), 3) gave 8",
        PACKED.format(**PACKS | {"rounded": "p.dim() == 4"}): "packed_bytes(nn.Linear(7, 3), 5)",
        PACKED.format(**PACKS | {"rounded": "name == 'weight'"}): "packed_bytes(norm, 6)",
        "def packed_bytes(network, bits):\n    return count_parameters(network) * bits // 8": (
            "which is too small"
        ),
    },
}
