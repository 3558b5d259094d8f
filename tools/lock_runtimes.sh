#!/bin/sh
# Makes the lock files of what the managed runtimes bring and the stock clients of the tests, from requirements.in and
# package.json beside them. Needs pip-tools in build/venv, and npm. No registry host goes in.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
for folder in runtimes/python tests/runtimes/stock; do
  cd "$root/$folder"
  "$root/build/venv/bin/pip-compile" --quiet --upgrade --generate-hashes --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links --strip-extras -o requirements.lock requirements.in
done
for folder in runtimes/node/sdk runtimes/node/sdk18 tests/runtimes/stock; do
  cd "$root/$folder"
  rm -f package-lock.json
  npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund
done
if grep -l '"resolved"' "$root"/runtimes/node/*/package-lock.json "$root/tests/runtimes/stock/package-lock.json"; then
  echo "a lock file names a registry: this npm does not know --omit-lockfile-registry-resolved" >&2
  exit 1
fi
