"""Every option of the commands at the ends of its range, beyond them, and in pairs: a result or one line."""

import json
import math
import random

import pytest
import torch

from pixelwise import data
from pixelwise.checks import Range
from pixelwise.cli import export, predict, prepare
from pixelwise.cli import train as command
from pixelwise.cli import training_options as options
from pixelwise.cli.options import Choice, Device, OnOff, Option, Place, Switch
from pixelwise.data import Augment
from pixelwise.training import Recipe

TRAINING = [option for group in options.OPTIONS.values() for option in group]
COMMANDS = {
    "training": (TRAINING, options.parse, []),
    "prepare": (prepare.OPTIONS, prepare.parse, ["."]),
    "predict": (predict.OPTIONS, predict.parse, ["photo.jpg"]),
    "export": (export.OPTIONS, export.parse, ["weights.safetensors", "network.onnx"]),
}
CASES = [
    pytest.param(name, option, id=f"{name} {option.flag}") for name, (table, *_) in COMMANDS.items() for option in table
]
NONSENSE = ("", " ", "nan", "inf", "-inf", "1e999", "-1", "x", "0x10", "1,5", "None", "9" * 5000, "--", "\x1b[31m", "½")
PAIRS = 120


def good_and_bad(option: Option) -> tuple[list[str], list[str]]:
    """Texts that an option takes, the ends of its range among them, and texts that it refuses."""
    kind = option.kind
    if isinstance(kind, Range):
        step = 1 if kind.whole else 1e-9 * max(1.0, abs(kind.most))
        tried = {kind.least - step, kind.least, kind.least + step, kind.most - step, kind.most, kind.most + step}
        return [repr(x) for x in tried if x in kind], [repr(x) for x in tried if x not in kind] + [*NONSENSE, "1e30"]
    if isinstance(kind, Choice):
        return [str(value) for value in kind.values], list(NONSENSE)
    if isinstance(kind, Device):
        return ["cpu", "cuda", "cuda:0", "cuda:99", "mps"], [
            *NONSENSE,
            "xpu",
            "hpu",
            "meta",
            "cpu:3",
            "cuda:",
            "cuda:-1",
        ]
    if isinstance(kind, Place):
        return ["a b", "~", "/x/눈"], ["", *(["~no-such-user/x"] if kind.home else [])]
    return [], ["1"]


def arguments(option: Option, text: str) -> list[str]:
    """The option with this value, as often as it wants one; = keeps a negative number from being a flag."""
    if isinstance(option.kind, (Switch, OnOff)):
        return [f"{option.flag}={text}"] if text else [option.flag]
    if option.count is None or isinstance(option.kind, Place):
        return [f"{option.flag}={text}"] if option.flag.startswith("-") else [text]
    return [option.flag, text, text]


def refusal(capsys, parse, given) -> str | None:
    """What a parser says of these arguments, in one line and with status 2; None where it takes them."""
    try:
        parse(given)
        return None
    except SystemExit as ended:
        status = ended.code
    said = capsys.readouterr()
    assert status == 2
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("pixelwise-")
    assert ": error: " in line
    assert line.isprintable()
    return line


def parser_of(name):
    _, parse, before = COMMANDS[name]
    return parse, before[:-1], before


@pytest.mark.survives("Options out of range, no number, or not together; unknown devices")
@pytest.mark.parametrize(("name", "option"), CASES)
def test_the_range_is_what_is_taken_and_what_is_said(capsys, name, option):
    parse, first, before = parser_of(name)
    prefix = first if not option.flag.startswith("-") else before
    good, bad = good_and_bad(option)
    for text in good:
        said = refusal(capsys, parse, [*prefix, *arguments(option, text)])
        assert said is None or "argument" not in said, f"{text}: {said}"  # what does not go together may be refused
    for text in bad:
        said = refusal(capsys, parse, [*prefix, *arguments(option, text)])
        assert said is not None, text
        if isinstance(option.kind, Range) and text not in ("--", *NONSENSE[-2:]):
            assert option.kind.bounds in said or "expected" in said


@pytest.mark.survives("Options out of range, no number, or not together; unknown devices")
@pytest.mark.parametrize("name", COMMANDS)
def test_any_two_options_are_taken_or_refused_in_one_line(capsys, name):
    table, parse, before = COMMANDS[name]
    rng = random.Random(0)
    taken = 0
    for _ in range(PAIRS):
        given = []
        flags = [option for option in table if option.flag.startswith("-")]
        for option in rng.sample(flags, min(2, len(flags))):
            good, bad = good_and_bad(option)
            text = rng.choice(good or [""]) if rng.random() < 0.8 else rng.choice(bad)
            given += arguments(option, text)
        taken += refusal(capsys, parse, [*before, *given]) is None
    assert PAIRS / 8 < taken < PAIRS


@pytest.mark.parametrize("option", TRAINING, ids=lambda option: option.flag)
def test_the_help_says_the_range(option):
    text = " ".join(options.build_parser().format_help().split())
    assert option.flag in text
    if isinstance(option.kind, Range):
        assert option.kind.bounds in text


