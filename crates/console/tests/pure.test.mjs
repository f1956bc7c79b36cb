// Tests of the modules that need no browser: node --test
import assert from "node:assert/strict";
import test from "node:test";
import { cmdletLine, curlLine } from "../web/api/command.js";
import { eventParser, progressRows } from "../web/api/event-parser.js";
import { found } from "../web/parts/match.js";
import { editedMap, plannedFolders } from "../web/parts/plan.js";
import { inPeriods } from "../web/parts/series.js";
import { conflicts, parametersOf, textOf } from "../web/parts/settings.js";
import { momentOf } from "../web/parts/zone.js";
import { pastedRows } from "../web/parts/paste.js";
import { visible } from "../web/parts/visible.js";
import { de } from "../web/words/de.js";
import { en } from "../web/words/en.js";

test("events arrive in any pieces", () => {
  const text = 'event: hello\ndata: {"Epoch":"e","Sequence":0}\n\n:\n\nid: e-1\nevent: changed\ndata: {"Noun":"MigrationUser"}\n\n';
  for (let size = 1; size <= text.length; size++) {
    const parse = eventParser(), events = [];
    for (let at = 0; at < text.length; at += size) events.push(...parse(text.slice(at, at + size)));
    assert.deepEqual(events.map((it) => [it.id, it.name]), [["", "hello"], ["e-1", "changed"]]);
  }
});

test("an event that is no JSON is left out", () => {
  assert.deepEqual(eventParser()("event: changed\ndata: {\n\nevent: gap\ndata: {}\n\n").map((it) => it.name), ["gap"]);
});

test("progress becomes rows with names", () => {
  assert.deepEqual(progressRows({ Columns: ["Guid", "Rate"], Rows: [["a", 1], ["b", null]] }), [{ Guid: "a", Rate: 1 }, { Guid: "b", Rate: null }]);
});

const change = (parameters) => ({ cmdlet: "Set-MigrationUser", method: "PATCH", path: "/api/v1/users/o%27neil", identity: "o'neil", parameters, role: "Operator" });

test("commands quote names and hide passwords", () => {
  const login = change({ Credential: { UserName: "o'neil", Password: "hunter2" }, SyncNow: true });
  assert.equal(cmdletLine(login), "Set-MigrationUser -Identity 'o''neil' -Credential (Get-Credential 'o''neil') -SyncNow");
  const curl = curlLine(login, "http://127.0.0.1:1");
  assert.ok(!curl.includes("hunter2") && curl.includes("o'\\''neil") && curl.includes("'http://127.0.0.1:1/api/v1/users/o%27neil'"), curl);
});

test("quotes of PowerShell that look otherwise are doubled too", () => {
  assert.ok(cmdletLine({ ...change({}), identity: "a\u2019b" }).endsWith("'a\u2019\u2019b'"));
});

test("characters that turn or hide text are shown by their number, and long texts are cut", () => {
  assert.equal(visible("a\u202eb\u0007\n<img>"), "a\\u202eb\\u0007\n<img>");
  assert.equal(visible("x".repeat(70_000)).length, 2001);
});

test("every language has the same keys and places", () => {
  assert.deepEqual(Object.keys(de), Object.keys(en));
  const places = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
  for (const key of Object.keys(en)) assert.deepEqual(places(de[key]), places(en[key]), key);
});

test("pasted cells are matched by address, and what is wrong is told", () => {
  const known = ["Ann@contoso.edu", "bob@contoso.edu", "cyd@contoso.edu"];
  const text = 'Address\tPassword\r\nann@contoso.edu\ta b;c,d\r\n\nbob@contoso.edu; x y\n"cyd@contoso.edu","a,""b"\neve@contoso.edu\tx\nann@contoso.edu\tz\ncyd@contoso.edu\t\n';
  assert.deepEqual(pastedRows(text, known).map((it) => [it.line, it.address, it.password, it.problem]), [
    [2, "ann@contoso.edu", "a b;c,d", undefined], [4, "bob@contoso.edu", "x y", undefined], [5, "cyd@contoso.edu", 'a,"b', undefined],
    [6, "eve@contoso.edu", "x", "unknown"], [7, "ann@contoso.edu", "z", "twice"], [8, "cyd@contoso.edu", "", "noPassword"],
  ]);
});

test("blanks of a spreadsheet's cell belong to the password, those of a typed line do not", () => {
  assert.deepEqual(pastedRows("a@b.c\t x ", ["a@b.c"]).map((it) => it.password), [" x "]);
  assert.deepEqual(pastedRows("a@b.c  x ", ["a@b.c"]).map((it) => it.password), ["x"]);
});

