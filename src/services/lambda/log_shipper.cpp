#include "services/lambda/log_shipper.h"

#include "base/text.h"
#include "gen/logs/CreateLogGroup.h"
#include "gen/logs/CreateLogStream.h"
#include "gen/logs/PutLogEvents.h"

namespace pileus::services::lambda {

LogStream::LogStream(LogShipper& shipper, TaskGroup& group, Target target)
    : shipper_(shipper), group_(group), target_(std::move(target)) {}

void LogStream::write(Time time, std::string line) {
  if (line.empty()) return;
  while (line.size() > kMaxLine) {
    write(time, line.substr(0, kMaxLine));
    line.erase(0, kMaxLine);
  }
  if (waiting_bytes_ + line.size() > kMaxWaiting) return shipper_.count(0, 1);
  waiting_bytes_ += line.size() + kEventOverhead;
  waiting_.push_back({to_millis(time), std::move(line)});
  if (!std::exchange(flushing_, true)) group_.spawn(flush(shared_from_this()));
}

Task<void> LogStream::flush(std::shared_ptr<LogStream> self) {
  auto waited = co_await sleep_for(kFlushAfter);
  (void)waited;  // cut short: send at once
  while (!self->waiting_.empty()) {
    auto lines = self->take_batch();
    const auto count = lines.size();
    auto done = co_await self->put(std::move(lines));
    if (done)
      self->shipper_.count(count, 0);
    else
      self->shipper_.failed(self->target_, count, done.error());
  }
  self->flushing_ = false;
}

std::vector<LogStream::Line> LogStream::take_batch() {
  std::vector<Line> lines;
  std::size_t bytes = 0;
  while (!waiting_.empty() && lines.size() < kBatchEvents) {
    bytes += waiting_.front().text.size() + kEventOverhead;
    if (bytes > kBatchBytes && !lines.empty()) break;
    waiting_bytes_ -= waiting_.front().text.size() + kEventOverhead;
    lines.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return lines;
}

Task<Result<Unit>> LogStream::create() {
  auto context = shipper_.door_.internal_context(target_.identity, target_.account, target_.region);
  gen::logs::CreateLogStreamInput stream;
  stream.log_group_name = target_.group;
  stream.log_stream_name = target_.stream;
  auto made = co_await shipper_.logs_.create_log_stream(context, stream);
  if (!made && made.error().is("ResourceNotFoundException")) {
    auto group_context =
        shipper_.door_.internal_context(target_.identity, target_.account, target_.region);
    gen::logs::CreateLogGroupInput group;
    group.log_group_name = target_.group;
    auto group_made = co_await shipper_.logs_.create_log_group(group_context, std::move(group));
    if (!group_made && !group_made.error().is("ResourceAlreadyExistsException"))
      co_return fail(std::move(group_made).error());
    auto again = shipper_.door_.internal_context(target_.identity, target_.account, target_.region);
    made = co_await shipper_.logs_.create_log_stream(again, std::move(stream));
  }
  if (!made && !made.error().is("ResourceAlreadyExistsException"))
    co_return fail(std::move(made).error());
  created_ = true;
  co_return Unit{};
}

Task<Result<Unit>> LogStream::put(std::vector<Line> lines) {
  if (!created_) CO_TRY(co_await create());
  gen::logs::PutLogEventsInput input;
  input.log_group_name = target_.group;
  input.log_stream_name = target_.stream;
  for (auto& line : lines) input.log_events.push_back({line.time, std::move(line.text)});
  auto context = shipper_.door_.internal_context(target_.identity, target_.account, target_.region);
  auto done = co_await shipper_.logs_.put_log_events(context, input);
  if (!done && done.error().is("ResourceNotFoundException")) {  // the group was deleted meanwhile
    CO_TRY(co_await create());
    auto again = shipper_.door_.internal_context(target_.identity, target_.account, target_.region);
    done = co_await shipper_.logs_.put_log_events(again, std::move(input));
  }
  if (!done) co_return fail(std::move(done).error());
  co_return Unit{};
}

LogStats LogShipper::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

void LogShipper::count(std::uint64_t lines, std::uint64_t dropped) {
  std::lock_guard lock(mutex_);
  stats_.lines += lines;
  stats_.dropped += dropped;
}

void LogShipper::failed(const LogStream::Target& target, std::uint64_t lines, const Error& why) {
  std::lock_guard lock(mutex_);
  stats_.undelivered += lines;
  stats_.last_failure = str(target.group, " as ", target.identity->role_arn, ": ", why.message());
}

}  // namespace pileus::services::lambda
