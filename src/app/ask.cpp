#include "app/ask.h"

#include <future>

#include "aws/sigv4.h"
#include "base/text.h"

namespace pileus::app {

namespace {

Task<void> fulfil(net::HttpClient& client, net::ClientRequest request,
                  std::promise<Result<net::ClientResponse>>& answer) {
  answer.set_value(co_await client.send(std::move(request)));
}

Result<net::ClientResponse> send(net::ClientRequest request) {
  net::Loops loops(1);
  std::promise<Result<net::ClientResponse>> answer;
  auto future = answer.get_future();
  auto client = std::make_unique<net::HttpClient>(loops);
  auto group = std::make_unique<TaskGroup>(loops.at(0));
  group->spawn(fulfil(*client, std::move(request), answer));
  auto response = future.get();
  // The group and the client end on their loop.
  std::promise<void> ended;
  loops.at(0).post([&] {
    group.reset();
    client.reset();
    ended.set_value();
  });
  ended.get_future().wait();
  return response;
}

Result<Json> to_json(const Target& target, Result<net::ClientResponse> response) {
  if (!response)
    return fail(std::string(errc::kIo),
                str("no server answers at ", target.listen, " (", response.error().message(),
                    "). Start one with: pileus serve --listen ", target.listen));
  auto json = response->body.empty() ? Result<Json>(JsonObject()) : parse_json(response->body);
  if (response->status < 300) return json;
  std::string message = response->body;
  if (json) {
    for (const auto* key : {"error", "Message", "message"})
      if (const auto text = find_string(*json, key); !text.empty()) message = std::string(text);
  }
  return fail(std::string(errc::kInvalid), message);
}

}  // namespace

Result<Json> ask_admin(const Target& target, std::string method, std::string path,
                       std::string body) {
  net::ClientRequest request;
  request.method = std::move(method);
  request.url = str("http://", target.listen, "/_pileus/", path);
  request.body = std::move(body);
  return to_json(target, send(std::move(request)));
}

Result<Json> ask_aws(const Target& target, std::string service, std::string operation_target,
                     const Json& input) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = str("http://", target.listen, "/");
  request.body = to_text(input);
  std::vector<aws::HeaderField> headers = {{"Host", target.listen},
                                           {"Content-Type", "application/x-amz-json-1.1"},
                                           {"X-Amz-Target", std::move(operation_target)}};
  const aws::RequestParts parts{"POST", "/", "", headers, request.body};
  const auto added = aws::sign(
      parts, {target.account, "unused", ""},
      {.region = target.region, .service = std::move(service), .now = SystemTime().now()});
  for (const auto& [name, value] : headers)
    if (name != "Host") request.headers.add(name, value);
  for (const auto& [name, value] : added) request.headers.add(name, value);
  return to_json(target, send(std::move(request)));
}

}  // namespace pileus::app
