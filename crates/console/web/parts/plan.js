/** The plan of several mailboxes as a list of folders, and what is wrong in it. Pure. */

/**
 * @typedef {{ SourceFolder: string, TargetFolder: string | null, IsLeftOut: boolean, Reason: string, UserCount: number, ItemCount: number }} Planned
 * @typedef {{ UserCount: number, Folders: Planned[], Clashes: { TargetFolder: string, SourceFolders: string[], UserCount: number, Example: string }[], Failures: { Identity: string, Message: string }[] }} Plan
 * @typedef {{ source: string, targets: string[], reasons: string[], users: number, messages: number, isRenamed: boolean, clashes: string[] }} PlannedFolder
 */

/** Folders by their source; a clash is another source folder that goes to the same target. @param {Plan} plan @returns {PlannedFolder[]} */
export const plannedFolders = (plan) => {
  /** @type {Map<string, PlannedFolder>} */
  const folders = new Map();
  for (const it of plan.Folders) {
    const folder = folders.get(it.SourceFolder) ?? { source: it.SourceFolder, targets: [], reasons: [], users: 0, messages: 0, isRenamed: false, clashes: [] };
    const target = it.TargetFolder ?? "-";
    if (!folder.targets.includes(target)) folder.targets.push(target);
    if (!folder.reasons.includes(it.Reason)) folder.reasons.push(it.Reason);
    folder.users += it.UserCount;
    folder.messages += it.ItemCount;
    folder.isRenamed ||= target !== "-" && target !== it.SourceFolder;
    folders.set(it.SourceFolder, folder);
  }
  for (const clash of plan.Clashes) {
    for (const source of clash.SourceFolders) {
      const folder = folders.get(source);
      folder?.clashes.push(...clash.SourceFolders.filter((it) => it !== source && !folder.clashes.includes(it)));
    }
  }
  return [...folders.values()].sort((one, two) => (one.source < two.source ? -1 : 1));
};

/** The map after some lines were typed; an empty target removes the line. @param {Record<string, string>} map @param {Record<string, string>} edits */
export const editedMap = (map, edits) => {
  const all = Object.entries({ ...map, ...edits }).map(([source, target]) => /** @type {const} */ ([source, target.trim()]));
  return Object.fromEntries(all.filter(([, target]) => target !== ""));
};
