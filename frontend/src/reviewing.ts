// The rater's own answers by number, to be changed until they are signed off.
import { signSession, type Rated, type StudyInfo } from "./api";
import { make, setText } from "./dom";
import { nameItems } from "./exhibit";
import { sayAnswer } from "./rating";

/** Numbers and answers alone: nothing here tells which items are of one case. */
export function reviewList(
  study: StudyInfo,
  given: readonly Rated[],
  open: (rated: Rated) => void,
): HTMLElement {
  const head = make("thead", {}, make("tr", {},
    make("th", { scope: "col" }, "Item"), make("th", { scope: "col" }, "Your answer"),
    make("th", { scope: "col" }, make("span", { class: "hidden" }, "Action"))));
  const rows = given.map((rated) => make("tr", {},
    make("th", { scope: "row" }, String(rated.position)),
    make("td", {}, ...sayGiven(study, rated)),
    make("td", {}, make("button", {
      type: "button", class: "plain", onclick: () => open(rated),
    }, "Look again", make("span", { class: "hidden" }, ` at item ${rated.position}`)))));
  return make("table", { class: "given" }, head, make("tbody", {}, ...rows));
}

function sayGiven(study: StudyInfo, rated: Rated): HTMLElement[] {
  const names = rated.given.length > 1 ? nameItems(rated.given.length) : [""];
  return rated.given.flatMap((one, i) => study.questions.map(({ key, text }) => {
    const about = [names[i], study.questions.length > 1 && text].filter(Boolean).join(", ");
    const changed = one.revision > 1 ? " (changed)" : "";
    const said = sayAnswer(one, key, study.scale) + changed;
    return make("p", {}, about && make("span", { class: "soft" }, `${about}: `), said);
  }));
}

/** The rater's word that a session is complete; the password stands for the hand. */
export function signForm(base: string, revisable: boolean, signed: () => void): HTMLElement {
  const password = make("input", {
    type: "password", id: "password", autocomplete: "current-password", required: true,
  });
  const state = make("p", { class: "hint", role: "status" });
  const submit = make("button", { type: "submit", class: "primary" }, "Sign off this session");
  const form = make("form", { class: "sign" },
    make("h2", {}, "Sign off"),
    make("p", { class: "prose" }, revisable
      ? "With your password you confirm that this session is complete. Its scores can no longer be changed after that."
      : "With your password you confirm that this session is complete and its scores are yours."),
    make("label", { for: "password" }, "Password"), password, state, submit);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit.disabled = true;
    setText(state, "Signing…");
    signSession(base, password.value).then(signed, (error: Error) => {
      submit.disabled = false;
      password.value = "";
      setText(state, error.message);
      password.focus();
    });
  });
  return form;
}
