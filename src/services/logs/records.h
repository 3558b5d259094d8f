// What the room keeps. Records in the partition "<account>/<region>":
//   logs/group/<name>               GroupRecord
//   logs/stream/<group id>/<name>   StreamRecord
//   logs/gone/<id>                  GoneRecord: what a deletion still has to clean up
// Journals, one a stream: "<account>/<region>/logs/<group id>/<stream id>"; an entry is the time of
// ingestion (8 bytes, milliseconds, big-endian) and the message; its index is the event's time.
// Invariants: ids are never used twice, so what is left of a deleted group is never seen in a new
// one of its name; a deletion and its GoneRecord are one transaction.
#pragma once

#include "store/fields.h"

namespace pileus::services::logs {

struct GroupRecord {
  std::string name;
  std::string id;
  std::int64_t created_ms = 0;
  std::optional<std::int32_t> retention_days;
  bool deletion_protection = false;
  std::map<std::string, std::string> tags;
  PILEUS_FIELDS(GroupRecord, name, id, created_ms, retention_days, deletion_protection, tags)

  // Events before this moment have expired; the beginning of time where none do.
  Time expired_before(Time now) const {
    return retention_days ? now - std::chrono::hours(24) * *retention_days : Time{};
  }
};

struct StreamRecord {
  std::string name;
  std::string id;
  std::int64_t created_ms = 0;
  PILEUS_FIELDS(StreamRecord, name, id, created_ms)
};

struct GoneRecord {
  std::string journal;  // ends with '/' for a whole group
  std::string streams;  // prefix of the stream records that go with it, or ""
  PILEUS_FIELDS(GoneRecord, journal, streams)
};

inline constexpr std::string_view kGroups = "logs/group/";
inline constexpr std::string_view kGone = "logs/gone/";
inline std::string group_key(std::string_view name) { return str(kGroups, name); }
inline std::string streams_of(const GroupRecord& group) {
  return str("logs/stream/", group.id, "/");
}
inline std::string stream_key(const GroupRecord& group, std::string_view name) {
  return streams_of(group) + std::string(name);
}
inline std::string journals_of(std::string_view partition, const GroupRecord& group) {
  return str(partition, "/logs/", group.id, "/");
}
inline std::string journal_of(std::string_view partition, const GroupRecord& group,
                              const StreamRecord& stream) {
  return journals_of(partition, group) + stream.id;
}

}  // namespace pileus::services::logs
