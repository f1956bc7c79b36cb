//! Report 08: Exchange gives a text of its own in place of a message.
