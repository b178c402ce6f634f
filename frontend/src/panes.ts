// The images of one presentation: one pane or several, all kept true to one display.
//
// Masks of a case side by side are panes of the same display: slice, window, zoom and
// style are linked because there is only one of each. A second series follows by its
// position in millimetres.
import { makeSlide, type Slide } from "./canvas";
import {
  firstDisplay,
  goTo,
  goToSlice,
  magnification,
  obey,
  panned,
  pointedAt,
  preset,
  presetOf,
  secondWindowed,
  sliceOf,
  turned,
  windowed,
  zoomed,
  type Display,
  type Opening,
  type Setting,
  type Taste,
} from "./display";
import { make } from "./dom";
import {
  caseOf,
  layoutOf,
  rolesOf,
  sameRole,
  settingOf,
  showingOf,
  wordsOf,
  type Exhibit,
  type Role,
} from "./exhibit";
import { makeFurniture, type Furniture } from "./furniture";
import { axesOf, PLANES, type Plane } from "./geometry";
import type { Command } from "./keys";
import { findLesions, inOrder, nextLesion, type Lesion } from "./lesions";
import type { Loaded } from "./loading";
import { makePane, type Pane } from "./pane";
import { keepTaste, readTaste } from "./taste";
import type { Preset } from "./window";

/** What was looked at and used on the current case, as the start page declares. */
export interface Conduct {
  readonly slices: Set<string>;
  window: number;
  mask: number;
  /** The mask was on the screen at some time, be it empty. */
  seen: boolean;
  /** Jumps to a lesion. */
  lesions: number;
  /** The largest magnification used, 1 for the whole image. */
  zoom: number;
}

/** What the rater sees now, for the controls beside the image. */
export interface Seen extends Display {
  /** Of the active plane. */
  readonly slice: number;
  readonly slices: number;
  readonly preset: Preset | null;
  /** Of the active pane's mask: how many, and which of them was gone to, from 1. */
  readonly lesions: number;
  readonly lesion: number | null;
  /** Which of the items, from 0, keys act on. */
  readonly active: number;
}

/** What controls may set. */
export type Change = Partial<
  Taste & Pick<Display, "at" | "window" | "zoom" | "inverted" | "shown"> & { plane: Plane; three: true; slice: number; preset: Preset }
>;

export interface Panes {
  readonly element: HTMLElement;
  /** Where loading and failures are told: they belong to the whole presentation. */
  readonly furniture: Furniture;
  /** One pane for each item; all are masks of one image. */
  show(items: readonly Loaded[], opening: Opening): void;
  /** Another mask of the same image, seen from where the rater is. */
  exchange(item: Loaded): void;
  /** Paints the first slice of a presentation to come, off screen. */
  prepare(items: readonly Loaded[], opening: Opening): void;
  clear(): void;
  /** True when the command was about the image. */
  obey(command: Command): boolean;
  set(change: Change): void;
  /** Hides the mask for as long as a key is held. */
  hold(hidden: boolean): void;
  display(): Seen | null;
  conduct(): Conduct;
  focus(): void;
  /** Marks the pane that is being rated and writes what each one has. */
  label(active: number, words: readonly string[]): void;
}

interface State {
  readonly redraw: () => void;
  readonly changed: () => void;
  readonly chosen: (item: number) => void;
  readonly grid: HTMLElement;
  shown: { readonly role: Role; readonly pane: Pane }[];
  exhibit: Exhibit | null;
  display: Display | null;
  taste: Taste;
  active: number;
  words: readonly string[];
  lesion: Lesion | null;
  held: boolean;
  conduct: Conduct;
  /** A drag over the image counts as one change of the window. */
  counted: boolean;
  ahead: { readonly item: Loaded; readonly slide: Slide } | null;
}

export function openPanes(changed: () => void, chosen: (item: number) => void): Panes {
  const furniture = makeFurniture();
  const grid = make("div", { class: "pane-grid" });
  const element = make("div", { class: "panes" }, grid, ...furniture.elements);
  const state = firstState(grid, changed, chosen);
  arrange(state);
  furniture.showLoading(null);
  return {
    element,
    furniture,
    show: (items, opening) => show(state, { items, opening }),
    exchange: (item) => exchange(state, item),
    prepare: (items, opening) => prepare(state, items, opening),
    clear: () => clear(state),
    obey: (command) => obeyOn(state, command),
    set: (part) => state.display && change(state, apply(state, state.display, part)),
    hold: (hidden) => holdMask(state, hidden) && state.redraw(),
    display: () => seen(state),
    conduct: () => state.conduct,
    focus: () => activePane(state)?.focus(),
    label: (active, words) => label(state, active, words),
  };
}

