"""The preview of the pairing: a row per image or case, a choice per arm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.http import QueryDict

from ratings import committing, filenames, namesakes, pairing, refused_rows, repeats
from ratings.models import Case, Study, Upload
from ratings.pairing import Pair, Target
from ratings.strata import USUAL

MANY_MASKS = 100


@dataclass(frozen=True)
class Choice:
    """One select box: the masks of one arm for one target."""

    field: str
    label: str
    chosen: str
    options: tuple[Upload, ...]
    filled: bool


@dataclass(frozen=True)
class PreviewRow:
    """One target; `upload` or `case` is what it was made of."""

    target: Target
    upload: Upload | None
    case: Case | None
    subject: str
    strata: tuple[tuple[str, str], ...]
    choices: tuple[Choice, ...]
    maps: tuple[Upload, ...]
    faults: tuple[str, ...] = ()


def list_uploads(
    study: Study, chosen: list[Pair] | None, faulty: dict[str, list[str]]
) -> dict[str, Any]:
    """What waits for import, with the masks proposed, or chosen before a fault."""
    found = list(study.uploads.order_by("name", "created_at"))
    image_files = [u for u in found if u.kind == Upload.Kind.IMAGE]
    mask_files = [u for u in found if u.kind == Upload.Kind.MASK]
    maps = [u for u in found if pairing.is_map(u)]
    cases = list(study.cases.prefetch_related("masks__arm")) if mask_files else []
    pairs = chosen or pairing.propose_pairs(
        image_files=image_files, mask_files=mask_files, maps=maps, cases=cases
    )
    repeats.note_repeats(study, image_files, pairs)
    columns = name_columns(study, mask_files)
    rows = [
        replace(row, faults=tuple(faulty.get(row.target.id, ())))
        for row in make_rows(pairs, [*image_files, *cases, *maps], mask_files, columns)
    ]
    told = namesakes.tell_apart(found)
    used = {str(one.pk) for row in rows for one in row.maps}
    return {
        "preview": rows,
        "strata_names": name_strata(image_files),
        "lonely_maps": [one for one in maps if str(one.pk) not in used],
        "dropped": list_dropped(image_files),
        "columns": columns,
        "image_files": image_files,
        "mask_files": count_uses(mask_files, pairs),
        "personal": committing.find_personal(pairs, {str(u.id): u for u in found}),
        "waiting": len(found),
        "refused": [
            (u, namesakes.retell(u, told[str(u.pk)]))
            for u in found
            if u.kind == Upload.Kind.REFUSED
        ],
        "refused_rows": any(refused_rows.is_row(u) for u in found),
    }


def count_uses(mask_files: list[Upload], pairs: list[Pair]) -> list[tuple[Upload, int]]:
    used = [mask for pair in pairs for mask in pair.masks.values()]
    return [(mask, used.count(str(mask.id))) for mask in mask_files]


def name_columns(study: Study, mask_files: list[Upload]) -> dict[str, str]:
    """Key → label of all arms that the waiting masks belong to."""
    known = dict(study.arms.values_list("key", "label"))
    columns: dict[str, str] = {}
    for mask in mask_files:
        key = pairing.arm_of(mask)
        columns[key] = known.get(key) or mask.facts.get("arm_label") or "Manual"
    return columns


def make_rows(
    pairs: list[Pair],
    sources: list[Upload | Case],
    mask_files: list[Upload],
    columns: dict[str, str],
) -> Iterator[PreviewRow]:
    known = {str(source.pk): source for source in sources}
    names = name_strata([s for s in sources if isinstance(s, Upload)])
    for pair in pairs:
        source = known.get(pair.image or pair.case)
        if isinstance(source, Upload):
            target = pairing.target_image(source)
            known_strata = source.facts["strata"] | (pair.strata or {})
            strata = tuple((name, known_strata.get(name, "")) for name in names)
            subject = source.facts["subject"] if pair.subject is None else pair.subject
            choices = make_choices(target, pair, mask_files, columns)
            found = [known.get(one) for one in pair.companions.values()]
            maps = tuple(one for one in found if isinstance(one, Upload))
            yield PreviewRow(target, source, None, subject, strata, choices, maps)
        elif isinstance(source, Case):
            target = pairing.target_case(source)
            choices = make_choices(target, pair, mask_files, columns)
            yield PreviewRow(target, None, source, "", (), choices, ())


def name_strata(image_files: list[Upload]) -> list[str]:
    """The usual ones always; further ones where a set brings them."""
    more = {k for u in image_files for k in u.facts.get("strata", {})}
    return [*USUAL, *sorted(more - set(USUAL))]


def list_dropped(image_files: list[Upload]) -> list[str]:
    """The names of the fields of sidecars that were not kept."""
    return sorted({name for u in image_files for name in u.facts.get("dropped", ())})


def make_choices(
    target: Target, pair: Pair, mask_files: list[Upload], columns: dict[str, str]
) -> tuple[Choice, ...]:
    choices = []
    for key, label in columns.items():
        masks = [mask for mask in mask_files if pairing.arm_of(mask) == key]
        chosen = pair.masks.get(key, "")
        choices.append(
            Choice(
                field=f"mask:{target.id}:{key}",
                label=label,
                chosen=chosen,
                options=narrow(target, masks, chosen),
                filled=key in target.filled,
            )
        )
    return tuple(choices)


def narrow(target: Target, masks: list[Upload], chosen: str) -> tuple[Upload, ...]:
    """All masks, or of very many those whose names fit: pages must stay light."""
    if len(masks) <= MANY_MASKS:
        return tuple(masks)
    return tuple(
        mask
        for mask in masks
        if str(mask.id) == chosen
        or filenames.count_shared_words(target.name, mask.name) > 0
    )


def read_pairs(posted: QueryDict) -> list[Pair]:
    """The rows as the coordinator left them, cases without a new mask as well."""
    pairs = []
    for value in posted.getlist("image"):
        subject = posted.get(f"subject:{value}")
        pairs.append(
            Pair(
                value,
                read_masks(posted, value),
                strata=read_strata(posted, value),
                subject=None if subject is None else tidy(subject),
                companions=read_companions(posted, value),
            )
        )
    for value in posted.getlist("case"):
        pairs.append(Pair("", read_masks(posted, value), case=value))
    return pairs


def tidy(text: str) -> str:
    return " ".join(text.split())


def read_strata(posted: QueryDict, target: str) -> dict[str, str]:
    start = f"strata:{target}:"
    found = {
        tidy(name.removeprefix(start)): tidy(str(value))
        for name, value in posted.items()
        if name.startswith(start)
    }
    contrast = posted.get(f"contrast:{target}")
    return found if contrast is None else found | {"contrast": tidy(contrast)}


def read_companions(posted: QueryDict, target: str) -> dict[str, str]:
    """Maps that stay ticked; each value is its kind and its identifier."""
    found = {}
    for value in posted.getlist(f"map:{target}"):
        kind, _, chosen = value.partition(":")
        if is_id(chosen):
            found[kind] = chosen
    return found


def read_masks(posted: QueryDict, target: str) -> dict[str, str]:
    start = f"mask:{target}:"
    return {
        name.removeprefix(start): chosen
        for name, chosen in posted.items()
        if name.startswith(start) and isinstance(chosen, str) and is_id(chosen)
    }


def is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
