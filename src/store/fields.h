// Fields: plain structs to JSON text and back, for what rooms keep as records.
//
//   struct Alias {
//     std::string name;
//     std::int64_t version = 0;
//     std::optional<Time> expires;
//     PILEUS_FIELDS(Alias, name, version, expires)
//   };
//   std::string text = encode(alias);
//   Result<Alias> back = decode<Alias>(text);
//
// Members may be std::string (any bytes), bool, integers, double, enums (as numbers), Time and
// Duration (as microseconds), Json (as it is), nested PILEUS_FIELDS structs, and std::optional,
// std::vector, std::set<std::string>, std::map<std::string, T>, std::unordered_map of those. So
// that records can evolve, an unknown field is ignored and a missing or null one keeps its default;
// a field of the wrong kind is an error (errc::kInvalid) that names it. Empty optionals are left
// out.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/completion.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"

namespace pileus::store {

// What PILEUS_FIELDS writes into: text that grows.
class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) {}

  template <class T>
  void field(std::string_view name, const T& value) {
    begin_field(name);
    write(value);
  }
  template <class T>
  void field(std::string_view name, const std::optional<T>& value) {
    if (value) field(name, *value);
  }
  void begin_object() { out_ += '{'; }
  void end_object() { out_ += '}'; }

  void write(const std::string& value) { append_json_string(out_, value); }
  void write(bool value) { out_ += value ? "true" : "false"; }
  void write(double value) { append_json_number(out_, value); }
  void write(std::int64_t value);
  void write(std::uint64_t value);
  void write(const Json& value) { out_ += to_text(value); }
  void write(Time value) { write(std::int64_t{value.time_since_epoch().count()}); }
  void write(Duration value) { write(std::int64_t{value.count()}); }
  template <class T>
    requires std::is_integral_v<T>
  void write(T value) {
    if constexpr (std::is_signed_v<T>)
      write(std::int64_t{value});
    else
      write(std::uint64_t{value});
  }
  template <class T>
    requires std::is_enum_v<T>
  void write(T value) {
    write(static_cast<std::int64_t>(value));
  }
  template <class T>
    requires requires(const T& value, FieldWriter& out) { value.write_fields(out); }
  void write(const T& value) {
    begin_object();
    value.write_fields(*this);
    end_object();
  }
  template <class T>
  void write(const std::optional<T>& value) {
    if (value)
      write(*value);
    else
      out_ += "null";
  }
  template <class T>
  void write(const std::vector<T>& value) {
    write_list(value);
  }
  void write(const std::set<std::string>& value) { write_list(value); }
  template <class T>
  void write(const std::map<std::string, T>& value) {
    write_map(value);
  }
  template <class T>
  void write(const std::unordered_map<std::string, T>& value) {
    write_map(value);
  }

 private:
  void begin_field(std::string_view name);
  void comma();
  template <class List>
  void write_list(const List& list) {
    out_ += '[';
    for (const auto& item : list) {
      comma();
      if constexpr (std::is_same_v<List, std::vector<bool>>)
        write(bool{item});
      else
        write(item);
    }
    out_ += ']';
  }
  template <class Map>
  void write_map(const Map& map) {
    begin_object();
    for (const auto& [key, item] : map) {
      begin_field(key);
      write(item);
    }
    end_object();
  }
  std::string& out_;
};

// What PILEUS_FIELDS reads from. The first field of the wrong kind is remembered as the error.
class FieldReader {
 public:
  explicit FieldReader(const Json& value) : value_(&value) {}

  template <class T>
  void field(std::string_view name, T& out) {
    const Json* member = find(*value_, name);
    if (member && !member->is_null()) inside(name, *member, out);
  }
  bool failed() const { return !error_.empty(); }
  const std::string& error() const { return error_; }