@pytest.mark.survives("Options out of range, no number, or not together; unknown devices")
def test_a_refused_option_costs_nothing(monkeypatch, capsys, tmp_path):
    """Neither data nor processes are touched before every option has been found possible."""
    monkeypatch.setattr(data, "load", lambda *_, **__: pytest.fail("data were loaded"))
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda *_: pytest.fail("processes were set up"))
    monkeypatch.setenv("WORLD_SIZE", "2")
    for given in (
        "--label-smoothing=nan",
        "--device=xpu",
        "--val-split=tune",
        "--scale 2 1",
        "--model compact --width 4",
    ):
        assert refusal(capsys, command.main, [*given.split(), f"--out={tmp_path}/run"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.survives("Options out of range, no number, or not together; unknown devices")
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:99"])
def test_a_device_that_is_not_there_is_a_wrong_option(capsys, device):
    assert "PyTorch sees no CUDA GPU; use --device cpu" in refusal(capsys, command.main, [f"--device={device}"])


class TestTrainingAtTheEdges:
    """Real runs, as small as can be, with what the parser lets through."""

    TINY = "--model unet --width 2 --size 32 32 --scenes 2 --epochs 1 --batch-size 2 --progress silent --device cpu"
    EDGES = (
        "--width=1",
        "--output-stride=8",
        "--batch-size=1",
        "--batch-size=65536",
        "--learning-rate=5e-324",
        "--learning-rate=1000",
        "--learning-rate=1000 --optimizer=sgd --epochs=9 --class-weights=none",
        "--weight-decay=10",
        "--weight-decay=10 --optimizer=sgd --learning-rate=1000 --epochs=9",
        "--warmup=1000000",
        "--label-smoothing=0.999999999",
        "--ema=1e-300",
        "--ema=0.999999999",
        "--seed=4294967295",
        "--scale 0.1 0.1",
        "--scale 10 10",
        "--scale 0.1 10 --crop 32 200 --colour=0.999999999",
        "--scale 0.1 0.1 --crop 256 256",
        "--scale 1 1 --crop 33 47 --no-flip --colour=0 --amp",
        "--size 33 47",
        "--model=fcn32 --width=1",
        "--model=deeplabv3plus --width=1 --output-stride=32 --crop 32 32 --batch-size=1",
        "--model=hypercolumn --width=1 --backbone=vgg16",
        "--model=compact --crop 65 32",
    )

    @pytest.fixture(autouse=True)
    def own_data(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path / "data"))
        monkeypatch.delenv("WORLD_SIZE", raising=False)

    @pytest.mark.survives("Settings at the ends of their ranges")
    @pytest.mark.parametrize("edge", EDGES)
    def test_gives_figures_or_one_line(self, tmp_path, capsys, edge):
        tiny = self.TINY.replace("--width 2 ", "") if "--model" in edge else self.TINY
        try:
            command.main([*tiny.split(), *edge.split(), f"--out={tmp_path}/run"])
        except SystemExit as ended:
            said = ended.code if isinstance(ended.code, str) else capsys.readouterr().err.strip()
            assert len(said.splitlines()) == 1
            assert not (tmp_path / "run" / "results.json").exists()
            return
        text = (tmp_path / "run" / "results.json").read_text()
        record = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        assert all(math.isfinite(value) for value in record["history"]["loss"])
        assert 0 <= record["values"]["val"]["pixel_accuracy"] <= 1


class TestRange:
    @pytest.mark.parametrize(
        ("limits", "inside", "outside", "said"),
        [
            (Range(1, 8, whole=True), (1, 8), (0, 9, 2.0, True, "3", None, 10**400), "whole number from 1 to 8"),
            (Range(0, 1), (0, 1, 0.5), (-1e-9, 1.1, math.nan, math.inf, 1j), "number from 0 to 1"),
            (Range(0, 1, open="most"), (0, 0.999), (1, 1.0), "number from 0 to below 1"),
            (Range(0, 1, open="least"), (1e-300, 1), (0, 0.0), "number above 0 and at most 1"),
            (Range(0, 1, open="both"), (0.5,), (0, 1), "number above 0 and below 1"),
        ],
        ids=str,
    )
    def test_holds_what_it_says(self, limits, inside, outside, said):
        assert str(limits) == said
        assert all(value in limits for value in inside)
        assert not any(value in limits for value in outside)

    def test_python_is_told_what_the_shell_is(self, capsys):
        """The table's ranges are the dataclasses' own."""
        names = {"warmup": "warmup_steps"}
        for option in TRAINING:
            name = names.get(option.name, option.name)
            kind = {"scale": Augment, "colour": Augment}.get(name, Recipe)
            if isinstance(option.kind, Range) and name in kind.__dataclass_fields__:
                for text in good_and_bad(option)[1]:
                    try:
                        value = (int if option.kind.whole else float)(text)
                    except ValueError:
                        continue
                    with pytest.raises(ValueError, match=f"{name} is .*expected"):
                        kind(**{name: (value, value) if option.count == 2 else value})
