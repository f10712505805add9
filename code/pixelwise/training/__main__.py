"""``python -m pixelwise.training``: see `pixelwise.training.command`."""

from .command import main

if __name__ == "__main__":
    main()
