// How one case is displayed, and what each command makes of that. Pure functions.
import {
  acquisitionPlane,
  axesOf,
  middleSlice,
  pictureSize,
  pixelSize,
  PLANES,
  type Axis,
  type Convention,
  type Plane,
} from "./geometry";
import type { Command } from "./keys";
import type { Triple, Volume } from "./volume";
import { fitView, panView, pointUnder, zoomView, type Point, type Size, type View } from "./view";
import { dragWindow, PRESETS, type Preset, type Presets, type Window } from "./window";

export type MaskStyle = "both" | "outline" | "fill";

export const STYLES: readonly MaskStyle[] = ["both", "outline", "fill"];

/** Colours that differ to every kind of colour vision, and from grey. */
export type Colour = "orange" | "sky" | "yellow" | "green" | "purple";

export const COLOURS: readonly Colour[] = ["orange", "sky", "yellow", "green", "purple"];

/** The rater's taste, one for all masks; it stays from case to case. */
export interface Taste {
  readonly style: MaskStyle;
  readonly opacity: number;
  readonly colour: Colour;
  readonly smooth: boolean;
  readonly convention: Convention;
}

/** One display serves every pane, so that panes cannot but be linked. */
export interface Display extends Taste {
  /** The plane that keys and sliders act on. */
  readonly plane: Plane;
  /** All three planes are shown. */
  readonly three: boolean;
  /** The slice along each axis of the volume. */
  readonly at: Triple;
  readonly window: Window;
  /** The window of the second series. */
  readonly second: Window;
  readonly inverted: boolean;
  readonly shown: boolean;
  readonly zoom: Zoom;
}

/** The whole picture, the protocol's square of it, or what the rater made of it. */
export type Zoom = "whole" | "close" | Free;

export interface Free {
  /** Screen pixels per mm. */
  readonly scale: number;
  /** What is at the middle of the screen, in mm from the volume's first corner. */
  readonly centre: Triple;
}

/** How the protocol has each case opened; the same whatever is marked on it. */
export interface Opening {
  readonly plane: Plane | "auto";
  /** Side in mm of the square around the image's centre to show at first; 0 for all. */
  readonly zoom_mm: number;
}

/** What a display is measured against: the image, its windows, the pane's size. */
export interface Setting {
  readonly volume: Volume;
  readonly presets: Presets;
  readonly second: Presets;
  readonly opening: Opening;
  readonly screen: Size;
}

export const FIRST_TASTE: Taste = {
  style: "both",
  opacity: 0.3,
  colour: "orange",
  smooth: true,
  convention: "radiological",
};

const KEY_DRAG = 20;
/** Where the protocol names no square, a close look is this part of the image. */
const CLOSE = 1 / 3;

/** The first view of a case: a matter of the image alone, never of its mask. */
export function firstDisplay(setting: Omit<Setting, "screen">, taste: Taste): Display {
  const { volume, presets, second, opening } = setting;
  const { shape, spacing } = volume;
  const plane = opening.plane === "auto" ? acquisitionPlane(shape, spacing) : opening.plane;
  const [x, y, z] = PLANES.map((each) => middleSlice(shape, each));
  return {
    ...taste,
    plane,
    three: false,
    at: [x, y, z],
    window: presets.standard,
    second: second.standard,
    inverted: false,
    shown: true,
    zoom: opening.zoom_mm > 0 ? "close" : "whole",
  };
}

export function sliceOf({ at }: Display, plane: Plane): number {
  return at[axesOf(plane).through];
}

export function sizeInMm(volume: Volume, plane: Plane): Size {
  const voxels = pictureSize(volume.shape, plane);
  const size = pixelSize(volume.spacing, plane);
  return { width: voxels.width * size.width, height: voxels.height * size.height };
}

