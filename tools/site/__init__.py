"""The website: built from the stored notebooks, checked, and served on this machine."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class SiteError(Exception):
    """What is wrong with the site, in one sentence a line."""
