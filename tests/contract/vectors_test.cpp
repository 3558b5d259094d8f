// Smithy's official protocol tests (tests/contract/vectors), run as data: requests parsed as a
// server and written as a client, responses and errors written as a server and parsed as a client,
// malformed requests refused. not_applicable.json names those that cannot hold, each with its
// reason; one that is listed and holds after all is a failure too.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <pugixml.hpp>
#include <sstream>

#include "aws/protocol/cbor.h"
#include "aws/protocol/codec.h"
#include "aws/protocol/query.h"
#include "base/text.h"
#include "registry.h"

namespace pileus::aws::protocol {
namespace {

using Problem = std::string;  // empty: the test holds

Json load(const std::string& path) {
  std::ifstream in(std::string(CONTRACT_DATA "/") + path);
  std::stringstream text;
  text << in.rdbuf();
  auto json = parse_json(text.str());
  if (!json) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), json.error().message().c_str());
    std::exit(2);
  }
  return std::move(*json);
}

bool same(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    const double x = a.to_number<double>(), y = b.to_number<double>();
    return x == y || (std::isnan(x) && std::isnan(y)) ||
           std::abs(x - y) <= 1e-6 * std::max(std::abs(x), std::abs(y));
  }
  if (a.kind() != b.kind()) return false;
  if (a.is_array()) {
    const auto &x = a.get_array(), &y = b.get_array();
    return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), same);
  }
  if (a.is_object()) {
    const auto &x = a.get_object(), &y = b.get_object();
    if (x.size() != y.size()) return false;
    for (const auto& [key, value] : x) {
      const Json* other = y.if_contains(key);
      if (!other || !same(value, *other)) return false;
    }
    return true;
  }
  return a == b;
}

Problem differ(std::string_view what, const Json& wanted, const Json& got) {
  return same(wanted, got) ? ""
                           : str(what, "\n  wanted ", to_text(wanted), "\n  got    ", to_text(got));
}
Problem differ(std::string_view what, std::string_view wanted, std::string_view got) {
  return wanted == got ? "" : str(what, "\n  wanted ", wanted, "\n  got    ", got);
}

// An element as text that does not depend on the order of its differently named children, without
// what every service adds (request ids) and what the test leaves out.
std::string canonical(const pugi::xml_node& node, const std::set<std::string>& ignored) {
  std::map<std::string, std::string> attributes;
  for (const auto& attribute : node.attributes())
    if (std::string_view(node.name()) != "ErrorResponse")
      attributes[attribute.name()] = attribute.value();
  std::string out = str("<", node.name());
  for (const auto& [name, value] : attributes) out += str(" ", name, "=", value);
  out += ">";
  std::map<std::string, std::vector<std::string>> children;
  std::string text;
  for (const auto& child : node.children()) {
    if (child.type() == pugi::node_element && !ignored.contains(child.name()))
      children[child.name()].push_back(canonical(child, ignored));
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata)
      text += child.value();
  }
  if (children.empty()) out += text;
  for (auto& [name, values] : children) {
    // What has two children each may be the entries of a map, whose order says nothing.
    const bool entries = std::all_of(values.begin(), values.end(), [](const std::string& v) {
      return std::ranges::count(v, '>') > 4;
    });
    if (entries) std::sort(values.begin(), values.end());
    for (const auto& value : values) out += value;
  }
  return str(out, "</>");
}

Problem differ_xml(std::string_view wanted, std::string_view got, std::set<std::string> ignored) {
  pugi::xml_document a, b;
  if (!a.load_buffer(wanted.data(), wanted.size()) != !b.load_buffer(got.data(), got.size()))
    return str("one body is not XML\n  wanted ", wanted, "\n  got    ", got);
  return differ("body", canonical(a.document_element(), ignored),
                canonical(b.document_element(), ignored));
}

Problem differ_form(std::string_view wanted, std::string_view got) {
  Parameters a, b;
  if (!parse_form(wanted, a) || !parse_form(got, b)) return "a form does not parse";
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  if (a == b) return "";
  return str("body\n  wanted ", wanted, "\n  got    ", got);
}

struct Vector {
  const Service& service;
  const Operation& operation;
  const Json& test;

