// Reading certificates that somebody else made: what a certificate says, whether a private key
// belongs to it, whether a chain is in order. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace pileus::net {

struct CertificateFacts {
  Time not_before{}, not_after{};
  std::string subject;      // RFC 2253
  std::string fingerprint;  // SHA-256 of the DER form, lower-case hex
};

// Of the one certificate in a PEM text; nothing where there is none that can be read.
std::optional<CertificateFacts> read_certificate(const std::string& pem);

enum class KeyMatch { kUnreadable, kEncrypted, kOther, kBelongs };
// Whether the private key (PEM) belongs to the certificate (PEM).
KeyMatch match_private_key(const std::string& certificate_pem, const std::string& key_pem);

// The index of the first certificate in the chain (PEM, concatenated) that does not sign the one
// before it, or cannot be read; nothing where the chain is in order. The first has to sign
// `certificate_pem`.
std::optional<std::size_t> first_out_of_order(const std::string& certificate_pem,
                                              const std::string& chain_pem);

}  // namespace pileus::net
