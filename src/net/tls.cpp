#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "net/tls_context.h"

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

constexpr auto kAuthorityLife = std::chrono::days(3650);
constexpr auto kLeafLife = std::chrono::days(825);  // the longest that Apple's clients accept
constexpr auto kClockSlack = std::chrono::days(1);

std::unexpected<Error> failed(const char* what) {
  return fail(std::string(errc::kInvalid), std::string(what) + ": " + tls_error(), 500);
}

std::string drain(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  return drain(out.get());
}

std::string pem_of(EVP_PKEY* key) {
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return drain(out.get());
}

Bio reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

bool extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (!extension) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

void set_time(ASN1_TIME* field, Time time) {
  ASN1_TIME_set(field, std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

// Version, serial, names, validity and key; extensions and signature are the caller's.
Certificate blank(EVP_PKEY* key, const std::string& common_name, Time now, std::chrono::days life,
                  Random& random) {
  Certificate made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  std::uint8_t serial[16];
  random.fill(serial);
  serial[0] = (serial[0] & 0x7f) | 0x40;  // positive, never short
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made.get()));
  BN_free(number);
  set_time(X509_getm_notBefore(made.get()), now - kClockSlack);
  set_time(X509_getm_notAfter(made.get()), now - kClockSlack + life);
  X509_set_pubkey(made.get(), key);
  X509_NAME* name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("Pileus"), -1, -1, 0);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  return made;
}

bool is_address(const std::string& name) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

// Names go into OpenSSL's configuration syntax: nothing that means something there.
bool plain_name(const std::string& name) {
  return !name.empty() && name.size() < 254 &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*:") ==
             std::string::npos;
}

}  // namespace

Result<TlsAuthority> make_authority(const std::string& common_name, Time now, Random& random) {
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return failed("cannot make a key");
  const Certificate made = blank(key.get(), common_name, now, kAuthorityLife, random);
  X509_set_issuer_name(made.get(), X509_get_subject_name(made.get()));
  if (!extend(made.get(), made.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !extend(made.get(), made.get(), NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !extend(made.get(), made.get(), NID_subject_key_identifier, "hash") ||
      X509_sign(made.get(), key.get(), EVP_sha256()) == 0)
    return failed("cannot make the certificate authority");
  return TlsAuthority{pem_of(made.get()), pem_of(key.get())};
}

Result<TlsIdentity> make_leaf(const TlsAuthority& authority, const std::vector<std::string>& names,
                              Time now, Random& random) {
  const Certificate issuer(
      PEM_read_bio_X509(reader(authority.certificate_pem).get(), nullptr, nullptr, nullptr));
  const Key issuer_key(
      PEM_read_bio_PrivateKey(reader(authority.private_key_pem).get(), nullptr, nullptr, nullptr));
  if (!issuer || !issuer_key || X509_check_private_key(issuer.get(), issuer_key.get()) != 1)
    return failed("the certificate authority cannot be used");
  std::string alternatives;
  for (const std::string& name : names) {
    if (!plain_name(name))
      return fail(std::string(errc::kInvalid), "\"" + name + "\" is not a host name or address");
    alternatives +=
        (alternatives.empty() ? "" : ",") + std::string(is_address(name) ? "IP:" : "DNS:") + name;
  }
  if (alternatives.empty()) return fail(std::string(errc::kInvalid), "a certificate needs a name");
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return failed("cannot make a key");
  const Certificate made = blank(key.get(), names.front().substr(0, 64), now, kLeafLife, random);
  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer.get()));
  if (!extend(made.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !extend(made.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") ||
      !extend(made.get(), issuer.get(), NID_ext_key_usage, "serverAuth") ||
      !extend(made.get(), issuer.get(), NID_subject_key_identifier, "hash") ||
      !extend(made.get(), issuer.get(), NID_authority_key_identifier, "keyid") ||
      !extend(made.get(), issuer.get(), NID_subject_alt_name, alternatives) ||
      X509_sign(made.get(), issuer_key.get(), EVP_sha256()) == 0)
    return failed("cannot make the certificate");
  return TlsIdentity{pem_of(made.get()) + authority.certificate_pem, pem_of(key.get())};
}

std::optional<Time> certificate_end(const std::string& chain_pem) {
  const Certificate first(PEM_read_bio_X509(reader(chain_pem).get(), nullptr, nullptr, nullptr));
  tm parts{};
  if (!first || ASN1_TIME_to_tm(X509_get0_notAfter(first.get()), &parts) != 1) return std::nullopt;
  return Time(std::chrono::seconds(timegm(&parts)));
}

}  // namespace pileus::net
