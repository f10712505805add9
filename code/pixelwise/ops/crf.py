"""Fully connected conditional random field by mean field inference (Krähenbühl & Koltun 2011), exact and small.

Every pixel is joined to every other. Two pixels pay for holding different labels, the more the closer they lie and
the more alike their colours are (eq. 3 of the paper):

    k(i, j) = w₁ exp(−|pᵢ−pⱼ|²/2θ_α² − |Iᵢ−Iⱼ|²/2θ_β²)  +  w₂ exp(−|pᵢ−pⱼ|²/2θ_γ²)
              appearance                                     smoothness

The paper approximates the sums over all pixels on a permutohedral lattice, in time linear in the number of pixels.
Here they are computed as written, with a matrix that has an entry for every two pixels: fine for a picture in a book
(96×128 pixels make 0.6 GB and a second's work), hopeless for a photograph (twice the side, 16 times the cost). As in
the authors' own program each kernel is normalised symmetrically, k(i, j) / √(dᵢ dⱼ) with dᵢ = Σⱼ k(i, j), so that the
weights mean the same at every image size.
"""

import torch
from torch import Tensor


def appearance_kernel(image: Tensor, theta_alpha: float, theta_beta: float) -> Tensor:
    """The normalised appearance kernel (P, P) of an image (3, H, W) with P = H·W pixels; its diagonal is zero."""
    height, width = image.shape[1:]
    grid = torch.cartesian_prod(torch.arange(height), torch.arange(width)).to(image)  # (P, 2), in pixels
    points = torch.cat([grid / theta_alpha, image.flatten(1).T / theta_beta], dim=1)  # (P, 5)
    points -= points.mean(0)  # small norms lose less in the difference below: |a − b|²/2 = |a|²/2 + |b|²/2 − a·b
    norms = points.square().sum(1) / 2
    kernel = (points @ points.T).sub_(norms).sub_(norms[:, None])
    kernel.clamp_(min=-60).exp_().fill_diagonal_(0)  # below e⁻⁶⁰ only the denormal numbers' slowness is left
    scale = kernel.sum(1).clamp_min(1e-12).rsqrt()
    return kernel.mul_(scale).mul_(scale[:, None])


def smooth(q: Tensor, theta_gamma: float) -> Tensor:
    """Filter (C, H, W) with the normalised smoothness kernel, whose Gaussian is a product of one in y and one in x."""

    def gaussian(length: int) -> Tensor:
        offsets = torch.arange(length).to(q)
        return torch.exp(-((offsets - offsets[:, None]) ** 2) / (2 * theta_gamma**2))

    rows, columns = gaussian(q.size(1)), gaussian(q.size(2))
    degrees = rows.sum(1)[:, None] * columns.sum(1) - 1  # (H, W); no pixel votes for itself, hence the −1 and the −q
    scale = degrees.clamp_min(1e-12).rsqrt()
    q = q * scale
    return scale * (rows @ q @ columns - q)


def dense_crf(
    logits: Tensor,
    images: Tensor,
    *,
    iterations: int = 5,
    appearance_weight: float = 4.0,
    theta_alpha: float = 40.0,
    theta_beta: float = 10.0,
    smoothness_weight: float = 1.0,
    theta_gamma: float = 3.0,
    max_pixels: int = 2**14,
) -> Tensor:
    """Refine a network's logits with the colours of the image; returns label probabilities (N, C, H, W).

    logits (N, C, H, W) float: the unary term is −log softmax(logits). images (N, 3, H, W): colours from 0 to 255, uint8
    or float. theta_alpha and theta_gamma are in pixels, theta_beta in colour values. Differentiable in the logits,
    though made for test time. Raises ValueError when logits and images differ in size, or when H·W > `max_pixels`,
    which stands guard over (H·W)² numbers of memory. Krähenbühl & Koltun 2011, algorithm 1, Potts compatibility.
    """
    if images.shape != (len(logits), 3, *logits.shape[2:]):
        raise ValueError(
            f"dense_crf got logits {tuple(logits.shape)} and images {tuple(images.shape)}; it needs (N, C, H, W) and "
            "(N, 3, H, W) with the same N, H and W: upsample the logits first"
        )
    height, width = images.shape[2:]
    if height * width > max_pixels:
        gigabytes = (height * width) ** 2 * 4 / 1e9
        raise ValueError(
            f"dense_crf joins every two of {height}×{width} pixels, {gigabytes:.1f} GB in float32; "
            f"scale logits and images down to {max_pixels} pixels, or raise max_pixels"
        )
    refined = []
    for image, unary in zip(images.to(logits), logits.log_softmax(1), strict=True):
        kernel = appearance_kernel(image, theta_alpha, theta_beta)
        q = unary.exp()  # (C, H, W)
        for _ in range(iterations):
            # Potts: a label pays for neighbours that hold another one, that is, it is credited for those that agree.
            appearance = (q.flatten(1) @ kernel).view_as(q)
            credit = appearance_weight * appearance + smoothness_weight * smooth(q, theta_gamma)
            q = (unary + credit).softmax(0)
        refined.append(q)
    return torch.stack(refined)
