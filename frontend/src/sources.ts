// Asks, mask by mask and after all scores, what the rater thinks drew it.
import { ask, isAbort, sendGuess, type Presentation } from "./api";
import { makeControls, type Controls } from "./controls";
import { make } from "./dom";
import { makeFoot } from "./foot";
import { listenToKeys } from "./keyboard";
import { listImageKeys, type Command } from "./keys";
import { largestLesion } from "./lesions";
import { openShelf } from "./loading";
import { openPanes, type Panes } from "./panes";
import { makeCard, openKeySheet } from "./sheets";

interface Words {
  readonly key: string | number;
  readonly text: string;
}

interface Asked {
  readonly title: string;
  readonly state: "off" | "early" | "open" | "done" | "closed";
  readonly done: number;
  readonly total: number;
  /** Key of a session that is not signed off; empty when all are. */
  readonly unsigned: string;
  readonly choices: readonly Words[];
  readonly sure: readonly Words[];
  readonly current: Presentation | null;
  readonly ahead: Presentation | null;
}

const UNSIGNED = "Thank you: these were all questions. One thing is left: your sign-off.";
const ENDS = {
  off: "This study asks nothing about the sources of the masks.",
  early: "This is asked when all your scores are final. Finish the rating first.",
  done: "Thank you: that was all. You can close this page.",
  closed: "This study is closed; nothing more can be answered.",
};

export async function openSources(root: HTMLElement): Promise<void> {
  const { api = "", room = "" } = root.dataset;
  const panes = openPanes(() => controls.show(panes.display()), () => undefined);
  const controls: Controls = makeControls({
    command: (command) => void panes.obey(command), set: (change) => panes.set(change),
  });
  const shelf = openShelf();
  let rail: Rail | null = null;
  const leave = () => location.assign(room);
  const help = () => openKeySheet(keyCard(rail?.asked ?? null));
  listenToKeys({
    obey: (command) => void (panes.obey(command) || answer(command)),
    release: () => panes.hold(false),
    toImage: () => panes.focus(),
    escape: () => panes.focus(),
  });

  function answer(command: Command): void {
    if (command.kind === "digit") return rail?.pick(command.value);
    if (command.kind === "confirm") return rail?.confirm();
    if (command.kind === "hide") return panes.hold(true);
    if (command.kind === "pause") return leave();
    if (command.kind === "help") return help();
  }

  async function next(): Promise<void> {
    try {
      const asked = (await (await ask(`${api}guesses`)).json()) as Asked;
      if (asked.state !== "open" || !asked.current) return tell(asked);
      panes.clear();
      const items = [asked.current, ...(asked.ahead ? [asked.ahead] : [])];
      shelf.keepOnly(items);
      const foot = makeFoot(["Pause", "P", leave], ["Keys", "?", help]);
      rail = makeRail(asked, asked.current, next, controls.element, foot);
      root.replaceChildren(panes.element, rail.element);
      const loaded = await shelf.load(asked.current, panes.furniture.showLoading);
      panes.furniture.showLoading(null);
      panes.show(loaded, asked.current);
      // rating opens as the image alone says; here the mask is what is asked about
      const largest = largestLesion(loaded[0].mask);
      if (largest) panes.set({ at: largest.middle });
      panes.focus();
      if (asked.ahead) void shelf.load(asked.ahead).catch(() => undefined);
    } catch (error) {
      if (!isAbort(error)) fail(error, panes);
    }
  }

  function tell(asked: Asked): void {
    rail = null;
    const state = asked.state === "open" ? "done" : asked.state;
    const sign = state === "done" && asked.unsigned !== "";
    root.replaceChildren(make("div", { class: "page" }, make("h1", {}, asked.title),
      make("p", { class: "lead" }, sign ? UNSIGNED : ENDS[state]),
      make("div", { class: "go" }, sign
        ? make("a", { class: "primary", href: `/rate/${asked.unsigned}/` }, "Sign off")
        : make("a", { class: "plain", href: room }, "Back to the rating room"))));
  }

  function fail(error: unknown, shown: Panes): void {
    if (!(error instanceof Error)) throw error;
    root.replaceChildren(shown.element);
    shown.furniture.say(error.message, { label: "Try again", act: () => void next() });
  }

  await next();
}

