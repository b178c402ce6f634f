"""Instructions in Markdown: what coordinators may write, and what stays mere text."""

from __future__ import annotations

import pytest
from django.test import Client

from ratings.models import Session, Study
from ratings.prose import render_prose


def test_paragraphs_lists_emphasis_and_tables_are_written_as_such() -> None:
    html = render_prose(
        "Look at **every** slice.\nThen score.\n\n- one\n- two\n\n# Edges"
    )
    assert "<p>Look at <strong>every</strong> slice.<br" in html
    assert "<li>one</li>" in html
    assert "<h3>Edges</h3>" in html
    assert "<td>2</td>" in render_prose("| a |\n| - |\n| 2 |")


def test_a_link_opens_beside_the_page_and_tells_nothing() -> None:
    html = render_prose("[atlas](https://example.org/a)")
    assert html == (
        '<p><a href="https://example.org/a" target="_blank" '
        'rel="noopener noreferrer">atlas</a></p>'
    )


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://elsewhere.example/x.png)",
        "[x](javascript:alert(1))",
        "[x](JaVaScript&#58;alert(1))",
        "[x](data:text/html;base64,AAAA)",
        "<javascript:alert(1)>",
        "[x][1]\n\n[1]: vbscript:x",
        '<a href="/" onclick="x">x</a>',
        "<style>*{}</style>",
        "<iframe src=//elsewhere.example></iframe>",
    ],
)
def test_nothing_in_it_acts_or_loads(text: str) -> None:
    html = render_prose(text)
    assert not any(f"<{tag}" in html for tag in ("script", "img", "style", "iframe"))
    links = [part for part in html.split("<a ")[1:] if "href" in part]
    assert all('href="https://elsewhere.example/x.png"' in part for part in links)


def test_the_rater_and_the_desk_get_the_same_html(
    rater: Client, coordinator: Client, open_study: Study, session: Session
) -> None:
    Study.objects.filter(pk=open_study.pk).update(instructions="Score **all** <b>x</b>")
    told = rater.get(f"/api/rate/{session.key}/").json()["instructions"]
    assert told == "<p>Score <strong>all</strong> &lt;b&gt;x&lt;/b&gt;</p>"
    page = coordinator.get(f"/studies/{open_study.pk}/design/").content.decode()
    assert told in page
