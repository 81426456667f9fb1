// What axe finds on a page.

import assert from "node:assert/strict";
import axe from "axe-core";

/** Asserts that axe finds nothing wrong with a page, and that it looked at the contrast of its words. */
export async function assertAccessible(page, what) {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(found, [], what);
  assert.ok(
    passes.some(({ id }) => id === "color-contrast"),
    `${what}: contrast was looked at`,
  );
}
