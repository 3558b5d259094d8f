#!/bin/sh
# Deploys three functions (Python, Node.js, native) through the aws CLI, invokes each and prints
# what came of it. Run it again to update the code. Needs: aws, python3 (for zip files), and a C++
# compiler unless native/bootstrap is there already.
#
#   AWS_ENDPOINT_URL=http://127.0.0.1:4566 examples/hello/deploy.sh
#   CXX, PYTHON_RUNTIME, NODE_RUNTIME, HELLO_BUILD: other choices than the defaults below
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
: "${AWS_ENDPOINT_URL:?set AWS_ENDPOINT_URL, for instance to http://127.0.0.1:4566}"
export AWS_ENDPOINT_URL AWS_PAGER='' AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-${AWS_REGION:-us-east-1}}"
export AWS_ACCESS_KEY_ID="${AWS_ACCESS_KEY_ID:-test}" AWS_SECRET_ACCESS_KEY="${AWS_SECRET_ACCESS_KEY:-test}"
build=${HELLO_BUILD:-$root/build/examples/hello}
mkdir -p "$build"
role=hello-role

# The newest managed runtime of a language that tools/build_runtimes.sh has put together here.
installed() { # prefix, otherwise
  found=$(cd "$root/build/runtimes" 2>/dev/null && ls -d "$1"* 2>/dev/null | grep -v '\.\(new\|old\)$' | sort -V | tail -1 || true)
  echo "${found:-$2}"
}
python_runtime=${PYTHON_RUNTIME:-$(installed python python3.11)}
node_runtime=${NODE_RUNTIME:-$(installed nodejs nodejs20.x)}

zip_file() { # archive, file
  rm -f "$1"
  (cd "$(dirname "$2")" && python3 -m zipfile -c "$1" "$(basename "$2")")
}

build_native() {
  if [ -n "${HELLO_NATIVE:-}" ]; then
    native=$HELLO_NATIVE
    return
  fi
  native=$build/bootstrap
  if [ ! "$native" -nt "$here/native/main.cpp" ] || [ ! "$native" -nt "$root/runtimes/native/pileus_lambda.h" ]; then
    ${CXX:-$(command -v clang++-19 || command -v clang++ || echo g++)} -std=c++17 -O2 -static -s \
      -I"$root/runtimes/native" "$here/native/main.cpp" -o "$native"
  fi
}

ensure_role() {
  if ! role_arn=$(aws iam get-role --role-name "$role" --query Role.Arn --output text 2>/dev/null); then
    role_arn=$(aws iam create-role --role-name "$role" --query Role.Arn --output text \
      --assume-role-policy-document '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}')
  fi
  aws iam attach-role-policy --role-name "$role" \
    --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
}

ensure_function() { # name, runtime, handler, archive
  if aws lambda get-function-configuration --function-name "$1" > /dev/null 2>&1; then
    aws lambda update-function-code --function-name "$1" --zip-file "fileb://$4" > /dev/null
    aws lambda wait function-updated-v2 --function-name "$1"
  else
    aws lambda create-function --function-name "$1" --runtime "$2" --handler "$3" --role "$role_arn" \
      --zip-file "fileb://$4" --timeout 10 > /dev/null
    aws lambda wait function-active-v2 --function-name "$1"
  fi
}

invoke() { # name, event
  answer=$build/$1.json
  printf %s "$2" > "$build/$1.event"  # a file: versions 1 and 2 of the CLI read it alike
  tail=$(aws lambda invoke --function-name "$1" --payload "fileb://$build/$1.event" --log-type Tail --query '[FunctionError, LogResult]' --output text "$answer")
  failed=$(echo "$tail" | cut -f1)
  report=$(echo "$tail" | cut -f2 | base64 -d | grep '^REPORT' || true)
  duration=$(echo "$report" | tr '\t' '\n' | sed -n 's/^Duration: //p')
  cold=$(echo "$report" | tr '\t' '\n' | sed -n 's/^Init Duration: //p')
  printf '%-14s %s\n' "$1" "$(cat "$answer")"
  printf '%-14s %s%s; logs: /aws/lambda/%s\n' '' "${duration:-no REPORT line}" "${cold:+ (cold start $cold)}" "$1"
  [ "$failed" = None ] || { echo "$1 failed: $failed" >&2; return 1; }
}

build_native
ensure_role
zip_file "$build/python.zip" "$here/python/app.py"
zip_file "$build/node.zip" "$here/node/index.mjs"
zip_file "$build/native.zip" "$native"
ensure_function hello-python "$python_runtime" app.handler "$build/python.zip"
ensure_function hello-node "$node_runtime" index.handler "$build/node.zip"
ensure_function hello-native provided.al2023 bootstrap "$build/native.zip"
invoke hello-python '{"text": "a cloud that forms on top of a peak"}'
invoke hello-node '{"items": [{"price": 2.5, "quantity": 4}, {"price": 0.99, "quantity": 3}]}'
invoke hello-native '{"below": 1000000}'
