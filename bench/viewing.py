"""The rating room's viewer beside NiiVue: same browser, same run, same voxels.

Both draw without a graphics card, as Chromium does on a hospital computer whose driver
is switched off: page and 2-D canvas on the processor, WebGL 2 through SwiftShader. On
a graphics card the peer is faster.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import urlopen

import nibabel as nib
import numpy as np
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from bench.rows import Row, percentile
from tests.frontend.conftest import FLAGS, SCREEN, begin_rating, wait_for_image
from tests.frontend.room_server import STATIC, Case, Study, serve

FRONTEND = Path(__file__).resolve().parents[1] / "frontend"
SOFTWARE = [
    *(flag for flag in FLAGS if flag != "--disable-3d-apis"),
    "--enable-unsafe-swiftshader",
]
PEER = "NiiVue 0.69.0, software rendering"
CUBE, LARGE = (512, 512, 40), (320, 640, 640)
STEPS, SWITCHES = 20, 80
# Work is what a step costs without the wait for the screen's next refresh; the rate is
# that of one step a refresh. Reading a pixel back leaves no drawing undone.
STEPS_SCRIPT = """async (act, drawn, count) => {
  const refresh = (act) =>
    new Promise((done) => requestAnimationFrame(() => done(act())));
  const now = () => performance.now();
  const work = [];
  await refresh(now);
  const begin = now();
  for (let step = 0; step < count; step++) {
    const start = refresh(now);
    const acted = now();
    act();
    const cost = now() - acted;
    const end = refresh(() => (drawn(), now()));
    work.push(cost + (await end) - (await start));
  }
  return [work, (now() - begin) / count];
}"""
ROOM_STEPS = f"""([key, shift, count]) => ({STEPS_SCRIPT})(
  () => dispatchEvent(new KeyboardEvent("keydown", {{ key, shiftKey: shift }})),
  () => document.querySelector("canvas").getContext("2d").getImageData(0, 0, 1, 1),
  count)"""
PEER_PAGE = """<!doctype html><meta charset="utf-8"><title>Peer</title>
<canvas id="gl" width="960" height="776"></canvas>
<script type="module" src="peer.js"></script>"""
PEER_SCRIPT = (
    f"const STEPS = {STEPS_SCRIPT};\n"
    + """
import { Niivue, SHOW_RENDER, SLICE_TYPE } from "@niivue/niivue";
const nv = new Niivue({ sliceType: SLICE_TYPE.AXIAL, crosshairWidth: 0,
  multiplanarShowRender: SHOW_RENDER.NEVER, isResizeCanvas: false });
