#include "services/sts/web_source.h"

#include "base/text.h"
#include "net/client.h"

namespace pileus::services::sts {

namespace {

class HttpSource final : public WebSource {
 public:
  explicit HttpSource(net::HttpClient& client) : client_(client) {}

  Task<Result<std::string>> get(std::string url, std::vector<std::string> thumbprints) override {
    net::ClientRequest request;
    request.url = url;
    request.headers.add("Accept", "application/json");
    request.connect_timeout = request.timeout = kPatience;
    request.body_limit = kMaxDocument;
    request.thumbprints = std::move(thumbprints);
    CO_TRY_ASSIGN(auto response, co_await client_.send(std::move(request)));
    if (response.status != 200)
      co_return fail(std::string(errc::kInvalid), str(url, " answered ", response.status));
    co_return std::move(response.body);
  }

 private:
  net::HttpClient& client_;
};

}  // namespace

std::unique_ptr<WebSource> make_web_source(net::HttpClient& client) {
  return std::make_unique<HttpSource>(client);
}

}  // namespace pileus::services::sts
