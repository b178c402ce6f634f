"""Tokens: long, random, each used once, and without any trace of when it was made."""

from __future__ import annotations

from collections.abc import Sequence

from ratings.models import Item, Session, Study
from ratings.proof.signs import TOKEN, compare_tokens, find_leaks

FRESH = 800
# Tokens in order of time give 2 to the -400: chance alone must not refuse a lock.
LEVEL = 1e-6


def check_tokens(study: Study) -> list[str]:
    """Faults of the tokens given out, and of those that would be given out next."""
    faults = []
    items = Item.objects.filter(presentation__session__enrolment__study=study)
    keys = Session.objects.filter(enrolment__study=study)
    given = list(items.order_by("pk").values_list("token", flat=True))
    faults += judge_tokens("Tokens of items", given)
    faults += judge_tokens("Keys of sessions", list(keys.values_list("key", flat=True)))
    for what, model, field in (
        ("New tokens of items", Item, "token"),
        ("New keys of sessions", Session, "key"),
    ):
        faults += judge_tokens(what, [make_new(model, field) for _ in range(FRESH)])
    return faults


def make_new(model: type[Item] | type[Session], field: str) -> str:
    """A token as a new row would get it."""
    return str(getattr(model(), field))


def judge_tokens(what: str, tokens: Sequence[str]) -> list[str]:
    """Tokens in the order of their making; a sentence for each thing that is wrong."""
    odd = [token for token in tokens if not TOKEN.fullmatch(token)]
    if odd:
        return [f"{what}: {len(odd)} are not 43 random signs."]
    if len(set(tokens)) < len(tokens):
        return [f"{what}: {len(tokens) - len(set(tokens))} are used twice."]
    features = compare_tokens(pair_up(tokens))
    return [
        f"{what}: {feature} goes with the time of making (p = {p:.1g})."
        for feature, p in find_leaks(features, LEVEL).items()
    ]


def pair_up(tokens: Sequence[str]) -> list[tuple[str, str]]:
    """Each token of the first half with one of the second: no token stands twice."""
    half = len(tokens) // 2
    return list(zip(tokens[:half], tokens[half : 2 * half], strict=True))
