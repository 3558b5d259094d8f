#include "gen/logs/GetLogEvents.h"
#include "services/logs/state.h"

namespace pileus::services::logs {

using namespace gen::logs;

namespace {

// A place between two events of a stream: everything smaller than (time, sequence) is before it.
struct Boundary {
  std::int64_t time_us = 0;
  std::uint64_t sequence = 0;
};
Boundary before(const store::JournalEntry& entry) {
  return {entry.time.time_since_epoch().count(), entry.sequence};
}
Boundary after(const store::JournalEntry& entry) {
  return {entry.time.time_since_epoch().count(), entry.sequence + 1};
}

// "f/" or "b/", 56 digits, as AWS's look.
std::string token_of(char direction, Boundary at) {
  return str(direction, '/', padded(static_cast<std::uint64_t>(at.time_us), 26),
             padded(at.sequence, 30), "/s");
}

struct Token {
  bool forward = true;
  Boundary at;
};
Result<Token> parse_token(std::string_view text) {
  if (text.size() != 60 || !(text.starts_with("f/") || text.starts_with("b/")) ||
      !text.ends_with("/s"))
    return fail(invalid_token());
  const auto time = parse_int(text.substr(2, 26)), sequence = parse_int(text.substr(28, 30));
  if (!time || !sequence || *time < 0 || *sequence < 0) return fail(invalid_token());
  return Token{text[0] == 'f', {*time, static_cast<std::uint64_t>(*sequence)}};
}

// Where reading begins, as the journal wants it. Ranges are half open.
store::JournalRead query_from(const std::optional<Token>& token, bool forward, Time from,
                              Time until) {
  store::JournalRead query;
  query.reverse = !forward;
  query.from = from;
  query.until = until;
  if (!token) return query;
  const Time time{std::chrono::microseconds(token->at.time_us)};
  if (forward && token->at.sequence == 0)
    query.from = std::max(from, time);
  else
    query.cursor = store::journal_cursor({time, "", token->at.sequence - (forward ? 1 : 0)});
  return query;
}

// At most `limit` events and kMaxAnswerBytes, always in order of time.
Task<Result<std::vector<store::JournalEntry>>> read_events(LogsState* state, std::string journal,
                                                           store::JournalRead query,
                                                           std::size_t limit) {
  std::vector<store::JournalEntry> events;
  std::size_t bytes = 0;
  while (events.size() < limit) {
    query.limit = limit - events.size();
    CO_TRY_ASSIGN(auto page, co_await state->journals.read(journal, query));
    bool full = false;
    for (auto& entry : page.entries) {
      bytes += message_of(entry).size() + kEventOverheadBytes;
      full = bytes > kMaxAnswerBytes && !events.empty();
      if (full) break;
      events.push_back(std::move(entry));
    }
    if (full || page.next.empty()) break;
    query.cursor = std::move(page.next);
  }
  if (query.reverse) std::reverse(events.begin(), events.end());
  co_return events;
}

}  // namespace

Task<Result<GetLogEventsOutput>> LogsService::get_log_events(aws::Context& context,
                                                             GetLogEventsInput in) {
  const auto named = group_of(context, in.log_group_name, in.log_group_identifier);
  const std::string group = named.value_or("");
  auto found = co_await state_->find_stream(context.partition_key(), group, in.log_stream_name);
  CO_TRY(co_await authorize(context, "logs:GetLogEvents",
                            access_arn(context, group, in.log_stream_name),
                            found ? &(*found)->group : nullptr));
  if (in.unmask.value_or(false))
    CO_TRY(co_await authorize(context, "logs:Unmask",
                              access_arn(context, group, in.log_stream_name),
                              found ? &(*found)->group : nullptr));
  CO_TRY(named);
  CO_TRY_ASSIGN(const StreamPointer stream, std::move(found));
  std::optional<Token> token;
  if (in.next_token) {
    CO_TRY_ASSIGN(token, parse_token(*in.next_token));
  }
  const bool forward = token ? token->forward : in.start_from_head.value_or(false);
  const Time from =
      std::max(from_millis(in.start_time.value_or(0)), stream->group.expired_before(context.now()));
  const Time until = in.end_time ? from_millis(*in.end_time) : Time::max();
  std::vector<store::JournalEntry> events;
  if (from < until) {
    CO_TRY_ASSIGN(
        events,
        co_await read_events(state_.get(), stream->journal, query_from(token, forward, from, until),
                             static_cast<std::size_t>(in.limit.value_or(10'000))));
  }
  // At an end nothing is found, and the tokens stay where they are.
  const Boundary here = token ? token->at : Boundary{from.time_since_epoch().count(), 0};
  GetLogEventsOutput output;
  output.next_forward_token = token_of('f', events.empty() ? here : after(events.back()));
  output.next_backward_token = token_of('b', events.empty() ? here : before(events.front()));
  output.events.emplace();
  for (const auto& entry : events)
    output.events->push_back(
        {to_millis(entry.time), std::string(message_of(entry)), ingested_ms(entry)});
  co_return output;
}

}  // namespace pileus::services::logs
