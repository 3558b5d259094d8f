// WebSource: what the outside publishes, one GET at a time: the documents of OpenID Connect
// issuers. Over net/'s client, or a test's own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/completion.h"
#include "base/error.h"

namespace pileus::net {
class HttpClient;
}

namespace pileus::services::sts {

class WebSource {
 public:
  // As long as AWS waits for an issuer.
  static constexpr Duration kPatience = std::chrono::seconds(5);
  static constexpr std::size_t kMaxDocument = 256 * 1024;

  virtual ~WebSource() = default;
  // The body of a 200. errc::kIo and errc::kDeadline where nobody answers, errc::kInvalid for
  // another answer, errc::kLimit for one above kMaxDocument. No redirect is followed. Where no
  // trusted authority vouches for the server, a certificate with one of the thumbprints does.
  virtual Task<Result<std::string>> get(std::string url, std::vector<std::string> thumbprints) = 0;
};

std::unique_ptr<WebSource> make_web_source(net::HttpClient& client);

}  // namespace pileus::services::sts
