"""Likely wrong answers of the chapter on the task, the data and the metrics."""

WRONG = {
    "segmentation.all_road": [(0.33, "pixel accuracy"), (0.33 / 12, "void is not a class"), (3, "percentage")],
    "segmentation.micro_iou": [
        (0.85, "counts twice"),
        (2 * 0.85 / 1.85, "turned the fraction round"),
        (0.85 / 2, "belong to the union once"),
    ],
    "segmentation.dice": [
        (lambda iou: iou / (2 - iou), "way back"),
        (lambda iou: 2 * iou, "exceed 1"),
        (lambda iou: iou.mean(), "one Dice score each"),
    ],
    "segmentation.absent_class": [(0.5, "as 0"), (2.5 / 3, "as 1"), (1.5, "That is the sum")],
    "segmentation.pole_shift": [(0.5, "union has grown"), (0, "still shared"), (0.25, "counts it twice")],
}