  Protocol protocol() const { return service.protocols.front(); }
  std::string text(std::string_view key) const { return std::string(find_string(test, key)); }
  bool is_cbor() const { return protocol() == Protocol::kRpcV2Cbor; }
  std::string body() const {
    const std::string raw = text("body");
    return is_cbor() ? from_base64(raw).value_or(raw) : raw;
  }

  Problem differ_body(std::string_view got, std::set<std::string> ignored = {}) const {
    if (!find(test, "body")) return "";
    const std::string wanted = body();
    const std::string type = text("bodyMediaType");
    if (type == "application/json" && !wanted.empty()) {
      const auto a = parse_json(wanted), b = parse_json(got);
      if (!a || !b) return str("a body is not JSON\n  wanted ", wanted, "\n  got    ", got);
      Json clean = *b;
      if (clean.is_object())
        for (const auto& key : ignored) clean.get_object().erase(key);
      Json plain = *a;
      if (plain.is_object())
        for (const auto& key : ignored) plain.get_object().erase(key);
      return differ("body", plain, clean);
    }
    if (type == "application/xml" && !wanted.empty())
      return differ_xml(wanted, got, std::move(ignored));
    if (type == "application/x-www-form-urlencoded") return differ_form(wanted, got);
    if (is_cbor() && !wanted.empty()) {
      const auto a = cbor_to_json(wanted), b = cbor_to_json(got);
      if (!a || !b) return "a body is not CBOR";
      Json plain = *a, clean = *b;
      for (const auto& key : ignored) plain.get_object().erase(key), clean.get_object().erase(key);
      return differ("body", plain, clean);
    }
    return differ("body", wanted, got);
  }

  Problem differ_headers(const net::Headers& got) const {
    if (const Json* headers = find(test, "headers"))
      for (const auto& [name, value] : headers->get_object()) {
        const auto found = got.find(std::string_view(name));
        if (!found) return str("header ", std::string_view(name), " is absent");
        if (*found != std::string_view(value.get_string()))
          return differ(str("header ", std::string_view(name)), value.get_string(), *found);
      }
    if (const Json* headers = find(test, "forbidHeaders"))
      for (const auto& name : headers->get_array())
        if (got.find(std::string_view(name.get_string())))
          return str("header ", to_text(name), " is present");
    return "";
  }

  WireRequest request() const {
    WireRequest out;
    out.method = text("method");
    const std::string uri = text("uri");
    out.path = uri.substr(0, uri.find('?'));
    if (uri.find('?') != uri.npos) out.query = uri.substr(uri.find('?') + 1);
    if (const Json* params = find(test, "queryParams"))
      for (const auto& pair : params->get_array()) {
        if (!out.query.empty()) out.query += '&';
        out.query += std::string_view(pair.get_string());
      }
    if (const Json* headers = find(test, "headers"))
      for (const auto& [name, value] : headers->get_object())
        out.headers.add(std::string(std::string_view(name)),
                        std::string(std::string_view(value.get_string())));
    out.body = body();
    return out;
  }

  Problem server_request() const {
    WireRequest wire = request();
    UriLabels labels;
    const Operation* found = route(service, protocol(), wire, &labels);
    if (found != &operation) return str("routed to ", found ? found->name : "nothing");
    void* input = operation.new_input();
    std::vector<std::string> missing;
    const auto parsed =
        parse_request(service, protocol(), operation, wire, labels, input, &missing);
    const Problem problem =
        parsed ? differ("input", *find(test, "params"), to_json(*operation.input, input))
               : str("refused: ", parsed.error().code(), ": ", parsed.error().message());
    operation.delete_input(input);
    return problem;
  }

  Problem client_request() const {
    void* input = operation.new_input();
    class Zero final : public Random {
      void fill(std::span<std::uint8_t> out) override { std::fill(out.begin(), out.end(), 0); }
    } zero;
    Problem problem;
    const auto filled = from_json(*operation.input, *find(test, "params"), input);
    if (!filled) {
      problem = filled.error().message();
    } else if (const auto wire = write_request(service, protocol(), operation, input, &zero);
               !wire) {
      problem = wire.error().message();
    } else {
      problem = compare_request(*wire);
    }
    operation.delete_input(input);
    return problem;
  }

