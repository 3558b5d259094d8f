// From what a function answered to the HTTP answer of its URL. Pure.
// Source: Lambda Developer Guide, "Request and response payloads" of function URLs; "Response
// streaming" (the prelude).
#pragma once

#include <optional>

#include "net/http.h"

namespace pileus::services::lambda {

inline constexpr std::string_view kPreludeType =
    "application/vnd.awslambda.http-integration-response";
inline constexpr std::size_t kMaxPrelude = 1 << 20;

// Of a payload as Invoke gives it: with a statusCode it says all itself, else it is the body, as
// JSON. Nothing when it is malformed: the client gets a 502.
std::optional<net::Response> infer_response(const std::string& payload);

// A streamed answer's first bytes: JSON of status, headers and cookies, then 8 NUL bytes.
struct Prelude {
  net::Response head;  // without body
  std::string rest;    // bytes of the body that came with it
};
class PreludeReader {
 public:
  enum class State { kMore, kDone, kMalformed };
  State feed(std::string_view bytes);
  Prelude take() { return std::move(prelude_); }  // once done

 private:
  std::string seen_;
  Prelude prelude_;
};

net::Response plain_error(int status,
                          std::string body);  // {"Message":…} or bare text, as JSON type

}  // namespace pileus::services::lambda