function firstState(
  grid: HTMLElement,
  changed: () => void,
  chosen: (item: number) => void,
): State {
  const state: State = {
    redraw: oncePerFrame(() => draw(state)), changed, chosen, grid, shown: [], exhibit: null,
    display: null, taste: readTaste(), active: 0, words: [], lesion: null, held: false,
    conduct: newConduct(), counted: false, ahead: null,
  };
  return state;
}

function newConduct(): Conduct {
  return { slices: new Set(), window: 0, mask: 0, seen: false, lesions: 0, zoom: 1 };
}

function show(state: State, exhibit: Exhibit): void {
  const fresh = { display: null, lesion: null, held: false, conduct: newConduct() };
  Object.assign(state, { exhibit, ...fresh });
  if (!exhibit.items[state.active]) state.active = 0;
  const display = firstDisplay(measure(state), state.taste);
  note(state, display);
  arrange(state);
  if (state.ahead?.item === exhibit.items[0]) {
    for (const { role, pane } of state.shown) if (!role.second) pane.painter.adopt(state.ahead.slide);
  }
  state.ahead = null;
  draw(state);
  state.changed();
}

function exchange(state: State, item: Loaded): void {
  const { exhibit, display } = state;
  if (!exhibit || !display) return;
  Object.assign(state, {
    exhibit: { ...exhibit, items: [item] }, display: null, lesion: null, conduct: newConduct(),
  });
  note(state, display);
  draw(state);
  state.changed();
}

function clear(state: State): void {
  Object.assign(state, { exhibit: null, display: null, lesion: null });
  draw(state);
  state.changed();
}

function prepare(state: State, items: readonly Loaded[], opening: Opening): void {
  const [item] = items;
  const { plane, at, window, inverted, convention } = firstDisplay(caseOf(item, opening), state.taste);
  const slice = at[axesOf(plane).through];
  const slide = makeSlide({ volume: item.volume, plane, slice, window, inverted, convention });
  state.ahead = { item, slide };
}

function measure(state: State, pane = activePane(state)): Setting {
  return settingOf(state.exhibit!, pane?.size() ?? { width: 1, height: 1 });
}

function activePane({ shown, active, display }: State): Pane | undefined {
  const own = shown.filter(({ role }) => role.item === active && !role.second);
  return (own.find(({ role }) => role.plane === display?.plane) ?? own[0])?.pane;
}

/** Takes a display as the current one, draws it and tells of it. */
function change(state: State, next: Display): void {
  const turnedOver = next.three !== state.display?.three;
  note(state, next);
  if (turnedOver) arrange(state);
  state.redraw();
  state.changed();
}

/** Counts what was done to get to a display. */
function note(state: State, next: Display): void {
  const { display: last, conduct } = state;
  state.display = next;
  const { style, opacity, colour, smooth, convention } = next;
  const taste: Taste = { style, opacity, colour, smooth, convention };
  if (last) keepTaste((state.taste = taste));
  for (const plane of next.three ? PLANES : [next.plane]) {
    conduct.slices.add(`${plane} ${sliceOf(next, plane)}`);
  }
  if (!last) return;
  const windowMoved = last.window !== next.window || last.second !== next.second
    || last.inverted !== next.inverted;
  if (windowMoved && !state.counted) conduct.window++;
  if (last.shown !== next.shown) conduct.mask++;
  conduct.zoom = Math.max(conduct.zoom, magnification(measure(state), next));
}

function obeyOn(state: State, command: Command): boolean {
  if (!state.display || !state.exhibit) return false;
  state.counted = false;
  if (command.kind === "lesion") return jump(state, command.by);
  const next = obey(measure(state), state.display, command);
  if (next) change(state, next);
  return next !== null;
}

/** To the next lesion of the active pane's mask; where nothing is marked, nowhere. */
function jump(state: State, by: 1 | -1): boolean {
  const { exhibit, display, lesion, active } = state;
  const lesions = findLesions(exhibit!.items[active].mask);
  state.conduct.lesions++;
  state.lesion = nextLesion(lesions, lesion, display!.at, display!.plane, by);
  change(state, state.lesion ? goTo(measure(state), display!, state.lesion.middle) : display!);
  return true;
}

