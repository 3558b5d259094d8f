// Every codec that meets network bytes. The first byte chooses the service (and so the protocol),
// the second the operation of an rpc protocol; then, for rest: "METHOD PATH?QUERY", header lines,
// an empty line, the body; for the others: the body. What parses is validated, written again as a
// client would, and must parse to the same; the bytes are also read as an answer and as an error.
#include <cstdlib>

#include "aws/protocol/codec.h"
#include "aws/validation.h"
#include "base/text.h"
#include "gen/iam/interface.h"
#include "gen/lambda/interface.h"
#include "gen/logs/interface.h"
#include "gen/vectors_cbor/interface.h"
#include "gen/vectors_ec2/interface.h"
#include "gen/vectors_json10/interface.h"
#include "gen/vectors_rest_json/interface.h"
#include "gen/vectors_rest_xml/interface.h"

namespace {
using namespace pileus;
using namespace pileus::aws;
using namespace pileus::aws::protocol;

const Service* const kServices[] = {&gen::iam::kService,
                                    &gen::lambda::kService,
                                    &gen::logs::kService,
                                    &gen::vectors_json10::kService,
                                    &gen::vectors_rest_json::kService,
                                    &gen::vectors_rest_xml::kService,
                                    &gen::vectors_ec2::kService,
                                    &gen::vectors_cbor::kService};

bool is_rest(Protocol p) { return p == Protocol::kRestJson || p == Protocol::kRestXml; }

WireRequest rest_request(std::string_view text) {
  WireRequest request;
  const auto end = text.find("\n\n");
  const std::string_view head = text.substr(0, end);
  if (end != text.npos) request.body = text.substr(end + 2);
  bool first = true;
  for (const auto line : split(head, '\n')) {
    if (std::exchange(first, false)) {
      const auto space = line.find(' ');
      request.method = line.substr(0, space);
      const auto target = space == line.npos ? std::string_view("/") : line.substr(space + 1);
      request.path = target.substr(0, target.find('?'));
      if (target.find('?') != target.npos) request.query = target.substr(target.find('?') + 1);
    } else if (const auto colon = line.find(':'); colon != line.npos) {
      request.headers.add(std::string(line.substr(0, colon)),
                          std::string(trim(line.substr(colon + 1))));
    }
  }
  return request;
}

void must(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void read_request(const Service& service, Protocol protocol, const Operation& operation,
                  WireRequest request, const UriLabels& labels) {
  void* input = operation.new_input();
  std::vector<std::string> missing;
  if (parse_request(service, protocol, operation, request, labels, input, &missing)) {
    (void)validate(service, operation, input, missing);
    const Json seen = to_json(*operation.input, input);
    if (auto again = missing.empty() ? write_request(service, protocol, operation, input, nullptr)
                                     : fail("x", "x")) {
      UriLabels other;
      const Operation* found = route(service, protocol, *again, &other);
      void* copy = operation.new_input();
      if (found == &operation)
        (void)parse_request(service, protocol, operation, *again, other, copy, nullptr);
      operation.delete_input(copy);
    }
    void* copy = operation.new_input();
    must(from_json(*operation.input, seen, copy).has_value(),
         "the neutral form does not read back");
    operation.delete_input(copy);
  }
  operation.delete_input(input);
}

void read_answer(const Service& service, Protocol protocol, const Operation& operation,
                 std::string_view body) {
  for (const int status : {200, 400}) {
    WireResponse response;
    response.status = status;
    response.body = body;
    void* output = operation.new_output();
    const auto parsed = parse_response(service, protocol, operation, response, output);
    if (parsed)
      (void)write_response(service, protocol, operation, output, "id");
    else
      (void)write_error(service, protocol, &operation, parsed.error(), "id");
    operation.delete_output(output);
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Service& service = *kServices[data[0] % std::size(kServices)];
  const Protocol protocol = service.protocols.front();
  const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Operation* operation = &service.operations[data[1] % service.operations.size()];
  WireRequest request;
  UriLabels labels;
  if (is_rest(protocol)) {
    request = rest_request(rest);
    if (const Operation* found = route(service, protocol, request, &labels)) operation = found;
  } else {
    request.body = rest;
    (void)route(service, protocol, request, nullptr);
  }
  if (!operation->spoken()) return 0;
  const std::string body = request.body;
  read_request(service, protocol, *operation, std::move(request), labels);
  read_answer(service, protocol, *operation, body);
  return 0;
}
