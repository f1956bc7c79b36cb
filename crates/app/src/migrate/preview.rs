//! `--dry-run`: the plan of each mailbox, with reasons.

use std::sync::Arc;

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use mailhaul_engine::{
    Error, ErrorKind, FolderPreview, FolderRecord, FolderState, Ledger, LedgerRecord, Mailbox as _,
    PassOptions, Preview, Slots,
};
use mailhaul_mail::{FolderPath, UidSet, on_one_line};
use mailhaul_remotes::{ImapMailbox, LabelRules};
use mailhaul_store::Store;
use serde_json::{Value, json};

use super::{mailboxes::MailboxPair, parallel::run_parallel};
use crate::{
    advice::explained,
    exit::Exit,
    output::{text, ui::Ui},
};

/// Plan of one mailbox.
pub(crate) struct MailboxPreview {
    name: String,
    preview: Result<Preview, Error>,
}

/// Plans all mailboxes, and returns the plans in the same order.
pub(crate) async fn preview_all(
    mailboxes: Vec<MailboxPair>,
    store: Option<Store>,
    options: &PassOptions,
    concurrency: usize,
    ui: &Ui,
) -> Vec<MailboxPreview> {
    let options = Arc::new(options.clone());
    let names: Vec<String> = mailboxes.iter().map(|it| it.name.clone()).collect();
    let places = Slots::new(concurrency);
    let planned = run_parallel(mailboxes, &places, |mailbox| {
        let (options, store, ui) = (options.clone(), store.clone(), ui.clone());
        async move {
            ui.say(&format!("{}: scanning", mailbox.name));
            Box::pin(plan(mailbox, store, &options)).await
        }
    })
    .await;
    let preview =
        |(name, planned): (String, Result<_, Error>)| MailboxPreview { name, preview: planned.flatten() };
    names.into_iter().zip(planned).map(preview).collect()
}

async fn plan(mailbox: MailboxPair, store: Option<Store>, options: &PassOptions) -> Result<Preview, Error> {
    let ledger = match store {
        Some(store) => Some(store.ledgers().mailbox(&mailbox.source_key, &mailbox.target_key).await?),
        None => None,
    };
    let labels = LabelRules { folders: options.folders.clone(), ..LabelRules::default() };
    let mut source = ImapMailbox::new(mailbox.source).with_labels(labels);
    let mut target = ImapMailbox::new(mailbox.target);
    let preview = match ledger {
        Some(ledger) => Box::pin(mailhaul_engine::preview(&mut source, &mut target, &ledger, options)).await,
        None => Box::pin(mailhaul_engine::preview(&mut source, &mut target, &NoLedger, options)).await,
    };
    tokio::join!(source.close(), target.close());
    preview
}

/// Empty ledger, if the data directory has none.
struct NoLedger;

impl Ledger for NoLedger {
    async fn folders(&self) -> Result<Vec<FolderRecord>, Error> {
        Ok(Vec::new())
    }

    async fn folder(&self, _folder: &FolderPath) -> Result<Option<FolderState>, Error> {
        Ok(None)
    }

    async fn folder_around(&self, _: &FolderPath, _: &UidSet) -> Result<Option<FolderState>, Error> {
        Ok(None)
    }

    async fn record(&self, _records: &[LedgerRecord]) -> Result<(), Error> {
        Err(Error::ledger("nothing is written in a dry run"))
    }
}

/// Prints the plans. The exit code is that of the worst plan.
pub(crate) fn print(previews: &[MailboxPreview], as_json: bool) -> Result<Exit> {
    if as_json {
        let mailboxes: Vec<Value> = previews.iter().map(json_mailbox).collect();
        let json = json!({ "dryRun": true, "mailboxes": mailboxes });
        text::print_json(&serde_json::to_string_pretty(&json)?);
    } else {
        for preview in previews {
            print_mailbox(preview);
        }
        text::print("dry run: nothing was written anywhere");
    }
    for it in previews {
        match &it.preview {
            Err(error) => text::print_error(format_args!("error: {}: {}", it.name, explained(error))),
            Ok(preview) => {
                for option in &preview.unmatched {
                    text::print_error(format_args!("warning: {}: {}", it.name, text::unmatched(option)));
                }
            }
        }
    }
    Ok(exit(previews))
}

