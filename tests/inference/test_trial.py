"""Which precision a processor is given, by what it shows and not by what it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from inference.nnunet import lean, trial

pytestmark = pytest.mark.skipif(
    not lean.is_possible(), reason="this build of torch has no oneDNN"
)


@pytest.fixture
def anew() -> Iterator[None]:
    """What is found out once in a process is found out again, before and after."""
    trial.choose_by_trial.cache_clear()
    yield
    trial.choose_by_trial.cache_clear()


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [((2.0, 1.0), torch.bfloat16), ((1.0, 1.1), torch.float32),
     ((1.2, 1.0), torch.float32)],
)  # fmt: skip
def test_bfloat16_is_chosen_only_where_it_pays(
    monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, float], chosen: torch.dtype
) -> None:
    times = dict(zip((torch.float32, torch.bfloat16), seconds, strict=True))
    monkeypatch.setattr(
        trial, "time_step", lambda step, *, inputs: times[step.weight.dtype]
    )
    monkeypatch.setattr(trial, "is_possible", lambda precision: True)
    assert trial.choose_by_trial() == chosen


@pytest.mark.usefixtures("anew")
def test_a_processor_without_the_instructions_is_not_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trial, "is_possible", lambda precision: False)
    assert trial.choose_by_trial() == torch.float32


@pytest.mark.usefixtures("anew")
def test_a_real_trial_leaves_the_number_of_threads_as_it_was() -> None:
    threads = torch.get_num_threads()
    assert trial.choose_by_trial() in (torch.float32, torch.bfloat16)
    assert torch.get_num_threads() == threads
