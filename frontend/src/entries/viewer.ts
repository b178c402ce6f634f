// Opens the desk's viewer of a case's masks in the page's #room element.
import { openViewer } from "../viewer";

void openViewer(document.getElementById("room")!);
