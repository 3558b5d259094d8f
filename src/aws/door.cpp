#include "aws/door.h"

#include <algorithm>

#include "aws/guard.h"
#include "aws/protocol/codec.h"
#include "aws/routing.h"
#include "aws/sigv4.h"
#include "aws/validation.h"
#include "base/log.h"
#include "base/text.h"
#include "net/server.h"

namespace pileus::aws {

namespace {

// AWS's own bound on a Lambda control request (50 MB of zip in base64), the largest of those
// spoken.
constexpr std::size_t kMaxBodyBytes = 70'167'211;

struct Room {
  const Service* service;
  void* implementation;
};

Dialect dialect_of(Protocol protocol, const Service* service) {
  switch (protocol) {
    case Protocol::kRestJson:
      return Dialect::kRestJson;
    case Protocol::kQuery:
      return Dialect::kQuery;
    case Protocol::kEc2:
      return Dialect::kEc2;
    case Protocol::kRestXml:
      return service && std::string_view(service->signing_name).starts_with("s3") ? Dialect::kS3
                                                                                  : Dialect::kQuery;
    default:
      return Dialect::kJson;
  }
}

Error unknown_operation(Protocol protocol, const Service& service,
                        const protocol::WireRequest& wire) {
  const auto name = protocol::requested_name(protocol, wire);
  switch (protocol) {
    case Protocol::kQuery:
    case Protocol::kEc2:
      return Error("InvalidAction",
                   str("Could not find operation ", name, " for version ", service.api_version),
                   400);
    case Protocol::kRestJson:
    case Protocol::kRestXml:
      return Error("UnknownOperationException",
                   str("Unknown operation: ", wire.method, " ", wire.path), 404);
    default:
      return Error("UnknownOperationException",
                   name.empty() ? std::string("The request names no operation.")
                                : str("Unknown operation: ", name),
                   400);
  }
}

Error no_service(std::string_view scope_service) {
  return Error("NotImplemented",
               scope_service.empty() ? std::string("The request does not say which AWS service it "
                                                   "means. Sign it, or use an AWS SDK with "
                                                   "AWS_ENDPOINT_URL set to this address.")
                                     : str("The service '", scope_service,
                                           "' is not implemented by this version of Pileus; "
                                           "docs/coverage.md lists what is."),
               501);
}

// Errors of the floors below that no room has translated are bugs or the machine's: not the
// caller's.
bool is_internal(const Error& error) {
  for (const auto code : {errc::kCancelled, errc::kDeadline, errc::kConflict, errc::kNotFound,
                          errc::kIo, errc::kLimit, errc::kInvalid})
    if (error.is(code)) return true;
  return false;
}

// A code of the floors below may be one of AWS's too: IAM's LimitExceeded.
bool is_modeled(const Operation* operation, const Error& error) {
  if (!operation) return false;
  return std::ranges::any_of(operation->errors,
                             [&](const ErrorShape* shape) { return error.is(shape->code); });
}

bool region_is_wellformed(std::string_view region) {
  return !region.empty() && region.size() <= 32 &&
         region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
             std::string_view::npos;
}

bool is_account_id(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// What an error repeats of the request may be bytes that no protocol can hold as text.
Error as_text(const Error& error) {
  const bool utf8 = is_utf8(error.message());
  std::string message;
  for (const char c : error.message()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool control = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
    message += control || (byte >= 0x80 && !utf8) ? '?' : c;
  }
  Error told(error.code(), std::move(message), error.status());
  for (const auto& [name, value] : error.members()) told = std::move(told).with(name, value);
  return told;
}

net::Response to_response(protocol::WireResponse wire) {
  net::Response response;
  response.status = wire.status;
  response.headers = std::move(wire.headers);
  response.body = std::move(wire.body);
  return response;
}

struct Freed {
  const Operation* operation;
  void operator()(void* input) const { operation->delete_input(input); }
};
struct FreedOutput {
  const Operation* operation;
  void operator()(void* output) const { operation->delete_output(output); }
};

}  // namespace

class Door::Impl {
 public:
  Impl(DoorOptions options, const Clock& clock, const RealTime& real, Random& random)
      : options_(std::move(options)), clock_(clock), real_(real), random_(random) {}

