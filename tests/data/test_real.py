"""The real sets: tiny files in their real formats, downloaded, checked, unpacked, loaded, split.

Image k of a set is all of one value, by which it is known again after all that.
"""

import errno
import gc
import gzip
import hashlib
import io
import pickle
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets

from cnnbook import data
from cnnbook.data import archives, real

TRAIN, TEST = 40, 10  # images in a tiny set


def pack(path, files):
    """A tar archive, compressed as its name says."""
    with tarfile.open(path, "w:gz" if path.suffix in (".gz", ".tgz") else "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def md5(content):
    return hashlib.md5(content).hexdigest()


class Python2Pickler(pickle.Pickler):
    """Writes NumPy types as the NumPy of 2009 did, in which the CIFAR files were made."""

    def reducer_override(self, value):
        if isinstance(value, np.dtype):
            return np.dtype, ("u1", 0, 1), (3, "|", None, None, None, -1, -1, 0)
        return NotImplemented


def pickled(content):
    file = io.BytesIO()
    Python2Pickler(file, protocol=2).dump(content)
    return file.getvalue().replace(b"numpy._core", b"numpy.core")


def cifar_batch(values, key):
    pixels = np.repeat(np.array(values, np.uint8)[:, None], 3072, 1)
    pixels[:, 1024:2048] += 100  # green, to see that the channels stay in order
    return pickled({"data": pixels, key: [value % 10 for value in values]})


def cifar10(server, monkeypatch):
    kind = datasets.CIFAR10
    values = np.arange(TRAIN).reshape(5, -1)
    files = {f"data_batch_{k + 1}": cifar_batch(part, "labels") for k, part in enumerate(values)}
    files["test_batch"] = cifar_batch(range(TRAIN, TRAIN + TEST), "labels")
    files["batches.meta"] = pickled({"label_names": [f"class {k}" for k in range(10)]})
    cifar(kind, files, server, monkeypatch)


def cifar100(server, monkeypatch):
    files = {
        "train": cifar_batch(range(TRAIN), "fine_labels"),
        "test": cifar_batch(range(TRAIN, TRAIN + TEST), "fine_labels"),
        "meta": pickled({"fine_label_names": [f"class {k}" for k in range(100)]}),
    }
    cifar(datasets.CIFAR100, files, server, monkeypatch)


def cifar(kind, files, server, monkeypatch):
    path = server.path / kind.filename
    pack(path, {f"{kind.base_folder}/{name}": content for name, content in files.items()})
    monkeypatch.setattr(kind, "url", server.url + kind.filename)
    monkeypatch.setattr(kind, "tgz_md5", md5(path.read_bytes()))
    for attribute in ("train_list", "test_list"):
        names = [name for name, _ in getattr(kind, attribute)]
        monkeypatch.setattr(kind, attribute, [[name, md5(files[name])] for name in names])
    content = files[kind.meta["filename"]]
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": md5(content)})


def mnist(server, monkeypatch, kind=datasets.MNIST):
    resources, contents = [], []
    for name, values in (("train", range(TRAIN)), ("t10k", range(TRAIN, TRAIN + TEST))):
        pixels = np.repeat(np.array(values, np.uint8)[:, None], 28 * 28, 1)
        labels = np.array([value % 10 for value in values], np.uint8)
        for file, header, content in (
            ("images-idx3", struct.pack(">IIII", 0x803, len(values), 28, 28), pixels),
            ("labels-idx1", struct.pack(">II", 0x801, len(values)), labels),
        ):
            packed = gzip.compress(header + content.tobytes())
            file = f"{name}-{file}-ubyte.gz"
            (server.path / file).write_bytes(packed)
            resources.append((file, md5(packed)))
            contents.append(md5(header + content.tobytes()))
    monkeypatch.setattr(kind, "resources", resources)
    monkeypatch.setattr(kind, "mirrors", [server.url])
    monkeypatch.setitem(real.CONTENTS, kind.__name__, contents)


def fashion_mnist(server, monkeypatch):
    mnist(server, monkeypatch, datasets.FashionMNIST)


def picture(value, size, kind="JPEG"):
    file = io.BytesIO()
    Image.new("RGB", size, (value, value, value)).save(file, kind, quality=100)
    return file.getvalue()


def imagenette(server, monkeypatch):
    kind = datasets.Imagenette
    known = {}
    for edition, (url, _) in kind._ARCHIVES.items():
        path = server.path / url.rpartition("/")[2]
        files = {}
        for part, values in (("train", range(TRAIN)), ("val", range(TRAIN, TRAIN + TEST))):
            for value in values:
                wnid = sorted(kind._WNID_TO_CLASS)[value % 10]
                name = f"{path.stem}/{part}/{wnid}/{wnid}_{value}.JPEG"
                files[name] = picture(value, (200, 160) if value % 2 else (160, 170))
        pack(path, files)
        known[edition] = (server.url + path.name, md5(path.read_bytes()))
    monkeypatch.setattr(kind, "_ARCHIVES", known)


# In image k a person (15) stands at (k, 10), 20 wide and 30 high, and a difficult dog is left out.
VOC_SIZE = (120, 90)


def annotation(value):
    box = f"<xmin>{value + 1}</xmin><ymin>11</ymin><xmax>{value + 20}</xmax><ymax>40</ymax>"
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    return f"""<annotation><filename>{value}.jpg</filename>
        <size><width>120</width><height>90</height><depth>3</depth></size>
        <object><name>dog</name><difficult>1</difficult><bndbox>{box}</bndbox></object>
        <object><name>person</name><difficult>0</difficult><bndbox>{box}</bndbox>{part}</object>
        </annotation>""".encode()


def truth(value):
    """A PNG of indices with a palette, as VOC's are."""
    mask = np.zeros((90, 120), np.uint8)
    mask[9:41, value : value + 21] = 255  # void, a rim around the object
    mask[10:40, value : value + 20] = 15
    image = Image.frombytes("P", VOC_SIZE, mask.tobytes())
    image.putpalette([k % 256 for k in range(768)])
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def voc(server, monkeypatch):
    base = "VOCdevkit/VOC2012"
    files = {}
    for part, values in (("train", range(TRAIN)), ("val", range(TRAIN, TRAIN + TEST))):
        names = "".join(f"2012_{value:06}\n" for value in values).encode()
        for folder in ("Main", "Segmentation"):
            files[f"{base}/ImageSets/{folder}/{part}.txt"] = names
        for value in values:
            name = f"2012_{value:06}"
            files[f"{base}/JPEGImages/{name}.jpg"] = picture(value, VOC_SIZE)
            files[f"{base}/SegmentationClass/{name}.png"] = truth(value)
            files[f"{base}/Annotations/{name}.xml"] = annotation(value)
    known = datasets.voc.DATASET_YEAR_DICT["2012"]
    path = server.path / known["filename"]
    pack(path, files)
    monkeypatch.setitem(known, "url", server.url + path.name)
    monkeypatch.setitem(known, "md5", md5(path.read_bytes()))


SETS = {
    "cifar10": cifar10,
    "cifar100": cifar100,
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "imagenette": imagenette,
    "voc": voc,
}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A folder that stands in for the network."""
    path = tmp_path / "server"
    path.mkdir()
    monkeypatch.setenv("no_proxy", "*")
    return SimpleNamespace(path=path, url=path.as_uri() + "/")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder of the data sets, not there yet."""
    monkeypatch.setenv("CNNBOOK_DATA", str(tmp_path / "root"))
    return tmp_path / "root"


def value_of(image):
    """Which image it is."""
    return round(255 * image[0].median().item())


@pytest.mark.parametrize("name", [name for name in SETS if name != "voc"])
def test_a_real_set_for_classification(name, server, root, monkeypatch):
    SETS[name](server, monkeypatch)
    splits = data.load(name)
    assert [len(split) for split in splits] == [TRAIN - TRAIN // 10, TRAIN // 10, TEST]
    found = [[value_of(image) for image, _ in split] for split in splits]
    assert sorted(found[0] + found[1]) == list(range(TRAIN))
    assert found[0] != sorted(found[0])
    assert found[2] == sorted(found[2], key=lambda k: (k % 10, k) if name == "imagenette" else k)
    channels, size = (1, 28) if "mnist" in name else (3, 160 if name == "imagenette" else 32)
    for split in splits:
        assert len(split.mean) == len(split.std) == channels
        assert len(split.classes) == (100 if name == "cifar100" else 10)
        assert all(isinstance(text, str) for text in split.classes)
        for image, label in split:
            assert image.shape == (channels, size, size)
            assert image.dtype == torch.float32
            assert (label.dtype, label.shape) == (torch.int64, ())
            assert label == value_of(image) % 10
    for files in root.rglob("*"):  # neither archives nor traces of the work
        assert not files.name.endswith((".tgz", ".tar.gz", ".gz"))
    assert len(list(root.iterdir())) == 1


def test_the_second_time_nothing_is_downloaded(server, root, monkeypatch):
    cifar10(server, monkeypatch)
    first = data.load("cifar10").train[0][0]
    (server.path / datasets.CIFAR10.filename).unlink()
    assert torch.equal(data.load("cifar10").train[0][0], first)


def test_root_comes_before_the_environment(server, root, tmp_path, monkeypatch):
    mnist(server, monkeypatch)
    data.load("mnist", root=tmp_path / "other")
    assert (tmp_path / "other" / "mnist").is_dir()
    assert not root.exists()


def test_channels_and_names_of_cifar(server, root, monkeypatch):
    cifar10(server, monkeypatch)
    train = data.load("cifar10").train
    image, label = train[0]
    torch.testing.assert_close(image[1] - image[0], torch.full((32, 32), 100 / 255))
    assert torch.equal(image[2], image[0])
    assert train.classes[label] == f"class {label}"


def test_normalisation_uses_the_published_constants(server, root, monkeypatch):
    cifar10(server, monkeypatch)
    plain, normalised = (data.load("cifar10", normalise=flag).test for flag in (False, True))
    expected = (plain[0][0][0] - 0.4914) / 0.2470
    torch.testing.assert_close(normalised[0][0][0], expected)
    images, _ = next(iter(data.batches(normalised)))
    torch.testing.assert_close(images[0][0], expected)


def test_cifar_at_128_pixels_is_one_word_away_from_imagenette(server, root, monkeypatch):
    cifar10(server, monkeypatch)
    imagenette(server, monkeypatch)
    for name in ("cifar10", "imagenette"):
        splits = data.load(name, size=128, augment=data.flip_and_crop(128, padding=16))
        for split in splits:
            images, labels = next(iter(data.batches(split, batch_size=3)))
            assert images.shape == (3, 3, 128, 128)
            assert labels.shape == (3,)


def test_the_smallest_sufficient_edition_of_imagenette_is_loaded(server, root, monkeypatch):
    imagenette(server, monkeypatch)
    for size in (96, 160, 224, 321):
        assert data.load("imagenette", size=size, count=1).train[0][0].shape == (3, size, size)
    editions = ["imagenette-160px", "imagenette-320px", "imagenette-full"]
    assert sorted(folder.name for folder in root.iterdir()) == editions
    assert data.load("imagenette").test.classes[:2] == ("tench", "English springer")


def test_masks_of_voc(server, root, monkeypatch):
    voc(server, monkeypatch)
    splits = data.load("voc", "segmentation", size=90)
    assert [len(split) for split in splits] == [36, 4, 10]
    assert splits.test.classes[15] == "person"
    assert len(splits.test.classes) == 21
    image, mask = splits.test[3]
    assert image.shape == (3, 90, 90)
    assert (mask.shape, mask.dtype) == ((90, 90), torch.int64)
    assert mask.unique().tolist() == [0, 15, 255]
    rows, columns = (mask == 15).nonzero(as_tuple=True)
    left = (TRAIN + 3) * 90 / 120  # the width was reduced
    assert (rows.min(), rows.max()) == (10, 39)
    assert abs(columns.min() - left) <= 1
    assert abs(columns.max() + 1 - (left + 15)) <= 1
    assert sorted(value_of(image) for split in splits[:2] for image, _ in split) == list(
        range(TRAIN)
    )


def test_boxes_of_voc(server, root, monkeypatch):
    voc(server, monkeypatch)
    splits = data.load("voc", "detection")
    assert [len(split) for split in splits] == [36, 4, 10]
    for split in splits:
        for image, target in split:
            assert image.shape == (3, 256, 256)
            left = value_of(image)
            box = torch.tensor([[left, 10, left + 20, 40]]) * torch.tensor(
                [256 / 120, 256 / 90] * 2
            )
            torch.testing.assert_close(target["boxes"], box, rtol=0, atol=1e-3)
            assert target["labels"].tolist() == [15]
            assert target["labels"].dtype == torch.int64
    images, targets = next(iter(data.batches(splits.train, batch_size=5, seed=0)))
    assert images.shape == (5, 3, 256, 256)
    assert len(targets) == 5


def test_an_image_of_difficult_objects_only_has_no_box(server, root, monkeypatch):
    monkeypatch.setitem(
        globals(),
        "annotation",
        lambda value: (
            b"<annotation><object><name>cat</name><difficult>1</difficult></object></annotation>"
        ),
    )
    voc(server, monkeypatch)
    for augment in (None, data.flip_and_crop(256, padding=32)):
        _, target = data.load("voc", "detection", augment=augment).train[0]
        assert target["boxes"].shape == (0, 4)
        assert target["labels"].shape == (0,)


def leftovers(root):
    """Everything under a folder, hidden folders included."""
    return [path for path in root.rglob("*") if path.is_file()] if root.exists() else []


@pytest.mark.parametrize("name", SETS)
def test_a_half_downloaded_archive_leaves_nothing_and_is_fetched_again(
    name, server, root, monkeypatch
):
    SETS[name](server, monkeypatch)
    task = "detection" if name == "voc" else "classification"
    whole = {path: path.read_bytes() for path in server.path.iterdir()}
    for path, content in whole.items():
        path.write_bytes(content[: len(content) // 2])
    with pytest.raises(data.FetchError, match=rf"of {name}\S* came broken or incomplete from"):
        data.load(name, task)
    assert not leftovers(root)
    for path, content in whole.items():
        path.write_bytes(content)
    assert len(data.load(name, task).test) == TEST


def test_without_a_network_one_is_told_what_to_do(server, root, monkeypatch):
    cifar10(server, monkeypatch)
    with socket.socket() as taken:  # a port at which nobody answers
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr(datasets.CIFAR10, "url", f"http://{host}/cifar-10-python.tar.gz")
        with pytest.raises(data.FetchError) as told:
            data.load("cifar10")
    assert str(told.value).startswith(f"cifar10 cannot be downloaded from {host} (")
    assert "refused" in str(told.value)
    assert str(root / "archives" / "cifar10") in str(told.value)
    assert not leftovers(root)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "timed out"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf", "IncompleteRead"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf", "broken or incomplete"),
        (b"", "closed"),
    ],
)
def test_a_server_that_fails(answer, message, server, root, monkeypatch):
    cifar10(server, monkeypatch)
    monkeypatch.setattr(archives, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        monkeypatch.setattr(datasets.CIFAR10, "url", f"http://{host}/cifar-10-python.tar.gz")
        done = threading.Event()

        def serve():
            connection, _ = listening.accept()
            with connection:
                if answer is None:
                    done.wait()
                else:
                    connection.recv(10_000)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with pytest.raises(data.FetchError, match=message) as told:
                data.load("cifar10")
        finally:
            done.set()
            thread.join()
    assert host in str(told.value)
    assert not leftovers(root)
    del told  # and with it the socket, which urllib leaves open where no answer came
    gc.collect()


def test_archives_put_there_by_hand_are_used_and_stay(server, root, monkeypatch):
    mnist(server, monkeypatch)
    by_hand = root / "archives" / "mnist"
    by_hand.parent.mkdir(parents=True)
    server.path.rename(by_hand)
    assert len(data.load("mnist").test) == TEST
    assert len(list(by_hand.iterdir())) == 4


def test_a_broken_archive_put_there_by_hand_is_told(server, root, monkeypatch):
    cifar10(server, monkeypatch)
    by_hand = root / "archives" / "cifar10" / datasets.CIFAR10.filename
    by_hand.parent.mkdir(parents=True)
    by_hand.write_bytes(b"half")
    with pytest.raises(data.FetchError, match=r"tar\.gz is broken or incomplete.*or delete it"):
        data.load("cifar10")
    by_hand.unlink()
    assert len(data.load("cifar10").test) == TEST


def test_root_that_is_a_file_is_told(server, root, monkeypatch):
    mnist(server, monkeypatch)
    root.write_text("")
    with pytest.raises(data.FetchError, match=r"root is .*, which is a file; name a folder"):
        data.load("mnist")
    with pytest.raises(data.FetchError, match=r"mnist cannot be stored in .*: not a directory"):
        data.load("mnist", root=root / "below")
    assert root.read_text() == ""


def test_a_folder_that_may_not_be_written_is_told(server, root, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    mnist(server, monkeypatch)
    monkeypatch.setattr(archives, "TemporaryDirectory", refuse)
    with pytest.raises(
        data.FetchError, match=r"cannot be stored in .*: permission denied; name another folder by"
    ):
        data.load("mnist")


def full(*_args, **_kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


class FullFile(io.BytesIO):
    write = full


@pytest.mark.parametrize("where", ["download", "unpacking"])
def test_a_full_disk_is_told_and_nothing_is_left(where, server, root, monkeypatch):
    mnist(server, monkeypatch)
    if where == "download":
        monkeypatch.setattr(archives, "open", lambda *_: FullFile(), raising=False)
    else:
        monkeypatch.setattr(datasets.utils, "extract_archive", full)
    with pytest.raises(
        data.FetchError, match=r"mnist cannot be stored in .*: no space left on dev"
    ):
        data.load("mnist")
    assert not leftovers(root)


def test_an_interrupted_download_leaves_nothing(server, root, monkeypatch):
    def interrupt(*_args):
        raise KeyboardInterrupt

    mnist(server, monkeypatch)
    monkeypatch.setattr(datasets.utils, "extract_archive", interrupt)
    with pytest.raises(KeyboardInterrupt):
        data.load("mnist")
    assert not list(root.iterdir())


def test_two_programs_may_fetch_at_once(server, root, monkeypatch):
    cifar10(server, monkeypatch)
    download = archives._download

    def overtaken(*arguments, **names):
        download(*arguments, **names)
        monkeypatch.setattr(archives, "_download", download)
        assert len(data.load("cifar10").test) == TEST  # another program is faster

    monkeypatch.setattr(archives, "_download", overtaken)
    assert len(data.load("cifar10").test) == TEST
    assert [path.name for path in root.iterdir()] == ["cifar10"]


@pytest.mark.parametrize(
    ("name", "task", "file"),
    [
        ("cifar10", "classification", "cifar-10-batches-py/data_batch_3"),
        ("mnist", "classification", "MNIST/raw/train-images-idx3-ubyte"),
        ("voc", "detection", "VOCdevkit/VOC2012/ImageSets/Main/train.txt"),
    ],
)
def test_files_that_were_damaged_later_are_told(name, task, file, server, root, monkeypatch):
    SETS[name](server, monkeypatch)
    data.load(name, task)
    folder = next(root.iterdir())
    damaged = folder / file
    damaged.unlink()
    with pytest.raises(data.FetchError, match=r"cannot be read .*; delete this folder and load"):
        data.load(name, task)
    damaged.write_bytes(b"")
    if name != "voc":
        with pytest.raises(
            data.FetchError, match=r"cannot be read .*; delete this folder and load"
        ):
            data.load(name, task)


def test_what_killed_downloads_left_is_removed_and_what_is_at_work_stays(server, root, monkeypatch):
    mnist(server, monkeypatch)
    work = """
import pathlib, sys, time
from cnnbook.data import archives
with archives._workplace("mnist", pathlib.Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    time.sleep(60)
"""
    root.mkdir()
    killed, at_work = (
        subprocess.Popen([sys.executable, "-c", work, root], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    )
    with killed, at_work:
        for process in (killed, at_work):
            process.folder = process.stdout.readline().strip()
        killed.kill()
        killed.wait()
        data.load("mnist")
        left = {str(path) for path in root.iterdir()}
        at_work.kill()
    assert left == {at_work.folder, str(root / "mnist")}


@pytest.mark.parametrize("name", SETS)
def test_what_torchvision_downloaded_is_used_where_it_lies(name, server, root, monkeypatch):
    SETS[name](server, monkeypatch)
    task = "detection" if name == "voc" else "classification"
    first = data.load(name, task).test[0][0]
    (ours,) = root.iterdir()
    for unpacked in ours.iterdir():
        unpacked.rename(root / unpacked.name)
    ours.rmdir()
    shutil.rmtree(server.path)
    assert torch.equal(data.load(name, task).test[0][0], first)


def test_a_file_of_torchvisions_folder_that_is_another_is_told(server, root, monkeypatch):
    mnist(server, monkeypatch)
    data.load("mnist")
    (root / "mnist" / "MNIST").rename(root / "MNIST")
    damaged = root / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x07")
    with pytest.raises(data.FetchError, match=r"files in \S*MNIST cannot be .*labels.*published"):
        data.load("mnist")


def test_archives_that_were_packed_anew_are_known_by_what_they_hold(
    server, root, tmp_path, monkeypatch
):
    fashion_mnist(server, monkeypatch)
    debian = tmp_path / "fashion-mnist"
    debian.mkdir()
    for path in server.path.iterdir():
        content = gzip.decompress(path.read_bytes())
        (debian / path.name).write_bytes(gzip.compress(content, 1, mtime=7))
        path.unlink()
    monkeypatch.setattr(real, "DEBIAN", tmp_path)
    assert len(data.load("fashion-mnist").test) == TEST
    shutil.rmtree(root)
    images = debian / "t10k-images-idx3-ubyte.gz"
    for broken in (images.read_bytes()[:100], b"no archive", gzip.compress(b"other images")):
        images.write_bytes(broken)  # it is downloaded then, as if it were not there
        with pytest.raises(data.FetchError, match="fashion-mnist cannot be downloaded from"):
            data.load("fashion-mnist")


def test_nothing_is_downloaded_over_plain_http(tmp_path, monkeypatch):
    asked = []

    def fetch(_name, archives, *_arguments):
        asked.extend(archive.url for archive in archives)
        raise data.FetchError

    monkeypatch.setattr(real, "fetch", fetch)
    for known in real.REAL.values():
        for task in known.tasks.values():
            if task is not real._digits:
                with pytest.raises(data.FetchError):
                    task(tmp_path, 160)
    assert len(asked) == 13
    assert all(url.startswith("https://") for url in asked)


@pytest.mark.skipif(
    not (real.DEBIAN / "fashion-mnist").is_dir(),
    reason="Debian's package dataset-fashion-mnist is not installed",
)
def test_all_images_of_fashion_mnist(root):
    splits = data.load("fashion-mnist")
    assert [len(split) for split in splits] == [54_000, 6_000, 10_000]
    whole = torch.cat([split._pairs.tensors[0] for split in splits[:2]]).double() / 255
    assert (round(whole.mean().item(), 4), round(whole.std().item(), 4)) == (0.2860, 0.3530)
    assert (splits.train.mean.item(), splits.train.std.item()) == pytest.approx((0.2860, 0.3530))
    for split, each in zip(splits, (None, None, 1000)):
        counted = split._pairs.tensors[1].bincount().tolist()
        assert len(counted) == 10
        assert each is None or counted == [each] * 10
    assert splits.test.classes[splits.test[0][1]] == "Ankle boot"
