// 16: 390 px, 400 %, German, the language of tests, dark, forced colours, paper: nothing wider than its place, no text hidden.
import assert from "node:assert/strict";
import { base, facts, isAccessible, picture, scenario, signIn } from "./harness.mjs";

const places = [
  "", "batches", "batches/Staff", "batches/Staff?user=first", "endpoints", "users", "settings", "batches/Staff/settings", "batches/Staff/skipped", "batches/Staff/reports",
  "batches/Staff/fix",
];

/** Texts that are not in the files of words: neither data nor the service's own sentences. */
const untranslated = () => {
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const isData = walker.currentNode.parentElement?.closest("bdi, code, option, .brand, noscript, [lang=en]:not(html), .top .wide, td, dd, time, .number, [title], .facts");
    if (/\p{Letter}{2}/u.test(text) && !isData && !text.includes("[") && !text.includes("~~~")) texts.push(text);
  }
  return texts;
};

/** Elements that are wider than the window, outside of what scrolls by itself. */
const tooWide = () => {
  const wide = [...document.querySelectorAll("body *")].filter((it) => !it.closest(".scroller, .quote, .wide-table, .unseen, .skip") && it.getBoundingClientRect().right > innerWidth + 1);
  return [document.documentElement.scrollWidth > innerWidth ? `the page: ${document.documentElement.scrollWidth} of ${innerWidth}` : "", ...wide.map((it) => it.outerHTML.slice(0, 120))].filter(Boolean);
};

const visit = async (page, place, query = "") => {
  const address = new URL(`${base}/console/${place.replace("user=first", "")}`);
  if (query) address.searchParams.set("language", query);
  if (place.endsWith("first")) {
    address.searchParams.set("user", facts.guid);
  }
  await page.goto(address.href);
  await page.locator(".lamp.good").waitFor();
  await page.locator(place.endsWith("first") ? ".drawer .pairs" : place.endsWith("/fix") ? ".fixes tbody tr" : ".facts, .rows, main .panel").first().waitFor();
  if (/^batches.Staff(\?|$)/.test(place)) await page.locator(".rows tbody a").first().waitFor();
};

await scenario("looks", async ({ page }) => {
  await signIn(page, facts.token);
  await page.goto(`${base}/console/batches/Staff?status=Failed`);
  const failed = page.getByRole("link", { name: "user2@contoso.edu" });
  await failed.click();
  facts.guid = new URL(page.url()).searchParams.get("user");
  for (const [name, size] of [["desktop", { width: 1280, height: 860 }], ["phone", { width: 390, height: 844 }], ["zoomed", { width: 320, height: 256 }]]) {
    await page.setViewportSize(size);
    for (const [at, place] of places.entries()) {
      await visit(page, place);
      await picture(page, `${name}-${at}`);
      assert.deepEqual(await page.evaluate(tooWide), [], `${name} ${place}`);
    }
    if (name === "phone") await isAccessible(page);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  for (const [at, place] of places.entries()) {
    await visit(page, place, "de");
    assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
    await picture(page, `german-${at}`);
    assert.deepEqual(await page.evaluate(tooWide), [], `German ${place}`);
    await visit(page, place, "xx");
    assert.deepEqual(await page.evaluate(untranslated), [], `language of tests ${place}`);
    assert.deepEqual(await page.evaluate(tooWide), [], `language of tests ${place}`);
  }
  await page.setViewportSize({ width: 1280, height: 860 });
  await page.emulateMedia({ colorScheme: "dark" });
  for (const [at, place] of places.entries()) {
    await visit(page, place);
    await picture(page, `dark-${at}`);
  }
  await page.emulateMedia({ forcedColors: "active" });
  await visit(page, "batches/Staff");
  await picture(page, "forced-colours");
  await page.emulateMedia({ forcedColors: "none", media: "print" });
  assert.equal(await page.locator(".nav").isVisible(), false);
  assert.equal(await page.getByRole("table").isVisible(), true);
  await picture(page, "print");
  await page.emulateMedia({ media: "screen" });
});
