#!/bin/bash
# Adds a managed Lambda runtime that this machine does not have: `pileus runtimes add <name>` runs it.
#   nodejs22.x, nodejs24.x …   Node.js from npm's packages, under /opt/pileus/<name>
#   python3.13                 a root file system of the Debian release that has it (debootstrap)
# Usage: tools/add_runtime.sh <name> [output folder]
set -euo pipefail
name=${1:?a runtime, such as nodejs22.x or python3.13}
root=$(cd "$(dirname "$0")/.." && pwd)
out=${2:-$root/build/runtimes}
home=/opt/pileus
fail() { printf 'pileus: %s\n' "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "adding a runtime writes to $home: run this as root"
mkdir -p "$home" "$out"

add_node() {
  local major=$1 machine package folder=$home/$name
  case $(uname -m) in x86_64) machine=x64 ;; aarch64) machine=arm64 ;; *) fail "no Node.js package for $(uname -m)" ;; esac
  package=node-linux-$machine@$major
  command -v npm >/dev/null || fail "npm is needed to fetch $package: apt-get install npm"
  echo "fetching $package"
  rm -rf "$folder.new"
  mkdir -p "$folder.new"
  (cd "$folder.new" && echo '{"private":true}' > package.json &&
    npm install --ignore-scripts --no-audit --no-fund --loglevel=error "$package" >/dev/null) || fail "npm has no $package"
  rm -rf "$folder"
  mv "$folder.new/node_modules/node-linux-$machine" "$folder"
  rm -rf "$folder.new"
  "$folder/bin/node" --version >/dev/null || fail "that Node.js does not start on this machine"
  PILEUS_PYTHONS=' ' PILEUS_NODE=$folder/bin/node "$root/tools/build_runtimes.sh" "$out"
}

# The Debian release whose python3 is that version.
release_of() { case $1 in 3.11) echo bookworm ;; 3.13) echo trixie ;; *) fail "no Debian release has Python $1; there are 3.11 and 3.13" ;; esac; }

add_python() {
  local version=$1 release system
  release=$(release_of "$version")
  system=$home/$release
  command -v debootstrap >/dev/null || { apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -q -y debootstrap >/dev/null; }
  if ! [ -x "$system/usr/bin/python$version" ]; then
    echo "making a root file system of Debian $release in $system"
    rm -rf "$system.new"
    debootstrap --variant=minbase --include=python3,ca-certificates,tzdata "$release" "$system.new" ${PILEUS_DEBIAN_MIRROR:-} >/dev/null ||
      fail "debootstrap could not make Debian $release (PILEUS_DEBIAN_MIRROR names another mirror)"
    rm -rf "$system.new/var/cache/apt" "$system.new/var/lib/apt/lists" "$system"
    mv "$system.new" "$system"
  fi
  local folder=$out/$name new=$out/$name.new pip=$root/build/venv/bin/python
  [ -x "$pip" ] || pip=/usr/bin/python3
  echo "installing boto3 for python$version"
  rm -rf "$new"
  mkdir -p "$new"
  "$pip" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes --only-binary :all: \
    --target "$new" -r "$root/runtimes/python/requirements.lock"
  rm -rf "$new/bin"
  cp "$root/runtimes/python/bootstrap.py" "$new/"
  mkdir "$new/pileus_runtime"
  cp "$root"/runtimes/python/pileus_runtime/*.py "$new/pileus_runtime/"
  # Compiled by the interpreter that will run it, where the sandbox will see it.
  mkdir -p "$system/var/runtime" "$system/var/task" "$system/opt"
  mount --bind "$new" "$system/var/runtime"
  trap 'umount "$system/var/runtime" 2>/dev/null || true' EXIT
  chroot "$system" "/usr/bin/python$version" -I -c "
import compileall, py_compile
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
compileall.compile_dir('/var/runtime', quiet=1, invalidation_mode=mode)
py_compile.compile('/var/runtime/bootstrap.py', '/var/runtime/bootstrap.pyc', doraise=True, invalidation_mode=mode)"
  umount "$system/var/runtime"
  trap - EXIT
  local full
  full=$(chroot "$system" "/usr/bin/python$version" -I -S -c 'import sys; print(sys.version.split()[0])')
  # As the host's Python runtime, in another root.
  local model
  model=$(ls -d "$out"/python3.*/manifest.json 2>/dev/null | grep -v "/$name/" | head -n 1)
  [ -n "$model" ] || fail "the host's own Python runtime comes first: tools/build_runtimes.sh"
  "$pip" - "$model" "$new/manifest.json" "$name" "$full" "/usr/bin/python$version" "$folder" "$system" <<'PYTHON'
import json, sys
model, target, name, full, interpreter, folder, system = sys.argv[1:]
manifest = json.load(open(model))
was = manifest["interpreter"]
manifest.update(runtime=name, version=full, interpreter=interpreter, root=system)
for key in ("argv", "argv_now"):
    manifest[key] = [interpreter if word == was else word for word in manifest[key]]
manifest["mounts"] = [{"source": folder, "target": "/var/runtime"}]
json.dump(manifest, open(target, "w"), indent=2)
PYTHON
  rm -rf "$folder"
  mv "$new" "$folder"
}

case $name in
  nodejs[0-9]*.x) version=${name#nodejs}; add_node "${version%.x}" ;;
  python3.[0-9]*) add_python "${name#python}" ;;
  *) fail "'$name' cannot be added; known are nodejs<major>.x and python3.<minor>" ;;
esac
echo "$name is ready; a running server finds it at its next start"
