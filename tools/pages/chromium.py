"""The system's Chromium, driven by Playwright: for browser tests and screenshots."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable() -> str | None:
    """Return the path of Chromium, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def launch(playwright: Playwright) -> Browser:
    """Start Chromium; continuous integration runs as root, for whom it has no sandbox."""
    return playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