test("a time of another zone is a moment, also on the days when clocks change", () => {
  assert.equal(momentOf("2026-12-01T06:00", "America/New_York")?.toISOString(), "2026-12-01T11:00:00.000Z");
  assert.equal(momentOf("2026-07-01T06:00", "Europe/Berlin")?.toISOString(), "2026-07-01T04:00:00.000Z");
  assert.equal(momentOf("2026-10-25T12:00", "Europe/Berlin")?.toISOString(), "2026-10-25T11:00:00.000Z");
  assert.equal(momentOf("2026-03-29T12:00", "Europe/Berlin")?.toISOString(), "2026-03-29T10:00:00.000Z");
  assert.equal(momentOf("2026-12-01T06:00", "W. Europe Standard Time"), undefined);
  assert.equal(momentOf("tomorrow", "UTC"), undefined);
});

const settings = [
  { name: "CompleteAfter", from: "CompleteAfter", kind: "time", when: "now" }, { name: "TimeZone", from: "TimeZone", kind: "zone", when: "now" },
  { name: "ExcludeFolders", from: "ExcludedFolders", kind: "lines", when: "next" }, { name: "MaxItems", from: "MaxItems", kind: "number", when: "next" }, { name: "NewestFirst", from: "NewestFirst", kind: "yes", when: "next" },
];
const saved = { CompleteAfter: "2026-12-01T06:00:00+01:00", TimeZone: "Europe/Berlin", ExcludedFolders: ["Spam", "Trash"], MaxItems: 5, NewestFirst: false };

test("only edited settings are sent, and an empty one is removed", () => {
  assert.deepEqual(settings.map((it) => textOf(it, saved)), ["2026-12-01T06:00", "Europe/Berlin", "Spam\nTrash", "5", "false"]);
  assert.deepEqual(parametersOf(settings, {}, saved), {});
  assert.deepEqual(parametersOf(settings, { ExcludeFolders: " Spam \n\n", MaxItems: "", NewestFirst: "true" }, saved), { ExcludeFolders: ["Spam"], MaxItems: null, NewestFirst: true });
  // A number that is none is sent as it is: the service says what is wrong.
  assert.deepEqual(parametersOf(settings, { MaxItems: "many" }, saved), { MaxItems: "many" });
});

test("with another zone the time in the field is sent too: it is one of the zone in the field", () => {
  assert.deepEqual(parametersOf(settings, { TimeZone: "America/New_York" }, saved), { CompleteAfter: "2026-12-01T06:00", TimeZone: "America/New_York" });
});

test("a conflict shows both values, also of settings that were not edited", () => {
  const now = { ...saved, MaxItems: 7, NewestFirst: true };
  assert.deepEqual(conflicts(settings, { MaxItems: "9" }, saved, now).map((it) => [it.setting.name, it.yours, it.theirs, it.isEdited]), [["MaxItems", "9", "7", true], ["NewestFirst", "false", "true", false]]);
});

test("folders of a plan are one row each, and name those that go to the same target", () => {
  const planned = (SourceFolder, TargetFolder, UserCount, Reason = "same name") => ({ SourceFolder, TargetFolder, IsLeftOut: TargetFolder === null, Reason, UserCount, ItemCount: 10 });
  const plan = {
    UserCount: 3, Failures: [], Clashes: [{ TargetFolder: "Sent Items", SourceFolders: ["Sent", "Sent Items"], UserCount: 2, Example: "a@b.c" }],
    Folders: [planned("Sent Items", "Sent Items", 2), planned("Sent", "Sent Items", 2, "its use"), planned("Sent", "Sent", 1), planned("Spam", null, 3, "excluded")],
  };
  assert.deepEqual(plannedFolders(plan).map((it) => [it.source, it.targets, it.users, it.messages, it.isRenamed, it.clashes]), [
    ["Sent", ["Sent Items", "Sent"], 3, 20, true, ["Sent Items"]], ["Sent Items", ["Sent Items"], 2, 10, false, ["Sent"]], ["Spam", ["-"], 3, 10, false, []],
  ]);
});

test("a typed target is a line of the map, and an empty one removes the line", () => {
  assert.deepEqual(editedMap({ Sent: "Sent Items", "Old/*": "-" }, { Sent: " ", Spam: "Junk " }), { "Old/*": "-", Spam: "Junk" });
});

test("periods without work are zeros", () => {
  const from = Date.parse("2026-12-01T10:00:30Z");
  const list = [{ StartTime: "2026-12-01T10:01:00Z", BytesTransferred: 60, CopiedCount: 2, ActiveCount: 1 }];
  assert.deepEqual(inPeriods(list, from, from + 120_000, 60).map((it) => it.bytes), [0, 60, 0]);
});

test("entries are found by all words, also by Exchange's", () => {
  const entries = [{ text: "Stop: Staff", kind: "Action", words: "Suspend" }, { text: "Staff", kind: "Batch", words: "Syncing" }];
  assert.deepEqual(found(entries, "staff susp").map((it) => it.text), ["Stop: Staff"]);
  assert.deepEqual(found(entries, "staff").map((it) => it.text), ["Staff", "Stop: Staff"]);
  assert.deepEqual(found(entries, "").length, 2);
});
