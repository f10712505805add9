"""The likely mistakes in U-Net's exercises, and words of the hint that each must get."""

WRONG = {
    "unet.output": [(1020, "padded U-Net"), (928, "on each side"), (984, "16 times as much")],
    "unet.nearest": [([358, 362], "odd again"), ([352, 384], "multiples of 32"), ([348, 364], "12 mod 16")],
    "unet.channels": [(1536, "before the concatenation"), (512, "*sum*"), (256, "level above")],
    "unet.step": [(388, "24 · 16 + 4"), (572, "inner 388"), (368, "a larger one")],
    "unet.valid_size": [
        (lambda side: side % 8 == 0, "before the first pooling"),
        (lambda side: side % 8 == 4, "shrinks to nothing"),
        (lambda side: side % 16 == 12 and side > 88, "does fit"),
    ],
}
