#include <queue>

#include "gen/logs/FilterLogEvents.h"
#include "services/logs/filter_pattern.h"
#include "services/logs/state.h"

namespace pileus::services::logs {

using namespace gen::logs;

namespace {

constexpr std::size_t kMaxStreams = 10'000;         // of one search
constexpr std::size_t kMaxScannedEvents = 100'000;  // of one call; the token goes on from there
constexpr std::size_t kMaxScannedBytes = 64 << 20;
constexpr std::size_t kBufferedEvents = 10'000,
                      kBufferedBytes = 8 << 20;                  // of all streams together
constexpr std::int64_t kLatestFirstSinceMs = 1'704'067'200'000;  // 2024-01-01

// The place of an event among those of all streams: by time, then stream, then sequence.
struct Position {
  std::int64_t time_us = 0;
  std::string stream_id;
  std::uint64_t sequence = 0;
};

struct Search {
  Time from, until;  // half open
  bool forward = true;
  std::optional<Position> after;  // the last event already looked at
};

std::string token_of(const Search& search, const Position& at) {
  return to_token(
      str(search.forward ? 'f' : 'b', ':', at.time_us, ':', at.sequence, ':', at.stream_id));
}

Result<Unit> apply_token(Search& search, const std::string& position) {
  if (position.empty()) return Unit{};
  const auto parts = split(position, ':');
  if (parts.size() != 4 || (parts[0] != "f" && parts[0] != "b")) return fail(invalid_token());
  const auto time = parse_int(parts[1]), sequence = parse_int(parts[2]);
  if (!time || !sequence) return fail(invalid_token());
  search.forward = parts[0] == "f";
  search.after = Position{*time, std::string(parts[3]), static_cast<std::uint64_t>(*sequence)};
  return Unit{};
}

// One stream's events, a page at a time.
struct Source {
  StreamRecord stream;
  std::string journal;
  store::JournalRead query;
  std::vector<store::JournalEntry> page;
  std::size_t at = 0;
  bool more = true;

  const store::JournalEntry& head() const { return page[at]; }
};

// Begins after the search's position: streams that come earlier have shown their events of that
// moment already, later ones have not.
void begin(Source& source, const Search& search) {
  source.query.from = search.from;
  source.query.until = search.until;
  source.query.reverse = !search.forward;
  if (!search.after) return;
  const Time time{std::chrono::microseconds(search.after->time_us)};
  const Time next = time + std::chrono::microseconds(1);
  const int order = source.stream.id.compare(search.after->stream_id);
  if (order == 0)
    source.query.cursor = store::journal_cursor({time, "", search.after->sequence});
  else if (search.forward)
    source.query.from = std::max(search.from, order < 0 ? next : time);
  else
    source.query.until = std::min(search.until, order < 0 ? next : time);
}

Task<Result<Unit>> refill(LogsState* state, Source* source) {
  while (source->at == source->page.size() && source->more) {
    if (*source->query.from >= *source->query.until) {
      source->more = false;
      break;
    }
    CO_TRY_ASSIGN(auto page, co_await state->journals.read(source->journal, source->query));
    source->page = std::move(page.entries);
    source->at = 0;
    source->query.cursor = std::move(page.next);
    source->more = !source->query.cursor.empty();
  }
  co_return Unit{};
}

Task<Result<std::vector<StreamRecord>>> select_streams(
    LogsState* state, std::string partition, GroupRecord group,
    std::optional<std::vector<std::string>> names, std::string prefix) {
  std::vector<StreamRecord> streams;
  if (names) {
    for (const auto& name : std::set<std::string>(names->begin(), names->end())) {
      CO_TRY_ASSIGN(auto stream, co_await store::load<StreamRecord>(state->records, partition,
                                                                    stream_key(group, name)));
      if (!stream) co_return fail(no_such_stream());
      streams.push_back(std::move(stream->value));
    }
    co_return streams;
  }
  for (std::string after;;) {
    CO_TRY_ASSIGN(auto page, co_await store::load_page<StreamRecord>(
                                 state->records, partition, stream_key(group, prefix),
                                 {.limit = 1000, .after = after}));
    for (auto& stream : page) streams.push_back(std::move(stream.value));
    if (streams.size() > kMaxStreams)
      co_return fail(invalid(str("More than ", kMaxStreams,
                                 " log streams would be searched; choose fewer with "
                                 "logStreamNamePrefix or logStreamNames.")));
    if (page.size() < 1000) co_return streams;
    after = std::move(page.back().key);
  }
}

FilteredLogEvent shape_of(const Source& source) {
  const auto& entry = source.head();
  FilteredLogEvent event;
  event.log_stream_name = source.stream.name;
  event.timestamp = to_millis(entry.time);
  event.message = std::string(message_of(entry));
  event.ingestion_time = ingested_ms(entry);
  // 56 digits, as AWS's: time, stream, sequence.
  const auto stream = std::stoull(source.stream.id.substr(0, 15), nullptr, 16);
  event.event_id = padded(static_cast<std::uint64_t>(to_millis(entry.time)), 16) +
                   padded(stream, 20) + padded(entry.sequence, 20);
  return event;
}

// Merges the streams and gives what matches, until the page is full or enough was looked at.
class Merge {
 public:
  Merge(LogsState* state, const Search& search, const FilterPattern& pattern, std::size_t limit)
      : state_(state),
        search_(search),
        pattern_(pattern),
        limit_(limit),
        heap_(Later{search.forward}) {}

