"""One look for every figure, and its bytes, the same for the same numbers."""

from __future__ import annotations

import io
import struct
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas

from ratings.statistics.cells import Cell, as_csv

# Okabe–Ito, told apart with every common form of colour blindness.
ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = (
    *("#E69F00", "#56B4E9", "#009E73", "#F0E442"),
    *("#0072B2", "#D55E00", "#CC79A7"),
)
INK, GREY, PALE = "#1a1a1a", "#6b6b6b", "#d9d9d9"
REFERENCE, ARM = SKY, ORANGE
ONE_COLUMN, TWO_COLUMNS = 8.5, 17.0  # cm, journal widths
DPI = 300
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "hatch.linewidth": 0.5,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    # A label such as “a$b” is text, not a formula.
    "text.parse_math": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "blindfold",
}
matplotlib.rcParams.update(STYLE)


@dataclass(frozen=True)
class Figure:
    """A finished figure: `csv` holds the numbers that it shows."""

    name: str
    svg: bytes
    png: bytes
    csv: str
    caption: str

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in CSS pixels, from the head of the PNG."""
        width, height = struct.unpack(">II", self.png[16:24])
        return round(width * 96 / DPI), round(height * 96 / DPI)

    def files(self) -> dict[str, bytes]:
        """Its bytes by the ending of their file."""
        return {"svg": self.svg, "png": self.png, "csv": self.csv.encode()}


def make_canvas(*, width: float, height: float) -> Canvas:
    """An empty page of this size in centimetres."""
    return Canvas(figsize=(width / 2.54, height / 2.54), dpi=DPI)


def render(
    canvas: Canvas,
    *,
    name: str,
    caption: str,
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    simulated: bool,
) -> Figure:
    """Turn a drawn page into bytes without a date or a random id in them."""
    if simulated:
        caption = f"Simulated data. {caption}"
        canvas.supxlabel("Simulated data", fontsize=8, color=GREY, ha="right", x=0.995)
    png = _as_png(canvas)
    # Laid out once: both formats show the same.
    canvas.set_layout_engine("none")
    return Figure(
        name=name,
        svg=_as_svg(canvas),
        png=png,
        csv=as_csv(header, rows),
        caption=f"{caption} Drawn with matplotlib {matplotlib.__version__}.",
    )


def wrapped(label: str, *, width: int = 30) -> str:
    """A label broken into lines of at most this many characters."""
    return "\n".join(textwrap.wrap(label, width) or [""])


def shortened(label: str, *, width: int = 22) -> str:
    """A label for one line: a long one loses its middle and keeps both ends."""
    if len(label) <= width:
        return label
    tail = (width - 1) // 2
    return f"{label[: width - 1 - tail].rstrip()}…{label[-tail:].lstrip()}"


def distinct(labels: Sequence[str], *, width: int = 22) -> list[str]:
    """Labels for one line each; different ones stay different.

    Where their ends are alike, most of what all of them share gives way; at worst they
    are numbered in their order.
    """
    short = [shortened(label, width=width) for label in labels]
    wanted = len(set(labels))
    if len(set(short)) == wanted:
        return short
    head = _shared(labels)
    rest = [label[head:] for label in labels]
    tail = _shared([label[::-1] for label in rest])
    cores = [label[: len(label) - tail] for label in rest]
    spare = max(0, width - 2 - max(map(len, cores)))
    kept = spare // 2 if head and tail else spare
    before = labels[0][: min(kept, head)] + "…"
    after = "…" + (labels[0][-min(kept, tail) :] if kept else "")
    short = [
        shortened(f"{before * bool(head)}{core}{after * bool(tail)}", width=width)
        for core in cores
    ]
    if len(set(short)) == wanted:
        return short
    order = {label: n for n, label in enumerate(dict.fromkeys(labels), 1)}
    digits = len(str(wanted))
    return [
        f"{order[label]} {shortened(label, width=width - digits - 1)}"
        for label in labels
    ]


def _shared(labels: Sequence[str]) -> int:
    """How many letters all labels begin with; a number is not cut in two."""
    first, last = min(labels), max(labels)
    pairs = enumerate(zip(first, last, strict=False))
    length = next((i for i, (a, b) in pairs if a != b), min(len(first), len(last)))
    while length and first[length - 1].isdigit():
        length -= 1
    return length


def clean(axes: Axes, *, keep: Sequence[str] = ("left", "bottom")) -> None:
    """Leave only the named sides of the frame."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in keep)


def p_label(p: float | None) -> str:
    """A p-value short enough to stand above a violin."""
    if p is None:
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


# Not Figure.savefig: it draws everything once more to measure it.
def _as_png(canvas: Canvas) -> bytes:
    out = io.BytesIO()
    page: Any = FigureCanvasAgg(canvas)
    page.print_png(out, metadata={"Software": None})
    return out.getvalue()


def _as_svg(canvas: Canvas) -> bytes:
    out = io.BytesIO()
    page: Any = FigureCanvasSVG(canvas)
    page.print_svg(out, metadata={"Date": None, "Creator": None})
    return out.getvalue()