  // One request on its way through the Door.
  struct Call {
    protocol::WireRequest wire;
    std::string request_id;
    const Room* room = nullptr;
    Protocol protocol = Protocol::kRestJson;
    const Operation* operation = nullptr;
    protocol::UriLabels labels;
    std::shared_ptr<const Identity> identity;  // shared: cached by key
    std::string region;
  };

  net::Response refuse(const Call& call, const Error& error) const {
    static constexpr Service kNobody{.name = "",
                                     .id = "",
                                     .signing_name = "",
                                     .endpoint_prefix = "",
                                     .target_prefix = "",
                                     .api_version = "",
                                     .xml_namespace = "",
                                     .rpc_name = "",
                                     .protocols = {},
                                     .query_compatible = false,
                                     .operations = {},
                                     .errors = {}};
    static constexpr Service kNobodyOfS3 = [] {
      Service service = kNobody;
      service.bare_xml_errors = true;
      return service;
    }();
    const Service& nobody = call.protocol == Protocol::kRestXml ? kNobodyOfS3 : kNobody;
    const Service& service = call.room ? *call.room->service : nobody;
    return to_response(protocol::write_error(service, call.protocol, call.operation, as_text(error),
                                             call.request_id));
  }

  const Room* room_of(const Service* service) const {
    for (const auto& room : rooms_)
      if (room.service == service) return &room;
    return nullptr;
  }

  Result<Unit> find_operation(Call& call, std::string_view scope_service) const {
    call.protocol = likely_protocol(scope_service, call.wire);
    const Service* service = find_service(services_, scope_service, call.wire);
    if (!service) return fail(no_service(scope_service));
    call.room = room_of(service);
    const auto spoken = protocol::detect_protocol(*service, call.wire);
    if (spoken) call.protocol = *spoken;
    call.operation = protocol::route(*service, call.protocol, call.wire, &call.labels);
    if (!call.operation) return fail(unknown_operation(call.protocol, *service, call.wire));
    if (!call.operation->spoken()) return fail(not_implemented(*service, *call.operation));
    return Unit{};
  }

  // Who is asking. Known keys are verified, wherever they come from; an unknown one is the owner's
  // convenience on the owner's listener, from sockets of root or of the user who started us.
  Task<Result<Unit>> authenticate(Call& call, const net::Request& request,
                                  const SignatureInfo& info, Trust trust) {
    const auto fault = [&](const SignatureFault& what) {
      return fail(
          to_error(what, dialect_of(call.protocol, call.room ? call.room->service : nullptr)));
    };
    if (info.kind == SignatureInfo::Kind::kAnonymous) {
      if (!call.operation->unsigned_call) co_return fault(missing_token());
      auto anonymous = std::make_shared<Identity>();
      anonymous->account = options_.account;
      call.identity = std::move(anonymous);
      call.region = options_.region;
      co_return Unit{};
    }
    call.region = info.algorithm == SignatureInfo::Algorithm::kHmac ? info.region : options_.region;
    if (!region_is_wellformed(call.region))
      co_return fault({.kind = SignatureFault::Kind::kMismatch,
                       .message = "Credential should be scoped to a valid region.",
                       .s3_code = {},
                       .s3_message = {},
                       .s3_members = {}});
    CO_TRY_ASSIGN(auto credential,
                  co_await credentials_->find(info.access_key_id, info.session_token));
    if (!credential) {
      // A session that is not ours (any more) is refused: its holder meant to have a role's rights.
      if (trust != Trust::kOwner || !info.session_token.empty() || !socket_is_owners(request))
        co_return fault(unknown_key(info.access_key_id));
      call.identity =
          owner(is_account_id(info.access_key_id) ? info.access_key_id : options_.account);
      co_return Unit{};
    }
    if (!credential->active) co_return fault(unknown_key(info.access_key_id));
    const RequestParts parts{call.wire.method, call.wire.path, call.wire.query,
                             call.wire.headers.fields(), call.wire.body};
    auto verified = verify(info, parts, credential->secret, real_.now(),
                           {.allow_unsigned_payload = false, .cache = &keys_});
    if (!verified) co_return fault(verified.error());
    if (credential->expires && *credential->expires <= real_.now())
      co_return fault(expired_token());
    credentials_->used(info.access_key_id, info.service, call.region, clock_.now());
    call.identity = credential->identity;
    co_return Unit{};
  }

  bool socket_is_owners(const net::Request& request) const {
    if (!request.listener || !request.listener->loopback) return false;
    const auto uid = net::peer_uid(request);
    return uid && (*uid == 0 || *uid == options_.owner_uid);
  }

