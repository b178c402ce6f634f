// Bundles every frontend/src/entries/NAME.ts to static/dist/NAME.js and reports sizes.
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const entries = join(here, "src", "entries");
const out = join(here, "..", "static", "dist");
const limits = { "room.js": 30_000 };

await build({
  absWorkingDir: here,
  entryPoints: readdirSync(entries)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join("src", "entries", name)),
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
});

for (const file of readdirSync(out).filter((name) => name.endsWith(".js")).sort()) {
  const size = gzipSync(readFileSync(join(out, file)), { level: 9 }).length;
  console.log(`${basename(file)}: ${size} bytes gzipped`);
  if (size > (limits[file] ?? Infinity)) {
    console.error(`${file} is over its limit of ${limits[file]} bytes gzipped.`);
    process.exitCode = 1;
  }
}
