"""When memory runs out: smaller steps, the same answer, and the step recorded."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.nnunet.folds import choose_running_precision
from inference.nnunet.memory import is_out_of_memory, make_ladder
from inference.nnunet.model import Model
from inference.nnunet.plans import read_plans
from inference.training import DEMO_ENSEMBLE
from tests.inference.models import CONFIGURATION
from tests.processes import ROOT

CPU, GPU = torch.device("cpu"), torch.device("cuda")
LIMITED = """
import json, resource, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from inference.engine import Settings, predict
from inference.errors import ImageError
from tests.inference.models import write_model
from tests.inference.scans import write_small

folder = Path(sys.argv[1])
model = write_model(
    folder / "model", folds=2, seed=1, patch=(48, 40, 32), mirror_axes=(0,)
)
image = write_small(folder / "scan.nii.gz", shape=(40, 60, 70))
large = write_small(folder / "large.nii.gz", shape=(120, 180, 200))

def run(image=image):
    result = predict(
        image=image, ensemble=model, settings=Settings(precision="float32")
    )
    return {
        "rung": result.provenance["memory"],
        "batch": result.provenance["batch"],
        "votes": int(result.votes.sum()),
        "digest": result.provenance["output_digest"],
    }

def limit(free):
    (line,) = [x for x in open("/proc/self/status") if x.startswith("VmSize")]
    used = int(line.split()[1]) * 1024
    most = resource.RLIM_INFINITY if free is None else used + free * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))

runs = {"free": run()}
for free in range(200, 20, -12):
    limit(free)
    try:
        runs["tight"] = run()
    except ImageError:
        continue
    finally:
        limit(None)
    if runs["tight"]["rung"] != "as planned":
        break
limit(8)
try:
    run(large)
except ImageError as error:
    runs["refusal"] = str(error)
limit(None)
runs["after"] = run()
print(json.dumps(runs))
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Predictions of one process whose address space was really limited."""
    # Freed memory goes back at once, so that the limit means what is in use.
    env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path_factory.mktemp("limited"))],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_short_of_memory_a_prediction_takes_smaller_steps_to_the_same_mask(
    runs: Any,
) -> None:
    assert (runs["free"]["rung"], runs["free"]["batch"]) == ("as planned", 4)
    assert (runs["tight"]["rung"], runs["tight"]["batch"]) == ("half the batch", 2)
    assert runs["free"]["votes"] > 100
    assert abs(runs["tight"]["votes"] - runs["free"]["votes"]) <= 2


@pytest.mark.slow
def test_without_memory_it_ends_with_a_sentence_and_the_process_goes_on(
    runs: Any,
) -> None:
    assert "ran out of memory on this image" in runs["refusal"]
    assert "Crop the image" in runs["refusal"]
    assert runs["after"] == runs["free"]


def test_the_ladder_of_a_gpu_ends_on_the_processor() -> None:
    rungs = make_ladder(device=GPU, batch=8, least=1, folds=5)
    facts = [(r.name, r.batch, r.device.type, r.sums.type, r.resident) for r in rungs]
    assert facts == [
        ("as planned", 8, "cuda", "cuda", True),
        ("half the batch", 4, "cuda", "cuda", True),
        ("mirrored copies in sequence", 1, "cuda", "cuda", True),
        ("sums in main memory", 1, "cuda", "cpu", True),
        ("one fold resident", 1, "cuda", "cpu", False),
        ("on the processor", 2, "cpu", "cpu", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("batch", "least", "names"),
    [
        (4, 2, ["as planned", "half the batch"]),
        (4, 1, ["as planned", "half the batch", "mirrored copies in sequence"]),
        (2, 1, ["as planned", "half the batch"]),
        (2, 2, ["as planned"]),
    ],
)
def test_a_processor_is_never_given_fewer_inputs_than_it_works_well_with(
    batch: int, least: int, names: list[str]
) -> None:
    rungs = make_ladder(device=CPU, batch=batch, least=least, folds=5)
    assert [rung.name for rung in rungs] == names
    assert min(rung.batch for rung in rungs) >= least


@pytest.mark.parametrize("asked", [torch.float32, torch.bfloat16])
def test_on_the_last_rung_a_processor_keeps_the_precision_asked_for(
    asked: torch.dtype,
) -> None:
    (*_, last) = make_ladder(device=GPU, batch=1, least=1, folds=2)
    assert choose_running_precision(name_model(asked), last) == asked


def test_on_the_last_rung_half_precision_becomes_what_the_processor_has() -> None:
    first, *_, last = make_ladder(device=GPU, batch=1, least=1, folds=2)
    model = name_model(torch.float16)
    assert choose_running_precision(model, first) == torch.float16
    assert choose_running_precision(model, last) in (torch.float32, torch.bfloat16)


def name_model(precision: torch.dtype) -> Model:
    """A model on a GPU, of which only its precision and device are asked."""
    plans = read_plans(folder=DEMO_ENSEMBLE, configuration=CONFIGURATION)
    return Model(plans, (), (), {}, {}, device=GPU, precision=precision)


@pytest.mark.parametrize(
    ("error", "meant"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_only_a_lack_of_memory_leads_down_the_ladder(
    error: BaseException, meant: bool
) -> None:
    assert is_out_of_memory(error) is meant


@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="NOT TESTED: no CUDA device")
@pytest.mark.parametrize("share", [0.02, 0.01])
def test_a_gpu_short_of_memory_gives_the_mask_of_a_roomy_one(
    tmp_path: Path, share: float
) -> None:
    from inference.engine import Settings, predict
    from tests.inference.models import write_model
    from tests.inference.scans import write_small

    model = write_model(tmp_path / "model", folds=2, seed=1, patch=(160, 160, 160))
    image = write_small(tmp_path / "scan.nii.gz", shape=(170, 180, 190))
    settings = Settings(precision="float32", device="cuda")
    roomy = predict(image=image, ensemble=model, settings=settings)
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(share)
    try:
        tight = predict(image=image, ensemble=model, settings=settings)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert roomy.provenance["memory"] == "as planned"
    assert tight.provenance["memory"] != "as planned"
    different = int((roomy.votes != tight.votes).sum())
    assert different <= 1e-3 * int((roomy.votes > 0).sum())


PASSES = """
import resource, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from inference.nnunet.model import load_model
from tests.inference.models import write_model

folder = write_model(Path(sys.argv[1]), folds=1, seed=1, patch=(64, 64, 48))
model = load_model(folder=folder, prefers="best", precision="float32", device="cpu")
tile = torch.zeros((1, 1, 64, 64, 48))

def count_faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    with torch.inference_mode():
        model.networks[0](tile)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

# The heap still grows in the first passes; what is given back is fetched in each.
print(sum([count_faults() for _ in range(12)][3:]))
"""


def count_faults(folder: Path, **env: str) -> int:
    """Pages fetched anew from the system in nine of a network's passes."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", PASSES, str(folder)],
        cwd=ROOT, env={**own, **env}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc's to keep")
def test_what_a_pass_frees_is_kept_for_the_next_one(tmp_path: Path) -> None:
    kept = count_faults(tmp_path / "kept")
    # Whoever sets the allocator keeps what they set: here its own start, held fast.
    given_back = count_faults(tmp_path / "back", MALLOC_TRIM_THRESHOLD_="131072")
    assert given_back > 9000
    # A system that takes idle pages back by itself adds some of its own.
    assert kept < given_back / 5