  Task<Result<Unit>> open(std::string partition, GroupRecord group,
                          std::vector<StreamRecord> streams) {
    const std::size_t count = std::max<std::size_t>(streams.size(), 1);
    sources_.reserve(streams.size());
    for (auto& stream : streams) {
      Source source;
      source.journal = journal_of(partition, group, stream);
      source.stream = std::move(stream);
      source.query.limit = std::clamp<std::size_t>(kBufferedEvents / count, 10, 2000);
      source.query.limit_bytes = std::clamp<std::size_t>(kBufferedBytes / count, 4096, 1 << 20);
      begin(source, search_);
      sources_.push_back(std::move(source));
    }
    for (auto& source : sources_) {
      CO_TRY(co_await refill(state_, &source));
      if (source.at < source.page.size()) heap_.push(&source);
    }
    co_return Unit{};
  }

  Task<Result<Unit>> run(FilterLogEventsOutput* output) {
    std::size_t scanned = 0, scanned_bytes = 0, bytes = 0;
    output->events.emplace();
    while (!heap_.empty()) {
      Source* source = heap_.top();
      heap_.pop();
      const auto& entry = source->head();
      const auto message = message_of(entry);
      if (pattern_.matches(message)) {
        const std::size_t size = message.size() + kEventOverheadBytes;
        if (bytes + size > kMaxAnswerBytes && !output->events->empty())
          break;  // it is the next page's
        bytes += size;
        output->events->push_back(shape_of(*source));
      }
      last_ = Position{entry.time.time_since_epoch().count(), source->stream.id, entry.sequence};
      scanned_bytes += message.size();
      ++source->at;
      CO_TRY(co_await refill(state_, source));
      if (source->at < source->page.size()) heap_.push(source);
      finished_ = heap_.empty();
      const bool enough = output->events->size() >= limit_ || ++scanned >= kMaxScannedEvents ||
                          scanned_bytes >= kMaxScannedBytes;
      if (enough) break;
    }
    if (!finished_ && last_) output->next_token = token_of(search_, *last_);
    co_return Unit{};
  }

 private:
  // Puts the event that comes first on top of the heap.
  struct Later {
    bool forward;
    bool operator()(const Source* a, const Source* b) const {
      const auto key = [](const Source& s) {
        return std::tie(s.head().time, s.stream.id, s.head().sequence);
      };
      return forward ? key(*b) < key(*a) : key(*a) < key(*b);
    }
  };
  LogsState* state_;
  const Search& search_;
  const FilterPattern& pattern_;
  std::size_t limit_;
  std::vector<Source> sources_;  // not resized once the heap points into it
  std::priority_queue<Source*, std::vector<Source*>, Later> heap_;
  std::optional<Position> last_;
  bool finished_ = true;
};

Result<Search> make_search(const FilterLogEventsInput& in, const GroupRecord& group, Time now) {
  Search search;
  search.forward = in.start_from_head.value_or(true);
  if (!search.forward && in.start_time && *in.start_time < kLatestFirstSinceMs)
    return fail(
        invalid("startFromHead can be false only when startTime is on or after January 1, 2024."));
  if (in.start_time && in.end_time && *in.end_time < *in.start_time)
    return fail(invalid("endTime must not be before startTime."));
  search.from = std::max(from_millis(in.start_time.value_or(0)), group.expired_before(now));
  search.until = Time::max();  // endTime itself is included
  if (in.end_time && *in.end_time < to_millis(Time::max()) - 1)
    search.until = from_millis(*in.end_time + 1);
  TRY_ASSIGN(const auto position, from_token(in.next_token));
  TRY(apply_token(search, position));
  return search;
}

Result<FilterPattern> parse_pattern(const std::optional<std::string>& text) {
  auto pattern = FilterPattern::parse(text.value_or(""));
  if (!pattern) return fail(invalid(str("Invalid filter pattern: ", pattern.error().message())));
  return pattern;
}

}  // namespace

Task<Result<FilterLogEventsOutput>> LogsService::filter_log_events(aws::Context& context,
                                                                   FilterLogEventsInput in) {
  const std::string partition = context.partition_key();
  const auto named = group_of(context, in.log_group_name, in.log_group_identifier);
  const std::string name = named.value_or("");
  auto opened = co_await open_group(*state_, context, "logs:FilterLogEvents",
                                    access_arn(context, name), name);
  CO_TRY(named);
  CO_TRY_ASSIGN(const auto group, std::move(opened));
  if (in.unmask.value_or(false))
    CO_TRY(co_await authorize(context, "logs:Unmask", access_arn(context, name), &group.value));
  if (in.log_stream_names && in.log_stream_name_prefix)
    co_return fail(invalid("Only one of logStreamNames and logStreamNamePrefix can be specified."));
  CO_TRY_ASSIGN(const auto pattern, parse_pattern(in.filter_pattern));
  CO_TRY_ASSIGN(const auto search, make_search(in, group.value, context.now()));
  CO_TRY_ASSIGN(auto streams,
                co_await select_streams(state_.get(), partition, group.value, in.log_stream_names,
                                        in.log_stream_name_prefix.value_or("")));
  FilterLogEventsOutput output;
  output.searched_log_streams.emplace();  // always empty, as AWS's since 2020
  Merge merge(state_.get(), search, pattern, static_cast<std::size_t>(in.limit.value_or(10'000)));
  CO_TRY(co_await merge.open(partition, group.value, std::move(streams)));
  CO_TRY(co_await merge.run(&output));
  co_return output;
}

}  // namespace pileus::services::logs
