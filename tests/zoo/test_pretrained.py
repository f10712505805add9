"""Published weights: loaded strictly, from files that are checked, executing nothing. No network is needed here."""

import hashlib
import pickle
import re
import sys

import pytest
import torch
from torchvision import models as theirs

from pixelwise.models.densenet import densenet121
from pixelwise.models.resnet import resnet18
from pixelwise.zoo.pretrained import PUBLISHED, SHA256, fetch, load_published, pretrained, published_url


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A place where "torchvision" publishes: publish(state) gives the address that every network is fetched from."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "cache"))

    def publish(content):
        path = tmp_path / "weights.pth"
        torch.save(content, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        path = path.rename(tmp_path / f"weights-{digest[:8]}.pth")
        module = sys.modules["pixelwise.zoo.pretrained"]
        monkeypatch.setattr(module, "published_url", lambda name: path.as_uri())
        monkeypatch.setattr(module, "SHA256", dict.fromkeys(SHA256, digest))
        return path

    return publish


def theirs_with_random_weights(name, **options):
    torch.manual_seed(0)
    return getattr(theirs, name)(**options).eval()


def test_same_logits_as_torchvision(published):
    reference = theirs_with_random_weights("resnet18")
    published(reference.state_dict())
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(pretrained("resnet18").eval()(images), reference(images))


def test_fetched_once(published, tmp_path):
    published(theirs_with_random_weights("resnet18").state_dict())
    pretrained("resnet18")
    [cached] = (tmp_path / "cache" / "checkpoints").iterdir()
    before = cached.stat().st_mtime_ns
    pretrained("resnet18")
    assert cached.stat().st_mtime_ns == before
    cached.write_bytes(b"half a file")
    pretrained("resnet18")
    assert len(cached.read_bytes()) > 1e6


@pytest.mark.parametrize("num_classes", [11, None])
def test_other_classes_keep_the_backbone(published, num_classes):
    state = theirs_with_random_weights("resnet18").state_dict()
    published(state)
    network = pretrained("resnet18", num_classes=num_classes)
    for key, value in network.state_dict().items():
        assert key.startswith("fc.") or torch.equal(value, state[key])
    assert network(torch.randn(2, 3, 64, 64)).shape == (2, num_classes or 512)


def test_options_reach_the_network(published):
    published(theirs_with_random_weights("resnet18").state_dict())
    assert pretrained("resnet18", num_classes=None, output_stride=8).strides == (2, 4, 8, 8, 8)


def test_googlenet_sees_the_range_it_was_trained_on(published):
    reference = theirs_with_random_weights("googlenet", init_weights=True, transform_input=True)
    published(reference.state_dict())
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = reference(images)
        torch.testing.assert_close(pretrained("googlenet").eval()(images), expected)
        torch.testing.assert_close(pretrained("googlenet", aux_logits=False).eval()(images), expected)


def test_densenets_old_names(tmp_path):
    """The published file says denselayer1.norm.1 where the network says denselayer1.norm1."""
    reference = theirs_with_random_weights("densenet121").state_dict()
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", key): value for key, value in reference.items()}
    assert old.keys() != reference.keys()
    torch.save(old, tmp_path / "old.pth")
    network = densenet121()
    load_published(network, tmp_path / "old.pth")
    assert all(torch.equal(value, reference[key]) for key, value in network.state_dict().items())


@pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
def test_what_does_not_fit_is_refused(tmp_path):
    state = theirs_with_random_weights("resnet18").state_dict()
    torch.save({k: v for k, v in state.items() if k != "layer1.0.conv1.weight"}, tmp_path / "short.pth")
    with pytest.raises(RuntimeError, match=r"short.pth does not fit ResNet: layer1.0.conv1.weight"):
        load_published(resnet18(), tmp_path / "short.pth")
    torch.save(state | {"layer9.weight": torch.zeros(3)}, tmp_path / "long.pth")
    with pytest.raises(RuntimeError, match=r"long.pth does not fit ResNet: layer9.weight"):
        load_published(resnet18(), tmp_path / "long.pth")


@pytest.mark.survives("No network, broken or wrong deliveries")
def test_no_network(monkeypatch, tmp_path):
    """The message says what to put where."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    missing = (tmp_path / "nowhere" / "resnet18-f37072fd.pth").as_uri()
    with pytest.raises(ConnectionError, match=r"could not fetch .*put it at .*checkpoints.resnet18-f37072fd.pth"):
        fetch(missing, SHA256["resnet18"])
    assert not list((tmp_path / "checkpoints").iterdir())


@pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
def test_wrong_hash_leaves_nothing(monkeypatch, tmp_path):
    """Also where the first digits, which the name shows, agree: 32 bits can be forged in minutes."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "cache"))
    other = tmp_path / "resnet18.pth"
    other.write_bytes(b"something else")
    digest = hashlib.sha256(b"something else").hexdigest()
    other = other.rename(tmp_path / f"resnet18-{digest[:8]}.pth")
    with pytest.raises(ConnectionError, match="invalid hash"):
        fetch(other.as_uri(), digest[:8] + "0" * 56)
    assert not list((tmp_path / "cache" / "checkpoints").iterdir())
    assert fetch(other.as_uri(), digest).read_bytes() == b"something else"


@pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
def test_wrong_hash_in_the_cache_is_fetched_again(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "cache"))
    published, forged = b"as published", b"as forged"
    digest = hashlib.sha256(published).hexdigest()
    path = tmp_path / f"resnet18-{hashlib.sha256(forged).hexdigest()[:8]}.pth"  # the name is the forged file's
    path.write_bytes(published)
    cached = tmp_path / "cache" / "checkpoints" / path.name
    cached.parent.mkdir(parents=True)
    cached.write_bytes(forged)
    assert fetch(path.as_uri(), digest).read_bytes() == published


class Attack:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.survives("Code in files from outside")
def test_nothing_is_executed(published, capsys):
    published({"fc.weight": Attack()})
    with pytest.raises(pickle.UnpicklingError):
        pretrained("resnet18")
    assert "executed" not in capsys.readouterr().out


def test_unknown_name():
    with pytest.raises(ValueError, match="no published weights for 'resnet19'; there are some for resnet18, resnet34"):
        pretrained("resnet19")


@pytest.mark.parametrize("network", PUBLISHED, ids=lambda n: n.__name__)
def test_every_network_has_an_address_with_a_hash(network):
    digest = SHA256[network.__name__]
    assert len(bytes.fromhex(digest)) == 32
    assert published_url(network.__name__).endswith(f"-{digest[:8]}.pth")


def test_only_files_whose_whole_hash_is_known_are_on_offer():
    assert SHA256.keys() == {network.__name__ for network in PUBLISHED}
    with pytest.raises(ValueError, match="no published weights for 'densenet201'"):
        pretrained("densenet201")
