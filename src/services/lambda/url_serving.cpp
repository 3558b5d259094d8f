// Requests to function URLs: who asks, whether that is allowed, the event, and the answer.
#include "aws/guard.h"
#include "base/log.h"
#include "base/text.h"
#include "services/lambda/impl.h"
#include "services/lambda/invoking.h"
#include "services/lambda/lineage.h"
#include "services/lambda/url_cors.h"
#include "services/lambda/url_event.h"
#include "services/lambda/url_response.h"

namespace pileus::services::lambda {
namespace {

net::Response forbidden() {
  auto response = plain_error(403, R"({"Message":"Forbidden"})");
  response.headers.add("x-amzn-ErrorType", "AccessDeniedException");
  return response;
}

net::Response message(int status, std::string_view text) {
  std::string body = R"({"message":)";
  append_json_string(body, text);
  return plain_error(status, body + "}");
}

net::Response bad_gateway() { return plain_error(502, "Internal Server Error"); }

// Of an event that did not reach the function.
net::Response service_answer(const Error& error) {
  if (error.is("TooManyRequestsException")) {
    std::string reason;
    for (const auto& [name, value] : error.members())
      if (name == "Reason") reason = value;
    auto response = plain_error(
        429, str(R"({"Reason":")", reason, R"(","Type":"User","message":"Rate Exceeded."})"));
    response.headers.add("x-amzn-ErrorType", "TooManyRequestsException");
    return response;
  }
  if (error.is("ResourceNotFoundException")) return forbidden();
  if (error.is("RecursiveInvocationException")) return message(400, error.message());
  return plain_error(error.status() == 503 ? 503 : 502, "Internal Server Error");
}

net::Response failure_answer(const Answer& answer) {
  if (answer.error_type == "Sandbox.Timedout") return plain_error(504, "Internal Server Error");
  return bad_gateway();
}

// The rest of a streamed answer, as it comes. A late failure breaks the connection.
struct StreamBody {
  std::shared_ptr<AnswerStream> stream;
  std::string first;
  struct Leaves {
    std::shared_ptr<AnswerStream> stream;
    ~Leaves() { stream->leave(); }
  };
  std::shared_ptr<Leaves> leaves;  // goes with the last copy of the producer

