#!/usr/bin/env bash
# A million power cuts on five flashes, and on the smallest every cut of the recovery after every cut before it.
# usage: tests/journal_cuts.sh
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --release -q -p plimsoll-core --test journal -- --ignored --nocapture
