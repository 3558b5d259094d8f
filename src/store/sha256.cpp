#include "store/sha256.h"

#include <openssl/evp.h>

#include "base/text.h"

namespace pileus::store {

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(context_, EVP_sha256(), nullptr);
}
Sha256::~Sha256() { EVP_MD_CTX_free(context_); }
void Sha256::add(std::string_view bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
std::string Sha256::finish() {
  std::string digest(32, '\0');
  EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 sha;
  sha.add(bytes);
  return to_hex(sha.finish());
}

bool is_blob_id(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace pileus::store
