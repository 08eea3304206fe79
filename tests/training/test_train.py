import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cnnbook import networks, papers, train
from cnnbook.train import checkpoints, command, engine, recipe
from cnnbook.train.images import Images, Places, _read_image, image_folders
from cnnbook.training.recipes import recipes

# Lightning warns of what is not ours.
pytestmark = pytest.mark.filterwarnings("default")

# What a process of its own runs: the command line, with a network small enough for a test. In its
# second epoch it can be told to kill itself, reading an image or writing a checkpoint.
SCRIPT = """
import os, signal, sys
import test_train
from cnnbook import networks
from cnnbook.train import command
from cnnbook.train import checkpoints, engine
from cnnbook.train.images import Images

networks.tiny = test_train.tiny
networks.__all__.append("tiny")
read, save, checkpoints = Images.__getitem__, engine.save, []

def die_reading(self, place):
    if place == (1, 0):
        os.kill(os.getpid(), signal.SIGKILL)
    return read(self, place)

def die_writing(content, path):
    checkpoints.append(path.name)
    if checkpoints.count("last.ckpt") == 2:
        os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
    save(content, path)

if os.environ.get("DIE") == "reading":
    Images.__getitem__ = die_reading
if os.environ.get("DIE") == "writing":
    engine.save = die_writing
if __name__ == "__main__":
    sys.exit(command.main())
"""


def tiny(num_classes: int) -> nn.Module:
    """A network without batch norm, and with dropout unless told otherwise."""
    dropout = float(os.environ.get("DROPOUT", 0.2))
    first = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Dropout(dropout))
    return nn.Sequential(first, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, num_classes))


@pytest.fixture(autouse=True)
def tiny_network(monkeypatch):
    monkeypatch.setattr(networks, "tiny", tiny, raising=False)
    monkeypatch.setattr(networks, "__all__", [*networks.__all__, "tiny"])


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Three classes of grounds of noise: 8 images each to train, 3 to validate."""
    root, generator = tmp_path_factory.mktemp("images"), torch.Generator().manual_seed(0)
    for split, count in (("train", 8), ("val", 3)):
        for k in range(3):
            folder = root / split / f"class{k}"
            folder.mkdir(parents=True)
            for n in range(count):
                pixels = 70 * k + 90 * torch.rand(24, 24, 3, generator=generator)
                Image.fromarray(pixels.byte().numpy()).save(folder / f"{n}.JPEG")
    return root


def options(data: Path, output: Path, *more: str) -> list[str]:
    """Three epochs of four steps, with all that a checkpoint must hold."""
    fixed = "--crop 16 --epochs 3 --batch-size 6 --lr 0.2 --accelerator cpu --workers 0"
    used = "--ema 0.8 --warmup 1 --label-smoothing 0.1 --clip 1"
    given = ["tiny", "--data", str(data), "--output", str(output), "--recipe", "resnet"]
    return [*given, *fixed.split(), *used.split(), *more]


def apart(arguments: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run the command line in a process of its own."""
    script = folder / "script.py"
    script.write_text(SCRIPT)
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    return subprocess.run(
        [sys.executable, script, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def weights(output: Path, file: str = "weights.pt") -> dict[str, torch.Tensor]:
    return torch.load(output / file)


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory) -> Path:
    """The output of a run that nothing interrupted."""
    output = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "tiny", tiny, raising=False)
        patch.setattr(networks, "__all__", [*networks.__all__, "tiny"])
        assert command.main(options(data, output)) == 0
    return output


@pytest.fixture
def started(data, tmp_path, monkeypatch) -> Path:
    """The output of a run that ended in its second epoch."""
    read = Images.__getitem__

    def read_or_end(self, place):
        if place == (1, 0):
            raise command.Refused("this is the end.")
        return read(self, place)

    with monkeypatch.context() as patch:
        patch.setattr(Images, "__getitem__", read_or_end)
        assert command.main(options(data, tmp_path / "run")) == 2
    return tmp_path / "run"


