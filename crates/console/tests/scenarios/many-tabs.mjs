// 7: eight tabs share one stream of events; the tab that reads it is closed, and the others go on.
import assert from "node:assert/strict";
import { base, facts, keepsPolicy, scenario, signIn, world } from "./harness.mjs";

await scenario("many-tabs", async ({ page }) => {
  const streams = [];
  page.context().on("request", (it) => it.url().includes("/api/v1/events") && streams.push(it));
  await signIn(page, facts.token);
  const tabs = [page];
  while (tabs.length < 8) {
    const tab = await page.context().newPage();
    await tab.goto(`${base}/console/batches`);
    await tab.locator(".lamp.good").waitFor();
    tabs.push(tab);
  }
  await page.goto(`${base}/console/batches`);
  const shows = (list, name) => Promise.all(list.map((tab) => tab.getByRole("link", { name, exact: true }).first().waitFor()));
  await world("batch of one", "Second", "user2");
  await shows(tabs, "Second");
  // The page that signed in was the reader, and its new address made another tab the reader.
  assert.ok(streams.length <= 3, `${streams.length} streams`);
  const reader = streams.at(-1).frame().page();
  assert.notEqual(reader, page);
  await reader.close();
  const others = tabs.filter((it) => it !== reader);
  assert.equal(others.length, 7);
  await world("batch of one", "Third", "user3");
  await shows(others, "Third");
  assert.ok(streams.length <= 4, `${streams.length} streams`);
  // All of them notice that the service is away, and that it is back.
  await world("kill");
  await Promise.all(others.map((tab) => tab.locator(".lamp:not(.good)").waitFor()));
  await world("start");
  await Promise.all(others.map((tab) => tab.locator(".lamp.good").waitFor()));
  await world("batch of one", "Fourth", "user4");
  await shows(others, "Fourth");
  for (const tab of others) await keepsPolicy(tab);
});
