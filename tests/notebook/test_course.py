import pytest
import torch

from pixelwise.notebook import claims, course
from pixelwise.training import history


@pytest.fixture
def results_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    return tmp_path / "data" / "results"


@pytest.fixture
def budget(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("PIXELWISE_DATASET", raising=False)
    monkeypatch.delenv("PIXELWISE_RECORDING", raising=False)
    return lambda name: monkeypatch.setenv("PIXELWISE_BUDGET", name)


def test_the_budget_decides_how_much_is_done(budget):
    budget("smoke")
    run = course.begin("chapter")
    assert (run.budget, run.seeds, run.device.type) == ("smoke", (0,), "cpu")
    assert run.pick(smoke=1, cpu=2, gpu=3) == 1
    budget("cpu")
    assert len(course.begin("chapter").seeds) >= 3


def test_without_a_setting_the_machine_decides(budget):
    budget("")
    assert course.begin("chapter").budget == "cpu"


@pytest.mark.survives("No GPU where one was asked for")
@pytest.mark.parametrize(("name", "error"), [("huge", ValueError), ("gpu", RuntimeError)])
def test_an_impossible_budget_says_what_to_do(budget, name, error):
    budget(name)
    with pytest.raises(error, match=f"PIXELWISE_BUDGET is '{name}'"):
        course.begin("chapter")


def test_the_environment_overrules_the_data_set(budget, monkeypatch):
    budget("smoke")
    assert course.begin("chapter", dataset="streets").dataset == "streets"
    monkeypatch.setenv("PIXELWISE_DATASET", "camvid")
    assert course.begin("chapter", dataset="streets").dataset == "camvid"


def test_begin_seeds_every_generator(budget):
    budget("smoke")
    course.begin("chapter")
    first = torch.rand(3)
    course.begin("chapter")
    assert torch.equal(first, torch.rand(3))


@pytest.mark.parametrize("ask", [lambda: course.results("fcn", "streets"), lambda: course.training_run("fcn")])
def test_a_library_without_the_book_says_where_recorded_results_are(monkeypatch, ask):
    monkeypatch.setattr(course, "ROOT", None)
    with pytest.raises(FileNotFoundError, match=r"recorded results belong to the book.*clone the book"):
        ask()


def test_a_kept_training_run_is_found_by_its_name(results_folder):
    (results_folder / "runs").mkdir(parents=True)
    (results_folder / "runs" / "a-run.json").write_text('{"seconds": 3}')
    assert course.training_run("a-run") == {"seconds": 3}
    with pytest.raises(FileNotFoundError, match=r"no training run 'b-run'.*there are: a-run"):
        course.training_run("b-run")


def test_only_a_recorded_run_leaves_results(budget, monkeypatch, results_folder):
    budget("cpu")
    course.begin("chapter").save({"mean_iou": 0.5})
    assert not results_folder.exists()
    monkeypatch.setenv("PIXELWISE_RECORDING", "1")
    budget("smoke")
    course.begin("chapter").save({"mean_iou": 0.5})
    assert not results_folder.exists()

    budget("cpu")
    run = course.begin("chapter")
    claims.exact("One is one", 1, equals=1)
    run.save({"mean_iou": 0.5})
    kept = course.results("chapter", "streets")
    assert kept["values"] == {"mean_iou": 0.5}
    assert kept["claims"][0]["state"] == "holds"
    assert {"budget", "device", "date", "seconds", "seeds", "versions"} <= kept.keys()
    assert "3 seeds" in course.provenance(kept)
    assert [path.name for path in results_folder.iterdir()] == ["chapter-streets.json"]


@pytest.mark.survives("Undefined figures")
def test_what_is_undefined_is_null_and_can_be_shown_again(budget, monkeypatch, results_folder):
    monkeypatch.setenv("PIXELWISE_RECORDING", "1")
    budget("cpu")
    monkeypatch.setattr(history, "_finished", 3)
    run = course.begin("chapter", dataset="camvid")
    claims.trained("A class occurs", [0.1, float("nan"), 0.3], at_least=0)
    run.save({"iou": float("nan")})
    assert "NaN" not in (results_folder / "chapter-camvid.json").read_text()
    kept = course.results("chapter", "camvid")
    assert kept["values"] == {"iou": None}
    assert "measured 0.1, nan, 0.3" in str(claims.table(kept))
    with pytest.raises(ValueError, match="JSON"):
        run.save({"iou": float("inf")})


def test_missing_results_name_the_command_that_makes_them(results_folder):
    with pytest.raises(FileNotFoundError, match="make record CHAPTERS=resnet DATASET=camvid"):
        course.results("resnet", "camvid")
