"""Python runs this by itself when it starts with this folder on its path, as `make shake` does.

CNNBOOK_SHAKE says what is changed, as soon as torch is imported: weights, weights2, or seeds.

Weights: what torch.nn.init draws shrinks by up to a relative 1e-6, about ten times what another
processor's rounding changes. By how much is computed from each value: equal weights stay equal,
nothing is taken from the notebook's random numbers, and no bound is passed. All layers of torch
draw their weights so. What does not go through torch.nn.init is not disturbed: a weight that is
made by torch.randn, or that a layer of another package fills by itself.

Seeds: each seed that torch is given is another.
"""

import importlib.machinery
import os
import sys
from functools import wraps

RELATIVE = 1e-6
FAR = 1000  # from a seed to the one that replaces it: no seed of the book is in between
WAVES = {"weights": 1e4, "weights2": 1.7e4}
DRAWN = (
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
)


def disturb(init: object, wave: float) -> None:
    """Let the functions of torch.nn.init that draw give slightly other weights."""
    import torch

    def disturbed(function: object) -> object:
        @wraps(function)
        def draw(tensor: torch.Tensor, *args: object, **options: object) -> torch.Tensor:
            function(tensor, *args, **options)
            if not tensor.is_meta:
                with torch.no_grad():
                    tensor.mul_(1 - RELATIVE / 2 * (1 + torch.sin(tensor * wave)))
            return tensor

        return draw

    for name in DRAWN:
        setattr(init, name, disturbed(getattr(init, name)))


def reseed(torch: object) -> None:
    """Let torch.manual_seed and Generator.manual_seed start from other seeds."""
    plain = torch.manual_seed

    @wraps(plain)
    def manual_seed(seed: int) -> object:
        return plain(int(seed) + FAR)

    class Generator(torch._C.Generator):
        @wraps(torch._C.Generator.manual_seed)
        def manual_seed(self, seed: int) -> object:
            return super().manual_seed(int(seed) + FAR)

    torch.manual_seed = torch.random.manual_seed = manual_seed
    torch.Generator = Generator


class AfterImport:
    """Changes one module right after it was imported."""

    def __init__(self, name: str, change: object) -> None:
        self.name, self.change = name, change

    def find_spec(self, name: str, path: object, target: object = None) -> object:
        """Find the module as Python does, and change it once it is there."""
        if name != self.name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None:
            run = spec.loader.exec_module

            def run_and_change(module: object) -> None:
                run(module)
                self.change(module)

            spec.loader.exec_module = run_and_change
        return spec


shake = os.environ.get("CNNBOOK_SHAKE", "")
if shake in WAVES:
    sys.meta_path.insert(0, AfterImport("torch.nn.init", lambda init: disturb(init, WAVES[shake])))
elif shake == "seeds":
    sys.meta_path.insert(0, AfterImport("torch", reseed))
