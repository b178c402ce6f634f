// Which of the chosen files are volumes, zips or texts, and which folders hold no volume.
import type { Chosen } from "./gathering";
import { nameAll } from "./sending";

export const SMALL = 5 * 2 ** 20;
export const VOLUME = /\.nii(\.gz)?$/i;
export const ARCHIVE = /\.zip$/i;
export const TEXT = /\.(json|csv|tsv|xlsx)$/i;

export const isArchive = ({ path }: Chosen): boolean => ARCHIVE.test(path);

/** A small table or sidecar, which is read while the set is planned. */
export const isText = ({ path, file }: Chosen): boolean => TEXT.test(path) && file.size <= SMALL;

/** A single file that is no image is sent all the same, to be told why not. */
export const isOther = ({ path }: Chosen): boolean =>
  !path.includes("/") && ![VOLUME, ARCHIVE, TEXT].some((kind) => kind.test(path));

/** What holds nothing to be sent and of which the plan said nothing, by its name. */
export function findEmpty(chosen: readonly Chosen[], told: ReadonlySet<string>): string[] {
  const folders = new Map<string, Chosen[]>();
  for (const one of chosen.filter(({ path }) => path.includes("/"))) {
    const name = one.path.split("/")[0]!;
    folders.set(name, [...folders.get(name) ?? [], one]);
  }
  const nothing = told.size === 0 && !chosen.some((one) => isArchive(one) || isOther(one));
  const empty = [...folders].filter(([, held]) =>
    !held.some(({ path }) => VOLUME.test(path) || ARCHIVE.test(path) || told.has(path))
    // sidecars alone in a folder of their own belong to images beside it
    && (nothing || held.some(({ path }) => !TEXT.test(path) && !/\/\./.test(path))));
  if (empty.length || !nothing) return empty.map(([name]) => name);
  return chosen.length && !chosen.some(({ path }) => VOLUME.test(path)) ? [nameAll(chosen)] : [];
}
