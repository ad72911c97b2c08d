//! Plimsoll on an operating system.
