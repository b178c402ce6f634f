// The desk's viewer of one case: image, reference, predictions and soft map, linked.
import { ask } from "./api";
import { makeControls } from "./controls";
import { make, setText } from "./dom";
import { drawBar, layHeat, volumeFrom, type Heat } from "./heat";
import { listenToKeys } from "./keyboard";
import type { Command } from "./keys";
import { largestLesion } from "./lesions";
import type { Loaded, Series } from "./loading";
import { openPanes, type Panes } from "./panes";
import { count, parseImage, parseMask, type Mask, type Volume } from "./volume";
import { makeSlider } from "./widgets";
import { findPresets } from "./window";

interface ArmFacts {
  readonly key: string;
  readonly label: string;
  readonly mm3: number;
  readonly mask: string;
  /** Where its soft map is; empty without one. */
  readonly soft: string;
  /** What was measured of it, as words; empty where nothing was. */
  readonly metrics: readonly string[];
}

interface Facts {
  readonly image: string;
  readonly reference: string;
  /** The names of the metrics, in their order. */
  readonly metrics: readonly string[];
  readonly arms: readonly ArmFacts[];
  /** A soft map that was uploaded with the case and is of no single arm. */
  readonly uploaded: string;
}

/** One pane: words above it, its mask, and a soft map to be laid over it. */
interface Part {
  readonly words: string;
  readonly mask: Mask;
  readonly soft: string;
}

interface Soft {
  readonly label: string;
  readonly url: string;
}

interface State {
  readonly facts: Facts;
  readonly series: Series;
  readonly masks: ReadonlyMap<string, Mask>;
  readonly softs: Map<string, Promise<Volume>>;
  readonly panes: Panes;
  readonly threshold: Threshold;
  readonly metrics: HTMLElement;
  parts: readonly Part[];
  active: number;
  /** The address of the soft map that is on show, or was asked for last. */
  chosen: string;
  soft: Volume | null;
  from: number;
  heats: Heat[];
  turn: number;
}

type Threshold = ReturnType<typeof makeThreshold>;

const ALL = "";
const OPENING = { plane: "auto", zoom_mm: 0 } as const;
const KEYS = [
  ["↑ ↓ or wheel", "slice"], ["A B or ← →", "pane before, after"], ["G, Shift + G", "lesion after, before"],
  ["X", "plane, or all three"], ["M, Space", "masks off, for a moment"], ["+ − , Z, R", "zoom, close look, reset"],
  ["T, Shift + T", "threshold up, down"],
];

export async function openViewer(root: HTMLElement): Promise<void> {
  let state: State | null = null;
  const panes = openPanes(() => {
    controls.show(panes.display());
    if (state) follow(state);
  }, (item) => state && turnTo(state, item));
  const controls = makeControls({
    command: (command) => void panes.obey(command), set: (change) => panes.set(change),
  });
  root.replaceChildren(panes.element);
  try {
    const facts = (await (await ask(root.dataset.facts!)).json()) as Facts;
    const [image, ...masks] = await Promise.all([
      readBytes(facts.image, true), ...facts.arms.map(({ mask }) => readBytes(mask, false)),
    ]);
    const volume = parseImage(image);
    const series = { volume, presets: findPresets(volume.voxels, volume.shape) };
    const byKey = new Map(facts.arms.map(({ key }, i) => [key, parseMask(masks[i], volume)]));
    const threshold = makeThreshold((value) => state && cut(state, value), (url) => state && choose(state, url));
    state = {
      facts, series, masks: byKey, softs: new Map(), panes, threshold, metrics: make("div", { class: "viewer-part" }),
      parts: [], active: 1, chosen: "", soft: null, from: 0, heats: [], turn: 0,
    };
    panes.furniture.showLoading(null);
    const opened = state;
    root.append(railOf(opened, controls.element));
    listenToKeys({
      obey: (command) => obey(opened, command), release: () => panes.hold(false),
      toImage: () => panes.focus(), escape: () => panes.focus(),
    });
    listenForThreshold(threshold.step);
    compose(opened, chosenArm(facts));
    goToLargest(opened);
    panes.focus();
  } catch (error) {
    panes.furniture.say(error instanceof Error ? error.message : "The case can't be shown.",
      { label: "Try again", act: () => location.reload() });
  }
}

/** The arm that the address names, else the first that is not the reference. */
function chosenArm({ arms, reference }: Facts): string {
  const named = decodeURIComponent(location.hash.slice(1));
  const rivals = arms.filter(({ key }) => key !== reference);
  return rivals.find(({ key }) => key === named)?.key ?? rivals[0]?.key ?? ALL;
}

