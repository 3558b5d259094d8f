#!/bin/sh
# Makes tests/contract/{models,vectors} anew from Smithy's published protocol tests.
# Needs a JDK 17, Maven and the network; the normal test run needs none of them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work"
python=${PILEUS_PYTHON:-python3}
mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/jars"
models=
for jar in "$work"/jars/smithy-aws-protocol-tests-*.jar "$work"/jars/smithy-protocol-tests-*.jar \
  "$work"/jars/smithy-aws-traits-*.jar "$work"/jars/smithy-protocol-test-traits-*.jar \
  "$work"/jars/smithy-protocol-traits-*.jar "$work"/jars/smithy-validation-model-*.jar; do
  models="$models $jar"
done
# shellcheck disable=SC2086
java -cp "$work/jars/*" software.amazon.smithy.cli.SmithyCli ast --flatten --quiet $models > "$work/ast.json"
"$python" "$here/smithy_to_vectors.py" "$work/ast.json" "$here/.."
