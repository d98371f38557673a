"""`python -m comedo`: the same as the command `comedo`."""

from comedo.cli import main

if __name__ == "__main__":
    main()
