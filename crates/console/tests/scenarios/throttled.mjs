// 9: an endpoint whose server asked for a pause: until when and why, counted down; others go on; the pause is ended; a budget of a day.
import assert from "node:assert/strict";
import { base, facts, isAccessible, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("throttled", async ({ page }) => {
  await signIn(page, facts.token);
  await page.goto(`${base}/console/endpoints/Old`);
  await page.getByText("as source").waitFor();
  await world("run", "Start-MigrationBatch", "Staff");
  const pause = page.getByRole("region", { name: /Paused until/ });
  await pause.waitFor();
  await pause.getByText("Server busy").waitFor();
  // It counts down.
  const left = await pause.locator("b").textContent();
  assert.match(left, /\(\d+:\d\d left\)/);
  await page.waitForFunction((before) => document.querySelector("#pause")?.textContent !== before, left);
  await picture(page, "paused");
  await isAccessible(page);
  // Others go on meanwhile.
  await world("run", "Start-MigrationBatch", "Others");
  await world("wait for batch", "Others", "Synced");
  await pause.waitFor();
  await world("lead to the source");
  await pause.getByRole("button", { name: "End the pause now" }).click();
  await pause.waitFor({ state: "detached" });
  await world("wait for batch", "Staff", "Synced");
  // A budget of a day that is used up pauses the endpoint too.
  await page.goto(`${base}/console/endpoints/New`);
  await page.locator("form").getByText("Limits", { exact: true }).click();
  await page.getByRole("textbox", { name: /^Data per day BytesPerDay/ }).fill("1 KB");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("The endpoint New was saved").waitFor();
  await world("run", "Start-MigrationBatch", "Budget");
  await pause.waitFor();
  await picture(page, "budget");
  // Without the limit, the user goes on.
  await page.getByRole("textbox", { name: /^Data per day BytesPerDay/ }).fill("");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await pause.waitFor({ state: "detached" });
  await world("wait for batch", "Budget", "Synced");
});
