#!/usr/bin/env bash
# Writes the texts that come from the program: suites/reference.toml and the tables of suites/COMPONENTS.md.
# With --check it changes nothing and fails when one of them is not up to date.
set -euo pipefail
cd "$(dirname "$0")/.."
trailmark() { cargo run --quiet --release --locked -- "$@"; }
out="$(mktemp -d)"
trap 'rm -r "$out"' EXIT
trailmark list reference > "$out/reference.toml"
{
  printf '# What a suite can name\n\nWritten by `scripts/generated.sh` from the program itself; do not edit. Cost is the order of the work,\nand of the bytes beside input and output.\n'
  for what in encoders posts clusterers metrics recommenders datasets models; do
    printf '\n## %s\n\n' "${what^}"
    trailmark list "$what" --format markdown
  done
} > "$out/COMPONENTS.md"
for name in reference.toml COMPONENTS.md; do
  if [ "${1:-}" = --check ]; then
    diff -u "suites/$name" "$out/$name" || { echo "suites/$name is not up to date: run scripts/generated.sh"; exit 1; }
  else
    cp "$out/$name" "suites/$name"
  fi
done
