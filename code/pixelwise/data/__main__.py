"""``python -m pixelwise.data prepare camvid``: see `pixelwise.data.prepare`."""

from .prepare import main

if __name__ == "__main__":
    main()
