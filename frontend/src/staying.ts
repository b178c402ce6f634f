// Warns before the sign-in ends by itself, and prolongs it by one key or click.
import { prolongSignIn, readSignIn, RequestError } from "./api";
import { make, setText } from "./dom";
import { pin } from "./pinning";

export interface SignIn {
  /** Asks the server again how long it lasts: another window may have prolonged it. */
  check(): void;
  prolong(): void;
}

/** Time enough to finish an item first, in seconds. */
const NOTICE = 300;
/** A failed question is asked again after so many seconds. */
const AGAIN = 60;

/** What is safe when the sign-in ends, in words, and the key that prolongs it. */
export interface Comfort {
  readonly soon: string;
  readonly over: string;
  readonly key: string;
}

const IN_THE_ROOM: Comfort = {
  soon: "What you have chosen is kept.",
  over: "What you have chosen is kept in this browser.",
  key: "E",
};

export function watchSignIn(
  root: HTMLElement, base: string, signIn: string, comfort = IN_THE_ROOM,
): SignIn {
  const words = make("p");
  const stay = make("button", { type: "button", class: "plain", onclick: () => prolong() },
    "Stay signed in", comfort.key && make("kbd", {}, comfort.key));
  const again = make("a", { class: "plain", href: signIn }, "Sign in");
  const element = make("div", { class: "notice pinned staying", role: "alert" }, words, stay, again);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const pinned = pin(root, element);
  let warned = false;

  const say = (text: string, over = false) => {
    setText(words, text);
    stay.hidden = over;
    again.hidden = !over;
    if (warned) return;
    warned = true;
    pinned.show(true);
  };
  const wait = (seconds: number, then = check) => {
    clearTimeout(timer);
    timer = setTimeout(then, 1000 * Math.max(1, seconds));
  };

  function hear(left: number): void {
    if (left > NOTICE) {
      warned = false;
      pinned.show(false);
      return wait(left - NOTICE);
    }
    const end = new Date(Date.now() + 1000 * left);
    const time = end.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    say(`You will be signed out at ${time}. ${comfort.soon}`);
    wait(left);
  }

  function stumble(error: unknown): void {
    if (!(error instanceof RequestError)) throw error;
    if (error.failure === "refused") return;
    if (error.failure !== "signed-out") return wait(AGAIN);
    // Who was not warned is told when something is to be sent.
    if (warned) say(`You are signed out. ${comfort.over}`, true);
  }

  function check(): void {
    readSignIn(base).then(hear, stumble);
  }

  function prolong(): void {
    if (warned) prolongSignIn(base).then(hear, stumble);
  }

  check();
  return { check, prolong };
}
