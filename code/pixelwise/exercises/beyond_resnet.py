"""Exercises of the chapter on DenseNet, SENet, EfficientNet and deformable convolution."""

import random

from . import Hint, close, exercise, number


@exercise("beyond_resnet.channels")
def channels(answer: object) -> str:
    """A function (initial, growth, depths) -> channels after the last dense block, with θ = 0.5 between blocks."""
    if not callable(answer):
        raise Hint("A function is wanted: channels(initial, growth, depths) -> channels after the last block.")
    for blocks in (1, 2, 3, 4):
        initial, growth = 2 * random.randint(8, 40), random.randint(4, 48)
        depths = tuple(2 * random.randint(1, 12) for _ in range(blocks))
        got = number(answer(initial, growth, depths))
        case = f"For channels({initial}, {growth}, {depths})"
        if got == initial + growth * sum(depths) and blocks > 1:
            raise Hint(f"{case} you forgot the transitions: between two blocks half of the channels go.")
        wanted = initial
        for i, depth in enumerate(depths):
            wanted = (wanted if i == 0 else wanted // 2) + growth * depth
        if got == wanted // 2:
            raise Hint(f"{case} you halved once too often: no transition follows the last block.")
        if got != wanted:
            raise Hint(f"{case} the answer is {wanted}, yours {got:g}. Each layer appends `growth` channels.")
    return "Each block appends growth · depth, each transition halves. (DenseNet-121: 64, 32, (6, 12, 24, 16) -> 1024.)"


@exercise("beyond_resnet.bottleneck")
def bottleneck(answer: object) -> str:
    """From how many input channels, as a multiple of k, the dense layer with its 4k bottleneck has fewer weights."""
    value = number(answer)
    if close(value, 7.2):
        return "4Ck + 36k² < 9Ck when C > 7.2k: it pays once the input holds some seven layers of maps."
    if close(value, 4.0):
        raise Hint("4k is the width of the bottleneck. Compare the weights of both layers: 9Ck on one side.")
    if close(value, 1.8):
        raise Hint("The 3×3 reads the 4k channels of the bottleneck: 9 · 4k · k weights, not 9 · k · k.")
    if close(value, 36 / 13) or close(value, 2.77):
        raise Hint("Check the signs: the 1×1 costs 4Ck, which leaves 9Ck − 4Ck = 5Ck to pay for the 3×3.")
    raise Hint("Without: 9·C·k weights. With: 1×1 to 4k channels, C·4k, then 3×3, 9·4k·k. Solve for C / k.")


@exercise("beyond_resnet.se_weights")
def se_weights(answer: object) -> str:
    """Weights, in millions, that the gates (r = 16) add to ResNet-101: stages of 3, 4, 23, 3 blocks."""
    value = number(answer)
    value = value / 1e6 if value > 1e4 else value
    if close(value, 4.743168, 0.003):
        return "2/16 · (3·256² + 4·512² + 23·1024² + 3·2048²) = 4,743,168, nearly two thirds of it in the third stage."
    if close(value, 4.777712, 0.003):
        return "With the biases it is 4,777,712; the weights alone are 4,743,168."
    if close(value, 2.514944, 0.003):
        raise Hint("That is ResNet-50. The third stage of ResNet-101 has 23 blocks where that one has 6.")
    if close(value, 4.743168 / 2, 0.003):
        raise Hint("That is one fully connected layer a block. There are two: down to C/16, and up again to C.")
    if close(value, 4.743168 / 16, 0.003):
        raise Hint("Those are the weights for 64, 128, 256 and 512 channels. A bottleneck puts out four times as many.")
    if close(value, 4.743168 * 8, 0.003) or close(value, 4.743168 * 16, 0.003):
        raise Hint("Divide by r = 16: the layer between has C/16 values only.")
    raise Hint("A block with C channels: C · C/16 down and C/16 · C up. C is 256, 512, 1024, 2048 in the four stages.")


@exercise("beyond_resnet.compound")
def compound(answer: object) -> str:
    """Factor on the multiply-adds at φ = 3 with α, β, γ = 1.2, 1.1, 1.15."""
    value = number(answer)
    if close(value, (1.2 * 1.1**2 * 1.15**2) ** 3, 0.01):
        return "1.92³ = 7.08: three steps of the knob cost seven times as much."
    if close(value, (1.2 * 1.1 * 1.15) ** 3, 0.01):
        raise Hint("You counted width and resolution once. Each acts twice: inputs and outputs, rows and columns.")
    if close(value, 1.2 * 1.1**2 * 1.15**2, 0.01):
        raise Hint("That is the factor of one step. Three steps multiply.")
    if close(value, 3 * 1.2 * 1.1**2 * 1.15**2, 0.01):
        raise Hint("Three steps multiply, they do not add: φ is an exponent.")
    if close(value, 8.0, 0.01):
        raise Hint("2³ is the paper's round figure. With these α, β, γ a step costs a little less than 2.")
    raise Hint("One step costs α·β²·γ². Take that to the third power.")


@exercise("beyond_resnet.offsets")
def offsets(answer: object) -> str:
    """Numbers that a deformable 5×5 convolution predicts for a map of 20×30 positions."""
    value = number(answer)
    if close(value, 2 * 25 * 600, 1e-9):
        return "Two for each of 25 taps, at each of 600 positions; the number of channels does not matter."
    if close(value, 25 * 600, 1e-9):
        raise Hint("One number per tap would move it along a line. It takes two, down and right.")
    if close(value, 2 * 25, 1e-9):
        raise Hint("That is the number of offset channels. Every position of the map has its own offsets.")
    if close(value, 2 * 9 * 600, 1e-9):
        raise Hint("You took a 3×3 kernel; this one is 5×5.")
    raise Hint("2N at each position, with N the number of taps of the kernel.")
