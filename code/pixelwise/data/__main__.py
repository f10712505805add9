"""``python -m pixelwise.data prepare camvid``: see `pixelwise.data.prepare`."""

from ..cli.prepare import main

if __name__ == "__main__":
    main()
