"""``python -m pixelwise.training``: see `pixelwise.training.command`."""

from ..cli.train import main

if __name__ == "__main__":
    main()
