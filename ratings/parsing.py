"""Reads the JSON that a client sends, and nothing that can't be stored as text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

DEEPEST = 32
TOO_DEEP = (
    f"The JSON is nested too deeply; no call takes more than {DEEPEST} lists or "
    "objects within each other."
)
HALF = "A text holds half a character (a lone surrogate). Send whole ones."


class TextParser(JSONParser):
    """JSON of whole characters, not too deep, in which no name stands twice."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        charset = (parser_context or {}).get("encoding") or "utf-8"
        try:
            text = stream.read().decode(charset)
            return parse_text(text)
        except RecursionError as error:
            raise ParseError(TOO_DEEP) from error
        except (ValueError, LookupError) as error:
            raise ParseError(f"This is not valid JSON: {error}.") from error


def parse_text(text: str) -> Any:
    data = json.loads(text, object_pairs_hook=pair_up, parse_constant=refuse_constant)
    # few brackets can't be deep, and only an escape can be half a character
    if text.count("[") + text.count("{") > DEEPEST:
        refuse_depth(data)
    if "\\u" in text:
        refuse_half(data)
    return data


def pair_up(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; of a name that stands twice nobody knows which is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        (name, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ParseError(
            f"“{show(name)}” stands twice in one object of the JSON. Send it once."
        )
    return found


def show(name: str) -> str:
    """The name as far as it can be sent back."""
    return name[:80].encode(errors="replace").decode()


def refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no number there")


def refuse_depth(data: Any) -> None:
    level = [data]
    for _ in range(DEEPEST):
        level = [child for one in level for child in list_children(one)]
    if any(isinstance(one, dict | list) for one in level):
        raise ParseError(TOO_DEEP)


def list_children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def refuse_half(data: Any) -> None:
    """Half a pair is legal in JSON, and is no text."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ParseError(HALF) from error
