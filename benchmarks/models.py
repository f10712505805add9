"""Is a network that is written to be read as fast as the library's? Ours ÷ torchvision's or smp's, for every network.

Both have the same weights and see the same images; rounds alternate, so that both meet the same machine, and the
median of the rounds' ratios counts. "forward" is eval mode without gradients, "step" a forward and backward pass in
train mode. Memory is the peak beyond weights and images: the allocator's on CUDA, else of the tensors alive after each
operation. Below 1 ours is better. On a CPU: one thread, and the seconds of this program alone.

With one thread and fewer than 16 images PyTorch computes 1×1 convolutions by a slow route, unless they are dilated. smp
gives its 1×1 convolutions a dilation (it changes nothing that they compute) and so escapes; the two DeepLabs are
therefore compared with 16 images, where every convolution takes the fast route.

    python benchmarks/models.py [--device cuda] [--size 160] [--rounds 7] [name ...]
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from pixelwise.analysis import peak_memory

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.models import dense_references, references
from tests.models.parity import randomise

CLASSIFIERS = ("resnet18", "resnet34", "resnet50", "googlenet", "densenet121", "efficientnet_b0", "vgg16")
DILATED = ("smp.DeepLabV3 resnet50, output stride 8", "smp.DeepLabV3Plus resnet50, output stride 16")
SEGMENTERS = (
    "fcn_resnet50 with aux",
    "deeplabv3_resnet50 with aux",
    "smp.Unet resnet18",
    "smp.Unet resnet34",
    "smp.Unet resnet50",
    *DILATED,
)
PAIRS = {name: references.PAIRS[name] for name in CLASSIFIERS} | {n: dense_references.PAIRS[n] for n in SEGMENTERS}


def logits(output) -> list[Tensor]:
    """The tensors in what a network returns: a tensor, or a dict or tuple with auxiliary logits."""
    return [output] if isinstance(output, Tensor) else list(output.values() if isinstance(output, dict) else output)


def forward(network: nn.Module, images: Tensor) -> None:
    with torch.no_grad():
        network(images)


def step(network: nn.Module, images: Tensor) -> None:
    sum(x.sum() for x in logits(network(images))).backward()
    network.zero_grad()


def seconds(run, network: nn.Module, images: Tensor) -> float:
    """Seconds of work: the process's own on a CPU, the clock's with CUDA."""
    clock, wait = (time.perf_counter, torch.cuda.synchronize) if images.is_cuda else (time.process_time, lambda: None)
    wait()
    start = clock()
    run(network, images)
    wait()
    return clock() - start


def compare(run, networks: list[nn.Module], images: Tensor, rounds: int) -> tuple[float, float]:
    """The median ratio of the first network's seconds to the second's, and the first's median in milliseconds."""
    times = []
    for i in range(rounds + 1):
        order = (0, 1) if i % 2 else (1, 0)
        taken = {k: seconds(run, networks[k], images) for k in order}
        times.append((taken[0], taken[1]))
    times = times[1:]  # the first round warms up
    return statistics.median(a / b for a, b in times), 1e3 * statistics.median(a for a, _ in times)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory of every network, ours ÷ the library's.")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", type=int, default=160, help="side of the images")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("names", nargs="*", metavar="name", help=f"some of: {', '.join(PAIRS)}")
    options = parser.parse_args()
    if unknown := set(options.names) - set(PAIRS):
        parser.error(f"no network is called {', '.join(sorted(unknown))}; there are: {', '.join(PAIRS)}")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"ours ÷ library, images of {options.size}×{options.size}, {options.device}, torch {torch.__version__}")
    titles = f"{'forward':>8}{'step':>8}{'memory: forward':>18}{'step':>8}{'ms forward':>13}{'step':>8}"
    print(f"{'':46}{'images':>8}{titles}")
    for name in options.names or PAIRS:
        ours, reference = PAIRS[name].build_ours(), PAIRS[name].build_reference()
        ours.load_state_dict(randomise(reference).state_dict())
        networks = [ours.to(options.device), reference.to(options.device)]
        images = torch.randn(16 if name in DILATED else 2, 3, options.size, options.size, device=options.device)
        row = []
        for train, run in ((False, forward), (True, step)):
            ratio, milliseconds = compare(run, [n.train(train) for n in networks], images, options.rounds)
            peaks = [peak_memory(n, images, backward=train)[0] for n in networks]
            row.append((ratio, peaks[0] / peaks[1], milliseconds))
        (time_a, memory_a, ms_a), (time_b, memory_b, ms_b) = row
        ratios = f"{time_a:8.2f}{time_b:8.2f}{memory_a:18.2f}{memory_b:8.2f}"
        print(f"{name:46}{len(images):8}{ratios}{ms_a:13.0f}{ms_b:8.0f}", flush=True)


if __name__ == "__main__":
    main()