const drawn = () => {
  nv.drawScene();
  nv.gl.readPixels(0, 0, 1, 1, nv.gl.RGBA, nv.gl.UNSIGNED_BYTE, new Uint8Array(4));
};
const acts = {
  window: () => {
    const volume = nv.volumes[0];
    volume.cal_max += (volume.cal_max - volume.cal_min) / 20;
    nv.updateGLVolume();
  },
  scroll: () => nv.moveCrosshairInVox(0, 0, 1),
};
window.peer = {
  ready: nv.attachToCanvas(document.getElementById("gl")),
  show: async () => {
    const start = performance.now();
    await nv.loadVolumes([{ url: "image.nii.gz" },
      { url: "mask.nii.gz", colormap: "red", opacity: 0.5 }]);
    drawn();
    return performance.now() - start;
  },
  steps: (act, count) => STEPS(acts[act], drawn, count),
};
"""
)
# From the press of Enter, or the click that starts, to the next case on the canvas.
STOPWATCH = """() => new Promise((done) => {
  const canvas = document.querySelector("canvas");
  const start = performance.now();
  let gone = canvas === null || canvas.dataset.ready !== "true";
  const look = () => {
    const now = document.querySelector("canvas");
    const ready = now !== null && now.dataset.ready === "true";
    if (gone && ready) {
      now.getContext("2d").getImageData(0, 0, 1, 1);
      return done(performance.now() - start);
    }
    gone ||= !ready;
    setTimeout(look, 0);
  };
  const act = canvas === null
    ? () => document.querySelector(".page button.primary").click()
    : () => dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
  new MutationObserver(look).observe(document,
    { subtree: true, childList: true, attributeFilter: ["data-ready"] });
  act();
  look();
})"""

Figures = dict[str, float]


def run() -> list[Row]:
    path = shutil.which("chromium")
    if path is None or not (FRONTEND / "node_modules/@niivue/niivue").exists():
        print(
            "NOT MEASURED: the viewer, for want of Chromium or of npm ci in frontend."
        )
        return []
    with sync_playwright() as playwright:
        ours = measure_room(playwright, path)
        theirs = measure_peer(playwright, path)
        large = measure_large(playwright, path)
        growth = measure_growth(playwright, path)
    return [*compare(ours, theirs), *large, *growth]


def compare(ours: Figures, theirs: Figures) -> list[Row]:
    goals = {"window step, work": 16.0, "scroll rate": 30.0}
    units = {"bundle, gzip": "kB", "memory": "MB", "scroll rate": "slices/s"}
    how = "512×512×40 int16 and mask, local server; software rendering"
    return [
        Row(
            f"viewer: {what}", value, units.get(what, "ms"), how,
            goal=goals.get(what), peer=PEER, peer_value=theirs.get(what),
        )
        for what, value in ours.items()
    ]  # fmt: skip


def make_case(shape: tuple[int, int, int]) -> Case:
    rng = np.random.default_rng(4)
    smooth = np.add.outer(np.arange(shape[0]), np.arange(shape[1]))[..., None]
    layer = rng.normal(0, 40, shape[:2])[..., None]
    image = (smooth + layer + np.arange(shape[2]) + 200).astype(np.int16)
    mask = np.zeros(shape, np.uint8)
    middle = tuple(slice(n // 2 - 3, n // 2 + 3) for n in shape)
    mask[middle] = 1
    return Case(image, mask, np.diag([0.5, 0.5, 2.0, 1.0]), "axial")


@contextmanager
def open_browser(playwright: Playwright, path: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=path, args=SOFTWARE)
    try:
        yield browser
    finally:
        browser.close()


def measure_room(playwright: Playwright, path: str) -> Figures:
    study = Study([make_case(CUBE)] * 6)
    with serve(study) as address, open_browser(playwright, path) as browser:
        for part in ("image", "mask"):  # as on disk, where the peer's are
            fetch(urljoin(address, f"/api/items/{study.token(0)}/{part}"))
        page = browser.new_page(viewport=SCREEN)
        page.goto(address)
        page.wait_for_selector("text=Start rating")
        first = page.evaluate(STOPWATCH)
        wait_for_image(page)
        window = page.evaluate(ROOM_STEPS, ["k", True, STEPS])
        scroll = page.evaluate(ROOM_STEPS, ["ArrowUp", False, STEPS // 2])
        memory = read_memory(browser, page)
        switches = [switch(page, n) for n in range(2, 6)]
    bundle = len(gzip.compress((STATIC / "dist/room.js").read_bytes(), 9)) / 1000
    return list_figures(first, switches, window, scroll, bundle, memory)


def fetch(address: str) -> None:
    with urlopen(address) as answer:
        answer.read()


Steps = tuple[list[float], float]


def list_figures(
    first: float,
    switches: list[float],
    window: Steps,
    scroll: Steps,
    bundle: float,
    memory: float,
) -> Figures:
    return {
        "first paint": first, "case switch": percentile(switches, 50),
        "window step, work": percentile(window[0], 50),
        "slice step, work": percentile(scroll[0], 50), "scroll rate": 1000 / scroll[1],
        "bundle, gzip": bundle, "memory": memory,
    }  # fmt: skip


def switch(page: Page, number: int, *, think_ms: float = 1500) -> float:
    page.wait_for_timeout(think_ms)
    page.keyboard.press("3")
    wait: float = page.evaluate(STOPWATCH)
    page.wait_for_selector(f"text={number} /")
    wait_for_image(page)
    return wait


def measure_peer(playwright: Playwright, path: str) -> Figures:
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_peer(Path(folder)) as address,
        open_browser(playwright, path) as browser,
    ):
        page = browser.new_page(viewport=SCREEN)
        page.set_default_timeout(300_000)
        page.goto(address)
        page.evaluate("peer.ready")
        first = page.evaluate("peer.show()")
        window = page.evaluate("peer.steps('window', 4)")
        scroll = page.evaluate(f"peer.steps('scroll', {STEPS // 2})")
        memory = read_memory(browser, page)
        again = [page.evaluate("peer.show()") for _ in range(2)]
        loaded = page.evaluate(
            "performance.getEntriesByType('resource').map((r) => r.name)"
        )
        names = {n.rsplit("/", 1)[1] for n in loaded if n.endswith(".js")}
        sizes = [len(gzip.compress((Path(folder) / n).read_bytes(), 9)) for n in names]
    return list_figures(first, again, window, scroll, sum(sizes) / 1000, memory)


@contextmanager
def serve_peer(folder: Path) -> Iterator[str]:
    """A page with the peer on it, bundled as its makers advise, and the same voxels."""
    case = make_case(CUBE)
    for name, voxels in (("image", case.image), ("mask", case.mask)):
        nib.save(nib.Nifti1Image(voxels, case.affine), folder / f"{name}.nii.gz")
    (folder / "index.html").write_text(PEER_PAGE)
    (folder / "peer.ts").write_text(PEER_SCRIPT)
    esbuild = FRONTEND / "node_modules/.bin/esbuild"
    options = ["--bundle", "--minify", "--splitting", "--format=esm", "--target=es2022"]
    command = [str(esbuild), "peer.ts", *options, "--outdir=.", "--log-level=error"]
    modules = {"NODE_PATH": str(FRONTEND / "node_modules")}
    subprocess.run(command, cwd=folder, check=True, env=os.environ | modules)
    handler = partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """The bench prints a table and nothing else."""


def read_memory(browser: Browser, page: Page) -> float:
    """Resident MB of the page's processes and the one that draws, garbage collected."""
    read_heap(page)
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    wanted = [p["id"] for p in processes if p["type"] in ("renderer", "GPU")]
    return sum(read_resident(int(pid)) for pid in wanted) / 1e6


