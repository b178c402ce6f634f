"""The next image is read and prepared while the network works on the one before."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import numpy as np
import pytest

from inference import engine
from inference.engine import Settings, predict, prefetch
from inference.errors import ImageError
from inference.resident import Ahead, Shelf
from tests.inference.models import write_model
from tests.inference.scans import write_small

SETTINGS = Settings(mirroring=False)
SMALL = (14, 26, 30)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", folds=1, seed=1, patch=(24, 24, 16))


def test_what_was_read_ahead_gives_the_same_mask(tmp_path: Path, model: Path) -> None:
    first = write_small(tmp_path / "a.nii.gz", shape=SMALL, seed=1)
    second = write_small(tmp_path / "b.nii.gz", shape=SMALL, seed=2)
    plain = predict(image=second, ensemble=model, settings=SETTINGS)
    begun: list[bool] = []

    def begin(part: float, words: str) -> None:
        begun.append(prefetch(image=second, ensemble=model, settings=SETTINGS))

    predict(image=first, ensemble=model, settings=SETTINGS, progress=begin)
    ahead = predict(image=second, ensemble=model, settings=SETTINGS)
    assert all(begun)
    assert (plain.provenance["read_ahead"], ahead.provenance["read_ahead"]) == (
        False,
        True,
    )
    np.testing.assert_array_equal(ahead.votes, plain.votes)
    assert ahead.provenance["input_digest"] == plain.provenance["input_digest"]


def test_a_file_that_changed_meanwhile_is_read_again(
    tmp_path: Path, model: Path
) -> None:
    image = write_small(tmp_path / "a.nii.gz", shape=SMALL, seed=1)
    engine.load_resident_model(ensemble=model, settings=SETTINGS)
    assert prefetch(image=image, ensemble=model, settings=SETTINGS)
    write_small(image, shape=SMALL, seed=2)
    result = predict(image=image, ensemble=model, settings=SETTINGS)
    assert result.provenance["read_ahead"] is False
    assert result.provenance["input_digest"] == engine.digest_image(image)


def test_nothing_is_read_ahead_for_a_model_that_is_not_in_memory(
    tmp_path: Path, model: Path
) -> None:
    image = write_small(tmp_path / "a.nii.gz", shape=SMALL)
    assert not prefetch(image=image, ensemble=model, settings=SETTINGS)


def test_what_is_wrong_with_the_image_is_said_when_it_is_predicted(
    tmp_path: Path, model: Path
) -> None:
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"nothing")
    engine.load_resident_model(ensemble=model, settings=SETTINGS)
    assert prefetch(image=broken, ensemble=model, settings=SETTINGS)
    with pytest.raises(ImageError, match=r"broken\.nii\.gz"):
        predict(image=broken, ensemble=model, settings=SETTINGS)


def test_one_image_is_read_ahead_at_a_time() -> None:
    ahead: Ahead[str] = Ahead()
    hold = Event()

    def work() -> str:
        hold.wait(10)
        return "first"

    assert ahead.start("a", work)
    assert ahead.start("a", lambda: "never made")
    assert not ahead.start("b", lambda: "refused")
    begun = ahead.take("a")
    hold.set()
    assert begun is not None
    assert begun.result(timeout=10) == "first"
    assert ahead.take("a") is None


def test_the_model_before_is_let_go_before_the_next_is_loaded() -> None:
    shelf: Shelf[str] = Shelf()
    assert shelf.get("one", lambda: "first") == "first"
    assert shelf.get("one", lambda: "again") == "first"
    seen: list[str | None] = []

    def make() -> str:
        seen.append(shelf.peek("one"))
        return "second"

    assert shelf.get("two", make) == "second"
    assert seen == [None]
