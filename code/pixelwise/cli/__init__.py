"""The commands `pixelwise-train`, `pixelwise-predict` and `pixelwise-prepare`, each also `python -m pixelwise.cli.NAME`."""
