// Finds all files of what was chosen or dropped, folders included, with their paths.

export interface Chosen {
  readonly file: File;
  readonly path: string;
}

export function fromInput(files: FileList): Chosen[] {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** Entries must be taken before the first await: the browser empties the drop. */
export async function fromDrop(data: DataTransfer): Promise<Chosen[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry());
  const loose = [...data.files];
  const found: Chosen[] = [];
  for (const entry of entries) if (entry) await walk(entry, found);
  return found.length ? found : loose.map((file) => ({ file, path: file.name }));
}

async function walk(entry: FileSystemEntry, found: Chosen[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => {
      (entry as FileSystemFileEntry).file(resolve, reject);
    });
    found.push({ file, path: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // a reader gives at most a hundred entries at a time
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (!some.length) return;
    for (const one of some) await walk(one, found);
  }
}