  // The administrator of an account: what the owner's convenience amounts to.
  std::shared_ptr<const Identity> owner(const std::string& account) {
    std::lock_guard lock(owners_mutex_);
    if (const auto known = owners_.find(account); known != owners_.end()) return known->second;
    if (owners_.size() >= kMaxOwners) owners_.clear();
    auto root = std::make_shared<Identity>();
    root->type = Identity::Type::kRoot;
    root->account = account;
    root->arn = str("arn:aws:iam::", account, ":root");
    root->user_id = account;
    owners_.emplace(account, root);
    return root;
  }

  Task<net::Response> handle(net::Request& request, Trust trust) {
    const auto arrived = real_.monotonic();
    Call call;
    call.request_id = uuid(random_);
    call.wire.method = request.method;
    call.wire.path = std::string(request.path());
    call.wire.query = std::string(request.query());
    call.wire.headers = std::move(request.headers);
    call.protocol = likely_protocol("", call.wire);
    if (trust == Trust::kOwner)
      if (auto refusal =
              refuse_foreign(call.wire.headers, options_.allowed_hosts, options_.allowed_origins))
        co_return refuse(call, *refusal);

    auto body = co_await request.body->read_all(kMaxBodyBytes);
    if (!body) {
      if (!body.error().is(errc::kLimit)) co_return closing(refuse(call, body.error()));
      co_return closing(
          refuse(call, Error("RequestEntityTooLargeException",
                             str("Request must be smaller than ", kMaxBodyBytes, " bytes"), 413)));
    }
    call.wire.body = std::move(*body);

    const RequestParts parts{call.wire.method, call.wire.path, call.wire.query,
                             call.wire.headers.fields(), std::nullopt};
    auto info = parse_signature(parts);
    const std::string scope_service = info ? info->service : std::string();
    if (auto found = find_operation(call, scope_service); !found && info)
      co_return refuse(call, found.error());
    if (!info)
      co_return refuse(
          call, to_error(info.error(),
                         dialect_of(call.protocol, call.room ? call.room->service : nullptr)));
    if (auto who = co_await authenticate(call, request, *info, trust); !who)
      co_return refuse(call, internal(call, who.error()));

    Context context(*authorizer_, call.identity,
                    call.identity->account.empty() ? options_.account : call.identity->account,
                    call.region, call.request_id, clock_.now());
    context.source_ip = request.peer_address;
    context.user_agent = std::string(call.wire.headers.get("user-agent"));
    context.trace_header = std::string(call.wire.headers.get("x-amzn-trace-id"));
    context.secure_transport = request.tls;
    context.headers = &call.wire.headers.fields();
    co_return co_await carry_out(call, context, arrived);
  }

  Task<net::Response> carry_out(Call& call, Context& context, std::chrono::nanoseconds arrived) {
    const Service& service = *call.room->service;
    const Operation& operation = *call.operation;
    const std::unique_ptr<void, Freed> input(operation.new_input(), Freed{&operation});
    const std::unique_ptr<void, FreedOutput> output(operation.new_output(),
                                                    FreedOutput{&operation});
    std::vector<std::string> missing;
    auto result = protocol::parse_request(service, call.protocol, operation, call.wire, call.labels,
                                          input.get(), &missing);
    const bool decoded = result.has_value();
    if (result) result = validate(service, operation, input.get(), missing);
    if (result) result = co_await answer(context, *call.room, operation, input.get(), output.get());
    if (!result) result = fail(internal(call, result.error()));
    const Seen seen{context,
                    service,
                    operation,
                    decoded ? input.get() : nullptr,
                    result ? output.get() : nullptr,
                    result ? nullptr : &result.error(),
                    std::chrono::duration_cast<Duration>(real_.monotonic() - arrived)};
    for (auto* sink : sinks_) sink->saw(seen);
    if (!result) co_return refuse(call, result.error());
    co_return to_response(
        protocol::write_response(service, call.protocol, operation, output.get(), call.request_id));
  }

