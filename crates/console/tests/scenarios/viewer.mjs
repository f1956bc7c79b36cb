// 8: a viewer reads every page; every change is disabled with its reason, and refused when it is sent by hand.
import assert from "node:assert/strict";
import { base, closeDialog, facts, isAccessible, keepsPolicy, picture, scenario, signIn } from "./harness.mjs";

await scenario("viewer", async ({ page }) => {
  await signIn(page, facts.token);
  await page.getByText("vera · Viewer").waitFor();
  for (const place of ["", "batches", "users", "endpoints", "settings", "batches/Staff", "batches/Staff/settings", "batches/Staff/skipped", "batches/Staff/reports", "batches/Staff/fix"]) {
    await page.goto(`${base}/console/${place}`);
    await page.locator(".lamp.good").waitFor();
    await page.locator(".facts, .rows, main .panel").first().waitFor();
    await isAccessible(page);
    await keepsPolicy(page);
  }
  // What the role cannot read is not in the menu, and is refused when its address is typed.
  assert.deepEqual(await page.locator(".nav a").allTextContents(), ["Overview", "Batches", "Users", "Endpoints", "Settings"]);
  await page.goto(`${base}/console/audit`);
  await page.getByText("needs the role Admin").waitFor();
  await page.goto(`${base}/console/batches/Staff`);
  await page.getByRole("link", { name: "user1@contoso.edu" }).click();
  await page.getByRole("heading", { name: "user1@contoso.edu" }).waitFor();
  await page.locator(".drawer .pairs").first().waitFor();
  await picture(page, "viewer");
  const changes = page.getByRole("button", { name: /^(Start|Stop|Sync now|Complete)$/ });
  assert.equal(await changes.count(), 7);
  const requests = [];
  page.on("request", (it) => it.method() !== "GET" && requests.push(it.url()));
  for (const change of await changes.all()) {
    assert.equal(await change.getAttribute("aria-disabled"), "true");
    assert.equal(await change.getAttribute("title"), "Needs the role Operator");
    // A click is taken, and sends nothing. Those of the batch are beside the drawer.
    await change.dispatchEvent("click");
  }
  assert.deepEqual(requests, []);
  assert.equal(await page.locator("dialog").count(), 0);
  // The command may be shown: others can run it.
  await page.locator(".drawer").getByRole("button", { name: "Show command" }).click();
  await page.getByText("Start-MigrationUser -Identity 'user1@contoso.edu'").waitFor();
  await picture(page, "command");
  await isAccessible(page);
  await closeDialog(page);
  await page.locator("dialog").waitFor({ state: "detached" });
  // By hand, with the session of the page.
  const statuses = await page.evaluate(async () => {
    const sent = [["POST", "/api/v1/batches/Staff/start"], ["POST", "/api/v1/batches/Staff/stop"], ["POST", "/api/v1/batches/Staff/complete"], ["PATCH", "/api/v1/batches/Staff"],
      ["DELETE", "/api/v1/batches/Staff"], ["POST", "/api/v1/users/user1@contoso.edu/start"], ["PATCH", "/api/v1/users/user1@contoso.edu"], ["DELETE", "/api/v1/users/user1@contoso.edu"],
      ["POST", "/api/v1/tokens"], ["GET", "/api/v1/tokens"], ["GET", "/api/v1/audit-log"], ["PATCH", "/api/v1/config"]];
    const headers = { "Mailhaul-Key": localStorage.getItem("mailhaul-key") ?? "", "Content-Type": "application/json" };
    return Promise.all(sent.map(async ([method, path]) => (await fetch(path, { method, headers, body: method === "GET" || method === "DELETE" ? undefined : "{}" })).status));
  });
  assert.deepEqual(statuses, statuses.map(() => 403));
});
