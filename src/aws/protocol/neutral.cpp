// The neutral JSON form of a value: for tests, debugging, and the structured members of errors.
#include <cmath>

#include "aws/protocol/values.h"
#include "base/text.h"

namespace pileus::aws::protocol {

namespace {

Json floating(double v) {
  if (std::isfinite(v)) return Json(v);
  std::string text;
  append_double(text, v);
  return Json(boost::json::string(text));
}

Json write(const Shape& shape, const void* v) {
  switch (shape.kind) {
    case Kind::kBoolean:
      return Json(*static_cast<const bool*>(v));
    case Kind::kInteger:
      return Json(*static_cast<const std::int32_t*>(v));
    case Kind::kLong:
      return Json(*static_cast<const std::int64_t*>(v));
    case Kind::kFloat:
      return floating(static_cast<double>(*static_cast<const float*>(v)));
    case Kind::kDouble:
      return floating(*static_cast<const double*>(v));
    case Kind::kTimestamp:
      return Json(static_cast<const Time*>(v)->time_since_epoch().count());
    case Kind::kBlob:
      return Json(boost::json::string(to_base64(*static_cast<const std::string*>(v))));
    case Kind::kString:
      return Json(boost::json::string(*static_cast<const std::string*>(v)));
    case Kind::kDocument:
      return *static_cast<const Json*>(v);
    case Kind::kStructure: {
      JsonObject object;
      for (const auto& member : shape.members) {
        if (member.location == Location::kEvents) continue;  // only who reads it knows its events
        if (const void* item = value_of(v, member))
          object[member.name] = write(*member.shape, item);
      }
      return object;
    }
    case Kind::kList: {
      JsonArray array;
      for (std::size_t i = 0; i < shape.list->size(v); ++i) {
        const void* item = list_element(shape, v, i);
        array.push_back(item ? write(*shape.element, item) : Json(nullptr));
      }
      return array;
    }
    case Kind::kMap: {
      JsonObject object;
      for_each_entry(shape, v, [&](const std::string& key, const void* item) {
        object[key] = item ? write(*shape.element, item) : Json(nullptr);
      });
      return object;
    }
  }
  return nullptr;
}

Result<Unit> read(const Shape& shape, const Json& in, void* out, int depth) {
  const auto refuse = [&] {
    return fail(std::string(errc::kInvalid),
                str("not a value of ", shape.name, ": ", to_text(in).substr(0, 200)));
  };
  if (depth > kMaxDepth) return refuse();
  switch (shape.kind) {
    case Kind::kBoolean:
      if (!in.is_bool()) return refuse();
      *static_cast<bool*>(out) = in.get_bool();
      return Unit{};
    case Kind::kInteger:
      if (!in.is_int64()) return refuse();
      *static_cast<std::int32_t*>(out) = static_cast<std::int32_t>(in.get_int64());
      return Unit{};
    case Kind::kLong:
      if (!in.is_int64()) return refuse();
      *static_cast<std::int64_t*>(out) = in.get_int64();
      return Unit{};
    case Kind::kFloat:
    case Kind::kDouble: {
      const auto number = in.is_string()   ? number_from_text(in.get_string())
                          : in.is_double() ? std::optional(in.get_double())
                          : in.is_int64()  ? std::optional(static_cast<double>(in.get_int64()))
                                           : std::nullopt;
      if (!number) return refuse();
      if (shape.kind == Kind::kFloat)
        *static_cast<float*>(out) = static_cast<float>(*number);
      else
        *static_cast<double*>(out) = *number;
      return Unit{};
    }
    case Kind::kTimestamp:
      if (!in.is_int64()) return refuse();
      *static_cast<Time*>(out) = Time(std::chrono::microseconds(in.get_int64()));
      return Unit{};
    case Kind::kBlob: {
      auto bytes = in.is_string() ? from_base64(in.get_string()) : std::nullopt;
      if (!bytes) return refuse();
      *static_cast<std::string*>(out) = std::move(*bytes);
      return Unit{};
    }
    case Kind::kString:
      if (!in.is_string()) return refuse();
      *static_cast<std::string*>(out) = std::string_view(in.get_string());
      return Unit{};
    case Kind::kDocument:
      *static_cast<Json*>(out) = in;
      return Unit{};
    case Kind::kStructure:
      if (!in.is_object()) return refuse();
      for (const auto& [key, item] : in.get_object()) {
        const Member* member = shape.member(key);
        if (!member || member->location == Location::kEvents)
          return fail(std::string(errc::kInvalid),
                      str(shape.name, " has no member ", std::string_view(key)));
        if (!item.is_null()) TRY(read(*member->shape, item, make_value(out, *member), depth + 1));
      }
      return Unit{};
    case Kind::kList:
      if (!in.is_array()) return refuse();
      for (const auto& item : in.get_array())
        if (item.is_null() && shape.element_optional)
          shape.list->push(out);
        else
          TRY(read(*shape.element, item, new_element(shape, out), depth + 1));
      return Unit{};
    case Kind::kMap:
      if (!in.is_object()) return refuse();
      for (const auto& [key, item] : in.get_object())
        if (item.is_null() && shape.element_optional)
          shape.map->put(out, key);
        else
          TRY(read(*shape.element, item, new_entry(shape, out, key), depth + 1));
      return Unit{};
  }
  return refuse();
}

}  // namespace

Json to_json(const Shape& shape, const void* value) { return write(shape, value); }
Result<Unit> from_json(const Shape& shape, const Json& json, void* value) {
  return read(shape, json, value, 0);
}

}  // namespace pileus::aws::protocol
