"""Every file that the checks rest on can be read, and is what its name says.

Told first, in one line each: what is broken here would be a fault of something else later.
"""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

PLACES = ("*.md", "*.yml", "*.toml", "*.txt", "book/**/*.md", "book/*.yaml", "cnnbook/**/*.*")
PARSERS: dict[str, Callable[[str], object]] = {
    ".toml": tomllib.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
}
TEXTS = {".md", ".py", ".bib", ".txt", *PARSERS}


def problems(root: Path) -> Iterator[str]:
    """Files under root that are no UTF-8, that do not parse, or that are empty and may not be."""
    for place in PLACES:
        for path in sorted(root.glob(place)):
            if path.suffix in TEXTS and (fault := trouble(path)):
                name = path.relative_to(root)
                yield f"{name}: {fault}: mend it, or take it back: git checkout {name}"


def trouble(path: Path) -> str | None:
    """What is wrong with one file, if anything."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        return f"byte {error.start} is no UTF-8"
    if path.suffix not in PARSERS:
        return None
    try:
        content = PARSERS[path.suffix](text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return f"no valid YAML{f' in line {mark.line + 1}' if mark else ''}"
    except tomllib.TOMLDecodeError as error:
        return f"no valid TOML ({error})"
    return None if content and isinstance(content, (dict, list)) else "holds no entries"
