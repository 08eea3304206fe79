"""Build, check and serve the website.

    python -m tools.site build      build _build/html, strictly, and check what was built
    python -m tools.site serve      show it on this machine

The stored outputs of the notebooks are shown as they are: nothing is executed here.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.site import ROOT, SiteError
from tools.site.build import build
from tools.site.serve import serve


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(description="Build, check and serve the website.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the book's folder")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build _build/html, strictly, and check what was built")
    serving = commands.add_parser("serve", help="show the site on this machine")
    serving.add_argument("--port", default="8000")
    chosen = parser.parse_args(arguments)
    root = chosen.root.resolve()
    try:
        if chosen.command == "build":
            index = root / "_build" / "html" / "index.html"
            built = build(root)
            print("The site is built." if built else "Nothing has changed since the last build.")
            print(f"Open {index.as_uri()}, or run: make serve")
        else:
            serve(root, chosen.port)
    except SiteError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
