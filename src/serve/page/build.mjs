// Makes the page's files:   node build.mjs FOLDER           index.html, app.js, style.css, icon.svg
//                           node build.mjs --tests FOLDER   the unit tests, for `node --test FOLDER`
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [first, second] = process.argv.slice(2);
const tests = first === "--tests";
const folder = tests ? second : first;
if (!folder) {
  console.error("usage: node build.mjs [--tests] FOLDER");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

const common = { bundle: true, outdir: folder, absWorkingDir: here, logLevel: "warning", charset: "utf8" };
if (tests) {
  const sources = readdirSync(here).filter((name) => name.endsWith(".test.ts"));
  await build({ ...common, entryPoints: sources, platform: "node", format: "esm", target: "node18",
                outExtension: { ".js": ".mjs" } });
} else {
  await build({ ...common, entryPoints: ["app.ts", "style.css"], format: "esm", target: "es2022", minify: true });
  for (const name of ["index.html", "icon.svg"]) {
    copyFileSync(join(here, name), join(folder, name));
  }
}
