// SHA-256 of bytes that come in pieces, by OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace pileus::store {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  std::string finish();  // 32 bytes; once

 private:
  evp_md_ctx_st* context_;
};

std::string sha256_hex(std::string_view bytes);
bool is_blob_id(std::string_view text);  // 64 lower-case hex digits

}  // namespace pileus::store
