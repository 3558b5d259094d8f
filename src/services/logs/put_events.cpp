#include "gen/logs/PutLogEvents.h"
#include "services/logs/state.h"

namespace pileus::services::logs {

using namespace gen::logs;

namespace {

constexpr std::size_t kMaxBatchBytes = 1'048'576;
constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
constexpr std::int64_t kTooOldMs = 14 * kDayMs;
constexpr std::int64_t kTooNewMs = 2LL * 3600 * 1000;

// Which events of a batch are kept: [first, last).
struct Accepted {
  std::size_t first = 0, last = 0;
  std::optional<RejectedLogEventsInfo> rejected;
};

Result<Unit> check_size_and_order(const std::vector<InputLogEvent>& events) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    bytes += events[i].message.size() + kEventOverheadBytes;
    if (i > 0 && events[i].timestamp < events[i - 1].timestamp)
      return fail(
          invalid("Log events in a single PutLogEvents request must be in chronological order."));
  }
  if (bytes > kMaxBatchBytes)
    return fail(
        invalid(str("Upload too large: ", bytes, " bytes exceeds limit of ", kMaxBatchBytes)));
  return Unit{};
}

// Too old, expired and too new events are left out and told; the rest must lie within a day.
Result<Accepted> accept_events(const std::vector<InputLogEvent>& events, const GroupRecord& group,
                               Time now) {
  const auto before = [&events](std::int64_t time) {
    return static_cast<std::size_t>(
        std::lower_bound(
            events.begin(), events.end(), time,
            [](const InputLogEvent& event, std::int64_t t) { return event.timestamp < t; }) -
        events.begin());
  };
  const std::int64_t now_ms = to_millis(now);
  const std::size_t too_old = before(now_ms - kTooOldMs);
  const std::size_t expired =
      group.retention_days ? before(to_millis(group.expired_before(now))) : 0;
  const std::size_t too_new = before(now_ms + kTooNewMs + 1);
  Accepted accepted{std::max(too_old, expired), too_new, std::nullopt};
  RejectedLogEventsInfo info;
  if (too_old > 0) info.too_old_log_event_end_index = static_cast<std::int32_t>(too_old);
  if (expired > 0) info.expired_log_event_end_index = static_cast<std::int32_t>(expired);
  if (too_new < events.size())
    info.too_new_log_event_start_index = static_cast<std::int32_t>(too_new);
  if (too_old > 0 || expired > 0 || too_new < events.size()) accepted.rejected = info;
  if (accepted.first >= accepted.last)
    accepted.last = accepted.first;
  else if (events[accepted.last - 1].timestamp - events[accepted.first].timestamp > kDayMs)
    return fail(
        invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 "
                "hours."));
  return accepted;
}

}  // namespace

Task<Result<PutLogEventsOutput>> LogsService::put_log_events(aws::Context& context,
                                                             PutLogEventsInput in) {
  std::string partition = context.partition_key();
  auto found = co_await state_->find_stream(partition, in.log_group_name, in.log_stream_name);
  CO_TRY(co_await authorize(context, "logs:PutLogEvents",
                            access_arn(context, in.log_group_name, in.log_stream_name),
                            found ? &(*found)->group : nullptr));
  CO_TRY_ASSIGN(const StreamPointer stream, std::move(found));
  CO_TRY(check_size_and_order(in.log_events));
  const Time now = context.now();
  CO_TRY_ASSIGN(auto accepted, accept_events(in.log_events, stream->group, now));
  PutLogEventsOutput output;
  std::uint64_t sequence = static_cast<std::uint64_t>(to_millis(now));
  if (accepted.first < accepted.last) {
    std::vector<store::JournalEntry> entries;
    entries.reserve(accepted.last - accepted.first);
    for (std::size_t i = accepted.first; i < accepted.last; ++i)
      entries.push_back(
          {from_millis(in.log_events[i].timestamp), to_value(now, in.log_events[i].message), 0});
    CO_TRY_ASSIGN(sequence, co_await state_->journals.append(stream->journal, std::move(entries)));
    state_->events_put(partition, in.log_group_name);
  }
  output.next_sequence_token = padded(sequence, 56);
  output.rejected_log_events_info = std::move(accepted.rejected);
  // Entities are not kept; the events are. The answer says so in AWS's own way.
  if (in.entity) output.rejected_entity_info = RejectedEntityInfo{"UnsupportedLogGroupType"};
  co_return output;
}

}  // namespace pileus::services::logs
