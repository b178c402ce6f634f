// What each pane is for and shows: which mask or series, in which plane. Pure functions.
import {
  middleOf,
  sliceOf,
  viewOf,
  type Display,
  type Opening,
  type Setting,
} from "./display";
import { axesOf, PLANES, type Plane } from "./geometry";
import { linkSecond } from "./linking";
import type { Loaded } from "./loading";
import type { Showing } from "./pane";
import type { Size } from "./view";

/** What is on show: masks of one image, and how it is opened. */
export interface Exhibit {
  readonly items: readonly Loaded[];
  readonly opening: Opening;
}

/** What a pane is for: an item in a plane, or the second series in it. */
export interface Role {
  /** Null for the plane that X chooses. */
  readonly plane: Plane | null;
  readonly item: number;
  readonly second: boolean;
}

/** Every pane has words or none has, so that pictures lie at the same height. */
const OTHER = "Other series";
const RATED = "Series with the mask";

/** What the panes, or the masks in turn, are called. */
export function nameItems(count: number): string[] {
  const names = count === 2 ? ["Left", "Right"] : ["Left", "Middle", "Right"];
  return count <= 3 ? names : Array.from({ length: count }, (_, i) => `Image ${i + 1}`);
}

/** The words above a pane; `words` are those of the items. */
export function wordsOf(role: Role, items: readonly Loaded[], words: readonly string[]): string {
  if (role.second) return OTHER;
  if (items.length > 1) return words[role.item] ?? "";
  return items[0]?.context ? RATED : "";
}

export function rolesOf(exhibit: Exhibit | null, three: boolean): Role[] {
  const items = exhibit?.items ?? [null];
  const planes = three ? PLANES : [null];
  return [
    ...items.flatMap((_, item) => planes.map((plane) => ({ plane, item, second: false }))),
    ...(items[0]?.context ? planes.map((plane) => ({ plane, item: 0, second: true })) : []),
  ];
}

export function sameRole(a: Role, b: Role): boolean {
  return a.plane === b.plane && a.item === b.item && a.second === b.second;
}

/** Panes in a row and rows, as the style sheet lays them out. */
export function layoutOf(panes: number, three: boolean): string {
  const planes = three ? PLANES.length : 1;
  const each = panes / planes;
  return planes === 1 ? `${each}x1` : each === 1 ? "2x2" : `3x${each}`;
}

export function caseOf(item: Loaded, opening: Opening): Omit<Setting, "screen"> {
  const { volume, presets, context } = item;
  return { volume, presets, second: context?.presets ?? presets, opening };
}

export function settingOf({ items, opening }: Exhibit, screen: Size): Setting {
  return { ...caseOf(items[0], opening), screen };
}

/** `masked` unless the mask is hidden for a moment, whatever the display says. */
export function showingOf(
  role: Role,
  exhibit: Exhibit,
  display: Display,
  screen: Size,
  masked: boolean,
): Showing | null {
  const plane = role.plane ?? display.plane;
  const setting = settingOf(exhibit, screen);
  const view = viewOf(setting, display, plane);
  if (role.second) return secondOf(setting, display, plane, view, exhibit.items[0]);
  return {
    ...display,
    volume: setting.volume,
    plane,
    slice: sliceOf(display, plane),
    mask: display.shown && masked ? exhibit.items[role.item].mask : null,
    colour: `--${display.colour}`,
    view,
  };
}

/** The second series at the same place; nothing where it does not reach. */
function secondOf(
  { volume }: Setting,
  display: Display,
  plane: Plane,
  view: Showing["view"],
  { context }: Loaded,
): Showing | null {
  const { across, down, mirrored } = axesOf(plane, display.convention);
  const picture = [across, down].map((axis) => volume.shape[axis] * volume.spacing[axis]);
  const place: [number, number, number] = [...middleOf(volume, display.at)];
  place[across] = mirrored ? view.x : picture[0] - view.x;
  place[down] = picture[1] - view.y;
  const linked = linkSecond(volume, context!.volume, place, view.scale, plane, display.convention);
  return linked && {
    ...display, ...linked, plane, volume: context!.volume, window: display.second, mask: null,
    colour: "",
  };
}