/** The digits of the two questions, then the keys of the image. */
function keyCard(asked: Asked | null): HTMLElement {
  const [sources, sure] = [asked?.choices.length ?? 0, asked?.sure.length ?? 0];
  return makeCard([
    [`1–${sources}`, "choose what drew the mask"],
    [`${sources + 1}–${sources + sure}`, "say how sure you are"],
    ...listImageKeys(),
  ]);
}

interface Rail {
  readonly element: HTMLElement;
  readonly asked: Asked;
  /** A digit: first the sources from 1, then how sure one is. */
  pick(digit: number): void;
  confirm(): void;
}

/** The question beside the image; a guess is sent when confirmed, and is final then. */
function makeRail(
  asked: Asked,
  shown: Presentation,
  next: () => Promise<void>,
  view: HTMLElement,
  foot: HTMLElement,
): Rail {
  const button = make("button", { type: "button", class: "confirm", onclick: () => void send() },
    make("span", {}, "Confirm"), make("kbd", {}, "Enter"));
  const notice = make("div", { class: "notice", role: "alert" });
  const hint = make("p", { class: "hint", role: "status" });
  const source = makeScale("source", "What do you think drew this mask?", asked.choices, 1, showReady);
  const sure = makeScale("sure", "How sure are you? (optional)", asked.sure, 1 + asked.choices.length, showReady);
  let sending = false;
  showReady();

  function showReady(): void {
    const ready = source.chosen() !== null && !sending;
    button.setAttribute("aria-disabled", String(!ready));
  }

  async function send(): Promise<void> {
    const guess = source.chosen();
    if (sending) return;
    if (guess === null) return void (hint.textContent = "Choose an answer first.");
    sending = true;
    showReady();
    try {
      await sendGuess(shown.items[0].token, { guess, confidence: sure.chosen() });
      await next();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      notice.replaceChildren(make("p", {}, `Not stored. ${error.message}`));
      sending = false;
      showReady();
    }
  }

  const bar = make("span");
  bar.style.width = `${(100 * asked.done) / Math.max(1, asked.total)}%`;
  const place = make("div", { class: "position" },
    make("p", {}, make("strong", {}, `Source ${asked.done + 1} / ${asked.total}`)),
    make("div", { class: "track", "aria-hidden": "true" }, bar));
  const element = make("section", { class: "rail", "aria-label": "Source" },
    make("h1", { class: "hidden" }, "Last questions"),
    make("div", { class: "rail-body" }, place,
      make("p", { class: "aside" }, "The masks come from different sources. Your scores are final and stay as they are."),
      notice, source.element, sure.element, hint, make("div", { class: "submit" }, button), view),
    foot);
  return {
    element,
    asked,
    pick: (digit) => void (source.pick(digit) || sure.pick(digit)),
    confirm: () => void send(),
  };
}

/** Radio buttons numbered from `first`, as the digits choose them. */
function makeScale(name: string, legend: string, words: readonly Words[], first: number, changed: () => void) {
  const inputs = words.map(({ key }) => make("input", { type: "radio", name, value: String(key), onchange: changed }));
  const rows = words.map(({ text }, i) => make("label", { class: "score" }, inputs[i],
    make("span", { class: "number" }, String(first + i)), make("span", { class: "anchor" }, text)));
  return {
    element: make("fieldset", { class: "in-rows worded" }, make("legend", {}, legend),
      make("div", { class: "points" }, ...rows)),
    chosen(): string | number | null {
      const at = inputs.findIndex((input) => input.checked);
      return at < 0 ? null : words[at].key;
    },
    pick(digit: number): boolean {
      const input = inputs[digit - first];
      if (!input) return false;
      input.checked = true;
      changed();
      return true;
    },
  };
}