def refused(arguments: list[str], capsys) -> str:
    """What the command line says when it refuses: one sentence."""
    assert command.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("cnnbook.train: ")
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("moment", ["reading", "writing"])
def test_a_killed_run_ends_as_an_uninterrupted_one(moment, data, whole, tmp_path):
    killed = tmp_path / "killed"
    done = apart(options(data, killed), tmp_path, DIE=moment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert "epoch 3 of 3" not in done.stdout
    assert not same(*(weights(run, "last.ckpt")["state_dict"] for run in (killed, whole)))
    assert command.main(options(data, killed, "--resume", "--workers", "2")) == 0
    assert same(weights(killed), weights(whole))
    assert same(*(weights(run, "best.ckpt")["state_dict"] for run in (killed, whole)))


def test_a_run_interrupted_after_each_epoch_ends_as_an_uninterrupted_one(
    data, tmp_path, monkeypatch
):
    known = recipes()
    known["resnet"]["schedule"] = {"factor": 0.5, "plateau": 0}
    monkeypatch.setattr(recipe, "recipes", lambda: known)
    save = engine.save

    def save_and_end(content, path):
        save(content, path)
        if path.name == "last.ckpt":
            raise command.Refused("this is the end.")

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    too_fast = "--lr", "300"  # so that there are plateaus, and the first epoch is the best
    assert command.main(options(data, whole, *too_fast)) == 0
    with monkeypatch.context() as patch:
        patch.setattr(engine, "save", save_and_end)
        for more in ([], ["--resume"], ["--resume"]):
            assert command.main(options(data, cut, *too_fast, *more)) == 2
    assert command.main(options(data, cut, *too_fast, "--resume")) == 0
    assert same(weights(cut), weights(whole))
    assert [weights(run, "best.ckpt")["global_step"] for run in (cut, whole)] == [4, 4]
    last = weights(cut, "last.ckpt")
    assert last["optimizer_states"][0]["param_groups"][0]["lr"] == 150
    unaveraged = last["current_model_state"]["network.3.weight"]
    assert not torch.equal(weights(cut)["3.weight"], unaveraged)


def test_two_processes_end_with_the_weights_of_one(data, tmp_path, monkeypatch):
    monkeypatch.setenv("DROPOUT", "0")  # each process draws its own
    alike = ["--precision", "64-true"]
    assert command.main(options(data, tmp_path / "one", *alike)) == 0
    done = apart(options(data, tmp_path / "two", *alike, "--devices", "2"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch 3 of 3") == 1
    runs = (weights(tmp_path / run, "last.ckpt") for run in ("one", "two"))
    one, two = (run["current_model_state"] for run in runs)
    for name in one:
        assert one[name].dtype == torch.float64
        assert (one[name] - two[name]).abs().max() < 1e-12


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_broken_image_is_named_and_the_checkpoint_kept(workers, data, started, tmp_path, capsys):
    broken = shutil.copytree(data, tmp_path / "images") / "train" / "class1" / "3.JPEG"
    broken.write_bytes(broken.read_bytes()[:300])
    before = (started / "last.ckpt").read_bytes()
    more = ["--resume", "--workers", workers]
    said = refused(options(tmp_path / "images", started, *more), capsys)
    assert (
        said
        == f"cnnbook.train: {broken} is no whole image; replace it, and start the command again.\n"
    )
    assert (started / "last.ckpt").read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_keeps_the_checkpoint_before(data, started, capsys):
    before = (started / "last.ckpt").read_bytes()
    (started / "last.ckpt.part").symlink_to("/dev/full")  # what is written there finds no room
    said = refused(options(data, started, "--resume"), capsys)
    assert os.strerror(errno.ENOSPC) in said
    assert "what was there before is kept" in said
    assert (started / "last.ckpt").read_bytes() == before
    assert command.main(options(data, started, "--resume")) == 0


def test_a_full_disk_stops_the_logs_with_a_sentence_too(data, tmp_path, capsys, monkeypatch):
    from lightning.pytorch.loggers import CSVLogger

    def full(self):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "metrics.csv")

    monkeypatch.setattr(CSVLogger, "save", full)
    said = refused(options(data, tmp_path / "run"), capsys)
    assert f"{os.strerror(errno.ENOSPC)}: 'metrics.csv'" in said


def test_a_loss_that_is_no_number_is_not_kept(data, tmp_path, capsys):
    said = refused(options(data, tmp_path / "run", "--lr", "1e38", "--clip", "1e38"), capsys)
    assert "the loss is no longer a number; lower --lr" in said
    assert not (tmp_path / "run" / "last.ckpt").exists()


def test_an_output_folder_is_neither_lost_nor_made_up(data, started, tmp_path, capsys):
    assert "holds a run; --resume it" in refused(options(data, started), capsys)
    said = refused(options(data, tmp_path / "new", "--resume"), capsys)
    assert "last.ckpt to resume; start without --resume" in said
    (tmp_path / "file").touch()
    said = refused(options(data, tmp_path / "file" / "run"), capsys)
    assert f"cannot be written ({os.strerror(errno.ENOTDIR)})" in said


def test_what_a_finished_run_left_is_not_overwritten(data, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "weights.pt").write_bytes(b"trained for a week")
    assert "holds weights.pt of a run" in refused(options(data, tmp_path / "run"), capsys)
    assert (tmp_path / "run" / "weights.pt").read_bytes() == b"trained for a week"


def test_a_broken_checkpoint_is_told(data, started, capsys):
    file = started / "last.ckpt"
    file.write_bytes(file.read_bytes()[:2000])
    said = refused(options(data, started, "--resume"), capsys)
    assert f"{file} is no whole checkpoint" in said


def test_a_folder_belongs_to_one_run_at_a_time(data, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    with checkpoints.only_here(tmp_path / "run"):
        assert "another run writes into" in refused(options(data, tmp_path / "run"), capsys)


def test_other_images_are_told_on_resuming(data, tmp_path, capsys, started):
    images = shutil.copytree(data, tmp_path / "images")
    (images / "train" / "class0" / "0.JPEG").unlink()
    capsys.readouterr()
    said = refused(options(images, started, "--resume"), capsys)
    assert "has images 24 (sum of their names: " in said
    assert "not 23 (" in said


def test_the_best_stays_the_best_in_a_folder_that_was_moved(tmp_path):
    before = engine.Checkpoints(tmp_path / "run", filename="best", monitor="val_top1", mode="max")
    before.best_model_path = str(tmp_path / "run" / "best.ckpt")
    before.best_model_score = torch.tensor(0.9)
    before.best_k_models = {before.best_model_path: before.best_model_score}
    after = engine.Checkpoints(tmp_path / "moved", filename="best", monitor="val_top1", mode="max")
    after.load_state_dict(before.state_dict())
    assert after.best_model_path == str(tmp_path / "moved" / "best.ckpt")
    assert after.best_model_score == 0.9
    assert list(after.best_k_models) == [after.best_model_path]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_says_how_to_go_on(sent, data, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, script, *options(data, tmp_path / "run", "--epochs", "5000")],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if "epoch 2 of" in line:
            break
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.strip().endswith("cnnbook.train: stopped. --resume goes on after the last epoch.")
    assert "Traceback" not in said


def test_a_run_is_resumed_as_it_was_started(data, started, capsys):
    said = refused(["resnet18", *options(data, started, "--resume")[1:]], capsys)
    assert "has network tiny, not resnet18; resume with the first options" in said
    assert "has lr 0.2, not 0.3" in refused(
        options(data, started, "--resume", "--lr", "0.3"), capsys
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (["resnet51"], "there is no network 'resnet51'; did you mean resnet50"),
        (["zebra"], "there is no network 'zebra'; known: alexnet,"),
        (["--data", "nowhere"], "there is no folder nowhere/train; --data holds train/ and val/."),
        (["--recipe", "googlenet"], "googlenet does not state all; give --weight-decay."),
        (["--batch-size", "25"], "--batch-size is 25; there are only 24 training images."),
        (["--devices", "4"], "--batch-size 6 cannot be shared by 4 devices."),
    ],
)
def test_wrong_arguments_are_told_in_one_sentence(change, told, data, tmp_path, capsys):
    arguments = options(data, tmp_path / "run")
    arguments = change + arguments[1:] if len(change) == 1 else arguments + change
    assert told in refused(arguments, capsys)
    assert not list(tmp_path.glob("run/*.ckpt"))


def test_numbers_out_of_range_are_refused_by_the_command_line(data, tmp_path, capsys):
    for option, value in (
        ("--batch-size", "0"),
        ("--lr", "-1"),
        ("--lr", "nan"),
        ("--lr", "1e300"),
        ("--workers", "-1"),
        ("--seed", "-1"),
        ("--seed", "4294967296"),
        ("--ema", "2"),
        ("--ema", "1"),
        ("--label-smoothing", "1"),
    ):
        with pytest.raises(SystemExit, match="2"):
            command.main(options(data, tmp_path / "run", option, value))
        assert f"{option}: it is {value}; it must be" in capsys.readouterr().err


def test_folders_that_do_not_fit_are_told(data, tmp_path, capsys):
    images = shutil.copytree(data, tmp_path / "images")
    (images / "train" / "empty").mkdir()
    said = refused(options(images, tmp_path / "run"), capsys)
    assert "train: Found no valid file for the classes empty.\n" in said
    shutil.copy(images / "train" / "class0" / "0.JPEG", images / "train" / "empty")
    said = refused(options(images, tmp_path / "run"), capsys)
    assert "only one of train/ and val/ has the classes empty." in said
    (images / "train" / ".ipynb_checkpoints").mkdir()
    said = refused(options(images, tmp_path / "run"), capsys)
    assert "holds the hidden folder .ipynb_checkpoints, which is no class; remove it." in said
    assert "--output lies in" in refused(options(images, images / "train" / "run"), capsys)


def test_one_class_is_told(data, tmp_path, capsys):
    for part in ("train", "val"):
        shutil.copytree(data / part / "class0", tmp_path / "images" / part / "alone")
    said = refused(options(tmp_path / "images", tmp_path / "run"), capsys)
    assert "has the class alone alone; two are needed." in said


def test_a_pipe_is_no_image(data, tmp_path, capsys):
    images = shutil.copytree(data, tmp_path / "images")
    for file in (images / "train" / "class0").iterdir():
        file.unlink()
        os.mkfifo(file)
    said = refused(options(images, tmp_path / "run"), capsys)
    assert "no valid file for the classes class0" in said


def test_images_of_sixteen_bits_are_scaled(tmp_path):
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    read = np.asarray(_read_image(str(tmp_path / "ramp.png")))
    assert read.shape == (256, 256, 3)
    assert (read[..., 0] == ramp // 256).all()


def test_an_image_too_large_for_pillow_is_told(tmp_path, monkeypatch):
    Image.new("RGB", (64, 64)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(command.Refused, match="larger than Pillow opens; replace it"):
        _read_image(str(tmp_path / "large.png"))


@pytest.mark.parametrize("name", command.constructors())
def test_every_network_that_is_listed_can_be_trained(name):
    """Two steps, in shapes: on the meta device nothing is computed."""
    channels, side = command.input_of(name)
    with torch.device("meta"):
        network = getattr(networks, name)(num_classes=5)
        labels = torch.zeros(2, dtype=torch.long)
        images = torch.zeros(2, channels, side, side)
    command._try(name, getattr(networks, name), (channels, side, side), side)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    for _ in range(2):
        outputs = network.train()(images)
        logits = outputs if isinstance(outputs, torch.Tensor) else outputs[0]
        assert logits.shape == (2, 5)
        nn.functional.cross_entropy(logits, labels).backward()
        optimizer.step()


@pytest.mark.parametrize(("name", "side"), [("vgg11", 64), ("alexnet", 64), ("lenet5", 224)])
def test_a_size_that_a_network_does_not_take_is_told(name, side, data, tmp_path, capsys):
    own = command.input_of(name)[1]
    arguments = options(data, tmp_path / "run", "--crop", str(side), "--recipe", "vgg")
    said = refused([name, *arguments[1:]], capsys)
    assert f"{name} is made for images of {own} × {own} pixels" in said


def test_a_network_for_grey_images_is_given_grey_ones(data):
    folders = image_folders(data, 32, channels=1)
    assert all(folder[0][0].shape == (1, 32, 32) for folder in folders)


def test_without_lightning_it_says_what_to_install(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning", None)
    monkeypatch.delitem(sys.modules, "cnnbook.train.engine")
    monkeypatch.delattr(train, "engine")
    said = refused(options(data, tmp_path / "run"), capsys)
    assert "run: pip install lightning" in said


def test_the_help_names_networks_and_recipes(capsys):
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    said = capsys.readouterr().out
    for word in ("resnet50", "convnext", "--warmup X", "ImageNet", "example", "torchrun"):
        assert word in said


@pytest.mark.parametrize("name", recipes())
def test_a_recipe_can_be_trained_with_and_has_its_source(name):
    stated = recipes()[name]
    assert papers.source(stated["source"]).url.startswith("https://")
    words = {"networks", "source", "where", "optimizer", "schedule", "heads", "note"}
    assert not set(stated) - words - set(recipe.NUMBERS)
    assert stated["where"].startswith(("Section", "Appendix", "the authors' code", "reviews"))
    how = dict(stated["optimizer"])
    optimizer = getattr(torch.optim, how.pop("name"))([nn.Parameter(torch.ones(1))], **how)
    assert engine.schedulers(optimizer, {"epochs": 9, "lr": 1.0} | stated, steps=5)


class Headed(nn.Module):
    """A network that has one more head in training, which begins with zeros."""

    def __init__(self, num_classes: int, *, heads: bool = False) -> None:
        super().__init__()
        self.network = tiny(num_classes)
        self.head = nn.Linear(3, num_classes) if heads else None
        if heads:
            nn.init.zeros_(self.head.weight)

    def forward(self, x):  # (N, 3, H, W)
        logits = self.network(x)
        is_more = self.training and self.head is not None
        return (logits, self.head(x.mean((2, 3)))) if is_more else logits


def test_auxiliary_heads_are_trained_where_recipe_and_network_have_them(
    data, tmp_path, monkeypatch
):
    monkeypatch.setattr(networks, "headed", Headed, raising=False)
    monkeypatch.setattr(networks, "__all__", [*networks.__all__, "headed"])
    runs = {}
    for network, name in (("headed", "googlenet"), ("headed", "resnet"), ("tiny", "googlenet")):
        arguments = options(data, tmp_path / f"{network}-{name}", "--recipe", name)
        assert command.main([network, *arguments[1:], "--weight-decay", "0"]) == 0
        runs[network, name] = weights(tmp_path / f"{network}-{name}")
    assert runs["headed", "googlenet"]["head.weight"].abs().sum() > 0
    assert "head.weight" not in runs["headed", "resnet"]
    assert set(runs["tiny", "googlenet"]) == set(tiny(3).state_dict())


def test_a_network_finds_the_recipe_of_its_paper(data, tmp_path):
    def chosen(network: str, *more: str) -> dict:
        arguments = [network, "--data", str(data), "--output", str(tmp_path), *more]
        options = command.command_line().parse_args(arguments)
        given = {name: vars(options)[name] for name in recipe.NUMBERS}
        return recipe.choose(options.network, options.recipe, given)

    assert chosen("vgg16")["epochs"] == 74
    assert chosen("resnet50")["batch_size"] == 256
    decay = "--weight-decay", "0.0001"
    for network in ("se_resnet50", "senet154"):
        assert chosen(network, *decay)["batch_size"] == 1024
    assert chosen("resnet50", "--recipe", "convnext")["optimizer"] == {"name": "AdamW"}
    assert chosen("vgg16", "--epochs", "2")["epochs"] == 2
    with pytest.raises(command.Refused, match="tiny has no recipe of its own; give --recipe: alex"):
        chosen("tiny")


def rates(schedule, epochs: int, steps: int, **more) -> list[float]:
    """The learning rate of each step, from 1."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    stated = {"epochs": epochs, "lr": 1.0, "schedule": schedule, **more}
    moving = engine.schedulers(optimizer, stated, steps)
    found = []
    for _ in range(epochs * steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for one in moving:
            one["scheduler"].step()
    return found


def test_schedules_are_what_their_words_say():
    turn = torch.arange(20) / 20
    assert rates("linear", 4, 5) == pytest.approx((1 - turn).tolist(), abs=1e-6)
    cosine = (1 + torch.cos(torch.pi * turn)) / 2
    assert rates("cosine", 4, 5) == pytest.approx(cosine.tolist(), abs=1e-6)
    tenths = pytest.approx([1.0] * 10 + [0.1] * 10)
    assert rates({"factor": 0.1, "every": 2}, 4, 5) == tenths
    assert rates({"factor": 0.1, "at": [2]}, 4, 5) == tenths
    assert rates({"factor": 0.1, "every": 2.4}, 3, 5) == pytest.approx([1.0] * 12 + [0.1] * 3)


def test_warm_up_rises_to_the_schedule():
    whole, warm = (rates("cosine", 4, 5, warmup=epochs) for epochs in (0, 2))
    rise = [min(1, 0.1 + 0.09 * step) for step in range(20)]
    assert warm == pytest.approx([a * b for a, b in zip(rise, whole)])


def test_an_image_is_augmented_alike_in_an_epoch_and_otherwise_in_the_next(data):
    images = Images(image_folders(data, 16)[0], seed=0)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = images[(0, 5)][0]
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert torch.equal(images[(0, 5)][0], first)
    assert not torch.equal(images[(1, 5)][0], first)


def test_processes_share_the_batches_of_one():
    def batches(replicas: int) -> list[set]:
        orders = [
            list(Places(range(23), replicas, rank, seed=0, drop_last=True))
            for rank in range(replicas)
        ]
        share = 6 // replicas
        return [
            {place for order in orders for place in order[k * share : (k + 1) * share]}
            for k in range(23 // 6)
        ]

    assert batches(1) == batches(2) == batches(3)
    assert all(len(batch) == 6 for batch in batches(1))


def test_links_and_numbers_of_32_bits_are_told(data, tmp_path):
    place = tmp_path / "images"
    shutil.copytree(data, place)
    folder = sorted((place / "train").iterdir())[0]
    (folder / "up").symlink_to(place / "train")
    with pytest.raises(command.Refused, match="by a link: its images would count twice"):
        image_folders(place, 16)
    (folder / "up").unlink()
    (folder / "gone.png").symlink_to(place / "nowhere.png")
    with pytest.raises(command.Refused, match="leads nowhere"):
        image_folders(place, 16)
    Image.new("F", (8, 8), 0.5).save(tmp_path / "fractions.tiff")
    with pytest.raises(command.Refused, match="numbers of 32 bits"):
        _read_image(str(tmp_path / "fractions.tiff"))
