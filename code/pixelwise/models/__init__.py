"""Every network of the book, one readable file each; a model file imports only ``blocks`` and ``pixelwise.ops``."""
