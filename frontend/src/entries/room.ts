// Opens the rating room in the page's #room element.
import { openRoom } from "../room";

void openRoom(document.getElementById("room")!);
