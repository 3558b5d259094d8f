#include "gen/logs/CreateLogStream.h"
#include "gen/logs/DeleteLogStream.h"
#include "gen/logs/DescribeLogStreams.h"
#include "services/logs/state.h"

namespace pileus::services::logs {

using namespace gen::logs;

namespace {

constexpr int kAttempts = 16;

Result<Unit> check_stream_name(std::string_view name) {
  if (name.size() > kMaxStreamNameBytes)
    return fail(
        invalid(str("Pileus keeps log stream names of at most ", kMaxStreamNameBytes, " bytes.")));
  return Unit{};
}

// The group's revision is expected, so that no stream is made in a group that goes away.
Task<Result<store::Revision>> save_stream(LogsState* state, std::string partition,
                                          store::Versioned<GroupRecord> group,
                                          StreamRecord stream) {
  const std::string key = stream_key(group.value, stream.name);
  store::Transaction transaction;
  transaction.expect(group_key(group.value.name), group.revision).expect(key, 0);
  transaction.put(key, store::encode(stream));
  co_return co_await state->records.commit(std::move(partition), std::move(transaction));
}

}  // namespace

Task<Result<CreateLogStreamOutput>> LogsService::create_log_stream(aws::Context& context,
                                                                   CreateLogStreamInput in) {
  const std::string partition = context.partition_key();
  CO_TRY_ASSIGN(auto group,
                co_await open_group(*state_, context, "logs:CreateLogStream",
                                    access_arn(context, in.log_group_name, in.log_stream_name),
                                    in.log_group_name));
  CO_TRY(check_stream_name(in.log_stream_name));
  const StreamRecord stream{in.log_stream_name, hex_id(state_->random, 16),
                            to_millis(context.now())};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto saved = co_await save_stream(state_.get(), partition, group, stream);
    if (saved) co_return CreateLogStreamOutput{};
    if (!saved.error().is(errc::kConflict)) co_return fail(saved.error());
    CO_TRY_ASSIGN(auto again, co_await state_->load_group(partition, in.log_group_name));
    if (!again) co_return fail(no_such_group());
    group = std::move(*again);
    CO_TRY_ASSIGN(const auto there,
                  co_await state_->records.get(partition, stream_key(group.value, stream.name)));
    if (there) co_return fail(already_exists("log stream"));
  }
  co_return fail(aborted());
}

Task<Result<DeleteLogStreamOutput>> LogsService::delete_log_stream(aws::Context& context,
                                                                   DeleteLogStreamInput in) {
  const std::string partition = context.partition_key();
  CO_TRY_ASSIGN(const auto group,
                co_await open_group(*state_, context, "logs:DeleteLogStream",
                                    access_arn(context, in.log_group_name, in.log_stream_name),
                                    in.log_group_name));
  if (group.value.deletion_protection)
    co_return fail("ValidationException",
                   str("The log group ", in.log_group_name, " has deletion protection enabled."));
  const std::string key = stream_key(group.value, in.log_stream_name);
  CO_TRY_ASSIGN(const auto stream,
                co_await store::load<StreamRecord>(state_->records, partition, key));
  if (!stream) co_return fail(no_such_stream());
  const std::string gone_key = str(kGone, stream->value.id);
  const GoneRecord gone{journal_of(partition, group.value, stream->value), ""};
  store::Transaction transaction;
  transaction.expect(key, stream->revision).remove(key).put(gone_key, store::encode(gone));
  CO_TRY(told(co_await state_->records.commit(partition, std::move(transaction))));
  state_->forget_group(partition, group.value.name);
  CO_TRY(co_await state_->clean_up(partition, gone_key, gone));
  co_return DeleteLogStreamOutput{};
}

