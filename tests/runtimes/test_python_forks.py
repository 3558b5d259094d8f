"""What a zygote has loaded ahead does not show in the function: its own modules are its own."""

import subprocess

import pytest
from conftest import ROOT, RUNTIMES, manifests

MANIFESTS = [m for m in manifests("python") if (RUNTIMES / m["runtime"] / "boto3").exists()]
pytestmark = pytest.mark.skipif(not MANIFESTS, reason="no Python runtime: run tools/build_runtimes.sh")

PROGRAM = """
import sys
sys.path.insert(0, {ours!r})
sys.path.insert(0, {sdk!r})
import json, logging
from pileus_runtime import forks
forks.usual_modules = frozenset(sys.modules)
forks.load(forks.USUAL)
forks.load(forks.SDK)
assert "boto3" in sys.modules and "random" in sys.modules
sys.path.insert(0, {task!r})
forks.drop_shadowed({sdk!r})
forks.forget_chance()
kept = "botocore.session" in sys.modules
mine = getattr(__import__({name!r}), "MINE", None)
print(mine, kept)
"""


@pytest.fixture(params=MANIFESTS, ids=lambda m: m["runtime"])
def after_fork(request, tmp_path):
    def run(name, brought=None):
        if brought:
            (tmp_path / brought).parent.mkdir(exist_ok=True)
            (tmp_path / brought).write_text("MINE = 1")
        program = PROGRAM.format(ours=str(ROOT / "runtimes/python"), sdk=str(RUNTIMES / request.param["runtime"]),
                                 task=str(tmp_path), name=name)
        done = subprocess.run([request.param["interpreter"], "-I", "-S", "-B", "-c", program],
                              capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return run


def test_What_a_function_does_not_bring_is_there_already(after_fork):
    assert after_fork("random") == "None True"


def test_A_module_that_a_function_brings_is_its_own(after_fork):
    assert after_fork("random", "random.py") == "1 True"


@pytest.mark.parametrize("name", ["boto3", "urllib3", "botocore"])
def test_A_part_of_the_SDK_brought_by_a_function_replaces_all_of_it(after_fork, name):
    assert after_fork(name, name + "/__init__.py") == "1 False"


def test_A_module_that_a_held_process_has_loaded_too_stays_as_it_is_there(after_fork):
    assert after_fork("json", "json.py") == "None True"