function apply(state: State, display: Display, { plane, slice, preset: name, ...rest }: Change): Display {
  const setting = measure(state);
  state.counted = false;
  let next: Display = plane ? turned(setting, display, plane) : display;
  if (name) next = preset(setting, next, name);
  next = { ...next, ...rest };
  return slice === undefined ? next : goToSlice(setting, next, slice);
}

/** True when that changes anything; held keys repeat. */
function holdMask(state: State, hidden: boolean): boolean {
  if (state.held === hidden) return false;
  state.held = hidden;
  if (hidden) state.conduct.mask++;
  return true;
}

function label(state: State, active: number, words: readonly string[]): void {
  const moved = state.active !== active && state.exhibit?.items[active];
  Object.assign(state, { words }, moved ? { active, lesion: null } : {});
  nameShown(state);
  if (moved) state.changed();
}

function nameShown(state: State): void {
  const items = state.exhibit?.items ?? [];
  const several = items.length > 1;
  for (const { role, pane } of state.shown) {
    const active = several && !role.second && role.item === state.active;
    pane.name(wordsOf(role, items, state.words), active, !role.second && several, role.plane);
  }
}

function seen(state: State): Seen | null {
  const { display, exhibit, active, lesion } = state;
  if (!display || !exhibit) return null;
  const { volume, presets } = exhibit.items[0];
  const lesions = findLesions(exhibit.items[active].mask);
  return {
    ...display,
    slice: sliceOf(display, display.plane),
    slices: volume.shape[axesOf(display.plane).through],
    preset: presetOf({ presets }, display),
    lesions: lesions.length,
    lesion: lesion && inOrder(lesions, display.plane).indexOf(lesion) + 1,
    active,
  };
}

/** Makes the panes that the case and the display ask for; keeps those that fit. */
function arrange(state: State): void {
  const three = state.display?.three ?? false;
  const roles = rolesOf(state.exhibit, three);
  const fits = roles.length === state.shown.length
    && roles.every((role, i) => sameRole(role, state.shown[i].role));
  if (!fits) {
    for (const { pane } of state.shown) pane.close();
    state.shown = roles.map((role) => {
      const pane: Pane = makePane(gesturesOf(state, role, () => pane), () => draw(state));
      return { role, pane };
    });
    state.grid.replaceChildren(...state.shown.map(({ pane }) => pane.element));
    state.grid.dataset.layout = layoutOf(state.shown.length, three);
  }
  nameShown(state);
}

function gesturesOf(state: State, role: Role, pane: () => Pane) {
  const act = (next: (setting: Setting, display: Display) => Display) => {
    if (state.display) change(state, next(measure(state, pane()), state.display));
  };
  const drag = role.second ? secondWindowed : windowed;
  return {
    press: () => {
      state.counted = false;
      if (!role.second) choose(state, role.item);
      if (role.plane && role.plane !== state.display?.plane) act((_, display) => ({ ...display, plane: role.plane! }));
    },
    scroll: (by: number) => act((setting, display) =>
      goToSlice(setting, display, sliceOf(display, display.plane) + by)),
    zoom: (factor: number, at: { x: number; y: number }) =>
      act((setting, display) => zoomed(setting, display, factor, at)),
    pan: (dx: number, dy: number) => act((setting, display) => panned(setting, display, dx, dy)),
    window: (dx: number, dy: number) => {
      act((setting, display) => drag(setting, display, dx, dy));
      state.counted = true;
    },
    tap: (at: { x: number; y: number }) => {
      if (role.plane && !role.second) act((setting, display) => pointedAt(setting, display, at));
    },
  };
}

function choose(state: State, item: number): void {
  if ((state.exhibit?.items.length ?? 0) > 1 && item !== state.active) state.chosen(item);
}

function draw(state: State): void {
  const { display, exhibit, held, conduct } = state;
  conduct.seen ||= display !== null && display.shown && !held;
  for (const { role, pane } of state.shown) {
    pane.show(exhibit && display && showingOf(role, exhibit, display, pane.size(), !held));
  }
}

function oncePerFrame(draw: () => void): () => void {
  let awaited = false;
  return () => {
    if (awaited) return;
    awaited = true;
    requestAnimationFrame(() => {
      awaited = false;
      draw();
    });
  };
}
