// A service of the contract: its operations, errors and the protocols it speaks. Generated tables
// (gen/<service>/tables.cpp, declared in interface.h) hold one Service each; immutable; any thread.
#pragma once

#include "aws/shape.h"
#include "base/completion.h"

namespace pileus::aws {

class Context;

enum class Protocol : std::uint8_t {
  kJson10,
  kJson11,
  kRestJson,
  kRestXml,
  kQuery,
  kEc2,
  kRpcV2Cbor
};

struct ErrorShape {
  const char* shape;       // name in the model; __type and what clients match on in JSON protocols
  const char* code;        // the wire code where the model gives another (error.code), else shape
  int status;              // HTTP
  bool fault;              // the server's fault
  const char* query_code;  // awsQueryError code for clients of a former query protocol, or nullptr
  const char* message_name;  // on the wire: "message" or "Message"
  // The error's struct, where it has members besides the message; else nullptr.
  const Shape* structure;
  void* (*make)();
  void (*drop)(void*);
};

struct Operation {
  const char* name;
  const char* method;  // rest: "POST"
  const char* uri;     // rest: "/2015-03-31/functions/{FunctionName}?x=y"
  int success_status;  // rest: status of an answer that does not choose its own
  const Shape* input;  // nullptr: not spoken yet
  const Shape* output;
  std::span<const ErrorShape* const> errors;
  bool unsigned_call;          // the model says no authentication (AssumeRoleWithWebIdentity …)
  const char* result_wrapper;  // query: "<Op>Result" element, or nullptr
  const char* host_prefix;     // endpoint: "{AccountId}.", or nullptr
  bool input_given;            // the model names an input; one it does not name is an empty struct
  bool output_given;
  // Memory of input and output, and the call. `service` is the generated interface.
  void* (*new_input)();
  void (*delete_input)(void*);
  void* (*new_output)();
  void (*delete_output)(void*);
  Task<Result<Unit>> (*call)(void* service, Context& context, void* input, void* output);

  bool spoken() const { return input != nullptr; }
};

// How a service words what is wrong with an input: it differs between services. Data of
// models/services/<service>.json ("validation"); see aws/validation.h.
struct ValidationStyle {
  const char* code = "ValidationException";          // a constraint does not hold
  const char* refused_code = "ValidationException";  // a member is not supported by Pileus
  const char* malformed_code = nullptr;  // bytes that do not parse; nullptr: the protocol's
  const char* malformed_prefix = "";     // before the parser's words
};
// A constraint that the service enforces in words of its own, or leaves to the operation.
struct ValidationException {
  const char* where;    // "Operation.Member", or a shape's name
  const char* check;    // "required", "length", "range", "pattern" or "enum"
  const char* message;  // "{value}" and "{path}" are filled in; nullptr: not enforced here
};
// A member that is accepted at its default only; anything else is refused by name.
struct RefusedMember {
  const char* operation;
  const char* path;  // "Environment.Secrets": model names; lists and maps are entered
  const char* reason;
  std::span<const char* const> accepts;  // values that mean the default
};

struct Service {
  const char* name;          // ours and botocore's folder: "lambda"
  const char* id;            // "Lambda"
  const char* signing_name;  // in the credential scope
  const char* endpoint_prefix;
  const char* target_prefix;              // X-Amz-Target: "AWSLambda" …, or ""
  const char* api_version;                // "2015-03-31"
  const char* xml_namespace;              // or ""
  const char* rpc_name;                   // rpc-v2: the Smithy service's name, or ""
  std::span<const Protocol> protocols;    // the model's preferred one first
  bool query_compatible;                  // json answers carry x-amzn-query-error for older clients
  std::span<const Operation> operations;  // sorted by name; all of the model's
  std::span<const ErrorShape* const> errors;
  bool bare_xml_errors = false;  // rest-xml: <Error> is the root (S3)
  ValidationStyle validation = {};
  std::span<const ValidationException> exceptions = {};
  std::span<const RefusedMember> refused = {};

  const Operation* operation(std::string_view operation_name) const;
  const ErrorShape* error(std::string_view code) const;  // by code or shape name
};

// Who carries a call out: the Door, or a connection to another process. In-process clients
// (gen/<service>/client.h) are thin covers over it.
class Caller {
 public:
  virtual ~Caller() = default;
  // `input` and `output` point to the operation's structs. The call is made as `context` says.
  virtual Task<Result<Unit>> call(Context& context, const Service& service,
                                  const Operation& operation, void* input, void* output) = 0;
};

// What an operation answers that is in the contract but not built.
Error not_implemented(const Service& service, const Operation& operation);

template <class Input, class Output>
Task<Result<Output>> call_as(Caller& caller, Context& context, const Service& service,
                             const Operation& operation, Input input) {
  Output output;
  CO_TRY(co_await caller.call(context, service, operation, &input, &output));
  co_return std::move(output);
}

}  // namespace pileus::aws