  Problem compare_request(const WireRequest& wire) const {
    if (auto p = differ("method", text("method"), wire.method); !p.empty()) return p;
    if (auto p = differ("path", text("uri"), wire.path); !p.empty()) return p;
    const auto pairs = split(wire.query, '&');
    if (const Json* params = find(test, "queryParams"))
      for (const auto& wanted : params->get_array())
        if (std::find(pairs.begin(), pairs.end(), std::string_view(wanted.get_string())) ==
            pairs.end())
          return str("query lacks ", to_text(wanted), ": ", wire.query);
    if (const Json* params = find(test, "forbidQueryParams"))
      for (const auto& name : params->get_array())
        for (const auto pair : pairs)
          if (pair.substr(0, pair.find('=')) == std::string_view(name.get_string()))
            return str("query holds ", to_text(name));
    if (auto p = differ_headers(wire.headers); !p.empty()) return p;
    if (const std::string host = text("resolvedHost"); !host.empty())
      if (auto p = differ("host", host, wire.host_prefix + text("host")); !p.empty()) return p;
    return differ_body(wire.body);
  }

  WireResponse response() const {
    WireResponse out;
    out.status = static_cast<int>(find_int(test, "code"));
    if (const Json* headers = find(test, "headers"))
      for (const auto& [name, value] : headers->get_object())
        out.headers.add(std::string(std::string_view(name)),
                        std::string(std::string_view(value.get_string())));
    out.body = body();
    return out;
  }

  Problem client_response() const {
    WireResponse wire = response();
    void* output = operation.new_output();
    const auto parsed = parse_response(service, protocol(), operation, wire, output);
    const Problem problem =
        parsed ? differ("output", *find(test, "params"), to_json(*operation.output, output))
               : str("refused: ", parsed.error().code(), ": ", parsed.error().message());
    operation.delete_output(output);
    return problem;
  }

  Problem server_response() const {
    void* output = operation.new_output();
    Problem problem;
    if (const auto filled = from_json(*operation.output, *find(test, "params"), output); !filled) {
      problem = filled.error().message();
    } else {
      const auto wire = write_response(service, protocol(), operation, output, "requestid");
      problem = differ("status", Json(find_int(test, "code")), Json(wire.status));
      if (problem.empty()) problem = differ_headers(wire.headers);
      if (problem.empty())
        problem = differ_body(wire.body, {"ResponseMetadata", "requestId", "RequestId"});
    }
    operation.delete_output(output);
    return problem;
  }

  Problem client_error() const {
    WireResponse wire = response();
    void* output = operation.new_output();
    const auto parsed = parse_response(service, protocol(), operation, wire, output);
    operation.delete_output(output);
    if (parsed) return "taken for a success";
    if (auto p = differ("code", text("error"), parsed.error().code()); !p.empty()) return p;
    const auto& members = parsed.error().members();
    for (const auto& [name, value] : find(test, "params")->get_object()) {
      if (iequals(name, "message")) {
        if (auto p = differ("message", value.get_string(), parsed.error().message()); !p.empty())
          return p;
        continue;
      }
      const auto found = std::find_if(members.begin(), members.end(), [&](const auto& m) {
        return m.first == std::string_view(name);
      });
      if (found == members.end()) return str("lost member ", std::string_view(name));
      if (value.is_string() ? found->second != std::string_view(value.get_string())
                            : !same(value, parse_json(found->second).value_or(Json())))
        return differ(std::string_view(name), to_text(value), found->second);
    }
    return "";
  }

  Problem server_error() const {
    std::string message;
    if (const Json* params = find(test, "params"))
      for (const char* name : {"message", "Message"})
        if (message.empty()) message = std::string(find_string(*params, name));
    Error error(text("error"), message);
    for (const auto& [name, value] : find(test, "params")->get_object())
      error = std::move(error).with(
          std::string(std::string_view(name)),
          value.is_string() ? std::string(std::string_view(value.get_string())) : to_text(value));
    const auto wire = write_error(service, protocol(), &operation, error, "foo-id");
    if (auto p = differ("status", Json(find_int(test, "code")), Json(wire.status)); !p.empty())
      return p;
    net::Headers headers = wire.headers;
    if (auto p = differ_headers(headers); !p.empty()) return p;
    std::set<std::string> ignored{"RequestId", "requestId", "RequestID", "__type", "code"};
    if (message.empty()) ignored.insert("Message");
    return differ_body(wire.body, ignored);
  }

