"""The parity check must catch every seeded fault; the table of faults is printed at the end of the run."""

import importlib.util
from functools import partial
from pathlib import Path

import pytest

from tests.models.mutation import untouched

pytestmark = pytest.mark.slow


def collect():
    """The MUTATIONS of every mutations_*.py beside this file."""
    found = []
    for path in sorted(Path(__file__).parent.glob("mutations_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += module.MUTATIONS
    return found


MUTATIONS = collect()
CHECKS = {str(m.check.args if isinstance(m.check, partial) else m.check.__name__): m.check for m in MUTATIONS}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_untouched_network_passes(check):
    check(untouched)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.name)
def test_fault_is_caught(mutation, record_property):
    caught = mutation.caught()
    record_property("mutation", (mutation.name, str(caught)[:90] if caught else "NOT CAUGHT"))
    assert caught, f'the parity check does not see "{mutation.name}"'
