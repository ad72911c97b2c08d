//! Plimsoll's examples.
