"""The pretend GPU keeps PyTorch's rules about devices: what a real one refuses it refuses, what it allows it allows."""

import copy
import io
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from tests.helpers.pretend_gpu import AMPERE, T4, pretend_gpu

GPU = torch.device("cuda", 0)


@pytest.fixture(autouse=True)
def card():
    with pretend_gpu():
        yield AMPERE


def at(*shape):
    return torch.rand(*shape, device="cuda")


class TestWhereATensorIs:
    @pytest.mark.parametrize(
        "make",
        [
            lambda: torch.zeros(3, device="cuda"),
            lambda: torch.zeros(3).cuda(),
            lambda: torch.zeros(3).to("cuda", torch.float64, non_blocking=True),
            lambda: torch.zeros(3).to(at(1)),
            lambda: torch.tensor([1, 2], device="cuda"),
            lambda: torch.as_tensor(np.zeros(3), device="cuda"),
            lambda: at(3).new_tensor([1.0, 2.0]),
            lambda: at(3).new_zeros(2),
            lambda: torch.empty_like(at(3)),
            lambda: torch.zeros_like(torch.zeros(3), device="cuda"),
            lambda: at(3) + 1,
            lambda: at(4, 4)[1:, ::2].T,
            lambda: at(3).add_(torch.tensor(2.0)),
            lambda: torch.cartesian_prod(at(3), at(2)),
            lambda: F.one_hot(torch.zeros(3, dtype=torch.int64, device="cuda")),
            lambda: at(3).nonzero(),
            lambda: at(3).detach().requires_grad_(),
            lambda: nn.Parameter(at(3)).data,
            lambda: copy.deepcopy(at(3)),
            lambda: pickle.loads(pickle.dumps(at(3))),
            lambda: torch.zeros(3).pin_memory().to("cuda", non_blocking=True),
            lambda: torch.empty_like(torch.empty(3, device="meta"), device="cuda"),
            lambda: torch.randperm(4, device="cuda"),
        ],
    )
    def test_on_the_gpu(self, make):
        x = make()
        assert (x.device, x.is_cuda, x.is_cpu, x.get_device()) == (GPU, True, False, 0)
        assert x.type().startswith("torch.cuda.")
        assert "device='cuda:0'" in repr(x)

    @pytest.mark.parametrize(
        "make",
        [
            lambda: torch.zeros(3),
            lambda: at(3).cpu(),
            lambda: at(3).to("cpu", torch.float64),
            lambda: at(3).type_as(torch.zeros(1)),
            lambda: torch.zeros_like(at(3), device="cpu"),
            lambda: torch.as_tensor(at(3), device="cpu"),
            lambda: torch.tensor(at(3).tolist()),
            lambda: torch.from_numpy(at(3).cpu().numpy()),
            lambda: torch.zeros(3).copy_(at(3)),
            lambda: copy.deepcopy(torch.zeros(3)),
        ],
    )
    def test_on_the_cpu(self, make):
        x = make()
        assert (x.device.type, x.is_cuda, x.is_cpu) == ("cpu", False, True)
        assert "device" not in repr(x)

    def test_a_copy_is_no_alias(self):
        array = np.zeros(3)
        x = torch.as_tensor(array, device="cuda")
        y = x.cpu()
        x += 1
        assert array.sum() == y.sum() == 0

    def test_assigned_values_change_no_device(self):
        here, there = at(4), torch.zeros(4)
        there[1:] = here[1:]
        here[:1] = there[:1]
        assert (here.is_cuda, there.is_cuda) == (True, False)

    def test_there_is_one_gpu(self):
        with pytest.raises(RuntimeError, match="invalid device ordinal"):
            torch.zeros(3, device="cuda:1")

    def test_data_that_are_a_tensor_stay_where_it_is(self):
        with pytest.warns(UserWarning, match="recommended to use"):
            assert torch.tensor(at(1)).is_cuda

    def test_another_thread_has_none(self):
        with ThreadPoolExecutor() as pool:
            assert pool.submit(lambda x: x.device.type, at(3)).result() == "cpu"


