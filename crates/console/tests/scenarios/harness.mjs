// What every scenario needs: a browser, the verbs of the world, and what must hold at the end.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import assert from "node:assert/strict";

const packages = createRequire(`${process.env.CONSOLE_PACKAGES}/package.json`);
const { chromium } = packages("playwright-core");
const axe = readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");
const pictures = process.env.CONSOLE_PICTURES;

export const facts = JSON.parse(process.env.CONSOLE_FACTS);
export const { base } = facts;
/** Bound of every wait for a fact, in milliseconds. */
const PATIENCE = 60_000;

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
/** Asks the world for something, and waits until it is done. */
export const world = async (...words) => {
  process.stdout.write(`${JSON.stringify(words)}\n`);
  return JSON.parse((await answers.next()).value);
};

/** Opens a page whose faults are noted. */
const watched = async (browser, options, faults) => {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE);
  await context.addInitScript(() => {
    window.violations = [];
    addEventListener("securitypolicyviolation", (it) => window.violations.push(`${it.violatedDirective} ${it.blockedURI}`));
  });
  context.on("request", (request) => {
    const isForeign = !request.url().startsWith(`${base}/`) && !request.url().startsWith("data:");
    if (isForeign && !faults.allowed?.(request.url())) faults.push(`request to ${request.url()}`);
  });
  context.on("page", (page) => {
    page.on("pageerror", (error) => faults.push(`error: ${error.stack ?? error}`));
    // The browser itself notes each answer with an error status; those are what the scenarios ask for.
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type()) && !/Failed to load resource|net::ERR/.test(message.text())) faults.push(`console: ${message.text()}`);
    });
  });
  return context;
};

/** Closes the open dialog. It takes keys once it is open. */
export const closeDialog = async (page) => {
  await page.locator("dialog[open]").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
};

/** Asserts that axe finds nothing, light and dark. */
export const isAccessible = async (page) => {
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    const found = violations.map((it) => `${it.id}: ${it.nodes.map((node) => `${node.html} ${node.failureSummary}`).join("; ")}`);
    assert.deepEqual(found, [], `axe, ${colorScheme}`);
  }
};

/** Asserts that the policy was not violated. */
export const keepsPolicy = async (page) => assert.deepEqual(await page.evaluate(() => window.violations), []);

/** Saves a picture, if pictures are wanted. */
export const picture = async (page, name) => {
  if (!process.env.MAILHAUL_PICTURES) return;
  await page.screenshot({ path: `${pictures}/${name}.png` });
};

/** Signs in with a token. */
export const signIn = async (page, token) => {
  await page.goto(`${base}/console/`);
  await page.getByLabel(/Token/).fill(token);
  await page.locator("button[type=submit]").click();
  await page.locator(".lamp.good").waitFor();
};

/** Runs a scenario, and what must hold after each. */
export const scenario = async (name, play, options = {}) => {
  mkdirSync(pictures, { recursive: true });
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const faults = [];
  let page;
  try {
    const open = async (more = {}) => (await watched(browser, { viewport: { width: 1280, height: 860 }, locale: "en-GB", ...options, ...more }, faults)).newPage();
    page = await open();
    await play({ page, open, faults });
    await keepsPolicy(page);
    await isAccessible(page);
    assert.deepEqual([...faults], []);
  } catch (error) {
    process.stderr.write(`${name}: ${error.stack}\n${faults.join("\n")}\n`);
    if (page && !page.isClosed()) {
      await page.screenshot({ path: `${pictures}/${name}-failed.png` }).catch(() => {});
      process.stderr.write(`at ${page.url()}; picture: ${pictures}/${name}-failed.png\n`);
    }
    process.exitCode = 1;
  } finally {
    await browser.close();
    // A connection that a scenario left open does not keep the process.
    process.exit();
  }
};
