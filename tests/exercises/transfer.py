"""Likely mistakes in the exercises on transfer."""


def cka(x, y, *, centred=True):
    """Linear CKA, with or without the means."""
    if centred:
        x, y = x - x.mean(0), y - y.mean(0)
    return (y.T @ x).norm() ** 2 / ((x.T @ x).norm() * (y.T @ y).norm())


def numerator(x, y):
    """What CKA divides."""
    return ((y - y.mean(0)).T @ (x - x.mean(0))).norm() ** 2


WRONG = {
    "transfer.learning": [(2958848, "That is the encoder"), (1567149, "its classifier"), (123451, "two parameters")],
    "transfer.alignment": [
        (lambda x, y: cka(x, y, centred=False), "for the means"),
        (lambda x, y: cka(x, y) ** 0.5, "its root"),
        (numerator, "the numerator"),
    ],
    "transfer.running": [(0.9**20, "left of the beginning"), (2, "nothing were forgotten"), (1 - 0.1**20, "new")],
    "transfer.control": [("a", "what tuning adds"), ("b", "two things differ"), ("d", "worth by itself")],
}
