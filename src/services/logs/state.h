// What the operations share: the stores, the cache of streams, who waits for events, and the steps
// most operations begin with. Internal to the room. Any loop.
#pragma once

#include <atomic>
#include <mutex>
#include <unordered_map>

#include "services/logs/errors.h"
#include "services/logs/records.h"
#include "services/logs/service.h"
#include "store/typed.h"

namespace pileus::services::logs {

inline constexpr std::size_t kCachedStreams = 20'000;
inline constexpr std::size_t kWatchedGroups = 10'000;
inline constexpr auto kCacheLifetime = std::chrono::seconds(30);
inline constexpr auto kHousekeeping = std::chrono::hours(24);
inline constexpr std::size_t kMaxStreamNameBytes = 900;  // a record's key is at most 1,024 bytes
inline constexpr std::size_t kMaxTags = 50;
inline constexpr std::size_t kEventOverheadBytes = 26;   // counted for each event
inline constexpr std::size_t kMaxAnswerBytes = 1 << 20;  // of events
inline constexpr std::size_t kDefaultPage = 50;

// A stream that exists, with its group as it was then.
struct OpenStream {
  GroupRecord group;
  StreamRecord stream;
  std::string journal;
  Time since;  // when it was loaded
};
using StreamPointer = std::shared_ptr<const OpenStream>;  // shared by the cache and calls under way
using LoadedGroup = std::optional<store::Versioned<GroupRecord>>;

struct LogsState {
  LogsState(store::Records& r, store::Journals& j, Clock& c, Random& random_source)
      : records(r), journals(j), clock(c), random(random_source) {}

  store::Records& records;
  store::Journals& journals;
  Clock& clock;
  Random& random;

  // Nothing where there is none; no authorization.
  [[clang::coro_wrapper]] Task<Result<LoadedGroup>> load_group(std::string partition,
                                                               std::string name);
  // ResourceNotFoundException names what is missing. Cached.
  Task<Result<StreamPointer>> find_stream(std::string partition, std::string group,
                                          std::string stream);
  void forget_group(std::string_view partition, std::string_view group);
  void forget();

  void events_put(const std::string& partition, const std::string& group);
  Task<Result<std::uint64_t>> wait(std::string key, std::uint64_t seen);

  // Commits a deletion's cleaning up: journals, stream records, then the GoneRecord itself.
  Task<Result<Unit>> clean_up(std::string partition, std::string gone_key, GoneRecord gone);

 private:
  struct Watched {
    std::uint64_t count = 1;
    std::vector<Completer<Unit>> waiting;
  };
  static std::string cache_key(std::string_view partition, std::string_view group,
                               std::string_view stream);
  Task<Result<StreamPointer>> load_stream(std::string partition, std::string group,
                                          std::string stream);

  std::mutex mutex_;  // guards what follows; never held across a wait
  std::unordered_map<std::string, StreamPointer> streams_;
  std::uint64_t generation_ = 0;  // of the cache: a load begun before a drop is not kept
  std::unordered_map<std::string, Watched> watched_;
};

// ARNs in the forms that AWS authorizes with: "log-group:<group>:log-stream:<stream>", both ends
// possibly empty, so that a policy's "log-group:<group>:*" covers group and streams.
std::string group_arn(const aws::Context& context, std::string_view group);  // log-group:<group>
std::string access_arn(const aws::Context& context, std::string_view group,
                       std::string_view stream = {});
// Asks with the group's tags (aws:ResourceTag) where the group is known.
[[clang::coro_wrapper]] Task<Result<Unit>> authorize(aws::Context& context, std::string action,
                                                     std::string arn, const GroupRecord* group,
                                                     aws::ConditionValues conditions = {});

// The group that an ARN, with or without ":*", or a plain name means.
Result<std::string> group_of_identifier(const aws::Context& context, std::string_view identifier);
// Exactly one of the two must be given.
Result<std::string> group_of(const aws::Context& context, const std::optional<std::string>& name,
                             const std::optional<std::string>& identifier);

// Load, authorize with its tags, and only then say that it does not exist.
[[clang::coro_wrapper]] Task<Result<store::Versioned<GroupRecord>>> open_group(
    LogsState& state, aws::Context& context, std::string action, std::string arn, std::string name);

// Changes a group's record; the cache forgets it. ResourceNotFoundException where there is none.
using GroupChange = std::function<Result<Unit>(GroupRecord&)>;
Task<Result<Unit>> change_group(LogsState* state, std::string partition, std::string name,
                                GroupChange change);

// Opaque page tokens.
std::string to_token(std::string_view position);
Result<std::string> from_token(const std::optional<std::string>& token);  // "" where none is given

// Journal entries.
std::string to_value(Time ingested, std::string_view message);
std::int64_t ingested_ms(const store::JournalEntry& entry);
std::string_view message_of(const store::JournalEntry& entry);
std::string padded(std::uint64_t number, std::size_t digits);

}  // namespace pileus::services::logs
