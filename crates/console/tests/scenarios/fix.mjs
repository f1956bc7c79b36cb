// 5, beside its batch: a batch is started in the page; a user fails; a wrong password is refused again, the right one syncs.
import assert from "node:assert/strict";
import { closeDialog, facts, isAccessible, picture, scenario, signIn, world } from "./harness.mjs";

await scenario("fix", async ({ page }) => {
  await signIn(page, facts.token);
  await page.getByRole("link", { name: "Staff" }).click();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  // It is live: nothing is loaded again by hand.
  await page.getByRole("link", { name: "1 Failed" }).click();
  await page.getByRole("link", { name: "user2@contoso.edu" }).click();
  const drawer = page.locator(".drawer");
  await drawer.getByText("AUTHENTICATIONFAILED").first().waitFor();
  await picture(page, "failed");
  const requests = [];
  page.on("request", (it) => requests.push(`${it.method()} ${it.url()}`));
  const replace = async (password) => {
    await drawer.getByLabel("New password").fill(password);
    await drawer.getByRole("button", { name: "Save and try again" }).click();
    await page.getByText("was replaced, and the user starts again").waitFor();
    // The form goes as soon as the user starts; while it is there, its field is empty.
    assert.ok(await page.evaluate(() => [...document.querySelectorAll(".drawer input[type=password]")].every((it) => it.value === "")));
  };
  await replace("wrong-again");
  await world("wait for user", "user2@contoso.edu", "Failed");
  // The command of the form has no password in it.
  await drawer.getByLabel("New password").fill("typed-secret");
  await drawer.locator("form").getByRole("button", { name: "Show command" }).click();
  await page.getByText("-Credential (Get-Credential 'user2')").waitFor();
  assert.ok(!(await page.locator("dialog").textContent()).includes("typed-secret"));
  await isAccessible(page);
  await closeDialog(page);
  await page.getByText("was replaced, and the user starts again").waitFor({ state: "detached" });
  await replace(facts.password);
  await drawer.locator(".drawer-head .badge", { hasText: "Synced" }).waitFor();
  await drawer.getByRole("cell", { name: "INBOX" }).waitFor();
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "detached" });
  await page.getByRole("link", { name: "3 Synced" }).waitFor();
  // Secrets are in no address and in no storage.
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]));
  for (const secret of [facts.password, "wrong-again", "typed-secret"]) assert.ok(!kept.includes(secret) && !requests.some((it) => it.includes(secret)));
});
