//! Plimsoll's tests.
