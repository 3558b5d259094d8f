// What the codecs share: scalars as text, timestamps, present members, and reports of what is
// missing. Internal to aws/protocol. Any thread.
#pragma once

#include <array>

#include "aws/protocol/codec.h"
#include "aws/protocol/path.h"
#include "base/text.h"

namespace pileus::aws::protocol {

inline constexpr std::string_view kMalformed = "SerializationException";

// How one message is read. A client is lenient where a server must be strict: unknown union
// members and nulls in lists are skipped, a timestamp may be in any format.
struct Reading {
  Protocol protocol;
  bool client = false;
  std::vector<std::string>* missing = nullptr;
};

inline std::unexpected<Error> malformed(std::string message) {
  return fail(std::string(kMalformed), std::move(message));
}

// Which members of a structure a message held.
class Seen {
 public:
  void set(const Shape& shape, const Member& member) { bits_[slot(shape, member)] = true; }
  bool has(const Shape& shape, const Member& member) const { return bits_[slot(shape, member)]; }

 private:
  static std::size_t slot(const Shape& shape, const Member& member) {
    return static_cast<std::size_t>(&member - shape.members.data()) % 256;
  }
  std::array<bool, 256> bits_{};
};
void report_missing(const Reading& reading, const Shape& shape, const Seen& seen, const Path& path);
// A union holds exactly one member; `set` counts those a message held.
Result<Unit> check_union(const Reading& reading, const Shape& shape, int set, int unknown);

// Whether a number fits the integer that the model names (byte, short or integer).
inline bool fits(const Shape& shape, std::int64_t number) {
  const std::int64_t limit = std::int64_t{1} << (shape.bits - 1U);
  return number >= -limit && number < limit;
}
inline bool is_scalar(const Shape& shape) { return shape.kind < Kind::kDocument; }
inline bool is_rest(Protocol p) { return p == Protocol::kRestJson || p == Protocol::kRestXml; }

inline TimestampFormat timestamp_format(const Shape& shape, const Member* member,
                                        TimestampFormat protocol_default) {
  if (member && member->timestamp != TimestampFormat::kProtocolDefault) return member->timestamp;
  if (shape.timestamp != TimestampFormat::kProtocolDefault) return shape.timestamp;
  return protocol_default;
}

void append_float(std::string& out, float value);  // shortest; NaN and infinities bare
void append_double(std::string& out, double value);
void append_epoch(std::string& out, Time time);                 // 1432000000 or 1432000000.123
std::optional<Time> time_from_seconds(double seconds);          // years 1 to 9999
std::optional<double> number_from_text(std::string_view text);  // decimal, NaN, ±Infinity
std::optional<Time> time_from_text(TimestampFormat format, std::string_view text, bool lenient);
std::string time_to_text(TimestampFormat format, Time time);

// A scalar (blobs in base64) as text, and back. `what` names the place in an error.
void append_scalar(std::string& out, const Shape& shape, TimestampFormat format, const void* value);
Result<Unit> read_scalar(const Reading& reading, const Shape& shape, TimestampFormat format,
                         std::string_view text, void* out);

// The element `index` of a list for writing to the wire: nullptr is a sparse list's null.
inline const void* list_element(const Shape& list, const void* value, std::size_t index) {
  const void* element = list.list->at(value, index);
  if (!list.element_optional) return element;
  return list.element_optional->has(element) ? list.element_optional->get(element) : nullptr;
}
// A new element at the end of a list, or under a key of a map.
inline void* new_element(const Shape& list, void* value) {
  void* element = list.list->push(value);
  return list.element_optional ? list.element_optional->emplace(element) : element;
}
inline void* new_entry(const Shape& map, void* value, std::string key) {
  void* element = map.map->put(value, std::move(key));
  return map.element_optional ? map.element_optional->emplace(element) : element;
}
// Calls visit(key, value) for each entry; value is nullptr for a sparse map's null.
template <class Visit>
void for_each_entry(const Shape& map, const void* value, Visit visit) {
  struct State {
    const Shape& map;
    Visit& visit;
  } state{map, visit};
  map.map->each(value, &state, [](void* opaque, const std::string& key, const void* element) {
    auto& s = *static_cast<State*>(opaque);
    if (const auto* optional = s.map.element_optional)
      element = optional->has(element) ? optional->get(element) : nullptr;
    s.visit(key, element);
  });
}

// Finds a member by its name on the wire; `hint` is where the last one was found, because
// messages name members in the model's order.
template <class Name>
const Member* find_member(const Shape& shape, std::string_view wire, std::size_t& hint,
                          Name name_of) {
  const std::size_t count = shape.members.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = hint + i < count ? hint + i : hint + i - count;
    if (wire == name_of(shape.members[at])) {
      hint = at + 1 < count ? at + 1 : 0;
      return &shape.members[at];
    }
  }
  return nullptr;
}

}  // namespace pileus::aws::protocol
