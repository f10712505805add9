"""Likely wrong answers of the chapter that compares all networks."""

WRONG = {
    "comparison.scale": [(5, "both double"), (2.5, "parameters stay"), (40, "Sixteen")],
    "comparison.paired": [
        (4 / 3, "mean difference"),
        (-4, "wrong direction"),
        (2.3094, "standard deviation"),
        (4.899, "n − 1"),
    ],
    "comparison.front": [
        (lambda points: {max(range(len(points)), key=lambda i: points[i][1])}, "best score alone"),
        (lambda points: None, "None"),
        (lambda points: points, "indices of the points"),
    ],
    "comparison.calibration": [(0.25 / 3, "plain mean"), (0.25, "sum of the gaps"), (0.2, "largest gap")],
    "comparison.temperature": [(0.6931, "ln 2"), (0.5, "e²"), (2, "√e")],
}
