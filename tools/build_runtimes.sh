#!/bin/sh
# Puts the managed Lambda runtimes of this machine together in build/runtimes/<runtime>/: the
# bootstrap, the AWS SDK from its lock, and manifest.json, which says how a sandbox starts it.
# Idempotent: a runtime whose inputs have not changed is left alone. Prints one line a runtime.
#
#   tools/build_runtimes.sh [output folder]      PILEUS_PYTHONS, PILEUS_NODE: other interpreters
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/build/runtimes}
mkdir -p "$out"

# An interpreter can be used only where a sandbox sees it: under /usr, /opt, /bin or /lib.
usable() {
  case $(readlink -f "$1") in
    /usr/* | /opt/* | /bin/* | /lib/*) [ -x "$1" ] ;;
    *) return 1 ;;
  esac
}

# What a runtime is made of, as one hash: its interpreter, our files, its lock.
key_of() {
  cat "$@" "$0" | cksum | tr -d ' '
}

mounts_for() {
  case $(readlink -f "$1") in
    /usr/* | /bin/* | /lib/*) echo '' ;;
    /opt/*) echo "{\"source\": \"$2\", \"target\": \"$2\"}" ;;
  esac
}

unchanged() { # folder key interpreter
  [ -f "$1/manifest.json" ] && [ "$(cat "$1/.key" 2>/dev/null)" = "$2 $3 $(stat -Lc %Y "$3")" ]
}

# Everything is made beside its place and then moved, so that an interrupted run leaves no half.
finish() { # new folder, folder, key, interpreter
  echo "$3 $4 $(stat -Lc %Y "$4")" > "$1/.key"
  rm -rf "$2.old"
  [ ! -d "$2" ] || mv "$2" "$2.old"
  mv "$1" "$2"
  rm -rf "$2.old"
}

python_runtime() { # interpreter
  version=$("$1" -I -S -c 'import sys; print("%d.%d" % sys.version_info[:2] if sys.version_info >= (3, 9) else "")')
  [ -n "$version" ] || return 0
  name=python$version
  folder=$out/$name
  key=$(key_of "$root/runtimes/python/bootstrap.py" "$root"/runtimes/python/pileus_runtime/*.py "$root/runtimes/python/requirements.lock")
  if unchanged "$folder" "$key" "$1"; then
    echo "$name: up to date ($1)"
    return 0
  fi
  echo "$name: installing boto3 for $1"
  new=$folder.new
  rm -rf "$new"
  mkdir -p "$new"
  # Any pip will do: the packages are pure Python and pinned with hashes.
  pip=${PILEUS_PIP:-$root/build/venv/bin/python}
  [ -x "$pip" ] || pip=$1
  "$pip" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes \
    --only-binary :all: --target "$new" -r "$root/runtimes/python/requirements.lock"
  rm -rf "$new/bin"
  cp "$root/runtimes/python/bootstrap.py" "$new/"
  mkdir "$new/pileus_runtime"
  cp "$root"/runtimes/python/pileus_runtime/*.py "$new/pileus_runtime/"
  # Compiled where the sandbox will see it, never checked again: tracebacks name /var/runtime.
  "$1" -I -c "
import compileall, py_compile, sys
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
compileall.compile_dir('$new', quiet=1, stripdir='$new', prependdir='/var/runtime', invalidation_mode=mode)
py_compile.compile('$new/bootstrap.py', '$new/bootstrap.pyc', dfile='/var/runtime/bootstrap.py', doraise=True, invalidation_mode=mode)"
  full=$("$1" -I -S -c 'import sys; print(sys.version.split()[0])')
  cat > "$new/manifest.json" <<END
{
  "runtime": "$name",
  "language": "python",
  "version": "$full",
  "interpreter": "$1",
  "bootstrap": "/var/runtime/bootstrap.pyc",
  "sdk": "/var/runtime",
  "argv": ["$1", "-I", "-S", "/var/runtime/bootstrap.pyc"],
  "argv_now": ["$1", "-I", "-S", "/var/runtime/bootstrap.pyc", "--now"],
  "forks": true,
  "mounts": [
    {"source": "$folder", "target": "/var/runtime"}$(extra_mounts "$1")
  ],
  "environment": {
    "LANG": "en_US.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "PYTHONPATH": "/var/runtime"
  },
  "start_variables": ["LD_", "MALLOC_", "GLIBC_TUNABLES", "LANG", "LC_", "PYTHON"],
  "start_variables_except": ["PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"]
}
END
  finish "$new" "$folder" "$key" "$1"
}

extra_mounts() {
  more=$(mounts_for "$1" "$(dirname "$(dirname "$(readlink -f "$1")")")")
  [ -z "$more" ] || printf ',\n    %s' "$more"
}

node_runtime() { # interpreter
  full=$("$1" --version | tr -d v)
  major=${full%%.*}
  [ "$major" -ge 18 ] || return 0
  name=nodejs$major.x
  sdk=$root/runtimes/node/sdk
  [ "$major" -ge 20 ] || sdk=$root/runtimes/node/sdk18
  folder=$out/$name
  key=$(key_of "$root/runtimes/node/bootstrap.mjs" "$sdk/package.json" "$sdk/package-lock.json")
  if unchanged "$folder" "$key" "$1"; then
    echo "$name: up to date ($1)"
    return 0
  fi
  echo "$name: installing the AWS SDK for JavaScript v3 for $1"
  new=$folder.new
  rm -rf "$new"
  mkdir -p "$new"
  # The SDK is the slow part: an unchanged one is kept when only the bootstrap has changed.
  sdk_key=$(key_of "$sdk/package.json" "$sdk/package-lock.json")
  if [ "$(cat "$folder/.sdk_key" 2>/dev/null)" = "$sdk_key" ]; then
    cp -al "$folder/node_modules" "$new/node_modules"
  else
    cp "$sdk/package.json" "$sdk/package-lock.json" "$new/"
    (cd "$new" && npm ci --ignore-scripts --omit=dev --no-audit --no-fund --loglevel=error > /dev/null)
    find "$new/node_modules" -type d -name dist-types -prune -exec rm -rf {} +
    find "$new/node_modules" -type f \( -name '*.d.ts' -o -name '*.map' \) -delete
    rm -f "$new/package.json" "$new/package-lock.json"
  fi
  echo "$sdk_key" > "$new/.sdk_key"
  cp "$root/runtimes/node/bootstrap.mjs" "$new/"
  cat > "$new/manifest.json" <<END
{
  "runtime": "$name",
  "language": "node",
  "version": "$full",
  "interpreter": "$1",
  "bootstrap": "/var/runtime/bootstrap.mjs",
  "sdk": "/var/runtime/node_modules",
  "argv": ["$1", "/var/runtime/bootstrap.mjs"],
  "argv_now": ["$1", "/var/runtime/bootstrap.mjs", "--now"],
  "mounts": [
    {"source": "$folder", "target": "/var/runtime"},
    {"source": "$folder/node_modules", "target": "/node_modules"}$(extra_mounts "$1")
  ],
  "environment": {
    "LANG": "en_US.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "NODE_PATH": "/opt/nodejs/node$major/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"
  },
  "start_variables": ["LD_", "MALLOC_", "GLIBC_TUNABLES", "LANG", "LC_", "NODE_", "SSL_CERT_", "OPENSSL_"],
  "start_variables_except": ["NODE_PATH"]
}
END
  finish "$new" "$folder" "$key" "$1"
}

pythons=${PILEUS_PYTHONS:-$(ls /usr/bin/python3.[0-9]* /usr/local/bin/python3.[0-9]* 2>/dev/null | grep -E '/python3\.[0-9]+$' || true)}
for interpreter in $pythons; do
  if usable "$interpreter"; then python_runtime "$interpreter"; fi
done
node=${PILEUS_NODE:-$(ls /usr/bin/node /usr/local/bin/node 2>/dev/null || true)}
for interpreter in $node; do
  if usable "$interpreter"; then node_runtime "$interpreter"; fi
done
