"""Tells text that shows nothing, such as a zero-width space, from text to be read."""

from __future__ import annotations

import unicodedata

# Letters and signs to Unicode; nobody sees them.
FILLERS = "\u115f\u1160\u2800\u3164\uffa0"
UNSEEN = ("Cc", "Cf", "Mn", "Me")


def shows_nothing(text: str) -> bool:
    return all(
        sign.isspace() or sign in FILLERS or unicodedata.category(sign) in UNSEEN
        for sign in text
    )