def read_heap(page: Page) -> float:
    """MB of live JavaScript objects and of their array buffers."""
    session = page.context.new_cdp_session(page)
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")
    session.detach()
    return float(heap["usedSize"] + heap["backingStorageSize"]) / 1e6


def read_resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def measure_large(playwright: Playwright, path: str) -> list[Row]:
    """The largest volume that raters may meet; the peer needs minutes for its first."""
    study = Study([make_case(LARGE)])
    with serve(study) as address, open_browser(playwright, path) as browser:
        page = browser.new_page(viewport=SCREEN)
        page.set_default_timeout(120_000)
        page.goto(address)
        begin_rating(page)
        rates = {}
        for plane in ("Axial", "Coronal", "Sagittal"):
            page.get_by_role("radio", name=plane).check(force=True)
            _, wall = page.evaluate(ROOM_STEPS, ["ArrowUp", False, 2 * STEPS])
            rates[plane.lower()] = 1000 / wall
    how = "320×640×640 int16 (262 MB), mean of 40 steps; software rendering"
    return [
        Row(f"viewer: large volume, {plane}", rate, "slices/s", how, goal=30.0)
        for plane, rate in rates.items()
    ]


def measure_growth(playwright: Playwright, path: str) -> list[Row]:
    study = Study([make_case((18, 512, 512))] * (SWITCHES + 11))
    with serve(study) as address, open_browser(playwright, path) as browser:
        page = browser.new_page(viewport=SCREEN)
        page.goto(address)
        begin_rating(page)
        heaps, memories = [], []
        for n in range(SWITCHES):
            switch(page, n + 2, think_ms=100)
            if 20 <= n < 40 or n >= SWITCHES - 20:
                heaps.append(read_heap(page))
                memories.append(read_memory(browser, page))
    how = f"{SWITCHES} switches of 18×512×512 int16 (9.4 MB): the 21st to 40th, last 20"
    return [
        Row(f"viewer: growth of {what}", rise(values), "MB", how)
        for what, values in (
            ("JavaScript heap and buffers", heaps), ("resident memory", memories),
        )
    ]  # fmt: skip


def rise(values: list[float]) -> float:
    """From the first twenty kept to the last twenty, by their medians.

    The twenty before them fill the browser's allocator, which gives nothing back.
    """
    return percentile(values[-20:], 50) - percentile(values[:20], 50)
