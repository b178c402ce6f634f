"""What the templates of the desk need beyond Django's own tags."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

from django import template
from django.contrib.auth.models import User
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeString, mark_safe

from ratings import access, outlook, steps, storage
from ratings.models import Study
from ratings.prose import render_prose

register = template.Library()


@register.simple_block_tag
def capture(content: str) -> SafeString:
    """Rendered content to be used twice: `{% capture as name %}…{% endcapture %}`."""
    return mark_safe(content.strip())  # already escaped by the template


@register.simple_block_tag(takes_context=True)
def study_steps(context: Context, content: str) -> str:
    """The column of steps; the content is the key of the page's own step."""
    study: Study = context["study"]
    role = access.find_role(user=context["user"], study=study)
    listed = steps.list_steps(study, role=role)
    values: dict[str, Any] = {
        "study": study,
        "steps": listed,
        "active": content.strip(),
        "outlook": outlook.find_outlook(study, listed),
    }
    return render_to_string("ratings/steps.html", values)


@register.filter
def person_key(user: User) -> str:
    """Whose drafts a browser keeps, told without the person's number on this site."""
    told = salted_hmac("person_key", str(user.pk), algorithm="sha256").digest()
    return urlsafe_b64encode(told).decode().rstrip("=")


@register.simple_tag
def storage_fault() -> str:
    """Why work could be lost soon, for a notice at the top of every page."""
    return storage.find_fault()


@register.filter
def prose(text: str) -> SafeString:
    """A coordinator's Markdown."""
    return mark_safe(render_prose(text))  # tags in it are escaped by the reader


@register.filter
def mm(zooms: list[float]) -> str:
    """Voxel size as 0.6 × 0.6 × 3 (mm goes into the column's header)."""
    return " × ".join(f"{zoom:.3g}" for zoom in zooms)


@register.filter
def times(shape: list[int]) -> str:
    return " × ".join(map(str, shape))


@register.filter
def mm3(volume: float | None) -> str:
    """A volume with the digits that mean something, thousands parted."""
    if volume is None:
        return "–"
    return f"{volume:,.0f}" if volume >= 10 else f"{volume:.1f}"


@register.filter
def remark(verdict: dict[str, Any]) -> str:
    """What is to be said of a file, where its name stands already."""
    return str(verdict["message"]).removeprefix(f"{verdict['file']}: ")


@register.filter
def words(key: str) -> str:
    """field_strength as people read it."""
    return key.replace("_", " ")