function railOf(state: State, controls: HTMLElement): HTMLElement {
  const { arms, reference } = state.facts;
  const rivals = arms.filter(({ key }) => key !== reference);
  const select = make("select", { id: "arm", onchange: () => compose(state, select.value) },
    ...rivals.map(({ key, label }) => make("option", { value: key }, label)),
    rivals.length !== 1 && make("option", { value: ALL }, rivals.length ? "all methods" : "none"));
  select.value = chosenArm(state.facts);
  return make("section", { class: "rail", "aria-label": "View" }, make("div", { class: "rail-body" },
    make("div", { class: "viewer-part" }, make("label", { for: "arm" }, "Prediction of"), select),
    state.metrics, state.threshold.element, controls,
    make("div", { class: "viewer-part" }, make("h2", {}, "Keys"), make("dl", { class: "viewer-keys" },
      ...KEYS.flatMap(([keys, does]) => [make("dt", {}, keys), make("dd", {}, does)])))));
}

function makeThreshold(change: (value: number) => void, choose: (url: string) => void) {
  const bar = make("canvas", { class: "colour-bar", role: "img", "aria-label": "Colours from 0, dark, to 1, bright" });
  const volume = make("p", { role: "status" });
  const slider = makeSlider("Threshold", change);
  Object.assign(slider.input, { min: "0", max: "1", step: "0.05", value: "0" });
  const select = make("select", { id: "soft", onchange: () => choose(select.value) });
  const chooser = make("label", { for: "soft" }, "Of");
  const element = make("div", { class: "viewer-part", hidden: true }, make("h2", {}, "Soft map"), chooser, select, bar,
    make("div", { class: "colour-ticks", "aria-hidden": "true" }, ...["0", "0.25", "0.5", "0.75", "1"].map((at) => make("span", {}, at))),
    slider.element, volume);
  return {
    element,
    step: (by: number) => change(Math.min(1, Math.max(0, Math.round(20 * (Number(slider.input.value) + by)) / 20))),
    set: (value: number) => (slider.input.value = String(value)),
    /** Without a soft map there is neither bar nor slider; with one, nothing to choose. */
    offer: (softs: readonly Soft[], url: string) => {
      element.hidden = softs.length === 0;
      chooser.hidden = select.hidden = softs.length < 2;
      select.replaceChildren(...softs.map((soft) => make("option", { value: soft.url }, soft.label)));
      select.value = url;
    },
    show: (soft: Volume | null, without: string) => {
      const at = Number(slider.input.value);
      slider.show(at, at.toFixed(2));
      slider.input.disabled = soft === null;
      drawBar(bar, at);
      const words = at === 0 ? "Above 0" : `From ${at.toFixed(2)} on`;
      setText(volume, soft ? `${words}: ${sayVolume(volumeFrom(soft, at))}` : without);
    },
  };
}

/** As the other pages write a volume. */
function sayVolume(mm3: number): string {
  return `${mm3 < 10 ? mm3.toFixed(1) : Math.round(mm3).toLocaleString("en-GB")} mm³`;
}

function cut(state: State, value: number): void {
  state.from = value;
  state.threshold.set(value);
  for (const heat of state.heats) heat.show(state.soft, value);
  state.threshold.show(state.soft, "");
}

function choose(state: State, url: string): void {
  state.chosen = url;
  compose(state, ALL);
}

/** The soft maps of some arms, and of the case where nobody owns it. */
function softsOf({ uploaded }: Facts, arms: readonly ArmFacts[]): Soft[] {
  const own = arms.filter(({ soft }) => soft).map(({ label, soft }) => ({ label, url: soft }));
  return uploaded ? [...own, { label: "the case", url: uploaded }] : own;
}

/** The panes of one prediction, or of all; slice, window and zoom stay. */
function compose(state: State, key: string): void {
  const { facts, masks, series, panes } = state;
  const wanted = facts.arms.filter((arm) => arm.key === facts.reference || key === ALL || arm.key === key);
  const softs = softsOf(facts, wanted);
  const soft = softs.find(({ url }) => url === state.chosen) ?? softs[0];
  const blank: Mask = { shape: series.volume.shape, bits: new Uint8Array(Math.ceil(count(series.volume.shape) / 8)) };
  state.parts = [
    { words: "Image", mask: blank, soft: "" },
    ...wanted.map(({ key: own, label, mm3 }) => ({ words: `${label} · ${sayVolume(mm3)}`, mask: masks.get(own)!, soft: "" })),
    ...(soft ? [{ words: `Soft map of ${soft.label}`, mask: blank, soft: soft.url }] : []),
  ];
  state.threshold.offer(softs, soft?.url ?? "");
  state.metrics.replaceChildren(...tellMetrics(facts, wanted));
  const before = panes.display();
  state.active = Math.min(Math.max(1, state.active), state.parts.length - 1);
  const items: Loaded[] = state.parts.map(({ mask }) => ({ ...series, mask, context: null }));
  state.heats.forEach((heat) => heat.close());
  state.heats = [];
  panes.show(items, OPENING);
  turnTo(state, state.active);
  if (before) {
    const { plane, three, at, window, zoom, inverted, shown } = before;
    panes.set({ plane, at, window, zoom, inverted, shown, ...(three ? { three } : {}) });
  }
  if (key) history.replaceState(null, "", `#${key}`);
  void layOver(state, soft?.url ?? "");
}

