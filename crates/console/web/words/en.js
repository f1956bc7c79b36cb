import { endpointWords } from "./endpoint.en.js";
import { newBatchWords } from "./new-batch.en.js";

/** English texts. Every other language has the same keys. */
export const en = {
  "skip": "Skip to content", "main": "Main", "overview": "Overview", "batches": "Batches", "signOut": "Sign out",
  "seconds": "{number} s", "minutes": "{number} min", "hours": "{hours} h {minutes} min",
  "lamp.live": "Live", "lamp.connecting": "Connecting", "lamp.reconnecting": "Reconnecting", "lamp.away": "The service is away since {time}",
  "stale": "The service does not answer. These numbers are of {time}; nothing can be changed until it is back.",
  "clearText": "This connection has no TLS: anyone on the network path can read tokens and passwords.",
  "tryAgain": "Try again", "loading": "Loading", "close": "Close", "cancel": "Cancel", "copy": "Copy", "copied": "Copied",
  "needsRole": "Needs the role {role}", "away": "The service is away",
  "breadcrumb": "Breadcrumb", "notFound": "There is no such page", "notFoundAdvice": "The address may be of another release.",

  "signIn": "Sign in", "signIn.intro": "Sign in with a token of this service.", "token": "Token",
  "signIn.make": "To get a token, run on the service's machine:",
  "signIn.ticket": "Without a token, this command there prints an address that opens the console:",
  "signIn.ended": "The session has ended. Sign in again.", "signIn.ticketUsed": "The address of mailhaul console opens once, within 60 seconds. Run the command again.",

  "overview.needs": "Needs you", "overview.nothing": "Nothing needs you.", "overview.allBatches": "All batches",
  "overview.running": "Batches",

  "overview.look": "Look", "overview.fix": "Fix",
  "overview.empty": "There is no batch yet. Make endpoints and a batch with the program:",

  "batches.empty": "There is no batch yet. A batch is a list of users whose mailboxes move from one server to another.",
  "batches.emptyStep": "Make one with the program:",
  "users.one": "{number} user", "users.other": "{number} users", "name": "Name", "status": "Status", "progress": "Progress", "users": "Users",
  "synced": "Synced", "failed": "Failed", "lastSynced": "Last synced", "route": "Source → target", "never": "never", "none": "none",
  "transferred": "Transferred", "rate": "Rate now", "rate.short": "Rate", "syncedAt": "synced {time}", "messages": "Messages", "messagesOf": "{done} of {all}", "consistency": "Consistency",
  "skippedMessages.one": "{number} message skipped", "skippedMessages.other": "{number} messages skipped", "unknown": "not known yet",
  "nothingMoves": "nothing moves now", "perSecond": "{size}/s", "startedBy": "created {time} by {name}",

  "start": "Start", "stop": "Stop", "complete": "Complete", "syncNow": "Sync now", "showCommand": "Show command",
  "complete.title": "Complete {name}?", "complete.text.one": "Each user gets a last sync, and no sync follows. This concerns {number} user, and cannot be undone.",
  "complete.text.other": "Each user gets a last sync, and no sync follows. This concerns {number} users, and cannot be undone.",
  "done.start": "{name} was started", "done.stop": "{name} stops after the current messages", "done.complete": "The last sync of {name} was ordered", "done.sync": "A sync of {name} was ordered",
  "unsupported": "Not possible while the status is {status}",

  "time": "Time", "chart.table": "As a table",
  "ask.name": "To confirm, type the name:", "ask.nameFirst": "Type the name first",

  "standing": "Users by status", "filter.all": "All", "filter.Active": "Running or waiting", "filter.Synced": "Synced", "filter.Completed": "Completed", "filter.Failed": "Failed", "filter.Stopped": "Stopped",
  "email": "E-mail address", "items": "Messages", "skipped": "Skipped", "left": "Time left", "details": "Details", "usersOf": "Users of {batch}",
  "noUsers": "No user matches.", "search": "Search address or reason", "user.unapproved": "Skipped messages wait for your approval; they are below.", "row": "row {number} of the file", "since": "since {time}",

  "user.why": "Reason and next step", "user.fine": "Nothing needs you here.", "user.mailboxes": "Mailboxes", "user.source": "Source", "user.target": "Target",
  "user.folders": "Folders of the last sync", "user.noFolders": "None: no sync has listed the folders yet.", "user.report": "Report", "user.noReport": "The report is empty.",
  "user.attempts": "Interrupted syncs in a row", "user.next": "Next sync", "user.userName": "User name", "user.password": "New password",
  "user.fix": "Save and try again", "user.fixText": "Enter the login that opens the mailbox. It replaces the saved one, and the user starts again.",
  "user.fixSide": "Login", "user.sourceLogin": "at the source", "user.targetLogin": "at the target", "user.fixed": "The login of {name} was replaced, and the user starts again",
  "folder": "Folder", "seen": "Seen", "copied.count": "Copied", "there": "Already there", "leftOut": "Left out",

  "endpoints": "Endpoints", "endpoints.empty": "There is no endpoint yet. An endpoint is a mail server with its login and limits.", "server": "Server", "active": "Active", "limits": "Limits", "pausedUntil": "Paused until", "reason": "Reason",
  "ofLimit": "{active} of {limit}", "perSecondMessages": "{number} messages/s", "perDay": "{size} per day", "clearTextServer": "not encrypted",
  "audit": "Audit log", "audit.empty": "Nothing was changed yet.", "audit.time": "Time", "audit.caller": "Caller", "audit.operation": "Operation", "audit.object": "Object", "audit.outcome": "Outcome", "audit.newest.one": "The newest entry. Get-MigrationAuditLog shows all.", "audit.newest.other": "The newest {number} entries. Get-MigrationAuditLog shows all.",
  "user.skipped": "Skipped messages", "approve": "Approve", "approved": "These messages are approved.", "done.approve": "The skipped messages of {name} are approved", "subject": "Subject", "size": "Size", "firstOf": "The first {shown} of {all}.",

  "command.title": "Command", "command.cmdlet": "In mailhaul shell or PowerShell", "command.curl": "Over HTTP", "command.secrets": "Passwords are not shown; the command asks for them.",

  "status.Queued": "Waiting", "status.Validating": "Opening", "status.Syncing": "Syncing", "status.Synced": "Synced", "status.IncrementalSyncing": "Syncing again",
  "status.IncrementalFailed": "Sync failed", "status.IncrementalStopped": "Stopped", "status.Stopping": "Stopping", "status.Stopped": "Stopped", "status.Completing": "Completing",
  "status.CompletionFailed": "Completion failed", "status.Completed": "Completed", "status.CompletedWithWarnings": "Completed with skipped messages", "status.Failed": "Failed",
  "status.Created": "Created", "status.Starting": "Starting", "status.Waiting": "Waiting", "status.SyncedWithErrors": "Synced with errors", "status.CompletedWithErrors": "Completed with errors",
  "check.NotChecked": "not checked", "check.Pending": "check is due", "check.Opened": "can be opened", "check.Failed": "cannot be opened",
  "consistency.Perfect": "Perfect", "consistency.Good": "Good", "consistency.Investigate": "Investigate", "consistency.Poor": "Poor",
  "cause.Authentication": "Login refused", "cause.Connection": "Connection failed", "cause.Throttled": "Server asked for a delay", "cause.Quota": "Target mailbox is full", "cause.Refused": "Server refused", "cause.Storage": "Database failed", "cause.Internal": "Internal error",
  "role.Viewer": "Viewer", "role.Operator": "Operator", "role.Admin": "Admin",
  ...endpointWords, ...newBatchWords,
  "error.network": "The service does not answer.", "error.networkAdvice": "Check that mailhaul serve runs.",
};
