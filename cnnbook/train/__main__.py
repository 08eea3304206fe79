"""Run the command line."""

import sys

from cnnbook.train import main

if __name__ == "__main__":
    sys.exit(main())
