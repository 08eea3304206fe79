"""Browser tests run on the built site: `make book` first, Chromium on the PATH.

Where either is missing they are skipped, except in continuous integration (CI is set), where they
fail: a green run must have looked at the pages.
"""

import os
import threading
from pathlib import Path

import pytest

from tools.pages import browser as driver
from tools.site import site

HTML = Path(__file__).parents[2] / "_build" / "html"


def need(there: object, reason: str) -> None:
    """Skip, or fail in continuous integration, if something is not there."""
    if not there:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(scope="session")
def address():
    """Serve the built site, and give its address."""
    need((HTML / "index.html").exists(), "the site is not built; run: make book")
    with site.server(HTML, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def chromium():
    """Start one browser for all tests."""
    need(driver.executable(), "Chromium is not installed")
    with driver.Browser() as browser:
        yield browser


@pytest.fixture
def browser(chromium):
    """Give the browser as a reader would have it: desktop, light, nothing stored."""
    chromium.look(1280, 900)
    return chromium
