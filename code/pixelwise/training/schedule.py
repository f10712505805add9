"""The learning rate over a run: a linear warm-up, then the polynomial decay that DeepLab made a habit."""


def poly(step: int, total: int, *, warmup: int = 0, power: float = 0.9) -> float:
    """Factor in (0, 1] on the learning rate at `step` of 0 … total - 1.

    It rises linearly over the first `warmup` steps, at most half of the run, so that a run cut short still reaches the
    full rate; then it falls as (1 - progress) ** power, which would touch 0 at step `total`.
    Chen et al., "DeepLab" (2017), section 4.1.2: power 0.9.
    """
    warmup = min(warmup, total // 2)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return (1 - (step - warmup) / (total - warmup)) ** power
