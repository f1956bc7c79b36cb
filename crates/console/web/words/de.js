import { endpointWords } from "./endpoint.de.js";
import { newBatchWords } from "./new-batch.de.js";

/** German texts. @type {Record<keyof typeof import("./en.js").en, string>} */
export const de = {
  "skip": "Zum Inhalt", "main": "Hauptmenü", "overview": "Übersicht", "batches": "Batches", "signOut": "Abmelden",
  "seconds": "{number} s", "minutes": "{number} min", "hours": "{hours} h {minutes} min",
  "lamp.live": "Live", "lamp.connecting": "Verbindet", "lamp.reconnecting": "Verbindet neu", "lamp.away": "Der Dienst antwortet nicht seit {time}",
  "stale": "Der Dienst antwortet nicht. Diese Zahlen sind von {time}; bis er zurück ist, lässt sich nichts ändern.",
  "clearText": "Diese Verbindung hat kein TLS: Wer im Netz mitliest, sieht Token und Passwörter.",
  "tryAgain": "Erneut versuchen", "loading": "Lädt", "close": "Schließen", "cancel": "Abbrechen", "copy": "Kopieren", "copied": "Kopiert",
  "needsRole": "Benötigt die Rolle {role}", "away": "Der Dienst antwortet nicht",
  "breadcrumb": "Pfad", "notFound": "Diese Seite gibt es nicht", "notFoundAdvice": "Die Adresse gehört vielleicht zu einer anderen Version.",

  "signIn": "Anmelden", "signIn.intro": "Melden Sie sich mit einem Token dieses Dienstes an.", "token": "Token",
  "signIn.make": "Ein Token erzeugt dieser Befehl auf dem Rechner des Dienstes:",
  "signIn.ticket": "Ohne Token gibt dieser Befehl dort eine Adresse aus, die die Konsole öffnet:",
  "signIn.ended": "Die Sitzung ist beendet. Melden Sie sich erneut an.", "signIn.ticketUsed": "Die Adresse von mailhaul console gilt einmal und 60 Sekunden lang. Führen Sie den Befehl erneut aus.",

  "overview.needs": "Braucht Sie", "overview.nothing": "Nichts braucht Sie.", "overview.allBatches": "Alle Batches",
  "overview.running": "Batches",

  "overview.look": "Ansehen", "overview.fix": "Beheben",
  "overview.empty": "Es gibt noch keinen Batch. Legen Sie Endpunkte und einen Batch mit dem Programm an:",

  "batches.empty": "Es gibt noch keinen Batch. Ein Batch ist eine Liste von Benutzern, deren Postfächer von einem Server auf einen anderen umziehen.",
  "batches.emptyStep": "Legen Sie einen mit dem Programm an:",
  "users.one": "{number} Benutzer", "users.other": "{number} Benutzer", "name": "Name", "status": "Status", "progress": "Fortschritt", "users": "Benutzer",
  "synced": "Synchron", "failed": "Fehlgeschlagen", "lastSynced": "Zuletzt synchron", "route": "Quelle → Ziel", "never": "nie", "none": "keine",
  "transferred": "Übertragen", "rate": "Rate jetzt", "rate.short": "Rate", "syncedAt": "synchron {time}", "messages": "Nachrichten", "messagesOf": "{done} von {all}", "consistency": "Konsistenz",
  "skippedMessages.one": "{number} Nachricht ausgelassen", "skippedMessages.other": "{number} Nachrichten ausgelassen", "unknown": "noch nicht bekannt",
  "nothingMoves": "zurzeit bewegt sich nichts", "perSecond": "{size}/s", "startedBy": "angelegt {time} von {name}",

  "start": "Starten", "stop": "Anhalten", "complete": "Abschließen", "syncNow": "Jetzt synchronisieren", "showCommand": "Befehl zeigen",
  "complete.title": "{name} abschließen?", "complete.text.one": "Jeder Benutzer wird ein letztes Mal synchronisiert, danach nicht mehr. Das betrifft {number} Benutzer und lässt sich nicht rückgängig machen.",
  "complete.text.other": "Jeder Benutzer wird ein letztes Mal synchronisiert, danach nicht mehr. Das betrifft {number} Benutzer und lässt sich nicht rückgängig machen.",
  "done.start": "{name} wurde gestartet", "done.stop": "{name} hält nach den laufenden Nachrichten an", "done.complete": "Der letzte Lauf von {name} ist beauftragt", "done.sync": "Ein Lauf von {name} ist beauftragt",
  "unsupported": "Nicht möglich im Status {status}",

  "time": "Zeit", "chart.table": "Als Tabelle",
  "ask.name": "Geben Sie zur Bestätigung den Namen ein:", "ask.nameFirst": "Geben Sie zuerst den Namen ein",

  "standing": "Benutzer nach Status", "filter.all": "Alle", "filter.Active": "Läuft oder wartet", "filter.Synced": "Synchron", "filter.Completed": "Abgeschlossen", "filter.Failed": "Fehlgeschlagen", "filter.Stopped": "Angehalten",
  "email": "E-Mail-Adresse", "items": "Nachrichten", "skipped": "Ausgelassen", "left": "Restzeit", "details": "Einzelheiten", "usersOf": "Benutzer von {batch}",
  "noUsers": "Kein Benutzer passt.", "search": "Adresse oder Grund suchen", "user.unapproved": "Ausgelassene Nachrichten warten auf Ihre Freigabe; sie stehen unten.", "row": "Zeile {number} der Datei", "since": "seit {time}",

  "user.why": "Grund und nächster Schritt", "user.fine": "Hier braucht Sie nichts.", "user.mailboxes": "Postfächer", "user.source": "Quelle", "user.target": "Ziel",
  "user.folders": "Ordner des letzten Laufs", "user.noFolders": "Keine: Noch kein Lauf hat die Ordner aufgelistet.", "user.report": "Bericht", "user.noReport": "Der Bericht ist leer.",
  "user.attempts": "Unterbrochene Läufe in Folge", "user.next": "Nächster Lauf", "user.userName": "Benutzername", "user.password": "Neues Passwort",
  "user.fix": "Speichern und erneut versuchen", "user.fixText": "Geben Sie die Anmeldung ein, die das Postfach öffnet. Sie ersetzt die gespeicherte, und der Benutzer startet erneut.",
  "user.fixSide": "Anmeldung", "user.sourceLogin": "an der Quelle", "user.targetLogin": "am Ziel", "user.fixed": "Die Anmeldung von {name} wurde ersetzt, und der Benutzer startet erneut",
  "folder": "Ordner", "seen": "Gesehen", "copied.count": "Kopiert", "there": "Schon da", "leftOut": "Nicht gewählt",

  "endpoints": "Endpunkte", "endpoints.empty": "Es gibt noch keinen Endpunkt. Ein Endpunkt ist ein Mailserver mit Anmeldung und Grenzen.", "server": "Server", "active": "Aktiv", "limits": "Grenzen", "pausedUntil": "Pausiert bis", "reason": "Grund",
  "ofLimit": "{active} von {limit}", "perSecondMessages": "{number} Nachrichten/s", "perDay": "{size} am Tag", "clearTextServer": "nicht verschlüsselt",
  "audit": "Protokoll", "audit.empty": "Es wurde noch nichts geändert.", "audit.time": "Zeit", "audit.caller": "Aufrufer", "audit.operation": "Befehl", "audit.object": "Objekt", "audit.outcome": "Ergebnis", "audit.newest.one": "Der neueste Eintrag. Get-MigrationAuditLog zeigt alle.", "audit.newest.other": "Die neuesten {number} Einträge. Get-MigrationAuditLog zeigt alle.",
  "user.skipped": "Ausgelassene Nachrichten", "approve": "Freigeben", "approved": "Diese Nachrichten sind freigegeben.", "done.approve": "Die ausgelassenen Nachrichten von {name} sind freigegeben", "subject": "Betreff", "size": "Größe", "firstOf": "Die ersten {shown} von {all}.",

  "command.title": "Befehl", "command.cmdlet": "In mailhaul shell oder PowerShell", "command.curl": "Über HTTP", "command.secrets": "Passwörter werden nicht gezeigt; der Befehl fragt danach.",

  "status.Queued": "Wartet", "status.Validating": "Öffnet", "status.Syncing": "Synchronisiert", "status.Synced": "Synchron", "status.IncrementalSyncing": "Synchronisiert erneut",
  "status.IncrementalFailed": "Lauf fehlgeschlagen", "status.IncrementalStopped": "Angehalten", "status.Stopping": "Hält an", "status.Stopped": "Angehalten", "status.Completing": "Wird abgeschlossen",
  "status.CompletionFailed": "Abschluss fehlgeschlagen", "status.Completed": "Abgeschlossen", "status.CompletedWithWarnings": "Abgeschlossen, mit ausgelassenen Nachrichten", "status.Failed": "Fehlgeschlagen",
  "status.Created": "Angelegt", "status.Starting": "Startet", "status.Waiting": "Wartet", "status.SyncedWithErrors": "Synchron, mit Fehlern", "status.CompletedWithErrors": "Abgeschlossen, mit Fehlern",
  "check.NotChecked": "nicht geprüft", "check.Pending": "Prüfung steht an", "check.Opened": "lässt sich öffnen", "check.Failed": "lässt sich nicht öffnen",
  "consistency.Perfect": "Vollständig", "consistency.Good": "Gut", "consistency.Investigate": "Zu prüfen", "consistency.Poor": "Schlecht",
  "cause.Authentication": "Anmeldung abgelehnt", "cause.Connection": "Verbindung gescheitert", "cause.Throttled": "Server bat um Pause", "cause.Quota": "Zielpostfach ist voll", "cause.Refused": "Server lehnte ab", "cause.Storage": "Datenbank gestört", "cause.Internal": "Interner Fehler",
  "role.Viewer": "Viewer", "role.Operator": "Operator", "role.Admin": "Admin",
  ...endpointWords, ...newBatchWords,
  "error.network": "Der Dienst antwortet nicht.", "error.networkAdvice": "Prüfen Sie, ob mailhaul serve läuft.",
};