/** Where the picture of a plane lies in a pane. */
export function viewOf({ volume, opening, screen }: Setting, display: Display, plane: Plane): View {
  const picture = sizeInMm(volume, plane);
  const { zoom } = display;
  if (zoom === "whole") return fitView(picture, screen);
  if (zoom === "close") return fitView(picture, screen, closeSquare(volume, opening));
  const axes = axesOf(plane, display.convention);
  const x = zoom.centre[axes.across];
  return {
    scale: zoom.scale,
    x: axes.mirrored ? x : picture.width - x,
    y: picture.height - zoom.centre[axes.down],
  };
}

function closeSquare({ shape, spacing }: Volume, { zoom_mm }: Opening): number {
  return zoom_mm || CLOSE * Math.max(...shape.map((size, axis) => size * spacing[axis]));
}

/** A picture point of the current slice, in mm from the volume's first corner. */
function placeOf(volume: Volume, display: Display, plane: Plane, { x, y }: Point): Triple {
  const axes = axesOf(plane, display.convention);
  const picture = sizeInMm(volume, plane);
  return changed(middleOf(volume, display.at), [
    [axes.across, axes.mirrored ? x : picture.width - x],
    [axes.down, picture.height - y],
  ]);
}

/** The middle of a voxel in mm from the volume's first corner. */
export function middleOf({ spacing }: Volume, at: Triple): Triple {
  return changed(at, [0, 1, 2].map((axis) => [axis as Axis, (at[axis] + 0.5) * spacing[axis]]));
}

function voxelAt({ shape, spacing }: Volume, place: Triple): Triple {
  const index = (axis: number) => clamp(Math.floor(place[axis] / spacing[axis]), shape[axis]);
  return [index(0), index(1), index(2)];
}

function changed(triple: Triple, entries: readonly (readonly [Axis, number])[]): Triple {
  const copy: [number, number, number] = [...triple];
  for (const [axis, value] of entries) copy[axis] = value;
  return copy;
}

function clamp(index: number, size: number): number {
  return Math.min(size - 1, Math.max(0, index));
}

/** Slices are kept within the image. */
export function goToSlice(setting: Setting, display: Display, slice: number): Display {
  const axis = axesOf(display.plane).through;
  const within = clamp(slice, setting.volume.shape[axis]);
  return { ...display, at: changed(display.at, [[axis, within]]) };
}

/** Goes to a voxel in every plane; what was zoomed is centred on it. */
export function goTo(setting: Setting, display: Display, at: Triple): Display {
  if (display.zoom === "whole") return { ...display, at };
  const { scale } = viewOf(setting, display, display.plane);
  return { ...display, at, zoom: { scale, centre: middleOf(setting.volume, at) } };
}

/** Close at the voxel that the rater went to; at the middle before that. */
function closeLook(setting: Setting, display: Display): Display {
  const close: Display = { ...display, zoom: "close" };
  const { across, down } = axesOf(display.plane);
  const [x, y, z] = PLANES.map((each) => middleSlice(setting.volume.shape, each));
  const middle = [x, y, z];
  const stayed = [across, down].every((axis) => display.at[axis] === middle[axis]);
  return stayed ? close : goTo(setting, close, display.at);
}

/** Every plane goes through the voxel under a point of the active pane. */
export function pointedAt(setting: Setting, display: Display, point: Point): Display {
  const view = viewOf(setting, display, display.plane);
  const under = pointUnder(view, point, setting.screen);
  const at = voxelAt(setting.volume, placeOf(setting.volume, display, display.plane, under));
  return { ...display, at };
}

/** Another plane at the slice last seen there or, when zoomed, through what is centred. */
export function turned(setting: Setting, display: Display, plane: Plane): Display {
  const next: Display = { ...display, plane, three: false };
  if (typeof display.zoom !== "object" || display.three || plane === display.plane) return next;
  const { volume } = setting;
  const centre = placeOf(volume, display, display.plane, viewOf(setting, display, display.plane));
  return { ...next, at: voxelAt(volume, centre), zoom: { ...display.zoom, centre } };
}

/** Sagittal, coronal, axial, all three, and round again. */
function turnedOn(setting: Setting, display: Display): Display {
  if (display.three) return turned(setting, display, PLANES[0]);
  const next = PLANES[PLANES.indexOf(display.plane) + 1];
  return next ? turned(setting, display, next) : { ...display, three: true };
}