class TestWhatMayNotMeet:
    @pytest.mark.parametrize(
        "mix",
        [
            lambda: at(3) + torch.zeros(3),
            lambda: torch.zeros(3).mul_(at(3)),
            lambda: torch.zeros(()).add_(at(1)[0]),
            lambda: torch.zeros(3) + at(1)[0],
            lambda: torch.stack([at(1)[0], torch.zeros(())]),
            lambda: torch.cat([at(3), torch.zeros(3)]),
            lambda: torch.where(at(3) > 0, at(3), torch.zeros(3)),
            lambda: F.conv2d(at(1, 1, 4, 4), torch.zeros(1, 1, 3, 3)),
            lambda: F.cross_entropy(at(2, 3), torch.zeros(2, dtype=torch.int64)),
            lambda: F.cross_entropy(at(2, 3), torch.zeros(2).long().cuda(), weight=torch.ones(3)),
            lambda: at(3).gather(0, torch.zeros(1, dtype=torch.int64)),
            lambda: nn.Linear(3, 3)(at(3)),
            lambda: nn.Linear(3, 3).cuda()(torch.zeros(3)),
            lambda: torch.equal(at(3), torch.zeros(3)),
            lambda: at(3).lerp_(torch.zeros(3), 0.5),
            lambda: torch.add(at(3), 1, out=torch.zeros(3)),
            lambda: at(4).masked_fill(torch.zeros(4).bool(), 0),
            lambda: at(3).__setitem__(torch.tensor([0, 1]), torch.zeros(2)),
            lambda: at(3) + torch.zeros(3, device="meta"),
        ],
    )
    def test_both_devices_in_one_operation(self, mix):
        with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
            mix()

    def test_a_scalar_of_the_cpu_may(self):
        assert (at(3) * torch.tensor(2.0)).is_cuda
        assert torch.where(at(3) > 0.5, at(3), torch.tensor(0.0)).is_cuda

    def test_indices_of_the_cpu_may(self):
        index = torch.tensor([0, 2])
        x = at(3)
        x[index] = 1.0
        assert x[index].is_cuda
        assert x[index].tolist() == [1, 1]

    def test_indices_of_the_gpu_index_nothing_of_the_cpu(self):
        index = torch.tensor([0, 2], device="cuda")
        for use in (lambda: torch.zeros(3)[index], lambda: torch.zeros(3).__setitem__(index, 1.0)):
            with pytest.raises(RuntimeError, match="indices should be either on cpu or on the same device"):
                use()

    @pytest.mark.parametrize("give", [np.asarray, lambda x: x.numpy(), lambda x: x[:2].numpy()])
    def test_no_array_of_the_gpu(self, give):
        with pytest.raises(TypeError, match=r"can't convert cuda:0 device type tensor to numpy\. Use Tensor\.cpu"):
            give(at(3))

    def test_nothing_of_the_gpu_is_pinned(self):
        assert torch.zeros(3).pin_memory().is_pinned()
        assert not torch.zeros(3).is_pinned()
        with pytest.raises(RuntimeError, match="only dense CPU tensors can be pinned"):
            at(3).pin_memory()

    @pytest.mark.parametrize(
        "use",
        [
            lambda x: x @ x,
            lambda x: F.conv2d(x[None, None], x[None, None]),
            lambda x: F.interpolate(x[None, None], 8, mode="bilinear"),
        ],
    )
    def test_integers_where_a_gpu_has_only_floats(self, use):
        with pytest.raises(NotImplementedError, match="not implemented for"):
            use(torch.ones(4, 4, dtype=torch.uint8, device="cuda"))


