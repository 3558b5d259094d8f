// SSH public keys of RSA, in both forms that IAM takes and gives. Pure; any thread.
#pragma once

#include <string>

#include "base/completion.h"

namespace pileus::services::iam {

struct SshKey {
  std::string ssh;          // "ssh-rsa AAAA…" without a comment
  std::string pem;          // SubjectPublicKeyInfo
  std::string fingerprint;  // MD5 of the SSH form, "c7:ad:…"
};

// Of "ssh-rsa AAAA… comment" or a PEM text. UnrecognizedPublicKeyEncoding for any other form,
// InvalidPublicKey for what cannot be read or is no RSA key of 2,048 to 16,384 bits.
Result<SshKey> parse_ssh_key(const std::string& text);

}  // namespace pileus::services::iam
