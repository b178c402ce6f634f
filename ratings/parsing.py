"""Reads the JSON that a client sends, and nothing that can't be stored as text."""

from __future__ import annotations

import json
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class TextParser(JSONParser):
    """JSON of whole characters: half a pair is legal there, and is no text."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        data = super().parse(*args, **kwargs)
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ParseError(
                "A text holds half a character (a lone surrogate). Send whole ones."
            ) from error
        return data
