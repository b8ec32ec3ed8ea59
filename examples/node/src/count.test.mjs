import assert from "node:assert";
import test from "node:test";
import { count } from "./count.mjs";

test("counts words, not blanks", () => {
  assert.equal(count(" one  two\nthree "), 3);
  assert.equal(count(" \n"), 0);
});
