// Whether keys of a single letter or digit act, remembered in this browser.
const NAME = "single-keys";

/** They can be switched off, for who speaks commands or touches keys by chance. */
export function areSingleKeysOn(): boolean {
  try {
    return localStorage.getItem(NAME) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

export function switchSingleKeys(on: boolean): void {
  try {
    localStorage.setItem(NAME, on ? "on" : "off");
  } catch {
    // Then they stay as they are.
  }
}
