//! Dev only: real and scripted servers, faults, memory remotes, generated mail.
