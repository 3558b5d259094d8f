// LogsService: CloudWatch Logs. Groups and streams are records, events are journals (records.h).
// Any loop. Putting events touches no record: streams are found in a cache that deletions of this
// process drop; another node's deletion is noticed after kCacheLifetime of cloud time.
// Made by app/, which also runs keep_house() on a group of its own.
#pragma once

#include <memory>

#include "aws/context.h"
#include "base/random.h"
#include "gen/logs/interface.h"
#include "store/journals.h"
#include "store/records.h"

namespace pileus::services::logs {

struct LogsState;  // state.h

class LogsService final : public gen::logs::Logs {
 public:
  LogsService(store::Records& records, store::Journals& journals, Clock& clock, Random& random);
  ~LogsService() override;

  // Forgets everything cached; after records and journals were emptied. Tails go on.
  void reset();
  // Drops what has expired and cleans up after deletions, now.
  Task<Result<Unit>> enforce_retention();
  // Does that now and every day of cloud time, until stopped.
  Task<void> keep_house();
  // For tails: waits until more has been put into the group than at `seen`, and gives the new
  // count, to be given to the next call. `seen` 0 answers at once. The group need not exist.
  //   seen = 0; loop: seen = wait(seen); read what is new.
  [[clang::coro_wrapper]] Task<Result<std::uint64_t>> wait_for_events(std::string account,
                                                                      std::string region,
                                                                      std::string group,
                                                                      std::uint64_t seen);

#define PILEUS_LOGS(Operation, operation)                                       \
  [[clang::coro_wrapper]] Task<Result<gen::logs::Operation##Output>> operation( \
      aws::Context& context, gen::logs::Operation##Input input) override;
  // groups.cpp
  PILEUS_LOGS(CreateLogGroup, create_log_group)
  PILEUS_LOGS(DeleteLogGroup, delete_log_group)
  PILEUS_LOGS(DescribeLogGroups, describe_log_groups)
  PILEUS_LOGS(ListLogGroups, list_log_groups)
  PILEUS_LOGS(PutRetentionPolicy, put_retention_policy)
  PILEUS_LOGS(DeleteRetentionPolicy, delete_retention_policy)
  PILEUS_LOGS(PutLogGroupDeletionProtection, put_log_group_deletion_protection)
  // streams.cpp
  PILEUS_LOGS(CreateLogStream, create_log_stream)
  PILEUS_LOGS(DeleteLogStream, delete_log_stream)
  PILEUS_LOGS(DescribeLogStreams, describe_log_streams)
  // put_events.cpp, get_events.cpp, filter_events.cpp
  PILEUS_LOGS(PutLogEvents, put_log_events)
  PILEUS_LOGS(GetLogEvents, get_log_events)
  PILEUS_LOGS(FilterLogEvents, filter_log_events)
  // tags.cpp
  PILEUS_LOGS(ListTagsForResource, list_tags_for_resource)
  PILEUS_LOGS(ListTagsLogGroup, list_tags_log_group)
  PILEUS_LOGS(TagResource, tag_resource)
  PILEUS_LOGS(TagLogGroup, tag_log_group)
  PILEUS_LOGS(UntagResource, untag_resource)
  PILEUS_LOGS(UntagLogGroup, untag_log_group)
#undef PILEUS_LOGS

 private:
  std::unique_ptr<LogsState> state_;
};

}  // namespace pileus::services::logs
