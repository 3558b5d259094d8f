#include "net/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstring>
#include <ctime>
#include <memory>

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

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";

Bio reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}
Certificate next_certificate(BIO* in) {
  Certificate read(PEM_read_bio_X509(in, nullptr, nullptr, nullptr));
  ERR_clear_error();
  return read;
}
Certificate only_certificate(const std::string& pem) { return next_certificate(reader(pem).get()); }

std::optional<Time> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return Time(std::chrono::seconds(timegm(&parts)));
}

std::string subject_of(const X509* certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// Called when a key is encrypted: notes that, gives no password.
int refuse_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

}  // namespace

std::optional<CertificateFacts> read_certificate(const std::string& pem) {
  if (count(pem, kBegin) != 1) return std::nullopt;
  const Certificate certificate = only_certificate(pem);
  if (!certificate || !X509_get0_pubkey(certificate.get())) return std::nullopt;
  const auto begins = time_of(X509_get0_notBefore(certificate.get()));
  const auto ends = time_of(X509_get0_notAfter(certificate.get()));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!begins || !ends || X509_digest(certificate.get(), EVP_sha256(), digest, &size) != 1)
    return std::nullopt;
  return CertificateFacts{*begins, *ends, subject_of(certificate.get()),
                          to_hex({reinterpret_cast<const char*>(digest), size})};
}

KeyMatch match_private_key(const std::string& certificate_pem, const std::string& key_pem) {
  const Certificate certificate = only_certificate(certificate_pem);
  bool encrypted = false;
  const Key key(
      PEM_read_bio_PrivateKey(reader(key_pem).get(), nullptr, refuse_password, &encrypted));
  ERR_clear_error();
  if (encrypted) return KeyMatch::kEncrypted;
  if (!certificate || !key) return KeyMatch::kUnreadable;
  const bool belongs = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return belongs ? KeyMatch::kBelongs : KeyMatch::kOther;
}

std::optional<std::size_t> first_out_of_order(const std::string& certificate_pem,
                                              const std::string& chain_pem) {
  const std::size_t links = count(chain_pem, kBegin);
  if (links == 0) return 0;
  Certificate signed_one = only_certificate(certificate_pem);
  const Bio in = reader(chain_pem);
  for (std::size_t i = 0; i < links; ++i) {
    Certificate signer = next_certificate(in.get());
    if (!signer || !signed_one) return i;
    const bool signs = X509_verify(signed_one.get(), X509_get0_pubkey(signer.get())) == 1;
    ERR_clear_error();
    if (!signs) return i;
    signed_one = std::move(signer);
  }
  return std::nullopt;
}

}  // namespace pileus::net
