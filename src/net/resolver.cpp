#include "net/resolver.h"

#include <boost/asio/ip/tcp.hpp>

#include "base/text.h"

namespace pileus::net {

namespace {
using asio::ip::tcp;

struct Pending {
  explicit Pending(asio::io_context& context) : resolver(context) {}
  tcp::resolver resolver;
  Completer<std::vector<Address>> completer;
};

std::vector<Address> known_addresses(const std::string& host, std::uint16_t port) {
  std::vector<Address> out;
  auto add = [&](const std::string& text) {
    if (auto address = parse_address(text)) out.push_back(*address);
  };
  if (iequals(host, "localhost") || to_lower(host).ends_with(".localhost")) {
    add(str("127.0.0.1:", port));
    add(str("[::1]:", port));
    return out;
  }
  add(str(host, ":", port));
  if (out.empty()) add(str("[", host, "]:", port));
  return out;
}
}  // namespace

Task<Result<std::vector<Address>>> resolve(EventLoop& loop, std::string host, std::uint16_t port) {
  auto known = known_addresses(host, port);
  if (!known.empty()) co_return known;
  auto pending = std::make_shared<Pending>(loop.context());  // lives until the thread has answered
  Completion<std::vector<Address>> answered;
  pending->completer = answered.completer();
  pending->resolver.async_resolve(
      host, std::to_string(port), tcp::resolver::numeric_service,
      [pending, host](error_code error, const tcp::resolver::results_type& results) {
        if (error || results.empty()) {
          pending->completer.complete(
              fail(std::string(errc::kIo),
                   str("the name \"", host, "\" has no address: ", error.message()), 502));
          return;
        }
        std::vector<Address> out;
        for (const auto& result : results) {
          Address address;
          const auto endpoint = result.endpoint();
          std::memcpy(&address.storage, endpoint.data(), endpoint.size());
          address.size = static_cast<socklen_t>(endpoint.size());
          out.push_back(address);
        }
        pending->completer.complete(std::move(out));
      });
  co_return co_await answered;
}

}  // namespace pileus::net
