"""The one entry: `python main.py` opens the workstation, `python main.py COMMAND` works without a screen."""

import sys

from app.cli import main

if __name__ == "__main__":
    sys.exit(main())
