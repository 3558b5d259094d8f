#include "services/logs/state.h"

#include "aws/arn.h"

namespace pileus::services::logs {

Task<Result<LoadedGroup>> LogsState::load_group(std::string partition, std::string name) {
  return store::load<GroupRecord>(records, std::move(partition), group_key(name));
}

std::string LogsState::cache_key(std::string_view partition, std::string_view group,
                                 std::string_view stream) {
  return str(partition, '\0', group, '\0', stream);
}

Task<Result<StreamPointer>> LogsState::find_stream(std::string partition, std::string group,
                                                   std::string stream) {
  const std::string key = cache_key(partition, group, stream);
  const Time now = clock.now();
  std::uint64_t generation;
  {
    std::lock_guard lock(mutex_);
    const auto found = streams_.find(key);
    if (found != streams_.end() && now - found->second->since < kCacheLifetime)
      co_return found->second;
    generation = generation_;
  }
  CO_TRY_ASSIGN(auto loaded,
                co_await load_stream(std::move(partition), std::move(group), std::move(stream)));
  std::lock_guard lock(mutex_);
  if (generation == generation_) {
    if (streams_.size() >= kCachedStreams) streams_.clear();
    streams_[key] = loaded;
  }
  co_return loaded;
}

Task<Result<StreamPointer>> LogsState::load_stream(std::string partition, std::string group,
                                                   std::string stream) {
  auto open = std::make_shared<OpenStream>();
  open->since = clock.now();
  CO_TRY_ASSIGN(auto loaded, co_await load_group(partition, group));
  if (!loaded) co_return fail(no_such_group());
  open->group = std::move(loaded->value);
  CO_TRY_ASSIGN(auto found, co_await store::load<StreamRecord>(records, partition,
                                                               stream_key(open->group, stream)));
  if (!found) co_return fail(no_such_stream());
  open->stream = std::move(found->value);
  open->journal = journal_of(partition, open->group, open->stream);
  co_return StreamPointer(std::move(open));
}

void LogsState::forget_group(std::string_view partition, std::string_view group) {
  const std::string prefix = cache_key(partition, group, "");
  std::lock_guard lock(mutex_);
  ++generation_;
  std::erase_if(streams_, [&](const auto& entry) { return entry.first.starts_with(prefix); });
}

void LogsState::forget() {
  std::lock_guard lock(mutex_);
  ++generation_;
  streams_.clear();
}

void LogsState::events_put(const std::string& partition, const std::string& group) {
  std::vector<Completer<Unit>> waiting;
  {
    std::lock_guard lock(mutex_);
    if (watched_.empty()) return;
    const auto found = watched_.find(str(partition, '\0', group));
    if (found == watched_.end()) return;
    ++found->second.count;
    waiting.swap(found->second.waiting);
  }
  for (auto& waiter : waiting) waiter.complete(Unit{});
}

Task<Result<std::uint64_t>> LogsState::wait(std::string key, std::uint64_t seen) {
  for (;;) {
    Completion<Unit> more;
    {
      std::lock_guard lock(mutex_);
      if (watched_.size() >= kWatchedGroups && !watched_.contains(key)) watched_.clear();
      auto& watched = watched_[key];
      if (watched.count != seen) co_return watched.count;
      watched.waiting.push_back(more.completer());
    }
    // Cancelled by its owner, or because the group is watched no more: then look again.
    const auto waited = co_await more;
    StopSource* stop = co_await current_stop();
    if (!waited && stop && stop->stopped()) co_return fail(waited.error());
  }
}

Task<Result<Unit>> LogsState::clean_up(std::string partition, std::string gone_key,
                                       GoneRecord gone) {
  CO_TRY(co_await journals.remove(gone.journal));
  while (!gone.streams.empty()) {
    CO_TRY_ASSIGN(auto streams, co_await records.scan(partition, gone.streams, {.limit = 400}));
    if (streams.empty()) break;
    store::Transaction transaction;
    for (auto& stream : streams) transaction.remove(std::move(stream.key));
    CO_TRY(co_await records.commit(partition, std::move(transaction)));
  }
  store::Transaction transaction;
  transaction.remove(std::move(gone_key));
  CO_TRY(co_await records.commit(std::move(partition), std::move(transaction)));
  co_return Unit{};
}

std::string group_arn(const aws::Context& context, std::string_view group) {
  return context.arn("logs", str("log-group:", group));
}
std::string access_arn(const aws::Context& context, std::string_view group,
                       std::string_view stream) {
  return context.arn("logs", str("log-group:", group, ":log-stream:", stream));
}

Task<Result<Unit>> authorize(aws::Context& context, std::string action, std::string arn,
                             const GroupRecord* group, aws::ConditionValues conditions) {
  if (group)
    for (const auto& [key, value] : group->tags) conditions["aws:ResourceTag/" + key] = {value};
  return context.authorize(std::move(action), std::move(arn), std::move(conditions));
}

Result<std::string> group_of_identifier(const aws::Context& context, std::string_view identifier) {
  if (!aws::is_arn(identifier)) return std::string(identifier);
  const auto arn = aws::parse_arn(identifier);
  if (!arn || arn->service != "logs" || !arn->resource.starts_with("log-group:"))
    return fail(invalid(str("'", identifier, "' is not the ARN of a log group.")));
  if (arn->account != context.account() || arn->region != context.region())
    return fail(no_such_group());
  std::string_view name = std::string_view(arn->resource).substr(10);
  if (name.ends_with(":*")) name.remove_suffix(2);
  return std::string(name);
}

Result<std::string> group_of(const aws::Context& context, const std::optional<std::string>& name,
                             const std::optional<std::string>& identifier) {
  if (name.has_value() == identifier.has_value())
    return fail(invalid("Exactly one of logGroupName and logGroupIdentifier must be specified."));
  if (name) return *name;
  return group_of_identifier(context, *identifier);
}

Task<Result<store::Versioned<GroupRecord>>> open_group(LogsState& state, aws::Context& context,
                                                       std::string action, std::string arn,
                                                       std::string name) {
  CO_TRY_ASSIGN(auto group, co_await state.load_group(context.partition_key(), std::move(name)));
  CO_TRY(co_await authorize(context, std::move(action), std::move(arn),
                            group ? &group->value : nullptr));
  if (!group) co_return fail(no_such_group());
  co_return std::move(*group);
}

Task<Result<Unit>> change_group(LogsState* state, std::string partition, std::string name,
                                GroupChange change) {
  auto updated = told(co_await store::update<GroupRecord>(
      state->records, partition, group_key(name),
      [&change](std::optional<GroupRecord>& group) -> Result<Unit> {
        if (!group) return fail(no_such_group());
        return change(*group);
      }));
  state->forget_group(partition, name);
  if (!updated) co_return fail(std::move(updated).error());
  co_return Unit{};
}

std::string to_token(std::string_view position) { return to_base64(position); }

Result<std::string> from_token(const std::optional<std::string>& token) {
  if (!token) return std::string();
  auto position = from_base64(*token);
  if (!position || position->empty()) return fail(invalid_token());
  return std::move(*position);
}

std::string to_value(Time ingested, std::string_view message) {
  std::string value(8 + message.size(), '\0');
  const auto millis = static_cast<std::uint64_t>(to_millis(ingested));
  for (int i = 0; i < 8; ++i)
    value[static_cast<std::size_t>(i)] = static_cast<char>(millis >> (56 - 8 * i));
  message.copy(value.data() + 8, message.size());
  return value;
}

std::int64_t ingested_ms(const store::JournalEntry& entry) {
  std::uint64_t millis = 0;
  for (std::size_t i = 0; i < 8 && i < entry.value.size(); ++i)
    millis = millis << 8 | static_cast<unsigned char>(entry.value[i]);
  return static_cast<std::int64_t>(millis);
}

std::string_view message_of(const store::JournalEntry& entry) {
  return std::string_view(entry.value).substr(std::min<std::size_t>(8, entry.value.size()));
}

std::string padded(std::uint64_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return text;
}

}  // namespace pileus::services::logs
