"""Figures: their words for those who do not see them, and their sizes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import imagesize
from myst_nb.core.render import MimeData, NbElementRenderer

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.builders.html import StandaloneHTMLBuilder


def keep_alternative_texts() -> None:
    """Let MyST-NB put ``{"image/png": {"alt": …}}`` of an output's metadata into its ``<img>``."""
    original = NbElementRenderer.render_image
    if hasattr(original, "__wrapped__"):
        return

    def render_image(self: NbElementRenderer, data: MimeData) -> list[nodes.Element]:
        images = original(self, data)
        if alt := data.output_metadata.get(data.mime_type, {}).get("alt"):
            images[0]["alt"] = alt
        return images

    render_image.__wrapped__ = original
    NbElementRenderer.render_image = render_image


def size_images(body: str, builder: StandaloneHTMLBuilder) -> str:
    """Give every image its size, so that nothing moves while it loads, and load it when needed."""
    sources = {name: source for source, name in builder.images.items()}

    def size(match: re.Match) -> str:
        tag = match[0]
        source = re.search(r'src="[^"]*_images/([^"]+)"', tag)
        if source is None or "width" in tag:
            return tag
        path = builder.srcdir / sources[unquote(source[1])]
        width, height = imagesize.get(path)
        loading = "" if match.start() == first else ' loading="lazy"'
        return f'<img width="{width}" height="{height}"{loading}{tag[4:]}'

    first = body.find("<img")
    return re.sub(r"<img\b[^>]*>", size, body)
