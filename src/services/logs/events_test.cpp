#include "gen/logs/PutRetentionPolicy.h"
#include "services/logs/test_logs.h"

namespace pileus::services::logs {
namespace {

using namespace gen::logs;

class EventsTest : public LogsTest {
 protected:
  void SetUp() override {
    make_group("g");
    make_stream("g", "s");
  }
  Result<GetLogEventsOutput> get(GetLogEventsInput in) {
    return call(&LogsService::get_log_events, std::move(in));
  }
  Result<FilterLogEventsOutput> filter(FilterLogEventsInput in) {
    if (!in.log_group_identifier) in.log_group_name = "g";
    return call(&LogsService::filter_log_events, std::move(in));
  }
  void put_numbers(std::string stream, int from, int to) {
    std::vector<Event> events;
    for (int i = from; i < to; ++i) events.emplace_back(kStartMs + i, std::to_string(i));
    ASSERT_TRUE(put(std::move(stream), events));
  }
  static Messages numbers(int from, int to) {
    Messages out;
    for (int i = from; i < to; ++i) out.push_back(std::to_string(i));
    return out;
  }
  [[clang::coro_wrapper]] Task<Result<std::uint64_t>> wait(std::uint64_t seen) {
    return logs_.wait_for_events("000000000000", "us-east-1", "g", seen);
  }
  // All pages, following nextToken.
  Messages filter_all(FilterLogEventsInput in, int* pages = nullptr) {
    Messages all;
    do {
      const auto page = filter(in);
      if (!page) return {error_of(page)};
      for (const auto& event : *page->events) all.push_back(*event.message);
      in.next_token = page->next_token;
      if (pages) ++*pages;
    } while (in.next_token);
    return all;
  }
};

TEST_F(EventsTest, Events_come_back_with_their_times) {
  const auto output = put("s", {{kStartMs - 1000, "first"}, {kStartMs, "second ü\n"}});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->next_sequence_token->size(), 56u);
  EXPECT_FALSE(output->rejected_log_events_info);
  const auto events = get(get_input("s"));
  ASSERT_EQ(messages(events), (Messages{"first", "second ü\n"}));
  EXPECT_EQ(events->events->at(0).timestamp, kStartMs - 1000);
  EXPECT_EQ(events->events->at(0).ingestion_time, kStartMs);
}

TEST_F(EventsTest, A_batch_has_its_rules) {
  EXPECT_EQ(error_of(put("s", {{kStartMs, "a"}, {kStartMs - 1, "b"}})),
            "InvalidParameterException: Log events in a single PutLogEvents request must be in "
            "chronological order.");
  EXPECT_EQ(error_of(put("s", {{kStartMs - kDayMs - 1, "a"}, {kStartMs, "b"}})),
            "InvalidParameterException: The batch of log events in a single PutLogEvents request "
            "cannot span more than 24 hours.");
  EXPECT_TRUE(put("s", {{kStartMs - kDayMs, "a"}, {kStartMs, "b"}}));
  const std::string most(1'048'576 - 26, 'x');
  EXPECT_TRUE(put("s", {{kStartMs, most}}));
  EXPECT_EQ(error_of(put("s", {{kStartMs, most + "x"}})),
            "InvalidParameterException: Upload too large: 1048577 bytes exceeds limit of 1048576");
  EXPECT_EQ(error_of(put("none", {{kStartMs, "x"}})),
            "ResourceNotFoundException: The specified log stream does not exist.");
}

TEST_F(EventsTest, Events_out_of_their_time_are_rejected_and_told) {
  const auto output = put("s", {{kStartMs - 14 * kDayMs - 2, "too old"},
                                {kStartMs - 14 * kDayMs - 1, "too old"},
                                {kStartMs, "kept"},
                                {kStartMs + 2 * kHourMs, "kept"},
                                {kStartMs + 2 * kHourMs + 1, "too new"}});
  ASSERT_TRUE(output) << error_of(output);
  EXPECT_EQ(output->rejected_log_events_info->too_old_log_event_end_index, 2);
  EXPECT_EQ(output->rejected_log_events_info->too_new_log_event_start_index, 4);
  EXPECT_FALSE(output->rejected_log_events_info->expired_log_event_end_index);
  EXPECT_EQ(messages(get(get_input("s"))), (Messages{"kept", "kept"}));
  const auto nothing = put("s", {{kStartMs - 20 * kDayMs, "x"}});
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->rejected_log_events_info->too_old_log_event_end_index, 1);
}

