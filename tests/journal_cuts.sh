#!/usr/bin/env bash
# A million power cuts on five flashes, and on the smallest every cut of the recovery after every cut before it: fifteen tests
# of about a minute each. usage: tests/journal_cuts.sh [part of a name]      one after the other
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --release -q -p plimsoll-core --test journal -- --ignored --nocapture --test-threads 1 "$@"
