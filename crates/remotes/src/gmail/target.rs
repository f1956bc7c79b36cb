//! Appends a feed to a folder: by the API, and by APPEND the messages that the API cannot take.

use mailhaul_engine::{Ack, Acks, Envelope, Error, ErrorKind, Feed, Mailbox as _, Side};
use mailhaul_mail::{Flags, FolderPath, Retry, Scope, Uid};

use crate::{
    gmail::api::{
        arrival::{Arrivals, UploadedMessage},
        client::{Api, ApiError},
        labels::{LabelTarget, has_more, ids, label_target},
        route::UploadRoute,
        split::{Outgoing, Split},
    },
    imap::mailbox::ImapMailbox,
    login::Login,
};

/// Uploaded messages whose UIDs are looked up together.
const AT_ONCE: usize = 50;

/// Messages of one feed that the API took, and the flags that were lost.
struct Uploads {
    arrivals: Arrivals,
    lost: Flags,
}

/// Continues or ends the feed.
enum Flow {
    On,
    /// The server refused more than a message.
    End,
}

impl ImapMailbox {
    /// Appends the messages of the feed to the folder.
    pub(crate) async fn append_by_api<F: Feed>(
        &mut self,
        folder: &FolderPath,
        batch: usize,
        feed: &mut F,
        acks: &Acks,
    ) -> Result<(), Error> {
        if self.api()?.uploads.uses.is_none() {
            self.folders().await?;
        }
        // No earlier UID can be an uploaded message.
        let from = self.status(folder).await?.uid_next.unwrap_or(Uid::FIRST);
        let api = self.api()?;
        let name = self.wire(folder).to_text();
        let label = match label_target(folder, api.uploads.special_use(folder), name) {
            LabelTarget::Drafts => return self.append_over_imap(folder, batch, feed, acks).await.map(drop),
            LabelTarget::System(id) => Some(id.to_owned()),
            LabelTarget::Archive => None,
            LabelTarget::User(name) => match api.label(&name).await {
                Ok(id) => Some(id),
                Err(ApiError::Refused(error) | ApiError::Unknown(error)) => {
                    return Err(self.at_target(folder, error));
                }
            },
        };
        let mut split = Split::new(feed, self.append_limit(folder));
        let mut uploads = Uploads { arrivals: Arrivals::new(from), lost: Flags::new() };
        let outcome = loop {
            match split.peek().await {
                Err(error) => break Err(error),
                Ok(None) => break Ok(()),
                Ok(Some(UploadRoute::Append)) => {
                    // After the APPENDs the server may refuse further connections.
                    if let Err(error) = self.report_arrivals(&api, folder, &mut uploads.arrivals, acks).await
                    {
                        break Err(error);
                    }
                    match self.append_over_imap(folder, batch, &mut split, acks).await {
                        Ok(true) => {}
                        Ok(false) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                }
                Ok(Some(UploadRoute::Api)) => {
                    match self.upload(&api, folder, label.as_deref(), &mut split, &mut uploads, acks).await {
                        Ok(Flow::On) if uploads.arrivals.len() < AT_ONCE => {}
                        Ok(Flow::On) => {
                            if let Err(error) =
                                self.report_arrivals(&api, folder, &mut uploads.arrivals, acks).await
                            {
                                break Err(error);
                            }
                        }
                        Ok(Flow::End) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                }
            }
        };
        let told = self.report_arrivals(&api, folder, &mut uploads.arrivals, acks).await;
        self.warn_of_lost_flags(folder, &uploads.lost);
        outcome.and(told)
    }

    /// The API for this mailbox.
    fn api(&self) -> Result<Api, Error> {
        let Login::Tokens { user, tokens } = &self.account.login else {
            let words =
                format!("{}: Gmail's API needs access tokens, and the login has a password", self.end());
            let error = Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Authentication, words);
            return Err(error.at(Side::Target));
        };
        let uploads = self.uploads.clone().ok_or_else(|| Error::session("there is no API to upload by"))?;
        let permit = self.account.options.permit.clone();
        Ok(Api { uploads, user: user.clone(), tokens: tokens.clone(), permit })
    }

    /// Uploads the next message.
    async fn upload<F: Feed>(
        &mut self,
        api: &Api,
        folder: &FolderPath,
        label: Option<&str>,
        feed: &mut Split<'_, F>,
        uploads: &mut Uploads,
        acks: &Acks,
    ) -> Result<Flow, Error> {
        let permanent = self.permanent_flags(folder).await?;
        let flags = |envelope: &Envelope| {
            let learned = self.shared_limits();
            let mut learned = learned.lock();
            let learned = learned.folder(folder);
            let suits = |name: &str| learned.suits(envelope.uid, name, permanent.lists(name));
            envelope.flags.filtered(|name| permanent.keeps(name) && suits(name))
        };
        let (envelope, outcome) = match feed.outgoing().await? {
            None => return Ok(Flow::On),
            Some(Outgoing::Whole(envelope, message)) => {
                let labels = ids(label, &flags(&envelope));
                let outcome = api.upload(&labels, &message).await;
                (envelope, outcome)
            }
            Some(Outgoing::Begun(envelope, length)) => {
                let labels = ids(label, &flags(&envelope));
                let outcome = api.upload_chunks(&labels, length, feed).await;
                (envelope, outcome)
            }
        };
        let kept = flags(&envelope);
        envelope.flags.without(&kept).iter().for_each(|name| uploads.lost.insert(name));
        let uid = envelope.uid;
        match outcome {
            Ok(message) => {
                uploads.arrivals.add(UploadedMessage { uid, message, is_bare: has_more(&kept) });
                Ok(Flow::On)
            }
            Err(ApiError::Refused(error)) if error.scope == Scope::Message => {
                acks.report(Ack { sent: vec![uid], result: Err(error), is_bare: false });
                feed.skip().await?;
                Ok(Flow::On)
            }
            Err(ApiError::Refused(error)) => {
                if error.scope == Scope::Folder {
                    api.forget_labels();
                }
                let error = self.at_target(folder, error);
                acks.report(Ack { sent: vec![uid], result: Err(error), is_bare: false });
                Ok(Flow::End)
            }
            Err(ApiError::Unknown(error)) => Err(self.at_target(folder, error)),
        }
    }

    fn at_target(&self, folder: &FolderPath, error: Error) -> Error {
        error.context(format_args!("{}: folder {folder}", self.end())).at(Side::Target)
    }
}
