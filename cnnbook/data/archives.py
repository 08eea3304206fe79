"""Downloads: archives of real data sets, and weights; checked, and whole or not there at all."""

import gzip
import hashlib
import os
import pickle
import shutil
import urllib.error
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from torch import Tensor

TIMEOUT = 30  # seconds without a byte after which a download is given up


class FetchError(OSError):
    """A data set could not be fetched or read; the message says why, and what to do."""


class Archive(NamedTuple):
    """A file to download."""

    url: str
    md5: str
    place: str = "."  # where to unpack it, inside the folder of the data set
    content: str = ""  # MD5 sum of the one file in it, the same if it is packed anew

    @property
    def file(self) -> str:
        """Its name."""
        return self.url.rpartition("/")[2]


def data_folder(root: str | os.PathLike | None = None) -> Path:
    """The folder of all data sets: `root`, else the variable CNNBOOK_DATA, else a cache at home.

    Examples:
        >>> data_folder("pictures").name
        'pictures'
    """
    return Path(root or os.environ.get("CNNBOOK_DATA") or "~/.cache/cnnbook").expanduser()


def fetch(
    name: str, archives: Sequence[Archive], root: Path, elsewhere: Sequence[Path] = ()
) -> Path:
    """Give the folder of a data set; download and unpack its archives if it is not there.

    The work is done in a hidden folder, of which the result is moved to its place at the end: it
    is there as a whole or not at all, also when two programs fetch it at once; what a killed
    program left is removed. Archives that lie in `root/archives/name`, or in a folder of
    `elsewhere`, are used instead of a download.

    Raises:
        FetchError: no network, a broken archive, or a folder that cannot be written.
    """
    folder = root / name
    if folder.is_dir():
        return folder
    try:
        _fetch(name, archives, root, elsewhere)
    except FetchError:
        raise
    except OSError as error:
        raise FetchError(
            f"{name} cannot be stored in {root}: {(error.strerror or str(error)).lower()}; name "
            "another folder by root=… or by the environment variable CNNBOOK_DATA."
        ) from error
    return folder


def _fetch(name: str, archives: Sequence[Archive], root: Path, elsewhere: Sequence[Path]) -> None:
    from torchvision.datasets.utils import extract_archive

    if root.exists() and not root.is_dir():
        raise FetchError(f"root is {root}, which is a file; name a folder.")
    root.mkdir(parents=True, exist_ok=True)
    by_hand = root / "archives" / name
    advice = f"put {' and '.join(archive.url for archive in archives)} into {by_hand} by hand"
    with _workplace(name, root) as temporary:
        unpacked = temporary / "unpacked"
        for archive in archives:
            path = by_hand / archive.file
            if path.is_file():
                if not _is(archive, path):
                    raise FetchError(
                        f"{path} is broken or incomplete: its MD5 sum is not {archive.md5}; "
                        "put the whole file there, or delete it to have it downloaded."
                    )
            else:
                found = (folder / archive.file for folder in elsewhere)
                path = next((file for file in found if _is(archive, file)), None)
            if path is None:
                path = temporary / archive.file
                _download(name, archive, path, advice)
            place = unpacked / archive.place
            place.mkdir(parents=True, exist_ok=True)
            extract_archive(path, place)
        try:
            unpacked.rename(root / name)
        except OSError:
            if not (root / name).is_dir():  # else another program was faster
                raise


@contextmanager
def _workplace(name: str, root: Path) -> Iterator[Path]:
    """A hidden folder, locked as long as its program lives; others are removed if they are not."""
    try:
        import fcntl
    except ImportError:  # Windows, where nothing is known of who is alive
        fcntl = None
    for lock in root.glob(f".{name}-*/.lock") if fcntl else ():
        try:
            with lock.open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # at work, or gone meanwhile
            continue
        shutil.rmtree(lock.parent, ignore_errors=True)
    with (
        TemporaryDirectory(prefix=f".{name}-", dir=root) as temporary,
        Path(temporary, ".lock").open("w") as file,
    ):
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield Path(temporary)


def _is(archive: Archive, path: Path) -> bool:
    """Whether a file is this archive, or holds the same, packed by somebody else."""
    if not path.is_file():
        return False
    if digest(path) == archive.md5:
        return True
    try:
        return bool(archive.content) and digest(path, open=gzip.open) == archive.content
    except (OSError, EOFError, zlib.error):
        return False


def _download(name: str, archive: Archive, path: Path, advice: str) -> None:
    host = urlsplit(archive.url).netloc
    chunks = _chunks(archive)
    with open(path, "wb") as file:
        while True:
            try:  # reading only: what fails in writing is no matter of the network
                chunk = next(chunks, None)
            except (OSError, HTTPException) as error:
                reason = str(error).strip("<>") or type(error).__name__
                raise FetchError(
                    f"{name} cannot be downloaded from {host} ({reason}); "
                    f"connect to the network, or {advice}."
                ) from error
            if chunk is None:
                break
            file.write(chunk)
    if digest(path) != archive.md5:
        raise FetchError(
            f"{archive.file} of {name} came broken or incomplete from {host}: its MD5 sum is not "
            f"{archive.md5}; it was deleted, so load again."
        )


def _chunks(archive: Archive) -> Iterator[bytes]:
    from tqdm import tqdm

    request = Request(archive.url, headers={"User-Agent": "cnnbook"})
    with urlopen(request, timeout=TIMEOUT) as response:
        length = int(response.headers.get("Content-Length", 0)) or None
        with tqdm(desc=archive.file, total=length, unit="B", unit_scale=True) as bar:
            while chunk := response.read(2**20):
                bar.update(len(chunk))
                yield chunk


def digest(path: Path, kind: str = "md5", open: Callable = open) -> str:
    """Compute a sum of a file's bytes, or of those that `open` finds in it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(
            file, partial(hashlib.new, kind, usedforsecurity=False)
        ).hexdigest()


def trained_weights(url: str) -> dict[str, "Tensor"]:
    """The weights at an address, from torch's folder if they are there already.

    The sum in the file's name is checked either way, and nothing in the file is run.

    Raises:
        ConnectionError: they are not there and cannot be downloaded.
        OSError: the file is broken, or cannot be written.
    """
    import torch

    file = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
    begins = torch.hub.HASH_REGEX.search(file.name)  # of the SHA-256 sum, in the name
    if begins and file.is_file() and not digest(file, "sha256").startswith(begins[1]):
        raise OSError(
            f"{file} is broken, or not the file of this name: its SHA-256 sum does not begin with "
            f"{begins[1]}: delete it, and it will be downloaded again."
        )
    try:
        return torch.hub.load_state_dict_from_url(
            url, map_location="cpu", check_hash=True, weights_only=True
        )
    except (urllib.error.URLError, TimeoutError) as error:
        raise ConnectionError(
            f"the weights could not be downloaded ({error}): connect this machine, or put "
            f"{url} into {file.parent} by hand."
        ) from error
    except PermissionError as error:
        raise PermissionError(
            f"{file.parent} cannot be written: set TORCH_HOME to a folder of yours."
        ) from error
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise OSError(
            f"{file} is broken ({str(error).splitlines()[0]}): delete it, and it will be "
            "downloaded again."
        ) from error
