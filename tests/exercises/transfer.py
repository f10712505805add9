"""Likely mistakes in the exercises on transfer."""


def cka(k, m):
    """CKA of matrices as they are."""
    return (k * m).sum() / (k.norm() * m.norm())


def centred(k):
    """Without the means of rows and columns."""
    k = k - k.mean(0)
    return k - k.mean(1, keepdim=True)


WRONG = {
    "transfer.learning": [
        (126011, "for eleven classes"),
        (126011 - 9 * 48, "has a bias"),
        (126011 - 98, "nine scores go"),
        (441, "still learn"),
    ],
    "transfer.alignment": [
        (cka, "for the means"),
        (lambda k, m: cka(k - k.mean(0), m - m.mean(0)), "Half centred"),
        (lambda k, m: (centred(k) * centred(m)).sum(), "the numerator"),
    ],
    "transfer.running": [(0.9**20, "left of the beginning"), (2, "nothing were forgotten"), (1 - 0.1**20, "new")],
    "transfer.control": [("a", "what tuning adds"), ("b", "two things differ"), ("d", "worth by itself")],
}
