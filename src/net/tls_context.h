// TLS contexts for servers and clients, and TLS over a socket. Only net/ includes this.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/server.h"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace pileus::net {

using TlsContext = std::shared_ptr<SSL_CTX>;  // shared by a listener's or client's connections

// errc::kInvalid with OpenSSL's words when the PEM texts are not a chain and its key.
Result<TlsContext> server_context(const TlsIdentity& identity);
// Trusts the system's roots, `extra_roots_pem`, and what client_session() pins.
Result<TlsContext> client_context(const std::string& extra_roots_pem);

// Certificates by the name a client asks for; kept for kMost names. Any loop.
class TlsNames {
 public:
  static constexpr std::size_t kMost = 1000;
  using Make = std::function<std::optional<TlsIdentity>(const std::string& server_name)>;
  explicit TlsNames(Make make) : make_(std::move(make)) {}
  SSL_CTX* find(const std::string& name);  // null: the listener's own

 private:
  Make make_;
  std::mutex mutex_;  // guards known_; handshakes only
  std::map<std::string, TlsContext> known_;
};
// `names` outlives the context.
void choose_by_name(const TlsContext& context, TlsNames& names);

// The server's or (with the name it must verify) the client's end of a new connection.
SSL* server_session(const TlsContext& context);
// `thumbprints`: SHA-1 of certificates in lower-case hex. Where no root vouches for the server, one
// of its own certificates that has such a thumbprint is taken for a root; it must outlive the
// handshake.
SSL* client_session(const TlsContext& context, const std::string& host,
                    const std::vector<std::string>& thumbprints);

// Sends and receives on a non-blocking socket, without SIGPIPE.
void attach_socket(SSL* tls, int fd);

// The reason of OpenSSL's last error on this thread, and of a failed verification.
std::string tls_error(SSL* tls = nullptr);

}  // namespace pileus::net
