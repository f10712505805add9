"""The commands `pixelwise-train`, `pixelwise-predict` and `pixelwise-prepare`, or `python -m pixelwise.cli.train` …"""
