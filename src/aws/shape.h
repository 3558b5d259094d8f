// The contract as data: shapes, members and operations of a service, generated from AWS's models
// into constant tables. Codecs, validation and the Door walk these tables; the structs that rooms
// use are plain (see <build>/generated/gen/<service>/). Immutable; any thread.
//
// How a member is held in its struct: a required one as T, any other as std::optional<T>; one that
// closes a cycle as Box<T>. T is bool, int32_t, int64_t, float, double, std::string (strings,
// enums and blobs), Time, Json (documents), a struct, std::vector<T> or std::map<std::string, T>.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace pileus::aws {

enum class Kind : std::uint8_t {
  kBoolean,
  kInteger,
  kLong,
  kFloat,
  kDouble,
  kString,
  kTimestamp,
  kBlob,
  kDocument,
  kStructure,
  kList,
  kMap
};
enum class TimestampFormat : std::uint8_t { kProtocolDefault, kEpochSeconds, kIso8601, kHttpDate };
enum class Location : std::uint8_t {
  kBody,
  kHeader,
  kHeaders /* all with a prefix, into a map */,
  kUri,
  kQuery,
  kQueryMap /* all other query parameters, into a map */,
  kStatusCode,
  kPayload /* is the body */,
  kEvents /* follows the answer as a stream of events: an EventStream, see event_stream.h */
};

struct Shape;
struct StreamOps;

// How to reach a value that is held indirectly. Type-erased, so that one codec serves all.
struct OptionalOps {
  bool (*has)(const void* holder);
  const void* (*get)(const void* holder);  // precondition: has
  void* (*emplace)(void* holder);          // a default value, replacing what was there
};
struct ListOps {
  std::size_t (*size)(const void* list);
  const void* (*at)(const void* list, std::size_t index);
  void* (*push)(void* list);  // a default element at the end
};
struct MapOps {
  std::size_t (*size)(const void* map);
  // Calls visit(state, key, value) in key order.
  void (*each)(const void* map, void* state, void (*visit)(void*, const std::string&, const void*));
  void* (*put)(void* map, std::string key);  // the default value under key
};

struct Member {
  const char* name;        // as in the model: "FunctionName"
  const char* wire_name;   // locationName: JSON key, XML element, header, query or URI parameter
  const char* query_name;  // ec2's queryName, or nullptr
  const Shape* shape;
  std::uint32_t offset;         // of the holder in the struct
  const OptionalOps* optional;  // nullptr: held as T
  Location location = Location::kBody;
  TimestampFormat timestamp = TimestampFormat::kProtocolDefault;
  bool required = false;
  bool flattened = false;  // XML and query lists and maps without a wrapper
  bool xml_attribute = false;
  bool idempotency_token = false;
  bool streaming = false;    // payload blob that the model streams
  bool json_header = false;  // a JSON value, base64 in a header (jsonvalue)
  bool host_label = false;
  bool event_payload = false;  // of an event: is its whole payload
  bool event_header = false;   // of an event: one of its headers
  const char* xml_prefix = nullptr;  // namespace of this element
  const char* xml_namespace = nullptr;
  const StreamOps* stream = nullptr;  // Location::kEvents; `shape` has a member per kind of event
};

// Bounds of the model, in its own units: string length in characters, blob in bytes, list and map
// in entries, numbers in value. Absent bounds are kNoMin and kNoMax.
struct Constraint {
  static constexpr std::int64_t kNoMin = INT64_MIN;
  static constexpr std::int64_t kNoMax = INT64_MAX;
  std::int64_t min = kNoMin;
  std::int64_t max = kNoMax;
  const char* pattern = nullptr;             // as written in the model (Java regular expression)
  std::span<const char* const> values = {};  // enum
};

struct Shape {
  const char* name;
  Kind kind;
  Constraint constraint = {};
  TimestampFormat timestamp = TimestampFormat::kProtocolDefault;
  bool sensitive = false;
  std::uint8_t bits = 32;  // of an integer: the model's byte and short are narrower
  // structures
  std::span<const Member> members = {};
  const Member* payload = nullptr;  // the member that is the whole body
  const Member* events = nullptr;   // the member that is a stream of events
  bool is_union = false;
  const char* xml_name = nullptr;  // root element name where it differs
  const char* xml_prefix = nullptr;
  const char* xml_namespace = nullptr;
  // lists and maps
  const Shape* element = nullptr;  // element of a list, value of a map
  const Shape* key = nullptr;
  const ListOps* list = nullptr;
  const MapOps* map = nullptr;
  const OptionalOps* element_optional = nullptr;  // sparse: elements are held as std::optional
  // XML and query: the list's element where the model names it (else "member", or the member's own
  // name when flattened); the map's value.
  const char* element_name = nullptr;
  const char* key_name = "key";
  const char* element_namespace = nullptr;
  const char* key_namespace = nullptr;
  const char* element_prefix = nullptr;
  bool flattened = false;

  const Member* member(std::string_view model_name) const {
    for (const auto& candidate : members)
      if (candidate.name == model_name) return &candidate;
    return nullptr;
  }
};

inline const void* field(const void* structure, const Member& member) {
  return static_cast<const char*>(structure) + member.offset;
}
inline void* field(void* structure, const Member& member) {
  return static_cast<char*>(structure) + member.offset;
}
// The member's value, or nullptr when it is absent.
inline const void* value_of(const void* structure, const Member& member) {
  const void* holder = field(structure, member);
  if (!member.optional) return holder;
  return member.optional->has(holder) ? member.optional->get(holder) : nullptr;
}
// Makes the member present and gives its value for writing.
inline void* make_value(void* structure, const Member& member) {
  void* holder = field(structure, member);
  return member.optional ? member.optional->emplace(holder) : holder;
}

}  // namespace pileus::aws
