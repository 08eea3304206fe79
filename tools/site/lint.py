"""What is wrong with the built site: links, pictures, raw markup, weight, other hosts."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a page may weigh, in bytes before compression.
PAGE_LIMIT = 600_000  # HTML, style, scripts, fonts
FIGURES_LIMIT = 1_500_000  # its pictures, which load as the reader scrolls

RAW_MARKUP = re.compile(
    r"\{(?:term|cite(?::\w)?|numref|ref|eq|doc|figure|glossary|bibliography)\}"
    r"|```|^:::|\*\*\w|\]\(\S+\)|\$\$|\\(?:frac|begin|sum|times)\b",
    re.MULTILINE,
)


class Page(HTMLParser):
    """What a page loads, links to, names, and shows as text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.no_alt: list[str] = []
        self.text: list[str] = []
        self._code = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        given = dict(attrs)
        if given.get("id"):
            self.ids.add(given["id"])
        if given.get("src"):  # what a browser loads by itself …
            self.loads.append(given["src"])
        if given.get("href"):  # … and where a reader may go
            to_go = tag == "a" or given.get("rel") in {"next", "prev"}
            (self.links if to_go else self.loads).append(given["href"])
        in_the_bar = "favicon" in given.get("src", "")  # the name of the book stands beside it
        if tag == "img" and not given.get("alt") and not in_the_bar:
            self.no_alt.append(given.get("src", ""))
        if tag in {"pre", "code", "script", "style", "annotation"}:
            self._code += 1

    def handle_endtag(self, tag: str) -> None:
        """Note the end of an element."""
        if tag in {"pre", "code", "script", "style", "annotation"}:
            self._code -= 1

    def handle_data(self, data: str) -> None:
        """Note the text that a reader sees."""
        if not self._code:
            self.text.append(data)


def check(html: Path) -> list[str]:
    """Return what is wrong with a built site, one sentence each."""
    pages = {
        path: Page(path.read_text(encoding="utf-8"))
        for path in sorted(html.rglob("*.html"))
        if "_static" not in path.parts and "_sources" not in path.parts
    }
    found = []
    for path, page in pages.items():
        found += [f"{path.relative_to(html)}: {problem}" for problem in page_problems(path, page)]
        for link in page.links:
            if problem := link_problem(path, link, pages):
                found.append(f"{path.relative_to(html)}: {problem}")
    for path in sorted(html.rglob("*.css")):
        for address in re.findall(r"url\(([^)]+)\)", path.read_text(encoding="utf-8")):
            address = address.strip("\"'")
            if is_elsewhere(address):
                found.append(f"{path.relative_to(html)}: loads {address} from another host")
            elif not address.startswith("data:") and not (path.parent / address).exists():
                found.append(f"{path.relative_to(html)}: loads {address}, which is not there")
    return found


def is_elsewhere(address: str) -> bool:
    """Say whether an address leads to another host."""
    return bool(urlsplit(address).netloc)


def page_problems(path: Path, page: Page) -> list[str]:
    """Return what is wrong with one page, links aside."""
    found = []
    for address in page.loads:
        if is_elsewhere(address):
            found.append(f"loads {address} from another host; put a copy into book/_static")
        elif not address.startswith("data:") and not target(path, address).exists():
            found.append(f"loads {address}, which is not there")
    for source in page.no_alt:
        found.append(f"the picture {source} has no text for those who do not see it (alt)")
    for text in page.text:
        if match := RAW_MARKUP.search(text):
            found.append(f"shows raw markup: {match[0]!r} in {text.strip()[:60]!r}")
    figures, rest = weight(path, page)
    if rest > PAGE_LIMIT:
        found.append(f"weighs {rest:,} bytes without pictures; the limit is {PAGE_LIMIT:,}")
    if figures > FIGURES_LIMIT:
        found.append(f"has {figures:,} bytes of pictures; the limit is {FIGURES_LIMIT:,}")
    return found


def target(page: Path, address: str) -> Path:
    """Return the file that an address on a page leads to."""
    return (page.parent / unquote(urlsplit(address).path)).resolve()


def link_problem(path: Path, link: str, pages: dict[Path, Page]) -> str | None:
    """Return what is wrong with a link, if anything."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    to = target(path, link) if parts.path else path.resolve()
    if not to.exists():
        return f"the link {link} leads nowhere"
    by_path = {page.resolve(): found for page, found in pages.items()}
    anchor = unquote(parts.fragment)
    if anchor and to in by_path and anchor not in by_path[to].ids:
        return f"the link {link} leads to no place on its page"
    return None


def weight(path: Path, page: Page) -> tuple[int, int]:
    """Return the bytes of a page's pictures, and of everything else that it loads."""
    figures, rest, seen = 0, path.stat().st_size, set()
    for address in page.loads:
        file = target(path, address)
        if is_elsewhere(address) or file in seen or not file.is_file():
            continue
        seen.add(file)
        if "_images" in file.parts:
            figures += file.stat().st_size
        else:
            rest += file.stat().st_size
    return figures, rest
