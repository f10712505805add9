"""The commands `pixelwise-train`, `-predict`, `-export` and `-prepare`; or `python -m pixelwise.cli.train`, say."""
