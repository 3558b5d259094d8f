// Any bytes as what a function answers to its URL, and as a streamed answer with a prelude in
// pieces: whatever comes of it must be an answer that a connection can send.
#include <cstdlib>

#include "base/text.h"
#include "services/lambda/url_response.h"

using namespace pileus;
using namespace pileus::services::lambda;

namespace {

void check(bool condition) {
  if (!condition) std::abort();
}

void check_sendable(const net::Response& response) {
  check(response.status >= 200 && response.status <= 599);
  for (const auto& [name, value] : response.headers) {
    check(!name.empty() && name.find_first_of("\r\n: ") == std::string::npos);
    check(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
    check(!iequals(name, "content-length") && !iequals(name, "transfer-encoding"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto response = infer_response(std::string(input))) check_sendable(*response);
  std::string bodies[2];
  PreludeReader::State states[2];
  for (const std::size_t step : {std::max<std::size_t>(size, 1), std::size_t{3}}) {
    PreludeReader reader;
    auto state = PreludeReader::State::kMore;
    std::string body;
    for (std::size_t at = 0; at < size && state != PreludeReader::State::kMalformed; at += step) {
      if (state == PreludeReader::State::kDone) {
        body += input.substr(at, step);
        continue;
      }
      state = reader.feed(input.substr(at, step));
      if (state != PreludeReader::State::kDone) continue;
      Prelude prelude = reader.take();
      check_sendable(prelude.head);
      body = std::move(prelude.rest);
    }
    bodies[step == 3 ? 1 : 0] = body;
    states[step == 3 ? 1 : 0] = state;
  }
  check(states[0] == states[1] && bodies[0] == bodies[1]);
  return 0;
}
