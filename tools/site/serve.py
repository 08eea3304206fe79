"""Serve the site on this machine."""

from __future__ import annotations

import contextlib
import errno
import functools
import http.server
from pathlib import Path

from tools.site import SiteError

LAST_PORT = 65_535
ANOTHER = "make serve PORT=8001"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and keeps quiet about it."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def server(html: Path, port: int) -> http.server.ThreadingHTTPServer:
    """Return a server of the site on this machine only."""
    handler = functools.partial(Handler, directory=str(html))
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)


def serve(root: Path, port: str) -> None:
    """Serve the site until the reader presses Ctrl+C.

    Raises:
        SiteError: there is no site, or the port cannot be had.
    """
    html = root / "_build" / "html"
    if not (html / "index.html").exists():
        raise SiteError("there is no site yet; build it first with: make book")
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= LAST_PORT):
        raise SiteError(f"'{port}' is no port; choose a number from 1024 to 65535: {ANOTHER}")
    try:
        listening = server(html, int(port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "is in use" if taken else f"cannot be had ({error.strerror})"
        raise SiteError(f"port {port} {reason}; choose another with: {ANOTHER}") from None
    with listening, contextlib.suppress(KeyboardInterrupt):
        print(f"The book is at http://localhost:{port} (Ctrl+C stops it)", flush=True)
        listening.serve_forever()
