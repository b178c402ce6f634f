"""Finds the lesions of a mask: its connected components, from its voxels alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

BoolVolume = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]
Connectivity = Literal[6, 26]
STEPS: dict[Connectivity, int] = {6: 1, 26: 3}
# Above this share of the volume, labelling all of it costs less than a graph.
DENSE = 0.05


@dataclass(frozen=True, eq=False)
class Lesions:
    """The components of one mask.

    Attributes:
        voxels: [n] positions of the mask's voxels in the C-order volume, ascending.
        labels: [n] the lesion of each, 0 … count-1, in order of their first voxel.
        sizes: [count] voxels of each lesion.
        shape: the shape of the volume.
    """

    voxels: Indices
    labels: Indices
    sizes: Indices
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.sizes)

    def count_in(self, mask: BoolVolume) -> Indices:
        """How many voxels of each lesion lie in another mask [count]."""
        inside = np.ascontiguousarray(mask).reshape(-1)[self.voxels]
        return np.bincount(self.labels[inside], minlength=self.count)

    def centres(self) -> npt.NDArray[np.float64]:
        """The mean voxel position of each lesion [count, 3]."""
        axes = np.unravel_index(self.voxels, self.shape)
        sums = [np.bincount(self.labels, axis, self.count) for axis in axes]
        return np.stack(sums, axis=1) / np.maximum(self.sizes, 1)[:, None]


def find_lesions(mask: BoolVolume, *, connectivity: Connectivity = 6) -> Lesions:
    """The components of a 3-D mask; voxels touch by faces (6) or corners too (26).

    The same components, in the same order, as `scipy.ndimage.label` finds.
    Raises ValueError for other dimensions or neighbourhoods.
    """
    if mask.ndim != 3 or connectivity not in STEPS:
        raise ValueError("A 3-D mask and a connectivity of 6 or 26 are needed.")
    solid = np.ascontiguousarray(mask, dtype=bool)
    voxels = np.flatnonzero(solid)
    if len(voxels) > DENSE * solid.size:
        from scipy import ndimage

        structure = ndimage.generate_binary_structure(3, STEPS[connectivity])
        found: Any = ndimage.label(solid, structure=structure)
        labels = found[0].reshape(-1)[voxels].astype(np.int64) - 1
    else:
        labels = join_neighbours(voxels, solid.shape, connectivity)
    return Lesions(voxels, labels, np.bincount(labels), solid.shape)


def join_neighbours(
    voxels: Indices, shape: tuple[int, ...], connectivity: Connectivity
) -> Indices:
    """The component of each voxel, from a graph of the voxels that touch."""
    # Here and not above: a web process that only shows tables pays nothing for it.
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    if not len(voxels):
        return np.zeros(0, dtype=np.int64)
    # A margin keeps the end of one row from touching the start of the next.
    wide = tuple(n + 2 for n in shape)
    places = np.ravel_multi_index(
        tuple(axis + 1 for axis in np.unravel_index(voxels, shape)), wide
    )
    starts, ends = [], []
    for step in forward_steps(wide, connectivity):
        at = np.searchsorted(places, places + step)
        at[at == len(places)] = 0
        touches = np.flatnonzero(places[at] == places + step)
        starts.append(touches)
        ends.append(at[touches])
    pairs = (np.concatenate(starts), np.concatenate(ends))
    graph = sparse.coo_array(
        (np.ones(len(pairs[0]), dtype=bool), pairs), shape=(len(voxels), len(voxels))
    )
    labels = connected_components(graph, directed=False)[1]
    return in_order_of_first(labels)


def forward_steps(shape: tuple[int, ...], connectivity: Connectivity) -> Iterator[int]:
    """Distances in memory to the neighbours that come after a voxel."""
    strides = (shape[1] * shape[2], shape[2], 1)
    for offset in product((-1, 0, 1), repeat=3):
        step = sum(o * s for o, s in zip(offset, strides, strict=True))
        if step > 0 and 0 < sum(map(abs, offset)) <= STEPS[connectivity]:
            yield step


def in_order_of_first(labels: npt.NDArray[Any]) -> Indices:
    """The same groups, numbered in the order in which they first appear."""
    _, first, group = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[group]
