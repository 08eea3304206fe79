import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import torch

import cnnbook
from cnnbook import papers


def test_importing_the_package_is_light():
    heavy = "torchvision matplotlib sklearn scipy pandas yaml torchinfo IPython lightning"
    modules = "networks arithmetic data layers papers reference training"
    code = (
        f"import sys, cnnbook, {', '.join(f'cnnbook.{name}' for name in modules.split())}\n"
        f"print([name for name in {heavy!r}.split() if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def defined(module: Path) -> set[str]:
    """The public names that a module defines at its top level."""
    names = set()
    for statement in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            names.add(statement.name)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = getattr(statement, "targets", None) or [statement.target]
            nodes = (node for target in targets for node in ast.walk(target))
            names |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def collisions(package: Path) -> dict[str, list[str]]:
    """Names that two modules define, and these modules."""
    homes = defaultdict(list)
    for module in sorted(package.rglob("*.py")):
        for name in defined(module):
            homes[name].append(module.relative_to(package).as_posix())
    return {name: modules for name, modules in homes.items() if len(modules) > 1}


def test_a_name_means_one_thing_in_the_package():
    found = collisions(Path(cnnbook.__file__).parent)
    assert set(found) == set()  # which plots draws, and arithmetic computes


def test_a_name_that_means_two_things_is_found(tmp_path):
    (tmp_path / "networks").mkdir()
    (tmp_path / "layers.py").write_text("def initialise():\n    x = 1\n\n\n_a, WIDTH = 1, 2\n")
    (tmp_path / "networks/vgg.py").write_text("class initialise: ...\nx: int = 2\n_a = WIDTH = 3\n")
    both = ["layers.py", "networks/vgg.py"]
    assert collisions(tmp_path) == {"initialise": both, "WIDTH": both}


def test_the_device_is_the_named_one(monkeypatch):
    monkeypatch.setenv("CNNBOOK_DEVICE", "cpu")
    assert cnnbook.device() == torch.device("cpu")


def test_a_device_without_a_name_is_there(monkeypatch):
    monkeypatch.delenv("CNNBOOK_DEVICE", raising=False)
    torch.zeros(1, device=cnnbook.device())


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv("CNNBOOK_DEVICE", "cuda:99")
    with pytest.raises(
        RuntimeError, match=r"'cuda:99', but this machine has .* choose from: .*cpu"
    ):
        cnnbook.device()


def test_a_device_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("CNNBOOK_DEVICE", "gpu")
    with pytest.raises(ValueError, match="'gpu', which names no device; use cpu, cuda"):
        cnnbook.device()


def test_cuda_comes_before_mps_and_mps_before_the_cpu(monkeypatch):
    from cnnbook import devices

    monkeypatch.delenv("CNNBOOK_DEVICE", raising=False)
    for there in (["cuda", "mps", "cpu"], ["mps", "cpu"], ["cpu"]):
        monkeypatch.setattr(devices, "_count", lambda kind, there=there: int(kind in there))
        assert cnnbook.device().type == there[0]


def test_a_paper_that_is_not_there_is_told_with_its_neighbours():
    with pytest.raises(ValueError, match=r"the paper data has no 'resnet51'; did you mean resnet"):
        papers.paper("resnet51")


def test_a_card_shows_the_numbers_of_the_paper_data():
    card = papers.card("resnet50")
    facts = papers.paper("resnet50")
    for text in (f"{facts.parameters:,}", facts.stated["multiply_adds"], str(facts.errors["top1"])):
        assert text in repr(card)
        assert text in card._repr_html_()
    assert facts.source.url in card._repr_html_()


def test_every_network_has_its_paper():
    for name in papers.names():
        source = papers.paper(name).source
        assert source.title
        assert source.url.startswith(("https://", "http://yann.lecun.com/"))


def test_the_title_is_the_papers():
    assert papers.source("he2015").title == "Deep Residual Learning for Image Recognition"
    assert papers.source("azulay2018").short == "Azulay and Weiss, 2019"


def test_a_warning_while_compiling_is_an_error_in_our_files_only() -> None:
    doubtful = "def f(x):\n    return x is 'word'\n"
    compile(doubtful, "/somewhere/site-packages/theirs/model.py", "exec")
    with pytest.raises(SyntaxError, match="literal"):
        compile(doubtful, "cnnbook/ours.py", "exec")
