// 7: a change in one tab shows in the other; a second administrator's change is 412, shown with both values.
import assert from "node:assert/strict";
import { base, facts, isAccessible, keepsPolicy, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("conflict", async ({ page, open }) => {
  await signIn(page, facts.token);
  const grace = await open();
  await signIn(grace, facts.other);
  const settings = `${base}/console/batches/Staff/settings`;
  const second = await page.context().newPage();
  for (const it of [page, second, grace]) {
    await it.goto(settings);
    await it.getByLabel("Most messages of a folder").waitFor();
  }
  // Two tabs: what one saves, the other shows, without a reload.
  await second.getByLabel("Most messages of a folder").fill("500");
  await second.getByRole("button", { name: "Save" }).click();
  await second.getByText("The settings of Staff are saved").waitFor();
  for (const it of [page, grace]) {
    await it.bringToFront();
    await it.waitForFunction(() => document.querySelector("[name=MaxItems]")?.value === "500");
  }

  // Two administrators edit at once.
  await page.getByLabel("Most messages of a folder").fill("600");
  await grace.getByLabel("Most messages of a folder").fill("700");
  await grace.getByLabel("Newest messages first").check();
  await grace.getByRole("button", { name: "Save" }).click();
  await grace.getByText("The settings of Staff are saved").waitFor();
  // What is being edited stays as it is.
  assert.equal(await page.getByLabel("Most messages of a folder").inputValue(), "600");
  await page.getByRole("button", { name: "Save" }).click();
  const conflict = page.getByRole("alert");
  await conflict.getByText(/grace \(console\) changed it at/).waitFor();
  await conflict.getByRole("row", { name: "Most messages of a folder 600 700" }).waitFor();
  await conflict.getByRole("row", { name: "Newest messages first not edited yes" }).waitFor();
  await picture(page, "conflict");
  await isAccessible(page);
  const batch = async () => (await world("results", "Get-MigrationBatch", "Staff"))[0];
  assert.equal((await batch()).MaxItems, 700);
  await conflict.getByRole("button", { name: "Save mine" }).click();
  await page.getByText("The settings of Staff are saved").waitFor();
  // Only what was edited is saved: the other change stays.
  assert.deepEqual([(await batch()).MaxItems, (await batch()).NewestFirst], [600, true]);
  await grace.waitForFunction(() => document.querySelector("[name=MaxItems]")?.value === "600");

  await keepsPolicy(page);
});
