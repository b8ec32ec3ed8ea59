// Puts the program, without its tests, and what it needs to know of package.json into a directory.
import { cpSync, readFileSync, writeFileSync } from "node:fs";

const [directory] = process.argv.slice(2);
const { name, version } = JSON.parse(readFileSync("package.json", "utf8"));
cpSync("src", directory, { recursive: true, filter: (path) => !path.endsWith(".test.mjs") });
writeFileSync(`${directory}/about.json`, JSON.stringify({ name, version }) + "\n");
