// 5: failed users by cause: one login typed, refused, typed again; 30 pasted; only what opens is started, and others are not stopped.
import assert from "node:assert/strict";
import { base, closeDialog, facts, isAccessible, keepsPolicy, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("fix-many", async ({ page }) => {
  await signIn(page, facts.token);
  await page.getByText(/31 users of the batch "Staff"/).waitFor();
  await page.getByRole("link", { name: "Fix" }).click();
  await page.getByRole("heading", { name: "Fix failures: Staff" }).waitFor();
  const row = (name) => page.getByRole("row", { name: `${name}@contoso.edu` });
  await row("user1").waitFor();
  await page.locator(".fixes tbody tr").nth(30).waitFor();
  await picture(page, "fix-cause");
  await isAccessible(page);
  const requests = [];
  page.on("request", (it) => requests.push(`${it.method()} ${it.url()}`));
  const submit = page.getByRole("button", { name: /^Save, test, try again/ });
  const started = () => requests.filter((it) => /users\/.*\/start$/.test(it)).length;

  // One login: the test refuses it, and the user is not started.
  await page.getByLabel("New password, user1@contoso.edu").fill("wrong-again");
  await submit.click();
  await row("user1").getByText("Still refused").waitFor();
  await row("user1").getByText("AUTHENTICATIONFAILED").waitFor();
  assert.equal(await page.getByLabel("New password, user1@contoso.edu").inputValue(), "");
  assert.equal(started(), 0);
  await picture(page, "fix-refused");
  await page.getByLabel("New password, user1@contoso.edu").fill(facts.passwords.user1);
  await submit.click();
  await row("user1").locator(".badge", { hasText: "Synced" }).waitFor();
  assert.equal(started(), 1);

  // 30 by paste: shown before they are taken. One of them is wrong, one is of a stranger.
  await page.getByRole("button", { name: "Paste passwords…" }).click();
  const cells = Array.from({ length: 30 }, (_, at) => `user${at + 2}`).map((it) => `${it.toUpperCase()}@contoso.edu\t${it === "user9" ? "wrong-again" : facts.passwords[it]}`);
  await page.getByLabel("Two columns").fill(["E-mail\tPassword", ...cells, "stranger@contoso.edu\tx"].join("\n"));
  await page.getByText("30 passwords will be taken. 1 row is left out.").waitFor();
  await page.getByText("no failed user of this cause").waitFor();
  await picture(page, "fix-paste");
  await isAccessible(page);
  assert.ok(!(await page.locator("dialog table").textContent()).includes(facts.passwords.user2));
  await page.getByRole("button", { name: "Take 30" }).click();
  await page.getByRole("button", { name: "Save, test, try again (30)" }).click();
  await row("user9").getByText("Still refused").waitFor();
  for (let at = 2; at <= 31; at++) if (at !== 9) await row(`user${at}`).locator(".badge", { hasText: "Synced" }).waitFor();
  assert.equal(started(), 30);
  await picture(page, "fix-fixed");
  await keepsPolicy(page);
  // The command has no password in it, and secrets are in no address and no storage.
  await page.getByLabel("New password, user9@contoso.edu").fill("typed-secret");
  await page.getByRole("button", { name: "Show command" }).click();
  await page.locator("dialog[open]").waitFor();
  assert.ok(!(await page.locator("dialog").textContent()).includes("typed-secret"));
  await closeDialog(page);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]));
  for (const secret of [...Object.values(facts.passwords), "wrong-again", "typed-secret"]) assert.ok(!kept.includes(secret) && !requests.some((it) => it.includes(secret)));
  await page.getByLabel("New password, user9@contoso.edu").fill(facts.passwords.user9);
  await submit.click();
  await row("user9").locator(".badge", { hasText: "Synced" }).waitFor();
  const failed = await world("results", "Get-MigrationUser", "-BatchId", "Staff", "-StatusSummary", "Failed");
  assert.deepEqual(failed, []);
  await page.goto(`${base}/console/batches/Staff/fix`);
  await page.getByText("No user of this batch failed.").waitFor();
});
