//! Session with a selected mailbox.

use std::ops::Deref;

use crate::{
    driver::{MailboxData, SelectedState},
    error::Error,
    mailbox_name::MailboxName,
    session::Session,
};

/// The selected mailbox. Made by [`Session::select`], [`Session::examine`] and [`Session::selected`].
pub struct Selected<'s> {
    pub(crate) session: &'s mut Session,
}

impl Session {
    /// Name of the selected mailbox.
    pub fn selected_name(&self) -> Option<&MailboxName> {
        self.link.state().selected.as_ref().map(|selected| &selected.name)
    }

    /// Returns the selected mailbox, without a round trip.
    pub fn selected(&mut self) -> Option<Selected<'_>> {
        self.link.state().selected.as_ref()?;
        Some(Selected { session: self })
    }
}

impl Selected<'_> {
    /// Data of the mailbox.
    pub fn data(&self) -> &MailboxData {
        &self.state().data
    }

    /// Name of the mailbox.
    pub fn name(&self) -> &MailboxName {
        &self.state().name
    }

    fn state(&self) -> &SelectedState {
        match &self.session.link.state().selected {
            Some(state) => state,
            None => unreachable!("a Selected exists only while a mailbox is selected"),
        }
    }

    /// See [`Session::noop`].
    pub async fn noop(&mut self) -> Result<(), Error> {
        self.session.noop().await
    }
}

impl Deref for Selected<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session
    }
}
