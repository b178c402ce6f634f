"""Recognises how a folder of a test set is laid out, and what each file in it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from ratings import bids, channelled, listed, manifests, named
from ratings.entries import (
    IMAGE,
    Entry,
    Plan,
    Read,
    is_hidden,
    is_volume,
    refuse_long_arms,
)
from ratings.inherited import index_sidecars
from ratings.named import name_role

# whoever asks for a plan also finds here what it is made of
__all__ = ["Entry", "Plan", "Read", "name_role", "plan"]


def plan(paths: Iterable[str], read: Read) -> Plan:
    """What to make of the files at these relative paths.

    `read` gives the content of a small file: a manifest or a dataset.json.
    """
    found = sorted({str(PurePosixPath(p)) for p in paths if not is_hidden(p)})
    volumes = [p for p in found if is_volume(p)]
    made = refuse_long_arms(recognise(found, volumes, read))
    find = index_sidecars(found, volumes)
    # a role left open may turn out to be an image's, once its voxels are seen
    entries = (
        replace(one, sidecars=find(one.path)) if one.role in (IMAGE, "") else one
        for one in made.entries
    )
    return replace(made, entries=tuple(entries))


def recognise(found: list[str], volumes: list[str], read: Read) -> Plan:
    tables = [p for p in found if manifests.names_manifest(p)]
    if tables:
        return listed.plan_manifest(tables, volumes, read)
    data_sets = listed.find_data_sets(found, read)
    if data_sets and not listed.names_channels(*data_sets[0], volumes):
        return listed.plan_decathlon(data_sets, volumes)
    if channelled.names_channels(volumes):
        return channelled.plan_nnunet(volumes)
    if bids.names_persons(volumes):
        return bids.plan_bids(volumes)
    return named.plan_flat(volumes)