  static Task<Result<Unit>> send(StreamBody self, net::BodyWriter* writer) {
    if (!self.first.empty()) CO_TRY(co_await writer->write(std::move(self.first)));
    for (;;) {
      CO_TRY_ASSIGN(std::string bytes, co_await self.stream->read());
      if (bytes.empty()) break;
      CO_TRY(co_await writer->write(std::move(bytes)));
    }
    const StreamEnd end = self.stream->take_end();
    if (end.failed)
      co_return fail(std::string(errc::kIo), "the function failed: " + end.error_type);
    co_return Unit{};
  }
  [[clang::coro_wrapper]] Task<Result<Unit>> operator()(net::BodyWriter& writer) const {
    return send(*this, &writer);
  }
};

bool is_prelude(std::string_view type) {
  return iequals(trim(type.substr(0, type.find(';'))), kPreludeType);
}

// An answer given whole, to a URL of the mode RESPONSE_STREAM: sent as it is.
net::Response whole_answer(Answer answer) {
  net::Response response;
  if (is_prelude(answer.content_type)) {
    PreludeReader prelude;
    if (prelude.feed(answer.payload) != PreludeReader::State::kDone) return bad_gateway();
    Prelude read = prelude.take();
    response = std::move(read.head);
    response.body = std::move(read.rest);
    return response;
  }
  response.headers.add("Content-Type", answer.content_type.empty() ? "application/octet-stream"
                                                                   : answer.content_type);
  response.body = std::move(answer.payload);
  return response;
}

Task<net::Response> streamed_answer(Answer answer) {
  StreamBody body{answer.stream, {}, std::make_shared<StreamBody::Leaves>(answer.stream)};
  net::Response response;
  if (!is_prelude(answer.content_type)) {
    response.headers.add("Content-Type", answer.content_type.empty() ? "application/octet-stream"
                                                                     : answer.content_type);
    response.stream = std::move(body);
    co_return response;
  }
  PreludeReader prelude;
  for (auto state = PreludeReader::State::kMore; state != PreludeReader::State::kDone;) {
    auto bytes = co_await answer.stream->read();
    if (!bytes) co_return plain_error(503, "Internal Server Error");
    if (!bytes->empty()) state = prelude.feed(*bytes);
    if (bytes->empty() || state == PreludeReader::State::kMalformed) {
      Answer failed;
      failed.error_type = answer.stream->take_end().error_type;
      co_return failure_answer(failed);
    }
  }
  Prelude read = prelude.take();
  response = std::move(read.head);
  body.first = std::move(read.rest);
  response.stream = std::move(body);
  co_return response;
}

Task<net::Response> http_answer(Answer answer, bool streams) {
  if (answer.stream) co_return co_await streamed_answer(std::move(answer));
  if (answer.failed) co_return failure_answer(answer);
  if (streams || is_prelude(answer.content_type)) co_return whole_answer(std::move(answer));
  auto response = infer_response(answer.payload);
  co_return response ? std::move(*response) : bad_gateway();
}

}  // namespace

bool LambdaService::is_function_url(const net::Request& request) {
  return parse_url_host(request.headers.get("host")).has_value();
}

Task<net::Response> LambdaService::serve_url(net::Request& request, aws::Trust trust) {
  const auto host = parse_url_host(request.headers.get("host"));
  if (!host) co_return forbidden();
  auto known = co_await impl_->urls.find(*host);
  if (!known) {
    log::error("a function URL could not be looked up", {{"why", known.error().message()}});
    co_return plain_error(500, "Internal Server Error");
  }
  if (!*known) co_return forbidden();
  const auto& cors = (*known)->url.cors;
  if (cors && is_preflight(request.method, request.headers))
    co_return preflight_answer(*cors, request.headers);
  const std::string id = uuid(impl_->given.random);
  auto response = co_await impl_->answer_url(&request, trust, *host, *known, id);
  response.headers.set("x-amzn-RequestId", id);
  if (cors) add_cors(*cors, request.headers, response);
  co_return response;
}

Task<net::Response> LambdaService::Impl::answer_url(net::Request* request, aws::Trust trust,
                                                    UrlHost host,
                                                    std::shared_ptr<const KnownUrl> known,
                                                    std::string request_id) {
  const FunctionRef& ref = known->ref;
  auto body = co_await request->body->read_all(kMaxSyncPayload);
  if (!body) {
    auto refused = message(body.error().is(errc::kLimit) ? 413 : 400,
                           body.error().is(errc::kLimit) ? "Request Too Long" : "Bad Request");
    refused.close = true;
    co_return refused;
  }
  const bool iam = known->url.auth_type == "AWS_IAM";
  auto identity = std::make_shared<const aws::Identity>();
  if (iam) {
    auto who = co_await given.door.identify(*request, *body, "lambda", trust);
    if (!who) co_return message(403, who.error().message());
    identity = std::move(*who);
    if (identity->type == aws::Identity::Type::kAnonymous) co_return forbidden();
  }
  aws::Context context(given.door.authorizer(), identity,
                       identity->account.empty() ? ref.account : identity->account, ref.region,
                       request_id, given.clock.now());
  context.source_ip = request->peer_address;
  context.user_agent = std::string(request->headers.get("user-agent"));
  context.secure_transport = request->tls;
  context.trace_header = std::string(request->headers.get("x-amzn-trace-id"));
  if (auto allowed = co_await authorize_url_call(&context, &known->ref, known->url.auth_type);
      !allowed)
    co_return forbidden();

  auto invocation = std::make_unique<Invocation>();
  invocation->id = request_id;
  invocation->trace = trace_of(context, ref);
  if (auto fine = co_await check_recursion(ref, invocation->trace); !fine)
    co_return service_answer(fine.error());
  invocation->payload = url_event({*request, *body, host, iam ? identity.get() : nullptr,
                                   request_id, invocation->trace, given.clock.now()});
  if (invocation->payload.size() > kMaxSyncPayload) co_return message(413, "Request Too Long");
  invocation->invoked_arn = ref.qualified_arn();
  invocation->qualifier = ref.qualifier;
  const bool streams = known->url.invoke_mode == "RESPONSE_STREAM";
  invocation->takes_stream = streams;
  auto answer = co_await engine.invoke(ref, std::move(invocation));
  if (!answer) co_return service_answer(as_service_error(std::move(answer).error()));
  co_return co_await http_answer(std::move(*answer), streams);
}

// lambda:InvokeFunctionUrl, by the caller's policies and the function's own; nobody in particular
// (NONE) needs to be allowed there.
Task<Result<Unit>> LambdaService::Impl::authorize_url_call(aws::Context* context,
                                                           const FunctionRef* ref,
                                                           std::string auth_type) {
  aws::ConditionValues conditions;
  conditions["lambda:FunctionUrlAuthType"] = {std::move(auth_type)};
  co_return co_await authorize(*context, *ref, "lambda:InvokeFunctionUrl", std::move(conditions));
}

}  // namespace pileus::services::lambda
