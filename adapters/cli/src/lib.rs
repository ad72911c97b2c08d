//! The `plimsoll` command as a library.