/** A table of what was measured of the predictions on show. */
function tellMetrics({ arms, metrics, reference }: Facts, wanted: readonly ArmFacts[]): HTMLElement[] {
  const rivals = wanted.filter(({ key }) => key !== reference);
  const against = arms.find(({ key }) => key === reference);
  if (!against || !rivals.length) return [];
  const heading = make("h2", {}, `Against ${against.label}`);
  if (rivals.every((arm) => !arm.metrics.length)) {
    return [heading, make("p", {}, "Not measured yet. The comparison measures the masks.")];
  }
  const head = make("thead", {}, make("tr", {}, ...metrics.map((name) => make("th", { scope: "col" }, name))));
  const bodies = rivals.map(({ label, metrics: told }) => make("tbody", {},
    rivals.length > 1 && make("tr", {}, make("th", { scope: "rowgroup", colspan: String(metrics.length) }, label)),
    make("tr", {}, ...metrics.map((_, i) => make("td", {}, told[i] ?? "–")))));
  return [heading, make("table", { class: "viewer-metrics" }, head, ...bodies)];
}

async function layOver(state: State, url: string): Promise<void> {
  const turn = ++state.turn;
  state.soft = null;
  state.threshold.show(null, "Loading…");
  if (!url) return;
  const reading = state.softs.get(url) ?? readBytes(url, true).then(parseImage);
  state.softs.set(url, reading);
  const soft = await reading.catch(() => null);
  if (turn !== state.turn) return;
  if (!soft) return state.threshold.show(null, "The soft map can't be read. Reload the page to try again.");
  state.soft = soft;
  const canvases = state.panes.element.querySelectorAll<HTMLCanvasElement>(".stage canvas:not(.heat)");
  const at = state.parts.findIndex((part) => part.soft);
  const each = canvases.length / state.parts.length;
  for (const canvas of [...canvases].slice(at * each, (at + 1) * each)) {
    const heat = layHeat(canvas, () => state.panes.display()?.convention === "neurological");
    canvas.after(heat.element);
    heat.show(soft, state.from);
    state.heats.push(heat);
  }
  state.threshold.show(soft, "");
}

function turnTo(state: State, item: number): void {
  state.active = item;
  state.panes.label(item, state.parts.map(({ words }) => words));
}

function obey(state: State, command: Command): void {
  if (command.kind === "hide") return state.panes.hold(true);
  if (command.kind === "pane") {
    const by = command.to === 0 ? -1 : 1;
    return turnTo(state, (state.active + by + state.parts.length) % state.parts.length);
  }
  state.panes.obey(command);
}

/** All three planes are other panes, which the soft map has to be laid over anew. */
function follow(state: State): void {
  if (!state.heats.some(({ element }) => !element.isConnected)) return;
  state.heats.forEach((heat) => heat.close());
  state.heats = [];
  void layOver(state, state.parts.find(({ soft }) => soft)?.soft ?? "");
}

/** T is no key of the rating room, which knows nothing of soft maps. */
function listenForThreshold(step: (by: number) => void): void {
  addEventListener("keydown", (event) => {
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    if (event.key.toLowerCase() !== "t" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("select, textarea, input[type=text]")) return;
    step(event.shiftKey ? -0.05 : 0.05);
  });
}

/** Opens at the largest lesion of any mask: nobody is blind here. */
function goToLargest({ parts, panes }: State): void {
  const largest = largestLesion(...parts.map(({ mask }) => mask));
  if (largest) panes.set({ at: largest.middle });
}

async function readBytes(url: string, zipped: boolean): Promise<ArrayBuffer> {
  const { body } = await ask(url);
  const plain = zipped ? body!.pipeThrough(new DecompressionStream("gzip") as never) : body;
  return new Response(plain as ReadableStream).arrayBuffer();
}
