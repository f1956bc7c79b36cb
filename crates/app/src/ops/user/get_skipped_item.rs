//! Get-MigrationSkippedItem.

use std::path::{Path, PathBuf};

use mailhaul_migration::{Guid, Limit, MigrationUser};
use mailhaul_operations::{Answer, Caller, Continuation, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::{SkippedMessage, UserFilter};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    saved_messages::Saving, skipped_item_view::MigrationSkippedItem, skipped_report_rows::ReportPosition,
};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::SKIPPED_ITEM, report_file::not_ours},
};

/// Messages per answer.
const PART: u32 = 1000;
/// Messages per answer if each is also saved to a file.
const SAVED_PART: u32 = 50;
/// Default of ResultSize, as in Exchange.
const DEFAULT: Limit = Limit::At(1000);

pub(crate) struct GetMigrationSkippedItem;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// E-mail address or GUID of the user.
    identity: Option<String>,
    /// All users of this batch, instead of one user.
    batch_id: Option<String>,
    /// Saves each message as an .eml file in this directory (absolute path).
    ///
    /// The directory is on this machine. Existing files are not overwritten. The messages are as on
    /// the source.
    export: Option<String>,
    /// Maximum number of results, or unlimited [default: 1000].
    result_size: Option<Limit>,
    /// Start of the next part.
    continuation: Option<Continuation>,
}

enum Whose {
    User(Box<MigrationUser>),
    Batch(Guid),
}

impl Operation<Context> for GetMigrationSkippedItem {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = SKIPPED_ITEM;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Lists messages that the last pass skipped, and can save them as files.";
    const VIEW: &'static [&'static str] =
        &["Identity", "FolderName", "UID", "Subject", "MessageSize", "Reason", "FileName"];

    type Request = Request;
    type Response = MigrationSkippedItem;

    async fn run(
        context: &Context,
        caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationSkippedItem>, Failure> {
        let directory = request.export.as_deref().map(|it| directory(caller, it)).transpose()?;
        let whose = match (&request.identity, &request.batch_id) {
            (Some(identity), None) => {
                Whose::User(Box::new(context.store.users().get(identity, None).await.map_err(into_failure)?))
            }
            (None, Some(batch)) => {
                Whose::Batch(context.store.batches().get(batch).await.map_err(into_failure)?.batch.guid)
            }
            _ => {
                return Err(Failure::invalid("either Identity or BatchId must be given")
                    .with_advice("Get-MigrationUser and Get-MigrationBatch list what exists."));
            }
        };
        let (left, place) = reading(&request)?;
        let most = if directory.is_some() { SAVED_PART } else { PART };
        let limit = match left {
            Limit::At(left) => left.min(most),
            Limit::Unlimited => most,
        };
        let (found, next) = gather(context, &whose, place, limit).await?;
        let next = match left {
            Limit::Unlimited => next.map(|it| (Limit::Unlimited, it)),
            Limit::At(left) if left <= limit => None,
            Limit::At(left) => next.map(|it| (Limit::At(left - limit), it)),
        };
        let items = match directory {
            Some(directory) => Box::pin(save(context, &whose, found, &directory)).await?,
            None => {
                found.into_iter().map(|(user, it)| MigrationSkippedItem::of(user.email_address, it)).collect()
            }
        };
        Ok(Answer::page(items, next.map(|(left, place)| format!("{left}.{}", place.write()))))
    }
}

/// Checks the directory for saved messages. Only a caller on this machine may write there; such a
/// caller could read the passwords' file as well.
fn directory(caller: &Caller, path: &str) -> Result<PathBuf, Failure> {
    if !caller.is_local || caller.role < Role::Admin {
        return Err(Failure::forbidden(
            "Export writes to the disk of the service's machine, so it works only there",
        ));
    }
    let path = Path::new(path);
    if !path.is_absolute() {
        return Err(Failure::invalid(format_args!(
            "Export must be the absolute path of a directory; it is \"{}\"",
            path.display().to_string().escape_debug()
        ))
        .with_advice("Example: /home/ada/skipped."));
    }
    Ok(path.to_owned())
}

fn reading(request: &Request) -> Result<(Limit, ReportPosition), Failure> {
    let Some(Continuation(text)) = &request.continuation else {
        return Ok((request.result_size.unwrap_or(DEFAULT), ReportPosition::default()));
    };
    let (left, place) = text.split_once('.').ok_or_else(not_ours)?;
    Ok((left.parse().map_err(|_| not_ours())?, ReportPosition::parse(place)?))
}

type Found = Vec<(MigrationUser, SkippedMessage)>;

/// Reads up to `limit` messages from this place on, each with its user, and the next place.
async fn gather(
    context: &Context,
    whose: &Whose,
    mut place: ReportPosition,
    limit: u32,
) -> Result<(Found, Option<ReportPosition>), Failure> {
    let mut found = Found::new();
    loop {
        let (users, after) = match whose {
            Whose::User(user) => (vec![MigrationUser::clone(user)], None),
            Whose::Batch(batch) => {
                let filter = UserFilter { batch: Some(*batch), ..UserFilter::default() };
                let page =
                    context.store.users().list(&filter, place.users, PART).await.map_err(into_failure)?;
                (page.items, page.next)
            }
        };
        // The user was removed meanwhile. Showing messages twice is better than omitting some.
        let begun = place.user.take().and_then(|guid| users.iter().position(|it| it.guid == guid));
        let mut message = place.message.take().filter(|_| begun.is_some());
        for user in users.into_iter().skip(begun.unwrap_or(0)).filter(|it| it.statistics.skipped_items > 0) {
            let room = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            if room == 0 {
                return Ok((
                    found,
                    Some(ReportPosition { users: place.users, user: Some(user.guid), message: None }),
                ));
            }
            let page = context
                .store
                .reports()
                .skipped_messages(user.guid, message.take(), room)
                .await
                .map_err(into_failure)?;
            let guid = user.guid;
            found.extend(page.items.into_iter().map(|it| (user.clone(), it)));
            if page.next.is_some() {
                return Ok((
                    found,
                    Some(ReportPosition { users: place.users, user: Some(guid), message: page.next }),
                ));
            }
        }
        place.users = after;
        if place.users.is_none() {
            return Ok((found, None));
        }
    }
}

/// Saves the messages, user by user. A message that cannot be saved carries the reason; the others
/// are saved.
async fn save(
    context: &Context,
    whose: &Whose,
    found: Found,
    directory: &Path,
) -> Result<Vec<MigrationSkippedItem>, Failure> {
    let mut items = Vec::with_capacity(found.len());
    let mut open: Option<(Guid, Saving)> = None;
    for (user, message) in found {
        if let Some((_, before)) = open.take_if(|(guid, _)| *guid != user.guid) {
            before.close().await;
        }
        let (_, saving) = if let Some(ref mut same) = open {
            same
        } else {
            // For a batch, each user has its own directory.
            let directory = match whose {
                Whose::User(_) => directory.to_owned(),
                Whose::Batch(_) => directory.join(Saving::safe(&user.email_address)),
            };
            open.insert((user.guid, Saving::new(context, &user, directory).await?))
        };
        let saved = saving.save(&message).await;
        let mut item = MigrationSkippedItem::of(user.email_address, message);
        match saved {
            Ok(path) => item.file_name = Some(path.display().to_string()),
            Err(words) => item.export_error = Some(words),
        }
        items.push(item);
    }
    if let Some((_, last)) = open {
        last.close().await;
    }
    Ok(items)
}