TEST_F(EventsTest, Expired_events_are_rejected_hidden_and_dropped) {
  ASSERT_TRUE(put("s", {{kStartMs - kHourMs, "early"}, {kStartMs, "late"}}));
  ASSERT_TRUE(call(&LogsService::put_retention_policy, PutRetentionPolicyInput{"g", 1}));
  const auto output = put("s", {{kStartMs - kDayMs - 1, "expired"}, {kStartMs - 1, "kept"}});
  ASSERT_TRUE(output) << error_of(output);
  EXPECT_EQ(output->rejected_log_events_info->expired_log_event_end_index, 1);
  advance(kDayMs - kHourMs + 1);
  EXPECT_EQ(messages(get(get_input("s"))), (Messages{"kept", "late"}));
  EXPECT_EQ(filter_all({}), (Messages{"kept", "late"}));
  ASSERT_TRUE(loop_.run(logs_.enforce_retention()));
  const auto journal = loop_.run(journals_->list("", 1, ""))->at(0);
  EXPECT_EQ(loop_.run(journals_->read(journal, {}))->entries.size(), 2u);
}

TEST_F(EventsTest, Housekeeping_runs_every_day_of_cloud_time) {
  ASSERT_TRUE(call(&LogsService::put_retention_policy, PutRetentionPolicyInput{"g", 3}));
  ASSERT_TRUE(put("s", {{kStartMs, "x"}}));
  TaskGroup group(loop_);
  group.spawn(logs_.keep_house());
  loop_.run_ready();
  advance(3 * kDayMs - 1);
  EXPECT_EQ(loop_.run(journals_->list("", 10, ""))->size(), 1u);
  advance(kDayMs + 1);
  EXPECT_TRUE(loop_.run(journals_->list("", 10, ""))->empty());
  loop_.run(group.close());
}

TEST_F(EventsTest, The_newest_events_come_first_unless_asked_otherwise) {
  put_numbers("s", 0, 10);
  auto in = get_input("s");
  in.limit = 3;
  const auto newest = get(in);
  EXPECT_EQ(messages(newest), numbers(7, 10));
  in.next_token = newest->next_backward_token;
  const auto older = get(in);
  EXPECT_EQ(messages(older), numbers(4, 7));
  in.next_token = older->next_forward_token;
  EXPECT_EQ(messages(get(in)), numbers(7, 10));
  in.next_token.reset();
  in.start_from_head = true;
  const auto oldest = get(in);
  EXPECT_EQ(messages(oldest), numbers(0, 3));
  in.next_token = oldest->next_forward_token;
  EXPECT_EQ(messages(get(in)), numbers(3, 6));
}

TEST_F(EventsTest, Tokens_stay_the_same_at_the_ends) {
  put_numbers("s", 0, 4);
  auto in = get_input("s");
  in.start_from_head = true;
  const auto all = get(in);
  EXPECT_EQ(messages(all), numbers(0, 4));
  in.next_token = all->next_forward_token;
  const auto end = get(in);
  EXPECT_EQ(messages(end), Messages{});
  EXPECT_EQ(end->next_forward_token, all->next_forward_token);
  in.next_token = all->next_backward_token;
  const auto start = get(in);
  EXPECT_EQ(messages(start), Messages{});
  EXPECT_EQ(start->next_backward_token, all->next_backward_token);
  put_numbers("s", 4, 6);
  in.next_token = end->next_forward_token;
  EXPECT_EQ(messages(get(in)), numbers(4, 6));
  in.next_token = end->next_backward_token;  // what lies before the end
  EXPECT_EQ(messages(get(in)), numbers(0, 4));
}

TEST_F(EventsTest, An_empty_stream_has_tokens_that_find_what_comes) {
  auto in = get_input("s");
  const auto empty = get(in);
  EXPECT_EQ(messages(empty), Messages{});
  put_numbers("s", 0, 2);
  in.next_token = empty->next_forward_token;
  EXPECT_EQ(messages(get(in)), numbers(0, 2));
}

