//go:build tools

// Keeps the peers that benchmarks build in go.mod.
package peers

import _ "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie"
