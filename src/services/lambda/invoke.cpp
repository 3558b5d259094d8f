// Invoke: now (RequestResponse), later (Event), or not at all (DryRun).
#include <algorithm>

#include "base/text.h"
#include "gen/lambda/Invoke.h"
#include "gen/lambda/InvokeAsync.h"
#include "services/lambda/impl.h"
#include "services/lambda/invoking.h"
#include "services/lambda/lineage.h"
#include "services/lambda/url_host.h"

namespace pileus::services::lambda {
// POST /2015-03-31/functions/<name in any form>/invocations
Loop* LambdaService::place(const net::Request& request) {
  if (const auto url = parse_url_host(request.headers.get("host")))
    return impl_->urls.place(*url, impl_->given.loops);
  constexpr std::string_view before = "/2015-03-31/functions/", after = "/invocations";
  std::string_view name = request.path();
  if (request.method != "POST" || !name.starts_with(before) || !name.ends_with(after))
    return nullptr;
  name.remove_prefix(before.size());
  if (name.size() < after.size()) return nullptr;
  name.remove_suffix(after.size());
  auto plain = percent_decode(name);
  if (!plain) return nullptr;
  const auto pieces = split(*plain, ':');
  const auto word = std::find(pieces.begin(), pieces.end(), std::string_view("function"));
  const bool prefixed = word != pieces.end() && word + 1 != pieces.end();
  return &impl_->given.loops.home(prefixed ? *(word + 1) : pieces.front());
}

Task<Result<Unit>> LambdaService::Impl::authorize_invoke(aws::Context& context, FunctionRef ref) {
  co_return co_await authorize(context, std::move(ref), "lambda:InvokeFunction");
}

Task<Result<gen::lambda::InvokeOutput>> LambdaService::invoke(aws::Context& context,
                                                              gen::lambda::InvokeInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize_invoke(context, ref));
  const std::string type = in.invocation_type.value_or("RequestResponse");
  std::string payload = std::move(in.payload).value_or("");
  gen::lambda::InvokeOutput out;

  if (type == "DryRun") {
    CO_TRY(co_await impl_->engine.check(ref));
    out.status_code = 204;
    co_return out;
  }
  if (type == "Event") {
    CO_TRY(check_payload(payload, kMaxAsyncPayload));
    CO_TRY(co_await impl_->engine.check(ref));
    AsyncEvent event;
    event.id = context.request_id();
    event.function = ref.name;
    event.qualifier = ref.qualifier;
    event.payload = std::move(payload);
    event.trace = trace_of(context, ref);
    event.accepted = event.due = impl_->given.clock.now();
    CO_TRY(co_await impl_->events.accept(ref, std::move(event)));
    out.status_code = 202;
    co_return out;
  }

  CO_TRY(check_payload(payload, kMaxSyncPayload));
  const std::string trace = trace_of(context, ref);
  CO_TRY(co_await impl_->check_recursion(ref, trace));
  auto invocation = std::make_unique<Invocation>();
  invocation->id = context.request_id();
  invocation->payload = std::move(payload);
  invocation->invoked_arn = ref.qualified_arn();
  invocation->qualifier = ref.qualifier;
  CO_TRY_ASSIGN(invocation->client_context, client_context_of(in.client_context));
  invocation->trace = trace;
  invocation->tail = in.log_type == "Tail";
  auto answer = co_await impl_->engine.invoke(ref, std::move(invocation));
  if (!answer) co_return fail(as_service_error(std::move(answer).error()));
  out.status_code = 200;
  out.payload = std::move(answer->payload);
  out.executed_version = std::move(answer->version);
  if (answer->failed) out.function_error = "Unhandled";
  if (in.log_type == "Tail") out.log_result = to_base64(answer->log_tail);
  co_return out;
}

// Invoke with the type Event, as it was before there was Invoke.
Task<Result<gen::lambda::InvokeAsyncOutput>> LambdaService::invoke_async(
    aws::Context& context, gen::lambda::InvokeAsyncInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name));
  CO_TRY(co_await impl_->authorize_invoke(context, ref));
  CO_TRY(check_payload(in.invoke_args, kMaxInvokeAsync));
  CO_TRY(co_await impl_->engine.check(ref));
  AsyncEvent event;
  event.id = context.request_id();
  event.function = ref.name;
  event.qualifier = ref.qualifier;
  event.payload = std::move(in.invoke_args);
  event.trace = trace_of(context, ref);
  event.accepted = event.due = impl_->given.clock.now();
  CO_TRY(co_await impl_->events.accept(ref, std::move(event)));
  gen::lambda::InvokeAsyncOutput out;
  out.status = 202;
  co_return out;
}

}  // namespace pileus::services::lambda
