// 2: from nothing to synced mailboxes from the page alone: endpoints, users, batch; a wrong password is replaced on the way.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { base, closeDialog, facts, isAccessible, picture, scenario, signIn, world } from "./harness.mjs";

const makeEndpoint = async (page, name, port) => {
  const form = page.getByRole("form", { name: "New endpoint" });
  await form.getByRole("textbox", { name: /^Name/ }).fill(name);
  await form.getByRole("textbox", { name: /RemoteServer/ }).fill("127.0.0.1");
  await form.getByRole("textbox", { name: /^Port/ }).fill(String(port));
  await form.getByLabel(/Security/).selectOption("None");
  await form.getByRole("button", { name: "Create endpoint" }).click();
  await page.getByText(`The endpoint ${name} was created`).waitFor();
  await form.waitFor({ state: "detached" });
};
const next = async (page) => {
  const button = page.locator(".below .button.first:not([aria-disabled])");
  await button.waitFor();
  await button.click();
};

await scenario("first-run", async ({ page }) => {
  await signIn(page, facts.token);
  await page.goto(`${base}/console/batches/new`);
  const requests = [];
  page.on("request", (it) => requests.push(it.url()));
  // The second password is wrong; the columns for the target are in other words.
  const lines = facts.users.map((user, at) => `${user}@contoso.edu,${user},${at === 1 ? "wrong" : facts.passwords[at]},${user},${facts.passwords[at]}`);
  const file = ["E-Mail,UserName,Password,TargetUserName,TargetPassword", ...lines].join("\n");
  await page.locator("input[type=file]").setInputFiles({ name: "staff.csv", mimeType: "text/csv", buffer: Buffer.from(file) });
  await page.getByRole("button", { name: "Use as EmailAddress" }).click();
  await page.getByText("3 users are fine").waitFor();
  await next(page);
  await page.getByRole("button", { name: "New source" }).click();
  await makeEndpoint(page, "Old", facts.source);
  await page.getByRole("button", { name: "New target" }).click();
  await makeEndpoint(page, "New", facts.target);
  await picture(page, "new-endpoints");
  await isAccessible(page);
  await next(page);
  await page.getByRole("textbox", { name: "Name" }).fill("Staff");
  await next(page);
  // Both mailboxes of each are opened; that of the wrong password is told.
  await page.getByText("can be opened").first().waitFor();
  await page.locator("td .bad", { hasText: "cannot be opened" }).waitFor();
  await page.getByText("A mailbox cannot be opened.").waitFor();
  await picture(page, "new-check");
  await next(page);
  await page.getByText("The mail of 3 users is copied:").waitFor();
  await page.getByRole("button", { name: "Show command" }).click();
  const shown = await page.locator("dialog").textContent();
  assert.ok(shown.includes("-CSVData ([System.IO.File]::ReadAllBytes('staff.csv'))") && shown.includes("-AutoStart"), shown);
  assert.ok(!facts.passwords.some((it) => shown.includes(it)));
  await closeDialog(page);
  await picture(page, "new-start");
  await page.getByRole("button", { name: "Create and start" }).click();
  await page.waitForURL(`${base}/console/batches/Staff`);
  // The failed user is repaired here.
  await page.getByRole("link", { name: /1 Failed/ }).click();
  await page.getByRole("link", { name: `${facts.users[1]}@contoso.edu` }).click();
  const drawer = page.locator(".drawer");
  await drawer.getByLabel("New password").fill(facts.passwords[1]);
  await drawer.getByRole("button", { name: "Save and try again" }).click();
  await drawer.locator(".drawer-head .badge", { hasText: "Synced" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "3 Synced" }).waitFor();
  await page.locator(".tabs").getByRole("link", { name: "Reports" }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download CSV: Statistics" }).click()]);
  const report = (await world("results", "Export-MigrationReport", "Staff")).map((it) => it.Content).join("");
  assert.equal(readFileSync(await download.path(), "utf8").replace(/^\ufeff/, ""), report);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]));
  for (const secret of facts.passwords) assert.ok(!kept.includes(secret) && !requests.some((it) => it.includes(secret)));
});
