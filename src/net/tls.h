// Local TLS: a certificate authority of one's own and the certificates it signs, as PEM texts.
// Making only; keeping them (and asking people to trust the authority) is app/'s. Any thread.
#pragma once

#include "base/random.h"
#include "net/server.h"

namespace pileus::net {

struct TlsAuthority {
  std::string certificate_pem;
  std::string private_key_pem;
};

// A root of EC P-256 that signs servers only (path length 0), valid ten years from a day before
// `now`.
Result<TlsAuthority> make_authority(const std::string& common_name, Time now, Random& random);

// A server certificate of EC P-256 for DNS names ("localhost", "*.execute-api.localhost") and
// addresses ("127.0.0.1", "::1"), valid 825 days from a day before `now`. The chain carries the
// authority. OpenSSL's clients take no wildcard right under a top-level name ("*.localhost"): names
// there need ListenOptions::tls_by_name.
Result<TlsIdentity> make_leaf(const TlsAuthority& authority, const std::vector<std::string>& names,
                              Time now, Random& random);

// When the first certificate of a chain ends; nothing when it is not a certificate.
std::optional<Time> certificate_end(const std::string& chain_pem);

}  // namespace pileus::net
