#include "aws/protocol/json.h"

#include <boost/json/parser.hpp>
#include <cmath>

#include "base/text.h"

namespace pileus::aws::protocol {

const Json* JsonText::parse(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::parser parser(&memory_, options);
  boost::system::error_code ec;
  const std::size_t used = parser.write_some(text, ec);
  if (!ec && used < text.size()) ec = boost::json::error::extra_data;
  if (ec) {
    error_ = str("Invalid JSON near byte ", used, ": ", ec.message());
    return nullptr;
  }
  if (text.empty()) {
    error_ = "Invalid JSON near byte 0: unexpected end of input";
    return nullptr;
  }
  root_.emplace(parser.release());
  return &*root_;
}

namespace {

// What was found, in the words AWS's services use for it.
std::string_view found(const Json& in) {
  switch (in.kind()) {
    case boost::json::kind::bool_:
      return in.get_bool() ? "TRUE_VALUE" : "FALSE_VALUE";
    case boost::json::kind::string:
      return "STRING_VALUE";
    case boost::json::kind::null:
      return "NULL_VALUE";
    default:
      return "NUMBER_VALUE";
  }
}

std::unexpected<Error> mismatch(const Json& in, const char* wanted, const Path& path) {
  const std::string at = path.text().empty() ? "" : str(" (at '", path.text(), "')");
  if (in.is_object()) return malformed("Start of structure or map found where not expected." + at);
  if (in.is_array()) return malformed("Start of list found where not expected." + at);
  return malformed(str(found(in), " can not be converted to ", wanted, at));
}

std::optional<std::int64_t> whole(const Json& in) {
  if (in.is_int64()) return in.get_int64();
  if (!in.is_double()) return std::nullopt;
  const double number = in.get_double();
  if (number != std::trunc(number) || std::abs(number) > 9007199254740992.0) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::optional<double> number(const Json& in) {
  if (in.is_double()) return in.get_double();
  if (in.is_int64()) return static_cast<double>(in.get_int64());
  if (in.is_uint64()) return static_cast<double>(in.get_uint64());
  return std::nullopt;
}

struct Reader {
  const Reading& reading;

  Result<Unit> value(const Shape& shape, const Member* member, const Json& in, void* out,
                     const Path& path) {
    switch (shape.kind) {
      case Kind::kStructure: {
        if (!in.is_object()) return mismatch(in, "a structure", path);
        Seen seen;
        TRY(structure(shape, in, out, path, seen, false));
        report_missing(reading, shape, seen, path);
        return Unit{};
      }
      case Kind::kList:
        return list(shape, in, out, path);
      case Kind::kMap:
        return map(shape, in, out, path);
      case Kind::kDocument:
        *static_cast<Json*>(out) = Json(in, boost::json::storage_ptr());
        return Unit{};
      default:
        return scalar(shape, member, in, out, path);
    }
  }

  Result<Unit> structure(const Shape& shape, const Json& in, void* out, const Path& path,
                         Seen& seen, bool top) {
    std::size_t hint = 0;
    int set = 0, unknown = 0;
    for (const auto& [key, item] : in.get_object()) {
      if (item.is_null()) continue;
      const Member* member = find_member(
          shape, key, hint, [](const Member& m) { return std::string_view(m.wire_name); });
      if (!member || (top && member->location != Location::kBody)) {
        unknown += key != "__type";
        continue;
      }
      if (shape.is_union && reading.client && set > 0) continue;
      TRY(value(*member->shape, member, item, make_value(out, *member), path.member(member->name)));
      seen.set(shape, *member);
      ++set;
    }
    return check_union(reading, shape, set, unknown);
  }

  Result<Unit> list(const Shape& shape, const Json& in, void* out, const Path& path) {
    if (!in.is_array())
      return in.is_object() ? mismatch(in, "a list", path) : malformed("Expected list or null");
    std::size_t index = 0;
    for (const auto& item : in.get_array()) {
      const Path at = path.element(index++);
      if (item.is_null()) {
        if (shape.element_optional)
          shape.list->push(out);
        else if (!reading.client)
          return malformed(str("A list may not hold null (at '", at.text(), "')"));
        continue;
      }
      TRY(value(*shape.element, nullptr, item, new_element(shape, out), at));
    }
    return Unit{};
  }

  Result<Unit> map(const Shape& shape, const Json& in, void* out, const Path& path) {
    if (!in.is_object())
      return in.is_array() ? mismatch(in, "a map", path) : malformed("Expected map or null");
    for (const auto& [key, item] : in.get_object()) {
      const Path at = path.entry(key);
      if (item.is_null()) {
        if (shape.element_optional)
          shape.map->put(out, key);
        else if (!reading.client)
          return malformed(str("A map may not hold null (at '", at.text(), "')"));
        continue;
      }
      TRY(value(*shape.element, nullptr, item, new_entry(shape, out, key), at));
    }
    return Unit{};
  }

  Result<Unit> scalar(const Shape& shape, const Member* member, const Json& in, void* out,
                      const Path& path) {
    switch (shape.kind) {
      case Kind::kBoolean:
        if (!in.is_bool()) return mismatch(in, "a Boolean", path);
        *static_cast<bool*>(out) = in.get_bool();
        return Unit{};
      case Kind::kInteger: {
        const auto integer = whole(in);
        if (!integer || !fits(shape, *integer)) return mismatch(in, "an Integer", path);
        *static_cast<std::int32_t*>(out) = static_cast<std::int32_t>(*integer);
        return Unit{};
      }
      case Kind::kLong: {
        const auto integer = whole(in);
        if (!integer) return mismatch(in, "a Long", path);
        *static_cast<std::int64_t*>(out) = *integer;
        return Unit{};
      }
      case Kind::kFloat:
      case Kind::kDouble: {
        auto floating = number(in);
        if (in.is_string()) {  // only these three are written as strings
          const std::string_view text = in.get_string();
          if (text == "NaN" || text == "Infinity" || text == "-Infinity")
            floating = number_from_text(text);
        }
        if (!floating) return mismatch(in, "a Double", path);
        if (shape.kind == Kind::kFloat)
          *static_cast<float*>(out) = static_cast<float>(*floating);
        else
          *static_cast<double*>(out) = *floating;
        return Unit{};
      }
      case Kind::kTimestamp: {
        const auto format = timestamp_format(shape, member, TimestampFormat::kEpochSeconds);
        std::optional<Time> time;
        const auto seconds = number(in);
        if (seconds && (format == TimestampFormat::kEpochSeconds || reading.client))
          time = time_from_seconds(*seconds);
        else if (in.is_string() && (format != TimestampFormat::kEpochSeconds || reading.client))
          time = time_from_text(format, in.get_string(), reading.client);
        if (!time) return mismatch(in, "a Timestamp", path);
        *static_cast<Time*>(out) = *time;
        return Unit{};
      }
      default:
        if (!in.is_string())
          return mismatch(in, shape.kind == Kind::kBlob ? "a Blob" : "a String", path);
        return read_scalar(reading, shape, TimestampFormat::kProtocolDefault, in.get_string(), out);
    }
  }
};

struct Writer {
  std::string& out;

  void value(const Shape& shape, const Member* member, const void* v) {
    switch (shape.kind) {
      case Kind::kStructure:
        structure(shape, v, false, {});
        break;
      case Kind::kList: {
        out += '[';
        const std::size_t count = shape.list->size(v);
        for (std::size_t i = 0; i < count; ++i) {
          if (i) out += ',';
          const void* element = list_element(shape, v, i);
          if (element)
            value(*shape.element, nullptr, element);
          else
            out += "null";
        }
        out += ']';
        break;
      }
      case Kind::kMap: {
        out += '{';
        bool first = true;
        for_each_entry(shape, v, [&](const std::string& key, const void* element) {
          if (!std::exchange(first, false)) out += ',';
          append_json_string(out, key);
          out += ':';
          if (element)
            value(*shape.element, nullptr, element);
          else
            out += "null";
        });
        out += '}';
        break;
      }
      case Kind::kDocument:
        out += to_text(*static_cast<const Json*>(v));
        break;
      case Kind::kString:
        append_json_string(out, *static_cast<const std::string*>(v));
        break;
      case Kind::kFloat:
        floating(*static_cast<const float*>(v), append_float);
        break;
      case Kind::kDouble:
        floating(*static_cast<const double*>(v), append_double);
        break;
      case Kind::kBlob:
        quoted(shape, TimestampFormat::kProtocolDefault, v);
        break;
      case Kind::kTimestamp: {
        const auto format = timestamp_format(shape, member, TimestampFormat::kEpochSeconds);
        if (format == TimestampFormat::kEpochSeconds)
          append_epoch(out, *static_cast<const Time*>(v));
        else
          quoted(shape, format, v);
        break;
      }
      default:
        append_scalar(out, shape, TimestampFormat::kProtocolDefault, v);
    }
  }

  void structure(const Shape& shape, const void* v, bool top, std::string_view extra) {
    out += '{';
    out += extra;
    bool first = extra.empty();
    for (const auto& member : shape.members) {
      if (top && member.location != Location::kBody) continue;
      const void* item = value_of(v, member);
      if (!item) continue;
      if (!std::exchange(first, false)) out += ',';
      append_json_string(out, member.wire_name);
      out += ':';
      value(*member.shape, &member, item);
    }
    out += '}';
  }

  template <class Floating>
  void floating(Floating v, void (*append)(std::string&, Floating)) {
    if (std::isfinite(v)) return append(out, v);
    out += '"';
    append(out, v);
    out += '"';
  }
  void quoted(const Shape& shape, TimestampFormat format, const void* v) {
    out += '"';
    append_scalar(out, shape, format, v);
    out += '"';
  }
};

}  // namespace

Result<Unit> read_json(const Reading& reading, const Shape& shape, const Member* member,
                       const Json& in, void* out, const Path& path) {
  return Reader{reading}.value(shape, member, in, out, path);
}

Result<Unit> read_json_body(const Reading& reading, const Shape& shape, const Json& in, void* out,
                            const Path& path, Seen& seen) {
  if (!in.is_object()) return mismatch(in, "a structure", path);
  return Reader{reading}.structure(shape, in, out, path, seen, true);
}

void write_json(std::string& out, const Shape& shape, const Member* member, const void* value) {
  Writer{out}.value(shape, member, value);
}

void write_json_body(std::string& out, const Shape& shape, const void* value,
                     std::string_view extra) {
  Writer{out}.structure(shape, value, true, extra);
}

}  // namespace pileus::aws::protocol