TEST_F(EventsTest, Events_of_one_moment_are_all_seen_once) {
  std::vector<Event> events;
  for (int i = 0; i < 20; ++i) events.emplace_back(kStartMs, std::to_string(i));
  ASSERT_TRUE(put("s", events));
  auto in = get_input("s");
  in.start_from_head = true;
  in.limit = 3;
  Messages all;
  for (Messages page{""}; !page.empty();) {
    const auto output = get(in);
    page = messages(output);
    all.insert(all.end(), page.begin(), page.end());
    in.next_token = output->next_forward_token;
  }
  EXPECT_EQ(all, numbers(0, 20));
}

TEST_F(EventsTest, The_end_of_a_range_is_open_in_GetLogEvents_and_closed_in_FilterLogEvents) {
  put_numbers("s", 0, 10);
  auto in = get_input("s");
  in.start_time = kStartMs + 2;
  in.end_time = kStartMs + 5;
  EXPECT_EQ(messages(get(in)), numbers(2, 5));
  FilterLogEventsInput range;
  range.start_time = kStartMs + 2;
  range.end_time = kStartMs + 5;
  EXPECT_EQ(filter_all(range), numbers(2, 6));
}

TEST_F(EventsTest, Malformed_requests_are_refused) {
  auto in = get_input("s");
  for (const auto* token :
       {"x", "f/1/s", "x/00000000000000000000000000000000000000000000000000000000/s"}) {
    in.next_token = token;
    EXPECT_EQ(error_of(get(in)), "InvalidParameterException: The specified nextToken is invalid.")
        << token;
  }
  in = get_input("s");
  in.log_group_identifier = "g";
  EXPECT_TRUE(error_of(get(in)).starts_with("InvalidParameterException"));
  in.log_group_name.reset();
  EXPECT_TRUE(get(in));
  in.log_group_identifier.reset();
  EXPECT_TRUE(error_of(get(in)).starts_with("InvalidParameterException"));
  FilterLogEventsInput pattern;
  pattern.filter_pattern = "{ $.a";
  EXPECT_TRUE(
      error_of(filter(pattern)).starts_with("InvalidParameterException: Invalid filter pattern"));
  FilterLogEventsInput both;
  both.log_stream_names = {{"s"}};
  both.log_stream_name_prefix = "s";
  EXPECT_TRUE(error_of(filter(both)).starts_with("InvalidParameterException"));
  FilterLogEventsInput missing;
  missing.log_stream_names = {{"none"}};
  EXPECT_EQ(error_of(filter(missing)),
            "ResourceNotFoundException: The specified log stream does not exist.");
  FilterLogEventsInput token;
  token.next_token = "AAAA";
  EXPECT_EQ(error_of(filter(token)),
            "InvalidParameterException: The specified nextToken is invalid.");
}

TEST_F(EventsTest, A_search_interleaves_the_streams_by_time) {
  make_stream("g", "t");
  make_stream("g", "other");
  ASSERT_TRUE(put("s", {{kStartMs, "s0"}, {kStartMs + 2, "s2"}, {kStartMs + 4, "s4"}}));
  ASSERT_TRUE(put("t", {{kStartMs + 1, "t1"}, {kStartMs + 3, "t3"}}));
  ASSERT_TRUE(put("other", {{kStartMs + 2, "o2"}}));
  FilterLogEventsInput names;
  names.log_stream_names = {{"t", "s"}};
  EXPECT_EQ(filter_all(names), (Messages{"s0", "t1", "s2", "t3", "s4"}));
  FilterLogEventsInput prefix;
  prefix.log_stream_name_prefix = "t";
  EXPECT_EQ(filter_all(prefix), (Messages{"t1", "t3"}));
  FilterLogEventsInput everything;
  EXPECT_EQ(filter_all(everything).size(), 6u);
  everything.filter_pattern = "%^[st][0-2]$%";
  const auto found = filter(everything);
  EXPECT_EQ(messages(found), (Messages{"s0", "t1", "s2"}));
  EXPECT_EQ(found->events->at(1).log_stream_name, "t");
  EXPECT_EQ(found->events->at(1).event_id->size(), 56u);
  EXPECT_TRUE(found->searched_log_streams->empty());
  everything.start_from_head = false;
  EXPECT_EQ(filter_all(everything), (Messages{"s2", "t1", "s0"}));
}