class TestRandomNumbers:
    def test_a_generator_serves_its_own_device(self):
        here, there = torch.Generator("cuda"), torch.Generator()
        assert (here.device, there.device.type) == (GPU, "cpu")
        assert torch.rand(3, generator=here, device="cuda").is_cuda
        assert not torch.randperm(3, generator=there).is_cuda
        for use in (
            lambda: torch.rand(3, generator=here),
            lambda: torch.rand(3, generator=there, device="cuda"),
            lambda: at(3).uniform_(generator=there),
            lambda: torch.bernoulli(torch.zeros(3), generator=here),
        ):
            with pytest.raises(RuntimeError, match=r"Expected a '(cuda|cpu)' device type for generator"):
                use()

    def test_the_gpu_has_a_state_of_its_own(self):
        torch.manual_seed(0)
        first = torch.rand(3)
        torch.manual_seed(0)
        on_gpu = at(3)
        assert torch.equal(first, torch.rand(3))  # the GPU drew nothing from the CPU's
        torch.cuda.manual_seed_all(0)
        assert torch.equal(on_gpu, at(3))

    def test_fork_rng_restores_it(self):
        state = torch.cuda.get_rng_state()
        with torch.random.fork_rng(devices=[GPU]):
            F.dropout(at(3))
            assert not torch.equal(state, torch.cuda.get_rng_state())
        assert torch.equal(state, torch.cuda.get_rng_state())


class TestTraining:
    @pytest.fixture
    def network(self):
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(), nn.Conv2d(4, 2, 1))

    @pytest.mark.parametrize("options", [{"fused": True}, {"foreach": True}, {"fused": False, "foreach": False}])
    @pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD])
    def test_gradients_and_what_an_optimizer_keeps(self, network, optimizer, options):
        kinds = {type(p) for p in network.parameters()}
        steps = optimizer(network.parameters(), lr=0.1, **options)  # made before the network moves
        network.cuda()
        before = [p.clone() for p in network.parameters()]
        network(at(2, 3, 8, 8)).square().mean().backward()
        assert all(p.grad.is_cuda for p in network.parameters())
        steps.step()
        assert not any(torch.equal(old, new) for old, new in zip(before[:1], network.parameters(), strict=False))
        kept = [v for state in steps.state.values() for k, v in state.items() if k != "step" and v is not None]
        assert all(value.is_cuda for value in kept)
        assert {type(p) for p in network.parameters()} == kinds == {nn.Parameter}
        assert all(p.device == GPU for p in copy.deepcopy(network).parameters())
        assert all(buffer.is_cuda for buffer in network.buffers())

    def test_a_gradient_lies_beside_its_tensor(self):
        there = torch.ones(3, requires_grad=True)
        here = at(3).requires_grad_()
        (there.cuda() * here).sum().cpu().backward()
        assert (there.grad.is_cuda, here.grad.is_cuda) == (False, True)
        (gradient,) = torch.autograd.grad((there.cuda() * here).sum(), there)
        assert not gradient.is_cuda
        with pytest.raises(RuntimeError, match="attempting to assign a gradient with device type 'cuda'"):
            there.grad = at(3)

    def test_a_module_goes_where_a_tensor_is(self):
        assert nn.Linear(2, 2).to(at(1)).weight.is_cuda
        assert not nn.Linear(2, 2).cuda().to(torch.zeros(1)).weight.is_cuda

    def test_a_state_is_copied_across(self, network):
        other = copy.deepcopy(network).cuda()
        other.load_state_dict(network.state_dict())
        assert other[0].weight.is_cuda
        assert not network[0].weight.is_cuda

    def test_files_are_read_to_where_they_are_asked(self, tmp_path):
        save_file({"x": at(3)}, tmp_path / "x.safetensors")
        assert load_file(tmp_path / "x.safetensors", device="cuda")["x"].is_cuda
        assert not load_file(tmp_path / "x.safetensors")["x"].is_cuda
        file = io.BytesIO()
        torch.save({"x": at(3)}, file)
        for where, on_gpu in ((None, True), ("cpu", False), ("cuda", True)):
            file.seek(0)
            assert torch.load(file, map_location=where, weights_only=True)["x"].is_cuda == on_gpu


