//! Report 13: the list of messages is wrong at one of them (Kopano, Yahoo).