fn exit(previews: &[MailboxPreview]) -> Exit {
    let has_failed = |it: &MailboxPreview| {
        it.preview.as_ref().map_or(true, |it| it.folders.iter().any(|folder| folder.error.is_some()))
    };
    let is = |it: &MailboxPreview, kind| it.preview.as_ref().is_err_and(|error| error.kind == kind);
    let is_misused = |it: &MailboxPreview| is(it, ErrorKind::Options);
    if previews.iter().any(|it| is(it, ErrorKind::Damaged)) {
        Exit::Damaged
    } else if !previews.is_empty() && previews.iter().all(is_misused) {
        Exit::Usage
    } else if previews.iter().any(has_failed) {
        Exit::Failed
    } else {
        Exit::Synced
    }
}

fn print_mailbox(preview: &MailboxPreview) {
    let Ok(Preview { folders, .. }) = &preview.preview else { return };
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "Folder",
        "Target",
        "Copy",
        "Bytes",
        "Already there",
        "Flags",
        "Left out",
        "Skip",
        "Why",
    ]);
    for it in folders {
        let why = match (&it.error, &it.why) {
            (Some(error), _) => format!("FAILS: {error}"),
            (None, Some(why)) => format!("{}; {why}", it.plan.reason),
            (None, None) if it.plan.target.is_some() => format!("{}; unchanged", it.plan.reason),
            (None, None) => it.plan.reason.clone(),
        };
        table.add_row([
            on_one_line(&it.plan.source.to_string()).into_owned(),
            it.plan
                .target
                .as_ref()
                .map_or_else(|| "(left out)".to_owned(), |it| on_one_line(&it.to_string()).into_owned()),
            it.copy.to_string(),
            text::bytes(it.bytes),
            it.already.to_string(),
            it.flags.to_string(),
            it.excluded.to_string(),
            it.skip.len().to_string(),
            on_one_line(&why).into_owned(),
        ]);
    }
    for column in table.column_iter_mut().skip(2).take(6) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let copy: u64 = folders.iter().map(|it| it.copy).sum();
    let bytes: u64 = folders.iter().map(|it| it.bytes).sum();
    text::print(format_args!(
        "{}: {} to copy, {}",
        preview.name,
        text::count(copy, "message", "messages"),
        text::bytes(bytes)
    ));
    text::print_page(&table);
    for it in folders {
        for (uid, reason) in &it.skip {
            text::print(format_args!(
                "{}: would be skipped: {}: UID {uid}: {reason}",
                preview.name, it.plan.source
            ));
        }
        if it.vanished > 0 {
            let many = text::count(it.vanished, "message is", "messages are");
            text::print(format_args!(
                "{}: {}: {many} on the target but no longer on the source",
                preview.name, it.plan.source
            ));
        }
    }
}

fn json_mailbox(preview: &MailboxPreview) -> Value {
    match &preview.preview {
        Err(error) => json!({ "emailAddress": preview.name, "error": error.message }),
        Ok(Preview { folders, .. }) => json!({
            "emailAddress": preview.name,
            "folders": folders.iter().map(json_folder).collect::<Vec<_>>(),
        }),
    }
}

fn json_folder(it: &FolderPreview) -> Value {
    json!({
        "folder": it.plan.source.to_string(),
        "targetFolder": it.plan.target.as_ref().map(ToString::to_string),
        "reason": it.plan.reason,
        "why": it.why,
        "copy": it.copy,
        "bytes": it.bytes,
        "alreadyThere": it.already,
        "flagsChanged": it.flags,
        "vanished": it.vanished,
        "leftOut": it.excluded,
        "skip": it.skip.iter().map(|(uid, reason)| json!({ "uid": uid.get(), "reason": reason })).collect::<Vec<_>>(),
        "error": it.error.as_ref().map(|it| &it.message),
    })
}
