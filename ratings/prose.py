"""Turns a coordinator's Markdown into HTML in which nothing can act or load."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

SAFE_LINKS = ("https://", "http://", "mailto:")


def make_reader() -> MarkdownIt:
    """Tags are shown as text, images are not read at all; single lines stay lines."""
    reader = MarkdownIt("js-default", {"html": False, "breaks": True})
    reader.disable(["image", "hr"])
    reader.validateLink = lambda url: url.strip().lower().startswith(SAFE_LINKS)  # type: ignore[method-assign]
    reader.core.ruler.push("fit_page", fit_page)
    return reader


def fit_page(state: StateCore) -> None:
    """Headings come under the page's own, and links leave the page open."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3"
        for part in token.children or ():
            if part.type == "link_open":
                part.attrs |= {"target": "_blank", "rel": "noopener noreferrer"}


READER = make_reader()


def render_prose(text: str) -> str:
    """HTML of paragraphs, lists, tables, emphasis and links; safe as it is."""
    return str(READER.render(text)).strip()
