#!/bin/sh
# Installs AWS's own runtime clients into build/stock/, pinned, for tests/runtimes: awslambdaric
# for the system's Python, aws-lambda-ric for the system's Node.js (which compiles: cmake, a C++
# compiler, autotools, Node's headers). Idempotent. What cannot be had is said; its tests skip.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
lock=$root/tests/runtimes/stock
out=$root/build/stock
mkdir -p "$out"

made_of() { cat "$@" | cksum | tr -d ' '; }

python_client() {
  key=$(made_of "$lock/requirements.lock" /usr/bin/python3)
  [ "$(cat "$out/python/.key" 2>/dev/null)" != "$key" ] || return 0
  rm -rf "$out/python"
  version=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  "$root/build/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    --require-hashes --only-binary :all: --python-version "$version" --implementation cp \
    --target "$out/python" -r "$lock/requirements.lock"
  echo "$key" > "$out/python/.key"
}

node_client() {
  key=$(made_of "$lock/package-lock.json" /usr/bin/node)
  [ "$(cat "$out/node/.key" 2>/dev/null)" != "$key" ] || return 0
  rm -rf "$out/node"
  mkdir -p "$out/node"
  cp "$lock/package.json" "$lock/package-lock.json" "$out/node/"
  (cd "$out/node" && npm ci --no-audit --no-fund --loglevel=error > build.log 2>&1) || return 1
  # What it was built with is not needed to run it.
  (cd "$out/node/node_modules" && ls -A | grep -v '^aws-lambda-ric$' | xargs rm -rf)
  rm -rf "$out/node/node_modules/aws-lambda-ric/deps" "$out/node/node_modules/aws-lambda-ric/build/Release/obj.target"
  echo "$key" > "$out/node/.key"
}

python_client || echo "awslambdaric could not be installed; its tests are skipped"
node_client || echo "aws-lambda-ric could not be built (see build/stock/node/build.log); its tests are skipped"
