// Prints how many words standard input has; with --version what it is.
import { readFileSync } from "node:fs";
import { count } from "./count.mjs";

if (process.argv[2] === "--version") {
  const { name, version } = JSON.parse(readFileSync(new URL("about.json", import.meta.url), "utf8"));
  console.log(name, version);
} else {
  console.log(count(readFileSync(0, "utf8")));
}
