// Tells of scores that the server will never store, on every page, until they were noted.
import type { StudyInfo } from "./api";
import { make } from "./dom";
import type { Outbox } from "./outbox";
import { pin } from "./pinning";
import { sayAnswer } from "./rating";
import type { Entry } from "./store";

export interface Refusals {
  /** Makes the notice agree with what the outbox holds. */
  check(): Promise<void>;
}

/** Without a study the browser's user is not known to be the rater, and nothing is told. */
export function watchRefusals(
  root: HTMLElement,
  outbox: Pick<Outbox, "refused" | "settle">,
  study: () => StudyInfo | null,
): Refusals {
  const element = make("div", { class: "notice pinned refusals", role: "alert" });
  const pinned = pin(root, element);
  const check = async () => {
    const entries = await outbox.refused();
    const known = study();
    if (known && entries.length) element.replaceChildren(...describe(entries, known, dismiss(entries)));
    pinned.show(known !== null && entries.length > 0);
  };
  const dismiss = (entries: readonly Entry[]) => async () => {
    for (const entry of entries) await outbox.settle(entry);
    await check();
  };
  return { check };
}

function describe(entries: readonly Entry[], study: StudyInfo, dismiss: () => void): HTMLElement[] {
  const { title, remedy } = sayRefusals(entries.length, study.contact);
  const rows = entries.map((entry) => make("li", {},
    make("strong", {}, sayScore(entry, study)),
    entry.body.comment && make("q", {}, entry.body.comment),
    make("span", {}, entry.refused)));
  return [
    make("p", {}, title), make("ul", {}, ...rows), make("p", {}, remedy),
    make("button", { type: "button", class: "plain", onclick: dismiss }, "I have noted this"),
  ];
}

export function sayRefusals(count: number, contact: string) {
  const many = count > 1;
  return {
    title: many ? `${count} scores were not stored.` : "A score was not stored.",
    remedy: `If ${many ? "they" : "it"} should count, write this to the coordinator${
      contact && ` (${contact})`}.`,
  };
}

/** "Item 3, left: 4 good", and each question by name where there are several. */
export function sayScore(
  { place = "An item", body }: Entry,
  { questions, scale }: Pick<StudyInfo, "questions" | "scale">,
): string {
  const several = questions.length > 1;
  const said = questions.filter(({ key }) => key in body.answers).map(({ key, text }) =>
    `${several ? `${text} ` : ""}${sayAnswer(body, key, scale)}`);
  return `${place}: ${said.join("; ")}`;
}
