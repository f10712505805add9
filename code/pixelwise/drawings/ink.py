"""The colours and lettering of drawings: one colour for each kind of operation, in light and in dark."""

TINTS: dict[str, tuple[str, str, str, str]] = {
    # kind: front in light, edge in light, front in dark, edge in dark
    "data": ("#e9e4d8", "#6d6a64", "#3a404a", "#a3a9b3"),
    "convolution": ("#bcd7f2", "#0b62a8", "#1f4b74", "#8cc0f0"),
    "pooling": ("#f6c9bd", "#b23a12", "#6b2d1b", "#f0a58d"),
    "upsampling": ("#bfe3cd", "#0b7a4a", "#1b543a", "#8ed7ae"),
    "sum": ("#ddc9ee", "#7a3a9c", "#4d2f63", "#d0a8ea"),
    "concatenation": ("#fbdcab", "#9a6200", "#5f4411", "#efc067"),
    "attention": ("#f7c9dd", "#a8286a", "#652746", "#f09bc2"),
    "score": ("#bfe4e6", "#0a737a", "#17525a", "#82d3da"),
    "fully connected": ("#d6d3f3", "#4b44b0", "#3a3672", "#b3adf5"),
    "normalisation": ("#e6e9c0", "#666b00", "#43481f", "#ccd287"),
    "activation": ("#dfe4ea", "#4a5b6e", "#38434f", "#a9bacb"),
    "sampling": ("#ead3bd", "#7d4e1f", "#553a22", "#dcb088"),
    "loss": ("#d9d9d4", "#3d3d44", "#4b4b50", "#d9d9d4"),
}
"""Kinds of things in a drawing and their colours; every text has a contrast of at least 4.5 on every front."""

OPERATIONS: dict[str, str] = {
    "convolution": "convolution", "deformable convolution": "convolution", "transposed convolution": "upsampling",
    "bilinear upsampling": "upsampling", "nearest upsampling": "upsampling", "batch normalisation": "normalisation",
    "layer normalisation": "normalisation", "ReLU": "activation", "ReLU6": "activation", "SiLU": "activation",
    "GELU": "activation", "sigmoid": "activation", "softmax": "activation", "max pooling": "pooling",
    "average pooling": "pooling", "global pooling": "pooling", "fully connected": "fully connected",
    "concatenation": "concatenation", "scaling": "normalisation",
}  # fmt: skip
"""The kind of thing that each kind of step is drawn as."""

PAPER = ("#f8f6f1", "#1b2027")
INK = ("#1d1f24", "#e9e7e2")
SOFT = ("#565b66", "#b3b7c0")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"


def css(kinds: list[str]) -> str:
    """The style sheet of a drawing that shows these kinds: a class for each, in light, then in dark."""
    light = [f".paper{{fill:{PAPER[0]}}}.ink{{fill:{INK[0]}}}.soft{{fill:{SOFT[0]}}}.line{{stroke:{SOFT[0]}}}"]
    dark = [f".paper{{fill:{PAPER[1]}}}.ink{{fill:{INK[1]}}}.soft{{fill:{SOFT[1]}}}.line{{stroke:{SOFT[1]}}}"]
    light.append(f".tip{{fill:{SOFT[0]}}}.halo{{stroke:{PAPER[0]}}}")
    dark.append(f".tip{{fill:{SOFT[1]}}}.halo{{stroke:{PAPER[1]}}}")
    for kind in kinds:
        front, edge, front_dark, edge_dark = TINTS[kind]
        name = class_of(kind)
        light.append(f".{name}{{fill:{front};stroke:{edge}}}.{name}-line{{stroke:{edge}}}.{name}-tip{{fill:{edge}}}")
        dark.append(
            f".{name}{{fill:{front_dark};stroke:{edge_dark}}}"
            f".{name}-line{{stroke:{edge_dark}}}.{name}-tip{{fill:{edge_dark}}}"
        )
    base = (
        f"text{{font-family:{FONT};font-size:12px}}.small{{font-size:11px}}.strong{{font-weight:600}}"
        ".title{font-size:14px;font-weight:600}.line{fill:none;stroke-width:1.4}.wide{fill:none;stroke-width:2.2}"
        ".dash{stroke-dasharray:5 4}.shade{fill-opacity:.55}.cell{stroke-width:.8}.faint{stroke-opacity:.4}"
        ".frame{fill:none;stroke-width:3}.halo{paint-order:stroke;stroke-width:3px}"
    )
    return base + "".join(light) + "@media (prefers-color-scheme:dark){" + "".join(dark) + "}"


def class_of(kind: str) -> str:
    """The CSS class of a kind."""
    return "k-" + kind.replace(" ", "-")