  Problem malformed() const {
    WireRequest wire = request();
    UriLabels labels;
    const Operation* found = route(service, protocol(), wire, &labels);
    if (found != &operation) return str("routed to ", found ? found->name : "nothing");
    void* input = operation.new_input();
    std::vector<std::string> missing;
    const auto parsed =
        parse_request(service, protocol(), operation, wire, labels, input, &missing);
    operation.delete_input(input);
    if (parsed) return "accepted";
    const auto answer = write_error(service, protocol(), found, parsed.error(), "id");
    if (auto p = differ("status", Json(find_int(test, "code")), Json(answer.status)); !p.empty())
      return p;
    return differ("error type", text("error"), answer.headers.get("x-amzn-errortype"));
  }
};

struct Case {
  Vector vector;
  Problem (Vector::*run)() const;
};

class VectorTest : public testing::Test {
 public:
  VectorTest(Case c, std::string reason) : case_(c), reason_(std::move(reason)) {}
  void TestBody() override {
    const Problem problem = (case_.vector.*case_.run)();
    if (reason_.empty()) {
      EXPECT_EQ(problem, "") << to_text(case_.vector.test);
    } else {
      EXPECT_NE(problem, "") << "holds after all: take it out of not_applicable.json";
      GTEST_SKIP() << reason_;
    }
  }

 private:
  Case case_;
  std::string reason_;
};

using Skips = std::map<std::string, std::string>;  // name of the test → reason

void register_case(const Skips& skips, std::set<std::string>& used, const std::string& side,
                   Case c) {
  const std::string key = str(c.vector.text("kind"), "_", c.vector.text("id"), "_", side);
  const auto found = skips.find(key);
  const std::string reason = found == skips.end() ? "" : found->second;
  used.insert(key);
  testing::RegisterTest(c.vector.service.name, key.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                        [c, reason]() -> VectorTest* { return new VectorTest(c, reason); });
}

void register_service(const Service& service, const Json& tests, const Skips& skips,
                      std::set<std::string>& used) {
  for (const auto& test : find(tests, "tests")->get_array()) {
    const Operation* operation = service.operation(find_string(test, "operation"));
    if (!operation || !operation->spoken()) continue;
    const Vector vector{service, *operation, test};
    const auto kind = find_string(test, "kind");
    const auto side = find_string(test, "appliesTo");
    if (kind == "malformed") {
      register_case(skips, used, "server", {vector, &Vector::malformed});
      continue;
    }
    const bool request = kind == "request", response = kind == "response";
    if (side != "client")
      register_case(skips, used, "server",
                    {vector, request    ? &Vector::server_request
                             : response ? &Vector::server_response
                                        : &Vector::server_error});
    if (side != "server")
      register_case(skips, used, "client",
                    {vector, request    ? &Vector::client_request
                             : response ? &Vector::client_response
                                        : &Vector::client_error});
  }
}

}  // namespace
}  // namespace pileus::aws::protocol

int main(int argc, char** argv) {
  using namespace pileus;
  testing::InitGoogleTest(&argc, argv);
  aws::protocol::Skips skips;
  const Json listed = aws::protocol::load("not_applicable.json");
  for (const auto& [reason, keys] : listed.get_object())
    for (const auto& key : keys.get_array())
      skips[std::string(std::string_view(key.get_string()))] = std::string_view(reason);
  static std::map<std::string, Json> tests;
  std::set<std::string> used;
  for (const auto* service : all_services()) {
    auto& loaded = tests[service->name] =
        aws::protocol::load(str("vectors/", service->name, ".json"));
    aws::protocol::register_service(*service, loaded, skips, used);
  }
  for (const auto& [key, reason] : skips)
    if (!used.contains(key)) {
      std::fprintf(stderr, "not_applicable.json names %s (%s), which is no test\n", key.c_str(),
                   reason.c_str());
      return 1;
    }
  return RUN_ALL_TESTS();
}