namespace {

// A stream and the ends of its journal, as far as retention shows it.
struct Described {
  StreamRecord stream;
  std::optional<std::int64_t> first_ms, last_ms, ingested;
};

Task<Result<Unit>> read_end(LogsState* state, std::string journal, Time from, bool newest,
                            Described* out) {
  store::JournalRead query;
  query.from = from;
  query.limit = 1;
  query.reverse = newest;
  CO_TRY_ASSIGN(const auto page,
                co_await state->journals.read(std::move(journal), std::move(query)));
  if (page.entries.empty()) co_return Unit{};
  (newest ? out->last_ms : out->first_ms) = to_millis(page.entries[0].time);
  if (newest) out->ingested = ingested_ms(page.entries[0]);
  co_return Unit{};
}

LogStream shape_of(const aws::Context& context, const GroupRecord& group,
                   const Described& described) {
  LogStream shape;
  shape.log_stream_name = described.stream.name;
  shape.creation_time = described.stream.created_ms;
  shape.first_event_timestamp = described.first_ms;
  shape.last_event_timestamp = described.last_ms;
  shape.last_ingestion_time = described.ingested;
  shape.upload_sequence_token =
      padded(static_cast<std::uint64_t>(described.ingested.value_or(0)), 56);
  shape.arn = access_arn(context, group.name, described.stream.name);
  shape.stored_bytes = 0;  // AWS reports no sizes of streams any more
  return shape;
}

struct StreamPage {
  std::vector<Described> streams;
  std::optional<std::string> next;  // position
};

// By name: the order of the keys.
Task<Result<StreamPage>> page_by_name(LogsState* state, std::string partition, GroupRecord group,
                                      std::string prefix, std::string after, bool descending,
                                      std::size_t limit) {
  store::ScanOptions options;
  options.limit = limit + 1;
  options.reverse = descending;
  if (!after.empty()) options.after = stream_key(group, after);
  CO_TRY_ASSIGN(auto found, co_await store::load_page<StreamRecord>(
                                state->records, std::move(partition), stream_key(group, prefix),
                                std::move(options)));
  StreamPage page;
  for (auto& stream : found) page.streams.push_back({std::move(stream.value), {}, {}, {}});
  if (page.streams.size() > limit) {
    page.streams.resize(limit);
    page.next = page.streams.back().stream.name;
  }
  co_return page;
}

// By the time of the last event, streams without events as the oldest: all are looked at.
Task<Result<StreamPage>> page_by_time(LogsState* state, std::string partition, GroupRecord group,
                                      Time from, std::string after, bool descending,
                                      std::size_t limit) {
  using Position = std::pair<std::int64_t, std::string>;
  const auto position_of = [](const Described& d) {
    return Position(d.last_ms.value_or(-1), d.stream.name);
  };
  std::optional<Position> bound;
  if (!after.empty()) {
    const auto separator = after.find(':');
    const auto time = parse_int(after.substr(0, separator));
    if (separator == std::string::npos || !time) co_return fail(invalid_token());
    bound = Position(*time, after.substr(separator + 1));
  }
  std::vector<Described> all;
  for (std::string key;;) {
    CO_TRY_ASSIGN(auto found,
                  co_await store::load_page<StreamRecord>(
                      state->records, partition, streams_of(group), {.limit = 1000, .after = key}));
    for (auto& stream : found) {
      Described described{std::move(stream.value), {}, {}, {}};
      CO_TRY(co_await read_end(state, journal_of(partition, group, described.stream), from, true,
                               &described));
      const auto position = position_of(described);
      if (!bound || (descending ? position < *bound : position > *bound))
        all.push_back(std::move(described));
    }
    if (found.size() < 1000) break;
    key = std::move(found.back().key);
  }
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
    return descending ? position_of(b) < position_of(a) : position_of(a) < position_of(b);
  });
  StreamPage page;
  page.streams = std::move(all);
  if (page.streams.size() > limit) {
    page.streams.resize(limit);
    const auto last = position_of(page.streams.back());
    page.next = str(last.first, ':', last.second);
  }
  co_return page;
}

}  // namespace

Task<Result<DescribeLogStreamsOutput>> LogsService::describe_log_streams(
    aws::Context& context, DescribeLogStreamsInput in) {
  const std::string partition = context.partition_key();
  const auto named = group_of(context, in.log_group_name, in.log_group_identifier);
  const std::string name = named.value_or("");
  auto opened = co_await open_group(*state_, context, "logs:DescribeLogStreams",
                                    access_arn(context, name), name);
  CO_TRY(named);
  CO_TRY_ASSIGN(const auto group, std::move(opened));
  const bool by_time = in.order_by.value_or("LogStreamName") == "LastEventTime";
  if (by_time && in.log_stream_name_prefix)
    co_return fail(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
  CO_TRY_ASSIGN(const auto after, from_token(in.next_token));
  const bool descending = in.descending.value_or(false);
  const auto limit = static_cast<std::size_t>(in.limit.value_or(kDefaultPage));
  const Time from = group.value.expired_before(context.now());
  StreamPage page;
  if (by_time) {
    CO_TRY_ASSIGN(page, co_await page_by_time(state_.get(), partition, group.value, from, after,
                                              descending, limit));
  } else {
    CO_TRY_ASSIGN(page, co_await page_by_name(state_.get(), partition, group.value,
                                              in.log_stream_name_prefix.value_or(""), after,
                                              descending, limit));
  }
  DescribeLogStreamsOutput output;
  output.log_streams.emplace();
  for (auto& described : page.streams) {
    const std::string journal = journal_of(partition, group.value, described.stream);
    CO_TRY(co_await read_end(state_.get(), journal, from, false, &described));
    if (!by_time) CO_TRY(co_await read_end(state_.get(), journal, from, true, &described));
    output.log_streams->push_back(shape_of(context, group.value, described));
  }
  if (page.next) output.next_token = to_token(*page.next);
  co_return output;
}

}  // namespace pileus::services::logs
