import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pixelwise.analysis import latency, peak_memory, profile
from pixelwise.models.patchnet import PatchNet
from pixelwise.ops import convolutionalize
from tests.helpers.laws import heavy_law
from tests.helpers.pretend_gpu import pretend_gpu


def flops(model, shape):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.zeros(shape))
    return counter.get_total_flops()


@heavy_law
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.booleans(), st.integers(5, 9))
def test_multiply_adds_are_half_the_flops(kernel, stride, dilation, groups, transposed, size):
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    layer = kind(4, 6, kernel, stride, dilation=dilation, groups=groups, padding=kernel - 1)
    net = nn.Sequential(layer, nn.ReLU(), nn.Flatten(2), nn.LazyLinear(5))
    shape = (2, 4, size, size)
    net(torch.zeros(shape))
    assert 2 * profile(net, shape).multiply_adds == flops(net, shape)


@pytest.mark.parametrize(("name", "parameters"), [("resnet18", 11_689_512), ("densenet121", 7_978_856)])
def test_whole_networks(name, parameters):
    net = getattr(torchvision.models, name)()
    cost = profile(net, (1, 3, 64, 64))
    assert cost.parameters == parameters
    assert 2 * cost.multiply_adds == flops(net, (1, 3, 64, 64))


def test_resnet18_at_224():
    assert round(profile(torchvision.models.resnet18()).multiply_adds / 1e9, 1) == 1.8


def test_each_layer_of_patchnet():
    dense = convolutionalize(PatchNet(width=16, hidden=64))
    cost = profile(dense, (1, 3, 32, 32))
    rows = {layer.name: layer for layer in cost.layers if layer.kind == "Conv2d"}
    assert [row.shape[-1] for row in rows.values()] == [30, 28, 12, 10, 1, 1]
    first, last = rows["0"], rows["16"]
    assert (first.parameters, first.multiply_adds, first.activations) == (27 * 16, 27 * 16 * 900, 16 * 900)
    assert (last.parameters, last.multiply_adds, last.activations) == (64 * 11 + 11, 64 * 11, 11)
    assert cost.parameters == sum(p.numel() for p in dense.parameters())
    assert cost.multiply_adds == profile(PatchNet(width=16, hidden=64), (1, 3, 32, 32)).multiply_adds


def test_cost_scales_with_the_area_and_parameters_do_not():
    net = nn.Conv2d(3, 8, 3, padding=1)
    one, four = profile(net, (1, 3, 16, 16)), profile(net, (1, 3, 32, 32))
    assert (four.multiply_adds, four.activations) == (4 * one.multiply_adds, 4 * one.activations)
    assert four.parameters == one.parameters


def test_dilation_is_free():
    near, far = (nn.Conv2d(3, 8, 3, padding=d, dilation=d) for d in (1, 4))
    assert profile(near).multiply_adds == profile(far).multiply_adds


def test_shared_layers_run_twice_and_count_once():
    layer = nn.Linear(4, 4)
    net = nn.Sequential(layer, nn.ReLU(), layer)
    cost = profile(net, (1, 4))
    assert (cost.parameters, cost.multiply_adds) == (20, 32)
    assert layer.weight.device.type == "cpu"  # and the model still has its own weights
    tied = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    tied[1].weight = tied[0].weight
    assert (profile(tied, (1, 4)).parameters, profile(tied, (1, 4)).multiply_adds) == (24, 32)


def test_the_table_prints_and_ends_with_the_total():
    cost = profile(nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)), (1, 3, 10, 10))
    lines = str(cost).splitlines()
    assert len(lines) == 4
    assert lines[1].split() == ["0", "Conv2d", "1×8×8×8", "224", "13,824", "512"]
    assert lines[-1].split() == ["total", "240", "13,824", "512"]
    assert len({len(line) for line in lines}) == 1
    assert cost._repr_html_().count("<tr>") == 4


def test_nothing_is_left_on_the_model():
    net = PatchNet().train()
    net[0].eval()
    profile(net, (1, 3, 32, 32))
    assert net.training
    assert not net[0].training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    assert all(p.device.type == "cpu" for p in net.parameters())


def test_peak_memory_adds_up_what_is_alive():
    net, x = nn.Sequential(nn.Conv2d(1, 4, 1), nn.ReLU(), nn.ReLU()), torch.zeros(1, 1, 10, 10)
    layer = 4 * 100 * 4  # bytes of one map of four channels in float32
    peak, how = peak_memory(net, x)
    assert peak == 2 * layer  # the input and the output of a ReLU; the convolution's output is freed after the first
    assert "alive" in how
    assert peak_memory(net, x, backward=True)[0] > 2 * layer
    in_place = nn.Sequential(nn.Conv2d(1, 4, 1), nn.ReLU(inplace=True), nn.ReLU(inplace=True))
    assert peak_memory(in_place, x)[0] == layer


def test_latency_is_a_median_of_a_few_runs():
    runs = []
    net = nn.Identity()
    net.register_forward_hook(lambda *_: runs.append(1))
    assert latency(net, torch.zeros(1), repeats=5, warm_up=2) > 0
    assert len(runs) == 7


def test_peak_memory_on_cuda_is_the_allocators():
    with pretend_gpu():
        net, x = nn.Conv2d(1, 4, 1).cuda(), torch.zeros(1, 1, 512, 512, device="cuda")
        peak, how = peak_memory(net, x)
        assert latency(net, x, repeats=1) > 0
    assert peak >= 4 * 512 * 512 * 4
    assert "CUDA" in how
