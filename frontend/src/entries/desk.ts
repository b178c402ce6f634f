// Wakes the parts of a desk page that need more than the browser's own behaviour.
import { wakePage } from "../desk/page";

wakePage(document);
// A refused form can stand far down a long page: go to the first field that is wrong.
document.querySelector<HTMLElement>(".field-wrong :is(input, select, textarea)")?.focus();
