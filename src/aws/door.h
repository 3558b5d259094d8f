// The Door: every call goes through it. From outside: HTTP request → service and operation →
// who is asking → decoded and validated input → handler (which authorizes) → encoded answer.
// From inside (in-process clients): the same without the wire. What it saw goes to the sinks.
// Made once by app/ before the first request; afterwards any loop calls it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aws/context.h"
#include "aws/credentials.h"
#include "base/random.h"
#include "net/http.h"

namespace pileus::aws {

// What the Door saw of a call, for audit, metering, tracing, metrics.
struct Seen {
  const Context& context;
  const Service& service;
  const Operation& operation;
  const void* input;   // the operation's struct; nullptr if it was not decoded
  const void* output;  // nullptr on failure
  const Error* error;  // nullptr on success
  Duration took;
};
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void saw(const Seen& seen) = 0;  // never waits
};

// Who a listener lets in (see ARCHITECTURE.md, "Who is asking").
enum class Trust {
  kOwner,     // the public loopback listener: unknown keys are the owner's convenience
  kVerified,  // only known keys count
};

struct DoorOptions {
  std::string account = "000000000000";
  std::string region = "us-east-1";
  std::uint32_t owner_uid = 0;               // besides root, whose sockets may use unknown keys
  std::vector<std::string> allowed_origins;  // browsers; "" none
  std::vector<std::string> allowed_hosts;    // besides loopback names and addresses
};

class Door final : public Caller {
 public:
  Door(DoorOptions options, const Clock& clock, const RealTime& real, Random& random);
  ~Door() override;

  // Set once by app/ before the first request.
  void set_authority(Credentials& credentials, Authorizer& authorizer);
  void add(const Service& service, void* implementation);  // the generated interface's pointer
  void add_sink(Sink& sink);

  // One HTTP request that speaks the AWS APIs.
  [[clang::coro_wrapper]] Task<net::Response> handle(net::Request& request, Trust trust);

  // For data planes, whose requests are no operations (function URLs): who signed a request to
  // `service`, by the rules of handle(); an anonymous identity where it is not signed at all.
  Task<Result<std::shared_ptr<const Identity>>> identify(const net::Request& request,
                                                         std::string_view body,
                                                         std::string_view service, Trust trust);

  // An internal call: authorization happens in the handler as for anyone else.
  Task<Result<Unit>> call(Context& context, const Service& service, const Operation& operation,
                          void* input, void* output) override;
  // A context for a call that a service makes in its own name, or as a role session.
  Context internal_context(std::shared_ptr<const Identity> identity, std::string account,
                           std::string region);
  Context service_context(std::string_view service_principal, std::string account,
                          std::string region);
  Authorizer& authorizer();

  // Forgets whom it knows as owners (after a reset). Derived signing keys are bound to their
  // secret.
  void forget();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pileus::aws
