#!/bin/sh
# Makes the lock files of what the managed runtimes bring with them, from requirements.in and
# package.json beside them. Needs pip-tools in build/venv, and npm. No registry host goes in.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root/runtimes/python"
"$root/build/venv/bin/pip-compile" --quiet --upgrade --generate-hashes --no-header --no-annotate \
  --no-emit-index-url --no-emit-find-links --strip-extras -o requirements.lock requirements.in
for sdk in sdk sdk18; do
  cd "$root/runtimes/node/$sdk"
  rm -f package-lock.json
  npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund
done
if grep -l '"resolved"' "$root"/runtimes/node/*/package-lock.json; then
  echo "a lock file names a registry: this npm does not know --omit-lockfile-registry-resolved" >&2
  exit 1
fi