  // The handler, and what the Door demands of it.
  Task<Result<Unit>> answer(Context& context, const Room& room, const Operation& operation,
                            void* input, void* output) {
    context.service = room.service;
    context.operation = &operation;
    Result<Unit> result = Unit{};
    try {
      result = co_await operation.call(room.implementation, context, input, output);
    } catch (const std::exception& error) {
      log::error("a handler threw", {{"service", room.service->name},
                                     {"operation", operation.name},
                                     {"request", context.request_id()},
                                     {"what", error.what()}});
      co_return fail(
          "InternalFailure",
          "The request processing has failed because of an unknown error, exception or failure.",
          500);
    }
    if (result && !context.decided()) {
      log::error("a handler answered without an authorization decision",
                 {{"service", room.service->name},
                  {"operation", operation.name},
                  {"request", context.request_id()}});
      co_return fail("InternalFailure",
                     "The request was answered without an authorization decision.", 500);
    }
    co_return result;
  }

  Error internal(const Call& call, Error error) const {
    if (!is_internal(error) || is_modeled(call.operation, error)) return error;
    log::error("an internal error reached the Door",
               {{"operation", call.operation ? call.operation->name : ""},
                {"request", call.request_id},
                {"code", error.code()},
                {"message", error.message()}});
    return Error(
        "InternalFailure",
        str("The request processing has failed because of an internal error (", error.code(),
            "); the server's log has it under request ", call.request_id, "."),
        500);
  }

  static net::Response closing(net::Response response) {
    response.close = true;
    return response;
  }

  static constexpr std::size_t kMaxOwners = 1024;  // accounts whose administrator identity is kept

  DoorOptions options_;
  const Clock& clock_;
  const RealTime& real_;
  Random& random_;
  Credentials* credentials_ = nullptr;
  Authorizer* authorizer_ = nullptr;
  std::vector<Room> rooms_;
  std::vector<const Service*> services_;
  std::vector<Sink*> sinks_;
  SigningKeyCache keys_;
  std::mutex owners_mutex_;
  std::map<std::string, std::shared_ptr<const Identity>> owners_;  // shared with calls in flight
};

Door::Door(DoorOptions options, const Clock& clock, const RealTime& real, Random& random)
    : impl_(std::make_unique<Impl>(std::move(options), clock, real, random)) {}
Door::~Door() = default;

void Door::set_authority(Credentials& credentials, Authorizer& authorizer) {
  impl_->credentials_ = &credentials;
  impl_->authorizer_ = &authorizer;
}

void Door::add(const Service& service, void* implementation) {
  impl_->rooms_.push_back({&service, implementation});
  impl_->services_.push_back(&service);
}

void Door::add_sink(Sink& sink) { impl_->sinks_.push_back(&sink); }

[[clang::coro_wrapper]] Task<net::Response> Door::handle(net::Request& request, Trust trust) {
  return impl_->handle(request, trust);
}

Task<Result<Unit>> Door::call(Context& context, const Service& service, const Operation& operation,
                              void* input, void* output) {
  const Room* room = impl_->room_of(&service);
  if (!room) co_return fail(no_service(service.signing_name));
  // A call of its own: the handler's decision must not count for the caller's handler.
  Context inner(*impl_->authorizer_, context.shared_identity(), context.account(), context.region(),
                context.request_id(), impl_->clock_.now());
  inner.internal = true;
  inner.action_id = context.action_id;
  inner.trace_header = context.trace_header;
  inner.source_ip = context.source_ip;
  inner.user_agent = context.user_agent;
  CO_TRY(validate(service, operation, input, {}));
  auto result = co_await impl_->answer(inner, *room, operation, input, output);
  const Seen seen{inner,
                  service,
                  operation,
                  input,
                  result ? output : nullptr,
                  result ? nullptr : &result.error(),
                  Duration(0)};
  for (auto* sink : impl_->sinks_) sink->saw(seen);
  co_return result;
}

Context Door::internal_context(std::shared_ptr<const Identity> identity, std::string account,
                               std::string region) {
  return Context(*impl_->authorizer_, std::move(identity), std::move(account), std::move(region),
                 uuid(impl_->random_), impl_->clock_.now());
}

Context Door::service_context(std::string_view service_principal, std::string account,
                              std::string region) {
  auto identity = std::make_shared<Identity>();
  identity->type = Identity::Type::kService;
  identity->service = std::string(service_principal);
  identity->arn = identity->service;
  identity->account = account;
  return internal_context(std::move(identity), std::move(account), std::move(region));
}

Authorizer& Door::authorizer() { return *impl_->authorizer_; }

void Door::forget() {
  std::lock_guard lock(impl_->owners_mutex_);
  impl_->owners_.clear();
}

}  // namespace pileus::aws