  void read(const Json& from, std::string& out);
  void read(const Json& from, bool& out);
  void read(const Json& from, double& out);
  void read(const Json& from, std::int64_t& out);
  void read(const Json& from, std::uint64_t& out);
  void read(const Json& from, Json& out) { out = from; }
  void read(const Json& from, Time& out);
  void read(const Json& from, Duration& out);
  void read(const Json& from, std::set<std::string>& out);
  template <class T>
    requires std::is_integral_v<T>
  void read(const Json& from, T& out) {
    std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t> wide = 0;
    read(from, wide);
    if (!std::in_range<T>(wide)) return wrong("a smaller number");
    out = static_cast<T>(wide);
  }
  template <class T>
    requires std::is_enum_v<T>
  void read(const Json& from, T& out) {
    std::int64_t wide = 0;
    read(from, wide);
    out = static_cast<T>(wide);
  }
  template <class T>
    requires requires(T& value, FieldReader& in) { value.read_fields(in); }
  void read(const Json& from, T& out) {
    if (!from.is_object()) return wrong("an object");
    const Json* outer = std::exchange(value_, &from);
    out.read_fields(*this);
    value_ = outer;
  }
  template <class T>
  void read(const Json& from, std::optional<T>& out) {
    if (from.is_null()) return out.reset();
    read(from, out.emplace());
  }
  template <class T>
  void read(const Json& from, std::vector<T>& out) {
    if (!from.is_array()) return wrong("a list");
    out.clear();
    out.reserve(from.get_array().size());
    for (const auto& item : from.get_array()) {
      T value{};
      read(item, value);
      out.push_back(std::move(value));
    }
  }
  template <class T>
  void read(const Json& from, std::map<std::string, T>& out) {
    read_map(from, out);
  }
  template <class T>
  void read(const Json& from, std::unordered_map<std::string, T>& out) {
    read_map(from, out);
  }

 private:
  template <class T>
  void inside(std::string_view name, const Json& member, T& out) {
    if (failed()) return;
    read(member, out);
    if (failed()) error_.insert(0, std::string(name) + (error_[0] == ':' ? "" : "."));
  }
  template <class Map>
  void read_map(const Json& from, Map& out) {
    if (!from.is_object()) return wrong("an object");
    out.clear();
    for (const auto& [key, item] : from.get_object()) inside(key, item, out[std::string(key)]);
  }
  void wrong(std::string_view wanted);
  const Json* value_;
  std::string error_;
};

namespace detail {
Result<Unit> decode_into(std::string_view text, void* out,
                         void (*read)(FieldReader&, const Json&, void*));
}

// Any value a member may have, as JSON text.
template <class T>
std::string encode(const T& value) {
  std::string out;
  FieldWriter writer(out);
  writer.write(value);
  return out;
}

template <class T>
Result<T> decode(std::string_view text) {
  T value{};
  TRY(detail::decode_into(text, &value, [](FieldReader& in, const Json& from, void* out) {
    in.read(from, *static_cast<T*>(out));
  }));
  return value;
}

}  // namespace pileus::store

#define PILEUS_PARENS_ ()
#define PILEUS_EXPAND_(...) \
  PILEUS_EXPAND3_(PILEUS_EXPAND3_(PILEUS_EXPAND3_(PILEUS_EXPAND3_(__VA_ARGS__))))
#define PILEUS_EXPAND3_(...) \
  PILEUS_EXPAND2_(PILEUS_EXPAND2_(PILEUS_EXPAND2_(PILEUS_EXPAND2_(__VA_ARGS__))))
#define PILEUS_EXPAND2_(...) \
  PILEUS_EXPAND1_(PILEUS_EXPAND1_(PILEUS_EXPAND1_(PILEUS_EXPAND1_(__VA_ARGS__))))
#define PILEUS_EXPAND1_(...) __VA_ARGS__
#define PILEUS_EACH_(macro, ...) __VA_OPT__(PILEUS_EXPAND_(PILEUS_EACH_STEP_(macro, __VA_ARGS__)))
#define PILEUS_EACH_STEP_(macro, first, ...) \
  macro(first) __VA_OPT__(PILEUS_EACH_AGAIN_ PILEUS_PARENS_(macro, __VA_ARGS__))
#define PILEUS_EACH_AGAIN_() PILEUS_EACH_STEP_
#define PILEUS_WRITE_FIELD_(member) pileus_out.field(#member, member);
#define PILEUS_READ_FIELD_(member) pileus_in.field(#member, member);

// Inside a struct, after its members: which of them are kept (at most 60).
#define PILEUS_FIELDS(Type, ...)                                                       \
  void write_fields([[maybe_unused]] ::pileus::store::FieldWriter& pileus_out) const { \
    static_assert(std::is_same_v<const Type*, decltype(this)>);                        \
    PILEUS_EACH_(PILEUS_WRITE_FIELD_ __VA_OPT__(, ) __VA_ARGS__)                       \
  }                                                                                    \
  void read_fields([[maybe_unused]] ::pileus::store::FieldReader& pileus_in) {         \
    PILEUS_EACH_(PILEUS_READ_FIELD_ __VA_OPT__(, ) __VA_ARGS__)                        \
  }
