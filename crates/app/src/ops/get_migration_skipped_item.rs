//! Get-MigrationSkippedItem.

use std::path::{Path, PathBuf};

use mailhaul_migration::{Guid, Limit, MigrationUser};
use mailhaul_operations::{Answer, Caller, Continuation, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::{SkippedMessage, UserFilter};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    failures::told, nouns::SKIPPED_ITEM, report_file::not_ours, saved_messages::Saving,
    skipped_report::Place, views::MigrationSkippedItem,
};
use crate::context::Context;

/// Messages of one answer.
const PART: u32 = 1000;
/// Messages of one answer where each is saved.
const SAVED_PART: u32 = 50;
/// How many there are where nobody says, as in Exchange.
const DEFAULT: Limit = Limit::At(1000);

/// Shows messages that were skipped.
pub(crate) struct GetMigrationSkippedItem;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// The user's e-mail address or GUID.
    identity: Option<String>,
    /// In its place: all users of this batch.
    batch_id: Option<String>,
    /// Saves each message as a file there, as the source has it: a directory on this machine, with its whole path. What is
    /// there already is not written over.
    export: Option<String>,
    /// How many at most, or unlimited; 1000 where nothing is said.
    result_size: Option<Limit>,
    /// Where the next part begins.
    continuation: Option<Continuation>,
}

/// Whose messages are shown.
enum Whose {
    User(Box<MigrationUser>),
    Batch(Guid),
}

impl Operation<Context> for GetMigrationSkippedItem {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = SKIPPED_ITEM;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Shows the messages that a user's last pass skipped, and saves them as files where that is asked for.";
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
                Whose::User(Box::new(context.store.user(identity, None).await.map_err(told)?))
            }
            (None, Some(batch)) => Whose::Batch(context.store.batch(batch).await.map_err(told)?.batch.guid),
            _ => {
                return Err(Failure::invalid("either Identity or BatchId must be given")
                    .with_advice("Get-MigrationUser and Get-MigrationBatch show what there is."));
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

/// Where messages may be saved: only for whoever sits at this machine, who may read the passwords' file as well.
fn directory(caller: &Caller, path: &str) -> Result<PathBuf, Failure> {
    if !caller.is_local || caller.role < Role::Admin {
        return Err(Failure::forbidden(
            "Export writes to the disk of the service's machine, and only from there",
        ));
    }
    let path = Path::new(path);
    if !path.is_absolute() {
        return Err(Failure::invalid(format_args!(
            "Export must be the whole path of a directory, and is \"{}\"",
            path.display().to_string().escape_debug()
        ))
        .with_advice("Write it from the root on: /home/ada/skipped."));
    }
    Ok(path.to_owned())
}

fn reading(request: &Request) -> Result<(Limit, Place), Failure> {
    let Some(Continuation(text)) = &request.continuation else {
        return Ok((request.result_size.unwrap_or(DEFAULT), Place::default()));
    };
    let (left, place) = text.split_once('.').ok_or_else(not_ours)?;
    Ok((left.parse().map_err(|_| not_ours())?, Place::parse(place)?))
}

type Found = Vec<(MigrationUser, SkippedMessage)>;

/// At most so many messages from that place on, each with its user, and where the next one is.
async fn gather(
    context: &Context,
    whose: &Whose,
    mut place: Place,
    limit: u32,
) -> Result<(Found, Option<Place>), Failure> {
    let mut found = Found::new();
    loop {
        let (users, after) = match whose {
            Whose::User(user) => (vec![MigrationUser::clone(user)], None),
            Whose::Batch(batch) => {
                let filter = UserFilter { batch: Some(*batch), ..UserFilter::default() };
                let page = context.store.users(&filter, place.users, PART).await.map_err(told)?;
                (page.items, page.next)
            }
        };
        // A user who was removed meanwhile: what is told twice is better than what is not told.
        let begun = place.user.take().and_then(|guid| users.iter().position(|it| it.guid == guid));
        let mut message = place.message.take().filter(|_| begun.is_some());
        for user in users.into_iter().skip(begun.unwrap_or(0)).filter(|it| it.statistics.skipped_items > 0) {
            let room = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            if room == 0 {
                return Ok((found, Some(Place { users: place.users, user: Some(user.guid), message: None })));
            }
            let page = context.store.skipped_messages(user.guid, message.take(), room).await.map_err(told)?;
            let guid = user.guid;
            found.extend(page.items.into_iter().map(|it| (user.clone(), it)));
            if page.next.is_some() {
                return Ok((found, Some(Place { users: place.users, user: Some(guid), message: page.next })));
            }
        }
        place.users = after;
        if place.users.is_none() {
            return Ok((found, None));
        }
    }
}

/// Saves the messages, user by user. What cannot be saved says why; the others are saved.
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
            // Of a batch, each user has a directory.
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
