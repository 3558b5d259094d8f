// The codec at a pipe, for the round trips with botocore (contract_test.py). One JSON object a
// line in, one a line out; bodies in base64, structures in the codec's neutral form.
//   {"do":"parse","service","request":{"method","path","query","headers":[[n,v]],"body"}}
//     → {"protocol","operation","input","missing":[…]} | {"error":{"code","message"}}
//   {"do":"answer","service","protocol","operation","output"}  → {"status","headers","body"}
//   {"do":"error","service","protocol","operation","code","message","members":{}} → the same
//   {"do":"validate","service","operation","input","missing":[…]} → {} | {"error"}
//   {"do":"call","service","protocol","operation","input"} →
//   {"method","path","query","headers","body"}
#include <iostream>

#include "aws/protocol/codec.h"
#include "aws/validation.h"
#include "base/text.h"
#include "registry.h"

namespace pileus::aws::protocol {
namespace {

constexpr std::pair<std::string_view, Protocol> kNames[] = {
    {"json-1.0", Protocol::kJson10},    {"json-1.1", Protocol::kJson11},
    {"rest-json", Protocol::kRestJson}, {"rest-xml", Protocol::kRestXml},
    {"query", Protocol::kQuery},        {"ec2", Protocol::kEc2},
    {"cbor", Protocol::kRpcV2Cbor}};

boost::json::string text(std::string_view s) { return boost::json::string(s); }

JsonObject error_of(const Error& error) {
  return {{"error", JsonObject{{"code", text(error.code())},
                               {"message", text(error.message())},
                               {"status", error.status()}}}};
}

JsonArray headers_of(const net::Headers& headers) {
  JsonArray out;
  for (const auto& [name, value] : headers) out.push_back(JsonArray{text(name), text(value)});
  return out;
}

JsonObject answer_of(const WireResponse& response) {
  return {{"status", response.status},
          {"headers", headers_of(response.headers)},
          {"body", text(to_base64(response.body))}};
}

class Structure {
 public:
  Structure(void* memory, void (*drop)(void*)) : memory_(memory), drop_(drop) {}
  Structure(const Structure&) = delete;
  Structure& operator=(const Structure&) = delete;
  ~Structure() { drop_(memory_); }
  void* get() const { return memory_; }

 private:
  void* memory_;
  void (*drop_)(void*);
};

JsonObject parse(const Service& service, const Json& job) {
  const Json& in = *find(job, "request");
  WireRequest request;
  request.method = find_string(in, "method");
  request.path = find_string(in, "path");
  request.query = find_string(in, "query");
  for (const auto& pair : find(in, "headers")->get_array())
    request.headers.add(std::string(std::string_view(pair.at(0).get_string())),
                        std::string(std::string_view(pair.at(1).get_string())));
  request.body = from_base64(find_string(in, "body")).value_or("");
  const auto protocol = detect_protocol(service, request);
  if (!protocol) return error_of(Error("NoProtocol", "none of the service's"));
  UriLabels labels;
  const Operation* operation = route(service, *protocol, request, &labels);
  if (!operation || !operation->spoken())
    return error_of(Error("NoOperation", std::string(requested_name(*protocol, request))));
  const Structure input(operation->new_input(), operation->delete_input);
  std::vector<std::string> missing;
  if (auto parsed =
          parse_request(service, *protocol, *operation, request, labels, input.get(), &missing);
      !parsed)
    return error_of(parsed.error());
  JsonArray absent;
  for (const auto& path : missing) absent.push_back(text(path));
  JsonObject out{{"operation", text(operation->name)},
                 {"input", to_json(*operation->input, input.get())},
                 {"missing", absent}};
  for (const auto& [name, value] : kNames)
    if (value == *protocol) out["protocol"] = text(name);
  return out;
}

JsonObject work(const Json& job) {
  const auto wanted = find_string(job, "service");
  const Service* service = nullptr;
  for (const auto* candidate : all_services())
    if (candidate->name == wanted) service = candidate;
  if (!service) return error_of(Error("NoService", std::string(wanted)));
  const auto verb = find_string(job, "do");
  if (verb == "parse") return parse(*service, job);
  const Operation* operation = service->operation(find_string(job, "operation"));
  if (!operation || !operation->spoken())
    return error_of(Error("NoOperation", std::string(find_string(job, "operation"))));
  Protocol protocol = service->protocols.front();
  for (const auto& [name, value] : kNames)
    if (name == find_string(job, "protocol")) protocol = value;
  if (verb == "answer") {
    const Structure output(operation->new_output(), operation->delete_output);
    if (auto filled = from_json(*operation->output, *find(job, "output"), output.get()); !filled)
      return error_of(filled.error());
    return answer_of(write_response(*service, protocol, *operation, output.get(),
                                    "11111111-2222-3333-4444-555555555555"));
  }
  if (verb == "error") {
    Error error(std::string(find_string(job, "code")), std::string(find_string(job, "message")));
    for (const auto& [name, value] : find(job, "members")->get_object())
      error = std::move(error).with(std::string(std::string_view(name)),
                                    std::string(std::string_view(value.get_string())));
    return answer_of(
        write_error(*service, protocol, operation, error, "11111111-2222-3333-4444-555555555555"));
  }
  const Structure input(operation->new_input(), operation->delete_input);
  if (auto filled = from_json(*operation->input, *find(job, "input"), input.get()); !filled)
    return error_of(filled.error());
  if (verb == "validate") {
    std::vector<std::string> missing;
    for (const auto& path : find(job, "missing")->get_array())
      missing.emplace_back(std::string_view(path.get_string()));
    const auto result = validate(*service, *operation, input.get(), missing);
    return result ? JsonObject() : error_of(result.error());
  }
  const auto request = write_request(*service, protocol, *operation, input.get(), nullptr);
  if (!request) return error_of(request.error());
  return {{"method", text(request->method)},
          {"path", text(request->path)},
          {"query", text(request->query)},
          {"headers", headers_of(request->headers)},
          {"body", text(to_base64(request->body))}};
}

}  // namespace
}  // namespace pileus::aws::protocol

int main() {
  using namespace pileus;
  std::ios::sync_with_stdio(false);
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto job = parse_json(line);
    const Json answer =
        job ? Json(aws::protocol::work(*job))
            : Json(JsonObject{{"error", JsonObject{{"code", "BadJob"}, {"message", ""}}}});
    std::cout << to_text(answer) << '\n' << std::flush;
  }
}
