"""Start the command: `python -m cnnbook.train`."""

import sys

from cnnbook.train.command import main

if __name__ == "__main__":  # not in the processes that read images
    sys.exit(main())