class TestAutocast:
    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_products_are_short_and_losses_are_not(self, dtype):
        layer = nn.Conv2d(1, 2, 3).cuda()
        with torch.autocast("cuda", dtype):
            scores = layer(at(1, 1, 6, 6))
            loss = F.cross_entropy(scores, torch.zeros(1, 4, 4, dtype=torch.int64, device="cuda"))
            assert (at(3).double() @ at(3).double()).dtype == torch.float64
            assert torch.cat([scores, at(1, 2, 4, 4)]).dtype == torch.float32
            assert (torch.rand(3, 3) @ torch.rand(3, 3)).dtype == torch.float32  # the CPU's
            with torch.autocast("cuda", enabled=False):
                assert layer(at(1, 1, 6, 6)).dtype == torch.float32
        assert (scores.dtype, loss.dtype) == (dtype, torch.float32)
        loss.backward()
        assert layer.weight.grad.dtype == torch.float32

    def test_short_and_long_meet_nowhere_else(self):
        with pytest.raises(RuntimeError, match="dtype"):
            at(3, 3).half() @ at(3, 3)

    def test_losses_are_scaled(self):
        layer = nn.Linear(2, 1).cuda()
        scaler, steps = torch.amp.GradScaler("cuda"), torch.optim.SGD(layer.parameters(), 0.1)
        with torch.autocast("cuda", torch.float16):
            loss = layer(at(4, 2)).float().mean()
        scaler.scale(loss).backward()
        scaler.step(steps)
        scaler.update()
        assert layer.weight.grad.abs().max() < 2


class TestTheCard:
    @pytest.mark.parametrize(("card", "capability", "native"), [(AMPERE, (8, 0), True), (T4, (7, 5), False)])
    def test_says_what_it_is(self, card, capability, native):
        with pretend_gpu(card):
            assert torch.cuda.is_available()
            assert (torch.cuda.device_count(), torch.cuda.current_device()) == (1, 0)
            assert torch.cuda.get_device_name(0) == torch.cuda.get_device_properties("cuda").name == card.name
            assert torch.cuda.get_device_capability(GPU) == capability
            assert torch.cuda.is_bf16_supported(including_emulation=False) == native
            torch.cuda.synchronize()

    @pytest.mark.parametrize(("card", "rounds"), [(AMPERE, True), (T4, False)])
    def test_convolves_in_tensor_float_by_default(self, card, rounds, monkeypatch):
        x, weight = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 3, 3)
        exact = F.conv2d(x, weight)
        with pretend_gpu(card):
            error = (F.conv2d(x.cuda(), weight.cuda()).cpu() - exact).abs().max()
            assert (1e-5 < error < 1e-2) if rounds else error == 0
            assert torch.equal(F.linear(x.cuda(), x[0, 0].cuda()).cpu(), F.linear(x, x[0, 0]))
            monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
            assert torch.equal(F.conv2d(x.cuda(), weight.cuda()).cpu(), exact)

    def test_counts_its_memory(self):
        before = torch.cuda.memory_allocated()
        x = torch.zeros(1024, device="cuda")
        view = x[:512]
        assert torch.cuda.memory_allocated() - before == 4096
        torch.cuda.reset_peak_memory_stats()
        y = x + 1
        del x, y, view
        assert torch.cuda.memory_allocated() == before
        assert torch.cuda.max_memory_allocated() == before + 8192

    def test_takes_times(self):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        end.record()
        torch.cuda.synchronize()
        assert start.elapsed_time(end) >= 0
        with pytest.raises(RuntimeError, match="enable_timing"):
            torch.cuda.Event().elapsed_time(end)
