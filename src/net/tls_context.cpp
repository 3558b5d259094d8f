#include "net/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/text.h"

namespace pileus::net {

namespace {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

Bio text_bio(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Certificate next_certificate(BIO* in) {
  return Certificate(PEM_read_bio_X509(in, nullptr, nullptr, nullptr));
}

std::unexpected<Error> invalid(const char* what) {
  return fail(std::string(errc::kInvalid), std::string(what) + ": " + tls_error());
}

constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// The switch to HTTP/2 will be here: today only HTTP/1.1 is offered.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned in_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, kHttp11, sizeof kHttp11, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int choose_name(SSL* tls, int*, void* names) {
  const char* const name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
  if (!name) return SSL_TLSEXT_ERR_NOACK;
  if (SSL_CTX* context = static_cast<TlsNames*>(names)->find(to_lower(name)))
    SSL_set_SSL_CTX(tls, context);
  return SSL_TLSEXT_ERR_OK;
}

bool has_thumbprint(const X509* certificate, const std::vector<std::string>& thumbprints) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha1(), digest, &size) != 1) return false;
  const std::string hex = to_hex({reinterpret_cast<const char*>(digest), size});
  return std::find(thumbprints.begin(), thumbprints.end(), hex) != thumbprints.end();
}

// The chain again, with those certificates as roots that are pinned. The leaf must lead to one, be
// in time and be for the host, as with any root.
int verify_pinned(X509_STORE_CTX* checked, SSL* tls, const std::vector<std::string>& thumbprints) {
  STACK_OF(X509)* sent = X509_STORE_CTX_get0_untrusted(checked);
  const std::unique_ptr<X509_STORE, Freed<X509_STORE_free>> roots(X509_STORE_new());
  int pinned = 0;
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    X509* const certificate = sk_X509_value(sent, i);
    if (!has_thumbprint(certificate, thumbprints)) continue;
    X509_STORE_add_cert(roots.get(), certificate);
    ++pinned;
  }
  const std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>> again(X509_STORE_CTX_new());
  if (pinned == 0 ||
      X509_STORE_CTX_init(again.get(), roots.get(), X509_STORE_CTX_get0_cert(checked), sent) != 1)
    return 0;
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(again.get());
  X509_STORE_CTX_set_default(again.get(), "ssl_server");
  X509_VERIFY_PARAM_set1(rules, SSL_get0_param(tls));  // the host
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  const int verified = X509_verify_cert(again.get());
  X509_STORE_CTX_set_error(checked, X509_STORE_CTX_get_error(again.get()));
  return verified;
}

int pins_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int verify_server(X509_STORE_CTX* checked, void*) {
  if (X509_verify_cert(checked) == 1) return 1;
  SSL* const tls =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(checked, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* pins =
      static_cast<const std::vector<std::string>*>(SSL_get_ex_data(tls, pins_index()));
  return pins && !pins->empty() ? verify_pinned(checked, tls, *pins) : 0;
}

TlsContext new_context(const SSL_METHOD* method) {
  TlsContext context(SSL_CTX_new(method), SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  return context;
}

// A BIO on a socket: OpenSSL's own uses write(), which raises SIGPIPE.
int bio_write(BIO* bio, const char* data, int size) {
  const auto fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  BIO_clear_retry_flags(bio);
  const ssize_t put = ::send(fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (put < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(put);
}
int bio_read(BIO* bio, char* data, int size) {
  const auto fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(fd, data, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}
long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

}  // namespace

std::string tls_error(SSL* tls) {
  if (tls) {
    const long verified = SSL_get_verify_result(tls);
    if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
  }
  const unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  if (last == 0) return "the peer closed the connection";
  char text[256];
  ERR_error_string_n(last, text, sizeof text);
  return text;
}

Result<TlsContext> server_context(const TlsIdentity& identity) {
  ERR_clear_error();
  TlsContext context = new_context(TLS_server_method());
  const Bio chain = text_bio(identity.certificate_chain_pem);
  const Certificate leaf = next_certificate(chain.get());
  if (!leaf || SSL_CTX_use_certificate(context.get(), leaf.get()) != 1)
    return invalid("the certificate cannot be used");
  while (Certificate above = next_certificate(chain.get())) {
    SSL_CTX_add1_chain_cert(context.get(), above.get());
  }
  ERR_clear_error();  // "no more PEM"
  const Key key(
      PEM_read_bio_PrivateKey(text_bio(identity.private_key_pem).get(), nullptr, nullptr, nullptr));
  if (!key || SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
    return invalid("the private key cannot be used or is not the certificate's");
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  static constexpr unsigned char kSessions[] = "pileus";
  SSL_CTX_set_session_id_context(context.get(), kSessions, sizeof kSessions - 1);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets do
  return context;
}

Result<TlsContext> client_context(const std::string& extra_roots_pem) {
  ERR_clear_error();
  TlsContext context = new_context(TLS_client_method());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context.get(), verify_server, nullptr);
  SSL_CTX_set_default_verify_paths(context.get());
  SSL_CTX_set_alpn_protos(context.get(), kHttp11, sizeof kHttp11);
  const Bio roots = text_bio(extra_roots_pem);
  int added = 0;
  while (Certificate root = next_certificate(roots.get())) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root.get());
    ++added;
  }
  if (added == 0 && !extra_roots_pem.empty())
    return invalid("the extra roots are not certificates");
  ERR_clear_error();
  return context;
}

SSL_CTX* TlsNames::find(const std::string& name) {
  std::lock_guard lock(mutex_);
  const auto found = known_.find(name);
  if (found != known_.end()) return found->second.get();
  if (known_.size() >= kMost) return nullptr;
  TlsContext context;
  if (const auto identity = make_(name)) {
    auto made = server_context(*identity);
    if (made)
      context = std::move(*made);
    else
      log::error("a certificate cannot be used", {{"name", name}, {"why", made.error().message()}});
  }
  return known_.emplace(name, std::move(context)).first->second.get();
}

void choose_by_name(const TlsContext& context, TlsNames& names) {
  SSL_CTX_set_tlsext_servername_callback(context.get(), choose_name);
  SSL_CTX_set_tlsext_servername_arg(context.get(), &names);
}

SSL* server_session(const TlsContext& context) {
  SSL* tls = SSL_new(context.get());
  SSL_set_accept_state(tls);
  return tls;
}

SSL* client_session(const TlsContext& context, const std::string& host,
                    const std::vector<std::string>& thumbprints) {
  SSL* tls = SSL_new(context.get());
  SSL_set_connect_state(tls);
  SSL_set_ex_data(tls, pins_index(), const_cast<std::vector<std::string>*>(&thumbprints));
  unsigned char address[16];
  const bool is_address = inet_pton(AF_INET, host.c_str(), address) == 1 ||
                          inet_pton(AF_INET6, host.c_str(), address) == 1;
  if (is_address) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host.c_str());
  } else {
    SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(tls, host.c_str());
    SSL_set_tlsext_host_name(tls, host.c_str());
  }
  return tls;
}

void attach_socket(SSL* tls, int fd) {
  BIO* bio = BIO_new(socket_method());
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(tls, bio, bio);
}

}  // namespace pileus::net
