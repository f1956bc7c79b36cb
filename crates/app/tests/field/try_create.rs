//! Report 18: APPEND says TRYCREATE although the folder exists (Kopano).