function freed(setting: Setting, display: Display, view: View): Display {
  const centre = placeOf(setting.volume, display, display.plane, view);
  return { ...display, zoom: { scale: view.scale, centre } };
}

export function zoomed(setting: Setting, display: Display, factor: number, at?: Point): Display {
  const { screen, volume } = setting;
  const pointer = at ?? { x: screen.width / 2, y: screen.height / 2 };
  const view = viewOf(setting, display, display.plane);
  const picture = sizeInMm(volume, display.plane);
  return freed(setting, display, zoomView(view, factor, pointer, picture, screen));
}

export function panned(setting: Setting, display: Display, dx: number, dy: number): Display {
  const view = viewOf(setting, display, display.plane);
  return freed(setting, display, panView(view, dx, dy, sizeInMm(setting.volume, display.plane)));
}

/** How much larger than the whole picture it is shown. */
export function magnification(setting: Setting, display: Display): number {
  const whole = fitView(sizeInMm(setting.volume, display.plane), setting.screen);
  return viewOf(setting, display, display.plane).scale / whole.scale;
}

export function windowed(setting: Setting, display: Display, dx: number, dy: number): Display {
  return { ...display, window: dragWindow(display.window, setting.presets.standard, dx, dy) };
}

/** The same on the second series, whose values have nothing to do with the first's. */
export function secondWindowed(setting: Setting, display: Display, dx: number, dy: number): Display {
  return { ...display, second: dragWindow(display.second, setting.second.standard, dx, dy) };
}

export function preset(setting: Setting, display: Display, name: Preset): Display {
  return { ...display, window: setting.presets[name], second: setting.second[name] };
}

/** The preset in use, or null once the window was changed by hand. */
export function presetOf({ presets }: Pick<Setting, "presets">, { window }: Display): Preset | null {
  const inUse = [...PRESETS].sort((name) => (name === "standard" ? -1 : 0));
  return inUse.find((name) => presets[name] === window) ?? null;
}

/** The display after a command, or null when the command is not about the image. */
export function obey(setting: Setting, display: Display, command: Command): Display | null {
  switch (command.kind) {
    case "scroll":
      return goToSlice(setting, display, sliceOf(display, display.plane) + command.by);
    case "first":
      return goToSlice(setting, display, 0);
    case "last":
      return goToSlice(setting, display, Infinity);
    case "plane":
      return turnedOn(setting, display);
    case "zoom":
      return zoomed(setting, display, command.by);
    case "fit":
      return { ...display, zoom: "whole" };
    case "close":
      return display.zoom === "whole" ? closeLook(setting, display) : { ...display, zoom: "whole" };
    case "reset":
      return reset(setting, display);
    case "level":
      return windowed(setting, display, 0, command.by * KEY_DRAG);
    case "width":
      return windowed(setting, display, command.by * KEY_DRAG, 0);
    case "preset":
      return preset(setting, display, nextPreset(setting, display));
    case "invert":
      return { ...display, inverted: !display.inverted };
    case "mask":
      return { ...display, shown: !display.shown };
    case "style":
      return { ...display, style: STYLES[(STYLES.indexOf(display.style) + 1) % STYLES.length] };
    case "opacity":
      return { ...display, opacity: clampOpacity(display.opacity + command.by) };
    default:
      return null;
  }
}

/** Window and zoom as the case was opened, on the slice that is shown. */
function reset(setting: Setting, display: Display): Display {
  const { zoom, inverted } = firstDisplay(setting, display);
  return { ...preset(setting, display, "standard"), zoom, inverted };
}

function nextPreset(setting: Setting, display: Display): Preset {
  const now = presetOf(setting, display);
  return now ? PRESETS[(PRESETS.indexOf(now) + 1) % PRESETS.length] : "standard";
}

export function clampOpacity(opacity: number): number {
  return Math.min(1, Math.max(0.1, Math.round(opacity * 10) / 10));
}