TEST_F(EventsTest, Pages_of_a_search_follow_each_other_in_either_direction) {
  // Many events of the same moments in several streams: the places between pages are the hard part.
  std::vector<std::string> names{"s"};
  for (int i = 0; i < 4; ++i) {
    names.push_back("t" + std::to_string(i));
    make_stream("g", names.back());
  }
  Messages expected;
  for (std::size_t n = 0; n < names.size(); ++n) {
    std::vector<Event> events;
    for (int i = 0; i < 12; ++i)
      events.emplace_back(kStartMs + i / 4, names[n] + "-" + std::to_string(i));
    ASSERT_TRUE(put(names[n], events));
    for (const auto& event : events) expected.push_back(event.second);
  }
  std::sort(expected.begin(), expected.end());
  for (const bool forward : {true, false}) {
    FilterLogEventsInput whole;
    whole.start_from_head = forward;
    const auto at_once = filter_all(whole);
    for (const int limit : {1, 2, 7}) {
      FilterLogEventsInput in;
      in.start_from_head = forward;
      in.limit = limit;
      int pages = 0;
      auto all = filter_all(in, &pages);
      EXPECT_EQ(all, at_once);
      EXPECT_EQ(pages, (60 + limit - 1) / limit);
      std::sort(all.begin(), all.end());
      EXPECT_EQ(all, expected);
    }
  }
}

TEST_F(EventsTest, Large_answers_are_cut_at_a_mebibyte) {
  const std::string large(400'000, 'x');
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(put("s", {{kStartMs + i, large}}));
  auto in = get_input("s");
  in.start_from_head = true;
  EXPECT_EQ(messages(get(in)).size(), 2u);
  int pages = 0;
  EXPECT_EQ(filter_all({}, &pages).size(), 5u);
  EXPECT_EQ(pages, 3);
}

TEST_F(EventsTest, A_search_that_finds_nothing_goes_on_from_where_it_was) {
  make_stream("g", "t");
  for (int batch = 0; batch < 11; ++batch) {
    std::vector<Event> events;
    for (int i = 0; i < 10'000; ++i) events.emplace_back(kStartMs + batch, "no");
    ASSERT_TRUE(put(batch % 2 ? "s" : "t", events));
  }
  ASSERT_TRUE(put("s", {{kStartMs + 100, "needle"}}));
  FilterLogEventsInput in;
  in.filter_pattern = "needle";
  int pages = 0;
  EXPECT_EQ(filter_all(in, &pages), Messages{"needle"});
  EXPECT_EQ(pages, 2);
}

TEST_F(EventsTest, A_tail_waits_for_what_is_put) {
  const auto first = loop_.run(wait(0));
  ASSERT_TRUE(first);
  std::optional<std::uint64_t> next;
  TaskGroup group(loop_);
  const auto store = [](Task<Result<std::uint64_t>> task,
                        std::optional<std::uint64_t>* out) -> Task<void> {
    const auto value = co_await std::move(task);
    if (value) *out = *value;
  };  // captures nothing
  group.spawn(store(wait(*first), &next));
  loop_.run_ready();
  EXPECT_FALSE(next);
  put_numbers("s", 0, 1);
  loop_.run_until([&] { return next.has_value(); });
  EXPECT_GT(*next, *first);
  group.spawn(store(wait(*next), &next));
  loop_.run(group.close());  // cancelled
}

TEST_F(EventsTest, Entities_are_told_to_be_rejected) {
  auto in = events_for("g", "s", {{kStartMs, "x"}});
  in.entity = Entity{};
  const auto output = call(&LogsService::put_log_events, in);
  ASSERT_TRUE(output);
  EXPECT_TRUE(output->rejected_entity_info);
  EXPECT_EQ(messages(get(get_input("s"))), Messages{"x"});
}

TEST_F(EventsTest, A_reset_forgets_what_was_cached) {
  put_numbers("s", 0, 1);
  ASSERT_TRUE(loop_.run(records_->reset()));
  ASSERT_TRUE(loop_.run(journals_->reset()));
  logs_.reset();
  EXPECT_EQ(error_of(put("s", {{kStartMs, "x"}})),
            "ResourceNotFoundException: The specified log group does not exist.");
}

}  // namespace
}  // namespace pileus::services::logs
