//! Report 27: the parenthesis closes after the literal, and further items follow it (Xeams).
