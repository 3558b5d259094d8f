// InvokeWithResponseStream.
#include "aws/event_stream.h"
#include "base/text.h"
#include "gen/lambda/InvokeWithResponseStream.h"
#include "services/lambda/impl.h"
#include "services/lambda/invoking.h"

namespace pileus::services::lambda {
namespace {

using Event = gen::lambda::InvokeWithResponseStreamResponseEvent;

// The answer as events: its bytes, then how it ended.
class AnswerEvents final : public aws::EventSource<Event> {
 public:
  AnswerEvents(Answer answer, bool tail) : answer_(std::move(answer)), tail_(tail) {}
  ~AnswerEvents() override {
    if (answer_.stream) answer_.stream->leave();
  }

  Task<Result<std::optional<Event>>> next() override {
    if (complete_) co_return std::optional<Event>();
    std::string bytes;
    if (answer_.stream) {
      CO_TRY_ASSIGN(bytes, co_await answer_.stream->read());
    } else if (!answer_.failed) {
      bytes = std::exchange(answer_.payload, {});
    }
    Event event;
    if (!bytes.empty()) {
      event.payload_chunk.emplace().payload = std::move(bytes);
      co_return std::optional<Event>(std::move(event));
    }
    complete_ = true;
    const StreamEnd end = answer_.stream ? answer_.stream->take_end()
                                         : StreamEnd{answer_.failed, answer_.error_type,
                                                     answer_.payload, answer_.log_tail};
    auto& last = event.invoke_complete.emplace();
    if (end.failed) {
      last.error_code = end.error_type.empty() ? "Unhandled" : end.error_type;
      last.error_details = end.error_body;
    }
    if (tail_) last.log_result = to_base64(end.log_tail);
    co_return std::optional<Event>(std::move(event));
  }

 private:
  Answer answer_;
  const bool tail_;
  bool complete_ = false;
};

}  // namespace

Task<Result<gen::lambda::InvokeWithResponseStreamOutput>>
LambdaService::invoke_with_response_stream(aws::Context& context,
                                           gen::lambda::InvokeWithResponseStreamInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize_invoke(context, ref));
  gen::lambda::InvokeWithResponseStreamOutput out;
  std::string payload = std::move(in.payload).value_or("");
  CO_TRY(check_payload(payload, kMaxSyncPayload));
  if (in.invocation_type == "DryRun") {
    CO_TRY(co_await impl_->engine.check(ref));
    out.status_code = 204;
    co_return std::move(out);
  }
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
  invocation->takes_stream = true;
  auto answer = co_await impl_->engine.invoke(ref, std::move(invocation));
  if (!answer) co_return fail(as_service_error(std::move(answer).error()));
  out.status_code = 200;
  out.executed_version = answer->version;
  out.event_stream = aws::EventStream<Event>(
      std::make_unique<AnswerEvents>(std::move(*answer), in.log_type == "Tail"));
  co_return std::move(out);
}

}  // namespace pileus::services::lambda
