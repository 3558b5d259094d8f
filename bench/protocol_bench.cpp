// What the contract costs per call: route + parse + validate + write the answer, in µs, for a
// typical call of each protocol. Peer: botocore's own parser on the answer (protocol_bench.py).
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "aws/protocol/codec.h"
#include "aws/validation.h"
#include "base/text.h"
#include "gen/iam/interface.h"
#include "gen/lambda/interface.h"
#include "gen/logs/interface.h"

namespace {
using namespace pileus;
using namespace pileus::aws;
using namespace pileus::aws::protocol;

struct Call {
  const char* what;
  const Service& service;
  const char* method;
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string output;  // neutral form
};

void once(const Call& call, const Operation*& operation, void*& output, std::size_t& bytes) {
  WireRequest wire;
  wire.method = call.method;
  wire.path = call.path;
  for (const auto& [name, value] : call.headers) wire.headers.add(name, value);
  wire.body = call.body;
  UriLabels labels;
  const Protocol protocol = *detect_protocol(call.service, wire);
  operation = route(call.service, protocol, wire, &labels);
  if (!operation) std::exit(1);
  void* input = operation->new_input();
  std::vector<std::string> missing;
  const bool good =
      parse_request(call.service, protocol, *operation, wire, labels, input, &missing) &&
      validate(call.service, *operation, input, missing);
  if (!good) std::exit(2);
  operation->delete_input(input);
  if (!output) {
    output = operation->new_output();
    if (!from_json(*operation->output, parse_json(call.output).value(), output)) std::exit(3);
  }
  bytes += write_response(call.service, protocol, *operation, output,
                          "11111111-2222-3333-4444-555555555555")
               .body.size();
}

void measure(const Call& call) {
  using Clock = std::chrono::steady_clock;
  const Operation* operation = nullptr;
  void* output = nullptr;
  std::size_t bytes = 0;
  for (int i = 0; i < 200; ++i) once(call, operation, output, bytes);
  constexpr int kCalls = 20'000;
  const int calls = call.body.size() > 100'000 ? kCalls / 100 : kCalls;
  double best = 1e9;
  for (int round = 0; round < 3; ++round) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) once(call, operation, output, bytes);
    best = std::min(
        best, std::chrono::duration<double, std::micro>(Clock::now() - start).count() / calls);
  }
  operation->delete_output(output);
  std::printf("  %-44s %9.2f us a call", call.what, best);
  if (call.body.size() > 100'000)
    std::printf("  (%.0f MB/s)", static_cast<double>(call.body.size()) / best);
  std::printf("\n");
}
}  // namespace

int main() {
  std::string events;
  for (int i = 0; i < 5000; ++i)
    events += str(i ? "," : "", "{\"timestamp\":", 1700000000000 + i,
                  ",\"message\":\"a line of a log with number ", i, " and some more text in it\"}");
  const Call calls[] = {
      {"rest-json  lambda Invoke, 100 B",
       gen::lambda::kService,
       "POST",
       "/2015-03-31/functions/my-function/invocations",
       {{"Host", "localhost:4566"},
        {"X-Amz-Invocation-Type", "RequestResponse"},
        {"X-Amz-Log-Type", "None"},
        {"Content-Type", "application/json"}},
       std::string(100, 'x'),
       "{\"StatusCode\":200,\"ExecutedVersion\":\"$LATEST\"}"},
      {"rest-json  lambda CreateFunction",
       gen::lambda::kService,
       "POST",
       "/2015-03-31/functions",
       {{"Content-Type", "application/json"}},
       R"({"FunctionName":"f","Runtime":"python3.11","Role":"arn:aws:iam::000000000000:role/r","Handler":"a.b","Code":{"ZipFile":"UEsDBBQA"},"Environment":{"Variables":{"ALPHA":"b","BETA":"c"}},"Timeout":3,"MemorySize":128})",
       R"({"FunctionName":"f","Runtime":"python3.11","Handler":"a.b","CodeSize":10,"Timeout":3,"MemorySize":128,"Version":"$LATEST","State":"Active"})"},
      {"json 1.1   logs PutLogEvents, 1 event",
       gen::logs::kService,
       "POST",
       "/",
       {{"X-Amz-Target", "Logs_20140328.PutLogEvents"}},
       R"({"logGroupName":"/aws/lambda/f","logStreamName":"s","logEvents":[{"timestamp":1700000000000,"message":"hello"}]})",
       R"({"nextSequenceToken":"1"})"},
      {"json 1.1   logs PutLogEvents, 5000 events",
       gen::logs::kService,
       "POST",
       "/",
       {{"X-Amz-Target", "Logs_20140328.PutLogEvents"}},
       "{\"logGroupName\":\"/aws/lambda/f\",\"logStreamName\":\"s\",\"logEvents\":[" + events +
           "]}",
       R"({"nextSequenceToken":"1"})"},
      {"query      iam CreateRole",
       gen::iam::kService,
       "POST",
       "/",
       {{"Content-Type", "application/x-www-form-urlencoded"}},
       "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%22Version%22%"
       "3A%222012-10-17%22%7D"
       "&Tags.member.1.Key=a&Tags.member.1.Value=b&Tags.member.2.Key=c&Tags.member.2.Value=d",
       R"({"Role":{"Path":"/","RoleName":"r","RoleId":"AROAAAAAAAAAAAAAAAAAA","Arn":"arn:aws:iam::000000000000:role/r","CreateDate":1700000000000000}})"}};
  for (const auto& call : calls) measure(call);
}
